package docker

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"barnraise"
	"barnraise/image"
	"barnraise/runtime"
	"barnraise/runtime/suite"

	"github.com/moby/moby/client"
)

// short is a directory of the test whose name is short enough for sockets.
func short(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// newRuntime makes a runtime on the engine of DOCKER_HOST, or skips the test where none answers. At the end of the test
// nothing of it may be left.
func newRuntime(t testing.TB, c Config) *Runtime {
	t.Helper()
	if c.Dir == "" {
		c.Dir = short(t)
	}
	if c.Images == nil {
		images, err := image.Open(filepath.Join(t.TempDir(), "images"))
		if err != nil {
			t.Fatal(err)
		}
		c.Images = images
	}
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.info(t.Context()); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no Docker engine answers: start one, and set DOCKER_HOST")
		}
		t.Skip("no Docker engine answers")
	}
	t.Cleanup(func() { nothingLeft(t, r) })
	return r
}

func nothingLeft(t testing.TB, r *Runtime) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	defer r.engine.Close()
	of := client.Filters{}.Add("label", labelOwner+"="+r.owner)
	list, err := r.engine.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: of})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list.Items {
		t.Errorf("container %v is left, %s", c.Names, c.Status)
	}
	if left, _ := os.ReadDir(filepath.Join(r.Dir, "sockets")); len(left) > 0 {
		t.Errorf("sockets are left: %v", left)
	}
}

// oddity is an image of the hostile service that differs from the usual one.
type oddity struct {
	command   []string // arguments of the service
	volume    string
	arch, os  string
	mediaType string // of the layer
	layer     func([]byte) []byte
	content   *barnraise.Digest // of the layer, as the configuration says
	document  func(string) string
}

// hostile builds the hostile service with what is odd about it, and returns what to start.
func hostile(t testing.TB, images *image.Store, o oddity) runtime.Spec {
	t.Helper()
	built, err := image.Build(t.Context(), images, image.Options{Dir: suite.Source(t), Platforms: []string{platform()}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := images.Linux(suite.SpecOf(t, images, built, platform()).Platform)
	if err != nil {
		t.Fatal(err)
	}
	layer, err := images.Get(l.Layers[0].Blob, 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	return o.pack(t, images, layer)
}

// pack writes the documents by hand.
func (o oddity) pack(t testing.TB, images *image.Store, layer []byte) runtime.Spec {
	t.Helper()
	content := barnraise.Sum(layer)
	if o.content != nil {
		content = *o.content
	}
	if o.layer != nil {
		layer = o.layer(layer)
	}
	put := func(mediaType string, b []byte) map[string]any {
		d, err := images.Put(b)
		if err != nil {
			t.Fatal(err)
		}
		return map[string]any{"mediaType": mediaType, "digest": d, "size": len(b)}
	}
	execution := map[string]any{"Entrypoint": []string{"/svc"}, "Cmd": o.command, "User": "0", "Env": []string{"PORT=1"}}
	if o.volume != "" {
		execution["volumes"] = map[string]any{o.volume: struct{}{}} // in small letters, which engines read as well
	}
	document := string(encode(map[string]any{
		"os": cmp.Or(o.os, "linux"), "architecture": cmp.Or(o.arch, goruntime.GOARCH), "config": execution,
		"rootfs": map[string]any{"type": "layers", "diff_ids": []barnraise.Digest{content}},
	}))
	if o.document != nil {
		document = o.document(document)
	}
	manifest := put(ociType+"manifest.v1+json", encode(map[string]any{
		"schemaVersion": 2, "mediaType": ociType + "manifest.v1+json", "config": put(ociType+"config.v1+json", []byte(document)),
		"layers": []any{put(cmp.Or(o.mediaType, ociType+"layer.v1.tar"), layer)},
	}))
	manifest["platform"] = map[string]any{"os": "linux", "architecture": goruntime.GOARCH}
	index := put("", encode(map[string]any{"schemaVersion": 2, "manifests": []any{manifest}}))
	return runtime.Spec{
		Image: index["digest"].(barnraise.Digest), Platform: manifest["digest"].(barnraise.Digest), Limits: suite.Limits,
	}
}

// start starts a service and stops it when the test ends.
func start(t testing.TB, r *Runtime, spec runtime.Spec) *instance {
	t.Helper()
	i, err := r.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, i) })
	return i.(*instance)
}

func stop(t testing.TB, i runtime.Instance) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := i.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// call returns the result as written.
func call(i runtime.Instance, method, param string) (string, error) {
	if param != "" {
		param = `"` + param + `"`
	}
	got, err := i.Call(context.Background(), []byte(`{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":[`+param+`]}`))
	_, result, _ := strings.Cut(strings.TrimSuffix(string(got), "}"), `"result":`)
	return result, err
}

// eventually waits for what happens elsewhere, so long at most.
func eventually(t testing.TB, within time.Duration, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, within)
		}
	}
}

func TestSuite(t *testing.T) {
	suite.Run(t, suite.Subject{
		Platform: platform(), Keeps: true,
		New: func(t testing.TB, images *image.Store) runtime.Runtime { return newRuntime(t, Config{Images: images}) },
	})
}
