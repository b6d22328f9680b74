package evm

import (
	"cmp"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"barnraise"
	"barnraise/registry"

	"github.com/ethereum/go-ethereum/common"
)

// TestGas: what each call costs. Whoever changes a contract sees here what it costs everybody.
func TestGas(t *testing.T) {
	chain := newChain(t)
	p := testParams
	p.RewardsEvery = 0
	r := newRegistry(t, chain, p)
	c := r.contracts
	v := packed(t, "search")
	register := func(offers, rewards uint32) []byte {
		return c.server.PackRegister("https://a.example", publicKey("a"), list(1, offers), list(1, rewards), 9)
	}
	lists := func(offers, rewards []uint32) []byte { return c.server.PackSetLists(3, offers, rewards, 9) }
	cases := []struct {
		what     string
		who      *Account
		contract common.Address
		value    *big.Int
		call     []byte
		want     uint64
	}{
		{"services.register, the first", alice, c.services, milli(50), c.service.PackRegister("search", v), 251_000},
		{"services.register", alice, c.services, milli(50), c.service.PackRegister("resolve", v), 217_000},
		{"services.publish", alice, c.services, nil, c.service.PackPublish(1, v, 0), 69_000},
		{"services.revoke, the first", alice, c.services, nil, c.service.PackRevoke(1, 2, "wrong"), 95_800},
		{"services.revoke", alice, c.services, nil, c.service.PackRevoke(1, 1, "wrong"), 78_700},
		{"servers.register, no lists, the first", alice, c.servers, milli(50), register(0, 0), 273_400},
		{"servers.register, 4 offers, 2 rewards", alice, c.servers, milli(50), register(4, 2), 246_500},
		{"servers.register, 16 and 16", alice, c.servers, milli(50), register(16, 16), 277_900},
		{"servers.setLists, 6 offers, same 2 rewards", alice, c.servers, nil, c.server.PackSetLists(2, list(2, 6), list(1, 2), 9), 73_100},
		{"servers.setLists, 16 offers, same rewards", alice, c.servers, nil, lists(list(2, 16), list(1, 16)), 102_000},
		{"servers.setLists, 16 and 16", alice, c.servers, nil, lists(list(1, 16), list(2, 16)), 108_500},
		{"servers.setLists, 256 and 64", alice, c.servers, nil, lists(list(1, 256), list(1, 64)), 457_800},
		{"servers.setUrl", alice, c.servers, nil, c.server.PackSetUrl(1, "https://b.example"), 60_900},
		{"servers.rotateKey", alice, c.servers, nil, c.server.PackRotateKey(1, publicKey("b")), 60_000},
		{"setDelegate, the first", alice, c.servers, nil, c.service.PackSetDelegate(1, bob.address), 56_200},
		{"topUp", alice, c.servers, milli(1), c.service.PackTopUp(1), 56_000},
		{"offerOwnership", alice, c.servers, nil, c.service.PackOfferOwnership(1, bob.address), 73_400},
		{"servers.acceptOwnership", bob, c.servers, nil, c.service.PackAcceptOwnership(1), 57_600},
		{"unregister", bob, c.servers, nil, c.service.PackUnregister(1), 56_100},
	}
	check := func(what string, who *Account, contract common.Address, value *big.Int, call []byte, want uint64) {
		t.Helper()
		tx, _, err := r.sender().send(t.Context(), who, &contract, cmp.Or(value, new(big.Int)), call)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		t.Logf("%-44s %8d", what, tx.Gas)
		if tx.Gas > want*102/100 || tx.Gas < want*98/100 {
			t.Errorf("%s takes %d gas, want %d within 2 %%", what, tx.Gas, want)
		}
	}
	for _, g := range cases {
		check(g.what, g.who, g.contract, g.value, g.call, g.want)
	}
	advance(chain, p.UnlockDelay)(t)
	check("withdraw", bob, c.servers, nil, c.service.PackWithdraw(1), 66_100)
}

