package wasm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// recursion is a module whose function run calls itself as often as it is told, or for ever where that is less than zero. What
// a level calls with the number of levels left on the stack is up to the caller; function 0 is run.
func recursion(types []string, level []byte, locals []byte, more ...function) []byte {
	body := code(op(opLocalGet, 0), opIf, blockEmpty, op(opLocalGet, 0), i32(1), opI32Sub, level, opEnd)
	g := guest{types: types, table: []byte{typeFuncref, 0, 4}, memory: []byte{0, 1}, exports: []export{{"run", 0, 0}},
		funcs: append([]function{{"i:", locals, body}}, more...)}
	for i := range min(4, len(g.funcs)) {
		g.elements = append(g.elements, []byte{0, opI32Const, byte(i), opEnd, 1, byte(i)})
	}
	return g.encode()
}

// TestDepthRule holds sentence 7 of the package comment: what a function takes of the stack.
func TestDepthRule(t *testing.T) {
	self := op(opCall, 0)
	wide := strings.Repeat("i", 9)
	long := repeat(990, []byte{opNop})
	for _, c := range []struct {
		rule   string
		module []byte
		want   []uint32 // of function 0 and those behind it; 0 where it is not counted
	}{
		{"a function has 24, its parameter, and two operands", recursion(nil, self, nil), []uint32{24 + 1 + 2}},
		{"one for each local", recursion(nil, self, []byte{3, typeI32, 2, typeF64}), []uint32{24 + 6 + 2}},
		{"one for the most operands at once", recursion(nil, code(repeat(7, i32(0)), repeat(7, []byte{opDrop}), self), nil), []uint32{24 + 1 + 8}},
		{"operands below a block are still there", recursion(nil, code(opBlock, blockEmpty, repeat(5, i32(0)), repeat(5, []byte{opDrop}), opEnd, self), nil), []uint32{24 + 1 + 6}},
		{"what a branch leaves behind is gone", recursion(nil, code(opBlock, blockEmpty, i32(0), i32(0), i32(0), op(opBr, 0), opEnd, i32(0), i32(0), i32(0), opDrop, opDrop, opDrop, self), nil), []uint32{24 + 1 + 4}},
		{"what is not reached counts as well", recursion(nil, code(self, opReturn, repeat(12, i32(0)), repeat(12, []byte{opDrop})), nil), []uint32{24 + 1 + 12}},
		{"but takes nothing from below its block", recursion(nil, code(self, opReturn, repeat(12, []byte{opDrop}), i32(0), opDrop), nil), []uint32{24 + 1 + 2}},
		{"results of calls and blocks are operands", recursion([]string{"i:", "i:" + wide, ":" + wide}, code(op(opCall, 1), repeat(9, []byte{opDrop}), opBlock, 2, op(opLocalGet, 0), op(opCall, 1), opEnd, repeat(9, []byte{opDrop}), i32(0), self), nil,
			function{"i:" + wide, nil, repeat(9, i32(0))}), []uint32{24 + 1 + 9 + 0, 0}},
		{"one for 512 bytes", recursion(nil, code(self, long, long), nil), []uint32{24 + 1 + 2 + 3}},
		{"one for 512 of complexity", recursion(nil, code(self, repeat(64, code(opBlock, blockEmpty, opEnd))), nil), []uint32{24 + 1 + 2 + (65*33+6+64*3+6)/512}},
		{"who calls nobody again is not counted", recursion(nil, op(opCall, 1), nil, function{"i:", nil, nil}), []uint32{0, 0}},
		{"two that call each other are", recursion(nil, op(opCall, 1), nil, function{"i:", nil, code(op(opLocalGet, 0), self)}), []uint32{27, 24 + 1 + 1}},
		{"and with them who is not counted between", recursion(nil, op(opCall, 1), nil, function{"i:", nil, code(op(opLocalGet, 0), op(opCall, 2), op(opLocalGet, 0), self)}, function{"i:", nil, nil}),
			[]uint32{27, 24 + 1 + 1, 0}},
		{"a call through the table is one of all of its type", recursion(nil, code(i32(1), opCallIndirect, 0, 0), nil, function{"i:", nil, nil}), []uint32{27, 0}},
		{"and of no other", recursion([]string{"i:", "i:i"}, code(i32(1), opCallIndirect, 1, 0, opDrop), nil, function{"i:i", nil, i32(0)}), []uint32{0, 0}},
		{"types that are written alike are one", recursion([]string{"I:", "i:", "i:"}, code(i32(1), opCallIndirect, 2, 0), nil), []uint32{27}},
		{"what no table can hold is not called", guest{table: []byte{typeFuncref, 0, 4}, exports: []export{{"run", 0, 0}},
			funcs: []function{{"i:", nil, code(op(opLocalGet, 0), i32(0), opCallIndirect, 0, 0)}}}.encode(), []uint32{0}},
		{"what ref.func names may come to be in it", guest{table: []byte{typeFuncref, 0, 4}, exports: []export{{"run", 0, 0}},
			funcs: []function{{"i:", nil, code(i32(0), op(opRefFunc, 0), op(opTableSet, 0), op(opLocalGet, 0), i32(0), opCallIndirect, 0, 0)}}}.encode(), []uint32{27}},
		{"and what a variable begins with", guest{table: []byte{typeFuncref, 0, 4}, exports: []export{{"run", 0, 0}}, globals: [][]byte{{typeFuncref, 0, opRefFunc, 0, opEnd}},
			funcs: []function{{"i:", nil, code(i32(0), op(opGlobalGet, 0), op(opTableSet, 0), op(opLocalGet, 0), i32(0), opCallIndirect, 0, 0)}}}.encode(), []uint32{27}},
		{"and what an expression of a segment names", guest{table: []byte{typeFuncref, 0, 4}, exports: []export{{"run", 0, 0}},
			elements: [][]byte{{5, typeFuncref, 1, opRefFunc, 0, opEnd}}, funcs: []function{{"i:", nil, code(op(opLocalGet, 0), i32(0), opCallIndirect, 0, 0)}}}.encode(), []uint32{27}},
	} {
		l, err := parse(c.module, uncapped())
		if err != nil {
			t.Fatal(c.rule, err)
		}
		g, err := l.graph()
		if err != nil {
			t.Fatal(c.rule, err)
		}
		if got := g.charges()[:len(l.bodies)]; !slices.Equal(got, c.want) {
			t.Errorf("%s: %d, want %d", c.rule, got, c.want)
		}
		compile(t, engines(t)["interpreter"], c.module, roomy) // it is valid
	}
}

