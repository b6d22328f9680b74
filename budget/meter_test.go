package budget

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/manifest"
)

// small are limits that a test can use up.
func small() Limits {
	l := Default()
	l.Requests, l.Burst, l.Egress, l.CPU, l.Kept = 10, 20, 4<<20, 2, 0.25
	l.Each = Each{Requests: 5, Burst: 8, Egress: 2 << 20, CPU: 1, Images: 1 << 30, Evidence: 1 << 30}
	return l
}

const sixHours = 6 * time.Hour

// bubble runs a test at a time that begins at midnight (UTC), and passes only while it sleeps.
func bubble(t *testing.T, l Limits, do func(*testing.T, *Meter)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { do(t, NewMeter(l, sixHours, time.Now)) })
}

// flood asks until it is refused, and returns how often it was not.
func flood(t *testing.T, m *Meter, id barnraise.ServiceID, own bool) (taken int, over *Over) {
	t.Helper()
	for taken < 1_000_000 {
		if over = m.Admit(id, own); over != nil {
			return taken, over
		}
		taken++
	}
	t.Fatal("never refused")
	return 0, nil
}

func TestRequestsOfOneService(t *testing.T) {
	bubble(t, small(), func(t *testing.T, m *Meter) {
		taken, over := flood(t, m, 1, false)
		if taken != 8 || over.Resource != Requests || over.All || over.Wait != time.Second/5 {
			t.Fatalf("took %d, then %+v", taken, over)
		}
		if m.Admit(2, false) != nil {
			t.Error("another service is refused")
		}
		time.Sleep(over.Wait)
		if over := m.Admit(1, false); over != nil {
			t.Errorf("after the time it was told to wait: %v", over)
		}
		if over := m.Admit(1, false); over == nil {
			t.Error("it gets more than its rate")
		}
		if m.Idle() != "" {
			t.Errorf("one service that is asked for too much keeps the rest from being hosted: %s", m.Idle())
		}
	})
}

// However the services of others are called, own ones find what is kept for them.
func TestOwnServicesAreNotStarved(t *testing.T) {
	l := small()
	bubble(t, l, func(t *testing.T, m *Meter) {
		others := 0
		for id := barnraise.ServiceID(10); id < 20; id++ {
			taken, _ := flood(t, m, id, false)
			others += taken
		}
		if others != 15 {
			t.Errorf("others got %d of a burst of 20, want 15", others)
		}
		if own, over := flood(t, m, 1, true); own != 5 || !over.All {
			t.Errorf("own got %d, then %+v", own, over)
		}
		var own int
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			for id := barnraise.ServiceID(10); id < 20; id++ {
				flood(t, m, id, false)
			}
			taken, _ := flood(t, m, 1, true)
			own += taken
		}
		if own < 24 || own > 26 {
			t.Errorf("in ten seconds own got %d requests, want a quarter of 100", own)
		}
		if !strings.Contains(m.Idle(), "requests") {
			t.Errorf("idle: %q", m.Idle())
		}
		time.Sleep(lately)
		if m.Idle() != "" {
			t.Errorf("long afterwards: %q", m.Idle())
		}
	})
}

func TestBytesOut(t *testing.T) {
	bubble(t, small(), func(t *testing.T, m *Meter) {
		time.Sleep(23 * time.Hour)
		m.Sent(1, false, 2<<20)
		if over := m.Admit(1, false); over == nil || over.Resource != Egress || over.All || over.Wait != time.Hour {
			t.Fatalf("a service over its day's bytes: %+v", over)
		}
		m.Gave(1 << 20)
		if over := m.Admit(2, false); over == nil || !over.All || over.Wait != time.Hour {
			t.Errorf("others over theirs: %+v", over)
		}
		if over := m.Gives(); over == nil || over.Wait != time.Hour {
			t.Errorf("images and content: %+v", over)
		}
		if over := m.Admit(3, true); over != nil {
			t.Errorf("an own service: %v", over)
		}
		if !strings.Contains(m.Idle(), "bytes out") {
			t.Errorf("idle: %q", m.Idle())
		}
		m.Sent(3, true, 1<<20)
		if over := m.Admit(3, true); over == nil || !over.All {
			t.Errorf("an own service when all is used up: %+v", over)
		}
		time.Sleep(time.Hour)
		for id, own := range map[barnraise.ServiceID]bool{1: false, 2: false, 3: true} {
			if over := m.Admit(id, own); over != nil {
				t.Errorf("service %s the next day: %v", id, over)
			}
		}
	})
}

