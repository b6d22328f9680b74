package text

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The errors of [Apply].
var (
	ErrPatch = errors.New("not a unified diff of one text")
	ErrFit   = errors.New("the patch does not fit the text")
)

// Apply makes the new text of the lines of an old one by the lines of a unified diff. Each hunk has to stand where it says and
// to be what is there, to the byte: nothing is looked for elsewhere. It fails with [ErrPatch] or [ErrFit], and says at which
// hunk, counted from 1.
func Apply(old, patch []string) (string, error) {
	p := patcher{old: old, rest: patch}
	for len(p.rest) > 0 && !strings.HasPrefix(p.rest[0], "@@ ") { // what tools write above the first hunk
		p.rest = p.rest[1:]
	}
	if len(patch) > 0 && len(p.rest) == 0 {
		return "", fmt.Errorf("%w: it has no hunk", ErrPatch)
	}
	for hunk := 1; len(p.rest) > 0; hunk++ {
		if err := p.apply(); err != nil {
			return "", fmt.Errorf("%w: hunk %d", err, hunk)
		}
	}
	if err := p.copy(len(old)); err != nil {
		return "", fmt.Errorf("%w: text goes on behind its last hunk", err)
	}
	return p.out.String(), nil
}

// patcher goes through a patch once.
type patcher struct {
	old  []string
	rest []string // of the patch
	at   int      // lines of old that are done
	made int      // lines that are written
	open bool     // the last of them has no newline
	out  strings.Builder
}

// apply applies the next hunk.
func (p *patcher) apply() error {
	from, to, ok := head(p.rest[0])
	if !ok {
		return ErrPatch
	}
	p.rest = p.rest[1:]
	if from.first < p.at || from.first > len(p.old) {
		return ErrFit
	}
	if err := p.copy(from.first); err != nil {
		return err
	}
	if to.first != p.made {
		return ErrFit
	}
	endOld, endNew := from.first+from.count, to.first+to.count
	for p.at < endOld || p.made < endNew {
		if err := p.line(); err != nil {
			return err
		}
	}
	if p.at > endOld || p.made > endNew {
		return ErrPatch
	}
	return nil
}

// line applies the next line of a hunk.
func (p *patcher) line() error {
	if len(p.rest) == 0 {
		return ErrPatch
	}
	mark, line := p.rest[0][0], p.rest[0][1:]
	p.rest = p.rest[1:]
	if len(p.rest) > 0 && strings.HasPrefix(p.rest[0], `\ `) {
		line = strings.TrimSuffix(line, "\n")
		p.rest = p.rest[1:]
	} else if !strings.HasSuffix(line, "\n") { // the patch itself was cut off there
		line += "\n"
	}
	if !strings.ContainsRune(" -+", rune(mark)) {
		return ErrPatch
	}
	if mark != '+' {
		if p.at == len(p.old) || p.old[p.at] != line {
			return ErrFit
		}
		p.at++
	}
	if mark != '-' {
		return p.write(line)
	}
	return nil
}

// copy writes the lines of the old text up to one.
func (p *patcher) copy(end int) error {
	for ; p.at < end; p.at++ {
		if err := p.write(p.old[p.at]); err != nil {
			return err
		}
	}
	return nil
}

func (p *patcher) write(line string) error {
	if p.open {
		return ErrPatch // only the last line of a text may lack its newline
	}
	p.open = !strings.HasSuffix(line, "\n")
	p.made++
	p.out.WriteString(line)
	return nil
}

// stretch is a range of lines.
type stretch struct{ first, count int }

// head reads the first line of a hunk, @@ -1,2 +3,4 @@; what stands behind it is for people.
func head(line string) (from, to stretch, ok bool) {
	fields := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 5)
	if len(fields) < 4 || fields[0] != "@@" || fields[3] != "@@" {
		return from, to, false
	}
	from, okFrom := readStretch(fields[1], "-")
	to, okTo := readStretch(fields[2], "+")
	return from, to, okFrom && okTo
}

// readStretch reads what span writes.
func readStretch(s, sign string) (v stretch, ok bool) {
	s, ok = strings.CutPrefix(s, sign)
	first, count, several := strings.Cut(s, ",")
	v.count = 1
	if several {
		v.count, ok = number(count, ok)
	}
	v.first, ok = number(first, ok)
	if v.count > 0 {
		v.first--
	}
	return v, ok && v.first >= 0
}

// number reads digits, so few that sums of two numbers are none too large.
func number(s string, ok bool) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 24)
	return int(n), ok && err == nil && s[0] != '+'
}
