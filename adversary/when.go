package adversary

import (
	"slices"
	"sync"
	"time"

	"barnraise"
)

// whether says of a call if it is lied to.
type whether func(*call) bool

// lies is a liar who chooses when.
func lies(begin func(Given) whether) func(Given) act {
	return func(g Given) act {
		when := begin(g)
		return func(c *call) {
			lie := when(c)
			said := c.honest()
			if lie {
				said.lie(Falsify, g.Key)
			}
			said.send(c.w)
		}
	}
}

func always(Given) whether { return func(*call) bool { return true } }

func rarely(share float64) func(Given) whether {
	return func(g Given) whether { return func(*call) bool { return g.Random() < share } }
}

func hotly(Given) whether {
	asked := newTally[barnraise.Digest]()
	return func(c *call) bool { return asked.next(c.key()) >= hot }
}

func early(Given) whether {
	answered := newTally[string]()
	return func(c *call) bool { return answered.next(c.caller) <= visits }
}

func lately(Given) whether {
	answered := newTally[string]()
	return func(c *call) bool { return answered.next(c.caller) > sleeps }
}

func conspires(g Given) whether {
	return func(c *call) bool { return g.Pact.meet(g.Self, c, window) }
}

// tally counts. It forgets everything before it holds too much.
type tally[K comparable] struct {
	mu     sync.Mutex
	counts map[K]int
}

// mostCounted bounds a tally.
const mostCounted = 1 << 16

func newTally[K comparable]() *tally[K] { return &tally[K]{counts: make(map[K]int)} }

// next is how many times it has been asked for k, this time included.
func (t *tally[K]) next(k K) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.counts) >= mostCounted && t.counts[k] == 0 {
		clear(t.counts)
	}
	t.counts[k]++
	return t.counts[k]
}

// Pact is what those know together who act together.
type Pact struct {
	mu    sync.Mutex
	there map[barnraise.Digest]*meeting // who is asked what
}

// NewPact makes a pact that nobody has joined.
func NewPact() *Pact { return &Pact{there: make(map[barnraise.Digest]*meeting)} }

// meeting is of members that are asked the same.
type meeting struct {
	members []barnraise.ServerID
	enough  chan struct{} // closed once they are
}

// meet holds a call to a member back for a while and reports whether another member is asked the same meanwhile.
func (p *Pact) meet(member barnraise.ServerID, c *call, within time.Duration) bool {
	key := c.key()
	m := p.enter(key, member)
	defer p.leave(key, m)
	t := time.NewTimer(within)
	defer t.Stop()
	select {
	case <-m.enough:
		return true
	case <-t.C:
	case <-c.r.Context().Done():
	}
	return false
}

func (p *Pact) enter(key barnraise.Digest, member barnraise.ServerID) *meeting {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.there[key]
	if m == nil {
		m = &meeting{enough: make(chan struct{})}
		p.there[key] = m
	}
	if !slices.Contains(m.members, member) { // who is asked twice at the same time is alone all the same
		if m.members = append(m.members, member); len(m.members) == together {
			close(m.enough)
		}
	}
	return m
}

// leave ends a meeting for all with the first who leaves: who comes then comes too late.
func (p *Pact) leave(key barnraise.Digest, m *meeting) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.there[key] == m {
		delete(p.there, key)
	}
}
