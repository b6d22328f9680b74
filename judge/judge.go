// Package judge decides what signed answers to one request are worth: which is accepted, whom to ask next, and who is to
// blame, if anyone (protocol 6 and 7).
//
// It is pure: the same case gives the same step. It asks nobody and runs nothing; the caller does what the step says, puts
// what came of it into the case, and asks again. A verifier is given as a function, which a wasm module of protocol 5 is.
package judge

import (
	"bytes"
	"slices"

	"barnraise"
)

// Operator stands for one vote (protocol 6.2). Two servers of one operator bear the same value.
type Operator string

// Finding is what a verifier made of some answers. A trap, a limit or a malformed verdict is Trapped and undecided; it
// strikes nobody by itself (protocol 5.5).
type Finding struct {
	barnraise.Verdict
	Trapped bool
}

// Verifier judges response bodies, in the order given, all of them answers to the one request of the case.
type Verifier func(bodies [][]byte) Finding

// Answer is one signed answer whose receipt holds and whose body is strict (protocol 3.3).
type Answer struct {
	Server   barnraise.ServerID
	Operator Operator
	KeyID    string           // of the key that signed it
	Platform barnraise.Digest // the manifest executed, as its receipt says
	Body     []byte
	After    bool // drawn after the dispute arose: the only kind of answer that can be a witness
	Home     bool // of the service's home: the first witness, where it is no party
}

// Rerun is this machine's own execution of the request on one platform, in two fresh instances that share nothing.
type Rerun struct {
	Platform barnraise.Digest
	Wasm     bool // wasip1/wasm: it cannot see its surroundings, so what it shows is conclusive for others
	Bodies   [2][]byte
}

// Alike reports whether the two executions gave the same bytes.
func (r Rerun) Alike() bool { return bytes.Equal(r.Bodies[0], r.Bodies[1]) }

// Case is everything known about one request so far.
type Case struct {
	MinRequests int
	Answers     []Answer // in the order of arrival; at most one per operator
	Reruns      []Rerun  // at most one per platform

	// Covered says that the image has passed its check for contradicting itself here, or that its conformance report covers
	// the method (protocol 7.3 c).
	Covered bool
	// Runnable lists the platforms that this machine could still re-execute.
	Runnable []barnraise.Digest
	// Undrawn is how many operators are live and not asked yet.
	Undrawn int
	// Lead is by how many operators a side has to lead all others together before a dispute ends that neither the verifier nor an
	// execution here nor the home settles: then its answer is returned, and where the image is covered the others are struck. With
	// zero the first witness settles it, whoever that is, and where the image is not covered nobody does.
	Lead int

	Verify Verifier
	// Memo, where the cases of one call share it, spares Verify what it was asked in earlier judgements of that call.
	Memo *Memo
}

// Act is what the caller has to do next.
type Act int

// The acts.
const (
	Accept  Act = iota // return answer Winner
	Ask                // ask Count more operators, drawn at random, with the same bytes
	Witness            // ask Count witnesses: the home unless it is a party or silent, else operators drawn at random; mark their answers After
	Execute            // re-execute on Platforms, twice each
	Fail               // undecided: return an error with the evidence attached
)

// Clause is the part of protocol 7.3 under which a server is struck.
type Clause string

// The clauses of protocol 7.3.
const (
	RejectedAlone Clause = "7.3a" // the verifier rejects the answer alone
	Reexecuted    Clause = "7.3b" // re-execution on its platform, twice alike, differs
	Witnessed     Clause = "7.3c" // a witness sides with the other answer
	Equivocated   Clause = "7.3d" // two receipts for one request
)

// Strike says that an answer is held against its server.
type Strike struct {
	Answer int // index into the case's answers
	Clause Clause
	// Conclusive strikes can be brought before others; with the rest only the caller's own score falls.
	Conclusive bool
}

// Step is the judgement so far: what to do next and what is already decided. Strikes, Aside, Quarantine and Marked are to be
// acted upon only with Accept and Fail, when the case is closed.
type Step struct {
	Do        Act
	Winner    int                // with Accept: index of the answer to return
	Count     int                // with Ask and Witness
	Platforms []barnraise.Digest // with Execute

	Verdict    barnraise.Verdict // of the verifier over all answers
	Strikes    []Strike
	Aside      []int // answers on which the verifier breaks: costs availability (protocol 5.5), save what this machine computed too
	Disputed   bool  // answers contradicted each other or the verifier: there is evidence, which Examine finds to hold
	Quarantine bool  // the image contradicts itself on this request: nobody is struck (protocol 7.4)
	Marked     bool  // the verifier rejects what the image itself answers: the revision is marked (protocol 7.2)
}

