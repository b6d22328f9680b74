package contracts

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi/abigen"
)

var update = flag.Bool("update", false, "write the bindings instead of comparing them")

// bindings says which contract is bound in which package.
var bindings = map[string]string{"ServiceRegistry": "services", "ServerRegistry": "servers"}

// TestBindings: the committed bindings are those of the committed ABI and bytecode.
func TestBindings(t *testing.T) {
	for contract, pkg := range bindings {
		file := filepath.Join(pkg, pkg+".go")
		want := bind(t, filepath.Join("out", contract+".json"), pkg)
		if *update {
			write(t, file, want)
		}
		compare(t, file, read(t, file), want)
	}
}

// TestRebuild: the committed ABI and bytecode are what the pinned compiler makes of src/.
func TestRebuild(t *testing.T) {
	dir := compiler(t)
	if out, err := run(dir, "node", "build.js"); err != nil {
		t.Fatalf("node build.js: %v\n%s", err, out)
	}
	for contract := range bindings {
		file := filepath.Join("out", contract+".json")
		compare(t, file, read(t, file), read(t, filepath.Join(dir, file)))
	}
}

// bind makes the Go bindings of one contract.
func bind(t *testing.T, file, pkg string) []byte {
	t.Helper()
	var contract struct {
		ABI      json.RawMessage `json:"abi"`
		Bytecode string          `json:"bytecode"`
	}
	if err := json.Unmarshal(read(t, file), &contract); err != nil {
		t.Fatalf("read %s: %v", file, err)
	}
	var abi bytes.Buffer
	if err := json.Compact(&abi, contract.ABI); err != nil {
		t.Fatal(err)
	}
	code, err := abigen.BindV2([]string{"Registry"}, []string{abi.String()}, []string{contract.Bytecode}, pkg, nil, nil)
	if err != nil {
		t.Fatalf("bind %s: %v", file, err)
	}
	return []byte(strings.ReplaceAll(code, `"Unknown error"`, `"unknown error"`)) // as Go's errors are written
}

func run(dir, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	return cmd.CombinedOutput()
}

func compare(t *testing.T, file string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what its source makes: rebuild as the package comment says", file)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil && !(*update && errors.Is(err, os.ErrNotExist)) {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, file string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// missing skips the test where a tool is missing on somebody's machine, and fails it where none may be.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
