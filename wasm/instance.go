package wasm

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"
)

// Module is a compiled module, safe for concurrent use. It is never closed: what nobody holds any more is freed.
type Module struct {
	info    Info
	limits  Limits
	size    int // of the module with its counter
	runtime wazero.Runtime
	code    wazero.CompiledModule
	config  wazero.ModuleConfig // of every instance
}

// Info is what the module says of itself.
func (m *Module) Info() Info { return m.info }

// IO is what a command reads and may write, and the world that an instance sees.
type IO struct {
	Stdin     []byte
	MaxStdout int // bytes; where it is zero, what is written is dropped
	World     World
}

// World is how far the world of an instance is from the pinned one of the package comment, which is the zero value.
type World struct {
	Clock  uint64   // nanoseconds that the clock shows in the beginning
	Tick   uint64   // how much more each clock_time_get moves it on
	Chance uint64   // what is added to the s with which the generator begins
	Memory uint64   // bytes by which the memory is larger before anything runs; what is over a multiple of PageSize adds nothing
	Env    []string // environment variables, NAME=value
}

// Instance is one run of a module: its own memory, clock and random numbers, shared with nobody. It is not safe for
// concurrent use. After an error there is nothing to be done with it but [Instance.Close].
type Instance struct {
	module *Module
	guest  api.Module
	world  *world
	used   uint64 // what was used when it was closed
	peak   uint64 // the size of its memory when it was closed
	exit   uint32 // the code of the last ErrExit
	failed bool   // a call of it has

	snapshot  *Snapshot // that it was made of, or nil
	thawed    thawed    // its memory, where that is of a snapshot
	variables []api.MutableGlobal
}

// Instantiate makes a fresh instance, runs its start function, and calls _initialize where the module exports it, but never
// _start. The caller closes the instance. It fails with [ErrFuel], [ErrTrap] or [ErrExit] where that is how it ended, and
// returns the instance even so, closed, for what it has used; otherwise with the context's error. A context that ends also
// ends a run, within a slice of fuel or one call of a host function; what the run would have come to does not depend on when.
// It fails with [ErrLimits] where the memory must not be as large as World asks.
func (m *Module) Instantiate(ctx context.Context, io IO) (*Instance, error) {
	i := &Instance{module: m, world: io.world()}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("instantiate module: %w", err)
	}
	guest, err := m.runtime.InstantiateModule(ctx, m.code, m.config)
	if err != nil { // a segment beyond its table or memory
		return i, fmt.Errorf("instantiate module: %s: %w", firstLine(err), ErrTrap)
	}
	i.guest = guest
	i.Refuel()
	if more := io.World.Memory / PageSize; more > 0 && !grow(i.memory(), more) {
		return i, errors.Join(fmt.Errorf("instantiate module: its memory cannot grow by %d pages: %w", more, ErrLimits), i.Close(ctx))
	}
	for _, name := range []string{exportStart, "_initialize"} {
		if f := guest.ExportedFunction(name); f != nil {
			if _, err = i.Call(ctx, name); err != nil {
				return i, errors.Join(err, i.Close(ctx))
			}
		}
	}
	return i, nil
}

// memory is that of the module, or nil.
func (i *Instance) memory() api.Memory {
	m := i.guest.Memory()
	if reflect.ValueOf(m).IsNil() { // the engine has a nil of its own
		return nil
	}
	return m
}

// pages is how large the memory is. Its method Size has no room for 4 GiB.
func pages(m api.Memory) uint32 {
	pages, _ := m.Grow(0)
	return pages
}

// grow grows a memory from outside, if there is one.
func grow(m api.Memory, pages uint64) bool {
	if m == nil || pages > MaxMemory/PageSize {
		return false
	}
	_, ok := m.Grow(uint32(pages))
	return ok
}

// Refuel grants the instance its fuel anew, as if it had used none: what was used before is not counted any more. It keeps
// everything else, so it is for instances that have not failed.
func (i *Instance) Refuel() {
	i.world.grant(i.guest.ExportedGlobal(exportFuel).(api.MutableGlobal), i.module.limits.Fuel)
}

// Call calls an exported function. It fails with [ErrRefused] where there is none or it takes other parameters, with
// [ErrFuel], [ErrTrap] or [ErrExit] where that is how it ended, or with the context's error.
func (i *Instance) Call(ctx context.Context, export string, params ...uint64) ([]uint64, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("call %s: %w", export, err)
	}
	if i.guest == nil {
		return nil, fmt.Errorf("call %s: the instance is closed: %w", export, ErrRefused)
	}
	f := i.guest.ExportedFunction(export)
	if f == nil || len(f.Definition().ParamTypes()) != len(params) {
		return nil, fmt.Errorf("call %s with %d parameters: the module exports no such function: %w", export, len(params), ErrRefused)
	}
	results, err := f.Call(context.WithValue(ctx, worldKey{}, i.world), params...)
	if err != nil || i.fuel() < 0 {
		i.failed = true
		return nil, fmt.Errorf("call %s: %w", export, i.ending(err))
	}
	return results, nil
}

