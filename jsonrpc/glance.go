package jsonrpc

import (
	"bytes"
	"encoding/binary"

	"github.com/go-json-experiment/json/jsontext"
)

// Most JSON that goes over the wire can be told to be strict in one quick pass: strings of ASCII without escapes, objects of few
// members. A glance takes only what the decoder takes, too, and leaves all else to it: to take no for an answer is to look closely.

// maxNames is how many members of one object a glance tells apart.
const maxNames = 8

// deeper is how many levels are left inside one value.
type deeper int

// space passes over white space.
func space(b []byte, at int) int {
	for at < len(b) && (b[at] == ' ' || b[at] == '\n' || b[at] == '\r' || b[at] == '\t') {
		at++
	}
	return at
}

// value is where the value that begins at a place ends; -1 where a glance cannot tell.
func (d deeper) value(b []byte, at int) int {
	if at >= len(b) {
		return -1
	}
	switch c := b[at]; {
	case c == '"':
		return simple(b, at)
	case c == '{' && d > 0:
		return (d - 1).object(b, at, nil)
	case c == '[' && d > 0:
		return (d - 1).array(b, at)
	case c == '-' || '0' <= c && c <= '9':
		return number(b, at)
	}
	for _, word := range []string{"null", "true", "false"} {
		if len(b)-at >= len(word) && string(b[at:at+len(word)]) == word {
			return at + len(word)
		}
	}
	return -1
}

func (d deeper) array(b []byte, at int) int {
	if at = space(b, at+1); at < len(b) && b[at] == ']' {
		return at + 1
	}
	for {
		if at = d.value(b, at); at < 0 {
			return -1
		}
		at = space(b, at)
		switch {
		case at == len(b):
			return -1
		case b[at] == ']':
			return at + 1
		case b[at] != ',':
			return -1
		}
		at = space(b, at+1)
	}
}

// object hands each member to one who takes it, if there is one; where he does not take it the glance ends.
func (d deeper) object(b []byte, at int, take func(name, value []byte) bool) int {
	if at = space(b, at+1); at < len(b) && b[at] == '}' {
		return at + 1
	}
	var names [maxNames]struct{ from, to int }
	for n := range names {
		from := at
		if at >= len(b) || b[at] != '"' {
			return -1
		}
		if at = simple(b, at); at < 0 {
			return -1
		}
		name := b[from:at]
		for _, o := range names[:n] {
			if bytes.Equal(b[o.from:o.to], name) {
				return -1
			}
		}
		names[n].from, names[n].to = from, at
		if at = space(b, at); at == len(b) || b[at] != ':' {
			return -1
		}
		from = space(b, at+1)
		if at = d.value(b, from); at < 0 {
			return -1
		}
		if take != nil && !take(name[1:len(name)-1], b[from:at:at]) {
			return -1
		}
		at = space(b, at)
		switch {
		case at == len(b):
			return -1
		case b[at] == '}':
			return at + 1
		case b[at] != ',':
			return -1
		}
		at = space(b, at+1)
	}
	return -1
}

// simple is where a string ends that has nothing in it but ASCII as it is; -1 for any other.
func simple(b []byte, at int) int {
	for end := min(len(b), at+33); ; {
		at++
		if at == end {
			break
		}
		switch c := b[at]; {
		case c == '"':
			return at + 1
		case c < ' ' || c >= 0x80 || c == '\\':
			return -1
		}
	}
	end := bytes.IndexByte(b[at:], '"')
	if end < 0 || !asIs(b[at:at+end]) {
		return -1
	}
	return at + end + 1
}

// asIs reports whether there is nothing but ASCII that a string may hold as it is, quotes apart. A byte below a space makes the
// difference borrow, so that another may look wrong, too: but never where there is none.
func asIs(b []byte) bool {
	const spaces, tops = 0x2020202020202020, 0x8080808080808080
	if bytes.IndexByte(b, '\\') >= 0 {
		return false
	}
	var wrong uint64
	for ; len(b) >= 32; b = b[32:] {
		w0, w1 := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		w2, w3 := binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])
		wrong |= w0 | w1 | w2 | w3 | (w0 - spaces) | (w1 - spaces) | (w2 - spaces) | (w3 - spaces)
	}
	for _, c := range b {
		wrong |= uint64(c) | (uint64(c) - ' ')
	}
	return wrong&tops == 0
}

func number(b []byte, at int) int {
	if b[at] == '-' {
		at++
	}
	if at < len(b) && b[at] == '0' {
		at++
	} else if at = digits(b, at); at < 0 {
		return -1
	}
	if at < len(b) && b[at] == '.' {
		if at = digits(b, at+1); at < 0 {
			return -1
		}
	}
	if at < len(b) && (b[at] == 'e' || b[at] == 'E') {
		if at++; at < len(b) && (b[at] == '+' || b[at] == '-') {
			at++
		}
		at = digits(b, at)
	}
	return at
}

// digits is where one or more digits end; -1 where there is none.
func digits(b []byte, at int) int {
	from := at
	for at < len(b) && '0' <= b[at] && b[at] <= '9' {
		at++
	}
	if at == from {
		return -1
	}
	return at
}

// glance reports whether b is one strict JSON value of at most so many levels, as far as that can be told at a glance.
func glance(b []byte, levels deeper) bool {
	at := levels.value(b, space(b, 0))
	return at >= 0 && space(b, at) == len(b)
}

// member is one that an object is expected to have, and where its value goes.
type member struct {
	name string
	into *jsontext.Value
}

// glanceMembers reads an object as members does, where it can at a glance.
func glanceMembers(b []byte, want []member) bool {
	at := space(b, 0)
	if at == len(b) || b[at] != '{' {
		return false
	}
	at = deeper(MaxDepth-1).object(b, at, func(name, value []byte) bool {
		for i := range want {
			if string(name) == want[i].name {
				*want[i].into = value
				return true
			}
		}
		return false
	})
	if at >= 0 && space(b, at) == len(b) {
		return true
	}
	for _, m := range want {
		*m.into = nil
	}
	return false
}
