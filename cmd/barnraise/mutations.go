package main

import (
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// mutations are what becomes of one value of an answer, where there is room for so many more levels. Nil writes the whole
// answer otherwise.
var mutations = []func(r *rand.Rand, at *node, room int){
	nil, nil, alter, alter, truncate, huge, hugeText, nest, empty, drop, double, shuffle, swap, rename,
}

// alter changes a scalar a little.
func alter(r *rand.Rand, at *node, _ int) {
	switch {
	case at.kind == 't' || at.kind == 'f':
		at.kind, at.text = 't'+'f'-at.kind, map[string]string{"true": "false", "false": "true"}[at.text]
	case at.kind == 'n':
		*at = node{kind: '0', text: "0"}
	case at.kind == '0':
		b := []byte(at.text)
		last := len(b) - 1
		b[last] = '0' + (b[last]-'0'+byte(1+r.IntN(9)))%10
		at.text = string(b)
	case at.kind == '"' && at.text != "":
		i := r.IntN(len(at.text))
		if c := at.text[i]; c < utf8.RuneSelf {
			at.text = at.text[:i] + string(rune(' '+(c+1)%90)) + at.text[i+1:]
		}
	}
}

// truncate cuts a string or a number off, or an array or object after some of its values.
func truncate(r *rand.Rand, at *node, _ int) {
	switch n := len(at.kids); {
	case at.kind == '"' && at.text != "":
		at.text = strings.ToValidUTF8(at.text[:r.IntN(len(at.text))], "")
	case at.kind == '0' && len(at.text) > 1:
		at.text = at.text[:1+r.IntN(len(at.text)-1)]
	case n > 0:
		n = r.IntN(n)
		at.kids, at.names = at.kids[:n], at.names[:min(n, len(at.names))]
	}
}

var hugeNumbers = []string{
	"1e308", "-1e308", "1e309", "1e-400", "5e-324", "9007199254740993", "18446744073709551616", "-9223372036854775809", "-0", "-0.0",
	"0.1000000000000000055511151231257827", "1E+99999999999999999999", "0e99999999999999999999", "4294967296", "2147483648", "-1",
	strings.Repeat("9", 400), "0." + strings.Repeat("0", 400) + "1",
}

// huge makes a number out of a value that few expect.
func huge(r *rand.Rand, at *node, _ int) {
	*at = node{kind: '0', text: hugeNumbers[r.IntN(len(hugeNumbers))]}
}

var hugeTexts = []string{
	"\x00", "é", "\U0001f600", `"`, `\`, `\"]},{"`, "]},{[", "\u2028", "\ufeff", "__proto__", "NaN", "1", strings.Repeat("a", 20_000), strings.Repeat(`\"`, 5_000),
}

// hugeText makes a string out of a value that few expect.
func hugeText(r *rand.Rand, at *node, _ int) {
	*at = node{kind: '"', text: hugeTexts[r.IntN(len(hugeTexts))]}
}

// nest puts arrays or objects around a value, as deep as there is room.
func nest(r *rand.Rand, at *node, room int) {
	levels := max(room, 0)
	if levels > 2 && r.IntN(2) == 0 {
		levels = 1 + r.IntN(3)
	}
	kind := []jsontext.Kind{'[', '{'}[r.IntN(2)]
	for range levels {
		inner := *at
		*at = node{kind: kind, kids: []*node{&inner}}
		if kind == '{' {
			at.names = []string{"a"}
		}
	}
}

// empty makes nothing of a value.
func empty(r *rand.Rand, at *node, _ int) {
	*at = []node{{kind: '{'}, {kind: '['}, {kind: '"'}, {kind: 'n', text: "null"}, {kind: '0', text: "0"}, {kind: 'f', text: "false"}}[r.IntN(6)]
}

// drop leaves a member or an element out.
func drop(r *rand.Rand, at *node, _ int) {
	if n := len(at.kids); n > 0 {
		i := r.IntN(n)
		at.without(i)
	}
}

func (n *node) without(i int) {
	n.kids = slices.Delete(slices.Clone(n.kids), i, i+1)
	if n.kind == '{' {
		n.names = slices.Delete(slices.Clone(n.names), i, i+1)
	}
}

// double repeats an element, once or often, or a member under another name.
func double(r *rand.Rand, at *node, _ int) {
	if len(at.kids) == 0 {
		return
	}
	i := r.IntN(len(at.kids))
	times := 1
	if r.IntN(8) == 0 {
		times = 500
	}
	if at.kind == '{' {
		at.names, times = append(at.names, at.names[i]+"2"), 1
	}
	for range times {
		at.kids = append(at.kids, at.kids[i].clone())
	}
}

// shuffle brings elements or members into another order.
func shuffle(r *rand.Rand, at *node, _ int) {
	r.Shuffle(len(at.kids), func(i, j int) {
		at.kids[i], at.kids[j] = at.kids[j], at.kids[i]
		if at.kind == '{' {
			at.names[i], at.names[j] = at.names[j], at.names[i]
		}
	})
}

// swap makes two values change places.
func swap(r *rand.Rand, at *node, _ int) {
	if n := len(at.kids); n > 1 {
		i, j := r.IntN(n), r.IntN(n)
		at.kids[i], at.kids[j] = at.kids[j], at.kids[i]
	}
}

// rename gives a member another name.
func rename(r *rand.Rand, at *node, _ int) {
	if at.kind == '{' && len(at.names) > 0 {
		at.names[r.IntN(len(at.names))] = []string{"", "é", "result", `a"b`, "0"}[r.IntN(5)]
	}
}
