package index

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestTerms(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"Copy copies from src to dst until either EOF is reached", "copi copi src dst until either eof reach"},
		{"the reader's io.Reader, isn't_it?", "reader io reader isn"},
		{"ReadAll O_RDONLY utf-8 0x1F x86_64", "readal o rdon utf 8 0x1f x86 64"},
		{"generously generalization relational flies dying", "generous general relat fli die"},
		{"Café CAFÉ cafe\u0301 naïve Ångström", "cafe cafe cafe naiv angstrom"},
		{"straße Œuvre ÆON þing ĳs łódź", "strass oeuvr aeon thing ij lodz"},
		{"ΑΒΓ Москва 日本語 ñ", "ΑΒΓ Москва 日本語 n"},
		{"a→b “quoted” x—y 1€ 😀ok 5×5 10µs", "b quot x y 1 ok 5 5 10µs"},
		{"broken \xff\xfe bytes\xc3", "broken byte"},
		{strings.Repeat("x", 64) + " " + strings.Repeat("y", 65) + " z", strings.Repeat("x", 64) + " z"},
	} {
		if got := strings.Join(slices.Collect(Terms(c.text)), " "); got != c.want {
			t.Errorf("%q gives %q, want %q", c.text, got, c.want)
		}
	}
}

// The tables agree with Unicode where this toolchain's Unicode can tell: letters and digits are kept, capitals and their
// small letters fold alike.
func TestFoldAgreesWithUnicode(t *testing.T) {
	for r := rune(0); r <= 'ſ'; r++ {
		folded, size := fold(string(r))
		if size != utf8.RuneLen(r) {
			t.Errorf("%q has size %d", r, size)
		}
		if kept, want := folded != " ", unicode.IsLetter(r) || unicode.IsDigit(r); kept != want {
			t.Errorf("%q folds to %q", r, folded)
		}
		if r == 'İ' || r == 'µ' { // their other cases lie elsewhere
			continue
		}
		if small, _ := fold(string(unicode.ToLower(r))); small != folded {
			t.Errorf("%q folds to %q, but its small letter to %q", r, folded, small)
		}
	}
	for _, r := range "⁇€→∀▲、！😀\u200b\ufeff" {
		if folded, _ := fold(string(r)); folded != " " && r != '\ufeff' {
			t.Errorf("%q does not end a word", r)
		}
	}
}

func TestStopWords(t *testing.T) {
	for _, word := range []string{"the", "of", "s", "t", "with"} {
		if stem(word) != "" {
			t.Errorf("%q is indexed", word)
		}
	}
	for _, word := range []string{"until", "file", "end", "go", "w"} {
		if stem(word) == "" {
			t.Errorf("%q is not indexed", word)
		}
	}
}

func FuzzTerms(f *testing.F) {
	f.Add("Copy copies from src to dst until either EOF is reached")
	f.Add("yyy'y s'ss ied ing ational \u0301 ß ſ ﬁ")
	f.Fuzz(func(t *testing.T, text string) {
		for term := range Terms(text) {
			if term == "" || len(term) > maxTerm+1 || strings.ContainsAny(term, " \t\n.,'_-/") {
				t.Fatalf("term %q", term)
			}
		}
	})
}
