package text

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxContext is the most lines of context around a change.
const MaxContext = 100

// noNewline stands under a line that ends a text and has no newline.
const noNewline = "\\ No newline at end of file\n"

// Head says how a diff is written.
type Head struct {
	Old, New string // names of the texts, as they are to stand there
	Context  int    // lines around a change, 0 to MaxContext
}

// Unified is a unified diff of the lines a and b, of which the edits are known. It is empty where there are none.
func Unified(h Head, a, b []string, edits []Edit) string {
	var out strings.Builder
	for _, hunk := range hunks(edits, h.Context) {
		if out.Len() == 0 {
			fmt.Fprintf(&out, "--- %s\n+++ %s\n", h.Old, h.New)
		}
		write(&out, hunk, a, b, h.Context)
	}
	return out.String()
}

// hunks puts edits together whose contexts touch.
func hunks(edits []Edit, context int) (list [][]Edit) {
	for i, e := range edits {
		if i > 0 && e.A0-edits[i-1].A1 <= 2*context {
			list[len(list)-1] = append(list[len(list)-1], e)
		} else {
			list = append(list, []Edit{e})
		}
	}
	return list
}

// write writes one hunk.
func write(out *strings.Builder, hunk []Edit, a, b []string, context int) {
	first, last := hunk[0], hunk[len(hunk)-1]
	before, after := min(context, first.A0), min(context, len(a)-last.A1)
	at := first.A0 - before
	fmt.Fprintf(out, "@@ -%s +%s @@\n", span(at, last.A1+after), span(first.B0-before, last.B1+after))
	for _, e := range hunk {
		lines(out, ' ', a[at:e.A0])
		lines(out, '-', a[e.A0:e.A1])
		lines(out, '+', b[e.B0:e.B1])
		at = e.A1
	}
	lines(out, ' ', a[at:at+after])
}

// span is a range of lines as a head says it: the first one, counted from 1, and how many, where it is not one. An empty range
// stands after the line that is named.
func span(from, to int) string {
	switch to - from {
	case 0:
		return strconv.Itoa(from) + ",0"
	case 1:
		return strconv.Itoa(from + 1)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}

func lines(out *strings.Builder, mark byte, list []string) {
	for _, line := range list {
		out.WriteByte(mark)
		out.WriteString(line)
		if !strings.HasSuffix(line, "\n") {
			out.WriteString("\n" + noNewline)
		}
	}
}
