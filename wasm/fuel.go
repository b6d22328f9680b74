package wasm

import (
	"fmt"
	"math"
)

// Names of exports that begin with reserved belong to the host.
const (
	reserved    = "barnraise_"
	exportFuel  = "barnraise_fuel"  // the counter
	exportStart = "barnraise_start" // the start function, so that the host calls it once it can read the counter
	exportYield = "barnraise_yield" // what a test calls where the counter is below zero; it traps if that is still so
)

// ruleVersion is the version of the fuel rule in the package comment; with it changes whatever has been instrumented.
const ruleVersion = 1

// maxTable is how far any table may grow, in entries.
const maxTable = 1 << 16

// body is what one function body says to caps and fuel.
type body struct {
	locals   int   // parameters and declared locals
	code     int   // where the instructions begin
	size     int64 // bytes and what counts like them, see Caps
	points   int   // branch points
	wide     int   // most values that one of its blocks takes and leaves, or that it returns if more than one
	segments []segment
	bulks    []bulk
}

// segment is a run of instructions that control enters at its beginning only.
type segment struct {
	at     int
	weight int64
	test   bool // a function's entry or a loop's head, one of which every long run must pass
}

// bulk is an instruction whose work grows with the operand on top of the stack: the charge is that, shifted right.
type bulk struct {
	at    int
	shift byte
}

// scan reads a function body whole: locals, then instructions to the last end.
func (l *layout) scan(i int) (body, error) {
	r := &reader{b: l.bodies[i]}
	typ := l.types[l.functions[len(l.imports)+i]]
	f := body{locals: typ.params + r.locals(), code: r.pos}
	f.size = int64(len(r.b) + f.locals)
	if results := typ.values - typ.params; results > 1 {
		f.wide = results
	}
	here := segment{at: r.pos, weight: 1, test: true}
	for open := 1; open > 0 && r.err == nil; {
		at := r.pos
		op := r.instruction()
		here.weight += op.weight()
		switch op.op {
		case opBlock, opIf:
			open++
		case opLoop:
			open++
			here = f.begin(here, segment{at: r.pos, weight: 1, test: true})
		case opElse:
			here = f.begin(here, segment{at: r.pos})
		case opEnd:
			open--
			here = f.begin(here, segment{at: r.pos})
		case opGlobalGet, opGlobalSet:
			if int64(op.index) >= int64(l.globals) {
				r.fail("global %d of %d", op.index, l.globals)
			}
		case opPrefix:
			if shift, ok := op.bulk(); ok {
				f.bulks = append(f.bulks, bulk{at, shift})
			}
		}
		values := l.values(op, r)
		if op.typed {
			f.wide = max(f.wide, values)
		}
		f.size += int64(values + op.extra())
		f.points += op.points()
	}
	r.end()
	return f, r.err
}

// begin notes a segment that is complete, if it weighs anything, and begins the next.
func (f *body) begin(complete, next segment) segment {
	if complete.weight > 0 {
		f.segments = append(f.segments, complete)
	}
	return next
}

// weight is what the instruction costs each time, by sentence 2 of the rule.
func (i instruction) weight() int64 {
	switch {
	case i.op == opBlock, i.op == opLoop, i.op == opElse, i.op == opEnd:
		return 0
	case i.op == opCall, i.op == opCallIndirect:
		return 3
	case i.op == opRefFunc:
		return 128
	case i.op == opMemoryGrow, i.op == opPrefix && i.sub == subTableGrow:
		return 64
	case i.op == opPrefix:
		if _, ok := i.bulk(); ok {
			return 16
		}
	}
	return 1
}

// bulk reports whether an instruction behind opPrefix costs by its length as well, by sentence 4, and how that is shifted.
func (i instruction) bulk() (shift byte, ok bool) {
	switch i.sub {
	case subMemoryInit, subMemoryCopy, subMemoryFill:
		return 3, true
	case subTableInit, subTableCopy, subTableFill, subTableGrow:
		return 0, true
	}
	return 0, false
}

// Instrument writes the module anew with the counter of the package comment in it, its memory and table clamped, and without
// custom sections. The module must have passed [Check] and be valid: then the result is valid too, and computes the same
// until its fuel is used up. It fails with [ErrRefused] where the module begins with more memory than it is granted, and with
// [ErrLimits] where nobody can be granted as much.
func Instrument(module []byte, limits Limits) ([]byte, error) {
	if limits.Fuel > MaxFuel || limits.Memory > MaxMemory {
		return nil, fmt.Errorf("instrument module: %d units of fuel, at most %d, and %d bytes of memory, at most %d: %w",
			limits.Fuel, uint64(MaxFuel), limits.Memory, uint64(MaxMemory), ErrLimits)
	}
	l, err := parse(module, uncapped())
	if err == nil {
		err = l.instrument(limits)
	}
	if err != nil {
		return nil, fmt.Errorf("instrument module: %w: %w", err, ErrRefused)
	}
	return l.encode(), nil
}

func (l *layout) instrument(limits Limits) (err error) {
	if l.sections[secCode], err = l.meteredCode(); err != nil {
		return err
	}
	if l.sections[secMemory], err = l.clampedMemory(limits.Memory); err != nil {
		return err
	}
	l.sections[secTable] = l.clampedTable()
	l.addYield()
	counter := append(appendS64([]byte{typeI64, 1, opI64Const}, int64(limits.Fuel)), opEnd)
	l.sections[secGlobal] = extended(l.sections[secGlobal], l.globals, 1, counter)
	exports, added := appendExport(nil, exportFuel, 3, uint32(l.globals)), 1
	if len(l.bodies) > 0 {
		exports, added = appendExport(exports, exportYield, 0, l.yield()), added+1
	}
	if l.sections[secStart] != nil {
		exports, added = appendExport(exports, exportStart, 0, l.start), added+1
		l.sections[secStart] = nil
	}
	l.sections[secExport] = extended(l.sections[secExport], len(l.exports), added, exports)
	return nil
}

