package wasm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// changeable is a module that changes all it has, in ways of different names.
func changeable() []byte {
	const clock, chance = 0, 1
	change := func(n int) []byte {
		return code(
			i32(0), i32(int32(n)), i32(2*PageSize), bulkOp(subMemoryFill, 0),
			op(opGlobalGet, 0), i32(int32(n)), opI32Add, op(opGlobalSet, 0),
			op(opGlobalGet, 1), i64(int64(n)), 0x7c, op(opGlobalSet, 1),
			op(opGlobalGet, 2), opF32Const, make([]byte, 3), 0x40, 0x92, op(opGlobalSet, 2),
			op(opGlobalGet, 3), opF64Const, make([]byte, 7), 0x40, 0xa0, op(opGlobalSet, 3),
			repeat(n, code(i32(0), i64(0), i32(8), op(opCall, clock), opDrop)),
			i32(int32(16*n)), i32(24), op(opCall, chance), opDrop)
	}
	grow := code(i32(1), opMemoryGrow, 0, i32(PageSize), 0x6c, i32(7), 0x36, 2, 0)
	loop := code(opLoop, blockEmpty, opBr, 0, opEnd)
	return guest{
		imports: [][3]string{{wasiModule, "clock_time_get", "iIi:i"}, {wasiModule, "random_get", "ii:i"}, {wasiModule, "proc_exit", "i:"}},
		funcs: []function{
			{":", nil, code(grow, change(3))},
			{":", nil, change(5)},
			{":", nil, code(change(6), grow)},
			{":", nil, code(change(7), opUnreachable)},
			{":", nil, code(change(8), loop)},
			{":", nil, code(i32(1), op(opGlobalSet, 0), op(opCall, 8))},
			{":", nil, code(change(9), i32(0), op(opCall, 2))},
		},
		memory: []byte{1, 1, 20},
		globals: [][]byte{{typeI32, 1, opI32Const, 1, opEnd}, {typeI64, 1, opI64Const, 2, opEnd},
			append(append([]byte{typeF32, 1, opF32Const}, make([]byte, 4)...), opEnd),
			append(append([]byte{typeF64, 1, opF64Const}, make([]byte, 8)...), opEnd),
			{typeI32, 0, opI32Const, 1, opEnd}},
		exports: []export{{"warm", 0, 3}, {"change", 0, 4}, {"grow", 0, 5}, {"trap", 0, 6}, {"burn", 0, 7}, {"recurse", 0, 8},
			{"exit", 0, 9}, {"memory", 2, 0}},
		data: [][]byte{append([]byte{0, opI32Const, 16, opEnd}, sized([]byte("what there was"))...)},
	}.encode()
}

var keeping = Limits{Fuel: 2e5, Memory: 64 << 20, Snapshots: true}

// state is all that a module can tell two instances apart by.
func state(i *Instance) string {
	var globals []uint64
	for _, g := range i.globals() {
		globals = append(globals, g.Get())
	}
	w := *i.world
	return fmt.Sprintf("%x, %d bytes, globals %x, clock %d, random %x, fuel %d", sha256.Sum256(content(i.memory())), i.MemoryUsed(),
		globals, w.clock, w.random, i.FuelUsed())
}

// warmed is a fresh instance that has called warm and has all its fuel.
func warmed(t testing.TB, m *Module) *Instance {
	t.Helper()
	i := instantiate(t, m, IO{World: World{Memory: PageSize, Tick: 3, Env: []string{"A=b"}}})
	if _, err := i.Call(context.Background(), "warm"); err != nil {
		t.Fatal(err)
	}
	i.Refuel()
	return i
}

