package wasm

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Names of exports that begin with reserved belong to the host.
const (
	reserved    = "barnraise_"
	exportFuel  = "barnraise_fuel"  // what is left of a slice of fuel, an i64
	exportStack = "barnraise_stack" // what is left of the stack, an i32
	exportStart = "barnraise_start" // the start function, so that the host calls it once it can read the counters
	exportYield = "barnraise_yield" // what a test calls where there is no fuel left; it traps if that is still so
)

// maxTable is how far any table may grow, in entries.
const maxTable = 1 << 16

// Instrument writes the module anew with the counters of the package comment in it, its memory and table clamped, and without
// custom sections. The module must have passed [Check] and be valid: then the result is valid too, and computes the same
// until its fuel is used up or its calls nest too deep. It fails with [ErrRefused] where the module begins with more memory than
// it is granted, and with [ErrLimits] where nobody can be granted as much.
func Instrument(module []byte, limits Limits) ([]byte, error) {
	l, err := parse(module, uncapped())
	if err != nil {
		return nil, fmt.Errorf("instrument module: %w: %w", err, ErrRefused)
	}
	return l.instrumented(limits)
}

// instrumented is Instrument for a module that has been taken apart. The layout is not to be used any more.
func (l *layout) instrumented(limits Limits) ([]byte, error) {
	if limits.Fuel > MaxFuel || limits.Memory > MaxMemory || limits.Stack < 0 || limits.Stack > MaxStack {
		return nil, fmt.Errorf("instrument module: %d units of fuel, at most %d, %d bytes of memory, at most %d, and a stack of %d, at most %d: %w",
			limits.Fuel, uint64(MaxFuel), limits.Memory, uint64(MaxMemory), limits.Stack, MaxStack, ErrLimits)
	}
	graph, err := l.graph()
	if err == nil {
		err = l.instrument(limits, graph.charges())
	}
	if err != nil {
		return nil, fmt.Errorf("instrument module: %w: %w", err, ErrRefused)
	}
	return l.encode(), nil
}

// instrument does that to the sections; charges are what each function takes of the stack.
func (l *layout) instrument(limits Limits, charges []uint32) error {
	memory, err := l.clampedMemory(limits.Memory)
	if err != nil {
		return err
	}
	types := newTypes(l.types)
	if err := l.meter(types, charges); err != nil {
		return err
	}
	l.sections[secMemory], l.sections[secTable] = memory, l.clampedTable()
	l.sections[secType] = types.section(l.sections[secType])
	fuel := append(appendS64([]byte{typeI64, 1, opI64Const}, int64(limits.Fuel)), opEnd)
	stack := append(appendS64([]byte{typeI32, 1, opI32Const}, int64(cmp.Or(limits.Stack, VerifierStack))), opEnd)
	l.sections[secGlobal] = extended(l.sections[secGlobal], l.globals, 2, append(fuel, stack...))
	g := l.gauge()
	exports, added := appendExport(appendExport(nil, exportFuel, 3, g.fuel), exportStack, 3, g.stack), 2
	if len(l.bodies) > 0 {
		exports, added = appendExport(exports, exportYield, 0, g.yield), added+1
	}
	if limits.Snapshots && l.unsaved == "" {
		for _, n := range l.variables {
			exports, added = appendExport(exports, exportGlobal+strconv.Itoa(n), 3, uint32(n)), added+1
		}
	}
	if l.sections[secStart] != nil {
		exports, added = appendExport(exports, exportStart, 0, l.start), added+1
		l.sections[secStart] = nil
	}
	l.sections[secExport] = extended(l.sections[secExport], len(l.exports), added, exports)
	return nil
}

