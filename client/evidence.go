package client

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"barnraise"
)

// Directory is a [Keeper] that keeps each piece of evidence as a file of its own, named by its digest.
type Directory string

// EvidenceDirectory is where a user's evidence is kept: barnraise/evidence below XDG_DATA_HOME, else ~/.local/share.
func EvidenceDirectory() (Directory, error) {
	data := os.Getenv("XDG_DATA_HOME")
	if data == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("find a place for evidence: %w", err)
		}
		data = filepath.Join(home, ".local", "share")
	}
	return Directory(filepath.Join(data, "barnraise", "evidence")), nil
}

// Keep writes the file and returns its path once it is on disk. The same evidence is kept once.
func (d Directory) Keep(e barnraise.Evidence) (string, error) {
	b := e.Encode()
	path := filepath.Join(string(d), barnraise.Sum(b).Hex()[:32]+".json")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return "", fmt.Errorf("keep evidence: %w", err)
	}
	f, err := os.CreateTemp(string(d), ".new-*")
	if err != nil {
		return "", fmt.Errorf("keep evidence: %w", err)
	}
	defer os.Remove(f.Name()) // it is gone where all went well
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return "", fmt.Errorf("keep evidence: %w", err)
	}
	return path, syncDir(string(d))
}

// syncDir makes the name of a new file survive a crash.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("keep evidence: %w", err)
	}
	defer f.Close()
	return f.Sync()
}
