// Package index is full text search in one immutable file: built once, then searched where it lies, byte for byte the same
// answers on every machine. It is the collection that the search service is asked about.
//
// A file is read in place. There is nothing to parse or to fill when a program starts, because a host may start a fresh
// WebAssembly instance for every request. All numbers in tables are 32-bit, little-endian:
//
//	magic       8 bytes, the last of which is the version
//	counts      documents, terms, then the sizes in bytes of names, dictionary, postings and store
//	hashes      of what the collection is, the roots of the three trees, the root of all
//	term ends   one for each term: where it ends in the dictionary
//	list ends   one for each term: where its postings end
//	record ends one for each document: where its record ends in the store
//	by id       document numbers in the order of the ids
//	frequencies one for each term: how many documents have it
//	list hashes one for each term: that of its postings
//	text hashes one for each document: that of its text
//	nodes       what package merkle keeps of the tree of terms, of that of names and of that of texts
//	names       name, corpus and licence of the collection, each with its length before it
//	dictionary  the terms, sorted, one after the other
//	postings    for each term, and each document that has it: documents skipped since the last << 11 | impact
//	store       for each document the lengths of id and title, id, title, text
//
// Lengths and postings are unsigned varints of least length, below u(x); s(x) is x with its length in bytes before it. Documents
// are numbered from 0 in the order they were given in.
//
// # What the root stands for
//
// The root names the collection: whoever knows its 20 bytes can check an answer without the collection ([Index.ProveSearch]). Hashes
// and trees are those of package merkle:
//
//	leaf of a term      s(term) u(frequency) and the hash of its postings, a leaf too; in the dictionary's order
//	leaf of a name      s(id) s(title); by the document's number
//	leaf of a text      the text; by the document's number
//	about               a leaf: s(analyzer) s(scoring) s(name) s(corpus) s(licence)
//	root                a leaf: "barnraise search 2", about, documents and terms as 32-bit numbers, big-endian, then the roots
//	                    of the trees of terms, names and texts
//
// The file keeps these hashes as it was built with them. If it says others than its texts have, its proofs are none; nobody is led
// to believe a wrong answer by it.
package index

import (
	"encoding/hex"
	"errors"
	"fmt"

	"barnraise/service/merkle"
)

// Limits of a collection. [Build] refuses what is beyond them.
const (
	MaxSize      = 1 << 30 // of an index, in bytes
	MaxDocuments = 1 << 20
	MaxID        = 256     // bytes
	MaxTitle     = 1 << 10 // bytes
	MaxText      = 1 << 20 // bytes
	maxName      = 1 << 10 // bytes of each member of About
)

// Errors to branch on.
var (
	ErrCorrupt  = errors.New("index is corrupt")
	ErrUnknown  = errors.New("no document has this id")
	ErrTerms    = fmt.Errorf("more than %d different terms", MaxTerms)
	ErrTooBroad = errors.New("terms are too common: their postings have too many bytes")
	ErrPrefix   = errors.New("a prefix is one word")
)

// About says what a collection is. It is for people, and part of the index.
type About struct {
	Name    string // of the collection
	Corpus  string // where the texts come from, with their version
	Licence string // of the texts
}

