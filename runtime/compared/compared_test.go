// Package compared holds nothing but tests: the same services in containers and as wasm, side by side. What they answer has to
// be the same, and what that costs stands in docs/performance.md.
package compared

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"testing"
	"time"

	"barnraise"
	"barnraise/image"
	"barnraise/manifest"
	"barnraise/runtime"
	"barnraise/runtime/docker"
	runwasm "barnraise/runtime/wasm"
	"barnraise/services/search/index"
	"barnraise/wasm"
)

var linux = "linux/" + goruntime.GOARCH

// workshop is where images are built and run.
type workshop struct {
	images *image.Store
	engine *wasm.Engine
}

func newWorkshop(t testing.TB) *workshop {
	t.Helper()
	images, err := image.Open(filepath.Join(t.TempDir(), "images"))
	if err != nil {
		t.Fatal(err)
	}
	engine, err := wasm.NewEngine("")
	if err != nil {
		t.Fatal(err)
	}
	return &workshop{images, engine}
}

// docker makes a runtime on the engine of DOCKER_HOST, or skips the test where none answers.
func (w *workshop) docker(t testing.TB, c docker.Config) runtime.Runtime {
	t.Helper()
	dir, err := os.MkdirTemp("", "bc") // short enough for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	c.Images, c.Dir = w.images, dir
	r, err := docker.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if r.Platforms(t.Context()) == nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no Docker engine answers: start one, and set DOCKER_HOST")
		}
		t.Skip("no Docker engine answers: set DOCKER_HOST")
	}
	return r
}

func (w *workshop) wasm(spares int) runtime.Runtime {
	return runwasm.New(runwasm.Config{Engine: w.engine, Images: w.images, Spares: spares})
}

// service is an image with a linux and a wasm variant.
type service struct {
	index    barnraise.Digest
	variants map[string]barnraise.Digest
	limits   manifest.Limits
}

func (s service) spec(platform string) runtime.Spec {
	return runtime.Spec{Image: s.index, Platform: s.variants[platform], Limits: s.limits}
}

// build builds a service of the tree.
func (w *workshop) build(t testing.TB, dir string, limits manifest.Limits, overlay map[string]string) service {
	t.Helper()
	built, err := image.Build(t.Context(), w.images, image.Options{Dir: dir, Platforms: []string{linux, image.Wasm}, Overlay: overlay})
	if err != nil {
		t.Fatal(err)
	}
	return w.service(t, built, limits)
}

func (w *workshop) service(t testing.TB, built image.Built, limits manifest.Limits) service {
	t.Helper()
	_, index, err := image.ParseReference(built.Image)
	if err != nil {
		t.Fatal(err)
	}
	variants, err := w.images.Variants(index)
	if err != nil {
		t.Fatal(err)
	}
	s := service{index, map[string]barnraise.Digest{}, limits}
	for _, v := range variants {
		s.variants[v.Platform] = v.Manifest
	}
	return s
}

// search builds the search service over the documentation of Go's standard library, and returns its collection as well.
func (w *workshop) search(t testing.TB) (service, *index.Index) {
	t.Helper()
	dir := t.TempDir()
	if b, err := exec.Command("go", "run", "barnraise/services/search/search-build", "-go", "-out", dir).CombinedOutput(); err != nil {
		t.Fatalf("build the collection: %v\n%s", err, b)
	}
	file := filepath.Join(dir, "index.bin")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	collection, err := index.Open(string(b))
	if err != nil {
		t.Fatal(err)
	}
	return w.build(t, "../../services/search", searchLimits(t), map[string]string{"index.bin": file}), collection
}

// searchLimits are those of the search service.
func searchLimits(t testing.TB) manifest.Limits {
	t.Helper()
	source, err := manifest.ReadSource("../../services/search/service.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return source.Limits
}

// start starts a service and stops it when the test ends.
func start(t testing.TB, r runtime.Runtime, spec runtime.Spec) runtime.Instance {
	t.Helper()
	i, err := r.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, i) })
	return i
}

func stop(t testing.TB, i runtime.Instance) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := i.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// request is a call in wire form.
func request(method string, params any) string {
	b, err := json.Marshal(params)
	if err != nil {
		panic(err) // of a literal of the test's own
	}
	return `{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":` + string(b) + `}`
}
