package wasm

import (
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
