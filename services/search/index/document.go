package index

import (
	"fmt"
	"sort"
	"strings"
)

// Document is the document of that id. It fails with [ErrUnknown], and with [ErrCorrupt].
func (x *Index) Document(id string) (Document, error) {
	n, err := x.find(id)
	if err != nil {
		return Document{}, err
	}
	return x.record(n)
}

// ProveDocument is [Index.Document], and the proof of its answer.
func (x *Index) ProveDocument(id string) (Document, []byte, error) {
	n, err := x.find(id)
	if err != nil {
		return Document{}, nil, err
	}
	d, err := x.record(n)
	if err != nil {
		return Document{}, nil, err
	}
	proof, err := x.prove(shown{documents: []uint32{n}, withText: true})
	return d, proof, err
}

// find is the number of the document of that id.
func (x *Index) find(id string) (uint32, error) {
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
		return 0, broken
	case !found:
		return 0, ErrUnknown
	}
	return number(x.byID, i), nil
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
