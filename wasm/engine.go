package wasm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// keep is how much instrumented wasm an engine holds compiled, in bytes; as native code it is about three times as much.
// What was used longest ago is forgotten first.
const keep = 128 << 20

const features = api.CoreFeaturesV2 &^ api.CoreFeatureSIMD

// Engine compiles modules and remembers them. A process needs one. It is safe for concurrent use.
type Engine struct {
	store       *store        // nil: memory only
	interpreter bool          // instead of the compiler; slow, for comparison
	slots       chan struct{} // one for each module being compiled

	mu      sync.Mutex
	modules map[key]*entry
	clock   uint64 // counts uses
}

// key names what a module was compiled to.
type key [sha256.Size]byte

type entry struct {
	done   chan struct{} // closed when the rest is there
	module *Module
	err    error
	used   uint64
}

// NewEngine makes an engine that keeps what it compiles in a directory, which it makes where there is none, for later
// processes and those beside it. What lies there is machine code: a directory that belongs to somebody else or that others
// may write is an error, and a file there that was altered or cut short counts as missing. With an empty name the engine
// remembers for itself only. Nothing there is ever thrown away; the whole directory may be, at any time.
func NewEngine(dir string) (*Engine, error) {
	e := &Engine{modules: map[key]*entry{}, slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
	if dir == "" {
		return e, nil
	}
	s, err := openStore(dir)
	if err != nil {
		return nil, fmt.Errorf("open compile cache: %w", err)
	}
	e.store = s
	return e, nil
}

// Compile checks a module against the caps, validates it, instruments it and compiles it; a second time, here or with the
// same directory, it only looks it up. Callers that want the same module at the same time share the work, which goes on when
// one of them gives up: nobody is to change the module's bytes afterwards. It fails with [ErrRefused] where the module is at
// fault, with [ErrLimits] where the limits are, or with the context's error.
func (e *Engine) Compile(ctx context.Context, module []byte, caps Caps, limits Limits) (*Module, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("compile module: %w", err)
	}
	k := keyOf(module, caps, limits)
	m := e.entry(k, func() (*Module, error) { return e.build(context.WithoutCancel(ctx), k, module, caps, limits) })
	select {
	case <-m.done:
		return m.module, m.err
	case <-ctx.Done():
		return nil, fmt.Errorf("compile module: %w", ctx.Err())
	}
}

func keyOf(module []byte, caps Caps, limits Limits) key {
	return sha256.Sum256(fmt.Appendf(nil, "rule %d, engine %s %s %s, %+v, %+v, %x", ruleVersion, engineVersion(),
		runtime.GOOS, runtime.GOARCH, caps, limits, sha256.Sum256(module)))
}

// engineVersion is the version of wazero this program was built with.
func engineVersion() string {
	info, ok := debug.ReadBuildInfo()
	for i := 0; ok && i < len(info.Deps); i++ {
		if d := info.Deps[i]; d.Path == "github.com/tetratelabs/wazero" {
			return d.Version
		}
	}
	return ""
}

// entry finds what is known under the key, or has it built. What failed is forgotten.
func (e *Engine) entry(k key, build func() (*Module, error)) *entry {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.clock++
	m, ok := e.modules[k]
	if !ok {
		m = &entry{done: make(chan struct{})}
		e.modules[k] = m
		go func() {
			module, err := build()
			e.mu.Lock()
			defer e.mu.Unlock()
			if m.module, m.err = module, err; err != nil {
				delete(e.modules, k)
			}
			e.forget()
			close(m.done)
		}()
	}
	m.used = e.clock
	return m
}

// forget drops the modules used longest ago as long as there is too much. Their instances live on.
func (e *Engine) forget() {
	for {
		total, oldest := 0, key{}
		for k, m := range e.modules {
			if m.module == nil {
				continue
			}
			total += m.module.size
			if o := e.modules[oldest]; o == nil || m.used < o.used {
				oldest = k
			}
		}
		if total <= keep {
			return
		}
		delete(e.modules, oldest)
	}
}

