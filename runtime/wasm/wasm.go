// Package wasm runs the wasm variant of services (protocol 2.3): a reactor that exports alloc and handle, or a command that
// reads one request from its input and writes one response to its output.
//
// A service is stateless by construction, since every call gets an instance of its own, which is thrown away after it. A reactor
// that exports warm as well has that called first, with fuel of its own: what it does then is not done again for each call. An
// instance is kept as it is after that, and calls get one that was made of this or brought back to it, once it has answered;
// the answers and their fuel are the same as if each instance had called warm itself. That is also what is done, only slower,
// with a module of which no snapshot can be taken, see wasm.Info.Unsaved.
//
// A service sees no clock, no chance, no file, no network and no environment; what it may use of fuel and memory is in its
// manifest. Nothing but Go is needed on the machine. The gate may vary all of that but what a module cannot see anyway: cores, a
// host name, other processes.
package wasm

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"

	"barnraise/image"
	"barnraise/runtime"
	"barnraise/wasm"
)

// Config is what a runtime runs services with. Engine and Images are required.
type Config struct {
	Engine      *wasm.Engine // compiles and caches
	Images      *image.Store // where the images are; nothing is pulled
	Concurrency int          // calls of one service at once; zero means one for each core
	Spares      int          // instances of a reactor beyond that, made ahead so that no call waits for one; zero means 1, less none
	// Memory is how many bytes the instances of one service may have together: there are fewer calls at once and fewer spares
	// where its limit is large. Zero means any number.
	Memory uint64
}

// Runtime is a runtime.Runtime. It holds nothing of its own: what was started is stopped one by one.
type Runtime struct {
	Config
	plain bool // no snapshots: for comparison
}

// New makes a runtime.
func New(c Config) *Runtime {
	if c.Concurrency <= 0 {
		c.Concurrency = goruntime.GOMAXPROCS(0)
	}
	switch {
	case c.Spares == 0:
		c.Spares = 1
	case c.Spares < 0:
		c.Spares = 0
	}
	return &Runtime{Config: c}
}

// room is how many calls of a service with that limit of memory may run at once, and how many instances are made ahead. It fails
// with ErrCannot where there is room for none.
func (r *Runtime) room(memory uint64) (calls, spares int, err error) {
	if r.Memory == 0 {
		return r.Concurrency, r.Spares, nil
	}
	most := r.Memory / memory
	if most == 0 {
		return 0, 0, fmt.Errorf("%w: a call of it may take %d bytes of memory, and here a service has at most %d",
			runtime.ErrCannot, memory, r.Memory)
	}
	calls = int(min(most, uint64(r.Concurrency)))
	return calls, int(min(most-uint64(calls), uint64(r.Spares))), nil
}

// Platforms is wasm, always.
func (r *Runtime) Platforms(context.Context) []string { return []string{image.Wasm} }

// Start compiles the module, unless the engine has it compiled already, makes a first instance of it, and returns.
func (r *Runtime) Start(ctx context.Context, spec runtime.Spec) (runtime.Instance, error) {
	i, err := r.start(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Image, err)
	}
	return i, nil
}

func (r *Runtime) start(ctx context.Context, spec runtime.Spec) (*instance, error) {
	if err := spec.Of(r.Images, image.Wasm); err != nil {
		return nil, err
	}
	if l := spec.Limits; l.Memory == 0 || l.Timeout <= 0 || l.Request == 0 || l.Response == 0 || l.Fuel == 0 {
		return nil, fmt.Errorf("%w: limits are missing: take them from a manifest that was read", runtime.ErrCannot)
	}
	world, err := worldOf(spec.Around)
	if err != nil {
		return nil, err
	}
	binary, err := r.Images.Module(spec.Platform)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", runtime.ErrCannot, err)
	}
	memory := uint64(spec.Limits.Memory) + world.Memory
	i := &instance{limits: spec.Limits, world: world, around: spec.Around}
	if i.most, i.spares, err = r.room(memory); err != nil {
		return nil, err
	}
	limits := wasm.Limits{Fuel: spec.Limits.Fuel, Memory: memory, Stack: wasm.ServiceStack, Snapshots: true}
	module, err := r.Engine.Compile(ctx, binary, wasm.ServiceCaps(), limits)
	if errors.Is(err, wasm.ErrRefused) || errors.Is(err, wasm.ErrLimits) {
		return nil, fmt.Errorf("%w: %w", runtime.ErrCannot, err)
	}
	if err != nil {
		return nil, err
	}
	i.module = module
	if err := i.kind(); err != nil {
		return nil, fmt.Errorf("%w: %w", runtime.ErrCannot, err)
	}
	if err := fits(spec.Around, i.command); err != nil {
		return nil, err
	}
	return r.run(ctx, i)
}

// kind tells commands from reactors, and which of these can be warmed, by what the module exports.
func (i *instance) kind() error {
	info := i.module.Info()
	if _, ok := info.Export("handle"); !ok {
		if _, ok := info.Export("_start"); !ok {
			return errors.New("its module exports neither handle, as a reactor does, nor _start, as a command does")
		}
		i.command = true
		return info.Require("_start", "() -> ()")
	}
	if _, i.warm = info.Export("warm"); i.warm {
		return errors.Join(info.Exchanges("handle"), info.Require("warm", "() -> ()"))
	}
	return info.Exchanges("handle")
}

// run makes the first instance, by which it shows that there can be one, and keeps it, or a snapshot of it.
func (r *Runtime) run(ctx context.Context, i *instance) (*instance, error) {
	first, err := i.begin(ctx)
	switch {
	case errors.Is(err, wasm.ErrLimits):
		return nil, fmt.Errorf("%w: %w", runtime.ErrCannot, err)
	case err != nil && ctx.Err() == nil:
		return nil, fmt.Errorf("%w: %w", runtime.ErrBroke, err)
	case err != nil:
		return nil, err
	}
	i.turns = runtime.NewTurns(i.most)
	if i.command {
		return i, first.Close(ctx)
	}
	if err := r.stock(i, first); err != nil {
		return nil, errors.Join(err, first.Close(ctx))
	}
	return i, nil
}

// stock gives the service its pool, and puts the first instance to use.
func (r *Runtime) stock(i *instance, first *wasm.Instance) error {
	i.pool = newPool(i.most+i.spares, i.spares)
	i.pool.make = i.begin
	switch {
	case i.around.Reused:
		i.turns, i.pool = runtime.NewTurns(1), newPool(1, 1)
		i.pool.make, i.pool.recycle = i.begin, refuel
	case i.warm && i.module.Info().Unsaved == "" && !r.plain:
		s, err := first.Snapshot()
		if err != nil {
			return err
		}
		i.snapshot, i.pool.make, i.pool.recycle = s, s.Instance, (*wasm.Instance).Reset
	}
	i.pool.room <- struct{}{}
	if i.snapshot != nil || i.pool.ahead == 0 {
		i.pool.give(first, runtime.ErrNotReady) // which is not one of the snapshot
	} else {
		i.pool.ready <- first
	}
	i.turns.Go(func() { i.pool.fill(i.turns.Stopping()) })
	return nil
}

func refuel(one *wasm.Instance) error {
	one.Refuel()
	return nil
}
