package client

import (
	"fmt"
	"slices"
	"testing"

	"barnraise"
	"barnraise/judge"
	"barnraise/score"
)

// entry is an answer for the memory that rests on these servers.
func entry(request string, body string, servers ...barnraise.ServerID) memoEntry {
	e := memoEntry{key: memoKey{service: 1, revision: 1, image: image, request: barnraise.Sum([]byte(request))}, body: []byte(body), policy: score.Default}
	for _, s := range servers {
		e.rests = append(e.rests, e.resting(barnraise.Answer{Server: s, Response: e.body, Receipt: "receipt"}, judge.Answer{Server: s, Body: e.body}))
	}
	return e
}

// Memory has a bound in bytes, what was used last stays, and what is gone leaves nothing behind.
func TestMemoIsBounded(t *testing.T) {
	one := entry("0", "", 1)
	body := string(make([]byte, 1000))
	size := one.size() + 1000
	m := newMemo(10 * size)
	for i := range 100 {
		m.add(entry(fmt.Sprint(i), body, 1))
		m.hit(entry("0", "").key, score.Default) // keeps it
		if m.used > m.limit || len(m.entries) != min(i+1, 10) || m.order.Len() != len(m.entries) {
			t.Fatalf("after %d: %d of %d bytes, %d entries, %d in order", i, m.used, m.limit, len(m.entries), m.order.Len())
		}
	}
	for i, want := range map[int]bool{0: true, 1: false, 90: false, 91: true, 99: true} {
		if _, ok := m.hit(entry(fmt.Sprint(i), "").key, score.Default); ok != want {
			t.Errorf("%d is remembered: %t", i, ok)
		}
	}
	large := entry("large", "", 1)
	large.unverified = slices.Repeat([]string{"/result/items/0/took"}, 100)
	if m.add(large); m.used > m.limit || len(m.entries) == 11 {
		t.Errorf("%d of %d bytes, %d entries", m.used, m.limit, len(m.entries))
	}
	m.drop(large.key)
	m.add(entry("large", string(make([]byte, 2*size)), 1))
	if _, ok := m.hit(entry("large", "").key, score.Default); ok || len(m.entries) != 10 {
		t.Error("one answer took the room of many")
	}
	for _, at := range m.entries {
		e := *at.Value.(*memoEntry)
		for s := range barnraise.ServerID(20) { // grows
			m.confirm(e.key, e.resting(barnraise.Answer{Server: s, Response: []byte("other"), Receipt: "receipt"}, judge.Answer{}))
		}
	}
	if m.used > m.limit {
		t.Errorf("%d of %d bytes", m.used, m.limit)
	}
	for s := range barnraise.ServerID(20) {
		m.struck(s)
	}
	if m.used != 0 || len(m.entries) != 0 || m.order.Len() != 0 {
		t.Errorf("%d bytes, %d entries, %d in order are left", m.used, len(m.entries), m.order.Len())
	}
}

// An entry goes with the last server it rests on, and with its request.
func TestMemoForgets(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*memo)
		left []string
	}{
		"nothing":         {func(m *memo) {}, []string{"a", "b", "c"}},
		"who is in none":  {func(m *memo) { m.struck(9) }, []string{"a", "b", "c"}},
		"who is in all":   {func(m *memo) { m.struck(1) }, []string{"b", "c"}},
		"all who are":     {func(m *memo) { m.struck(1); m.struck(2) }, []string{"c"}},
		"one by name":     {func(m *memo) { m.drop(entry("b", "").key) }, []string{"a", "c"}},
		"one request":     {func(m *memo) { m.forget(image, barnraise.Sum([]byte("b"))) }, []string{"a", "c"}},
		"another image's": {func(m *memo) { m.forget(barnraise.Digest{}, barnraise.Sum([]byte("b"))) }, []string{"a", "b", "c"}},
		"what rests on one more": {func(m *memo) {
			e := entry("a", "")
			m.confirm(e.key, e.resting(barnraise.Answer{Server: 4}, judge.Answer{}))
			m.struck(1)
		}, []string{"a", "b", "c"}},
		"what rests on the same again": {func(m *memo) {
			e := entry("a", "")
			m.confirm(e.key, e.resting(barnraise.Answer{Server: 1}, judge.Answer{}))
			m.struck(1)
		}, []string{"b", "c"}},
		"what is not there is not confirmed": {func(m *memo) {
			m.confirm(entry("d", "").key, rest{})
		}, []string{"a", "b", "c"}},
	} {
		m := newMemo(1 << 20)
		m.add(entry("a", "x", 1))
		m.add(entry("b", "x", 1, 2))
		m.add(entry("c", "x", 1, 2, 3))
		c.do(m)
		var left []string
		for _, request := range []string{"a", "b", "c", "d"} {
			if _, ok := m.hit(entry(request, "").key, score.Default); ok {
				left = append(left, request)
			}
		}
		if !slices.Equal(left, c.left) {
			t.Errorf("%s: left %q, want %q", name, left, c.left)
		}
	}
	var none *memo // for clients without
	none.struck(1)
	none.forget(image, barnraise.Digest{})
}

// What was accepted by one policy is good for weaker ones, and never for stronger ones.
func TestMemoKeepsToPolicies(t *testing.T) {
	exact, err := score.Exact(1e-3)
	if err != nil {
		t.Fatal(err)
	}
	named := score.Default
	named.Name = "mine"
	for _, c := range []struct {
		accepted, wanted score.Policy
		good             bool
	}{
		{score.Default, score.Default, true}, {score.Default, named, true}, {score.Default, score.Cheap, true}, {score.Default, score.One, true},
		{score.Default, score.Paranoid, false}, {score.Default, exact, false}, {score.Default, score.Fast, false},
		{score.Cheap, score.Default, false}, {score.One, score.Cheap, false}, {score.Paranoid, score.Default, true},
		{score.Fast, score.Default, false}, {score.Fast, score.Fast, true}, {exact, exact, true}, {exact, score.Paranoid, false},
	} {
		m, e := newMemo(1<<20), entry("a", "x", 1)
		e.policy = c.accepted
		m.add(e)
		if _, ok := m.hit(e.key, c.wanted); ok != c.good {
			t.Errorf("accepted under %s, wanted under %s: %t", c.accepted.Name, c.wanted.Name, ok)
		}
	}
	m, e := newMemo(1<<20), entry("a", "x", 1)
	for _, p := range []score.Policy{score.Cheap, score.Paranoid, score.Default} {
		e.policy = p
		m.add(e)
	}
	if e, ok := m.hit(e.key, score.Paranoid); !ok || e.policy != score.Paranoid {
		t.Error("a weaker answer took the place of a stronger one")
	}
}
