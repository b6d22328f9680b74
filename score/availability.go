package score

import (
	"math"
	"time"

	"barnraise"
)

// weightOfProbe is what a probe counts for availability, where a real request counts 1.
const weightOfProbe = 0.25

// Seen counts answers and failures of a server, both halved every hour. A probe counts a quarter.
type Seen struct {
	OK     float64   `json:"ok"`
	Failed float64   `json:"failed"`
	At     time.Time `json:"at"` // up to when they are halved
}

// Mean is the mean of what its availability may be, where nothing but these counts is known: (ok+1)/(ok+failed+2).
func (s Seen) Mean() float64 { return (s.OK + 1) / (s.OK + s.Failed + 2) }

func (s *Seen) decay(now time.Time) {
	if past := now.Sub(s.At); past > 0 {
		keep := math.Exp2(-past.Hours())
		s.OK, s.Failed, s.At = s.OK*keep, s.Failed*keep, now
	}
}

// Answered records that the server answered an own request within the given time, rightly or not.
func (b *Book) Answered(server barnraise.ServerID, took time.Duration, now time.Time) {
	if b.recording {
		b.record(false, func(b *Book) { b.Answered(server, took, now) })
	}
	r := b.asked(server, now)
	r.Seen.OK = more(r.Seen.OK, 1)
	r.heard(took)
}

// Failed records that the server gave no usable answer to an own request. It says nothing of its integrity.
func (b *Book) Failed(server barnraise.ServerID, now time.Time) {
	if b.recording {
		b.record(false, func(b *Book) { b.Failed(server, now) })
	}
	s := &b.asked(server, now).Seen
	s.Failed = more(s.Failed, 1)
}

// TimedOut records that the server gave no answer within the given time: it failed, and it is as slow as twice that.
func (b *Book) TimedOut(server barnraise.ServerID, limit time.Duration, now time.Time) {
	if b.recording {
		b.record(false, func(b *Book) { b.TimedOut(server, limit, now) })
	}
	r := b.asked(server, now)
	r.Seen.Failed = more(r.Seen.Failed, 1)
	r.heard(2 * limit)
}

// Outrun records that the server had not answered within the given time when another was asked in its place, which did: a failure,
// and it is as slow as that at least.
func (b *Book) Outrun(server barnraise.ServerID, took time.Duration, now time.Time) {
	if b.recording {
		b.record(false, func(b *Book) { b.Outrun(server, took, now) })
	}
	r := b.asked(server, now)
	r.Seen.Failed = more(r.Seen.Failed, 1)
	r.heard(took)
}

// Probe is what came of asking a server for no other reason than to look at it.
type Probe struct {
	Server   barnraise.ServerID
	Service  barnraise.ServiceID
	Revision uint32
	Epoch    uint64
	Took     time.Duration
	Why      string // it gave no usable answer; empty where it did, be it right or wrong
}

// Probed records a probe. It counts a quarter of a real request for availability; whether the answer was right is told by
// [Book.Audited] and [Book.Strike].
func (b *Book) Probed(p Probe, now time.Time) {
	if b.recording {
		b.record(false, func(b *Book) { b.Probed(p, now) })
	}
	r := b.asked(p.Server, now)
	e := Event{Kind: ProbeOK, Epoch: p.Epoch, Server: p.Server, Service: p.Service, Revision: p.Revision, Why: p.Why}
	if p.Why != "" {
		r.Seen.Failed = more(r.Seen.Failed, weightOfProbe)
		e.Kind = ProbeFailed
	} else {
		r.Seen.OK = more(r.Seen.OK, weightOfProbe)
		r.heard(p.Took)
		e.Why = "answered in " + p.Took.Round(time.Millisecond).String()
	}
	b.tell(e)
}

// asked counts one request and returns the row of whom it went to.
func (b *Book) asked(server barnraise.ServerID, now time.Time) *Row {
	b.Advance(now)
	b.requests = min(b.requests+1, maxRequests)
	r := b.row(server)
	r.Seen.decay(now)
	return r
}

func (r *Row) heard(took time.Duration) {
	took = min(max(0, took), maxLatency)
	if took < r.Latency {
		took = r.Latency - (r.Latency-took)/10 // up at once, down slowly
	}
	r.Latency = took
}

// Availability is between 0 and 1, with a half-life of an hour: (ok+1)/(ok+failed+1). One for a server never asked, one half for
// one that only failed once.
//
// It is not [Seen.Mean], by which a server never asked is worth half of a good one, and one that failed once is below one half
// for as long as nobody asks it again: who asks only those above one half (protocol 6.3) would never learn that it is back.
func (b *Book) Availability(server barnraise.ServerID, now time.Time) float64 {
	s := b.Seen(server, now)
	return (s.OK + 1) / (s.OK + s.Failed + 1)
}

// Seen is what availability rests on, halved up to now.
func (b *Book) Seen(server barnraise.ServerID, now time.Time) Seen {
	r := b.servers[server]
	if r == nil {
		return Seen{At: now}
	}
	s := r.Seen
	s.decay(now)
	return s
}

// Latency is a peak-sensitive mean: it follows a rise at once and a fall slowly. Zero for a server never heard.
func (b *Book) Latency(server barnraise.ServerID) time.Duration {
	if r := b.servers[server]; r != nil {
		return r.Latency
	}
	return 0
}
