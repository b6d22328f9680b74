package wasm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"barnraise/image"
	"barnraise/runtime"
	"barnraise/runtime/suite"
)

// warmHostile is the suite's service with a warm that leaves a table, a goroutine and a heap behind.
func warmHostile(t testing.TB) (*image.Store, runtime.Spec) {
	t.Helper()
	images, err := image.Open(filepath.Join(t.TempDir(), "images"))
	if err != nil {
		t.Fatal(err)
	}
	built, err := building("warm", "c-shared")(t.Context(), images, suite.Source(t))
	if err != nil {
		t.Fatal(err)
	}
	return images, suite.SpecOf(t, images, built, image.Wasm)
}

// started starts a service that is stopped when the test ends, with nothing of a snapshot left behind.
func started(t testing.TB, r *Runtime, spec runtime.Spec) *instance {
	t.Helper()
	i, err := r.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return i.(*instance)
}

func ask(method, param string) []byte {
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":%q,"params":[%q]}`, method, param)
}

// A thousand calls of a snapshot, interleaved with such as break it, are answered like one of a fresh instance that was warmed
// itself, for the same fuel.
func TestSnapshotAnswersLikeFresh(t *testing.T) {
	images, spec := warmHostile(t)
	fresh, snapshot := newRuntime(t, images, 1, -1), newRuntime(t, images, 2, 1)
	fresh.plain = true
	good := []struct{ method, param string }{{"look", ""}, {"count", ""}, {"echo", "x"}, {"long", "9000"}, {"nest", "5000"}}
	want, used := map[string]string{}, map[string]uint64{}
	for _, c := range good {
		i := started(t, fresh, spec)
		got, err := i.Call(t.Context(), ask(c.method, c.param))
		if err != nil || i.snapshot != nil {
			t.Fatal(c.method, err)
		}
		want[c.method], used[c.method] = string(got), i.Stats().Fuel
		i = started(t, snapshot, spec)
		if _, err := i.Call(t.Context(), ask(c.method, c.param)); err != nil || i.snapshot == nil || i.Stats().Fuel != used[c.method] {
			t.Errorf("%s: %v, takes %d units, want %d", c.method, err, i.Stats().Fuel, used[c.method])
		}
	}
	i := started(t, snapshot, spec)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for n := range 250 {
				c := good[n%len(good)]
				if got, err := i.Call(t.Context(), ask(c.method, c.param)); err != nil || string(got) != want[c.method] {
					t.Errorf("%s: %s, %v, want %s", c.method, got, err, want[c.method])
				}
				if bad := []string{"panic", "garbage", "nil", "long", "leave"}[worker]; n%25 == 0 {
					_, _ = i.Call(t.Context(), ask(bad, "4000000"))
				}
			}
		})
	}
	all.Wait()
}

// After Stop there is neither a mapping nor a file of a snapshot, also where the last instances broke or grew.
func TestSnapshotIsGone(t *testing.T) {
	images, spec := warmHostile(t)
	before := held(t)
	i, err := newRuntime(t, images, 2, 2).Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"echo", "panic", "long", "echo", "grow", "exit"} {
		_, _ = i.Call(t.Context(), ask(method, "4000000"))
	}
	if held(t) == before {
		t.Error("there is no snapshot")
	}
	if err := i.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if after := held(t); after != before {
		t.Errorf("%d mappings and files before, %d after", before, after)
	}
}

// held counts mappings and files of snapshots.
func held(t *testing.T) (n int) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip("there is no /proc: ", err)
	}
	files, _ := filepath.Glob("/proc/self/fd/*")
	for _, f := range files {
		to, _ := os.Readlink(f)
		n += strings.Count(to, "barnraise-snapshot")
	}
	return n + strings.Count(string(maps), "barnraise-snapshot")
}

// Warm is held to the fuel of a call, and to its type; and what it uses is not taken from calls.
func TestWarmLimits(t *testing.T) {
	loop := []byte{0x03, 0x40, 0x0c, 0, 0x0b}
	for name, c := range map[string]struct {
		module []byte
		want   error
	}{
		"nothing":      {byHand("alloc", "handle", "warm"), nil},
		"unsaved":      {byHand("alloc", "handle", "warm", 0xd2, 0, 0x1a), nil}, // ref.func, drop
		"trap":         {byHand("alloc", "handle", "warm", 0x00), runtime.ErrBroke},
		"endless":      {byHand("alloc", "handle", "warm", loop...), runtime.ErrBroke},
		"another type": {byHand("alloc", "warm", "handle"), runtime.ErrCannot},
	} {
		images, spec := packed(t, c.module)
		for _, plain := range []bool{false, true} {
			r := newRuntime(t, images, 1, 1)
			r.plain = plain
			i, err := r.Start(t.Context(), spec)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
			if err != nil {
				continue
			}
			if kept := i.(*instance).snapshot != nil; kept != (name == "nothing" && !plain) {
				t.Errorf("%s: a snapshot: %t", name, kept)
			}
			for range 3 {
				if got, err := i.Call(t.Context(), ask("x", "")); err != nil || string(got) != constant {
					t.Errorf("%s: %s, %v", name, got, err)
				}
			}
			if err := i.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}

// Surroundings are those of snapshots as well.
func TestSnapshotSurroundings(t *testing.T) {
	images, spec := warmHostile(t)
	snapshots := newRuntime(t, images, 1, 1)
	for _, around := range []runtime.Surroundings{{}, {Clock: 1e18, Env: "A=b"}, {Chance: 9}, {Shift: 3 << 20}, {Memory: 8 << 20}, {Reused: true}} {
		var answers []string
		for _, plain := range []bool{false, true} {
			s, r := spec, *snapshots
			s.Around, r.plain = around, plain
			i := started(t, &r, s)
			if (i.snapshot != nil) == (plain || around.Reused) {
				t.Errorf("%+v: a snapshot: %t", around, i.snapshot != nil)
			}
			all := ""
			for range 3 {
				got, err := i.Call(t.Context(), ask("look", ""))
				if err != nil {
					t.Error(err)
				}
				all += string(got) + fmt.Sprint(i.Stats().Fuel, i.Stats().Memory)
			}
			answers = append(answers, all)
		}
		if answers[0] != answers[1] {
			t.Errorf("%+v: with a snapshot %s, without %s", around, answers[0], answers[1])
		}
	}
}
