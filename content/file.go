package content

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"barnraise"

	"github.com/ipfs/go-cid"
)

// A root lists at most maxLeaves chunks, in at most maxRoot bytes: 50 for a chunk and 20 for the rest.
const (
	maxLeaves = 1024
	maxRoot   = 50*maxLeaves + 20
)

// file is what the root of a file says: its chunks, which are raw blocks, and how long they are together. All but the last
// have MaxBlock bytes.
type file struct {
	size   int64
	leaves []barnraise.CID
}

// chunk is the length of the chunk with that index.
func (f file) chunk(i int) int64 { return min(MaxBlock, f.size-int64(i)*MaxBlock) }

// The fields of the messages in a root, as they stand on the wire: number and wire type. The one around is PBNode with its
// PBLink (the dag-pb specification), the one in its data is UnixFS (the UnixFS specification).
const (
	nodeData, nodeLink            = 1<<3 | 2, 2<<3 | 2
	linkHash, linkName, linkTsize = 1<<3 | 2, 2<<3 | 2, 3 << 3
	fileType, fileSize, fileBlock = 1 << 3, 3 << 3, 4 << 3
	typeFile                      = 2
)

// encode writes the root in the one form it has: links before data, each link with an empty name and the size of its chunk.
func (f file) encode() []byte {
	var node []byte
	data := binary.AppendUvarint([]byte{fileType, typeFile, fileSize}, uint64(f.size))
	for i, leaf := range f.leaves {
		size := uint64(f.chunk(i))
		link := appendBytes(nil, linkHash, binaryCID(leaf))
		link = appendBytes(link, linkName, nil)
		link = binary.AppendUvarint(append(link, linkTsize), size)
		node = appendBytes(node, nodeLink, link)
		data = binary.AppendUvarint(append(data, fileBlock), size)
	}
	return appendBytes(node, nodeData, data)
}

func appendBytes(to []byte, field byte, b []byte) []byte {
	to = binary.AppendUvarint(append(to, field), uint64(len(b)))
	return append(to, b...)
}

// binaryCID is the binary form of a sound CID.
func binaryCID(c barnraise.CID) []byte {
	id, err := parse(string(c))
	if err != nil {
		panic(err)
	}
	return id.Bytes()
}

// decodeFile reads a root. Whatever encode would not have written of a file fails with [ErrFile]: one file has one root.
func decodeFile(root []byte) (file, error) {
	f, ok := scanFile(root)
	if !ok || !f.possible() || !bytes.Equal(f.encode(), root) {
		return file{}, fmt.Errorf("read a root of %d bytes: %w", len(root), ErrFile)
	}
	return f, nil
}

// possible reports whether there can be such a file: more than one chunk, all but the last of MaxBlock bytes.
func (f file) possible() bool {
	n := len(f.leaves)
	if n < 2 || f.size <= int64(n-1)*MaxBlock || f.size > int64(n)*MaxBlock {
		return false
	}
	return f.chunk(n-1) == MaxBlock || !slices.Contains(f.leaves[:n-1], f.leaves[n-1]) // a block has one length
}

// scanFile takes from a root what encode needs to write it again.
func scanFile(root []byte) (f file, ok bool) {
	if len(root) > maxRoot {
		return f, false
	}
	for len(root) > 0 {
		tag, _, body, rest, ok := nextField(root)
		if !ok {
			return f, false
		}
		root = rest
		switch tag {
		case nodeLink:
			_, _, hash, _, _ := nextField(body)
			id, err := cid.Cast(hash)
			if err != nil || ours(id) != nil || id.Type() != cid.Raw || len(f.leaves) == maxLeaves {
				return f, false
			}
			f.leaves = append(f.leaves, barnraise.CID(id.String()))
		case nodeData:
			f.size = scanSize(body)
		default:
			return f, false
		}
	}
	return f, true
}

// scanSize is the file size that a UnixFS message names first.
func scanSize(data []byte) int64 {
	for len(data) > 0 {
		tag, value, _, rest, ok := nextField(data)
		if !ok {
			break
		}
		if tag == fileSize && value <= maxLeaves*MaxBlock {
			return int64(value)
		}
		data = rest
	}
	return 0
}

