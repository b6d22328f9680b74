package barter

import (
	"cmp"
	"container/heap"
	"maps"
	"slices"

	"barnraise"
)

// candidate is a service that would pay a debt.
type candidate struct {
	serviceRef
	cost, wanted, live int32
	hash               uint32
	refused            bool
	stale              bool    // somebody of the sum has been paid since
	sum                float64 // weights of those who would be paid by it
}

// gain is what starting a candidate is worth (formula 3).
func (p *planner) gain(c *candidate) float64 {
	missing := max(0, 1-float64(c.live)/float64(c.wanted))
	return scarcity(int(c.live), int(c.wanted)) * (c.sum + p.Policy.Deficit*missing)
}

// better orders candidates: most gain for cost first, then fewest replicas, then by hash, so that not every server starts the
// same service.
func better(a, b ranked) int {
	return cmp.Or(cmp.Compare(b.gain/float64(b.cost), a.gain/float64(a.cost)), rarer(a.candidate, b.candidate))
}

func rarer(a, b *candidate) int {
	return cmp.Or(cmp.Compare(a.live, b.live), cmp.Compare(a.hash, b.hash), cmp.Compare(a.id, b.id))
}

// ranked is a candidate with its gain.
type ranked struct {
	gain float64
	*candidate
}

// pay starts what pays most for its cost among what fits or for which room can be made, until there is nothing more; where
// first is given that comes first.
//
// Candidates of one cost are in one queue: whether there is room for the first says it for all of them. Gains only fall while
// debts are paid, so that a gain of before is never too low, and only the first of a queue has to be looked at again.
func (p *planner) pay(first *candidate) {
	p.findCandidates()
	if first != nil {
		p.launch(&p.pending[p.pendingAt[first.at]-1])
	}
	p.findSingle()
	queues := p.queues()
	for {
		var best *class
		for _, q := range queues {
			if best != nil && (len(q.list) == 0 || better(best.list[0], q.list[0]) < 0) {
				continue // whatever it is worth now
			}
			if p.feasible(q) && (best == nil || better(q.list[0], best.list[0]) < 0) {
				best = q
			}
		}
		if best == nil {
			return
		}
		c := best.list[0].candidate
		heap.Pop(best)
		p.displace(c)
		p.launch(c)
	}
}

// findSingle finds the candidate that is worth most of those for which there is room.
func (p *planner) findSingle() {
	var best *candidate
	for i := range p.pending {
		if c := &p.pending[i]; p.may(c) && p.fits(c.cost) &&
			(best == nil || cmp.Or(cmp.Compare(p.gain(best), p.gain(c)), cmp.Compare(c.cost, best.cost), rarer(c, best)) < 0) {
			best = c
		}
	}
	if best != nil {
		single := *best
		p.single = &single
	}
}

// may reports whether a candidate may run here, would pay somebody, and is not started yet.
func (p *planner) may(c *candidate) bool {
	return !c.refused && c.sum > 0 && p.marks[c.at]&runs == 0
}

// findCandidates lists the services that debtors reward and that do not run here, with what they are worth.
func (p *planner) findCandidates() {
	for i := range p.creditors {
		x := &p.creditors[i]
		if x.owed == 0 {
			continue
		}
		for _, s := range p.View.servers[x.at].rewards {
			at := p.pendingAt[s.at]
			if at == 0 {
				at = p.consider(s)
			}
			if at < 0 {
				continue
			}
			if c := &p.pending[at-1]; c.cost <= x.limit {
				c.sum += x.weight
			}
		}
	}
}

// consider makes a candidate of a service, unless it is gone or runs here, and returns where it stands.
func (p *planner) consider(s serviceRef) int32 {
	p.pendingAt[s.at] = none
	if p.marks[s.at]&runs == 0 && p.View.services[s.at].active {
		p.pending = append(p.pending, p.candidate(s))
		p.pendingAt[s.at] = int32(len(p.pending))
	}
	return p.pendingAt[s.at]
}

