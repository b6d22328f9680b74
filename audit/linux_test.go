package audit

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"barnraise"
	"barnraise/dial"
	"barnraise/image"
	"barnraise/runtime"
)

// engine is a runtime that runs everything of its platforms, and notes what it does. Every instance answers as it pleases.
type engine struct {
	images    *image.Store
	platforms []string
	cannot    string // a platform that it says it has and then cannot run
	answer    func(start int) string

	mu     sync.Mutex
	starts int
	calls  []int // the start that each call went to
	runs   int
	most   int // that ran at one time
}

func (e *engine) Platforms(context.Context) []string { return e.platforms }

func (e *engine) Start(_ context.Context, spec runtime.Spec) (runtime.Instance, error) {
	if e.cannot != "" && spec.Of(e.images, e.cannot) == nil {
		return nil, runtime.ErrCannot
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.starts, e.runs = e.starts+1, e.runs+1
	e.most = max(e.most, e.runs)
	return container{e, e.starts}, nil
}

type container struct {
	of    *engine
	start int
}

func (c container) Call(context.Context, []byte) ([]byte, error) {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.of.calls = append(c.of.calls, c.start)
	return []byte(c.of.answer(c.start)), nil
}

func (c container) Health(context.Context) error { return nil }
func (c container) Stats() runtime.Stats         { return runtime.Stats{} }

func (c container) Stop(context.Context) error {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.of.runs--
	return nil
}

// small is an image of both platforms that is never run.
func small(t *testing.T) (p published, linux barnraise.Digest) {
	t.Helper()
	store, err := image.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	elf := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 57)...)
	elf[16], elf[18], elf[20], elf[52] = 2, 62, 1, 64 // an executable for amd64
	built, err := image.Pack(store, "small", map[string][]byte{image.Wasm: []byte("\x00asm\x01\x00\x00\x00"), image.LinuxAMD64: elf})
	if err != nil {
		t.Fatal(err)
	}
	if _, p.revision.Image, err = image.ParseReference(built.Image); err != nil {
		t.Fatal(err)
	}
	variants, err := store.Variants(p.revision.Image)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range variants {
		if v.Platform == image.Wasm {
			p.platform = v.Manifest
		} else {
			linux = v.Manifest
		}
	}
	host := httptest.NewServer(image.Handler(store, nil))
	t.Cleanup(host.Close)
	p.url = host.URL
	return p, linux
}

func onEngine(t *testing.T, platforms ...string) (*Machine, *engine) {
	t.Helper()
	images, err := image.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	e := &engine{images: images, platforms: platforms, answer: func(int) string { return "same" }}
	return New(e, images, dial.Client(true, 0)), e
}

// A container takes several calls, and what it has answered before may be what it remembers: a rerun has containers of its own.
func TestProtocol7_3bLinuxRunsInTwoFreshContainers(t *testing.T) {
	p, linux := small(t)
	m, e := onEngine(t, image.LinuxAMD64, image.Wasm)
	for range 2 {
		r, err := m.Rerun(t.Context(), p.job(t, linux))
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Runs) != 1 || r.Runs[0].Wasm || !r.Runs[0].Alike() || r.Runs[0].Platform != linux {
			t.Errorf("runs %+v", r.Runs)
		}
	}
	if !slices.Equal(e.calls, []int{1, 2, 3, 4}) || e.runs != 0 {
		t.Errorf("calls went to starts %v, %d still run", e.calls, e.runs)
	}
	e.answer = func(start int) string { return fmt.Sprint(start) }
	if r, err := m.Rerun(t.Context(), p.job(t, linux)); err != nil || r.Runs[0].Alike() {
		t.Errorf("an image that tells its containers apart: %+v, %v", r.Runs, err)
	}
}

func TestEveryPlatformThatReceiptsNameIsRun(t *testing.T) {
	p, linux := small(t)
	m, e := onEngine(t, image.LinuxAMD64, image.Wasm)
	r, err := m.Rerun(t.Context(), p.job(t, p.platform, linux))
	if err != nil || len(r.Runs) != 2 || !r.Runs[0].Wasm || r.Runs[1].Wasm {
		t.Errorf("runs %+v, %v", r.Runs, err)
	}
	e.cannot = image.LinuxAMD64
	if r, err := m.Rerun(t.Context(), p.job(t, p.platform, linux)); err != nil || len(r.Runs) != 1 || len(r.Foreign) != 0 {
		t.Errorf("one that cannot be run keeps the other from it: %+v, %v", r, err)
	}
	if _, err := m.Rerun(t.Context(), p.job(t, linux)); !errors.Is(err, ErrNoRuntime) {
		t.Errorf("none can be run: %v, want ErrNoRuntime", err)
	}
	e.platforms = nil
	if _, err := m.Rerun(t.Context(), p.job(t, linux)); !errors.Is(err, ErrNoRuntime) {
		t.Errorf("no engine answers: %v, want ErrNoRuntime", err)
	}
}

func TestContainersRunOneRerunAfterTheOther(t *testing.T) {
	p, linux := small(t)
	m, e := onEngine(t, image.LinuxAMD64)
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() {
			if _, err := m.Rerun(t.Context(), p.job(t, linux)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if e.most != 1 || e.starts != 10 {
		t.Errorf("%d containers at once, %d in all", e.most, e.starts)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if _, err := m.Rerun(t.Context(), p.job(t, linux)); !errors.Is(err, runtime.ErrNotReady) || e.starts != 10 {
		t.Errorf("after closing: %v, %d starts", err, e.starts)
	}
}
