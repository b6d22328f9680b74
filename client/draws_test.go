package client

import (
	"math/rand/v2"
	"slices"
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
	c := &Client{
		now: func() time.Time { return now }, random: rand.New(rand.NewPCG(1, 2)), policy: score.Default,
		seats: make(map[barnraise.ServiceID][]barnraise.ServerID),
	}
	c.policy.HomeShare = homeShare
	var all []*candidate
	for id := barnraise.ServerID(quick); id <= home; id++ {
		c.book.Answered(id, 100*time.Millisecond, now)
		c.book.Meet(id, 1, 1, now)
		all = append(all, &candidate{Server: barnraise.Server{ID: id}, operator: judge.Operator(rune('a' + id))})
	}
	for range 100 {
		c.book.Answered(quick, 10*time.Millisecond, now)
		c.book.Audited(known, service)
	}
	c.book.Strike(score.Strike{Server: struck, Service: service, Revision: 1, Epoch: c.epoch(), Conclusive: true})
	return func() *draws {
		clear(c.seats)
		return &draws{c: c, service: service, home: home, all: all, left: all, wishes: &wishes{policy: c.policy}, now: now}
	}
}

// shares draws many times and says how often each was first.
func shares(t *testing.T, fresh func() *draws, draw func(*draws) (*candidate, bool)) map[barnraise.ServerID]float64 {
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

// Protocol 6.3: the primary is one of a set of three, two choices by latency; the quickest is taken wherever it is one of two:
// 1 - (2/3)². The home keeps out of it, and who is struck.
func TestPrimaryIsOneOfTwo(t *testing.T) {
	got := shares(t, drawing(0), (*draws).primary)
	if !near(got[quick], 5.0/9) || !near(got[slow], 2.0/9) || got[struck] != 0 || got[home] != 0 {
		t.Errorf("primaries %v, want the quickest in 5 of 9, and never one that is struck, nor the home", got)
	}
}

// Protocol 6.3: the set is sticky; a seat empties on failure, strike and suspension, and is filled by who is established, with the
// longest history, or else by chance.
func TestStickySet(t *testing.T) {
	fresh := drawing(0)
	d := fresh()
	d.all = append(slices.Clone(d.all), &candidate{Server: barnraise.Server{ID: 6}, operator: "six"}, &candidate{Server: barnraise.Server{ID: 7}, operator: "seven"})
	d.left = d.all
	d.seated()
	first := slices.Sorted(slices.Values(d.c.seats[service]))
	if len(first) != 3 || !slices.Contains(first, known) {
		t.Fatalf("the set is %v, want three, one of them the one with a history", first)
	}
	for range 100 {
		if d.seated(); !slices.Equal(slices.Sorted(slices.Values(d.c.seats[service])), first) {
			t.Fatalf("the set was %v and is %v", first, d.c.seats[service])
		}
	}
	for name, lose := range map[string]func(id barnraise.ServerID){
		"failures": func(id barnraise.ServerID) {
			for range 200 {
				d.c.book.Failed(id, d.now)
			}
		},
		"strike": func(id barnraise.ServerID) {
			d.c.book.Strike(score.Strike{Server: id, Service: service, Revision: 1, Epoch: d.c.epoch(), Conclusive: true})
		},
	} {
		lost := d.c.seats[service][0]
		lose(lost)
		if d.seated(); len(d.c.seats[service]) != 3 || slices.Contains(d.c.seats[service], lost) {
			t.Errorf("after %s of server %d the set is %v", name, lost, d.c.seats[service])
		}
	}
	for range 50 {
		d.c.book.Audited(home, service)
	}
	d.c.unseat(service, d.c.seats[service][2])
	if d.seated(); slices.Contains(d.c.seats[service], home) {
		t.Errorf("the home has a seat in %v, while others are there", d.c.seats[service])
	}
}

// One operator has one seat.
func TestStickySetIsOfDifferentOperators(t *testing.T) {
	d := drawing(0)()
	for i := range d.all {
		d.all[i].operator = "one"
	}
	if d.seated(); len(d.c.seats[service]) != 1 {
		t.Errorf("one operator has %d seats", len(d.c.seats[service]))
	}
}

// Protocol 6.4: servers younger than twelve epochs get together at most a third of the draws, however many they are.
func TestYoungServersShareAThird(t *testing.T) {
	fresh := drawing(0)
	got := shares(t, func() *draws {
		d := fresh()
		d.all = slices.Clone(d.all)
		for id := barnraise.ServerID(100); id < 200; id++ {
			d.all = append(d.all, &candidate{Server: barnraise.Server{ID: id}, operator: judge.Operator(id.String())})
		}
		d.left = d.all
		d.policy.Established = 0
		return d
	}, (*draws).auditor)
	var young float64
	for id, share := range got {
		if id >= 100 {
			young += share
		}
	}
	if !near(young, 1.0/3) || !near(got[quick], 2.0/9) {
		t.Errorf("a hundred young servers got %v of the draws, and one of three old ones %v", young, got[quick])
	}
}

// Protocol 6.4: half the time an established server, else any, latency plays no part, who has a strike is not drawn, nor the home.
func TestAuditorsAreDrawnByChance(t *testing.T) {
	got := shares(t, drawing(0), (*draws).auditor)
	if !near(got[quick], got[slow]) || !near(got[known], 1.0/2+1.0/6) || !near(got[slow], 1.0/6) || got[struck] != 0 || got[home] != 0 {
		t.Errorf("auditors %v, want two in three the one that is known, and of the others each alike", got)
	}
}

// Protocol 6.4: with probability h the home.
func TestHomeHasItsShare(t *testing.T) {
	got := shares(t, drawing(0.4), (*draws).auditor)
	if !near(got[home], 0.4) {
		t.Errorf("auditors %v, want the home with four in ten", got)
	}
	if v, ok := drawing(0)().anchor(); !ok || v.ID != home {
		t.Errorf("anchor %v, %t, want the home", v.ID, ok)
	}
	d := drawing(0)()
	d.c.anchors = []barnraise.ServerID{slow}
	if v, ok := d.anchor(); !ok || v.ID != slow {
		t.Errorf("anchor %v, %t, want the one that is pinned", v.ID, ok)
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
