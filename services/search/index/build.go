package index

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"barnraise/service/merkle"
)

// Build makes the index of a collection. The documents keep their order: it numbers them, and decides between equal scores.
// The same collection gives the same bytes on every machine. It fails on ids that are empty or given twice, on text that is
// not UTF-8, and on a collection beyond the limits, naming the document.
func Build(about About, documents []Document) ([]byte, error) {
	if len(documents) > MaxDocuments {
		return nil, fmt.Errorf("build index: %d documents, at most %d", len(documents), MaxDocuments)
	}
	for _, name := range []string{about.Name, about.Corpus, about.Licence} {
		if len(name) > maxName || !utf8.ValidString(name) {
			return nil, fmt.Errorf("build index: description %.40q: want UTF-8 of at most %d bytes", name, maxName)
		}
	}
	b := builder{occurrences: map[string][]occurrence{}, stems: map[string]string{}}
	size := 0
	for i, d := range documents {
		if err := checkDocument(d); err != nil {
			return nil, fmt.Errorf("build index: document %d, %.80q: %w", i+1, d.ID, err)
		}
		if size += len(d.ID) + len(d.Title) + len(d.Text); size > MaxSize {
			return nil, fmt.Errorf("build index: document %d, %.80q: the collection has more than %d bytes", i+1, d.ID, MaxSize)
		}
		b.add(d)
	}
	byID, err := orderByID(documents)
	if err != nil {
		return nil, fmt.Errorf("build index: %w", err)
	}
	file := b.file(about, documents, byID)
	if len(file) > MaxSize {
		return nil, fmt.Errorf("build index: %d bytes, at most %d", len(file), MaxSize)
	}
	return file, nil
}

func checkDocument(d Document) error {
	for _, part := range []struct {
		name, s string
		most    int
	}{{"id", d.ID, MaxID}, {"title", d.Title, MaxTitle}, {"text", d.Text, MaxText}} {
		if len(part.s) > part.most {
			return fmt.Errorf("%s has %d bytes, at most %d", part.name, len(part.s), part.most)
		}
		if !utf8.ValidString(part.s) {
			return fmt.Errorf("%s is not UTF-8", part.name)
		}
	}
	if d.ID == "" {
		return fmt.Errorf("id is empty")
	}
	return nil
}

// orderByID is the documents' numbers in the order of their ids.
func orderByID(documents []Document) ([]uint32, error) {
	order := make([]uint32, len(documents))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return strings.Compare(documents[a].ID, documents[b].ID) })
	for i := 1; i < len(order); i++ {
		if a, b := order[i-1], order[i]; documents[a].ID == documents[b].ID {
			return nil, fmt.Errorf("documents %d and %d have the same id, %.80q", min(a, b)+1, max(a, b)+1, documents[a].ID)
		}
	}
	return order, nil
}

// builder collects where each term occurs.
type builder struct {
	occurrences map[string][]occurrence
	lengths     []uint64 // terms in each document
	tokens      uint64   // terms in all
	stems       map[string]string
}

// occurrence says how often a document has a term.
type occurrence struct{ document, tf uint32 }

// add takes a document in: its title and its text are one bag of terms.
func (b *builder) add(d Document) {
	document := uint32(len(b.lengths))
	length := uint64(0)
	for _, part := range []string{d.Title, d.Text} {
		for word := range words(part) {
			term, known := b.stems[word]
			if !known {
				term = stem(word)
				b.stems[word] = term
			}
			if term == "" {
				continue
			}
			length++
			list := b.occurrences[term]
			if n := len(list); n == 0 || list[n-1].document != document {
				list = append(list, occurrence{document, 0})
			}
			list[len(list)-1].tf++
			b.occurrences[term] = list
		}
	}
	b.lengths = append(b.lengths, length)
	b.tokens += length
}

