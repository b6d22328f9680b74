package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"barnraise/runtime"
)

// instance is a service that runs in the child, or will again.
type instance struct {
	runtime *Runtime
	spec    runtime.Spec
	id      uint64
	turn    chan struct{} // held while it is being started or stopped in the child

	// under the runtime's mutex
	run      uint64 // the child that it runs in; zero for none
	stopped  bool
	inFlight int
	crashes  int // of children while it was being called, in a row
	crashed  time.Time
	why      error // it does not run
	restarts uint64
	before   runtime.Stats // in the children before this one, as far as known
	last     runtime.Stats // in this one
}

// slack is what the child is given beyond the limit to say itself that a call is out of time.
const slack = 500 * time.Millisecond

const (
	statsWithin  = 2 * time.Second
	forgetWithin = 2 * time.Second
)

func (i *instance) path(what string) string { return fmt.Sprintf("/services/%d%s", i.id, what) }

// start has the child start it.
func (i *instance) start(ctx context.Context) error {
	spec, err := json.Marshal(i.spec)
	if err != nil {
		return err
	}
	_, err = i.runtime.ask(ctx, http.MethodPut, i.path(""), string(spec), maxMessage)
	return err
}

// forget has the child stop what it may have started all the same, where it did not say itself how a start ended.
func (i *instance) forget(why error) {
	if _, ok := errors.AsType[remote](why); ok {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), forgetWithin)
	defer cancel()
	_, _ = i.runtime.ask(ctx, http.MethodDelete, i.path(""), "", maxMessage)
}

// enter counts a call, or says why there can be none.
func (i *instance) enter() error {
	i.runtime.mu.Lock()
	defer i.runtime.mu.Unlock()
	if err := i.absent(); err != nil {
		return err
	}
	i.inFlight++
	return nil
}

func (i *instance) leave() {
	i.runtime.mu.Lock()
	defer i.runtime.mu.Unlock()
	i.inFlight--
}

// absent says why it does not run. The lock is held.
func (i *instance) absent() error {
	switch {
	case i.stopped:
		return runtime.ErrNotReady
	case i.run == 0 && i.why != nil:
		return fmt.Errorf("%w: it does not start again: %w", runtime.ErrNotReady, i.why)
	case i.run == 0:
		return fmt.Errorf("%w: the process that runs services starts again", runtime.ErrNotReady)
	}
	return nil
}

// Call hands the request to the child, and checks the answer here as well.
func (i *instance) Call(ctx context.Context, request []byte) ([]byte, error) {
	limits := i.spec.Limits
	id, err := runtime.CheckRequest(limits, request)
	if err != nil {
		return nil, err
	}
	if err := i.enter(); err != nil {
		return nil, err
	}
	defer i.leave()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(limits.Timeout)+slack)
	defer cancel()
	response, err := i.runtime.ask(ctx, http.MethodPost, i.path("/call"), string(request), int64(limits.Response))
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, fmt.Errorf("%w: %w", runtime.ErrTimeout, context.Cause(ctx))
	case err != nil:
		return nil, err
	}
	if err := runtime.CheckResponse(limits, id, response); err != nil {
		return nil, err
	}
	return response, nil
}

// Health asks the child.
func (i *instance) Health(ctx context.Context) error {
	i.runtime.mu.Lock()
	err, broke := i.absent(), i.why != nil && !i.stopped
	i.runtime.mu.Unlock()
	if err == nil {
		_, err = i.runtime.ask(ctx, http.MethodGet, i.path("/health"), "", maxMessage)
	} else if broke {
		err = fmt.Errorf("%w: %w", runtime.ErrBroke, i.why)
	}
	return err
}

// Crash ends what runs of it as a crash would, where the runtime in the child can do that; else it fails with
// errors.ErrUnsupported.
func (i *instance) Crash(ctx context.Context) error {
	_, err := i.runtime.ask(ctx, http.MethodPost, i.path("/crash"), "", maxMessage)
	return err
}

