package verifiers

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the modules that are built")

// TestBuild builds the modules from their sources and compares them with what is embedded.
func TestBuild(t *testing.T) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		missing(t, "npm is not installed: cannot build the verifiers from their sources")
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "asconfig.json", "build.mjs", "compare.ts", "spot.ts"} {
		copyFile(t, name, filepath.Join(dir, name))
	}
	if err := os.CopyFS(filepath.Join(dir, "assembly"), os.DirFS("assembly")); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"}, {"run", "build"}} {
		cmd := exec.Command(npm, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			if args[0] == "ci" {
				missing(t, "npm cannot fetch the AssemblyScript compiler: %v\n%s", err, out)
			}
			t.Fatalf("npm %s: %v\n%s", args[0], err, out)
		}
	}
	for _, name := range Names() {
		if *update {
			copyFile(t, filepath.Join(dir, name+".wasm"), name+".wasm")
			continue
		}
		built, err := os.ReadFile(filepath.Join(dir, name+".wasm"))
		if err != nil {
			t.Fatal(err)
		}
		if embedded, _ := Module(name); !bytes.Equal(built, embedded) {
			t.Errorf("%s.wasm is not what its source makes; run go test -run TestBuild -update .", name)
		}
	}
}

// missing skips a test for want of a tool, but not where everything has to be there.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestSpotIsCompare holds that spot differs from compare in minRequests only.
func TestSpotIsCompare(t *testing.T) {
	a, _ := Module("compare")
	b, _ := Module("spot")
	if len(a) != len(b) {
		t.Fatalf("%d bytes and %d", len(a), len(b))
	}
	var differ [][2]byte
	for i := range a {
		if a[i] != b[i] {
			differ = append(differ, [2]byte{a[i], b[i]})
		}
	}
	if len(differ) != 1 || differ[0] != [2]byte{2, 1} {
		t.Errorf("they differ in %v, want a 2 that is a 1", differ)
	}
}

func TestModule(t *testing.T) {
	for _, name := range Names() {
		m, ok := Module(name)
		if !ok || len(m) == 0 {
			t.Fatalf("%s: %v, %d bytes", name, ok, len(m))
		}
		m[0] ^= 1
		if again, _ := Module(name); again[0] == m[0] {
			t.Errorf("%s: a caller can change the module for others", name)
		}
	}
	if _, ok := Module("none"); ok {
		t.Error("found a verifier that is not there")
	}
}
