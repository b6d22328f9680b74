package index

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Limits of a query.
const (
	MaxTerms    = 32      // different terms
	MaxPostings = 4 << 20 // bytes of postings that are read for it
)

// Result is the answer to a query. Its strings are views into the index.
type Result struct {
	Terms []Term `json:"terms"` // of the query, each once, in its order
	Total int    `json:"total"` // how many documents have at least one of them
	Hits  []Hit  `json:"hits"`  // the best of these, by score, then by number
}

// Term is a term of a query, and how many documents have it; none is no error.
type Term struct {
	Term string `json:"term"`
	DF   int    `json:"df"`
}

// Hit is a document that has a term of the query.
type Hit struct {
	Doc   string `json:"doc"` // the document's id
	Score uint32 `json:"score"`
	Title string `json:"title"`
}

// Search finds the k documents that score highest for the query. A query without terms finds nothing. It fails with [ErrTerms]
// or [ErrTooBroad] on a query beyond the limits, and with [ErrCorrupt].
func (x *Index) Search(query string, k int) (Result, error) {
	terms, lists, err := x.lookUp(query)
	if err != nil {
		return Result{}, fmt.Errorf("search: %w", err)
	}
	r := Result{Terms: terms, Hits: []Hit{}}
	if len(terms) == 0 {
		return r, nil
	}
	scores := make([]uint32, x.documents)
	for i, list := range lists {
		if terms[i].DF, err = add(scores, list); err != nil {
			return Result{}, fmt.Errorf("search %q: %w", terms[i].Term, err)
		}
	}
	var best []rank
	best, r.Total = top(scores, k)
	for _, b := range best {
		d, err := x.record(b.document())
		if err != nil {
			return Result{}, fmt.Errorf("search: %w", err)
		}
		r.Hits = append(r.Hits, Hit{Doc: d.ID, Score: b.score(), Title: d.Title})
	}
	return r, nil
}

// lookUp is the terms of a query, each once, and their postings.
func (x *Index) lookUp(query string) (terms []Term, lists []string, err error) {
	terms, size := []Term{}, 0
	for term := range Terms(query) {
		if slices.ContainsFunc(terms, func(t Term) bool { return t.Term == term }) {
			continue
		}
		if len(terms) == MaxTerms {
			return nil, nil, ErrTerms
		}
		list, err := x.postings(term)
		if err != nil {
			return nil, nil, err
		}
		if size += len(list); size > MaxPostings {
			return nil, nil, ErrTooBroad
		}
		terms, lists = append(terms, Term{Term: term}), append(lists, list)
	}
	return terms, lists, nil
}

// postings is the list of a term, empty for one that the collection does not have.
func (x *Index) postings(term string) (string, error) {
	intact := true
	i, found := sort.Find(x.terms, func(i int) int {
		t, ok := run(x.termEnds, x.dictionary, i)
		intact = intact && ok
		return strings.Compare(term, t)
	})
	if !intact {
		return "", ErrCorrupt
	}
	if !found {
		return "", nil
	}
	list, ok := run(x.listEnds, x.lists, i)
	if !ok {
		return "", ErrCorrupt
	}
	return list, nil
}

// add adds a term's impacts to the scores of the documents that have it, and says how many these are.
func add(scores []uint32, list string) (df int, err error) {
	for next := uint64(0); list != ""; df++ {
		skipped, n := uvarint(list)
		share, m := uvarint(list[n:])
		next += uint64(skipped)
		if n == 0 || m == 0 || next >= uint64(len(scores)) || share == 0 || share > maxImpact {
			return 0, ErrCorrupt
		}
		scores[next] += share
		next++
		list = list[n+m:]
	}
	return df, nil
}

// maxImpact is beyond any impact of a collection of [MaxDocuments]: 64 · ln(2²¹ + 2) · 2.2 < 2¹². A sum of [MaxTerms] of them
// does not overflow.
const maxImpact = 1 << 12

// rank orders hits: a higher rank is a higher score or, where scores are equal, a lower document number.
type rank uint64

func newRank(score, document uint32) rank { return rank(score)<<32 | rank(^document) }

func (r rank) score() uint32    { return uint32(r >> 32) }
func (r rank) document() uint32 { return ^uint32(r) }

// top is the k highest ranks, best first, and how many documents have a score at all.
func top(scores []uint32, k int) (best []rank, total int) {
	for document, score := range scores {
		if score == 0 {
			continue
		}
		total++
		r := newRank(score, uint32(document))
		switch {
		case len(best) < k:
			best = append(best, r)
			if len(best) == k {
				slices.Sort(best) // sorted is also a heap, the lowest rank first
			}
		case k > 0 && r > best[0]:
			best[0] = r
			sink(best)
		}
	}
	slices.Sort(best)
	slices.Reverse(best)
	return best, total
}

// sink restores the heap whose first element was replaced.
func sink(heap []rank) {
	for i := 0; ; {
		least := i
		for _, child := range []int{2*i + 1, 2*i + 2} {
			if child < len(heap) && heap[child] < heap[least] {
				least = child
			}
		}
		if least == i {
			return
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
}
