package wasm

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"barnraise/image"
	"barnraise/manifest"
	"barnraise/runtime"
	"barnraise/runtime/suite"
	"barnraise/wasm"
)

// hostile is the suite's service as a reactor.
func hostile(t testing.TB) (*image.Store, runtime.Spec) {
	t.Helper()
	images, err := image.Open(filepath.Join(t.TempDir(), "images"))
	if err != nil {
		t.Fatal(err)
	}
	built, err := image.Build(t.Context(), images, image.Options{Dir: suite.Source(t), Platforms: []string{image.Wasm}})
	if err != nil {
		t.Fatal(err)
	}
	return images, suite.SpecOf(t, images, built, image.Wasm)
}

// call starts a service, has it answer once, and stops it.
func call(t *testing.T, r *Runtime, spec runtime.Spec, method string) (string, runtime.Stats) {
	t.Helper()
	i, err := r.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	got, err := i.Call(t.Context(), []byte(`{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":["X"]}`))
	if err != nil {
		t.Error(err)
	}
	stats := i.Stats()
	if err := i.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	return string(got), stats
}

// A service that looks at its surroundings answers otherwise in others, and one that does not answers the same.
func TestSurroundings(t *testing.T) {
	images, spec := hostile(t)
	r := newRuntime(t, images, 1, 1)
	look, stats := call(t, r, spec, "look")
	echo, _ := call(t, r, spec, "echo")
	if stats.CPU <= 0 || stats.Memory == 0 || stats.Memory > spec.Limits.Memory || stats.Restarts != 0 {
		t.Errorf("stats %+v", stats)
	}
	for name, c := range map[string]struct {
		around runtime.Surroundings
		shows  string // in what it answers when it looks
	}{
		"clock":  {runtime.Surroundings{Clock: 40 * 24 * time.Hour}, "1970-02-10"},
		"tick":   {runtime.Surroundings{Tick: time.Second}, ""},
		"chance": {runtime.Surroundings{Chance: 1}, ""},
		"env":    {runtime.Surroundings{Env: "A=b\nTZ=UTC\n"}, "A=b,TZ=UTC"},
	} {
		s := spec
		s.Around = c.around
		if got, _ := call(t, r, s, "look"); got == look || !strings.Contains(got, c.shows) {
			t.Errorf("%s: looks and sees %s, want %q in it, and something other than %s", name, got, c.shows, look)
		}
		if got, _ := call(t, r, s, "echo"); got != echo {
			t.Errorf("%s: answers %s, want %s", name, got, echo)
		}
	}
	for name, around := range map[string]runtime.Surroundings{"shift": {Shift: 5 << 20}, "memory": {Memory: 8 << 20}} {
		s := spec
		s.Around = around
		if got, more := call(t, r, s, "echo"); got != echo || more.Memory < stats.Memory+4<<20 {
			t.Errorf("%s: answers %s, want %s; %s of memory, were %s", name, got, echo, more.Memory, stats.Memory)
		}
	}
}

// A reused instance remembers, and is replaced when it breaks.
func TestReused(t *testing.T) {
	images, spec := hostile(t)
	spec.Around.Reused = true
	i, err := newRuntime(t, images, 4, 1).Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, result string
		err            error
	}{
		{"count", "1", nil}, {"count", "2", nil}, {"loop", "", runtime.ErrFuel}, {"count", "1", nil}, {"count", "2", nil},
		{"garbage", "", runtime.ErrBroke}, {"count", "1", nil}, {"exit", "", runtime.ErrBroke}, {"count", "1", nil},
	} {
		got, err := i.Call(t.Context(), []byte(`{"jsonrpc":"2.0","id":1,"method":"`+c.method+`","params":[]}`))
		if !errors.Is(err, c.err) || c.err == nil && string(got) != `{"jsonrpc":"2.0","id":1,"result":`+c.result+`}` {
			t.Errorf("%s: %s, %v, want %s, %v", c.method, got, err, c.result, c.err)
		}
	}
	if err := i.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSurroundingsCannot(t *testing.T) {
	reactor, spec := packed(t, byHand("alloc", "handle", "_initialize"))
	command, commandSpec := packed(t, byHand("alloc", "answer", "_start"))
	for name, c := range map[string]struct {
		around  runtime.Surroundings
		command bool
	}{
		"clock behind": {around: runtime.Surroundings{Clock: -1}}, "clock backwards": {around: runtime.Surroundings{Tick: -1}},
		"cores": {around: runtime.Surroundings{CPU: 2}}, "host name": {around: runtime.Surroundings{Hostname: "x"}},
		"first process":     {around: runtime.Surroundings{First: true}},
		"no variable":       {around: runtime.Surroundings{Env: "A"}},
		"no name":           {around: runtime.Surroundings{Env: "=A"}},
		"empty line":        {around: runtime.Surroundings{Env: "A=b\n\n"}},
		"zero in it":        {around: runtime.Surroundings{Env: "A=\x00"}},
		"memory":            {around: runtime.Surroundings{Memory: wasm.MaxMemory}},
		"memory beyond all": {around: runtime.Surroundings{Memory: manifest.Bytes(1<<64 - 1)}},
		"shift":             {around: runtime.Surroundings{Shift: 1 << 31}},
		"shifted command":   {around: runtime.Surroundings{Shift: 1}, command: true},
		"reused command":    {around: runtime.Surroundings{Reused: true}, command: true},
	} {
		images, s := reactor, spec
		if c.command {
			images, s = command, commandSpec
		}
		s.Around = c.around
		if _, err := newRuntime(t, images, 1, 1).Start(t.Context(), s); !errors.Is(err, runtime.ErrCannot) {
			t.Errorf("%s: %v, want ErrCannot", name, err)
		}
	}
}
