package index

import (
	"fmt"
	"slices"
)

// Limits of a query.
const (
	MaxTerms          = 32        // different terms
	MaxPostings       = 4 << 20   // bytes of postings that are read for it
	MaxProvenPostings = 512 << 10 // where the answer is proven, by these postings
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
	r, _, err := x.search(query, k, MaxPostings)
	return r, err
}

// ProveSearch is [Index.Search], and the proof that its answer is right and complete: the postings of all terms of the query, and
// the places of the hits' names; for a term that the collection does not have, those that stand where it would. It is an
// [ErrTooBroad] where the postings have more than [MaxProvenPostings].
func (x *Index) ProveSearch(query string, k int) (Result, []byte, error) {
	r, s, err := x.search(query, k, MaxProvenPostings)
	if err != nil {
		return Result{}, nil, err
	}
	proof, err := x.prove(s)
	return r, proof, err
}

// search is the answer, and what proves it.
func (x *Index) search(query string, k, most int) (Result, shown, error) {
	var s shown
	found, err := x.lookUp(query, most)
	if err != nil {
		return Result{}, s, fmt.Errorf("search: %w", err)
	}
	r := Result{Terms: []Term{}, Hits: []Hit{}}
	total := tally{scores: make([]uint16, x.documents)}
	for _, f := range found {
		df, err := total.add(f.list)
		if err != nil || f.there && uint32(df) != number(x.frequencies, f.place) {
			return Result{}, s, fmt.Errorf("search %q: %w", f.term, ErrCorrupt)
		}
		r.Terms = append(r.Terms, Term{f.term, df})
		s.terms = append(s.terms, x.evidence(f)...)
	}
	r.Total = len(total.found)
	for _, b := range total.top(k) {
		d, err := x.record(b.document())
		if err != nil {
			return Result{}, s, fmt.Errorf("search: %w", err)
		}
		r.Hits = append(r.Hits, Hit{Doc: d.ID, Score: b.score(), Title: d.Title})
		s.documents = append(s.documents, b.document())
	}
	return r, s, nil
}

// lookedUp is a term of a query, and where it stands in the dictionary or would stand.
type lookedUp struct {
	term  string
	place int
	there bool
	list  string // its postings
}

// lookUp is the terms of a query, each once.
func (x *Index) lookUp(query string, most int) (found []lookedUp, err error) {
	size := 0
	for term := range Terms(query) {
		if slices.ContainsFunc(found, func(f lookedUp) bool { return f.term == term }) {
			continue
		}
		if len(found) == MaxTerms {
			return nil, ErrTerms
		}
		f := lookedUp{term: term}
		if f.place, f.there, err = x.place(term); err != nil {
			return nil, err
		}
		if f.there {
			_, list, ok := x.term(f.place)
			if !ok {
				return nil, ErrCorrupt
			}
			f.list = list
		}
		if size += len(f.list); size > most {
			return nil, ErrTooBroad
		}
		found = append(found, f)
	}
	return found, nil
}

// evidence is what proves what was looked up: the term itself, or that its neighbours have no place between them.
func (x *Index) evidence(f lookedUp) (terms []shownTerm) {
	if f.there {
		return []shownTerm{{f.place, true}}
	}
	for _, place := range []int{f.place - 1, f.place} {
		if 0 <= place && place < x.terms {
			terms = append(terms, shownTerm{place, false})
		}
	}
	return terms
}

// tally adds scores up.
type tally struct {
	scores []uint16 // of all documents
	found  []uint32 // those that have one
}

// add takes in a term's impacts, and says how many documents have it. It is where a query spends its time: nothing is called, nothing
// is sliced.
func (t *tally) add(list string) (df int, err error) {
	scores, found, next := t.scores, t.found, uint(0)
	for i := 0; i < len(list); df++ {
		v, shift := uint(0), 0
		for more := true; more; shift += 7 {
			if i == len(list) || shift > 28 {
				return 0, ErrCorrupt
			}
			b := uint(list[i])
			v |= b & 0x7f << shift
			more = b >= 0x80
			i++
		}
		next += v >> impactBits
		share := uint16(v & maxImpact)
		if next >= uint(len(scores)) || share == 0 {
			return 0, ErrCorrupt
		}
		if scores[next] == 0 {
			found = append(found, uint32(next))
		}
		scores[next] += share
		next++
	}
	t.found = found
	return df, nil
}

// A posting is the documents skipped since the last, shifted by impactBits, and the impact.
const (
	impactBits = 11
	maxImpact  = 1<<impactBits - 1
)

// A score has room for the impacts of all terms of a query.
const _ uint16 = MaxTerms * maxImpact

// rank orders hits: a higher rank is a higher score or, where scores are equal, a lower document number.
type rank uint64

func newRank(score, document uint32) rank { return rank(score)<<32 | rank(^document) }

func (r rank) score() uint32    { return uint32(r >> 32) }
func (r rank) document() uint32 { return ^uint32(r) }

// top is the k highest ranks, best first.
func (t *tally) top(k int) (best []rank) {
	for _, document := range t.found {
		r := newRank(uint32(t.scores[document]), document)
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
	return best
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
