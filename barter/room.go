package barter

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"barnraise"
)

// holds reports whether so many units fit where nothing else runs.
func (p *planner) holds(cost int32) bool { return int64(cost) <= int64(p.Capacity) }

// fits reports whether there is room for so many units, and for one more offer on chain.
func (p *planner) fits(cost int32) bool { return p.fitsWithout(cost, 0, 0) }

// fitsWithout reports the same for when n services of so many units were gone.
func (p *planner) fitsWithout(cost int32, room, n int) bool {
	return p.used-room+int(cost) <= int(p.Capacity) && p.count-n < barnraise.MaxOffers
}

// A drop is a place that may make room.
type drop struct {
	*place
	loss float64
}

// dropsFor lists what is worth least for its cost until so many units fit, and what that would lose together (formula 4). It
// is false where nothing that has been here long enough makes room.
func (p *planner) dropsFor(cost int32) (list []drop, lost float64, ok bool) {
	p.sortDrops()
	room, n := 0, 0
	for ; n < len(p.drops) && !p.fitsWithout(cost, room, n); n++ {
		room += int(p.drops[n].cost)
		lost += p.drops[n].loss
	}
	return p.drops[:n], lost, p.fitsWithout(cost, room, n)
}

// outweighs reports whether a gain is clearly more than what would have to go for it.
func (p *planner) outweighs(gain float64, cost int32) bool {
	_, lost, ok := p.dropsFor(cost)
	return ok && gain > (1+p.Policy.Hysteresis)*lost
}

// displace makes room for a candidate that outweighs what stands in its way.
func (p *planner) displace(c *candidate) {
	if p.fits(c.cost) {
		return
	}
	drops, lost, _ := p.dropsFor(c.cost)
	p.gained -= lost
	for _, d := range drops {
		p.stop(d.place, "makes room for "+c.id.String())
	}
}

// sortDrops lists the places that have been here long enough to make room, least loss for cost first.
func (p *planner) sortDrops() {
	if p.dropsAt == p.changes {
		return
	}
	p.drops, p.dropsAt = p.drops[:0], p.changes
	for i := range p.places {
		if l := &p.places[i]; l.stopped == "" && l.Since <= p.Epoch && p.Epoch-l.Since >= p.Policy.Residency {
			p.drops = append(p.drops, drop{l, p.loss(l)})
		}
	}
	slices.SortFunc(p.drops, dearer)
}

// dearer orders places by what stopping them would lose for what they cost.
func dearer(a, b drop) int {
	return cmp.Or(cmp.Compare(a.loss/float64(a.cost), b.loss/float64(b.cost)), cmp.Compare(a.Service, b.Service))
}

// loss is what would be owed if the service stopped, weighed (formula 4).
func (p *planner) loss(l *place) (sum float64) {
	for _, w := range p.View.services[l.at].wishers {
		if c := p.of(w.at); c != nil && c.slack >= 0 {
			sum += c.weight
		}
	}
	return sum * scarcity(p.live(l.at), p.wanted(p.Service(l.Service)))
}

// crowded says in words why there is no room for so many units.
func (p *planner) crowded(cost int32) string {
	if !p.holds(cost) {
		return fmt.Sprintf("it costs %d of %d", cost, p.Capacity)
	}
	drops, lost, ok := p.dropsFor(cost)
	switch {
	case !ok && p.count >= barnraise.MaxOffers:
		return fmt.Sprintf("a server may offer %d services", barnraise.MaxOffers)
	case !ok:
		return fmt.Sprintf("what could make room has not been here for %d epochs", p.Policy.Residency)
	}
	var list []string
	for _, d := range drops {
		list = append(list, d.Service.String())
	}
	return fmt.Sprintf("to displace %s it has to be worth more than %.2f", strings.Join(list, ", "), (1+p.Policy.Hysteresis)*lost)
}
