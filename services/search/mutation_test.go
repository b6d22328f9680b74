package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Each of these slips, made in a copy of the source, turns the named test red: so the tests hold the service to what they say.
func TestMutations(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the service for each mutation")
	}
	for _, m := range []struct{ name, file, old, new, pkg, test string }{
		{"ties go to the later document", "index/search.go", "rank(^document)", "rank(document)", "./index", "TestTies"},
		{"terms do not add up", "index/search.go", "scores[next] += share", "scores[next] = share", "./index", "TestSearchByHand"},
		{"the best hit is dropped", "index/search.go", "slices.Reverse(best)", "slices.Reverse(best)\n\tbest = best[min(1, len(best)):]", "./index", "TestSearchByHand"},
		{"scores in whole units", "index/score.go", "64*22*idf", "22*idf", "./index", "TestImpactFollowsBM25"},
		{"stop words are indexed", "index/analyzer.go", `"that", "the", "their"`, `"that", "their"`, ".", "TestAnswers/query"},
		{"accents are kept", "index/analyzer.go", `return "", size`, `return s[:size], size`, "./index", "TestTerms"},
		{"one neighbour of an absent term", "index/search.go", "{f.place - 1, f.place}", "{f.place}", "./index", "TestProofs"},
		{"a term without its postings", "index/search.go", "{{f.place, true}}", "{{f.place, false}}", "./index", "TestProofs"},
		{"nothing behind the suggestions", "index/suggest.go", "\t\tto++\n", "", "./index", "TestProofs"},
		{"nothing before the suggestions", "index/suggest.go", "max(from-1, 0)", "from", ".", "TestAnswers/suggest,_proven"},
		{"a leaf without its frequency", "index/proof.go", "prefixed(term), varint(uint64(frequency)), list", "prefixed(term), list", "./index", "TestProofs"},
		{"ids and titles run together", "index/proof.go", "prefixed(id), prefixed(title)", "id, title", "./index", "TestProofs"},
		{"a root without the counts", "index/proof.go", "string(about[:]), string(head)}", "string(about[:]), string(head[:0])}", "./index", "TestProofs"},
		{"a document without its text", "index/proof.go", "if !s.withText {", "if true {", ".", "TestAnswers/document,_proven"},
		{"more proven hits", "main.go", "maxProvenHits  = 50", "maxProvenHits  = 51", ".", "TestAnswers/too_many_proven_hits"},
	} {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			said, err := exec.Command("go", "test", "-count=1", "-overlay", mutated(t, m.file, m.old, m.new), "-run", "^"+m.test+"$", m.pkg).CombinedOutput()
			if _, failed := err.(*exec.ExitError); !failed || !bytes.Contains(said, []byte("--- FAIL: Test")) {
				t.Errorf("%s does not fail (%v):\n%s", m.test, err, said)
			}
		})
	}
}

// mutated is an overlay in which one place of a file is another.
func mutated(t *testing.T, file, old, new string) (overlay string) {
	t.Helper()
	file, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(source, []byte(old)); n != 1 {
		t.Fatalf("%q stands %d times in %s, want it once", old, n, file)
	}
	dir := t.TempDir()
	copied, overlay := filepath.Join(dir, "mutated.go"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{file: copied}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, bytes.Replace(source, []byte(old), []byte(new), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, replace, 0o644); err != nil {
		t.Fatal(err)
	}
	return overlay
}
