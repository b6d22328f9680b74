package client

import (
	"fmt"
	"os"
	"path/filepath"

	"barnraise"
	"barnraise/whole"
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
	if err := whole.Write(path, b, 0o600); err != nil {
		return "", fmt.Errorf("keep evidence: %w", err)
	}
	_ = d.trim(stem, directoryBytes, directoryFiles) // what is new is safe: that is what was asked for
	return path, nil
}