// TestChains holds the rest of sentence 7: of functions that call one another in a row as many are counted as it takes for no
// chain without them to have more than 2,048 slots; and one that is counted takes the way to the next as well.
func TestChains(t *testing.T) {
	const each = frameSlots + 1
	g := guest{exports: []export{{"run", 0, 0}}}
	for i := range 200 {
		g.funcs = append(g.funcs, function{":i", nil, op(opCall, i+1)})
	}
	g.funcs = append(g.funcs, function{":i", nil, i32(1)})
	module := g.encode()
	l, err := parse(module, uncapped())
	if err != nil {
		t.Fatal(err)
	}
	graph, err := l.graph()
	if err != nil {
		t.Fatal(err)
	}
	charges, free := graph.charges(), maxChain/each // so many in a row are not counted
	for i := range g.funcs {
		fromEnd := len(g.funcs) - i // the last is the first
		want := uint32(0)
		switch {
		case fromEnd == free+1:
			want = each // and the way to nobody who is counted
		case fromEnd%(free+1) == 0:
			want = each * uint32(free+1)
		}
		if charges[i] != want {
			t.Errorf("function %d of %d takes %d, want %d", i, len(g.funcs), charges[i], want)
		}
	}
	sum := 0
	for _, c := range charges {
		sum += int(c)
	}
	for less, want := range map[int]error{0: nil, 1: ErrStack} {
		i := instantiate(t, compile(t, engines(t)["compiler"], module, Limits{Fuel: 1e6, Stack: sum - less}), IO{})
		if _, err := i.Call(t.Context(), "run"); !errors.Is(err, want) {
			t.Errorf("with a stack of %d: %v, want %v", sum-less, err, want)
		}
	}
}

