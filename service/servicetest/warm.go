package servicetest

import (
	"context"
	"testing"

	"barnraise/wasm"
)

// Warm is a reactor that has been warmed, and of which a host has kept how it was then. It ends with the test.
type Warm struct {
	snapshot *wasm.Snapshot
	instance *wasm.Instance
}

// Warm warms the reactor. The test fails where it cannot be kept.
func (p *Program) Warm(t testing.TB) *Warm {
	t.Helper()
	first := p.Instance(t)
	defer first.Close(t)
	if _, err := first.instance.Call(t.Context(), "warm"); err != nil {
		t.Fatal(err)
	}
	snapshot, err := first.instance.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	w := &Warm{snapshot: snapshot}
	t.Cleanup(func() {
		w.drop()
		if err := snapshot.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// Call asks the reactor as it was when it had been warmed, whatever it was asked since.
func (w *Warm) Call(t testing.TB, request string) []byte {
	t.Helper()
	if w.instance != nil && w.instance.Reset() != nil {
		w.drop()
	}
	if w.instance == nil {
		var err error
		if w.instance, err = w.snapshot.Instance(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return Instance{w.instance}.Call(t, request)
}

// Fuel is what the last call used.
func (w *Warm) Fuel() uint64 { return w.instance.FuelUsed() }

func (w *Warm) drop() {
	if w.instance != nil {
		_ = w.instance.Close(context.Background())
	}
	w.instance = nil
}
