package wasm

import (
	"bytes"
	"context"
	"errors"
	"math"
	"testing"
)

// A world other than the pinned one differs in what it says and in nothing else.
func TestWorld(t *testing.T) {
	c := newCaller(t, IO{World: World{Clock: 1000, Tick: 9, Chance: 7, Memory: 2*PageSize + 1, Env: []string{"A=b", "LONG=er"}}})
	c.call(success, "clock_time_get", 0, 0, 0)
	if now := c.u64(0); now != 1010 {
		t.Errorf("the clock shows %d", now)
	}
	c.call(success, "environ_sizes_get", 0, 4)
	if n := c.u64(0); n != 2|12<<32 {
		t.Errorf("%d variables of %d bytes", uint32(n), n>>32)
	}
	before := c.i.FuelUsed()
	c.call(success, "environ_get", 0, 100)
	if used := c.i.FuelUsed() - before; used < callCost+1 || used > callCost+20 {
		t.Errorf("environ_get takes %d", used)
	}
	if got, _ := c.i.guest.Memory().Read(100, 12); !bytes.Equal(got, []byte("A=b\x00LONG=er\x00")) || c.u64(0) != 100|104<<32 {
		t.Errorf("environment %q at %#x", got, c.u64(0))
	}
	c.call(fault, "environ_get", 3*PageSize-4, 0)
	c.call(fault, "environ_get", 0, 3*PageSize-8)
	if n := c.i.MemoryUsed(); n != 3*PageSize {
		t.Errorf("%d bytes of memory", n)
	}
	pinned := newCaller(t, IO{})
	for _, i := range []*caller{c, pinned} {
		i.call(success, "random_get", 200, 8)
	}
	if c.u64(200) == pinned.u64(200) {
		t.Error("chance is the same")
	}
}

// Whatever a world asks for, the clock stops where it stops and the memory is no larger than it may be.
func TestWorldEnds(t *testing.T) {
	for _, w := range []World{{Clock: math.MaxUint64}, {Tick: math.MaxUint64}, {Clock: math.MaxUint64, Tick: math.MaxUint64}} {
		c := newCaller(t, IO{World: w})
		for range 2 {
			c.call(success, "clock_time_get", 0, 0, 0)
			if now := c.u64(0); now < lastInstant-1 || now > lastInstant {
				t.Errorf("%+v: the clock shows %d", w, now)
			}
		}
	}
	m := compile(t, engines(t)["compiler"], wasi(), roomy)
	for _, memory := range []uint64{roomy.Memory, MaxMemory, math.MaxUint64} {
		if _, err := m.Instantiate(context.Background(), IO{World: World{Memory: memory}}); !errors.Is(err, ErrLimits) {
			t.Errorf("%d bytes more: %v, want ErrLimits", memory, err)
		}
	}
	none := compile(t, engines(t)["compiler"], guest{}.encode(), roomy)
	if _, err := none.Instantiate(context.Background(), IO{World: World{Memory: PageSize}}); !errors.Is(err, ErrLimits) {
		t.Errorf("memory where there is none: %v, want ErrLimits", err)
	}
	if n := instantiate(t, none, IO{}).MemoryUsed(); n != 0 {
		t.Errorf("%d bytes of memory where there is none", n)
	}
}
