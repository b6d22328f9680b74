package conformance

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"barnraise/image"
	"barnraise/runtime"
)

// start starts as many instances at once. Where one does not start, none is left.
func start(ctx context.Context, r runtime.Runtime, spec runtime.Spec, n int) ([]runtime.Instance, error) {
	instances, failures := make([]runtime.Instance, n), make([]error, n)
	var all sync.WaitGroup
	for k := range n {
		all.Go(func() { instances[k], failures[k] = r.Start(ctx, spec) })
	}
	all.Wait()
	if err := errors.Join(failures...); err != nil {
		return nil, errors.Join(err, stop(ctx, instances))
	}
	return instances, nil
}

// stop ends instances, whoever else is in a hurry.
func stop(ctx context.Context, instances []runtime.Instance) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	var failures []error
	for _, i := range instances {
		if i != nil {
			failures = append(failures, i.Stop(ctx))
		}
	}
	return errors.Join(failures...)
}

// specIn is what to run in those surroundings. A container answers many calls one way or the other: the gate wants to know
// which calls, and has no use for a second one beside it.
func (t *trial) specIn(around runtime.Surroundings) runtime.Spec {
	spec := t.spec
	spec.Around = around
	spec.Around.Reused = around.Reused || t.platform != image.Wasm
	return spec
}

// begun are instances of a step that start.
type begun struct {
	done      chan struct{} // closed when the rest is there
	instances []runtime.Instance
	err       error
}

// begin has the instances of a step start, to be had by started.
func (t *trial) begin(ctx context.Context, s Step) {
	b := &begun{done: make(chan struct{})}
	t.ahead = b
	go func() {
		defer close(b.done)
		if b.err = pause(ctx, s.Pause); b.err == nil {
			b.instances, b.err = start(ctx, t.rt, t.specIn(s.Around), max(s.Instances, 1))
		}
	}()
}

// started are the instances of a step, when it may begin.
func (t *trial) started(ctx context.Context, s Step) ([]runtime.Instance, error) {
	if t.ahead == nil {
		t.begin(ctx, s)
	}
	b := t.ahead
	<-b.done
	t.ahead = nil
	if b.err == nil && s.Pause > 0 {
		if err := pause(ctx, time.Until(t.over.Add(s.Pause))); err != nil {
			return nil, errors.Join(err, stop(ctx, b.instances))
		}
	}
	return b.instances, b.err
}

// mostLeaving is of how many runs instances stop at the same time. An engine waits for a second where it has nothing to do.
const mostLeaving = 4

// away has instances stop while others are asked. It fails where some before them could not be stopped.
func (t *trial) away(ctx context.Context, instances []runtime.Instance) error {
	gone := make(chan error, 1)
	go func() { gone <- stop(ctx, instances) }()
	t.leaving = append(t.leaving, gone)
	return t.left(mostLeaving)
}

// left waits until no more than so many stop.
func (t *trial) left(most int) (err error) {
	for len(t.leaving) > most {
		err = errors.Join(err, <-t.leaving[0])
		t.leaving = t.leaving[1:]
	}
	return err
}

// leave leaves nothing running.
func (t *trial) leave(ctx context.Context) error {
	err := t.left(0)
	if b := t.ahead; b != nil {
		<-b.done
		t.ahead = nil
		err = errors.Join(err, stop(ctx, b.instances))
	}
	return err
}

// sequence asks requests one after the other of one instance. Where it does not start, nothing is answered.
func (t *trial) sequence(ctx context.Context, around runtime.Surroundings, asked []int) ([]outcome, error) {
	all, err := t.sequences(ctx, around, asked)
	return all[0], err
}

// sequences are several, of an instance each, one after the other. The instances start at once, which takes less time.
func (t *trial) sequences(ctx context.Context, around runtime.Surroundings, asked ...[]int) (answers [][]outcome, err error) {
	answers = make([][]outcome, len(asked))
	instances, err := start(ctx, t.rt, t.specIn(around), len(asked))
	if err != nil {
		return answers, ctx.Err()
	}
	for k := range asked {
		until := time.Now().Add(t.o.Patience)
		for _, i := range asked[k] {
			if time.Now().Before(until) {
				answers[k] = append(answers[k], ask(ctx, instances[k], t.requests[i].Body))
			}
		}
	}
	if err := t.away(ctx, instances); err != nil {
		return answers, fmt.Errorf("try image: %w", err)
	}
	return answers, ctx.Err()
}

// isReal reports whether a finding is the service's doing. That it broke in one run alone may be the machine's, where memory or
// patience went out: then it is to break in that run another time.
func (t *trial) isReal(ctx context.Context, f finding) (bool, error) {
	if f.a.answer != nil && f.b.answer != nil {
		return true, nil
	}
	for _, other := range t.found {
		if other.step.Name != f.step.Name && (other.a.class == ClassBroke || other.b.class == ClassBroke) {
			return true, nil
		}
	}
	return t.breaksAgain(ctx, f.step)
}

// breaksAgain takes a step once more.
func (t *trial) breaksAgain(ctx context.Context, s Step) (broke bool, err error) {
	instances, err := start(ctx, t.rt, t.specIn(s.Around), max(s.Instances, 1))
	if err != nil {
		return errors.Is(err, runtime.ErrBroke), ctx.Err()
	}
	r := t.newRun(s, instances, t.requestsOf(s, ""))
	if err = r.prepare(ctx); err == nil {
		_, err = r.each(ctx, func(_ int, o outcome) { broke = broke || o.class == ClassBroke })
	}
	if left := t.away(ctx, instances); left != nil {
		return false, fmt.Errorf("try image: %w", left)
	}
	if ctx.Err() == nil {
		err = nil
	}
	return broke, err
}
