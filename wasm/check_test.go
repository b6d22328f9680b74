package wasm

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestRefused lists what the house does not take, each with the words that the author reads.
func TestRefused(t *testing.T) {
	body := func(parts ...any) []byte { return run(":", nil, code(parts...)) }
	sections := func(parts ...any) []byte { return append(bytes.Clone(header), code(parts...)...) }
	section := func(id int, items ...any) []byte { return append([]byte{byte(id)}, sized(code(items...))...) }
	nothing := guest{funcs: []function{{":", nil, nil}}}
	imports := func(module, name, typ string) []byte {
		return guest{imports: [][3]string{{module, name, typ}}, memory: []byte{0, 1}}.encode()
	}
	exports := func(name string, kind byte, index int) []byte {
		g := nothing
		g.exports = []export{{name, kind, index}}
		return g.encode()
	}
	for _, c := range []struct {
		name   string
		module []byte
		words  string
	}{
		{"empty", nil, "does not begin like"},
		{"no module", []byte("\x7fELF, and so on"), "does not begin like"},
		{"version 2", []byte("\x00asm\x02\x00\x00\x00"), "does not begin like"},
		{"component", []byte("\x00asm\x0d\x00\x01\x00"), "does not begin like"},
		{"a section cut short", sections(1, 5, 1), "ends too early"},
		{"a section too long for its content", sections(section(secType, 0, 0)), "1 bytes too many"},
		{"sections out of order", sections(section(secMemory, 0), section(secType, 0)), "out of order"},
		{"a section twice", sections(section(secType, 0), section(secType, 0)), "stands twice"},
		{"an unknown section", sections(section(14, 0)), "unknown"},
		{"a section length of six bytes", sections(1, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0), "longer than 32 bits"},
		{"a custom section whose name is cut short", sections(section(0, 9, 'x')), "custom section"},
		{"a count beyond the bytes", sections(section(secType, 0xe0, 3)), "480 types announced, 0 bytes left"},

		{"vectors", body(0xfd, 12, make([]byte, 16), opDrop), "(SIMD)"},
		{"a vector as a type", sections(section(secType, 1, 0x60, 1, 0x7b, 0)), "SIMD"},
		{"atomics", body(0xfe, 3, 0), "(threads)"},
		{"a shared memory", sections(section(secMemory, 1, 3, 1, 1)), "threads"},
		{"exceptions", body(0x08, 0), "(exceptions)"},
		{"a tag", sections(section(13, 1, 0, 0)), "unknown"},
		{"a tail call", body(0x12, 0), "(tail calls)"},
		{"a 64-bit memory", sections(section(secMemory, 1, 4, 1)), "64-bit"},
		{"typed references", body(0x14, 0), "(typed references)"},
		{"a type that is no function", sections(section(secType, 1, 0x5f, 0)), "no function"},
		{"two memories", sections(section(secMemory, 2, 0, 1, 0, 1)), "2 memories, at most 1"},
		{"two tables", sections(section(secTable, 2, 0x70, 0, 1, 0x70, 0, 1)), "2 tables, at most 1"},
		{"an access to another memory", body(i32(0), 0x28, 0x40, 0, 1, opDrop), "another memory"},
		{"memory.copy to another memory", body(i32(0), i32(0), i32(0), bulkOp(subMemoryCopy, 1, 0)), "there is only one"},
		{"call_indirect through another table", body(i32(0), opCallIndirect, 0, 1), "there is only one"},
		{"select of two values", body(i32(0), i32(0), i32(0), opSelectTyped, 2, typeI32, typeI32), "more than one value"},
		{"an unknown instruction", body(0xfc, 18, 0), "is not taken"},
		{"a constant of two instructions", sections(section(secGlobal, 1, typeI32, 0, i32(1), i32(2), 0x6a, opEnd)),
			"more than one instruction"},
		{"a memory beyond 4 GiB", sections(section(secMemory, 1, op(0, 1<<16+1))), "limits"},
		{"a memory whose most is less than its least", sections(section(secMemory, 1, 1, 2, 1)), "limits 2 to 1"},

		{"an imported memory", sections(section(secImport, 1, sized([]byte("env")), sized([]byte("memory")), 2, 0, 1)), "no function"},
		{"an imported table", sections(section(secImport, 1, sized([]byte("env")), sized([]byte("t")), 1, 0x70, 0, 1)), "no function"},
		{"an imported global", sections(section(secImport, 1, sized([]byte("env")), sized([]byte("g")), 3, typeI32, 0)), "no function"},
		{"another import from env", imports("env", "seed", ":F"), "imports env.seed, which the host does not give"},
		{"an import from elsewhere", imports("wasi_unstable", "fd_write", "iiii:i"), "imports wasi_unstable.fd_write"},
		{"a function that WASI does not have", imports(wasiModule, "fd_wrote", "iiii:i"), "which the host does not give"},
		{"env.abort of another type", imports("env", "abort", "i:"), "imports env.abort as (i32) -> (), which is (i32, i32, i32, i32) -> ()"},
		{"WASI without a memory", guest{imports: [][3]string{{wasiModule, "sched_yield", ":i"}}}.encode(), "has no memory"},
		{"an export under the counter's name", exports(exportFuel, 0, 0), "belong to the host"},
		{"an export under the stack's name", exports(exportStack, 3, 0), "belong to the host"},
		{"an export under the yield's name", exports(exportYield, 0, 0), "belong to the host"},
		{"an export under the start function's name", exports(exportStart, 0, 0), "belong to the host"},
		{"an export of a function that is not there", exports("f", 0, 1), "function 1 of 1"},
		{"a call of a function that is not there", body(op(opCall, 2)), "function 2 of 2"},
		{"a call of a type that is not there", body(i32(0), opCallIndirect, 1, 0), "type 1 of 1"},
		{"an export of an import", guest{imports: [][3]string{{wasiModule, "sched_yield", ":i"}}, memory: []byte{0, 1}, exports: []export{{"f", 0, 0}}}.encode(),
			`exports "f", which is an import`},
		{"an export of an unknown kind", exports("f", 4, 0), "kind 4"},
		{"a name that is not UTF-8", exports("\xff", 0, 0), "UTF-8"},
		{"the next global, which will be the fuel", run(":", nil, code(i64(1), op(opGlobalSet, 1))), "global 1 of 1"},
		{"the one behind it, which will be the stack", run(":", nil, code(i32(1), op(opGlobalSet, 2))), "global 2 of 1"},
		{"a look at the stack", run(":", nil, code(op(opGlobalGet, 2), opDrop)), "global 2 of 1"},

		{"more bodies than functions", sections(section(secCode, 1, 2, 0, opEnd)), "0 functions declared, 1 defined"},
		{"more functions than bodies", sections(section(secType, 1, 0x60, 0, 0), section(secFunction, 1, 0)), "1 functions declared, 0 defined"},
		{"a function of a type that is not there", sections(section(secFunction, 1, 0)), "type 0 of 0"},
		{"a body that ends too late", body(opEnd), "bytes too many"},
		{"a body that ends too early", sections(section(secType, 1, 0x60, 0, 0), section(secFunction, 1, 0), section(secCode, 1, 3, 0, opBlock, blockEmpty)), "ends too early"},
	} {
		_, err := Check(c.module, ServiceCaps())
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v, want ErrRefused with %q", c.name, err, c.words)
		}
	}
}

