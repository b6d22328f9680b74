package page

import (
	"fmt"
	"strings"
)

// Limits of one text. Where a parser of Markdown takes time or room that grows faster than the text, it is by one of these.
const (
	MaxBytes  = 64 << 10
	MaxHTML   = 1 << 20 // as JSON
	maxNested = 32      // quotes and lists that one line opens
	maxLinks  = 2 << 10 // opening brackets
	maxStrong = 6 << 10 // stars, underscores and tildes
	maxCells  = 1 << 15 // of tables: the most bars of a line, for each line
)

// check refuses what would take too long. It goes through the text once and looks at no more than bytes.
func check(source string) error {
	if len(source) > MaxBytes {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(source), MaxBytes)
	}
	lines, bars := 0, 0
	for line := range strings.Lines(source) {
		if nested(line) > maxNested {
			return fmt.Errorf("%w: line %d opens more than %d quotes and lists", ErrTooComplex, lines+1, maxNested)
		}
		lines, bars = lines+1, max(bars, strings.Count(line, "|"))
	}
	for _, c := range []struct {
		what      string
		has, most int
	}{
		{"opening brackets", strings.Count(source, "["), maxLinks},
		{"stars, underscores and tildes", strings.Count(source, "*") + strings.Count(source, "_") + strings.Count(source, "~"), maxStrong},
		{"cells that its tables may have", bars * lines, maxCells},
	} {
		if c.has > c.most {
			return fmt.Errorf("%w: %d %s, at most %d", ErrTooComplex, c.has, c.what, c.most)
		}
	}
	return nil
}

// nested counts the marks of quotes and lists that a line begins with, or more.
func nested(line string) (n int) {
	for {
		line = strings.TrimLeft(line, " \t")
		rest, quote := strings.CutPrefix(line, ">")
		if !quote {
			rest = strings.TrimLeft(line, "0123456789")
			if mark := rest[:min(1, len(rest))]; mark == "" || !strings.Contains("-+*.)", mark) {
				return n
			}
			if rest = rest[1:]; rest == "" || !strings.Contains(" \t\r\n", rest[:1]) { // a rule, or the like
				return n
			}
		}
		line = rest
		n++
	}
}
