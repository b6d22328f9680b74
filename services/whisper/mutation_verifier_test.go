package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"barnraise/jsonrpc"
	"barnraise/verifier"
)

// carelessness is what a verifier could forget, and the forgery that it would then believe. The first four are tried always, the
// others with -long.
var carelessness = []struct{ name, file, from, to, forgery string }{
	{"gaps in the proof", "archive.ts", "skipped > 0 && wanted.hides(left, right, this.next)", "false", "withheld: one, hidden"},
	{"mail of which only the key is shown", "archive.ts", "else if (wanted.asks(right)", "else if (false && wanted.asks(right)", "withheld: one, its key shown"},
	{"the root", "mail.ts", "!sameHash(archive.root, this.archive)", "false", "another archive"},
	{"the work", "seal.ts", "bits >= this.needed(nonce)", "true", "too few bits"},
	{"whether mail is asked for", "mail.ts", "!this.wanted.asks(envelopes.key(i))", "false", "foreign topic"},
	{"whether there was room for more", "mail.ts", "envelopes.count < this.limit && envelopes.bytes() < FULL", "false", "cut too early"},
	{"how many are allowed", "mail.ts", "this.count == this.limit || this.bytes() >= FULL", "false", "too many"},
	{"that nothing follows a proof", "archive.ts", "this.climb(r) && r.at == r.end", "this.climb(r)", "proof with more"},
	{"the end of an expiry", "wanted.ts", "|| expiry > this.to", "", "out of range: later"},
	{"the start", "wanted.ts", "return this.start == 0 || orderKeys(key, this.start) >= 0;", "return true;", "before the start"},
	{"the zero bits said", "seal.ts", "bits != envelope.bits()", "false", "too few bits, said otherwise"},
	{"the range", "seal.ts", "|| nonce < this.from || nonce > this.to", "", "nonce behind the range"},
	{"the data", "seal.ts", "&& memory.compare(e.data, this.data, e.dataLength) == 0", "", "other data"},
	{"the hash of a seal", "seal.ts", "hashEnd - end != HASH || memory.compare(hash, end, HASH) != 0", "false", "other hash said"},
}

// A verifier that forgets one thing believes a liar: the forgeries are such that each check is needed.
func TestCarelessVerifiers(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the verifier once for each mutation")
	}
	tried := carelessness[:4]
	if *long {
		tried = carelessness
	}
	boxes := boxes(t)
	root := careless(t, len(tried))
	for i, c := range tried {
		t.Run(c.name, func(t *testing.T) {
			module, err := os.ReadFile(filepath.Join(root, carelessDir(i)) + ".wasm")
			if err != nil {
				t.Fatal(err)
			}
			if !believes(courtOf(t, module), boxes, c.forgery) {
				t.Errorf("it believes no forgery of the kind %q", c.forgery)
			}
		})
	}
}

// carelessDir is where a mutated verifier is built, below the root.
func carelessDir(i int) string { return fmt.Sprintf("services/careless%d/verifier", i) }

// careless builds the first of them, and gives the root of where they are.
func careless(t *testing.T, n int) (root string) {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		missing(t, "npm is not installed: cannot build verifiers in AssemblyScript")
	}
	root = t.TempDir()
	dir := filepath.Join(root, "verifiers")
	copies := map[string]string{filepath.Join(dir, "assembly"): "../../verifiers/assembly"}
	build := []string{"run", "build", "--"}
	for i := range n {
		copies[filepath.Join(root, carelessDir(i))] = "verifier"
		build = append(build, "../"+carelessDir(i))
	}
	for to, from := range copies {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"build.mjs", "package.json", "package-lock.json"} {
		edit(t, "../../verifiers/"+name, filepath.Join(dir, name), func(s string) string { return s })
	}
	for i, c := range carelessness[:n] {
		file := filepath.Join(root, carelessDir(i), c.file)
		edit(t, file, file, func(s string) string { return mutate(t, s, c.from, c.to) })
	}
	if out, err := in(dir, npm, "ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"); err != nil {
		missing(t, "npm cannot fetch the AssemblyScript compiler: %v\n%s", err, out)
	}
	if out, err := in(dir, npm, build...); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return root
}

func edit(t *testing.T, from, to string, change func(string) string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, []byte(change(string(b))), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func in(dir, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	return cmd.CombinedOutput()
}

// missing skips a test for want of a tool, but not where everything has to be there.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// believes says whether a verifier accepts a forgery of that kind, of some thousand answers.
func believes(v *verifier.Verifier, boxes []box, kind string) bool {
	for seed := range uint64(5000) {
		m := maker{rand.New(rand.NewPCG(seed, 15))}
		a := m.exchange(boxes)
		ways := slices.DeleteFunc(m.ways(boxes, a), func(w way) bool { return w.name != kind })
		if len(ways) == 0 {
			continue
		}
		forged := ways[0].forge()
		if forged == "" || forged == a.answer || jsonrpc.Strict([]byte(forged)) != nil {
			continue
		}
		if judged(v, a.config, a.request, forged) == accepted {
			return true
		}
	}
	return false
}