// deep are modules whose calls nest without end, or as deep as a verifier's may and not one deeper. Each level takes so many
// slots.
func deep() map[string]struct {
	module []byte
	each   int
} {
	type deep = struct {
		module []byte
		each   int
	}
	self := op(opCall, 0)
	values := strings.Repeat("i", wide)
	all := map[string]deep{
		"a function that calls itself":        {recursion(nil, self, nil), 27},
		"one that calls itself through table": {recursion(nil, code(i32(0), opCallIndirect, 0, 0), nil), 27},
		"500 locals":                          {recursion(nil, self, []byte{0xf3, 3, typeI64}), 24 + 500 + 2 + 1},
		"1,000 operands":                      {recursion(nil, code(repeat(999, i32(0)), repeat(999, code(opI32Add)), self), nil), 24 + 1 + 1000 + 5},
		"a call behind 1,000 operands": {recursion([]string{"i:", ":i"}, code(repeat(999, i32(7)), op(opLocalGet, 0), i32(1), opI32Sub, self, repeat(999, []byte{opDrop}), opDrop), nil),
			24 + 1 + 1002 + 6},
		"many values": {recursion([]string{"i:", values + ":" + values}, code(opDrop, times(wide-1, func(i int) []byte { return i32(int32(i)) }), op(opLocalGet, 0), op(opCall, 1), repeat(wide, []byte{opDrop})), nil,
			function{values + ":" + values, nil, code(op(opLocalGet, wide-1), i32(1), opI32Sub, op(opCall, 0), times(wide, func(i int) []byte { return op(opLocalGet, i) }))}), 0},
		"a return from a block with values": {recursion([]string{"i:", "i:iI"}, code(op(opCall, 1), opDrop, opDrop), nil,
			function{"i:iI", nil, code(op(opLocalGet, 0), self, opBlock, blockEmpty, opLoop, blockEmpty, i32(1), i64(2), opReturn, opEnd, opEnd, opUnreachable)}), 0},
	}
	chain := guest{exports: []export{{"run", 0, 0}}}
	for i := range 9_999 {
		chain.funcs = append(chain.funcs, function{"i:", nil, code(op(opLocalGet, 0), op(opCall, (i+1)%9_999))})
	}
	all["9,999 functions in a row, and again"] = deep{chain.encode(), 0}
	row := guest{exports: []export{{"run", 0, 0}}}
	for i := range 9_999 {
		row.funcs = append(row.funcs, function{"i:", nil, code(op(opLocalGet, 0), op(opCall, i+1))})
	}
	row.funcs = append(row.funcs, function{"i:", nil, nil})
	all["10,000 functions in a row"] = deep{row.encode(), 0}
	return all
}

// TestDeep holds that calls without end come to theirs at the same place and for the same fuel on every engine, whatever they
// keep; that calls as deep as is granted come to none; and that one more does.
func TestDeep(t *testing.T) {
	limits := Limits{Fuel: 1e9, Memory: 1 << 20}
	trials, want := map[string]trial{}, map[string]string{}
	add := func(name string, module []byte, times int, ending string) {
		name = fmt.Sprintf("%s, %d times", name, times)
		trials[name] = trial{module, limits, job{Steps: []step{{Call: "run", Params: []string{fmt.Sprint(times)}}}}}
		want[name] = ending
	}
	for name, d := range deep() {
		add(name, d.module, -1, "stack")
		if d.each > 0 {
			add(name, d.module, VerifierStack/d.each-1, "")
			add(name, d.module, VerifierStack/d.each, "stack")
		}
	}
	for name, r := range everywhere(t, trials) {
		if len(r.Steps) != 1 || r.Steps[0].Ended != want[name] || (r.Stack == VerifierStack) != (want[name] == "") {
			t.Errorf("%s: %v, want %q", name, r, want[name])
		}
	}
}

// TestDeepStart holds that a start function and _initialize may not nest calls deeper than others.
func TestDeepStart(t *testing.T) {
	forever := function{":", nil, op(opCall, 0)}
	for name, g := range map[string]guest{
		"start":       {funcs: []function{forever}, start: []byte{0}},
		"_initialize": {funcs: []function{forever}, exports: []export{{"_initialize", 0, 0}}},
	} {
		for engine, e := range engines(t) {
			_, err := compile(t, e, g.encode(), roomy).Instantiate(t.Context(), IO{})
			if !errors.Is(err, ErrStack) || !errors.Is(err, ErrTrap) || !strings.Contains(err.Error(), "calls nest too deep") {
				t.Errorf("%s: %s: %v, want ErrStack", name, engine, err)
			}
		}
	}
}

// TestStackIsGivenBack holds that an instance can be called again and again, however a function is left.
func TestStackIsGivenBack(t *testing.T) {
	ways := code(opBlock, blockEmpty, opBlock, blockEmpty, opBlock, blockEmpty, op(opLocalGet, 0), opBrTable, 2, 0, 1, 2, opEnd,
		i32(7), i32(1), op(opCall, 0), opReturn, opEnd, i32(2), op(opBr, 1), opEnd, op(opLocalGet, 0), i32(3), op(opBrIf, 0))
	module := guest{exports: []export{{"run", 0, 0}}, funcs: []function{{"i:i", nil, ways}}}.encode()
	for name, e := range engines(t) {
		i := instantiate(t, compile(t, e, module, roomy), IO{})
		for n := range uint64(10_000) {
			if r, err := i.Call(t.Context(), "run", n%3); err != nil || r[0] != 2 || i.stack() != VerifierStack {
				t.Fatalf("%s: call with %d: %v, %v, and a stack of %d", name, n%3, r, err, i.stack())
			}
		}
	}
}

