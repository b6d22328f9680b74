package client

import (
	"net/netip"
	"net/url"
	"strings"

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
