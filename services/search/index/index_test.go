package index

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var zoo = []Document{
	{ID: "x/1", Title: "Cats", Text: "a cat and the dog"},
	{ID: "x/3", Title: "", Text: "Cat, fish!"},
	{ID: "x/2", Title: "Dogs", Text: "dog dogs fish bird"},
}

func open(t testing.TB, about About, documents []Document) *Index {
	t.Helper()
	file, err := Build(about, documents)
	if err != nil {
		t.Fatal(err)
	}
	x, err := Open(string(file))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// The zoo has 3 documents of 3, 2 and 5 terms, 10 in all; cat, dog and fish occur in two documents, bird in one.
//
//	64·ln(8/5) = 30.080, 64·ln(8/3) = 62.773; the length's share 0.3 + 0.9·length·3/10 is 1.11, 0.84, 1.65
//	cat  in 1: 30.080·2·2.2/(2+1.11) = 42.56 → 43    in 2: 30.080·2.2/(1+0.84) = 35.97 → 36
//	dog  in 1: 30.080·2.2/(1+1.11) = 31.36 → 31      in 3: 30.080·3·2.2/(3+1.65) = 42.69 → 43
//	fish in 2: 30.080·2.2/(1+0.84) = 35.97 → 36      in 3: 30.080·2.2/(1+1.65) = 24.97 → 25
//	bird in 3: 62.773·2.2/(1+1.65) = 52.11 → 52
func TestSearchByHand(t *testing.T) {
	x := open(t, About{}, zoo)
	for _, c := range []struct {
		query string
		k     int
		want  string
	}{
		{"cat", 10, "[{cat 2}] 2 [{x/1 43 Cats} {x/3 36 }]"},
		{"dogs, cats?", 10, "[{dog 2} {cat 2}] 3 [{x/1 74 Cats} {x/2 43 Dogs} {x/3 36 }]"},
		{"cat cat CATS", 10, "[{cat 2}] 2 [{x/1 43 Cats} {x/3 36 }]"},
		{"fish", 1, "[{fish 2}] 2 [{x/3 36 }]"},
		{"fish", 0, "[{fish 2}] 2 []"},
		{"fish bird unicorn", 2, "[{fish 2} {bird 1} {unicorn 0}] 2 [{x/2 77 Dogs} {x/3 36 }]"},
		{"unicorn", 3, "[{unicorn 0}] 0 []"},
		{"the and of", 3, "[] 0 []"},
		{"", 3, "[] 0 []"},
	} {
		r, err := x.Search(c.query, c.k)
		if got := fmt.Sprint(r.Terms, " ", r.Total, " ", r.Hits); err != nil || got != c.want {
			t.Errorf("%q: %s, %v, want %s", c.query, got, err, c.want)
		}
	}
}

// Between equal scores the lower number comes first, and k cuts there too.
func TestTies(t *testing.T) {
	var documents []Document
	var want []string
	for i, text := range slices.Repeat([]string{"same", "same same", "other", "other"}, 50) {
		documents = append(documents, Document{ID: fmt.Sprint(999 - i), Text: text})
		if text == "same same" {
			want = append(want, documents[i].ID)
		}
	}
	for i := 0; len(want) < 60; i += 4 {
		want = append(want, documents[i].ID)
	}
	r, err := open(t, About{}, documents).Search("same", 60)
	if err != nil || r.Total != 100 {
		t.Fatal(r.Total, err)
	}
	var got []string
	for _, hit := range r.Hits {
		got = append(got, hit.Doc)
	}
	if !slices.Equal(got, want) {
		t.Errorf("hits are %v, want %v", got, want)
	}
}

func TestDocument(t *testing.T) {
	x := open(t, About{"Zoo", "animals 1", "CC0"}, zoo)
	for _, d := range zoo {
		if got, err := x.Document(d.ID); err != nil || got != d {
			t.Errorf("%s: %v, %v", d.ID, got, err)
		}
	}
	for _, id := range []string{"", "x/0", "x/11", "x/4", "X/1"} {
		if got, err := x.Document(id); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %v, %v, want ErrUnknown", id, got, err)
		}
	}
	if about, err := x.About(); err != nil || about != (About{"Zoo", "animals 1", "CC0"}) {
		t.Error(about, err)
	}
	if x.Documents() != 3 || x.Terms() != 4 {
		t.Errorf("%d documents, %d terms", x.Documents(), x.Terms())
	}
}

func TestEmptyCollection(t *testing.T) {
	x := open(t, About{}, nil)
	if r, err := x.Search("cat", 3); err != nil || r.Total != 0 || len(r.Terms) != 1 {
		t.Error(r, err)
	}
	if _, err := x.Document(""); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	x = open(t, About{}, []Document{{ID: "nothing to say"}})
	if r, err := x.Search("say", 3); err != nil || r.Total != 0 {
		t.Error(r, err)
	}
}

