package client

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
)

// readings counts how often a registry was read.
type readings struct {
	*network
	n    atomic.Int32
	fail atomic.Bool
}

func (r *readings) Snapshot(ctx context.Context) (*barnraise.Snapshot, error) {
	r.n.Add(1)
	if r.fail.Load() {
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
