package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Options say what [Build] builds.
type Options struct {
	Dir       string            // a Go main package, within its module
	Name      string            // of the image; empty for the name of the directory
	Platforms []string          // empty for all three
	Overlay   map[string]string // file below Dir → file to compile or embed in its place, whether or not the first exists
	Progress  func(line string) // told what is being done; nil for silence
}

// Build compiles a service from its Go source for each platform, with the go command on PATH, and packs the programs (see
// [Pack]). The same source and the same Go version make the same digest, wherever the source lies and whatever go.work,
// GOFLAGS and the other GO variables of the user say. The wasm variant is a reactor, the Linux variants are static.
//
// It fails where there is no go command, and where a platform does not compile, with the compiler's words.
func Build(ctx context.Context, into *Store, o Options) (Built, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return Built{}, fmt.Errorf("build image: %w", err)
	}
	name := o.Name
	if name == "" {
		name = strings.ToLower(filepath.Base(dir))
	}
	if !ValidName(name) {
		return Built{}, fmt.Errorf("build image: %.80q is no name for an image; give one of lower-case letters and digits", name)
	}
	platforms := o.Platforms
	if len(platforms) == 0 {
		platforms = []string{LinuxAMD64, LinuxARM64, Wasm}
	}
	b, err := newBuilder(ctx, dir, o)
	if err != nil {
		return Built{}, fmt.Errorf("build image %s: %w", name, err)
	}
	defer os.RemoveAll(b.temp)
	programs := make(map[string][]byte, len(platforms))
	for _, p := range platforms {
		if o.Progress != nil {
			o.Progress("compile " + name + " for " + p)
		}
		if programs[p], err = b.compile(ctx, p); err != nil {
			return Built{}, fmt.Errorf("build image %s: %s: %w", name, p, err)
		}
	}
	return Pack(into, name, programs)
}

// builder runs the go command for one package.
type builder struct {
	goCommand string
	dir, temp string
	env       []string
	overlay   string // file, or empty
}

func newBuilder(ctx context.Context, dir string, o Options) (*builder, error) {
	goCommand, err := exec.LookPath("go")
	if err != nil {
		return nil, fmt.Errorf("%w: compiling a service needs Go; install it from https://go.dev/dl and put it on PATH", err)
	}
	b := &builder{goCommand: goCommand, dir: dir}
	if b.env, err = b.environment(ctx); err != nil {
		return nil, err
	}
	if b.temp, err = os.MkdirTemp("", "barnraise-image-"); err != nil {
		return nil, err
	}
	if len(o.Overlay) > 0 {
		if b.overlay, err = b.writeOverlay(o.Overlay); err != nil {
			os.RemoveAll(b.temp)
			return nil, err
		}
	}
	return b, nil
}

// kept are the settings that say where modules come from and where caches lie, not what is compiled. Go's checksums hold
// either way.
var kept = []string{
	"GOPATH", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOINSECURE",
	"GOVCS", "GOAUTH",
}

// environment is the user's without any GO or CGO variable, the kept ones as the go command sees them, and with all fixed
// that could change a byte.
func (b *builder) environment(ctx context.Context) ([]string, error) {
	plain := append(environ(nil), "PWD="+b.dir, "GOTOOLCHAIN=local", "GOWORK=off", "GOFLAGS=-trimpath")
	users := append(plain[:len(plain):len(plain)], environ(append(kept, "GOENV"))...)
	out, err := b.run(ctx, users, append([]string{"env", "-json"}, kept...)...)
	if err != nil {
		return nil, err
	}
	settings := make(map[string]string)
	if err := json.Unmarshal(out, &settings); err != nil {
		return nil, fmt.Errorf("read go env: %w", err)
	}
	for _, name := range kept {
		plain = append(plain, name+"="+settings[name])
	}
	return append(plain, "GOENV=off", "GOFIPS140=off", "CGO_ENABLED=0", "GOAMD64=v1", "GOARM64=v8.0"), nil
}

// environ is this process's environment without the GO and CGO variables, or, given names, those variables alone.
func environ(names []string) (env []string) {
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		ofGo := strings.HasPrefix(name, "GO") || strings.HasPrefix(name, "CGO_")
		if names == nil && !ofGo || slices.Contains(names, name) {
			env = append(env, v)
		}
	}
	return env
}

// writeOverlay writes the file that go build -overlay takes.
func (b *builder) writeOverlay(replace map[string]string) (string, error) {
	absolute := make(map[string]string, len(replace))
	for name, by := range replace {
		if !filepath.IsLocal(name) {
			return "", fmt.Errorf("overlay %q: want a path below the package", name)
		}
		by, err := filepath.Abs(by)
		if err == nil {
			_, err = os.Stat(by)
		}
		if err != nil {
			return "", fmt.Errorf("overlay %s: %w", name, err)
		}
		absolute[filepath.Join(b.dir, name)] = by
	}
	text, err := json.Marshal(map[string]any{"Replace": absolute})
	if err != nil {
		return "", err
	}
	file := filepath.Join(b.temp, "overlay.json")
	return file, os.WriteFile(file, text, 0o600)
}

// compile returns the program for one platform.
func (b *builder) compile(ctx context.Context, platform string) ([]byte, error) {
	goos, goarch, ok := strings.Cut(platform, "/")
	if !ok {
		return nil, fmt.Errorf("%q is no platform", platform)
	}
	out := filepath.Join(b.temp, "program")
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", out}
	if platform == Wasm {
		args = append(args, "-buildmode=c-shared")
	}
	if b.overlay != "" {
		args = append(args, "-overlay", b.overlay)
	}
	defer os.Remove(out)
	env := append(b.env[:len(b.env):len(b.env)], "GOOS="+goos, "GOARCH="+goarch)
	if _, err := b.run(ctx, env, append(args, ".")...); err != nil {
		return nil, err
	}
	program, err := os.ReadFile(out)
	if errors.Is(err, os.ErrNotExist) || bytes.HasPrefix(program, []byte("!<arch>")) {
		return nil, errors.New("it is no main package")
	}
	return program, err
}

// run runs the go command in the package's directory and returns what it printed; what it said of its failure is in the
// error.
func (b *builder) run(ctx context.Context, env []string, args ...string) ([]byte, error) {
	const mostSaid = 4 << 10
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, b.goCommand, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = b.dir, env, &out, &said
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		words := said.Bytes()
		return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, bytes.TrimSpace(words[:min(len(words), mostSaid)]))
	}
	return out.Bytes(), nil
}
