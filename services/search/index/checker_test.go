package index

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"barnraise/service/merkle"
)

// checker reads a proof with nothing but the root, as the package comment and that of prove describe it. It is written for the
// reader: what a caller believes is what it returns.
type checker struct {
	rest             string
	documents, terms int
	shown            []shownLeaf
	numbers          []int // of the documents, in the order of the answer
}

type shownLeaf struct {
	place, df int
	term      string
	whole     bool
	postings  map[int]uint32 // document → impact
}

func (c *checker) take(n int) string {
	if n < 0 || n > len(c.rest) {
		panic("the proof is cut short")
	}
	taken := c.rest[:n]
	c.rest = c.rest[n:]
	return taken
}

func (c *checker) number() int {
	v, n := binary.Uvarint([]byte(c.rest))
	if n <= 0 || n > 1 && c.rest[n-1] == 0 || v > 1<<32 {
		panic("no number of least length")
	}
	c.take(n)
	return int(v)
}

// check says what is wrong with a proof. Ids and titles are those of the documents in the answer; texts is not nil where the
// proof is to show those too.
func check(root string, proof []byte, names [][2]string, texts []string) (c *checker, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	c = &checker{rest: string(proof)}
	about := c.take(merkle.Size)
	c.documents, c.terms = c.number(), c.number()
	terms := c.readTerms()
	for range names {
		c.numbers = append(c.numbers, c.number())
	}
	var nameHashes, textHashes []merkle.Hash
	order := slices.Sorted(slices.Values(c.numbers))
	for _, n := range order {
		i := slices.Index(c.numbers, n)
		nameHashes = append(nameHashes, merkle.Leaf(size(names[i][0])+names[i][0]+size(names[i][1])+names[i][1]))
		if texts != nil {
			textHashes = append(textHashes, merkle.Leaf(texts[i]))
		}
	}
	nameRoot := c.tree(c.documents, order, nameHashes)
	if texts == nil {
		order = nil
	}
	textRoot := c.tree(c.documents, order, textHashes)
	if c.rest != "" {
		panic("bytes behind the proof")
	}
	counts := fmt.Sprintf("%08x%08x", c.documents, c.terms)
	plain, err := hex.DecodeString(counts)
	if err != nil {
		return nil, err
	}
	if got := merkle.Leaf("barnraise search 2" + about + string(plain) + terms + nameRoot + textRoot); hex.EncodeToString(got[:]) != root {
		return nil, fmt.Errorf("the proof is for root %x, not %s", got, root)
	}
	return c, nil
}

func size(s string) string { return string(binary.AppendUvarint(nil, uint64(len(s)))) }

// readTerms reads the terms that are shown and returns the root of their tree.
func (c *checker) readTerms() string {
	place := -1
	var places []int
	var hashes []merkle.Hash
	for range c.number() {
		place += 1 + c.number()
		l := shownLeaf{place: place, term: c.take(c.number()), df: c.number(), postings: map[int]uint32{}}
		var list string
		if kind := c.take(1); kind == "\x01" {
			l.whole = true
			postings := c.take(c.number())
			l.read(postings)
			h := merkle.Leaf(postings)
			list = string(h[:])
		} else if kind == "\x00" {
			list = c.take(merkle.Size)
		} else {
			panic("of no kind")
		}
		df := string(binary.AppendUvarint(nil, uint64(l.df)))
		places, hashes = append(places, place), append(hashes, merkle.Leaf(size(l.term)+l.term+df+list))
		c.shown = append(c.shown, l)
	}
	return c.tree(c.terms, places, hashes)
}

func (l *shownLeaf) read(postings string) {
	inner := checker{rest: postings}
	for document := -1; inner.rest != ""; {
		v := inner.number()
		document += 1 + v>>11
		if v&2047 == 0 {
			panic("no impact")
		}
		l.postings[document] = uint32(v & 2047)
	}
	if len(l.postings) != l.df {
		panic("another frequency")
	}
}

func (c *checker) tree(n int, places []int, hashes []merkle.Hash) string {
	root, rest, err := merkle.RootOf(n, places, hashes, c.rest)
	if err != nil {
		panic(err)
	}
	c.rest = rest
	return string(root[:])
}

// df is what the proof says of a term: how many documents have it.
func (c *checker) df(term string) int {
	if len(c.shown) == 0 && c.terms == 0 {
		return 0
	}
	i, found := slices.BinarySearchFunc(c.shown, term, func(l shownLeaf, t string) int { return strings.Compare(l.term, t) })
	switch {
	case found && c.shown[i].whole:
		return c.shown[i].df
	case found:
		panic("the postings of " + term + " are missing")
	case i == 0 && c.shown[0].place == 0, i == len(c.shown) && c.shown[i-1].place == c.terms-1,
		i > 0 && i < len(c.shown) && c.shown[i-1].place+1 == c.shown[i].place:
		return 0
	}
	panic("nothing says that there is no " + term)
}

// search is the only answer that the proof allows, without ids and titles.
func (c *checker) search(query string, k int) (r Result) {
	r = Result{Terms: []Term{}, Hits: []Hit{}}
	scores := map[int]uint32{}
	for term := range Terms(query) {
		if slices.ContainsFunc(r.Terms, func(t Term) bool { return t.Term == term }) {
			continue
		}
		r.Terms = append(r.Terms, Term{term, c.df(term)})
		for _, l := range c.shown {
			if l.term == term {
				for document, impact := range l.postings {
					scores[document] += impact
				}
			}
		}
	}
	r.Total = len(scores)
	var found []int
	for document := range scores {
		found = append(found, document)
	}
	slices.Sort(found)
	slices.SortStableFunc(found, func(a, b int) int { return int(scores[b]) - int(scores[a]) })
	found = found[:min(k, len(found))]
	if !slices.Equal(found, c.numbers) {
		panic(fmt.Sprintf("hits are %v, want %v", c.numbers, found))
	}
	for _, document := range found {
		r.Hits = append(r.Hits, Hit{Score: scores[document]})
	}
	return r
}

// checkSearch holds an answer to its proof.
func checkSearch(root, query string, k int, r Result, proof []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	var names [][2]string
	for _, h := range r.Hits {
		names = append(names, [2]string{h.Doc, h.Title})
	}
	c, err := check(root, proof, names, nil)
	if err != nil {
		return err
	}
	want := c.search(query, k)
	for i := range want.Hits {
		want.Hits[i].Doc, want.Hits[i].Title = r.Hits[i].Doc, r.Hits[i].Title
	}
	if !reflect.DeepEqual(r, want) {
		return fmt.Errorf("the proof says %v", want)
	}
	return nil
}

// checkSuggest holds suggestions to their proof.
func checkSuggest(root, prefix string, k int, terms []Term, proof []byte) (err error) {
	c, err := check(root, proof, nil, nil)
	if err != nil {
		return err
	}
	var between []Term
	before, behind := c.terms == 0, c.terms == 0
	for i, l := range c.shown {
		if i > 0 && l.place != c.shown[i-1].place+1 {
			return fmt.Errorf("a term is left out")
		}
		if strings.HasPrefix(l.term, prefix) {
			between = append(between, Term{l.term, l.df})
		}
		before = before || l.place == 0 || l.term < prefix
		behind = behind || l.place == c.terms-1 || l.term > prefix && !strings.HasPrefix(l.term, prefix)
	}
	if !before || !behind && len(between) < k || !slices.Equal(between, terms) {
		return fmt.Errorf("the proof shows %v", between)
	}
	return nil
}