// ending says how a run failed.
func (i *Instance) ending(err error) error {
	exit, stop := (*sys.ExitError)(nil), (*stopped)(nil)
	switch {
	case errors.As(err, &stop):
		return stop.cause
	case i.fuel() < 0:
		return fmt.Errorf("%w: %d units are used up", ErrFuel, i.module.limits.Fuel)
	case i.stack() < 0:
		return fmt.Errorf("%w: %w", ErrTrap, ErrStack)
	case errors.As(err, &exit):
		i.exit = exit.ExitCode()
		return fmt.Errorf("%w with code %d", ErrExit, i.exit)
	}
	return fmt.Errorf("%w: %s", ErrTrap, firstLine(err))
}

// firstLine leaves out the engine's stack trace.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimSuffix(strings.TrimPrefix(line, "wasm error: "), " (recovered by wazero)")
}

// Exchange hands the module some bytes and takes others: it calls alloc with their length, writes them where that points,
// calls the export with pointer and length, and copies out what the result points to, pointer in its upper and length in its
// lower half. It fails like [Instance.Call]; a pointer outside the memory, no room, or more output than allowed is [ErrTrap].
func (i *Instance) Exchange(ctx context.Context, export string, input []byte, maxOutput int) ([]byte, error) {
	if err := i.module.info.Exchanges(export); err != nil {
		return nil, err
	}
	at, err := i.Call(ctx, "alloc", uint64(len(input)))
	if err != nil {
		return nil, err
	}
	memory := i.guest.Memory()
	if p := uint32(at[0]); p == 0 || !memory.Write(p, input) {
		return nil, fmt.Errorf("write %d bytes where alloc points, %d: %w: no room", len(input), p, ErrTrap)
	}
	out, err := i.Call(ctx, export, at[0], uint64(len(input)))
	if err != nil {
		return nil, err
	}
	p, n := uint32(out[0]>>32), uint32(out[0])
	if int64(n) > int64(maxOutput) {
		return nil, fmt.Errorf("call %s: %w: answers with %d bytes, at most %d", export, ErrTrap, n, maxOutput)
	}
	b, ok := memory.Read(p, n)
	if !ok {
		return nil, fmt.Errorf("call %s: %w: answers with %d bytes at %d, outside its memory", export, ErrTrap, n, p)
	}
	return append([]byte{}, b...), nil
}

// Run runs a command: it calls _start and returns what that wrote to its standard output. Leaving through proc_exit with code
// 0 is a success like returning. It fails like [Instance.Call].
func (i *Instance) Run(ctx context.Context) ([]byte, error) {
	_, err := i.Call(ctx, "_start")
	if exited := errors.Is(err, ErrExit) && i.exit == 0; err != nil && !exited {
		return nil, err
	}
	return i.world.stdout, nil
}

// MemoryUsed is how large the memory of the instance has grown, in bytes. It is never smaller again.
func (i *Instance) MemoryUsed() uint64 {
	if i.guest != nil {
		i.peak = 0
		if m := i.memory(); m != nil {
			i.peak = uint64(pages(m)) * PageSize
		}
	}
	return i.peak
}

// FuelUsed is what the instance has used since it began, instantiation included, or since it was refuelled; where it ran out,
// all there was.
func (i *Instance) FuelUsed() uint64 {
	if i.guest != nil {
		i.used = i.module.limits.Fuel - uint64(max(i.fuel(), 0))
	}
	return i.used
}

// fuel is what is left of it: below zero where there was not enough.
func (i *Instance) fuel() int64 { return int64(i.world.fuel.Get()) + i.world.left }

// stack is what is left of it: below zero where calls have nested too deep.
func (i *Instance) stack() int { return int(int32(i.guest.ExportedGlobal(exportStack).Get())) }

// Close frees the instance.
func (i *Instance) Close(ctx context.Context) error {
	if i.guest == nil {
		return nil
	}
	i.FuelUsed()
	i.MemoryUsed()
	err := i.guest.Close(ctx)
	i.guest = nil
	if err != nil {
		return fmt.Errorf("close instance: %w", err)
	}
	return nil
}
