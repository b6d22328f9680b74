// Package text compares texts line by line, writes and applies unified diffs, and merges two versions of a text.
//
// Everything here is a pure function of its arguments, in bounded time and memory whatever the texts are.
package text

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Limits of one text.
const (
	MaxBytes = 256 << 10
	MaxLines = 10_000
)

// ErrTooLarge is the error for a text of more than [MaxBytes] or [MaxLines].
var ErrTooLarge = errors.New("text is too large")

// Lines splits a text into lines, each with its newline; only the last one may lack it. Texts that are equal have equal lines,
// and lines put together are the text. It fails with [ErrTooLarge].
func Lines(text string) ([]string, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(text), MaxBytes)
	}
	n := strings.Count(text, "\n")
	if !strings.HasSuffix(text, "\n") && text != "" {
		n++
	}
	if n > MaxLines {
		return nil, fmt.Errorf("%w: %d lines, at most %d", ErrTooLarge, n, MaxLines)
	}
	return slices.Collect(strings.Lines(text)), nil
}
