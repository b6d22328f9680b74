package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"barnraise/jsonrpc"
	"barnraise/runtime"

	"github.com/go-json-experiment/json/jsontext"
)

// outcome is what came of a call.
type outcome struct {
	answer []byte // nil where there is none
	class  string // of the failure; empty with an answer
	reason string
	took   time.Duration
}

// alike reports whether two outcomes of one request agree. That one ran out of time or fuel and the other did not is the
// machine's doing, or close to a limit; so it is that one was never handed over. That is reported, and contradicts nothing.
func (o outcome) alike(p outcome) bool {
	switch {
	case o.class == "" && p.class == "":
		return bytes.Equal(o.answer, p.answer)
	case o.class == "" || p.class == "":
		return o.class != ClassBroke && p.class != ClassBroke
	}
	return true
}

// Bounds of a run.
const (
	stopWithin  = 2 * time.Minute
	readyWithin = 30 * time.Second
	readyEvery  = 50 * time.Millisecond
	maxReason   = 300
)

// ask makes one call. A service that is being made to run again is waited for.
func ask(ctx context.Context, i runtime.Instance, body []byte) outcome {
	begun := time.Now()
	answer, err := i.Call(ctx, body)
	if errors.Is(err, runtime.ErrNotReady) && ready(ctx, i) == nil {
		begun = time.Now()
		answer, err = i.Call(ctx, body)
	}
	o := outcome{answer: answer, took: time.Since(begun)}
	if err != nil {
		o.answer, o.class, o.reason = nil, classOf(err), limited(err.Error(), maxReason)
	}
	return o
}

func classOf(err error) string {
	switch {
	case errors.Is(err, runtime.ErrTimeout):
		return ClassTimeout
	case errors.Is(err, runtime.ErrFuel):
		return ClassFuel
	case errors.Is(err, runtime.ErrNotReady):
		return ClassNotReady
	case errors.Is(err, runtime.ErrBroke):
		return ClassBroke
	case errors.Is(err, runtime.ErrRequest), errors.Is(err, jsonrpc.ErrInvalid), errors.Is(err, jsonrpc.ErrSyntax),
		errors.Is(err, jsonrpc.ErrBatch), errors.Is(err, jsonrpc.ErrNotification):
		return ClassRequest
	}
	return ClassMachine
}

// ready waits until the instance takes calls again.
func ready(ctx context.Context, i runtime.Instance) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		err := i.Health(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if err := pause(ctx, readyEvery); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run is one step under way.
type run struct {
	*trial
	step      Step
	instances []runtime.Instance
	asked     []int // indices of requests
	others    [][]byte
	turn      int
	until     time.Time
}

// answered is told what came of the request of that index.
type answered func(request int, o outcome)

// each asks by the schedule, until the run's time is over. It returns the number of calls that were the caller's own, and
// fails only where the context ends.
func (r *run) each(ctx context.Context, told answered) (n int, err error) {
	for _, round := range schedule(r.step.Order, len(r.asked), len(r.others), r.o.Seed) {
		if time.Now().After(r.until) {
			r.skip(r.step.Name, fmt.Sprintf("its %s were over after %d calls", r.o.Patience, n))
			break
		}
		n += r.round(ctx, round, told)
		if err := ctx.Err(); err != nil {
			return n, fmt.Errorf("try image: %w", err)
		}
	}
	return n, nil
}

// round makes calls at once and waits for all. The results are told in the order of the round.
func (r *run) round(ctx context.Context, round []int, told answered) (n int) {
	outcomes := make([]outcome, len(round))
	var all sync.WaitGroup
	for k, i := range round {
		instance := r.instances[r.turn%len(r.instances)]
		r.turn++
		all.Go(func() { outcomes[k] = ask(ctx, instance, r.body(i)) })
	}
	all.Wait()
	for k, i := range round {
		if i >= 0 && ctx.Err() == nil {
			told(r.asked[i], outcomes[k])
			n++
		}
	}
	return n
}

func (r *run) body(i int) []byte {
	if i < 0 {
		return r.others[-1-i]
	}
	return r.requests[r.asked[i]].Body
}

// prepare does what comes before the first request.
func (r *run) prepare(ctx context.Context) error {
	switch r.step.Order {
	case Crashed:
		r.warm(ctx)
		return r.crash(ctx)
	case Idled:
		r.warm(ctx)
		return pause(ctx, r.step.Idle)
	}
	return nil
}

// warm asks a few requests, whatever is answered.
func (r *run) warm(ctx context.Context) {
	for i := range min(len(r.asked), 4) {
		_ = ask(ctx, r.instances[0], r.body(i))
	}
}

// crasher is an instance that can be made to crash, as its own faults would.
type crasher interface {
	Crash(ctx context.Context) error
}

// crash kills the service, or else cuts off calls that are under way.
func (r *run) crash(ctx context.Context) error {
	if c, ok := r.instances[0].(crasher); ok {
		before := r.instances[0].Stats().Restarts
		err := c.Crash(ctx)
		if err == nil {
			return r.recovered(ctx, before)
		}
		if !errors.Is(err, errors.ErrUnsupported) {
			return fmt.Errorf("crash service: %w", err)
		}
	}
	for i := range min(len(r.asked), 4) {
		short, cancel := context.WithTimeout(ctx, time.Millisecond)
		_, _ = r.instances[0].Call(short, r.body(i))
		cancel()
	}
	return ready(ctx, r.instances[0])
}

// recovered waits until the crash has been noticed, so that no call meets what it left, and the service runs again.
func (r *run) recovered(ctx context.Context, before uint64) error {
	for until := time.Now().Add(readyWithin); r.instances[0].Stats().Restarts <= before; {
		if time.Now().After(until) {
			return fmt.Errorf("crash service: nobody noticed within %s", readyWithin)
		}
		if err := pause(ctx, readyEvery); err != nil {
			return err
		}
	}
	return ready(ctx, r.instances[0])
}

// limited cuts a text at a character, to at most so many bytes.
func limited(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xc0 == 0x80 {
		most--
	}
	return s[:most] + "…"
}

// shown is an outcome for people.
func (o outcome) shown(most int) string {
	if o.answer == nil {
		return o.class + ": " + o.reason
	}
	return limited(string(o.answer), most)
}

func (o outcome) part(p jsontext.Pointer) string {
	if o.answer == nil || p == "" {
		return o.shown(maxPart)
	}
	return limited(string(at(o.answer, p)), maxPart)
}
