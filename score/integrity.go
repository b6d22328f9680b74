package score

import (
	"fmt"
	"math"
	"slices"
	"time"

	"barnraise"
)

// The sequential test tells a server that lies in one of twenty answers from one that errs in one of a thousand. It is counted
// in hundredths, so that what was added and taken away is exactly gone.
const (
	doubtStrike  = 390 // a strike adds 3.9
	doubtAudited = 5   // an audited answer that stood takes 0.05 away
	doubtLimit   = 800 // at 8 the server is suspended
)

// How long things are remembered.
const (
	historyHalves = 30 * 24 * time.Hour // without contact
	strikesHalve  = 90 * 24 * time.Hour
	foreignKept   = 30 * 24 * time.Hour // as long as evidence is kept at all (protocol 8.3)
)

// A server is suspended for so many own requests, and four times longer each time.
const (
	suspension     = 20_000
	maxSuspensions = 8 // from there on it grows no longer
)

// rest is for how many own requests a server that is struck is asked only where nobody else is left: what it signs in the meantime
// would be compared with others anyway, and nothing that it says can be relied on until then. One fault in a thousand answers, as
// happens to the honest, makes one in fifty servers rest at a time.
const rest = 1000

// maxForeign is how many pieces of others' evidence about one server and service count.
const maxForeign = 16

// weightOfStrike is how many right answers a strike weighs up, for display and for the planner.
const weightOfStrike = 50

// Audited records that an answer of the server was compared with others and stood.
func (b *Book) Audited(server barnraise.ServerID, service barnraise.ServiceID) {
	if b.recording {
		b.record(false, func(b *Book) { b.Audited(server, service) })
	}
	h := b.row(server).service(service)
	h.touch(b.now)
	h.M, h.Audited = more(h.M, 1), more(h.Audited, 1)
	h.Doubt = max(0, h.Doubt-doubtAudited)
}

// Unchecked records that an answer of the server was accepted and compared with none: the policy wanted no auditor this time.
func (b *Book) Unchecked(server barnraise.ServerID, service barnraise.ServiceID) {
	if b.recording {
		b.record(false, func(b *Book) { b.Unchecked(server, service) })
	}
	h := b.row(server).service(service)
	h.touch(b.now)
	h.M = more(h.M, 1)
}

// History is m: how many answers of the server for the service stood, or were not checked, since its last strike. It halves with
// every thirty days without contact.
func (b *Book) History(server barnraise.ServerID, service barnraise.ServiceID) float64 {
	h := b.look(server, service)
	h.settle(b.now)
	return h.M
}

// Doubt is C of the sequential test: 3.9 for each strike, less 0.05 for each audited answer that stood. At 8 the server is
// suspended in that service, and C is 3.9 again.
func (b *Book) Doubt(server barnraise.ServerID, service barnraise.ServiceID) float64 {
	return float64(b.look(server, service).Doubt) / 100
}

// Foreign records that evidence from others about an answer to the request holds, as found by oneself: half of the history in
// that service is gone, so that there are more audits. It is no strike and suspends nobody (protocol 8.2). Evidence about one
// request counts once, and at most sixteen pieces count in thirty days. Nobody but the accused server is changed by it.
func (b *Book) Foreign(
	server barnraise.ServerID, service barnraise.ServiceID, request barnraise.Digest, epoch uint64, name string,
) {
	if b.recording {
		b.record(true, func(b *Book) { b.Foreign(server, service, request, epoch, name) })
	}
	h := b.row(server).service(service)
	h.Foreign = slices.DeleteFunc(h.Foreign, func(f ForeignRow) bool { return b.now.Sub(f.At) >= foreignKept })
	known := slices.ContainsFunc(h.Foreign, func(f ForeignRow) bool { return f.Request == request })
	if known || len(h.Foreign) >= maxForeign {
		return
	}
	h.Foreign = append(h.Foreign, ForeignRow{request, b.now})
	h.settle(b.now)
	h.M, h.Audited = h.M/2, h.Audited/2
	b.tell(Event{Kind: Foreign, Epoch: epoch, Server: server, Service: service, Evidence: name,
		Why: fmt.Sprintf("evidence from others holds; its history is now %.4g answers", h.M)})
}

