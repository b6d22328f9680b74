package image

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"barnraise"
)

// Bounds of an archive that another tool has saved.
const (
	maxArchive = 2*MaxSize + 64<<20 // bytes of all in it
	maxEntries = 4096
	maxName    = 512 // bytes
	maxLinks   = 8   // from one name to the next
)

// spool keeps the files of archives in a directory of its own, under names of its own: what they are called in the archive is a
// key and nothing more.
type spool struct {
	dir   string
	files map[string]saved
}

// saved is a file of an archive, or a link to one.
type saved struct {
	path   string
	size   int64
	digest barnraise.Digest
	link   string
}

// read takes in one archive, in place of the one before. It may be compressed with gzip. It fails with [ErrImage], and as r
// does.
func (s *spool) read(r io.Reader) error {
	s.files = map[string]saved{}
	buffered := bufio.NewReader(r)
	var plain io.Reader = buffered
	if magic, _ := buffered.Peek(2); string(magic) == "\x1f\x8b" {
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return fmt.Errorf("unpack: %w: %w", err, ErrImage)
		}
		plain = z
	}
	bounded := &io.LimitedReader{R: plain, N: maxArchive + 1}
	err := s.unpack(tar.NewReader(bounded))
	if err == nil {
		_, err = io.Copy(io.Discard, bounded) // the padding, so that nobody's pipe breaks
	}
	if bounded.N == 0 {
		return fmt.Errorf("archive has more than %d bytes: %w", int64(maxArchive), ErrImage)
	}
	return err
}

func (s *spool) unpack(archive *tar.Reader) error {
	for entries := 0; ; entries++ {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unpack: %w: %w", err, ErrImage)
		}
		if entries == maxEntries || len(h.Name) > maxName || len(h.Linkname) > maxName {
			return fmt.Errorf("unpack: more than %d entries, or a name of more than %d bytes: %w", maxEntries, maxName, ErrImage)
		}
		f, err := s.entry(archive, h)
		if err != nil {
			return fmt.Errorf("unpack %.80q: %w", h.Name, err)
		}
		if f == (saved{}) {
			continue
		}
		if _, twice := s.files[clean(h.Name)]; twice {
			return fmt.Errorf("unpack %.80q: it is there twice: %w", h.Name, ErrImage)
		}
		s.files[clean(h.Name)] = f
	}
}

// entry takes in a file or a link. Anything else is nothing.
func (s *spool) entry(archive *tar.Reader, h *tar.Header) (saved, error) {
	if holed(h) {
		return saved{}, fmt.Errorf("it is sparse: %w", ErrImage)
	}
	switch h.Typeflag {
	case tar.TypeReg:
		return s.file(archive, h.Size)
	case tar.TypeLink:
		return saved{link: clean(h.Linkname)}, nil
	case tar.TypeSymlink:
		if path.IsAbs(h.Linkname) {
			return saved{link: clean(h.Linkname)}, nil
		}
		return saved{link: clean(path.Join(path.Dir(clean(h.Name)), h.Linkname))}, nil
	}
	return saved{}, nil
}

func (s *spool) file(r io.Reader, size int64) (saved, error) {
	if size < 0 || size > maxArchive {
		return saved{}, fmt.Errorf("it has %d bytes, at most %d: %w", size, int64(maxArchive), ErrImage)
	}
	f, err := os.CreateTemp(s.dir, "file-*")
	if err != nil {
		return saved{}, err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), r)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: %w", err, ErrImage)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return saved{}, err
	}
	return saved{path: f.Name(), size: n, digest: barnraise.Digest(sum.Sum(nil))}, nil
}

// find is the file of that name, which may be a link to it. It fails with [ErrNotFound], and with [ErrImage] for links that
// lead on and on.
func (s *spool) find(name string) (saved, error) {
	at := clean(name)
	for range maxLinks {
		f, ok := s.files[at]
		if !ok {
			return f, fmt.Errorf("find %.80q in the archive: %w", name, ErrNotFound)
		}
		if f.link == "" {
			return f, nil
		}
		at = f.link
	}
	return saved{}, fmt.Errorf("find %.80q in the archive: more than %d links: %w", name, maxLinks, ErrImage)
}

// blob is a file of an OCI layout.
func (s *spool) blob(d barnraise.Digest) (saved, error) {
	f, err := s.find("blobs/sha256/" + d.Hex())
	if err == nil && f.digest != d {
		err = fmt.Errorf("blob %s is %s: %w", d, f.digest, ErrMismatch)
	}
	return f, err
}

// read returns a document.
func (f saved) read() ([]byte, error) {
	if f.size > MaxDocument {
		return nil, fmt.Errorf("document of %d bytes, at most %d: %w", f.size, MaxDocument, ErrImage)
	}
	return os.ReadFile(f.path)
}

// keep puts the file into a store.
func (f saved) keep(into *Store) error {
	r, err := os.Open(f.path)
	if err != nil {
		return err
	}
	return errors.Join(into.Import(f.digest, r, f.size), r.Close())
}
