package evm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"barnraise"
	"barnraise/registry"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
)

// liar is a way in which an RPC endpoint is bad.
type liar struct {
	name     string
	change   func(t *testing.T, r *Registry) change
	standing Standing // what it is taken for among honest ones; empty for it depends on the moment
	alone    bool     // it shows also where there is no other
}

// liars are all of them. Blocks from 8 on are after the first few writes.
var liars = []liar{
	{name: "answers from old blocks", change: oldBlocks, standing: Lying},
	{name: "drops every third request", change: drops, standing: ""},
	{name: "forges a log", change: forges, standing: Lying, alone: true},
	{name: "omits a log", change: omits, standing: Lying, alone: true},
	{name: "lies on the confirmed hash", change: lieOnBlock(func(number, confirmed uint64) bool { return number == confirmed })},
	{name: "lies on every hash", change: lieOnBlock(func(uint64, uint64) bool { return true })},
	{name: "lies on the running hash", change: lieOnState("log"), standing: Lying, alone: true},
	{name: "lies on the count", change: lieOnState("count"), standing: Lying, alone: true},
	{name: "says that all blocks are far ahead", change: ahead, standing: ""},
}

// oldBlocks has the state of ten blocks ago, and none of the logs since.
func oldBlocks(t *testing.T, r *Registry) change {
	return func(method string, params []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
		var n hexutil.Uint64
		if method != "eth_call" || json.Unmarshal(params[1], &n) != nil {
			return result, nil
		}
		return askRaw(r, method, params[0], max(n, 14)-10)
	}
}

func askRaw(r *Registry, method string, args ...any) (json.RawMessage, error) {
	return ask[json.RawMessage](context.Background(), r.client, method, args...)
}

func drops(*testing.T, *Registry) change {
	var n atomic.Int64
	return func(_ string, _ []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
		if n.Add(1)%3 == 0 {
			return nil, answer{message: "busy", status: 503}
		}
		return result, nil
	}
}

func forges(*testing.T, *Registry) change {
	return tamperLogs(func(l []types.Log) []types.Log {
		i := slices.IndexFunc(l, func(l types.Log) bool { return len(l.Data) > 64 })
		if i >= 0 {
			l[i].Data[len(l[i].Data)-1] ^= 1
			l[i].Data[31] ^= 0
			l[i].Topics[len(l[i].Topics)-1][31] ^= 1
		}
		return l
	})
}

func omits(*testing.T, *Registry) change {
	return tamperLogs(func(l []types.Log) []types.Log { return l[:len(l)-1] })
}

// lieOnBlock gives other hashes of some blocks.
func lieOnBlock(which func(number, confirmed uint64) bool) func(*testing.T, *Registry) change {
	return func(t *testing.T, r *Registry) change {
		return func(method string, _ []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
			if method != "eth_getBlockByNumber" {
				return result, nil
			}
			b, err := r.confirmedBlock(context.Background(), r.client)
			if err != nil {
				return nil, err
			}
			return changeBlock(result, func(v block, fields map[string]any) {
				if which(uint64(v.Number), uint64(b.Number)) {
					v.Hash[0]++
					fields["hash"] = v.Hash
				}
			})
		}
	}
}

func changeBlock(result json.RawMessage, change func(block, map[string]any)) (json.RawMessage, error) {
	var b block
	var fields map[string]any
	if json.Unmarshal(result, &b) != nil || json.Unmarshal(result, &fields) != nil || fields == nil {
		return result, nil
	}
	change(b, fields)
	return json.Marshal(fields)
}

func ahead(*testing.T, *Registry) change {
	return func(method string, params []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
		if method != "eth_getBlockByNumber" || params[0][1] == '0' {
			return result, nil
		}
		return changeBlock(result, func(b block, fields map[string]any) {
			b.Hash[0]++
			fields["number"], fields["hash"] = b.Number+1_000_000, b.Hash
		})
	}
}

