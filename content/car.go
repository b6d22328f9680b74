package content

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"barnraise"

	"github.com/ipfs/go-cid"
)

// ErrCAR is what a CAR that cannot be read fails with.
var ErrCAR = errors.New("not a CAR of version 1 with the wanted blocks")

const (
	maxCARHeader = 4 << 10 // bytes; one root takes 58
	maxCARCID    = 128     // bytes of a CID in a CAR; ours have 36
)

// Export writes the content of that CID as a CARv1 with one root: the root block, then the chunks in their order, each once.
// It fails as [Store.File] does, before it has written anything where the root is the reason.
func (s *Store) Export(w io.Writer, c barnraise.CID) error {
	p, err := planCAR(s, c, false, false)
	if err != nil {
		return fmt.Errorf("export %s: %w", c, err)
	}
	if err := p.write(w, s); err != nil {
		return fmt.Errorf("export %s: %w", c, err)
	}
	return nil
}

// Import keeps the content that a CARv1 with one root holds and returns its CID once all of it is on disk. The root comes
// before its chunks, as every exporter of IPFS writes them; what does not belong to it is skipped. It fails with [ErrCAR],
// with [ErrMismatch] where a block is not what it is called, with [ErrFile], and with [ErrTooLarge] above limit bytes of
// content, or [MaxFile] where that is less.
func (s *Store) Import(r io.Reader, limit int64) (barnraise.CID, error) {
	in, roots, err := openCAR(r)
	if err != nil {
		return "", fmt.Errorf("import CAR: %w", err)
	}
	if len(roots) != 1 || ours(roots[0]) != nil {
		return "", fmt.Errorf("import CAR: it names %d roots, want one CID of version 1 in raw or dag-pb, sha2-256: %w", len(roots), ErrCAR)
	}
	c := barnraise.CID(roots[0].String())
	root, err := in.content(c, limit, func(leaf barnraise.CID, b []byte) error { return s.put(leaf, b) })
	if err != nil {
		return "", fmt.Errorf("import CAR of %s: %w", c, err)
	}
	return c, s.keep(c, root)
}

// keep puts the root of content whose chunks, where it has some, are kept.
func (s *Store) keep(c barnraise.CID, root []byte) error {
	if !isFile(c) {
		return s.put(c, root)
	}
	f, err := decodeFile(root)
	if err != nil {
		return err
	}
	return s.seal(c, root, f)
}

// carPlan is a CAR before it is written: what is in it, and how long it is.
type carPlan struct {
	header []byte
	root   barnraise.CID // empty where there are no blocks
	first  []byte        // the root's block
	leaves []barnraise.CID
	size   int64 // bytes in all
}

// planCAR lays out the CAR of c: the root block alone, or with its chunks, where dups as often as the root names them.
func planCAR(from Getter, c barnraise.CID, alone, dups bool) (carPlan, error) {
	first, err := from.Get(c)
	if err != nil {
		return carPlan{}, err
	}
	p := carPlan{header: carHeader(binaryCID(c)), root: c, first: first}
	p.size = int64(len(p.header)) + sectionSize(int64(len(first)))
	if alone || !isFile(c) {
		return p, nil
	}
	f, err := bounded(first, MaxFile)
	if err != nil {
		return carPlan{}, err
	}
	for i, leaf := range f.leaves {
		if !dups && slices.Contains(p.leaves, leaf) {
			continue
		}
		p.leaves = append(p.leaves, leaf)
		p.size += sectionSize(f.chunk(i))
	}
	return p, nil
}

// sectionSize is how many bytes a block takes in a CAR.
func sectionSize(block int64) int64 {
	const id = 36 // bytes of a CIDv1 over sha2-256
	return int64(len(binary.AppendUvarint(nil, uint64(id+block)))) + id + block
}

// write writes the CAR, one block in memory at a time.
func (p carPlan) write(w io.Writer, from Getter) error {
	if _, err := w.Write(p.header); err != nil || p.root == "" {
		return err
	}
	if err := writeSection(w, p.root, p.first); err != nil {
		return err
	}
	for i, leaf := range p.leaves {
		b, err := from.Get(leaf)
		if err != nil {
			return fmt.Errorf("chunk %d of %d: %w", i+1, len(p.leaves), err)
		}
		if err := writeSection(w, leaf, b); err != nil {
			return err
		}
	}
	return nil
}

