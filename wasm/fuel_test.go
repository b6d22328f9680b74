package wasm

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
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
