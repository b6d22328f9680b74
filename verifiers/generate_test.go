package verifiers_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// A node is a JSON value that can be written in many ways.
type node struct {
	kind    byte // { [ " 0, or l for a literal
	text    string
	names   []string // of an object's members
	members []*node
}

// A writer makes values up, and writes them as it pleases.
type writer struct{ *rand.Rand }

func (w writer) pick(list ...string) string { return list[w.IntN(len(list))] }

var memberNames = []string{"a", "b", "i", "t", "s", "é", "~", "/", `"`, `\`, "0", "1", "*", "", "😀", "longer than eight"}

func (w writer) value(depth int) *node {
	kind := `"0l{[`[w.IntN(5)]
	if depth == 0 {
		kind = `"0l`[w.IntN(3)]
	}
	n := &node{kind: kind}
	switch kind {
	case '"':
		n.text = w.pick("", "a", "é", "\x00", "\x1f\x7f", "\n\"\\/", "😀", "ab\u2028cdefghij", "twelve bytes", "twelve byteſ") + w.pick("", "x")
	case '0':
		n.text = w.number()
	case 'l':
		n.text = w.pick("true", "false", "null")
	case '{':
		for range w.IntN(6) {
			if name := memberNames[w.IntN(len(memberNames))]; !slices.Contains(n.names, name) {
				n.names, n.members = append(n.names, name), append(n.members, w.value(depth-1))
			}
		}
	case '[':
		for range w.IntN(6) {
			n.members = append(n.members, w.value(depth-1))
		}
	}
	return n
}

func (w writer) number() string {
	switch w.IntN(4) {
	case 0:
		return w.pick("0", "-0", "1", "10", "-1.50", "0.001", "123456789012345678901234567890", "1e400", "-1e-400", "2.5e-324", "1.7976931348623157e308",
			"1e999999999999999999", "1e1000000000000000000", "1e-99999999999999999999999")
	case 1:
		return fmt.Sprint(w.IntN(4))
	case 2:
		return fmt.Sprintf("%.*f", w.IntN(20), w.NormFloat64()*1000)
	}
	return fmt.Sprintf("%de%d", w.Int64()>>w.IntN(63), w.IntN(40)-20)
}

