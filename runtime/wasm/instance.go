package wasm

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"barnraise/manifest"
	"barnraise/runtime"
	"barnraise/wasm"
)

// instance is a service that runs. The name is that of package runtime; those of package wasm live for one call.
type instance struct {
	module  *wasm.Module
	command bool
	limits  manifest.Limits

	slots  chan struct{}       // as many as calls may run at once
	spares chan *wasm.Instance // nil where none are made

	mu       sync.Mutex     // guards the order of inside.Add and inside.Wait
	inside   sync.WaitGroup // calls, also those whose callers are gone, and the goroutine that makes spares
	stopping chan struct{}  // closed by the first Stop
	stopped  chan struct{}  // closed when nobody is inside any more

	calls, answers, fuel, slowest atomic.Uint64
	running                       atomic.Int64
}

// Call runs the request in an instance of its own. When the context ends first, that instance stops soon after, and keeps its
// slot until then.
func (i *instance) Call(ctx context.Context, request []byte) ([]byte, error) {
	begun := time.Now()
	id, err := runtime.CheckRequest(i.limits, request)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(i.limits.Timeout))
	defer cancel()
	if err := i.enter(ctx); err != nil {
		return nil, err
	}
	type outcome struct {
		response []byte
		err      error
	}
	done := make(chan outcome, 1)
	request, id = append([]byte{}, request...), append([]byte{}, id...) // the caller's bytes are its own again when it is gone
	go func() {
		response, err := i.answer(ctx, id, request)
		i.leave()
		done <- outcome{response, err}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			return nil, o.err
		}
		i.answers.Add(1)
		raise(&i.slowest, uint64(time.Since(begun)))
		return o.response, nil
	case <-ctx.Done():
		return nil, outOfTime(ctx)
	}
}

// enter takes a slot, or fails with ErrNotReady or ErrTimeout.
func (i *instance) enter(ctx context.Context) error {
	i.mu.Lock()
	select {
	case <-i.stopping:
		i.mu.Unlock()
		return runtime.ErrNotReady
	default:
		i.inside.Add(1)
		i.mu.Unlock()
	}
	err := ctx.Err()
	if err == nil {
		select {
		case i.slots <- struct{}{}:
			i.calls.Add(1)
			i.running.Add(1)
			return nil
		case <-ctx.Done():
		case <-i.stopping:
			i.inside.Done()
			return runtime.ErrNotReady
		}
	}
	i.inside.Done()
	return outOfTime(ctx)
}

// leave gives the slot back.
func (i *instance) leave() {
	i.running.Add(-1)
	<-i.slots
	i.inside.Done()
}

// answer runs one call to its end.
func (i *instance) answer(ctx context.Context, id, request []byte) ([]byte, error) {
	response, err := i.exchange(ctx, request)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, outOfTime(ctx)
	case errors.Is(err, wasm.ErrFuel):
		return nil, fmt.Errorf("%w: %w", runtime.ErrFuel, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", runtime.ErrBroke, err)
	}
	if err := runtime.CheckResponse(i.limits, id, response); err != nil {
		return nil, err
	}
	return response, nil
}

// exchange hands the request to an instance that nobody had before and nobody will have after it.
func (i *instance) exchange(ctx context.Context, request []byte) ([]byte, error) {
	one, err := i.take(ctx, request)
	if one != nil {
		defer func() {
			raise(&i.fuel, one.FuelUsed())
			_ = one.Close(context.WithoutCancel(ctx))
		}()
	}
	if err != nil {
		return nil, err
	}
	if i.command {
		return one.Run(ctx)
	}
	return one.Exchange(ctx, "handle", request, int(i.limits.Response))
}

// take returns a spare instance, or else a new one.
func (i *instance) take(ctx context.Context, request []byte) (*wasm.Instance, error) {
	if i.command {
		return i.module.Instantiate(ctx, wasm.IO{Stdin: request, MaxStdout: int(i.limits.Response)})
	}
	select {
	case one := <-i.spares:
		return one, nil
	default:
		return i.module.Instantiate(ctx, wasm.IO{})
	}
}

// makeSpares keeps instances ready, beginning with the first, until the service stops. Where one cannot be made, though the
// first could, calls make their own.
func (i *instance) makeSpares(one *wasm.Instance) {
	defer i.inside.Done()
	for {
		select {
		case i.spares <- one:
		case <-i.stopping:
			_ = one.Close(context.Background())
			return
		}
		var err error
		if one, err = i.module.Instantiate(context.Background(), wasm.IO{}); err != nil {
			return
		}
	}
}

// Health fails only after Stop: whatever happens in a call ends with it.
func (i *instance) Health(ctx context.Context) error {
	select {
	case <-i.stopping:
		return runtime.ErrNotReady
	default:
		return ctx.Err()
	}
}

// Stats says what has happened since the start.
func (i *instance) Stats() runtime.Stats {
	return runtime.Stats{
		Calls: i.calls.Load(), Answers: i.answers.Load(), Running: int(i.running.Load()),
		Slowest: time.Duration(i.slowest.Load()), Fuel: i.fuel.Load(),
	}
}

// Stop waits for the calls that run, those included whose callers are gone.
func (i *instance) Stop(ctx context.Context) error {
	i.mu.Lock()
	select {
	case <-i.stopping:
	default:
		close(i.stopping)
		go i.cleanUp()
	}
	i.mu.Unlock()
	select {
	case <-i.stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop service: %d calls still run: %w", i.running.Load(), ctx.Err())
	}
}

// cleanUp closes the spares once nobody can take or make one.
func (i *instance) cleanUp() {
	i.inside.Wait()
	for len(i.spares) > 0 {
		one := <-i.spares
		_ = one.Close(context.Background())
	}
	close(i.stopped)
}

func outOfTime(ctx context.Context) error {
	return fmt.Errorf("%w: %w", runtime.ErrTimeout, context.Cause(ctx))
}

// raise makes the value at least n.
func raise(value *atomic.Uint64, n uint64) {
	for old := value.Load(); n > old && !value.CompareAndSwap(old, n); old = value.Load() {
	}
}
