package evm

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"math"
	"math/big"
	"os"
	"strconv"
	"strings"
	"testing"

	"barnraise/registry/contracts/servers"
	"barnraise/registry/contracts/services"

	"github.com/ethereum/go-ethereum/common"
)

var update = flag.Bool("update", false, "write the gas table of docs/registry.md instead of comparing it")

// TestGas holds the table of docs/registry.md to what each call costs, within 2 %, whatever implements the chain. Whoever
// changes a contract sees here what it costs everybody.
func TestGas(t *testing.T) {
	for _, w := range worlds() {
		t.Run(w.name, func(t *testing.T) {
			got := measure(t, w.start(t))
			page := string(readPage(t))
			if *update && w.name == "embedded" {
				page = withTable(t, page, got)
				if err := os.WriteFile(registryPage, []byte(page), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			compareGas(t, page, got)
		})
	}
}

// TestGasTable: the comparison fails where it should.
func TestGasTable(t *testing.T) {
	page := gasHeader + "| a | 100,000 | 0 | 0 | 0 |\n| b | 98 | 0 | 0 | 0 |\n\n| a | 7 |\n"
	for _, c := range []struct {
		got    []cost
		faults int
	}{
		{[]cost{{"a", 100_000}, {"b", 98}}, 0},
		{[]cost{{"a", 102_000}, {"b", 98}}, 0},
		{[]cost{{"a", 98_000}, {"b", 98}}, 0},
		{[]cost{{"a", 102_001}, {"b", 98}}, 1},
		{[]cost{{"a", 97_999}, {"b", 90}}, 2},
		{[]cost{{"a", 100_000}}, 1},
		{[]cost{{"b", 98}, {"a", 100_000}}, 2},
		{[]cost{{"a", 100_000}, {"b", 98}, {"c", 1}}, 1},
	} {
		if got := gasFaults(page, c.got); len(got) != c.faults {
			t.Errorf("%v: faults are %q, want %d", c.got, got, c.faults)
		}
	}
	want := "x\n" + gasHeader + "| d | 12,345 | 0.000000123 | 0.0000123 | 0.000247 |\n\n| a | 7 |\n"
	if got := withTable(t, "x\n"+page, []cost{{"d", 12_345}}); got != want {
		t.Errorf("the page is\n%s\nwant\n%s", got, want)
	}
}

// cost is what a call takes.
type cost struct {
	what string
	gas  uint64
}

const (
	registryPage = "../../docs/registry.md"
	gasHeader    = "| call | gas | at 0.01 gwei | at 1 gwei | at 20 gwei |\n|---|---|---|---|---|\n"
)

func readPage(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile(registryPage)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// table is the part of the page that has the rows.
func table(page string) (before, rows, after string, ok bool) {
	before, rest, ok := strings.Cut(page, gasHeader)
	rows, after, _ = strings.Cut(rest, "\n\n")
	return before, rows, after, ok
}

func compareGas(t *testing.T, page string, got []cost) {
	t.Helper()
	for _, fault := range gasFaults(page, got) {
		t.Errorf("%s: go test ./registry/evm -run TestGas -update", fault)
	}
}

// gasFaults says where the table of a page is off.
func gasFaults(page string, got []cost) (faults []string) {
	_, rows, _, _ := table(page)
	lines := strings.Split(rows, "\n")
	for i, c := range got {
		var written uint64
		if i < len(lines) {
			if cells := strings.Split(lines[i], " | "); len(cells) > 1 && cells[0] == "| "+c.what {
				written, _ = strconv.ParseUint(strings.ReplaceAll(cells[1], ",", ""), 10, 32)
			}
		}
		if c.gas*100 > written*102 || c.gas*100 < written*98 {
			faults = append(faults, fmt.Sprintf("%s takes %d gas, row %d of docs/registry.md has %d for it", c.what, c.gas, i+1, written))
		}
	}
	if len(lines) > len(got) {
		faults = append(faults, fmt.Sprintf("docs/registry.md has %d rows too many", len(lines)-len(got)))
	}
	return faults
}

func withTable(t *testing.T, page string, got []cost) string {
	t.Helper()
	before, _, after, ok := table(page)
	if !ok {
		t.Fatal("docs/registry.md has no gas table")
	}
	var b strings.Builder
	b.WriteString(before + gasHeader)
	for _, c := range got {
		text := strconv.FormatUint(c.gas, 10)
		for i := len(text) - 3; i > 0; i -= 3 {
			text = text[:i] + "," + text[i:]
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", c.what, text, price(c.gas, 0.01), price(c.gas, 1), price(c.gas, 20))
	}
	return b.String() + "\n" + after
}

// price is what some gas costs, in ether, with three digits.
func price(gas uint64, gwei float64) string {
	amount := float64(gas) * gwei / 1e9
	digits := 2 - int(math.Floor(math.Log10(amount)))
	return strconv.FormatFloat(amount, 'f', digits, 64)
}

// meter makes calls and notes what they take.
type meter struct {
	*testing.T
	r    *Registry
	cost []cost
}

// measure makes every call that changes something.
func measure(t *testing.T, chain world) []cost {
	p := testParams
	p.RewardsEvery = 0
	m := &meter{T: t, r: newRegistry(t, chain, p)}
	m.deploy("deploy services", services.RegistryMetaData.Bin)
	m.deploy("deploy servers", servers.RegistryMetaData.Bin)
	m.services()
	m.servers()
	for _, s := range sides(t, m.r) {
		m.common(s.name, s.address)
		advance(chain, p.UnlockDelay)(t)
		m.call(s.name+".withdraw", bob, s.address, nil, m.r.contracts.service.PackWithdraw(1))
	}
	return m.cost
}

func (m *meter) deploy(what, code string) {
	m.Helper()
	constants := m.r.contracts.service.PackConstructor(milli(50), 3600, 3)
	_, tx, err := m.r.sender().create(m.Context(), alice, code, constants)
	if err != nil {
		m.Fatalf("%s: %v", what, err)
	}
	m.cost = append(m.cost, cost{what, tx.Gas})
}

func (m *meter) call(what string, who *Account, contract common.Address, value *big.Int, call []byte) {
	m.Helper()
	tx, _, err := m.r.sender().send(m.Context(), who, &contract, cmp.Or(value, new(big.Int)), call)
	if err != nil {
		m.Fatalf("%s: %v", what, err)
	}
	m.Logf("%-44s %8d", what, tx.Gas)
	m.cost = append(m.cost, cost{what, tx.Gas})
}

func (m *meter) services() {
	c, at := m.r.contracts.service, m.r.contracts.services
	v := packed(m, "search")
	largest := packed(m, "search")
	largest.Ref, largest.Verifier, largest.Manifest = strings.Repeat("r", 160), bytes.Repeat([]byte{1}, 64), bytes.Repeat([]byte{2}, 64)
	m.call("services.register, the first", alice, at, milli(50), c.PackRegister("search", v))
	m.call("services.register", alice, at, milli(50), c.PackRegister("resolve", v))
	m.call("services.publish", alice, at, nil, c.PackPublish(1, v, 0))
	m.call("services.publish, the largest", alice, at, nil, c.PackPublish(1, largest, 0))
	m.call("services.revoke, the first", alice, at, nil, c.PackRevoke(1, 2, "wrong"))
	m.call("services.revoke", alice, at, nil, c.PackRevoke(1, 1, "wrong"))
}

func (m *meter) servers() {
	c, at := m.r.contracts.server, m.r.contracts.servers
	register := func(what string, offers, rewards uint32) {
		m.Helper()
		call := c.PackRegister("https://a.example", publicKey("a"), list(1, offers), list(1, rewards), 9)
		m.call("servers.register, "+what, alice, at, milli(50), call)
	}
	set := func(what string, id uint32, offers, rewards []uint32) {
		m.Helper()
		m.call("servers.setLists, "+what, alice, at, nil, c.PackSetLists(id, offers, rewards, 9))
	}
	register("no lists, the first", 0, 0)
	register("4 offers, 2 rewards", 4, 2)
	register("16 and 16", 16, 16)
	set("6 offers, same 2 rewards", 2, list(2, 6), list(1, 2))
	set("16 offers, same rewards", 3, list(2, 16), list(1, 16))
	set("16 and 16", 3, list(1, 16), list(2, 16))
	set("256 and 64", 3, list(1, 256), list(1, 64))
	m.call("servers.setUrl", alice, at, nil, c.PackSetUrl(1, "https://b.example"))
	m.call("servers.rotateKey", alice, at, nil, c.PackRotateKey(1, publicKey("b")))
}

// common are the calls that both contracts take, on record 1.
func (m *meter) common(name string, at common.Address) {
	c := m.r.contracts.service
	m.call(name+".setDelegate", alice, at, nil, c.PackSetDelegate(1, carol.address))
	m.call(name+".topUp", alice, at, milli(1), c.PackTopUp(1))
	m.call(name+".offerOwnership", alice, at, nil, c.PackOfferOwnership(1, bob.address))
	m.call(name+".acceptOwnership", bob, at, nil, c.PackAcceptOwnership(1))
	m.call(name+".unregister", bob, at, nil, c.PackUnregister(1))
}
