package wasm

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// TestSamples holds that real modules of three compilers answer the same with the counter as without, on both engines, and
// take the fuel that is written here. Whoever changes the figures changes the rule.
func TestSamples(t *testing.T) {
	ctx := context.Background()
	input := []byte(`{"abi":1,"config":null,"requests":[{"a":1},{"a":1}],"responses":[{"b":[1,2,3]},{"b":[1,2,3]}]}`)
	fuels := map[string]uint64{"C": 2913, "AssemblyScript": 16801, "Rust": 168988}
	for language, module := range samples(t) {
		for name, e := range engines(t) {
			bare := bareInstance(t, module)
			i := instantiate(t, compile(t, e, module, roomy), IO{Stdin: input, MaxStdout: 1 << 20})
			var want, got []byte
			var err error
			switch language {
			case "Rust":
				want, _ = (&Instance{guest: bare, world: &world{stdin: input, maxStdout: 1 << 20, random: 1, fuel: endless{}}}).start(ctx)
				got, err = i.Run(ctx)
			default:
				export := map[string]string{"C": "handle", "AssemblyScript": "verify"}[language]
				want = exchangeBare(t, bare, export, input)
				got, err = i.Exchange(ctx, export, input, 1<<20)
			}
			if err != nil || !bytes.Equal(want, got) || len(got) == 0 {
				t.Errorf("%s: %s: %q, %v; without counter %q", language, name, got, err, want)
			}
			if i.FuelUsed() != fuels[language] {
				t.Errorf("%s: %s: takes %d, want %d", language, name, i.FuelUsed(), fuels[language])
			}
		}
	}
}

// endless is a counter that never runs out.
type endless struct{ api.MutableGlobal }

func (endless) Get() uint64 { return MaxFuel }
func (endless) Set(uint64)  {}

// start runs a command whose module has no counter.
func (i *Instance) start(ctx context.Context) ([]byte, error) {
	_, err := i.guest.ExportedFunction("_start").Call(context.WithValue(ctx, worldKey{}, i.world))
	return i.world.stdout, err
}

func bareInstance(t testing.TB, module []byte) api.Module {
	t.Helper()
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithCoreFeatures(features))
	t.Cleanup(func() { rt.Close(ctx) })
	info, err := Check(module, ServiceCaps())
	if err != nil {
		t.Fatal(err)
	}
	if err := provide(ctx, rt, info.Imports); err != nil {
		t.Fatal(err)
	}
	m, err := rt.InstantiateWithConfig(ctx, module, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func exchangeBare(t testing.TB, m api.Module, export string, input []byte) []byte {
	t.Helper()
	ctx := context.Background()
	at, err := m.ExportedFunction("alloc").Call(ctx, uint64(len(input)))
	if err != nil {
		t.Fatal(err)
	}
	m.Memory().Write(uint32(at[0]), input)
	out, err := m.ExportedFunction(export).Call(ctx, at[0], uint64(len(input)))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := m.Memory().Read(uint32(out[0]>>32), uint32(out[0]))
	return bytes.Clone(b)
}

// TestNode holds that V8 runs an instrumented module to the same answer for the same fuel.
func TestNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("node is not installed: cannot compare with V8")
		}
		t.Skip("node is not installed: cannot compare with V8")
	}
	const script = `
const [file, name, input] = process.argv.slice(1);
const module = new WebAssembly.Module(require("fs").readFileSync(file));
const x = new WebAssembly.Instance(module, {}).exports;
if (x.barnraise_start) x.barnraise_start();
const b = new TextEncoder().encode(input), p = x.alloc(b.length) >>> 0;
new Uint8Array(x.memory.buffer, p, b.length).set(b);
const r = BigInt.asUintN(64, x[name](p, b.length));
const out = new Uint8Array(x.memory.buffer, Number(r >> 32n), Number(r & 0xffffffffn));
process.stdout.write(x.barnraise_fuel.value + " " + new TextDecoder().decode(out));`
	input := `{"abi":1,"config":{"a":[]},"requests":[[],[],[]],"responses":[{"b":"}\"]"},{"b":"}\"]"},{"b":"}\"] "}]}`
	for language, export := range map[string]string{"C": "handle", "AssemblyScript": "verify"} {
		module := samples(t)[language]
		i := instantiate(t, compile(t, engines(t)["compiler"], module, roomy), IO{})
		out, err := i.Exchange(context.Background(), export, []byte(input), 1000)
		if err != nil {
			t.Fatal(err)
		}
		instrumented, err := Instrument(module, roomy)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "module.wasm")
		if err := os.WriteFile(path, instrumented, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := exec.Command(node, "-e", script, path, export, input).CombinedOutput()
		if want := fmt.Sprintf("%d %s", roomy.Fuel-i.FuelUsed(), out); err != nil || string(got) != want {
			t.Errorf("%s: V8 says %s, %v; want %s", language, got, err, want)
		}
	}
}
