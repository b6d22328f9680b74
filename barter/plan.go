package barter

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"barnraise"
)

// Plan says what to start, keep and stop, for whom, and which debts stay unpaid. It neither keeps nor changes its input.
// Own services are never stopped; what stays and what starts fits the capacity together; every action has a reason.
//
// Debts are paid greedily, by gain for cost; or else by the one service first that is worth more than all of that.
func Plan(in Input) Decision {
	p := newPlanner(in)
	p.settle()
	return p.finish()
}

// settle stops what has to go, and finds what is owed then.
func (p *planner) settle() {
	p.house()
	p.tally()
	p.expire()
	p.shrink()
}

// finish starts what is owed and what may be advanced.
func (p *planner) finish() Decision {
	if p.Idle == "" {
		if p.pay(nil); p.single != nil && p.gain(p.single) > p.gained {
			first := p.single
			*p = *newPlanner(p.Input)
			p.settle()
			p.pay(first)
		}
		p.advance()
	}
	return p.decide()
}

// planner is a plan in the making. Servers and services are meant by where their records stand in the view.
type planner struct {
	Input
	self    int32
	wishes  []serviceRef // what this server rewards
	weight  []float64    // by server
	marks   []mark       // by service
	refuted []int32      // by service: claims of others that are refuted
	void    []int32      // by service: further claims, by servers without weight
	fewer   []int32      // services with such claims, or that this server claims itself

	creditors []creditor // who serves us, ascending
	creditor  []int32    // by server: where it stands in creditors, from 1
	due       []due      // by server
	places    []place
	starts    []start
	used      int   // units
	advances  int   // units of it that are advances
	count     int   // services that run here
	changes   int32 // starts and swaps so far
	pending   []candidate
	pendingAt []int32    // by service: where it stands in pending, from 1; none where it is no candidate
	single    *candidate // the one with room at first that is worth most, as it was then
	gained    float64    // by paying, less what was lost
	drops     []drop     // least loss for cost first, as of dropsAt
	dropsAt   int32
	crowds    map[int32]string // why there is no room, by cost
	credit    []int8           // by server: eligible, or not, once asked
	backoff   map[barnraise.ServiceID]Backoff
}

// mark says what a service is to this server.
type mark uint8

const (
	runs    mark = 1 << iota // own, hosted, or about to be
	claimed                  // it says so on chain
	ended                    // it has been stopped in this plan
)

// due is a debt that is to be paid: what it weighs, and the cost beyond which a service is too dear to pay it. It is zero
// where there is none.
type due struct {
	weight float64
	limit  int32
}

// creditor is a server of which something was got.
type creditor struct {
	serverRef
	weight float64
	got    int32
	slack  int32 // what it got less than it gave, of what it wants; below zero where it got more
	owed   int32 // what is still to be paid
	fair   int32 // median cost of what it runs for us
	limit  int32 // cost beyond which a service is too dear to pay it
}

// place is where a hosted service stands.
type place struct {
	Hosting
	at      int32 // none where the registry does not know it
	cost    int32
	paid    bool   // something justifies it
	stopped string // why it is; empty where it is not
}

// start is a service that is to be started.
type start struct {
	Hosting
	owed   []barnraise.ServerID
	reason string
}

func newPlanner(in Input) *planner {
	v := in.View
	p := &planner{
		Input: in, self: none, dropsAt: none, backoff: maps.Clone(in.State.Backoff),
		weight: make([]float64, len(v.servers)), creditor: make([]int32, len(v.servers)), credit: make([]int8, len(v.servers)),
		marks: make([]mark, len(v.services)), refuted: make([]int32, len(v.services)), void: make([]int32, len(v.services)),
		pendingAt: make([]int32, len(v.services)), due: make([]due, len(v.servers)),
	}
	if at, ok := v.serverAt[in.Self]; ok {
		p.self, p.wishes = at, v.servers[at].rewards
	}
	if p.backoff == nil {
		p.backoff = map[barnraise.ServiceID]Backoff{}
	}
	p.believe()
	return p
}

