package devnet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"

	"barnraise/image"
	"barnraise/manifest"
	"barnraise/whole"

	"github.com/go-json-experiment/json/jsontext"
)

// made is the image of a program, and what its verifier has to know of this one.
type made struct {
	image.Built
	Config jsontext.Value `json:"config,omitempty"` // of the service.yaml that the step before wrote; nil where there is none
}

// build makes the image of a program once, however many services run it.
func (n *Net) build(ctx context.Context, root string, s shipped) (made, error) {
	if built, ok := n.built[s.dir]; ok {
		return built, nil
	}
	built, err := n.make(ctx, root, s)
	if err == nil {
		n.built[s.dir] = built
	}
	return built, err
}

// make makes it with the toolchain that is there, unless the cache has one of the same sources.
func (n *Net) make(ctx context.Context, root string, s shipped) (made, error) {
	key, err := sourceKey(ctx, root, s.dir, "service", "jsonrpc", "go.mod", "go.sum")
	if err != nil {
		return made{}, err
	}
	record := filepath.Join(n.options.Cache, "services", s.name()+"-"+key+".json")
	if built, ok := n.cached(record); ok {
		return built, nil
	}
	n.say("building the %s service with the Go toolchain (once; the first time it takes a minute or two)", s.name())
	o := image.Options{
		Dir: filepath.Join(root, s.dir), Name: s.name(), Platforms: []string{image.Wasm},
		Progress: func(line string) { n.say("  %s", line) },
	}
	var built made
	if s.prepare != nil {
		dir, err := os.MkdirTemp("", "barnraise-build-")
		if err != nil {
			return built, err
		}
		defer os.RemoveAll(dir)
		if err := goCommand(ctx, root, append(slices.Clone(s.prepare), dir)...); err != nil {
			return built, err
		}
		o.Overlay = map[string]string{"index.bin": filepath.Join(dir, "index.bin")}
		if built.Config, err = prepared(dir); err != nil {
			return built, err
		}
	}
	if built.Built, err = image.Build(ctx, n.images, o); err != nil {
		return built, err
	}
	return built, keep(record, built)
}

// prepared is what the service.yaml that was written into the directory says to the verifier, nil where there is no such file.
func prepared(dir string) (jsontext.Value, error) {
	source, err := manifest.ReadSource(filepath.Join(dir, "service.yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return source.Config, err
}

// keep remembers what was built.
func keep(record string, built made) error {
	b, err := json.Marshal(built)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(record), 0o755); err != nil {
		return err
	}
	return whole.Write(record, b, 0o600)
}

// cached returns what was built before, if the image is still there.
func (n *Net) cached(record string) (made, bool) {
	var built made
	b, err := os.ReadFile(record)
	if err != nil || json.Unmarshal(b, &built) != nil {
		return built, false
	}
	_, index, err := image.ParseReference(built.Image)
	if err != nil {
		return built, false
	}
	v, err := n.images.Variant(index, image.Wasm)
	if err == nil {
		_, err = n.images.Module(v.Manifest)
	}
	return built, err == nil
}

// sourceKey changes with anything that goes into a build.
func sourceKey(ctx context.Context, root string, places ...string) (string, error) {
	version, err := exec.CommandContext(ctx, "go", "env", "GOVERSION", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("ask for the Go toolchain: %w; services are built by it: install Go, see https://go.dev/dl", err)
	}
	sum := sha256.New()
	sum.Write(version)
	for _, place := range places {
		err := filepath.WalkDir(filepath.Join(root, place), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			b, err := os.ReadFile(path)
			fmt.Fprintf(sum, "%s %d\n", path, len(b))
			sum.Write(b)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:8]), nil
}

func goCommand(ctx context.Context, dir string, args ...string) error {
	var said bytes.Buffer
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir, c.Stderr = dir, &said
	if err := c.Run(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, said.String())
	}
	return nil
}

// moduleRoot is the directory of this project's source: around the working directory, or where this program was compiled
// from.
func moduleRoot() (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	_, compiled, _, _ := goruntime.Caller(0)
	for _, from := range []string{here, filepath.Dir(compiled)} {
		for dir := from; filepath.IsAbs(dir); dir = filepath.Dir(dir) {
			b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
			if err == nil && bytes.HasPrefix(b, []byte("module barnraise\n")) {
				return dir, nil
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return "", errors.New("the services that the project ships are built from its source: run this in a clone of the repository")
}
