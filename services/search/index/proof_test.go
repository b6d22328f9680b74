package index

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// collection is a random one, of words w0 to w59.
func collection(random *rand.Rand) (documents []Document, text func(most int) string) {
	documents = make([]Document, random.IntN(80))
	vocabulary := 1 + random.IntN(60)
	text = func(most int) string {
		words := make([]string, random.IntN(most+1))
		for i := range words {
			words[i] = fmt.Sprintf("w%d", min(random.IntN(vocabulary), random.IntN(vocabulary)))
		}
		return strings.Join(words, " ")
	}
	for i := range documents {
		documents[i] = Document{ID: fmt.Sprintf("%x/%d", random.Uint32(), i), Title: text(3), Text: text(60)}
	}
	return documents, text
}

// Whatever is asked, the proof proves the answer that is given without one.
func TestProofs(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for range 60 {
		documents, text := collection(random)
		x := open(t, About{}, documents)
		for range 40 {
			query, k := text(8)+[]string{"", " unknown", " a0 zz", " w1x w2x"}[random.IntN(4)], random.IntN(30)
			plain, err := x.Search(query, k)
			r, proof, provenErr := x.ProveSearch(query, k)
			if err != nil || provenErr != nil || !reflect.DeepEqual(plain, r) {
				t.Fatalf("%q, %d: %v, %v, proven %v, %v", query, k, plain, err, r, provenErr)
			}
			if err := checkSearch(x.Root(), query, k, r, proof); err != nil {
				t.Fatalf("%d documents, %q, %d: %v: %v", len(documents), query, k, r, err)
			}
			prefix, k := fmt.Sprintf("w%d", random.IntN(20))[:1+random.IntN(2)], 1+random.IntN(20)
			prefix = []string{prefix, prefix, "a", "zz"}[random.IntN(4)]
			terms, proof, err := x.ProveSuggest(prefix, k)
			if bare, e := x.Suggest(prefix, k); err != nil || e != nil || !slices.Equal(bare, terms) {
				t.Fatalf("%q: %v, %v, proven %v, %v", prefix, bare, e, terms, err)
			}
			if err := checkSuggest(x.Root(), prefix, k, terms, proof); err != nil {
				t.Fatalf("%q, %d: %v: %v", prefix, k, terms, err)
			}
		}
		for n, d := range documents {
			got, proof, err := x.ProveDocument(d.ID)
			if err != nil || got != d {
				t.Fatalf("%q: %v, %v", d.ID, got, err)
			}
			if c, err := check(x.Root(), proof, [][2]string{{d.ID, d.Title}}, []string{d.Text}); err != nil || c.numbers[0] != n {
				t.Fatalf("%q: %v", d.ID, err)
			}
		}
	}
}

// A proof is for one question, one answer and one collection: no byte of it, and nothing in the answer, can be another.
func TestProofsOfOtherAnswers(t *testing.T) {
	x := open(t, About{}, zoo)
	const query = "fish bird unicorn"
	r, proof, err := x.ProveSearch(query, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkSearch(x.Root(), query, 2, r, proof); err != nil {
		t.Fatal(err)
	}
	for i := range proof {
		for bit := range 8 {
			broken := slices.Clone(proof)
			broken[i] ^= 1 << bit
			if checkSearch(x.Root(), query, 2, r, broken) == nil {
				t.Errorf("bit %d of byte %d of %x makes no difference", bit, i, proof)
			}
		}
	}
	for name, forge := range map[string]func(r *Result){
		"score":  func(r *Result) { r.Hits[0].Score++ },
		"title":  func(r *Result) { r.Hits[1].Title = "Dogs" },
		"id":     func(r *Result) { r.Hits[1].Doc = "x/1" },
		"order":  func(r *Result) { slices.Reverse(r.Hits) },
		"fewer":  func(r *Result) { r.Hits = r.Hits[:1] },
		"df":     func(r *Result) { r.Terms[2].DF++ },
		"total":  func(r *Result) { r.Total++ },
		"absent": func(r *Result) { r.Terms[1].DF = 0 },
	} {
		forged := Result{slices.Clone(r.Terms), r.Total, slices.Clone(r.Hits)}
		forge(&forged)
		if checkSearch(x.Root(), query, 2, forged, proof) == nil {
			t.Errorf("%s: %v is proven too", name, forged)
		}
	}
	for _, other := range []struct {
		query string
		k     int
	}{{"fish bird unicorns owl", 2}, {"fish", 2}, {query, 1}, {query, 3}} {
		// A third document does not fit, so that k = 3 has the same answer.
		if err := checkSearch(x.Root(), other.query, other.k, r, proof); (err == nil) != (other.k == 3) {
			t.Errorf("%q, %d: %v", other.query, other.k, err)
		}
	}
}
