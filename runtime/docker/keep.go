package docker

import (
	"context"
	"errors"
	"time"
)

// Delays before the next attempt at what failed twice or more in a row.
const (
	firstDelay = 200 * time.Millisecond
	lastDelay  = 30 * time.Second
)

// rest is how many times as long as it took to replace a worn worker none is replaced after it.
const rest = 9

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
