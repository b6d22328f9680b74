package wasm

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
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

// judges are verifiers of four compilers that compare bytes.
func judges(t testing.TB) map[string][]byte {
	return map[string][]byte{"C": file(t, "../verifiers/testdata/c.wasm"), "AssemblyScript": file(t, "../verifiers/compare.wasm"),
		"Rust": file(t, "../verifiers/testdata/rust.wasm"), "Go": goVerifier(t)}
}

// ways are those in which a module may be run: as it is; with the fuel counted, and the depth of calls too; with the engine's
// own look at a context.
func ways(b *testing.B, module []byte) map[string]func(in []byte) {
	instrument := func(depth bool) []byte {
		l, err := parse(module, uncapped())
		if err != nil {
			b.Fatal(err)
		}
		charges := make([]uint32, len(l.bodies))
		if graph, err := l.graph(); err != nil {
			b.Fatal(err)
		} else if depth {
			charges = graph.charges()
		}
		if err := l.instrument(Limits{Fuel: MaxFuel, Memory: 64 << 20}, charges); err != nil {
			b.Fatal(err)
		}
		return l.encode()
	}
	e := engines(b)["compiler"]
	metered := func(wasm []byte) func(in []byte) {
		info, _ := Check(module, ServiceCaps())
		m, err := e.compile(b.Context(), artifact{info, wasm}, Limits{Fuel: MaxFuel}, "")
		if err != nil {
			b.Fatal(err)
		}
		return func(in []byte) {
			i, err := m.Instantiate(b.Context(), IO{})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := i.Exchange(b.Context(), "verify", in, 1000); err != nil {
				b.Fatal(err)
			}
			i.Close(b.Context())
		}
	}
	return map[string]func(in []byte){
		"none": bare(b, module, false), "context": bare(b, module, true), "fuel": metered(instrument(false)), "fuel+depth": metered(instrument(true)),
	}
}

// bare runs a module without counters.
func bare(b *testing.B, module []byte, look bool) func(in []byte) {
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), worldKey{}, &world{fuel: endless{}, random: 1}))
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithCoreFeatures(features).WithCloseOnContextDone(look))
	b.Cleanup(func() { cancel(); rt.Close(ctx) })
	info, err := Check(module, ServiceCaps())
	if err == nil {
		err = provide(ctx, rt, info.Imports)
	}
	if err != nil {
		b.Fatal(err)
	}
	code, err := rt.CompileModule(ctx, module)
	if err != nil {
		b.Fatal(err)
	}
	return func(in []byte) {
		i, err := rt.InstantiateModule(ctx, code, instanceConfig().WithStartFunctions("_initialize"))
		if err != nil {
			b.Fatal(err)
		}
		call := func(name string, params ...uint64) uint64 {
			r, err := i.ExportedFunction(name).Call(ctx, params...)
			if err != nil {
				b.Fatal(err)
			}
			return r[0]
		}
		at := call("alloc", uint64(len(in)))
		i.Memory().Write(uint32(at), in)
		call("verify", at, uint64(len(in)))
		i.Close(ctx)
	}
}

// BenchmarkFuel is one verdict of an instance of its own, in every way that there is, one after the other, so that what else the
// machine does falls on all of them alike. It reports ratios to the module as it is, of what a tenth of the verdicts stay below;
// native is the comparison of the answers by itself.
func BenchmarkFuel(b *testing.B) {
	modules := judges(b)
	for _, language := range []string{"C", "AssemblyScript", "Rust", "Go"} {
		all := ways(b, modules[language])
		for _, size := range []int{2 << 10, 64 << 10} {
			in := input(size)
			answers := [][]byte{bytes.Clone(in[:size]), bytes.Clone(in[:size]), bytes.Clone(in[:size])}
			all["native"] = func([]byte) {
				if !bytes.Equal(answers[0], answers[1]) || !bytes.Equal(answers[0], answers[2]) {
					b.Fatal("they differ")
				}
			}
			b.Run(fmt.Sprintf("%s/%dK", language, size>>10), func(b *testing.B) {
				took := map[string][]time.Duration{}
				for b.Loop() {
					for name, run := range all {
						start := time.Now()
						run(in)
						took[name] = append(took[name], time.Since(start))
					}
				}
				tenth := func(name string) float64 {
					slices.Sort(took[name])
					return float64(took[name][len(took[name])/10])
				}
				for name := range all {
					b.ReportMetric(tenth(name)/tenth("none"), name)
				}
				b.ReportMetric(tenth("fuel+depth")/1000, "us/verdict")
				b.ReportMetric(0, "ns/op")
			})
		}
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
// as large as the caps allow. None may take much longer than straight code of that size. Without -long it looks at some.
func TestWorstAdmitted(t *testing.T) {
	const most = 15 // times as long as straight code
	all := shapes()
	straight, _ := largest(func(n int) []byte { return all["straight on in functions of 100"](n, 10) })
	reference := compileTime(t, straight)
	t.Logf("%7.0f ms: straight code, %d bytes", reference.Seconds()*1000, len(straight))
	var worst time.Duration
	looked := 0
	for name, shape := range all {
		for _, locals := range []int{0, 1, 10, 40, 100, 200, 400, 499} {
			if looked++; !*long && looked%15 != 0 {
				continue
			}
			module, n := largest(func(n int) []byte { return shape(n, locals) })
			took := compileTime(t, module)
			for try := 0; took > most*reference && try < 5; try++ { // the machine may have been busy
				took, reference = min(took, compileTime(t, module)), max(reference, compileTime(t, straight))
			}
			if took > most*reference {
				t.Errorf("%s of %d with %d locals takes %v, straight code %v", name, n, locals, took, reference)
			}
			worst = max(worst, took)
			t.Logf("%7.0f ms: %s of %d with %d locals, %d bytes", took.Seconds()*1000, name, n, locals, len(module))
		}
	}
	t.Logf("the worst takes %v", worst)
}

// compileTime is how long a new engine takes for a verifier.
func compileTime(t *testing.T, module []byte) time.Duration {
	t.Helper()
	start := time.Now()
	if _, err := open(t, "").Compile(context.Background(), module, VerifierCaps(), Limits{Fuel: 1e9, Memory: 16 << 20}); err != nil {
		t.Error(err)
	}
	return time.Since(start)
}

// largest finds the largest shape that is let through.
func largest(shape func(n int) []byte) ([]byte, int) {
	taken := func(n int) bool { return second(Check(shape(n), VerifierCaps())) == nil }
	low, high := 0, 1
	for taken(high) {
		low, high = high, 2*high
	}
	for high-low > max(1, low/50) {
		if middle := (low + high) / 2; taken(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return shape(low), low
}
