package devnet

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"barnraise"
	"barnraise/audit"
	"barnraise/client"
	"barnraise/dial"
	"barnraise/score"
)

var long = flag.Bool("long", false, "run all the calls of the tests that count lies: it takes many minutes")

// echoes are services of a program that answers what it was given, under standard verifiers.
func echoes(verifiers ...string) (list []Service) {
	for _, v := range verifiers {
		list = append(list, Service{Name: "echo-" + v, Program: "devnet/testdata/echo", Verifier: v})
	}
	return list
}

// arena is a network in which clients meet some of its servers and not others: one start serves many tests.
type arena struct {
	*Net
	machine *audit.Machine
}

func newArena(t *testing.T, o Options) *arena {
	t.Helper()
	a := &arena{Net: up(t, o)}
	var err error
	if a.machine, err = audit.Open(a.options.Cache, dial.Client(true, 0)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.machine.Close(); err != nil {
			t.Error(err)
		}
	})
	a.late.Store(0)
	return a
}

// honest are the first servers of the arena that are.
func (a *arena) honest(count int) (ids []barnraise.ServerID) {
	for _, m := range a.Servers {
		if m.Adversary == nil && len(ids) < count {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// called are the servers that are adversaries of that name.
func (a *arena) called(name string) (ids []barnraise.ServerID) {
	for _, m := range a.Servers {
		if m.Adversary != nil && m.Adversary.Name == name {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// view is the registry as it would be if only some servers offered anything.
type view struct {
	client.Registry
	servers []barnraise.ServerID
	mu      sync.Mutex
	of, is  *barnraise.Snapshot
}

func (v *view) Snapshot(ctx context.Context) (*barnraise.Snapshot, error) {
	return v.only(v.Registry.Snapshot(ctx))
}

func (v *view) Confirmed(ctx context.Context) (*barnraise.Snapshot, error) {
	return v.only(v.Registry.Confirmed(ctx))
}

func (v *view) only(s *barnraise.Snapshot, err error) (*barnraise.Snapshot, error) {
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if s == v.of {
		return v.is, nil
	}
	servers := s.Servers()
	for i := range servers {
		if !slices.Contains(v.servers, servers[i].ID) {
			servers[i].Offers = nil
		}
	}
	v.of, v.is = s, barnraise.NewSnapshot(s.Registry, s.Block, s.Hash, s.Grace, s.Services(), servers)
	return v.is, nil
}

// memory keeps evidence for a test.
type memory struct {
	mu   sync.Mutex
	kept []barnraise.Evidence
}

func (m *memory) Keep(e barnraise.Evidence) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept = append(m.kept, e)
	return fmt.Sprint("piece ", len(m.kept)), nil
}

// caller is a client that meets some servers.
type caller struct {
	*client.Client
	memory
}

// caller opens a client with draws that repeat.
func (a *arena) caller(t *testing.T, seed byte, servers []barnraise.ServerID, options ...client.Option) *caller {
	t.Helper()
	c := new(caller)
	options = append([]client.Option{
		client.WithRegistry(&view{Registry: a.registry, servers: servers}), client.WithCache(a.options.Cache), client.WithRerunner(a.machine),
		client.WithKeeper(&c.memory), client.WithClock(time.Now, [32]byte{seed}),
	}, options...)
	var err error
	if c.Client, err = client.Open(context.Background(), a.Network, options...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// suspended reports whether the caller asks a server no more.
func (c *caller) suspended(service string, server barnraise.ServerID) (yes bool) {
	d, err := c.Describe(context.Background(), service)
	c.Book(func(b *score.Book) { yes = err != nil || b.Suspended(server, d.Service.ID) })
	return yes
}

// load is what callers ask.
type load struct {
	service string
	policy  score.Policy
	calls   int                      // of each caller
	atOnce  int                      // of each caller; one where zero
	truth   func(said string) string // what the service answers; what it was given where nil
}

// result is what came of a load.
type result struct {
	mu                            sync.Mutex
	calls, wrong, failed, sent    int
	outrun                        int                        // slower than somebody who was asked beside them
	asked, struck, silent, differ map[barnraise.ServerID]int // by server: asked, struck, without an answer to be held to, other than the winner
	agreed                        map[barnraise.ServerID]int
	why                           map[string]int // of errors
	took                          time.Duration
}

func (r *result) String() string {
	return fmt.Sprintf("%d calls, %.0f/s, %.2f requests each: %d wrong, %d errors; struck %v, failed %v, differ %v, outrun %d %v", r.calls,
		float64(r.calls)/r.took.Seconds(), float64(r.sent)/float64(max(1, r.calls)), r.wrong, r.failed, r.struck, r.silent, r.differ, r.outrun, r.why)
}

// play puts a load on callers, one after the other, and compares every answer with the truth.
func play(t *testing.T, l load, callers ...*caller) *result {
	t.Helper()
	r := &result{
		asked: make(map[barnraise.ServerID]int), struck: make(map[barnraise.ServerID]int), silent: make(map[barnraise.ServerID]int),
		differ: make(map[barnraise.ServerID]int), agreed: make(map[barnraise.ServerID]int), why: make(map[string]int),
	}
	start := time.Now()
	for _, c := range callers {
		var next atomic.Int64
		var group sync.WaitGroup
		for range max(1, l.atOnce) {
			group.Go(func() {
				for i := next.Add(1); i <= int64(l.calls); i = next.Add(1) {
					r.add(c, l, int(i-1))
				}
			})
		}
		group.Wait()
	}
	r.took = time.Since(start)
	return r
}

// add makes one call.
func (r *result) add(c *caller, l load, i int) {
	truth := fmt.Sprintf(`"truth %08d"`, i)
	a, err := c.Call(context.Background(), l.service, "echo", []byte(`{"value":`+truth+`}`), client.Under(l.policy))
	if l.truth != nil {
		truth = l.truth(truth)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	var asked []client.Asked
	var undecided *client.UndecidedError
	var few *client.TooFewError
	switch {
	case err == nil:
		asked = a.Asked
		if r.sent += a.Requests; string(a.Result) != truth {
			r.wrong++
		}
	case errors.As(err, &undecided):
		asked = undecided.Asked
	case errors.As(err, &few):
		asked = few.Asked
	}
	if err != nil {
		r.failed++
		why, _, _ := strings.Cut(err.Error(), "; evidence")
		r.why[why]++
	}
	for _, v := range asked {
		r.asked[v.Server]++
		switch v.Outcome {
		case client.OutcomeStruck:
			r.struck[v.Server]++
		case client.OutcomeFailed:
			if strings.HasPrefix(v.Why, "another, asked because it took long") {
				r.outrun++
			} else {
				r.silent[v.Server]++
			}
		case client.OutcomeAgreed:
			r.agreed[v.Server]++
		case client.OutcomeDiffers:
			r.differ[v.Server]++
		}
	}
}

// convicted are the servers that the evidence of callers proves guilty to whoever runs the image himself. Nobody else may be doubted.
func convicted(t *testing.T, callers ...*caller) []barnraise.ServerID {
	t.Helper()
	guilty := make(map[barnraise.ServerID]bool)
	for _, c := range callers {
		c.mu.Lock()
		kept := slices.Clone(c.kept)
		c.mu.Unlock()
		for _, e := range kept[:min(len(kept), 20)] {
			found, err := c.Recheck(t.Context(), e, true)
			if err != nil {
				t.Errorf("recheck: %v", err)
				continue
			}
			if len(found.Culprits) == 0 || len(found.Doubtful) > 0 {
				t.Errorf("evidence of %s shows %+v", e.Request, found.Recheck)
			}
			for _, id := range found.Culprits {
				guilty[id] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(guilty))
}
