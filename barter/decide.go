package barter

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"barnraise"
)

// decide writes down the plan.
func (p *planner) decide() Decision {
	var stops, keeps, rest []Action
	var hosted []Hosting
	for i := range p.places {
		l := &p.places[i]
		if l.stopped != "" {
			stops = append(stops, action(Stop, l.Service, p.serves(l), l.stopped))
			continue
		}
		hosted = append(hosted, l.Hosting)
		keeps = append(keeps, p.keep(l))
	}
	var starts []Action
	for _, s := range p.starts {
		hosted = append(hosted, s.Hosting)
		starts = append(starts, action(Start, s.Service, s.owed, s.reason))
	}
	slices.SortFunc(starts, func(a, b Action) int { return cmp.Compare(a.Service, b.Service) })
	slices.SortFunc(hosted, func(a, b Hosting) int { return cmp.Compare(a.Service, b.Service) })
	whom := make([]barnraise.ServerID, 0, len(p.creditors))
	for i := range p.creditors {
		if x := &p.creditors[i]; x.owed > 0 {
			whom = append(whom, x.id)
			one := whom[len(whom)-1 : len(whom) : len(whom)]
			rest = append(rest, action(Unpaid, 0, one, "owes "+strconv.Itoa(int(x.owed))+": "+p.unpaid(x)))
		}
	}
	return Decision{Actions: slices.Concat(stops, starts, keeps, rest), Next: State{Hosted: hosted, Backoff: p.remembered()}}
}

func action(verb Verb, service barnraise.ServiceID, whom []barnraise.ServerID, reason string) Action {
	if whom == nil {
		whom = []barnraise.ServerID{}
	}
	return Action{Verb: verb, Service: service, For: whom, Reason: reason}
}

// serves lists whom a place pays, or would have.
func (p *planner) serves(l *place) []barnraise.ServerID {
	if l.at == none {
		return nil
	}
	return p.servedBy(l.at)
}

func (p *planner) keep(l *place) Action {
	whom := p.serves(l)
	switch {
	case len(whom) > 0:
		return action(Keep, l.Service, whom, "pays "+names(whom))
	case l.paid:
		whom = p.eligibleFor(l.at, maxNamed)
		return action(Keep, l.Service, whom, "given to "+names(whom))
	case l.Justified:
		return action(Keep, l.Service, p.eligibleFor(l.at, maxNamed),
			fmt.Sprintf("grace: nobody who wants it has served us since epoch %d", l.Idle))
	}
	return action(Keep, l.Service, p.eligibleFor(l.at, maxNamed), fmt.Sprintf("advance: waits for an answer since epoch %d", l.Idle))
}

// names lists servers in words, eight at most.
func names(ids []barnraise.ServerID) string {
	var list []string
	for _, id := range ids[:min(len(ids), maxNamed)] {
		list = append(list, id.String())
	}
	words := strings.Join(list, ", ")
	if more := len(ids) - maxNamed; more > 0 {
		words += fmt.Sprintf(" and %d more", more)
	}
	return words
}

// unpaid says why a debt is not paid, by the cheapest service that would pay it.
func (p *planner) unpaid(x *creditor) string {
	if p.Idle != "" {
		return p.Idle
	}
	var able, dear, refused *candidate
	for _, s := range p.View.servers[x.at].rewards {
		i := p.pendingAt[s.at]
		if i <= 0 || p.marks[s.at]&runs != 0 {
			continue
		}
		switch c := &p.pending[i-1]; {
		case c.refused:
			refused = cmp.Or(refused, c)
		case c.cost > x.limit:
			dear = cheapest(dear, c)
		default:
			able = cheapest(able, c)
		}
	}
	switch {
	case able != nil:
		return "no capacity for " + able.id.String() + ": " + p.crowding(able.cost)
	case dear != nil:
		return fmt.Sprintf("too expensive: %s costs %d, what it runs for us %d", dear.id, dear.cost, x.fair)
	case refused != nil:
		return refused.id.String() + " may not run here: " + p.refusal(refused.id, p.Service(refused.id))
	}
	return "it rewards nothing that could run here"
}

// cheapest returns a unless b costs less.
func cheapest(a, b *candidate) *candidate {
	if a == nil || b.cost < a.cost {
		return b
	}
	return a
}

// crowding is crowded, once for each cost.
func (p *planner) crowding(cost int32) string {
	if p.crowds == nil {
		p.crowds = map[int32]string{}
	}
	words, ok := p.crowds[cost]
	if !ok {
		words = p.crowded(cost)
		p.crowds[cost] = words
	}
	return words
}

// forget is for how many epochs after its end a back-off is remembered, as a multiple of the longest.
const forget = 2

// remembered are the back-offs that still mean something.
func (p *planner) remembered() map[barnraise.ServiceID]Backoff {
	for id, b := range p.backoff {
		if p.Epoch > b.Until && p.Epoch-b.Until > forget*(p.Policy.Patience<<maxStrikes) {
			delete(p.backoff, id)
		}
	}
	return p.backoff
}
