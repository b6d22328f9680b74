package wasm

// heights follows the operand stack through a function body. What cannot be reached may take values that are not there; then the
// stack is as low as the block lets it be.
type heights struct {
	now, most int
	open      []block // the body itself, and the blocks that are open in it
}

// block is where the operands of a block begin, and what it takes and leaves.
type block struct{ base, params, results int }

// step takes one instruction; typ is the type of a call or of a block that names one.
func (h *heights) step(op instruction, typ funcType) {
	top := &h.open[len(h.open)-1]
	switch op.op {
	case opBlock, opLoop, opIf:
		h.enter(op, typ)
	case opElse:
		h.now = top.base + top.params
	case opEnd:
		h.now = top.base + top.results
		h.open = h.open[:len(h.open)-1]
	case opUnreachable, opBr, opBrTable, opReturn:
		h.now = top.base
	default:
		pops, pushes := op.effect(typ)
		h.now = max(h.now-pops, top.base) + pushes
	}
	h.most = max(h.most, h.now)
}

func (h *heights) enter(op instruction, typ funcType) {
	if op.op == opIf {
		h.now--
	}
	b := block{params: typ.params, results: len(typ.results)}
	if op.value {
		b.results = 1
	}
	b.base = max(h.now-b.params, h.open[len(h.open)-1].base)
	h.now = b.base + b.params
	h.open = append(h.open, b)
}

// effect is how many operands an instruction takes and leaves that lets control go on behind it and opens no block.
func (i instruction) effect(typ funcType) (pops, pushes int) {
	switch op := i.op; {
	case op == opCall:
		return typ.params, len(typ.results)
	case op == opCallIndirect:
		return typ.params + 1, len(typ.results)
	case op == opPrefix:
		return i.prefixedEffect()
	case op == opDrop, op == opBrIf, op == opLocalSet, op == opGlobalSet:
		return 1, 0
	case op == opSelect, op == opSelectTyped:
		return 3, 1
	case op == opLocalGet, op == opGlobalGet, op == opMemorySize, op == opRefNull, op == opRefFunc, op >= opI32Const && op <= opF64Const:
		return 0, 1
	case op == opTableSet, op >= opStoreFirst && op <= opStore:
		return 2, 0
	case op >= opI32Eqz && op <= opI64Extend32S && !unary(op):
		return 2, 1
	case op == opNop:
		return 0, 0
	}
	return 1, 1 // local.tee, table.get, loads, memory.grow, ref.is_null, and what makes one number of one
}

// unary reports whether an instruction without immediates makes one number of one, not of two.
func unary(op byte) bool {
	return op == opI32Eqz || op == opI64Eqz || op >= opI32Clz && op <= opI32Popcnt || op >= opI64Clz && op <= opI64Popcnt ||
		op >= opF32Abs && op <= opF32Sqrt || op >= opF64Abs && op <= opF64Sqrt || op >= opConvert
}

func (i instruction) prefixedEffect() (pops, pushes int) {
	switch i.sub {
	case subMemoryInit, subMemoryCopy, subMemoryFill, subTableInit, subTableCopy, subTableFill:
		return 3, 0
	case subDataDrop, subElemDrop:
		return 0, 0
	case subTableGrow:
		return 2, 1
	case subTableSize:
		return 0, 1
	}
	return 1, 1
}
