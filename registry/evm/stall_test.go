package evm

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"barnraise"
	"barnraise/registry"
)

// TestStalling: an endpoint that agrees with everybody and then gives no events costs one reading, not all of them.
func TestStalling(t *testing.T) {
	r := grown(t)
	honest := r.Network().RPC[0]
	var once sync.Once
	asked, release := make(chan struct{}), make(chan struct{})
	bad := tamper(t, honest, func(method string, _ []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
		if method == "eth_getLogs" {
			once.Do(func() { close(asked) })
			<-release
		}
		return result, nil
	})
	t.Cleanup(func() { close(release) })
	got := among(t, r, bad, honest, honest)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := got.Snapshot(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v; want that the caller had enough", err)
	}
	same(t, "the next reading", got, among(t, r, honest))
}

// TestGoneSaysOne: that one endpoint of three no longer has an old block has nothing read again.
func TestGoneSaysOne(t *testing.T) {
	r := grown(t)
	honest := r.Network().RPC[0]
	var lie uint64
	bad := tamper(t, honest, func(method string, params []json.RawMessage, result json.RawMessage) (json.RawMessage, error) {
		if method != "eth_getBlockByNumber" || lie == 0 || string(params[0]) != `"`+number(lie)+`"` {
			return result, nil
		}
		return changeBlock(result, func(b block, fields map[string]any) { b.Hash[0]++; fields["hash"] = b.Hash })
	})
	got := among(t, r, bad, honest, honest)
	for _, kind := range []struct {
		name string
		read func(*Registry, context.Context) (*barnraise.Snapshot, error)
	}{{"confirmed", (*Registry).Confirmed}, {"head", (*Registry).Snapshot}} {
		lie = 0
		before, err := kind.read(got, t.Context())
		if err != nil {
			t.Fatal(err)
		}
		base := got.head.base
		topUp(t, r)
		lie = before.Block
		if after, err := kind.read(got, t.Context()); err != nil || after.Block != before.Block+1 {
			t.Errorf("%s: %v; want it one block on", kind.name, err)
		}
		if kind.name == "head" && got.head.base != base || got.head.base.snapshot == nil || got.head.falls > 0 {
			t.Errorf("%s: it began anew", kind.name)
		}
	}
}

// TestKeptDoubtful: a kept base that nobody could compare yet is compared before it is shown, also where the confirmed block is
// still the same.
func TestKeptDoubtful(t *testing.T) {
	chain := newChain(t)
	r := newRegistry(t, chain, testParams)
	register(t, r)
	for range archiveOnly + 3 {
		advance(chain, time.Second)(t)
	}
	n := r.Network()
	n.Confirmations = ptr(archiveOnly + 1)
	keeper := &shelf{}
	dialled := func() *Registry {
		t.Helper()
		got, err := Dial(t.Context(), n, WithKeeper(keeper))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(got.Close)
		return got
	}
	if _, err := dialled().Confirmed(t.Context()); err != nil || keeper.saves != 1 {
		t.Fatalf("%v, kept %d times", err, keeper.saves)
	}
	h, s, err := decodeBase(keeper.data)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Servers.Apply(registry.Block{Number: s.Block}, registry.DelegateSet{ID: 1, Delegate: bob.Address()}); err != nil {
		t.Fatal(err)
	}
	if keeper.data, err = encodeBase(h, s); err != nil {
		t.Fatal(err)
	}
	same(t, "a forged base", dialled(), open(t, chain, n)) // the head first
	if keeper.data, err = encodeBase(h, s); err != nil {
		t.Fatal(err)
	}
	if state, err := dialled().ConfirmedState(t.Context()); err != nil || state.Servers.Log() == s.Servers.Log() {
		t.Errorf("the forged state is shown, %v", err)
	}
}
