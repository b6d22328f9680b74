package client

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/judge"
	"barnraise/score"
)

// The roles in which a server is asked. It cannot tell which is its own (protocol 3.5).
const (
	RolePrimary = "primary"
	RoleAuditor = "auditor"
	RoleAnchor  = "anchor"  // an auditor whom the caller has reason to trust: the home (protocol 6.5)
	RoleWitness = "witness" // drawn after a dispute arose
)

// What came of asking a server.
const (
	OutcomeAgreed  = "agreed"
	OutcomeStruck  = "struck"  // it signed an answer that lost
	OutcomeDiffers = "differs" // it signed another answer, and is not struck for it
	OutcomeFailed  = "failed"  // no answer that it could be held to
)

// Asked tells of one request to one server.
type Asked struct {
	Server  barnraise.ServerID
	URL     string
	Role    string
	Outcome string
	Why     string // where it failed or was struck
	Took    time.Duration
}

// Answer is an accepted answer.
type Answer struct {
	Result   json.RawMessage // exactly as the servers wrote it; nil where Error is set
	Error    *jsonrpc.Error  // the service's own error: an answer like any other
	Service  barnraise.ServiceID
	Revision uint32
	Verdict  barnraise.Outcome // Accepted
	Asked    []Asked
	Requests int                  // sent for this answer
	Struck   []barnraise.ServerID // who lied
	Evidence string               // the name under which that is kept; empty where nobody did
}

// Decode reads the result into v. It fails with the service's own error where the answer is one.
func (a *Answer) Decode(v any) error {
	if a.Error != nil {
		return a.Error
	}
	return json.Unmarshal(a.Result, v)
}

// Call asks a service and returns an answer that its verifier accepts. The service is an id such as "#3", a revision of it
// such as "#3@2", or a name that the network file knows. Params are nil, JSON as []byte or [json.RawMessage], which goes out
// verbatim, or a value to be encoded: an array or an object.
//
// A call that cannot be decided fails closed: [ErrTooFew], [ErrUndecided] with the evidence, [ErrNotFound], [ErrUnavailable].
// An error of the service itself is no error here, but Answer.Error.
func (c *Client) Call(ctx context.Context, service, method string, params any) (*Answer, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, Timeout)
		defer cancel()
	}
	request, err := encode(method, params)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", service, err)
	}
	t, err := c.target(ctx, service)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", service, err)
	}
	if c.quarantined(t.revision, request) {
		return nil, &UndecidedError{Service: t.service.ID, Revision: t.revision.Number, Reason: contradictsItself}
	}
	r := &round{c: c, target: t, request: request, draws: draws{c: c, service: t.service.ID, home: t.home()}}
	r.draws.left = slices.DeleteFunc(slices.Clone(t.hosts), func(v candidate) bool { return v.why != "" })
	return r.run(ctx)
}

func encode(method string, params any) ([]byte, error) {
	switch p := params.(type) {
	case nil:
		return jsonrpc.NewRequest(method, nil)
	case []byte:
		return jsonrpc.NewRequest(method, p)
	case json.RawMessage:
		return jsonrpc.NewRequest(method, p)
	}
	b, err := json.Marshal(params)
	if err != nil {
		return nil, fmt.Errorf("encode params: %w", err)
	}
	return jsonrpc.NewRequest(method, b)
}

// round is one call under way.
type round struct {
	c *Client
	target
	request []byte
	draws   draws

	mu       sync.Mutex // over what follows, while several servers are asked at once
	asked    []Asked
	signed   []barnraise.Answer
	answers  []judge.Answer // parallel to signed
	drawn    int
	reruns   []judge.Rerun
	tried    []barnraise.Digest // platforms on which execution here was tried
	disputed bool
}

// run follows the judge until the call is decided.
func (r *round) run(ctx context.Context) (*Answer, error) {
	for len(r.answers) == 0 {
		if !r.ask(ctx, RolePrimary, 1, r.draws.primary) {
			break
		}
	}
	r.audit(ctx)
	for {
		step := judge.Judge(r.judgeable(ctx))
		r.disputed = r.disputed || step.Disputed
		if err := ctx.Err(); err != nil {
			step = judge.Step{Do: judge.Fail, Verdict: step.Verdict, Disputed: step.Disputed}
		}
		switch step.Do {
		case judge.Ask:
			r.ask(ctx, r.role(), step.Count, r.draws.anybody)
		case judge.Witness:
			r.ask(ctx, RoleWitness, 1, r.draws.witness)
		case judge.Execute:
			r.execute(ctx, step.Platforms)
		case judge.Accept:
			return r.accept(step)
		default:
			return nil, r.fail(ctx, step)
		}
	}
}

