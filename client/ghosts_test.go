package client

import (
	"context"
	"errors"
	"testing"
	"time"

	"barnraise/dial/doors"
	"barnraise/score"
)

// Anybody may register a URL under somebody's domain. Who never answers there links nobody: honest operators under whose domains one
// owner has ghosts are still as many, and a coalition does not outvote them.
func TestGhostsLinkNobody(t *testing.T) {
	outcomes := make(map[string]int)
	for seed := range byte(20) {
		n := newNetwork(t, 16, "compare")
		n.public("h1.org", "h2.org", "h3.org", "h4.org", "h5.org", "h6.org", "l1.net", "l2.net", "l3.net", "l4.net",
			"g.h1.org", "g.h2.org", "g.h3.org", "g.h4.org", "g.h5.org", "g.h6.org")
		for _, m := range n.members[6:10] {
			m.answer = func([]byte) []byte { return lie }
		}
		for _, m := range n.members[10:] {
			m.owner, m.serve = 99, down
		}
		c, _ := n.client(seed)
		a, err := c.Call(context.Background(), "oracle", "ask", nil)
		switch {
		case err != nil:
			outcomes["error"]++
		case string(a.Result) == `{"answer":42}`:
			outcomes["truth"]++
		default:
			outcomes["lie"]++
		}
	}
	if outcomes["lie"] > 3 || outcomes["truth"] < 5 { // without ghosts 12 get the truth and 8 an error
		t.Errorf("four of ten lie, and of 20 fresh callers get %v", outcomes)
	}
}

// Two servers under one domain that both answer have one vote, whoever owns them.
func TestOneDomainHasOneVote(t *testing.T) {
	for seed := range byte(20) {
		n := newNetwork(t, 4, "compare")
		n.public("h1.org", "a.liar.net", "b.liar.net", "c.liar.net")
		for _, m := range n.members[1:] {
			m.answer = func([]byte) []byte { return lie }
		}
		c, _ := n.client(seed)
		if a, err := c.Call(context.Background(), "oracle", "ask", nil); err == nil && string(a.Result) != `{"answer":42}` {
			t.Fatalf("seed %d: three servers of one domain were believed: %+v", seed, a.Asked)
		}
	}
}

// Protocol 10.1: a server that others under its domain kept from being asked has not failed: a call asks somebody else, its score stays,
// and a probe says that it could not be made.
func TestProtocol10_1CrowdedOutIsNoFailure(t *testing.T) {
	n := newNetwork(t, 9, "compare")
	n.public("true.victim.org", "g1.victim.org", "g2.victim.org", "g3.victim.org", "g4.victim.org", "h1.org", "h2.org", "h3.org", "h4.org")
	for _, m := range n.members[1:5] {
		m.serve = down
	}
	forward := n.clock()
	c, _ := n.client(1)
	s, _ := n.Snapshot(t.Context())
	target, err := c.target(t.Context(), "oracle")
	if err != nil {
		t.Fatal(err)
	}
	c.doors.Forget() // who was asked for manifest and verifier is a stranger again
	for _, m := range n.members[1:5] {
		v, _ := s.Server(m.id)
		if err := c.introduce(t.Context(), s, v); !errors.Is(err, errServer) {
			t.Fatalf("ghost %d: %v", m.id, err)
		}
	}
	n.captured = nil
	if _, err := c.Probe(t.Context(), 1, 1, n.evidence().Request); !errors.Is(err, doors.ErrCrowded) {
		t.Errorf("probe: %v, want ErrCrowded", err)
	}
	for range 20 {
		call(t, c)
	}
	if got := n.seen(1, ""); got != 0 {
		t.Errorf("the crowded server was sent %d requests", got)
	}
	c.Book(func(b *score.Book) {
		if row, known := b.Row(1); known && b.Availability(1, n.now()) < b.Availability(99, n.now()) {
			t.Errorf("its score is %+v", row)
		}
	})
	forward(time.Minute)
	if owner, _ := target.snapshot.Server(1); c.introduce(t.Context(), s, owner) != nil {
		t.Error("a minute later it is not asked either")
	}
}
