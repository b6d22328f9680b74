package service_test

import (
	"bytes"
	"testing"

	"barnraise/service/servicetest"
)

// A host calls warm once and begins all requests there: a thousand of them are answered like those of a fresh instance, each
// time for the same fuel.
func TestSnapshotAnswersLikeFresh(t *testing.T) {
	requests := []string{
		wire("echo", `{"value":{"b":1,"a":[1.50,"<\u0041>","é"]}}`), wire("count", `["the quick brown fox, ünïcödé and 日本語"]`),
		wire("refuse", `[]`), wire("crash", `[]`), wire("rpc.discover", `{}`), wire("nothing", `[]`), `{`, wire("repeat", `["abcdefgh",65536]`),
	}
	p := servicetest.Program{Reactor: servicetest.Compile(t, servicetest.Build(t, "testdata/echo", "wasip1", "-buildmode=c-shared"))}
	want, used := map[string][]byte{}, map[string]uint64{}
	for _, request := range requests {
		fresh := p.Instance(t)
		want[request] = fresh.Call(t, request)
		fresh.Close(t)
	}
	w := p.Warm(t)
	for n := range 1000 {
		request := requests[n%len(requests)]
		if got := w.Call(t, request); !bytes.Equal(got, want[request]) {
			t.Fatalf("%.80s\nis answered %.200q, want %.200q", request, got, want[request])
		}
		if n < len(requests) {
			used[request] = w.Fuel()
		} else if w.Fuel() != used[request] {
			t.Fatalf("%.80s takes %d units, before %d", request, w.Fuel(), used[request])
		}
	}
}