// role is what an operator drawn now is asked as: whoever is drawn after a dispute arose can be a witness to it.
func (r *round) role() string {
	if r.disputed {
		return RoleWitness
	}
	return RoleAuditor
}

// judgeable is the case as it stands.
func (r *round) judgeable(ctx context.Context) judge.Case {
	c := judge.Case{
		MinRequests: r.verifier.MinRequests(), Answers: r.answers, Reruns: r.reruns, Undrawn: r.draws.operators(),
		Verify: r.judge(ctx, r.request),
	}
	r.c.mu.Lock()
	c.Covered = r.c.passed[r.revision.Image]
	r.c.mu.Unlock()
	for _, a := range r.answers {
		if r.c.rerunner != nil && !slices.Contains(r.tried, a.Platform) && !slices.Contains(c.Runnable, a.Platform) {
			c.Runnable = append(c.Runnable, a.Platform)
		}
	}
	return c
}

// audit asks as many auditors as the policy wants for an answer of this primary, the home among them until this client has a
// history with the primary (protocol 6.5).
func (r *round) audit(ctx context.Context) {
	if len(r.answers) == 0 {
		return
	}
	r.c.mu.Lock()
	m := r.c.book.History(r.answers[0].Server, r.service.ID)
	mean := r.c.policy.Audits(m)
	count := int(mean)
	if r.c.random.Float64() < mean-float64(count) {
		count++
	}
	r.c.mu.Unlock()
	count = max(count, r.verifier.MinRequests()-1)
	if m < r.c.policy.Known && count > 0 {
		r.ask(ctx, RoleAnchor, 1, r.draws.anchor)
	}
	for len(r.answers) <= count && r.ask(ctx, RoleAuditor, count+1-len(r.answers), r.draws.auditor) {
	}
}

// ask draws up to count servers and asks them at once. It reports whether any was drawn.
func (r *round) ask(ctx context.Context, role string, count int, draw func() (candidate, bool)) bool {
	var group sync.WaitGroup
	before := r.drawn
	for r.drawn-before < count && r.drawn < barnraise.MaxAnswers {
		r.c.mu.Lock()
		v, ok := draw()
		r.c.mu.Unlock()
		if !ok {
			break
		}
		r.drawn++
		group.Go(func() { r.askOne(ctx, role, v) })
	}
	group.Wait()
	return r.drawn > before
}

func (r *round) askOne(ctx context.Context, role string, v candidate) {
	start := r.c.now()
	signed, answer, err := r.c.exchange(ctx, r.target, v, r.request)
	end := r.c.now()
	asked := Asked{Server: v.ID, URL: v.URL, Role: role, Took: end.Sub(start)}
	r.c.mu.Lock()
	if err != nil {
		r.c.book.Failed(v.ID, end)
	} else {
		r.c.book.Answered(v.ID, asked.Took, end)
	}
	r.c.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		asked.Outcome, asked.Why = OutcomeFailed, err.Error()
	} else {
		answer.After = role == RoleWitness
		r.signed, r.answers = append(r.signed, signed), append(r.answers, answer)
	}
	r.asked = append(r.asked, asked)
}

// execute runs the request on this machine. An answer whose receipt names a platform that is none of the image's covers
// nothing, and is the server's failure.
func (r *round) execute(ctx context.Context, platforms []barnraise.Digest) {
	rerun, err := r.c.rerunner.Rerun(ctx, Job{
		Service: r.service.ID, Revision: r.revision, Limits: r.manifest.Limits, Platforms: platforms, Sources: r.sources(), Request: r.request,
	})
	r.tried = append(r.tried, platforms...)
	if err != nil {
		return // then a witness or a wider quorum decides, or nobody
	}
	r.reruns = append(r.reruns, rerun.Runs...)
	for i := len(r.answers) - 1; i >= 0; i-- {
		if slices.Contains(rerun.Foreign, r.answers[i].Platform) {
			r.note(r.answers[i].Server, OutcomeFailed, "its receipt names a platform that is none of the image's")
			r.signed, r.answers = slices.Delete(r.signed, i, i+1), slices.Delete(r.answers, i, i+1)
		}
	}
	alike := !slices.ContainsFunc(r.reruns, func(o judge.Rerun) bool { return !o.Alike() })
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	r.c.passed[r.revision.Image] = alike && len(r.reruns) > 0
}