// lieOnState flips a bit of what the contract of services says.
func lieOnState(what string) func(*testing.T, *Registry) change {
	return func(t *testing.T, r *Registry) change {
		selector := map[string][]byte{"log": r.contracts.service.PackLog(), "count": r.contracts.service.PackCount()}[what]
		return func(method string, params []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
			if method == "eth_call" && bytes.Contains(params[0], []byte(hexutil.Encode(selector))) {
				flipped := slices.Clone(result)
				last := len(flipped) - len(`0"`)
				flipped[last] = "10"[flipped[last]&1]
				return flipped, nil
			}
			return result, nil
		}
	}
}

// among opens the registry over several endpoints.
func among(t *testing.T, r *Registry, urls ...string) *Registry {
	t.Helper()
	n := r.Network()
	n.RPC = urls
	opened, err := Dial(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	opened.pool.patience = time.Minute // on a busy machine an honest endpoint may be the slowest
	return opened
}

// same expects two registries to know the same, down to the bytes.
func same(t *testing.T, what string, got, want *Registry) {
	t.Helper()
	for _, kind := range []struct {
		name  string
		read  func(*Registry, context.Context) (*barnraise.Snapshot, error)
		whole func(*Registry, context.Context) (registry.State, error)
	}{{"head", (*Registry).Snapshot, (*Registry).State}, {"confirmed", (*Registry).Confirmed, (*Registry).ConfirmedState}} {
		var snapshots [2]*barnraise.Snapshot
		var files [2]bytes.Buffer
		for i, r := range []*Registry{got, want} {
			s, err := kind.read(r, t.Context())
			if err != nil {
				t.Fatalf("%s, %s: %v", what, kind.name, err)
			}
			state, err := kind.whole(r, t.Context())
			if err == nil {
				err = registry.WriteState(&files[i], state)
			}
			if err != nil {
				t.Fatalf("%s, %s: %v", what, kind.name, err)
			}
			snapshots[i] = s
		}
		if !reflect.DeepEqual(snapshots[0], snapshots[1]) {
			t.Errorf("%s: %s differs from a fresh one: block %d, want %d", what, kind.name, snapshots[0].Block, snapshots[1].Block)
		}
		if !bytes.Equal(files[0].Bytes(), files[1].Bytes()) {
			t.Errorf("%s: the state of %s differs from a fresh one", what, kind.name)
		}
	}
}

// grown is a registry with confirmed writes and newer ones.
func grown(t *testing.T) *Registry {
	t.Helper()
	return grownOn(t, newChain(t))
}

func grownOn(t *testing.T, chain world) *Registry {
	t.Helper()
	r := historyOn(t, chain)
	n := r.Network()
	n.Confirmations = ptr(5)
	r.network = n
	return r
}

// topUp makes one more block with an event.
func topUp(t testing.TB, r *Registry) {
	t.Helper()
	more := step{who: bob, contract: r.contracts.servers, value: milli(1), call: r.contracts.server.PackTopUp(1)}
	if err := more.run(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

// testLiars: with two honest endpoints of three the registry is right whatever the third one does and wherever it stands, and a
// liar is named.
func testLiars(t *testing.T, chain world) {
	r := grownOn(t, chain)
	honest := r.Network().RPC[0]
	for _, l := range liars {
		for place := range 3 {
			t.Run(fmt.Sprintf("%s, at %d", l.name, place), func(t *testing.T) {
				urls := []string{honest, honest}
				bad := tamper(t, honest, l.change(t, r))
				got := among(t, r, slices.Insert(urls, place, bad)...)
				same(t, "at first", got, among(t, r, honest))
				topUp(t, r)
				same(t, "later", got, among(t, r, honest))
				if trust := got.Trust(); !trust.Majority() || trust.Of != 3 {
					t.Errorf("trust is %+v, want a majority of 3", trust)
				}
				standing := got.Endpoints()[place]
				if want := l.standing; want != "" && (place == 0 || !strings.Contains(l.name, " a log")) && standing.Standing != want {
					t.Errorf("the liar is %q because %q, want %q", standing.Standing, standing.Why, want)
				}
				for i, e := range got.Endpoints() {
					if i != place && e.Standing != Agreeing {
						t.Errorf("the honest endpoint %d is %q because %q", i, e.Standing, e.Why)
					}
				}
			})
		}
	}
}

// testLoneLiar: what a single endpoint forges or omits, the running hash exposes.
func testLoneLiar(t *testing.T, chain world) {
	r := grownOn(t, chain)
	for _, l := range liars {
		if !l.alone {
			continue
		}
		got := among(t, r, tamper(t, r.Network().RPC[0], l.change(t, r)))
		for range 2 {
			if s, err := got.Snapshot(t.Context()); !errors.Is(err, registry.ErrEvents) {
				t.Errorf("%s: snapshot %v, %v; want ErrEvents", l.name, s, err)
			}
		}
	}
	alone := among(t, r, r.Network().RPC[0])
	same(t, "honest", alone, among(t, r, r.Network().RPC[0]))
	if trust := alone.Trust(); trust.Majority() || !strings.HasPrefix(trust.String(), "trusted RPC") {
		t.Errorf("trust in one endpoint is %s", trust)
	}
}

// testContradiction: of two endpoints that say different things none is believed; both are named.
func testContradiction(t *testing.T, chain world) {
	r := grownOn(t, chain)
	honest := r.Network().RPC[0]
	bad := tamper(t, honest, lieOnState("log")(t, r))
	for _, urls := range [][]string{{honest, bad}, {bad, honest}, {bad, honest, "http://127.0.0.1:1"}} {
		s, err := among(t, r, urls...).Snapshot(t.Context())
		if !errors.Is(err, ErrDisagree) || !strings.Contains(err.Error(), origin(honest)) || !strings.Contains(err.Error(), origin(bad)) {
			t.Errorf("snapshot %v, %v; want ErrDisagree with both names", s, err)
		}
	}
	s, err := among(t, r, honest, "http://127.0.0.1:1").Snapshot(t.Context())
	if err != nil || len(s.Servers()) != 2 {
		t.Errorf("snapshot %v, %v; want what the one that answers says", s, err)
	}
}

// TestLeftAndBack: an endpoint that lied is not asked for a while, then again; the longer the more often it lied.
func TestLeftAndBack(t *testing.T) {
	r := grown(t)
	honest := r.Network().RPC[0]
	var lies atomic.Bool
	var asked atomic.Int64
	lie := lieOnState("log")(t, r)
	bad := tamper(t, honest, func(method string, params []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
		asked.Add(1)
		if lies.Load() {
			return lie(method, params, result)
		}
		return result, nil
	})
	n := r.Network()
	n.RPC = []string{bad, honest, honest}
	now := time.Unix(1_800_000_000, 0)
	var told []string
	got, err := Dial(t.Context(), n, WithClock(func() time.Time { return now }), WithWarn(func(s string) { told = append(told, s) }))
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	got.pool.patience = time.Minute
	look := func(what string, want Standing, questions bool) {
		t.Helper()
		topUp(t, r)
		before := asked.Load()
		if _, err := got.Snapshot(t.Context()); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if is := got.Endpoints()[0].Standing; is != want || (asked.Load() > before) != questions {
			t.Errorf("%s: it is %q, want %q; it was asked: %t, want %t", what, is, want, asked.Load() > before, questions)
		}
	}
	look("honest", Agreeing, true)
	lies.Store(true)
	look("it lies", Lying, true)
	look("left", Lying, false)
	now = now.Add(leaveLying)
	look("after a while", Lying, true)
	now = now.Add(leaveLying)
	look("left for longer", Lying, false)
	lies.Store(false)
	now = now.Add(leaveLying)
	look("honest again", Agreeing, true)
	if len(told) != 2 || !strings.Contains(told[0], origin(bad)) {
		t.Errorf("told: %q; want two sentences that name it", told)
	}
}
