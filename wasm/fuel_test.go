package wasm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
)

// TestFuelRule holds the rule of the package comment, sentence by sentence: what a call of run takes, on both engines.
func TestFuelRule(t *testing.T) {
	loop := func(times int32, body ...any) []byte { // takes 1 local
		return code(i32(times), op(opLocalTee-1, 0), opLoop, blockEmpty, code(body...),
			op(opLocalGet, 0), i32(1), 0x6b, op(opLocalTee, 0), op(opBrIf, 0), opEnd)
	}
	one := []byte{1, typeI32}
	for _, c := range []struct {
		rule   string
		locals []byte
		code   []byte
		fuel   uint64
	}{
		{"1 and 2: a body that does nothing weighs 1", nil, nil, 1},
		{"2: an instruction weighs 1", nil, code(i32(1), i32(2), 0x6a, opDrop), 1 + 4},
		{"2: a nop, too", nil, code(1, 1, 1), 1 + 3},
		{"2: block and end weigh 0", nil, code(opBlock, blockEmpty, 1, opEnd), 1 + 1},
		{"1: behind an end begins a segment", nil, code(opBlock, blockEmpty, op(opBr, 0), opEnd, 1), 1 + 1 + 1},
		{"2: reachable or not", nil, code(opBlock, blockEmpty, op(opBr, 0), 1, 1, opEnd, 1), 1 + 3 + 1},
		{"3: what control does not come to is free", nil, code(opBlock, blockEmpty, op(opBr, 0), opBlock, blockEmpty, opEnd, 1, 1, opEnd, 1), 1 + 1 + 1},
		{"1: behind an else begins a segment: then", nil, code(i32(1), opIf, blockEmpty, 1, opElse, 1, 1, 1, opEnd, 1), 1 + 3 + 1},
		{"1: behind an else begins a segment: else", nil, code(i32(0), opIf, blockEmpty, 1, opElse, 1, 1, 1, opEnd, 1), 1 + 3 + 3 + 1},
		{"an if whose condition fails is paid for up to its end", nil, code(i32(0), opIf, blockEmpty, 1, 1, opEnd, 1), 1 + 4 + 1},
		{"2 and 3: the head of a loop weighs 1 at every arrival", one, loop(1), 1 + 2 + 1*(1+5)},
		{"3: a loop is paid for as often as it runs", one, loop(10), 1 + 2 + 10*(1+5)},
		{"1: a loop in a loop", []byte{2, typeI32}, loop(3, i32(4), op(0x21, 1), opLoop, blockEmpty, op(opLocalGet, 1), i32(1), 0x6b,
			op(opLocalTee, 1), op(opBrIf, 0), opEnd), 1 + 2 + 3*(1+2+4*(1+5)+5)},
		{"2: call weighs 3", nil, code(op(opCall, 1)), 1 + 3 + 1},
		{"2: call_indirect weighs 3", nil, code(i32(0), opCallIndirect, 0, 0), 1 + 1 + 3 + 1},
		{"2: ref.func weighs 128", nil, code(op(opRefFunc, 1), opDrop), 1 + 128 + 1},
		{"2: memory.grow weighs 64, whatever it grows", nil, code(i32(5), opMemoryGrow, 0, opDrop), 1 + 1 + 64 + 1},
		{"2 and 4: memory.fill of 7 bytes", nil, code(i32(0), i32(0), i32(7), bulkOp(subMemoryFill, 0)), 1 + 3 + 16},
		{"2 and 4: memory.fill of 8 bytes", nil, code(i32(0), i32(0), i32(8), bulkOp(subMemoryFill, 0)), 1 + 3 + 16 + 1},
		{"2 and 4: memory.copy of 65,535 bytes", nil, code(i32(0), i32(1), i32(65535), bulkOp(subMemoryCopy, 0, 0)), 1 + 3 + 16 + 8191},
		{"2 and 4: memory.init of 17 bytes", nil, code(i32(0), i32(0), i32(17), bulkOp(subMemoryInit, 0, 0)), 1 + 3 + 16 + 2},
		{"2: data.drop weighs 1", nil, code(bulkOp(subDataDrop, 0)), 1 + 1},
		{"2 and 4: table.fill of 50 entries", nil, code(i32(0), opRefNull, typeFuncref, i32(50), bulkOp(subTableFill, 0)), 1 + 3 + 16 + 50},
		{"2 and 4: table.copy of 3 entries", nil, code(i32(0), i32(1), i32(3), bulkOp(subTableCopy, 0, 0)), 1 + 3 + 16 + 3},
		{"2 and 4: table.init of 1 entry", nil, code(i32(0), i32(0), i32(1), bulkOp(subTableInit, 1, 0)), 1 + 3 + 16 + 1},
		{"2: elem.drop weighs 1", nil, code(bulkOp(subElemDrop, 1)), 1 + 1},
		{"2 and 4: table.grow by 20 entries", nil, code(opRefNull, typeFuncref, i32(20), bulkOp(subTableGrow, 0), opDrop), 1 + 2 + 64 + 20 + 1},
		{"4: two bulk instructions in one body", nil, repeat(2, code(i32(0), i32(0), i32(80), bulkOp(subMemoryFill, 0))), 1 + 2*(3+16+10)},
	} {
		module := run(":", c.locals, c.code)
		for name, e := range engines(t) {
			i := instantiate(t, compile(t, e, module, roomy), IO{})
			if _, err := i.Call(context.Background(), "run"); err != nil {
				t.Errorf("%s: %s: %v", c.rule, name, err)
			} else if got := i.FuelUsed(); got != c.fuel {
				t.Errorf("%s: %s: takes %d, want %d", c.rule, name, got, c.fuel)
			}
		}
	}
}

