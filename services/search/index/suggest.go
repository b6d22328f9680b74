package index

import (
	"fmt"
	"sort"
	"strings"
)

// MaxPrefix is the longest prefix, in bytes.
const MaxPrefix = maxTerm

// Suggest lists the first k terms of the dictionary, in its order, that begin with the prefix, folded as words of texts are. It
// fails with [ErrPrefix] where that is not one word of at most [MaxPrefix] bytes, and with [ErrCorrupt].
func (x *Index) Suggest(prefix string, k int) ([]Term, error) {
	terms, _, err := x.suggest(prefix, k)
	return terms, err
}

// ProveSuggest is [Index.Suggest], and the proof of its answer: that these terms stand side by side in the dictionary, and that
// no other one of the prefix stands before them or, where there are less than k, behind.
func (x *Index) ProveSuggest(prefix string, k int) ([]Term, []byte, error) {
	terms, from, err := x.suggest(prefix, k)
	if err != nil {
		return nil, nil, err
	}
	to := from + len(terms)
	if len(terms) < k {
		to++
	}
	var s shown
	for place := max(from-1, 0); place < min(to, x.terms); place++ {
		s.terms = append(s.terms, shownTerm{place: place})
	}
	proof, err := x.prove(s)
	return terms, proof, err
}

// suggest is the terms, and where the first of them stands or would stand.
func (x *Index) suggest(prefix string, k int) (terms []Term, from int, err error) {
	if len(prefix) > MaxPrefix {
		return nil, 0, ErrPrefix
	}
	count, folded := 0, ""
	for word := range words(prefix) {
		folded = word
		count++
	}
	if count != 1 {
		return nil, 0, ErrPrefix
	}
	if from, _, err = x.place(folded); err != nil {
		return nil, 0, err
	}
	terms = []Term{}
	for place := from; place < x.terms && len(terms) < k; place++ {
		term, _, ok := x.term(place)
		if !ok {
			return nil, 0, fmt.Errorf("read term %d: %w", place, ErrCorrupt)
		}
		if !strings.HasPrefix(term, folded) {
			break
		}
		terms = append(terms, Term{term, int(number(x.frequencies, place))})
	}
	return terms, from, nil
}

// place is where a term stands in the dictionary or would stand.
func (x *Index) place(term string) (i int, found bool, err error) {
	i, found = sort.Find(x.terms, func(i int) int {
		t, ok := run(x.termEnds, x.dictionary, i)
		if !ok {
			err = fmt.Errorf("read term %d: %w", i, ErrCorrupt)
		}
		return strings.Compare(term, t)
	})
	return i, found, err
}
