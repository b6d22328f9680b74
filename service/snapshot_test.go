package service_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"barnraise/service/servicetest"
	"barnraise/wasm"
)

// A host calls warm once and begins all requests there: a thousand of them are answered like those of a fresh instance.
func TestSnapshotAnswersLikeFresh(t *testing.T) {
	for dir, requests := range map[string][]string{
		"testdata/echo": {
			wire("echo", `{"value":{"b":1,"a":[1.50,"<\u0041>","é"]}}`), wire("count", `["the quick brown fox, ünïcödé and 日本語"]`),
			wire("refuse", `[]`), wire("crash", `[]`), wire("rpc.discover", `{}`), wire("nothing", `[]`), `{`, wire("repeat", `["abcdefgh",65536]`),
		},
		"../services/search": {
			wire("search_query", `["sorting slices until the end",5]`), wire("search_query", `{"q":"copy a file"}`),
			wire("search_document", `["os.Open"]`), wire("search_info", `[]`), wire("search_query", `[""]`),
		},
	} {
		p := warmProgram(t, dir)
		want := map[string][]byte{}
		for _, request := range requests {
			one, err := p.module.Instantiate(t.Context(), wasm.IO{})
			if err != nil {
				t.Fatal(err)
			}
			if want[request], err = one.Exchange(t.Context(), "handle", []byte(request), 8<<20); err != nil {
				t.Fatal(err)
			}
			_ = one.Close(t.Context())
		}
		used, made := map[string]uint64{}, 0
		for n := range 1000 {
			request := requests[n%len(requests)]
			made += p.ready(t)
			got, err := p.instance.Exchange(t.Context(), "handle", []byte(request), 8<<20)
			if err != nil || !bytes.Equal(got, want[request]) {
				t.Fatalf("%.80s\nis answered %.200q, %v, want %.200q", request, got, err, want[request])
			}
			if f := p.instance.FuelUsed(); used[request] == 0 {
				used[request] = f
			} else if f != used[request] {
				t.Fatalf("%.80s takes %d units, before %d", request, f, used[request])
			}
		}
		t.Logf("%s: %d instances for 1000 requests", dir, made)
	}
}

// warm is a reactor that has been warmed, and an instance of the snapshot.
type warm struct {
	module   *wasm.Module
	snapshot *wasm.Snapshot
	instance *wasm.Instance
}

func warmProgram(t *testing.T, dir string) *warm {
	t.Helper()
	code, err := os.ReadFile(servicetest.Build(t, dir, "wasip1", "-buildmode=c-shared"))
	if err != nil {
		t.Fatal(err)
	}
	engine, err := wasm.NewEngine("")
	if err != nil {
		t.Fatal(err)
	}
	limits := wasm.Limits{Fuel: 1e12, Memory: 256 << 20, Stack: wasm.ServiceStack, Snapshots: true}
	w := &warm{}
	if w.module, err = engine.Compile(t.Context(), code, wasm.ServiceCaps(), limits); err != nil {
		t.Fatal(err)
	}
	first, err := w.module.Instantiate(t.Context(), wasm.IO{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Call(t.Context(), "warm"); err != nil {
		t.Fatal(err)
	}
	if w.snapshot, err = first.Snapshot(); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", dir, err))
	}
	_ = first.Close(t.Context())
	t.Cleanup(func() {
		if w.instance != nil {
			_ = w.instance.Close(t.Context())
		}
		if err := w.snapshot.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// ready resets the instance or makes another, and counts those made.
func (w *warm) ready(t *testing.T) int {
	t.Helper()
	if w.instance != nil {
		if w.instance.Reset() == nil {
			return 0
		}
		_ = w.instance.Close(t.Context())
	}
	var err error
	if w.instance, err = w.snapshot.Instance(t.Context()); err != nil {
		t.Fatal(err)
	}
	return 1
}
