package content

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"barnraise"
)

// MinGrace is the least time for which [Store.GC] leaves alone what was put or fetched: enough to pin it.
const MinGrace = time.Minute

// staleTemporary is the age at which a file that is not yet in place was left by a crash: nobody writes one block for so long.
const staleTemporary = time.Hour

// Removed is what a [Store.GC] has removed.
type Removed struct {
	Blocks    []barnraise.CID `json:"blocks"`
	Temporary int             `json:"temporary"` // files that writers left when they crashed
	Bytes     int64           `json:"bytes"`     // freed, temporary files included
}

// GC removes the blocks that belong to no pin and were put, added or fetched last more than grace before now, [MinGrace] at
// the least, and what crashed writers left for an hour. Others may put, fetch and pin meanwhile, in this process or another:
// what they were told is kept stays. It fails, before it removes anything, where a pin or the root of a pinned file cannot
// be read, for then it cannot know what belongs to it: fetch the file again, or take back the pin. What was removed before
// another failure is returned beside it.
func (s *Store) GC(now time.Time, grace time.Duration) (Removed, error) {
	pinned, err := s.pinned()
	if err != nil {
		return Removed{}, fmt.Errorf("collect garbage: %w", err)
	}
	g := sweep{store: s, pinned: pinned, old: now.Add(-max(grace, MinGrace)), stale: now.Add(-max(grace, staleTemporary))}
	g.removed.Blocks = []barnraise.CID{}
	dirs, err := os.ReadDir(s.dir)
	if err != nil {
		return Removed{}, fmt.Errorf("collect garbage: %w", err)
	}
	for _, d := range dirs {
		if d.IsDir() && (len(d.Name()) == 2 || d.Name() == pins) {
			if err := g.dir(filepath.Join(s.dir, d.Name())); err != nil {
				return g.removed, fmt.Errorf("collect garbage: %w", err)
			}
		}
	}
	return g.removed, nil
}

// pinned is every block that belongs to a pin.
func (s *Store) pinned() (map[barnraise.CID]bool, error) {
	list, err := s.Pins()
	if err != nil {
		return nil, err
	}
	all := make(map[barnraise.CID]bool)
	for _, p := range list {
		if all[p.CID] {
			continue
		}
		all[p.CID] = true
		if !isFile(p.CID) {
			continue
		}
		blocks, err := s.blocks(p.CID)
		if err != nil {
			return nil, fmt.Errorf("pinned for %q: %w", p.Reason, err)
		}
		for _, c := range blocks {
			all[c] = true
		}
	}
	return all, nil
}

// sweep is one collection under way.
type sweep struct {
	store      *Store
	pinned     map[barnraise.CID]bool
	old, stale time.Time // since when blocks and temporary files were left alone that go
	removed    Removed
}

// dir removes what goes from one directory. While it does, nobody puts or touches: each file is as old as it looks.
func (g *sweep) dir(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	unlock, err := g.store.lock(os.O_RDWR)
	if err != nil {
		return err
	}
	defer unlock()
	for _, file := range files {
		path := filepath.Join(dir, file.Name())
		c, err := Parse(file.Name())
		block := err == nil && path == g.store.path(c)
		switch {
		case strings.HasPrefix(file.Name(), temporary):
			err = g.remove(path, g.stale, func() { g.removed.Temporary++ })
		case block && !g.pinned[c]:
			err = g.remove(path, g.old, func() { g.removed.Blocks = append(g.removed.Blocks, c) })
		default:
			err = nil // pinned, or nothing of ours
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// remove removes a file that is older than that, and counts it.
func (g *sweep) remove(path string, than time.Time, count func()) error {
	info, err := os.Lstat(path)
	if err == nil && !info.ModTime().Before(than) {
		return nil
	}
	if err == nil {
		err = os.Remove(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another collection was faster
	}
	if err != nil {
		return err
	}
	count()
	g.removed.Bytes += info.Size()
	return nil
}
