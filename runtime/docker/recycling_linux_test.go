package docker

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkRecycling says how long calls take while a container is being replaced, from its successor's first moment to a while
// after it has gone, and how long in the time between, in one run of forty seconds with four callers: so the machine is the same
// for both. Containers wear out as fast as the pool replaces them at all. No call is lost. Run it with -benchtime 1x.
func BenchmarkRecycling(b *testing.B) {
	r := newRuntime(b, Config{Answers: 50})
	i := start(b, r, hostile(b, r.Images, oddity{}))
	eventually(b, 10*time.Second, "two are ready", func() bool { return len(i.pool.workers()) == 2 })
	end := time.Now().Add(40 * time.Second)
	var busy atomic.Bool
	var all sync.WaitGroup
	var replaced int
	all.Go(func() { replaced = i.replacing(&busy, end) })
	took := make([][2][]time.Duration, 4)
	for n := range took {
		all.Go(func() {
			for time.Now().Before(end) {
				during, begun := busy.Load(), time.Now()
				if got, err := call(i, "echo", "x"); got != `"x"` || err != nil {
					b.Errorf("%s, %v", got, err)
					return
				}
				at := 0
				if during || busy.Load() {
					at = 1
				}
				took[n][at] = append(took[n][at], time.Since(begun))
				time.Sleep(time.Millisecond)
			}
		})
	}
	all.Wait()
	var both [2][]time.Duration
	for _, t := range took {
		both[0], both[1] = append(both[0], t[0]...), append(both[1], t[1]...)
	}
	slices.Sort(both[0])
	for at, name := range []string{"between", "while"} {
		b.Run(name, func(b *testing.B) { distribution(b, both[at], both[0][len(both[0])/2]) })
	}
	b.Logf("%d containers were replaced", replaced)
}

// replacing keeps busy true while a container is being replaced, until the end, and returns how many were.
func (i *instance) replacing(busy *atomic.Bool, end time.Time) (replaced int) {
	known := i.service.runtime.made.Load()
	for ; time.Now().Before(end); time.Sleep(time.Millisecond) {
		made := i.service.runtime.made.Load()
		if made == known {
			continue
		}
		busy.Store(true)
		for !i.has(made) && time.Now().Before(end) {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(500 * time.Millisecond) // the old one is removed
		busy.Store(false)
		known = made
		replaced++
	}
	return replaced
}

// has says whether that container takes calls.
func (i *instance) has(number uint64) bool {
	return slices.ContainsFunc(i.pool.workers(), func(w worker) bool {
		return strings.HasSuffix(w.(*container).name, "-"+strconv.FormatUint(number, 10))
	})
}

// distribution reports how long calls took, and how many in a thousand took more than twice the median.
func distribution(b *testing.B, took []time.Duration, median time.Duration) {
	slices.Sort(took)
	for _, q := range []float64{50, 90, 99, 99.9, 100} {
		b.ReportMetric(float64(took[int(q/100*float64(len(took)-1))].Microseconds()), fmt.Sprintf("p%g-µs", q))
	}
	at, _ := slices.BinarySearch(took, 2*median)
	b.ReportMetric(1000*float64(len(took)-at)/float64(len(took)), "‰>2×median")
	b.ReportMetric(float64(len(took)), "calls")
	b.ReportMetric(0, "ns/op")
}
