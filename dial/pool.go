package dial

import (
	"sync"
	"time"
)

// Bounds of what is kept for the next exchange.
const (
	idleTimeout = 90 * time.Second
	maxIdle     = 256 // connections in all
	maxIdleAt   = 64  // at one place: as many calls at once find theirs again
)

// place is where a connection leads to.
type place struct{ scheme, host string }

// pool keeps connections that are not in use.
type pool struct {
	mu    sync.Mutex
	all   wire // a ring of what is kept, the longest kept first behind it
	count int
	at    map[place][]*wire
	timer *time.Timer // runs while anything is kept
}

func newPool() *pool {
	p := &pool{at: make(map[place][]*wire)}
	p.all.before, p.all.behind = &p.all, &p.all
	return p
}

// take is the connection to a place that was used last, nil where there is none.
func (p *pool) take(at place) *wire {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.at[at]
	if len(kept) == 0 {
		return nil
	}
	w := p.remove(kept[len(kept)-1])
	if len(p.at) > maxIdle {
		p.clear(at) // else there will soon be another
	}
	return w
}

// put keeps a connection. Where there are too many, the one kept longest ends.
func (p *pool) put(w *wire) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case len(p.at[w.at]) >= maxIdleAt:
		p.drop(p.at[w.at][0])
	case p.count >= maxIdle:
		p.drop(p.all.behind)
	}
	w.since, w.before, w.behind = time.Now(), p.all.before, &p.all
	w.before.behind, w.behind.before = w, w
	p.count++
	p.at[w.at] = append(p.at[w.at], w)
	if p.timer == nil {
		p.timer = time.AfterFunc(idleTimeout, p.expire)
	}
}

// remove forgets a connection. What is kept at a place is in the order of all.
func (p *pool) remove(w *wire) *wire {
	w.before.behind, w.behind.before = w.behind, w.before
	w.before, w.behind = nil, nil
	p.count--
	kept := p.at[w.at]
	last := len(kept) - 1
	if kept[last] != w { // nothing is taken but the first and the last
		copy(kept, kept[1:])
	}
	kept[last] = nil
	p.at[w.at] = kept[:last]
	return w
}

// clear forgets a place where nothing is kept.
func (p *pool) clear(at place) {
	if len(p.at[at]) == 0 {
		delete(p.at, at)
	}
}

// drop ends a connection that is kept.
func (p *pool) drop(w *wire) {
	p.remove(w).close()
	p.clear(w.at)
}

// oldest is what is kept longest, nil where nothing is.
func (p *pool) oldest() *wire {
	if p.count == 0 {
		return nil
	}
	return p.all.behind
}

// expire ends what was kept too long.
func (p *pool) expire() {
	p.closeIdle(time.Now())
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = nil
	if w := p.oldest(); w != nil {
		p.timer = time.AfterFunc(time.Until(w.since.Add(idleTimeout)), p.expire)
	}
}

// closeIdle ends what has been kept for [idleTimeout] by then.
func (p *pool) closeIdle(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := p.oldest(); w != nil && now.Sub(w.since) >= idleTimeout; w = p.oldest() {
		p.drop(w)
	}
}
