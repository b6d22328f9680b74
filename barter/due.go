package barter

import (
	"cmp"
	"math"
	"slices"

	"barnraise"
)

// Again is the share of the confirmed offers that is probed again in an epoch.
const Again = 0.1

// How many servers are looked at in an epoch to see whether they give to others.
const (
	maxSamples = 64 // services that might be advanced
	maxJudged  = 4  // of those who reward each
	maxGifts   = 8  // offers of each of these
)

// A Probe is a question to be asked in an epoch: does this server run this service?
type Probe struct {
	Offer
	At float64 // moment of the epoch, from 0 to 1
}

// Due says what to ask in an epoch, by moment, and at most limit of it. First come offers of what this server rewards that it
// will not know much longer, up to three quarters of the limit, so that no crowd of claims makes it forget who serves it; then
// those that it knows nothing of; then what those offer to others who might be given something in advance; then what was
// refuted, with growing pauses; then a tenth of what is confirmed. Of too much of one kind chance decides. Of the input it uses
// Self, View, Own, State, Epoch, Policy, Weight and Age. The values of random are from 0 to 1, that excluded.
func (p *Probes) Due(in Input, limit int, random func() float64) []Probe {
	a := &asking{Probes: p, Input: in, random: random, self: none, runs: map[int32]bool{}, seen: map[Offer]bool{}}
	if at, ok := in.View.serverAt[in.Self]; ok {
		a.self = at
	}
	a.wishes()
	a.gifts()
	var list []Probe
	for i := range a.kinds {
		kind := a.kinds[i]
		a.shuffle(kind)
		room := limit - len(list)
		if i == lapsing { // what is too much of it is in the lot with the others
			room = max(0, min(limit*3/4, len(kind)))
			a.kinds[wishes] = append(a.kinds[wishes], kind[room:]...)
		}
		for _, o := range kind[:max(0, min(len(kind), room))] {
			list = append(list, Probe{o, random()})
		}
	}
	slices.SortFunc(list, func(a, b Probe) int { return cmp.Or(cmp.Compare(a.At, b.At), compareOffers(a.Offer, b.Offer)) })
	return list
}

// asking gathers what is to be asked.
type asking struct {
	*Probes
	Input
	random func() float64
	self   int32
	runs   map[int32]bool // services that run here
	seen   map[Offer]bool
	kinds  [5][]Offer
}

// The kinds of what is asked, what goes first first.
const (
	lapsing = iota // wishes that were confirmed and would lapse
	wishes         // of which nothing is known
	gifts          // of which nothing is known, or not much longer
	refuted
	confirmed
)

// below draws one of n numbers.
func (a *asking) below(n int) int { return min(int(a.random()*float64(n)), n-1) }

func (a *asking) shuffle(list []Offer) {
	slices.SortFunc(list, compareOffers)
	for i := range list {
		j := i + a.below(len(list)-i)
		list[i], list[j] = list[j], list[i]
	}
}

// add puts an offer where it belongs by what is known of it; unknown is where it goes if that is nothing.
func (a *asking) add(x serverRef, service barnraise.ServiceID, unknown int) {
	o := Offer{x.id, service}
	b := a.pairs[o]
	if x.at == a.self || a.seen[o] || b != nil && b.Open && b.Epoch == a.Epoch {
		return
	}
	a.seen[o] = true
	switch a.standing(a.Epoch, b) {
	case Unknown:
		a.kinds[unknown] = append(a.kinds[unknown], o)
	case Refuted:
		if b.retry() <= a.Epoch {
			a.kinds[refuted] = append(a.kinds[refuted], o)
		}
	case Confirmed:
		switch {
		case b.Epoch+a.lasts > a.Epoch+1:
			if a.random() < Again {
				a.kinds[confirmed] = append(a.kinds[confirmed], o)
			}
		case unknown == wishes:
			a.kinds[lapsing] = append(a.kinds[lapsing], o)
		default:
			a.kinds[unknown] = append(a.kinds[unknown], o)
		}
	}
}

