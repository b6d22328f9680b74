package verifiers_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barnraise/verifier"
	"barnraise/verifiers"
	"barnraise/verifiers/templates"
	"barnraise/wasm"
)

var update = flag.Bool("update", false, "write the modules that are built, and their CIDs")

// missing skips a test for want of a tool, but not where everything has to be there.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

func npm(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("npm")
	if err != nil {
		missing(t, "npm is not installed: cannot build verifiers in AssemblyScript")
	}
	return path
}

func run(t *testing.T, dir string, env []string, name string, args ...string) error {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// TestBuild builds the modules from their sources and compares them with what is committed: those of this package, and those of
// the services' own verifiers.
func TestBuild(t *testing.T) {
	npm, names := npm(t), slices.Concat(verifiers.Names(), []string{"testdata/probe"}, services(t))
	dir := sources(t)
	if err := run(t, dir, nil, npm, "ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"); err != nil {
		missing(t, "npm cannot fetch the AssemblyScript compiler: %v", err)
	}
	for _, name := range names {
		if err := os.Remove(filepath.Join(dir, name+".wasm")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if err := run(t, dir, nil, npm, append([]string{"run", "build", "--"}, names...)...); err != nil {
		t.Fatal(err)
	}
	modules := map[string][]byte{}
	for _, name := range names {
		built, err := os.ReadFile(filepath.Join(dir, name+".wasm"))
		if err != nil {
			t.Fatal(err)
		}
		modules[name] = built
		same(t, name+".wasm", built)
	}
	if *update {
		writeCIDs(t, modules)
	}
}

// services names the verifiers in AssemblyScript that belong to services, and the modules that test their parts.
func services(t *testing.T) (names []string) {
	t.Helper()
	for _, pattern := range []string{"../services/*/verifier/index.ts", "../services/*/verifier/testdata/*.ts"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			names = append(names, strings.TrimSuffix(strings.TrimSuffix(name, ".ts"), "/index"))
		}
	}
	return names
}

// sources copies what the modules are built from to another place, and gives that of this package there.
func sources(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	dirs, err := filepath.Glob("../services/*/verifier")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range append(dirs, "../verifiers") {
		if err := os.CopyFS(filepath.Join(root, strings.TrimPrefix(dir, "../")), os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(root, "verifiers")
}

// same holds that a file is what was built, or makes it so.
func same(t *testing.T, name string, built []byte) {
	t.Helper()
	if *update {
		write(t, name, built)
	}
	committed, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if !bytes.Equal(committed, built) {
		t.Errorf("%s is not what its source makes; run go test -run 'TestBuild|TestTemplates' -update .", name)
	}
}

// toolchain is the environment in which a project of that language is built. Without one the test is skipped.
func toolchain(t *testing.T, language string) []string {
	t.Helper()
	switch language {
	case "assemblyscript":
		npm(t)
	case "c":
		for _, clang := range []string{"clang", "clang-19", "clang-18", "clang-17", "clang-16", "clang-15", "clang-14"} {
			path, err := exec.LookPath(clang)
			if err == nil && run(t, t.TempDir(), nil, path, "--target=wasm32", "-nostdlib", "-Wl,--no-entry", "-xc", os.DevNull) == nil {
				return []string{"CC=" + path}
			}
		}
		missing(t, "clang and wasm-ld are not installed: cannot build verifiers in C; on Debian: apt-get install clang lld")
	case "rust":
		for _, path := range []string{os.Getenv("PATH"), "/usr/bin:" + os.Getenv("PATH")} {
			if hasWasmStd(path) {
				return []string{"PATH=" + path}
			}
		}
		missing(t, "cargo with the target wasm32-unknown-unknown is not installed: cannot build verifiers in Rust; "+
			"on Debian: apt-get install cargo libstd-rust-dev-wasm32 lld-14")
	}
	return nil
}

// hasWasmStd says whether the Rust on that path has its library for wasm.
func hasWasmStd(path string) bool {
	cmd := exec.Command("sh", "-c", `cargo --version && ls "$(rustc --print target-libdir --target wasm32-unknown-unknown)"/libstd-*.rlib`)
	cmd.Env = append(os.Environ(), "PATH="+path)
	return cmd.Run() == nil
}

// TestTemplates builds the project of each language, twice and in different places, and puts the vectors before what it makes:
// its own, and those of compare. AssemblyScript comes with its compiler's version, so its module is the committed one.
func TestTemplates(t *testing.T) {
	e := engine(t)
	for _, language := range templates.Languages() {
		t.Run(language, func(t *testing.T) {
			env := toolchain(t, language)
			project, err := templates.Open(language)
			if err != nil {
				t.Fatal(err)
			}
			module := build(t, project, env)
			if again := build(t, project, env); !bytes.Equal(module, again) {
				t.Errorf("built twice: %d bytes, then %d others", len(module), len(again))
			}
			if language == "assemblyscript" || *update && language != "go" {
				same(t, "testdata/"+language+".wasm", module)
			}
			judge := loadTemplate(t, e, language, module)
			for _, v := range projectVectors(t, project) {
				check(t, v, judge(t, v))
			}
			likeCompare(t, judge)
			t.Logf("%d bytes", len(module))
		})
	}
}

// build writes a project out and runs its build.sh.
func build(t *testing.T, project fs.FS, env []string) []byte {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "project")
	if err := os.CopyFS(dir, project); err != nil {
		t.Fatal(err)
	}
	if err := run(t, t.TempDir(), env, filepath.Join(dir, "build.sh")); err != nil {
		t.Fatal(err)
	}
	module, err := os.ReadFile(filepath.Join(dir, "verifier.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return module
}

// loadTemplate loads what a project makes, with room for what Go makes.
func loadTemplate(t *testing.T, e *wasm.Engine, language string, module []byte) judge {
	t.Helper()
	limits := verifier.Limits{}
	if language == "go" {
		limits.Module = 4 << 20
	}
	return load(t, e, module, limits)
}

// likeCompare holds that a module gives the verdicts of compare. How much fuel that takes is its own affair.
func likeCompare(t *testing.T, judge judge) {
	t.Helper()
	for _, v := range vectors(t, "compare") {
		if v.Fuel == 0 {
			check(t, v, judge(t, v))
		}
	}
}

// TestCommitted puts the vectors before what the projects made, where no toolchain is at hand.
func TestCommitted(t *testing.T) {
	e := engine(t)
	for _, language := range templates.Languages() {
		if language == "go" {
			continue // two megabytes, and whoever runs this has the toolchain
		}
		module, err := os.ReadFile("testdata/" + language + ".wasm")
		if err != nil {
			t.Fatal(err)
		}
		project, err := templates.Open(language)
		if err != nil {
			t.Fatal(err)
		}
		judge := load(t, e, module, verifier.Limits{})
		for _, v := range projectVectors(t, project) {
			check(t, v, judge(t, v))
		}
		likeCompare(t, judge)
	}
}

func TestTemplate(t *testing.T) {
	for _, language := range templates.Languages() {
		project, err := templates.Open(language)
		if err != nil {
			t.Fatal(err)
		}
		var files []string
		err = fs.WalkDir(project, ".", func(name string, d fs.DirEntry, err error) error {
			if !d.IsDir() {
				files = append(files, name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			b, err := fs.ReadFile(project, name)
			if err != nil {
				t.Fatal(err)
			}
			if pretty, err := format.Source(b); path.Ext(name) == ".go" && (err != nil || !bytes.Equal(pretty, b)) {
				t.Errorf("%s: %s is not as gofmt writes it: %v", language, name, err)
			}
		}
		for _, want := range append([]string{"README.md", "build.sh", "vectors/agree.json"}, map[string][]string{
			"assemblyscript": {"assembly/index.ts", "verifier.ts", "package-lock.json"}, "c": {"barnraise.h", "verifier.c"},
			"go": {"go.mod", "barnraise.go", "verifier.go"}, "rust": {"Cargo.toml", "src/lib.rs"},
		}[language]...) {
			if !slices.Contains(files, want) {
				t.Errorf("%s: there is no %s among %s", language, want, files)
			}
		}
		if i, err := fs.Stat(project, "build.sh"); err != nil || i.Mode() != 0o755 {
			t.Errorf("%s: build.sh: %v, %v", language, i, err)
		}
	}
	if _, err := templates.Open("../go"); !errors.Is(err, templates.ErrLanguage) {
		t.Errorf("%v", err)
	}
	project, _ := templates.Open("c")
	b, _ := fs.ReadFile(project, "verifier.c")
	b[0] ^= 1
	project, _ = templates.Open("c")
	if again, _ := fs.ReadFile(project, "verifier.c"); again[0] == b[0] {
		t.Error("a caller can change the template for others")
	}
}