// TestCompilersKeepMore holds that what a compiler keeps of the worst functions that are let through, for each of its frames,
// has room many times as often as the stack lets them nest: engines end at 50 MB.
func TestCompilersKeepMore(t *testing.T) {
	const least = 2 * (VerifierStack + 2*maxChain)
	values := strings.Repeat("i", wide)
	identity := times(wide, func(i int) []byte { return op(opLocalGet, i) })
	bodies := map[string]shape{
		"16 values held over calls": func(n, locals int) []byte {
			return code(repeat(wide, i32(0)), repeat(n, code(op(opCall, 0), op(opCall, 1))), repeat(wide, []byte{opDrop}))
		},
		"a value held over calls": func(n, locals int) []byte { return code(i32(1), repeat(n, code(op(opCall, 3), opI32Add)), opDrop) },
		"merges": func(n, locals int) []byte {
			return code(repeat(n, code(opBlock, blockEmpty)), times(n/2, func(i int) []byte { return code(op(opCall, 3), op(opBrIf, n-1-i)) }),
				times(locals, func(i int) []byte { return code(op(opCall, 3), op(opLocalSet, i)) }),
				times(n/2, func(i int) []byte { return code(op(opCall, 3), op(opBrIf, i)) }), repeat(n, []byte{opEnd}), all(locals))
		},
		"nested loops": branching()["nested loops, branching, all"], "loops with values": passing()["loops with values"],
	}
	for name, body := range bodies {
		for _, locals := range []int{1, 10, 100} {
			module, n := largest(func(n int) []byte {
				return guest{types: []string{values + ":" + values, ":" + values}, memory: []byte{0, 1}, exports: []export{{"run", 0, 2}},
					funcs: []function{{values + ":" + values, nil, identity}, {":", nil, nil}, {":", declared(locals), code(op(opCall, 2), body(n, locals))}, {":i", nil, i32(1)}}}.encode()
			})
			i := instantiate(t, compile(t, engines(t)["compiler"], module, Limits{Fuel: 1e9, Memory: 1 << 20, Stack: least}), IO{})
			if _, err := i.Call(t.Context(), "run"); !errors.Is(err, ErrStack) {
				t.Errorf("%d %s with %d locals: %v, want ErrStack", n, name, locals, err)
			}
		}
	}
}

// TestHeights holds that the height of the operand stack is known behind every instruction there is, by what a valid module
// leaves: at the end of each body there are its results and nothing else.
func TestHeights(t *testing.T) {
	modules := samples(t)
	modules["Go"] = goModule(t, "reactor", "-buildmode=c-shared")
	for name, module := range modules {
		l, err := parse(module, uncapped())
		if err != nil {
			t.Fatal(err)
		}
		for i := range l.bodies {
			l.eachHeight(t, i, func(at int, h heights, top block, op instruction) {
				if op.op == opEnd && h.now != top.base+top.results {
					t.Fatalf("%s: function %d: byte %d: %d operands where %d are due", name, i, at, h.now, top.base+top.results)
				}
			})
		}
	}
}

// eachHeight goes through a body and shows the stack before each instruction that can be reached.
func (l *layout) eachHeight(t *testing.T, i int, show func(at int, h heights, top block, op instruction)) {
	t.Helper()
	r := &reader{b: l.bodies[i]}
	r.locals()
	h := heights{open: []block{{results: len(l.types[l.functions[len(l.imports)+i]].results)}}}
	reached := true
	for len(h.open) > 0 && r.err == nil {
		at := r.pos
		op := r.instruction()
		if reached {
			show(at, h, h.open[len(h.open)-1], op)
		}
		h.step(op, l.signature(op, r))
		switch op.op {
		case opUnreachable, opBr, opBrTable, opReturn:
			reached = false
		case opEnd, opElse:
			reached = true
		case opBlock, opLoop, opIf: // whether what is in them is reached does not matter: they begin with what they take
		}
	}
	if r.err != nil {
		t.Fatal(r.err)
	}
}
