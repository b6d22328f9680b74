// Package score turns what one client has seen of servers into opinions, and opinions into choices. An opinion is three
// numbers and never one: integrity, availability, latency. It is sent to nobody (protocol 6, 7.5, 8.2).
//
// It is pure: time and randomness come in as values. A [Book] is not safe for concurrent use.
package score

import (
	"math"
	"slices"
	"time"

	"barnraise"
)

// CleanEpochs is how long a strike stands against a server's record, in epochs (protocol 7).
const CleanEpochs = 10

// Strike is held against a server for an answer that lost a decided dispute. It is kept per server and service (protocol 7.5).
type Strike struct {
	Server     barnraise.ServerID
	Service    barnraise.ServiceID
	Revision   uint32
	Epoch      uint64
	Conclusive bool // others can be convinced of it
	clean      bool // the server had a clean record before
}

// Revision names one revision of a service.
type Revision struct {
	Service barnraise.ServiceID
	Number  uint32
}

// Book is everything one client has seen. The zero value is ready to use.
type Book struct {
	integrity    map[pair]float64 // m: audited answers that were right since the last strike
	availability map[barnraise.ServerID]*beta
	latency      map[barnraise.ServerID]time.Duration
	strikes      []Strike
	suspect      map[Revision]uint64 // epoch in which the revision became suspect
}

type pair struct {
	server  barnraise.ServerID
	service barnraise.ServiceID
}

// Audited records that an answer of the server was compared with others and stood.
func (b *Book) Audited(server barnraise.ServerID, service barnraise.ServiceID) {
	if b.integrity == nil {
		b.integrity = make(map[pair]float64)
	}
	b.integrity[pair{server, service}]++
}

// History is m: how many audited answers of the server for the service stood since its last strike.
func (b *Book) History(server barnraise.ServerID, service barnraise.ServiceID) float64 {
	return b.integrity[pair{server, service}]
}

// Strike records a strike. Two servers with clean records that are struck on one revision within ten epochs make the revision
// suspect and lift both strikes, because then it is more likely the image (protocol 7.5). A conclusive strike is not lifted: it
// rests on a platform that cannot see its surroundings, where the image had the same chance to contradict itself here.
func (b *Book) Strike(s Strike) {
	s.clean = b.Clean(s.Server, s.Epoch)
	b.strikes = slices.DeleteFunc(b.strikes, func(o Strike) bool { return !standing(o, s.Epoch) })
	if !s.Conclusive && s.clean {
		other := slices.IndexFunc(b.strikes, func(o Strike) bool {
			return o.Server != s.Server && o.Service == s.Service && o.Revision == s.Revision && o.clean && !o.Conclusive
		})
		if other >= 0 {
			b.strikes = slices.Delete(b.strikes, other, other+1)
			b.Mark(Revision{s.Service, s.Revision}, s.Epoch)
			return
		}
	}
	b.strikes = append(b.strikes, s)
	delete(b.integrity, pair{s.Server, s.Service})
}

func standing(s Strike, epoch uint64) bool { return s.Epoch+CleanEpochs > epoch }

// Clean reports whether no strike of the last ten epochs stands against the server, in any service (protocol 7).
func (b *Book) Clean(server barnraise.ServerID, epoch uint64) bool {
	return !slices.ContainsFunc(b.strikes, func(s Strike) bool { return s.Server == server && standing(s, epoch) })
}

// Mark makes a revision suspect: its image or its verifier, and not its hosts, is what is wrong (protocol 7.2, 7.5).
func (b *Book) Mark(r Revision, epoch uint64) {
	if b.suspect == nil {
		b.suspect = make(map[Revision]uint64)
	}
	b.suspect[r] = epoch
}

// Suspect reports whether the revision was marked within the last ten epochs.
func (b *Book) Suspect(r Revision, epoch uint64) bool {
	since, ok := b.suspect[r]
	return ok && since+CleanEpochs > epoch
}

// Integrity is between 0 and 1: one for a server never caught, falling with each standing strike, rising again with audited
// answers.
func (b *Book) Integrity(server barnraise.ServerID, service barnraise.ServiceID, epoch uint64) float64 {
	strikes := 0
	for _, s := range b.strikes {
		if s.Server == server && s.Service == service && standing(s, epoch) {
			strikes++
		}
	}
	m := b.History(server, service)
	return (m + 1) / (m + 1 + 50*float64(strikes))
}

// Standing lists the strikes that stand, oldest first.
func (b *Book) Standing(epoch uint64) []Strike {
	return slices.DeleteFunc(slices.Clone(b.strikes), func(s Strike) bool { return !standing(s, epoch) })
}

// beta counts answers and failures, both halved every hour.
type beta struct {
	ok, failed float64
	at         time.Time
}

func (b *beta) decay(now time.Time) {
	keep := math.Exp2(-now.Sub(b.at).Hours())
	b.ok, b.failed, b.at = b.ok*keep, b.failed*keep, now
}

// Answered records that the server answered within the given time, rightly or not.
func (b *Book) Answered(server barnraise.ServerID, took time.Duration, now time.Time) {
	b.seen(server, now).ok++
	if b.latency == nil {
		b.latency = make(map[barnraise.ServerID]time.Duration)
	}
	if last, known := b.latency[server]; known && took < last {
		took = last - (last-took)/10 // up at once, down slowly
	}
	b.latency[server] = took
}

// Failed records that the server gave no usable answer. It says nothing of its integrity.
func (b *Book) Failed(server barnraise.ServerID, now time.Time) { b.seen(server, now).failed++ }

func (b *Book) seen(server barnraise.ServerID, now time.Time) *beta {
	if b.availability == nil {
		b.availability = make(map[barnraise.ServerID]*beta)
	}
	v := b.availability[server]
	if v == nil {
		v = &beta{at: now}
		b.availability[server] = v
	}
	v.decay(now)
	return v
}

// Availability is between 0 and 1, with a half-life of an hour; one half for a server that only failed once, one for a server
// never asked.
func (b *Book) Availability(server barnraise.ServerID, now time.Time) float64 {
	v, ok := b.availability[server]
	if !ok {
		return 1
	}
	seen := *v
	seen.decay(now)
	return (seen.ok + 1) / (seen.ok + seen.failed + 1)
}

// Latency is a peak-sensitive mean: it follows a rise at once and a fall slowly. Zero for a server never heard.
func (b *Book) Latency(server barnraise.ServerID) time.Duration { return b.latency[server] }
