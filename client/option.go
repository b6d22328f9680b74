package client

import (
	"barnraise"
	"barnraise/score"
)

// Unverified is the verdict on an answer that nobody but its server vouches for. No verifier says it.
const Unverified barnraise.Outcome = "unverified"

// CallOption changes one call from what the client does otherwise.
type CallOption func(*wishes)

// wishes are what the caller of one call wants.
type wishes struct {
	policy       score.Policy
	explain      bool
	fallbackHome bool
	provisional  func(*Answer) // nil for nobody
}

// Under makes the call by another policy than the client's.
func Under(p score.Policy) CallOption { return func(w *wishes) { w.policy = p } }

// Explained fills in [Answer.Passed] and [Asked.Effect], also those of errors.
func Explained() CallOption { return func(w *wishes) { w.explain = true } }

// FallbackHome has the home's answer returned with verdict [Unverified] where fewer operators are live than the verifier wants. It is
// never accepted and never remembered (protocol 6.1).
func FallbackHome() CallOption { return func(w *wishes) { w.fallbackHome = true } }

// OnProvisional has f shown the primary's answer before its audit, with verdict [Unverified]: for those who show first and confirm
// later (protocol 6.6). f is called at most once, before Call returns, and not where the answer comes from memory. What Call
// returns may be another answer, or an error: then what was shown was wrong, or cannot be confirmed.
func OnProvisional(f func(*Answer)) CallOption { return func(w *wishes) { w.provisional = f } }
