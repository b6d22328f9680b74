package client

import (
	"context"
	"errors"
	"time"

	"barnraise"
	"barnraise/judge"
	"barnraise/score"
)

// grace is how long an answer may take on top of the service's own limit.
const grace = 5 * time.Second

// askOne asks one server. What it could not do because ctx ended is not held against it.
func (r *round) askOne(ctx context.Context, role string, v candidate) {
	var signed barnraise.Answer
	var answer judge.Answer
	start := r.c.now()
	err := r.c.introduce(ctx, r.snapshot, v.Server)
	sent := err == nil
	if sent {
		signed, answer, err = r.c.exchange(ctx, r.target, v, r.request)
	}
	end := r.c.now()
	asked := Asked{Server: v.ID, URL: v.URL, Role: role, Took: end.Sub(start)}
	if err == nil || ctx.Err() == nil {
		r.record(v, asked.Took, end, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if sent {
		r.requests++
	}
	switch {
	case err == nil:
		answer.After = role == RoleWitness
		r.signed, r.answers = append(r.signed, signed), append(r.answers, answer)
	case ctx.Err() == nil:
		asked.Outcome, asked.Why = OutcomeFailed, err.Error()
	default:
		asked.Outcome, asked.Why = OutcomeFailed, "the call ended before it answered"
	}
	r.asked = append(r.asked, asked)
}

// record tells the book what came of asking a server.
func (r *round) record(v candidate, took time.Duration, now time.Time, err error) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	b := &r.c.book
	b.Identify(v.Server, r.c.epoch(), r.policy.Known)
	switch {
	case v.ID == r.probed:
		p := score.Probe{Server: v.ID, Service: r.service.ID, Revision: r.revision.Number, Epoch: r.c.epoch(), Took: took}
		if err != nil {
			p.Why = err.Error()
		}
		b.Probed(p, now)
	case err == nil:
		b.Answered(v.ID, took, now)
	case errors.Is(err, context.DeadlineExceeded):
		b.TimedOut(v.ID, took, now)
	default:
		b.Failed(v.ID, now)
	}
}
