package wasm

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// TestOneNaN holds sentence 8 of the package comment: whatever a NaN is computed from, and on whatever engine, it is the same
// one; and bits that are only moved stay as they are.
func TestOneNaN(t *testing.T) {
	const odd32, odd64 = 0xffa00001, 0xfff4000000000001 // signalling, with a sign and something to say
	f32 := func(bits uint32) []byte { return code(i32(int32(bits)), 0xbe) }
	f64 := func(bits uint64) []byte { return code(i64(int64(bits)), 0xbf) }
	zero32, zero64, minus64 := f32(0), f64(0), f64(math.Float64bits(-1))
	infinite := f64(math.Float64bits(math.Inf(1)))
	module := func(body []byte) []byte { return run(":I", nil, body) }
	from32 := func(body ...any) []byte { return module(code(code(body...), 0xbc, opI64ExtendU)) }
	from64 := func(body ...any) []byte { return module(code(code(body...), 0xbd)) }
	trials, want := map[string]trial{}, map[string]uint64{}
	add := func(name string, module []byte, bits uint64) {
		trials[name] = trial{module, Limits{Fuel: 1e6, Memory: 1 << 20}, job{Steps: []step{{Call: "run"}}}}
		want[name] = bits
	}
	for op := opF32Ceil; op <= opF32Sqrt; op++ {
		add(fmt.Sprintf("f32 %#x of a NaN", op), from32(f32(odd32), op), canonical32)
		add(fmt.Sprintf("f64 %#x of a NaN", op+14), from64(f64(odd64), op+14), canonical64)
	}
	for op := opF32Sqrt + 1; op <= opF32Max; op++ {
		add(fmt.Sprintf("f32 %#x with a NaN first", op), from32(f32(odd32), zero32, op), canonical32)
		add(fmt.Sprintf("f32 %#x with a NaN second", op), from32(zero32, f32(odd32), op), canonical32)
		add(fmt.Sprintf("f64 %#x with a NaN first", op+14), from64(f64(odd64), minus64, op+14), canonical64)
		add(fmt.Sprintf("f64 %#x with a NaN second", op+14), from64(minus64, f64(odd64), op+14), canonical64)
	}
	add("0 / 0", from64(zero64, zero64, 0xa3), canonical64)
	add("0 / 0 as f32", from32(zero32, zero32, 0x95), canonical32)
	add("the root of -1", from64(minus64, 0x9f), canonical64)
	add("infinity - infinity", from64(infinite, infinite, 0xa1), canonical64)
	add("0 * infinity", from64(zero64, infinite, 0xa2), canonical64)
	add("its sign", from64(f64(math.Float64bits(1)), zero64, zero64, 0xa3, 0xa6), math.Float64bits(1))
	add("demoted", from32(f64(odd64), opDemote), canonical32)
	add("promoted", from64(f32(odd32), opPromote), canonical64)
	add("negated", from64(f64(odd64), 0x9a), odd64^1<<63)
	add("without its sign", from64(f64(odd64), 0x99), odd64&^(1<<63))
	add("given a sign", from32(f32(odd32), zero32, 0x98), odd32&^(1<<31))
	add("stored and loaded", module(code(i32(0), f64(odd64), 0x39, 3, 0, i32(0), 0x29, 3, 0)), odd64)
	add("a number", from64(minus64, minus64, 0xa0), math.Float64bits(-2))
	add("-0", from64(f64(1<<63), f64(1<<63), 0xa0), 1<<63)
	for name, r := range everywhere(t, trials) {
		if len(r.Steps) != 1 || r.Steps[0].Ended != "" || r.Steps[0].Results[0] != fmt.Sprint(want[name]) {
			t.Errorf("%s: %v, want %d", name, r, want[name])
		}
	}
}

// TestAddedLocals holds that what needs locals of its own in one body gets one of each kind.
func TestAddedLocals(t *testing.T) {
	body := code(opF32Const, 0, 0, 0x80, 0x3f, opPromote, op(opLocalTee, 2), op(opLocalGet, 2), 0xa0, opDemote, 0xa8, op(opLocalGet, 1), opI32Add, op(opLocalSet, 0),
		i32(16), i32(32), i32(8), bulkOp(subMemoryCopy, 0, 0), op(opLocalGet, 0))
	trials := map[string]trial{"all": {run("i:i", []byte{1, typeI32, 1, typeF64}, body), Limits{Fuel: 1e6, Memory: 1 << 20}, job{Steps: []step{{Call: "run", Params: []string{"5"}}}}}}
	if r := everywhere(t, trials)["all"]; !strings.HasPrefix(r.String(), "[{ [2] []}]") {
		t.Errorf("%v, want 2", r)
	}
}
