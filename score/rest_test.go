package score

import (
	"testing"
	"time"

	"barnraise"
)

// A strike makes a server rest for a thousand own requests in that service; a strike that is lifted does not.
func TestStrikeMakesRest(t *testing.T) {
	var b Book
	b.Strike(Strike{Server: 1, Service: 7, Revision: 1, Epoch: 100, Conclusive: true})
	for range rest {
		if !b.Rests(1, 7) || b.Rests(1, 8) || b.Rests(2, 7) {
			t.Fatalf("after %d requests it rests: %t, in another service: %t, another server: %t", b.Requests(), b.Rests(1, 7), b.Rests(1, 8), b.Rests(2, 7))
		}
		b.Answered(2, time.Second, noon)
	}
	if b.Rests(1, 7) {
		t.Errorf("it rests after %d requests", b.Requests())
	}
	b = Book{}
	b.Strike(Strike{Server: 1, Service: 7, Revision: 1, Epoch: 100})
	b.Strike(Strike{Server: 2, Service: 7, Revision: 1, Epoch: 100})
	if b.Rests(1, 7) || b.Rests(2, 7) {
		t.Error("servers rest whose strikes are lifted")
	}
}

// Only audited answers raise integrity; all that are accepted count for how many auditors there are.
func TestOnlyAuditedAnswersRaiseIntegrity(t *testing.T) {
	var b Book
	b.Strike(Strike{Server: 1, Service: 7, Revision: 1, Epoch: 100, Conclusive: true})
	low := b.Integrity(1, 7)
	for range 1000 {
		b.Unchecked(1, 7)
	}
	if got := b.Integrity(1, 7); got != low || b.History(1, 7) != 1000 {
		t.Errorf("after a thousand unchecked answers integrity is %v and was %v, history %v", got, low, b.History(1, 7))
	}
	b.Audited(1, 7)
	if got := b.Integrity(1, 7); got <= low {
		t.Errorf("after an audited answer integrity is %v and was %v", got, low)
	}
}

// Age counts from when a server was first met, once, and survives a restart. Whoever was there before the book is older than that.
func TestAge(t *testing.T) {
	var b Book
	if b.Age(1, noon) != 0 {
		t.Errorf("a server never met has an age of %v", b.Age(1, noon))
	}
	b.Meet(9, 99, 100, noon)
	b.Meet(1, 101, 102, noon)
	b.Meet(1, 101, 103, noon.Add(time.Hour))
	b.Meet(2, 100, 104, noon.Add(time.Hour))
	if got := b.Age(1, noon.Add(3*time.Hour)); got != 3*time.Hour {
		t.Errorf("three hours after it was met its age is %v", got)
	}
	if got := b.Age(1, noon.Add(-time.Hour)); got != 0 {
		t.Errorf("before it was met its age is %v", got)
	}
	for _, early := range []barnraise.ServerID{9, 2} {
		if got := b.Age(early, noon); got < 100*365*24*time.Hour {
			t.Errorf("server %d was there before the book, and its age is %v", early, got)
		}
	}
	var again Book
	if err := again.Restore(b.Rows()); err != nil || again.Age(1, noon.Add(time.Hour)) != time.Hour || again.Age(2, noon) != b.Age(2, noon) {
		t.Errorf("restored its age is %v, %v", again.Age(1, noon.Add(time.Hour)), err)
	}
	if again.Meet(3, 100, 200, noon); again.Age(3, noon) == 0 {
		t.Error("restored it has forgotten when it began")
	}
}

// Whoever is outrun failed, and is as slow as that at least.
func TestOutrun(t *testing.T) {
	var b Book
	b.Answered(1, time.Second, noon)
	b.Outrun(1, 3*time.Second, noon)
	if b.Latency(1) != 3*time.Second || b.Seen(1, noon).Failed != 1 {
		t.Errorf("latency %v, %+v", b.Latency(1), b.Seen(1, noon))
	}
}
