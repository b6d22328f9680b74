package client

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"barnraise"
)

// Directory is a [Keeper] that keeps each piece of evidence as a file of its own, named by the first half of its digest.
type Directory string

// EvidenceDirectory is where a user's evidence is kept: evidence below [DataDirectory].
func EvidenceDirectory() (Directory, error) {
	data, err := DataDirectory()
	if err != nil {
		return "", err
	}
	return Directory(filepath.Join(data, "evidence")), nil
}

// Keep writes the file and returns its path once it is on disk. The same evidence is kept once. Above 1 GiB or
// 16,384 pieces in all the oldest goes.
func (d Directory) Keep(e barnraise.Evidence) (string, error) {
	b := e.Encode()
	stem := barnraise.Sum(b).Hex()[:stemDigits]
	path := d.path(stem)
	if _, err := d.read(stem); err == nil {
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
	_ = d.trim(stem, directoryBytes, directoryFiles) // what is new is safe: that is what was asked for
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
