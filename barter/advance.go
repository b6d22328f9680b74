package barter

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"barnraise"
)

// advance starts services that nobody has answered yet, the rarest of its lot first, with a share of the capacity (formula 5).
// Of equally rare ones the hash decides and not the cost, or nobody would ever advance a dear one.
func (p *planner) advance() {
	for i := range p.places {
		if l := &p.places[i]; l.stopped == "" && !l.Justified {
			p.advances += int(l.cost)
		}
	}
	budget := max(1, int(math.Ceil(p.Policy.SeedShare*float64(p.Capacity))))
	rare := p.rare()
	most := max(p.Policy.Replicas, barnraise.MaxAnswers+2)
	for live := 0; live < most && p.advances < budget && p.fits(1); live++ {
		list := p.rarest(live, rare[live])
		slices.SortFunc(list, func(a, b candidate) int {
			return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.id, b.id))
		})
		for _, c := range list {
			if p.advances+int(c.cost) > budget || !p.fits(c.cost) {
				continue
			}
			if able := p.eligibleFor(c.at, maxNamed); len(able) > 0 {
				p.advances += int(c.cost)
				p.start(c.serviceRef, c.cost, start{
					Hosting: Hosting{Service: c.id, Since: p.Epoch, Idle: p.Epoch}, owed: able,
					reason: fmt.Sprintf("advance: %d of %d hosts", c.live, c.wanted),
				})
			}
		}
	}
}

// maxNamed is how many servers an advance names.
const maxNamed = 8

// rare lists, by live replicas, the services that have fewer of them than are claimed.
func (p *planner) rare() map[int][]int32 {
	m := map[int][]int32{}
	for _, s := range p.fewer {
		m[p.live(s)] = append(m[p.live(s)], s)
	}
	return m
}

// rarest lists the candidates with so many live replicas: those claimed as often, and those of which fewer claims are true.
func (p *planner) rarest(live int, fewer []int32) (list []candidate) {
	add := func(s int32) {
		r := &p.View.services[s]
		if !r.active || p.marks[s]&runs != 0 || len(r.wishers) == 0 || !drawn(p.Self, r.id, p.Epoch, len(p.View.services)) || p.backoff[r.id].Until > p.Epoch {
			return
		}
		if c := p.candidate(serviceRef{r.id, s}); !c.refused && int32(live) < c.wanted {
			list = append(list, c)
		}
	}
	for _, s := range fewer {
		add(s)
	}
	if live < len(p.View.claimed) {
		for _, s := range p.View.claimed[live] {
			if _, found := slices.BinarySearch(p.fewer, s); !found {
				add(s)
			}
		}
	}
	return list
}

// lot is about how many services a server considers for advances in an epoch. If all considered all, all would start the few
// that are rarest, see a while later that they are rare no more, and stop them together.
const lot = 96

// drawn reports whether a service, one of n, is in the lot of a server and epoch. All are where there are few.
func drawn(self barnraise.ServerID, service barnraise.ServiceID, epoch uint64, n int) bool {
	x := uint64(self)<<32 ^ uint64(service) ^ epoch*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9 // as splitmix64 does
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return (x^x>>31)>>32*uint64(n) < lot<<32
}

// asked is how many of those who reward a service are looked at, of the oldest and of the newest each.
const asked = 64

// eligibleFor lists, ascending, up to n of those who reward a service and may be given to in advance. Of more than 128 only
// the 64 oldest and the 64 newest are looked at, by their ids.
func (p *planner) eligibleFor(s int32, n int) (ids []barnraise.ServerID) {
	wishers := p.View.services[s].wishers
	for i, w := range wishers {
		if i >= asked && i < len(wishers)-asked {
			continue
		}
		if p.eligible(w.at) {
			if ids = append(ids, w.id); len(ids) == n {
				break
			}
		}
	}
	return ids
}

// eligible reports whether a server may be given to in advance: it is new, or gives about as it is given (formula 5).
func (p *planner) eligible(x int32) bool {
	if p.credit[x] == 0 {
		p.credit[x] = -1
		if p.earns(x) {
			p.credit[x] = 1
		}
	}
	return p.credit[x] > 0
}

func (p *planner) earns(x int32) bool {
	s := &p.View.servers[x]
	if x == p.self || !s.active || p.weight[x] == 0 {
		return false
	}
	if p.Age(s.id) <= p.Policy.Newcomer {
		return true
	}
	given := p.given(x)
	return given > 0 && float64(given) >= p.Policy.Reciprocity*float64(p.received(x))
}

// given counts the services of others that a server is confirmed to run.
func (p *planner) given(x int32) (n int) {
	s := &p.View.servers[x]
	for _, o := range s.offers {
		if p.View.services[o.at].home != x && p.Standing(s.id, o.id) == Confirmed {
			n++
		}
	}
	return n
}

// received counts the claims of others, those refuted left out, to run the services whose home the server is.
func (p *planner) received(x int32) (n int) {
	s := &p.View.servers[x]
	for _, o := range s.homed {
		n += len(p.View.services[o.at].hosts) - int(p.refuted[o.at])
		if p.View.offers(x, o.id) && (x == p.self || p.Standing(s.id, o.id) != Refuted) {
			n--
		}
	}
	return n
}

// tie is the 32-bit FNV-1a hash of the decimal server, a zero byte and the decimal service: each server breaks ties its own
// way, and the same way each time.
func tie(self barnraise.ServerID, service barnraise.ServiceID) uint32 {
	var buffer [21]byte
	b := append(strconv.AppendUint(buffer[:0], uint64(self), 10), 0)
	h := uint32(2166136261)
	for _, c := range strconv.AppendUint(b, uint64(service), 10) {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}
