package wasm

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// reader takes apart bytes nobody vouches for. The first thing wrong sticks: from then on every read is zero and moves
// nothing, so that a caller may look at err once, at the end. Loops over a count must look at every turn, since the count is
// hostile too; [reader.count] has already held it against the bytes that are left.
type reader struct {
	b   []byte
	pos int
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("at byte %d: "+format, append([]any{r.pos}, args...)...)
	}
}

func (r *reader) more() bool { return r.err == nil && r.pos < len(r.b) }

func (r *reader) byte() byte {
	if r.err != nil || r.pos >= len(r.b) {
		r.fail("ends too early")
		return 0
	}
	r.pos++
	return r.b[r.pos-1]
}

// bytes gives a view of the next n bytes.
func (r *reader) bytes(n uint32) []byte {
	if r.err != nil || uint64(n) > uint64(len(r.b)-r.pos) {
		r.fail("ends too early: %d bytes wanted, %d left", n, len(r.b)-r.pos)
		return nil
	}
	r.pos += int(n)
	return r.b[r.pos-int(n) : r.pos : r.pos]
}

// u32 reads an unsigned LEB128 of at most 32 bits, refusing what the specification refuses: a sixth byte, bits beyond.
func (r *reader) u32() (v uint32) {
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		if shift == 28 && c > 0x0f {
			break
		}
		v |= uint32(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	r.fail("number longer than 32 bits")
	return 0
}

// signed reads a signed LEB128 of the given width. What stands above the width must repeat the sign.
func (r *reader) signed(bits int) (v int64) {
	for shift := 0; shift < bits; shift += 7 {
		c := r.byte()
		v |= int64(c&0x7f) << shift
		left := bits - shift // significant bits in this byte
		if left < 7 {
			if rest := int8(c<<1) >> left; rest != 0 && rest != -1 || c >= 0x80 {
				break
			}
		}
		if c < 0x80 {
			if shift+7 < 64 {
				v = v << (57 - shift) >> (57 - shift)
			}
			return v
		}
	}
	r.fail("number longer than %d bits", bits)
	return 0
}

// count reads how many things follow. More than the cap is refused, and more than there are bytes left: the least of things
// takes one.
func (r *reader) count(what string, cap int) int {
	n := r.u32()
	switch {
	case uint64(n) > uint64(max(cap, 0)):
		r.fail("%d %s, at most %d", n, what, cap)
	case uint64(n) > uint64(len(r.b)-r.pos):
		r.fail("%d %s announced, %d bytes left", n, what, len(r.b)-r.pos)
	case r.err == nil:
		return int(n)
	}
	return 0
}

// maxName is the longest name of an import or export, in bytes.
const maxName = 1 << 10

// name reads a string: UTF-8, at most the cap in bytes.
func (r *reader) name(cap int) string {
	n := r.u32()
	if uint64(n) > uint64(cap) {
		r.fail("name of %d bytes, at most %d", n, cap)
		return ""
	}
	b := r.bytes(n)
	if !utf8.Valid(b) {
		r.fail("name is not UTF-8")
	}
	return string(b)
}

// end is called where nothing may follow.
func (r *reader) end() {
	if r.err == nil && r.pos != len(r.b) {
		r.fail("%d bytes too many", len(r.b)-r.pos)
	}
}

// Value types, as they are written.
const (
	typeI32       = 0x7f
	typeI64       = 0x7e
	typeF32       = 0x7d
	typeF64       = 0x7c
	typeFuncref   = 0x70
	typeExternref = 0x6f
)

func typeName(t byte) string {
	switch t {
	case typeI32:
		return "i32"
	case typeI64:
		return "i64"
	case typeF32:
		return "f32"
	case typeF64:
		return "f64"
	case typeFuncref:
		return "funcref"
	case typeExternref:
		return "externref"
	}
	return ""
}

func (r *reader) valueType() byte {
	t := r.byte()
	switch {
	case t == 0x7b:
		r.fail("vector instructions (SIMD) are not taken")
	case typeName(t) == "":
		r.fail("value type %#x is unknown", t)
	}
	return t
}

// funcType reads one function type, of at most values parameters and results together.
func (r *reader) funcType(values int) funcType {
	if form := r.byte(); form != 0x60 {
		r.fail("type of form %#x is no function", form)
	}
	list := func(n int) (types []byte) {
		for ; n > 0 && r.err == nil; n-- {
			types = append(types, r.valueType())
		}
		return types
	}
	n := r.count("parameters", values)
	params := list(n)
	results := list(r.count("results", values-n))
	return funcType{params: n, results: results, text: FuncType(typeNames(params) + " -> " + typeNames(results))}
}

func typeNames(types []byte) string {
	var names []string
	for _, t := range types {
		names = append(names, typeName(t))
	}
	return "(" + strings.Join(names, ", ") + ")"
}

// bounds reads the limits of a memory or table, neither of them beyond top.
func (r *reader) bounds(top uint32) (b bounds) {
	switch flag := r.byte(); flag {
	case 0:
	case 1:
		b.hasMax = true
	case 2, 3:
		r.fail("shared memory (threads) is not taken")
	default:
		r.fail("limits of form %#x: 64-bit memories are not taken", flag)
	}
	b.min, b.max = r.u32(), top
	if b.hasMax {
		b.max = r.u32()
	}
	if b.min > b.max || b.max > top {
		r.fail("limits %d to %d, at most %d", b.min, b.max, top)
	}
	return b
}

// constant reads a constant expression, one instruction and its end, and returns the function that it refers to, if it does.
func (r *reader) constant() (function uint32, ok bool) {
	op := r.byte()
	switch op {
	case opI32Const:
		r.signed(32)
	case opI64Const:
		r.signed(64)
	case opF32Const:
		r.bytes(4)
	case opF64Const:
		r.bytes(8)
	case opGlobalGet, opRefFunc:
		function = r.u32()
	case opRefNull:
		r.refType()
	default:
		r.fail("instruction %#x in a constant expression", op)
	}
	if r.err == nil && r.byte() != opEnd {
		r.fail("constant expression of more than one instruction")
	}
	return function, op == opRefFunc
}

func (r *reader) refType() {
	if t := r.byte(); t != typeFuncref && t != typeExternref {
		r.fail("reference type %#x is unknown", t)
	}
}

// element reads one element segment and returns how many entries it holds, at most the cap, and the functions among them.
func (r *reader) element(cap int) (n int, functions []uint32) {
	form := r.u32()
	if form > 7 {
		r.fail("element segment of form %d", form)
		return 0, nil
	}
	passive, explicit, expressions := form&1 != 0, form&2 != 0, form&4 != 0
	if !passive && explicit && r.u32() != 0 {
		r.fail("element segment for another table")
	}
	if !passive {
		r.constant()
	}
	if passive || explicit {
		if expressions {
			r.refType()
		} else if kind := r.byte(); kind != 0 {
			r.fail("element kind %#x", kind)
		}
	}
	n = r.count("table entries in element segments", cap)
	for i := 0; i < n && r.err == nil; i++ {
		if !expressions {
			functions = append(functions, r.u32())
		} else if f, ok := r.constant(); ok {
			functions = append(functions, f)
		}
	}
	return n, functions
}

func (r *reader) data() {
	switch form := r.u32(); form {
	case 0:
		r.constant()
	case 1:
	case 2:
		if r.u32() != 0 {
			r.fail("data segment for another memory")
		}
		r.constant()
	default:
		r.fail("data segment of form %d", form)
	}
	r.bytes(r.u32())
}
