package wasm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// open makes an engine with a directory.
func open(t testing.TB, dir string) *Engine {
	t.Helper()
	e, err := NewEngine(dir)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// answers reports an error unless the module works.
func answers(t testing.TB, m *Module) {
	t.Helper()
	i := instantiate(t, m, IO{})
	if out, err := i.Exchange(context.Background(), "handle", []byte("(()"), 10); err != nil || string(out) != ")((2" {
		t.Errorf("the module answers %q, %v", out, err)
	}
}

// files are the digests of the files under a directory, by their paths in it.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	found, err := digests(dir)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestCacheIsUsed holds that a second process finds what a first one left, and looks at nothing else.
func TestCacheIsUsed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	module := file(t, "testdata/c.wasm")
	answers(t, compile(t, open(t, dir), module, roomy))
	before := files(t, dir)
	if len(before) != 3 { // module, machine code, list
		t.Fatalf("the directory holds %v", before)
	}
	k := keyOf(module, ServiceCaps(), roomy)
	m := open(t, dir).stored(context.Background(), k, roomy)
	if m == nil {
		t.Fatal("nothing is found")
	}
	answers(t, m)
	if after := files(t, dir); !maps.Equal(before, after) { // the engine adds what it does not find
		t.Errorf("the directory held %v and now %v", before, after)
	}
}

// TestCacheKey holds that nothing compiled under other caps, limits or for another module is taken.
func TestCacheKey(t *testing.T) {
	module := file(t, "testdata/c.wasm")
	caps, limits := ServiceCaps(), roomy
	base := keyOf(module, caps, limits)
	if base != keyOf(append([]byte{}, module...), caps, limits) {
		t.Error("the key differs from itself")
	}
	caps.Locals--
	limits.Fuel++
	for name, k := range map[string]key{
		"other caps":     keyOf(module, caps, roomy),
		"other fuel":     keyOf(module, ServiceCaps(), limits),
		"other memory":   keyOf(module, ServiceCaps(), Limits{Fuel: roomy.Fuel, Memory: 1}),
		"another module": keyOf(module[1:], ServiceCaps(), roomy),
	} {
		if k == base {
			t.Errorf("%s: the same key", name)
		}
	}
}

// TestCacheAltered holds that whatever is wrong with a file, the module is compiled anew and works.
func TestCacheAltered(t *testing.T) {
	module := file(t, "testdata/c.wasm")
	k := keyOf(module, ServiceCaps(), roomy)
	change := func(path string, f func(b []byte) []byte) {
		b, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, f(b), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	flip := func(at int) func(b []byte) []byte {
		return func(b []byte) []byte { b[(at+len(b))%len(b)] ^= 1; return b }
	}
	for name, f := range map[string]func(b []byte) []byte{
		"cut to nothing": func([]byte) []byte { return nil },
		"cut short":      func(b []byte) []byte { return b[:len(b)/2] },
		"longer":         func(b []byte) []byte { return append(b, 0) },
		"first bit":      flip(0),
		"a bit inside":   flip(40),
		"last bit":       flip(-1),
	} {
		dir := filepath.Join(t.TempDir(), "cache")
		answers(t, compile(t, open(t, dir), module, roomy))
		entry := files(t, filepath.Join(dir, hexKey(k)))
		entry[listFile] = ""
		for path := range entry {
			change(filepath.Join(dir, hexKey(k), path), f)
			e := open(t, dir)
			if e.stored(context.Background(), k, roomy) != nil {
				t.Errorf("%s: %s is taken", path, name)
			}
			answers(t, compile(t, e, module, roomy))
			if open(t, dir).stored(context.Background(), k, roomy) == nil {
				t.Errorf("%s, %s: what was compiled anew is not kept", path, name)
			}
		}
		if err := os.Remove(filepath.Join(dir, hexKey(k), listFile)); err != nil {
			t.Fatal(err)
		}
		answers(t, compile(t, open(t, dir), module, roomy))
		if open(t, dir).stored(context.Background(), k, roomy) == nil {
			t.Errorf("%s: without a list, what was compiled anew is not kept", name)
		}
		for _, extra := range []string{"more", filepath.Join("deep", "more")} {
			path := filepath.Join(dir, hexKey(k), extra)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
			e := open(t, dir)
			if e.stored(context.Background(), k, roomy) != nil {
				t.Errorf("%s: a file that is not listed is taken", name)
			}
			answers(t, compile(t, e, module, roomy))
		}
	}
}

func hexKey(k key) string { return filepath.Base((&store{}).path(k)) }

// TestCacheUnwritable holds that a directory that cannot be written costs time and no more.
func TestCacheUnwritable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	e := open(t, dir)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	answers(t, compile(t, e, file(t, "testdata/c.wasm"), roomy))
}

