package wasm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// exportGlobal begins the names under which a module shows its mutable globals, see [Limits]; their index follows.
const exportGlobal = "barnraise_global_"

// Snapshot is an instance as it was at one moment. It is safe for concurrent use.
type Snapshot struct {
	module  *Module
	memory  frozen // nil where the module has none
	pages   uint32
	max     uint64 // bytes to which the memory may grow
	globals []uint64
	world   world
}

// errSpent is why there is no bringing back an instance.
var errSpent = errors.New("the instance has failed, is closed, or its memory has grown")

// Snapshot keeps the instance as it is, all but its fuel: memory, globals, clock, random numbers. The caller closes the
// snapshot; the instance goes on. It fails with [ErrRefused] where the module was compiled without [Limits].Snapshots, where
// a snapshot of it would not be all there is, which [Info].Unsaved says, or where a call of it has failed. Another error is
// the machine's.
func (i *Instance) Snapshot() (*Snapshot, error) {
	var err error
	switch {
	case !i.module.limits.Snapshots:
		err = errors.New("its variables are not shown")
	case i.module.info.Unsaved != "":
		err = errors.New(i.module.info.Unsaved)
	case i.failed || i.guest == nil:
		err = errSpent
	}
	if err != nil {
		return nil, fmt.Errorf("take snapshot: %w: %w", err, ErrRefused)
	}
	s := &Snapshot{module: i.module, world: *i.world}
	s.world.stdout = slices.Clip(s.world.stdout)
	for _, g := range i.globals() {
		s.globals = append(s.globals, g.Get())
	}
	if i.memory() == nil {
		return s, nil
	}
	most, _ := i.memory().Definition().Max()
	s.pages, s.max = pages(i.memory()), uint64(most)*PageSize
	if s.memory, err = freeze(content(i.memory())); err != nil {
		return nil, fmt.Errorf("take snapshot: %w", err)
	}
	return s, nil
}

// globals are the mutable ones of a module that shows them, and the counter of the stack.
func (i *Instance) globals() []api.MutableGlobal {
	found := []api.MutableGlobal{i.guest.ExportedGlobal(exportStack).(api.MutableGlobal)}
	for _, n := range i.module.info.Variables {
		found = append(found, i.guest.ExportedGlobal(exportGlobal+strconv.Itoa(n)).(api.MutableGlobal))
	}
	return found
}

// Instance makes an instance that goes on from the snapshot, with all its fuel. Nothing of the module runs. The caller closes
// the instance, before or after the snapshot. It fails where the machine has no memory for it.
func (s *Snapshot) Instance(ctx context.Context) (*Instance, error) {
	i := &Instance{module: s.module, world: &world{}, snapshot: s}
	if s.memory != nil {
		m, err := s.memory.thaw(s.max)
		if err != nil {
			return nil, fmt.Errorf("make instance of snapshot: %w", err)
		}
		i.thawed = m
		ctx = experimental.WithMemoryAllocator(ctx, handOver(m))
	}
	guest, err := s.module.runtime.InstantiateModule(context.WithoutCancel(ctx), s.module.code, s.module.config)
	if err != nil {
		if i.thawed != nil {
			i.thawed.Free()
		}
		return nil, fmt.Errorf("make instance of snapshot: %s", firstLine(err))
	}
	i.guest = guest
	i.variables = i.globals()
	if m := i.memory(); m != nil && s.pages > pages(m) {
		m.Grow(s.pages - pages(m)) // which cannot fail: there was a memory of that size under the same limits
	}
	if err := i.Reset(); err != nil {
		return nil, errors.Join(err, i.Close(ctx))
	}
	return i, nil
}

// handOver has the engine take that memory.
func handOver(m thawed) experimental.MemoryAllocator {
	return experimental.MemoryAllocatorFunc(func(_, _ uint64) experimental.LinearMemory { return m })
}

// Reset brings an instance that was made of a snapshot back to it, with all its fuel. It fails where that cannot be: a call
// has failed, the memory has grown, which cannot shrink, or the instance is closed. Then another has to be made.
func (i *Instance) Reset() error {
	s := i.snapshot
	if s == nil || i.failed || i.guest == nil || i.memory() != nil && pages(i.memory()) != s.pages {
		return fmt.Errorf("reset instance: %w", errSpent)
	}
	if i.thawed != nil {
		if err := i.thawed.reset(); err != nil {
			return fmt.Errorf("reset instance: %w", err)
		}
	}
	for n, g := range i.variables {
		g.Set(s.globals[n])
	}
	*i.world = s.world
	i.Refuel()
	return nil
}

// Close frees the snapshot, once the instances that were made of it are closed as well.
func (s *Snapshot) Close() error {
	if s.memory == nil {
		return nil
	}
	if err := s.memory.close(); err != nil {
		return fmt.Errorf("close snapshot: %w", err)
	}
	return nil
}
