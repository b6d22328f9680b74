package server

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"barnraise/conformance"
	"barnraise/image"
	"barnraise/runtime"
)

// judgements is a Try that finds what a test says, and remembers what it was asked.
type judgements struct {
	mu     sync.Mutex
	asked  []int // real requests with each
	refuse bool
	breaks error
}

func (j *judgements) try(_ context.Context, _ runtime.Runtime, s conformance.Subject, real []conformance.Answered) (conformance.Report, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.asked = append(j.asked, len(real))
	if j.breaks != nil {
		return conformance.Report{}, j.breaks
	}
	r := conformance.Report{
		Version: 1, Image: s.Image, Passed: !j.refuse,
		Perturbations: []conformance.Perturbation{{Name: "plain", Platform: image.Wasm, Requests: 1}},
		Platforms:     []conformance.Platform{{Platform: image.Wasm}}, Methods: []conformance.Method{{Name: "oracle_ask", Requests: 1}},
	}
	if j.refuse {
		r.Differences = []conformance.Difference{{Method: "oracle_ask", Cause: conformance.CauseClock, Why: "as told", Count: 1}}
	}
	return r, r.Err()
}

func (j *judgements) say(refuse bool, breaks error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.refuse, j.breaks = refuse, breaks
}

func (j *judgements) calls() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return fmt.Sprint(j.asked)
}

func gated(j *judgements) change {
	return func(_ *running, _ *Config, d *Dependencies) { d.Gate, d.Poll = j.try, 30*time.Second }
}

// What passed is not tried again by the next process, what did not is for a day.
func TestGateRemembers(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		j := &judgements{refuse: refuse}
		var data string
		inBubble(t, func(r *running, c *Config, d *Dependencies) { gated(j)(r, c, d); data = c.Data }, func(t *testing.T, r *running) {
			pass(time.Hour)
			if got, want := r.hosts(), map[bool]string{false: "1@1", true: ""}[refuse]; got != want || j.calls() != "[0]" {
				t.Errorf("refused %t: hosts %q, want %q; tried %s", refuse, got, want, j.calls())
			}
			reports, _ := filepath.Glob(filepath.Join(data, "gate", "*.json"))
			if len(reports) != 1 {
				t.Fatalf("reports: %v", reports)
			}
			g := &gate{dir: r.gate.dir, try: j.try, one: make(chan struct{}, 1), now: time.Now}
			at := time.Now()
			if err := os.Chtimes(reports[0], at, at); err != nil { // the disk's clock is not that of the bubble
				t.Fatal(err)
			}
			if found, known := g.known(reports[0]); !known || (found != nil) != refuse || refuse && !strings.Contains(found.Error(), reports[0]) {
				t.Errorf("refused %t: found %v, known %t", refuse, found, known)
			}
			pass(25 * time.Hour)
			if got, want := j.calls(), map[bool]string{false: "[0]", true: "[0 0]"}[refuse]; got != want {
				t.Errorf("refused %t: tried %s within a day, want %s", refuse, got, want)
			}
			if err := os.WriteFile(reports[0], []byte(`{"v":1,"passed":`), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, known := g.known(reports[0]); known {
				t.Error("half a report is taken for one")
			}
		})
	}
}

// A gate that cannot be had is no judgement: the start is tried again.
func TestGateBreaks(t *testing.T) {
	j := &judgements{breaks: conformance.ErrCannot}
	inBubble(t, gated(j), func(t *testing.T, r *running) {
		pass(2 * time.Minute)
		if got := r.hosts(); got != "" {
			t.Errorf("hosts %q", got)
		}
		j.say(false, nil)
		pass(10 * time.Minute)
		if got := r.hosts(); got != "1@1" {
			t.Errorf("hosts %q, tried %s", got, j.calls())
		}
	})
}

// Callers' own requests show what the gate did not see: then the revision is dropped and its offer withdrawn.
func TestRecheck(t *testing.T) {
	j := &judgements{}
	inBubble(t, gated(j), func(t *testing.T, r *running) {
		pass(2 * time.Minute)
		offers := func() string { return fmt.Sprint(r.chain.offers()) }
		if r.hosts() != "1@1" || offers() != "[#1]" {
			t.Fatalf("hosts %q, offers %s", r.hosts(), offers())
		}
		pass(2 * recheckEvery)
		if got := j.calls(); got != "[0]" {
			t.Errorf("tried %s though nobody called", got)
		}
		for range 3 {
			r.post(t, oracle, request)
		}
		pass(2 * recheckEvery)
		if got := j.calls(); got != "[0 3]" || r.hosts() != "1@1" {
			t.Errorf("tried %s, hosts %q", got, r.hosts())
		}
		j.say(false, conformance.ErrCannot)
		r.post(t, oracle, request)
		pass(2 * recheckEvery)
		if r.hosts() != "1@1" {
			t.Error("dropped though it could not be tried")
		}
		j.say(true, nil)
		r.post(t, oracle, request)
		pass(2 * recheckEvery)
		if got := j.calls(); !strings.HasPrefix(got, "[0 3 1 1") || r.hosts() != "" || offers() != "[]" {
			t.Errorf("tried %s, hosts %q, offers %s", got, r.hosts(), offers())
		}
	})
}

func TestSample(t *testing.T) {
	var s sample
	next := uint64(0)
	draw := func(n uint64) uint64 { next++; return next % n }
	for n := range 100 {
		s.offer([]byte{byte(n)}, nil, draw)
	}
	s.offer(make([]byte, sampleSize), []byte("x"), draw)
	calls := s.take()
	if len(calls) != sampleCalls || s.seen != 0 || len(s.take()) != 0 {
		t.Errorf("%d calls of 100", len(calls))
	}
	for _, c := range calls {
		if len(c.Request) != 1 {
			t.Errorf("kept %d bytes", len(c.Request))
		}
	}
	if newest := calls[len(calls)-1].Request[0]; newest < sampleCalls {
		t.Errorf("of those that came later none was kept: %v", calls)
	}
}

// A revision that contradicts itself is dropped, however long the gate takes to see it; and whoever says so again meanwhile has
// it tried once.
func TestDoubted(t *testing.T) {
	j := &judgements{}
	try := func(ctx context.Context, r runtime.Runtime, s conformance.Subject, real []conformance.Answered) (conformance.Report, error) {
		select {
		case <-time.After(5 * time.Minute):
			return j.try(ctx, r, s, real)
		case <-ctx.Done():
			return conformance.Report{}, ctx.Err()
		}
	}
	inBubble(t, func(_ *running, _ *Config, d *Dependencies) { d.Gate, d.Poll = try, 30*time.Second }, func(t *testing.T, r *running) {
		pass(10 * time.Minute)
		if r.hosts() != "1@1" {
			t.Fatalf("%q runs", r.hosts())
		}
		j.say(true, nil)
		for range 3 {
			r.doubt(1, 1)
		}
		r.doubt(1, 2)
		pass(8 * time.Minute)
		if r.hosts() != "" || j.calls() != "[0 0]" {
			t.Errorf("%q runs, tried %s", r.hosts(), j.calls())
		}
		r.doubt(1, 1)
	})
}
