package image

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"barnraise"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// Store keeps images in a directory that is an OCI image layout: any tool that reads layouts can read it, and several
// processes may share it. It is safe for concurrent use.
type Store struct{ dir string }

const (
	temporary     = ".new-" // how the names of files begin that are not yet in place
	layoutFile    = "oci-layout"
	layoutContent = `{"imageLayoutVersion":"1.0.0"}`
	indexFile     = "index.json"
)

// Open uses the directory as a store and makes it an empty layout where it is none yet.
func Open(dir string) (*Store, error) {
	s := &Store{dir}
	if s.exists() {
		return s, nil
	}
	if err := s.create(); err != nil {
		return nil, fmt.Errorf("open image store: %w", err)
	}
	return s, nil
}

// exists reports whether the layout is complete; its index is written last.
func (s *Store) exists() bool {
	_, err := os.Stat(filepath.Join(s.dir, indexFile))
	return err == nil
}

func (s *Store) create() error {
	if err := os.MkdirAll(filepath.Join(s.dir, "blobs", "sha256"), 0o755); err != nil {
		return err
	}
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if s.exists() { // another process was faster
		return nil
	}
	if err := s.write(filepath.Join(s.dir, layoutFile), strings.NewReader(layoutContent)); err != nil {
		return err
	}
	return s.writeIndex(index{})
}

// lock keeps others, in this process and every other, from writing index.json, and from removing or replacing blobs.
func (s *Store) lock() (unlock func(), err error) {
	return lockedfile.MutexAt(filepath.Join(s.dir, ".lock")).Lock()
}

// Dir is the directory of the layout.
func (s *Store) Dir() string { return s.dir }

// Put keeps b and returns its digest once it is on disk.
func (s *Store) Put(b []byte) (barnraise.Digest, error) {
	d := barnraise.Sum(b)
	return d, s.Import(d, bytes.NewReader(b), int64(len(b)))
}

