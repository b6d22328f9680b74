package lock

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// shared are the permissions of a new lock file: it is for everybody to read, as those who work on the same program share it.
const shared = 0o644

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
