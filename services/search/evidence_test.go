package main

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"testing"

	"barnraise/service/merkle"
	"barnraise/services/search/index"
)

// evidence is a proof taken apart, to be changed and put together again.
type evidence struct {
	about            string
	documents, terms int
	leaves           []leaf
	numbers          []int // of the documents, in the order of the answer
	withText         bool
}

// leaf is a term that is shown, with its postings or with their hash.
type leaf struct {
	place, df int
	term      string
	whole     bool
	postings  []posting
	hash      merkle.Hash // of the postings, where they are not shown
}

type posting struct{ document, impact int }

// cursor reads a proof that is known to be one.
type cursor struct{ rest string }

func (c *cursor) take(n int) string {
	taken := c.rest[:n]
	c.rest = c.rest[n:]
	return taken
}

func (c *cursor) number() int {
	n, size := binary.Uvarint([]byte(c.rest))
	c.take(size)
	return int(n)
}

// readEvidence takes an honest proof apart. The proofs of the trees are left out: they are made anew.
func readEvidence(t testing.TB, proof []byte, documents int, withText bool) (e evidence) {
	t.Helper()
	c := &cursor{string(proof)}
	e = evidence{about: c.take(merkle.Size), documents: c.number(), terms: c.number(), withText: withText}
	var places []int
	for range c.number() {
		l := leaf{place: c.number()}
		if n := len(e.leaves); n > 0 {
			l.place += e.leaves[n-1].place + 1
		}
		l.term, l.df = c.take(c.number()), c.number()
		if l.whole = c.take(1) == "\x01"; l.whole {
			l.postings = readPostings(c.take(c.number()))
		} else {
			l.hash = merkle.Hash([]byte(c.take(merkle.Size)))
		}
		e.leaves, places = append(e.leaves, l), append(places, l.place)
	}
	_, rest, err := merkle.RootOf(e.terms, places, make([]merkle.Hash, len(places)), c.rest)
	if err != nil {
		t.Fatal(err)
	}
	c.rest = rest
	for range documents {
		e.numbers = append(e.numbers, c.number())
	}
	return e
}

func readPostings(list string) (postings []posting) {
	c := &cursor{list}
	for next := 0; c.rest != ""; {
		n := c.number()
		next += n>>11 + 1
		postings = append(postings, posting{next - 1, n & 0x7ff})
	}
	return postings
}

func (l leaf) list() (list []byte) {
	next := 0
	for _, p := range l.postings {
		list = binary.AppendUvarint(list, uint64(p.document-next)<<11|uint64(p.impact))
		next = p.document + 1
	}
	return list
}

// postingsHash is what stands for the postings in the leaf.
func (l leaf) postingsHash() merkle.Hash {
	if l.whole {
		return merkle.Leaf(string(l.list()))
	}
	return l.hash
}

func sized(s string) string { return string(binary.AppendUvarint(nil, uint64(len(s)))) + s }

// ledger is all that there is to prove of a collection. A liar has it too.
type ledger struct {
	leaves             []leaf // without postings
	terms, names, text merkle.Tree
}

func treeOf(hashes []merkle.Hash) merkle.Tree {
	return merkle.Tree{Leaves: len(hashes), Leaf: func(i int) merkle.Hash { return hashes[i] }, Kept: string(merkle.Keep(hashes))}
}

// newLedger asks the index for each of its terms, and hashes the documents.
func newLedger(t testing.TB, documents []index.Document) (l ledger) {
	t.Helper()
	x, err := index.Open(collection)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]leaf{}
	var terms, names, texts []merkle.Hash
	for _, d := range documents {
		names = append(names, merkle.Leaf(sized(d.ID), sized(d.Title)))
		texts = append(texts, merkle.Leaf(d.Text))
		for _, text := range []string{d.Title, d.Text} {
			for term := range index.Terms(text) {
				if _, known := found[term]; known || len(term) > index.MaxPrefix {
					continue
				}
				_, proof, err := x.ProveSuggest(term, 1)
				if err != nil {
					t.Fatal(err)
				}
				for _, shown := range readEvidence(t, proof, 0, false).leaves {
					found[shown.term] = shown
				}
			}
		}
	}
	for _, shown := range found {
		l.leaves = append(l.leaves, shown)
	}
	slices.SortFunc(l.leaves, func(a, b leaf) int { return cmp.Compare(a.place, b.place) })
	for _, shown := range l.leaves {
		terms = append(terms, merkle.Leaf(sized(shown.term), string(binary.AppendUvarint(nil, uint64(shown.df))), string(shown.hash[:])))
	}
	l.terms, l.names, l.text = treeOf(terms), treeOf(names), treeOf(texts)
	if len(terms) != x.Terms() || hex.EncodeToString(hash(l.terms.Root())) != x.Hashes().Terms {
		t.Fatalf("the ledger has %d of %d terms", len(terms), x.Terms())
	}
	return l
}

func hash(h merkle.Hash) []byte { return h[:] }

// bytes puts a proof together, with true proofs of the trees for what it claims to show, where there are any.
func (e evidence) bytes(l ledger) []byte {
	out := binary.AppendUvarint([]byte(e.about), uint64(e.documents))
	out = binary.AppendUvarint(out, uint64(e.terms))
	out = binary.AppendUvarint(out, uint64(len(e.leaves)))
	var places []int
	next := 0
	for _, shown := range e.leaves {
		out = binary.AppendUvarint(out, uint64(shown.place-next))
		out = append(out, sized(shown.term)...)
		out = binary.AppendUvarint(out, uint64(shown.df))
		if shown.whole {
			out = append(append(out, 1), sized(string(shown.list()))...)
		} else {
			out = append(append(out, 0), shown.hash[:]...)
		}
		places, next = append(places, shown.place), shown.place+1
	}
	out = prove(l.terms, out, places)
	for _, n := range e.numbers {
		out = binary.AppendUvarint(out, uint64(n))
	}
	numbers := slices.Sorted(slices.Values(e.numbers))
	out = prove(l.names, out, numbers)
	if !e.withText {
		numbers = nil
	}
	return prove(l.text, out, numbers)
}

// prove appends the proof of a tree, as far as such a choice can be made.
func prove(tree merkle.Tree, out []byte, chosen []int) []byte {
	chosen = slices.Compact(slices.Clone(chosen))
	return tree.Prove(out, slices.DeleteFunc(chosen, func(i int) bool { return i < 0 || i >= tree.Leaves }))
}

// byPlace is leaves in the order of the dictionary.
func byPlace(leaves []leaf) []leaf {
	return slices.SortedFunc(slices.Values(leaves), func(a, b leaf) int { return cmp.Compare(a.place, b.place) })
}