// Import keeps what r delivers if it is the blob of that digest, of at most that many bytes. It fails with [ErrMismatch]
// where it is not, with [ErrImage] where there are more, and otherwise with r's error; then nothing is kept. A sound copy
// that is there already makes r superfluous: it is not read, and is as fresh to [Store.GC] as if it had been.
func (s *Store) Import(d barnraise.Digest, r io.Reader, most int64) error {
	if s.use(d) == nil {
		return nil
	}
	counted := &io.LimitedReader{R: r, N: most + 1}
	sum := sha256.New()
	err := s.writeChecked(s.path(d), io.TeeReader(counted, sum), s.lock, func() error {
		if counted.N == 0 {
			return fmt.Errorf("more than %d bytes: %w", most, ErrImage)
		}
		if got := barnraise.Digest(sum.Sum(nil)); got != d {
			return fmt.Errorf("these are %d bytes of %s: %w", most+1-counted.N, got, ErrMismatch)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("import %s: %w", d, err)
	}
	return nil
}

// Adopt copies as much of an image as this store lacks and the other has. It fails with [ErrNotFound] where that one does not
// have the index, and with [ErrCorrupt].
func (s *Store) Adopt(from *Store, index barnraise.Digest) error {
	if s.dir == from.dir {
		return nil
	}
	blobs, err := from.Blobs(index)
	if err != nil {
		return err
	}
	for _, d := range blobs {
		r, size, err := from.Open(d)
		if err == nil {
			err = errors.Join(s.Import(d, r, size), r.Close())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Check reports whether the blob is held and sound. It reads all of it, and fails with [ErrNotFound] or [ErrCorrupt].
func (s *Store) Check(d barnraise.Digest) error {
	r, _, err := s.Open(d)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, r)
	return err
}

// Get returns a blob of at most that many bytes, hashed again. It fails with [ErrNotFound], [ErrCorrupt], or with [ErrImage]
// for a larger one.
func (s *Store) Get(d barnraise.Digest, most int64) ([]byte, error) {
	r, size, err := s.Open(d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if size > most {
		return nil, fmt.Errorf("get %s: %d bytes, at most %d: %w", d, size, most, ErrImage)
	}
	b := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	if _, err := b.ReadFrom(r); err != nil {
		return nil, fmt.Errorf("get %s: %w", d, err)
	}
	return b.Bytes(), nil
}

// Open returns a reader of the blob and its size in bytes; the caller closes it. The reader hashes what it reads and
// withholds the end of a damaged blob: then it fails with [ErrCorrupt] and never returns [io.EOF]. Open fails with
// [ErrNotFound].
func (s *Store) Open(d barnraise.Digest) (io.ReadCloser, int64, error) {
	f, err := os.Open(s.path(d))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, fmt.Errorf("open %s: %w", d, ErrNotFound)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("open %s: %w", d, err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("open %s: %w", d, err)
	}
	return &verified{file: f, sum: sha256.New(), want: d, left: info.Size()}, info.Size(), nil
}

// size is a blob's size without a look at its bytes.
func (s *Store) size(d barnraise.Digest) (int64, error) {
	info, err := os.Stat(s.path(d))
	if err != nil {
		return 0, fmt.Errorf("find %s: %w", d, ErrNotFound)
	}
	return info.Size(), nil
}

// verified reads a file whose last bytes are given out only when the hash of all of them is right.
type verified struct {
	file *os.File
	sum  hash.Hash
	want barnraise.Digest
	left int64
	err  error // what every further Read returns
}

func (v *verified) Read(p []byte) (int, error) {
	if v.err != nil {
		return 0, v.err
	}
	n, err := v.file.Read(p[:min(int64(len(p)), v.left)])
	v.sum.Write(p[:n])
	v.left -= int64(n)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		v.err = fmt.Errorf("read %s: %w", v.want, err)
	case v.left == 0 && barnraise.Digest(v.sum.Sum(nil)) == v.want:
		v.err = io.EOF
		return n, nil
	case v.left == 0 || err != nil:
		v.err = fmt.Errorf("read %s: %w: remove the file, or pull it again", v.file.Name(), ErrCorrupt)
	default:
		return n, nil
	}
	return 0, v.err
}

func (v *verified) Close() error { return v.file.Close() }

// Named is an image that the layout lists.
type Named struct {
	Name  string // such as "search"; empty where it has none
	Index barnraise.Digest
}

// Images lists what index.json of the layout names: what was built or packed here, not what was pulled.
func (s *Store) Images() ([]Named, error) {
	x, err := s.list()
	if err != nil {
		return nil, fmt.Errorf("list images: %w", err)
	}
	var all []Named
	for _, d := range x.Manifests {
		all = append(all, Named{d.Annotations[annotationName], d.Digest})
	}
	return all, nil
}

func (s *Store) list() (index, error) {
	var x index
	f, err := os.Open(filepath.Join(s.dir, indexFile))
	if err != nil {
		return x, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxDocument+1))
	if err != nil {
		return x, err
	}
	return x, parse(indexFile, b, &x, &x.MediaType, typeIndex)
}

// name lists an index in index.json, in place of the one that had its name before.
func (s *Store) name(name string, d descriptor) error {
	unlock, err := s.lock()
	if err != nil {
		return fmt.Errorf("lock %s: %w", s.dir, err)
	}
	defer unlock()
	x, err := s.list()
	if err != nil {
		return err
	}
	x.Manifests = slices.DeleteFunc(x.Manifests, func(old descriptor) bool { return old.Annotations[annotationName] == name })
	d.Annotations = map[string]string{annotationName: name}
	x.Manifests = append(x.Manifests, d)
	return s.writeIndex(x)
}

func (s *Store) writeIndex(x index) error {
	x.SchemaVersion, x.MediaType = 2, typeIndex
	return s.write(filepath.Join(s.dir, indexFile), bytes.NewReader(encode(x)))
}

func (s *Store) path(d barnraise.Digest) string {
	return filepath.Join(s.dir, "blobs", "sha256", d.Hex())
}

func (s *Store) write(path string, r io.Reader) error {
	none := func() (func(), error) { return func() {}, nil }
	return s.writeChecked(path, r, none, func() error { return nil })
}

// writeChecked puts a whole file in place, if the check allows it after the last byte, or none: whoever looks sees the old
// one or the new one, also after a crash. The lock is held for the moment in which it takes its place.
func (s *Store) writeChecked(path string, r io.Reader, lock func() (func(), error), check func() error) error {
	f, err := os.CreateTemp(s.dir, temporary+"*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // it is gone where all went well
	_, err = io.Copy(f, r)
	if err == nil {
		err = check()
	}
	if err == nil {
		err = errors.Join(f.Chmod(0o644), f.Sync())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	unlock, err := lock()
	if err != nil {
		return err
	}
	err = os.Rename(f.Name(), path)
	unlock()
	if err == nil {
		syncDir(filepath.Dir(path))
	}
	return err
}

// syncDir makes a new name last through a crash, where the system can: without it, the worst is that the file is missing.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
