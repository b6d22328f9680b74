package page

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark/ast"
)

// identifiers names headings: their letters and digits in small letters, words joined by hyphens, and a number where there was
// such a name before.
type identifiers map[string]int

// Generate makes a name that no heading has.
func (i identifiers) Generate(value []byte, _ ast.NodeKind) []byte {
	name := slug(string(value))
	for {
		n, again := i[name]
		i[name] = n + 1
		if !again {
			return []byte(name)
		}
		name += "-" + strconv.Itoa(n)
	}
}

// Put takes note of a name that the text itself gives.
func (i identifiers) Put(value []byte) {
	if _, ok := i[string(value)]; !ok {
		i[string(value)] = 1
	}
}

func slug(title string) string {
	var b strings.Builder
	gap := false
	for _, r := range title {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '_':
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(unicode.ToLower(r))
		case r == ' ', r == '-', r == '\t':
			gap = true
		}
	}
	if b.Len() == 0 {
		return "heading"
	}
	return b.String()
}
