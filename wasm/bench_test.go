package wasm

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
)

// input is what compare gets: three answers of about that size.
func input(size int) []byte {
	body := `{"jsonrpc":"2.0","id":1,"result":[` + strings.Repeat(`{"id":12,"name":"abc def","ok":true},`, size/37) + `0]}`
	return []byte(`{"abi":1,"config":null,"requests":[1,1,1],"responses":[` + body + "," + body + "," + body + `]}`)
}

// BenchmarkFuel is one exchange with compare in an instance of its own, with the counter and without.
func BenchmarkFuel(b *testing.B) {
	ctx := context.Background()
	module := file(b, "../verifiers/compare.wasm")
	with := compile(b, engines(b)["compiler"], module, Limits{Fuel: 1e12, Memory: 16 << 20})
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithCoreFeatures(features))
	defer rt.Close(ctx)
	without, err := rt.CompileModule(ctx, module)
	if err != nil {
		b.Fatal(err)
	}
	for _, size := range []int{2 << 10, 64 << 10} {
		in := input(size)
		b.Run(fmt.Sprintf("with/%dK", size>>10), func(b *testing.B) {
			for b.Loop() {
				i, err := with.Instantiate(ctx, IO{})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := i.Exchange(ctx, "verify", in, 1000); err != nil {
					b.Fatal(err)
				}
				i.Close(ctx)
			}
		})
		b.Run(fmt.Sprintf("without/%dK", size>>10), func(b *testing.B) {
			for b.Loop() {
				i, err := rt.InstantiateModule(ctx, without, wazero.NewModuleConfig().WithName("").WithStartFunctions())
				if err != nil {
					b.Fatal(err)
				}
				exchangeBare(b, i, "verify", in)
				i.Close(ctx)
			}
		})
	}
}

func BenchmarkInstantiate(b *testing.B) {
	for name, module := range map[string][]byte{"C": file(b, "testdata/c.wasm"), "AssemblyScript": file(b, "../verifiers/compare.wasm"),
		"Rust": file(b, "testdata/rust.wasm"), "Go": goModule(b, "reactor", "-buildmode=c-shared")} {
		m := compile(b, engines(b)["compiler"], module, roomy)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				i, err := m.Instantiate(context.Background(), IO{})
				if err != nil {
					b.Fatal(err)
				}
				i.Close(context.Background())
			}
		})
	}
}

// BenchmarkCompile is compiling from nothing, from the directory of another engine, and again with the same engine.
func BenchmarkCompile(b *testing.B) {
	for name, module := range map[string][]byte{"AssemblyScript": file(b, "../verifiers/compare.wasm"), "Rust": file(b, "testdata/rust.wasm"),
		"Go": goModule(b, "reactor", "-buildmode=c-shared")} {
		dir := filepath.Join(b.TempDir(), "cache")
		compile(b, open(b, dir), module, roomy)
		b.Run("cold/"+name, func(b *testing.B) {
			for b.Loop() {
				compile(b, open(b, ""), module, roomy)
			}
		})
		b.Run("directory/"+name, func(b *testing.B) {
			for b.Loop() {
				compile(b, open(b, dir), module, roomy)
			}
		})
		again := open(b, dir)
		b.Run("again/"+name, func(b *testing.B) {
			for b.Loop() {
				compile(b, again, module, roomy)
			}
		})
	}
}

// TestWorstAdmitted searches for the verifier that takes longest to compile of those that are let through: random shapes, each
// as large as the caps allow. Without -long it looks at every tenth.
func TestWorstAdmitted(t *testing.T) {
	var worst time.Duration
	looked := 0
	for name, shape := range shapes() {
		for _, locals := range []int{0, 1, 10, 40, 100, 200, 400, 499} {
			if looked++; !*long && looked%10 != 0 {
				continue
			}
			module, n := largest(func(n int) []byte { return shape(n, locals) })
			start := time.Now()
			_, err := open(t, "").Compile(context.Background(), module, VerifierCaps(), Limits{Fuel: 1e9, Memory: 16 << 20})
			took := time.Since(start)
			if err != nil {
				t.Errorf("%s of %d with %d locals: %v", name, n, locals, err)
			}
			worst = max(worst, took)
			t.Logf("%7.0f ms: %s of %d with %d locals, %d bytes", took.Seconds()*1000, name, n, locals, len(module))
		}
	}
	t.Logf("the worst takes %v", worst)
}