// TestOutOfFuel holds sentence 6: whatever a module tries, it stops soon after its fuel is used up, and says so.
func TestOutOfFuel(t *testing.T) {
	forever := code(opLoop, blockEmpty, op(opBr, 0), opEnd)
	twice := func(other int) function { // forty deep, and no loop
		call := code(op(opLocalGet, 0), i32(1), 0x6b, op(opCall, other))
		return function{"i:", nil, code(op(opLocalGet, 0), opIf, blockEmpty, call, call, opEnd)}
	}
	recursion := guest{exports: []export{{"run", 0, 2}}, funcs: []function{twice(1), twice(0), {":", nil, code(i32(40), op(opCall, 0))}}}
	huge := func(sub byte, immediates ...byte) []byte {
		return code(opLoop, blockEmpty, i32(0), i32(0), i32(1<<16), bulkOp(sub, immediates...), op(opBr, 0), opEnd)
	}
	for name, module := range map[string][]byte{
		"an empty loop":                   run(":", nil, forever),
		"a loop that only weighs 1":       run(":", nil, code(opLoop, blockEmpty, opBlock, blockEmpty, opEnd, op(opBr, 0), opEnd)),
		"a loop of br_table":              run(":", nil, code(opLoop, blockEmpty, i32(0), opBrTable, 0, 0, opEnd)),
		"loops in one another":            run(":", nil, code(repeat(50, code(opLoop, blockEmpty)), op(opBr, 20), repeat(50, []byte{opEnd}))),
		"endless memory.fill":             run(":", nil, huge(subMemoryFill, 0)),
		"endless memory.copy":             run(":", nil, huge(subMemoryCopy, 0, 0)),
		"memory.fill of 4 GiB":            run(":", nil, code(i32(0), i32(0), i32(-1), bulkOp(subMemoryFill, 0), forever)),
		"table.grow by all there are":     run(":", nil, code(opRefNull, typeFuncref, i32(-1), bulkOp(subTableGrow, 0), opDrop, forever)),
		"endless memory.grow":             run(":", nil, code(opLoop, blockEmpty, i32(1), opMemoryGrow, 0, opDrop, op(opBr, 0), opEnd)),
		"endless ref.func":                run(":", nil, code(opLoop, blockEmpty, op(opRefFunc, 1), opDrop, op(opBr, 0), opEnd)),
		"straight on, beyond the end":     run(":", nil, repeat(60_000, []byte{1})),
		"functions that call one another": recursion.encode(),
		"a call of an import": guest{imports: [][3]string{{wasiModule, "sched_yield", ":i"}}, memory: []byte{0, 1}, exports: []export{{"run", 0, 1}},
			funcs: []function{{":", nil, code(opLoop, blockEmpty, op(opCall, 0), opDrop, op(opBr, 0), opEnd)}}}.encode(),
	} {
		for engine, e := range engines(t) {
			start := time.Now()
			const fuel = 50_000
			i := instantiate(t, compile(t, e, module, Limits{Fuel: fuel, Memory: 1 << 20}), IO{})
			_, err := i.Call(context.Background(), "run")
			if !errors.Is(err, ErrFuel) || i.FuelUsed() != fuel {
				t.Errorf("%s: %s: %v with %d used, want ErrFuel with all", name, engine, err, i.FuelUsed())
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("%s: %s: takes %v", name, engine, took)
			}
		}
	}
}

