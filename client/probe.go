package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"barnraise"
	"barnraise/dial/doors"
	"barnraise/jsonrpc"
	"barnraise/judge"
)

// What came of a probe.
const (
	ProbeConfirmed = "confirmed" // it gave a right, signed answer
	ProbeFailed    = "failed"    // it gave none
	ProbeStruck    = "struck"    // it signed a wrong one, and there is evidence
	ProbeUndecided = "undecided" // nobody can tell
)

// ErrRequest is the error for a probe's request that is not in wire form (protocol 3.1).
var ErrRequest = errors.New("request is not in wire form")

// Probe is what came of asking one server, whose offer is a claim until then (protocol 9.2).
type Probe struct {
	Outcome  string
	Why      string // where it is not confirmed
	Revision uint32
	Took     time.Duration // until it answered, or failed to
	Evidence string        // the name under which evidence is kept; empty where there is none
	// Contradicts says that the image contradicts itself here on this request, so that nobody is struck (protocol 7.4).
	Contradicts bool
	Asked       []Asked // the server itself first
	Requests    int     // sent for this probe
}

// Probe asks a server for a service with a request like any other: nothing tells the server that it is looked at (protocol 3.5).
// Where this machine can run the image its own execution decides, and nobody else is asked; else others are, as in a call.
//
// What came of it is no error. It fails where the server could not be asked through no fault of its own: [ErrRequest],
// [ErrNotFound], [ErrUnavailable], and the context's error where that ended first.
func (c *Client) Probe(ctx context.Context, server barnraise.ServerID, service barnraise.ServiceID, request []byte) (Probe, error) {
	ctx, cancel := c.inTime(ctx)
	defer cancel()
	p, err := c.probe(ctx, server, service, request)
	if err != nil {
		return p, fmt.Errorf("probe server %d for %s: %w", server, service, err)
	}
	return p, nil
}

func (c *Client) probe(ctx context.Context, server barnraise.ServerID, service barnraise.ServiceID, request []byte) (Probe, error) {
	if !jsonrpc.IsWire(request) {
		return Probe{}, ErrRequest
	}
	r, err := c.round(ctx, service.String(), request)
	if err != nil {
		return Probe{}, err
	}
	if c.quarantined(r.revision, request) {
		return Probe{Outcome: ProbeUndecided, Why: contradictsItself, Revision: r.revision.Number}, nil
	}
	r.probed = server
	return r.probe(ctx, server)
}

// probe asks the server, and then finds out what its answer is worth.
func (r *round) probe(ctx context.Context, server barnraise.ServerID) (Probe, error) {
	judging, stop := outlast(ctx, time.Second)
	defer stop()
	p := Probe{Outcome: ProbeFailed, Revision: r.revision.Number}
	if !r.ask(ctx, 1, as(RolePrimary, func() (*candidate, bool) { return r.draws.named(server) })) {
		p.Why = r.unasked(server)
		return p, ctx.Err()
	}
	if len(r.asked) == 1 && r.crowded {
		return Probe{}, doors.ErrCrowded // that is not its fault
	}
	var err error
	if len(r.answers) > 0 {
		err = r.settle(ctx, judging, &p)
	}
	if ctx.Err() != nil {
		return Probe{}, ended(ctx)
	}
	p.Asked, p.Requests, p.Took = r.asked, r.requests, r.asked[0].Took
	switch r.asked[0].Outcome { // of the server: it was asked first
	case OutcomeAgreed:
		p.Outcome = ProbeConfirmed
	case OutcomeStruck:
		p.Outcome = ProbeStruck
	case OutcomeAnswered, "":
		p.Outcome = ProbeUndecided
	}
	if p.Why == "" {
		p.Why = r.asked[0].Why
	}
	if p.Why == "" && p.Outcome == ProbeFailed {
		p.Why = "the answer of others was accepted, and not its own"
	}
	return p, err
}

// unasked says why a server is none that can be asked.
func (r *round) unasked(server barnraise.ServerID) string {
	for _, h := range r.hosts {
		if h.ID == server {
			return h.why
		}
	}
	return "it does not offer the service"
}

// settle judges the answer that there is: by own execution, or with others as in a call. That a call comes to nothing is no
// error here.
func (r *round) settle(ctx, judging context.Context, p *Probe) error {
	if r.c.rerunner != nil {
		r.execute(ctx, []barnraise.Digest{r.answers[0].Platform})
	}
	if len(r.answers) == 0 {
		return nil // of a platform that is none of the image's
	}
	if len(r.reruns) > 0 {
		step := judge.ByExecution(r.judgeable(judging))
		if step.Do == judge.Accept || len(step.Strikes) > 0 || step.Quarantine {
			return r.conclude(ctx, step, p)
		}
	}
	r.audit(ctx, judging)
	answer, err := r.decide(ctx, judging)
	var undecided *UndecidedError
	var tooFew *TooFewError
	switch {
	case err == nil:
		p.Evidence = answer.Evidence
	case errors.As(err, &undecided):
		p.Evidence, p.Why, p.Contradicts = undecided.Evidence, undecided.Reason, undecided.Reason == contradictsItself
	case errors.As(err, &tooFew):
		p.Why = fmt.Sprintf("%d operators answered, %d are wanted", tooFew.Have, tooFew.Need)
	default:
		return err
	}
	return nil
}

// conclude closes a probe that own execution has decided.
func (r *round) conclude(ctx context.Context, step judge.Step, p *Probe) (err error) {
	if ctx.Err() != nil {
		return nil // then it is nobody's fault
	}
	if step.Disputed {
		r.disputed = len(r.answers)
	}
	if step.Quarantine {
		p.Contradicts, p.Why = true, contradictsItself
		r.c.quarantine(r.revision, r.request)
	}
	if step.Do == judge.Accept {
		var answer *Answer
		if answer, err = r.accept(ctx, step); err == nil {
			p.Evidence = answer.Evidence
		}
		return err
	}
	if p.Evidence, _, err = r.close(step); err == nil {
		r.note(r.answers[0].Server, OutcomeAnswered, "")
	}
	return err
}
