package dial

import (
	"container/list"
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
	all   *list.List // of idle, the longest kept first
	at    map[place][]*list.Element
	timer *time.Timer // runs while anything is kept
}

// idle is a connection that is kept.
type idle struct {
	*wire
	since time.Time
}

func newPool() *pool { return &pool{all: list.New(), at: make(map[place][]*list.Element)} }

// take is the connection to a place that was used last, nil where there is none.
func (p *pool) take(at place) *wire {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.at[at]
	if len(kept) == 0 {
		return nil
	}
	return p.remove(kept[len(kept)-1]).wire
}

// put keeps a connection. Where there are too many, the one kept longest ends.
func (p *pool) put(w *wire) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case len(p.at[w.at]) >= maxIdleAt:
		p.remove(p.at[w.at][0]).conn.Close()
	case p.all.Len() >= maxIdle:
		p.remove(p.all.Front()).conn.Close()
	}
	p.at[w.at] = append(p.at[w.at], p.all.PushBack(idle{w, time.Now()}))
	if p.timer == nil {
		p.timer = time.AfterFunc(idleTimeout, p.expire)
	}
}

// remove forgets a connection. What is kept at a place is in the order of all.
func (p *pool) remove(e *list.Element) idle {
	kept := p.all.Remove(e).(idle)
	rest := p.at[kept.at]
	if rest[0] == e {
		rest = rest[1:]
	} else {
		rest = rest[:len(rest)-1] // nothing is taken but the first and the last
	}
	p.at[kept.at] = rest
	if len(rest) == 0 {
		delete(p.at, kept.at)
	}
	return kept
}

// expire ends what was kept too long.
func (p *pool) expire() {
	p.closeIdle(time.Now())
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = nil
	if first := p.all.Front(); first != nil {
		p.timer = time.AfterFunc(time.Until(first.Value.(idle).since.Add(idleTimeout)), p.expire)
	}
}

// closeIdle ends what has been kept for [idleTimeout] by then.
func (p *pool) closeIdle(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for e := p.all.Front(); e != nil && now.Sub(e.Value.(idle).since) >= idleTimeout; e = p.all.Front() {
		p.remove(e).conn.Close()
	}
}
