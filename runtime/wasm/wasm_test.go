package wasm

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"barnraise/image"
	"barnraise/runtime"
	"barnraise/runtime/suite"
	"barnraise/wasm"
)

// engine compiles for all tests, each module once.
var engine = sync.OnceValues(func() (*wasm.Engine, error) { return wasm.NewEngine("") })

func newRuntime(t testing.TB, images *image.Store, concurrency, spares int) *Runtime {
	t.Helper()
	e, err := engine()
	if err != nil {
		t.Fatal(err)
	}
	return New(Config{Engine: e, Images: images, Concurrency: concurrency, Spares: spares})
}

// building compiles the hostile service with a tag, as a command or as a reactor.
func building(tag, mode string) func(context.Context, *image.Store, string) (image.Built, error) {
	return func(ctx context.Context, into *image.Store, dir string) (image.Built, error) {
		out := filepath.Join(dir, tag+".wasm")
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-tags="+tag, "-buildmode="+mode, "-o", out)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "GOWORK=off", "PWD="+dir)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return image.Built{}, err
		}
		binary, err := os.ReadFile(out)
		if err != nil {
			return image.Built{}, err
		}
		return image.Pack(into, tag, map[string][]byte{image.Wasm: binary})
	}
}

func TestReactor(t *testing.T) {
	suite.Run(t, suite.Subject{
		Platform: image.Wasm, Blind: true,
		New: func(t testing.TB, images *image.Store) runtime.Runtime { return newRuntime(t, images, 1, 2) },
	})
}

func TestCommand(t *testing.T) {
	suite.Run(t, suite.Subject{
		Platform: image.Wasm, Blind: true, Build: building("command", "default"),
		New: func(t testing.TB, images *image.Store) runtime.Runtime { return newRuntime(t, images, 1, 1) },
	})
}

// A reactor with warm, with and without snapshots.
func TestWarm(t *testing.T) {
	for name, plain := range map[string]bool{"Snapshot": false, "Plain": true} {
		t.Run(name, func(t *testing.T) {
			suite.Run(t, suite.Subject{
				Platform: image.Wasm, Blind: true, Build: building("warm", "c-shared"),
				New: func(t testing.TB, images *image.Store) runtime.Runtime {
					r := newRuntime(t, images, 2, 2)
					r.plain = plain
					return r
				},
			})
		})
	}
}