// The file's bytes are pinned: whoever builds this collection, on whatever machine, gets these.
func TestBuildIsPinned(t *testing.T) {
	file, err := Build(About{"Zoo", "animals 1", "CC0"}, zoo)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(file)
	if got := hex.EncodeToString(sum[:]); got != zooSum {
		t.Errorf("sha256 is %s, want %s: another layout or scoring is another version", got, zooSum)
	}
}

const zooSum = "9230c7cc94e208c2bce149531394dff3b5d477f7c4ad264325e652b80d33a2c4"

func TestBuildRefuses(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		name      string
		about     About
		documents []Document
		want      string
	}{
		{"no id", About{}, []Document{{ID: "a"}, {}}, `document 2, "": id is empty`},
		{"same id", About{}, []Document{{ID: "b"}, {ID: "a"}, {ID: "b"}}, `documents 1 and 3 have the same id, "b"`},
		{"long id", About{}, []Document{{ID: long(MaxID + 1)}}, `id has 257 bytes, at most 256`},
		{"long title", About{}, []Document{{ID: "a", Title: long(MaxTitle + 1)}}, `title has 1025 bytes, at most 1024`},
		{"long text", About{}, []Document{{ID: "a", Text: long(MaxText + 1)}}, `document 1, "a": text has 1048577 bytes, at most 1048576`},
		{"no UTF-8", About{}, []Document{{ID: "a", Text: "\xff"}}, `text is not UTF-8`},
		{"long name", About{Name: long(maxName + 1)}, nil, `want UTF-8 of at most 1024 bytes`},
		{"bad licence", About{Licence: "\xff"}, nil, `want UTF-8 of at most 1024 bytes`},
		{"too many", About{}, make([]Document, MaxDocuments+1), `1048577 documents, at most 1048576`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Build(c.about, c.documents); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one with %q", err, c.want)
			}
		})
	}
	if _, err := Build(About{}, []Document{{ID: long(MaxID), Title: long(MaxTitle), Text: long(MaxText)}}); err != nil {
		t.Error(err)
	}
}

func TestSearchLimits(t *testing.T) {
	x := open(t, About{}, zoo)
	if r, err := x.Search(someWords(MaxTerms)+" word1", 1); err != nil || len(r.Terms) != MaxTerms {
		t.Error(r, err)
	}
	if _, err := x.Search(someWords(MaxTerms+1), 1); !errors.Is(err, ErrTerms) {
		t.Errorf("error is %v, want ErrTerms", err)
	}
	x = open(t, About{}, broad())
	if r, err := x.Search(someWords(27), 1); err != nil || r.Total != x.Documents() || r.Hits[0].Doc != "0" {
		t.Error(r, err)
	}
	if _, err := x.Search(someWords(28), 1); !errors.Is(err, ErrTooBroad) {
		t.Errorf("error is %v, want ErrTooBroad", err)
	}
	r, proof, err := x.ProveSearch(someWords(3), 50)
	if err == nil {
		err = checkSearch(x.Root(), someWords(3), 50, r, proof)
	}
	if err != nil || len(proof) < 3*x.Documents() || len(proof) > 3*x.Documents()+3000 {
		t.Errorf("%d bytes of proof, %v", len(proof), err)
	}
	if _, _, err := x.ProveSearch(someWords(4), 1); !errors.Is(err, ErrTooBroad) {
		t.Errorf("error is %v, want ErrTooBroad", err)
	}
}

// broad is a collection in which each word has a posting of one byte for each document: 28 words pass MaxPostings, 4 pass
// MaxProvenPostings.
func broad() []Document {
	documents := make([]Document, 150_000)
	for i := range documents {
		documents[i] = Document{ID: fmt.Sprint(i), Text: someWords(28)}
	}
	return documents
}

// someWords are words that differ in more than an ending.
func someWords(n int) string {
	words := make([]string, n)
	for i := range words {
		words[i] = fmt.Sprintf("word%d", i)
	}
	return strings.Join(words, " ")
}

// The integers follow the formula as floating point has it, to the rounding.
func TestImpactFollowsBM25(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 100_000 {
		n := 1 + random.Uint64N(MaxDocuments)
		df := 1 + random.Uint64N(n)
		length := 1 + random.Uint64N(1+random.Uint64N(MaxText))
		tf := 1 + random.Uint64N(length)
		tokens := length + random.Uint64N(MaxSize)
		inverse := math.Log(1 + (float64(n)-float64(df)+0.5)/(float64(df)+0.5))
		norm := 1.2 * (0.25 + 0.75*float64(length)*float64(n)/float64(tokens))
		want := 64 * inverse * float64(tf) * 2.2 / (float64(tf) + norm)
		got := impact(idf(n, df), tf, length, n, tokens)
		if math.Abs(float64(got)-want) > 0.5+1e-6 && got != 1 || got > maxImpact {
			t.Fatalf("impact of tf %d, df %d, length %d, %d documents, %d tokens is %d, want %f", tf, df, length, n, tokens, got, want)
		}
	}
}

