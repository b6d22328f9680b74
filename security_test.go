package barnraise_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shown is a test as docs/security.md names it: `client.TestCall`, with barnraise for the root.
var shown = regexp.MustCompile("`([a-z][-a-z/0-9]*)\\.((?:Test|Fuzz)[A-Za-z0-9_]+)`")

// Who says that a test shows something names one that there is.
func TestSecurityNamesTestsThatThereAre(t *testing.T) {
	text, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	named := make(map[string][]string)
	for _, m := range shown.FindAllStringSubmatch(string(text), -1) {
		named[m[1]] = append(named[m[1]], m[2])
	}
	if len(named) < 10 {
		t.Errorf("it names tests of %d packages", len(named))
	}
	for _, room := range slices.Sorted(maps.Keys(named)) {
		there := tests(t, room)
		for _, name := range named[room] {
			if !there[name] {
				t.Errorf("there is no %s.%s", room, name)
			}
		}
	}
}

// tests lists the tests and fuzz targets of a package.
func tests(t *testing.T, room string) map[string]bool {
	files, err := filepath.Glob(filepath.Join(strings.TrimPrefix(room, "barnraise"), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	there := make(map[string]bool)
	for _, f := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				there[f.Name.Name] = true
			}
		}
	}
	return there
}

// Each of the known attacks has its row, and a row names what shows it.
func TestSecurityHasEveryAttack(t *testing.T) {
	text, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## Known attacks")
	for i := 1; i <= 29; i++ {
		_, row, ok := strings.Cut(table, fmt.Sprintf("\n| %d |", i))
		row, _, _ = strings.Cut(row, "\n")
		cells := strings.Split(row, "|")
		if !ok || len(cells) != 5 || !shown.MatchString(cells[3]) {
			t.Errorf("row %d is %q", i, row)
		}
		for _, n := range []int{0, 1} {
			if ok && strings.TrimSpace(cells[n]) == "" {
				t.Errorf("row %d leaves out what it is, or what is done", i)
			}
		}
	}
}
