package wasm

import (
	"path/filepath"
	goruntime "runtime"
	"slices"
	"testing"
	"time"

	"barnraise/image"
	"barnraise/runtime"
	"barnraise/runtime/suite"
)

// sample is a service of the tree, its image, and a call of it.
func sample(b *testing.B, dir, request string) (*image.Store, runtime.Spec, []byte) {
	b.Helper()
	images, err := image.Open(filepath.Join(b.TempDir(), "images"))
	if err != nil {
		b.Fatal(err)
	}
	built, err := image.Build(b.Context(), images, image.Options{Dir: dir, Platforms: []string{image.Wasm}})
	if err != nil {
		b.Fatal(err)
	}
	return images, suite.SpecOf(b, images, built, image.Wasm), []byte(request)
}

// BenchmarkCall compares what a call may get: an instance that is made for it, one made ahead, one brought back to a snapshot,
// and one that is used again as it is, which no call may have and which bounds the others. How long a call takes is measured
// where an instance is ready, how many there are in a second whatever has to be made ready in between.
func BenchmarkCall(b *testing.B) {
	for _, s := range []struct{ name, dir, request string }{
		{"echo", "../../service/testdata/echo", `{"jsonrpc":"2.0","id":1,"method":"echo","params":["hello"]}`},
		{"search", "../../services/search", `{"jsonrpc":"2.0","id":1,"method":"search_query","params":["sorting slices until the end",5]}`},
	} {
		images, spec, request := sample(b, s.dir, s.request)
		snapshots := newRuntime(b, images, 1, 1)
		for _, m := range []struct {
			name          string
			plain, reused bool
			spares        int
		}{{"fresh", true, false, 0}, {"spare", true, false, 1}, {"snapshot", false, false, 1}, {"reused", false, true, 1}} {
			r, spec := *snapshots, spec
			r.plain, r.Spares, spec.Around.Reused = m.plain, m.spares, m.reused
			b.Run(s.name+"/"+m.name, func(b *testing.B) { benchmarkCall(b, started(b, &r, spec), request) })
		}
	}
}

func benchmarkCall(b *testing.B, i *instance, request []byte) {
	var took []time.Duration
	for b.Loop() {
		for len(i.pool.ready) < min(1, i.pool.ahead) {
			goruntime.Gosched()
		}
		begun := time.Now()
		if _, err := i.Call(b.Context(), request); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(len(took))/b.Elapsed().Seconds(), "calls/s")
	b.ReportMetric(float64(i.Stats().Memory)/1024, "KiB")
	b.ReportMetric(0, "ns/op")
}
