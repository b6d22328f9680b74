package client

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What stands in docs/client.md as Go is part of an example, which is compiled and run.
func TestClientPageIsExamples(t *testing.T) {
	var examples [][]string
	for _, name := range []string{"example_test.go", "examples_test.go"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		examples = append(examples, bare(string(b)))
	}
	page, err := os.ReadFile("../docs/client.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) < 8 {
		t.Fatalf("%d blocks of Go", len(blocks))
	}
	for _, b := range blocks {
		block := bare(strings.TrimSpace(b[1]))
		if !slices.ContainsFunc(examples, func(e []string) bool { return within(e, block) }) {
			t.Errorf("in no example:\n%s", b[1])
		}
	}
}

// bare are the lines of a text without their indent.
func bare(text string) (lines []string) {
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

func within(all, part []string) bool {
	for i := range len(all) - len(part) + 1 {
		if slices.Equal(all[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

// The page names every option, and every error that a caller may branch on.
func TestClientPageIsComplete(t *testing.T) {
	page, err := os.ReadFile("../docs/client.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "unsigned.go" { // which is in no build that anybody is given
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range toBeNamed(f) {
			found++
			if !regexp.MustCompile("`(client\\.)?" + n + "[`(]").Match(page) {
				t.Errorf("docs/client.md does not name %s", n)
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d names were looked for", found)
	}
}

// toBeNamed lists the exported options and errors of a file.
func toBeNamed(f *ast.File) (names []string) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.IsExported() && gives(d, "Option", "CallOption") {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() && strings.HasSuffix(s.Name.Name, "Error") {
						names = append(names, s.Name.Name)
					}
				case *ast.ValueSpec:
					for _, n := range s.Names {
						if strings.HasPrefix(n.Name, "Err") && n.Name != "ErrRequest" { // of probes, which callers do not make
							names = append(names, n.Name)
						}
					}
				}
			}
		}
	}
	return names
}

// gives reports whether a function returns one value of one of these types.
func gives(d *ast.FuncDecl, types ...string) bool {
	if d.Type.Results == nil || len(d.Type.Results.List) != 1 {
		return false
	}
	name, ok := d.Type.Results.List[0].Type.(*ast.Ident)
	return ok && slices.Contains(types, name.Name)
}
