package docker

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"barnraise/runtime"
)

// worker is what a pool keeps: a container.
type worker interface {
	// exchange hands a request over. It is called by many at once. It fails with runtime.ErrBroke, and when the context ends
	// first, with what it ended for, at once.
	exchange(ctx context.Context, until time.Time, request []byte, most int64) (outcome, error)
	// gone delivers once, when the worker has ended by itself, why.
	gone() <-chan error
	// remove leaves nothing of it, or fails, and may be called again.
	remove(ctx context.Context) error
}

// outcome is what came of an exchange.
type outcome struct {
	answer []byte
	fit    bool // the worker can be used again
	// wait is there where the context ended first: it returns when the worker is through with the request all the same, or
	// the time is over until when it may be, and reports whether it can be used again.
	wait func() (fit bool)
}

// pool keeps so many workers ready, and replaces each when it is worn out, or ends.
type pool struct {
	make    func(context.Context) (worker, error)
	answers int           // calls after which a worker is worn out, give or take a quarter; zero means never
	age     time.Duration // and the time; zero means never
	chance  func() float64

	mu       sync.Mutex
	ready    []*member
	changed  chan struct{} // closed when calls that wait should look again
	failures int           // in a row, with no answer between them
	err      error         // the last of them, while the next attempt has to wait
	restarts uint64

	ctx    context.Context // of all that is done in the background
	cancel context.CancelFunc
	inside sync.WaitGroup
	turn   chan struct{} // worn workers are replaced one after the other
	rested time.Time     // when the next one may be; whose turn it is guards it
}

// member is a worker in the pool. All but the channels is guarded by the pool's mutex.
type member struct {
	worker
	left int           // calls until it is worn out
	busy int           // calls in it
	worn chan struct{} // closed when it is worn out
	bad  chan struct{} // closed when it is not fit any more
	out  bool          // no call comes to it any more
	idle chan struct{} // closed when it is out and none is left in it
}

// newPool keeps the first worker and as many more as there are to be.
func newPool(first worker, size int, p *pool) *pool {
	p.changed, p.turn = make(chan struct{}), make(chan struct{}, 1)
	p.ctx, p.cancel = context.WithCancel(context.Background())
	m := p.member(first)
	p.enlist(m)
	p.inside.Go(func() { p.keep(m) })
	for range size - 1 {
		p.inside.Go(func() {
			if m := p.successor(); m != nil {
				p.keep(m)
			}
		})
	}
	return p
}

func (p *pool) member(w worker) *member {
	m := &member{worker: w, left: -1, worn: make(chan struct{}), bad: make(chan struct{}), idle: make(chan struct{})}
	if p.answers > 0 {
		m.left = max(1, int(float64(p.answers)*p.about()))
	}
	return m
}

// about is one, give or take a quarter.
func (p *pool) about() float64 { return 0.75 + p.chance()/2 }

// take returns a ready worker by chance, to be given back. It waits for one within the context, unless the last attempts to
// make one have failed. It fails with ErrNotReady and ErrTimeout.
func (p *pool) take(ctx context.Context) (*member, error) {
	for {
		p.mu.Lock()
		if n := len(p.ready); n > 0 {
			m := p.ready[min(int(p.chance()*float64(n)), n-1)]
			m.busy++
			if m.left--; m.left == 0 {
				close(m.worn)
			}
			p.mu.Unlock()
			return m, nil
		}
		err, changed := p.err, p.changed
		p.mu.Unlock()
		if err != nil {
			return nil, fmt.Errorf("%w: %v", runtime.ErrNotReady, err)
		}
		select {
		case <-changed:
		case <-p.ctx.Done():
			return nil, runtime.ErrNotReady
		case <-ctx.Done():
			return nil, runtime.OutOfTime(ctx)
		}
	}
}

// give returns a worker after a call. An answer shows that the service can be made to run.
func (p *pool) give(m *member, answered, fit bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if answered {
		p.failures = 0
	}
	if !fit && !m.out {
		p.drop(m)
		close(m.bad)
	}
	if m.busy--; m.busy == 0 && m.out {
		close(m.idle)
	}
}

// drop takes a member out of what is ready. The caller holds the lock, and closes idle where nobody is in it.
func (p *pool) drop(m *member) {
	m.out = true
	p.ready = slices.DeleteFunc(p.ready, func(other *member) bool { return other == m })
}

func (p *pool) enlist(m *member) {
	p.mu.Lock()
	p.ready = append(p.ready, m)
	p.err = nil
	p.wake()
	p.mu.Unlock()
}

// wake makes the calls that wait look again. The caller holds the lock.
func (p *pool) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// health is nil where a worker is ready, and else says why none is.
func (p *pool) health() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.ctx.Err() != nil:
		return runtime.ErrNotReady
	case len(p.ready) > 0:
		return nil
	case p.err != nil:
		return fmt.Errorf("%w: %v", runtime.ErrBroke, p.err)
	}
	return fmt.Errorf("%w: it is being made to run again", runtime.ErrNotReady)
}

// close removes all workers when no call is left in them, and returns when that is done.
func (p *pool) close() {
	p.cancel()
	p.inside.Wait()
}

// workers lists those that are ready.
func (p *pool) workers() (all []worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.ready {
		all = append(all, m.worker)
	}
	return all
}

// restarted is how often a worker had to be replaced because it ended.
func (p *pool) restarted() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.restarts
}
