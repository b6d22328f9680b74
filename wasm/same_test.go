package wasm

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

// TestSameResult holds that a module computes the same with its counters as without, for random modules; and takes the same
// fuel on both engines.
func TestSameResult(t *testing.T) {
	rounds := 300
	if *long {
		rounds = 30_000
	}
	ends := map[string]int{}
	for seed := range rounds {
		what, _, _ := strings.Cut(sameResult(t, uint64(seed)), " ")
		ends[what]++
	}
	if ends["returns"] < rounds/3 || ends["traps:"] == 0 {
		t.Errorf("the modules end as %v: that tests little", ends)
	}
}

// FuzzSameResult is TestSameResult without end.
func FuzzSameResult(f *testing.F) {
	f.Add(uint64(1), uint64(1))
	f.Fuzz(func(t *testing.T, seed, _ uint64) { sameResult(t, seed) })
}

// sameResult runs the random module of that seed in every way, and says how it ends.
func sameResult(t *testing.T, seed uint64) string {
	t.Helper()
	ctx := context.Background()
	module := randomModule(rand.New(rand.NewPCG(seed, 1)))
	plain := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithCoreFeatures(features))
	defer plain.Close(ctx)
	bare, err := plain.InstantiateWithConfig(ctx, module, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	want := outcome(bare.ExportedFunction("run").Call(ctx, seed))
	memory, _ := bare.Memory().Read(0, bare.Memory().Size())
	var fuel []uint64
	for name, e := range engines(t) {
		i := instantiate(t, compile(t, e, module, roomy), IO{})
		defer i.Close(ctx)
		got := outcome(i.guest.ExportedFunction("run").Call(ctx, seed))
		if got != want {
			t.Fatalf("seed %d: %s: %s, without counters %s", seed, name, got, want)
		}
		if m, _ := i.guest.Memory().Read(0, i.guest.Memory().Size()); !bytes.Equal(m, memory) {
			t.Fatalf("seed %d: %s: the memory differs", seed, name)
		}
		if left := i.stack(); strings.HasPrefix(want, "returns") && left != VerifierStack || left < 0 {
			t.Fatalf("seed %d: %s: %s, and %d of the stack is left", seed, name, want, left)
		}
		fuel = append(fuel, i.FuelUsed())
	}
	if fuel[0] != fuel[1] || fuel[0] == 0 {
		t.Fatalf("seed %d: it takes %d", seed, fuel)
	}
	return want
}

func outcome(results []uint64, err error) string {
	if err != nil {
		return "traps: " + firstLine(err)
	}
	return fmt.Sprintf("returns %d", results)
}

// author writes random functions that end: every loop counts down a local of its own, and every call a global of all.
type author struct {
	*rand.Rand
	budget int
	loops  int
	open   int   // blocks
	result []any // zeros, as many as the function returns
}

// The types of functions that author writes. All of them take one i32, and return one first.
var authored = []string{"i:i", "i:iI", "i:ifF"}

// A random function has locals 0 to 3 for anything and 4 to 9 for loops, and may call any other, itself included.
func randomModule(r *rand.Rand) []byte {
	a := &author{Rand: r}
	g := guest{
		types: authored, table: []byte{typeFuncref, 0, 10}, memory: []byte{1, 1, 3}, passive: true,
		data:     [][]byte{append([]byte{1}, sized([]byte("some bytes of data"))...)},
		globals:  [][]byte{{typeI32, 1, opI32Const, 7, opEnd}, {typeI32, 1, opI32Const, 30, opEnd}},
		elements: [][]byte{{0, opI32Const, 0, opEnd, 3, 1, 2, 3}, {1, 0, 2, 1, 2}},
		exports:  []export{{"run", 0, 0}},
	}
	for i := range 4 {
		a.budget, a.loops, a.open, a.result = 60, 0, 0, nil
		typ := authored[[]int{0, 0, 1, 2}[i]]
		for _, c := range typ[3:] {
			a.result = append(a.result, map[rune][]byte{'I': i64(5), 'f': code(opF32Const, 0, 0, 0, 0), 'F': code(opF64Const, make([]byte, 8))}[c])
		}
		calls := code(op(opGlobalGet, 1), 0x45, opIf, blockEmpty, i32(int32(i)), code(a.result...), opReturn, opEnd, op(opGlobalGet, 1), i32(1), opI32Sub, op(opGlobalSet, 1))
		g.funcs = append(g.funcs, function{typ, []byte{9, typeI32}, code(calls, a.statements(0), a.value(), code(a.result...))})
	}
	return g.encode()
}

