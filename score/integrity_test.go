package score

import (
	"math"
	"testing"
	"time"

	"barnraise"
)

var noon = time.Unix(1_800_000_000, 0)

func strike(server barnraise.ServerID, service barnraise.ServiceID, epoch uint64) Strike {
	return Strike{Server: server, Service: service, Revision: uint32(server), Epoch: epoch}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

// The golden numbers of the sequential test: 0, 3.9, 7.8, 11.7, suspended at the third.
// The population of the facts: servers that err in one of a thousand answers are not suspended, those that always lie are.
// The golden numbers of display: (m+1)/(m+1+50*strikes).
func TestIntegrity(t *testing.T) {
	for _, c := range []struct {
		strikes, right int
		days           int
		want           float64
	}{
		{0, 0, 0, 1}, {0, 500, 0, 1}, {1, 0, 0, 1.0 / 51}, {1, 49, 0, 0.5}, {2, 99, 0, 0.5}, {1, 24, 90, 4.0 / 29},
	} {
		var b Book
		b.Advance(noon)
		for range c.strikes {
			b.Strike(strike(1, 3, 5))
		}
		for range c.right {
			b.Audited(1, 3)
		}
		b.Advance(noon.AddDate(0, 0, c.days))
		if got := b.Integrity(1, 3); !near(got, c.want) {
			t.Errorf("%d strikes, then %d right answers, then %d days: %v, want %v", c.strikes, c.right, c.days, got, c.want)
		}
	}
}

func TestHistoryHalvesByMonthsWithoutContact(t *testing.T) {
	var b Book
	b.Advance(noon)
	for i := range 64 {
		if i%2 == 0 {
			b.Audited(1, 3)
		} else {
			b.Unchecked(1, 3)
		}
	}
	for _, c := range []struct {
		days int
		want float64
	}{{0, 64}, {29, 64}, {30, 32}, {59, 32}, {60, 16}, {180, 1}} {
		b.now = noon.AddDate(0, 0, c.days)
		if got := b.History(1, 3); got != c.want {
			t.Errorf("after %d days: %v, want %v", c.days, got, c.want)
		}
	}
	b.now = noon.AddDate(0, 0, 31)
	b.Audited(1, 3)
	b.now = noon.AddDate(0, 0, 60)
	if got := b.History(1, 3); got != 33 {
		t.Errorf("29 days after a contact: %v, want 33", got)
	}
}

func TestForeignEvidenceHalvesHistoryAndNothingElse(t *testing.T) {
	var b Book
	b.Advance(noon)
	for range 64 {
		b.Audited(1, 3)
		b.Audited(1, 4)
	}
	request := func(i int) barnraise.Digest { return barnraise.Sum([]byte{byte(i)}) }
	b.Foreign(1, 3, request(1), 5, "a")
	b.Foreign(1, 3, request(1), 5, "a")
	if b.History(1, 3) != 32 || b.History(1, 4) != 64 || !b.Clean(1, 5) || b.Doubt(1, 3) != 0 || b.Integrity(1, 3) != 1 {
		t.Errorf("history %v and %v, clean %v, doubt %v", b.History(1, 3), b.History(1, 4), b.Clean(1, 5), b.Doubt(1, 3))
	}
	for i := range 100 {
		b.Foreign(1, 3, request(i), 5, "a")
	}
	if got := b.History(1, 3); got != 64.0/(1<<16) || b.Suspended(1, 3) {
		t.Errorf("after a flood: history %v, want 64 halved 16 times; suspended %v", got, b.Suspended(1, 3))
	}
}

func TestLiftedStrikeLeavesNothing(t *testing.T) {
	var b Book
	b.Advance(noon)
	for range 100 {
		b.Audited(1, 3)
	}
	b.Strike(Strike{Server: 1, Service: 3, Revision: 7, Epoch: 5})
	for range 10 {
		b.Audited(1, 3)
	}
	b.Strike(Strike{Server: 2, Service: 3, Revision: 7, Epoch: 6})
	if b.History(1, 3) != 110 || b.Doubt(1, 3) != 0 || b.Integrity(1, 3) != 1 || b.Integrity(2, 3) != 1 || !b.Clean(1, 6) {
		t.Errorf("history %v, doubt %v, integrity %v", b.History(1, 3), b.Doubt(1, 3), b.Integrity(1, 3))
	}
}

func TestThrowawayIdsChangeNobodyElse(t *testing.T) {
	var b Book
	b.Advance(noon)
	for range 50 {
		b.Audited(1, 3)
	}
	b.Answered(1, time.Second, noon)
	before, _ := b.Row(1)
	for id := barnraise.ServerID(2); id < 1002; id++ {
		b.Foreign(id, 3, barnraise.Sum([]byte{byte(id), byte(id >> 8)}), 5, "")
		s := strike(id, 3, 5)
		s.Conclusive = id%2 == 0
		b.Strike(s)
		b.Failed(id, noon)
	}
	if after, _ := b.Row(1); !equal(before, after) || b.Weight(1, 5, noon) != 1 {
		t.Errorf("was %+v, is %+v", before, after)
	}
}

func TestWeight(t *testing.T) {
	conclusive := strike(1, 3, 5)
	conclusive.Conclusive = true
	for _, c := range []struct {
		name string
		do   func(*Book)
		want float64
	}{
		{"never seen", func(*Book) {}, 1},
		{"good", func(b *Book) { b.Audited(1, 3); b.Answered(1, time.Second, noon) }, 1},
		{"one failure", func(b *Book) { b.Failed(1, noon) }, 0.5},
		{"gone", func(b *Book) {
			for range 100 {
				b.Failed(1, noon)
			}
		}, 0.05},
		{"struck", func(b *Book) { b.Strike(strike(1, 3, 5)) }, 0.05},
		{"struck, and long good again", func(b *Book) {
			b.Strike(strike(1, 3, 5))
			for range 149 {
				b.Audited(1, 3)
			}
		}, 0.75},
		{"convicted", func(b *Book) { b.Strike(conclusive) }, 0},
		{"suspended", func(b *Book) {
			for range 3 {
				b.Strike(strike(1, 3, 5))
			}
		}, 0},
	} {
		var b Book
		if c.do(&b); !near(b.Weight(1, 5, noon), c.want) {
			t.Errorf("%s: weight %v, want %v", c.name, b.Weight(1, 5, noon), c.want)
		}
	}
}
