package client

import (
	"slices"
	"time"

	"barnraise"
	"barnraise/judge"
)

// YoungEpochs is how many epochs a server has to be known to be established (protocol 6.4, 7).
const YoungEpochs = 12

// seats is how many servers a sticky set has (protocol 6.3).
const seats = 3

// draws is the secret order of one call: who is asked next. Its methods are called with the client's lock held.
type draws struct {
	c *Client
	*wishes
	service barnraise.ServiceID
	home    barnraise.ServerID // zero where the home does not count
	all     []*candidate       // that can be asked
	left    []*candidate       // of operators that have not been asked
	now     time.Time
}

// operators is how many have not been asked.
func (d *draws) operators() int {
	seen := make(map[judge.Operator]bool, len(d.left))
	for _, v := range d.left {
		seen[v.operator] = true
	}
	return len(seen)
}

// take removes a candidate and all others of its operator: one operator has one vote, and no second chance in a call.
func (d *draws) take(v *candidate) *candidate {
	rest := make([]*candidate, 0, len(d.left))
	for _, o := range d.left {
		if o.operator != v.operator {
			rest = append(rest, o)
		}
	}
	d.left = rest // what it was made of is shared
	return v
}

// primary draws the server that answers first: of two of the sticky set the one that is expected to answer sooner (protocol 6.3).
// Where nobody of the set is left it is anybody who is fit, then anybody who is not suspended, and then anybody.
func (d *draws) primary() (*candidate, bool) {
	for _, pool := range []func() []*candidate{
		d.seated, func() []*candidate { return d.only(d.left, d.fit) }, func() []*candidate { return d.only(d.left, d.allowed) },
		func() []*candidate { return d.left },
	} {
		list := pool()
		if len(list) == 0 {
			continue
		}
		a, b := list[d.c.random.IntN(len(list))], list[d.c.random.IntN(len(list))]
		if d.expected(b) < d.expected(a) {
			a = b
		}
		return d.take(a), true
	}
	return nil, false
}

// seated lists those of the sticky set that are left, once it is full: a seat is emptied as soon as its server is not fit any more,
// and filled at once by the fit server with the longest history, or by one drawn by chance where none is known. The home has no
// seat: who answers first can be no witness, and it is the first witness.
func (d *draws) seated() (list []*candidate) {
	set := d.only(d.all, func(v *candidate) bool { return d.sits(v.ID) && d.fit(v) })
	for len(set) < seats {
		pool := d.only(d.left, func(v *candidate) bool {
			return v.ID != d.home && d.fit(v) && !slices.ContainsFunc(set, v.sameOperator)
		})
		v, ok := d.best(pool)
		if !ok {
			v, ok = d.pick(pool)
		}
		if !ok {
			break
		}
		set = append(set, v)
	}
	ids := make([]barnraise.ServerID, len(set))
	for i, v := range set {
		ids[i] = v.ID
	}
	d.c.seats[d.service] = ids
	return d.only(d.left, func(v *candidate) bool { return slices.Contains(ids, v.ID) })
}

func (d *draws) sits(id barnraise.ServerID) bool { return slices.Contains(d.c.seats[d.service], id) }

// unseat empties a server's seat. The lock is held.
func (c *Client) unseat(service barnraise.ServiceID, id barnraise.ServerID) {
	c.seats[service] = slices.DeleteFunc(c.seats[service], func(v barnraise.ServerID) bool { return v == id })
}

// answered removes those under the domain of one that gave an answer: they have no other vote. Until it did they stay, as anybody
// may register a URL there that nobody answers at. The lock is held.
func (d *draws) answered(v *candidate) {
	if v.domain != "" {
		d.left = d.only(d.left, func(o *candidate) bool { return o.domain != v.domain })
	}
}

// sameOperator reports whether two servers have one owner, or one domain.
func (v *candidate) sameOperator(o *candidate) bool {
	return v.operator == o.operator || v.domain != "" && v.domain == o.domain
}

// best is the established server with the longest history.
func (d *draws) best(pool []*candidate) (best *candidate, ok bool) {
	var most float64
	for _, v := range pool {
		if m := d.c.book.History(v.ID, d.service); d.established(v) && (!ok || m > most) {
			best, most, ok = v, m, true
		}
	}
	return best, ok
}

// named draws the server of that id, where it can be asked.
func (d *draws) named(id barnraise.ServerID) (*candidate, bool) {
	return d.anyOf(d.only(d.left, func(v *candidate) bool { return v.ID == id }))
}

