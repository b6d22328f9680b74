package wasm

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
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
	warm    bool // a reactor that exports it
	limits  manifest.Limits
	around  runtime.Surroundings
	world   wasm.World // what is seen of them
	most    int        // calls at once
	spares  int        // instances made ahead

	turns    *runtime.Turns // of calls, also those whose callers are gone, and of whoever makes instances ready
	pool     *pool          // nil for a command, whose request is part of its instance
	snapshot *wasm.Snapshot // that instances are made of, or nil

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
	if err := i.turns.Enter(ctx); err != nil {
		return nil, err
	}
	i.calls.Add(1)
	i.running.Add(1)
	type outcome struct {
		response []byte
		err      error
	}
	done := make(chan outcome, 1)
	request, id = append([]byte{}, request...), append([]byte{}, id...) // the caller's bytes are its own again when it is gone
	go func() {
		defer i.turns.Done()
		one, response, err := i.answer(ctx, id, request)
		i.running.Add(-1)
		i.turns.Leave()
		done <- outcome{response, err}
		goruntime.Gosched() // nobody is to wait for what comes now
		i.after(one, err)
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
		return nil, runtime.OutOfTime(ctx)
	}
}

// answer runs one call to its end, and returns the instance that it had, if it had one.
func (i *instance) answer(ctx context.Context, id, request []byte) (*wasm.Instance, []byte, error) {
	defer i.spend(time.Now())
	one, response, err := i.exchange(ctx, id, request)
	if one != nil {
		raise(&i.fuel, one.FuelUsed())
		raise(&i.memory, one.MemoryUsed())
	}
	switch {
	case err != nil && ctx.Err() != nil:
		err = runtime.OutOfTime(ctx)
	case errors.Is(err, wasm.ErrFuel):
		err = fmt.Errorf("%w: %w", runtime.ErrFuel, err)
	case err != nil && !errors.Is(err, runtime.ErrBroke):
		err = fmt.Errorf("%w: %w", runtime.ErrBroke, err)
	}
	if err != nil {
		response = nil
	}
	return one, response, err
}

// spend counts the time since then.
func (i *instance) spend(since time.Time) { i.cpu.Add(uint64(time.Since(since))) }

// exchange hands the request to an instance as it is after its start, unless one is to be reused.
func (i *instance) exchange(ctx context.Context, id, request []byte) (*wasm.Instance, []byte, error) {
	one, err := i.take(ctx, request)
	if err != nil {
		return one, nil, err
	}
	response, err := i.hand(ctx, one, request)
	if err != nil {
		return one, nil, err
	}
	return one, response, runtime.CheckResponse(i.limits, id, response)
}

func (i *instance) take(ctx context.Context, request []byte) (*wasm.Instance, error) {
	if i.command {
		return i.module.Instantiate(ctx, wasm.IO{Stdin: request, MaxStdout: int(i.limits.Response), World: i.world})
	}
	return i.pool.take(ctx)
}

// begin makes an instance that is ready for a call of a reactor. It fails like the module's calls, and returns the instance even
// so, closed, if there was one.
func (i *instance) begin(ctx context.Context) (*wasm.Instance, error) {
	one, err := i.module.Instantiate(ctx, wasm.IO{World: i.world})
	if err != nil {
		return one, err
	}
	if err = shift(ctx, one, i.around); err == nil && i.warm {
		one.Refuel()
		if _, err = one.Call(ctx, "warm"); err == nil {
			one.Refuel()
		}
	}
	if err != nil {
		return one, errors.Join(err, one.Close(ctx))
	}
	return one, nil
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

// after is what is left to do when a call has ended with the error: the instance that it had is made ready for the next call,
// or another in its place.
func (i *instance) after(one *wasm.Instance, err error) {
	switch {
	case one == nil:
	case i.pool == nil:
		_ = one.Close(context.Background())
	default:
		defer i.spend(time.Now())
		i.pool.give(one, err)
		i.pool.fill(i.turns.Stopping())
	}
}

// Health fails only after Stop: whatever happens in a call ends with it.
func (i *instance) Health(ctx context.Context) error {
	if i.turns.Stopped() {
		return runtime.ErrNotReady
	}
	return ctx.Err()
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
	if err := i.turns.Stop(ctx, i.cleanUp); err != nil {
		return fmt.Errorf("stop service: %d calls still run: %w", i.running.Load(), err)
	}
	return nil
}

// cleanUp closes what is ready once nobody can take or make one.
func (i *instance) cleanUp() {
	if i.pool != nil {
		i.pool.drain()
	}
	if i.snapshot != nil {
		_ = i.snapshot.Close()
	}
}

// raise makes the value at least n.
func raise(value *atomic.Uint64, n uint64) {
	for old := value.Load(); n > old && !value.CompareAndSwap(old, n); old = value.Load() {
	}
}