// TestTrapIsNotFuel holds that other traps are told from want of fuel, even with little of it left.
func TestTrapIsNotFuel(t *testing.T) {
	recursion := guest{exports: []export{{"run", 0, 0}}, funcs: []function{{":", nil, code(op(opCall, 0))}}}.encode()
	for name, module := range map[string][]byte{
		"unreachable":          run(":", nil, code(opUnreachable)),
		"a load out of bounds": run(":", nil, code(i32(-1), opLoad, 0, 0, opDrop)),
		"a division by zero":   run(":", nil, code(i32(1), i32(0), 0x6d, opDrop)),
		"calls without end":    recursion,
		"an empty table entry": run(":", nil, code(i32(5), opCallIndirect, 0, 0)),
	} {
		for engine, e := range engines(t) {
			i := instantiate(t, compile(t, e, module, roomy), IO{})
			if _, err := i.Call(context.Background(), "run"); !errors.Is(err, ErrTrap) || errors.Is(err, ErrFuel) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %s: %v, want one line of ErrTrap", name, engine, err)
			}
		}
	}
}

// TestStart holds that the start function and _initialize are paid for, too, cannot run without end, and run once, in order.
func TestStart(t *testing.T) {
	set := func(global int, body ...any) []byte { // appends a digit to the global
		return code(op(opGlobalGet, 0), i32(10), 0x6c, i32(int32(global)), 0x6a, op(opGlobalSet, 0), code(body...))
	}
	module := func(start ...any) []byte {
		return guest{
			funcs:   []function{{":", nil, set(1, start...)}, {":", nil, set(2)}, {":i", nil, code(op(opGlobalGet, 0))}, {":", nil, set(3)}},
			globals: [][]byte{{typeI32, 1, opI32Const, 0, opEnd}},
			exports: []export{{"_initialize", 0, 1}, {"run", 0, 2}, {"_start", 0, 3}},
			start:   []byte{0},
		}.encode()
	}
	for name, e := range engines(t) {
		i := instantiate(t, compile(t, e, module(), roomy), IO{})
		if got := i.FuelUsed(); got != 14 {
			t.Errorf("%s: beginning takes %d, want 14", name, got)
		}
		if got, err := i.Call(context.Background(), "run"); err != nil || got[0] != 12 {
			t.Errorf("%s: the order is %v, %v, want the start function, _initialize, and nothing else", name, got, err)
		}
		for words, start := range map[string][]byte{"fuel": code(opLoop, blockEmpty, op(opBr, 0), opEnd), "trapped": {opUnreachable}} {
			i, err := compile(t, e, module(start), Limits{Fuel: 1000}).Instantiate(context.Background(), IO{})
			if err == nil || !strings.Contains(err.Error(), words) || i.FuelUsed() == 0 {
				t.Errorf("%s: a start function that ends in %s: %v", name, words, err)
			}
			if _, err := i.Call(context.Background(), "run"); !errors.Is(err, ErrRefused) {
				t.Errorf("%s: a call of an instance that did not come to be: %v", name, err)
			}
		}
	}
}

