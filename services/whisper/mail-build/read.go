package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"barnraise/services/whisper/mail"
)

// maxFile is how many bytes a file of envelopes may have: what an archive holds, in hexadecimal digits.
const maxFile = 2 * mail.MaxSize

// maxFiles is how many files a folder may have.
const maxFiles = mail.MaxEnvelopes

// readFolder reads the files of a folder, in the order of their names. It goes into no folders within and follows no links.
func readFolder(folder string) (envelopes [][]byte, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("read envelopes: %w", err)
	}
	if len(entries) > maxFiles {
		return nil, fmt.Errorf("read envelopes: %s has %d files, at most %d", folder, len(entries), maxFiles)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		list, err := readFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, err
		}
		envelopes = append(envelopes, list...)
	}
	return envelopes, nil
}

// readFile reads an envelope in RLP, or lines of hexadecimal digits.
func readFile(name string) ([][]byte, error) {
	info, err := os.Stat(name)
	if err == nil && info.Size() > maxFile {
		err = fmt.Errorf("%s: %d bytes, at most %d", name, info.Size(), maxFile)
	}
	if err != nil {
		return nil, fmt.Errorf("read envelopes: %w", err)
	}
	file, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read envelopes: %w", err)
	}
	envelopes, err := parseFile(file)
	if err != nil {
		return nil, fmt.Errorf("read envelopes: %s: %w", filepath.Base(name), err)
	}
	return envelopes, nil
}

// rlpList is the least byte that a list in RLP begins with. No text in hexadecimal digits does.
const rlpList = 0xc0

// parseFile takes a file apart. Lines may be empty, and 0x may stand before the digits.
func parseFile(file []byte) (envelopes [][]byte, err error) {
	if len(file) > 0 && file[0] >= rlpList {
		return [][]byte{file}, nil
	}
	number := 0
	for line := range bytes.Lines(file) {
		number++
		digits := strings.TrimPrefix(strings.TrimSpace(string(line)), "0x")
		if digits == "" {
			continue
		}
		e, err := hex.DecodeString(digits)
		if err != nil {
			return nil, fmt.Errorf("line %d: want hexadecimal digits, in pairs", number)
		}
		envelopes = append(envelopes, e)
	}
	return envelopes, nil
}
