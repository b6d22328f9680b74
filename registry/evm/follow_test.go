package evm

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"barnraise/registry"

	"github.com/ethereum/go-ethereum/common/hexutil"
)

// TestReorg: after a reorganisation the snapshot is that of the new chain, whether its head is lower or higher.
func TestReorg(t *testing.T) {
	chain := newChain(t)
	r := newRegistry(t, chain, testParams)
	register := func(name string) {
		t.Helper()
		if _, _, err := r.RegisterService(t.Context(), alice, name, revision(t, name), nil); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string, want ...string) {
		t.Helper()
		got, err := r.Snapshot(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		fresh, err := open(t, chain, r.Network()).Snapshot(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if !reflect.DeepEqual(got, fresh) {
			t.Errorf("%s: the snapshot differs from a fresh one", what)
		}
		var names []string
		for _, s := range got.Services() {
			names = append(names, s.Name)
		}
		if !slices.Equal(names, want) {
			t.Errorf("%s: services are %v, want %v", what, names, want)
		}
	}
	fork := func(block uint64) {
		t.Helper()
		if err := chain.Fork(block); err != nil {
			t.Fatal(err)
		}
	}
	register("aaa") // block 3
	register("bbb") // 4
	register("ccc") // 5
	check("before", "aaa", "bbb", "ccc")
	fork(3)
	advance(chain, time.Second)(t) // another block 4
	check("shorter", "aaa")
	register("ddd") // 5
	check("other block 5", "aaa", "ddd")
	register("eee")
	register("fff")
	fork(5)
	register("ggg")
	register("hhh")
	register("iii")
	check("longer, unseen before", "aaa", "ddd", "ggg", "hhh", "iii")
	fork(2)
	check("all gone")
}

// TestChainBegunAnew: where the contracts are gone the registry is not empty but an error.
func TestChainBegunAnew(t *testing.T) {
	chain := newChain(t)
	r := newRegistry(t, chain, testParams) // blocks 1 and 2
	if _, err := r.Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	for block := range uint64(2) {
		if err := chain.Fork(1 - block); err != nil {
			t.Fatal(err)
		}
		advance(chain, time.Second)(t)
		if s, err := r.Snapshot(t.Context()); err == nil || !strings.Contains(err.Error(), "the chain has begun anew") {
			t.Errorf("snapshot %v, %v; want an error", s, err)
		}
	}
}

// TestSmallRanges: endpoints that give the logs of ten blocks only, or of one, or none for a while, are put up with.
func TestSmallRanges(t *testing.T) {
	chain := newChain(t)
	r := newRegistry(t, chain, testParams)
	register(t, r)
	for range 40 {
		advance(chain, time.Second)(t)
	}
	var asked int
	small := func(widest uint64) *Registry {
		return through(t, r, func(method string, params []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
			if method != "eth_getLogs" {
				return result, nil
			}
			asked++
			var filter struct{ FromBlock, ToBlock hexutil.Uint64 }
			if err := json.Unmarshal(params[0], &filter); err != nil {
				return nil, err
			}
			if uint64(filter.ToBlock-filter.FromBlock)+1 > widest {
				return nil, errors.New("range too wide " + strings.Repeat("! ", 1<<16))
			}
			return result, nil
		})
	}
	for _, widest := range []uint64{1, 3, 9} { // as where so few blocks have all the events that one answer may have
		if s, err := small(widest).Snapshot(t.Context()); err != nil || len(s.Servers()) != 2 {
			t.Errorf("%d blocks at a time: snapshot %v, %v; want two servers", widest, s, err)
		}
	}
	asked = 0
	behind := small(10)
	s, err := behind.Snapshot(t.Context())
	if err != nil || len(s.Servers()) != 2 {
		t.Fatalf("snapshot %v, %v; want two servers", s, err)
	}
	if asked > 30 {
		t.Errorf("%d requests for 55 blocks, ten at a time", asked)
	}
	asked = 0
	_, err = small(0).Snapshot(t.Context())
	if err == nil || !strings.Contains(err.Error(), "fetch events of blocks 1 to 1:") || len(err.Error()) > 1000 {
		t.Errorf("error is %v, want a short one with the blocks", err)
	}
	if asked > 15 {
		t.Errorf("%d requests before giving up", asked)
	}
}

// TestInterrupted: a range of blocks whose reading fails in the middle is gone on with, not begun anew.
func TestInterrupted(t *testing.T) {
	r := history(t)
	for name, impatient := range map[string]bool{"an error": false, "the caller gives up": true} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var reads, times int
			behind := through(t, r, func(method string, params []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
				switch {
				case method == "eth_getLogs":
					reads++
					return tamperLogs(withoutTimes)(method, params, result)
				case method == "eth_getBlockByNumber" && string(params[0]) != `"latest"`:
					if times++; times == 2 { // the second rotation of a key
						if impatient {
							cancel()
						}
						return nil, errors.New("busy") // for the caller who is gone, that or that he is
					}
				}
				return result, nil
			})
			if s, err := behind.Snapshot(ctx); err == nil || errors.Is(err, registry.ErrEvents) {
				t.Fatalf("snapshot %v, %v; want the first error", s, err)
			}
			s, err := behind.Snapshot(t.Context())
			if err != nil || len(s.Servers()) != 2 || len(s.Services()) != 2 {
				t.Fatalf("snapshot %v, %v; want two services and two servers", s, err)
			}
			if reads != 2 || times != 4 { // a time twice, and whether the head is still there
				t.Errorf("logs were read %d times and blocks %d times, want 2 and 4", reads, times)
			}
		})
	}
}