func writeSection(w io.Writer, c barnraise.CID, block []byte) error {
	id := binaryCID(c)
	head := append(binary.AppendUvarint(nil, uint64(len(id)+len(block))), id...)
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err := w.Write(block)
	return err
}

// The header of a CAR is the DAG-CBOR of {"roots": [CIDs], "version": 1}: a map of two, in this order, a CID being tag 42
// over bytes that begin with a zero.
const (
	carRoots   = "\xa2\x65roots"
	carVersion = "\x67version\x01"
	cborArray  = 4 << 5
	cborBytes  = 2 << 5
	cborTag42  = "\xd8\x2a"
	cborByte   = 24 // of a head: the length is the next byte
)

// carHeader is the header, with its length before it, of a CAR with one root, which is given in binary.
func carHeader(root []byte) []byte {
	h := append([]byte(carRoots), cborArray|1)
	h = append(h, cborTag42...)
	if n := 1 + len(root); n < cborByte {
		h = append(h, cborBytes|byte(n), 0)
	} else {
		h = append(h, cborBytes|cborByte, byte(n), 0)
	}
	h = append(append(h, root...), carVersion...)
	return append(binary.AppendUvarint(nil, uint64(len(h))), h...)
}

// parseCARHeader reads a header without its length.
func parseCARHeader(h []byte) ([]cid.Cid, error) {
	var roots []cid.Cid
	r := head{h, true}
	r.text(carRoots)
	for range r.number(cborArray, 255) {
		r.text(cborTag42)
		b := r.take(r.number(cborBytes, maxCARCID))
		if len(b) == 0 || b[0] != 0 {
			return nil, fmt.Errorf("read its header: a root is no CID: %w", ErrCAR)
		}
		id, err := cid.Cast(b[1:])
		if err != nil {
			return nil, fmt.Errorf("read its header: %w: %w", err, ErrCAR)
		}
		roots = append(roots, id)
	}
	r.text(carVersion)
	if !r.ok || len(r.rest) > 0 {
		return nil, fmt.Errorf("read its header: want the roots and version 1: %w", ErrCAR)
	}
	return roots, nil
}

// head reads the little CBOR of a header; ok turns false where there is something else, and everything is empty then.
type head struct {
	rest []byte
	ok   bool
}

func (h *head) take(n int) (b []byte) {
	if !h.ok || n > len(h.rest) {
		h.ok = false
		return nil
	}
	b, h.rest = h.rest[:n], h.rest[n:]
	return b
}

func (h *head) text(want string) {
	if string(h.take(len(want))) != want {
		h.ok = false
	}
}

// number is the length in the head of a value of that kind, in the short form or the one of a byte.
func (h *head) number(kind byte, most int) int {
	b := h.take(1)
	if b == nil || b[0]&0xe0 != kind {
		h.ok = false
		return 0
	}
	n := int(b[0] & 0x1f)
	if n == cborByte {
		if b = h.take(1); b == nil {
			return 0
		}
		n = int(b[0])
	} else if n > cborByte {
		h.ok = false
	}
	if !h.ok || n > most {
		h.ok = false
		return 0
	}
	return n
}

// carReader reads a CAR from somebody who need not be believed.
type carReader struct {
	r    *bufio.Reader
	left int64  // bytes that may still come
	came func() // called for every wanted block, if it is set
}

func openCAR(r io.Reader) (*carReader, []cid.Cid, error) {
	in := &carReader{r: bufio.NewReader(r), left: maxCARHeader + binary.MaxVarintLen64}
	header, err := in.section(maxCARHeader)
	if err != nil {
		return nil, nil, fmt.Errorf("read its header: %w", cut(err))
	}
	roots, err := parseCARHeader(header)
	return in, roots, err
}