// Judge says what a case has come to. For n answers with d different bodies, own executions counted, it puts at most n + 2
// sets of answers before the verifier, each body alone at most once, and any two of them at most once: d(d+1)/2 + n + 2 calls
// in all, of which a Memo spares those that an earlier judgement made.
func Judge(c Case) Step {
	b := newBench(c)
	if n := b.operators(b.all()); n < c.MinRequests {
		return b.ask(Step{}, c.MinRequests-n)
	}
	h := b.hear()
	step := Step{Verdict: h.verdict, Aside: h.aside}
	n := b.operators(h.live)
	switch {
	case n < c.MinRequests:
		step.Disputed = b.arose() && b.contradictory(h)
		return b.ask(step, c.MinRequests-n)
	case h.clean():
		step.Do, step.Winner = Accept, h.live[h.Winner]
		return step
	case h.Status == barnraise.Undecided:
		step.Disputed = b.arose() && b.contradictory(h)
		return b.ask(step, max(1, h.Need-len(h.live)))
	}
	step.Disputed = true
	if h.Status == barnraise.Accepted && len(c.Runnable) == 0 && len(c.Reruns) == 0 {
		return b.sorted(step, h)
	}
	return b.dispute(step, h.live)
}

// arose reports whether a dispute arose before the latest answers came: somebody was drawn as a witness, or the image was run.
func (b *bench) arose() bool {
	return len(b.Reruns) > 0 || slices.ContainsFunc(b.Answers, func(a Answer) bool { return a.After })
}

// sorted takes the verifier's word where it tells right from wrong by itself and this machine cannot run the image: the
// winner is returned, and of the culprits those are struck that the verifier rejects alone.
func (b *bench) sorted(step Step, h hearing) Step {
	step.Do, step.Winner = Accept, h.live[h.Winner]
	step.Strikes = slices.DeleteFunc(b.strikes(nil), func(s Strike) bool { return s.Answer == step.Winner })
	return step
}

// ask goes on to more operators, as many as there are, and gives up where there is none.
func (b *bench) ask(step Step, count int) Step {
	step.Do, step.Count = Ask, min(count, b.room())
	if step.Count <= 0 {
		step.Do, step.Count = Fail, 0
		// Undecided strikes nobody (protocol 7.7): only what this machine's own execution shows stands without a decision.
		step.Strikes = slices.DeleteFunc(step.Strikes, func(s Strike) bool { return !b.executed(s.Answer) })
	}
	return step
}

// dispute decides among answers that cannot all be right: by the verifier alone, then a witness, then own re-execution, then
// a wider quorum, and else not at all. Who can run the image does so before anybody is struck.
func (b *bench) dispute(step Step, live []int) Step {
	if b.contradictsItself() {
		step.Do, step.Quarantine = Fail, true
		return step
	}
	against := b.testimony(live)
	step.Marked = b.verifierRejectsTruth()
	step.Strikes = b.strikes(against)
	step.Aside = slices.DeleteFunc(step.Aside, b.computed) // there the fault is the verifier's
	switch {
	case len(step.Strikes) == 0 && len(against) == 0 && len(b.Reruns) == 0 && b.room() > 0:
		step.Do, step.Count = Witness, min(b.missing(live), b.room())
		return step
	case len(b.Runnable) > 0:
		step.Do, step.Platforms = Execute, b.Runnable
		return step
	}
	if winner, ok := b.undisputed(live, step.Strikes); ok {
		step.Do, step.Winner = Accept, winner
		return step
	}
	if winner, ok := b.leading(live, step.Strikes); ok {
		step.Do, step.Winner = Accept, winner
		return step
	}
	return b.ask(step, b.missing(live))
}

// undisputed finds the answer to return once the struck ones are out of the way. Where this machine has run the image, that
// is the yardstick, for answers on which the verifier breaks too: one with the same bytes, or else one that the verifier
// accepts beside them. Otherwise it is what the verifier accepts among the rest, if they are as many as it wants.
func (b *bench) undisputed(live []int, strikes []Strike) (winner int, ok bool) {
	struck := func(i int) bool { return slices.ContainsFunc(strikes, func(s Strike) bool { return s.Answer == i }) }
	for _, right := range []func(i int) bool{b.computed, b.upheld} {
		for _, i := range b.all() {
			if !struck(i) && right(i) {
				return i, true
			}
		}
	}
	rest := slices.DeleteFunc(slices.Clone(live), struck)
	if len(b.Reruns) > 0 || len(strikes) == 0 || b.operators(rest) < b.MinRequests {
		return 0, false
	}
	f := b.among(rest)
	if !f.clean() {
		return 0, false
	}
	return rest[f.Winner], true
}
