package client

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"barnraise"
	"barnraise/judge"
)

// round is one call under way.
type round struct {
	c *Client
	target
	wishes
	request []byte
	draws   draws
	drawn   int
	probed  barnraise.ServerID // that a probe is about; zero in a call

	recalled []barnraise.ServerID // whose answers are from memory, and were counted before

	mu       sync.Mutex // over what follows, while several servers are asked at once
	asked    []Asked
	before   map[barnraise.ServerID]standing // what was thought of those asked, where that is to be explained
	requests int                             // that were sent
	missing  bool                            // one of them does not run the revision
	crowded  bool                            // one was not asked, because of others (protocol 10.1)
	signed   []barnraise.Answer
	answers  []judge.Answer // parallel to signed

	memo   judge.Memo
	reruns []judge.Rerun
	tried  []barnraise.Digest // platforms on which execution here was tried

	reportTried bool // it was looked for, and may not have been found
	disputed    int  // so many of the answers, the first ones, were found to contradict each other or the verifier
}

// run asks a primary, then auditors, and decides.
func (r *round) run(ctx context.Context) (*Answer, error) {
	judging, stop := outlast(ctx, time.Second)
	defer stop()
	if r.policy.Together {
		r.together(ctx)
	}
	for len(r.answers) == 0 && r.ask(ctx, 1, as(RolePrimary, r.draws.primary)) {
	}
	if len(r.answers) > 0 {
		if r.provisional != nil {
			r.provisional(r.claim(r.answers[0]))
		}
		if !r.policy.Together {
			r.audit(ctx, judging)
		}
	}
	return r.decide(ctx, judging)
}

// decide does what the judge says until the call is decided.
func (r *round) decide(ctx, judging context.Context) (*Answer, error) {
	for {
		step := r.next(ctx, judging)
		switch step.Do {
		case judge.Ask:
			r.ask(ctx, step.Count, as(r.role(), r.draws.anybody))
		case judge.Witness:
			r.ask(ctx, step.Count, as(RoleWitness, r.draws.witness))
		case judge.Execute:
			r.execute(ctx, step.Platforms)
		case judge.Accept:
			return r.accept(judging, step)
		default:
			return r.fail(ctx, step)
		}
	}
}

// outlast is a context that ends so much later than ctx: what has been signed by then can still be judged.
func outlast(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	l := &afterwards{Context: context.WithoutCancel(ctx), before: ctx, by: by}
	return l, func() { l.end() }
}

// afterwards ends after another context, but for nobody who does not ask: in nearly all calls nobody does.
type afterwards struct {
	context.Context
	before context.Context
	by     time.Duration

	mu   sync.Mutex
	wait context.Context // nil before anybody asked
	stop []func()
}

// Done is closed once it has ended.
func (l *afterwards) Done() <-chan struct{} { return l.waiting().Done() }

// Err is nil until it has ended.
func (l *afterwards) Err() error {
	if l.before.Err() == nil {
		return nil
	}
	return l.waiting().Err()
}

// waiting begins to wait for the end.
func (l *afterwards) waiting() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wait == nil {
		wait, cancel := context.WithCancel(l.Context)
		stop := context.AfterFunc(l.before, func() { time.AfterFunc(l.by, cancel) })
		l.wait, l.stop = wait, []func(){func() { stop() }, cancel}
	}
	return l.wait
}

