package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"barnraise/registry/evm/signer"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// Files in a network's directory: the lock that its process holds as long as it lives, and the number of that process.
const (
	lockFile = "devnet.lock"
	pidFile  = "devnet.pid"
)

// patience is how long a lock is waited for before somebody must be holding it: a free one is had at once.
const patience = 500 * time.Millisecond

// taken is a lock that was had, or why it never will be.
type taken struct {
	unlock func()
	err    error
}

// lock waits for the lock of a network's directory. Nothing is left locked where the context ends first.
func lock(ctx context.Context, dir string) <-chan taken {
	return lockAt(ctx, filepath.Join(dir, lockFile))
}

// lockAt waits for the lock that is a file.
func lockAt(ctx context.Context, file string) <-chan taken {
	c := make(chan taken)
	go func() {
		unlock, err := lockedfile.MutexAt(file).Lock()
		select {
		case c <- taken{unlock, err}:
		case <-ctx.Done():
			if err == nil {
				unlock()
			}
		}
	}()
	return c
}

// errHeld is the error where another process has the directory.
var errHeld = errors.New("a network runs")

// hold makes this process the one that runs the network in the directory, until release. It fails with [errHeld] where another
// one does.
func hold(ctx context.Context, dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case lock := <-lock(ctx, dir):
		if lock.err != nil {
			return nil, lock.err
		}
		pid := filepath.Join(dir, pidFile)
		if err := os.WriteFile(pid, []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
			lock.unlock()
			return nil, err
		}
		return func() {
			os.Remove(pid)
			lock.unlock()
		}, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%w in %s already: end it with: barnraise devnet down --dir %s", errHeld, dir, dir)
	}
}

// holdAccount makes this process the only one on this machine that writes to the registry by the account in a file: two of them
// would undo each other's lists. An account whose key is elsewhere is nobody's to hold here.
func holdAccount(ctx context.Context, file string) (release func(), err error) {
	if !signer.IsFile(file) {
		return func() {}, nil
	}
	if file, err = filepath.EvalSymlinks(file); err != nil {
		return nil, fmt.Errorf("find account: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case lock := <-lockAt(ctx, file+".lock"):
		return lock.unlock, lock.err
	case <-ctx.Done():
		return nil, fmt.Errorf("another server writes to the registry by the account %s: end it first, or give this one an account of its own", file)
	}
}

// errNotHeld is the error where no process runs the network of a directory.
var errNotHeld = errors.New("no network runs")

// endHolder interrupts the process that runs the network in the directory, and waits until it has given the directory back. It
// fails with [errNotHeld] where there is none: a number that a killed process left behind may be another's by now.
func endHolder(ctx context.Context, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, lockFile)); err != nil {
		return errNotHeld
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	free := lock(ctx, dir)
	select {
	case lock := <-free:
		if lock.err != nil {
			return lock.err
		}
		os.Remove(filepath.Join(dir, pidFile))
		lock.unlock()
		return errNotHeld
	case <-time.After(patience):
	}
	b, err := os.ReadFile(filepath.Join(dir, pidFile))
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid <= 1 {
		return fmt.Errorf("%s does not name a process", filepath.Join(dir, pidFile))
	}
	process, err := os.FindProcess(pid)
	if err == nil {
		err = process.Signal(os.Interrupt)
	}
	if err != nil {
		return fmt.Errorf("interrupt process %d: %w", pid, err)
	}
	select {
	case lock := <-free:
		if lock.err == nil {
			lock.unlock()
		}
		return lock.err
	case <-ctx.Done():
		return fmt.Errorf("process %d does not end: %w", pid, ctx.Err())
	}
}