// TestCompiledOnce holds that what the compiler refuses is not compiled again, and that a disk that is full costs time alone.
func TestCompiledOnce(t *testing.T) {
	full := &os.PathError{Op: "write", Path: "x", Err: errors.New("disk full")}
	for _, c := range []struct {
		name  string
		fails error // where there is a directory
		calls int
		want  error
	}{
		{"a module", nil, 1, nil},
		{"what the compiler refuses", fmt.Errorf("it gives up: %w", ErrRefused), 1, ErrRefused},
		{"a disk that is full", fmt.Errorf("keep machine code: %w", full), 2, nil},
	} {
		s, err := openStore(filepath.Join(t.TempDir(), "cache"))
		if err != nil {
			t.Fatal(err)
		}
		calls := 0
		m, err := s.compiled(key{}, artifact{}, func(dir string) (*Module, error) {
			if calls++; dir != "" && c.fails != nil {
				return nil, c.fails
			}
			return &Module{}, nil
		})
		if calls != c.calls || !errors.Is(err, c.want) || (m == nil) != (c.want != nil) {
			t.Errorf("%s: compiled %d times, %v, %v", c.name, calls, m, err)
		}
	}
	if !ofDisk(fmt.Errorf("x: %w", full)) || !ofDisk(&os.LinkError{Err: full.Err}) || ofDisk(ErrRefused) || ofDisk(nil) {
		t.Error("the disk's errors are not told from others")
	}
}

