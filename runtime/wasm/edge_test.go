package wasm

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"testing"
	"time"

	"barnraise/image"
	"barnraise/manifest"
	"barnraise/runtime"
	"barnraise/runtime/suite"
	"barnraise/wasm"
)

// section is one section of a module by hand: everything in it is short enough for lengths of one byte.
func section(id byte, items ...[]byte) []byte {
	body := append([]byte{byte(len(items))}, slices.Concat(items...)...)
	return append([]byte{id, byte(len(body))}, body...)
}

func text(s string) []byte { return append([]byte{byte(len(s))}, s...) }

const constant = `{"jsonrpc":"2.0","id":1,"result":1}`

// byHand is a reactor of a hundred bytes that answers everything with the constant. Its three functions are exported under
// the names given: one (i32) → i32, one (i32, i32) → i64, and one () → () with the body given.
func byHand(alloc, handle, initialize string, body ...byte) []byte {
	function := func(name string, index byte) []byte { return append(text(name), 0, index) }
	code := func(b ...byte) []byte { return append([]byte{byte(len(b) + 2), 0}, append(b, 0x0b)...) }
	return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, []byte{0x60, 1, 0x7f, 1, 0x7f}, []byte{0x60, 2, 0x7f, 0x7f, 1, 0x7e}, []byte{0x60, 0, 0}),
		section(3, []byte{0}, []byte{1}, []byte{2}),
		section(5, []byte{0, 1}),
		section(7, append(text("memory"), 2, 0), function(alloc, 0), function(handle, 1), function(initialize, 2)),
		section(10,
			code(0x41, 0x80, 0x08), // i32.const 1024
			code(0x42, byte(len(constant)), 0x42, 16, 0x42, 32, 0x86, 0x84), // i64.const length, 16 << 32, or
			code(body...)),
		section(11, append([]byte{0, 0x41, 16, 0x0b}, text(constant)...)))
}

// packed is an image with that wasm variant, and a Spec of it.
func packed(t testing.TB, module []byte) (*image.Store, runtime.Spec) {
	t.Helper()
	images, err := image.Open(filepath.Join(t.TempDir(), "images"))
	if err != nil {
		t.Fatal(err)
	}
	built, err := image.Pack(images, "packed", map[string][]byte{image.Wasm: module})
	if err != nil {
		t.Fatal(err)
	}
	return images, suite.SpecOf(t, images, built, image.Wasm)
}

