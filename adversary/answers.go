package adversary

import (
	"net/http"
	"sync"
	"time"

	"barnraise"
)

// noise alters every other answer by chance.
func noise(g Given) act {
	return func(c *call) {
		said := c.honest()
		if g.Random() < noisy {
			for range 1 + int(g.Random()*8) {
				said.lie(Falsify, g.Key)
			}
		}
		said.send(c.w)
	}
}

func slowly(Given) act {
	return func(c *call) {
		said := c.honest()
		c.wait(late)
		said.send(c.w)
	}
}

func silently(Given) act {
	return func(c *call) {
		c.wait(silence)
		http.Error(c.w, "the time that the service has is over", http.StatusGatewayTimeout)
	}
}

// past is what was answered once, under which revision.
type past struct {
	receipt barnraise.Receipt
	body    []byte
}

// mostKept is how many answers are kept by those who use them again.
const mostKept = 1 << 10

// stales keeps what it answers, and says it again where the same is asked of a later revision.
func stales(g Given) act {
	type question struct {
		service barnraise.ServiceID
		request barnraise.Digest
	}
	var mu sync.Mutex
	kept := make(map[question]past)
	return func(c *call) {
		said := c.honest()
		receipt, ok := said.receipt()
		if ok {
			mu.Lock()
			q := question{receipt.Service, receipt.Request}
			before, known := kept[q]
			if !known && len(kept) < mostKept {
				kept[q] = past{receipt, said.body}
			}
			mu.Unlock()
			if known && before.receipt.Revision < receipt.Revision {
				said.become(before.body, receipt, g.Key)
			}
		}
		said.send(c.w)
	}
}

// replays keeps the last two answers to different requests of each revision, and sends the one that is not asked for.
func replays(Given) act {
	var mu sync.Mutex
	kept := make(map[string][2]*answer)
	return func(c *call) {
		said := c.honest()
		receipt, ok := said.receipt()
		if !ok {
			said.send(c.w)
			return
		}
		mu.Lock()
		last := kept[c.r.URL.Path]
		if last[0] == nil || !of(last[0], receipt.Request) {
			last = [2]*answer{said, last[0]}
		}
		kept[c.r.URL.Path] = last
		mu.Unlock()
		if last[1] != nil {
			said = last[1]
		}
		said.send(c.w)
	}
}

// of reports whether an answer is one to that request.
func of(a *answer, request barnraise.Digest) bool {
	r, ok := a.receipt()
	return ok && r.Request == request
}

// turns goes through the ways in which something can be done, one after the other.
type turns struct {
	mu   sync.Mutex
	next int
}

func (t *turns) take(of int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next++
	return (t.next - 1) % of
}

// often holds back what would be done more often than that.
type often struct {
	mu   sync.Mutex
	last time.Time
}

func (o *often) than(every time.Duration, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now.Sub(o.last) < every {
		return true
	}
	o.last = now
	return false
}
