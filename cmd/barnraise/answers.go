package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf8"

	"barnraise/jsonrpc"

	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of what is made for a verifier.
const (
	maxSeedBody = 64 << 10  // bytes of an answer that others are made of
	maxMade     = 256 << 10 // bytes of an answer that is made
	maxAnswers  = 4         // in one input
)

// fallback is what inputs are made of where there are no vectors.
func fallback(config []byte) []input {
	request := []byte(`{"jsonrpc":"2.0","id":1,"method":"m","params":[1,"a"]}`)
	in := input{Config: config}
	for _, body := range []string{
		`{"result":{"items":[{"id":1,"name":"a","score":0.5},{"id":2,"name":"\u00e9","score":-1e3}],"total":2,"more":false,"next":null}}`,
		`{"result":[1,2,3]}`, `{"result":"text"}`, `{"error":{"code":-32602,"message":"want two numbers"}}`,
	} {
		in.Requests = append(in.Requests, request)
		in.Responses = append(in.Responses, []byte(`{"jsonrpc":"2.0","id":1,`+body[1:]))
	}
	return []input{in}
}

// usable reports whether a vector's exchange can be what inputs are made of: a request as it is sent, and answers that a host
// puts before a verifier (protocol 3.1, 3.3). Others are left out of it.
func usable(in input) (input, bool) {
	if len(in.Requests) == 0 || !jsonrpc.IsWire(in.Requests[0]) {
		return in, false
	}
	in.Responses = slices.DeleteFunc(slices.Clone(in.Responses), func(b []byte) bool {
		return len(b) > maxSeedBody || !isAnswer(b)
	})
	return in, len(in.Responses) > 0
}

func isAnswer(b []byte) bool {
	_, err := jsonrpc.ParseResponse(b, jsonrpc.WireID)
	return err == nil
}

// makeInput makes the n-th input of a seed: one to four answers to one request, some the same, some made of others. Whatever
// it makes, a host would put before a verifier. The same arguments give the same input.
func makeInput(from []input, seed, n uint64) input {
	r := rand.New(rand.NewPCG(seed, n))
	base := from[r.IntN(len(from))]
	pool := slices.Clone(base.Responses)
	r.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
	pool = pool[:min(len(pool), 3)]
	for range 1 + r.IntN(3) {
		made := pool[r.IntN(len(pool))]
		for range 1 + r.IntN(3) {
			made = mutate(r, made)
		}
		pool = append(pool, made)
	}
	pool = pool[min(r.IntN(3), len(pool)-1):] // at times without those that it was made of
	in := input{Config: base.Config}
	for range 1 + r.IntN(maxAnswers) {
		in.Requests = append(in.Requests, base.Requests[0])
		in.Responses = append(in.Responses, pool[r.IntN(len(pool))])
	}
	return in
}

// mutate makes another answer of one, or after some attempts gives that itself.
func mutate(r *rand.Rand, body []byte) []byte {
	for range 4 {
		if made := attempt(r, body); len(made) <= maxMade && !bytes.Equal(made, body) && isAnswer(made) {
			return made
		}
	}
	return body
}

// attempt makes something of an answer that need be none.
func attempt(r *rand.Rand, body []byte) []byte {
	root := parseTree(body)
	what := mutations[r.IntN(len(mutations))]
	if what == nil {
		return root.write(nil, spelling(r))
	}
	places := root.places()
	what(r, places[r.IntN(len(places))], jsonrpc.MaxDepth-root.depth())
	return root.write(nil, style{})
}

// A node is a JSON value: an object, an array, a string as it reads, or anything else as it is written.
type node struct {
	kind  jsontext.Kind
	text  string
	names []string
	kids  []*node
}

// parseTree reads a body that is strict JSON.
func parseTree(body []byte) *node { return readNode(jsontext.NewDecoder(bytes.NewReader(body))) }

func readNode(d *jsontext.Decoder) *node {
	token, err := d.ReadToken()
	if err != nil {
		return &node{kind: 'n', text: "null"} // not of a strict body
	}
	n := &node{kind: token.Kind()}
	if n.kind != '{' && n.kind != '[' {
		n.text = token.String()
		return n
	}
	for k := d.PeekKind(); k != '}' && k != ']' && k != 0; k = d.PeekKind() {
		if n.kind == '{' {
			n.names = append(n.names, readNode(d).text)
		}
		n.kids = append(n.kids, readNode(d))
	}
	_, _ = d.ReadToken()
	return n
}

// places lists the values of an answer that say something: all but those of the envelope.
func (n *node) places() (list []*node) {
	for i, name := range n.names {
		if name == "result" || name == "error" {
			list = n.kids[i].all(list)
		}
	}
	return list
}

func (n *node) all(list []*node) []*node {
	list = append(list, n)
	for _, k := range n.kids {
		list = k.all(list)
	}
	return list
}

// depth is how many levels nest.
func (n *node) depth() int {
	most := 0
	for _, k := range n.kids {
		most = max(most, k.depth())
	}
	if n.kind == '{' || n.kind == '[' {
		most++
	}
	return most
}

func (n *node) clone() *node {
	c := &node{n.kind, n.text, slices.Clone(n.names), nil}
	for _, k := range n.kids {
		c.kids = append(c.kids, k.clone())
	}
	return c
}

// A style is how a value is written that means the same.
type style struct {
	space  string // between tokens
	escape bool   // characters of strings that need not be
	number string // behind whole numbers, such as .0
	turned bool   // members in the opposite order
}

func spelling(r *rand.Rand) style {
	return style{
		space:  []string{"", " ", "\n\t", "\r\n  "}[r.IntN(4)],
		escape: r.IntN(2) == 0,
		number: []string{"", "", ".0", "e0", "E+00"}[r.IntN(5)],
		turned: r.IntN(2) == 0,
	}
}

func (n *node) write(b []byte, s style) []byte { return n.append(b, s, true) }

func (n *node) append(b []byte, s style, envelope bool) []byte {
	if n.kind == '{' || n.kind == '[' {
		b = append(b, byte(n.kind))
		for place := range n.kids {
			if place > 0 {
				b = append(b, ',')
			}
			b = n.appendKid(append(b, s.space...), place, s, envelope)
		}
		return append(append(b, s.space...), byte(n.kind)+2)
	}
	if n.kind == '"' {
		return appendString(b, n.text, s.escape)
	}
	b = append(b, n.text...)
	if n.kind == '0' && !strings.ContainsAny(n.text, ".eE") {
		b = append(b, s.number...)
	}
	return b
}

// appendKid writes what stands at a place. The envelope's version and id are spelt as they have to be.
func (n *node) appendKid(b []byte, place int, s style, envelope bool) []byte {
	if n.kind == '[' {
		return n.kids[place].append(b, s, false)
	}
	if s.turned {
		place = len(n.kids) - 1 - place
	}
	name := n.names[place]
	b = append(append(appendString(b, name, s.escape && !envelope), s.space...), ':')
	if envelope && (name == "id" || name == "jsonrpc") {
		s = style{}
	}
	return n.kids[place].append(b, s, false)
}

func appendString(b []byte, text string, escape bool) []byte {
	if !escape {
		b, _ = jsontext.AppendQuote(b, text)
		return b
	}
	b = append(b, '"')
	for _, c := range text {
		if c < 0x80 {
			b = fmt.Appendf(b, `\u%04x`, c)
		} else {
			b = utf8.AppendRune(b, c)
		}
	}
	return append(b, '"')
}
