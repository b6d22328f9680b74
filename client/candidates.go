package client

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"barnraise"
	"barnraise/dial"
	"barnraise/judge"

	"golang.org/x/net/publicsuffix"
)

// candidate is a server that offers the service.
type candidate struct {
	barnraise.Server
	operator judge.Operator
	why      string // it cannot be asked; empty where it can
}

// candidates lists the servers that offer a service, by id.
func (c *Client) candidates(s *barnraise.Snapshot, id barnraise.ServiceID) []candidate {
	private := c.network.Private()
	var list []candidate
	for _, server := range s.Hosts(id) {
		v, _ := s.Server(server)
		one := candidate{Server: v}
		if _, ok := v.Key(); !ok {
			one.why = "it has no usable key"
		} else if err := dial.CheckURL(v.URL, private); err != nil {
			one.why = err.Error()
		}
		list = append(list, one)
	}
	for i, operator := range operators(list, private) {
		list[i].operator = operator
	}
	return list
}

// operators tells whose vote each candidate's is: servers of one owner account are one operator, and so are, outside private
// networks, servers under one registrable domain (protocol 6.2).
func operators(list []candidate, private bool) []judge.Operator {
	group := make([]int, len(list)) // index of the first candidate that shares an owner or a domain
	first := make(map[string]int)
	join := func(i int, key string) {
		j, seen := first[key]
		if !seen {
			first[key] = i
			return
		}
		from, to := max(group[i], group[j]), min(group[i], group[j])
		for k := range group {
			if group[k] == from {
				group[k] = to
			}
		}
	}
	for i := range list {
		group[i] = i
	}
	for i, v := range list {
		join(i, v.Operator.String())
		if !private {
			join(i, domain(v.URL))
		}
	}
	names := make([]judge.Operator, len(list))
	for i := range list {
		names[i] = judge.Operator(list[group[i]].Operator.String())
	}
	return names
}

// domain is the registrable domain of a URL's host under a suffix of ICANN's, or the host itself where it has none: x.github.io
// and y.github.io are github.io, however they are spelled.
func domain(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	host := strings.TrimRight(strings.ToLower(u.Hostname()), ".")
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().String()
	}
	suffix, icann := publicsuffix.PublicSuffix(host)
	for !icann {
		_, parent, more := strings.Cut(suffix, ".") // a suffix that somebody gives away below his own domain, such as github.io
		if !more {
			break // a top-level domain that nobody has listed
		}
		suffix, icann = publicsuffix.PublicSuffix(parent)
	}
	below := strings.TrimSuffix(strings.TrimSuffix(host, suffix), ".")
	if below == "" {
		return host
	}
	return below[strings.LastIndexByte(below, '.')+1:] + "." + suffix
}

// draws is the secret order of one call: who is asked next.
type draws struct {
	c       *Client
	service barnraise.ServiceID
	home    barnraise.ServerID // zero where the home does not count
	left    []candidate        // of operators that have not been asked
	*wishes
}

func (d *draws) operators() int {
	seen := make(map[judge.Operator]bool)
	for _, v := range d.left {
		seen[v.operator] = true
	}
	return len(seen)
}

// take removes a candidate and all others of its operator: one operator has one vote, and no second chance in a call.
func (d *draws) take(v candidate) candidate {
	d.left = slices.DeleteFunc(d.left, func(o candidate) bool { return o.operator == v.operator })
	return v
}

// primary draws the server that answers first: two are drawn at random, and the one that is expected to answer sooner is
// taken. A server with a strike is asked only when no other is left.
func (d *draws) primary() (candidate, bool) {
	now := d.c.now()
	live := d.only(d.left, func(v candidate) bool { return d.clean(v) && d.c.book.Availability(v.ID, now) >= 0.5 })
	for _, pool := range [][]candidate{live, d.only(d.left, d.clean), d.left} {
		if len(pool) == 0 {
			continue
		}
		a, b := pool[d.c.random.IntN(len(pool))], pool[d.c.random.IntN(len(pool))]
		if d.expected(b, now) < d.expected(a, now) {
			a = b
		}
		return d.take(a), true
	}
	return candidate{}, false
}

// named draws the server of that id, where it can be asked.
func (d *draws) named(id barnraise.ServerID) (candidate, bool) {
	return d.anyOf(d.only(d.left, func(v candidate) bool { return v.ID == id }))
}

// clean reports whether no strike stands against a server, and it is not suspended.
func (d *draws) clean(v candidate) bool {
	return d.c.book.Clean(v.ID, d.c.epoch()) && !d.c.book.Suspended(v.ID, d.service)
}

func (d *draws) only(list []candidate, good func(candidate) bool) []candidate {
	return slices.DeleteFunc(slices.Clone(list), func(v candidate) bool { return !good(v) })
}

func (d *draws) expected(v candidate, now time.Time) float64 {
	return float64(d.c.book.Latency(v.ID)) / d.c.book.Availability(v.ID, now)
}

// auditor draws one operator with a clean record at random; latency plays no part (protocol 6.4).
func (d *draws) auditor() (candidate, bool) {
	pool := d.only(d.left, d.clean)
	if d.c.random.Float64() < d.policy.HomeShare {
		if v, ok := d.anchor(); ok {
			return v, true
		}
	}
	known := d.only(pool, func(v candidate) bool { return d.c.book.History(v.ID, d.service) >= d.policy.Known })
	if len(known) > 0 && d.c.random.IntN(2) == 0 {
		pool = known
	}
	return d.anyOf(pool)
}

// anybody draws an auditor, or one with a strike where no other is left: better a liar under the eyes of others than nobody.
func (d *draws) anybody() (candidate, bool) {
	if v, ok := d.auditor(); ok {
		return v, true
	}
	return d.anyOf(d.left)
}

// anchor draws the home as an auditor, where it counts, has a clean record and has not been asked (protocol 6.5).
func (d *draws) anchor() (candidate, bool) {
	return d.anyOf(d.only(d.left, func(v candidate) bool { return v.ID == d.home && d.clean(v) }))
}

// witness draws the home, or else an operator at random (protocol 7.3 c).
func (d *draws) witness() (candidate, bool) {
	if v, ok := d.anyOf(d.only(d.left, func(v candidate) bool { return v.ID == d.home })); ok {
		return v, true
	}
	return d.anyOf(d.left)
}

func (d *draws) anyOf(pool []candidate) (candidate, bool) {
	if len(pool) == 0 {
		return candidate{}, false
	}
	return d.take(pool[d.c.random.IntN(len(pool))]), true
}
