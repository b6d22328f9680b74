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
// # Fuel, depth and floats
//
// [Instrument] adds two counters to a module: fuel, a mutable i64 global that starts at [Limits].Fuel, and the stack, a mutable
// i32 global that starts at [Limits].Stack. The rule, version 2:
//
//  1. A function body is cut into segments. One begins where the body begins, one at the head of each loop, and one behind
//     each else and each end but the last. So control enters a segment at its beginning only.
//  2. A segment weighs as much as its instructions, reachable or not, and 1 more at the beginning of a body and at the head of
//     a loop. An instruction weighs 1, but block, loop, else and end weigh 0; call and call_indirect 3; ref.func 128;
//     memory.grow and table.grow 64; memory.init, memory.copy, memory.fill, table.init, table.copy and table.fill 16.
//  3. Whenever control comes to the beginning of a segment, its weight is taken from the fuel.
//  4. Before memory.init, memory.copy and memory.fill, also an eighth of their length operand, rounded down; before
//     table.init, table.copy, table.fill and table.grow, also their length operand, both unsigned.
//  5. A call of a host function takes 128 first, and then what is said below.
//  6. Where the fuel is below zero at the beginning of a body, at the head of a loop, after 4 or during 5, the module traps
//     at once, before the work that it cannot pay for. A run that ends with the fuel below zero has failed as well.
//  7. A function takes slots of the stack: 24; one for each parameter, each local, and each operand where its body has the most
//     of them at once; and one for every 512 of its size and complexity together, as [Caps] counts them. Instructions that are
//     not reached have operands like others, but pop none from below their block. A function is counted if a chain of calls can
//     lead from it to itself; call_indirect calls whatever is of its type and named by an element segment, the initial value
//     of a global, or ref.func. Counted is also a function whose slots, with those of the longest chain of functions not
//     counted that it can call, are more than 2,048: who calls nobody is looked at first. When control enters a counted
//     function, right behind its first charge by 3, the stack loses its slots and those of the longest chain of functions not
//     counted by which it can come to call a counted one; when control leaves it by its end, a branch or a return, they are
//     given back. Where that leaves the stack below zero, the module traps.
//  8. Where the result of an f32 or f64 instruction ceil, floor, trunc, nearest, sqrt, add, sub, mul, div, min or max, of
//     f32.demote_f64 or f64.promote_f32 is a NaN, it is 0x7fc00000 or 0x7ff8000000000000. All other bits of floats follow from
//     the specification.
//
// The start function and _initialize are held to all of it like the rest; data and element segments are free. Memory may grow
// to [Limits].Memory in whole pages and no further, a table to the larger of its minimum and 65,536 entries.
//
// With [VerifierStack] calls take 36,864 slots at most, those included of functions that are not counted, and are 1,536 at most.
// That is some 300 KB in V8, which has a megabyte, and less than 2,000 calls, where the engine's interpreter ends. Its compiler
// does not share what it keeps of a function, up to 500 bytes a slot in the worst case, and has room for 100 MB of it.
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
// # Worlds
//
// What stands below is the world that verdicts and answers come from. Whoever tries a service varies it by [World]: the clock then
// begins later, or moves faster; the generator begins with another s; there are environment variables, which environ_sizes_get
// counts and environ_get writes for an eighth of their bytes, or more memory from the beginning. Nothing else changes.
//
// # Snapshots
//
// An instance can be kept as it is at one moment, and others made of it that go on from there: [Instance.Snapshot]. They have
// its memory, its variables, its clock and its random numbers, and all their fuel; no code of the module runs to make one. On
// linux they share the memory that they do not write to. An instance that has answered a call is brought back by dropping what
// it wrote, [Instance.Reset], unless it failed or its memory grew: then it is thrown away. A module that changes what cannot be
// read and written from outside, its table and its segments, has no snapshots; [Info].Unsaved says so, and why.
//
// # Host functions
//
// env.abort traps. Of wasi_snapshot_preview1 there is one deterministic and empty world, for each instance its own. Numbers
// are errno values of that interface; where a function reads or writes outside the memory it gives 21 (fault). Each function
// takes its fuel before it looks at the memory.
//
//   - No arguments, no environment, no files. args_sizes_get and environ_sizes_get write zeros; they, args_get, environ_get and
//     sched_yield give 0. Descriptors 0, 1 and 2 are character devices; any other gives 8 (badf).
//   - fd_fdstat_get of 0 to 2 writes file type 2, no flags, the right to poll (bit 27) and to read (bit 1, for 0) or to write
//     (bit 6, for 1 and 2), and none to inherit; fd_filestat_get writes file type 2 and otherwise zeros. fd_close and
//     fd_fdstat_set_flags give 0 and change nothing. fd_seek and fd_tell give 70 (spipe).
//   - fd_read of 0 reads the given input, fd_write to 1 is collected, and more than allowed traps; to 2 it is dropped, and so it
//     is to 1 where nobody asks for it, as of a reactor. The number of vectors is taken first, 1 unit each. They are moved one
//     after the other, and before each an eighth of its bytes is taken, rounded down; of fd_read only the bytes that the input
//     still has. At the end their sum is written.
//   - There is one clock, in nanoseconds, at 0 in the beginning and 1970-01-01T00:00:00Z in wall time, under the ids 0 to 3; any
//     other gives 28 (inval). Every clock_time_get first moves it on by 1. clock_res_get writes 1. It stops at 2^63-1.
//   - poll_oneoff takes 10 units for each subscription, and never waits. It gives 28 for none, and where one has a tag over 2.
//     A subscription to a clock is due at its timeout, or that long from now unless its flag 0 is set; one to reading from 0, with
//     as many bytes as the input still has, and one to writing to 1 or 2, are due now, and so are with error 28 a clock of another
//     id and with error 8 another descriptor. Where none is due now the clock moves to the earliest time. Then an event is
//     written for each that is due, in their order, and how many there are.
//   - random_get takes 1 unit a byte. Each byte is a step of a generator that begins with s = 1, all in 64 bits:
//     s += 0x9e3779b97f4a7c15; x = (s xor s>>30) * 0xbf58476d1ce4e5b9; the byte is x>>56.
//   - proc_exit ends the run. proc_raise gives 52 (nosys), and every other function of that interface 8.
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
	ErrStack   = errors.New("calls nest too deep") // an ErrTrap as well
	ErrExit    = errors.New("exited")              // by proc_exit, with a code other than 0 or where no exit was due
)

