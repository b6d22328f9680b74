package suite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/manifest"
	"barnraise/runtime"
)

func testStart(t *testing.T, f *fixture) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name  string
		ctx   context.Context
		spoil func(*runtime.Spec)
	}{
		{"image that is not held", t.Context(), func(s *runtime.Spec) { s.Image = barnraise.Sum([]byte("x")) }},
		{"platform of another image", t.Context(), func(s *runtime.Spec) { s.Platform = barnraise.Sum([]byte("x")) }},
		{"no platform", t.Context(), func(s *runtime.Spec) { s.Platform = barnraise.Digest{} }},
		{"caller is gone", gone, func(*runtime.Spec) {}},
	} {
		spec := f.spec
		c.spoil(&spec)
		i, err := f.runtime.Start(c.ctx, spec)
		if err == nil {
			t.Errorf("%s: started", c.name)
			_ = i.Stop(t.Context())
		}
		if c.ctx == gone {
			continue
		}
		if !errors.Is(err, runtime.ErrCannot) {
			t.Errorf("%s: %v, want ErrCannot", c.name, err)
		}
	}
}

func testAnswers(t *testing.T, f *fixture) {
	i := f.start(t, Limits)
	if err := i.Health(t.Context()); err != nil {
		t.Errorf("health after the start: %v", err)
	}
	want(t, i, "echo", "hello", `"hello"`)
	for _, id := range []string{`1`, `-7`, `"a b"`, `null`, `123456789012345678901234567890`} {
		got, err := i.Call(t.Context(), request(id, "echo", "x"))
		if want := `{"jsonrpc":"2.0","id":` + id + `,"result":"x"}`; err != nil || string(got) != want {
			t.Errorf("id %s: %s, %v", id, got, err)
		}
	}
	want(t, i, "nest", "20000", "20000")
	got, err := i.Call(t.Context(), request("1", "refuse", ""))
	if err != nil || !strings.Contains(string(got), "-32000") {
		t.Errorf("an error of the service is an answer: %s, %v", got, err)
	}
	if s := i.Stats(); s.Calls != 8 || s.Answers != 8 || s.Running != 0 || s.Slowest <= 0 {
		t.Errorf("stats %+v after eight answers", s)
	}
	for body, want := range map[string]error{
		`[]`: jsonrpc.ErrBatch, `{"jsonrpc":"2.0","method":"echo"}`: jsonrpc.ErrNotification,
		`{`: jsonrpc.ErrSyntax, `{}`: jsonrpc.ErrInvalid,
	} {
		if got, err := i.Call(t.Context(), []byte(body)); !errors.Is(err, want) || got != nil {
			t.Errorf("%s: %q, %v, want %v", body, got, err, want)
		}
	}
	if s := i.Stats(); s.Calls != 8 {
		t.Errorf("stats %+v: what is no request came to the service", s)
	}
}

// Protocol 2.6: neither less nor more than the limits.
func testLimits(t *testing.T, f *fixture) {
	i := f.start(t, Limits)
	frame := len(request("1", "echo", "x")) - 1
	most := strings.Repeat("x", int(Limits.Request)-frame)
	want(t, i, "echo", most, `"`+most+`"`)
	if got, err := i.Call(t.Context(), request("1", "echo", most+"x")); !errors.Is(err, runtime.ErrRequest) || got != nil {
		t.Errorf("one byte too many asked: %.40q, %v", got, err)
	}
	response := func(n int) ([]byte, error) { return i.Call(t.Context(), request("1", "long", fmt.Sprint(n))) }
	if got, err := response(int(Limits.Response)); err != nil || len(got) != int(Limits.Response) {
		t.Errorf("longest response: %d bytes, %v", len(got), err)
	}
	for _, n := range []int{int(Limits.Response) + 1, 2 * int(Limits.Response), 16 << 20} {
		if got, err := response(n); !errors.Is(err, runtime.ErrBroke) || got != nil {
			t.Errorf("response of %d bytes: %d bytes, %v, want ErrBroke", n, len(got), err)
		}
	}
}

// Protocol 3.4: what is no answer, by class; and the service is as good as new after each.
func testFailures(t *testing.T, f *fixture) {
	limits := Limits
	limits.Timeout = manifest.Duration(5 * time.Second)
	i := f.start(t, limits)
	broke, late := []error{runtime.ErrBroke}, []error{runtime.ErrFuel, runtime.ErrTimeout}
	for method, classes := range map[string][]error{
		"half": broke, "huge": broke, "internal": broke, "otherid": broke, "twice": broke, "garbage": broke, "nothing": broke,
		"panic": broke, "nil": broke, "exit": broke, "leave": broke, "recurse": {runtime.ErrBroke, runtime.ErrFuel},
		"grow": broke, "loop": late, "block": {runtime.ErrBroke, runtime.ErrTimeout},
	} {
		got, err := i.Call(t.Context(), request("1", method, ""))
		of := 0
		for _, class := range classes {
			if errors.Is(err, class) {
				of++
			}
		}
		if of != 1 || got != nil {
			t.Errorf("%s: %.80q, %v, want one of %v", method, got, err, classes)
		}
		f.asNew(t, i)
	}
	if s := i.Stats(); s.Calls != 30 || s.Answers != 15 {
		t.Errorf("stats %+v after 15 failures and 15 answers", s)
	}
}