// believe weighs the servers and counts the claims that are none.
func (p *planner) believe() {
	for x := range p.View.servers {
		s := &p.View.servers[x]
		if int32(x) == p.self {
			for _, o := range s.offers {
				p.marks[o.at] |= claimed
				p.fewer = append(p.fewer, o.at)
			}
			continue
		}
		if !s.active {
			continue
		}
		if p.weight[x] = max(0, p.Weight(s.id)); p.weight[x] > 0 {
			continue
		}
		for _, o := range s.offers {
			p.void[o.at]++
			p.fewer = append(p.fewer, o.at)
		}
	}
	p.refute()
	slices.Sort(p.fewer)
	p.fewer = slices.Compact(p.fewer)
}

func (p *planner) refute() {
	refuted := p.Refuted
	if refuted == nil {
		refuted = p.ask
	}
	for server, service := range refuted {
		x, known := p.View.serverAt[server]
		if !known || x == p.self || !p.View.offers(x, service) {
			continue
		}
		at := p.View.serviceAt[service]
		p.refuted[at]++
		p.fewer = append(p.fewer, at)
		if p.weight[x] == 0 {
			p.void[at]--
		}
	}
}

// ask finds the refuted offers by asking for each.
func (p *planner) ask(yield func(barnraise.ServerID, barnraise.ServiceID) bool) {
	for x := range p.View.servers {
		s := &p.View.servers[x]
		for _, o := range s.offers {
			if int32(x) != p.self && p.Standing(s.id, o.id) == Refuted && !yield(s.id, o.id) {
				return
			}
		}
	}
}

// live is r(s): how many others are believed to run the service.
func (p *planner) live(s int32) int {
	n := len(p.View.services[s].hosts) - int(p.refuted[s]) - int(p.void[s])
	if p.marks[s]&claimed != 0 {
		n--
	}
	return n
}

// wanted is k(s): the hosts that a service should have.
func (p *planner) wanted(s Service) int {
	return max(p.Policy.Replicas, min(s.MinRequests, barnraise.MaxAnswers)+2)
}

// scarcity is v(s): from 1 for a service with at most the hosts that are wanted towards 0 for one with many.
func scarcity(live, wanted int) float64 { return min(1, float64(wanted)/float64(max(1, live))) }

func units(s Service) int32 { return int32(min(max(1, s.Cost), math.MaxInt32)) }

// house finds the places of what runs here, and stops what may not.
func (p *planner) house() {
	for _, id := range p.Own {
		if at, ok := p.View.serviceAt[id]; ok {
			p.marks[at] |= runs
		}
	}
	p.count = len(p.Own)
	hosted := slices.Clone(p.State.Hosted)
	slices.SortStableFunc(hosted, func(a, b Hosting) int { return cmp.Compare(a.Service, b.Service) })
	hosted = slices.CompactFunc(hosted, func(a, b Hosting) bool { return a.Service == b.Service })
	for _, h := range hosted {
		if slices.Contains(p.Own, h.Service) {
			continue // it is pinned by now
		}
		p.move(h)
	}
}

// move takes a service in, or stops it where it may not run.
func (p *planner) move(h Hosting) {
	known := p.Service(h.Service)
	l := place{Hosting: h, at: none, cost: units(known)}
	at, ok := p.View.serviceAt[h.Service]
	switch {
	case !ok || !p.View.services[at].active:
		l.stopped = "gone from the registry"
	case known.Refused != "":
		l.stopped = known.Refused
	default:
		p.marks[at] |= runs
		p.used += int(l.cost)
		p.count++
	}
	if ok {
		l.at = at
	}
	if ok && l.stopped != "" {
		p.marks[at] |= ended
	}
	p.places = append(p.places, l)
}

// stop ends a place for a reason.
func (p *planner) stop(l *place, reason string) {
	l.stopped = reason
	p.marks[l.at] = p.marks[l.at]&^runs | ended
	p.used -= int(l.cost)
	p.count--
	p.pays(l.at, -1)
}

// of finds a creditor; nil where the server is none.
func (p *planner) of(x int32) *creditor {
	if i := p.creditor[x]; i > 0 {
		return &p.creditors[i-1]
	}
	return nil
}

// servedBy lists the creditors that reward a service.
func (p *planner) servedBy(s int32) (ids []barnraise.ServerID) {
	for _, w := range p.View.services[s].wishers {
		if p.creditor[w.at] > 0 {
			ids = append(ids, w.id)
		}
	}
	return ids
}
