package wasm

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
)

// A run that has fuel for years ends soon after its context does, and until then collecting garbage does not wait for it. If
// either were not so, this test would not end.
func TestRunYields(t *testing.T) {
	const pages = 160
	for work, module := range map[string][]byte{
		"an empty loop": run(":", nil, code(opLoop, blockEmpty, op(opBr, 0), opEnd)),
		"hardly anything but host functions": guest{imports: [][3]string{{wasiModule, "random_get", "ii:i"}}, memory: appendU32([]byte{0}, pages), exports: []export{{"run", 0, 1}},
			funcs: []function{{":", nil, code(opLoop, blockEmpty, i32(0), i32(9_900_000), op(opCall, 0), opDrop, op(opBr, 0), opEnd)}}}.encode(),
	} {
		for name, e := range engines(t) {
			i := instantiate(t, compile(t, e, module, Limits{Fuel: MaxFuel, Memory: pages * PageSize}), IO{})
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() {
				_, err := i.Call(ctx, "run")
				ended <- err
			}()
			for range 3 {
				runtime.GC()
			}
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) || errors.Is(err, ErrTrap) {
				t.Errorf("%s: %s: %v, want the context's error", work, name, err)
			}
		}
	}
}

// Slices do not change the sum: a run takes the same fuel, and ends at the same unit, wherever their bounds fall.
func TestSlicesAddUp(t *testing.T) {
	// A loop that counts down from its argument: 1 for the function and 1 + 6 each round.
	rounds := run("i:", nil, code(opLoop, blockEmpty, op(opLocalGet, 0), i32(1), 0x6b, op(opLocalTee, 0), op(opBrIf, 0), opEnd))
	m := compile(t, open(t, ""), rounds, Limits{Fuel: MaxFuel, Memory: 1 << 20})
	used := func(n uint64) uint64 {
		i := instantiate(t, m, IO{})
		if _, err := i.Call(context.Background(), "run", n); err != nil {
			t.Fatal(err)
		}
		return i.FuelUsed()
	}
	first, each := used(1), used(2)-used(1)
	for _, n := range []uint64{3, slice / each, slice/each + 1, 2*slice/each + 7, 5 * slice / each} {
		want := first + (n-1)*each
		if got := used(n); got != want {
			t.Errorf("%d rounds take %d, want %d", n, got, want)
		}
		for short, enough := range map[uint64]bool{0: true, 1: false} {
			exact := compile(t, open(t, ""), rounds, Limits{Fuel: want - short, Memory: 1 << 20})
			i := instantiate(t, exact, IO{})
			_, err := i.Call(context.Background(), "run", n)
			if enough && (err != nil || i.FuelUsed() != want) || !enough && (!errors.Is(err, ErrFuel) || i.FuelUsed() != want-1) {
				t.Errorf("%d rounds with %d units: %v, %d used", n, want-short, err, i.FuelUsed())
			}
		}
	}
}

// A single charge may exceed any slice: a long fill, or a host function.
func TestChargeBeyondASlice(t *testing.T) {
	const pages = 2048 // 128 MiB, an eighth of which is more than a slice
	fill := guest{memory: append([]byte{1}, appendU32(appendU32(nil, pages), pages)...), exports: []export{{"run", 0, 0}},
		funcs: []function{{":", nil, code(i32(0), i32(0), i32(pages<<16), bulkOp(subMemoryFill, 0))}}}.encode()
	random := guest{imports: [][3]string{{wasiModule, "random_get", "ii:i"}}, memory: append([]byte{1}, appendU32(appendU32(nil, pages), pages)...),
		exports: []export{{"run", 0, 1}, {"memory", 2, 0}}, funcs: []function{{":", nil, code(i32(0), i32(12_000_000), op(opCall, 0), opDrop)}}}.encode()
	for name, c := range map[string]struct {
		module []byte
		fuel   uint64
	}{"memory.fill": {fill, pages << 16 / 8}, "random_get": {random, 12_000_000}} {
		i := instantiate(t, compile(t, open(t, ""), c.module, Limits{Fuel: 1e9, Memory: pages * PageSize}), IO{})
		if _, err := i.Call(context.Background(), "run"); err != nil {
			t.Fatal(name, err)
		}
		if used := i.FuelUsed(); used < c.fuel || used > c.fuel+1000 || c.fuel <= slice {
			t.Errorf("%s: takes %d, want a little over %d, which is more than a slice", name, used, c.fuel)
		}
		i = instantiate(t, compile(t, open(t, ""), c.module, Limits{Fuel: c.fuel - 1, Memory: pages * PageSize}), IO{})
		if _, err := i.Call(context.Background(), "run"); !errors.Is(err, ErrFuel) {
			t.Error(fmt.Sprintf("%s with a little too little:", name), err)
		}
	}
}