// nextField splits the first field off a protobuf message: the value of a number, the body of bytes. Others are not ok.
func nextField(b []byte) (tag, value uint64, body, rest []byte, ok bool) {
	tag, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, 0, nil, nil, false
	}
	value, m := binary.Uvarint(b[n:])
	if m <= 0 {
		return 0, 0, nil, nil, false
	}
	rest = b[n+m:]
	switch tag & 7 {
	case 0:
		return tag, value, nil, rest, true
	case 2:
		if value > uint64(len(rest)) {
			return 0, 0, nil, nil, false
		}
		return tag, 0, rest[:value], rest[value:], true
	}
	return 0, 0, nil, nil, false
}

// bounded is the file of a root that has at most limit bytes. It fails with [ErrTooLarge], and with [ErrFile].
func bounded(root []byte, limit int64) (file, error) {
	f, err := decodeFile(root)
	if err == nil && f.size > min(limit, MaxFile) {
		err = fmt.Errorf("a file of %d bytes, at most %d: %w", f.size, min(limit, MaxFile), ErrTooLarge)
	}
	return f, err
}

// Add keeps what r delivers, as one raw block or as a file, and returns its CID, which is that of [Sum], and its length once
// all of it is on disk. It fails with [ErrTooLarge] after limit bytes, or [MaxFile] where that is less; chunks that were
// written until then belong to nothing, and [Store.GC] removes them.
func (s *Store) Add(r io.Reader, limit int64) (barnraise.CID, int64, error) {
	limit = min(limit, MaxFile)
	r = io.LimitReader(r, limit+1)
	chunk := make([]byte, MaxBlock)
	var f file
	for {
		n, err := io.ReadFull(r, chunk)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return "", 0, fmt.Errorf("add content: %w", err)
		}
		if f.size += int64(n); f.size > limit {
			return "", 0, fmt.Errorf("add content: more than %d bytes: %w", limit, ErrTooLarge)
		}
		if n > 0 || len(f.leaves) == 0 {
			leaf, err := s.Put(chunk[:n])
			if err != nil {
				return "", 0, err
			}
			f.leaves = append(f.leaves, leaf)
		}
		if err != nil {
			break
		}
	}
	if len(f.leaves) == 1 {
		return f.leaves[0], f.size, nil
	}
	root := f.encode()
	c := sum(cid.DagProtobuf, root)
	return c, f.size, s.seal(c, root, f)
}

// seal keeps the root of a file whose chunks are kept, so that a root that is held stands for a whole file.
func (s *Store) seal(c barnraise.CID, root []byte, f file) error {
	for _, leaf := range f.leaves {
		if err := s.touch(leaf); err != nil {
			return fmt.Errorf("put %s: its chunk %s was removed meanwhile: %w: try again", c, leaf, err)
		}
	}
	return s.put(c, root)
}

// File returns the content of that CID, raw block or file, hashed again. It fails with [ErrNotFound] where a block of it is
// missing, with [ErrCorrupt] where one is damaged, with [ErrTooLarge] above limit bytes, or [MaxFile] where that is less,
// before it reads the chunks; with [ErrFile], and with [ErrCID].
func (s *Store) File(c barnraise.CID, limit int64) ([]byte, error) {
	block, err := s.Get(c)
	if err != nil {
		return nil, err
	}
	if !isFile(c) {
		if int64(len(block)) > limit {
			return nil, fmt.Errorf("get %s: %d bytes, at most %d: %w", c, len(block), limit, ErrTooLarge)
		}
		return block, nil
	}
	f, err := bounded(block, limit)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", c, err)
	}
	b, err := f.join(s.Get)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", c, err)
	}
	return b, nil
}

// join puts the chunks that get returns together. It fails with [ErrFile] where one has another length than the root
// declares: whoever made the root lied.
func (f file) join(get func(leaf barnraise.CID) ([]byte, error)) ([]byte, error) {
	var b []byte
	for i, leaf := range f.leaves {
		chunk, err := get(leaf)
		if err == nil && int64(len(chunk)) != f.chunk(i) {
			err = fmt.Errorf("%d bytes, the root says %d: %w", len(chunk), f.chunk(i), ErrFile)
		}
		if err != nil {
			return nil, fmt.Errorf("chunk %d of %d: %w", i+1, len(f.leaves), err)
		}
		if b == nil { // not before a chunk has come: whoever declares a size pays for it
			b = make([]byte, 0, f.size)
		}
		b = append(b, chunk...)
	}
	return b, nil
}
