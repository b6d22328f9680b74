// Package whole writes files whole or not at all: whoever looks, also after a crash, finds what was there before or what was
// written, and nothing between.
package whole

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// Draft is how the names of files begin that are not in place yet. What a process that was killed has left of them may be removed
// after a while by whoever owns the directory.
const Draft = ".new-"

// ErrNoFile is the error where something else stands in the place: a directory, a device, or links that lead nowhere.
var ErrNoFile = errors.New("no regular file")

// mostLinks is how many symbolic links are followed, one to the other.
const mostLinks = 16

// Write puts b in place of what a file held before, and returns once that is on disk, its name included where the system can tell.
// A file that is there keeps its permissions; a new one gets those of perm, whatever the umask is. Where path is a symbolic link it
// stays one, and the file is written that it leads to. Where it fails nothing has changed, save that a name may be new that does
// not outlast a crash. It fails with [ErrNoFile], and as the disk does; the directory has to be there.
func Write(path string, b []byte, perm fs.FileMode) error {
	return WriteFrom(path, perm, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// WriteFrom is [Write] of what write writes. Where write fails, so does it, and the file is as it was. That there is no place for the
// file shows before write is called.
func WriteFrom(path string, perm fs.FileMode, write func(io.Writer) error) error {
	path, perm, err := place(path, perm.Perm())
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, Draft+"*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // it is gone where all went well
	err = write(f)
	if err = errors.Join(err, f.Chmod(perm), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return sync(dir)
}

// place is the file that path leads to, and the permissions that it is to have.
func place(path string, perm fs.FileMode) (string, fs.FileMode, error) {
	at := path
	for range mostLinks {
		info, err := os.Lstat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return at, perm, nil
		case err != nil:
			return "", 0, err
		case info.Mode().IsRegular():
			return at, info.Mode().Perm(), nil
		case info.Mode()&fs.ModeSymlink == 0:
			return "", 0, fmt.Errorf("write %s: %w", path, ErrNoFile)
		}
		if at, err = follow(at); err != nil {
			return "", 0, err
		}
	}
	return "", 0, fmt.Errorf("write %s: more than %d links: %w", path, mostLinks, ErrNoFile)
}

// follow is where a link leads, which need not be there.
func follow(link string) (string, error) {
	to, err := os.Readlink(link)
	if err != nil {
		return "", err
	}
	dir, name := filepath.Split(to)
	if !filepath.IsAbs(to) {
		dir = filepath.Dir(link) + string(filepath.Separator) + dir // as it stands: what comes before .. may be a link, too
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", err
	}
	return filepath.Join(dir, name), nil
}

// sync makes a new name in a directory last through a crash.
func sync(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // it has no such thing
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err // some file systems keep names in another way, and say that they cannot
	}
	return nil
}