// meter puts charges into all function bodies, and adds the function that they call where there is no fuel left. That one traps
// where the counter is below zero: a host that grants fuel by the slice has a moment for itself when it is entered, and may
// refill the counter then; to others it is the trap.
func (l *layout) meter(types *types, charges []uint32) error {
	if len(l.bodies) == 0 {
		return nil
	}
	g := l.gauge()
	out := appendU32(nil, uint32(len(l.bodies)+1))
	var b []byte
	for i := range l.bodies {
		f, err := l.scan(i)
		if err != nil {
			return l.inFunction(i, err)
		}
		w := wrapper{charge: charges[i]}
		if w.charge > 0 {
			w.block = types.block(l.types[l.functions[len(l.imports)+i]].results)
		}
		b = f.metered(b[:0], l.bodies[i], g, w)
		out = append(appendU32(out, uint32(len(b))), b...)
	}
	yield := append(appendU32([]byte{0, opGlobalGet}, g.fuel), opI64Const, 0, opI64LtS, opIf, blockEmpty, opUnreachable, opEnd, opEnd)
	out = append(appendU32(out, uint32(len(yield))), yield...)
	if len(out) > math.MaxInt32 {
		return fmt.Errorf("grows to %d bytes of code", len(out))
	}
	l.sections[secCode] = out
	l.sections[secFunction] = extended(l.sections[secFunction], len(l.bodies), 1, appendU32(nil, types.index(nil)))
	return nil
}

// types are those of a module, and those that are added to it.
type types struct {
	indexes map[FuncType]uint32
	count   int    // in the module
	more    int    // added
	added   []byte // as they are written
}

func newTypes(list []funcType) *types {
	t := &types{indexes: map[FuncType]uint32{}, count: len(list)}
	for i, typ := range list {
		if _, ok := t.indexes[typ.text]; !ok {
			t.indexes[typ.text] = uint32(i)
		}
	}
	return t
}

// index is that of the type of functions that take nothing and leave these results.
func (t *types) index(results []byte) uint32 {
	text := FuncType("() -> " + typeNames(results))
	i, ok := t.indexes[text]
	if !ok {
		i = uint32(t.count + t.more)
		t.indexes[text], t.more = i, t.more+1
		t.added = append(appendU32(append(t.added, 0x60, 0), uint32(len(results))), results...)
	}
	return i
}

// block is how the type of a block with these results is written.
func (t *types) block(results []byte) []byte {
	switch len(results) {
	case 0:
		return []byte{blockEmpty}
	case 1:
		return results
	}
	return appendS64(nil, int64(t.index(results)))
}

func (t *types) section(old []byte) []byte {
	if t.more == 0 {
		return old
	}
	return extended(old, t.count, t.more, t.added)
}

// gauge is what charges work on: the globals of the two counters, and the function to call where there is no fuel left.
type gauge struct{ fuel, stack, yield uint32 }

func (l *layout) gauge() gauge {
	return gauge{uint32(l.globals), uint32(l.globals) + 1, uint32(len(l.imports) + len(l.bodies))}
}

// wrapper is what is put around a function that takes its charge of the stack while it runs: a block of its results, which
// whatever leaves the function leaves first. With a charge of 0 it is nothing.
type wrapper struct {
	charge uint32
	block  []byte // type
}

// metered writes the body with all that is added to it.
func (f *body) metered(out, b []byte, g gauge, w wrapper) []byte {
	added := f.addedLocals()
	out, from := added.append(out, b, f.code)
	for i, e := range f.edits {
		out = append(out, b[from:e.at]...)
		from = e.at
		switch {
		case e.kind == atBulk:
			out = g.appendBulkCharge(out, added.of(typeI32), byte(e.value))
		case e.kind == atFloat:
			out = appendCanonical(out, added.of(byte(e.value)), byte(e.value))
		case e.kind == atReturn:
			if w.charge > 0 {
				out = appendU32(append(out, opBr), uint32(e.value))
				from++
			}
		case e.value > 0:
			out = g.appendCharge(out, e)
		}
		if i == 0 {
			out = g.appendEnter(out, w)
		}
	}
	return g.appendLeave(append(out, b[from:]...), w)
}

// addedLocals are those that a body gets behind its own, by their types.
type addedLocals struct {
	first uint32
	types []byte
}