// TestCaps holds that each cap lets through what it names and nothing more (protocol 5.6).
func TestCaps(t *testing.T) {
	empty := function{":", nil, nil}
	many := func(n int) (f []function) {
		for range n {
			f = append(f, empty)
		}
		return f
	}
	vectors := func(n int, b ...byte) (v [][]byte) {
		for range n {
			v = append(v, b)
		}
		return v
	}
	var exports []export
	for i := range 5 {
		exports = append(exports, export{string(rune('a' + i)), 0, 0})
	}
	loops := code(repeat(2, code(opLoop, blockEmpty, opEnd)), i32(1), op(opBrIf, 0), op(opBr, 0)) // 4 + 4 + 1 + 1 points
	table := []byte{typeFuncref, 0, 7}
	work := func(c *Caps) *int64 { return &c.Work }
	for _, c := range []struct {
		name   string
		guest  guest
		cap    func(c *Caps) *int
		cap64  func(c *Caps) *int64
		amount int
	}{
		{"types", guest{types: []string{":", "i:", "I:"}}, func(c *Caps) *int { return &c.Types }, nil, 3},
		{"values", guest{types: []string{":", "iiI:Ff"}}, func(c *Caps) *int { return &c.Values }, nil, 5},
		{"imports", guest{imports: [][3]string{{"env", "abort", "iiii:"}, {"env", "abort", "iiii:"}}}, func(c *Caps) *int { return &c.Imports }, nil, 2},
		{"exports", guest{funcs: many(1), exports: exports}, func(c *Caps) *int { return &c.Exports }, nil, 5},
		{"functions", guest{funcs: many(9)}, func(c *Caps) *int { return &c.Functions }, nil, 9},
		{"globals", guest{globals: vectors(4, typeI32, 1, opI32Const, 0, opEnd)}, func(c *Caps) *int { return &c.Globals }, nil, 4},
		{"table", guest{table: table}, func(c *Caps) *int { return &c.TableEntries }, nil, 7},
		{"segments", guest{funcs: many(1), table: table, elements: vectors(3, 1, 0, 0)}, func(c *Caps) *int { return &c.Elements }, nil, 3},
		{"entries", guest{funcs: many(1), elements: vectors(2, 1, 0, 4, 0, 0, 0, 0)}, func(c *Caps) *int { return &c.TableEntries }, nil, 8},
		{"data", guest{data: vectors(6, 1, 0), passive: true}, func(c *Caps) *int { return &c.Data }, nil, 6},
		{"body", guest{funcs: []function{{":", nil, repeat(100, []byte{1})}}}, func(c *Caps) *int { return &c.Body }, nil, 102},
		{"code", guest{funcs: many(7)}, func(c *Caps) *int { return &c.Code }, nil, 14},
		{"a body with locals", guest{funcs: []function{{"iI:", []byte{70, typeI32}, nil}}}, func(c *Caps) *int { return &c.Body }, nil, 4 + 72},
		{"a body with calls", guest{funcs: []function{{"i:II", nil, code(i32(0), op(opCall, 0))}}}, func(c *Caps) *int { return &c.Body }, nil, 6 + 1 + 3},
		{"a body with indirect calls", guest{table: table, funcs: []function{{"i:II", nil, code(i32(0), i32(0), opCallIndirect, 0, 0)}}},
			func(c *Caps) *int { return &c.Body }, nil, 9 + 1 + 3 + 8},
		{"a body with wide blocks", guest{types: []string{":", ":iii"}, funcs: []function{{":", nil, code(opBlock, 1, i32(0), i32(0), i32(0), opEnd, opDrop, opDrop, opDrop)}}},
			func(c *Caps) *int { return &c.Body }, nil, 14 + 3},
		{"a body with bulk instructions", guest{memory: []byte{0, 1}, funcs: []function{{":", nil, code(i32(0), i32(0), i32(0), bulkOp(subMemoryFill, 0))}}},
			func(c *Caps) *int { return &c.Body }, nil, 11 + 16},
		{"a body with conversions", guest{funcs: []function{{":", nil, code(repeat(2, code(0x43, 0, 0, 0, 0, opTruncI64, opDrop)))}}},
			func(c *Caps) *int { return &c.Body }, nil, 16 + 2*8},
		{"code with calls", guest{funcs: []function{{"i:II", nil, code(i32(0), op(opCall, 0))}, {":", nil, nil}}}, func(c *Caps) *int { return &c.Code }, nil, 10 + 2},
		{"locals", guest{funcs: []function{{"iI:", []byte{70, typeI32, 3, typeF64}, nil}}}, func(c *Caps) *int { return &c.Locals }, nil, 75},
		{"complexity", guest{funcs: []function{{"i:", nil, loops}}}, nil, func(c *Caps) *int64 { return &c.Complexity }, 10 * 33},
		{"work", guest{funcs: []function{{":", nil, loops}, {":", nil, loops}}}, nil, work, 2 * (10 * 32) * (10 * 32)},
		{"wide blocks", guest{types: []string{":", ":iii"}, funcs: []function{{":", nil, code(opBlock, 1, i32(0), i32(0), i32(0), opEnd, opDrop, opDrop, opDrop)}}},
			nil, func(c *Caps) *int64 { return &c.Complexity }, 35},
		{"wide functions", guest{funcs: []function{{"i:III", nil, code(opReturn)}}}, nil, func(c *Caps) *int64 { return &c.Complexity }, 36},
		{"functions of one result", guest{funcs: []function{{"i:I", nil, code(opReturn)}}}, nil, func(c *Caps) *int64 { return &c.Complexity }, 33},
	} {
		module := c.guest.encode()
		for less := range 2 {
			caps := ServiceCaps()
			if c.cap != nil {
				*c.cap(&caps) = c.amount - less
			} else {
				*c.cap64(&caps) = int64(c.amount - less)
			}
			_, err := Check(module, caps)
			if less == 0 && err != nil || less == 1 && !errors.Is(err, ErrRefused) {
				t.Errorf("%s: %d with a cap of %d: %v", c.name, c.amount, c.amount-less, err)
			}
		}
	}
	module := guest{funcs: many(1)}.encode()
	caps := ServiceCaps()
	if caps.Size = len(module) - 1; !errors.Is(second(Check(module, caps)), ErrRefused) {
		t.Error("a module longer than its cap is let through")
	}
}