func (r *round) note(server barnraise.ServerID, outcome, why string) {
	for i := range r.asked {
		if r.asked[i].Server == server {
			r.asked[i].Outcome, r.asked[i].Why = outcome, why
		}
	}
}

// accept closes the call with an answer.
func (r *round) accept(step judge.Step) (*Answer, error) {
	a := &Answer{Service: r.service.ID, Revision: r.revision.Number, Verdict: barnraise.Accepted, Requests: len(r.asked)}
	winner := r.answers[step.Winner]
	response, err := jsonrpc.ParseResponse(winner.Body, jsonrpc.WireID)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", r.service.ID, err) // it was checked when it came in
	}
	a.Result, a.Error = json.RawMessage(response.Result), response.Error
	if a.Evidence, a.Struck, err = r.close(step); err != nil {
		return nil, fmt.Errorf("call %s: %w", r.service.ID, err)
	}
	for i, o := range r.answers {
		switch {
		case slices.Contains(a.Struck, o.Server):
		case i == step.Winner || string(o.Body) == string(winner.Body):
			r.note(o.Server, OutcomeAgreed, "")
			r.audited(o.Server)
		default:
			r.note(o.Server, OutcomeDiffers, "")
		}
	}
	a.Asked = r.asked
	return a, nil
}

// audited counts an answer that stood beside others.
func (r *round) audited(server barnraise.ServerID) {
	if len(r.answers) < 2 {
		return
	}
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	r.c.book.Audited(server, r.service.ID)
}

// close puts evidence on disk first, and then the strikes into the book.
func (r *round) close(step judge.Step) (evidence string, struck []barnraise.ServerID, err error) {
	if step.Disputed && len(r.signed) > 0 {
		evidence, err = r.c.keeper.Keep(barnraise.NewEvidence(r.snapshot.Registry, r.service.ID, r.revision, r.request, r.signed))
		if err != nil {
			return "", nil, err
		}
	}
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if step.Marked {
		r.c.book.Mark(score.Revision{Service: r.service.ID, Number: r.revision.Number}, r.c.epoch())
	}
	for _, i := range step.Aside {
		r.c.book.Failed(r.answers[i].Server, r.c.now())
	}
	for _, s := range step.Strikes {
		server := r.answers[s.Answer].Server
		r.c.book.Strike(score.Strike{
			Server: server, Service: r.service.ID, Revision: r.revision.Number, Epoch: r.c.epoch(), Conclusive: s.Conclusive,
		})
		r.note(server, OutcomeStruck, "protocol "+string(s.Clause))
		struck = append(struck, server)
	}
	slices.Sort(struck)
	return evidence, struck, nil
}

// fail closes the call without an answer.
func (r *round) fail(ctx context.Context, step judge.Step) error {
	evidence, _, err := r.close(step)
	if err != nil {
		return fmt.Errorf("call %s: %w", r.service.ID, err)
	}
	operators := make(map[judge.Operator]bool)
	for _, a := range r.answers {
		operators[a.Operator] = true
	}
	if need := r.verifier.MinRequests(); len(operators) < need && !step.Disputed {
		return r.tooFew(ctx, len(operators), need)
	}
	reason := string(step.Verdict.Status)
	switch {
	case ctx.Err() != nil:
		reason = "out of time"
	case step.Quarantine:
		reason = contradictsItself
		r.c.quarantine(r.revision, r.request)
	case step.Disputed:
		reason = "the answers contradict each other, and nobody can be asked any more"
	}
	return &UndecidedError{
		Service: r.service.ID, Revision: r.revision.Number, Verdict: step.Verdict, Reason: reason, Evidence: evidence, Asked: r.asked,
	}
}

func (r *round) tooFew(ctx context.Context, have, need int) error {
	e := &TooFewError{Service: r.service.ID, Revision: r.revision.Number, Need: need, Have: have, Asked: r.asked}
	for _, h := range r.hosts {
		why := h.why
		for _, a := range r.asked {
			if a.Server == h.ID {
				why = a.Why
			}
		}
		if why == "" && slices.ContainsFunc(r.answers, func(a judge.Answer) bool { return a.Operator == h.operator }) {
			why = "answered, or is of an operator that did"
		} else if why == "" {
			why = "was not asked"
		}
		e.Candidates = append(e.Candidates, Candidate{h.ID, h.URL, why})
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", e, err)
	}
	return e
}
