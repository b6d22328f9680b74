package evidence

import (
	"slices"
	"time"

	"barnraise"
	"barnraise/score"
)

// Bounds of what waits to be looked at.
const (
	mostWaiting = 256 // pieces
	mostOfOne   = 8   // pieces of one sender
)

// The ranks of what waits, added up: what is lower goes first (protocol 8.2).
const (
	rankRegistered = 1   // signed by a server that this one does not rely on
	rankAnonymous  = 2   // signed by nobody
	rankStrangers  = 10  // about none that this server relies on
	rankDoubtful   = 100 // from who is suspended, or sent what did not hold
)

// enqueue has evidence wait in its place, and reports whether there was room for it.
func (x *Exchange) enqueue(o *offer) bool {
	o.rank = x.rank(o)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.discredited.has(o.sender.name, x.Now()) {
		o.rank += rankDoubtful
	}
	if !x.waiting.add(o) {
		return false
	}
	select {
	case x.more <- struct{}{}:
	default:
	}
	return true
}

func (x *Exchange) rank(o *offer) (rank int) {
	if o.own {
		return -1
	}
	switch {
	case o.sender.server == 0:
		rank = rankAnonymous
	case !x.used(o.sender.server):
		rank = rankRegistered
	}
	if !slices.ContainsFunc(o.evidence.Answers, func(a barnraise.Answer) bool { return a.Server == x.Self() || x.used(a.Server) }) {
		rank += rankStrangers
	}
	if x.suspended(o.sender.server, o.evidence.Service) {
		rank += rankDoubtful
	}
	return rank
}

func (x *Exchange) suspended(server barnraise.ServerID, service barnraise.ServiceID) (yes bool) {
	if server != 0 {
		x.Book(func(b *score.Book) { yes = b.Suspended(server, service) || b.Convicted(server, x.Epoch()) })
	}
	return yes
}

// sender is who sent a piece of evidence: a server that signed for it, or somebody at an address.
type sender struct {
	server barnraise.ServerID // 0 where nobody signed
	name   string             // of the operator or the network; each has one turn
}

// offer is a piece of evidence that waits. It is signed by whom it accuses; whether it holds is still to be seen.
type offer struct {
	evidence barnraise.Evidence
	name     barnraise.Digest
	size     int64
	sender   sender
	own      bool // found by this server itself
	rank     int  // what is lower goes first
	number   uint64
}

// evidenceQueue is what waits to be looked at, within bounds: what is worth less gives way. Of one rank every sender has his turn, so
// that whoever sends much keeps nobody out.
type evidenceQueue struct {
	room   int64
	offers []*offer
	number uint64
	served map[string]uint64 // the number under which a sender had his last turn
}

// add reports whether the offer waits now.
func (q *evidenceQueue) add(o *offer) bool {
	q.number++
	o.number = q.number
	if !o.own && q.of(o.sender) >= mostOfOne {
		return false
	}
	for len(q.offers) >= mostWaiting || q.room < o.size {
		worst := q.worst()
		if worst < 0 || q.offers[worst].rank <= o.rank {
			return false
		}
		q.take(worst)
	}
	q.offers, q.room = append(q.offers, o), q.room-o.size
	return true
}

func (q *evidenceQueue) of(s sender) (n int) {
	for _, o := range q.offers {
		if o.sender == s && !o.own {
			n++
		}
	}
	return n
}

// worst is what gives way first: of the highest rank the newest.
func (q *evidenceQueue) worst() int {
	worst := -1
	for i, o := range q.offers {
		if worst < 0 || o.rank >= q.offers[worst].rank {
			worst = i
		}
	}
	return worst
}

// next takes out what is to be looked at next; nil where nothing waits.
func (q *evidenceQueue) next() *offer {
	best := -1
	for i, o := range q.offers {
		if best < 0 || q.before(o, q.offers[best]) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	o := q.offers[best]
	q.take(best)
	if len(q.served) >= mostRemembered {
		clear(q.served)
	}
	q.number++
	q.served[o.sender.name] = q.number
	return o
}

func (q *evidenceQueue) before(a, b *offer) bool {
	if a.rank != b.rank {
		return a.rank < b.rank
	}
	if x, y := q.served[a.sender.name], q.served[b.sender.name]; x != y {
		return x < y
	}
	return a.number < b.number
}

func (q *evidenceQueue) take(i int) {
	q.room += q.offers[i].size
	q.offers = slices.Delete(q.offers, i, i+1)
}

func (q *evidenceQueue) has(name barnraise.Digest) bool {
	return slices.ContainsFunc(q.offers, func(o *offer) bool { return o.name == name })
}

// remembered is a set of limited size whose members leave it after some time.
type remembered[K comparable] struct {
	keep time.Duration
	most int
	at   map[K]time.Time
	list []K // in the order in which they first came
}

func (r *remembered[K]) add(k K, now time.Time) {
	if r.at == nil {
		r.at = make(map[K]time.Time)
	}
	if _, ok := r.at[k]; !ok {
		r.list = append(r.list, k)
	}
	r.at[k] = now
	for len(r.list) > r.most || now.Sub(r.at[r.list[0]]) >= r.keep {
		delete(r.at, r.list[0])
		r.list = r.list[1:]
	}
}

func (r *remembered[K]) has(k K, now time.Time) bool {
	at, ok := r.at[k]
	return ok && now.Sub(at) < r.keep
}

// allowances bound how often each sender, and all of them, may have something read and checked.
type allowances struct {
	all allowance
	of  map[string]*allowance
}

// What is allowed: so many at once, and so many a second from then on.
const (
	burstOfOne, rateOfOne = 16, 1
	burstOfAll, rateOfAll = 64, 16
	burstOfUsed           = 64 // of a server that this one relies on; it does not count among all
)

type allowance struct {
	used float64
	at   time.Time
}

// take reports whether one more is allowed.
func (a *allowance) take(burst, rate float64, now time.Time) bool {
	a.used = max(0, a.used-now.Sub(a.at).Seconds()*rate)
	a.at = now
	if a.used+1 > burst {
		return false
	}
	a.used++
	return true
}

// take reports whether a sender may have one more looked at. Those that this server relies on have an allowance of their own.
func (a *allowances) take(s sender, used bool, now time.Time) bool {
	if a.of == nil || len(a.of) >= mostRemembered {
		a.of = make(map[string]*allowance)
	}
	mine := a.of[s.name]
	if mine == nil {
		mine = new(allowance)
		a.of[s.name] = mine
	}
	if used {
		return mine.take(burstOfUsed, rateOfOne, now)
	}
	return mine.take(burstOfOne, rateOfOne, now) && a.all.take(burstOfAll, rateOfAll, now)
}