// Integrity is between 0 and 1: one for a server never caught, falling with strikes, which count half after ninety days, rising
// again with audited answers, and with no others. It is 0 while the server is suspended in that service or in all.
func (b *Book) Integrity(server barnraise.ServerID, service barnraise.ServiceID) float64 {
	if b.Suspended(server, service) {
		return 0
	}
	h := b.look(server, service)
	h.settle(b.now)
	return (h.Audited + 1) / (h.Audited + 1 + weightOfStrike*h.faded(b.now))
}

// Weight is what an opinion comes to where one number is wanted, that of the planner: the least integrity in any service times
// availability, 0.05 to 1; 1 for a server that nothing is known of. It is 0 for a server that is convicted, or suspended in any
// service: it is owed nothing.
func (b *Book) Weight(server barnraise.ServerID, epoch uint64, now time.Time) float64 {
	r := b.servers[server]
	if r == nil {
		return 1
	}
	if b.Convicted(server, epoch) || r.Until > b.requests {
		return 0
	}
	integrity := 1.0
	for _, h := range r.Services {
		integrity = min(integrity, b.Integrity(server, h.Service))
	}
	if integrity == 0 {
		return 0
	}
	return max(0.05, integrity*b.Availability(server, now))
}

// look copies what is known of a server in one service.
func (b *Book) look(server barnraise.ServerID, service barnraise.ServiceID) ServiceRow {
	if r := b.servers[server]; r != nil {
		if i, ok := r.find(service); ok {
			return r.Services[i]
		}
	}
	return ServiceRow{Service: service}
}

// take makes a strike felt, and reports whether it suspends the server.
func (b *Book) take(h *ServiceRow, s *StrikeRow) bool {
	h.touch(b.now)
	s.Lost, s.Audited, s.Raised = h.M, h.Audited, -h.Doubt
	h.M, h.Audited, h.Strikes, h.Struck = 0, 0, more(h.faded(b.now), 1), b.now
	h.Doubt += doubtStrike
	s.Rested = h.Rests <= b.requests
	h.Rests = b.requests + rest
	s.Suspended = h.Doubt >= doubtLimit
	if s.Suspended {
		h.Until = max(h.Until, b.requests+suspension<<(2*min(h.Suspensions, maxSuspensions)))
		h.Suspensions++
		h.Doubt = doubtStrike
	}
	s.Raised += h.Doubt
	return s.Suspended
}

// giveBack undoes take.
func (h *ServiceRow) giveBack(s StrikeRow) {
	h.M, h.Audited = more(h.M, s.Lost), more(h.Audited, s.Audited)
	if s.Rested {
		h.Rests = 0
	}
	h.Strikes = max(0, h.Strikes-1)
	h.Doubt = min(max(0, h.Doubt-s.Raised), doubtLimit-1)
	if s.Suspended {
		h.Suspensions, h.Until = max(0, h.Suspensions-1), 0
	}
}

// settle lets the history fade up to now, by whole months without contact.
func (h *ServiceRow) settle(now time.Time) {
	if h.Contact.IsZero() || now.Sub(h.Contact) < historyHalves {
		return
	}
	months := now.Sub(h.Contact) / historyHalves
	fade := math.Exp2(-float64(months))
	h.M, h.Audited = h.M*fade, h.Audited*fade
	h.Contact = h.Contact.Add(months * historyHalves)
}

func (h *ServiceRow) touch(now time.Time) {
	h.settle(now)
	h.Contact = now
}

// faded is how many strikes count now.
func (h ServiceRow) faded(now time.Time) float64 {
	return h.Strikes * math.Exp2(-max(0, now.Sub(h.Struck).Hours()/strikesHalve.Hours()))
}