// section reads a length and as many bytes. It fails with io.EOF where there is nothing more.
func (in *carReader) section(most int64) ([]byte, error) {
	if _, err := in.r.Peek(1); err != nil {
		return nil, err
	}
	n, err := in.length()
	if err != nil {
		return nil, err
	}
	if n == 0 || n > most {
		return nil, fmt.Errorf("a section of %d bytes, want 1 to %d: %w", n, most, ErrCAR)
	}
	if in.left -= n + 1; in.left < 0 {
		return nil, fmt.Errorf("more than the wanted blocks: %w", ErrTooLarge)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(in.r, b); err != nil {
		return nil, cut(err)
	}
	return b, nil
}

// length reads a varint of at most five bytes.
func (in *carReader) length() (n int64, err error) {
	for shift := 0; shift < 35; shift += 7 {
		b, err := in.r.ReadByte()
		if err != nil {
			return 0, cut(err)
		}
		n |= int64(b&0x7f) << shift
		if b < 0x80 {
			return n, nil
		}
	}
	return 0, fmt.Errorf("a length of more than five bytes: %w", ErrCAR)
}

// cut is the error of a CAR that ends where it must not.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("it is cut short: %w: %w", io.ErrUnexpectedEOF, ErrCAR)
	}
	return err
}

// next reads a block and the CID it is said to have.
func (in *carReader) next() (cid.Cid, []byte, error) {
	b, err := in.section(MaxBlock + maxCARCID)
	if err != nil {
		return cid.Undef, nil, err
	}
	n, id, err := cid.CidFromBytes(b)
	if err != nil || n > maxCARCID {
		return cid.Undef, nil, fmt.Errorf("a section without a CID of at most %d bytes: %w", maxCARCID, ErrCAR)
	}
	return id, b[n:], nil
}

// content reads the blocks of c, each checked, gives its chunks to keep and returns the root, or the only block. It reads no
// further than it must, and not much more than the root declares. A root that came is returned beside an error, too. A root
// that is not one to be read is [ErrFile] or [ErrTooLarge]; a block that is missing at the end, [ErrCAR].
func (in *carReader) content(c barnraise.CID, limit int64, keep func(leaf barnraise.CID, b []byte) error) ([]byte, error) {
	in.left = MaxBlock + 2*maxCARCID
	if isFile(c) {
		in.left = maxRoot + 2*maxCARCID
	}
	_, root, err := in.await(map[barnraise.CID]int64{c: 0})
	if err != nil {
		return nil, err
	}
	if !isFile(c) {
		if int64(len(root)) > limit {
			return nil, fmt.Errorf("%d bytes, at most %d: %w", len(root), limit, ErrTooLarge)
		}
		return root, nil
	}
	f, err := bounded(root, limit)
	if err != nil {
		return root, err
	}
	missing := make(map[barnraise.CID]int64)
	for i, leaf := range f.leaves {
		missing[leaf] = f.chunk(i)
	}
	in.left = int64(len(f.leaves)) * (MaxBlock + 2*maxCARCID)
	for len(missing) > 0 {
		leaf, b, err := in.await(missing)
		if err != nil {
			return root, err
		}
		if int64(len(b)) != missing[leaf] {
			return root, fmt.Errorf("chunk %s has %d bytes, its root says %d: %w", leaf, len(b), missing[leaf], ErrFile)
		}
		delete(missing, leaf)
		if err := keep(leaf, b); err != nil {
			return root, err
		}
	}
	return root, nil
}

// await reads on to the next block that is one of the missing, and checks it. The others are skipped.
func (in *carReader) await(missing map[barnraise.CID]int64) (c barnraise.CID, block []byte, err error) {
	for {
		id, b, err := in.next()
		if err == io.EOF {
			return "", nil, fmt.Errorf("it ends and %d blocks are missing: %w", len(missing), ErrCAR)
		}
		if err != nil {
			return "", nil, err
		}
		c := barnraise.CID(id.String())
		if _, ok := missing[c]; !ok {
			continue
		}
		if err := Check(c, b); err != nil {
			return "", nil, err
		}
		if in.came != nil {
			in.came()
		}
		return c, b, nil
	}
}
