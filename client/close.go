package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"barnraise"
	"barnraise/judge"
	"barnraise/score"
	"barnraise/verifiers"
)

// note says what came of asking a server, once.
func (r *round) note(server barnraise.ServerID, outcome, why string) {
	for i := range r.asked {
		if r.asked[i].Server == server && r.asked[i].Outcome == "" {
			r.asked[i].Outcome, r.asked[i].Why = outcome, why
		}
	}
}

// noted reports whether it is known what came of asking a server.
func (r *round) noted(server barnraise.ServerID) bool {
	return slices.ContainsFunc(r.asked, func(a Asked) bool { return a.Server == server && a.Outcome != "" })
}

// accept closes the call with an answer.
func (r *round) accept(ctx context.Context, step judge.Step) (*Answer, error) {
	a := &Answer{Service: r.service.ID, Revision: r.revision.Number, Verdict: barnraise.Accepted, Requests: r.requests}
	winner := r.answers[step.Winner]
	read := r.seen.read(winner.Body)
	if read.err != nil {
		return nil, fmt.Errorf("call %s: %w", r.service.ID, read.err) // it was checked when it came in
	}
	a.Result, a.Error = json.RawMessage(read.response.Result), read.response.Error
	a.Unverified = verifiers.Unverified(r.revision.Verifier, r.manifest.VerifierConfig(), winner.Body)
	var err error
	if a.Evidence, a.Struck, err = r.close(step); err != nil {
		return nil, fmt.Errorf("call %s: %w", r.service.ID, err)
	}
	for _, o := range r.answers {
		switch {
		case r.noted(o.Server): // struck, or set aside
		case !step.Disputed || r.agree(ctx, winner.Body, o.Body):
			r.note(o.Server, OutcomeAgreed, "")
			r.audited(o.Server)
		default:
			r.note(o.Server, OutcomeDiffers, "")
		}
	}
	a.Asked, a.Passed = r.told()
	r.remember(winner, a)
	if room := read.room; room != nil && a.Evidence == "" && r.provisional == nil {
		a.spare = func() { r.c.room.spare(room) } // nobody else has it: memory copies, evidence there is none
	}
	return a, nil
}

// agree reports whether two answers are the same bytes, or the verifier accepts both. Where no answers contradict each other, it
// has accepted all of them.
func (r *round) agree(ctx context.Context, a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	f := r.judge(ctx, r.request)([][]byte{a, b})
	return f.Status == barnraise.Accepted && len(f.Culprits) == 0
}

// audited counts an answer that stood beside others, or beside an execution here, or that nobody looked at.
func (r *round) audited(server barnraise.ServerID) {
	if slices.Contains(r.recalled, server) {
		return
	}
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if len(r.answers)+len(r.reruns) < 2 {
		r.c.book.Unchecked(server, r.service.ID)
		return
	}
	r.c.book.Audited(server, r.service.ID)
}

// close puts evidence on disk first, and then the strikes into the book.
func (r *round) close(step judge.Step) (evidence string, struck []barnraise.ServerID, err error) {
	if step.Disputed || r.disputed > 0 && step.Do == judge.Fail {
		e := r.evidence(step)
		if evidence, err = r.c.keeper.Keep(e); err != nil {
			return "", nil, err
		}
		defer r.deliver(e) // once it is known who is struck
	}
	if len(step.Strikes) > 0 {
		defer r.c.keepScores()
	}
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if step.Marked {
		r.c.book.Mark(score.Revision{Service: r.service.ID, Number: r.revision.Number}, r.c.epoch())
	}
	for _, s := range step.Strikes {
		server := r.answers[s.Answer].Server
		r.c.book.Strike(score.Strike{
			Server: server, Service: r.service.ID, Revision: r.revision.Number, Epoch: r.c.epoch(), Conclusive: s.Conclusive,
			Owner: r.service.Owner, Evidence: evidence, Known: r.c.known != nil && r.c.known(r.service.Owner),
		})
		r.c.unseat(r.service.ID, server)
		r.note(server, OutcomeStruck, fmt.Sprintf("%s (protocol %s)", clauses[s.Clause], s.Clause))
		struck = append(struck, server)
		r.c.memo.struck(server)
	}
	for _, i := range step.Aside {
		r.c.book.Failed(r.answers[i].Server, r.c.now())
		r.note(r.answers[i].Server, OutcomeFailed, "the verifier breaks on its answer")
	}
	slices.Sort(struck)
	return evidence, struck, nil
}

