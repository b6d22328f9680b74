package rpc

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"barnraise/services/matrix/canonical"
)

// Request is a request in the form that all have on the wire (protocol 3.1), taken apart.
type Request struct {
	method string
	params canonical.Value
}

const discover = "rpc.discover"

// Read takes a request apart. It is false for one that is not in the form of all, or no strict JSON, and for rpc.discover, of
// which this package knows nothing.
func Read(text []byte) (r Request, ok bool) {
	if !bytes.HasPrefix(text, []byte(`{"jsonrpc":"2.0","id":1,"method":"`)) {
		return r, false
	}
	v, err := canonical.Parse(text)
	if err != nil || len(v.Members()) != 4 {
		return r, false
	}
	r.method, _ = v.Get("method").Str()
	r.params = v.Get("params")
	list := r.params.Kind() == canonical.Array || r.params.Kind() == canonical.Object
	return r, list && r.method != discover
}

// Events is how many events the lists of a request hold together, those that are no events included.
func (r Request) Events() (n int) {
	m, a := r.call()
	for i, p := range m.Params {
		if p.Name == "events" || p.Name == "authEvents" || p.Name == "state" {
			n += len(a.json(i).value.Items())
		}
	}
	return n
}

// Respond is what the program answers, to the byte.
func (r Request) Respond() []byte {
	out := []byte(`{"jsonrpc":"2.0","id":1,`)
	result, e := r.answer()
	if e == nil {
		return append(append(append(out, `"result":`...), result...), '}')
	}
	out = append(out, `"error":{"code":`...)
	out = strconv.AppendInt(out, e.Code, 10)
	out = canonical.AppendString(append(out, `,"message":`...), e.Message)
	if len(e.Data) > 0 {
		out = append(append(out, `,"data":`...), e.Data...)
	}
	return append(out, "}}"...)
}

func (r Request) answer() ([]byte, *Error) {
	m, a := r.call()
	if a.failed != nil {
		return nil, a.failed
	}
	return m.answer(a)
}

// call finds the method and puts the params in their order. What is wrong with them is the answer.
func (r Request) call() (m Method, a *args) {
	i := slices.IndexFunc(Methods(), func(m Method) bool { return m.Name == r.method })
	if i < 0 {
		return m, &args{failed: unknownMethod()}
	}
	m = Methods()[i]
	a = &args{names: m.Params, values: make([]canonical.Value, len(m.Params))}
	if r.params.Kind() == canonical.Array {
		a.byPosition(r.params)
	} else {
		a.byName(r.params)
	}
	return m, a
}

func (a *args) byPosition(params canonical.Value) {
	if n := len(params.Items()); n > len(a.names) {
		a.fail(strconv.Itoa(n) + " params given, at most " + strconv.Itoa(len(a.names)) + " known")
		return
	}
	copy(a.values, params.Items())
	a.complete()
}

func (a *args) byName(params canonical.Value) {
	unknown := canonical.Member{}
	for _, m := range params.Members() {
		i := slices.IndexFunc(a.names, func(p Param) bool { return p.Name == m.Name })
		if i >= 0 {
			a.values[i] = m.Value
		} else if !unknown.Value.Exists() || m.Value.Offset() < unknown.Value.Offset() {
			unknown = m
		}
	}
	a.complete()
	if unknown.Value.Exists() {
		a.fail("param " + quote(unknown.Name) + " is unknown")
	}
}

// complete looks for params that are missing.
func (a *args) complete() {
	for i, p := range a.names {
		if p.Required && !a.values[i].Exists() {
			a.fail("param " + strconv.Quote(p.Name) + " is missing")
		}
	}
}

// quote is a param's name as package service shows it: as a JSON pointer does, and not all of a long one.
func quote(name string) string {
	name = strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
	if runes := []rune(name); len(runes) > 80 {
		name = string(runes[:80])
	}
	return strconv.Quote(name)
}
