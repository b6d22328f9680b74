package image

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"barnraise"
)

// MinGrace is the least time for which [Store.GC] leaves alone what was put or pulled.
const MinGrace = time.Hour

// Removed is what a [Store.GC] has removed.
type Removed struct {
	Blobs     []barnraise.Digest `json:"blobs"`
	Temporary int                `json:"temporary"` // files that writers left when they crashed
	Bytes     int64              `json:"bytes"`     // freed, temporary files included
}

// GC removes the blobs that belong neither to the images to keep nor to those that [Store.Images] lists, and were put or asked
// for by a pull last more than grace before now, [MinGrace] at the least; and what crashed writers left for so long. To keep
// are the indexes of what runs and of what is being pulled: others may put and pull meanwhile, in this process or another, and
// what a pull has found there stays.
//
// It fails with [ErrCorrupt], before it removes anything, where a document of an image to keep is damaged: pull that again. An
// image to keep that is none keeps no more than its index. What was removed before another failure is returned beside it.
func (s *Store) GC(now time.Time, grace time.Duration, keep []barnraise.Digest) (Removed, error) {
	kept, err := s.kept(keep)
	if err != nil {
		return Removed{}, fmt.Errorf("collect garbage: %w", err)
	}
	g := sweep{kept: kept, old: now.Add(-max(grace, MinGrace))}
	g.removed.Blobs = []barnraise.Digest{}
	unlock, err := s.lock()
	if err != nil {
		return Removed{}, fmt.Errorf("collect garbage: %w", err)
	}
	defer unlock()
	for _, dir := range []string{s.dir, filepath.Join(s.dir, "blobs", "sha256")} {
		if err := g.dir(dir); err != nil {
			return g.removed, fmt.Errorf("collect garbage: %w", err)
		}
	}
	return g.removed, nil
}

// kept is every blob of the images to keep and of those that are listed.
func (s *Store) kept(keep []barnraise.Digest) (map[barnraise.Digest]bool, error) {
	listed, err := s.Images()
	if err != nil {
		return nil, err
	}
	for _, named := range listed {
		keep = append(keep[:len(keep):len(keep)], named.Index)
	}
	kept := make(map[barnraise.Digest]bool)
	for _, index := range keep {
		blobs, err := s.Blobs(index)
		if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrImage) {
			return nil, err
		}
		kept[index] = true
		for _, d := range blobs {
			kept[d] = true
		}
	}
	return kept, nil
}

// sweep is one collection under way.
type sweep struct {
	kept    map[barnraise.Digest]bool
	old     time.Time // since when files were left alone that go
	removed Removed
}

// dir removes what goes from one directory. The lock is held: each file is as old as it looks.
func (g *sweep) dir(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		path := filepath.Join(dir, file.Name())
		d, err := barnraise.ParseDigest("sha256:" + file.Name())
		switch {
		case strings.HasPrefix(file.Name(), temporary):
			err = g.remove(path, func() { g.removed.Temporary++ })
		case err == nil && !g.kept[d]:
			err = g.remove(path, func() { g.removed.Blobs = append(g.removed.Blobs, d) })
		default:
			err = nil // kept, or nothing of ours
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// remove removes a file that is old enough, and counts it.
func (g *sweep) remove(path string, count func()) error {
	info, err := os.Lstat(path)
	if err == nil && (!info.Mode().IsRegular() || !info.ModTime().Before(g.old)) {
		return nil
	}
	if err == nil {
		err = os.Remove(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	count()
	g.removed.Bytes += info.Size()
	return nil
}

// use is Check for a blob that is wanted: it is fresh afterwards, and no collection that is under way removes it.
func (s *Store) use(d barnraise.Digest) error {
	if err := s.Check(d); err != nil {
		return err
	}
	unlock, err := s.lock()
	if err == nil {
		err = os.Chtimes(s.path(d), time.Time{}, time.Now())
		unlock()
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil // another user's, who alone removes it
	}
	return err
}

// Size is how many bytes of an image are held. It fails as [Store.Blobs] does.
func (s *Store) Size(index barnraise.Digest) (int64, error) {
	return s.sum(index, func(barnraise.Digest) bool { return true })
}

// Lacks is how many bytes [Store.Adopt] would copy. It fails as that does.
func (s *Store) Lacks(from *Store, index barnraise.Digest) (int64, error) {
	return from.sum(index, func(d barnraise.Digest) bool { _, err := s.size(d); return err != nil })
}

// sum adds up those blobs of an image that are held and counted.
func (s *Store) sum(index barnraise.Digest, counts func(barnraise.Digest) bool) (bytes int64, err error) {
	blobs, err := s.Blobs(index)
	if err != nil {
		return 0, err
	}
	slices.SortFunc(blobs, func(a, b barnraise.Digest) int { return slices.Compare(a[:], b[:]) })
	for _, d := range slices.Compact(blobs) {
		if n, err := s.size(d); err == nil && counts(d) {
			bytes += n
		}
	}
	return bytes, nil
}
