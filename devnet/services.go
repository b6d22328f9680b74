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
	"strings"

	"barnraise"
	"barnraise/content"
	"barnraise/image"
	"barnraise/manifest"
	"barnraise/verifiers"
)

// shipped is a service that the project ships: a Go program in the tree, and a step before it is built, if it has one.
type shipped struct {
	dir     string   // within the module
	prepare []string // a go command that writes index.bin into the directory that follows
}

var ships = []shipped{
	{dir: "services/search", prepare: []string{"run", "./services/search/search-build", "-go", "-out"}},
}

// registerServices builds what the project ships, publishes manifests and verifiers, and registers the services that are not
// registered yet.
func (n *Net) registerServices(ctx context.Context) error {
	snapshot, err := n.registry.Snapshot(ctx)
	if err != nil {
		return err
	}
	names := make(map[string]barnraise.ServiceID)
	for _, s := range ships {
		name := filepath.Base(s.dir)
		for _, v := range snapshot.Named(name) {
			if v.Owner == n.accounts.author.Address() {
				names[name] = v.ID
			}
		}
		if names[name] != 0 {
			continue
		}
		if names[name], err = n.registerService(ctx, name, s); err != nil {
			return fmt.Errorf("service %s: %w", name, err)
		}
	}
	n.Network.Names = names
	return n.writeNetwork()
}

func (n *Net) registerService(ctx context.Context, name string, s shipped) (barnraise.ServiceID, error) {
	root, err := moduleRoot()
	if err != nil {
		return 0, err
	}
	source, err := manifest.ReadSource(filepath.Join(root, s.dir, "service.yaml"))
	if err != nil {
		return 0, err
	}
	built, err := n.build(ctx, root, name, s)
	if err != nil {
		return 0, err
	}
	_, index, err := image.ParseReference(built.Image)
	if err != nil {
		return 0, err
	}
	module, ok := verifiers.Module(source.Verifier)
	if !ok {
		return 0, fmt.Errorf("verifier %q is none of the standard ones: %s", source.Verifier, strings.Join(verifiers.Names(), ", "))
	}
	m := source.Manifest
	m.Image, m.Verifier, m.Home = built.Image, content.Sum(module), n.Home
	document, err := m.Encode()
	if err != nil {
		return 0, err
	}
	r := barnraise.Revision{Image: index, Reference: built.Image, Verifier: m.Verifier, Home: n.Home}
	for _, block := range [][]byte{module, document} {
		if r.Manifest, err = n.local.Content.Put(block); err != nil {
			return 0, err
		}
	}
	id, _, err := n.registry.RegisterService(ctx, n.accounts.author, name, r, nil)
	if err != nil {
		return 0, err
	}
	n.say("service %s %q registered: image %s, verifier %s (%s), home server %d", id, name, built.Image, m.Verifier, source.Verifier, n.Home)
	return id, nil
}

// build makes the image with the toolchain that is there, unless the cache has one of the same sources.
func (n *Net) build(ctx context.Context, root, name string, s shipped) (image.Built, error) {
	key, err := sourceKey(ctx, root, s.dir, "service", "jsonrpc", "go.mod", "go.sum")
	if err != nil {
		return image.Built{}, err
	}
	record := filepath.Join(n.options.Cache, "services", name+"-"+key+".json")
	if built, ok := n.cached(record); ok {
		return built, nil
	}
	n.say("building the %s service with the Go toolchain (once; the first time it takes a minute or two)", name)
	o := image.Options{
		Dir: filepath.Join(root, s.dir), Name: name, Platforms: []string{image.Wasm},
		Progress: func(line string) { n.say("  %s", line) },
	}
	if s.prepare != nil {
		dir, err := os.MkdirTemp("", "barnraise-build-")
		if err != nil {
			return image.Built{}, err
		}
		defer os.RemoveAll(dir)
		if err := goCommand(ctx, root, append(s.prepare, dir)...); err != nil {
			return image.Built{}, err
		}
		o.Overlay = map[string]string{"index.bin": filepath.Join(dir, "index.bin")}
	}
	built, err := image.Build(ctx, n.local.Images, o)
	if err != nil {
		return built, err
	}
	b, err := json.Marshal(built)
	if err != nil {
		return built, err
	}
	if err := os.MkdirAll(filepath.Dir(record), 0o755); err != nil {
		return built, err
	}
	return built, writeFile(record, b)
}

// cached returns what was built before, if the image is still there.
func (n *Net) cached(record string) (image.Built, bool) {
	var built image.Built
	b, err := os.ReadFile(record)
	if err != nil || json.Unmarshal(b, &built) != nil {
		return built, false
	}
	_, index, err := image.ParseReference(built.Image)
	if err != nil {
		return built, false
	}
	v, err := n.local.Images.Variant(index, image.Wasm)
	if err == nil {
		_, err = n.local.Images.Module(v.Manifest)
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
