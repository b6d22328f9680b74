package text

import (
	"slices"
	"strings"
)

// What stands around the parts of a conflict.
const (
	markOurs   = "<<<<<<< ours\n"
	markBase   = "||||||| base\n"
	markMiddle = "=======\n"
	markTheirs = ">>>>>>> theirs\n"
)

// Merge puts the changes of two versions of a text together, and counts the places where both changed the same lines, or lines
// next to each other, in different ways. Each such place has the three versions in the merged text, between marks; there a
// line without a newline gets one.
func Merge(base, ours, theirs []string) (merged string, conflicts int) {
	m := merge{base: base, ours: version{ours, Edits(base, ours), 0}, theirs: version{theirs, Edits(base, theirs), 0}}
	for m.next() {
	}
	m.put(base[m.at:])
	return m.out.String(), m.conflicts
}

// merge goes through a text and the changes of it once.
type merge struct {
	base         []string
	ours, theirs version
	at           int // lines of base that are done
	conflicts    int
	out          strings.Builder
}

// version is one of the two, with the edits that are not done yet.
type version struct {
	lines []string
	edits []Edit
	shift int // from a line of base that is unchanged to the same one here
}

// next does the next place where something changed.
func (m *merge) next() bool {
	begin, ok := m.begin()
	if !ok {
		return false
	}
	m.put(m.base[m.at:begin])
	end := begin
	shiftOurs, shiftTheirs := m.ours.shift, m.theirs.shift
	for grown := true; grown; { // until neither reaches into what follows
		end, grown = m.theirs.take(m.ours.take(end, false))
	}
	m.settle(m.base[begin:end], m.ours.lines[begin+shiftOurs:end+m.ours.shift], m.theirs.lines[begin+shiftTheirs:end+m.theirs.shift])
	m.at = end
	return true
}

// begin is where the next change begins.
func (m *merge) begin() (at int, ok bool) {
	for _, v := range []version{m.ours, m.theirs} {
		if len(v.edits) > 0 && (!ok || v.edits[0].A0 < at) {
			at, ok = v.edits[0].A0, true
		}
	}
	return at, ok
}

// take takes the edits that begin within or at the end, and returns the end that they reach.
func (v *version) take(end int, grown bool) (int, bool) {
	for len(v.edits) > 0 && v.edits[0].A0 <= end {
		e := v.edits[0]
		end, grown = max(end, e.A1), true
		v.edits, v.shift = v.edits[1:], e.B1-e.A1
	}
	return end, grown
}

// settle writes what becomes of a place.
func (m *merge) settle(base, ours, theirs []string) {
	switch {
	case slices.Equal(ours, theirs), slices.Equal(base, theirs):
		m.put(ours)
	case slices.Equal(base, ours):
		m.put(theirs)
	default:
		m.conflicts++
		m.part(markOurs, ours)
		m.part(markBase, base)
		m.part(markMiddle, theirs)
		m.out.WriteString(markTheirs)
	}
}

// part is one version in a conflict.
func (m *merge) part(mark string, lines []string) {
	m.out.WriteString(mark)
	m.put(lines)
	if n := len(lines); n > 0 && !strings.HasSuffix(lines[n-1], "\n") {
		m.out.WriteByte('\n')
	}
}

func (m *merge) put(lines []string) {
	for _, line := range lines {
		m.out.WriteString(line)
	}
}