func second(_ Info, err error) error { return err }

// TestBombs holds that what is known to keep a compiler or an instance busy is refused, and quickly.
func TestBombs(t *testing.T) {
	one := func(locals int, body []byte) guest {
		return guest{funcs: []function{{":", append(appendU32(nil, uint32(locals)), typeI32), body}}}
	}
	loop := func(i int) []byte {
		return code(opLoop, blockEmpty, op(opLocalGet, i), op(opLocalTee, (i*7+1)%1000), op(opBrIf, 0), opEnd)
	}
	var sequence, nested []byte
	for i := range 1000 {
		sequence = append(sequence, loop(i)...)
		nested = append(nested, code(opLoop, blockEmpty, op(opLocalGet, i%20), op(opLocalTee, i*7%20), opDrop)...)
	}
	nested = append(nested, repeat(1000, code(i32(0), op(opBrIf, 0), opEnd))...)
	passing := func(instruction ...any) []byte { // again and again
		return shape(func(n, _ int) []byte {
			return code(repeat(wide, i32(0)), repeat(n, code(instruction...)), repeat(wide, []byte{opDrop}))
		}).spread(50_000)(50_000, 0)
	}
	spread := guest{}
	for range 300 {
		spread.funcs = append(spread.funcs, function{":", []byte{100, typeI32}, repeat(40, code(opLoop, blockEmpty, op(opLocalGet, 1), op(opBrIf, 0), opEnd))})
	}
	for name, module := range map[string][]byte{
		"1,000 locals, 1,000 loops":              one(1000, sequence).encode(),
		"20 locals, 1,000 loops in one another":  one(20, nested).encode(),
		"100 locals, 12,000 loops, 40 at a time": spread.encode(),
		"30,000 branches":                        one(100, repeat(30_000, code(i32(0), op(opBrIf, 0)))).encode(),
		"50,000 calls that pass 16 values":       passing(op(opCall, 0)),
		"the same through a table":               passing(i32(0), opCallIndirect, 0, 0),
		"50,000 blocks that pass 16 values":      passing(opBlock, 0, opEnd),
		"10,000 functions of 499 locals":         guest{funcs: slices.Repeat([]function{{":", declared(499), nil}}, 10_000)}.encode(),
		"60,000 conversions that may trap":       one(0, code(opF64Const, make([]byte, 8), repeat(60_000, code(opTruncI64, 0xb9)), opDrop)).encode(),
		"a table of 2^27 entries":                []byte("\x00asm\x01\x00\x00\x00\x04\x07\x01\x70\x00\x80\x80\x80\x40"),
		"4 billion locals":                       []byte("\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x0a\x0a\x01\x08\x01\xff\xff\xff\xff\x0f\x7f\x0b"),
		"too long":                               append(bytes.Clone(header), make([]byte, 256<<10)...),
	} {
		start := time.Now()
		_, err := Check(module, VerifierCaps())
		if took := time.Since(start); !errors.Is(err, ErrRefused) || took > time.Second {
			t.Errorf("%s, %d bytes: %v after %v, want ErrRefused at once", name, len(module), err, took)
		}
	}
	for name, module := range map[string][]byte{
		"a million blocks in one another": one(0, code(repeat(1_000_000, code(opBlock, blockEmpty)), repeat(1_000_000, []byte{opEnd}))).encode(),
		"60,000 blocks in one another":    one(0, code(repeat(60_000, code(opBlock, blockEmpty)), repeat(60_000, []byte{opEnd}))).encode(),
		"100 MB":                          append(bytes.Clone(header), make([]byte, 100<<20)...),
		"100 MB of data":                  guest{memory: []byte{0, 1}, data: [][]byte{append([]byte{1}, sized(make([]byte, 100<<20))...)}}.encode(),
	} {
		for _, caps := range []Caps{VerifierCaps(), VerifierCapsFor(8 << 20), ServiceCaps()} {
			start := time.Now()
			_, err := Check(module, caps)
			if took := time.Since(start); !errors.Is(err, ErrRefused) || took > time.Second {
				t.Errorf("%s: %v after %v, want ErrRefused at once", name, err, took)
			}
		}
	}
}

