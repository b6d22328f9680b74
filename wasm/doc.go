// Package wasm runs WebAssembly modules of strangers so that the same bytes do the same work with the same result on every
// machine, and no module costs more than it was granted (protocol 5.6, 5.7). Verifiers and services share it.
//
// # Caps
//
// Compiling and instantiating can be attacked before any fuel burns: eleven kilobytes keep a compiler busy for a quarter of
// an hour, seventeen bytes take a gigabyte. So [Check] takes a module apart with a parser of its own, holds every count
// against [Caps], and refuses what the house does not take: vector instructions, threads, exceptions, tail calls, 64-bit or
// second memories, second tables, imports other than the functions below. What it lets through is WebAssembly 2.0 without
// vectors.
//
// # Fuel
//
// [Instrument] adds a counter to a module, a mutable i64 global that starts at [Limits].Fuel. The rule, version 1:
//
//  1. A function body is cut into segments. One begins where the body begins, one at the head of each loop, and one behind
//     each else and each end but the last. So control enters a segment at its beginning only.
//  2. A segment weighs as much as its instructions, reachable or not, and 1 more at the beginning of a body and at the head of
//     a loop. An instruction weighs 1, but block, loop, else and end weigh 0; call and call_indirect 3; ref.func 128;
//     memory.grow and table.grow 64; memory.init, memory.copy, memory.fill, table.init, table.copy and table.fill 16.
//  3. Whenever control comes to the beginning of a segment, its weight is taken from the counter.
//  4. Before memory.init, memory.copy and memory.fill, also an eighth of their length operand, rounded down; before
//     table.init, table.copy, table.fill and table.grow, also their length operand, both unsigned.
//  5. A call of a host function takes 128 first, and then what is said below.
//  6. Where the counter is below zero at the beginning of a body, at the head of a loop, after 4 or during 5, the module traps
//     at once, before the work that it cannot pay for. A run that ends with the counter below zero has failed as well.
//
// The start function and _initialize are paid for like the rest; data and element segments are free. Memory may grow to
// [Limits].Memory in whole pages and no further, a table to the larger of its minimum and 65,536 entries. How deep calls may
// nest is not counted yet; where it traps is up to the engine.
//
// Compilers' code takes about 0.1 ns a unit. The worst instructions take 2, and the worst program, which follows pointers
// through 16 MiB in no order, 30: what the memory takes to answer nobody can count. Every function is charged for what it runs,
// not for its size: code that Go's compiler makes is one loop around a table of branches, and a price for each loop as a whole
// would charge it five times as much as C.
//
// Machine code cannot be interrupted, and a process that collects garbage waits for it. So a run is granted its fuel by the
// slice: where the counter falls below zero it calls a function that was added to the module, in which the host refills the
// counter from what is left, or ends the run because nobody waits for it any more. The sum is what counts, so a host that
// grants all at once, and for which that function is just the trap, gets the same.
//
// # Host functions
//
// env.abort traps. Of wasi_snapshot_preview1 there is one deterministic and empty world, for each instance its own. Numbers
// are errno values of that interface; a pointer outside the memory gives 21 (fault).
//
//   - No arguments, no environment, no files. Descriptors 0, 1 and 2 are character devices; any other gives 8 (badf).
//   - fd_read of 0 reads the given input, fd_write to 1 is collected, and more than allowed traps; to 2 it is dropped, and so it
//     is to 1 where nobody asks for it, as of a reactor. The number of vectors is taken first, 1 unit each. They are moved one
//     after the other, and before each an eighth of its bytes is taken, rounded down; of fd_read only the bytes that the input
//     still has.
//   - There is one clock, in nanoseconds, at 0 in the beginning and 1970-01-01T00:00:00Z in wall time. Every reading of any
//     clock first moves it on by 1. poll_oneoff takes 10 units for each subscription; where no descriptor is ready it moves
//     the clock to the earliest deadline and never waits.
//   - random_get takes 1 unit a byte. Each byte is a step of a generator that begins with s = 1, all in 64 bits:
//     s += 0x9e3779b97f4a7c15; x = (s xor s>>30) * 0xbf58476d1ce4e5b9; the byte is x>>56.
//   - proc_exit ends the run. proc_raise gives 52 (nosys). fd_seek and fd_tell of 0 to 2 give 70 (spipe), and what else is
//     asked of a descriptor gives 8.
package wasm

import (
	"errors"
	"fmt"
)

// Errors to branch on. Whatever goes wrong with a module or its run is one of them; anything else is the context's error.
var (
	ErrRefused = errors.New("module refused") // beyond the caps, invalid, or asking for what the house does not give
	ErrLimits  = errors.New("more than can be granted")
	ErrFuel    = errors.New("out of fuel")
	ErrTrap    = errors.New("trapped")
	ErrExit    = errors.New("exited") // by proc_exit, with a code other than 0 or where no exit was due
)

// Limits bound what one instance may do.
type Limits struct {
	Fuel   uint64 // units of work, at most MaxFuel
	Memory uint64 // bytes, at most MaxMemory; what is over a multiple of PageSize grants nothing
}

// The most that can be granted.
const (
	MaxFuel   = 1 << 62
	MaxMemory = 4 << 30
)

// PageSize is the unit in which memory grows, in bytes.
const PageSize = 1 << 16

// Info is what a module says of itself.
type Info struct {
	Size    int    // of the module, bytes
	Memory  uint64 // it begins with, bytes
	Imports []Import
	Exports []Export
}

// Import is a function that a module wants from its host.
type Import struct {
	Module, Name string
	Type         FuncType
}

// Export is something that a module shows its host.
type Export struct {
	Name string
	Kind Kind
	Type FuncType // of a function
}

// Kind is what an export is.
type Kind string

// The kinds of exports.
const (
	KindFunc   Kind = "func"
	KindTable  Kind = "table"
	KindMemory Kind = "memory"
	KindGlobal Kind = "global"
)

// FuncType is the type of a function, written like "(i32, i32) -> (i64)".
type FuncType string

// Export finds an export by its name.
func (i Info) Export(name string) (Export, bool) {
	for _, e := range i.Exports {
		if e.Name == name {
			return e, true
		}
	}
	return Export{}, false
}

// Require returns nil where the module exports that function with that type, and otherwise says which is missing. It fails
// with [ErrRefused].
func (i Info) Require(name string, t FuncType) error {
	e, ok := i.Export(name)
	switch {
	case !ok:
		return fmt.Errorf("find export %q of type %s: there is none: %w", name, t, ErrRefused)
	case e.Kind != KindFunc:
		return fmt.Errorf("find export %q of type %s: it is a %s: %w", name, t, e.Kind, ErrRefused)
	case e.Type != t:
		return fmt.Errorf("find export %q of type %s: it has type %s: %w", name, t, e.Type, ErrRefused)
	}
	return nil
}

// Exchanges returns nil where [Instance.Exchange] can call that export, and otherwise says everything that is missing: an
// exported memory, alloc, the export itself. It fails with [ErrRefused].
func (i Info) Exchanges(export string) error {
	var missing error
	if e, _ := i.Export("memory"); e.Kind != KindMemory {
		missing = fmt.Errorf("find exported memory: there is none: %w", ErrRefused)
	}
	return errors.Join(missing, i.Require("alloc", "(i32) -> (i32)"), i.Require(export, "(i32, i32) -> (i64)"))
}