// TestFlippingEndpoint: behind one URL there may be a node that lacks the newest blocks. Whichever answers, the registry does
// not go back, and nothing is read twice.
func TestFlippingEndpoint(t *testing.T) {
	chain := newChain(t)
	r := newRegistry(t, chain, testParams)
	register(t, r)
	var reads []string    // first blocks
	var late atomic.Int64 // blocks that the endpoint lacks
	behind := through(t, r, func(method string, params []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
		switch method {
		case "eth_getLogs":
			var filter struct{ FromBlock string }
			if err := json.Unmarshal(params[0], &filter); err != nil {
				return nil, err
			}
			reads = append(reads, filter.FromBlock)
		case "eth_getBlockByNumber":
			head, err := latest(t.Context(), r.client)
			if err != nil {
				return nil, err
			}
			last := head.Number - hexutil.Uint64(late.Load())
			var asked hexutil.Uint64
			if string(params[0]) == `"latest"` {
				return ask[json.RawMessage](t.Context(), r.client, method, last, false)
			} else if json.Unmarshal(params[0], &asked) == nil && asked > last {
				return json.RawMessage("null"), nil
			}
		}
		return result, nil
	})
	snapshot := func(what string, lacks int64, want uint64) {
		t.Helper()
		late.Store(lacks)
		s, err := behind.Snapshot(t.Context())
		if err != nil || s.Block != want {
			t.Fatalf("%s: snapshot %+v, %v; want block %d", what, s, err, want)
		}
	}
	head := func() uint64 {
		b, err := latest(t.Context(), r.client)
		if err != nil {
			t.Fatal(err)
		}
		return uint64(b.Number)
	}
	first := head()
	snapshot("at first", 0, first)
	snapshot("behind the first head", 1, first)
	advance(chain, time.Second)(t)
	advance(chain, time.Second)(t)
	snapshot("two blocks later", 0, first+2)
	snapshot("behind by a block never seen as head", 1, first+2)
	snapshot("behind by two", 2, first+2)
	snapshot("back again", 0, first+2)
	advance(chain, time.Second)(t)
	snapshot("behind, and therefore as before", 1, first+2)
	snapshot("on", 0, first+3)
	if want := []string{number(r.network.StartBlock), number(first + 1), number(first + 3)}; !slices.Equal(reads, want) {
		t.Errorf("events were read from blocks %v, want %v", reads, want)
	}
}

