package devnet

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barnraise/manifest"
	"barnraise/verifiers"
)

// A service's verifier is a standard one, or a file beside its service.yaml that its manifest has room for.
func TestReadVerifier(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "service")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "verifier.wasm"), filepath.Join(filepath.Dir(dir), "outside.wasm")} {
		if err := os.WriteFile(path, []byte("own"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	spot, _ := verifiers.Module("spot")
	for name, c := range map[string]struct {
		most manifest.Bytes
		want []byte
		err  string
	}{
		"spot":            {1, spot, ""},
		"verifier.wasm":   {3, []byte("own"), ""},
		"./verifier.wasm": {2, nil, "3 bytes, the manifest grants"},
		"missing.wasm":    {3, nil, "no such file"},
		"../outside.wasm": {3, nil, "no file beside service.yaml"},
		"":                {3, nil, "no file beside service.yaml"},
	} {
		got, err := readVerifier(dir, name, c.most)
		if !bytes.Equal(got, c.want) || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q: %d bytes, %v; want %d and %q", name, len(got), err, len(c.want), c.err)
		}
	}
}

// What the step before a build writes for the verifier is taken from the service.yaml that it writes, where it writes one.
func TestPrepared(t *testing.T) {
	dir := t.TempDir()
	if config, err := prepared(dir); config != nil || err != nil {
		t.Errorf("nothing was written: %s, %v", config, err)
	}
	file := filepath.Join(dir, "service.yaml")
	for document, want := range map[string]string{"name: abc\nconfig: {root: '00ff'}\n": `{"root": "00ff"}`, "name: abc\n": ""} {
		if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
		if config, err := prepared(dir); string(config) != want || err != nil {
			t.Errorf("%q: %s, %v; want %s", document, config, err, want)
		}
	}
	if err := os.WriteFile(file, []byte("nam: abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := prepared(dir); err == nil {
		t.Error("a service.yaml that is none is taken")
	}
}
