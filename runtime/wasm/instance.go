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
	around  runtime.Surroundings
	world   wasm.World // what is seen of them

	slots  chan struct{}       // as many as calls may run at once
	spares chan *wasm.Instance // nil where none are made
	kept   *wasm.Instance      // that answers all calls, where it is reused; belongs to whoever has the slot

	mu       sync.Mutex     // guards the order of inside.Add and inside.Wait
	inside   sync.WaitGroup // calls, also those whose callers are gone, and the goroutine that makes spares
	stopping chan struct{}  // closed by the first Stop
	stopped  chan struct{}  // closed when nobody is inside any more

	calls, answers, fuel, slowest, memory, cpu atomic.Uint64
	running                                    atomic.Int64
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
	response, err := i.exchange(ctx, id, request)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, outOfTime(ctx)
	case errors.Is(err, wasm.ErrFuel):
		return nil, fmt.Errorf("%w: %w", runtime.ErrFuel, err)
	case err != nil && !errors.Is(err, runtime.ErrBroke):
		return nil, fmt.Errorf("%w: %w", runtime.ErrBroke, err)
	}
	return response, err
}

// exchange hands the request to an instance that nobody had before and nobody will have after it, unless it is to be reused.
func (i *instance) exchange(ctx context.Context, id, request []byte) (response []byte, err error) {
	begun := time.Now()
	one, err := i.take(ctx, request)
	defer func() {
		i.give(one, err)
		i.cpu.Add(uint64(time.Since(begun)))
	}()
	if err != nil {
		return nil, err
	}
	if response, err = i.hand(ctx, one, request); err != nil {
		return nil, err
	}
	return response, runtime.CheckResponse(i.limits, id, response)
}

// hand hands the request to that instance.
func (i *instance) hand(ctx context.Context, one *wasm.Instance, request []byte) ([]byte, error) {
	if i.command {
		return one.Run(ctx)
	}
	if err := shift(ctx, one, i.around); err != nil {
		return nil, err
	}
	return one.Exchange(ctx, "handle", request, int(i.limits.Response))
}

// take returns the instance that is reused or a spare one, or else a new one.
func (i *instance) take(ctx context.Context, request []byte) (*wasm.Instance, error) {
	if i.command {
		return i.prepare(ctx, wasm.IO{Stdin: request, MaxStdout: int(i.limits.Response), World: i.world})
	}
	if one := i.kept; one != nil {
		i.kept = nil
		one.Refuel()
		return one, nil
	}
	select {
	case one := <-i.spares:
		return one, nil
	default:
		return i.prepare(ctx, wasm.IO{World: i.world})
	}
}

// prepare makes an instance. It fails like [wasm.Module.Instantiate].
func (i *instance) prepare(ctx context.Context, io wasm.IO) (*wasm.Instance, error) {
	one, err := i.module.Instantiate(ctx, io)
	if err == nil {
		err = shift(ctx, one, i.around)
	}
	return one, err
}

// give takes an instance back from a call that ended with the error; where there never was one, it is nil.
func (i *instance) give(one *wasm.Instance, err error) {
	if one == nil {
		return
	}
	raise(&i.fuel, one.FuelUsed())
	raise(&i.memory, one.MemoryUsed())
	if err == nil && i.around.Reused {
		i.kept = one
		return
	}
	_ = one.Close(context.Background())
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
		if one, err = i.prepare(context.Background(), wasm.IO{World: i.world}); err != nil {
			_ = one.Close(context.Background())
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
		CPU: time.Duration(i.cpu.Load()), Memory: manifest.Bytes(i.memory.Load()),
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
	if i.kept != nil {
		_ = i.kept.Close(context.Background())
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