func TestProcessorTime(t *testing.T) {
	bubble(t, small(), func(t *testing.T, m *Meter) {
		m.Ran(1, false, 59*time.Second)
		if over := m.Admit(1, false); over != nil {
			t.Fatalf("within the minute that it may take: %v", over)
		}
		m.Ran(1, false, 31*time.Second)
		over := m.Admit(1, false)
		if over == nil || over.Resource != CPU || over.All || over.Wait != 30*time.Second {
			t.Fatalf("30 seconds beyond it, of one core: %+v", over)
		}
		time.Sleep(over.Wait)
		if over := m.Admit(1, false); over != nil {
			t.Errorf("after the time it was told to wait: %v", over)
		}
		m.Ran(2, false, 1000*time.Second)
		if over := m.Admit(3, false); over == nil || over.Resource != CPU || !over.All {
			t.Errorf("another of others: %+v", over)
		}
		if over := m.Admit(4, true); over != nil {
			t.Errorf("an own service pays for others: %v", over)
		}
		if !strings.Contains(m.Idle(), "processor time") {
			t.Errorf("idle: %q", m.Idle())
		}
		m.Ran(4, true, 1000*time.Second)
		if over := m.Admit(5, true); over == nil || over.Resource != CPU || !over.All {
			t.Errorf("another of ours: %+v", over)
		}
	})
}

// A refusal takes nothing: who is refused by one budget does not use up another.
func TestRefusalsTakeNothing(t *testing.T) {
	bubble(t, small(), func(t *testing.T, m *Meter) {
		flood(t, m, 1, false)
		for range 1000 {
			m.Admit(1, false)
		}
		if taken, _ := flood(t, m, 2, false); taken != 15-8 {
			t.Errorf("another service got %d", taken)
		}
		u := m.Usage()
		if u.Services[1].Refused != 1001 || u.Services[1].Requests != 8 || u.All.Requests != 15 || u.Others.Refused != 1002 {
			t.Errorf("counted %+v", u)
		}
	})
}

