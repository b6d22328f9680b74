package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"barnraise"
)

func TestOperators(t *testing.T) {
	server := func(id barnraise.ServerID, owner byte, url string) barnraise.Server {
		return barnraise.Server{ID: id, Operator: barnraise.Address{owner}, URL: url}
	}
	list := []barnraise.Server{
		server(1, 1, "https://a.example.org"), server(2, 2, "https://b.example.org"), server(3, 2, "https://x.example.net"),
		server(4, 4, "https://x.github.io"), server(5, 5, "https://y.github.io"), server(6, 6, "https://203.0.113.1"),
		server(7, 7, "https://203.0.113.200"), server(8, 8, "https://[2001:db8:1:2::3]"), server(9, 9, "https://[2001:db8:1:ff::9]"),
		server(10, 10, "https://far.example.com"), server(11, 11, "https://near.example.edu"),
	}
	reached := &reaching{"far.example.com": netip.MustParseAddr("198.51.100.7"), "near.example.edu": netip.MustParseAddr("198.51.100.99")}
	c := &Client{http: &http.Client{Transport: reached}}
	groups := func(private bool) string {
		var answered []candidate
		for _, v := range list {
			one := newCandidate(v, private)
			if !private {
				one.network = c.networkOf(v)
			}
			answered = append(answered, one)
		}
		return fmt.Sprint(grouping(votes(answered)))
	}
	if got := groups(true); got != "[0 1 1 3 4 5 6 7 8 9 10]" {
		t.Errorf("in a private network votes are %s: want one for each account", got)
	}
	if got := groups(false); got != "[0 0 0 3 3 5 5 7 7 9 9]" {
		t.Errorf("in public votes are %s: want one for each account, registrable domain and network, linked ones together", got)
	}
	(*reached)["near.example.edu"] = netip.MustParseAddr("198.51.101.99")
	if got := groups(false); got != "[0 0 0 3 3 5 5 7 7 9 10]" {
		t.Errorf("in public, reached in another network, votes are %s", got)
	}
}

// reaching is a transport that knows where hosts are.
type reaching map[string]netip.Addr

func (r *reaching) RoundTrip(*http.Request) (*http.Response, error) { return nil, errServer }

func (r *reaching) Reached(host string) (netip.Addr, bool) {
	a, ok := (*r)[host]
	return a, ok
}

// Protocol 6.2: what servers of one network say in one call is one vote.
func TestOneVotePerNetwork(t *testing.T) {
	n := newNetwork(t, 4, "compare")
	n.public("a.example.com", "b.example.net", "c.example.org", "d.example.edu")
	net := &networked{n, map[string]netip.Addr{}}
	c, _ := n.client(1, WithTransport(net))
	for i, m := range n.members {
		net.at[strings.TrimPrefix(m.url(), "https://")] = netip.AddrFrom4([4]byte{198, 51, 100, byte(i)})
	}
	_, err := c.Call(t.Context(), "oracle", "ask", nil)
	var few *TooFewError
	if !errors.As(err, &few) || few.Have != 1 {
		t.Errorf("four servers of one network: %v", err)
	}
	net.at["d.example.edu"] = netip.AddrFrom4([4]byte{203, 0, 113, 1})
	c, _ = n.client(1, WithTransport(net))
	if a, err := c.Call(t.Context(), "oracle", "ask", nil); err != nil || len(a.Asked) < 2 {
		t.Errorf("one of them elsewhere: %+v, %v", a, err)
	}
}

// networked is a network whose hosts are at addresses that are known once they have been asked.
type networked struct {
	*network
	at map[string]netip.Addr
}

func (n *networked) Reached(host string) (netip.Addr, bool) {
	a, ok := n.at[host]
	return a, ok && len(n.calls()) > 0
}

// Protocol 6.2: the registrable domain, under the suffixes of ICANN, however a URL is spelled.
func TestDomain(t *testing.T) {
	for _, v := range []struct{ want, urls string }{
		{"evil.com", "https://evil.com https://a.evil.com https://a.EVIL.com/x https://a.evil.com. https://a.eViL.com.:8443 https://b.a.evil.com"},
		{"evil.co.uk", "https://evil.co.uk https://a.evil.co.uk"},
		{"github.io", "https://x.github.io https://y.github.io https://a.y.github.io https://github.io"},
		{"amazonaws.com", "https://x.s3.amazonaws.com https://ec2-1.eu-west-1.compute.amazonaws.com https://amazonaws.com"},
		{"co.uk", "https://co.uk"},
		{"b.cromulent", "https://a.b.cromulent https://b.cromulent:1"},
		{"localhost", "http://localhost http://localhost:8080"},
		{"203.0.113.1", "https://203.0.113.1 https://203.0.113.1:8443 https://[::ffff:203.0.113.1]"},
		{"203.0.113.2", "https://203.0.113.2"},
		{"2001:db8::1", "https://[2001:db8::1] https://[2001:DB8:0::1]:444"},
	} {
		for raw := range strings.FieldsSeq(v.urls) {
			if got := domain(raw); got != v.want {
				t.Errorf("domain of %s is %s, want %s", raw, got, v.want)
			}
		}
	}
}

// grouping numbers each operator by its first appearance.
func grouping[T comparable](list []T) (first []int) {
	for _, v := range list {
		first = append(first, slices.Index(list, v))
	}
	return first
}
