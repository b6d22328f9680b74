package client

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/judge"
)

// reasks is how many operators are drawn at most for one answer to compare with what is remembered.
const reasks = 3

// recall answers the call from memory. It returns nothing where nothing that would do is remembered: then the call goes its way.
func (r *round) recall(ctx context.Context) (*Answer, error) {
	if r.c.memo == nil {
		return nil, nil
	}
	e, ok := r.c.memo.hit(r.memoKey(), r.policy)
	if !ok {
		return nil, nil
	}
	if !r.stands(e) {
		r.c.memo.drop(e.key)
		return nil, nil
	}
	if e.due() {
		return r.reask(ctx, e)
	}
	a := r.remembered(e)
	for i := range a.Passed {
		a.Passed[i].Why = "the answer is remembered"
	}
	return a, nil
}

func (r *round) memoKey() memoKey {
	return memoKey{
		service: r.service.ID, revision: r.revision.Number, image: r.revision.Image, verifier: r.revision.Verifier,
		manifest: r.revision.Manifest, request: barnraise.Sum(r.request),
	}
}

// stands reports whether an entry rests on the word of any server that has a clean record, also by what this client has heard
// from elsewhere.
func (r *round) stands(e memoEntry) bool {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return slices.ContainsFunc(e.rests, func(o rest) bool {
		return r.c.book.Clean(o.signed.Server, r.c.epoch()) && !r.c.book.Suspended(o.signed.Server, r.service.ID)
	})
}

// remembered is the answer that is in memory. It shares nothing with it.
func (r *round) remembered(e memoEntry) *Answer {
	a := &Answer{
		Service: r.service.ID, Revision: r.revision.Number, Verdict: barnraise.Accepted, Memo: true,
		Requests: r.requests, Unverified: slices.Clone(e.unverified),
	}
	a.Asked, a.Passed = r.told()
	if e.response.Error == nil {
		a.Result = json.RawMessage(bytes.Clone(e.response.Result))
		return a
	}
	response, _ := jsonrpc.ParseResponse(bytes.Clone(e.body), jsonrpc.WireID) // it was read before
	a.Error = response.Error
	return a
}

// reask compares what is remembered with the answer of one more operator. Where the two contradict each other the memory is
// gone, and both are judged as in any call.
func (r *round) reask(ctx context.Context, e memoEntry) (*Answer, error) {
	judging, stop := outlast(ctx, time.Second)
	defer stop()
	r.restore(e)
	before := len(r.answers)
	r.askAnother(ctx, before)
	if len(r.answers) == before {
		return r.remembered(e), nil
	}
	if r.confirms(judging, e, r.answers[before:]) {
		for i, answer := range r.answers[before:] {
			r.note(answer.Server, OutcomeAgreed, "")
			r.audited(answer.Server)
			r.c.memo.confirm(e.key, e.resting(r.signed[before+i], answer))
		}
		return r.remembered(e), nil
	}
	r.c.memo.drop(e.key)
	if before == 0 {
		r.audit(ctx, judging)
	}
	return r.decide(ctx, judging)
}

// askAnother asks operators on whom the answer does not rest, one after the other, until one answers.
func (r *round) askAnother(ctx context.Context, before int) {
	most := r.within()
	if deadline, ok := ctx.Deadline(); ok {
		most = min(most, time.Until(deadline)/2)
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for range reasks {
		if len(r.answers) > before || !r.ask(ctx, 1, as(RoleAuditor, r.draws.auditor)) {
			return
		}
	}
}

// restore puts the answers that are remembered before the judge, of servers that can still be asked, one for each operator. Nobody
// is asked twice in a call.
func (r *round) restore(e memoEntry) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	for _, o := range e.rests {
		v, ok := r.draws.named(o.signed.Server)
		if !ok {
			continue
		}
		o.judged.Operator, o.judged.Home = v.operator, v.ID == r.draws.home
		r.signed, r.answers = append(r.signed, o.signed), append(r.answers, o.judged)
		r.recalled = append(r.recalled, v.ID)
		r.drawn++
	}
}

// confirms reports whether answers and what is remembered are the same, or the verifier accepts them beside each other. There are
// several where one took long, and another was asked beside it.
func (r *round) confirms(ctx context.Context, e memoEntry, answers []judge.Answer) bool {
	bodies := [][]byte{e.body}
	for _, o := range e.rests {
		bodies = append(bodies, o.judged.Body)
	}
	same := true
	for _, o := range answers {
		bodies = append(bodies, o.Body)
		same = same && bytes.Equal(o.Body, e.body)
	}
	if same {
		return true
	}
	if slices.ContainsFunc(e.rests, func(o rest) bool { return bytes.Equal(o.judged.Body, e.body) }) {
		bodies = bodies[1:] // else its server was struck since
	}
	f := r.judge(ctx, r.request)(bodies)
	return f.Status == barnraise.Accepted && len(f.Culprits) == 0
}

// remember keeps an accepted answer, with those of the servers that agreed to it.
func (r *round) remember(winner judge.Answer, a *Answer) {
	if r.c.memo == nil || r.probed != 0 || a.Verdict != barnraise.Accepted {
		return
	}
	body := bytes.Clone(winner.Body) // the caller owns his answer
	response, err := jsonrpc.ParseResponse(body, jsonrpc.WireID)
	if err != nil {
		return // it was checked when it came in
	}
	e := memoEntry{key: r.memoKey(), body: body, response: response, unverified: slices.Clone(a.Unverified), policy: r.policy}
	for i, o := range r.answers {
		if len(e.rests) < maxRests && (r.agreed(o.Server) || slices.Contains(r.recalled, o.Server) && bytes.Equal(o.Body, body)) {
			e.rests = append(e.rests, e.resting(r.signed[i], o))
		}
	}
	if r.stands(e) {
		r.c.memo.add(e)
	}
}

func (r *round) agreed(server barnraise.ServerID) bool {
	return slices.ContainsFunc(r.asked, func(a Asked) bool { return a.Server == server && a.Outcome == OutcomeAgreed })
}

// resting is an answer for the memory, which keeps the same bytes once.
func (e memoEntry) resting(signed barnraise.Answer, judged judge.Answer) rest {
	body := e.body
	if !bytes.Equal(signed.Response, body) {
		body = bytes.Clone(signed.Response)
	}
	signed.Response, judged.Body, judged.After = body, body, false
	return rest{signed, judged}
}
