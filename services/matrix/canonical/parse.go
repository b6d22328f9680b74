package canonical

import (
	"slices"
	"strconv"
	"strings"
)

// MaxDepth is how deep arrays and objects may nest.
const MaxDepth = 64

// SyntaxError says that a text is not strict JSON, or that a number in it has no canonical form.
type SyntaxError struct {
	At int // byte of the text at which that is seen, from 0
}

// Error says where the text is bad.
func (e *SyntaxError) Error() string { return "bad JSON at byte " + strconv.Itoa(e.At) }

// Parse reads one strict JSON value. It fails with a [*SyntaxError]: for a name that stands twice in an object it says where
// the second one begins.
func Parse(b []byte) (Value, error) { return ParseString(string(b)) }

// ParseString is [Parse] for a text that is already a string, which it need not copy.
func ParseString(text string) (Value, error) {
	p := parser{text: text}
	p.space()
	v := p.value(0)
	p.space()
	if p.at < len(text) {
		p.fail(p.at)
	}
	if p.bad > 0 {
		return Value{}, &SyntaxError{p.bad - 1}
	}
	return v, nil
}

// A parser goes through a text. Once it has failed it stands at the end of it, and what it still returns is of no use.
type parser struct {
	text    string
	at      int
	bad     int      // 1 + where it failed first, 0 where it did not
	items   []Value  // of the arrays that are open, innermost last
	members []open   // of the objects that are open, innermost last
	pool    []Member // room for members to come, so that not every object takes its own
}

type open struct {
	Member
	at int
}

func (p *parser) fail(at int) Value {
	if p.bad == 0 {
		p.bad = at + 1
	}
	p.at = len(p.text)
	return Value{}
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\r', '\n':
			p.at++
		default:
			return
		}
	}
}

// take passes one character, if that is what comes next.
func (p *parser) take(c byte) bool {
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

// value reads one value within so many arrays and objects.
func (p *parser) value(depth int) Value {
	if p.at >= len(p.text) {
		return p.fail(p.at)
	}
	at := p.at
	var v Value
	switch c := p.text[p.at]; {
	case c == '"':
		v = Value{kind: String, text: p.quoted()}
	case c == '{' && depth < MaxDepth:
		v = p.object(depth + 1)
	case c == '[' && depth < MaxDepth:
		v = p.array(depth + 1)
	case c == '-' || c >= '0' && c <= '9':
		v = p.number()
	default:
		v = p.word()
	}
	v.at = int32(at)
	return v
}

func (p *parser) word() Value {
	for _, w := range []Value{{kind: Null, text: "null"}, {kind: Bool, text: "true"}, {kind: Bool, text: "false"}} {
		if strings.HasPrefix(p.text[p.at:], w.text) {
			p.at += len(w.text)
			return w
		}
	}
	return p.fail(p.at)
}

func (p *parser) number() Value {
	start := p.at
	p.take('-')
	if !p.take('0') && !p.digits() {
		return p.fail(p.at)
	}
	if p.take('.') && !p.digits() {
		return p.fail(p.at)
	}
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		if !p.digits() {
			return p.fail(p.at)
		}
	}
	return Value{kind: Number, text: p.text[start:p.at]}
}

// digits passes one digit or more.
func (p *parser) digits() bool {
	start := p.at
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
	}
	return p.at > start
}

func (p *parser) array(depth int) Value {
	p.at++
	p.space()
	if p.take(']') {
		return Value{kind: Array}
	}
	base := len(p.items)
	for {
		p.space()
		v := p.value(depth)
		p.items = append(p.items, v)
		p.space()
		if !p.take(',') {
			break
		}
	}
	if !p.take(']') {
		return p.fail(p.at)
	}
	l := &list{items: slices.Clone(p.items[base:])}
	p.items = p.items[:base]
	return Value{kind: Array, list: l}
}

func (p *parser) object(depth int) Value {
	p.at++
	p.space()
	if p.take('}') {
		return Value{kind: Object}
	}
	base := len(p.members)
	for {
		p.space()
		m := open{at: p.at}
		if p.at >= len(p.text) || p.text[p.at] != '"' {
			return p.fail(p.at)
		}
		m.Name = p.quoted()
		p.space()
		if !p.take(':') {
			return p.fail(p.at)
		}
		p.space()
		m.Value = p.value(depth)
		p.members = append(p.members, m)
		p.space()
		if !p.take(',') {
			break
		}
	}
	if !p.take('}') {
		return p.fail(p.at)
	}
	l := &list{members: p.sorted(p.members[base:])}
	p.members = p.members[:base]
	return Value{kind: Object, list: l}
}

// sorted are the members by name. It fails where a name stands twice.
func (p *parser) sorted(members []open) []Member {
	byName := func(a, b open) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(members, byName) {
		slices.SortStableFunc(members, byName)
	}
	twice := -1
	list := p.room(len(members))
	for i, m := range members {
		list[i] = m.Member
		if i > 0 && members[i-1].Name == m.Name && (twice < 0 || m.at < twice) {
			twice = m.at
		}
	}
	if twice >= 0 {
		p.fail(twice)
	}
	return list
}

// room is a list of so many members, cut from a larger one where it is short.
func (p *parser) room(n int) []Member {
	const block = 128
	if n > block/4 || len(p.text) < 16*block {
		return make([]Member, n)
	}
	if len(p.pool) < n {
		p.pool = make([]Member, block)
	}
	list := p.pool[:n:n]
	p.pool = p.pool[n:]
	return list
}
