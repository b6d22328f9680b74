package wasm

import "math"

// Opcodes that this package names.
const (
	opUnreachable  = 0x00
	opNop          = 0x01
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opDrop         = 0x1a
	opSelect       = 0x1b
	opSelectTyped  = 0x1c
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opTableSet     = 0x26
	opLoad         = 0x28 // the first of them
	opStoreFirst   = 0x36
	opStore        = 0x3e // the last of them
	opMemorySize   = 0x3f
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opI32Eqz       = 0x45 // the first without immediates
	opI32LtS       = 0x48
	opI64Eqz       = 0x50
	opI64LtS       = 0x53
	opI64GeS       = 0x59
	opI32Clz       = 0x67
	opI32Popcnt    = 0x69
	opI32Add       = 0x6a
	opI32Sub       = 0x6b
	opI64Clz       = 0x79
	opI64Popcnt    = 0x7b
	opI64Sub       = 0x7d
	opI64ShrU      = 0x88
	opF32Eq        = 0x5b
	opF64Eq        = 0x61
	opF32Abs       = 0x8b
	opF32Ceil      = 0x8d // the first that may compute a NaN
	opF32Sqrt      = 0x91
	opF32Max       = 0x97 // the last that may
	opF64Abs       = 0x99
	opF64Ceil      = 0x9b
	opF64Sqrt      = 0x9f
	opF64Max       = 0xa5
	opConvert      = 0xa7 // the first conversion; with those that extend a sign they go to the last without immediates
	opTruncI32     = 0xa8 // the first of four that make an i32 of a float, and may trap
	opI64ExtendU   = 0xad // i64.extend_i32_u
	opTruncI64     = 0xae // the first of four that make an i64 of a float, and may trap
	opDemote       = 0xb6
	opPromote      = 0xbb
	opI64Extend32S = 0xc4 // the last without immediates
	opRefNull      = 0xd0
	opRefIsNull    = 0xd1
	opRefFunc      = 0xd2
	opPrefix       = 0xfc
)

// blockEmpty is the type of a block that neither takes nor leaves anything.
const blockEmpty = 0x40

// The second byte of an instruction that begins with opPrefix.
const (
	subMemoryInit = 8
	subDataDrop   = 9
	subMemoryCopy = 10
	subMemoryFill = 11
	subTableInit  = 12
	subElemDrop   = 13
	subTableCopy  = 14
	subTableGrow  = 15
	subTableSize  = 16
	subTableFill  = 17
)

// instruction is one instruction of a function body.
type instruction struct {
	op      byte
	sub     uint32 // where op is opPrefix
	index   uint32 // the first index among the immediates: of a global, a function, a label, a block's type
	typed   bool   // a block whose type is the one of that index
	value   bool   // a block that leaves one value, and has no type of an index
	targets int    // of a br_table, the default included
}

// instruction reads one instruction, and fails on one that the house does not take.
func (r *reader) instruction() (i instruction) {
	i.op = r.byte()
	switch op := i.op; {
	case op == opBlock || op == opLoop || op == opIf:
		i.index, i.typed, i.value = r.blockType()
	case op <= opNop, op == opElse, op == opEnd, op == opReturn, op == opDrop, op == opSelect, op == opRefIsNull:
	case op >= opI32Eqz && op <= opI64Extend32S:
	case op == opBr, op == opBrIf, op == opCall, op == opRefFunc, op >= opLocalGet && op <= opTableSet:
		i.index = r.u32()
	case op == opBrTable:
		i.targets = r.count("branch targets", len(r.b)) + 1
		for n := i.targets; n > 0 && r.err == nil; n-- {
			r.u32()
		}
	case op == opCallIndirect:
		i.index = r.u32()
		r.zero("table")
	case op >= opLoad && op <= opStore: // alignment, offset
		if r.u32() >= 32 {
			r.fail("access to another memory")
		}
		r.u32()
	case op == opMemorySize || op == opMemoryGrow:
		r.zero("memory")
	case op == opI32Const:
		r.signed(32)
	case op == opI64Const:
		r.signed(64)
	case op == opF32Const:
		r.bytes(4)
	case op == opF64Const:
		r.bytes(8)
	case op == opSelectTyped:
		if r.u32() != 1 {
			r.fail("select of more than one value")
		}
		r.valueType()
	case op == opRefNull:
		r.refType()
	case op == opPrefix:
		i.sub = r.prefixed()
	default:
		r.fail("instruction %#x is not taken%s", op, feature(op))
	}
	return i
}

func feature(op byte) string {
	switch op {
	case 0x06, 0x07, 0x08, 0x09, 0x0a, 0x18, 0x19, 0x1f:
		return " (exceptions)"
	case 0x12, 0x13:
		return " (tail calls)"
	case 0x14, 0x15, 0xd3, 0xd4, 0xd5, 0xd6, 0xfb:
		return " (typed references)"
	case 0xfd:
		return " (SIMD)"
	case 0xfe:
		return " (threads)"
	}
	return ""
}

func (r *reader) prefixed() uint32 {
	sub := r.u32()
	switch {
	case sub <= 7: // saturating conversions
	case sub == subMemoryInit:
		r.u32()
		r.zero("memory")
	case sub == subDataDrop || sub == subElemDrop:
		r.u32()
	case sub == subMemoryCopy:
		r.zero("memory")
		r.zero("memory")
	case sub == subMemoryFill:
		r.zero("memory")
	case sub == subTableInit:
		r.u32()
		r.zero("table")
	case sub == subTableCopy:
		r.zero("table")
		r.zero("table")
	case sub >= subTableGrow && sub <= subTableFill:
		r.zero("table")
	default:
		r.fail("instruction 0xfc %d is not taken", sub)
	}
	return sub
}

// zero reads the index of the only memory or table there is.
func (r *reader) zero(of string) {
	if i := r.u32(); i != 0 {
		r.fail("%s %d: there is only one", of, i)
	}
}

// blockType reads nothing, one value type, or the index of a function type. Written as a signed number of 33 bits, the first
// two are its negative values of one byte.
func (r *reader) blockType() (index uint32, typed, value bool) {
	if !r.more() {
		r.fail("ends too early")
		return 0, false, false
	}
	switch c := r.b[r.pos]; {
	case c == blockEmpty:
		r.pos++
		return 0, false, false
	case c&0xc0 == 0x40:
		r.valueType()
		return 0, false, true
	}
	n := r.signed(33)
	if n < 0 {
		r.fail("block of an unknown type")
	}
	return uint32(n), true, false
}

// locals reads the declarations and returns how many locals they make.
func (r *reader) locals() int {
	total := uint64(0)
	for n := r.count("local declarations", len(r.b)); n > 0 && r.err == nil; n-- {
		total += uint64(r.u32())
		r.valueType()
	}
	if total > math.MaxInt32 {
		r.fail("%d locals", total)
		return 0
	}
	return int(total)
}