// Document is one text of a collection. Its id is the collection's own and unique within it.
type Document struct {
	ID    string `json:"doc"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

const (
	magic     = "barnidx\x02"
	hashes    = len(magic) + 6*4
	header    = hashes + 5*merkle.Size
	rootLabel = "barnraise search 2"
)

// Index is an open index. It holds nothing but views into the file and is safe for concurrent use.
type Index struct {
	documents, terms                                  int
	about, termRoot, nameRoot, textRoot, root         string // hashes
	termEnds, listEnds, recordEnds, byID, frequencies string // tables of numbers
	listHashes, textHashes                            string // tables of hashes
	termNodes, nameNodes, textNodes                   string
	names, dictionary, lists, store                   string
}

// Open checks that the file is an index of this version and that its parts fill it exactly; it does not read them, and so
// takes no longer for a large one. It fails with [ErrCorrupt]. What is wrong within the parts is found where it is read, by
// the same error.
func Open(file string) (*Index, error) {
	if len(file) < header || len(file) > MaxSize || file[:len(magic)] != magic {
		return nil, fmt.Errorf("open index: no index of version %d: %w", magic[len(magic)-1], ErrCorrupt)
	}
	var count [6]int
	for i := range count {
		n := number(file[len(magic):], i)
		if n > MaxSize/8 && i < 2 || n > MaxSize {
			return nil, fmt.Errorf("open index: count %d is %d: %w", i, n, ErrCorrupt)
		}
		count[i] = int(n)
	}
	x := &Index{documents: count[0], terms: count[1]}
	rest := file[hashes:]
	for _, p := range x.parts(count[2:]) {
		if p.size > len(rest) {
			return nil, fmt.Errorf("open index: cut short: %w", ErrCorrupt)
		}
		*p.into, rest = rest[:p.size], rest[p.size:]
	}
	if rest != "" {
		return nil, fmt.Errorf("open index: %d bytes too many: %w", len(rest), ErrCorrupt)
	}
	return x, nil
}

// part is a run of bytes in a file.
type part struct {
	into *string
	size int
}

// parts are those of a file after its counts, in their order. Sizes are those that the counts say.
func (x *Index) parts(sizes []int) []part {
	d, t := x.documents, x.terms
	return []part{
		{&x.about, merkle.Size}, {&x.termRoot, merkle.Size}, {&x.nameRoot, merkle.Size}, {&x.textRoot, merkle.Size}, {&x.root, merkle.Size},
		{&x.termEnds, 4 * t}, {&x.listEnds, 4 * t}, {&x.recordEnds, 4 * d}, {&x.byID, 4 * d}, {&x.frequencies, 4 * t},
		{&x.listHashes, merkle.Size * t}, {&x.textHashes, merkle.Size * d},
		{&x.termNodes, merkle.KeptSize(t)}, {&x.nameNodes, merkle.KeptSize(d)}, {&x.textNodes, merkle.KeptSize(d)},
		{&x.names, sizes[0]}, {&x.dictionary, sizes[1]}, {&x.lists, sizes[2]}, {&x.store, sizes[3]},
	}
}

// Documents is how many documents the collection has.
func (x *Index) Documents() int { return x.documents }

// Terms is how many different terms the collection has.
func (x *Index) Terms() int { return x.terms }

// Postings is how many bytes the postings of all terms have.
func (x *Index) Postings() int { return len(x.lists) }

// Root is what names the collection, see the package comment: 40 hexadecimal digits.
func (x *Index) Root() string { return hex.EncodeToString([]byte(x.root)) }

// Hashes are those that the root is made of.
type Hashes struct {
	About, Terms, Names, Texts string // 40 hexadecimal digits each
}

// Hashes are those that the root is made of, together with the numbers of documents and terms.
func (x *Index) Hashes() Hashes {
	digits := func(h string) string { return hex.EncodeToString([]byte(h)) }
	return Hashes{digits(x.about), digits(x.termRoot), digits(x.nameRoot), digits(x.textRoot)}
}

// About says what the collection is. It fails with [ErrCorrupt].
func (x *Index) About() (a About, err error) {
	rest := x.names
	for _, into := range []*string{&a.Name, &a.Corpus, &a.Licence} {
		size, n := uvarint(rest)
		if n == 0 || uint64(size) > uint64(len(rest)-n) {
			return About{}, fmt.Errorf("read names: %w", ErrCorrupt)
		}
		*into, rest = rest[n:n+int(size)], rest[n+int(size):]
	}
	return a, nil
}

// run is part i of the bytes that a table of ends divides.
func run(ends, bytes string, i int) (string, bool) {
	var from uint32
	if i > 0 {
		from = number(ends, i-1)
	}
	to := number(ends, i)
	if from > to || uint64(to) > uint64(len(bytes)) {
		return "", false
	}
	return bytes[from:to], true
}

// number is entry i of a table.
func number(table string, i int) uint32 {
	b := table[4*i : 4*i+4]
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

// uvarint reads a number below 2³² and says how many bytes it has, 0 where there is none.
func uvarint(s string) (v uint32, size int) {
	for i := 0; i < len(s) && i < 5; i++ {
		if i == 4 && s[i] > 0xf {
			return 0, 0
		}
		v |= uint32(s[i]&0x7f) << (7 * i)
		if s[i] < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}
