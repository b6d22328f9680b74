package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"barnraise"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func openStore(t testing.TB) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "layout"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// moved copies the greeter to a module of its own, in a directory whose name differs each time.
func moved(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "greeter")
	if err := os.CopyFS(dir, os.DirFS("testdata/greeter")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "go.mod"), "module greeter\n\ngo 1.26\n")
	return dir
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func indexOf(t *testing.T, b Built) barnraise.Digest {
	t.Helper()
	_, d, err := ParseReference(b.Image)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The same source makes the same digest, wherever it lies and whatever the user has set.
func TestBuildReproducible(t *testing.T) {
	first := openStore(t)
	var said []string
	built, err := Build(t.Context(), first, Options{Dir: moved(t), Progress: func(line string) { said = append(said, line) }})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{LinuxAMD64, LinuxARM64, Wasm}; !slices.Equal(built.Platforms, want) || len(said) != 3 {
		t.Errorf("platforms %v, progress %q", built.Platforms, said)
	}
	if !strings.HasPrefix(built.Image, "greeter@sha256:") || built.Path != first.Dir() {
		t.Errorf("built %+v", built)
	}
	dir := moved(t)
	for name, value := range map[string]string{
		"GOFLAGS": "-tags=other -ldflags=-X=main.greeting=no", "GOAMD64": "v3", "GOARM64": "v9.0", "GOWASM": "satconv,signext",
		"GOOS": "plan9", "GOARCH": "riscv64", "CGO_ENABLED": "1", "GOEXPERIMENT": "nogreenteagc",
		"GOWORK":  filepath.Join(dir, "no.work"),
		"GODEBUG": "panicnil=1", "GOTOOLCHAIN": "go1.99.0", "GOROOT": "/nowhere", "GOFIPS140": "latest", "SOURCE_DATE_EPOCH": "1",
	} {
		t.Setenv(name, value)
	}
	second := openStore(t)
	again, err := Build(t.Context(), second, Options{Dir: dir, Platforms: []string{Wasm, LinuxARM64, LinuxAMD64}})
	if err != nil || again.Image != built.Image {
		t.Errorf("built again: %s, %v, want %s", again.Image, err, built.Image)
	}
	judge(t, built)
	runs(t, first, indexOf(t, built), "hello from greeter\n")
}

// judge has a library that is not ours look at the layout.
func judge(t *testing.T, built Built) {
	t.Helper()
	x, err := layout.ImageIndexFromPath(built.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(x, validate.Fast); err != nil { // without it, it takes every layer for gzip
		t.Errorf("the layout is not valid: %v", err)
	}
	m, err := x.IndexManifest()
	if err != nil || len(m.Manifests) != 1 || "greeter@"+m.Manifests[0].Digest.String() != built.Image {
		t.Fatalf("index.json is %+v, %v", m, err)
	}
	inner, err := x.ImageIndex(m.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	im, err := inner.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range im.Manifests {
		if got := d.Platform.String(); got != built.Platforms[i] {
			t.Errorf("manifest %d is for %s, want %s", i, got, built.Platforms[i])
		}
		if compat := d.Annotations[annotationWasm] == wasmCompat; compat != (built.Platforms[i] == Wasm) {
			t.Errorf("%s has annotations %v", d.Platform, d.Annotations)
		}
		img, err := inner.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		c, err := img.ConfigFile()
		if err != nil || c.OS+"/"+c.Architecture != built.Platforms[i] || len(c.Config.ExposedPorts) > 0 || len(c.Config.Env) > 0 {
			t.Errorf("configuration %+v, %v", c, err)
		}
		layers, err := img.Layers()
		if err != nil || len(layers) != 1 {
			t.Fatalf("%d layers, %v", len(layers), err)
		}
		unpacked, err := layers[0].Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := v1.SHA256(unpacked); err != nil || got != c.RootFS.DiffIDs[0] {
			t.Errorf("layer is %s unpacked, %v, the configuration says %s", got, err, c.RootFS.DiffIDs[0])
		}
		if linux := c.OS == "linux"; linux != (c.Config.User == "65534:65534") {
			t.Errorf("%s runs as %q", d.Platform, c.Config.User)
		}
	}
}

// runs starts the program of this machine's platform, as it stands in the image.
func runs(t *testing.T, s *Store, index barnraise.Digest, want string) {
	t.Helper()
	v, err := s.Variant(index, runtime.GOOS+"/"+runtime.GOARCH)
	if errors.Is(err, ErrNoVariant) {
		t.Logf("not run here: %v", err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.manifest(v.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	program, err := s.file(m.Layers[0], "/svc")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "svc")
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), path).Output()
	if err != nil || string(out) != want {
		t.Errorf("it says %q, %v, want %q", out, err, want)
	}
}

func TestBuildOverlay(t *testing.T) {
	dir, s := moved(t), openStore(t)
	other := filepath.Join(t.TempDir(), "other")
	write(t, other, "hello from elsewhere\n")
	more := filepath.Join(t.TempDir(), "more.go")
	write(t, more, "package main\n\nfunc init() { greeting += \"and more\\n\" }\n")
	built, err := Build(t.Context(), s, Options{
		Dir: dir, Name: "over/laid", Platforms: []string{LinuxAMD64},
		Overlay: map[string]string{"greeting.txt": other, "more.go": more},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(built.Image, "over/laid@") {
		t.Errorf("built %s", built.Image)
	}
	runs(t, s, indexOf(t, built), "hello from elsewhere\nand more\n")
	for name, by := range map[string]string{"../x": other, "/x": other, "x": filepath.Join(dir, "none")} {
		if _, err := Build(t.Context(), s, Options{Dir: dir, Overlay: map[string]string{name: by}}); err == nil {
			t.Errorf("overlay of %s by %s was taken", name, by)
		}
	}
}

func TestBuildFails(t *testing.T) {
	s, dir := openStore(t), moved(t)
	broken, library := moved(t), moved(t)
	write(t, filepath.Join(broken, "main.go"), "package main\n\nfunc main() { missing() }\n")
	write(t, filepath.Join(library, "main.go"), "package greeter\n")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		o    Options
		want string
	}{
		{"does not compile", t.Context(), Options{Dir: broken}, "linux/amd64: go build: exit status 1\n"},
		{"says where", t.Context(), Options{Dir: broken}, "undefined: missing"},
		{"no main package", t.Context(), Options{Dir: library}, "no main package"},
		{"no main package for wasm", t.Context(), Options{Dir: library, Platforms: []string{Wasm}}, "main package"},
		{"no directory", t.Context(), Options{Dir: filepath.Join(dir, "none"), Name: "x"}, "none"},
		{"no name", t.Context(), Options{Dir: dir, Name: "Not A Name"}, "no name for an image"},
		{"no platform", t.Context(), Options{Dir: dir, Platforms: []string{"linux"}}, "no platform"},
		{"other platform", t.Context(), Options{Dir: dir, Platforms: []string{"linux/riscv64"}}, "services run on"},
		{"given up", gone, Options{Dir: dir}, "context canceled"},
	} {
		if _, err := Build(c.ctx, s, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	t.Setenv("PATH", dir)
	_, err := Build(t.Context(), s, Options{Dir: dir})
	if !errors.Is(err, exec.ErrNotFound) || !strings.Contains(err.Error(), "go.dev/dl") {
		t.Errorf("without Go: %v", err)
	}
	if named, err := s.Images(); err != nil || len(named) != 0 {
		t.Errorf("failures left %v, %v", named, err)
	}
}

var programs = map[string][]byte{
	LinuxAMD64: []byte("\x7fELF amd64"), LinuxARM64: []byte("\x7fELF arm64"), Wasm: []byte("\x00asm\x01\x00\x00\x00"),
}

// What Pack writes must stay what it is: digests in registries hang on it.
func TestPackGolden(t *testing.T) {
	s := openStore(t)
	built, err := Pack(s, "golden", programs)
	const want = "golden@sha256:dfe55e73fc06cdff60ae908819ab956be41cb232414e4d8862c932c31d42b106"
	if err != nil || built.Image != want {
		t.Errorf("Pack = %s, %v, want %s", built.Image, err, want)
	}
	d := indexOf(t, built)
	printed, err := json.Marshal(built)
	wanted := `{"image":"` + built.Image + `","platforms":["linux/amd64","linux/arm64","wasip1/wasm"],"path":"` + s.Dir() + `"}`
	if err != nil || string(printed) != wanted {
		t.Errorf("printed %s, %v, want %s", printed, err, wanted)
	}
	if module, err := moduleOf(s, d); err != nil || !bytes.Equal(module, programs[Wasm]) {
		t.Errorf("module %q, %v", module, err)
	}
}

func moduleOf(s *Store, index barnraise.Digest) ([]byte, error) {
	v, err := s.Variant(index, Wasm)
	if err != nil {
		return nil, err
	}
	return s.Module(v.Manifest)
}

func TestPackNames(t *testing.T) {
	s := openStore(t)
	for _, c := range []struct {
		name     string
		programs map[string][]byte
		ok       bool
	}{
		{"search", programs, true},
		{"search", map[string][]byte{Wasm: programs[Wasm]}, true}, // takes the name over
		{"other", programs, true},
		{"", programs, false},
		{"search@sha256", programs, false},
		{"search", nil, false},
		{"search", map[string][]byte{Wasm: programs[LinuxAMD64]}, false},
		{"search", map[string][]byte{LinuxAMD64: programs[Wasm]}, false},
		{"search", map[string][]byte{"wasi/wasm": programs[Wasm]}, false},
		{"search", map[string][]byte{Wasm: append([]byte("\x00asm"), make([]byte, MaxModule)...)}, false},
	} {
		if _, err := Pack(s, c.name, c.programs); (err == nil) != c.ok {
			t.Errorf("Pack(%q, %d programs): %v", c.name, len(c.programs), err)
		}
	}
	named, err := s.Images()
	if err != nil || len(named) != 2 || named[0].Name != "search" || named[1].Name != "other" {
		t.Fatalf("the layout lists %v, %v", named, err)
	}
	if variants, err := s.Variants(named[0].Index); err != nil || len(variants) != 1 {
		t.Errorf("search has %v, %v", variants, err)
	}
}

func TestReference(t *testing.T) {
	digest := barnraise.Sum(nil).String()
	for s, ok := range map[string]bool{
		"search@" + digest: true, "registry.example:5000/a/b@" + digest: true, "search": false, "search:latest": false,
		"@" + digest: false, "search@sha256:0": false, "search@" + strings.ToUpper(digest): false,
		strings.Repeat("a", 256) + "@" + digest: false,
	} {
		if name, d, err := ParseReference(s); (err == nil) != ok || ok && name+"@"+d.String() != s {
			t.Errorf("ParseReference(%.40q) = %q, %s, %v", s, name, d, err)
		}
	}
	for name, ok := range map[string]bool{
		"a": true, "a/b-c/d_e.f": true, "": false, "/a": false, "a/": false, "a//b": false, "A": false, "a..b": false, "-a": false,
		"a:b": false, strings.Repeat("a", 129): false,
	} {
		if ValidName(name) != ok {
			t.Errorf("ValidName(%q) = %t", name, !ok)
		}
	}
}

// A layer is a whole archive: two blocks of zeros end it.
func TestArchiveEnds(t *testing.T) {
	b, err := archive("svc", []byte("program"))
	if err != nil || len(b)%512 != 0 || len(b) < 4*512 || strings.Trim(string(b[len(b)-1024:]), "\x00") != "" {
		t.Errorf("archive of %d bytes, %v: it does not end as one", len(b), err)
	}
}