func (e *Engine) build(ctx context.Context, k key, module []byte, caps Caps, limits Limits) (*Module, error) {
	e.slots <- struct{}{}
	defer func() { <-e.slots }()
	if e.store == nil {
		a, err := prepare(ctx, module, caps, limits)
		if err != nil {
			return nil, err
		}
		return e.compile(ctx, a, limits, "")
	}
	if m := e.stored(ctx, k, limits); m != nil {
		return m, nil
	}
	a, err := prepare(ctx, module, caps, limits)
	if err != nil {
		return nil, err
	}
	return e.store.compiled(k, a, func(dir string) (*Module, error) { return e.compile(ctx, a, limits, dir) })
}

// stored is what the directory holds under the key, or nil.
func (e *Engine) stored(ctx context.Context, k key, limits Limits) *Module {
	a, dir, ok := e.store.get(k)
	if !ok {
		return nil
	}
	m, err := e.compile(ctx, a, limits, dir)
	if err != nil {
		return nil
	}
	return m
}

// artifact is a module ready to be compiled.
type artifact struct {
	Info Info
	Wasm []byte `json:"-"` // instrumented
}

func prepare(ctx context.Context, module []byte, caps Caps, limits Limits) (artifact, error) {
	l, err := checked(module, caps)
	if err != nil {
		return artifact{}, err
	}
	if err := validate(ctx, l.encode()); err != nil {
		return artifact{}, fmt.Errorf("validate module: %w: %w", err, ErrRefused)
	}
	info := l.info(len(module))
	instrumented, err := l.instrumented(limits)
	return artifact{info, instrumented}, err
}

// validate reports whether a module that has passed Check is valid as its author wrote it, before anything is added that
// could make it so. It comes without custom sections: no engine needs them, and some trip over them.
func validate(ctx context.Context, module []byte) error {
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(features))
	defer rt.Close(ctx)
	_, err := translate(ctx, rt, module)
	return err
}

// translate compiles, and makes an error of a compiler that gives up by a panic.
func translate(ctx context.Context, rt wazero.Runtime, module []byte) (code wazero.CompiledModule, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the compiler gives up: %v", p)
		}
	}()
	return rt.CompileModule(ctx, module)
}

// instanceConfig makes instances without a name and without anything of the engine's own world. That has a source of chance, which
// nobody asks, and which would take a fifth of a small verdict to make.
func instanceConfig() wazero.ModuleConfig {
	return wazero.NewModuleConfig().WithName("").WithStartFunctions().WithRandSource(bytes.NewReader(nil))
}

// compile makes a module of an artifact, with machine code from and to the directory if there is one.
func (e *Engine) compile(ctx context.Context, a artifact, limits Limits, dir string) (*Module, error) {
	config := wazero.NewRuntimeConfig()
	if e.interpreter {
		config = wazero.NewRuntimeConfigInterpreter()
	}
	config = config.WithCoreFeatures(features).WithDebugInfoEnabled(false)
	if dir != "" {
		cache, err := wazero.NewCompilationCacheWithDir(dir)
		if err != nil {
			return nil, fmt.Errorf("open compile cache: %w", err)
		}
		config = config.WithCompilationCache(cache)
	}
	m := &Module{info: a.Info, limits: limits, size: len(a.Wasm), runtime: wazero.NewRuntimeWithConfig(ctx, config), config: instanceConfig()}
	if err := provide(ctx, m.runtime, a.Info.Imports); err != nil {
		return nil, err
	}
	code, err := translate(experimental.WithFunctionListenerFactory(ctx, yielder{}), m.runtime, a.Wasm)
	switch {
	case ofDisk(err):
		return nil, fmt.Errorf("keep machine code: %w", err)
	case err != nil:
		return nil, fmt.Errorf("compile module: %w: %w", err, ErrRefused)
	}
	m.code = code
	return m, nil
}
