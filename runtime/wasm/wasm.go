// Package wasm runs the wasm variant of services (protocol 2.3): a reactor that exports alloc and handle, or a command that
// reads one request from its input and writes one response to its output.
//
// A service is stateless by construction, since every call gets an instance of its own, which is thrown away after it. It
// sees no clock, no chance, no file, no network and no environment; what it may use of fuel and memory is in its manifest.
// Nothing but Go is needed on the machine. The gate may vary all of that but what a module cannot see anyway: cores, a host
// name, other processes.
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
	Spares      int          // instances of a reactor made ahead, so that a call need not wait for one; zero means 1, less none
}

// Runtime is a runtime.Runtime. It holds nothing of its own: what was started is stopped one by one.
type Runtime struct{ Config }

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
	return &Runtime{c}
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
	if l := spec.Limits; l.Memory == 0 || l.Timeout <= 0 || l.Request == 0 || l.Response == 0 || l.Fuel == 0 {
		return nil, fmt.Errorf("%w: limits are missing: take them from a manifest that was read", runtime.ErrCannot)
	}
	world, err := worldOf(spec.Around)
	if err != nil {
		return nil, err
	}
	v, err := r.Images.Variant(spec.Image, image.Wasm)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", runtime.ErrCannot, err)
	}
	if v.Manifest != spec.Platform {
		return nil, fmt.Errorf("%w: its %s variant is %s, not %s", runtime.ErrCannot, image.Wasm, v.Manifest, spec.Platform)
	}
	binary, err := r.Images.Module(v.Manifest)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", runtime.ErrCannot, err)
	}
	memory := uint64(spec.Limits.Memory) + world.Memory
	limits := wasm.Limits{Fuel: spec.Limits.Fuel, Memory: memory, Stack: wasm.ServiceStack}
	module, err := r.Engine.Compile(ctx, binary, wasm.ServiceCaps(), limits)
	if errors.Is(err, wasm.ErrRefused) || errors.Is(err, wasm.ErrLimits) {
		return nil, fmt.Errorf("%w: %w", runtime.ErrCannot, err)
	}
	if err != nil {
		return nil, err
	}
	command, err := kind(module.Info())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", runtime.ErrCannot, err)
	}
	if err := fits(spec.Around, command); err != nil {
		return nil, err
	}
	return r.run(ctx, &instance{module: module, command: command, limits: spec.Limits, world: world, around: spec.Around})
}

// kind tells commands from reactors by what the module exports.
func kind(info wasm.Info) (command bool, err error) {
	if _, ok := info.Export("handle"); ok {
		return false, info.Exchanges("handle")
	}
	if _, ok := info.Export("_start"); ok {
		return true, info.Require("_start", "() -> ()")
	}
	return false, errors.New("its module exports neither handle, as a reactor does, nor _start, as a command does")
}

// run makes the first instance, by which it shows that there can be one, and keeps it as the first spare.
func (r *Runtime) run(ctx context.Context, i *instance) (*instance, error) {
	first, err := i.prepare(ctx, wasm.IO{World: i.world})
	switch {
	case errors.Is(err, wasm.ErrLimits):
		return nil, fmt.Errorf("%w: %w", runtime.ErrCannot, err)
	case err != nil && ctx.Err() == nil:
		return nil, fmt.Errorf("%w: %w", runtime.ErrBroke, err)
	case err != nil:
		return nil, err
	}
	i.slots = make(chan struct{}, r.Concurrency)
	i.stopping, i.stopped = make(chan struct{}), make(chan struct{})
	if i.around.Reused {
		i.slots, i.kept = make(chan struct{}, 1), first
		return i, nil
	}
	if i.command || r.Spares == 0 { // a command's input is part of its instance
		return i, first.Close(ctx)
	}
	i.spares = make(chan *wasm.Instance, r.Spares-1) // one more waits in the hands of the goroutine that makes them
	i.inside.Add(1)
	go i.makeSpares(first)
	return i, nil
}