// TestRevertWords: every error of both contracts has words of its own, and none shows Go's spelling of a value.
func TestRevertWords(t *testing.T) {
	c := newContracts(registry.Network{Services: barnraise.Address{1}, Servers: barnraise.Address{2}})
	var seen []string
	for _, side := range []struct {
		address common.Address
		record  string
	}{{c.services, "service"}, {c.servers, "server"}} {
		contract := c.servicesABI
		if side.address == c.servers {
			contract = c.serversABI
		}
		for name, e := range contract.Errors {
			raw := append(slices.Clone(e.ID[:4]), make([]byte, 32*(len(e.Inputs)+1))...)
			if len(e.Inputs) > 0 && e.Inputs[0].Type.String() == "string" {
				raw[4+31] = byte(32 * len(e.Inputs)) // an empty text behind the words
			}
			err := c.explain(&side.address, dataError{common.Bytes2Hex(raw)})
			var revert *Revert
			if !errors.As(err, &revert) || revert.Name != name {
				t.Errorf("%s: %v", name, err)
				continue
			}
			text := err.Error()
			if strings.Contains(text, name) || strings.ContainsAny(text, "<>[]") || strings.Contains(text, "%!") {
				t.Errorf("%s says %q", name, text)
			}
			seen = append(seen, name)
		}
	}
	if len(seen) < 25 {
		t.Errorf("only %d errors were tried", len(seen))
	}
	// A text in it is an endpoint's.
	evil, err := c.servicesABI.Errors["Missing"].Inputs.Pack("a\x1b[31m\u202e\xff\n")
	if err != nil {
		t.Fatal(err)
	}
	id := c.servicesABI.Errors["Missing"].ID
	said := c.explain(&c.services, dataError{common.Bytes2Hex(append(id[:4:4], evil...))})
	if want := "a\uFFFD[31m\uFFFD\uFFFD\uFFFD must not be zero"; said.Error() != want {
		t.Errorf("a text of an endpoint is shown as %q, want %q", said, want)
	}
	for _, data := range []string{"", "0x", "0x12", "zz", "0x12345678", "0x" + strings.Repeat("00", maxRevert+1)} {
		var revert *Revert
		if err := c.explain(&c.services, dataError{strings.TrimPrefix(data, "0x")}); errors.As(err, &revert) {
			t.Errorf("%.20q is taken for %s", data, revert.Name)
		}
	}
}

type dataError struct{ data string }

func (e dataError) Error() string  { return "execution reverted" }
func (e dataError) ErrorData() any { return "0x" + e.data }

// TestEther: amounts are exact, and no longer than they need to be.
func TestEther(t *testing.T) {
	for want, wei := range map[string]*big.Int{
		"0": new(big.Int), "0.05": milli(50), "1": milli(1000), "10": milli(10_000), "0.000000000000000001": big.NewInt(1),
		"1.000000000000000001": new(big.Int).Add(milli(1000), big.NewInt(1)),
	} {
		if got := ether(wei); got != want {
			t.Errorf("%s wei is %s, want %s", wei, got, want)
		}
	}
}

// FuzzRevert: no reason that an endpoint gives makes explaining it panic, or its text long.
func FuzzRevert(f *testing.F) {
	c := newContracts(registry.Network{Services: barnraise.Address{1}, Servers: barnraise.Address{2}})
	for _, e := range c.serversABI.Errors {
		f.Add(append(slices.Clone(e.ID[:4]), make([]byte, 32*(len(e.Inputs)+2))...))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, contract := range []common.Address{c.services, c.servers} {
			text := c.explain(&contract, dataError{common.Bytes2Hex(raw)}).Error()
			if len(text) > 3*maxRevert || text != registry.Printable(text) {
				t.Fatalf("%d bytes make a text of %d, %.200q", len(raw), len(text), text)
			}
		}
	})
}
