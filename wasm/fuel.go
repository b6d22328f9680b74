package wasm

import "fmt"

// ruleVersion is the version of the rule in the package comment; with it changes whatever has been instrumented.
const ruleVersion = 2

// body is what one function body says to caps, fuel and depth.
type body struct {
	locals     int   // parameters and declared locals
	code       int   // where the instructions begin
	size       int64 // bytes and what counts like them, see Caps
	points     int   // branch points
	wide       int   // most values that one of its blocks takes and leaves, or that it returns if more than one
	operands   int   // most that are on its stack
	edits      []edit
	calls      []uint32 // of functions that are not imported, the first of them 0
	indirect   []uint32 // types
	references []uint32 // functions
}

// complexity is what the function counts like against the caps, see Caps.
func (f *body) complexity() int64 { return int64(f.points) * int64(f.locals+f.wide+32) }

// slots is how much of the stack the function takes, by sentence 7.
func (f *body) slots() int64 {
	return frameSlots + int64(f.locals) + int64(f.operands) + (f.size+f.complexity())/slotShare
}

// edit is a place in a body where an instrumented one differs.
type edit struct {
	at    int
	kind  editKind
	value int64 // a segment's weight; how far a bulk instruction's operand is shifted; the label of the body; a float's type
}

type editKind byte

const (
	atSegment editKind = iota
	atEntry            // of a function or a loop: a segment that every long run must pass
	atBulk             // an instruction whose work grows with the operand on top of the stack
	atReturn
	atFloat // behind an instruction that may have computed a NaN
)

// scan reads a function body whole: locals, then instructions to the last end.
func (l *layout) scan(i int) (body, error) {
	r := &reader{b: l.bodies[i]}
	typ := l.types[l.functions[len(l.imports)+i]]
	f := body{locals: typ.params + r.locals(), code: r.pos}
	f.size = int64(len(r.b) + f.locals)
	if len(typ.results) > 1 {
		f.wide = len(typ.results)
	}
	h := heights{open: []block{{results: len(typ.results)}}}
	here := f.begin(r.pos, atEntry)
	for len(h.open) > 0 && r.err == nil {
		at := r.pos
		op := r.instruction()
		f.edits[here].value += op.weight()
		switch op.op {
		case opLoop:
			here = f.begin(r.pos, atEntry)
		case opElse, opEnd:
			here = f.begin(r.pos, atSegment)
		case opReturn:
			f.edits = append(f.edits, edit{at, atReturn, int64(len(h.open) - 1)})
		case opPrefix:
			if shift, ok := op.bulk(); ok {
				f.edits = append(f.edits, edit{at, atBulk, int64(shift)})
			}
		}
		if typ, ok := op.float(); ok {
			f.edits = append(f.edits, edit{r.pos, atFloat, int64(typ)})
		}
		signature := l.signature(op, r)
		h.step(op, signature)
		f.count(op, signature)
		l.refer(&f, op, r)
	}
	r.end()
	f.operands = h.most
	return f, r.err
}

// begin notes where a segment begins, and returns which of the edits that is.
func (f *body) begin(at int, kind editKind) int {
	e := edit{at: at, kind: kind}
	if kind == atEntry {
		e.value = 1
	}
	f.edits = append(f.edits, e)
	return len(f.edits) - 1
}

// count adds an instruction to what is held against the caps.
func (f *body) count(op instruction, typ funcType) {
	if op.typed {
		f.wide = max(f.wide, typ.values())
	}
	f.size += int64(typ.values() + op.extra())
	f.points += op.points()
}

// refer notes what an instruction refers to, and fails where that is not there.
func (l *layout) refer(f *body, op instruction, r *reader) {
	switch op.op {
	case opGlobalGet, opGlobalSet:
		if int64(op.index) >= int64(l.globals) {
			r.fail("global %d of %d", op.index, l.globals)
		}
	case opCall:
		if imported := uint32(len(l.imports)); op.index >= imported {
			f.calls = append(f.calls, op.index-imported)
		}
	case opCallIndirect:
		f.indirect = append(f.indirect, op.index)
	case opRefFunc:
		f.references = append(f.references, op.index)
	}
	if what := op.unsaved(); what != "" && l.unsaved == "" {
		l.unsaved = fmt.Sprintf("a function has the instruction %s", what)
	}
}

// unsaved names an instruction whose effect a snapshot could not bring back, see Info.
func (i instruction) unsaved() string {
	switch i.op {
	case opTableSet:
		return "table.set"
	case opRefFunc:
		return "ref.func"
	case opPrefix:
		return map[uint32]string{subDataDrop: "data.drop", subElemDrop: "elem.drop", subTableInit: "table.init",
			subTableCopy: "table.copy", subTableGrow: "table.grow", subTableFill: "table.fill"}[i.sub]
	}
	return ""
}

// inFunction says of a body's error which function it is in.
func (l *layout) inFunction(i int, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("function %d: %w", len(l.imports)+i, err)
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

// float reports whether an instruction computes a float that may be a NaN whose bits are up to the machine, and of which type.
func (i instruction) float() (typ byte, ok bool) {
	switch op := i.op; {
	case op >= opF32Ceil && op <= opF32Max, op == opDemote:
		return typeF32, true
	case op >= opF64Ceil && op <= opF64Max, op == opPromote:
		return typeF64, true
	}
	return 0, false
}
