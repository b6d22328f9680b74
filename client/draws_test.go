package client

import (
	"math/rand/v2"
	"testing"
	"time"

	"barnraise"
	"barnraise/judge"
	"barnraise/score"
)

const (
	quick, slow, struck, known, home = 1, 2, 3, 4, 5
	service                          = 7
)

// drawing is five servers of five operators; the first answers ten times as quickly as the second, the third has a strike, the
// fourth a history, the fifth is the home. All others answer like the second.
func drawing(homeShare float64) func() *draws {
	now := time.Unix(1e9, 0)
	c := &Client{now: func() time.Time { return now }, random: rand.New(rand.NewPCG(1, 2)), policy: score.Default}
	c.policy.HomeShare = homeShare
	var all []candidate
	for id := barnraise.ServerID(quick); id <= home; id++ {
		c.book.Answered(id, 100*time.Millisecond, now)
		all = append(all, candidate{Server: barnraise.Server{ID: id}, operator: judge.Operator(rune('a' + id))})
	}
	for range 100 {
		c.book.Answered(quick, 10*time.Millisecond, now)
		c.book.Audited(known, service)
	}
	c.book.Strike(score.Strike{Server: struck, Service: service, Revision: 1, Epoch: c.epoch(), Conclusive: true})
	return func() *draws {
		return &draws{c: c, service: service, home: home, left: append([]candidate{}, all...), wishes: &wishes{policy: c.policy}}
	}
}

// shares draws many times and says how often each was first.
func shares(t *testing.T, fresh func() *draws, draw func(*draws) (candidate, bool)) map[barnraise.ServerID]float64 {
	t.Helper()
	const times = 20_000
	share := make(map[barnraise.ServerID]float64)
	for range times {
		v, ok := draw(fresh())
		if !ok {
			t.Fatal("nobody was drawn")
		}
		share[v.ID] += 1.0 / times
	}
	return share
}

func near(got, want float64) bool { return got > want-0.02 && got < want+0.02 }

// Protocol 6.3: two choices by latency; the quickest of four clean ones is taken wherever it is one of two: 1 - (3/4)².
func TestPrimaryIsOneOfTwo(t *testing.T) {
	got := shares(t, drawing(0), (*draws).primary)
	if !near(got[quick], 7.0/16) || !near(got[slow], 3.0/16) || got[struck] != 0 {
		t.Errorf("primaries %v, want the quickest in 7 of 16, and never one that is struck", got)
	}
}

// Protocol 6.4: half the time an established server, else any, latency plays no part, who has a strike is not drawn.
func TestAuditorsAreDrawnByChance(t *testing.T) {
	got := shares(t, drawing(0), (*draws).auditor)
	if !near(got[quick], got[slow]) || !near(got[known], 1.0/2+1.0/8) || !near(got[slow], 1.0/8) || got[struck] != 0 {
		t.Errorf("auditors %v, want five in eight the one that is known, and of the others each alike", got)
	}
}

// Protocol 6.4: with probability h the home.
func TestHomeHasItsShare(t *testing.T) {
	got := shares(t, drawing(0.4), (*draws).auditor)
	if !near(got[home], 0.4+0.6/8) {
		t.Errorf("auditors %v, want the home with four in ten, and its share of the rest", got)
	}
	if v, ok := drawing(0)().anchor(); !ok || v.ID != home {
		t.Errorf("anchor %v, %t, want the home", v.ID, ok)
	}
}

// Who has a strike is asked when nobody else is left, and as an auditor by anybody alone; an operator is asked once.
func TestWhoIsLeft(t *testing.T) {
	d := drawing(0)()
	for range 4 {
		if v, ok := d.primary(); !ok || v.ID == struck {
			t.Errorf("primary %v, %t, while clean ones are left", v.ID, ok)
		}
	}
	if _, ok := d.auditor(); ok || d.operators() != 1 {
		t.Errorf("an auditor with a strike was drawn, or %d operators are left", d.operators())
	}
	if v, ok := d.anybody(); !ok || v.ID != struck {
		t.Errorf("anybody is %v, %t", v.ID, ok)
	}
	if _, ok := d.primary(); ok {
		t.Error("somebody was asked twice")
	}
	d = drawing(0)()
	for i := range d.left {
		d.left[i].operator = "one"
	}
	if _, ok := d.primary(); !ok || d.operators() != 0 {
		t.Errorf("of one operator %d more are left", len(d.left))
	}
}
