package wasm

import (
	"bytes"
	"context"
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