func TestStartByHand(t *testing.T) {
	const unreachable, call = 0x00, 0x10
	loop := []byte{0x03, 0x40, 0x0c, 0, 0x0b}
	for _, c := range []struct {
		name   string
		module []byte
		want   error
	}{
		{"reactor", byHand("alloc", "handle", "_initialize"), nil},
		{"reactor that could be a command too", byHand("alloc", "handle", "_start"), nil},
		{"reactor that breaks at once", byHand("alloc", "handle", "_initialize", unreachable), runtime.ErrBroke},
		{"reactor that never begins", byHand("alloc", "handle", "_initialize", loop...), runtime.ErrBroke},
		{"reactor that begins by calling itself", byHand("alloc", "handle", "_initialize", call, 2), runtime.ErrBroke},
		{"no alloc", byHand("malloc", "handle", "_initialize"), runtime.ErrCannot},
		{"no memory", bytes.Replace(byHand("alloc", "handle", "_initialize"), []byte("memory"), []byte("memoir"), 1), runtime.ErrCannot},
		{"alloc of another type", byHand("_initialize", "handle", "alloc"), runtime.ErrCannot},
		{"handle of another type", byHand("handle", "alloc", "_initialize"), runtime.ErrCannot},
		{"neither handle nor _start", byHand("alloc", "answer", "main"), runtime.ErrCannot},
		{"_start of another type", byHand("_start", "x", "y"), runtime.ErrCannot},
		{"invalid", byHand("alloc", "handle", "_initialize", call), runtime.ErrCannot},
		{"cut", byHand("alloc", "handle", "_initialize")[:60], runtime.ErrCannot},
		{"nothing", []byte("\x00asm\x01\x00\x00\x00"), runtime.ErrCannot},
	} {
		images, spec := packed(t, c.module)
		i, err := newRuntime(t, images, 1, 1).Start(t.Context(), spec)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if i == nil {
			continue
		}
		got, err := i.Call(t.Context(), []byte(`{"jsonrpc":"2.0","id":1,"method":"x"}`))
		if err != nil || string(got) != constant {
			t.Errorf("%s answers %s, %v", c.name, got, err)
		}
		if err := i.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestStartCannot(t *testing.T) {
	images, spec := packed(t, byHand("alloc", "handle", "_initialize"))
	r := newRuntime(t, images, 1, 1)
	for name, spoil := range map[string]func(*manifest.Limits){
		"no fuel": func(l *manifest.Limits) { l.Fuel = 0 }, "no memory": func(l *manifest.Limits) { l.Memory = 0 },
		"no time": func(l *manifest.Limits) { l.Timeout = 0 }, "no request": func(l *manifest.Limits) { l.Request = 0 },
		"no response":                     func(l *manifest.Limits) { l.Response = 0 },
		"less memory than it begins with": func(l *manifest.Limits) { l.Memory = 1 },
		"more memory than there can be":   func(l *manifest.Limits) { l.Memory = wasm.MaxMemory + 1 },
		"more fuel than there can be":     func(l *manifest.Limits) { l.Fuel = wasm.MaxFuel + 1 },
	} {
		s := spec
		spoil(&s.Limits)
		if _, err := r.Start(t.Context(), s); !errors.Is(err, runtime.ErrCannot) {
			t.Errorf("%s: %v, want ErrCannot", name, err)
		}
	}
	linux, err := image.Pack(images, "linux", map[string][]byte{image.LinuxAMD64: []byte("\x7fELF")})
	if err != nil {
		t.Fatal(err)
	}
	_, index, _ := image.ParseReference(linux.Image)
	_, err = r.Start(t.Context(), runtime.Spec{Image: index, Limits: suite.Limits})
	if !errors.Is(err, runtime.ErrCannot) || !errors.Is(err, image.ErrNoVariant) {
		t.Errorf("image without a wasm variant: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Start(gone, spec); !errors.Is(err, context.Canceled) || errors.Is(err, runtime.ErrCannot) {
		t.Errorf("given up: %v", err)
	}
}

// As many spares as asked for are made ahead, they are used, others take their place, and none is left after Stop.
func TestSpares(t *testing.T) {
	for _, c := range []struct{ asked, ahead int }{{0, 1}, {1, 1}, {3, 3}, {-1, 0}} {
		images, spec := packed(t, byHand("alloc", "handle", "_initialize"))
		started, err := newRuntime(t, images, 1, c.asked).Start(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		i := started.(*instance)
		for range 3 {
			for deadline := time.Now().Add(5 * time.Second); len(i.pool.ready) < c.ahead && time.Now().Before(deadline); {
				goruntime.Gosched()
			}
			if n := len(i.pool.ready); n != c.ahead || cap(i.pool.ready) != c.ahead+1 {
				t.Errorf("%d spares are ready, want %d", n, c.ahead)
			}
			one, err := i.pool.take(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			i.after(one, nil)
		}
		if err := i.Stop(t.Context()); err != nil || len(i.pool.ready) != 0 || len(i.pool.room) != 0 {
			t.Errorf("Stop: %v, with %d spares of %d left", err, len(i.pool.ready), len(i.pool.room))
		}
	}
}

// The request belongs to the caller again when Call has returned, even where the service goes on.
func TestRequestIsCopied(t *testing.T) {
	images, spec := packed(t, byHand("alloc", "handle", "_initialize"))
	i, err := newRuntime(t, images, 1, -1).Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Microsecond)
		request := []byte(`{"jsonrpc":"2.0","id":1,"method":"x"}`)
		_, _ = i.Call(ctx, request)
		cancel()
		copy(request, bytes.Repeat([]byte("x"), len(request))) // the race detector minds if somebody reads it
	}
	if err := i.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if s := i.Stats(); s.Running != 0 {
		t.Errorf("stats %+v", s)
	}
}

// Fuel is counted alike on every run, spare instance or not.
func TestFuelIsDeterministic(t *testing.T) {
	images, spec := packed(t, byHand("alloc", "handle", "_initialize"))
	used := map[uint64]bool{}
	for _, spares := range []int{-1, 1, 2} {
		i, err := newRuntime(t, images, 1, spares).Start(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := i.Call(t.Context(), []byte(`{"jsonrpc":"2.0","id":1,"method":"x"}`)); err != nil {
			t.Error(err)
		}
		used[i.Stats().Fuel] = true
		if err := i.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if len(used) != 1 || used[0] {
		t.Errorf("calls used %v", used)
	}
}

// Services may not have more memory than the process can give them.
func TestRoom(t *testing.T) {
	for _, c := range []struct {
		has, limit    uint64
		calls, spares int
	}{
		{0, 1 << 40, 4, 2}, {100, 10, 4, 2}, {60, 10, 4, 2}, {59, 10, 4, 1}, {49, 10, 4, 0}, {39, 10, 3, 0}, {10, 10, 1, 0}, {9, 10, 0, 0},
	} {
		r := New(Config{Concurrency: 4, Spares: 2, Memory: c.has})
		calls, spares, err := r.room(c.limit)
		if calls != c.calls || spares != c.spares || (err == nil) != (c.calls > 0) || err != nil && !errors.Is(err, runtime.ErrCannot) {
			t.Errorf("%d bytes for %d each: %d calls, %d spares, %v", c.has, c.limit, calls, spares, err)
		}
	}
	images, spec := packed(t, byHand("alloc", "handle", "_initialize"))
	engine, err := wasm.NewEngine("")
	if err != nil {
		t.Fatal(err)
	}
	for memory, want := range map[uint64]error{uint64(spec.Limits.Memory): nil, uint64(spec.Limits.Memory) - 1: runtime.ErrCannot} {
		i, err := New(Config{Engine: engine, Images: images, Memory: memory}).Start(t.Context(), spec)
		if !errors.Is(err, want) {
			t.Errorf("with %d bytes: %v", memory, err)
		}
		if err == nil {
			if got := cap(i.(*instance).pool.ready); got != 1 {
				t.Errorf("room for %d instances, want one", got)
			}
			if err := i.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}
