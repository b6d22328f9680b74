package wasm

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// prose is a text without what depends on how it is set: line ends, bullets, links, the mark of a comment.
func prose(text string) string {
	text = regexp.MustCompile(`(?m)^(//)? *- |^//|[\[\]]`).ReplaceAllString(text, "")
	return strings.Join(strings.Fields(text), " ")
}

// between is the part of a text from one string to the next place of another.
func between(t *testing.T, text, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, from)
	part, _, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		t.Fatalf("there is no %q before %q", from, to)
	}
	return from + part
}

// TestABIIsWrittenDown holds docs/verifier-abi.md to the rule, the world and the caps of this package.
func TestABIIsWrittenDown(t *testing.T) {
	comment, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/verifier-abi.md")
	if err != nil {
		t.Fatal(err)
	}
	written, lines := prose(string(page)), string(page)
	for _, part := range []string{
		between(t, string(comment), "1. A function body", "The start function"),
		between(t, string(comment), "env.abort traps.", "package wasm"),
	} {
		for sentence := range strings.SplitSeq(prose(part), ". ") {
			if !strings.Contains(written, sentence) {
				t.Errorf("docs/verifier-abi.md does not say what the package comment does: %s", sentence)
			}
		}
	}
	number := func(n int64) string {
		s := fmt.Sprint(n)
		for i := len(s) - 3; i > 0; i -= 3 {
			s = s[:i] + "," + s[i:]
		}
		return s
	}
	c := VerifierCaps()
	for what, n := range map[string]int{
		"types": c.Types, "parameters and results of one type together": c.Values, "imports": c.Imports, "exports": c.Exports,
		"functions, imported ones left out": c.Functions, "globals": c.Globals, "element segments": c.Elements,
		"entries of all element segments together": c.TableEntries, "entries that the table begins with": c.TableEntries,
	} {
		if row := fmt.Sprintf("| %s | %s | |\n", what, number(int64(n))); !strings.Contains(lines, row) {
			t.Errorf("docs/verifier-abi.md has no row %s", row)
		}
	}
	for what, n := range map[string]int64{"size, see below | M": int64(c.Body), "parameters and locals |": int64(c.Locals), "complexity, see below |": c.Complexity} {
		if row := fmt.Sprintf("| %s | %s |\n", what, number(n)); !strings.Contains(lines, row) {
			t.Errorf("docs/verifier-abi.md has no row %s", row)
		}
	}
	for _, m := range []int{1 << 10, 256 << 10, 1 << 20, 8 << 20} {
		got := VerifierCapsFor(m)
		want := got
		want.Size, want.Code, want.Data, want.Work = m, m, max(5000, m/64), 5e10+50_000*int64(max(0, m-262_144))
		if got != want || got.Body != c.Body || got.TableEntries != 65_536 || !got.WASI || !got.Abort {
			t.Errorf("caps of %d bytes are %+v, docs/verifier-abi.md says %+v", m, got, want)
		}
	}
	for name := range wasiFunctions() {
		typ, _ := hostType(wasiModule, name)
		params, results, _ := strings.Cut(string(typ), " -> ")
		if row := fmt.Sprintf("| `%s` | %s |\n", name, strings.Trim(params, "()")); !strings.Contains(lines, row) {
			t.Errorf("docs/verifier-abi.md has no row %s", row)
		}
		if (results == "(i32)") == (name == "proc_exit") {
			t.Errorf("%s gives %s", name, results)
		}
	}
}
