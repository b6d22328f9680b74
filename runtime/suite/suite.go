// Package suite holds implementations of runtime.Runtime to what they promise, with a service that is as hostile as its
// caller asks it to be. Every implementation's tests call [Run].
package suite

import (
	"context"
	"embed"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"barnraise/image"
	"barnraise/manifest"
	"barnraise/runtime"
)

// Subject is an implementation under test.
type Subject struct {
	// Platform is the variant that it runs, such as image.Wasm.
	Platform string
	// New makes a runtime that takes its images from the store. It may use t.Cleanup.
	New func(t testing.TB, images *image.Store) runtime.Runtime
	// Build compiles the hostile service from the directory; nil means image.Build.
	Build func(ctx context.Context, into *image.Store, dir string) (image.Built, error)
	// Keeps says that several calls come to the same instance of the service, one after the other, as strangers' calls may
	// where instances are dear. What it remembers is then for the gate to find.
	Keeps bool
	// Blind says that a service cannot tell one run from another by anything: no clock, no chance, no names.
	Blind bool
}

// Limits are those that the hostile service runs under. Its endless loop takes most of a second to use up the fuel.
var Limits = manifest.Limits{
	Memory: 64 << 20, CPU: 1, Timeout: manifest.Duration(20 * time.Second), Request: 4 << 10, Response: 16 << 10, Fuel: 2e9,
}

// fixture is the service, built once for all tests, and the runtime.
type fixture struct {
	subject Subject
	images  *image.Store
	runtime runtime.Runtime
	spec    runtime.Spec
}

// Run builds the hostile service for the subject and runs every test of the suite. Building takes the go command.
func Run(t *testing.T, s Subject) {
	f := newFixture(t, s)
	for name, test := range map[string]func(*testing.T, *fixture){
		"Start": testStart, "Answers": testAnswers, "Limits": testLimits, "Failures": testFailures, "Forgets": testForgets,
		"SeesNothing": testSeesNothing, "Concurrent": testConcurrent, "CallerGone": testCallerGone, "Stop": testStop,
		"Refusals": testRefusals, "Bounds": testBounds, "Who": testWho, "Crash": testCrash,
	} {
		t.Run(name, func(t *testing.T) { test(t, f) })
	}
}

//go:embed testdata/hostile
var sources embed.FS

func newFixture(t *testing.T, s Subject) *fixture {
	t.Helper()
	images, err := image.Open(filepath.Join(t.TempDir(), "images"))
	if err != nil {
		t.Fatal(err)
	}
	dir := Source(t)
	if s.Build == nil {
		s.Build = func(ctx context.Context, into *image.Store, dir string) (image.Built, error) {
			return image.Build(ctx, into, image.Options{Dir: dir, Platforms: []string{s.Platform}})
		}
	}
	built, err := s.Build(t.Context(), images, dir)
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{s, images, s.New(t, images), SpecOf(t, images, built, s.Platform)}
}

// SpecOf is what to run of an image that was built: its variant of that platform, with [Limits].
func SpecOf(t testing.TB, images *image.Store, built image.Built, platform string) runtime.Spec {
	t.Helper()
	_, index, err := image.ParseReference(built.Image)
	if err != nil {
		t.Fatal(err)
	}
	v, err := images.Variant(index, platform)
	if err != nil {
		t.Fatal(err)
	}
	return runtime.Spec{Image: index, Platform: v.Manifest, Limits: Limits}
}

// Source writes the hostile service to a directory of the test, as a module of its own.
func Source(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "hostile")
	files, err := fs.Sub(sources, "testdata/hostile")
	if err == nil {
		err = os.CopyFS(dir, files)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module hostile\n\ngo 1.26\n"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// start starts the service and stops it when the test ends.
func (f *fixture) start(t *testing.T, limits manifest.Limits) runtime.Instance {
	t.Helper()
	spec := f.spec
	spec.Limits = limits
	i, err := f.runtime.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := i.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return i
}

// asNew sees whether the service answers, and where calls have instances of their own, whether it is one that nobody had
// before.
func (f *fixture) asNew(t *testing.T, i runtime.Instance) {
	t.Helper()
	if f.subject.Keeps {
		want(t, i, "echo", "x", `"x"`)
		return
	}
	want(t, i, "count", "", "1")
}

// request is a call of the method with at most one parameter.
func request(id, method, param string) []byte {
	if param != "" {
		param = `"` + param + `"`
	}
	return []byte(`{"jsonrpc":"2.0","id":` + id + `,"method":"` + method + `","params":[` + param + `]}`)
}

// want calls a method and compares the result.
func want(t *testing.T, i runtime.Instance, method, param, result string) {
	t.Helper()
	got, err := i.Call(t.Context(), request("1", method, param))
	if full := `{"jsonrpc":"2.0","id":1,"result":` + result + `}`; err != nil || string(got) != full {
		t.Errorf("%s(%.40s) = %.200s, %v, want %.200s", method, param, got, err, full)
	}
}
