package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"barnraise"
	"barnraise/score"
)

// tally counts what became of calls.
type tally struct {
	mu      sync.Mutex
	truths  int
	errors  map[string]int
	longest time.Duration
}

// outcome names an error that a caller can branch on; empty for any other.
func outcome(err error) string {
	for _, known := range []error{context.DeadlineExceeded, context.Canceled, ErrTooFew, ErrUndecided, ErrUnavailable} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return ""
}

func (y *tally) count(t *testing.T, a *Answer, err error, took time.Duration) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.longest = max(y.longest, took)
	switch {
	case err == nil && string(a.Result) == `{"answer":42}`:
		y.truths++
	case err == nil:
		t.Errorf("a lie was returned: %+v", a)
	case outcome(err) == "":
		t.Errorf("an error that nobody can branch on: %v", err)
	default:
		y.errors[outcome(err)]++
	}
}

// files counts the open file descriptors of this process, where that can be told.
func files() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

// settled waits until count is at most want again, and returns it.
func settled(count func() int, want int) int {
	for range 100 {
		if count() <= want {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return count()
}

// Servers that are killed, paused, cut off and slow, under 64 callers at once: every call ends in time, with the truth or an error to
// branch on, though one server lies; no honest server is struck; and nothing is left behind.
func TestFaultsUnderLoad(t *testing.T) {
	run := 1500 * time.Millisecond
	if *long {
		run = 2 * time.Minute
	}
	for _, v := range []load{
		{name: "strangers", options: []Option{WithRerunner(honestMachine)}},
		{name: "known, and one lies", meet: true, liar: true, options: []Option{WithRerunner(honestMachine)}},
		{name: "known, one lies, and nothing can be executed here", meet: true, liar: true},
	} {
		v.run = run
		t.Run(v.name, func(t *testing.T) {
			goroutines, descriptors := runtime.NumGoroutine(), files()
			t.Run("load", v.test)
			if got := settled(runtime.NumGoroutine, goroutines); got > goroutines {
				b := make([]byte, 1<<20)
				t.Errorf("%d goroutines, %d before:\n%s", got, goroutines, b[:runtime.Stack(b, true)])
			}
			if got := settled(files, descriptors); got > descriptors {
				t.Errorf("%d file descriptors are open, %d before", got, descriptors)
			}
		})
	}
}

// load is one way to be in trouble.
type load struct {
	name       string
	meet, liar bool // all servers are known before the first fault; the last one lies
	options    []Option
	run        time.Duration
}

func (l load) test(t *testing.T) {
	const seed, deadline = 7, 1500 * time.Millisecond
	callers := 64
	if raced {
		callers = 8
	}
	n := newNetwork(t, 8, "compare")
	if l.liar {
		n.members[7].answer = func([]byte) []byte { return lie }
	}
	servers := n.behindFaults(t, seed, 0.3, 300*time.Millisecond)
	forward := n.ahead()
	c, _ := n.client(seed, append(l.options, loopback())...)
	if l.meet {
		for _, m := range n.members {
			if _, err := c.Meet(t.Context(), m.id); err != nil {
				t.Fatal(err)
			}
		}
	}
	y := &tally{errors: make(map[string]int)}
	var over atomic.Bool
	var group sync.WaitGroup
	policies := []score.Policy{score.Default, score.Cheap, score.Paranoid, score.Fast, score.One}
	for i := range callers {
		policy := Under(policies[i%len(policies)])
		group.Go(func() {
			for !over.Load() {
				ctx, cancel := context.WithTimeout(t.Context(), deadline)
				start := time.Now()
				a, err := c.Call(ctx, "oracle", "ask", nil, policy)
				y.count(t, a, err, time.Since(start))
				cancel()
			}
		})
	}
	havoc(servers, l.run, y.something, seed)
	over.Store(true)
	group.Wait()
	t.Logf("%d truths, %v, the longest call took %v", y.truths, y.errors, y.longest)
	if y.longest > deadline+4*time.Second { // one of which is to judge what is there; the rest is for a machine that has much to do
		t.Errorf("a call took %v, its caller had %v", y.longest, deadline)
	}
	if y.truths == 0 {
		t.Error("no call came to anything")
	}
	for _, m := range n.members {
		if honest := !l.liar || m.id != 8; honest && !c.book.Clean(m.id, c.epoch()) {
			t.Errorf("server %d is struck, and told the truth whenever it told anything", m.id)
		}
	}
	if l.meet {
		recovers(t, c)
	}
	if l.liar && len(l.options) > 0 {
		forward(24 * time.Hour) // who failed is left alone for up to an hour, and nobody relies on it for some more: a liar as any other
		catches(t, c, 8)
	}
	c.Close()
	for i, f := range servers {
		if open := settled(f.connections, 0); open > 0 {
			t.Errorf("%d connections to server %d are open after Close", open, i+1)
		}
	}
}

// something reports whether any call came to something.
func (y *tally) something() bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.truths > 0
}

// havoc changes what is wrong with which server, a few times a second, until it is over; then nothing is wrong with any. At most
// five of eight are in trouble at once. It takes longer on a machine so slow that nothing has come of any call by then.
func havoc(servers []*faulty, run time.Duration, something func() bool, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	start := time.Now()
	lasts := func() bool {
		past := time.Since(start)
		return past < run || past < run+time.Minute && !something()
	}
	for ; lasts(); time.Sleep(150 * time.Millisecond) {
		for _, i := range random.Perm(len(servers))[:5] {
			servers[i].set(random.IntN(faults))
		}
		for _, i := range random.Perm(len(servers))[:2] {
			servers[i].set(healthy)
		}
	}
	for _, s := range servers {
		s.set(healthy)
	}
}

// catches wants a liar struck, by now or as soon as it is met on a quiet network: a short run may not have come to that.
func catches(t *testing.T, c *Client, liar barnraise.ServerID) {
	exact, err := score.Exact(1e-3)
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if !c.book.Clean(liar, c.epoch()) {
			return
		}
		_, _ = c.Call(t.Context(), "oracle", "ask", nil, Under(exact)) // five of eight
	}
	t.Error("the liar is not struck")
}

// recovers wants the truth again once nothing is wrong any more.
func recovers(t *testing.T, c *Client) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		a, err := c.Call(ctx, "oracle", "ask", nil)
		if err == nil && string(a.Result) == `{"answer":42}` {
			return
		}
		if ctx.Err() != nil {
			t.Errorf("servers are well again, and it says %v", err)
			return
		}
	}
}
