package client

import (
	"context"
	"errors"
	"sync"
	"time"

	"barnraise"
	"barnraise/judge"
	"barnraise/score"
)

// grace is how long an answer may take on top of the service's own limit.
const grace = 5 * time.Second

// How long a server is waited for before another is asked beside it: four times what it took of late, within bounds, and never more
// than a third of the time that is left. It is the server's own time that counts, so that nobody gets asked for being quick.
const (
	patienceTimes   = 4
	leastPatience   = 250 * time.Millisecond
	mostPatience    = 2 * time.Second
	patienceAtFirst = time.Second // with a server never heard
	mostBeside      = 2           // so many are asked beside those that take long, and no more at one time
)

// draw says who is asked next, and as what. It is called with the client's lock held.
type draw func() (v *candidate, role string, ok bool)

// as draws everybody as the same.
func as(role string, draw func() (*candidate, bool)) draw {
	return func() (*candidate, string, bool) {
		v, ok := draw()
		return v, role, ok
	}
}

// ask draws so many servers and asks them at once, and some more beside those that take long. It returns once so many have answered,
// or none is waited for any more, and reports whether any was drawn; none is once ctx has ended.
func (r *round) ask(ctx context.Context, count int, draw draw) bool {
	one, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	results := make(chan bool, barnraise.MaxAnswers)
	late := make(chan struct{}, barnraise.MaxAnswers)
	before, waiting, got := r.drawn, 0, 0
	start := func() {
		v, role, patience, ok := r.draw(ctx, draw)
		if !ok {
			return
		}
		waiting++
		timer := time.AfterFunc(patience, func() { late <- struct{}{} })
		group.Go(func() {
			answered := r.askOne(ctx, one, role, v)
			timer.Stop()
			results <- answered
		})
	}
	for range count {
		start()
	}
	for waiting > 0 && got < count {
		select {
		case answered := <-results:
			waiting--
			if answered {
				got++
			}
		case <-late:
			if waiting < count-got+mostBeside {
				start()
			}
		}
	}
	return r.drawn > before
}

// draw draws one server, and says how long it is waited for.
func (r *round) draw(ctx context.Context, draw draw) (v *candidate, role string, patience time.Duration, ok bool) {
	if r.drawn >= barnraise.MaxAnswers || ctx.Err() != nil {
		return nil, "", 0, false
	}
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if v, role, ok = draw(); !ok {
		return nil, "", 0, false
	}
	r.drawn++
	r.c.busy[v.ID]++
	patience = patienceAtFirst
	if usual := r.c.book.Latency(v.ID); usual > 0 {
		patience = min(max(patienceTimes*usual, leastPatience), mostPatience)
	}
	if end, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(end)/3)
	}
	return v, role, patience, true
}

// askOne asks one server, until one ends, and reports whether it gave an answer that it can be held to. What it could not do because
// the whole call ended with ctx is not held against it.
func (r *round) askOne(ctx, one context.Context, role string, v *candidate) bool {
	var signed barnraise.Answer
	var answer judge.Answer
	start := r.c.now()
	err := r.c.introduce(one, r.snapshot, v.Server)
	sent := err == nil
	begun := r.c.now()
	if sent {
		signed, answer, err = r.c.exchange(one, r.target, *v, r.request)
	}
	end := r.c.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	asked := Asked{Server: v.ID, URL: v.URL, Role: role, Took: end.Sub(start)}
	switch {
	case err == nil:
		answer.After, answer.Home = role == RoleWitness, v.ID == r.draws.home
		r.signed, r.answers = append(r.signed, signed), append(r.answers, answer)
	case ctx.Err() != nil:
		asked.Outcome, asked.Why = OutcomeFailed, "the call ended before it answered"
	case one.Err() != nil:
		err = errOutrun
		fallthrough
	default:
		asked.Outcome, asked.Why = OutcomeFailed, err.Error()
	}
	if sent {
		r.requests++
	}
	r.record(ctx, v, end.Sub(begun), end, err)
	r.asked = append(r.asked, asked)
	return err == nil
}

// errOutrun is the error of a server that took so long that another was asked beside it, which answered.
var errOutrun = errors.New("another, asked because it took long, has answered")

// record tells the book what came of asking a server, unless the call ended before that.
func (r *round) record(ctx context.Context, v *candidate, took time.Duration, now time.Time, err error) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if r.c.busy[v.ID]--; r.c.busy[v.ID] == 0 {
		delete(r.c.busy, v.ID)
	}
	if err != nil && ctx.Err() != nil {
		return
	}
	b := &r.c.book
	r.regard(v.ID)
	b.Identify(v.Server, r.c.epoch(), r.policy.Known)
	if err != nil {
		r.c.unseat(r.service.ID, v.ID)
	}
	switch {
	case v.ID == r.probed:
		p := score.Probe{Server: v.ID, Service: r.service.ID, Revision: r.revision.Number, Epoch: r.c.epoch(), Took: took}
		if err != nil {
			p.Why = err.Error()
		}
		b.Probed(p, now)
	case err == nil:
		b.Answered(v.ID, took, now)
	case errors.Is(err, errOutrun):
		b.Outrun(v.ID, took, now)
	case errors.Is(err, context.DeadlineExceeded):
		b.TimedOut(v.ID, took, now)
	default:
		b.Failed(v.ID, now)
	}
}
