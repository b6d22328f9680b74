package client

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
)

// readings counts how often a registry was read.
type readings struct {
	*network
	n     atomic.Int32
	fail  atomic.Bool
	takes time.Duration
}

func (r *readings) Snapshot(ctx context.Context) (*barnraise.Snapshot, error) {
	r.n.Add(1)
	fail := r.fail.Load()
	select {
	case <-time.After(r.takes):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if fail {
		return nil, errors.New("no RPC endpoint answers")
	}
	return r.network.Snapshot(ctx)
}

func TestAViewOfTheRegistryIsUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 4, "compare")
		r := &readings{network: n}
		c, _ := n.client(1, WithRegistry(r), WithRegistryAge(12*time.Second))
		defer c.Close()
		for _, step := range []struct {
			after time.Duration
			want  int32 // readings so far, when what goes on behind the call is done
			what  string
		}{
			{0, 1, "the first call"},
			{time.Second, 1, "soon after"},
			{2 * time.Second, 2, "old enough to be renewed"},
			{time.Second, 2, "soon after that"},
			{13 * time.Second, 3, "too old to be used"},
		} {
			time.Sleep(step.after)
			call(t, c)
			synctest.Wait()
			if got := r.n.Load(); got != step.want {
				t.Errorf("%s: read %d times, want %d", step.what, got, step.want)
			}
		}
		r.fail.Store(true)
		time.Sleep(5 * time.Second)
		call(t, c) // what was seen last is still good
		time.Sleep(13 * time.Second)
		if _, err := c.Call(t.Context(), "oracle", "ask", nil); err == nil {
			t.Error("a view that is too old was used")
		}
	})
}

// Calls that find their view too old at the same time have it renewed once, and none waits longer than it has time for.
func TestAViewIsRenewedOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 4, "compare")
		r := &readings{network: n, takes: 5 * time.Second}
		c, _ := n.client(1, WithRegistry(r), WithRegistryAge(12*time.Second))
		defer c.Close()
		for round := range int32(2) {
			var group sync.WaitGroup
			for i := range 20 {
				group.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+10*(i%2))*time.Second)
					defer cancel()
					_, err := c.Call(ctx, "oracle", "ask", nil)
					if hasTime := i%2 == 1; hasTime != (err == nil) || err != nil && !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("call %d: %v", i, err)
					}
				})
			}
			group.Wait()
			if got := r.n.Load(); got != round+1 {
				t.Errorf("read %d times, want %d", got, round+1)
			}
			time.Sleep(time.Minute)
		}
		r.fail.Store(true)
		go func() { _, _ = c.Call(t.Context(), "oracle", "ask", nil) }()
		time.Sleep(time.Second)
		r.fail.Store(false)
		call(t, c) // what another has begun fails, and this one asks again
		time.Sleep(time.Minute)
	})
}

func TestWhatIsNotSeenIsLookedForAgain(t *testing.T) {
	n := newNetwork(t, 4, "compare")
	r := &readings{network: n}
	c, _ := n.client(1, WithRegistry(r), WithRegistryAge(time.Hour))
	call(t, c)
	n.services = append(n.services, n.services[0])
	n.services[1].ID = 2
	if _, err := c.Call(t.Context(), "#2", "ask", nil); !errors.Is(err, ErrTooFew) {
		t.Errorf("a service that is new: %v, want ErrTooFew: it is there, and nobody offers it", err)
	}
	if _, err := c.Call(t.Context(), "#3", "ask", nil); err == nil || r.n.Load() != 3 {
		t.Errorf("a service that is not there: %v after %d readings, want an error after three", err, r.n.Load())
	}
}

// Protocol 10.4: what servers say of the registry is a hint, at most once in ten seconds.
func TestProtocol10_4ServersHintAtNewBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 4, "compare")
		for _, m := range n.members {
			m.serve = func(w http.ResponseWriter, r *http.Request) bool {
				w.Header().Set("Barnraise-Registry-Block", "18446744073709551615")
				return false
			}
		}
		r := &readings{network: n}
		c, _ := n.client(1, WithRegistry(r), WithRegistryAge(time.Hour))
		defer c.Close()
		for i, want := range []int32{2, 2, 2, 3} {
			call(t, c)
			synctest.Wait()
			if got := r.n.Load(); got != want {
				t.Errorf("call %d: read %d times, want %d", i, got, want)
			}
			time.Sleep(4 * time.Second)
		}
	})
}

func TestWithoutAnAgeTheRegistryIsReadForEachCall(t *testing.T) {
	n := newNetwork(t, 4, "compare")
	r := &readings{network: n}
	c, _ := n.client(1, WithRegistry(r))
	for range 3 {
		call(t, c)
	}
	if got := r.n.Load(); got != 3 {
		t.Errorf("read %d times for three calls", got)
	}
}

// Where the clock is turned back what was seen last is of no known age: each call sees the registry as it is.
func TestAViewFromTheFutureIsNotUsed(t *testing.T) {
	n := newNetwork(t, 4, "compare")
	now := time.Now()
	r := &readings{network: n}
	c, _ := n.client(1, WithRegistry(r), WithRegistryAge(12*time.Second))
	defer c.Close()
	c.now = func() time.Time { return now }
	first, _, err := c.snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(-time.Hour)
	if s, _, err := c.snapshot(t.Context()); err != nil || s == first {
		t.Errorf("what was seen an hour ahead is shown: %v", err)
	}
	r.fail.Store(true)
	if s, _, err := c.snapshot(t.Context()); err == nil {
		t.Errorf("nobody can be asked, and %p is shown", s)
	}
}