func (p *planner) candidate(s serviceRef) candidate {
	known := p.Service(s.id)
	return candidate{
		serviceRef: s, cost: units(known), wanted: int32(p.wanted(known)), live: int32(p.live(s.at)), hash: tie(p.Self, s.id),
		refused: known.Refused != "" || p.marks[s.at]&ended != 0,
	}
}

// refusal says why a service may not be started: it may not run here, or it was stopped in this very plan.
func (p *planner) refusal(id barnraise.ServiceID, known Service) string {
	if known.Refused != "" {
		return known.Refused
	}
	byID := func(l place, id barnraise.ServiceID) int { return cmp.Compare(l.Service, id) }
	i, found := slices.BinarySearchFunc(p.places, id, byID)
	if !found {
		return ""
	}
	return p.places[i].stopped
}

// class is the queue of the candidates of one cost.
type class struct {
	cost int32
	list []ranked
}

func (q *class) Len() int      { return len(q.list) }
func (q *class) Swap(i, j int) { q.list[i], q.list[j] = q.list[j], q.list[i] }
func (q *class) Push(any)      {}

func (q *class) Less(i, j int) bool {
	if a, b := q.list[i].gain, q.list[j].gain; a != b {
		return a > b
	}
	return rarer(q.list[i].candidate, q.list[j].candidate) < 0
}

func (q *class) Pop() any {
	q.list = q.list[:len(q.list)-1]
	return nil
}

// queues puts the candidates that may run here in order, by cost.
func (p *planner) queues() []*class {
	byCost := map[int32]*class{}
	for i := range p.pending {
		c := &p.pending[i]
		if !p.may(c) || !p.holds(c.cost) {
			continue
		}
		q := byCost[c.cost]
		if q == nil {
			q = &class{cost: c.cost}
			byCost[c.cost] = q
		}
		q.list = append(q.list, ranked{p.gain(c), c})
	}
	list := slices.SortedFunc(maps.Values(byCost), func(a, b *class) int { return cmp.Compare(a.cost, b.cost) })
	for _, q := range list {
		heap.Init(q)
	}
	return list
}

// feasible reports whether the first of a queue can be started now, and sees to it that it is the first.
func (p *planner) feasible(q *class) bool {
	for len(q.list) > 0 {
		first := &q.list[0]
		if !p.fits(q.cost) && !p.outweighs(first.gain, q.cost) {
			return false
		}
		if !first.stale {
			return true
		}
		if p.recount(first.candidate); first.sum == 0 {
			heap.Pop(q)
			continue
		}
		first.gain = p.gain(first.candidate)
		heap.Fix(q, 0)
	}
	return false
}

// recount sums up again who would be paid by a candidate.
func (p *planner) recount(c *candidate) {
	c.sum, c.stale = 0, false
	for _, w := range p.View.services[c.at].wishers {
		if d := &p.due[w.at]; c.cost <= d.limit {
			c.sum += d.weight
		}
	}
}

// launch starts a candidate and takes it off the debts.
func (p *planner) launch(c *candidate) {
	p.gained += p.gain(c)
	var paid []barnraise.ServerID
	for _, w := range p.View.services[c.at].wishers {
		if x := p.of(w.at); x != nil {
			x.slack--
			if x.owed > 0 {
				p.take(x)
				paid = append(paid, x.id)
			}
		}
	}
	p.start(c.serviceRef, c.cost, start{
		Hosting: Hosting{Service: c.id, Since: p.Epoch, Justified: true}, owed: paid, reason: "owed to " + names(paid),
	})
}

// take lowers a debt. What else would have paid it is worth less once it is settled.
func (p *planner) take(x *creditor) {
	if x.owed--; x.owed > 0 {
		return
	}
	p.due[x.at] = due{}
	for _, s := range p.View.servers[x.at].rewards {
		if i := p.pendingAt[s.at]; i > 0 {
			p.pending[i-1].stale = true
		}
	}
}

func (p *planner) start(s serviceRef, cost int32, what start) {
	p.starts = append(p.starts, what)
	p.marks[s.at] |= runs
	p.used += int(cost)
	p.count++
	p.changes++
}
