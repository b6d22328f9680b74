package docker

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

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

// newRuntime makes a runtime on the engine of DOCKER_HOST, or skips the test where none answers. At the end of the test nothing
// of it may be left.
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
	if r.Platforms(t.Context()) == nil {
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

func TestSuite(t *testing.T) {
	suite.Run(t, suite.Subject{
		Platform: platform(), Keeps: true,
		New: func(t testing.TB, images *image.Store) runtime.Runtime { return newRuntime(t, Config{Images: images}) },
	})
}
