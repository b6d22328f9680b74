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
	OutcomeAgreed   = "agreed"
	OutcomeStruck   = "struck"   // it signed an answer that lost
	OutcomeDiffers  = "differs"  // it signed another answer, and is not struck for it
	OutcomeAnswered = "answered" // it signed an answer, and the call was not decided
	OutcomeFailed   = "failed"   // no answer that it could be held to
)

// Asked tells of one server that was drawn, and of what came of asking it.
type Asked struct {
	Server  barnraise.ServerID
	URL     string
	Role    string
	Outcome string
	Why     string // where it failed or was struck
	Effect  string // what that did to its score, where [Explained] wants that
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
	Requests int                  // sent for this answer: none to a server that did not introduce itself, none from memory
	Memo     bool                 // it was accepted before, and is remembered (protocol 6.7)
	Passed   []Candidate          // who was not asked and why, where [Explained] wants that
	Struck   []barnraise.ServerID // who lied
	Evidence string               // the name under which that is kept; empty where nobody did
	// Unverified are JSON pointers (RFC 6901) into the response, such as "/result/took", to values that nobody but the answering
	// server vouches for, with all that is below them: the service's verifier leaves them open. "" stands for all of it. Show
	// them as such or drop them, and build nothing on them. How a value is written, and the order of members, is never vouched
	// for by a verifier that compares values.
	Unverified []string
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
//
// Where ctx ends, or the client is closed, the call ends within about a second and fails; servers that had not answered by then
// are not held to it. Answers that contradict each other are still judged and kept.
func (c *Client) Call(ctx context.Context, service, method string, params any, options ...CallOption) (*Answer, error) {
	ctx, cancel := c.inTime(ctx)
	defer cancel()
	request, err := encode(method, params)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", service, err)
	}
	r, err := c.round(ctx, service, request)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", service, err)
	}
	for _, o := range options {
		o(&r.wishes)
	}
	if c.quarantined(r.revision, request) {
		return nil, &UndecidedError{Service: r.service.ID, Revision: r.revision.Number, Reason: contradictsItself}
	}
	return r.run(ctx)
}

// inTime derives a context that ends with the client, and after [Timeout] where it has no deadline of its own.
func (c *Client) inTime(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, end := c.whileOpen(ctx)
	if _, ok := ctx.Deadline(); ok {
		return ctx, end
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	return ctx, func() {
		cancel()
		end()
	}
}

// round prepares a call: nobody has been asked yet.
func (c *Client) round(ctx context.Context, service string, request []byte) (*round, error) {
	t, err := c.target(ctx, service)
	if err != nil {
		return nil, err
	}
	r := &round{c: c, target: t, request: request, wishes: wishes{policy: c.policy}}
	r.draws = draws{c: c, service: t.service.ID, home: t.home(), wishes: &r.wishes}
	r.draws.left = slices.DeleteFunc(slices.Clone(t.hosts), func(v candidate) bool { return v.why != "" })
	return r, nil
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
	wishes
	request []byte
	draws   draws
	drawn   int
	probed  barnraise.ServerID // that a probe is about; zero in a call

	mu       sync.Mutex // over what follows, while several servers are asked at once
	asked    []Asked
	requests int // that were sent
	signed   []barnraise.Answer
	answers  []judge.Answer // parallel to signed

	memo     judge.Memo
	reruns   []judge.Rerun
	tried    []barnraise.Digest // platforms on which execution here was tried
	disputed int                // so many of the answers, the first ones, were found to contradict each other or the verifier
}

// run asks a primary, then auditors, and decides.
func (r *round) run(ctx context.Context) (*Answer, error) {
	judging, stop := outlast(ctx, time.Second)
	defer stop()
	for len(r.answers) == 0 && r.ask(ctx, RolePrimary, 1, r.draws.primary) {
	}
	r.audit(ctx)
	return r.decide(ctx, judging)
}

// decide does what the judge says until the call is decided.
func (r *round) decide(ctx, judging context.Context) (*Answer, error) {
	for {
		step := r.next(ctx, judging)
		switch step.Do {
		case judge.Ask:
			r.ask(ctx, r.role(), step.Count, r.draws.anybody)
		case judge.Witness:
			r.ask(ctx, RoleWitness, 1, r.draws.witness)
		case judge.Execute:
			r.execute(ctx, step.Platforms)
		case judge.Accept:
			return r.accept(judging, step)
		default:
			return nil, r.fail(ctx, step)
		}
	}
}

// outlast derives a context that ends so much later than ctx: what has been signed by then can still be judged.
func outlast(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(by, cancel) })
	return late, func() {
		stop()
		cancel()
	}
}

