package wasm

import (
	"fmt"
	"math"
)

// Caps bound a module before anything is compiled (protocol 5.6). Each is the highest value taken. Segments for the table
// hold together no more entries than the table may have.
type Caps struct {
	Size int // of the module, bytes
	// Code bounds the size of all functions together, Body that of each. It is in bytes, those of the body behind its length, and
	// what takes a compiler longer than bytes as a rule counts like more of them: each parameter and local, each value that a
	// call passes or returns, and each that a block with a type of an index takes or leaves, like one; an arithmetic
	// instruction on floats (sentence 8) like 4 more than it has, call_indirect and a conversion that can trap like 8 more, an
	// instruction on a range of memory or table like 16 more. So a byte takes about 4 microseconds and a kilobyte at most.
	Code, Body   int
	Types        int
	Values       int // parameters and results of one type together
	Imports      int
	Exports      int
	Functions    int
	Globals      int
	Elements     int   // segments
	Data         int   // segments
	TableEntries int   // the table begins with
	Locals       int   // of one function, its parameters included
	Complexity   int64 // of one function: branch points times (locals + 32), both as Work counts them
	// Work bounds the sum, over all functions, of their complexity squared, for that is how long a compiler's dealings with
	// variables and branches take in the worst case: around 2.5e-11 seconds each. A block, if, else, br, br_if, return or target
	// of a br_table, the default included, is one branch point; a loop is four, and so is memory.init, memory.copy,
	// memory.fill, table.init, table.copy, table.fill or table.grow, which the compiler makes a loop of. The most values that
	// one of its blocks with a type of an index takes and leaves count as locals, or a function's results if it has
	// several and they are more.
	Work int64
	// Abort and WASI let a module import env.abort and the pinned wasi_snapshot_preview1. No other import is ever taken.
	Abort bool
	WASI  bool
}

// VerifierCaps are those of a verifier of the usual size, 256 KiB at most. What they let through compiles within a second or two.
func VerifierCaps() Caps { return VerifierCapsFor(verifierSize) }

const verifierSize = 256 << 10

// VerifierCapsFor are those of a verifier of at most so many bytes: so many its code may count like. With every byte beyond
// 256 KiB the compiler's work may grow, and so may the number of data segments, of which Go's linker makes one in 84 bytes. The
// rest is the same for all. What they let through of 8 MiB compiles within a minute, as a rule in seconds.
func VerifierCapsFor(size int) Caps {
	return Caps{
		Size: size, Code: size, Body: 128 << 10, Types: 1000, Values: 32, Imports: 100, Exports: 1000,
		Functions: 10_000, Globals: 1000, Elements: 1000, Data: max(5000, size/64), TableEntries: 1 << 16, Locals: 500,
		Complexity: 150_000, Work: 5e10 + 5e4*max(0, int64(size)-verifierSize), Abort: true, WASI: true,
	}
}

// ServiceCaps are those of a service: a Go program of 16 MiB of code with what it embeds. What they let through compiles
// within a minute or so, as a rule in a second for every 3 MiB of code; for the time of its validation each byte of code takes
// about 40 of memory.
func ServiceCaps() Caps {
	return Caps{
		Size: 64 << 20, Code: 16 << 20, Body: 1 << 20, Types: 10_000, Values: 100, Imports: 1000, Exports: 10_000,
		Functions: 100_000, Globals: 10_000, Elements: 10_000, Data: 100_000, TableEntries: 1 << 18, Locals: 2000,
		Complexity: 500_000, Work: 2e12, Abort: true, WASI: true,
	}
}

// uncapped is for modules that have passed Check.
func uncapped() Caps {
	const n = math.MaxInt32
	return Caps{n, n, n, n, n, n, n, n, n, n, n, n, n, math.MaxInt64, math.MaxInt64, true, true}
}

// Check takes a module apart and says what it wants and offers. It runs and compiles nothing, takes time and memory in
// proportion to the module, and does not find every mistake that makes a module invalid: that is for [Engine.Compile]. It
// fails with [ErrRefused].
func Check(module []byte, caps Caps) (Info, error) {
	l, err := checked(module, caps)
	if err != nil {
		return Info{}, err
	}
	return l.info(len(module)), nil
}

