package contracts

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestForge: what forge/ demands of the contracts holds for every sequence of calls and every value that Foundry comes up
// with. Its tests recompute commitments and running hash on their own, in Solidity.
func TestForge(t *testing.T) {
	forge, dir := foundry(t)
	out, err := run(dir, forge, "test", "--offline", "--use", "./solc-wrap")
	if err != nil {
		t.Fatalf("forge test: %v\n%s", err, tail(out, 8000))
	}
	passed := regexp.MustCompile(`(\d+) tests passed, 0 failed`).FindSubmatch(out)
	if passed == nil {
		t.Fatalf("forge ran no test:\n%s", tail(out, 2000))
	}
	t.Logf("%s tests of forge passed", passed[1])
}

// TestCoverage: the tests of forge reach every line and every branch of the contracts.
func TestCoverage(t *testing.T) {
	forge, dir := foundry(t)
	out, err := run(dir, forge, "coverage", "--offline", "--use", "./solc-wrap", "--no-match-test", "invariant")
	if err != nil {
		t.Fatalf("forge coverage: %v\n%s", err, tail(out, 4000))
	}
	rows := regexp.MustCompile(`(?m)^\| src/.*$`).FindAllString(string(out), -1)
	if len(rows) != 3 {
		t.Fatalf("coverage of %d files, want 3:\n%s", len(rows), tail(out, 4000))
	}
	for _, row := range rows {
		t.Log(row)
		if strings.Count(row, "100.00%") != 4 {
			t.Errorf("not all is reached: %s", row)
		}
	}
}

// foundry finds forge, and puts its tests, the contracts and the pinned compiler into a directory of their own.
func foundry(t *testing.T) (forge, dir string) {
	t.Helper()
	if forge = os.Getenv("BARNRAISE_FORGE"); forge == "" {
		missing(t, "BARNRAISE_FORGE does not name a forge binary (Foundry), so the contracts are not fuzzed")
	}
	dir = compiler(t)
	if err := os.CopyFS(dir, os.DirFS("forge")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "solc-wrap"), 0o755); err != nil {
		t.Fatal(err)
	}
	return forge, dir
}

// compiler is a new directory with the contracts and the pinned compiler.
func compiler(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, "%s is not installed, so the contracts are not compiled again", tool)
		}
	}
	dir := t.TempDir()
	for _, file := range []string{"package.json", "package-lock.json", "build.js"} {
		write(t, filepath.Join(dir, file), read(t, file))
	}
	if err := os.CopyFS(filepath.Join(dir, "src"), os.DirFS("src")); err != nil {
		t.Fatal(err)
	}
	if out, err := run(dir, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"); err != nil {
		missing(t, "npm ci cannot fetch the compiler, so the contracts are not compiled again: %v\n%s", err, out)
	}
	return dir
}

// tail is the end of what a program wrote.
func tail(out []byte, n int) []byte { return bytes.TrimSpace(out[max(0, len(out)-n):]) }
