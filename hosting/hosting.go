// Package hosting keeps the book of what a server hosts for others, from the plan that wants a service to the moment it is
// stopped (protocol 9.3, 9.5).
//
// It is pure: a [Ledger] is a value, what was seen comes in as values, and what is to be done goes out as values. Nothing in it
// says what was done, only what is meant, and what is seen decides the rest. So a server may be killed at any moment: with the
// ledger it kept last it goes on where it was.
package hosting

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"barnraise"
	"barnraise/barter"
)

// Phase says what is meant with a service.
type Phase string

// The phases, in their order.
const (
	Proposed Phase = "proposed" // the plan wants it, and the operator has not said yes
	Hosting  Phase = "hosting"  // it is to run, and to be offered once it does
	Leaving  Phase = "leaving"  // it is to be withdrawn, and stopped once nobody comes for it any more
)

// Entry is a service of others.
type Entry struct {
	barter.Hosting
	Phase  Phase
	Cost   uint32               // units
	For    []barnraise.ServerID // whom it pays, or is to win
	Reason string
	// Absent is since when a service does not run that is hosted, or since when the registry does not show one that leaves.
	// Zero where it runs, or is shown.
	Absent time.Time
	Hollow time.Time // since when it is offered and does not run; zero where that is not so
}

// Ledger is what a server means to host. The zero value hosts nothing.
type Ledger struct {
	Entries []Entry // by service, each once
	Backoff map[barnraise.ServiceID]barter.Backoff
}

// Verb is what became of a service.
type Verb string

// The verbs of steps.
const (
	Propose Verb = "propose" // the operator is asked
	Host    Verb = "host"    // it is decided: pull, gate, start, offer
	Adopt   Verb = "adopt"   // offered on chain, though this ledger did not know
	Leave   Verb = "leave"   // it is decided: withdraw, drain, stop
	Drop    Verb = "drop"    // it is not wanted here any more, at once
)

// Step is something that was decided about a service, and why.
type Step struct {
	Verb    Verb
	Service barnraise.ServiceID
	For     []barnraise.ServerID
	Reason  string
}

// find returns where a service stands, or is to stand.
func (l Ledger) find(id barnraise.ServiceID) (at int, found bool) {
	return slices.BinarySearchFunc(l.Entries, id, func(e Entry, id barnraise.ServiceID) int { return cmp.Compare(e.Service, id) })
}

// Entry returns what is meant with a service, and false where nothing is.
func (l Ledger) Entry(id barnraise.ServiceID) (Entry, bool) {
	at, found := l.find(id)
	if !found {
		return Entry{}, false
	}
	return l.Entries[at], true
}

func (l Ledger) clone() Ledger {
	return Ledger{Entries: slices.Clone(l.Entries), Backoff: maps.Clone(l.Backoff)}
}

func (l *Ledger) put(e Entry) {
	at, found := l.find(e.Service)
	if found {
		l.Entries[at] = e
		return
	}
	l.Entries = slices.Insert(l.Entries, at, e)
}

// State is what the planner is to know of the ledger: what is hosted. What is only proposed, and what leaves, is not.
func (l Ledger) State() barter.State {
	s := barter.State{Backoff: maps.Clone(l.Backoff)}
	for _, e := range l.Entries {
		if e.Phase == Hosting {
			s.Hosted = append(s.Hosted, e.Hosting)
		}
	}
	return s
}

// Consent is an operator's word on a service.
type Consent int

// The words.
const (
	Ask Consent = iota // it is proposed to him
	Yes
	No
)

// Plan takes over a decision: what is to start is hosted where the operator agrees to it, and proposed where he has not said; what is
// to stop leaves. What was proposed before and is not any more is forgotten. The cost of a service is given in units.
func (l Ledger) Plan(d barter.Decision, consent func(barnraise.ServiceID) Consent, cost func(barnraise.ServiceID) uint32) (Ledger, []Step) {
	next := l.clone()
	next.Backoff = d.Next.Backoff
	next.Entries = slices.DeleteFunc(next.Entries, func(e Entry) bool { return e.Phase == Proposed })
	hosted := make(map[barnraise.ServiceID]barter.Hosting)
	for _, h := range d.Next.Hosted {
		hosted[h.Service] = h
	}
	var steps []Step
	for _, a := range d.Actions {
		e := Entry{Hosting: hosted[a.Service], Cost: cost(a.Service), For: a.For, Reason: a.Reason}
		before, known := l.Entry(a.Service)
		switch {
		case a.Verb == barter.Keep && known:
			e.Phase, e.Absent, e.Hollow = Hosting, before.Absent, before.Hollow
			next.put(e)
		case a.Verb == barter.Stop && known:
			before.Phase, before.Absent, before.Reason = Leaving, time.Time{}, a.Reason
			next.put(before)
			steps = append(steps, Step{Leave, a.Service, before.For, a.Reason})
		case a.Verb == barter.Start && consent(a.Service) == Yes:
			e.Phase, e.Hollow = Hosting, before.Hollow
			next.put(e)
			steps = append(steps, Step{Host, a.Service, a.For, a.Reason})
		case a.Verb == barter.Start && consent(a.Service) == Ask:
			e.Phase = Proposed
			next.put(e)
			if before.Phase != Proposed {
				steps = append(steps, Step{Propose, a.Service, a.For, a.Reason})
			}
		}
	}
	return next, steps
}