// TestLargeVerifiers holds that what Go makes of a verifier is taken where four megabytes are granted, and not by default.
func TestLargeVerifiers(t *testing.T) {
	for name, module := range map[string][]byte{"a verifier": goVerifier(t), "with JSON and more": goModule(t, "reactor", "-buildmode=c-shared")} {
		if _, err := Check(module, VerifierCapsFor(4<<20)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Check(module, VerifierCaps()); !errors.Is(err, ErrRefused) {
			t.Errorf("%s of %d bytes: %v, want ErrRefused", name, len(module), err)
		}
	}
}

// TestRealModulesCountLittle holds that what compilers make counts like hardly more bytes than it has.
func TestRealModulesCountLittle(t *testing.T) {
	modules := samples(t)
	modules["Go"] = goModule(t, "reactor", "-buildmode=c-shared")
	for name, module := range modules {
		l, err := parse(module, ServiceCaps())
		if err != nil {
			t.Fatal(err)
		}
		bytes, counted := 0, int64(0)
		for i := range l.bodies {
			f, err := l.scan(i)
			if err != nil {
				t.Fatal(err)
			}
			bytes, counted = bytes+len(l.bodies[i]), counted+f.size
		}
		if t.Logf("%s: %d bytes count like %d", name, bytes, counted); counted*10 > int64(bytes)*12 {
			t.Errorf("%s: %d bytes count like %d, want a fifth more at most", name, bytes, counted)
		}
	}
}

// TestTruncated cuts real modules at every length: all that is left of them is refused.
func TestTruncated(t *testing.T) {
	for name, module := range samples(t) {
		for n := 0; n < len(module); n += max(1, len(module)/6000) {
			if _, err := Check(module[:n:n], ServiceCaps()); !errors.Is(err, ErrRefused) && !whole(module[:n]) {
				t.Fatalf("%s cut to %d bytes of %d: %v", name, n, len(module), err)
			}
		}
	}
}

// whole reports whether a prefix ends where a section does, and needs none of those behind it.
func whole(prefix []byte) bool {
	l, err := parse(prefix, uncapped())
	return err == nil && l.sections[secFunction] == nil || err == nil && l.sections[secCode] != nil
}

// TestNumbers holds that a number is read in every form that the specification has for it, and in no other: parsers that
// differ here would see different instructions.
func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		bits  int // 0 for unsigned, of 32
		bytes string
		want  int64
		ok    bool
	}{
		{0, "\x00", 0, true}, {0, "\x7f", 127, true}, {0, "\x80\x01", 128, true}, {0, "\xff\xff\xff\xff\x0f", 1<<32 - 1, true},
		{0, "\x80\x80\x80\x80\x00", 0, true}, {0, "\x80\x80\x80\x80\x10", 0, false}, {0, "\x80\x80\x80\x80\x80\x00", 0, false}, {0, "\x80", 0, false},
		{32, "\x7f", -1, true}, {32, "\x3f", 63, true}, {32, "\x40", -64, true}, {32, "\x80\x7f", -128, true}, {32, "\xff\x00", 127, true},
		{32, "\x80\x80\x80\x80\x78", -1 << 31, true}, {32, "\xff\xff\xff\xff\x07", 1<<31 - 1, true}, {32, "\xff\xff\xff\xff\x7f", -1, true},
		{32, "\xff\xff\xff\xff\x0f", 0, false}, {32, "\x80\x80\x80\x80\x70", 0, false}, {32, "\x80\x80\x80\x80\x80\x00", 0, false},
		{33, "\xff\xff\xff\xff\x0f", 1<<32 - 1, true}, {33, "\x80\x80\x80\x80\x70", -1 << 32, true}, {33, "\x80\x80\x80\x80\x20", 0, false},
		{64, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00", 1<<63 - 1, true}, {64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", -1 << 63, true},
		{64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 0, false}, {64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 0, false},
	} {
		r := &reader{b: []byte(c.bytes)}
		var got int64
		if c.bits == 0 {
			got = int64(r.u32())
		} else {
			got = r.signed(c.bits)
		}
		if r.end(); (r.err == nil) != c.ok || c.ok && got != c.want {
			t.Errorf("%x as %d bits: %d, %v, want %d, %v", c.bytes, c.bits, got, r.err, c.want, c.ok)
		}
	}
}