// checked takes a module apart that passes Check.
func checked(module []byte, caps Caps) (*layout, error) {
	l, err := parse(module, caps)
	if err == nil {
		err = l.checkImports(caps)
	}
	if err == nil {
		err = l.checkCode(caps)
	}
	if err != nil {
		return nil, fmt.Errorf("check module: %w: %w", err, ErrRefused)
	}
	return l, nil
}

func (l *layout) info(size int) Info {
	info := Info{Size: size, Imports: l.imports, Exports: l.exports, Unsaved: l.unsaved, Variables: l.variables}
	if len(l.memories) > 0 {
		info.Memory = uint64(l.memories[0].min) * PageSize
	}
	return info
}

func (l *layout) checkImports(caps Caps) error {
	for _, i := range l.imports {
		allowed := i.Module == envModule && caps.Abort || i.Module == wasiModule && caps.WASI
		want, ok := hostType(i.Module, i.Name)
		switch {
		case !allowed || !ok:
			return fmt.Errorf("imports %s.%s, which the host does not give", i.Module, i.Name)
		case i.Type != want:
			return fmt.Errorf("imports %s.%s as %s, which is %s", i.Module, i.Name, i.Type, want)
		case i.Module == wasiModule && len(l.memories) == 0:
			return fmt.Errorf("imports %s.%s, but has no memory", i.Module, i.Name)
		}
	}
	return nil
}

func (l *layout) checkCode(caps Caps) error {
	code, work := int64(0), int64(0)
	for i := range l.bodies {
		f, err := l.scan(i)
		complexity := f.complexity()
		code += f.size
		switch {
		case err != nil:
		case f.size > int64(caps.Body):
			err = fmt.Errorf("counts like %d bytes with its locals and what it passes to calls, at most %d", f.size, caps.Body)
		case f.locals > caps.Locals:
			err = fmt.Errorf("%d locals, at most %d", f.locals, caps.Locals)
		case complexity > caps.Complexity:
			err = fmt.Errorf("complexity %d, at most %d: %d branch points with %d locals",
				complexity, caps.Complexity, f.points, f.locals)
		case complexity*complexity > caps.Work-work:
			err = fmt.Errorf("all functions up to this one together are more than the compiler is given")
		case code > int64(caps.Code):
			err = fmt.Errorf("all functions up to this one together count like %d bytes, at most %d", code, caps.Code)
		}
		if err != nil {
			return l.inFunction(i, err)
		}
		work += complexity * complexity
	}
	return nil
}

// signature is the type of a call, or of a block that names one, and empty for other instructions.
func (l *layout) signature(op instruction, r *reader) funcType {
	typ := op.index
	switch {
	case op.op == opCall && int64(op.index) < int64(len(l.functions)):
		typ = l.functions[op.index]
	case op.op == opCall:
		r.fail("call of function %d of %d", op.index, len(l.functions))
		return funcType{}
	case op.op != opCallIndirect && !op.typed:
		return funcType{}
	}
	if int64(typ) >= int64(len(l.types)) {
		r.fail("block or call of type %d of %d", typ, len(l.types))
		return funcType{}
	}
	return l.types[typ]
}

// extra is how many bytes more than it has the instruction counts like, see Caps.
func (i instruction) extra() int {
	switch {
	case i.op == opCallIndirect, i.op >= opTruncI32 && i.op < opTruncI32+4, i.op >= opTruncI64 && i.op < opTruncI64+4:
		return 8
	case i.op == opPrefix:
		if _, ok := i.bulk(); ok {
			return 16
		}
	}
	if _, ok := i.float(); ok {
		return 4
	}
	return 0
}

// points are how many branch points the instruction makes, see Caps.
func (i instruction) points() int {
	switch i.op {
	case opBlock, opIf, opElse, opBr, opBrIf, opReturn:
		return 1
	case opBrTable:
		return i.targets
	case opLoop:
		return 4
	case opPrefix:
		if _, ok := i.bulk(); ok {
			return 4
		}
	}
	return 0
}
