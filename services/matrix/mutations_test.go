package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mutations are changes of one line of the code, each with the test that has to notice.
var mutations = []struct {
	name, file, from, to string
	red                  string // the test that fails then, in the package of the file
}{
	{"a name may stand twice", "canonical/parse.go", "if twice >= 0 {", "if false {", "TestRefused"},
	{"names are sorted otherwise", "canonical/parse.go", "return strings.Compare(a.Name, b.Name) }",
		"return strings.Compare(b.Name, a.Name) }", "TestWriting"},
	{"integers go to 2^53", "canonical/canonical.go", "const MaxInt = 1<<53 - 1", "const MaxInt = 1 << 53", "TestNumbersWithoutPlace"},
	{"version 6 keeps aliases", "event/version.go", `return v <= 5 && name == "aliases"`, `return v <= 6 && name == "aliases"`,
		"TestRedactionOfContent"},
	{"version 8 keeps who vouched", "event/version.go", `v >= 9 && name == "join_auth`, `v >= 8 && name == "join_auth`,
		"TestRedactionOfContent"},
	{"version 10 keeps all of a create event", "event/version.go", `return name == "creator" || v >= 11`,
		`return name == "creator" || v >= 10`, "TestRedactionOfContent"},
	{"version 11 keeps all of a third party's invite", "event/redact.go", `return name == "signed"`, "return true",
		"TestRedactionOfContent"},
	{"version 3 has ids for URLs", "event/hash.go", "case v == 3:", "case v == 2:", "TestIDs"},
	{"keys expire in version 4", "event/version.go", "func (v Version) KeysExpire() bool { return v >= 5 }",
		"func (v Version) KeysExpire() bool { return v >= 4 }", "TestSignatures"},
	{"a server's keys are valid as long as it says", "event/serverkeys.go", "min(until, at+MaxValidity)", "until", "TestServerKeysOfSynapse"},
	{"a notary's signatures count", "event/serverkeys.go", "return name == server }", "return true }", "TestServerKeys"},

	{"version 12 starts from what is agreed", "state/state.go", "if r.version < 12 {", "if true {", "TestWhatVersion21Mends"},
	{"the subgraph is left out", "state/conflict.go", "full.join(g.between(c.conflicted))", "", "TestWhatVersion21Mends"},
	{"the auth difference is left out", "state/conflict.go", "full.join(c.difference)", "", "TestResolvesAsTheDefinitionsSay"},
	{"what is agreed does not come back", "state/state.go", "if e != nobody {", "if false {", "TestUnconflictedStateStays"},
	{"the weak come first", "state/order.go", "cmp.Compare(q.power[b], q.power[a])", "cmp.Compare(q.power[a], q.power[b])",
		"TestResolvesAsTheDefinitionsSay"},
	{"the mainline runs backwards", "state/order.go", "cmp.Compare(rests[b], rests[a])", "cmp.Compare(rests[a], rests[b])",
		"TestResolvesAsTheDefinitionsSay"},
	{"time does not count", "state/order.go", "cmp.Compare(x.OriginServerTS, y.OriginServerTS)", "0", "TestTheStepsAreTold"},

	{"creators are as others", "auth/levels.go", "if l.version >= 12 &&", "if false &&", "TestLevel"},
	{"version 10 takes strings", "auth/content.go", "r.version < 10", "r.version < 11", "TestPowerLevels"},
	{"the signature is not looked at", "auth/thirdparty.go", "return ed25519.Verify(key, message, signature)", "return true",
		"TestThirdPartyInvite"},
	{"other rooms' auth events will do", "auth/auth.go", "return a.Room != e.Room", "return false", "TestAuthEvents"},
}

func TestMutations(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a package once for each mutation")
	}
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			if out := mutated(t, m.file, m.from, m.to, m.red); !strings.Contains(out, "--- FAIL: "+m.red) {
				t.Errorf("%s did not turn red:\n%.2000s", m.red, out)
			}
		})
	}
}

// mutated runs one test of the package whose file is changed, and gives what that printed.
func mutated(t *testing.T, file, from, to, test string) string {
	t.Helper()
	path, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), from); n != 1 {
		t.Fatalf("%q stands %d times in %s", from, n, file)
	}
	changed, overlay := filepath.Join(t.TempDir(), "changed.go"), filepath.Join(t.TempDir(), "overlay.json")
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, changed, strings.Replace(string(source), from, to, 1))
	write(t, overlay, string(list))
	run := exec.CommandContext(t.Context(), "go", "test", "-short", "-overlay", overlay, "-run", "^"+test+"$", "./"+filepath.Dir(file))
	out, err := run.CombinedOutput()
	if err == nil {
		return "it passed"
	}
	return string(out)
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