func TestInfo(t *testing.T) {
	info, err := Check(file(t, "testdata/c.wasm"), VerifierCaps())
	if err != nil {
		t.Fatal(err)
	}
	if info.Memory != 2*PageSize || len(info.Imports) != 0 || info.Size != 937 {
		t.Errorf("it begins with %d bytes of memory and %d imports, and has %d bytes", info.Memory, len(info.Imports), info.Size)
	}
	if err := info.Require("handle", "(i32, i32) -> (i64)"); err != nil {
		t.Error(err)
	}
	for name, typ := range map[string]FuncType{"handle": "(i32) -> (i64)", "memory": "() -> ()", "verify": "(i32, i32) -> (i64)"} {
		if err := info.Require(name, typ); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), name) {
			t.Errorf("require %s: %v", name, err)
		}
	}
	rust, err := Check(file(t, "testdata/rust.wasm"), ServiceCaps())
	if err != nil {
		t.Fatal(err)
	}
	if (rust.Imports[0] != Import{wasiModule, "random_get", "(i32, i32) -> (i32)"}) {
		t.Errorf("the first import is %v", rust.Imports[0])
	}
	without := VerifierCaps()
	without.WASI = false
	if _, err := Check(file(t, "testdata/rust.wasm"), without); !errors.Is(err, ErrRefused) {
		t.Errorf("WASI where it is not given: %v, want ErrRefused", err)
	}
}

