package lock

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// errBusy is the error where another process holds the directory.
var errBusy = errors.New("another process is writing")

// exclude keeps other processes from writing lock files in the same directory until it is released. They do so for
// milliseconds.
func exclude(ctx context.Context, path string) (release func(), err error) {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	for {
		err := hold(dir)
		if err == nil {
			return func() { dir.Close() }, nil
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(err, ctx.Err(), dir.Close())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// replace writes a file whole or not at all. It is for everybody to read, as it may be shared with those who work on the same
// program.
func replace(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // it is gone where all went well
	_, err = f.Write(b)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
