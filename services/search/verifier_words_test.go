package main

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"barnraise/services/search/index"
	"barnraise/verifier"
	"barnraise/wasm"
)

// analyzer asks the verifier's own analyzer for the terms of a text.
func analyzer(t testing.TB) func(text string) []string {
	t.Helper()
	module, err := os.ReadFile("verifier/testdata/probe.wasm")
	if err != nil {
		t.Fatal(err)
	}
	engine, err := wasm.NewEngine("")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	code, err := engine.Compile(ctx, module, wasm.VerifierCaps(), wasm.Limits{Fuel: verifier.Fuel, Memory: verifier.Memory})
	if err != nil {
		t.Fatal(err)
	}
	return func(text string) []string {
		instance, err := code.Instantiate(ctx, wasm.IO{})
		if err != nil {
			t.Fatal(err)
		}
		defer instance.Close(ctx)
		out, err := instance.Exchange(ctx, "verify", []byte(text), 4<<20)
		if err != nil {
			t.Fatal(err)
		}
		if len(out) == 0 {
			return nil
		}
		return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	}
}

// sameTerms holds that both analyzers find the same terms in a text.
func sameTerms(t *testing.T, terms func(string) []string, text string) {
	t.Helper()
	got, want := terms(text), slices.Collect(index.Terms(text))
	if slices.Equal(got, want) {
		return
	}
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	t.Errorf("%d and %d terms; term %d of %.60q: the verifier finds %q, the index %q",
		len(got), len(want), i, text, got[i:min(i+1, len(got))], want[i:min(i+1, len(want))])
}

// TestVerifierWords holds the verifier's analyzer, written anew, to that of the index: on words made of every suffix, on the
// words of Go's sources, and on characters from everywhere.
func TestVerifierWords(t *testing.T) {
	terms := analyzer(t)
	r := rand.New(rand.NewPCG(1, 2))
	t.Run("suffixes", func(t *testing.T) {
		for range rounds(20, 2000) {
			sameTerms(t, terms, madeUp(r, 2000))
		}
	})
	t.Run("characters", func(t *testing.T) {
		for range rounds(20, 1000) {
			sameTerms(t, terms, characters(r, 2000))
		}
	})
	t.Run("every character", func(t *testing.T) {
		var text strings.Builder
		for c := rune(0); c <= 0x2ffff; c++ {
			if utf8.ValidRune(c) {
				text.WriteString("a" + string(c) + "b ")
			}
		}
		sameTerms(t, terms, text.String())
	})
	t.Run("sources", func(t *testing.T) { sameSources(t, terms) })
}

var parts = strings.Fields(`gener commun arsen sses ied ies us ss s eedly ingly edly ing eed ed at bl iz bb dd ff gg mm nn pp rr tt e y l
	ational fulness iveness ization ousness biliti lessli tional alism aliti ation entli fulli iviti ousli anci abli alli ator enci
	izer bli ogi li alize icate ative iciti ical ful ness ement ance ence able ible ment ent ant ism ate iti ous ive ize ion al er ic
	skis skies dying lying tying idly gently ugly early only singly sky news howe atlas cosmos bias andes inning outing canning herring
	earring proceed exceed succeed the of with s t`)

// madeUp is a text of words that stemmers find difficult.
func madeUp(r *rand.Rand, words int) string {
	var text strings.Builder
	for range words {
		for range r.IntN(4) {
			text.WriteByte("aeiouybcdfglmnrstwxyz"[r.IntN(21)])
		}
		for range r.IntN(4) {
			text.WriteString(parts[r.IntN(len(parts))])
		}
		text.WriteByte(" \n-'"[r.IntN(4)])
	}
	return text.String()
}

// characters is a text of all kinds of them, where words end seldom.
func characters(r *rand.Rand, length int) string {
	blocks := [][2]rune{{0, 0x7f}, {0x61, 0x7a}, {0x61, 0x7a}, {0x80, 0x17f}, {0xc0, 0x17f}, {0x180, 0x6ff}, {0x300, 0x36f}, {0x1f00, 0x2fff},
		{0x3000, 0xd7ff}, {0xe000, 0xffff}, {0x10000, 0x10ffff}}
	var text strings.Builder
	for range length {
		b := blocks[r.IntN(len(blocks))]
		for range 1 + r.IntN(9) {
			text.WriteRune(b[0] + r.Int32N(b[1]-b[0]+1))
		}
	}
	return text.String()
}

// sameSources reads Go's standard library, some of it or all.
func sameSources(t *testing.T, terms func(string) []string) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skipf("there is no Go whose sources could be read: %v", err)
	}
	pattern := filepath.Join(strings.TrimSpace(string(root)), "src", "[a-m]*", "*.go")
	if *thorough {
		pattern = filepath.Join(strings.TrimSpace(string(root)), "src", "*", "*.go")
	}
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Skipf("Go's sources are not there: %v", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if utf8.Valid(text) {
			sameTerms(t, terms, string(text))
		}
	}
}

func FuzzVerifierWords(f *testing.F) {
	terms := analyzer(f)
	f.Add("Copy copies from src to dst until either EOF is reached")
	f.Add("yyy'y s'ss ied ing ational \u0301 ß ſ ﬁ")
	f.Fuzz(func(t *testing.T, text string) {
		if utf8.ValidString(text) && len(text) < 1<<16 {
			sameTerms(t, terms, text)
		}
	})
}