// wishes adds the offers of what this server rewards.
func (a *asking) wishes() {
	if a.self == none {
		return
	}
	for _, s := range a.View.servers[a.self].rewards {
		for _, h := range a.View.services[s.at].hosts {
			if a.Weight(h.id) > 0 {
				a.add(h, s.id, wishes)
			}
		}
	}
}

// gifts adds what those offer to others that reward what runs here or what few run.
func (a *asking) gifts() {
	for _, id := range a.Own {
		if at, ok := a.View.serviceAt[id]; ok {
			a.runs[at] = true
		}
	}
	volunteer := a.self == none || len(a.View.servers[a.self].rewards) == 0
	for _, h := range a.State.Hosted {
		at, ok := a.View.serviceAt[h.Service]
		if !ok {
			continue
		}
		if a.runs[at] = true; volunteer { // what stays depends on who gives
			a.judge(at)
		}
	}
	for _, s := range a.rare() {
		a.judge(s)
	}
}

// rare draws services that few are believed to run and somebody rewards, those with the fewest hosts first.
func (a *asking) rare() (list []int32) {
	fewer := a.fewer()
	for live := range a.Policy.Replicas {
		if live < len(a.View.claimed) {
			list = a.some(list, a.View.claimed[live])
		}
		list = a.some(list, fewer[live])
	}
	return list
}

// some adds services that somebody rewards and that do not run here to a list that is not to be too long.
func (a *asking) some(list, of []int32) []int32 {
	start := 0
	if len(of) > 0 {
		start = a.below(len(of))
	}
	for i := range min(len(of), maxSamples) {
		s := of[(start+i)%len(of)]
		if r := &a.View.services[s]; r.active && len(r.wishers) > 0 && !a.runs[s] && len(list) < maxSamples {
			list = append(list, s)
		}
	}
	return list
}

// fewer lists, by how many that are, services that only few are believed to run though many claim it: else who claims everything
// and runs nothing would keep all others from being given to.
func (a *asking) fewer() map[int][]int32 {
	doubted := map[int32]int{} // claims that nobody believes
	for o, b := range a.pairs {
		x, known := a.View.serverAt[o.Server]
		if known && a.standing(a.Epoch, b) == Refuted && a.View.offers(x, o.Service) {
			doubted[a.View.serviceAt[o.Service]]++
		}
	}
	m := map[int][]int32{}
	for s, n := range doubted {
		if claims := len(a.View.services[s].hosts); claims >= a.Policy.Replicas {
			m[claims-n] = append(m[claims-n], s)
		}
	}
	for _, list := range m {
		slices.Sort(list)
	}
	return m
}

// judge adds some gifts of some of those who reward a service.
func (a *asking) judge(s int32) {
	wishers := a.View.services[s].wishers
	if len(wishers) == 0 {
		return
	}
	start := a.below(len(wishers))
	for i := range min(len(wishers), maxJudged) {
		if w := wishers[(start+i)%len(wishers)]; w.at != a.self && a.Age(w.id) >= a.Policy.Newcomer && a.Weight(w.id) > 0 {
			a.given(w)
		}
	}
}

// given adds offers of a server to others, as many as it takes to see whether it gives enough: always the same ones, others only
// where some of these are refuted, and not many new ones at a time.
func (a *asking) given(x serverRef) {
	r := &a.View.servers[x.at]
	received := 0
	for _, s := range r.homed {
		received += len(a.View.services[s.at].hosts)
	}
	need := max(1, int(math.Ceil(a.Policy.Reciprocity*float64(received))))
	start, fresh := int(tie(a.Self, barnraise.ServiceID(x.id))), 0
	for i := range r.offers {
		o := r.offers[(start+i)%len(r.offers)]
		if a.View.services[o.at].home == x.at {
			continue
		}
		standing := a.standing(a.Epoch, a.pairs[Offer{x.id, o.id}])
		if standing == Unknown {
			fresh++
		}
		if fresh <= maxGifts {
			a.add(x, o.id, gifts)
		}
		if standing != Refuted {
			need--
		}
		if need == 0 {
			return
		}
	}
}