func (f *body) addedLocals() addedLocals {
	a := addedLocals{first: uint32(f.locals)}
	for _, e := range f.edits {
		typ := byte(0)
		switch e.kind {
		case atBulk:
			typ = typeI32
		case atFloat:
			typ = byte(e.value)
		}
		if typ != 0 && !slices.Contains(a.types, typ) {
			a.types = append(a.types, typ)
		}
	}
	return a
}

// of is the local of that type.
func (a addedLocals) of(typ byte) uint32 { return a.first + uint32(slices.Index(a.types, typ)) }

// append writes the declarations of a body whose instructions begin at code, if there are more of them now, and returns how much of it is
// written.
func (a addedLocals) append(out, b []byte, code int) ([]byte, int) {
	if len(a.types) == 0 {
		return out, 0
	}
	r := &reader{b: b}
	n := r.u32()
	out = append(appendU32(out, n+uint32(len(a.types))), b[r.pos:code]...)
	for _, typ := range a.types {
		out = append(out, 1, typ)
	}
	return out, code
}

// appendCanonical makes of every NaN on top of the stack the same one.
func appendCanonical(b []byte, local uint32, typ byte) []byte {
	b = appendU32(append(b, opLocalTee), local)
	equal := byte(opF64Eq)
	if typ == typeF32 {
		equal = opF32Eq
		b = binary.LittleEndian.AppendUint32(append(b, opF32Const), canonical32)
	} else {
		b = binary.LittleEndian.AppendUint64(append(b, opF64Const), canonical64)
	}
	b = appendU32(append(appendU32(append(b, opLocalGet), local), opLocalGet), local)
	return append(b, equal, opSelect)
}

// The NaN that there is.
const (
	canonical32 = 0x7fc00000
	canonical64 = 0x7ff8000000000000
)

func (g gauge) appendCharge(b []byte, e edit) []byte {
	b = appendU32(append(b, opGlobalGet), g.fuel)
	b = append(appendS64(append(b, opI64Const), e.value), opI64Sub)
	b = appendU32(append(b, opGlobalSet), g.fuel)
	if e.kind == atEntry {
		b = g.appendTest(b)
	}
	return b
}

// appendBulkCharge charges by the i32 on top of the stack and leaves it there.
func (g gauge) appendBulkCharge(b []byte, local uint32, shift byte) []byte {
	b = appendU32(append(b, opLocalTee), local)
	b = appendU32(append(b, opGlobalGet), g.fuel)
	b = append(appendU32(append(b, opLocalGet), local), opI64ExtendU, opI64Const, shift, opI64ShrU, opI64Sub)
	return g.appendTest(appendU32(append(b, opGlobalSet), g.fuel))
}

// appendTest yields where the fuel is below zero. That is written as the else of an if with nothing in it: the compiler lays out
// its registers as the first of two branches leaves them, and would have what is hot work around the call that is cold.
func (g gauge) appendTest(b []byte) []byte {
	b = append(appendU32(append(b, opGlobalGet), g.fuel), opI64Const, 0, opI64GeS, opIf, blockEmpty, opElse)
	return append(appendU32(append(b, opCall), g.yield), opEnd)
}

// appendEnter takes the charge of the stack, traps where there is not as much, and opens the block.
func (g gauge) appendEnter(b []byte, w wrapper) []byte {
	if w.charge == 0 {
		return b
	}
	b = g.appendMove(b, opI32Sub, w)
	b = append(appendU32(append(b, opGlobalGet), g.stack), opI32Const, 0, opI32LtS, opIf, blockEmpty, opUnreachable, opEnd)
	return append(append(b, opBlock), w.block...)
}

// appendLeave gives the charge back behind the block, which the last end of the body has closed.
func (g gauge) appendLeave(b []byte, w wrapper) []byte {
	if w.charge == 0 {
		return b
	}
	return append(g.appendMove(b, opI32Add, w), opEnd)
}

func (g gauge) appendMove(b []byte, by byte, w wrapper) []byte {
	b = appendU32(append(b, opGlobalGet), g.stack)
	b = append(appendS64(append(b, opI32Const), int64(w.charge)), by)
	return appendU32(append(b, opGlobalSet), g.stack)
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
