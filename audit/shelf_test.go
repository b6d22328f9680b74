package audit

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/image"
	"barnraise/runtime"
)

// slow starts everything within an hour, or fails as it is told to. It does so without looking at the clock of the machine.
type slow struct {
	mu     sync.Mutex
	starts []runtime.Spec
	ended  int // starts that were given up
	runs   map[runtime.Spec]int
	fails  error
}

const startTakes = time.Hour

func (s *slow) Platforms(context.Context) []string { return []string{image.Wasm} }

func (s *slow) Start(ctx context.Context, spec runtime.Spec) (runtime.Instance, error) {
	s.mu.Lock()
	s.starts = append(s.starts, spec)
	fails := s.fails
	s.mu.Unlock()
	select {
	case <-time.After(startTakes):
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ended++
		return nil, ctx.Err()
	}
	if fails != nil {
		return nil, fails
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs[spec]++
	return running{s, spec}, nil
}

func (s *slow) running() (specs []runtime.Spec) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for spec, n := range s.runs {
		for range n {
			specs = append(specs, spec)
		}
	}
	return specs
}

type running struct {
	of   *slow
	spec runtime.Spec
}

func (r running) Call(context.Context, []byte) ([]byte, error) { return []byte("{}"), nil }
func (r running) Health(context.Context) error                 { return nil }

func (r running) Stats() runtime.Stats { return runtime.Stats{} }
func (r running) Stop(context.Context) error {
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	r.of.runs[r.spec]--
	return nil
}

func spec(n byte) runtime.Spec { return runtime.Spec{Image: barnraise.Digest{n}} }

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// onShelf tells a story with a shelf, and sees to it that nothing is left of it.
func onShelf(t *testing.T, story func(t *testing.T, s *shelf, r *slow)) {
	synctest.Test(t, func(t *testing.T) {
		r := &slow{runs: make(map[runtime.Spec]int)}
		s := newShelf(r)
		story(t, s, r)
		if err := s.close(); err != nil {
			t.Error(err)
		}
		if left := r.running(); len(left) > 0 {
			t.Errorf("%d still run after the end", len(left))
		}
		if _, err := s.take(t.Context(), spec(1)); !errors.Is(err, runtime.ErrNotReady) {
			t.Errorf("taken after the end: %v, want ErrNotReady", err)
		}
	})
}

func TestStartHoldsUpNobodyElse(t *testing.T) {
	onShelf(t, func(t *testing.T, s *shelf, r *slow) {
		there, err := s.take(t.Context(), spec(1))
		if err != nil {
			t.Fatal(err)
		}
		s.giveBack(there)
		var group sync.WaitGroup
		group.Go(func() {
			if i, err := s.take(t.Context(), spec(2)); err != nil {
				t.Error(err)
			} else {
				s.giveBack(i)
			}
		})
		synctest.Wait()
		start := time.Now()
		if there, err = s.take(t.Context(), spec(1)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 0 {
			t.Errorf("what runs was to be had after %s, while another started", took)
		}
		s.giveBack(there)
		group.Wait()
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	onShelf(t, func(t *testing.T, s *shelf, r *slow) {
		var group sync.WaitGroup
		group.Go(func() {
			start := time.Now()
			if _, err := s.take(within(t, time.Second), spec(1)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the first: %v, want its deadline", err)
			}
			if took := time.Since(start); took != time.Second {
				t.Errorf("the first waited %s", took)
			}
		})
		group.Go(func() {
			if i, err := s.take(t.Context(), spec(1)); err != nil {
				t.Errorf("the second, for whom it goes on: %v", err)
			} else {
				s.giveBack(i)
			}
		})
		group.Wait()
		if len(r.starts) != 1 {
			t.Errorf("%d starts, want one for both", len(r.starts))
		}
	})
}

func TestStartEndsWhenNobodyWaits(t *testing.T) {
	onShelf(t, func(t *testing.T, s *shelf, r *slow) {
		var group sync.WaitGroup
		for n := range 3 {
			group.Go(func() {
				if _, err := s.take(within(t, time.Duration(n+1)*time.Second), spec(1)); err == nil {
					t.Error("it had an hour")
				}
			})
		}
		group.Wait()
		synctest.Wait()
		if r.ended != 1 || len(r.starts) != 1 {
			t.Errorf("%d starts, %d given up, want one and one", len(r.starts), r.ended)
		}
		i, err := s.take(t.Context(), spec(1))
		if err != nil {
			t.Fatal(err)
		}
		s.giveBack(i)
	})
}

func TestFailedStartIsTriedAgain(t *testing.T) {
	onShelf(t, func(t *testing.T, s *shelf, r *slow) {
		r.fails = runtime.ErrBroke
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				if _, err := s.take(t.Context(), spec(1)); !errors.Is(err, runtime.ErrBroke) {
					t.Errorf("%v, want ErrBroke", err)
				}
			})
		}
		group.Wait()
		r.fails = nil
		i, err := s.take(t.Context(), spec(1))
		if err != nil {
			t.Fatal(err)
		}
		s.giveBack(i)
		if len(r.starts) != 2 {
			t.Errorf("%d starts, want two", len(r.starts))
		}
	})
}

func TestIdleOnesAreBounded(t *testing.T) {
	onShelf(t, func(t *testing.T, s *shelf, r *slow) {
		take := func(n byte) *item {
			i, err := s.take(t.Context(), spec(n))
			if err != nil {
				t.Fatal(err)
			}
			return i
		}
		used := take(0)
		for n := range byte(Idle) {
			s.giveBack(take(n + 1))
		}
		s.giveBack(take(1)) // used again: now 2 is the one used longest ago
		before := len(r.starts)
		s.giveBack(take(100))
		s.giveBack(take(101))
		synctest.Wait()
		got := r.running()
		slices.SortFunc(got, func(a, b runtime.Spec) int { return int(a.Image[0]) - int(b.Image[0]) })
		want := []runtime.Spec{spec(0), spec(1)}
		for n := byte(4); n <= Idle; n++ {
			want = append(want, spec(n))
		}
		if want = append(want, spec(100), spec(101)); !slices.Equal(got, want) {
			t.Errorf("there run %v", got)
		}
		s.giveBack(take(1))
		if len(r.starts) != before+2 {
			t.Errorf("%d starts, want %d: what runs is started again", len(r.starts), before+2)
		}
		s.giveBack(used)
	})
}

func TestCloseEndsStarts(t *testing.T) {
	onShelf(t, func(t *testing.T, s *shelf, r *slow) {
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := s.take(t.Context(), spec(1)); !errors.Is(err, runtime.ErrNotReady) {
				t.Errorf("%v, want ErrNotReady", err)
			}
		})
		synctest.Wait()
		start := time.Now()
		if err := s.close(); err != nil || time.Since(start) > 0 {
			t.Errorf("closed after %s: %v", time.Since(start), err)
		}
		group.Wait()
	})
}
