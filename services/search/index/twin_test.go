package index

import (
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// twin is the same search as anybody would write it down: maps, fractions, no file.
type twin struct {
	documents []Document
	tf        []map[string]int64
	tokens    int64
	lengths   []int64
}

func newTwin(documents []Document) *twin {
	w := &twin{documents: documents}
	for _, d := range documents {
		counts, length := map[string]int64{}, int64(0)
		for term := range Terms(d.Title + "\n" + d.Text) {
			counts[term]++
			length++
		}
		w.tf, w.lengths, w.tokens = append(w.tf, counts), append(w.lengths, length), w.tokens+length
	}
	return w
}

func (w *twin) search(query string, k int) Result {
	r := Result{Terms: []Term{}, Hits: []Hit{}}
	scores := map[int]uint32{}
	seen := map[string]bool{}
	for term := range Terms(query) {
		if seen[term] {
			continue
		}
		seen[term] = true
		df := 0
		for _, counts := range w.tf {
			if counts[term] > 0 {
				df++
			}
		}
		r.Terms = append(r.Terms, Term{term, df})
		for i, counts := range w.tf {
			if counts[term] > 0 {
				scores[i] += w.impact(df, counts[term], w.lengths[i])
			}
		}
	}
	r.Total = len(scores)
	var found []int
	for i := range w.documents {
		if _, ok := scores[i]; ok {
			found = append(found, i)
		}
	}
	slices.SortStableFunc(found, func(a, b int) int { return int(scores[b]) - int(scores[a]) })
	for _, i := range found[:min(k, len(found))] {
		r.Hits = append(r.Hits, Hit{w.documents[i].ID, scores[i], w.documents[i].Title})
	}
	return r
}

// impact is the formula of [Scoring], in fractions.
func (w *twin) impact(df int, tf, length int64) uint32 {
	n := int64(len(w.documents))
	logarithm := new(big.Rat).SetFrac(new(big.Int).SetUint64(ln(uint64(2*n+2))-ln(uint64(2*df+1))), big.NewInt(1<<lnBits))
	norm := big.NewRat(75*length*n, 100*w.tokens)
	norm.Add(norm, big.NewRat(25, 100)).Mul(norm, big.NewRat(12, 10)).Add(norm, big.NewRat(tf, 1))
	v := new(big.Rat).Mul(big.NewRat(64*22*tf, 10), logarithm)
	v.Quo(v, norm).Add(v, big.NewRat(1, 2))
	return max(1, uint32(new(big.Int).Div(v.Num(), v.Denom()).Uint64()))
}

func TestTwin(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		documents, text := collection(random)
		x, w := open(t, About{}, documents), newTwin(documents)
		for range 40 {
			query, k := text(8)+" unknown", random.IntN(30)
			got, err := x.Search(query, k)
			if want := w.search(query, k); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%d documents, %q, %d:\n got %v, %v\nwant %v", len(documents), query, k, got, err, want)
			}
		}
	}
}
