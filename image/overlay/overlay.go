// Package overlay makes another service of one in the tree: the same program with other files in the place of some that it embeds.
// It is what the tools have in common that put a collection into an image, such as search-build and mail-build.
package overlay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"barnraise/image"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ErrNoModule is the error of [Module] where there is none.
var ErrNoModule = errors.New("no go.mod of it here or above; run within the repository or say -module DIR")

// Module is the root of module barnraise: dir itself or, where that is empty, the working directory or what is above it. It fails
// with [ErrNoModule].
func Module(dir string) (string, error) {
	at, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find module barnraise: %w", err)
	}
	for {
		mod, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module barnraise\n") {
			return at, nil
		}
		above := filepath.Dir(at)
		if dir != "" || above == at {
			return "", fmt.Errorf("find module barnraise: %w", ErrNoModule)
		}
		at = above
	}
}

// Output is the directory that the other service is written to. What is in it works wherever it is taken, except overlay.json.
type Output struct {
	dir, service string
	replaced     map[string]string // file of the service → what stands in its place
}

// New makes the directory, for the service in the other one.
func New(dir, service string) (*Output, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		service, err = filepath.Abs(service)
	}
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return nil, fmt.Errorf("write service: %w", err)
	}
	return &Output{dir, service, map[string]string{}}, nil
}

// Own reads a file of the service itself.
func (o *Output) Own(name string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(o.service, name))
	if err != nil {
		return nil, fmt.Errorf("read the service's own file: %w", err)
	}
	return b, nil
}

// Put writes a file.
func (o *Output) Put(name string, content []byte) error {
	if err := os.WriteFile(filepath.Join(o.dir, name), content, 0o644); err != nil {
		return fmt.Errorf("write service: %w", err)
	}
	return nil
}

// Replace writes a file that is built in instead of the service's own of that name.
func (o *Output) Replace(name string, content []byte) error {
	o.replaced[name] = filepath.Join(o.dir, name)
	return o.Put(name, content)
}

// PutOverlay writes overlay.json, by which the Go toolchain builds the program with what was put in others' place.
func (o *Output) PutOverlay() error {
	replace := map[string]string{}
	for name, by := range o.replaced {
		replace[filepath.Join(o.service, name)] = by
	}
	b, err := json.Marshal(map[string]any{"Replace": replace}, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return fmt.Errorf("write overlay: %w", err)
	}
	return o.Put("overlay.json", append(b, '\n'))
}

// Image makes the image of that name, in the OCI layout in that directory, for the platforms that are given with commas between
// them, or else for all. It returns its reference, and where it lies, as barnraise services register takes it. The same files make
// the same image.
func (o *Output) Image(ctx context.Context, layout, name, platforms string, say func(string)) (reference, path string, err error) {
	store, err := image.Open(layout)
	if err != nil {
		return "", "", err
	}
	options := image.Options{Dir: o.service, Name: name, Overlay: maps.Clone(o.replaced), Progress: say}
	if platforms != "" {
		options.Platforms = strings.Split(platforms, ",")
	}
	built, err := image.Build(ctx, store, options)
	if err != nil {
		return "", "", err
	}
	_, digest, _ := strings.Cut(built.Image, "@")
	return built.Image, built.Path + "@" + digest, nil
}