// TestValidatedFirst holds that a module is judged as its author wrote it: what only the added counter, local or export would
// make valid is refused.
func TestValidatedFirst(t *testing.T) {
	e := engines(t)["compiler"]
	fill := code(i32(0), i32(0), i32(0), bulkOp(subMemoryFill, 0))
	for name, module := range map[string][]byte{
		"a constant that reads the next global": guest{globals: [][]byte{{typeI64, 0, opGlobalGet, 1, opEnd}}}.encode(),
		"the local that memory.fill will bring": run(":", nil, code(op(opLocalGet, 0), opDrop, fill)),
		"a start function with a parameter":     guest{funcs: []function{{"i:", nil, nil}}, start: []byte{0}}.encode(),
		"two exports of one name":               guest{funcs: []function{{":", nil, nil}}, exports: []export{{"f", 0, 0}, {"f", 0, 0}}}.encode(),
		"a value that is left over":             run(":", nil, i32(1)),
		"a value of another type":               run(":i", nil, i64(1)),
	} {
		_, err := e.Compile(context.Background(), module, ServiceCaps(), roomy)
		if !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v, want ErrRefused", name, err)
		}
	}
}

// FuzzCheck holds that no bytes make Check or Instrument panic, and that what is valid without counters is valid with them.
func FuzzCheck(f *testing.F) {
	for _, module := range samples(f) {
		if len(module) < 10_000 {
			f.Add(module)
		}
	}
	f.Add(run("i:i", []byte{2, typeI64}, code(opLoop, blockEmpty, op(opLocalGet, 0), op(opBrIf, 0), opEnd, i32(4))))
	f.Add(run(":", nil, code(i32(0), i32(0), i32(9), bulkOp(subMemoryInit, 0, 0), bulkOp(subDataDrop, 0))))
	f.Add(run(":", nil, code(opRefNull, typeFuncref, i32(3), bulkOp(subTableGrow, 0), opDrop, opBlock, blockEmpty, i32(1), opBrTable, 1, 0, 1, opEnd)))
	f.Add(guest{imports: [][3]string{{wasiModule, "fd_write", "iiii:i"}}, memory: []byte{1, 1, 2}, funcs: []function{{":", nil, nil}}, start: []byte{1}}.encode())
	f.Fuzz(func(t *testing.T, module []byte) {
		if _, err := Check(module, VerifierCaps()); err != nil {
			if !errors.Is(err, ErrRefused) {
				t.Fatalf("check: %v", err)
			}
			Instrument(module, roomy)
			return
		}
		out, err := Instrument(module, Limits{Fuel: 1e9, Memory: 4 << 30})
		if err != nil {
			t.Fatalf("instrument what passed: %v", err)
		}
		l, err := parse(module, uncapped())
		if err != nil {
			t.Fatalf("parse what passed: %v", err)
		}
		if validate(context.Background(), l.encode()) != nil {
			return
		}
		if err := validate(context.Background(), out); err != nil {
			t.Fatalf("no longer valid: %v", err)
		}
	})
}