// TestClamped holds that memory and table grow to their limits and no further.
func TestClamped(t *testing.T) {
	grow := func(table, memory []byte, body []byte) []byte {
		return guest{table: table, memory: memory, exports: []export{{"run", 0, 0}}, funcs: []function{{"i:i", nil, body}}}.encode()
	}
	more := code(op(opLocalGet, 0), opMemoryGrow, 0)
	entries := code(opRefNull, typeFuncref, op(opLocalGet, 0), bulkOp(subTableGrow, 0))
	const none = 1<<32 - 1
	for _, c := range []struct {
		name   string
		module []byte
		by     uint64
		want   uint64
	}{
		{"a memory without a maximum, to the limit", grow(nil, []byte{0, 1}, more), 15, 1},
		{"a memory without a maximum, beyond the limit", grow(nil, []byte{0, 1}, more), 16, none},
		{"a memory with a lower maximum", grow(nil, []byte{1, 1, 2}, more), 2, none},
		{"a memory with a higher maximum", grow(nil, append([]byte{1, 1}, appendU32(nil, 65536)...), more), 16, none},
		{"a table without a maximum, to the limit", grow([]byte{typeFuncref, 0, 2}, nil, entries), 65534, 2},
		{"a table without a maximum, beyond the limit", grow([]byte{typeFuncref, 0, 2}, nil, entries), 65535, none},
		{"a table of more than the limit", grow(append([]byte{typeFuncref, 0}, appendU32(nil, 70_000)...), nil, entries), 1, none},
	} {
		for name, e := range engines(t) {
			i := instantiate(t, compile(t, e, c.module, Limits{Fuel: 1e6, Memory: 1<<20 + 1}), IO{})
			if got, err := i.Call(context.Background(), "run", c.by); err != nil || got[0] != c.want {
				t.Errorf("%s: %s: %v, %v, want %d", c.name, name, got, err, c.want)
			}
		}
	}
	if _, err := Instrument(grow(nil, []byte{0, 17}, more), Limits{Fuel: 1, Memory: 1 << 20}); !errors.Is(err, ErrRefused) {
		t.Errorf("a memory that begins beyond the limit: %v, want ErrRefused", err)
	}
	for _, l := range []Limits{{Fuel: MaxFuel + 1}, {Fuel: 1, Memory: MaxMemory + 1}} {
		_, err := engines(t)["compiler"].Compile(context.Background(), grow(nil, []byte{0, 1}, more), ServiceCaps(), l)
		if !errors.Is(err, ErrLimits) || errors.Is(err, ErrRefused) {
			t.Errorf("%+v: %v, want ErrLimits", l, err)
		}
	}
}

// TestSameResult holds that a module computes the same with its counter as without, for random modules; and takes the same
// fuel on both engines.
func TestSameResult(t *testing.T) {
	rounds := 300
	if *long {
		rounds = 30_000
	}
	ctx := context.Background()
	plain := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithCoreFeatures(features))
	defer plain.Close(ctx)
	both := engines(t)
	ends := map[string]int{}
	for seed := range rounds {
		module := randomModule(rand.New(rand.NewPCG(uint64(seed), 1)))
		code, err := plain.CompileModule(ctx, module)
		if err != nil {
			t.Fatalf("seed %d: the module is invalid: %v", seed, err)
		}
		bare, err := plain.InstantiateModule(ctx, code, wazero.NewModuleConfig().WithName(""))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		want := outcome(bare.ExportedFunction("run").Call(ctx, uint64(seed)))
		memory, _ := bare.Memory().Read(0, bare.Memory().Size())
		var fuel []uint64
		for name, e := range both {
			i := instantiate(t, compile(t, e, module, roomy), IO{})
			got := outcome(i.guest.ExportedFunction("run").Call(ctx, uint64(seed)))
			if got != want {
				t.Fatalf("seed %d: %s: %s, without counter %s", seed, name, got, want)
			}
			if m, _ := i.guest.Memory().Read(0, i.guest.Memory().Size()); !bytes.Equal(m, memory) {
				t.Fatalf("seed %d: %s: the memory differs", seed, name)
			}
			fuel = append(fuel, i.FuelUsed())
			i.Close(ctx)
		}
		if fuel[0] != fuel[1] || fuel[0] == 0 {
			t.Fatalf("seed %d: it takes %d", seed, fuel)
		}
		what, _, _ := strings.Cut(want, " ")
		ends[what]++
		bare.Close(ctx)
		code.Close(ctx)
	}
	if ends["returns"] < rounds/3 || ends["traps:"] == 0 {
		t.Errorf("the modules end as %v: that tests little", ends)
	}
}

func outcome(results []uint64, err error) string {
	if err != nil {
		return "traps: " + firstLine(err)
	}
	return fmt.Sprintf("returns %d", results)
}

// author writes random functions that end: every loop counts down a local of its own.
type author struct {
	*rand.Rand
	budget int
	loops  int
}

