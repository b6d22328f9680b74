package score

import (
	"testing"
	"time"

	"barnraise"
)

func TestStrikeTakesHistoryAndRecord(t *testing.T) {
	var b Book
	for range 40 {
		b.Audited(1, 3)
	}
	if b.History(1, 3) != 40 || b.Integrity(1, 3) != 1 || !b.Clean(1, 0) {
		t.Fatalf("before: m %v, integrity %v", b.History(1, 3), b.Integrity(1, 3))
	}
	b.Strike(Strike{Server: 1, Service: 3, Revision: 1, Epoch: 5, Conclusive: true})
	if b.History(1, 3) != 0 || b.Clean(1, 5) || b.Integrity(1, 3) > 0.02 {
		t.Errorf("after: m %v, clean %v, integrity %v", b.History(1, 3), b.Clean(1, 5), b.Integrity(1, 3))
	}
	if b.Integrity(1, 4) != 1 {
		t.Errorf("a strike in one service lowers integrity in another to %v", b.Integrity(1, 4))
	}
	if b.Clean(1, 14) || !b.Clean(1, 15) {
		t.Errorf("record is clean after 9 epochs: %v, after 10: %v; want false, true", b.Clean(1, 14), b.Clean(1, 15))
	}
}

func TestProtocol7_5TwoCleanServersStruckOnOneRevision(t *testing.T) {
	weak := func(server barnraise.ServerID, revision uint32, epoch uint64) Strike {
		return Strike{Server: server, Service: 3, Revision: revision, Epoch: epoch}
	}
	conclusive := func(s Strike) Strike { s.Conclusive = true; return s }
	for _, c := range []struct {
		name    string
		strikes []Strike
		suspect bool
		stand   int
	}{
		{"two servers, one revision", []Strike{weak(1, 1, 5), weak(2, 1, 6)}, true, 0},
		{"two revisions", []Strike{weak(1, 1, 5), weak(2, 2, 6)}, false, 2},
		{"too far apart", []Strike{weak(1, 1, 5), weak(2, 1, 15)}, false, 1},
		{"one server twice", []Strike{weak(1, 1, 5), weak(1, 1, 6)}, false, 2},
		{"the second had a record", []Strike{weak(1, 1, 5), weak(2, 2, 5), weak(2, 1, 6)}, false, 3},
		{"conclusive", []Strike{conclusive(weak(1, 1, 5)), conclusive(weak(2, 1, 6))}, false, 2},
	} {
		var b Book
		for _, s := range c.strikes {
			b.Strike(s)
		}
		last := c.strikes[len(c.strikes)-1].Epoch
		if got := b.Suspect(Revision{3, 1}, last); got != c.suspect || len(b.Standing(last)) != c.stand {
			t.Errorf("%s: suspect %v, %d strikes stand; want %v, %d", c.name, got, len(b.Standing(last)), c.suspect, c.stand)
		}
	}
}

func TestAvailabilityForgets(t *testing.T) {
	var b Book
	now := time.Unix(1_800_000_000, 0)
	if got := b.Availability(1, now); got != 1 {
		t.Errorf("never asked: %v, want 1", got)
	}
	for range 9 {
		b.Failed(1, now)
	}
	if got := b.Availability(1, now); got != 0.1 {
		t.Errorf("nine failures: %v, want 0.1", got)
	}
	if got := b.Availability(1, now.Add(10*time.Hour)); got < 0.99 {
		t.Errorf("ten hours later: %v, want almost 1", got)
	}
	if b.Answered(1, time.Millisecond, now); b.Availability(1, now) <= 0.1 {
		t.Errorf("an answer did not raise it: %v", b.Availability(1, now))
	}
}

func TestLatencyRisesAtOnceAndFallsSlowly(t *testing.T) {
	var b Book
	now := time.Unix(1_800_000_000, 0)
	for _, c := range []struct{ took, want time.Duration }{{100, 100}, {1000, 1000}, {100, 910}, {100, 829}} {
		b.Answered(1, c.took, now)
		if got := b.Latency(1); got != c.want {
			t.Errorf("after an answer in %d: %d, want %d", c.took, got, c.want)
		}
	}
}
