package content

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"barnraise"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// Errors of a store to branch on.
var (
	ErrNotFound = errors.New("not held")
	ErrCorrupt  = errors.New("stored bytes are damaged")
)

// Store keeps blocks as files of one directory, which several processes may share. It is safe for concurrent use. A block's
// modification time is when it was last put or fetched; [Store.GC] goes by it.
type Store struct{ dir string }

// Open uses the directory as a store and makes it where it is missing.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open content store: %w", err)
	}
	return &Store{dir}, nil
}

// Put keeps b as one raw block and returns its CID once it is on disk. It fails with [ErrTooLarge] above [MaxBlock] bytes;
// [Store.Add] takes more.
func (s *Store) Put(b []byte) (barnraise.CID, error) {
	if len(b) > MaxBlock {
		return "", fmt.Errorf("put content: %d bytes, at most %d: %w", len(b), MaxBlock, ErrTooLarge)
	}
	c := Sum(b)
	return c, s.put(c, b)
}

// put keeps a block that is known to be c's. A sound copy is left alone, a damaged one replaced; either is fresh afterwards.
func (s *Store) put(c barnraise.CID, b []byte) error {
	if _, err := s.Get(c); err == nil && s.touch(c) == nil {
		return nil
	}
	if err := s.write(c, b); err != nil {
		return fmt.Errorf("put %s: %w", c, err)
	}
	return nil
}

// write puts the file of a block in place.
func (s *Store) write(c barnraise.CID, b []byte) error {
	name, err := writeTemporary(filepath.Dir(s.path(c)), b)
	if err != nil {
		return err
	}
	defer os.Remove(name) // it is gone where all went well
	unlock, err := s.lock(os.O_RDONLY)
	if err != nil {
		return err
	}
	_ = os.Chtimes(name, time.Time{}, time.Now()) // writing may have taken long
	err = os.Rename(name, s.path(c))
	unlock()
	syncDir(filepath.Dir(name))
	return err
}

// touch makes the block of c fresh. It fails with [ErrNotFound].
func (s *Store) touch(c barnraise.CID) error {
	unlock, err := s.lock(os.O_RDONLY)
	if err != nil {
		return err
	}
	defer unlock()
	err = os.Chtimes(s.path(c), time.Time{}, time.Now())
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("get %s: %w", c, ErrNotFound)
	}
	return err
}

// lock keeps blocks from being removed between a look at them and the next step, in this process and every other: those who
// put and touch share it (os.O_RDONLY), who removes has it alone (os.O_RDWR). It is held for moments only.
func (s *Store) lock(mode int) (unlock func(), err error) {
	f, err := lockedfile.OpenFile(filepath.Join(s.dir, ".lock"), mode|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	return func() { f.Close() }, nil
}

// use is Get for a block that is wanted: it is fresh afterwards.
func (s *Store) use(c barnraise.CID) ([]byte, error) {
	b, err := s.Get(c)
	if err == nil && s.touch(c) != nil {
		_ = s.write(c, b) // removed meanwhile, or another user's; the bytes are there all the same
	}
	return b, err
}

// Get returns the block of that CID, hashed again. It fails with [ErrNotFound], with [ErrCorrupt] where the file is not what
// it was, and with [ErrCID].
func (s *Store) Get(c barnraise.CID) ([]byte, error) {
	if _, err := Parse(string(c)); err != nil {
		return nil, fmt.Errorf("get content: %w", err)
	}
	f, err := os.Open(s.path(c))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("get %s: %w", c, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", c, err)
	}
	defer f.Close()
	b, err := readFile(f)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", c, err)
	}
	if err := Check(c, b); err != nil {
		return nil, fmt.Errorf("get %s: %s: %w: remove the file, or fetch it again", c, f.Name(), ErrCorrupt)
	}
	return b, nil
}

// readFile reads a block, or a little more than one.
func readFile(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b := bytes.NewBuffer(make([]byte, 0, min(info.Size(), MaxBlock)+bytes.MinRead))
	_, err = b.ReadFrom(io.LimitReader(f, MaxBlock+1))
	return b.Bytes(), err
}

// path spreads the blocks over directories by the letters next to the last, the first ones being alike in every CID.
func (s *Store) path(c barnraise.CID) string {
	n := len(c)
	return filepath.Join(s.dir, string(c[n-3:n-1]), string(c))
}

// writeFile puts a whole file in place or none: whoever looks sees the old one or the new one, also after a crash.
func writeFile(path string, b []byte) error {
	name, err := writeTemporary(filepath.Dir(path), b)
	if err != nil {
		return err
	}
	defer os.Remove(name) // it is gone where all went well
	err = os.Rename(name, path)
	syncDir(filepath.Dir(path))
	return err
}

// temporary is how the names of files begin that are not yet in place.
const temporary = ".new-"

// writeTemporary writes b to a file of the directory that is on disk afterwards, and returns its path.
func writeTemporary(dir string, b []byte) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, temporary+"*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// syncDir makes a new name last through a crash, where the system can: without it, the worst is that the file is missing.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
