package main

import (
	"fmt"
	"os"
	"path/filepath"

	lockfile "barnraise/registry/lock"
)

// lockFile is where bare names are held to what they meant: the file that the user named, else the one in the working directory where
// there is one, as programs keep it beside their source, else the one beside the network file.
func (a *app) lockFile() (string, error) {
	if a.lock != "" {
		return a.lock, nil
	}
	if _, err := os.Stat(lockfile.Name); err == nil {
		return lockfile.Name, nil
	}
	if named := a.networkNamed(); named != "" {
		return lockBeside(named), nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find lock file: %w; name one with --lock", err)
	}
	return filepath.Join(dir, "barnraise", lockfile.Name), nil
}

// lockBeside is the lock file beside a network file.
func lockBeside(network string) string { return filepath.Join(filepath.Dir(network), lockfile.Name) }
