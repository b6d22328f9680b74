package content

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"barnraise"
)

// Pin keeps content from being removed: the block of its CID and, of a file, every chunk. Content may have several, each with
// a reason of its own, and stays until the last is gone.
type Pin struct {
	CID    barnraise.CID `json:"cid"`
	Reason string        `json:"reason"` // who wants it kept, such as "#3@1 verifier": one line of at most 200 bytes
}

const (
	pins      = "pins" // the directory of pins in a store, a small file for each
	maxReason = 200    // bytes
	maxPin    = 4 << 10
)

// Pin keeps content that is held, all of it, and is on disk when it returns. The same pin again changes nothing. Content that
// was put or fetched is there to be pinned for at least [MinGrace]. It fails as [Store.File] does for what is not held
// whole, and for a reason that is empty, too long or of several lines.
func (s *Store) Pin(c barnraise.CID, reason string) error {
	p := Pin{c, reason}
	if err := p.check(); err != nil {
		return fmt.Errorf("pin %s: %w", c, err)
	}
	blocks, err := s.blocks(c)
	if err != nil {
		return fmt.Errorf("pin %s: %w", c, err)
	}
	for _, block := range blocks {
		if _, err := s.use(block); err != nil {
			return fmt.Errorf("pin %s: %w", c, err)
		}
	}
	b, err := json.Marshal(p)
	if err == nil {
		err = writeFile(s.pinPath(p), b)
	}
	if err != nil {
		return fmt.Errorf("pin %s: %w", c, err)
	}
	return nil
}

// Unpin takes back the pin of that reason. It fails with [ErrNotFound] where there is none.
func (s *Store) Unpin(c barnraise.CID, reason string) error {
	path := s.pinPath(Pin{c, reason})
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("unpin %s: no pin for %q: %w", c, reason, ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("unpin %s: %w", c, err)
	}
	syncDir(filepath.Dir(path))
	return nil
}

// Pins lists the pins by their CIDs. A file that is none fails the whole list: it may have been one.
func (s *Store) Pins() ([]Pin, error) {
	files, err := os.ReadDir(filepath.Join(s.dir, pins))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list pins: %w", err)
	}
	var list []Pin
	for _, file := range files {
		if strings.HasPrefix(file.Name(), temporary) {
			continue
		}
		p, err := s.readPin(filepath.Join(s.dir, pins, file.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // taken back meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("list pins: %s: %w: remove the file, and pin again what it kept", filepath.Join(s.dir, pins, file.Name()), err)
		}
		list = append(list, p)
	}
	return list, nil
}

func (s *Store) readPin(path string) (p Pin, err error) {
	f, err := os.Open(path)
	if err != nil {
		return p, err
	}
	defer f.Close()
	b, err := readAtMost(f, maxPin)
	if err != nil {
		return p, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, fmt.Errorf("%w: %w", err, ErrCorrupt)
	}
	if p.check() != nil || s.pinPath(p) != path {
		return p, ErrCorrupt
	}
	return p, nil
}

// check reports why there can be no such pin.
func (p Pin) check() error {
	if _, err := Parse(string(p.CID)); err != nil {
		return err
	}
	if p.Reason == "" || len(p.Reason) > maxReason || !utf8.ValidString(p.Reason) || strings.ContainsFunc(p.Reason, unicode.IsControl) {
		return fmt.Errorf("reason %.60q: want one line of 1 to %d bytes", p.Reason, maxReason)
	}
	return nil
}

// pinPath is where a pin is kept: one file for a CID and a reason.
func (s *Store) pinPath(p Pin) string {
	digest := sha256.Sum256([]byte(p.Reason))
	return filepath.Join(s.dir, pins, fmt.Sprintf("%s.%x", filepath.Base(string(p.CID)), digest[:8]))
}

// blocks lists what belongs to content whose root is held: the CID itself and, of a file, its chunks.
func (s *Store) blocks(c barnraise.CID) ([]barnraise.CID, error) {
	list := []barnraise.CID{c}
	b, err := s.Get(c)
	if err != nil || !isFile(c) {
		return list, err
	}
	f, err := bounded(b, MaxFile)
	return append(list, f.leaves...), err
}