// yield is the index of the function that addYield adds.
func (l *layout) yield() uint32 { return uint32(len(l.imports) + len(l.bodies)) }

// addYield adds a function that traps where the counter is below zero. A host that grants fuel by the slice has a moment for
// itself when it is entered, and may refill the counter then; to others it is the trap.
func (l *layout) addYield() {
	if len(l.bodies) == 0 {
		return
	}
	kind := uint32(len(l.types))
	l.sections[secType] = extended(l.sections[secType], len(l.types), 1, []byte{0x60, 0, 0}) // () -> ()
	l.sections[secFunction] = extended(l.sections[secFunction], len(l.bodies), 1, appendU32(nil, kind))
	code := append(appendU32([]byte{0, opGlobalGet}, uint32(l.globals)), opI64Const, 0, opI64LtS, opIf, blockEmpty, opUnreachable, opEnd, opEnd)
	l.sections[secCode] = extended(l.sections[secCode], len(l.bodies), 1, append(appendU32(nil, uint32(len(code))), code...))
}

// extended is a section that held n items, with more of them at its end.
func extended(section []byte, n, more int, items []byte) []byte {
	r := &reader{b: section}
	if section != nil {
		r.u32()
	}
	out := append(appendU32(nil, uint32(n+more)), section[r.pos:]...)
	return append(out, items...)
}

func appendExport(b []byte, name string, kind byte, index uint32) []byte {
	b = append(appendU32(b, uint32(len(name))), name...)
	return appendU32(append(b, kind), index)
}

func (l *layout) clampedMemory(limit uint64) ([]byte, error) {
	if len(l.memories) == 0 {
		return l.sections[secMemory], nil
	}
	m, pages := l.memories[0], uint32(limit/PageSize)
	if m.min > pages {
		return nil, fmt.Errorf("begins with %d bytes of memory, at most %d", uint64(m.min)*PageSize, limit)
	}
	return appendU32(appendU32([]byte{1, 1}, m.min), min(m.max, pages)), nil
}

func (l *layout) clampedTable() []byte {
	if len(l.tables) == 0 {
		return l.sections[secTable]
	}
	t := l.tables[0]
	return appendU32(appendU32([]byte{1, t.kind, 1}, t.min), min(t.max, max(t.min, maxTable)))
}

func (l *layout) meteredCode() ([]byte, error) {
	if l.sections[secCode] == nil {
		return nil, nil
	}
	out := appendU32(nil, uint32(len(l.bodies)))
	var b []byte
	for i := range l.bodies {
		f, err := l.scan(i)
		if err != nil {
			return nil, fmt.Errorf("function %d: %w", len(l.imports)+i, err)
		}
		b = f.metered(b[:0], l.bodies[i], gauge{uint32(l.globals), l.yield()})
		out = append(appendU32(out, uint32(len(b))), b...)
	}
	if len(out) > math.MaxInt32 {
		return nil, fmt.Errorf("grows to %d bytes of code", len(out))
	}
	return out, nil
}

// gauge is what a charge works on: the counter's global, and the function to call where it is below zero.
type gauge struct{ counter, yield uint32 }

// metered writes the body with its charges in place. Where it has bulk instructions, it gets one more local for them.
func (f *body) metered(out, b []byte, g gauge) []byte {
	from := 0
	if len(f.bulks) > 0 {
		r := &reader{b: b}
		n := r.u32()
		out = append(append(appendU32(out, n+1), b[r.pos:f.code]...), 1, typeI32)
		from = f.code
	}
	segments, bulks := f.segments, f.bulks
	for len(segments) > 0 || len(bulks) > 0 {
		if len(bulks) == 0 || len(segments) > 0 && segments[0].at <= bulks[0].at {
			out = g.appendCharge(append(out, b[from:segments[0].at]...), segments[0])
			from, segments = segments[0].at, segments[1:]
		} else {
			out = g.appendBulkCharge(append(out, b[from:bulks[0].at]...), uint32(f.locals), bulks[0].shift)
			from, bulks = bulks[0].at, bulks[1:]
		}
	}
	return append(out, b[from:]...)
}

func (g gauge) appendCharge(b []byte, s segment) []byte {
	b = appendU32(append(b, opGlobalGet), g.counter)
	b = append(appendS64(append(b, opI64Const), s.weight), opI64Sub)
	b = appendU32(append(b, opGlobalSet), g.counter)
	if s.test {
		b = g.appendTest(b)
	}
	return b
}

// appendBulkCharge charges by the i32 on top of the stack and leaves it there.
func (g gauge) appendBulkCharge(b []byte, local uint32, shift byte) []byte {
	b = appendU32(append(b, opLocalTee), local)
	b = appendU32(append(b, opGlobalGet), g.counter)
	b = append(appendU32(append(b, opLocalGet), local), opI64ExtendU, opI64Const, shift, opI64ShrU, opI64Sub)
	return g.appendTest(appendU32(append(b, opGlobalSet), g.counter))
}

// appendTest yields where the counter is below zero.
func (g gauge) appendTest(b []byte) []byte {
	b = append(appendU32(append(b, opGlobalGet), g.counter), opI64Const, 0, opI64LtS, opIf, blockEmpty)
	return append(appendU32(append(b, opCall), g.yield), opEnd)
}

// appendU32 and appendS64 write what the reader reads with u32 and signed, in the shortest form.
func appendU32(b []byte, v uint32) []byte {
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

func appendS64(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
