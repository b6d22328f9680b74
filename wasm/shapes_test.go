package wasm

import (
	"bytes"
	"maps"
	"strings"
)

// shape is the body of a function, or a module of such functions, that grows with n and uses that many locals.
type shape func(n, locals int) []byte

// shapes are modules that keep a compiler busy, each in its own way.
func shapes() map[string]shape {
	bodies := branching()
	maps.Copy(bodies, passing())
	maps.Copy(bodies, map[string]shape{
		"straight on": func(n, locals int) []byte {
			return times(n, func(i int) []byte { return code(set(i, locals), i32(0), opLoad, 0, i&63, opDrop) })
		},
		"conversions": func(n, locals int) []byte {
			return code(opF64Const, make([]byte, 8), repeat(n, code(opTruncI64+3, 0xba)), opDrop) // from f64, and back
		},
		"floats": func(n, locals int) []byte {
			return code(opF64Const, make([]byte, 8), repeat(n, code(opF64Sqrt)), opDrop)
		},
		"floats of both kinds": func(n, locals int) []byte {
			return code(opF64Const, make([]byte, 8), times(n, func(i int) []byte { return code(set(i, locals), opDemote, opPromote) }), opDrop)
		},
		"bulk": func(n, locals int) []byte {
			return repeat(n, code(i32(0), i32(0), i32(0), bulkOp(subMemoryFill, 0)))
		},
	})
	out := map[string]shape{}
	for name, b := range bodies {
		out[name+" in functions of 60,000"] = b.spread(60_000)
		out[name+" in functions of 10"] = b.spread(10)
		out[name+" in functions of 100"] = b.spread(100)
	}
	return out
}

// wide is how many values a function of type 0 takes and gives back, and a block of type 1 leaves.
const wide = 16

// spread is a module of as many functions as it takes, each of at most so many. Function 0 gives back what it takes, and does
// so through the table as well.
func (body shape) spread(perFunction int) shape {
	values := strings.Repeat("i", wide)
	identity := times(wide, func(i int) []byte { return op(opLocalGet, i) })
	return func(n, locals int) []byte {
		g := guest{types: []string{values + ":" + values, ":" + values}, memory: []byte{0, 1}, table: []byte{typeFuncref, 0, 1},
			elements: [][]byte{{0, opI32Const, 0, opEnd, 1, 0}}, funcs: []function{{values + ":" + values, nil, identity}}}
		for ; n > 0; n -= perFunction {
			g.funcs = append(g.funcs, function{":", declared(locals), body(min(n, perFunction), locals)})
		}
		return g.encode()
	}
}

// branching are blocks, loops and branches.
func branching() map[string]shape {
	nested := func(open func(i, locals int) []byte, close []byte, middle func(locals int) []byte) shape {
		return func(n, locals int) []byte {
			b := times(n, func(i int) []byte { return open(i, locals) })
			if middle != nil {
				b = append(b, middle(locals)...)
			}
			return append(b, repeat(n, close)...)
		}
	}
	loop := func(i, locals int) []byte { return code(opLoop, blockEmpty, set(i, locals)) }
	branch := code(i32(0), op(opBrIf, 0))
	again := code(branch, opEnd)
	return map[string]shape{
		"nested loops":                   nested(loop, []byte{opEnd}, nil),
		"nested loops, branching":        nested(loop, again, nil),
		"nested loops, branching, all":   nested(loop, again, all),
		"nested loops, branching thrice": nested(loop, code(branch, branch, again), nil),
		"loops": func(n, locals int) []byte {
			return times(n, func(i int) []byte { return code(loop(i, locals), again) })
		},
		"branches in a loop": func(n, locals int) []byte {
			return code(opLoop, blockEmpty, all(locals), times(n, func(i int) []byte { return code(set(i, locals), branch) }), opEnd, all(locals))
		},
		"ifs": func(n, locals int) []byte {
			return code(times(n, func(i int) []byte { return code(i32(0), opIf, blockEmpty, set(i, locals), opEnd) }), all(locals))
		},
		"a table of branches": func(n, locals int) []byte {
			b := append(repeat(20, code(opBlock, blockEmpty)), i32(0)...)
			b = append(append(b, opBrTable), appendU32(nil, uint32(n))...)
			b = append(b, times(n+1, func(i int) []byte { return []byte{byte(i % 20)} })...)
			return append(b, times(20, func(i int) []byte { return code(opEnd, set(i, locals)) })...)
		},
		"ends": func(n, locals int) []byte {
			return repeat(n, code(opBlock, blockEmpty, 1, opEnd))
		},
	}
}

// passing are calls, blocks and branches with values, and calls without.
func passing() map[string]shape {
	values, drops := repeat(wide, i32(0)), repeat(wide, []byte{opDrop})
	branch := code(i32(0), op(opBrIf, 0))
	return map[string]shape{
		"calls": func(n, locals int) []byte { return repeat(n, op(opCall, 1)) },
		"calls with values": func(n, locals int) []byte {
			return code(values, repeat(n, op(opCall, 0)), drops)
		},
		"calls with values through a table": func(n, locals int) []byte {
			return code(values, repeat(n, code(i32(0), opCallIndirect, 0, 0)), drops)
		},
		"blocks with values": func(n, locals int) []byte {
			return code(values, times(n, func(i int) []byte { return code(opBlock, 0, set(i, locals), opEnd) }), drops)
		},
		"loops with values": func(n, locals int) []byte {
			return code(values, times(n, func(i int) []byte { return code(opLoop, 0, set(i, locals), branch, opEnd) }), drops)
		},
		"branches with values": func(n, locals int) []byte {
			return code(opBlock, 1, values, times(n, func(i int) []byte { return code(set(i, locals), branch) }), opEnd, drops)
		},
	}
}

// set copies one local to another.
func set(i, locals int) []byte {
	if locals == 0 {
		return nil
	}
	return code(op(opLocalGet, i%locals), op(0x21, i*7%locals))
}

// all adds each local to the next.
func all(locals int) (b []byte) {
	for i := range locals {
		b = append(b, code(op(opLocalGet, i), op(opLocalGet, (i+1)%locals), 0x6a, op(0x21, (i+1)%locals))...)
	}
	return b
}

func times(n int, f func(i int) []byte) []byte {
	var b bytes.Buffer
	for i := range n {
		b.Write(f(i))
	}
	return b.Bytes()
}

func declared(locals int) []byte {
	if locals == 0 {
		return nil
	}
	return append(appendU32(nil, uint32(locals)), typeI32)
}
