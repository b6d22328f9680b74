package evm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"barnraise/registry"
	"barnraise/registry/devchain"

	"github.com/ethereum/go-ethereum/core/types"
)

// shelf keeps a base in memory.
type shelf struct {
	mu    sync.Mutex
	data  []byte
	saves int
	dies  func() bool // whether the program ends while it writes
	torn  float64     // how much of what it writes then is there afterwards
}

func (s *shelf) LoadBase(context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.data), nil
}

func (s *shelf) SaveBase(_ context.Context, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dies != nil && s.dies() {
		s.data = slices.Clone(data[:int(float64(len(data))*s.torn)])
		return errors.New("killed")
	}
	s.data, s.saves = slices.Clone(data), s.saves+1
	return nil
}

// mortal is a follower that ends at a certain one of its steps, each a call to the chain or a write to the store.
type mortal struct {
	mu    sync.Mutex
	left  int
	steps int
	end   context.CancelFunc
}

// step counts one, and reports whether the follower has ended.
func (m *mortal) step() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.steps++
	if m.left--; m.left == 0 {
		m.end()
	}
	return m.left <= 0
}

// live follows the registry until it dies, or has nothing more to do.
func live(ctx context.Context, r *Registry) {
	for range 3 {
		if _, err := r.Snapshot(ctx); err != nil && ctx.Err() != nil {
			return
		}
		if _, err := r.Confirmed(ctx); err != nil && ctx.Err() != nil {
			return
		}
	}
}

// TestKilled: wherever a follower ends, and whatever the chain does before the next one goes on with what was kept, the index is
// that of a fresh one.
func TestKilled(t *testing.T) {
	points := 20
	if *long {
		points = 200
	}
	chain := newChain(t)
	p := testParams
	p.RewardsEvery = 0
	r := newRegistry(t, chain, p)
	register(t, r)
	n := r.Network()
	n.Confirmations = ptr(3)
	fresh := n
	random := rand.New(rand.NewPCG(8, 200))
	keeper := &shelf{}
	var m *mortal
	n.RPC = []string{tamper(t, n.RPC[0], func(_ string, _ []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
		if m != nil && m.step() {
			return nil, errors.New("killed")
		}
		return result, nil
	})}
	reached := 0
	for point := range points {
		disturb(t, random, chain, r)
		ctx, cancel := context.WithCancel(t.Context())
		m = &mortal{left: 1 + random.IntN(45), end: cancel}
		keeper.dies, keeper.torn = m.step, []float64{0, 0.5, 1}[random.IntN(3)]
		if mortal, err := Dial(ctx, n, WithKeeper(keeper)); err == nil {
			live(ctx, mortal)
			mortal.Close()
		}
		if m.left <= 0 {
			reached++
		}
		cancel()
		m, keeper.dies = nil, nil
		heir, err := Dial(t.Context(), n, WithKeeper(keeper))
		if err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprint("failpoint ", point), heir, open(t, chain, fresh))
		heir.Close()
	}
	t.Logf("%d of %d lives ended early, bases were kept %d times", reached, points, keeper.saves)
	if reached < points/2 || keeper.saves == 0 {
		t.Errorf("%d of %d lives ended early, bases were kept %d times: the mix is off", reached, points, keeper.saves)
	}
}

// disturb lets the chain go on, partly by a reorganisation that may reach below the base.
func disturb(t *testing.T, random *rand.Rand, chain *devchain.Chain, r *Registry) {
	t.Helper()
	if random.IntN(3) == 0 {
		head, err := latest(t.Context(), r.client)
		if err != nil {
			t.Fatal(err)
		}
		if depth := uint64(1 + random.IntN(6)); uint64(head.Number) > 20+depth {
			if err := chain.Fork(uint64(head.Number) - depth); err != nil {
				t.Fatal(err)
			}
			for range depth {
				advance(chain, time.Second)(t) // what was confirmed does not go back
			}
		}
	}
	for range 1 + random.IntN(3) {
		topUp(t, r)
		if random.IntN(2) == 0 {
			advance(chain, time.Second)(t)
		}
	}
}