// TestCacheDirectory holds that machine code is taken from nobody else's directory.
func TestCacheDirectory(t *testing.T) {
	parent := t.TempDir()
	dir := func(name string, mode os.FileMode) string {
		path := filepath.Join(parent, name)
		if err := errors.Join(os.Mkdir(path, 0o700), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain := filepath.Join(parent, "plain")
	link := filepath.Join(parent, "link")
	if err := errors.Join(os.WriteFile(plain, nil, 0o600), os.Symlink(dir("target", 0o700), link)); err != nil {
		t.Fatal(err)
	}
	for path, words := range map[string]string{
		dir("group", 0o770): "chmod 700",
		dir("all", 0o777):   "chmod 700",
		plain:               "not a directory",
		link:                "is no directory",
	} {
		if _, err := NewEngine(path); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v, want an error with %q", filepath.Base(path), err, words)
		}
	}
	for _, path := range []string{dir("readable", 0o755), dir("own", 0o700), filepath.Join(parent, "new", "deep")} {
		if _, err := NewEngine(path); err != nil {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
	if info, err := os.Stat(filepath.Join(parent, "new", "deep")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("a new directory: %v, %v", info.Mode(), err)
	}
	if os.Geteuid() == 0 {
		foreign := dir("foreign", 0o700)
		if err := os.Chown(foreign, 12345, -1); err != nil {
			t.Fatal(err)
		}
		if _, err := NewEngine(foreign); err == nil || !strings.Contains(err.Error(), "another user") {
			t.Errorf("somebody else's directory: %v", err)
		}
	}
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{unfinished + "old": 2 * time.Hour, unfinished + "new": 0, "other": 2 * time.Hour} {
		path, then := filepath.Join(dir, name), time.Now().Add(-age)
		if err := errors.Join(os.MkdirAll(filepath.Join(path, "x"), 0o700), os.Chtimes(path, then, then)); err != nil {
			t.Fatal(err)
		}
	}
	open(t, dir)
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(left) != 2 || filepath.Base(left[0]) != "other" || filepath.Base(left[1]) != unfinished+"new" {
		t.Errorf("left are %q", left)
	}
}

// TestShared holds that callers at the same time share one compilation, that one who gives up takes it from nobody, and that
// engines of several processes may share a directory.
func TestShared(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	module := file(t, "testdata/rust.wasm")
	var wait sync.WaitGroup
	for range 2 {
		e := open(t, dir)
		got := make([]*Module, 8)
		ctx, cancel := context.WithCancel(context.Background())
		for n := range got {
			wait.Go(func() {
				if n == 0 {
					if m, err := e.Compile(ctx, module, ServiceCaps(), roomy); err != nil && !errors.Is(err, context.Canceled) {
						t.Errorf("the caller who gives up: %v, %v", m, err)
					}
					return
				}
				m, err := e.Compile(context.Background(), module, ServiceCaps(), roomy)
				if err != nil {
					t.Error(err)
				}
				got[n] = m
			})
		}
		wait.Go(cancel)
		defer func() {
			for _, m := range got[1:] {
				if m != got[1] {
					t.Error("two callers have two modules")
				}
			}
		}()
	}
	wait.Wait()
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
		t.Errorf("the directory holds %q", left)
	}
}

// TestForget holds that an engine keeps what it used last, and that what it forgets goes on working.
func TestForget(t *testing.T) {
	e := open(t, "")
	module := file(t, "testdata/c.wasm")
	var first *Instance
	for fuel := range uint64(3) {
		m := compile(t, e, module, Limits{Fuel: roomy.Fuel + fuel, Memory: roomy.Memory})
		e.mu.Lock()
		m.size = keep/2 + 1 // as if
		e.mu.Unlock()
		if fuel == 0 {
			first = instantiate(t, m, IO{})
		}
	}
	compile(t, e, module, roomy)
	e.mu.Lock()
	e.forget()
	kept := len(e.modules)
	e.mu.Unlock()
	if kept > 2 {
		t.Errorf("it keeps %d modules", kept)
	}
	if _, err := first.Exchange(context.Background(), "handle", []byte("x"), 10); err != nil {
		t.Errorf("an instance of a module that is forgotten: %v", err)
	}
}

// TestRefusedIsForgotten holds that a refusal is not kept, and says the same each time.
func TestRefusedIsForgotten(t *testing.T) {
	e := open(t, t.TempDir())
	for range 2 {
		if _, err := e.Compile(context.Background(), []byte("no module"), ServiceCaps(), roomy); !errors.Is(err, ErrRefused) {
			t.Errorf("%v, want ErrRefused", err)
		}
		if _, err := e.Compile(context.Background(), file(t, "testdata/c.wasm"), ServiceCaps(), Limits{Fuel: 1, Memory: PageSize}); !errors.Is(err, ErrRefused) {
			t.Errorf("more memory than granted: %v, want ErrRefused", err)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.modules) != 0 {
		t.Errorf("%d refusals are kept", len(e.modules))
	}
}

// TestCustomSections holds that what lies in custom sections, however broken, is passed over.
func TestCustomSections(t *testing.T) {
	broken := append([]byte{secCustom}, sized(append(sized([]byte("name")), 0xff, 0xff, 0xff))...)
	debug := append([]byte{secCustom}, sized(append(sized([]byte(".debug_info")), 1, 2, 3))...)
	module := file(t, "testdata/c.wasm")
	module = append(append(append([]byte{}, module[:8]...), append(broken, broken...)...), append(module[8:], debug...)...)
	answers(t, compile(t, engines(t)["compiler"], module, roomy))
}

func TestCancelled(t *testing.T) {
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	e := open(t, "")
	if _, err := e.Compile(gone, file(t, "testdata/c.wasm"), ServiceCaps(), roomy); !errors.Is(err, context.Canceled) {
		t.Errorf("compile: %v", err)
	}
	m := compile(t, e, file(t, "testdata/c.wasm"), roomy)
	if _, err := m.Instantiate(gone, IO{}); !errors.Is(err, context.Canceled) {
		t.Errorf("instantiate: %v", err)
	}
	i := instantiate(t, m, IO{})
	if _, err := i.Exchange(gone, "handle", nil, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("exchange: %v", err)
	}
	if used := i.FuelUsed(); used != 0 {
		t.Errorf("a call that was not made takes %d", used)
	}
}