// largest finds the largest shape that is let through.
func largest(shape func(n int) []byte) ([]byte, int) {
	low, high := 0, 1<<17
	for high-low > max(1, low/50) {
		if middle := (low + high) / 2; second(Check(shape(middle), VerifierCaps())) == nil {
			low = middle
		} else {
			high = middle
		}
	}
	return shape(low), low
}

func shapes() map[string]func(n, locals int) []byte {
	spread := func(perFunction int, body func(n, locals int) []byte) func(n, locals int) []byte {
		return func(n, locals int) []byte {
			g := guest{memory: []byte{0, 1}}
			for ; n > 0; n -= perFunction {
				b := body(min(n, perFunction), locals)
				g.funcs = append(g.funcs, function{":", declared(locals), b})
			}
			return g.encode()
		}
	}
	set := func(i, locals int) []byte {
		if locals == 0 {
			return nil
		}
		return code(op(opLocalGet, i%locals), op(0x21, i*7%locals))
	}
	all := func(locals int) (b []byte) {
		for i := range locals {
			b = append(b, code(op(opLocalGet, i), op(opLocalGet, (i+1)%locals), 0x6a, op(0x21, (i+1)%locals))...)
		}
		return b
	}
	each := func(n int, f func(i int) []byte) []byte {
		var b bytes.Buffer
		for i := range n {
			b.Write(f(i))
		}
		return b.Bytes()
	}
	nested := func(open func(i, locals int) []byte, close []byte, middle func(locals int) []byte) func(n, locals int) []byte {
		return func(n, locals int) []byte {
			b := each(n, func(i int) []byte { return open(i, locals) })
			if middle != nil {
				b = append(b, middle(locals)...)
			}
			return append(b, repeat(n, close)...)
		}
	}
	loop := func(i, locals int) []byte { return code(opLoop, blockEmpty, set(i, locals)) }
	again := code(i32(0), op(opBrIf, 0), opEnd)
	bodies := map[string]func(n, locals int) []byte{
		"nested loops":                 nested(loop, []byte{opEnd}, nil),
		"nested loops, branching":      nested(loop, again, nil),
		"nested loops, branching, all": nested(loop, again, all),
		"nested loops, branching thrice": nested(loop, code(i32(0), op(opBrIf, 0), i32(0), op(opBrIf, 0), again),
			nil),
		"loops": func(n, locals int) []byte {
			return each(n, func(i int) []byte { return code(loop(i, locals), again) })
		},
		"branches in a loop": func(n, locals int) []byte {
			return code(opLoop, blockEmpty, all(locals), each(n, func(i int) []byte { return code(set(i, locals), i32(0), op(opBrIf, 0)) }), opEnd, all(locals))
		},
		"ifs": func(n, locals int) []byte {
			return code(each(n, func(i int) []byte { return code(i32(0), opIf, blockEmpty, set(i, locals), opEnd) }), all(locals))
		},
		"a table of branches": func(n, locals int) []byte {
			b := append(repeat(20, code(opBlock, blockEmpty)), i32(0)...)
			b = append(append(b, opBrTable), appendU32(nil, uint32(n))...)
			b = append(b, each(n+1, func(i int) []byte { return []byte{byte(i % 20)} })...)
			return append(b, each(20, func(i int) []byte { return code(opEnd, set(i, locals)) })...)
		},
		"straight on": func(n, locals int) []byte {
			return each(n, func(i int) []byte { return code(set(i, locals), i32(0), opLoad, 0, i&63, opDrop) })
		},
		"calls": func(n, locals int) []byte { return repeat(n, op(opCall, 0)) },
		"bulk": func(n, locals int) []byte {
			return repeat(n, code(i32(0), i32(0), i32(0), bulkOp(subMemoryFill, 0)))
		},
		"ends": func(n, locals int) []byte {
			return repeat(n, code(opBlock, blockEmpty, 1, opEnd))
		},
	}
	out := map[string]func(n, locals int) []byte{}
	for name, b := range bodies {
		out[name+" in one function"] = spread(1<<30, b)
		out[name+" in functions of 10"] = spread(10, b)
		out[name+" in functions of 100"] = spread(100, b)
	}
	return out
}

func declared(locals int) []byte {
	if locals == 0 {
		return nil
	}
	return append(appendU32(nil, uint32(locals)), typeI32)
}