func (a *author) statements(depth int) (b []byte) {
	for range 1 + a.IntN(5) {
		if a.budget--; a.budget < 0 {
			break
		}
		b = append(b, a.statement(depth)...)
	}
	return b
}

// inside are the statements of one more block.
func (a *author) inside(depth int) []byte {
	a.open++
	defer func() { a.open-- }()
	return a.statements(depth)
}

// float is a number that is hardly ever one.
func (a *author) float() []byte {
	number := func() []byte {
		return code(i64([]int64{0, -1 << 63, 0x7ff0 << 48, -0x10 << 48, 0x7ff4 << 48, 0x3ff0 << 48}[a.IntN(6)]), 0xbf)
	}
	return code(number(), number(), 0xa0+a.IntN(7), opDemote, opPromote)
}

func (a *author) statement(depth int) []byte {
	local := a.IntN(4)
	switch a.IntN(17) {
	case 13:
		return code(a.value(), opIf, blockEmpty, a.value(), code(a.result...), opReturn, opEnd)
	case 14:
		return code(a.value(), opIf, blockEmpty, a.value(), code(a.result...), op(opBr, a.open+1), opEnd)
	case 15:
		return code(a.float(), 0xfc, 2, op(opLocalSet, local)) // saturating, to see what became of a NaN too
	case 0, 1:
		return code(a.value(), op(0x21, local))
	case 2:
		return code(a.value(), op(opGlobalSet, 0))
	case 3:
		return code(opBlock, blockEmpty, a.inside(depth+1), opEnd)
	case 4:
		return code(a.value(), opIf, blockEmpty, a.inside(depth+1), opEnd)
	case 5:
		return code(a.value(), opIf, blockEmpty, a.inside(depth+1), opElse, a.inside(depth+1), opEnd)
	case 6, 7:
		if a.loops == 6 {
			return []byte{1}
		}
		counter := 4 + a.loops
		a.loops++
		return code(i32(int32(1+a.IntN(4))), op(0x21, counter), opLoop, blockEmpty, a.inside(0),
			op(opLocalGet, counter), i32(1), 0x6b, op(opLocalTee, counter), op(opBrIf, 0), opEnd)
	case 8:
		if depth == 0 {
			return []byte{1}
		}
		return code(a.value(), op(opBrIf, a.IntN(depth)))
	case 9:
		if depth == 0 {
			return []byte{1}
		}
		return code(opBlock, blockEmpty, a.value(), opBrTable, 2, a.IntN(depth+1), a.IntN(depth+1), a.IntN(depth+1), opEnd)
	case 10:
		return code(a.address(), a.value(), 0x36, 0, 0)
	case 11:
		return code(a.address(), a.address(), i32(int32(a.IntN(100))), bulkOp(subMemoryCopy, 0, 0))
	case 12:
		return code(a.address(), a.value(), i32(int32(a.IntN(2000))), bulkOp(subMemoryFill, 0))
	}
	return code(i32(int32(a.IntN(9))), opRefNull, typeFuncref, i32(int32(a.IntN(3))), bulkOp(subTableFill, 0))
}

// address is now and then outside the memory.
func (a *author) address() []byte { return i32(int32(a.IntN(65600 - 3*a.IntN(10_000)))) }

func (a *author) value() []byte {
	switch a.IntN(11) {
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
		callee := a.IntN(4)
		return code(op(opLocalGet, a.IntN(4)), op(opCall, callee), [][]byte{nil, nil, {opDrop}, {opDrop, opDrop}}[callee])
	case 7:
		typ := a.IntN(3)
		return code(op(opLocalGet, a.IntN(4)), i32(int32(a.IntN(4))), opCallIndirect, typ, 0, repeat(typ, []byte{opDrop}))
	case 8:
		return code(a.float(), a.float(), 0x61+a.IntN(6))
	case 6:
		return code(i32(int32(a.IntN(2))), opMemoryGrow, 0)
	}
	return op(opLocalGet, a.IntN(10))
}