// TestKept: a follower that starts with a kept base reads only what came after it.
func TestKept(t *testing.T) {
	r := grown(t)
	n := r.Network()
	keeper := &shelf{}
	var from []string
	n.RPC = []string{tamper(t, n.RPC[0], func(method string, params []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
		if method == "eth_getLogs" {
			var filter struct{ FromBlock string }
			if err := json.Unmarshal(params[0], &filter); err != nil {
				return nil, err
			}
			from = append(from, filter.FromBlock)
		}
		return result, nil
	})}
	var told []string
	start := func() *Registry {
		t.Helper()
		from = nil
		opened, err := Dial(t.Context(), n, WithKeeper(keeper), WithWarn(func(s string) { told = append(told, s) }))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(opened.Close)
		return opened
	}
	first := start()
	base, err := first.Confirmed(t.Context())
	if err != nil || keeper.saves != 1 {
		t.Fatalf("confirmed: %v; kept %d times, want once", err, keeper.saves)
	}
	topUp(t, r)
	same(t, "gone on", start(), plainly(t, r))
	if len(from) == 0 || slices.Contains(from, number(n.StartBlock)) || from[0] != number(base.Block+1) {
		t.Errorf("events were read from %v, want from %d on", from, base.Block+1)
	}
	if len(told) > 0 {
		t.Errorf("told: %q", told)
	}
}

func plainly(t *testing.T, r *Registry) *Registry {
	t.Helper()
	return among(t, r, r.Network().RPC[0])
}