func TestLoad(t *testing.T) {
	bubble(t, small(), func(t *testing.T, m *Meter) {
		near := func(when string, want float64) {
			t.Helper()
			if got := m.Load(1); got < want-1e-9 || got > want+1e-9 {
				t.Errorf("%s: load %v, want %v", when, got, want)
			}
		}
		m.Ran(1, false, sixHours) // one core
		near("before the epoch ends", 0)
		if cpu := m.Usage().Services[1].CPU; cpu != sixHours.Seconds() {
			t.Errorf("%v seconds in this epoch", cpu)
		}
		time.Sleep(sixHours)
		near("after one epoch", 0.5)
		m.Ran(1, false, sixHours)
		time.Sleep(sixHours)
		near("after two", 0.75)
		time.Sleep(2 * sixHours)
		near("after two without", 0.1875)
		time.Sleep(20 * sixHours)
		if _, there := m.Usage().Services[1]; there {
			t.Error("a service that nobody has asked for days is remembered")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(sixHours / 2) // a server that starts in the middle of an epoch
		m := NewMeter(small(), sixHours, time.Now)
		m.Ran(1, false, sixHours/2)
		time.Sleep(sixHours / 2)
		if got := m.Load(1); got != 0.25 {
			t.Errorf("one core, seen for half of an epoch: load %v, want 0.25", got)
		}
	})
}

func TestRestore(t *testing.T) {
	bubble(t, small(), func(t *testing.T, m *Meter) {
		m.Sent(1, false, 2<<20)
		m.Sent(2, true, 5)
		m.Ran(1, false, sixHours)
		time.Sleep(sixHours)
		r := m.Record()
		again := NewMeter(small(), sixHours, time.Now)
		again.Restore(r)
		if over := again.Admit(1, false); over == nil || over.Resource != Egress {
			t.Errorf("after a restart: %+v", over)
		}
		if u := again.Usage(); again.Load(1) != 0.5 || u.All.Egress != 2<<20+5 || u.Others.Egress != 2<<20 || u.Services[2].Egress != 5 {
			t.Errorf("load %v, %+v", again.Load(1), u)
		}
		time.Sleep(day)
		again = NewMeter(small(), sixHours, time.Now)
		again.Restore(r)
		if over := again.Admit(1, false); over != nil || again.Load(1) != 0.5 {
			t.Errorf("the next day: %v, load %v", over, again.Load(1))
		}
		again.Restore(Record{Load: map[barnraise.ServiceID]float64{7: -1, 8: 1e300}})
		if again.Load(7) != 0 || again.Load(8) != 0 {
			t.Errorf("loads that cannot be: %v, %v", again.Load(7), again.Load(8))
		}
	})
}

func TestErrorsNameNoFigures(t *testing.T) {
	err := error(&Over{Requests, true, time.Second})
	if over := new(Over); !errors.As(err, &over) || strings.ContainsAny(err.Error(), "0123456789") {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	if err := Default().Check(); err != nil {
		t.Error(err)
	}
	if l := (Limits{Memory: 5}).OrDefault(); l.Memory != 5 || l.Requests != Default().Requests {
		t.Errorf("%+v", l)
	}
	set := Limits{Requests: 3}
	if l := set.OrDefault(); l != set {
		t.Errorf("%+v", l)
	}
	for want, spoil := range map[string]func(*Limits){
		"requests: 0,":           func(l *Limits) { l.Requests = 0 },
		"burst: -1,":             func(l *Limits) { l.Burst = -1 },
		"cpu: 0,":                func(l *Limits) { l.CPU = 0 },
		"reserve: 1,":            func(l *Limits) { l.Reserve = 1 },
		"kept: 1,":               func(l *Limits) { l.Kept = 1 },
		"each: requests: 1e+09,": func(l *Limits) { l.Each.Requests = 1e9 },
		"each: burst: 0,":        func(l *Limits) { l.Each.Burst = 0 },
		"each: cpu: -2,":         func(l *Limits) { l.Each.CPU = -2 },
		"egress: 0 B,":           func(l *Limits) { l.Egress = 0 },
		"images: 10 B,":          func(l *Limits) { l.Images = 10 },
		"content: 0 B,":          func(l *Limits) { l.Content = 0 },
		"evidence: 0 B,":         func(l *Limits) { l.Evidence = 0 },
		"each: egress: 0 B,":     func(l *Limits) { l.Each.Egress = 0 },
		"each: images: 0 B,":     func(l *Limits) { l.Each.Images = 0 },
		"each: evidence: 1 KiB,": func(l *Limits) { l.Each.Evidence = manifest.Bytes(1 << 10) },
	} {
		l := Default()
		spoil(&l)
		if err := l.Check(); err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "want") {
			t.Errorf("error is %v, want one with %q", err, want)
		}
	}
}

func BenchmarkAdmit(b *testing.B) {
	l := Default()
	l.Requests, l.Burst, l.Each.Requests, l.Each.Burst = mostRequests, mostRequests, mostRequests, mostRequests
	m := NewMeter(l, sixHours, time.Now)
	b.Run("taken", func(b *testing.B) {
		for b.Loop() {
			m.Admit(1, false)
		}
	})
	b.Run("refused", func(b *testing.B) {
		m.Sent(1, false, 60e9)
		for b.Loop() {
			m.Admit(1, false)
		}
	})
}

// A clock that was years ahead when counting began does not keep the next days from beginning.
func TestClockThatWasAhead(t *testing.T) {
	now := time.Date(2050, 1, 1, 12, 0, 0, 0, time.UTC)
	m := NewMeter(small(), 6*time.Hour, func() time.Time { return now })
	now = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	m.Sent(1, false, 2<<20)
	m.Ran(1, false, 2*time.Hour)
	if m.Admit(1, false) == nil {
		t.Error("a service over its day's bytes is let in")
	}
	now = now.Add(24 * time.Hour)
	if over := m.Admit(1, false); over != nil && over.Resource == Egress {
		t.Errorf("the next day: %+v", over)
	}
	if load := m.Load(1); load == 0 || load > 1 {
		t.Errorf("its load is %v", load)
	}
}
