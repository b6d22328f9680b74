// Package index is full text search in one immutable file: built once, then searched where it lies, byte for byte the same
// answers on every machine. It is the collection that the search service is asked about.
//
// A file is read in place. There is nothing to parse or to fill when a program starts, because a host may start a fresh
// WebAssembly instance for every request. All numbers in tables are 32-bit, little-endian:
//
//	magic       8 bytes, the last of which is the version
//	counts      documents, terms, then the sizes in bytes of names, dictionary, postings and store
//	term ends   one for each term: where it ends in the dictionary
//	list ends   one for each term: where its postings end
//	record ends one for each document: where its record ends in the store
//	by id       document numbers in the order of the ids
//	names       name, corpus and licence of the collection, each with its length before it
//	dictionary  the terms, sorted, one after the other
//	postings    for each term pairs of numbers: documents skipped since the last, impact
//	store       for each document the lengths of id and title, id, title, text
//
// Lengths, pairs and impacts are unsigned varints. Documents are numbered from 0 in the order they were given in. The
// postings of a term, and the record of a document, are one run of bytes each, so that a later version can hash them into
// trees and prove its answers.
package index

import (
	"errors"
	"fmt"
	"sort"
	"strings"
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
	ErrTooBroad = fmt.Errorf("terms are too common: their postings have more than %d bytes", MaxPostings)
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
	magic  = "barnidx\x01"
	header = len(magic) + 6*4
)

// Index is an open index. It holds nothing but views into the file and is safe for concurrent use.
type Index struct {
	documents, terms                     int
	termEnds, listEnds, recordEnds, byID string // tables
	names, dictionary, lists, store      string
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
	rest := file[header:]
	for _, part := range []struct {
		into *string
		size int
	}{
		{&x.termEnds, 4 * x.terms}, {&x.listEnds, 4 * x.terms}, {&x.recordEnds, 4 * x.documents}, {&x.byID, 4 * x.documents},
		{&x.names, count[2]}, {&x.dictionary, count[3]}, {&x.lists, count[4]}, {&x.store, count[5]},
	} {
		if part.size > len(rest) {
			return nil, fmt.Errorf("open index: cut short: %w", ErrCorrupt)
		}
		*part.into, rest = rest[:part.size], rest[part.size:]
	}
	if rest != "" {
		return nil, fmt.Errorf("open index: %d bytes too many: %w", len(rest), ErrCorrupt)
	}
	return x, nil
}

// Documents is how many documents the collection has.
func (x *Index) Documents() int { return x.documents }

// Terms is how many different terms the collection has.
func (x *Index) Terms() int { return x.terms }

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

// Document is the document of that id. It fails with [ErrUnknown], and with [ErrCorrupt].
func (x *Index) Document(id string) (Document, error) {
	var broken error
	i, found := sort.Find(x.documents, func(i int) int {
		d, err := x.record(number(x.byID, i))
		if err != nil {
			broken = err
		}
		return strings.Compare(id, d.ID)
	})
	switch {
	case broken != nil:
		return Document{}, broken
	case !found:
		return Document{}, ErrUnknown
	}
	return x.record(number(x.byID, i))
}

// record is the document of that number.
func (x *Index) record(n uint32) (Document, error) {
	if uint64(n) >= uint64(x.documents) {
		return Document{}, fmt.Errorf("read document %d of %d: %w", n, x.documents, ErrCorrupt)
	}
	rest, ok := run(x.recordEnds, x.store, int(n))
	idSize, i := uvarint(rest)
	titleSize, t := uvarint(rest[i:])
	rest = rest[i+t:]
	if !ok || i == 0 || t == 0 || uint64(idSize)+uint64(titleSize) > uint64(len(rest)) {
		return Document{}, fmt.Errorf("read document %d: %w", n, ErrCorrupt)
	}
	end := idSize + titleSize
	return Document{ID: rest[:idSize], Title: rest[idSize:end], Text: rest[end:]}, nil
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
