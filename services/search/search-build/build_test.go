package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barnraise/services/search/index"
)

var update = flag.Bool("update", false, "write services/search/index.bin anew")

// The collection in the repository is what search-build makes of sample.tsv.
func TestSample(t *testing.T) {
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	args := []string{"-tsv", "../sample.tsv", "-out", dir, "-name", "sample", "-corpus", "eight texts that come with the source",
		"-licence", "that of the source"}
	if code := run(args, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	built, err := os.ReadFile(filepath.Join(dir, "index.bin"))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("../index.bin", built, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile("../index.bin")
	if err != nil || !bytes.Equal(committed, built) {
		t.Errorf("services/search/index.bin is not what search-build makes of sample.tsv (%v): run go test ./services/search/search-build -update", err)
	}
	if got, want := stdout.String(), fmt.Sprintf(`{"docs":8,"terms":71,"bytes":%d,"sha256":"`, len(built)); !strings.HasPrefix(got, want) {
		t.Errorf("prints %q, want %q…", got, want)
	}
	overlay, err := os.ReadFile(filepath.Join(dir, "overlay.json"))
	module, _ := filepath.Abs("../../..")
	want := fmt.Sprintf("{\n  \"Replace\": {\n    %q: %q\n  }\n}\n", filepath.Join(module, "services/search/index.bin"), filepath.Join(dir, "index.bin"))
	if err != nil || string(overlay) != want {
		t.Errorf("overlay is %s, %v, want %s", overlay, err, want)
	}
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.tsv")
	if err := os.WriteFile(bad, []byte("a\tb\tc\nonly one\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"help", []string{"-h"}, 0, "-tsv file"},
		{"nothing", nil, 2, "give either -go or -tsv FILE or -md FOLDER"},
		{"both", []string{"-go", "-tsv", "x", "-out", dir}, 2, "give either -go or -tsv FILE or -md FOLDER"},
		{"three", []string{"-md", "x", "-tsv", "x", "-go", "-out", dir}, 2, "give either"},
		{"no folder", []string{"-md", filepath.Join(dir, "none"), "-out", dir}, 1, "read folder"},
		{"bad name", []string{"-go", "-out", dir, "-service", "A b"}, 2, "want 3 to 48 of a-z"},
		{"platforms of nothing", []string{"-go", "-out", dir, "-platforms", "wasip1/wasm"}, 2, "-platforms goes with -image"},
		{"no platform", []string{"-tsv", "../sample.tsv", "-out", filepath.Join(dir, "o"), "-image", filepath.Join(dir, "i"), "-platforms", "x"}, 1, "is no platform"},
		{"nowhere", []string{"-go"}, 2, "say with -out DIR"},
		{"unknown flag", []string{"-og"}, 2, "flag provided but not defined: -og"},
		{"rest", []string{"-go", "-out", dir, "extra"}, 2, `"extra" is no flag`},
		{"no file", []string{"-tsv", filepath.Join(dir, "none"), "-out", dir}, 1, "no such file"},
		{"no module", []string{"-tsv", bad, "-out", dir, "-module", dir}, 1, "say -module DIR"},
		{"no Go", []string{"-go", "-goroot", dir, "-out", dir}, 1, "-goroot wants a Go installation"},
		{"bad line", []string{"-tsv", bad, "-out", dir}, 1, "bad.tsv: line 2: 1 fields, want 3"},
		{"long name", []string{"-tsv", "../sample.tsv", "-out", dir, "-name", strings.Repeat("n", 2000)}, 1, "at most 1024 bytes"},
		{"out is a file", []string{"-tsv", "../sample.tsv", "-out", bad}, 1, "write service"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(c.args, &stdout, &stderr); code != c.code || !strings.Contains(stderr.String(), c.want) || stdout.Len() > 0 {
				t.Errorf("exit %d, prints %q, says %q; want exit %d and %q", code, stdout.String(), stderr.String(), c.code, c.want)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "index.bin")); err == nil {
		t.Error("an index was written by a command that failed")
	}
}

func TestParseTSV(t *testing.T) {
	long := strings.Repeat("x", maxLine+1)
	for _, c := range []struct {
		name, file, want string
		documents        []index.Document
	}{
		{"empty", "", "", nil},
		{"texts", "1\tOne\tthe first\n2\t\t\n", "", []index.Document{{ID: "1", Title: "One", Text: "the first"}, {ID: "2"}}},
		{"no newline at the end", "1\tOne\tthe first", "", []index.Document{{ID: "1", Title: "One", Text: "the first"}}},
		{"carriage returns", "1\tOne\tthe first\r\n", "", []index.Document{{ID: "1", Title: "One", Text: "the first"}}},
		{"byte order mark", "\ufeff1\tOne\t\ufeff\n", "", []index.Document{{ID: "1", Title: "One", Text: "\ufeff"}}},
		{"two fields", "1\ta\tb\n2\tOne\n", "line 2: 2 fields, want 3 with tabs between them: id, title, text", nil},
		{"four fields", "1\ta\tb\tc\n", "line 1: 4 fields, want 3", nil},
		{"blank line", "1\ta\tb\n\n", "line 2: 1 fields, want 3", nil},
		{"long line", "1\ta\tb\n" + long, "line 2: longer than", nil},
		{"long line that ends", long + "\n", "line 1: longer than", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseTSV(strings.NewReader(c.file))
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) || !slices.Equal(got, c.documents) {
				t.Errorf("%v, %v, want %v, %q", got, err, c.documents, c.want)
			}
		})
	}
}

func FuzzParseTSV(f *testing.F) {
	f.Add("1\tOne\tthe first\n2\t\t\n")
	f.Add("a\r\n\t\t\t\n\xff\t\x00\t")
	f.Fuzz(func(t *testing.T, file string) {
		documents, err := parseTSV(strings.NewReader(file))
		if err != nil {
			return
		}
		if lines := strings.Count(file, "\n"); len(documents) < lines || len(documents) > lines+1 {
			t.Fatalf("%d documents in %d lines", len(documents), lines)
		}
		_, _ = index.Build(index.About{}, documents) // must not panic
	})
}

// library is a standard library of our own.
var library = map[string]string{
	"VERSION":               "go9.99\ntime 2026-01-01T00:00:00Z\n",
	"src/box/doc.go":        "// Package box keeps things.\npackage box\n",
	"src/box/box_test.go":   "package box\n\n// Tested is not documented.\nfunc Tested() {}\n",
	"src/box/box_darwin.go": "package box\n\n// Other is another platform's.\nfunc Other() {}\n",
	"src/box/box_linux.go": `package box

// Sizes of boxes.
const (
	Small, Medium = 1, 2 // for letters
	Large         = 3
	tiny          = 0
)

// ErrFull is for boxes
// that are full.
var ErrFull error

// New makes a box.
func New[T any](size int,
	things ...T) (*Box[T], error) {
	return nil, nil
}

func Plain() {}

func hidden() {}

// Box keeps things.
type Box[T any] struct {
	Name string // on its label
	// Things are what is in it.
	Things []T
	Bare   int
	hidden int
}

// Open opens it.
func (b *Box[T]) Open() error { return nil }

// Size is its size.
func (Box[T]) Size() int { return 0 }

// Opener opens.
type Opener interface {
	// Open opens what it is.
	Open() error
	Close()
	hidden()
}

// Label is a text.
type Label = string
`,
	"src/box/internal/x/x.go":   "package x\n\n// X is internal.\nfunc X() {}\n",
	"src/box/testdata/x/x.go":   "package x\n\n// X is test data.\nfunc X() {}\n",
	"src/vendor/x/x.go":         "package x\n\n// X is vendored.\nfunc X() {}\n",
	"src/cmd/x/x.go":            "package x\n\n// X is a command's.\nfunc X() {}\n",
	"src/deep/er/er.go":         "// Package er is deep down.\npackage er\n",
	"src/tool/main.go":          "// Tool is a program.\npackage main\n\nfunc main() {}\n",
	"src/builtin/builtin.go":    "// Package builtin is built in.\npackage builtin\n\n// append appends.\nfunc append(slice []Type) []Type\n\n// Type is any.\ntype Type int\n",
	"src/other/other_darwin.go": "package other\n",
}

func writeLibrary(t *testing.T) (goroot string) {
	goroot = t.TempDir()
	for name, content := range library {
		file := filepath.Join(goroot, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return goroot
}

func TestStandardLibrary(t *testing.T) {
	goroot := writeLibrary(t)
	if err := os.Rename(filepath.Join(goroot, "src"), filepath.Join(goroot, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("elsewhere", filepath.Join(goroot, "src")); err != nil {
		t.Fatal(err)
	}
	got, about, err := standardLibrary(goroot, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	want := []index.Document{
		{ID: "box", Title: "package box", Text: "Package box keeps things."},
		{ID: "box.Small", Title: "const box.Small, Medium, Large", Text: "Sizes of boxes.\nSmall, Medium: for letters\nLarge"},
		{ID: "box.ErrFull", Title: "var box.ErrFull", Text: "ErrFull is for boxes\nthat are full.\nErrFull"},
		{ID: "box.Plain", Title: "func box.Plain()"},
		{ID: "box.Box", Title: "type box.Box[T any] struct{ ... }", Text: "Box keeps things.\nName: on its label\nThings: Things are what is in it."},
		{ID: "box.New", Title: "func box.New[T any](size int, things ...T) (*Box[T], error)", Text: "New makes a box."},
		{ID: "box.Box.Open", Title: "func (*box.Box[T]) Open() error", Text: "Open opens it."},
		{ID: "box.Box.Size", Title: "func (box.Box[T]) Size() int", Text: "Size is its size."},
		{ID: "box.Label", Title: "type box.Label = string", Text: "Label is a text."},
		{ID: "box.Opener", Title: "type box.Opener interface{ ... }", Text: "Opener opens."},
		{ID: "box.Opener.Open", Title: "func (box.Opener) Open() error", Text: "Open opens what it is."},
		{ID: "box.Opener.Close", Title: "func (box.Opener) Close()"},
		{ID: "builtin", Title: "package builtin", Text: "Package builtin is built in."},
		{ID: "builtin.Type", Title: "type builtin.Type int", Text: "Type is any."},
		{ID: "builtin.append", Title: "func builtin.append(slice []Type) []Type", Text: "append appends."},
		{ID: "deep/er", Title: "package er", Text: "Package er is deep down."},
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("document %d:\n got %q\nwant %q", i, got[min(i, len(got)):], want[min(i, len(want)):])
		}
	}
	for _, empty := range []string{"box", "builtin", "deep"} {
		if err := os.RemoveAll(filepath.Join(goroot, "elsewhere", empty)); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := standardLibrary(goroot, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "no packages in") {
		t.Errorf("error of a library without packages is %v", err)
	}
	if about.Corpus != "go9.99 linux/amd64, documentation of the standard library" {
		t.Errorf("corpus is %q", about.Corpus)
	}
}
