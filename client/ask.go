package client

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"barnraise"
	"barnraise/dial/doors"
	"barnraise/judge"
	"barnraise/score"
	"barnraise/until"
)

// grace is how long an answer may take on top of the service's own limit.
const grace = 5 * time.Second

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
	a := &inquiry{round: r, ctx: ctx, draw: draw, want: count, one: until.New(ctx, time.Now().Add(r.within()))}
	before := r.drawn
	a.begin(count)
	a.group.Wait()
	a.end()
	return r.drawn > before
}

// inquiry is asking servers at once. Whoever of them ends, and whoever is waited for too long, says what happens next.
type inquiry struct {
	*round
	ctx   context.Context // of the call
	one   *until.Context  // of those asked at first: ends once enough have answered, and when their time is over
	draw  draw
	group sync.WaitGroup // of those that are waited for

	mu      sync.Mutex
	want    int // answers
	got     int
	waiting int
	over    bool
	later   []context.CancelFunc // of those whose time began later
	due     []due
	timer   *time.Timer // runs until the next of them
}

// drawn is one server that is asked.
type drawn struct {
	*candidate
	role string
	one  context.Context
}

// begin asks so many servers, the last of them here: so a single one takes no goroutine.
func (a *inquiry) begin(count int) {
	last, ok := a.next()
	for i := 1; i < count && ok; i++ {
		v, more := a.next()
		if !more {
			break
		}
		go a.wait(last)
		last = v
	}
	if ok {
		a.wait(last)
	}
}

// next draws a server, unless it is over. Who is drawn is waited for.
func (a *inquiry) next() (drawn, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.start(false)
}

// start is next, with the lock held.
func (a *inquiry) start(late bool) (drawn, bool) {
	if a.over {
		return drawn{}, false
	}
	v, role, patience, ok := a.round.draw(a.ctx, a.draw)
	if !ok {
		return drawn{}, false
	}
	var one context.Context = a.one
	if late || !a.c.introduced(v.Server) {
		var cancel context.CancelFunc
		one, cancel = context.WithCancel(a.ctx) // its time begins with the exchange
		a.later = append(a.later, cancel)
	}
	a.waiting++
	a.group.Add(1)
	a.due = append(a.due, due{v.ID, time.Now().Add(patience)})
	a.arm()
	return drawn{v, role, one}, true
}

// wait asks one server, and ends it all once enough have answered.
func (a *inquiry) wait(v drawn) {
	defer a.group.Done()
	answered := a.askOne(a.ctx, v.one, v.role, v.candidate)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.due = slices.DeleteFunc(a.due, func(d due) bool { return d.server == v.ID })
	a.waiting--
	if answered {
		a.got++
	}
	if a.got >= a.want && !a.needed() {
		a.finish()
	}
}

// needed reports whether the call cannot be decided without those who are still waited for: there are too few others. Then they have
// all of their own time, or what the call has left: with two servers, of which one is dead, a call fails only then. The lock is held.
func (a *inquiry) needed() bool {
	if a.waiting == 0 {
		return false
	}
	a.round.mu.Lock()
	answers := len(a.answers)
	a.round.mu.Unlock()
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	return answers+a.draws.operators() < a.quorum()
}

// finish ends what is under way. The lock is held.
func (a *inquiry) finish() {
	a.over = true
	a.one.End()
	for _, cancel := range a.later {
		cancel()
	}
}

// end waits until nobody draws any more.
func (a *inquiry) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.finish()
	if a.timer != nil {
		a.timer.Stop()
	}
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
	patience = r.c.pace(v.ID).patience()
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
	r.expect()
	asked := Asked{Server: v.ID, URL: v.URL, Role: role, Took: end.Sub(start)}
	switch {
	case err == nil:
		answer.After, answer.Home = role == RoleWitness, v.ID == r.draws.home
		r.signed, r.answers = append(r.signed, signed), append(r.answers, answer)
	case ctx.Err() != nil:
		asked.Outcome, asked.Why = OutcomeFailed, "the call ended before it answered"
	case errors.Is(one.Err(), context.Canceled):
		err = errOutrun
		fallthrough
	default:
		asked.Outcome, asked.Why = OutcomeFailed, err.Error()
	}
	if sent {
		r.requests++
	}
	r.missing = r.missing || errors.Is(err, errUnknownRevision)
	r.crowded = r.crowded || errors.Is(err, doors.ErrCrowded)
	r.record(ctx, v, end.Sub(begun), end, err)
	r.asked = append(r.asked, asked)
	return err == nil
}

// expect makes room for two answers, which most calls get. The lock is held.
func (r *round) expect() {
	if r.asked == nil {
		r.asked = make([]Asked, 0, 2)
		r.signed, r.answers = slices.Grow(r.signed, 2), slices.Grow(r.answers, 2)
	}
}

// errOutrun is the error of a server that took so long that another was asked beside it, which answered.
var errOutrun = errors.New("another, asked because it took long, has answered")

// record tells the book what came of asking a server, unless the call ended before that, or it was not asked because of others.
func (r *round) record(ctx context.Context, v *candidate, took time.Duration, now time.Time, err error) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if r.c.busy[v.ID]--; r.c.busy[v.ID] == 0 {
		delete(r.c.busy, v.ID)
	}
	if err != nil && ctx.Err() != nil || errors.Is(err, doors.ErrCrowded) {
		return // that says nothing of it
	}
	b := &r.c.book
	r.regard(v.ID)
	b.Identify(v.Server, r.c.epoch(), r.policy.Known)
	if err != nil {
		r.c.pace(v.ID).failed(now)
		r.c.unseat(r.service.ID, v.ID)
	} else {
		r.c.pace(v.ID).answered(took)
		r.draws.answered(v)
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
