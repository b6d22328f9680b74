package evm

import (
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"barnraise"
	"barnraise/registry"

	"github.com/ethereum/go-ethereum/common"
)

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
