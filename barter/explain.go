package barter

import (
	"fmt"
	"maps"
	"slices"

	"barnraise"
)

// Explanation is a plan with everything it rests on.
type Explanation struct {
	Decision
	Debts    []Debt  // with whom this server has to do, ascending
	Services []Worth // what runs here and what would pay a debt, ascending
}

// Debt is how this server and another stand with each other before the plan is carried out.
type Debt struct {
	Server    barnraise.ServerID    `json:"server"`
	Weight    float64               `json:"weight"`    // 0 where it is convicted or suspended: it is owed nothing
	Age       uint64                `json:"age"`       // epochs
	Confirmed []barnraise.ServiceID `json:"confirmed"` // what this server rewards and was found to run there
	Claimed   []barnraise.ServiceID `json:"claimed"`   // what it offers of that besides, not confirmed
	Paid      []barnraise.ServiceID `json:"paid"`      // what it rewards and runs here
	Owed      int                   `json:"owed"`      // how many services this server owes it
	Owes      int                   `json:"owes"`      // how many it owes this server, if it counts as this one does
	Fair      int                   `json:"fair"`      // median cost of what it runs for us: it is not paid with what costs many times that
	Given     int                   `json:"given"`     // services of others that it was found to run
	Received  int                   `json:"received"`  // offers of others to run its services
	Eligible  bool                  `json:"eligible"`  // it may be given to in advance
}

// Worth is what a service is to this server after the plan.
type Worth struct {
	Service barnraise.ServiceID  `json:"service"`
	Own     bool                 `json:"own"`
	Runs    bool                 `json:"runs"`
	Cost    int                  `json:"cost"`
	Live    int                  `json:"live"`   // others that run it
	Wanted  int                  `json:"wanted"` // hosts it should have in all
	For     []barnraise.ServerID `json:"for"`    // who serves us and wants it
	Loss    float64              `json:"loss"`   // of what runs: the weight of those who would be owed without it
	Gain    float64              `json:"gain"`   // of what does not: what starting it would be worth
	Ends    string               `json:"ends"`   // of what runs: what would make it stop; of what does not: why it does not
}

// Explain makes the plan of [Plan] and says what it rests on.
func Explain(in Input) Explanation {
	p := newPlanner(in)
	p.settle()
	e := Explanation{Debts: p.debts()}
	e.Decision = p.finish()
	e.Services = p.worths()
	return e
}

// Account says how this server stands with one other.
func Account(in Input, x barnraise.ServerID) Debt {
	p := newPlanner(in)
	p.settle()
	at, ok := in.View.serverAt[x]
	if !ok {
		return Debt{Server: x}
	}
	return p.debt(at)
}

// debts lists all who serve this server, say so, or want what runs here.
func (p *planner) debts() (list []Debt) {
	known := map[int32]bool{}
	for _, s := range p.wishes {
		for _, h := range p.View.services[s.at].hosts {
			known[h.at] = true
		}
	}
	for s, m := range p.marks {
		if m&runs != 0 {
			for _, w := range p.View.services[s].wishers {
				known[w.at] = true
			}
		}
	}
	delete(known, p.self)
	for x := range maps.Keys(known) {
		list = append(list, p.debt(x))
	}
	slices.SortFunc(list, func(a, b Debt) int { return int(a.Server) - int(b.Server) })
	return list
}

func (p *planner) debt(x int32) Debt {
	s := &p.View.servers[x]
	d := Debt{
		Server: s.id, Weight: p.weight[x], Age: p.Age(s.id), Given: p.given(x), Received: p.received(x), Eligible: p.eligible(x),
		Confirmed: []barnraise.ServiceID{}, Claimed: []barnraise.ServiceID{}, Paid: []barnraise.ServiceID{},
	}
	for _, w := range p.wishes {
		switch {
		case !p.View.offers(x, w.id):
		case p.Standing(s.id, w.id) == Confirmed:
			d.Confirmed = append(d.Confirmed, w.id)
		default:
			d.Claimed = append(d.Claimed, w.id)
		}
	}
	for _, r := range s.rewards {
		if p.marks[r.at]&runs != 0 {
			d.Paid = append(d.Paid, r.id)
		}
	}
	d.Owes = max(0, min(len(d.Paid), len(p.wishes))-len(d.Confirmed))
	if c := p.of(x); c != nil {
		d.Owed, d.Fair = int(c.owed), int(c.fair)
	}
	return d
}

// worths lists what runs here after the plan, and what would pay a debt and does not.
func (p *planner) worths() (list []Worth) {
	for _, id := range p.Own {
		if at, ok := p.View.serviceAt[id]; ok {
			w := p.worth(serviceRef{id, at})
			w.Own, w.Runs, w.Ends = true, true, "never: it is this server's own"
			list = append(list, w)
		}
	}
	for i := range p.places {
		if l := &p.places[i]; l.stopped == "" {
			w := p.worth(serviceRef{l.Service, l.at})
			w.Runs, w.Loss, w.Ends = true, p.loss(l), p.ends(l)
			list = append(list, w)
		}
	}
	for _, s := range p.starts {
		l := &place{Hosting: s.Hosting, at: p.View.serviceAt[s.Service], paid: s.Justified}
		w := p.worth(serviceRef{s.Service, l.at})
		w.Runs, w.Loss, w.Ends = true, p.loss(l), p.ends(l)
		list = append(list, w)
	}
	for i := range p.pending {
		c := &p.pending[i]
		if p.marks[c.at]&runs != 0 {
			continue
		}
		p.recount(c)
		w := p.worth(c.serviceRef)
		w.Gain, w.Ends = p.gain(c), p.missing(c)
		list = append(list, w)
	}
	slices.SortFunc(list, func(a, b Worth) int { return int(a.Service) - int(b.Service) })
	return list
}

func (p *planner) worth(s serviceRef) Worth {
	known := p.Service(s.id)
	return Worth{
		Service: s.id, Cost: int(units(known)), Live: p.live(s.at), Wanted: p.wanted(known),
		For: append([]barnraise.ServerID{}, p.servedBy(s.at)...),
	}
}

// ends says what would make a service stop that runs.
func (p *planner) ends(l *place) string {
	if !l.paid {
		limit, unless := p.Policy.Patience, "somebody who wants it serves us"
		if l.Justified {
			limit = p.Policy.Grace
		}
		return fmt.Sprintf("in epoch %d, unless %s", l.Idle+limit, unless)
	}
	room := fmt.Sprintf("from epoch %d, if what is worth more than %.2f needs the room",
		l.Since+p.Policy.Residency, (1+p.Policy.Hysteresis)*p.loss(l))
	if whom := p.servedBy(l.at); len(whom) > 0 {
		return fmt.Sprintf("%d epochs after the last of %s ceases to serve us; %s", p.Policy.Grace, names(whom), room)
	}
	return fmt.Sprintf("%d epochs after nobody who wants it gives to others any more; %s", p.Policy.Grace, room)
}

// missing says why a service does not run that would pay a debt.
func (p *planner) missing(c *candidate) string {
	switch {
	case c.refused:
		return "may not run here: " + p.refusal(c.id, p.Service(c.id))
	case c.sum == 0:
		return "too expensive for those who want it, or they are paid"
	}
	return p.crowding(c.cost)
}