// TestContradictingEndpoint: an endpoint that names a head which it then does not have is asked again, and nothing is thrown
// away; nor is there ever a snapshot of nothing.
func TestContradictingEndpoint(t *testing.T) {
	r := history(t)
	var reads, lacks int
	var stale bool
	behind := through(t, r, func(method string, params []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
		if method == "eth_getLogs" {
			reads++
		}
		if method != "eth_getBlockByNumber" {
			return result, nil
		}
		if string(params[0]) == `"latest"` && stale {
			head, err := latest(t.Context(), r.client)
			if err != nil {
				return nil, err
			}
			return ask[json.RawMessage](t.Context(), r.client, method, head.Number-1, false)
		}
		if string(params[0]) != `"latest"` && lacks > 0 {
			lacks--
			return json.RawMessage("null"), nil
		}
		return result, nil
	})
	fails := func() {
		t.Helper()
		s, err := behind.Snapshot(t.Context())
		if err == nil || s != nil || !strings.Contains(err.Error(), "behind what it said before; try again") {
			t.Errorf("snapshot %v, %v; want an error that says what to do", s, err)
		}
	}
	lacks = maxAttempts
	fails()
	stale = true
	fails()
	stale, lacks = false, 2
	if s, err := behind.Snapshot(t.Context()); err != nil || len(s.Servers()) != 2 {
		t.Errorf("snapshot %v, %v; want two servers", s, err)
	}
	if _, err := r.SetURL(t.Context(), bob, 1, "http://127.0.0.1:9000"); err != nil {
		t.Fatal(err)
	}
	lacks = maxAttempts
	fails()
	if s, err := behind.Snapshot(t.Context()); err != nil || s.Servers()[0].URL != "http://127.0.0.1:9000" {
		t.Errorf("snapshot %v, %v; want the new URL", s, err)
	}
	if reads != 2 {
		t.Errorf("events were read %d times, want 2", reads)
	}
}

// TestConfirmed: hosting and scores see a registry that is older than the confirmations (protocol 1.9).
func TestConfirmed(t *testing.T) {
	chain := newChain(t)
	r := newRegistry(t, chain, testParams)
	if _, _, err := r.RegisterService(t.Context(), alice, "search", revision(t, "search"), nil); err != nil {
		t.Fatal(err) // block 3
	}
	for range 4 {
		advance(chain, time.Second)(t) // up to block 7
	}
	confirmed := func(r *Registry, block uint64, services int) {
		t.Helper()
		s, err := r.Confirmed(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Block != block || len(s.Services()) != services {
			t.Errorf("confirmed is block %d with %d services, want %d with %d", s.Block, len(s.Services()), block, services)
		}
	}
	for _, c := range []struct {
		confirmations *uint64
		block         uint64
		services      int
	}{{nil, 0, 0}, {ptr(0), 7, 1}, {ptr(4), 3, 1}, {ptr(5), 2, 0}, {ptr(100), 0, 0}} {
		n := r.Network()
		n.Confirmations = c.confirmations
		confirmed(open(t, chain, n), c.block, c.services)
	}

	n := r.Network()
	n.Confirmations = ptr(2)
	r = open(t, chain, n)
	confirmed(r, 5, 1)
	if _, _, err := r.RegisterService(t.Context(), alice, "resolve", revision(t, "resolve"), nil); err != nil {
		t.Fatal(err) // block 8
	}
	confirmed(r, 6, 1)
	for range 2 {
		advance(chain, time.Second)(t)
	}
	confirmed(r, 8, 2)
	for range 18 {
		advance(chain, time.Second)(t) // up to block 28
	}
	n.Confirmations = nil
	finalized := open(t, chain, n)
	confirmed(finalized, 0, 0)
	for range 6 {
		advance(chain, time.Second)(t)
	}
	confirmed(finalized, 32, 2)

	if err := chain.Fork(7); err != nil { // deeper than the confirmations
		t.Fatal(err)
	}
	for range 3 {
		advance(chain, time.Second)(t)
	}
	confirmed(r, 8, 1)
	if err := chain.Fork(0); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		advance(chain, time.Second)(t)
	}
	if s, err := r.Confirmed(t.Context()); err == nil || !strings.Contains(err.Error(), "the chain has begun anew") {
		t.Errorf("snapshot %v, %v; want an error", s, err)
	}
}

// TestNothingFinalized: on a chain that knows no finalized block the error says what to do.
func TestNothingFinalized(t *testing.T) {
	r := newRegistry(t, newChain(t), testParams)
	for name, fail := range map[string]error{"null": nil, "an error": errors.New("finalized block not found")} {
		behind := through(t, r, func(_ string, params []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
			if len(params) > 0 && string(params[0]) == `"finalized"` {
				return json.RawMessage("null"), fail
			}
			return result, nil
		})
		if s, err := behind.Confirmed(t.Context()); err == nil || !strings.Contains(err.Error(), "set confirmations in the network file") {
			t.Errorf("%s: snapshot %v, %v; want an error with a hint", name, s, err)
		}
	}
}

func ptr(n uint64) *uint64 { return &n }
