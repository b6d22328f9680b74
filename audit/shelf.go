package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"barnraise/runtime"
)

// Idle is how many variants are kept running though nobody uses them: each holds instances that were made ahead.
const Idle = 4

// shelf starts variants, each once for all who want it at the same time, and keeps the most recently used ones running. While
// one starts, whatever it takes, the others are there for whoever wants them.
type shelf struct {
	runtime runtime.Runtime

	mu      sync.Mutex
	closed  bool
	shelved map[runtime.Spec]*item
	clock   uint64         // ticks with every use
	stops   sync.WaitGroup // what is being stopped in the background
}

// item is a variant that runs, or is being started.
type item struct {
	spec   runtime.Spec
	cancel context.CancelFunc // of the start
	users  int                // under the shelf's mutex, like used
	used   uint64

	done chan struct{} // closed once it runs or failed to; then what follows stands
	runtime.Instance
	err error
}

func newShelf(r runtime.Runtime) *shelf {
	return &shelf{runtime: r, shelved: make(map[runtime.Spec]*item)}
}

// take returns a variant that runs, and starts it where it does not. It is to be given back. A start goes on as long as
// somebody waits for it; it fails for all who do.
func (s *shelf) take(ctx context.Context, spec runtime.Spec) (*item, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, closed(spec)
	}
	i, ok := s.shelved[spec]
	if !ok {
		start, cancel := context.WithCancel(context.WithoutCancel(ctx))
		i = &item{spec: spec, cancel: cancel, done: make(chan struct{})}
		s.shelved[spec] = i
		go s.start(start, i)
	}
	i.users++
	s.mu.Unlock()
	select {
	case <-i.done:
	case <-ctx.Done():
		s.giveBack(i)
		return nil, fmt.Errorf("wait for the start of %s: %w", spec.Image, context.Cause(ctx))
	}
	if i.err == nil {
		return i, nil
	}
	s.giveBack(i)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, closed(spec)
	}
	return nil, i.err
}

// alone starts a variant that is not shelved: it is the caller's, to stop before the machine is closed.
func (s *shelf) alone(ctx context.Context, spec runtime.Spec) (runtime.Instance, error) {
	s.mu.Lock()
	shut := s.closed
	s.mu.Unlock()
	if shut {
		return nil, closed(spec)
	}
	return s.runtime.Start(ctx, spec)
}

func closed(spec runtime.Spec) error {
	return fmt.Errorf("start %s: the machine is closed: %w", spec.Image, runtime.ErrNotReady)
}

func (s *shelf) start(ctx context.Context, i *item) {
	defer i.cancel()
	i.Instance, i.err = s.runtime.Start(ctx, i.spec)
	if i.err != nil {
		s.mu.Lock()
		s.forget(i)
		s.mu.Unlock()
	}
	close(i.done)
}

// forget takes a variant off the shelf, where it still is, so that the next who wants it starts it anew.
func (s *shelf) forget(i *item) {
	if s.shelved[i.spec] == i {
		delete(s.shelved, i.spec)
	}
}

// giveBack says that a taken variant is not used any more. Where it is still being started for nobody, that ends. Of those that
// nobody uses, the ones used longest ago are stopped where they are too many.
func (s *shelf) giveBack(i *item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock++
	i.users, i.used = i.users-1, s.clock
	if i.users > 0 || s.shelved[i.spec] != i {
		return
	}
	select {
	case <-i.done:
	default:
		s.discard(i)
	}
	for oldest := s.oldest(); oldest != nil; oldest = s.oldest() {
		s.discard(oldest)
	}
}

// oldest returns what was used longest ago of the variants that nobody uses, and nil where they are not too many.
func (s *shelf) oldest() (oldest *item) {
	idle := 0
	for _, i := range s.shelved {
		if i.users > 0 {
			continue
		}
		if idle++; oldest == nil || i.used < oldest.used {
			oldest = i
		}
	}
	if idle <= Idle {
		return nil
	}
	return oldest
}

// discard stops a variant in the background: calls whose callers are gone may still run.
func (s *shelf) discard(i *item) {
	s.forget(i)
	s.stops.Go(func() { _ = i.stop() })
}

func (i *item) stop() error {
	i.cancel()
	<-i.done
	if i.err != nil {
		return nil
	}
	return i.Stop(context.Background())
}

// close stops everything and waits until it is stopped.
func (s *shelf) close() error {
	s.mu.Lock()
	s.closed = true
	var all []*item
	for spec, i := range s.shelved {
		all = append(all, i)
		delete(s.shelved, spec)
	}
	s.mu.Unlock()
	errs := make([]error, len(all))
	var group sync.WaitGroup
	for n, i := range all {
		group.Go(func() { errs[n] = i.stop() })
	}
	group.Wait()
	s.stops.Wait()
	return errors.Join(errs...)
}