// allowed reports whether a server is not suspended.
func (d *draws) allowed(v *candidate) bool { return !d.c.book.Suspended(v.ID, d.service) }

// fit reports whether a server is worth asking while there are others: it is neither suspended nor resting, answers as a rule, and
// did when it was asked last, a while ago at least.
func (d *draws) fit(v *candidate) bool {
	return !d.c.paces[v.ID].pauses(d.now) && d.allowed(v) && !d.c.book.Rests(v.ID, d.service) && d.c.book.Availability(v.ID, d.now) >= 0.5
}

// established reports whether this client has a history with the server, and the server an age (protocol 7).
func (d *draws) established(v *candidate) bool {
	return d.c.book.History(v.ID, d.service) >= d.policy.Known && !d.young(v)
}

// young reports whether a server stands in the registry for less than twelve epochs, where the policy minds that.
func (d *draws) young(v *candidate) bool {
	return d.policy.Young < 1 && d.c.book.Age(v.ID, d.now) < YoungEpochs*Epoch
}

func (d *draws) only(list []*candidate, good func(*candidate) bool) []*candidate {
	kept := make([]*candidate, 0, len(list))
	for _, v := range list {
		if good(v) {
			kept = append(kept, v)
		}
	}
	return kept
}

func (d *draws) expected(v *candidate) float64 {
	return float64(d.c.book.Latency(v.ID)) * float64(d.c.busy[v.ID]+1) / d.c.book.Availability(v.ID, d.now)
}

// auditor draws one operator that is fit: with the policy's probability the home, else at random, half the time among established
// servers; latency plays no part (protocol 6.4).
func (d *draws) auditor() (*candidate, bool) {
	if d.c.random.Float64() < d.policy.HomeShare {
		if v, ok := d.anyOf(d.only(d.left, func(v *candidate) bool { return v.ID == d.home && d.fit(v) })); ok {
			return v, true
		}
	}
	pool := d.only(d.left, func(v *candidate) bool { return v.ID != d.home && d.fit(v) })
	if len(pool) == 0 {
		pool = d.only(d.left, d.fit)
	}
	if d.c.random.Float64() < d.policy.Established {
		if known := d.only(pool, d.established); len(known) > 0 {
			return d.anyOf(known)
		}
	}
	return d.chosen(pool)
}

// anybody draws an auditor, or one that is not fit where no other is left: better a liar under the eyes of others than nobody.
func (d *draws) anybody() (*candidate, bool) {
	if v, ok := d.auditor(); ok {
		return v, true
	}
	if v, ok := d.anyOf(d.only(d.left, d.allowed)); ok {
		return v, true
	}
	return d.anyOf(d.left)
}

// anchor draws one of those whom the caller has reason to trust: whom he has pinned, or else the home (protocol 6.5).
func (d *draws) anchor() (*candidate, bool) {
	pinned := d.only(d.left, func(v *candidate) bool { return slices.Contains(d.c.anchors, v.ID) && d.fit(v) })
	if v, ok := d.anyOf(pinned); ok {
		return v, true
	}
	return d.anyOf(d.only(d.left, func(v *candidate) bool { return v.ID == d.home && d.fit(v) }))
}

// witness draws the home, or else an operator at random (protocol 7.3 c).
func (d *draws) witness() (*candidate, bool) {
	if v, ok := d.anyOf(d.only(d.left, func(v *candidate) bool { return v.ID == d.home })); ok {
		return v, true
	}
	if v, ok := d.chosen(d.only(d.left, d.fit)); ok {
		return v, true
	}
	return d.anyOf(d.left)
}

// pick chooses by chance, without taking; servers that are young get together at most the policy's share of the draws.
func (d *draws) pick(pool []*candidate) (*candidate, bool) {
	if len(pool) == 0 {
		return nil, false
	}
	if old := d.only(pool, func(v *candidate) bool { return !d.young(v) }); len(old) > 0 && len(old) < len(pool) {
		share := float64(len(pool)-len(old)) / float64(len(pool))
		if d.c.random.Float64() < min(share, d.policy.Young) {
			pool = d.only(pool, d.young)
		} else {
			pool = old
		}
	}
	return pool[d.c.random.IntN(len(pool))], true
}

// chosen is pick, and takes.
func (d *draws) chosen(pool []*candidate) (*candidate, bool) {
	v, ok := d.pick(pool)
	if ok {
		d.take(v)
	}
	return v, ok
}

func (d *draws) anyOf(pool []*candidate) (*candidate, bool) {
	if len(pool) == 0 {
		return nil, false
	}
	return d.take(pool[d.c.random.IntN(len(pool))]), true
}
