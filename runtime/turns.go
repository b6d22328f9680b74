package runtime

import (
	"context"
	"fmt"
	"sync"
)

// Turns lets calls of one service through, so many at once, until it is stopped: what every implementation of [Instance] needs to
// keep what Call and Stop promise. It is safe for concurrent use.
type Turns struct {
	slots    chan struct{}
	mu       sync.Mutex // guards the order of inside.Add and inside.Wait
	inside   sync.WaitGroup
	stopping chan struct{} // closed by the first Stop
	stopped  chan struct{} // closed when nobody is inside any more, and the cleaning up is done
}

// NewTurns lets that many calls through at once.
func NewTurns(most int) *Turns {
	return &Turns{slots: make(chan struct{}, most), stopping: make(chan struct{}), stopped: make(chan struct{})}
}

// Enter waits for a turn; who has one calls [Turns.Leave] and [Turns.Done]. It fails with [ErrNotReady] once it is stopped, and
// with [ErrTimeout] when the context ends first.
func (t *Turns) Enter(ctx context.Context) error {
	if !t.add() {
		return ErrNotReady
	}
	err := ctx.Err()
	if err == nil {
		select {
		case t.slots <- struct{}{}:
			return nil
		case <-ctx.Done():
		case <-t.stopping:
			t.Done()
			return ErrNotReady
		}
	}
	t.Done()
	return OutOfTime(ctx)
}

func (t *Turns) add() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.Stopped() {
		return false
	}
	t.inside.Add(1)
	return true
}

// Leave ends a turn: another call may begin.
func (t *Turns) Leave() { <-t.slots }

// Done says that nothing is left to do of what Enter began.
func (t *Turns) Done() { t.inside.Done() }

// Go runs what Stop is to wait for as well. It is for the beginning, before anybody can call Stop.
func (t *Turns) Go(f func()) { t.inside.Go(f) }

// Stopping is closed once no call is let through any more.
func (t *Turns) Stopping() <-chan struct{} { return t.stopping }

// Stopped reports whether no call is let through any more.
func (t *Turns) Stopped() bool {
	select {
	case <-t.stopping:
		return true
	default:
		return false
	}
}

// Stop lets no more calls through, waits for those inside, and for cleanUp after them, which runs once however often Stop is
// called. When the context ends first, it fails with its error; all goes on, and Stop may be called again to wait again.
func (t *Turns) Stop(ctx context.Context, cleanUp func()) error {
	t.mu.Lock()
	if !t.Stopped() {
		close(t.stopping)
		go func() {
			t.inside.Wait()
			cleanUp()
			close(t.stopped)
		}()
	}
	t.mu.Unlock()
	select {
	case <-t.stopped:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// OutOfTime is [ErrTimeout], and what the context ended of.
func OutOfTime(ctx context.Context) error {
	return fmt.Errorf("%w: %w", ErrTimeout, context.Cause(ctx))
}