// evidence is of the answers that contradict each other: all of them where there is room, else first of all that which won and
// those that are struck.
func (r *round) evidence(step judge.Step) barnraise.Evidence {
	var wanted []int
	if step.Do == judge.Accept {
		wanted = append(wanted, step.Winner)
	}
	for _, s := range step.Strikes {
		if s.Answer < r.disputed {
			wanted = append(wanted, s.Answer)
		}
	}
	return barnraise.NewEvidence(r.snapshot.Registry, r.service.ID, r.revision, r.request, r.signed[:r.disputed]).Fit(wanted...)
}

// fail closes the call without an answer, or, where there are too few servers and the caller wishes so, with the home's.
func (r *round) fail(ctx context.Context, step judge.Step) (*Answer, error) {
	err := r.failure(ctx, step)
	if !r.fallbackHome || !errors.Is(err, ErrTooFew) {
		return nil, err
	}
	i := slices.IndexFunc(r.answers, func(a judge.Answer) bool { return a.Home }) // by now all who could be asked were
	if i < 0 {
		return nil, err
	}
	r.note(r.draws.home, OutcomeAnswered, "")
	a := r.claim(r.answers[i])
	a.Asked, a.Passed = r.told()
	var few *TooFewError
	if errors.As(err, &few) {
		a.Struck, a.Evidence = few.Struck, few.Evidence
	}
	return a, nil
}

// failure closes the call and says why it failed.
func (r *round) failure(ctx context.Context, step judge.Step) error {
	evidence, struck, err := r.close(step)
	if err != nil {
		return fmt.Errorf("call %s: %w", r.service.ID, err)
	}
	operators := make(map[judge.Operator]bool)
	for i, a := range r.answers {
		if !slices.Contains(step.Aside, i) {
			operators[a.Operator] = true
		}
		r.note(a.Server, OutcomeAnswered, "")
	}
	if need := r.quorum(); len(operators) < need && r.disputed == 0 {
		return r.tooFew(ctx, &TooFewError{Need: need, Have: len(operators), Evidence: evidence, Struck: struck})
	}
	e := &UndecidedError{
		Service: r.service.ID, Revision: r.revision.Number, Verdict: step.Verdict, Reason: string(step.Verdict.Status),
		Evidence: evidence, Struck: struck, Requests: r.requests, Said: r.said(),
	}
	e.Asked, e.Passed = r.told()
	switch {
	case ctx.Err() != nil:
		e.Reason = "cut off"
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			e.Reason = "out of time"
		}
		return fmt.Errorf("%w: %w", e, ended(ctx))
	case step.Quarantine:
		e.Reason = contradictsItself
		r.c.quarantine(r.revision, r.request)
	case r.disputed > 0:
		e.Reason = "the answers contradict each other, and nobody can be asked any more"
	}
	return e
}

// tooFew completes the error and says of each candidate why it gave no answer.
func (r *round) tooFew(ctx context.Context, e *TooFewError) error {
	e.Service, e.Revision, e.Requests, e.Said = r.service.ID, r.revision.Number, r.requests, r.said()
	e.Asked, _ = r.told()
	answered := r.answered()
	for _, h := range r.hosts {
		why := h.why
		for _, a := range r.asked {
			if a.Server == h.ID {
				why = a.Why
			}
		}
		if why == "" && slices.ContainsFunc(answered, func(v candidate) bool { return v.sameOperator(&h) }) {
			why = "answered, or is of an operator that did"
		} else if why == "" {
			why = "was not asked"
		}
		e.Candidates = append(e.Candidates, Candidate{h.ID, h.URL, why})
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", e, ended(ctx))
	}
	return e
}

// ended says why a context ended, with the context's own error to branch on.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if err == cause {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// clauses say in words what protocol 7.3 holds against a server.
var clauses = map[judge.Clause]string{
	judge.RejectedAlone: "the verifier rejects its answer",
	judge.Reexecuted:    "running the image gives another answer",
	judge.Witnessed:     "a witness contradicts its answer",
	judge.Equivocated:   "it signed two answers to one request",
}