// write writes a value: white space, escapes, the spelling of numbers and the order of members as it comes. Where loose is 0,
// numbers and their digits stand as they are.
func (w writer) write(b *strings.Builder, n *node) {
	w.space(b)
	defer w.space(b)
	switch n.kind {
	case '"':
		w.quote(b, n.text)
	case '0':
		b.WriteString(w.respell(n.text))
	case 'l':
		b.WriteString(n.text)
	default:
		order := make([]int, len(n.members))
		for i := range order {
			order[i] = i
		}
		if n.kind == '{' && w.IntN(2) == 0 {
			w.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		b.WriteByte(n.kind)
		for i, j := range order {
			if i > 0 {
				b.WriteByte(',')
			}
			if n.kind == '{' {
				w.space(b)
				w.quote(b, n.names[j])
				w.space(b)
				b.WriteByte(':')
			}
			w.write(b, n.members[j])
		}
		if len(order) == 0 {
			w.space(b)
		}
		b.WriteByte(n.kind + 2)
	}
}

func (w writer) space(b *strings.Builder) {
	for w.IntN(8) == 0 {
		b.WriteString(w.pick(" ", "\t", "\n", "\r"))
	}
}

func (w writer) quote(b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r > 0xffff && w.IntN(2) == 0:
			r -= 0x10000
			fmt.Fprintf(b, `\u%04x\u%04X`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		case r < 0x10000 && w.IntN(4) == 0 || r < 0x20:
			short := strings.IndexRune("\b\t\n\f\r", r)
			if short >= 0 && w.IntN(2) == 0 {
				b.WriteString(`\` + "btnfr"[short:short+1])
				continue
			}
			fmt.Fprintf(b, w.pick(`\u%04x`, `\u%04X`), r)
		case strings.ContainsRune(`"\`, r) || r == '/' && w.IntN(2) == 0:
			b.WriteString(`\` + string(r))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}

// respell writes a number otherwise, with the same value.
func (w writer) respell(s string) string {
	mantissa, exponent, _ := strings.Cut(s, "e")
	before, after, _ := strings.Cut(strings.TrimPrefix(mantissa, "-"), ".")
	digits := strings.TrimLeft(before+after, "0")
	if w.IntN(2) == 0 || len(exponent) > 15 {
		return s
	}
	if digits == "" {
		return w.pick("0", "-0", "0.0", "-0e5", "0.00E-7", "0e+99999999999999999999")
	}
	var e int
	fmt.Sscan(exponent, &e)
	zeros := w.IntN(3)
	digits, e = digits+strings.Repeat("0", zeros), e-len(after)-zeros
	behind := w.IntN(len(digits))
	e += behind
	if behind > 0 {
		digits = digits[:len(digits)-behind] + "." + digits[len(digits)-behind:]
	}
	if strings.HasPrefix(s, "-") {
		digits = "-" + digits
	}
	if e == 0 && w.IntN(2) == 0 {
		return digits
	}
	sign := w.pick("", "+")
	if e < 0 {
		sign, e = "-", -e
	}
	return fmt.Sprint(digits, w.pick("e", "E"), sign, w.pick("", "0", "00000000000000000000"), e)
}

// change alters one value somewhere below a node, takes one away, or swaps two elements. It gives the pointer to what it altered,
// and those to the two.
func (w writer) change(n *node, pointer string) []string {
	if len(n.members) > 0 && w.IntN(5) > 0 {
		i := w.IntN(len(n.members))
		part := fmt.Sprint(i)
		if n.kind == '{' {
			part = strings.ReplaceAll(strings.ReplaceAll(n.names[i], "~", "~0"), "/", "~1")
		}
		return w.change(n.members[i], pointer+"/"+part)
	}
	switch {
	case len(n.members) > 0 && w.IntN(3) == 0:
		last := len(n.members) - 1
		n.members = n.members[:last]
		if n.kind == '{' {
			n.names = n.names[:last]
		}
		return []string{pointer + "/-"}
	case n.kind == '[' && len(n.members) > 1:
		i := w.IntN(len(n.members) - 1)
		n.members[i], n.members[i+1] = n.members[i+1], n.members[i]
		return []string{pointer, fmt.Sprint(pointer, "/", i), fmt.Sprint(pointer, "/", i+1)}
	case n.kind == '0' && w.IntN(4) > 0:
		if n.text == "0" || n.text == "-0" {
			n.text += "."
		}
		n.text += "1"
	default:
		*n = *w.value(1)
	}
	return []string{pointer}
}

// pointers makes up where rules lead: to what is in a value, more often than not.
func (w writer) pointers(n *node) (list []string) {
	for range w.IntN(4) {
		p, at := "", n
		for depth := 0; depth == 0 || len(at.members) > 0 && w.IntN(3) > 0; depth++ {
			if len(at.members) == 0 {
				p += "/" + w.pick("a", "i", "*", "0", "~1")
				break
			}
			i := w.IntN(len(at.members))
			part := fmt.Sprint(i)
			if at.kind == '{' {
				part = strings.ReplaceAll(strings.ReplaceAll(at.names[i], "~", "~0"), "/", "~1")
			}
			p += "/" + w.pick(part, part, "*")
			at = at.members[i]
		}
		list = append(list, p)
	}
	return list
}

// config makes up a configuration for a value.
func (w writer) config(n *node) string {
	var b strings.Builder
	lists := map[string][]string{}
	for _, name := range []string{"ignore", "sets"} {
		for _, p := range w.pointers(n) {
			var q strings.Builder
			w.quote(&q, p)
			lists[name] = append(lists[name], q.String())
		}
	}
	for _, p := range w.pointers(n) {
		var q strings.Builder
		w.quote(&q, p)
		lists["tolerance"] = append(lists["tolerance"], fmt.Sprintf(`{"at":%s,%s}`, &q,
			w.pick(`"absolute":1e-9`, `"absolute":2`, `"relative":1e-3`, `"relative":0.999`, `"absolute":1e300`)))
	}
	b.WriteByte('{')
	for i, name := range slices.Sorted(maps.Keys(lists)) {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:[%s]", name, strings.Join(lists[name], ","))
	}
	b.WriteByte('}')
	return b.String()
}