// Each call sees the service as if it were the first.
func testForgets(t *testing.T, f *fixture) {
	if f.subject.Keeps {
		t.Skip("instances answer several calls")
	}
	i := f.start(t, Limits)
	for range 5 {
		want(t, i, "kept", "", "false")
		want(t, i, "count", "", "1")
	}
}

// Nothing of the host is visible, and where the subject claims so, nothing that differs between two runs.
func testSeesNothing(t *testing.T, f *fixture) {
	t.Setenv("BARNRAISE_SECRET", "secret")
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	i := f.start(t, Limits)
	want(t, i, "getenv", "BARNRAISE_SECRET", `""`)
	want(t, i, "read", file, "false")
	if !f.subject.Blind {
		return
	}
	first, err := i.Call(t.Context(), request("1", "look", ""))
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		again, err := f.start(t, Limits).Call(t.Context(), request("1", "look", ""))
		if err != nil || string(again) != string(first) {
			t.Errorf("two runs differ: %v\n%s\n%s", err, first, again)
		}
	}
}

// Calls at once do not mix, however many there are.
func testConcurrent(t *testing.T, f *fixture) {
	i := f.start(t, Limits)
	var all sync.WaitGroup
	for n := range 40 {
		all.Go(func() {
			switch n % 4 {
			case 0:
				f.asNew(t, i)
			case 1:
				if _, err := i.Call(t.Context(), request("1", "panic", "")); !errors.Is(err, runtime.ErrBroke) {
					t.Errorf("panic: %v", err)
				}
			default:
				want(t, i, "echo", fmt.Sprint(n), fmt.Sprintf("%q", fmt.Sprint(n)))
			}
		})
	}
	all.Wait()
	if s := i.Stats(); s.Calls != 40 || s.Answers != 30 || s.Running != 0 {
		t.Errorf("stats %+v after 40 calls", s)
	}
}

// What runs outside this process can be killed there, and is made to run again.
func testCrash(t *testing.T, f *fixture) {
	i := f.start(t, Limits)
	outside, ok := i.(interface{ Crash(context.Context) error })
	if !ok {
		t.Skip("it runs within this process")
	}
	switch err := outside.Crash(t.Context()); {
	case errors.Is(err, errors.ErrUnsupported):
		t.Skip("it runs within the process that runs services")
	case err != nil:
		t.Fatal(err)
	}
	answers := func() bool {
		_, err := i.Call(t.Context(), request("1", "echo", "x"))
		return err == nil && i.Stats().Restarts > 0
	}
	if !eventually(answers) || i.Health(t.Context()) != nil {
		t.Errorf("after a crash: stats %+v, health %v", i.Stats(), i.Health(t.Context()))
	}
}

// When the caller is gone, Call returns, whatever the service does.
func testCallerGone(t *testing.T, f *fixture) {
	limits := Limits
	limits.Timeout = manifest.Duration(5 * time.Second)
	i := f.start(t, limits)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := i.Call(gone, request("1", "echo", "x")); !errors.Is(err, runtime.ErrTimeout) || got != nil {
		t.Errorf("gone before: %q, %v", got, err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if got, err := i.Call(soon, request("1", "loop", "")); !errors.Is(err, runtime.ErrTimeout) || got != nil {
		t.Errorf("gone meanwhile: %q, %v", got, err) // ErrFuel would mean that Call waited for the end
	}
	limits.Timeout = manifest.Duration(50 * time.Millisecond)
	if _, err := f.start(t, limits).Call(t.Context(), request("1", "loop", "")); !errors.Is(err, runtime.ErrTimeout) {
		t.Errorf("over the time limit: %v", err)
	}
}

// After Stop nothing is left.
func testStop(t *testing.T, f *fixture) {
	spec := f.spec
	spec.Limits.Timeout = manifest.Duration(5 * time.Second)
	before := goruntime.NumGoroutine()
	i, err := f.runtime.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	running := make(chan error, 4)
	for range cap(running) {
		go func() {
			_, err := i.Call(t.Context(), request("1", "loop", ""))
			running <- err
		}()
	}
	if !eventually(func() bool { return i.Stats().Running > 0 }) {
		t.Error("no call runs")
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := i.Stop(gone); err == nil {
		t.Error("Stop did not wait for the calls that run, and did not say so")
	}
	if got, err := i.Call(t.Context(), request("1", "echo", "x")); !errors.Is(err, runtime.ErrNotReady) || got != nil {
		t.Errorf("call after Stop: %q, %v", got, err)
	}
	if err := i.Health(t.Context()); !errors.Is(err, runtime.ErrNotReady) {
		t.Errorf("health after Stop: %v", err)
	}
	for range 2 {
		if err := i.Stop(t.Context()); err != nil {
			t.Errorf("Stop: %v", err)
		}
	}
	if s := i.Stats(); s.Running != 0 {
		t.Errorf("stats %+v after Stop", s)
	}
	for range cap(running) {
		if err := <-running; err == nil {
			t.Error("an endless loop has answered")
		}
	}
	if !eventually(func() bool { return goruntime.NumGoroutine() <= before }) {
		t.Errorf("%d goroutines before, %d after", before, goruntime.NumGoroutine())
	}
}

// eventually waits for what another goroutine does, five seconds at most.
func eventually(done func() bool) bool {
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); goruntime.Gosched() {
		if done() {
			return true
		}
	}
	return false
}
