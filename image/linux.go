package image

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"barnraise"
)

// Bounds of what is unpacked for a container engine.
const (
	MaxUnpacked = 4 << 30   // bytes of all layers of a variant
	MaxFiles    = 1_000_000 // entries of all layers of a variant
)

// Linux is a variant for a Linux platform as a container engine is given it: read, checked against each other, and within
// the bounds.
type Linux struct {
	Platform string           // as its configuration says, such as [LinuxAMD64]
	Manifest barnraise.Digest // what it was asked for by
	Config   barnraise.Digest // which is what engines call the image's ID
	Document []byte           // the configuration
	Layers   []Layer          // the lowest first
}

// Layer is one layer of a variant.
type Layer struct {
	Blob    barnraise.Digest // as it is stored
	Content barnraise.Digest // of the tar archive, unpacked
	gzip    bool
}

// Linux reads the documents of a variant, by the digest of its manifest; the layers need not be held. It fails with
// [ErrNotFound] or [ErrCorrupt], and with [ErrImage] where it is no image for Linux, or has a layer of another type than tar,
// plain or gzip.
func (s *Store) Linux(variant barnraise.Digest) (Linux, error) {
	l, err := s.linux(variant)
	if err != nil {
		return Linux{}, fmt.Errorf("read variant %s: %w", variant, err)
	}
	return l, nil
}

func (s *Store) linux(variant barnraise.Digest) (Linux, error) {
	m, err := s.manifest(variant)
	if err != nil {
		return Linux{}, err
	}
	if m.Config.MediaType != typeConfig {
		return Linux{}, fmt.Errorf("its configuration is of type %.80q, want %s: %w", m.Config.MediaType, typeConfig, ErrImage)
	}
	document, err := s.read(m.Config, MaxDocument)
	if err != nil {
		return Linux{}, err
	}
	c, err := parseConfig(document)
	if err != nil {
		return Linux{}, err
	}
	if c.OS != "linux" || c.RootFS.Type != "layers" || len(c.RootFS.DiffIDs) != len(m.Layers) {
		return Linux{}, fmt.Errorf("%d layers and a configuration for %.20q with %d: %w",
			len(m.Layers), c.OS, len(c.RootFS.DiffIDs), ErrImage)
	}
	l := Linux{Platform: c.OS + "/" + c.Architecture, Manifest: variant, Config: m.Config.Digest, Document: document}
	for i, d := range m.Layers {
		if d.MediaType != typeTar && d.MediaType != typeTarGzip {
			return Linux{}, fmt.Errorf("layer %s is of type %.80q, want tar, plain or gzip: %w", d.Digest, d.MediaType, ErrImage)
		}
		l.Layers = append(l.Layers, Layer{d.Digest, c.RootFS.DiffIDs[i], d.MediaType == typeTarGzip})
	}
	return l, nil
}

// Unpack returns a reader of a layer's tar archive, which withholds its end where there are more than that many bytes or they
// are not those of the layer's content: then it fails with [ErrImage], or with [ErrCorrupt], and never returns [io.EOF]. The
// caller closes it. Unpack fails with [ErrNotFound], and with [ErrImage].
func (s *Store) Unpack(l Layer, most int64) (io.ReadCloser, error) {
	blob, _, err := s.Open(l.Blob)
	if err != nil {
		return nil, err
	}
	u := &unpacked{Closer: blob, from: blob, sum: sha256.New(), want: l, left: most}
	if l.gzip {
		if u.from, err = gzip.NewReader(blob); err != nil {
			blob.Close()
			return nil, fmt.Errorf("unpack layer %s: %w: %w", l.Blob, err, ErrImage)
		}
	}
	return u, nil
}

// unpacked reads a layer's archive and compares its hash at the end.
type unpacked struct {
	io.Closer
	from io.Reader
	sum  hash.Hash
	want Layer
	left int64
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.from.Read(p)
	u.sum.Write(p[:n])
	u.left -= int64(n)
	switch {
	case u.left < 0:
		return 0, fmt.Errorf("unpack layer %s: too long: %w", u.want.Blob, ErrImage)
	case errors.Is(err, io.EOF) && barnraise.Digest(u.sum.Sum(nil)) != u.want.Content:
		return 0, fmt.Errorf("unpack layer %s: its content is not %s: %w", u.want.Blob, u.want.Content, ErrImage)
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, ErrCorrupt):
		return n, fmt.Errorf("unpack layer %s: %w: %w", u.want.Blob, err, ErrImage)
	}
	return n, err
}

// Measure unpacks every layer once, keeps nothing, and returns how many bytes each archive has. It fails as [Store.Unpack]
// does, and with [ErrImage] where all together are beyond [MaxUnpacked] or [MaxFiles], one is no archive, or one is such that an
// engine would make more of it than that: a file in it has holes, or it begins as a compressed one does.
func (s *Store) Measure(l Linux) ([]int64, error) {
	sizes, bytes, files := make([]int64, len(l.Layers)), int64(MaxUnpacked), MaxFiles
	for i, layer := range l.Layers {
		size, entries, err := s.measure(layer, bytes, files)
		if err != nil {
			return nil, fmt.Errorf("measure variant %s: %w", l.Manifest, err)
		}
		sizes[i], bytes, files = size, bytes-size, files-entries
	}
	return sizes, nil
}

func (s *Store) measure(l Layer, most int64, files int) (size int64, entries int, err error) {
	r, err := s.Unpack(l, most)
	if err != nil {
		return 0, 0, err
	}
	defer r.Close()
	begins := bufio.NewReader(r)
	counted := &counter{from: begins}
	if head, _ := begins.Peek(8); compressed(head) {
		return 0, 0, fmt.Errorf("layer %s: it is compressed, or made to look so: %w", l.Blob, ErrImage)
	}
	for archive := tar.NewReader(counted); ; entries++ {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && holed(h) {
			err = fmt.Errorf("%.80q is sparse", h.Name)
		}
		if err != nil {
			return 0, 0, fmt.Errorf("layer %s: %w: %w", l.Blob, err, ErrImage)
		}
		if entries == files {
			return 0, 0, fmt.Errorf("layer %s: the variant has more than %d files: %w", l.Blob, MaxFiles, ErrImage)
		}
	}
	_, err = io.Copy(io.Discard, counted) // what stands behind the archive counts and is hashed as well
	return counted.n, entries, err
}

// compressed reports whether an engine, which goes by how a layer begins and not by its type, would unpack it. An archive can begin
// with the name of a file that looks so.
func compressed(head []byte) bool {
	for _, magic := range []string{"\x1f\x8b", "BZh", "\xfd7zXZ\x00", "\x28\xb5\x2f\xfd"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return len(head) >= 4 && head[0]&0xf0 == 0x50 && string(head[1:4]) == "\x2a\x4d\x18" // what zstd passes over before it begins
}

// holed reports whether a few bytes of a file in an archive may stand for any number.
func holed(h *tar.Header) bool {
	for record := range h.PAXRecords {
		if strings.HasPrefix(record, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

type counter struct {
	from io.Reader
	n    int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	return n, err
}
