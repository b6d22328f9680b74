package adversary

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Falsify alters one byte of a result so that the answer is still a strict one, but another: the last letter or digit that
// stands in a text, outside of escapes, or ends a number, before its exponent. Names of members, errors, and results that have
// nothing else in them, are left as they are.
func Falsify(response []byte) []byte {
	lie := bytes.Clone(response)
	if i := alterable(lie); i >= 0 {
		lie[i] = other(lie[i])
	}
	return lie
}

// alterable is where the last byte stands that can be another one in a result, -1 where there is none.
func alterable(response []byte) int {
	d := jsontext.NewDecoder(bytes.NewReader(response))
	last := -1
	for {
		switch d.PeekKind() {
		case '{', '[', '}', ']':
			if _, err := d.ReadToken(); err != nil {
				return -1
			}
			continue
		}
		v, err := d.ReadValue()
		if errors.Is(err, io.EOF) {
			return last
		}
		if err != nil {
			return -1
		}
		around, members := d.StackIndex(d.StackDepth())
		name := around == '{' && members%2 == 1
		if path := string(d.StackPointer()) + "/"; name || !strings.HasPrefix(path, "/result/") {
			continue
		}
		if i := alterableIn(v); i >= 0 {
			last = int(d.InputOffset()) - len(v) + i
		}
	}
}

// alterableIn is the same within one text, number or literal.
func alterableIn(v jsontext.Value) int {
	last := -1
	switch v.Kind() {
	case '0':
		mantissa, _, _ := bytes.Cut(bytes.ToLower(v), []byte("e"))
		return len(mantissa) - 1
	case '"':
		for i := 1; i < len(v)-1; i++ {
			switch {
			case v[i] == '\\' && v[i+1] == 'u':
				i += len("uXXXX")
			case v[i] == '\\':
				i++
			case other(v[i]) != v[i]:
				last = i
			}
		}
	}
	return last
}

// other is the next digit or letter; everything else stays what it is.
func other(c byte) byte {
	for _, r := range []struct{ first, last byte }{{'0', '9'}, {'a', 'z'}, {'A', 'Z'}} {
		switch {
		case c == r.last:
			return r.first
		case r.first <= c && c < r.last:
			return c + 1
		}
	}
	return c
}
