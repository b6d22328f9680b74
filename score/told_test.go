package score

import (
	"testing"
	"time"

	"barnraise"
)

// everything tells a book one of each thing that it can be told.
func everything(b *Book) {
	v := barnraise.Server{ID: 1, Operator: barnraise.Address{1}, URL: "https://a"}
	b.Identify(v, 5, 30)
	for range 40 {
		b.Answered(1, time.Second, noon)
		b.Audited(1, 3)
		b.Unchecked(1, 4)
	}
	v.URL = "https://b"
	b.Identify(v, 5, 30)
	b.Failed(2, noon)
	b.Meet(5, 1, 1, noon)
	b.Outrun(2, time.Second, noon)
	b.TimedOut(2, time.Second, noon.Add(time.Minute))
	b.Probed(Probe{Server: 2, Service: 3, Took: time.Second}, noon.Add(time.Hour))
	b.Foreign(1, 4, barnraise.Sum(nil), 5, "")
	b.Strike(strike(1, 3, 5))
	b.Mark(Revision{3, 1}, 5)
	b.Failed(7, noon.Add(time.Hour))
	b.Forget(7)
}

func TestToldIsEverythingThatABookWasTold(t *testing.T) {
	var heard, other Book
	heard.Failed(9, noon) // before it remembers
	heard.Forget(9)
	if len(heard.Told()) > 0 {
		t.Error("it remembers unasked")
	}
	heard = Book{}
	heard.Record()
	everything(&heard)
	told := heard.Told()
	for _, v := range told {
		v.To(&other)
	}
	if len(heard.Told()) > 0 || len(other.Told()) > 0 {
		t.Error("it is told twice")
	}
	g, rows := heard.Rows()
	if g2, rows2 := other.Rows(); !equal(g, g2) || !equal(rows, rows2) {
		t.Errorf("the other book has %+v %+v, want %+v %+v", g2, rows2, g, rows)
	}
}

// What two have seen adds up: neither has reason to suspend the server, both together have.
func TestToldByTwoAddsUp(t *testing.T) {
	var kept Book
	for range 2 {
		var b Book
		b.Record()
		b.Answered(1, time.Second, noon)
		for range 2 {
			b.Strike(strike(1, 3, 5))
		}
		if b.Suspended(1, 3) {
			t.Fatal("two strikes suspend")
		}
		for _, v := range b.Told() {
			v.To(&kept)
		}
	}
	if !kept.Suspended(1, 3) || kept.Requests() != 2 {
		t.Errorf("suspended: %v, after %d requests", kept.Suspended(1, 3), kept.Requests())
	}
}

// What nobody takes is bounded, and what weighs is not what goes.
func TestUntoldIsBounded(t *testing.T) {
	var b Book
	b.Record()
	b.Strike(strike(1, 3, 5))
	b.Answered(1, time.Second, noon)
	b.Untold(b.Told())
	if told := b.Told(); len(told) != 2 {
		t.Fatalf("%d are left of what was given back", len(told))
	}
	b.Strike(strike(1, 3, 5))
	told := b.Told()
	for range maxTold + 10 {
		b.Answered(1, time.Second, noon)
	}
	b.Strike(strike(2, 3, 5))
	b.Untold(told)
	if told = b.Told(); len(told) != 2 || !told[0].grave || !told[1].grave {
		t.Errorf("%d are left", len(told))
	}
}