// frozenKinds are snapshots of the same instance, by what keeps their memory.
func frozenKinds(t testing.TB, i *Instance) map[string]*Snapshot {
	t.Helper()
	kinds := map[string]*Snapshot{}
	for _, name := range []string{"system", "copies"} {
		s, err := i.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if name == "copies" {
			_ = s.memory.close()
			s.memory = copies(bytes.Clone(content(i.memory())))
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		kinds[name] = s
	}
	return kinds
}

// Whatever calls of a module have done, an instance made or reset is as one is right after warm, and goes on like it.
func TestSnapshot(t *testing.T) {
	for engine, e := range engines(t) {
		m := compile(t, e, changeable(), keeping)
		first := warmed(t, m)
		want, after := state(first), map[string]string{}
		for _, call := range []string{"change", "grow", "trap", "burn", "recurse", "exit"} {
			fresh := warmed(t, m)
			if got := state(fresh); got != want {
				t.Fatalf("%s: two instances differ before any call: %s, %s", engine, got, want)
			}
			_, err := fresh.Call(context.Background(), call)
			after[call] = fmt.Sprint(state(fresh), err)
		}
		for kind, s := range frozenKinds(t, first) {
			follow(t, engine+", "+kind, s, want, after)
		}
	}
}

// follow makes calls by chance.
func follow(t *testing.T, name string, s *Snapshot, want string, after map[string]string) {
	chance := rand.New(rand.NewPCG(1, 2))
	calls := []string{"change", "change", "change", "grow", "trap", "burn", "recurse", "exit"}
	var all [3]*Instance
	again, kept := 0, 0
	for range 300 {
		at := chance.IntN(len(all))
		i := all[at]
		if i == nil || i.Reset() != nil {
			if i != nil {
				_ = i.Close(t.Context())
			}
			var err error
			if i, err = s.Instance(t.Context()); err != nil {
				t.Fatal(err)
			}
			all[at], again = i, again+1
		} else {
			kept++
		}
		if got := state(i); got != want {
			t.Fatalf("%s: before a call %s, want %s", name, got, want)
		}
		call := calls[chance.IntN(len(calls))]
		_, err := i.Call(t.Context(), call)
		if got := fmt.Sprint(state(i), err); got != after[call] {
			t.Fatalf("%s: after %s %s, want %s", name, call, got, after[call])
		}
	}
	for _, i := range all {
		if i != nil {
			_ = i.Close(t.Context())
		}
	}
	if again < 100 || kept < 50 {
		t.Errorf("%s: %d instances made, %d reset", name, again, kept)
	}
}

// Instances of one snapshot see nothing of one another, at the same time either, and live longer than it if they must.
func TestSnapshotConcurrently(t *testing.T) {
	m := compile(t, engines(t)["compiler"], changeable(), Limits{Fuel: 2e5, Memory: MaxMemory, Snapshots: true})
	first := warmed(t, m)
	want := state(first)
	for kind, s := range frozenKinds(t, first) {
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				i, err := s.Instance(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				for range 30 {
					if got := state(i); got != want {
						t.Errorf("%s: %s, want %s", kind, got, want)
					}
					_, err := i.Call(t.Context(), []string{"change", "burn"}[n%2])
					if n%2 == 0 && err == nil {
						err = i.Reset()
					}
					if n%2 != 0 && errors.Is(err, ErrFuel) {
						_ = i.Close(t.Context())
						i, err = s.Instance(t.Context())
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
				if err := i.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	s := frozenKinds(t, first)["system"]
	i, err := s.Instance(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for range 2 {
		if _, err := i.Call(t.Context(), "change"); err != nil || i.Reset() != nil || state(i) != want {
			t.Errorf("the snapshot is closed: %s, %v, want %s", state(i), err, want)
		}
	}
	_ = i.Close(t.Context())
	if _, err := s.Instance(t.Context()); err == nil {
		t.Error("a closed snapshot makes instances")
	}
}

// What is spent is not reset, and not kept.
func TestSnapshotSpent(t *testing.T) {
	m := compile(t, engines(t)["compiler"], changeable(), keeping)
	for _, call := range []string{"grow", "trap", "burn", "recurse", "exit", "close", "change"} {
		first := warmed(t, m)
		s := frozenKinds(t, first)["system"]
		i, err := s.Instance(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range []*Instance{first, i} {
			if call != "close" {
				_, _ = one.Call(t.Context(), call)
			} else if err := one.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if err := i.Reset(); (err == nil) != (call == "change") {
			t.Errorf("reset after %s: %v", call, err)
		}
		if err := first.Reset(); err == nil {
			t.Error("an instance that is of no snapshot is reset")
		}
		_, err = first.Snapshot()
		if ok := call == "change" || call == "grow"; (err == nil) != ok || !ok && !errors.Is(err, ErrRefused) {
			t.Errorf("snapshot after %s: %v", call, err)
		}
		_ = i.Close(t.Context())
	}
}

// Where a snapshot would not be everything, none is taken, and it is said why.
func TestUnsaved(t *testing.T) {
	null := []byte{opRefNull, typeFuncref}
	for what, module := range map[string][]byte{
		"table.set":  run(":", nil, code(i32(0), null, opTableSet, 0)),
		"table.grow": run(":", nil, code(null, i32(1), bulkOp(subTableGrow, 0), opDrop)),
		"table.fill": run(":", nil, code(i32(0), null, i32(1), bulkOp(subTableFill, 0))),
		"table.copy": run(":", nil, code(i32(0), i32(0), i32(1), bulkOp(subTableCopy, 0, 0))),
		"table.init": run(":", nil, code(i32(0), i32(0), i32(1), bulkOp(subTableInit, 1, 0))),
		"elem.drop":  run(":", nil, bulkOp(subElemDrop, 1)),
		"data.drop":  run(":", nil, bulkOp(subDataDrop, 0)),
		"ref.func":   run(":", nil, code(op(opRefFunc, 1), opDrop)),
		"reference": guest{funcs: []function{{":", nil, nil}}, exports: []export{{"run", 0, 0}},
			globals: [][]byte{{typeFuncref, 1, opRefNull, typeFuncref, opEnd}}}.encode(),
		"": run(":", nil, code(i32(0), i32(0), i32(1), bulkOp(subMemoryInit, 0, 0), i32(0), i32(1), i32(1), bulkOp(subMemoryCopy, 0, 0))),
	} {
		m := compile(t, engines(t)["compiler"], module, keeping)
		i := instantiate(t, m, IO{})
		if _, err := i.Call(t.Context(), "run"); err != nil {
			t.Fatal(what, err)
		}
		s, err := i.Snapshot()
		if what == "" {
			if err != nil || m.Info().Unsaved != "" {
				t.Errorf("unsaved: %q, %v", m.Info().Unsaved, err)
			}
			_ = s.Close()
			continue
		}
		if !errors.Is(err, ErrRefused) || !strings.Contains(m.Info().Unsaved, what) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v, %q", what, err, m.Info().Unsaved)
		}
	}
	hidden := instantiate(t, compile(t, engines(t)["compiler"], changeable(), roomy), IO{})
	if _, err := hidden.Snapshot(); !errors.Is(err, ErrRefused) {
		t.Errorf("variables that are not shown: %v", err)
	}
	none := instantiate(t, compile(t, engines(t)["compiler"], guest{}.encode(), keeping), IO{})
	s, err := none.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if i, err := s.Instance(t.Context()); err != nil || i.Reset() != nil || s.Close() != nil {
		t.Errorf("a module without memory: %v", err)
	}
}

// held counts the mappings and files of snapshots that this process has.
func held(t *testing.T) (n int) {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip("there is no /proc: ", err)
	}
	n = strings.Count(string(maps), "barnraise-snapshot")
	files, _ := filepath.Glob("/proc/self/fd/*")
	for _, f := range files {
		if to, _ := os.Readlink(f); strings.Contains(to, "barnraise-snapshot") {
			n++
		}
	}
	return n
}

// Nothing of a snapshot is left when it and its instances are closed, however they ended.
func TestSnapshotLeavesNothing(t *testing.T) {
	before := held(t)
	m := compile(t, engines(t)["compiler"], changeable(), keeping)
	first := warmed(t, m)
	for range 3 {
		s, err := first.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if held(t) == before && runtime.GOOS == "linux" {
			t.Error("the memory is not kept in a file")
		}
		for _, call := range []string{"change", "grow", "trap", "burn", "exit"} {
			i, err := s.Instance(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, _ = i.Call(t.Context(), call)
			_ = i.Reset()
			if err := errors.Join(i.Close(t.Context()), i.Close(t.Context())); err != nil {
				t.Error(err)
			}
		}
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Error(err)
		}
	}
	if after := held(t); after != before {
		t.Errorf("%d mappings and files before, %d after", before, after)
	}
}

// A module that shows its variables computes what it did, for the same fuel.
func TestShownVariables(t *testing.T) {
	larger := IO{World: World{Memory: PageSize}}
	hidden := instantiate(t, compile(t, engines(t)["compiler"], changeable(), Limits{Fuel: 1e6, Memory: 64 << 20}), larger)
	shown := instantiate(t, compile(t, engines(t)["compiler"], changeable(), keeping), larger)
	for _, i := range []*Instance{hidden, shown} {
		if _, err := i.Call(t.Context(), "change"); err != nil {
			t.Fatal(err)
		}
	}
	if hidden.FuelUsed() != shown.FuelUsed() || !bytes.Equal(content(hidden.memory()), content(shown.memory())) {
		t.Errorf("fuel %d and %d", hidden.FuelUsed(), shown.FuelUsed())
	}
	if got := shown.module.Info().Variables; !reflect.DeepEqual(got, []int{0, 1, 2, 3}) {
		t.Errorf("variables %v", got)
	}
}

// Memories of the smallest and the largest kind come back as well, whatever is left for them to grow.
func TestSnapshotOddMemories(t *testing.T) {
	e := open(t, "")
	for name, c := range map[string]struct {
		memory []byte
		grown  int32 // in warm
		limit  uint64
	}{
		"none":              {nil, 0, 1 << 20},
		"empty":             {[]byte{0, 0}, 0, 1 << 20},
		"empty for ever":    {[]byte{1, 0, 0}, 0, 1 << 20},
		"empty, then grown": {[]byte{0, 0}, 1, 1 << 20},
		"full":              {[]byte{1, 1, 1}, 0, 1 << 20},
		"grown to its own":  {[]byte{1, 1, 3}, 2, 1 << 20},
		"to what there is":  {[]byte{0, 1}, 15, 1 << 20},
		"and no further":    {[]byte{0, 1}, 16, 1 << 20},
		"all there can be":  {[]byte{0, 1}, 0, MaxMemory},
	} {
		grow := code(i32(c.grown), opMemoryGrow, 0, opDrop)
		use := code(i32(1), opMemoryGrow, 0, i32(16), 0x74, opMemorySize, 0, 0x6a)
		if c.memory == nil {
			grow, use = nil, i32(7)
		}
		g := guest{memory: c.memory, exports: []export{{"warm", 0, 0}, {"use", 0, 1}}, funcs: []function{{":", nil, grow}, {":i", nil, use}}}
		m := compile(t, e, g.encode(), Limits{Fuel: 1e6, Memory: c.limit, Snapshots: true})
		fresh := func() *Instance {
			i := instantiate(t, m, IO{})
			if _, err := i.Call(t.Context(), "warm"); err != nil {
				t.Fatal(name, err)
			}
			i.Refuel()
			return i
		}
		want, err := fresh().Call(t.Context(), "use")
		if err != nil {
			t.Fatal(name, err)
		}
		s, err := fresh().Snapshot()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for range 2 {
			i, err := s.Instance(t.Context())
			if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
			if got, err := i.Call(t.Context(), "use"); err != nil || got[0] != want[0] {
				t.Errorf("%s: %x, %v, want %x", name, got, err, want)
			}
			if err := i.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
