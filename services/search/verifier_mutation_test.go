package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// verifierMutations are slips in the verifier's source, each with the kind of forgery that is then accepted; "honest" where an
// honest answer is then called wrong. The first four are tried always, the others with -long.
var verifierMutations = []struct{ name, file, old, new, kind string }{
	{"neighbours need not be side by side", "query.ts", "return left + 1 == leaves.at(i).place", "return left < leaves.at(i).place",
		"false absence, neighbours shown"},
	{"any order", "query.ts", "if (next > score || (next == score && n <= document))", "if (n < 0)", "swapped order"},
	{"any score", "query.ts", "next != <i64>this.scores.of(n)", "n < 0", "changed score"},
	{"nobody looks for better hits", "query.ts", "this.scores.best != hits.length || ", "", "hit replaced by the next"},
	{"fewer hits than there are", "query.ts", " || hits.length != min<i64>(ask.k, result.total)", "", "fewer hits than k"},
	{"a hash for postings", "query.ts", "!leaf.whole || df < 1 || df != leaf.df || ", "", "false absence, hash shown"},
	{"any root", "proof.ts", "r.at == r.end && this.root.is(root)", "r.at == r.end", "truncated postings"},
	{"any document", "judge.ts", "found.documents.at(0).name.order(ask.text) != 0", "false", "another document"},
	{"suggestions may begin anywhere", "suggest.ts", "first > 1 || !isEnclosed(ask.text, proof)", "first > 1", "begins too late"},
	{"suggestions may end anywhere", "suggest.ts", " && !leaves.at(behind).term.startsWith(ask.text) ?", " ?", "ends too early"},
	{"a stop word less", "words.ts", `"the", `, "", "honest"},
	{"a prefix less", "stem.ts", `w.startsWith("gener") || `, "", "honest"},
}

// TestVerifierMutations builds the verifier with each slip, and holds that the forgeries of its kind find it.
func TestVerifierMutations(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the verifier for each mutation")
	}
	tried := verifierMutations[:4]
	if *thorough {
		tried = verifierMutations
	}
	modules := buildMutants(t, len(tried))
	for i, m := range tried {
		t.Run(m.name, func(t *testing.T) {
			verify := loadModule(t, modules[i])
			kind := slices.IndexFunc(forgeries, func(f forgery) bool { return f.kind == m.kind })
			switch {
			case m.kind == "honest" && !wrongsHonest(t, verify):
				t.Error("no honest answer is called wrong")
			case m.kind != "honest" && kind < 0:
				t.Errorf("there is no kind %s", m.kind)
			case m.kind != "honest" && !acceptsForged(verify, forgeMany(t, forgeries[kind:kind+1], 60)):
				t.Errorf("%s: none is accepted", m.kind)
			}
		})
	}
}

func acceptsForged(verify judge, list []forged) bool {
	return slices.ContainsFunc(list, func(f forged) bool { return said(verify(f.root, f.request, f.response)) == "accepted 0 []" })
}

// wrongsHonest asks for made up words, which the stemmer has to know.
func wrongsHonest(t *testing.T, verify judge) bool {
	for seed := range uint64(40) {
		z := newZoo(t, seed)
		for range 30 {
			request, response := call(t, "search_query", object{"q": z.query() + " generously, the movement", "proof": true})
			if said(verify(z.root, request, response)) == "disagreement [0]" {
				return true
			}
		}
	}
	return false
}

// buildMutants builds a module for each of the first n mutations.
func buildMutants(t *testing.T, n int) (modules [][]byte) {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		missing(t, "npm is not installed: cannot build verifiers in AssemblyScript")
	}
	root := t.TempDir()
	build := []string{"run", "build", "--"}
	copyTo(t, "../../verifiers", filepath.Join(root, "verifiers"))
	for i, m := range verifierMutations[:n] {
		name := fmt.Sprintf("services/mutant%d/verifier", i)
		build = append(build, "../"+name)
		copyTo(t, "verifier", filepath.Join(root, name))
		file := filepath.Join(root, name, m.file)
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if times := bytes.Count(source, []byte(m.old)); times != 1 {
			t.Fatalf("%s: %q stands %d times in %s, want it once", m.name, m.old, times, m.file)
		}
		if err := os.WriteFile(file, bytes.Replace(source, []byte(m.old), []byte(m.new), 1), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"}, build} {
		cmd := exec.Command(npm, args...)
		cmd.Dir = filepath.Join(root, "verifiers")
		if out, err := cmd.CombinedOutput(); err != nil && args[0] == "ci" {
			missing(t, "npm cannot fetch the AssemblyScript compiler: %v\n%s", err, out)
		} else if err != nil {
			t.Fatalf("npm run build: %v\n%s", err, out)
		}
	}
	for i := range n {
		module, err := os.ReadFile(filepath.Join(root, fmt.Sprintf("services/mutant%d/verifier.wasm", i)))
		if err != nil {
			t.Fatal(err)
		}
		modules = append(modules, module)
	}
	return modules
}

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
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
