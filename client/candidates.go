package client

import (
	"net/netip"
	"net/url"
	"sync/atomic"

	"barnraise"
	"barnraise/dial"
	"barnraise/dial/doors"
	"barnraise/judge"
)

// candidate is a server that offers the service.
type candidate struct {
	barnraise.Server
	operator judge.Operator // the owner's account: whose vote it is, as far as is known before it answers
	domain   string         // registrable; empty in a private network
	network  string         // that it was reached in; empty in a private network, and where it is not known
	why      string         // it cannot be asked; empty where it can

	last *atomic.Pointer[address] // where it was asked last
}

// address is where a server answers for a revision.
type address struct {
	service  barnraise.ServiceID
	revision uint32
	target   *dial.Target
}

// candidates lists the servers that offer a service, by id.
func (c *Client) candidates(s *barnraise.Snapshot, id barnraise.ServiceID) []candidate {
	private := c.network.Private()
	var list []candidate
	for _, server := range s.Hosts(id) {
		v, _ := s.Server(server)
		one := newCandidate(v, private)
		if _, ok := v.Key(); !ok {
			one.why = "it has no usable key"
		} else if err := dial.CheckURL(v.URL, private); err != nil {
			one.why = err.Error()
		}
		list = append(list, one)
	}
	return list
}

func newCandidate(v barnraise.Server, private bool) candidate {
	c := candidate{Server: v, operator: judge.Operator(v.Operator.String()), last: new(atomic.Pointer[address])}
	if !private {
		c.domain = domain(v.URL)
	}
	return c
}

// networkOf is the network that a server was last reached in, empty where that is not known. What a name stands for is found out when
// it is dialled, and not before.
func (c *Client) networkOf(v barnraise.Server) string {
	u, err := url.Parse(v.URL)
	if err != nil {
		return ""
	}
	a, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		t, ok := c.http.Transport.(interface {
			Reached(host string) (netip.Addr, bool)
		})
		if !ok {
			return ""
		}
		if a, ok = t.Reached(u.Host); !ok {
			return ""
		}
	}
	return dial.Network(a).String()
}

// votes tells whose vote each one's is of those who answered: servers of one owner account are one operator, and so are, outside
// private networks, servers under one registrable domain, and servers that were reached in one network (protocol 6.2). Others do not
// count: anybody may register a URL under somebody's domain, and would make one operator of all under whose domains he did. Who
// answers has introduced himself there.
func votes(list []candidate) []judge.Operator {
	group := make([]int, len(list)) // of each candidate one that comes before it and is of the same operator, or itself
	for i := range list {
		group[i] = i
	}
	root := func(i int) int {
		for group[i] != i {
			group[i] = group[group[i]] // so that the way is shorter next time: somebody may register ten thousand
			i = group[i]
		}
		return i
	}
	first := make(map[string]int)
	join := func(i int, key string) {
		j, seen := first[key]
		if !seen {
			first[key] = i
			return
		}
		a, b := root(i), root(j)
		group[max(a, b)] = min(a, b)
	}
	for i, v := range list {
		join(i, string(v.operator))
		if v.domain != "" {
			join(i, v.domain)
		}
		if v.network != "" {
			join(i, v.network)
		}
	}
	names := make([]judge.Operator, len(list))
	for i := range list {
		names[i] = list[root(i)].operator
	}
	return names
}

// domain is [doors.Domain].
func domain(url string) string { return doors.Domain(url) }