// next says what to do. Once ctx has ended the call fails, but not before it is known whether its answers contradict each other.
func (r *round) next(ctx, judging context.Context) judge.Step {
	step := judge.Judge(r.judgeable(judging))
	if step.Disputed {
		r.disputed = len(r.answers)
	}
	if ctx.Err() != nil {
		return judge.Step{Do: judge.Fail, Verdict: step.Verdict, Disputed: step.Disputed}
	}
	return step
}

// role is what an operator drawn now is asked as: whoever is drawn after a dispute arose can be a witness to it.
func (r *round) role() string {
	if r.disputed > 0 {
		return RoleWitness
	}
	return RoleAuditor
}

// judgeable is the case as it stands.
func (r *round) judgeable(ctx context.Context) judge.Case {
	c := judge.Case{
		MinRequests: r.verifier.MinRequests(), Answers: r.answers, Reruns: r.reruns,
		Undrawn: min(r.draws.operators(), barnraise.MaxAnswers-r.drawn),
		Verify:  r.judge(ctx, r.request), Memo: &r.memo,
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
	mean := r.policy.Audits(m)
	count := int(mean)
	if r.c.random.Float64() < mean-float64(count) {
		count++
	}
	r.c.mu.Unlock()
	count = max(count, r.verifier.MinRequests()-1)
	if m < r.policy.Known && count > 0 {
		r.ask(ctx, RoleAnchor, 1, r.draws.anchor)
	}
	for len(r.answers) <= count && r.ask(ctx, RoleAuditor, count+1-len(r.answers), r.draws.auditor) {
	}
}

// ask draws up to count servers and asks them at once. It reports whether any was drawn; none is once ctx has ended.
func (r *round) ask(ctx context.Context, role string, count int, draw func() (candidate, bool)) bool {
	var group sync.WaitGroup
	before := r.drawn
	for r.drawn-before < count && r.drawn < barnraise.MaxAnswers && ctx.Err() == nil {
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

// execute runs the request on this machine. An answer whose receipt names a platform that is none of the image's covers
// nothing, and is the server's failure.
func (r *round) execute(ctx context.Context, platforms []barnraise.Digest) {
	rerun, err := r.c.rerunner.Rerun(ctx, Job{
		Service: r.service.ID, Revision: r.revision, Limits: r.manifest.Limits, Platforms: platforms,
		Sources: r.c.sources(ctx, r.target), Request: r.request,
	})
	r.tried = append(r.tried, platforms...)
	if err != nil {
		return // then a witness or a wider quorum decides, or nobody
	}
	r.reruns = append(r.reruns, rerun.Runs...)
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	for i := len(r.answers) - 1; i >= 0; i-- {
		if !slices.Contains(rerun.Foreign, r.answers[i].Platform) {
			continue
		}
		r.c.book.Failed(r.answers[i].Server, r.c.now())
		r.note(r.answers[i].Server, OutcomeFailed, "its receipt names a platform that is none of the image's")
		r.signed, r.answers = slices.Delete(r.signed, i, i+1), slices.Delete(r.answers, i, i+1)
		r.disputed = 0 // whether the others contradict each other is still to be seen
	}
	alike := !slices.ContainsFunc(r.reruns, func(o judge.Rerun) bool { return !o.Alike() })
	r.c.passed[r.revision.Image] = alike && len(r.reruns) > 0
}