// end ends it now, for those who have asked.
func (l *afterwards) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, stop := range l.stop {
		stop()
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

// quorum is how many operators have to answer: as many as the verifier wants, and as many as the policy does.
func (r *round) quorum() int { return max(r.verifier.MinRequests(), r.policy.Least+1, r.policy.Equal) }

// vote says of each answer whose vote it is.
func (r *round) vote() {
	if len(r.answers) < 2 {
		return // it is its owner's
	}
	for i, operator := range votes(r.answered()) {
		r.answers[i].Operator = operator
	}
}

// answered lists who gave the answers.
func (r *round) answered() []candidate {
	list := make([]candidate, len(r.answers))
	for i, a := range r.answers {
		list[i].operator = a.Operator
		if k, ok := slices.BinarySearchFunc(r.hosts, a.Server, byID); ok {
			list[i] = r.hosts[k]
			if list[i].domain != "" { // outside private networks
				list[i].network = r.c.networkOf(r.hosts[k].Server)
			}
		}
	}
	return list
}

// byID is the order of a target's hosts.
func byID(h candidate, id barnraise.ServerID) int { return cmp.Compare(h.ID, id) }

// judgeable is the case as it stands.
func (r *round) judgeable(ctx context.Context) judge.Case {
	r.vote()
	c := judge.Case{
		MinRequests: r.quorum(), Answers: r.answers, Reruns: r.reruns, Lead: r.policy.Lead,
		Undrawn: min(r.draws.operators(), barnraise.MaxAnswers-r.drawn),
		Verify:  r.judge(ctx, r.request), Memo: &r.memo,
	}
	r.c.mu.Lock()
	passed, tested := r.c.passed[r.revision.Image]
	r.c.mu.Unlock()
	c.Covered = passed || !tested && r.covers(ctx) // what was seen here outweighs a report
	for _, a := range r.answers {
		if r.c.rerunner != nil && !slices.Contains(r.tried, a.Platform) && !slices.Contains(c.Runnable, a.Platform) {
			c.Runnable = append(c.Runnable, a.Platform)
		}
	}
	return c
}

// auditors is how many auditors an answer of the server gets this time, and whether the server is known (protocol 6.5, 6.6).
func (r *round) auditors(primary barnraise.ServerID) (count int, known bool) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	m := r.c.book.History(primary, r.service.ID)
	mean := r.policy.Audits(m)
	count = int(mean)
	if r.c.random.Float64() < mean-float64(count) {
		count++
	}
	return max(count, r.quorum()-1), m >= r.policy.Known
}

// audit asks as many auditors as the policy wants for the primary's answer; what was asked beside the primary because that was slow
// is none of them, since both were drawn before either had answered. Until this client has a history with the primary one of them
// is an anchor. The anchor comes last, and only where the others do not contradict each other: where they do, it is worth more as a
// witness, which no party can be (protocol 7.1).
func (r *round) audit(ctx, judging context.Context) {
	count, known := r.auditors(r.answers[0].Server)
	want := len(r.answers) + count
	if r.policy.Anchor && !known && count > 0 {
		r.compare(ctx, want-1)
		if r.contradicted(judging) {
			return
		}
		r.ask(ctx, 1, as(RoleAnchor, r.draws.anchor))
	}
	r.compare(ctx, want)
}

// compare asks auditors until there are so many answers, or nobody is left who is fit. Where that leaves an answer to stand alone, one
// who is not fit is asked rather than nobody: when this machine was cut off for a while, that is everybody.
func (r *round) compare(ctx context.Context, want int) {
	for len(r.answers) < want && r.ask(ctx, want-len(r.answers), as(RoleAuditor, r.draws.auditor)) {
	}
	for want > 1 && len(r.answers) == 1 && r.ask(ctx, 1, as(RoleAuditor, r.draws.anybody)) {
	}
}

// contradicted reports whether the answers so far contradict each other or the verifier. What it says is not asked of it again.
func (r *round) contradicted(judging context.Context) bool {
	if r.alike() {
		return false
	}
	return judge.Contradicted(judge.Case{Answers: r.answers, Verify: r.judge(judging, r.request), Memo: &r.memo})
}

// alike reports whether all answers so far are the same bytes.
func (r *round) alike() bool {
	return !slices.ContainsFunc(r.answers, func(a judge.Answer) bool { return string(a.Body) != string(r.answers[0].Body) })
}

// together asks primary and auditors at once (protocol 6.6).
func (r *round) together(ctx context.Context) {
	r.c.mu.Lock()
	primary, ok := r.draws.primary()
	r.c.mu.Unlock()
	if !ok {
		return
	}
	count, known := r.auditors(primary.ID)
	turn := 0
	r.ask(ctx, count+1, func() (*candidate, string, bool) {
		turn++
		if turn == 1 {
			return primary, RolePrimary, true
		}
		if turn == 2 && r.policy.Anchor && !known {
			if v, ok := r.draws.anchor(); ok {
				return v, RoleAnchor, true
			}
		}
		v, ok := r.draws.auditor()
		return v, RoleAuditor, ok
	})
	r.compare(ctx, count+1)
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
	alike := !slices.ContainsFunc(r.reruns, func(o judge.Rerun) bool { return !o.Alike() })
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
	if len(r.reruns) > 0 {
		r.c.passed[r.revision.Image] = alike
	}
}
