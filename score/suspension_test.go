package score

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"barnraise"
)

func TestThreeStrikesSuspend(t *testing.T) {
	var b Book
	var events []Kind
	b.Report = func(e Event) { events = append(events, e.Kind) }
	for i, want := range []float64{0, 3.9, 7.8, 3.9} {
		if i > 0 {
			b.Strike(strike(1, 3, uint64(i)))
		}
		if got := b.Doubt(1, 3); got != want || b.Suspended(1, 3) != (i == 3) {
			t.Errorf("after %d strikes: doubt %v, suspended %v; want %v, %v", i, got, b.Suspended(1, 3), want, i == 3)
		}
	}
	if b.Suspended(1, 4) || b.Suspended(2, 3) || b.Integrity(1, 3) != 0 || b.Integrity(1, 4) != 1 {
		t.Errorf("it reaches another service or server, or integrity %v is not 0", b.Integrity(1, 3))
	}
	if want := []Kind{Struck, Struck, Struck, Suspended}; !slices.Equal(events, want) {
		t.Errorf("events %v, want %v", events, want)
	}
}

func TestSeventyEightRightAnswersBetweenStrikesNeverSuspend(t *testing.T) {
	for _, c := range []struct {
		right     int
		suspended bool
	}{{78, false}, {77, true}, {0, true}} {
		var b Book
		suspended := false
		for epoch := range uint64(1000) {
			b.Strike(strike(1, 3, epoch))
			suspended = suspended || b.Suspended(1, 3)
			for range c.right {
				b.Audited(1, 3)
			}
		}
		if suspended != c.suspended {
			t.Errorf("%d right answers between strikes: suspended %v, want %v", c.right, suspended, c.suspended)
		}
	}
}

func TestTheHonestErrAndAreNotSuspended(t *testing.T) {
	const servers, answers = 940, 300 // audited answers that one client gets of each
	for _, c := range []struct {
		wrong       float64
		least, most int
	}{{0.001, 0, servers / 100}, {1, servers, servers}} {
		random := rand.New(rand.NewPCG(1, 2))
		var b Book
		suspended := make(map[barnraise.ServerID]bool)
		for id := barnraise.ServerID(1); id <= servers; id++ {
			for epoch := range uint64(answers) {
				if random.Float64() >= c.wrong {
					b.Audited(id, 3)
					continue
				}
				b.Strike(strike(id, 3, epoch))
				if b.Suspended(id, 3) {
					suspended[id] = true
					break
				}
			}
		}
		if got := len(suspended); got < c.least || got > c.most {
			t.Errorf("wrong in %v of the answers: %d of %d are suspended, want %d to %d", c.wrong, got, servers, c.least, c.most)
		}
	}
}

func TestSuspensionLastsFourTimesLongerEachTime(t *testing.T) {
	var b Book
	var lasted []int
	for len(lasted) < 3 {
		for !b.Suspended(1, 3) {
			b.Strike(strike(1, 3, 5))
		}
		n := 0
		for ; b.Suspended(1, 3); n++ {
			b.Answered(2, time.Millisecond, noon)
		}
		lasted = append(lasted, n)
		if b.Doubt(1, 3) != 3.9 {
			t.Errorf("afterwards doubt is %v, want 3.9", b.Doubt(1, 3))
		}
	}
	if want := []int{20_000, 80_000, 320_000}; !slices.Equal(lasted, want) {
		t.Errorf("suspended for %v own requests, want %v", lasted, want)
	}
}

func TestOnlyTwoKnownOwnersSuspendForAllServices(t *testing.T) {
	by := func(service barnraise.ServiceID, owner byte, known bool) Strike {
		s := strike(1, service, 5)
		s.Owner, s.Known = barnraise.Address{owner}, known
		return s
	}
	a, a2, b2 := by(3, 1, true), by(4, 1, true), by(5, 2, true)
	for _, c := range []struct {
		name    string
		strikes []Strike
		all     bool
	}{
		{"three in one service, one in another owner's", []Strike{a, a, a, b2}, true},
		{"the other owner's first", []Strike{b2, a, a, a}, true},
		{"one owner only", []Strike{a, a, a, a2}, false},
		{"one fault here and one there", []Strike{a, b2}, false},
		{"an owner nobody knows", []Strike{a, a, a, by(5, 2, false)}, false},
		{"suspended only in a stranger's service", []Strike{by(6, 3, false), by(6, 3, false), by(6, 3, false), a, b2}, false},
	} {
		var b Book
		for _, s := range c.strikes {
			b.Strike(s)
		}
		if got := b.Suspended(1, 99); got != c.all {
			t.Errorf("%s: suspended for all %v, want %v", c.name, got, c.all)
		}
	}
}

func TestWhoeverBecomesAnotherIsCapped(t *testing.T) {
	key := func(b byte) []barnraise.Key { return []barnraise.Key{{Key: barnraise.PublicKey{b}}} }
	was := barnraise.Server{ID: 1, Operator: barnraise.Address{1}, URL: "https://a", Keys: key(1)}
	changed := func(change func(*barnraise.Server)) barnraise.Server {
		v := was
		change(&v)
		return v
	}
	for _, c := range []struct {
		name string
		is   barnraise.Server
		want float64
	}{
		{"the same", was, 100},
		{"another operator", changed(func(v *barnraise.Server) { v.Operator[0] = 2 }), 30},
		{"another key", changed(func(v *barnraise.Server) { v.Keys = key(2) }), 30},
		{"another URL", changed(func(v *barnraise.Server) { v.URL = "https://b" }), 30},
		{"no usable key any more", changed(func(v *barnraise.Server) { v.Keys = nil }), 100},
	} {
		var b Book
		b.Identify(was, 5, Default.Known)
		for range 100 {
			b.Audited(1, 3)
		}
		b.Identify(c.is, 6, Default.Known)
		if got := b.History(1, 3); got != c.want {
			t.Errorf("%s: history %v, want %v", c.name, got, c.want)
		}
	}
}