// TestKeptWrong: whatever is wrong with what was kept, the registry is read anew, and a word is said about it.
func TestKeptWrong(t *testing.T) {
	r := grown(t)
	keeper := &shelf{}
	n := r.Network()
	first, err := Dial(t.Context(), n, WithKeeper(keeper))
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := first.Confirmed(t.Context()); err != nil {
		t.Fatal(err)
	}
	good := keeper.data
	again := func(change func(*keptHead, *registry.State)) []byte {
		h, s, err := decodeBase(good)
		if err != nil {
			t.Fatal(err)
		}
		change(&h, &s)
		data, err := encodeBase(h, s)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	flipped := slices.Clone(good)
	flipped[len(flipped)-9] ^= 1
	for name, data := range map[string][]byte{
		"cut off":          good[:len(good)-1],
		"longer":           append(slices.Clone(good), 0),
		"a bit":            flipped,
		"no sense":         []byte("hello"),
		"another version":  bytes.Replace(good, []byte(`"v":1`), []byte(`"v":2`), 1),
		"another registry": again(func(_ *keptHead, s *registry.State) { s.Registry.Chain = "eip155:5" }),
		"another block":    again(func(_ *keptHead, s *registry.State) { s.Hash[0]++ }),
		"another grace":    again(func(_ *keptHead, s *registry.State) { s.Grace++ }),
		"a block to come":  again(func(_ *keptHead, s *registry.State) { s.Block += 1000 }),
		"an event more": again(func(_ *keptHead, s *registry.State) {
			e := registry.DelegateSet{ID: 1, Delegate: bob.Address()}
			if err := s.Servers.Apply(registry.Block{Number: s.Block}, e); err != nil {
				t.Fatal(err)
			}
		}),
	} {
		keeper := &shelf{data: data}
		var told []string
		got, err := Dial(t.Context(), n, WithKeeper(keeper), WithWarn(func(s string) { told = append(told, s) }))
		if err != nil {
			t.Fatal(err)
		}
		same(t, name, got, plainly(t, r))
		got.Close()
		if len(told) != 1 || !strings.Contains(told[0], "read from its beginning") {
			t.Errorf("%s: told %q, want a word about it", name, told)
		}
	}
}

// TestKeptOld: a base so old that endpoints need not have the state of its block any more is believed only after the next
// comparison; a wrong one is then thrown away, and nobody is blamed.
func TestKeptOld(t *testing.T) {
	chain := newChain(t)
	r := newRegistry(t, chain, testParams)
	register(t, r)
	n := r.Network()
	n.Confirmations = ptr(2)
	keeper := &shelf{}
	read := func() ([]string, []Endpoint) {
		t.Helper()
		var told []string
		got, err := Dial(t.Context(), n, WithKeeper(keeper), WithWarn(func(s string) { told = append(told, s) }))
		if err != nil {
			t.Fatal(err)
		}
		defer got.Close()
		same(t, "old", got, open(t, chain, n))
		return told, got.Endpoints()
	}
	if told, _ := read(); len(told) > 0 {
		t.Errorf("told: %q", told)
	}
	h, s, err := decodeBase(keeper.data)
	if err != nil {
		t.Fatal(err)
	}
	for range archiveOnly + 3 {
		advance(chain, time.Second)(t)
	}
	if told, _ := read(); len(told) > 0 {
		t.Errorf("of a right one: told %q", told)
	}
	if err := s.Servers.Apply(registry.Block{Number: s.Block}, registry.DelegateSet{ID: 1, Delegate: bob.Address()}); err != nil {
		t.Fatal(err)
	}
	if keeper.data, err = encodeBase(h, s); err != nil {
		t.Fatal(err)
	}
	told, endpoints := read()
	if len(told) != 1 || !strings.Contains(told[0], "does not lead to what the contracts say") || endpoints[0].Standing == Lying {
		t.Errorf("of a wrong one: told %q, endpoints %+v", told, endpoints)
	}
}

// FuzzBase: nothing that was kept makes reading it panic, and what is read can be kept again.
func FuzzBase(f *testing.F) {
	n := registry.Network{Chain: "eip155:31337"}
	data, err := encodeBase(keptHead{Asked: 1}, newFold(1).registryState(n))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add([]byte("{\"v\":1}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, s, err := decodeBase(data)
		if err != nil {
			return
		}
		if _, err := encodeBase(h, s); err != nil {
			t.Error(err)
		}
	})
}

// testReorgsRereads: after a reorganisation of 1 to 40 blocks the index equals a fresh one, down to the bytes, whether it reaches below the
// base or not; and only what is above the base is read again where it does not.
func testReorgsRereads(t *testing.T, chain world) {
	r := newRegistry(t, chain, testParams)
	register(t, r)
	for range 45 {
		advance(chain, time.Second)(t)
	}
	n := r.Network()
	n.Confirmations = ptr(20)
	var reads []uint64
	n.RPC = []string{tamper(t, n.RPC[0], tamperLogs(func(l []types.Log) []types.Log { reads = append(reads, l[0].BlockNumber); return l }))}
	followed, err := Dial(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	defer followed.Close()
	plain := r.Network()
	plain.Confirmations = n.Confirmations
	for depth := uint64(1); depth <= 40; depth++ {
		topUp(t, r)
		same(t, fmt.Sprint("before ", depth), followed, open(t, chain, plain))
		head, err := latest(t.Context(), r.client)
		if err != nil {
			t.Fatal(err)
		}
		reads = nil
		if err := chain.Fork(uint64(head.Number) - depth); err != nil {
			t.Fatal(err)
		}
		topUp(t, r)
		for range depth - 1 + depth%3 {
			advance(chain, time.Second)(t)
		}
		same(t, fmt.Sprint("after ", depth), followed, open(t, chain, plain))
		if depth < 20 && len(reads) > 0 && reads[0] <= uint64(head.Number)-20 {
			t.Errorf("depth %d: events were read again from block %d on, the base was at %d", depth, reads[0], uint64(head.Number)-20)
		}
	}
}

// TestBaseFile: a base in a file is there again, each network has its own, and one that is too long is not read.
func TestBaseFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "registry")
	n := registry.Network{Chain: "eip155:5"}
	k := BaseFile(dir, n)
	if data, err := k.LoadBase(t.Context()); data != nil || err != nil {
		t.Errorf("where there is none: %q, %v; want nothing", data, err)
	}
	for _, text := range []string{"first", "second"} {
		if err := k.SaveBase(t.Context(), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if data, err := k.LoadBase(t.Context()); err != nil || string(data) != "second" {
		t.Errorf("%q, %v; want what was kept last", data, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("%d files, %v; want one", len(files), err)
	}
	n.Servers[0]++
	if other := BaseFile(dir, n); other == k {
		t.Error("two networks have one file")
	}
	if err := os.Truncate(string(k), MaxBase+1); err != nil {
		t.Fatal(err)
	}
	if _, err := k.LoadBase(t.Context()); !errors.Is(err, errKept) {
		t.Errorf("too long: %v, want an error", err)
	}
}
