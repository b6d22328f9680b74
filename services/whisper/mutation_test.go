package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mutations are changes to the code, and the vector of a test that turns red for each.
var mutations = []struct {
	name, file, from, to string
	pkg, test, red       string
}{
	{"geth's bloom is that of EIP-627", "envelope/bloom.go", "p == Geth6", "p == EIP627 && p == Geth6",
		"./envelope", "TestBloom", "01020304: geth"},
	{"EIP-627's bloom is that of geth", "envelope/bloom.go", "p == Geth6", "p != Geth6 || p == Geth6",
		"./envelope", "TestBloom", "01020304: EIP-627"},
	{"geth's size has the nonce, too", "envelope/envelope.go", "return headSize(e.fieldsSize()) + e.fieldsSize()", "return e.size()",
		".", "TestAnswers", "TestAnswers/whisper_validate/geth's_envelope "},
	{"EIP-627's size has no nonce", "envelope/envelope.go", "func (p Profile) Size(e Envelope) int {\n\tif p == Geth6 {", "func (p Profile) Size(e Envelope) int {\n\tif true {",
		".", "TestAnswers", "TestAnswers/whisper_validate/geth's_envelope_as_EIP-627_has_it "},
	{"the padding of SHA3-256", "envelope/keccak.go", "s.xor(left, []byte{1})", "s.xor(left, []byte{6})",
		"./envelope", "TestEnvelopeOfGeth", "hash is "},
	{"a number may begin with zeros", "envelope/rlp.go", "len(number) > 0 && number[0] == 0", "false",
		"./envelope", "TestDecode", "TestDecode/zero_before_a_number_of_two_bytes "},
	{"a lone byte may have a head", "envelope/rlp.go", "kind == stringOf && len(item) == 1 && item[0] < stringOf", "false",
		"./envelope", "TestDecode", "TestDecode/data_of_one_byte_as_a_string "},
	{"work must be more than wanted", "envelope/pow.go", "haveLow < low", "haveLow <= low",
		"./envelope", "TestNeed", "1·1·1: 1 bits, want 0"},
	{"a nonce counts for no more the longer it is", "envelope/seal.go", "last := min(to, sameSize(first))", "last := to",
		"./envelope", "TestSealWithGrowingNonce", "from 255: 2 bits, size "},
	{"clocks do not differ", "envelope/validate.go", "sent > now+int64(r.Allowance)", "sent > now",
		"./envelope", "TestCheck", "TestCheck/sent_when_clocks_allow "},
	{"the future costs no work", "envelope/validate.go", "p == Geth6 && sent > int64(now)", "false",
		"./envelope", "TestCheck", "TestCheck/geth_asks_more_of_the_future "},
	{"the end of a range is not shown", "mail/ask.go", "if to < w.archive.n {", "if false {",
		"./mail", "TestAnswersProveThemselves", "the proof is no good"},
	{"the last of an answer is left out", "mail/ask.go", "len(w.envelopes) == w.limit || w.size >= Enough", "len(w.envelopes)+1 == w.limit || w.size >= Enough",
		"./mail", "TestAnswersProveThemselves", " found, next "},
	{"a timestamp's least byte is first", "waku.go", "binary.BigEndian.AppendUint64", "binary.LittleEndian.AppendUint64",
		".", "TestAnswers", "TestAnswers/waku_messageHash/vectors "},
}

// Each mutation makes its vector fail.
func TestMutations(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the package once for each mutation")
	}
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			source, err := os.ReadFile(m.file)
			if err != nil {
				t.Fatal(err)
			}
			out, err := overlaid(t, m.file, mutate(t, string(source), m.from, m.to), m.pkg, m.test)
			if err == nil || !strings.Contains(out, m.red) {
				t.Errorf("%s: %s does not turn red at %q: %v\n%.2000s", m.file, m.test, m.red, err, out)
			}
		})
	}
}

// mutate changes what stands there once.
func mutate(t *testing.T, source, from, to string) string {
	t.Helper()
	if n := strings.Count(source, from); n != 1 {
		t.Fatalf("%q stands there %d times", from, n)
	}
	return strings.Replace(source, from, to, 1)
}

// overlaid runs a test where one file is another.
func overlaid(t *testing.T, file, source, pkg, test string) (out string, err error) {
	t.Helper()
	dir := t.TempDir()
	path, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {path: filepath.Join(dir, "mutated.go")}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"mutated.go": source, "overlay.json": string(replace)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "test", "-vet=off", "-overlay", filepath.Join(dir, "overlay.json"), "-run", "^"+test+"$", pkg)
	b, err := cmd.CombinedOutput()
	if strings.Contains(string(b), "[build failed]") {
		t.Fatalf("%s", b)
	}
	return string(b), err
}
