package index

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"barnraise/service/merkle"
)

// shown is what a proof shows of the collection.
type shown struct {
	terms     []shownTerm
	documents []uint32 // their names, in the order of the answer
	withText  bool     // that of the documents too
}

// shownTerm is a leaf of the tree of terms, with its postings or with their hash.
type shownTerm struct {
	place int
	whole bool
}

// prove writes the proof of an answer:
//
//	about       its hash
//	counts      u(documents) u(terms)
//	terms       u(how many are shown), for each in their order: u(skipped since the last) s(term) u(frequency), then a byte 1 and
//	            s(postings), or a byte 0 and their hash
//	            the proof of the tree of terms
//	names       u(number) for each document of the answer, in its order
//	            the proof of the tree of names
//	            the proof of the tree of texts
//
// Proofs of trees are those of package merkle. Id, title and text stand in the answer.
func (x *Index) prove(s shown) ([]byte, error) {
	out := []byte(x.about)
	out = binary.AppendUvarint(out, uint64(x.documents))
	out = binary.AppendUvarint(out, uint64(x.terms))
	out, err := x.proveTerms(out, s.terms)
	if err != nil {
		return nil, err
	}
	numbers := make([]int, len(s.documents))
	for i, n := range s.documents {
		out = binary.AppendUvarint(out, uint64(n))
		numbers[i] = int(n)
	}
	slices.Sort(numbers)
	if out, err = x.proveNames(out, numbers); err != nil {
		return nil, err
	}
	if !s.withText {
		return append(out, x.textRoot...), nil
	}
	texts := merkle.Tree{Leaves: x.documents, Kept: x.textNodes, Leaf: func(i int) merkle.Hash { return hash(x.textHashes, i) }}
	return texts.Prove(out, numbers), nil
}

// order is that in which terms are shown; of two entries for one term, the whole one comes first.
func (t shownTerm) order() int {
	if t.whole {
		return 2 * t.place
	}
	return 2*t.place + 1
}

func (x *Index) proveTerms(out []byte, terms []shownTerm) ([]byte, error) {
	slices.SortFunc(terms, func(a, b shownTerm) int { return cmp.Compare(a.order(), b.order()) })
	terms = slices.CompactFunc(terms, func(a, b shownTerm) bool { return a.place == b.place })
	out = binary.AppendUvarint(out, uint64(len(terms)))
	places := make([]int, 0, len(terms))
	next := 0
	for _, t := range terms {
		term, list, ok := x.term(t.place)
		if !ok {
			return nil, fmt.Errorf("read term %d: %w", t.place, ErrCorrupt)
		}
		out = appendString(binary.AppendUvarint(out, uint64(t.place-next)), term)
		out = binary.AppendUvarint(out, uint64(number(x.frequencies, t.place)))
		if t.whole {
			out = appendString(append(out, 1), list)
		} else {
			out = append(append(out, 0), at(x.listHashes, t.place)...)
		}
		places, next = append(places, t.place), t.place+1
	}
	return x.provePlaces(out, places)
}

// provePlaces is the proof of the tree of terms.
func (x *Index) provePlaces(out []byte, places []int) ([]byte, error) {
	if len(places) == 0 {
		return append(out, x.termRoot...), nil
	}
	intact := true
	tree := merkle.Tree{Leaves: x.terms, Kept: x.termNodes, Leaf: func(i int) merkle.Hash {
		term, _, ok := x.term(i)
		intact = intact && ok
		return termLeaf(term, number(x.frequencies, i), at(x.listHashes, i))
	}}
	if out = tree.Prove(out, places); !intact {
		return nil, fmt.Errorf("read terms: %w", ErrCorrupt)
	}
	return out, nil
}

func (x *Index) proveNames(out []byte, numbers []int) (_ []byte, err error) {
	if len(numbers) == 0 {
		return append(out, x.nameRoot...), nil
	}
	tree := merkle.Tree{Leaves: x.documents, Kept: x.nameNodes, Leaf: func(i int) merkle.Hash {
		d, broken := x.record(uint32(i))
		if broken != nil {
			err = broken
		}
		return nameLeaf(d.ID, d.Title)
	}}
	out = tree.Prove(out, numbers)
	return out, err
}

// term is a term of the dictionary and its postings.
func (x *Index) term(place int) (term, list string, ok bool) {
	term, ok = run(x.termEnds, x.dictionary, place)
	list, listed := run(x.listEnds, x.lists, place)
	return term, list, ok && listed
}

func termLeaf(term string, frequency uint32, list string) merkle.Hash {
	return merkle.Leaf(prefixed(term), varint(uint64(frequency)), list)
}

func nameLeaf(id, title string) merkle.Hash { return merkle.Leaf(prefixed(id), prefixed(title)) }

// aboutLeaf is the hash of what the collection is, and of how it is searched.
func aboutLeaf(a About) merkle.Hash {
	return merkle.Leaf(prefixed(Analyzer), prefixed(Scoring), prefixed(a.Name), prefixed(a.Corpus), prefixed(a.Licence))
}

func rootLeaf(about merkle.Hash, documents, terms int, trees ...merkle.Hash) merkle.Hash {
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(documents)), uint32(terms))
	parts := []string{rootLabel, string(about[:]), string(head)}
	for _, t := range trees {
		parts = append(parts, string(t[:]))
	}
	return merkle.Leaf(parts...)
}

// at is entry i of a table of hashes.
func at(table string, i int) string { return table[i*merkle.Size : (i+1)*merkle.Size] }

func hash(table string, i int) (h merkle.Hash) {
	copy(h[:], at(table, i))
	return h
}

func varint(n uint64) string { return string(binary.AppendUvarint(nil, n)) }

// prefixed is a string with its length before it.
func prefixed(s string) string { return string(appendString(nil, s)) }

func appendString(out []byte, s string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(s))), s...)
}
