package score

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"barnraise"
)

func equal(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}

// full is a book with something of everything in it.
func full() *Book {
	b := &Book{}
	b.Advance(noon)
	b.Identify(barnraise.Server{ID: 1, Operator: barnraise.Address{1}, URL: "https://a"}, 5, 30)
	for range 50 {
		b.Audited(1, 3)
		b.Unchecked(1, 4)
	}
	for range 3 {
		b.Strike(strike(1, 3, 5))
	}
	b.Foreign(1, 4, barnraise.Sum(nil), 5, "")
	b.Probed(Probe{Server: 2, Service: 3, Took: time.Second}, noon)
	b.TimedOut(2, time.Second, noon)
	b.Mark(Revision{3, 1}, 5)
	return b
}

func TestBookSurvivesItsRows(t *testing.T) {
	b := full()
	var g General
	var rows []Row
	general, list := b.Rows()
	for _, v := range []struct{ from, to any }{{general, &g}, {list, &rows}} {
		text, err := json.Marshal(v.from)
		if err == nil {
			err = json.Unmarshal(text, v.to)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var c Book
	if err := c.Restore(g, rows); err != nil {
		t.Fatal(err)
	}
	if g2, rows2 := c.Rows(); !equal(g2, general) || !equal(rows2, list) {
		t.Errorf("restored %+v %+v, want %+v %+v", g2, rows2, general, list)
	}
	if len(c.Delta().Rows) != 0 || !c.Suspended(1, 3) || !c.Suspect(Revision{3, 1}, 6) || c.History(1, 4) != 25 {
		t.Errorf("history %v, suspended %v", c.History(1, 4), c.Suspended(1, 3))
	}
	for range 20_000 {
		b.Failed(9, noon)
		c.Failed(9, noon)
	}
	if b.Suspended(1, 3) || c.Suspended(1, 3) {
		t.Error("a suspension does not end after a restart as it would have")
	}
}

func TestDeltaIsWhatIsToBeKept(t *testing.T) {
	b := full()
	if d := b.Delta(); len(d.Rows) != 2 || d.Rows[1].Server != 2 || len(b.Delta().Rows) != 0 {
		t.Errorf("changed: %+v", d.Rows)
	}
	b.Answered(1, time.Second, noon)
	b.Forget(2)
	d := b.Delta()
	if len(d.Rows) != 1 || !slices.Equal(d.Gone, []barnraise.ServerID{2}) || b.Availability(2, noon) != 1 {
		t.Errorf("after an answer and a farewell: %+v", d)
	}
	if b.Unkept(d); !equal(b.Delta(), d) {
		t.Error("what could not be kept is not in the next delta")
	}
}

func TestRestoreRefusesWhatNoBookWrites(t *testing.T) {
	for name, spoil := range map[string]func(*General, []Row){
		"requests":        func(g *General, _ []Row) { g.Requests = 1 << 61 },
		"time":            func(g *General, _ []Row) { g.Now = time.Unix(-1e12, 0) },
		"no server":       func(_ *General, r []Row) { r[0].Server = 0 },
		"twice":           func(_ *General, r []Row) { r[1].Server, r[1].Strikes = 1, nil },
		"history":         func(_ *General, r []Row) { r[0].Services[0].M = -1 },
		"not a number":    func(_ *General, r []Row) { r[0].Services[0].M = math.NaN() },
		"infinite":        func(_ *General, r []Row) { r[0].Seen.OK = math.Inf(1) },
		"doubt":           func(_ *General, r []Row) { r[0].Services[0].Doubt = 800 },
		"for ever":        func(_ *General, r []Row) { r[0].Services[0].Until = math.MaxUint64 },
		"all for ever":    func(_ *General, r []Row) { r[0].Until = math.MaxUint64 },
		"suspensions":     func(_ *General, r []Row) { r[0].Services[0].Suspensions = -1 },
		"latency":         func(_ *General, r []Row) { r[1].Latency = -1 },
		"order":           func(_ *General, r []Row) { slices.Reverse(r[0].Services) },
		"no service":      func(_ *General, r []Row) { r[0].Services[0].Service = 0 },
		"another's":       func(_ *General, r []Row) { r[0].Strikes[0].Server = 2 },
		"lost":            func(_ *General, r []Row) { r[0].Strikes[0].Lost = math.Inf(1) },
		"too much others": func(_ *General, r []Row) { r[0].Services[1].Foreign = make([]ForeignRow, 17) },
		"long":            func(_ *General, r []Row) { r[0].URL = string(make([]byte, 3000)) },
	} {
		g, rows := full().Rows()
		spoil(&g, rows)
		var b Book
		b.Audited(7, 7)
		if err := b.Restore(g, rows); !errors.Is(err, ErrRow) || b.History(7, 7) != 1 {
			t.Errorf("%s: %v, want ErrRow and the book as it was", name, err)
		}
	}
}

// What is read from disk is refused, or gives numbers within their bounds.
func FuzzRestore(f *testing.F) {
	g, rows := full().Rows()
	general, _ := json.Marshal(g)
	list, _ := json.Marshal(rows)
	f.Add(general, list)
	f.Fuzz(func(t *testing.T, general, list []byte) {
		var g General
		var rows []Row
		if json.Unmarshal(general, &g) != nil || json.Unmarshal(list, &rows) != nil {
			return
		}
		var b Book
		if b.Restore(g, rows) != nil {
			return
		}
		in := func(x float64) bool { return x >= 0 && x <= 1 }
		for _, r := range rows {
			for _, h := range r.Services {
				b.Strike(strike(r.Server, h.Service, 5))
				b.Audited(r.Server, h.Service)
				if !in(b.Integrity(r.Server, h.Service)) || b.Doubt(r.Server, h.Service) >= 8 {
					t.Fatalf("integrity %v, doubt %v", b.Integrity(r.Server, h.Service), b.Doubt(r.Server, h.Service))
				}
			}
			b.Failed(r.Server, noon)
			if !in(b.Availability(r.Server, noon)) || !in(b.Weight(r.Server, 5, noon)) {
				t.Fatalf("availability %v, weight %v", b.Availability(r.Server, noon), b.Weight(r.Server, 5, noon))
			}
		}
		if err := b.Restore(b.Rows()); err != nil {
			t.Fatal(err)
		}
	})
}
