package barter

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"barnraise"
)

// tally finds who serves this server and what is owed for it (formulas 1 and 2).
func (p *planner) tally() {
	got := make([]int32, len(p.View.servers))
	confirmed := p.served(got)
	var order []serverRef
	for x, n := range got {
		if n > 0 {
			order = append(order, serverRef{p.View.servers[x].id, int32(x)})
		}
	}
	slices.SortFunc(order, compareServers)
	p.creditors = make([]creditor, len(order))
	for i, ref := range order {
		n := got[ref.at]
		p.creditors[i] = creditor{
			serverRef: ref, weight: p.weight[ref.at], got: n, slack: min(n, int32(len(p.View.servers[ref.at].rewards))),
		}
		p.creditor[ref.at] = int32(i + 1)
	}
	for s, m := range p.marks {
		if m&runs != 0 {
			p.pays(int32(s), 1)
		}
	}
	p.fair(confirmed)
}

// pays notes that a service runs here that did not, 1, or no longer, -1.
func (p *planner) pays(s, n int32) {
	for _, w := range p.View.services[s].wishers {
		if c := p.of(w.at); c != nil {
			c.slack -= n
		}
	}
}

// service is a confirmed offer of what this server rewards.
type service struct {
	by   int32
	cost int32
}

// served counts, by server, its confirmed offers of what this server rewards, and lists them.
func (p *planner) served(got []int32) (list []service) {
	for _, s := range p.wishes {
		cost := units(p.Service(s.id))
		for _, h := range p.View.services[s.at].hosts {
			if h.at == p.self || p.weight[h.at] == 0 || p.Standing(h.id, s.id) != Confirmed {
				continue
			}
			got[h.at]++
			list = append(list, service{h.at, cost})
		}
	}
	return list
}

// fair finds for each creditor the median cost of what it runs for us, the lower one of two.
func (p *planner) fair(confirmed []service) {
	slices.SortStableFunc(confirmed, func(a, b service) int { return cmp.Compare(a.cost, b.cost) })
	seen := make([]int32, len(p.creditors))
	for _, s := range confirmed {
		i := p.creditor[s.by] - 1
		c := &p.creditors[i]
		if seen[i]++; seen[i] == (c.got+1)/2 {
			c.fair, c.limit = s.cost, int32(min(p.Policy.Dear*float64(s.cost), math.MaxInt32))
		}
	}
}

// expire stops what nothing has justified for too long (formula 6).
func (p *planner) expire() {
	for i := range p.places {
		l := &p.places[i]
		if l.stopped != "" {
			continue
		}
		if l.paid = p.justified(l.at); l.paid {
			l.Idle = 0
			l.Justified = l.Justified || l.Since < p.Epoch // an advance is one for an epoch at least
			delete(p.backoff, l.Service)
			continue
		}
		if l.Idle == 0 || l.Idle > p.Epoch {
			l.Idle = p.Epoch
		}
		limit, why := p.Policy.Patience, "an advance that nobody answered"
		if l.Justified {
			limit, why = p.Policy.Grace, "nobody who wants it serves us any more"
		}
		if p.Epoch-l.Idle+1 > limit {
			p.stop(l, fmt.Sprintf("%s for %d epochs", why, limit))
			p.hold(l.Service)
		}
	}
}

// hold keeps a service from being an advance again, twice as long each time.
func (p *planner) hold(id barnraise.ServiceID) {
	p.backoff[id] = p.backoff[id].Again(p.Epoch, p.Policy.Patience)
}

const maxStrikes = 6

// Again is the pause after one more failure in an epoch: twice as long as the one before, beginning with twice the patience.
func (b Backoff) Again(epoch, patience uint64) Backoff {
	strikes := min(b.Strikes+1, maxStrikes)
	return Backoff{Strikes: strikes, Until: epoch + patience<<strikes}
}

// justified reports whether somebody who serves us wants the service; to a volunteer, who wants nothing, whether somebody
// who gives to others does.
func (p *planner) justified(s int32) bool {
	if len(p.wishes) == 0 {
		return len(p.eligibleFor(s, 1)) > 0
	}
	return slices.ContainsFunc(p.View.services[s].wishers, func(w serverRef) bool { return p.creditor[w.at] > 0 })
}

// shrink stops what no longer fits the capacity, least loss for cost first, and settles what is owed then.
func (p *planner) shrink() {
	for p.used > int(p.Capacity) {
		var running []drop
		for i := range p.places {
			if l := &p.places[i]; l.stopped == "" {
				running = append(running, drop{l, p.loss(l)})
			}
		}
		p.stop(slices.MinFunc(running, dearer).place, fmt.Sprintf("over the capacity of %d", p.Capacity))
	}
	for i := range p.creditors {
		c := &p.creditors[i]
		if c.owed = max(0, c.slack); c.owed > 0 {
			p.due[c.at] = due{c.weight, c.limit}
		}
	}
}