// Stats are those of the child and of the ones before it, as far as they were asked for before they ended.
func (i *instance) Stats() runtime.Stats {
	ctx, cancel := context.WithTimeout(context.Background(), statsWithin)
	defer cancel()
	i.runtime.mu.Lock()
	run := i.run
	i.runtime.mu.Unlock()
	var now runtime.Stats
	b, err := []byte(nil), errors.ErrUnsupported
	if run != 0 {
		b, err = i.runtime.ask(ctx, http.MethodGet, i.path("/stats"), "", maxMessage)
	}
	known := err == nil && json.Unmarshal(b, &now) == nil
	i.runtime.mu.Lock()
	defer i.runtime.mu.Unlock()
	if known && run == i.run {
		i.last = now
	}
	sum := add(i.before, i.last)
	sum.Restarts += i.restarts
	return sum
}

// add makes one of the counters of two children.
func add(a, b runtime.Stats) runtime.Stats {
	return runtime.Stats{
		Calls: a.Calls + b.Calls, Answers: a.Answers + b.Answers, Running: b.Running, Slowest: max(a.Slowest, b.Slowest),
		Fuel: max(a.Fuel, b.Fuel), CPU: a.CPU + b.CPU, Memory: max(a.Memory, b.Memory), Restarts: a.Restarts + b.Restarts,
	}
}

// Stop stops it in the child. Where that has ended nothing is left either.
func (i *instance) Stop(ctx context.Context) error {
	r := i.runtime
	r.mu.Lock()
	i.stopped = true
	r.mu.Unlock()
	select {
	case i.turn <- struct{}{}:
		defer func() { <-i.turn }()
	case <-ctx.Done():
		return fmt.Errorf("stop service: %w", ctx.Err())
	}
	if err := i.end(ctx); err != nil {
		return fmt.Errorf("stop service: %w", err)
	}
	r.mu.Lock()
	i.run, i.before, i.last = 0, add(i.before, i.last), runtime.Stats{}
	delete(r.services, i)
	r.mu.Unlock()
	r.http.CloseIdleConnections()
	return nil
}

// end has the child stop it, if one runs it. It is i's turn.
func (i *instance) end(ctx context.Context) error {
	i.Stats() // the last that will be known
	r := i.runtime
	r.mu.Lock()
	run, lives := i.run, r.lives
	r.mu.Unlock()
	if run == 0 {
		return nil
	}
	_, err := r.ask(ctx, http.MethodDelete, i.path(""), "", maxMessage)
	var said remote
	switch {
	case err == nil, errors.Is(err, runtime.ErrNotReady): // nothing runs under that id
		return nil
	case errors.As(err, &said):
		return err
	}
	select { // the child does not answer: it has ended, or will have
	case <-lives.Done():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fall notes that the child has ended. The lock is held.
func (i *instance) fall(now time.Time) {
	if now.Sub(i.crashed) > calm {
		i.crashes = 0
	}
	if i.inFlight > 0 {
		i.crashes++
		i.crashed = now
	}
	i.run, i.before, i.last = 0, add(i.before, i.last), runtime.Stats{}
}

// revive starts it in a new child, and reports whether that is done with.
func (i *instance) revive(ctx context.Context) bool {
	r := i.runtime
	i.turn <- struct{}{}
	defer func() { <-i.turn }()
	r.mu.Lock()
	run, stopped := r.run, i.stopped
	i.inFlight++ // a start can be what a child ends of
	r.mu.Unlock()
	var err error
	if !stopped && ctx.Err() == nil {
		err = i.start(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i.inFlight--
	if stopped || ctx.Err() != nil {
		return true
	}
	i.why = err
	if err != nil {
		r.log.Warn("start again", "image", i.spec.Image, "err", err)
		return false
	}
	i.run = run
	i.restarts++
	return true
}
