package canonical

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// quoted reads a string, from the quote that begins it.
func (p *parser) quoted() string {
	p.at++
	start, ascii := p.at, true
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			s := p.text[start:p.at]
			if !ascii && !p.utf8(start, s) {
				return ""
			}
			p.at++
			return s
		case c == '\\':
			return p.escaped(start)
		case c < ' ':
			p.fail(p.at)
			return ""
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	p.fail(p.at)
	return ""
}

// utf8 fails where a part of the text is not UTF-8.
func (p *parser) utf8(start int, s string) bool {
	if utf8.ValidString(s) {
		return true
	}
	for i, r := range s {
		if _, size := utf8.DecodeRuneInString(s[i:]); r == utf8.RuneError && size == 1 {
			p.fail(start + i)
			break
		}
	}
	return false
}

// escaped reads on in a string that has escapes, from the first one.
func (p *parser) escaped(start int) string {
	if !p.utf8(start, p.text[start:p.at]) {
		return ""
	}
	out := append(make([]byte, 0, 2*(p.at-start)+16), p.text[start:p.at]...)
	for from := p.at; p.at < len(p.text); {
		c := p.text[p.at]
		if c >= ' ' && c != '"' && c != '\\' {
			p.at++
			continue
		}
		s := p.text[from:p.at]
		if !p.utf8(from, s) {
			return ""
		}
		switch out = append(out, s...); c {
		case '"':
			p.at++
			return string(out)
		case '\\':
			out = p.escape(out)
		default:
			p.fail(p.at)
		}
		from = p.at
	}
	p.fail(p.at)
	return ""
}

// escape reads one escape, from its backslash.
func (p *parser) escape(out []byte) []byte {
	at := p.at
	if at+1 >= len(p.text) {
		p.fail(at)
		return out
	}
	if i := strings.IndexByte(`"\/bfnrt`, p.text[at+1]); i >= 0 {
		p.at += 2
		return append(out, "\"\\/\b\f\n\r\t"[i])
	}
	r, ok := p.unit(at)
	if !ok {
		p.fail(at)
		return out
	}
	p.at += 6
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(out, r)
	}
	low, ok := p.unit(p.at)
	both := utf16.DecodeRune(r, low)
	if !ok || both == utf8.RuneError {
		p.fail(at)
		return out
	}
	p.at += 6
	return utf8.AppendRune(out, both)
}

// unit is what an escape \uXXXX at that place says.
func (p *parser) unit(at int) (rune, bool) {
	if at+6 > len(p.text) || p.text[at] != '\\' || p.text[at+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(p.text[at+2 : at+6]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
