// Package head reads the heads of HTTP messages that are as plain as nearly all are, where they lie. What is any less plain it leaves
// to net/http: it never says what such a head means, only that it is not for it.
package head

import (
	"bytes"
	"strings"
)

// Field is one line of a head.
type Field struct{ Name, Value string }

// Fields of one head, in their order. They share the head's memory.
type Fields []Field

// Get is the first value of a field, and how many there are of that name, in whatever case.
func (f Fields) Get(name string) (value string, count int) {
	for i := range f {
		if len(f[i].Name) != len(name) || !strings.EqualFold(f[i].Name, name) {
			continue
		}
		if count++; count == 1 {
			value = f[i].Value
		}
	}
	return value, count
}

// Head is the beginning of a message.
type Head struct {
	Line   string // the first, without its end
	Fields Fields
	Length int64 // of the body, as Content-Length has it
	Size   int   // of all this, with the empty line
}

// Read reads the head with which b begins, into the memory given for fields. It takes one whose fields have names of letters, digits
// and hyphens and values of printable ASCII, one Content-Length of digits among them, and nothing else that says where the message
// or its connection ends, or that asks for something before the body. It is not ok with any other, and with one that is not all there.
func Read(b []byte, memory Fields) (h Head, ok bool) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return h, false
	}
	line, lines, _ := strings.Cut(string(b[:end+2]), "\r\n")
	h = Head{Line: line, Fields: memory[:0], Length: -1, Size: end + 4}
	for lines != "" {
		line, lines, _ = strings.Cut(lines, "\r\n")
		f, ok := plain(line)
		if !ok || !h.take(f) {
			return Head{}, false
		}
		h.Fields = append(h.Fields, f)
	}
	return h, h.Length >= 0
}

// take looks at a field that may say where the message ends.
func (h *Head) take(f Field) (ok bool) {
	switch len(f.Name) {
	case len("Content-Length"):
		if strings.EqualFold(f.Name, "Content-Length") {
			once := h.Length < 0
			h.Length, ok = length(f.Value)
			return once && ok
		}
	case len("Connection"):
		if strings.EqualFold(f.Name, "Connection") {
			return strings.EqualFold(f.Value, "keep-alive")
		}
	case len("Transfer-Encoding"), len("Trailer"), len("Expect"), len("TE"):
		for _, name := range [...]string{"Transfer-Encoding", "Trailer", "Upgrade", "Expect", "TE"} {
			if strings.EqualFold(f.Name, name) {
				return false
			}
		}
	}
	return true
}

// plain reads one line.
func plain(line string) (f Field, ok bool) {
	at := strings.IndexByte(line, ':')
	if at <= 0 {
		return f, false
	}
	for _, c := range []byte(line[:at]) {
		if !letter[c] {
			return f, false
		}
	}
	for _, c := range []byte(line[at+1:]) {
		if c < ' ' || c > '~' {
			return f, false
		}
	}
	return Field{line[:at], strings.Trim(line[at+1:], " ")}, true
}

// letter are the bytes of names.
var letter = func() (l [256]bool) {
	for _, c := range "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" {
		l[c] = true
	}
	return l
}()

// length reads a number of at most fifteen digits.
func length(s string) (n int64, ok bool) {
	if len(s) == 0 || len(s) > 15 {
		return 0, false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
}
