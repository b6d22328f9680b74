package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"barnraise"
	"barnraise/image"
	"barnraise/manifest"
	"barnraise/runtime"
	"barnraise/runtime/suite"
	runwasm "barnraise/runtime/wasm"
	"barnraise/wasm"
)

// TestMain is also the child's main.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && strings.HasPrefix(os.Args[1], "child=") {
		if err := childMain(strings.TrimPrefix(os.Args[1], "child="), os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// childMain is what children do in these tests; the last argument is the socket.
func childMain(kind string, args []string) error {
	var r runtime.Runtime = moody{}
	switch kind {
	case "bad":
		return errors.New("this child does not want to")
	case "mute":
		time.Sleep(time.Hour)
	case "wasm":
		images, err := image.Open(args[0])
		if err != nil {
			return err
		}
		engine, err := wasm.NewEngine("")
		if err != nil {
			return err
		}
		r = runwasm.New(runwasm.Config{Engine: engine, Images: images, Concurrency: 1, Spares: 2})
	case "confined":
		if err := Confine([]string{args[0], "/nowhere"}, []string{args[1], filepath.Dir(args[2])}); err != nil {
			return err
		}
	case "small":
		if err := Limit(1 << 30); err != nil {
			return err
		}
	}
	l, err := net.Listen("unix", args[len(args)-1])
	if err != nil {
		return err
	}
	fmt.Println("ready")
	return Serve(context.Background(), l, os.Stdin, r)
}

// moody is a runtime whose services do what the method says, to the process if need be.
type moody struct{}

func (moody) Platforms(context.Context) []string { return []string{"moody", "other"} }

func (moody) Start(ctx context.Context, spec runtime.Spec) (runtime.Instance, error) {
	switch spec.Around.Hostname {
	case "deadly":
		os.Exit(7)
	case "cannot":
		return nil, fmt.Errorf("%w: as asked", runtime.ErrCannot)
	case "slow":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return &moodyInstance{limits: spec.Limits, file: spec.Around.Env}, nil
}

type moodyInstance struct {
	limits manifest.Limits
	file   string // written to when it stops
	calls  uint64
	held   [][]byte
}

func (m *moodyInstance) Call(ctx context.Context, request []byte) ([]byte, error) {
	m.calls++
	has := func(method string) bool { return bytes.Contains(request, []byte(`"`+method+`"`)) }
	switch {
	case has("die"):
		fmt.Fprintln(os.Stderr, "last words")
		os.Exit(7)
	case has("eat"):
		for {
			m.held = append(m.held, bytes.Repeat([]byte{1}, 64<<20))
		}
	case has("wait"):
		<-ctx.Done()
		return nil, runtime.ErrTimeout
	case has("flood"):
		return bytes.Repeat([]byte{'x'}, int(m.limits.Response)+1), nil
	case has("read"):
		_, err := os.ReadFile(filepath.Join(m.file, "key"))
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"result":%q}`, fmt.Sprint(err)), nil
	case has("write"):
		err := os.WriteFile(filepath.Join(m.file, "new"), nil, 0o600)
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"result":%q}`, fmt.Sprint(err)), nil
	case has("move"):
		to := filepath.Join(m.file, "below")
		err := errors.Join(os.Mkdir(to, 0o700), os.Rename(filepath.Join(m.file, "new"), filepath.Join(to, "new")))
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"result":%q}`, fmt.Sprint(err)), nil
	case has("odd"):
		return nil, errors.New("something odd")
	case has("fuel"):
		return nil, fmt.Errorf("%w: as asked", runtime.ErrFuel)
	case has("environ"):
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"result":%q}`, strings.Join(os.Environ(), " ")), nil
	case has("nonsense"):
		return []byte(`{"jsonrpc":"2.0","id":2,"result":1}`), nil
	}
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"result":%d}`, os.Getpid()), nil
}

func (m *moodyInstance) Health(context.Context) error { return nil }

func (m *moodyInstance) Stats() runtime.Stats { return runtime.Stats{Calls: m.calls, Restarts: 10} }

func (m *moodyInstance) Stop(context.Context) error {
	if filepath.Base(m.file) != "file" {
		return nil
	}
	return os.WriteFile(m.file, []byte("stopped"), 0o600)
}

var moodyLimits = manifest.Limits{Memory: 1, CPU: 1, Timeout: manifest.Duration(30 * time.Second), Request: 1 << 10, Response: 4 << 10, Fuel: 1}

func worker(t testing.TB, kind string, args ...string) *Runtime {
	t.Helper()
	r, err := Open(t.Context(), config(t, kind, args...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func config(t testing.TB, kind string, args ...string) Config {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "w") // short: it is for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return Config{
		Command: append([]string{exe, "child=" + kind}, args...), Env: []string{"ONLY=this"}, Dir: dir,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

func request(method string) []byte {
	return []byte(`{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":[]}`)
}

