package canonical

import (
	"strconv"
	"strings"
)

// Append writes the value as canonical JSON behind out: no space, members sorted by the code points of their names, strings
// with the fewest escapes, integers in plain digits.
//
// Where strict is true, as in room versions from 6 on, a number that is not an integer within ±[MaxInt] is an error, a
// [*SyntaxError] that says where the number stands. Where it is false, numbers that are larger or have a decimal point stay as
// they were written. Absent values are written as null.
func (v Value) Append(out []byte, strict bool) ([]byte, error) {
	w := writer{out, strict, nil}
	w.value(v)
	return w.out, w.err
}

type writer struct {
	out    []byte
	strict bool
	err    error
}

func (w *writer) value(v Value) {
	switch v.kind {
	case Absent, Null:
		w.out = append(w.out, "null"...)
	case Bool:
		w.out = append(w.out, v.text...)
	case Number:
		w.number(v)
	case String:
		w.out = AppendString(w.out, v.text)
	case Array:
		w.array(v.Items())
	case Object:
		w.object(v.Members())
	}
}

func (w *writer) array(items []Value) {
	w.out = append(w.out, '[')
	for i, v := range items {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.value(v)
	}
	w.out = append(w.out, ']')
}

func (w *writer) object(members []Member) {
	w.out = append(w.out, '{')
	for i := range members {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.out = append(AppendString(w.out, members[i].Name), ':')
		w.value(members[i].Value)
	}
	w.out = append(w.out, '}')
}

func (w *writer) number(v Value) {
	n, whole := integer(v.text)
	switch {
	case w.strict && !whole:
		if w.err == nil {
			w.err = &SyntaxError{int(v.at)}
		}
	case !whole, !w.strict && strings.Contains(v.text, "."):
		w.out = append(w.out, v.text...)
	default:
		w.out = strconv.AppendInt(w.out, n, 10)
	}
}

const hex = "0123456789abcdef"

// AppendString writes a string as canonical JSON does, quotes included.
func AppendString(out []byte, s string) []byte {
	out = append(out, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		out = append(append(out, s[from:i]...), '\\')
		from = i + 1
		if j := strings.IndexByte("\"\\\b\f\n\r\t", c); j >= 0 {
			out = append(out, `"\bfnrt`[j])
		} else {
			out = append(out, 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(out, s[from:]...), '"')
}
