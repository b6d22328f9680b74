package score

import (
	"testing"
	"time"
)

// The golden numbers: counts halve every hour, a probe counts a quarter, the mean is (ok+1)/(ok+fail+2).
func TestAvailabilityInNumbers(t *testing.T) {
	answered := func(b *Book) { b.Answered(1, time.Second, noon) }
	failed := func(b *Book) { b.Failed(1, noon) }
	probed := func(b *Book) { b.Probed(Probe{Server: 1, Service: 3, Took: time.Second}, noon) }
	missed := func(b *Book) { b.Probed(Probe{Server: 1, Service: 3, Why: "no answer"}, noon) }
	for _, c := range []struct {
		name                  string
		do                    []func(*Book)
		after                 time.Duration
		ok, fail, mean, avail float64
	}{
		{"never asked", nil, 0, 0, 0, 0.5, 1},
		{"one answer", []func(*Book){answered}, 0, 1, 0, 2.0 / 3, 1},
		{"one failure", []func(*Book){failed}, 0, 0, 1, 1.0 / 3, 0.5},
		{"both", []func(*Book){answered, failed}, 0, 1, 1, 0.5, 2.0 / 3},
		{"an hour later", []func(*Book){answered, failed}, time.Hour, 0.5, 0.5, 0.5, 0.75},
		{"a probe", []func(*Book){probed}, 0, 0.25, 0, 1.25 / 2.25, 1},
		{"a probe that failed", []func(*Book){missed}, 0, 0, 0.25, 1 / 2.25, 0.8},
		{"two hours later", []func(*Book){failed, failed, failed, failed}, 2 * time.Hour, 0, 1, 1.0 / 3, 0.5},
		{"a clock that went back", []func(*Book){failed}, -time.Hour, 0, 1, 1.0 / 3, 0.5},
	} {
		var b Book
		for _, do := range c.do {
			do(&b)
		}
		at := noon.Add(c.after)
		s := b.Seen(1, at)
		if !near(s.OK, c.ok) || !near(s.Failed, c.fail) || !near(s.Mean(), c.mean) || !near(b.Availability(1, at), c.avail) {
			t.Errorf("%s: %+v, mean %v, availability %v; want %v, %v, %v, %v", c.name, s, s.Mean(), b.Availability(1, at),
				c.ok, c.fail, c.mean, c.avail)
		}
	}
}

func TestTimeoutCountsTwice(t *testing.T) {
	var b Book
	b.Answered(1, time.Second, noon)
	b.TimedOut(1, 5*time.Second, noon)
	if b.Latency(1) != 10*time.Second || b.Seen(1, noon).Failed != 1 {
		t.Errorf("latency %v, %+v; want 10s and one failure", b.Latency(1), b.Seen(1, noon))
	}
	b.Answered(1, time.Second, noon)
	if b.Latency(1) != 9100*time.Millisecond {
		t.Errorf("latency %v after a quick answer, want 9.1s", b.Latency(1))
	}
}

func TestProbesAreTold(t *testing.T) {
	var b Book
	var got []Event
	b.Report = func(e Event) { got = append(got, e) }
	b.Probed(Probe{Server: 1, Service: 3, Epoch: 7, Took: 5 * time.Millisecond}, noon)
	b.Probed(Probe{Server: 1, Service: 3, Epoch: 7, Why: "refused"}, noon)
	if len(got) != 2 || got[0].Kind != ProbeOK || got[1].Kind != ProbeFailed {
		t.Fatalf("events %+v", got)
	}
	if got[1].Why != "refused" || got[1].Epoch != 7 || !got[1].At.Equal(noon) {
		t.Errorf("event %+v", got[1])
	}
}
