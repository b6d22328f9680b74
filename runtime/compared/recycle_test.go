package compared

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"barnraise/runtime"
	"barnraise/runtime/docker"
)

const seldom = 1 << 30 // calls after which a container is replaced: never in a test

// BenchmarkRecycling says how long calls take while containers are replaced one after the other as fast as the pool does it at
// all, and while none is; and, so that it shows what of the difference is only the machine's being busy, while none of theirs is
// but those of another service are. It loses no call.
func BenchmarkRecycling(b *testing.B) {
	w := newWorkshop(b)
	often, never := w.docker(b, docker.Config{Answers: 50}), w.docker(b, docker.Config{Answers: seldom, Age: 24 * time.Hour})
	echo := w.build(b, "../../service/testdata/echo", searchLimits(b), nil).spec(linux)
	scenes := []struct {
		name   string
		own    runtime.Runtime
		beside bool
	}{{"steady", never, false}, {"replaced", often, false}, {"others", never, true}}
	took := map[string][]time.Duration{}
	for range 3 { // in turns, since the machine is not the same all the time
		for _, s := range scenes {
			took[s.name] = append(took[s.name], scene(b, s.own, often, s.beside, echo)...)
		}
	}
	slices.Sort(took["steady"])
	twice := 2 * quantile(took["steady"], 0.5)
	for _, s := range scenes {
		slices.Sort(took[s.name])
		b.Run(s.name, func(b *testing.B) { distribution(b, took[s.name], twice) })
	}
}

// scene is how long calls take in four seconds with four callers.
func scene(b *testing.B, own, others runtime.Runtime, beside bool, spec runtime.Spec) []time.Duration {
	i := ready(b, own, spec)
	defer stop(b, i)
	callers, end := 4, time.Now().Add(4*time.Second)
	var all sync.WaitGroup
	defer all.Wait()
	if beside {
		o := ready(b, others, spec)
		defer stop(b, o)
		end = time.Now().Add(4 * time.Second)
		all.Go(func() { paced(b, o, end) })
		callers--
	}
	took := make([][]time.Duration, callers)
	for n := range took {
		all.Go(func() { took[n] = paced(b, i, end) })
	}
	all.Wait()
	return slices.Concat(took...)
}

// paced calls until the end, a millisecond between calls.
func paced(b *testing.B, i runtime.Instance, end time.Time) (took []time.Duration) {
	request := []byte(request("echo", []string{"hello"}))
	for time.Now().Before(end) {
		begun := time.Now()
		if _, err := i.Call(b.Context(), request); err != nil {
			b.Errorf("lost: %v", err)
			return took
		}
		took = append(took, time.Since(begun))
		time.Sleep(time.Millisecond)
	}
	return took
}

// distribution reports what is known of calls: how long they took, and how many in a thousand more than twice the median of calm.
func distribution(b *testing.B, sorted []time.Duration, twice time.Duration) {
	for _, q := range []float64{0.5, 0.9, 0.99, 0.999, 1} {
		b.ReportMetric(float64(quantile(sorted, q).Microseconds()), fmt.Sprintf("p%g-µs", 100*q))
	}
	at, _ := slices.BinarySearch(sorted, twice)
	b.ReportMetric(1000*float64(len(sorted)-at)/float64(len(sorted)), "‰>2×median")
	b.ReportMetric(0, "ns/op")
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[int(q*float64(len(sorted)-1))]
}
