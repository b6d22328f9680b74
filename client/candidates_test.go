package client

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"barnraise"
)

func TestOperators(t *testing.T) {
	server := func(id barnraise.ServerID, owner byte, url string) candidate {
		return candidate{Server: barnraise.Server{ID: id, Operator: barnraise.Address{owner}, URL: url}}
	}
	list := []candidate{
		server(1, 1, "https://a.example.org"), server(2, 2, "https://b.example.org"), server(3, 2, "https://x.example.net"),
		server(4, 4, "https://x.github.io"), server(5, 5, "https://y.github.io"), server(6, 6, "https://203.0.113.1"),
	}
	groups := func(private bool) string { return fmt.Sprint(grouping(operators(list, private))) }
	if got := groups(true); got != "[0 1 1 3 4 5]" {
		t.Errorf("in a private network votes are %s: want one for each account", got)
	}
	if got := groups(false); got != "[0 0 0 3 3 5]" {
		t.Errorf("in public votes are %s: want one for each account and registrable domain, linked ones together", got)
	}
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
