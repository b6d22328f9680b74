// Package barter decides what a server hosts for others: if you run my service, I will run yours (protocol 9).
//
// It is pure: registry, probes, scores and time come in as values, and the same input gives the same plan, byte for byte.
// Formulas are quoted by their number in docs/barter.md.
package barter

import (
	"iter"

	"barnraise"
)

// Policy is how a server barters. What is counted in epochs is counted in epochs in which this server could see the network.
type Policy struct {
	Replicas    int     // k: hosts that a service should have in all, its home included; more where its verifier wants more
	Deficit     float64 // lambda: weight of hosts that are missing against debts that are paid
	Hysteresis  float64 // what takes another's place has to be worth so much more than it
	Residency   uint64  // epochs that a service stays at least
	Grace       uint64  // epochs that a service stays without a reason, once it had one
	Patience    uint64  // epochs that a service stays that never had one: how long an advance waits for an answer
	SeedShare   float64 // share of the capacity for services that nobody has answered yet
	Newcomer    uint64  // epochs during which a server gets such advances without having given anything
	Reciprocity float64 // beta: what a server must have given afterwards, in hosts that its own services got from others
	Dear        float64 // a debt is not paid with a service that costs so many times the median of what the creditor runs for us
	Confirmed   uint64  // epochs that a right answer confirms an offer
}

// Default is the policy that the simulation of docs/barter.md recommends.
var Default = Policy{
	Replicas: 4, Deficit: 0.5, Hysteresis: 0.25, Residency: 4, Grace: 4, Patience: 4, SeedShare: 0.5, Newcomer: 12, Reciprocity: 0.5,
	Dear: 4, Confirmed: 10,
}

// Standing is what this server knows of an offer by its own probes. An offer on chain is a claim.
type Standing uint8

// The standings.
const (
	Unknown   Standing = iota // never asked, or too long ago
	Confirmed                 // the last probe got a right answer
	Refuted                   // the last probe did not
)

// Service is what the planner has to know of a service beside the registry.
type Service struct {
	Cost        uint32 // units; 0 counts as 1
	MinRequests int    // its verifier's
	Refused     string // why this server does not run it: denied, failed the gate, found not deterministic; empty where it would
}

// Hosting is a service of others that this server runs.
type Hosting struct {
	Service   barnraise.ServiceID
	Since     uint64 // epoch in which it was started
	Justified bool   // it has paid a debt once
	Idle      uint64 // the first epoch of those up to now in which nothing justified it; 0 where something does
}

// Backoff keeps a service from being tried as an advance again that was not answered.
type Backoff struct {
	Strikes int
	Until   uint64 // epoch from which it may be
}

// State is what a server remembers from plan to plan.
type State struct {
	Hosted  []Hosting // by service
	Backoff map[barnraise.ServiceID]Backoff
}

// Input is everything that a plan depends on.
type Input struct {
	Self     barnraise.ServerID
	View     *View
	Own      []barnraise.ServiceID // pinned: they cost no capacity here and are never stopped
	Capacity uint32                // units for services of others
	Idle     string                // why nothing may be started now, such as a budget that is used up; empty where it may
	State    State
	Epoch    uint64
	Policy   Policy

	// Standing of an offer by own probes.
	Standing func(barnraise.ServerID, barnraise.ServiceID) Standing
	// Refuted lists each offer whose standing is [Refuted] once, in any order. It saves asking for each offer of the
	// registry, which is what happens where it is nil.
	Refuted iter.Seq2[barnraise.ServerID, barnraise.ServiceID]
	// Weight is integrity times availability, 0.05 to 1; 0 for a server that is convicted or suspended.
	Weight func(barnraise.ServerID) float64
	// Age of a server in epochs since it was first seen.
	Age func(barnraise.ServerID) uint64
	// Service tells of a service.
	Service func(barnraise.ServiceID) Service
}

// Verb is what to do.
type Verb string

// The verbs.
const (
	Start  Verb = "start"
	Keep   Verb = "keep"
	Stop   Verb = "stop"
	Unpaid Verb = "unpaid" // a debt that cannot be paid now
)

// Action is one thing to do, and why.
type Action struct {
	Verb    Verb                 `json:"verb"`
	Service barnraise.ServiceID  `json:"service"` // 0 with Unpaid
	For     []barnraise.ServerID `json:"for"`     // who is paid by it, ascending; with Unpaid who is not
	Reason  string               `json:"reason"`
}

// Decision is a plan.
type Decision struct {
	Actions []Action // stops first, then starts, keeps and unpaid debts, each by service or server
	Next    State    // what is to be remembered once all of it is done
}
