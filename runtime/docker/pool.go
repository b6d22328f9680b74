package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"barnraise/runtime"
)

// worker is what a pool keeps: a container.
type worker interface {
	// exchange hands a request over. It is called by many at once. fit is false where the worker is not to be used any more.
	exchange(ctx context.Context, request []byte, most int64) (answer []byte, fit bool, err error)
	// gone delivers once, when the worker has ended by itself, why.
	gone() <-chan error
	// remove leaves nothing of it, or fails, and may be called again.
	remove(ctx context.Context) error
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

// Delays before the next attempt at what failed twice or more in a row.
const (
	firstDelay = 200 * time.Millisecond
	lastDelay  = 30 * time.Second
)

// rest is how many times as long as it took to replace a worn worker none is replaced after it.
const rest = 9

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
			return nil, outOfTime(ctx)
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

// keep has one member after the other in the pool until it is closed.
func (p *pool) keep(m *member) {
	for m != nil {
		why, worn := p.last(m)
		if worn {
			why, worn = p.turns(m)
		}
		if worn {
			next := p.relief()
			p.retire(m)
			m = next
			continue
		}
		p.retire(m)
		p.failed(why, true)
		m = p.successor()
	}
}

// successor makes a member and has it take calls. It returns nil when the pool is closed.
func (p *pool) successor() *member {
	m := p.next()
	if m != nil {
		p.enlist(m)
	}
	return m
}

// last returns when the member has to be replaced, and whether it can still be used until it is.
func (p *pool) last(m *member) (why error, worn bool) {
	var old <-chan time.Time
	if p.age > 0 {
		t := time.NewTimer(time.Duration(float64(p.age) * p.about()))
		defer t.Stop()
		old = t.C
	}
	select {
	case why := <-m.gone():
		return why, false
	case <-m.bad:
		return p.verdict(m), false
	case <-m.worn:
	case <-old:
	case <-p.ctx.Done():
	}
	return nil, true
}

// verdict is why a member is not fit: that it has ended says more.
func (p *pool) verdict(m *member) error {
	select {
	case why := <-m.gone():
		return why
	default:
		return errors.New("it did not answer in time, or does not take connections any more")
	}
}

// turns waits for a worn member's turn to be replaced, which relief ends. To make a successor takes processor time from those
// that answer, so there is a pause after each. worn is false, and it is nobody's turn, where the member ended while it waited.
func (p *pool) turns(m *member) (why error, worn bool) {
	select {
	case p.turn <- struct{}{}:
	case why := <-m.gone():
		return why, false
	case <-m.bad:
		return p.verdict(m), false
	case <-p.ctx.Done():
		return nil, true
	}
	rested := time.NewTimer(time.Until(p.rested))
	defer rested.Stop()
	select {
	case <-rested.C:
	case why = <-m.gone():
		<-p.turn
		return why, false
	case <-m.bad:
		<-p.turn
		return p.verdict(m), false
	case <-p.ctx.Done():
	}
	return nil, true
}

// relief is a successor of one that is worn out, which goes on taking calls until it is there. It returns nil when the pool is
// closed.
func (p *pool) relief() *member {
	begun := time.Now()
	next := p.successor()
	if next != nil {
		p.rested = time.Now().Add(rest * time.Since(begun))
		<-p.turn
	}
	return next
}

// retire takes a member out and removes it in the background when no call is left in it.
func (p *pool) retire(m *member) {
	p.mu.Lock()
	if !m.out {
		p.drop(m)
		if m.busy == 0 {
			close(m.idle)
		}
	}
	p.mu.Unlock()
	p.inside.Go(func() {
		<-m.idle
		for pause := firstDelay; m.remove(context.Background()) != nil; pause = min(2*pause, 5*time.Second) {
			time.Sleep(pause)
		}
	})
}

// next makes a member, however often it takes. It returns nil when the pool is closed.
func (p *pool) next() *member {
	for p.pause() {
		w, err := p.make(p.ctx)
		if err == nil {
			return p.member(w)
		}
		if p.ctx.Err() == nil {
			p.failed(err, false)
		}
	}
	return nil
}

// pause waits as long as the failures in a row demand, and reports whether the pool is still open.
func (p *pool) pause() bool {
	p.mu.Lock()
	var delay time.Duration
	if p.failures > 1 {
		delay = min(firstDelay<<min(p.failures-2, 16), lastDelay)
		delay = time.Duration(float64(delay) * p.about())
	}
	p.mu.Unlock()
	t := time.NewTimer(delay)
	defer t.Stop()
	select {
	case <-t.C:
	case <-p.ctx.Done():
	}
	return p.ctx.Err() == nil
}

// failed counts a failure: a worker that ended, or one that could not be made.
func (p *pool) failed(err error, ended bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures++
	if ended {
		p.restarts++
	}
	if p.failures > 1 {
		p.err = err
		p.wake()
	}
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

// outOfTime says what the context ended of.
func outOfTime(ctx context.Context) error {
	return fmt.Errorf("%w: %w", runtime.ErrTimeout, context.Cause(ctx))
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