// Limits bound what one instance may do.
type Limits struct {
	Fuel   uint64 // units of work, at most MaxFuel
	Memory uint64 // bytes, at most MaxMemory; what is over a multiple of PageSize grants nothing
	Stack  int    // slots for calls that nest, at most MaxStack; zero stands for VerifierStack
	// Snapshots has the module show its host all its variables, so that [Instance.Snapshot] can keep them.
	Snapshots bool
}

// The most that can be granted.
const (
	MaxFuel   = 1 << 62
	MaxMemory = 4 << 30
	MaxStack  = ServiceStack
)

// What calls are granted, in slots: a verifier's everywhere alike, a service's where the engine compiles, of what compilers make.
const (
	VerifierStack = 32_768
	ServiceStack  = 1_048_576
)

// PageSize is the unit in which memory grows, in bytes.
const PageSize = 1 << 16

// Info is what a module says of itself.
type Info struct {
	Size    int    // of the module, bytes
	Memory  uint64 // it begins with, bytes
	Imports []Import
	Exports []Export
	// Unsaved is what the module has or does that a snapshot of it could not bring back, and empty where there is nothing of the
	// kind: a mutable variable that holds a reference, a change of its table, a segment that it drops, or a reference to a
	// function that it makes while it runs, of which the engine keeps each until the instance is closed.
	Unsaved string `json:",omitempty"`
	// Variables are the indexes of its mutable globals.
	Variables []int `json:",omitempty"`
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
