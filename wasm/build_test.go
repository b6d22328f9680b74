package wasm

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

var long = flag.Bool("long", false, "also run what takes minutes")

// guest is a module put together by hand. It has types for the signatures that functions name, and imports before functions.
type guest struct {
	types    []string // parameters and results, such as "ii:I"; i I f F for i32 i64 f32 f64
	imports  [][3]string
	funcs    []function
	table    []byte // its limits
	memory   []byte
	globals  [][]byte
	exports  []export
	start    []byte
	elements [][]byte
	data     [][]byte
	passive  bool // data needs its count
}

type function struct {
	typ    string
	locals []byte // declarations, such as 2, 0x7f for two i32
	code   []byte // without the last end
}

type export struct {
	name  string
	kind  byte
	index int
}

// code joins opcodes, given as ints, characters, and whole runs of bytes.
func code(parts ...any) (b []byte) {
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			b = append(b, byte(p))
		case rune:
			b = append(b, byte(p))
		case []byte:
			b = append(b, p...)
		default:
			panic(fmt.Sprintf("%T is no code", p))
		}
	}
	return b
}

func i32(n int32) []byte { return appendS64([]byte{opI32Const}, int64(n)) }
func i64(n int64) []byte { return appendS64([]byte{opI64Const}, n) }

// op is an instruction with one immediate.
func op(opcode byte, n int) []byte { return appendU32([]byte{opcode}, uint32(n)) }

// bulkOp is an instruction of two bytes with immediates.
func bulkOp(sub byte, immediates ...byte) []byte { return append([]byte{opPrefix, sub}, immediates...) }

func repeat(n int, b []byte) (out []byte) {
	for range n {
		out = append(out, b...)
	}
	return out
}

func vector(items [][]byte) []byte {
	b := appendU32(nil, uint32(len(items)))
	for _, i := range items {
		b = append(b, i...)
	}
	return b
}

func sized(b []byte) []byte { return append(appendU32(nil, uint32(len(b))), b...) }

func (g *guest) typ(signature string) int {
	for i, t := range g.types {
		if t == signature {
			return i
		}
	}
	g.types = append(g.types, signature)
	return len(g.types) - 1
}

func (g guest) encode() []byte {
	letters := map[rune]byte{'i': typeI32, 'I': typeI64, 'f': typeF32, 'F': typeF64}
	var imports, declared, bodies, exports [][]byte
	for _, i := range g.imports {
		name := append(sized([]byte(i[0])), sized([]byte(i[1]))...)
		imports = append(imports, append(append(name, 0), appendU32(nil, uint32(g.typ(i[2])))...))
	}
	for _, f := range g.funcs {
		declared = append(declared, appendU32(nil, uint32(g.typ(f.typ))))
		body := append(appendU32(nil, uint32(len(f.locals)/2)), f.locals...)
		bodies = append(bodies, sized(append(append(body, f.code...), opEnd)))
	}
	var types [][]byte
	for _, t := range g.types {
		var lists [2][]byte
		at := 0
		for _, c := range t {
			if c == ':' {
				at = 1
			} else {
				lists[at] = append(lists[at], letters[c])
			}
		}
		types = append(types, append(append([]byte{0x60}, sized(lists[0])...), sized(lists[1])...))
	}
	for _, e := range g.exports {
		exports = append(exports, append(append(sized([]byte(e.name)), e.kind), appendU32(nil, uint32(e.index))...))
	}
	l := &layout{}
	set := func(id int, items [][]byte) {
		if len(items) > 0 {
			l.sections[id] = vector(items)
		}
	}
	one := func(b []byte) [][]byte {
		if b == nil {
			return nil
		}
		return [][]byte{b}
	}
	set(secType, types)
	set(secImport, imports)
	set(secFunction, declared)
	set(secTable, one(g.table))
	set(secMemory, one(g.memory))
	set(secGlobal, g.globals)
	set(secExport, exports)
	l.sections[secStart] = g.start
	set(secElement, g.elements)
	if g.passive {
		l.sections[secDataCount] = appendU32(nil, uint32(len(g.data)))
	}
	set(secCode, bodies)
	set(secData, g.data)
	return l.encode()
}

// run is a module with one function, exported as run, with a page of memory, a table of 100 entries, one passive and one
// active data segment.
func run(typ string, locals, body []byte) []byte {
	return guest{
		funcs:    []function{{typ, locals, body}, {":", nil, nil}},
		table:    []byte{typeFuncref, 0, 100},
		memory:   []byte{0, 1},
		globals:  [][]byte{{typeI32, 1, opI32Const, 0, opEnd}},
		exports:  []export{{"run", 0, 0}, {"memory", 2, 0}},
		elements: [][]byte{{0, opI32Const, 0, opEnd, 1, 1}, {1, 0, 1, 1}},
		data:     [][]byte{append([]byte{1}, sized([]byte("0123456789abcdefg"))...)},
		passive:  true,
	}.encode()
}

// file reads a module that is kept in the tree.
func file(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// samples are small modules of three compilers.
func samples(t testing.TB) map[string][]byte {
	return map[string][]byte{
		"C":              file(t, "testdata/c.wasm"),
		"Rust":           file(t, "testdata/rust.wasm"),
		"AssemblyScript": file(t, "../verifiers/compare.wasm"),
	}
}

var goModules sync.Map // by program and build mode: func() ([]byte, error)

// goModule builds one of the programs under testdata for wasip1, once for each test binary.
func goModule(t testing.TB, program string, flags ...string) []byte {
	t.Helper()
	build := func() ([]byte, error) {
		dir, err := os.MkdirTemp("", "")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		out := filepath.Join(dir, "module.wasm")
		args := append([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", out}, flags...)
		cmd := exec.Command("go", append(args, "./testdata/"+program)...)
		cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
		if text, err := cmd.CombinedOutput(); err != nil {
			return nil, &buildError{program, string(text), err}
		}
		return os.ReadFile(out)
	}
	once, _ := goModules.LoadOrStore(program, sync.OnceValues(build))
	b, err := once.(func() ([]byte, error))()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// goVerifier builds the project that an author in Go begins with.
func goVerifier(t testing.TB) []byte {
	t.Helper()
	dir := t.TempDir()
	files, err := filepath.Glob("../verifiers/templates/go/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	for _, name := range files {
		if err := os.WriteFile(filepath.Join(dir, strings.TrimSuffix(filepath.Base(name), ".txt")), file(t, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "module.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", out, ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatal(&buildError{"the verifier in Go", string(text), err})
	}
	return file(t, out)
}

type buildError struct {
	program, text string
	err           error
}

func (e *buildError) Error() string {
	return "build " + e.program + ": " + e.err.Error() + "\n" + e.text
}

// engines are one with each of the two ways in which wazero runs a module.
func engines(t testing.TB) map[string]*Engine {
	t.Helper()
	compiler, err := NewEngine("")
	if err != nil {
		t.Fatal(err)
	}
	interpreter, err := NewEngine("")
	if err != nil {
		t.Fatal(err)
	}
	interpreter.interpreter = true
	return map[string]*Engine{"compiler": compiler, "interpreter": interpreter}
}

func compile(t testing.TB, e *Engine, module []byte, limits Limits) *Module {
	t.Helper()
	m, err := e.Compile(context.Background(), module, ServiceCaps(), limits)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func instantiate(t testing.TB, m *Module, io IO) *Instance {
	t.Helper()
	i, err := m.Instantiate(context.Background(), io)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close(context.Background()) })
	return i
}

var roomy = Limits{Fuel: 1e9, Memory: 64 << 20}