// A random function has locals 0 to 3 for anything and 4 to 9 for loops. It may call functions after it.
func randomModule(r *rand.Rand) []byte {
	a := &author{Rand: r}
	g := guest{
		table: []byte{typeFuncref, 0, 10}, memory: []byte{1, 1, 3}, passive: true,
		data:     [][]byte{append([]byte{1}, sized([]byte("some bytes of data"))...)},
		globals:  [][]byte{{typeI32, 1, opI32Const, 7, opEnd}},
		elements: [][]byte{{0, opI32Const, 0, opEnd, 2, 1, 2}, {1, 0, 2, 1, 2}},
		exports:  []export{{"run", 0, 0}},
	}
	for i := range 3 {
		a.budget, a.loops = 60, 0
		body := code(a.statements(0, i), a.value(i))
		g.funcs = append(g.funcs, function{"i:i", []byte{9, typeI32}, body})
	}
	return g.encode()
}

func (a *author) statements(depth, function int) (b []byte) {
	for range 1 + a.IntN(5) {
		if a.budget--; a.budget < 0 {
			break
		}
		b = append(b, a.statement(depth, function)...)
	}
	return b
}

func (a *author) statement(depth, function int) []byte {
	local := a.IntN(4)
	switch a.IntN(14) {
	case 0, 1:
		return code(a.value(function), op(0x21, local))
	case 2:
		return code(a.value(function), op(opGlobalSet, 0))
	case 3:
		return code(opBlock, blockEmpty, a.statements(depth+1, function), opEnd)
	case 4:
		return code(a.value(function), opIf, blockEmpty, a.statements(depth+1, function), opEnd)
	case 5:
		return code(a.value(function), opIf, blockEmpty, a.statements(depth+1, function), opElse, a.statements(depth+1, function), opEnd)
	case 6, 7:
		if a.loops == 6 {
			return []byte{1}
		}
		counter := 4 + a.loops
		a.loops++
		return code(i32(int32(1+a.IntN(4))), op(0x21, counter), opLoop, blockEmpty, a.statements(0, function),
			op(opLocalGet, counter), i32(1), 0x6b, op(opLocalTee, counter), op(opBrIf, 0), opEnd)
	case 8:
		if depth == 0 {
			return []byte{1}
		}
		return code(a.value(function), op(opBrIf, a.IntN(depth)))
	case 9:
		if depth == 0 {
			return []byte{1}
		}
		return code(opBlock, blockEmpty, a.value(function), opBrTable, 2, a.IntN(depth+1), a.IntN(depth+1), a.IntN(depth+1), opEnd)
	case 10:
		return code(a.address(), a.value(function), 0x36, 0, 0)
	case 11:
		return code(a.address(), a.address(), i32(int32(a.IntN(100))), bulkOp(subMemoryCopy, 0, 0))
	case 12:
		return code(a.address(), a.value(function), i32(int32(a.IntN(2000))), bulkOp(subMemoryFill, 0))
	}
	return code(i32(int32(a.IntN(9))), opRefNull, typeFuncref, i32(int32(a.IntN(3))), bulkOp(subTableFill, 0))
}

// address is now and then outside the memory.
func (a *author) address() []byte { return i32(int32(a.IntN(65600 - 3*a.IntN(10_000)))) }

func (a *author) value(function int) []byte {
	switch a.IntN(9) {
	case 0:
		return i32(int32(a.Uint32()))
	case 1:
		return op(opGlobalGet, 0)
	case 2:
		operators := []int{0x6a, 0x6b, 0x6c, 0x71, 0x72, 0x73, 0x74, 0x75, 0x77, 0x46, 0x48, 0x4b}
		return code(op(opLocalGet, a.IntN(4)), i32(int32(a.IntN(50))), operators[a.IntN(len(operators))])
	case 3:
		return code(op(opLocalGet, a.IntN(4)), op(opLocalGet, a.IntN(4)), 0x6e) // may divide by zero
	case 4:
		return code(a.address(), opLoad, 0, 0)
	case 5:
		if function < 2 {
			return code(op(opLocalGet, a.IntN(4)), op(opCall, function+1+a.IntN(2-function)))
		}
	case 6:
		return code(i32(int32(a.IntN(2))), opMemoryGrow, 0)
	}
	return op(opLocalGet, a.IntN(10))
}