func TestLn(t *testing.T) {
	check := func(n uint64) {
		if got, want := float64(ln(n))/(1<<lnBits), math.Log(float64(n)); math.Abs(got-want) > 1e-9 {
			t.Fatalf("ln(%d) is %.12f, want %.12f", n, got, want)
		}
	}
	for n := uint64(1); n < 100_000; n++ {
		check(n)
	}
	for n := uint64(1); n <= 2*MaxDocuments+2; n = n*9/8 + 1 {
		check(n)
	}
	// To the last bit: ⌊2⁴⁰·ln n⌋, worked out to sixty places elsewhere.
	for n, want := range map[uint64]uint64{
		1: 0, 2: 762123384785, 3: 1207936985808, 5: 1769595698904, 7: 2139550835493, 10: 2531719083690, 99: 5052387706247, 1000: 7595157251071, 19402: 10855622812617, 235320: 13599531195582, 1000003: 15190317800673, 2097154: 16004592129077,
	} {
		if got := ln(n); got != want {
			t.Errorf("ln(%d) is %d, want %d", n, got, want)
		}
	}
}

// Whatever byte of a file is another, there is an answer or ErrCorrupt, and never a panic.
func TestEveryByteBroken(t *testing.T) {
	file, err := Build(About{"Zoo", "animals 1", "CC0"}, zoo)
	if err != nil {
		t.Fatal(err)
	}
	for i := range file {
		for _, b := range []byte{0, 1, 0x7f, 0x80, 0xff, file[i] + 1, file[i] - 1} {
			broken := slices.Clone(file)
			broken[i] = b
			use(t, string(broken), "cat dog fish bird", "x/2")
		}
	}
	for size := range file {
		if _, err := Open(string(file[:size])); !errors.Is(err, ErrCorrupt) {
			t.Errorf("cut to %d bytes: error is %v, want ErrCorrupt", size, err)
		}
	}
	if _, err := Open(string(file) + "x"); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a byte too many: error is %v, want ErrCorrupt", err)
	}
}

// use does with a file all that can be done.
func use(t *testing.T, file, query, id string) {
	x, err := Open(file)
	if err != nil {
		if !errors.Is(err, ErrCorrupt) {
			t.Fatalf("open: %v", err)
		}
		return
	}
	_, searched := x.Search(query, 10)
	_, _, proven := x.ProveSearch(query, 10)
	_, _, suggested := x.ProveSuggest(query, 10)
	_, read := x.Document(id)
	_, _, shown := x.ProveDocument(id)
	_, told := x.About()
	known := []error{ErrCorrupt, ErrUnknown, ErrTerms, ErrTooBroad, ErrPrefix}
	for _, err := range []error{searched, proven, suggested, read, shown, told} {
		if err != nil && !slices.ContainsFunc(known, func(k error) bool { return errors.Is(err, k) }) {
			t.Fatal(err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	for _, documents := range [][]Document{nil, zoo, {{ID: "é", Title: "ü", Text: strings.Repeat("word ", 300)}}} {
		file, err := Build(About{"n", "c", "l"}, documents)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(file), "cat dog fish word", "x/2")
	}
	f.Add("", "", "")
	f.Fuzz(use)
}

func FuzzBuild(f *testing.F) {
	f.Add("a", "Title", "some text", "b", "text")
	f.Add("é", "", "ﬁ ẞ İ Ǆ x\u0301", "a", "日本語 \x00")
	f.Fuzz(func(t *testing.T, id, title, text, other, query string) {
		documents := []Document{{id, title, text}, {other, text, title}, {id + other, query, ""}}
		file, err := Build(About{title, text, query}, documents)
		if err != nil {
			return
		}
		x, err := Open(string(file))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range documents {
			if got, err := x.Document(d.ID); err != nil || got != d {
				t.Fatalf("%q: %v, %v", d.ID, got, err)
			}
		}
		got, err := x.Search(query, 3)
		if want := newTwin(documents).search(query, 3); !errors.Is(err, ErrTerms) && (err != nil || !reflect.DeepEqual(got, want)) {
			t.Fatalf("%q: %v, %v, want %v", query, got, err, want)
		}
	})
}

// BenchmarkSearchBroad is about the most work that a query may ask for: 4 MB of postings.
func BenchmarkSearchBroad(b *testing.B) {
	x := open(b, About{}, broad())
	for b.Loop() {
		if _, err := x.Search(someWords(27), 1000); err != nil {
			b.Fatal(err)
		}
	}
}
