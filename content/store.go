package content

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"barnraise"
)

// Errors of a store to branch on.
var (
	ErrNotFound = errors.New("not held")
	ErrCorrupt  = errors.New("stored bytes are damaged")
)

// Store keeps blocks as files of one directory, which several processes may share. It is safe for concurrent use.
type Store struct{ dir string }

// Open uses the directory as a store and makes it where it is missing.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open content store: %w", err)
	}
	return &Store{dir}, nil
}

// Put keeps b as one raw block and returns its CID once it is on disk. It fails with [ErrTooLarge] above [MaxBlock] bytes.
func (s *Store) Put(b []byte) (barnraise.CID, error) {
	if len(b) > MaxBlock {
		return "", fmt.Errorf("put content: %d bytes, at most %d: %w", len(b), MaxBlock, ErrTooLarge)
	}
	c := Sum(b)
	return c, s.put(c, b)
}

// put writes a block that is known to be c's. A sound copy is left alone, a damaged one replaced.
func (s *Store) put(c barnraise.CID, b []byte) error {
	if _, err := s.Get(c); err == nil {
		return nil
	}
	if err := writeFile(s.path(c), b); err != nil {
		return fmt.Errorf("put %s: %w", c, err)
	}
	return nil
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
	b, err := io.ReadAll(io.LimitReader(f, MaxBlock+1))
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", c, err)
	}
	if err := Check(c, b); err != nil {
		return nil, fmt.Errorf("get %s: %s: %w: remove the file, or fetch it again", c, f.Name(), ErrCorrupt)
	}
	return b, nil
}

// path spreads the blocks over directories by the letters next to the last, the first ones being alike in every CID.
func (s *Store) path(c barnraise.CID) string {
	n := len(c)
	return filepath.Join(s.dir, string(c[n-3:n-1]), string(c))
}

// writeFile puts a whole file in place or none: whoever looks sees the old one or the new one, also after a crash.
func writeFile(path string, b []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // it is gone where all went well
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	syncDir(dir)
	return nil
}

// syncDir makes a new name last through a crash, where the system can: without it, the worst is that the file is missing.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