// postings is a term's list, as it stands in the file.
func (b *builder) postings(list []occurrence) (out []byte) {
	documents := uint64(len(b.lengths))
	idf := idf(documents, uint64(len(list)))
	next := uint32(0)
	for _, o := range list {
		share := impact(idf, uint64(o.tf), b.lengths[o.document], documents, b.tokens)
		out = binary.AppendUvarint(out, uint64(o.document-next)<<impactBits|uint64(share))
		next = o.document + 1
	}
	return out
}

// file writes the index, in the layout that the package comment gives.
func (b *builder) file(about About, documents []Document, byID []uint32) []byte {
	var terms, lists, records table
	var frequencies []uint32
	h := forest{about: aboutLeaf(about)}
	for _, term := range slices.Sorted(maps.Keys(b.occurrences)) {
		list := b.postings(b.occurrences[term])
		terms.append([]byte(term))
		lists.append(list)
		frequencies = append(frequencies, uint32(len(b.occurrences[term])))
		h.addTerm(term, frequencies[len(frequencies)-1], list)
	}
	for _, d := range documents {
		lengths := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(len(d.ID))), uint64(len(d.Title)))
		records.append(lengths, []byte(d.ID), []byte(d.Title), []byte(d.Text))
		h.addDocument(d)
	}
	names := []byte(prefixed(about.Name) + prefixed(about.Corpus) + prefixed(about.Licence))
	out := []byte(magic)
	for _, n := range []int{len(documents), len(frequencies), len(names), len(terms.bytes), len(lists.bytes), len(records.bytes)} {
		out = binary.LittleEndian.AppendUint32(out, uint32(n))
	}
	out = append(out, h.roots()...)
	for _, numbers := range [][]uint32{terms.ends, lists.ends, records.ends, byID, frequencies} {
		for _, n := range numbers {
			out = binary.LittleEndian.AppendUint32(out, n)
		}
	}
	return slices.Concat(out, h.kept(), names, terms.bytes, lists.bytes, records.bytes)
}

// forest is the hashes of an index that is being built.
type forest struct {
	about                      merkle.Hash
	lists, terms, names, texts []merkle.Hash
}

func (f *forest) addTerm(term string, frequency uint32, list []byte) {
	p := merkle.Leaf(string(list))
	f.lists = append(f.lists, p)
	f.terms = append(f.terms, termLeaf(term, frequency, string(p[:])))
}

func (f *forest) addDocument(d Document) {
	f.names = append(f.names, nameLeaf(d.ID, d.Title))
	f.texts = append(f.texts, merkle.Leaf(d.Text))
}

// roots are the hashes that stand first in the file.
func (f *forest) roots() (out []byte) {
	trees := make([]merkle.Hash, 3)
	for i, leaves := range [][]merkle.Hash{f.terms, f.names, f.texts} {
		trees[i] = merkle.Tree{
			Leaves: len(leaves), Leaf: func(i int) merkle.Hash { return leaves[i] }, Kept: string(merkle.Keep(leaves)),
		}.Root()
	}
	all := append([]merkle.Hash{f.about}, trees...)
	for _, h := range append(all, rootLeaf(f.about, len(f.names), len(f.terms), trees...)) {
		out = append(out, h[:]...)
	}
	return out
}

// kept are the hashes by which proofs are made.
func (f *forest) kept() (out []byte) {
	for _, hashes := range [][]merkle.Hash{f.lists, f.texts} {
		for _, h := range hashes {
			out = append(out, h[:]...)
		}
	}
	for _, leaves := range [][]merkle.Hash{f.terms, f.names, f.texts} {
		out = append(out, merkle.Keep(leaves)...)
	}
	return out
}

// table is runs of bytes, one after the other, and where each of them ends.
type table struct {
	ends  []uint32
	bytes []byte
}

func (t *table) append(run ...[]byte) {
	for _, part := range run {
		t.bytes = append(t.bytes, part...)
	}
	t.ends = append(t.ends, uint32(len(t.bytes)))
}