func start(t testing.TB, r *Runtime, around runtime.Surroundings) runtime.Instance {
	t.Helper()
	i, err := r.Start(t.Context(), runtime.Spec{Image: barnraise.Sum([]byte("image")), Limits: moodyLimits, Around: around})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// eventually waits for another process, ten seconds at most.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after ten seconds still not: %s", what)
		}
	}
}

// What runs in a child keeps to everything that a runtime promises.
func TestSuite(t *testing.T) {
	suite.Run(t, suite.Subject{
		Platform: image.Wasm, Blind: true,
		New: func(t testing.TB, images *image.Store) runtime.Runtime { return worker(t, "wasm", images.Dir()) },
	})
}

func TestFailures(t *testing.T) {
	r := worker(t, "moody")
	if got := r.Platforms(t.Context()); len(got) != 2 || got[0] != "moody" {
		t.Errorf("platforms %v", got)
	}
	if _, err := r.Start(t.Context(), runtime.Spec{Around: runtime.Surroundings{Hostname: "cannot"}}); !errors.Is(err, runtime.ErrCannot) || !strings.Contains(err.Error(), "as asked") {
		t.Errorf("start what cannot be: %v", err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := r.Start(soon, runtime.Spec{Around: runtime.Surroundings{Hostname: "slow"}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("start given up: %v", err)
	}
	i := start(t, r, runtime.Surroundings{})
	for method, class := range map[string]error{"flood": runtime.ErrBroke, "nonsense": runtime.ErrBroke, "fuel": runtime.ErrFuel} {
		if got, err := i.Call(t.Context(), request(method)); !errors.Is(err, class) || got != nil {
			t.Errorf("%s: %.40q, %v", method, got, err)
		}
	}
	if _, err := i.Call(t.Context(), request("odd")); err == nil || err.Error() != "something odd" {
		t.Errorf("odd: %v", err)
	}
	got, err := i.Call(t.Context(), request("environ"))
	if err != nil || string(got) != `{"jsonrpc":"2.0","id":1,"result":"ONLY=this"}` {
		t.Errorf("the child's environment: %s, %v", got, err)
	}
	if err := i.(interface{ Crash(context.Context) error }).Crash(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("crash: %v", err)
	}
}

// A crash costs the calls in flight, and nothing more.
func TestCrash(t *testing.T) {
	r := worker(t, "moody")
	innocent, guilty := start(t, r, runtime.Surroundings{}), start(t, r, runtime.Surroundings{})
	before, err := innocent.Call(t.Context(), request("pid"))
	if err != nil {
		t.Fatal(err)
	}
	_ = innocent.Stats()
	var all sync.WaitGroup
	all.Go(func() {
		if got, err := innocent.Call(t.Context(), request("wait")); !errors.Is(err, runtime.ErrBroke) {
			t.Errorf("in flight: %q, %v", got, err)
		}
	})
	eventually(t, "the call is in flight", func() bool { return innocent.Stats().Calls == 2 })
	if got, err := guilty.Call(t.Context(), request("die")); !errors.Is(err, runtime.ErrBroke) {
		t.Errorf("deadly call: %q, %v", got, err)
	}
	all.Wait()
	for _, i := range []runtime.Instance{innocent, guilty} {
		eventually(t, "both are well again", func() bool { return i.Health(t.Context()) == nil })
		after, err := i.Call(t.Context(), request("pid"))
		if err != nil || bytes.Equal(before, after) {
			t.Errorf("after the crash: %s, %v; before: %s", after, err, before)
		}
	}
	if s := innocent.Stats(); s.Calls != 3 || s.Restarts != 21 {
		t.Errorf("stats %+v, want three calls and a restart", s)
	}
	for _, i := range []runtime.Instance{innocent, guilty} {
		if err := i.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if err := i.Health(t.Context()); !errors.Is(err, runtime.ErrNotReady) {
			t.Errorf("health after stop: %v", err)
		}
	}
}

// A start that ends the process fails, and is not repeated.
func TestDeadlyStart(t *testing.T) {
	r := worker(t, "moody")
	i := start(t, r, runtime.Surroundings{})
	if _, err := r.Start(t.Context(), runtime.Spec{Around: runtime.Surroundings{Hostname: "deadly"}}); !errors.Is(err, runtime.ErrBroke) {
		t.Errorf("%v, want ErrBroke", err)
	}
	eventually(t, "the other is well again", func() bool { return i.Health(t.Context()) == nil })
	if s := i.Stats(); s.Restarts != 11 {
		t.Errorf("stats %+v", s)
	}
}

func TestMemory(t *testing.T) {
	if Share() == 0 {
		t.Fatal("no share")
	}
	r := worker(t, "small")
	i := start(t, r, runtime.Surroundings{})
	if got, err := i.Call(t.Context(), request("eat")); !errors.Is(err, runtime.ErrBroke) {
		t.Errorf("%q, %v", got, err)
	}
	eventually(t, "it is well again", func() bool { return i.Health(t.Context()) == nil })
}

// The keys of whose process it is are nothing that a confined child can read.
func TestConfine(t *testing.T) {
	dirs := map[string]string{"read": t.TempDir(), "write": t.TempDir(), "keys": t.TempDir()}
	for _, dir := range dirs {
		if err := os.WriteFile(filepath.Join(dir, "key"), []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if !Confines() {
		t.Skip("this kernel has no Landlock")
	}
	r := worker(t, "confined", dirs["read"], dirs["write"])
	for name, want := range map[string][3]bool{"read": {true, false, false}, "write": {true, true, true}, "keys": {false, false, false}} {
		i := start(t, r, runtime.Surroundings{Env: dirs[name]})
		for n, method := range []string{"read", "write", "move"} {
			got, err := i.Call(t.Context(), request(method))
			if allowed := strings.Contains(string(got), "nil"); err != nil || allowed != want[n] || !allowed && !strings.Contains(string(got), "permission denied") {
				t.Errorf("%s of %s: %s, %v", method, name, got, err)
			}
		}
	}
}

// When the parent is gone, the child stops what it runs and leaves.
func TestParentGone(t *testing.T) {
	c := config(t, "moody")
	r, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	i := start(t, r, runtime.Surroundings{Env: file})
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "stopped" {
		t.Errorf("what ran was not stopped: %q, %v", b, err)
	}
	if _, err := i.Call(t.Context(), request("pid")); !errors.Is(err, runtime.ErrNotReady) && !errors.Is(err, runtime.ErrBroke) {
		t.Errorf("call after Close: %v", err)
	}
	if err := i.Stop(t.Context()); err != nil {
		t.Errorf("stop after Close: %v", err)
	}
	if _, err := r.Start(t.Context(), runtime.Spec{}); !errors.Is(err, runtime.ErrNotReady) {
		t.Errorf("start after Close: %v", err)
	}
	if left, err := os.ReadDir(c.Dir); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestOpenFails(t *testing.T) {
	long := config(t, "moody")
	long.Dir = filepath.Join(long.Dir, strings.Repeat("x", 100))
	missing := config(t, "moody")
	missing.Command = []string{filepath.Join(missing.Dir, "nothing")}
	for name, c := range map[string]struct {
		config Config
		words  string
	}{
		"bad": {config(t, "bad"), "does not want to"}, "long": {long, "too long"}, "missing": {missing, "no such file"},
	} {
		if r, err := Open(t.Context(), c.config); r != nil || err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", name, err)
		}
	}
	soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Open(soon, config(t, "mute")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("mute: %v", err)
	}
}
