package conformance

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/manifest"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Request is a request that an image is tried with.
type Request struct {
	Method  string
	Body    []byte // in wire form (protocol 3.1)
	Example bool   // the manifest's own: that it fails, fails the gate
}

// Bounds of what is asked.
const (
	defaultPerMethod = 24
	maxRequests      = 1024
	maxBody          = 32 << 10
)

// Requests lists what a service can be asked by whoever has only its manifest: its examples, and so many for each method that
// are made up from its OpenRPC document. The same arguments give the same requests. It fails with [manifest.ErrManifest], and
// with [ErrCannot] where there is nothing to ask.
func Requests(m manifest.Manifest, seed uint64, perMethod int) ([]Request, error) {
	return requests(m, Options{Seed: seed, Requests: perMethod})
}

// requests lists what an image is asked: the examples, and what is made up. It is a function of its
// arguments.
func requests(m manifest.Manifest, o Options) ([]Request, error) {
	examples, err := m.Examples()
	if err != nil {
		return nil, err
	}
	d, err := parseDocument(m.OpenRPC)
	if err != nil {
		return nil, err
	}
	l := &list{limit: m.Limits.Request, seen: make(map[barnraise.Digest]bool)}
	for _, body := range examples {
		l.add(body, true)
	}
	for _, method := range d.methods {
		own := l.of(method.Name)
		maker := &maker{d, rand.New(rand.NewPCG(o.Seed, seedOf(method.Name)))}
		for n, tries := 0, 0; n < o.Requests && tries < 8*o.Requests; tries++ {
			if maker.add(l, method, own, tries) {
				n++
			}
		}
	}
	l.make("rpc.discover", nil)
	if len(l.requests) == 0 {
		return nil, fmt.Errorf("make requests: %w: the manifest has no methods", ErrCannot)
	}
	return l.requests, nil
}

func seedOf(name string) uint64 {
	sum := barnraise.Sum([]byte(name))
	return binary.BigEndian.Uint64(sum[:])
}

// list collects requests, each once, of a size that may be sent.
type list struct {
	requests []Request
	limit    manifest.Bytes
	seen     map[barnraise.Digest]bool
}

// add reports whether the request was taken.
func (l *list) add(body []byte, example bool) bool {
	r, err := jsonrpc.ParseRequest(body)
	sum := barnraise.Sum(body)
	small := example || len(body) <= maxBody && uint64(len(body)) <= uint64(l.limit)
	if err != nil || !jsonrpc.IsWire(body) || l.seen[sum] || !small || len(l.requests) >= maxRequests {
		return false
	}
	l.seen[sum] = true
	l.requests = append(l.requests, Request{r.Method, bytes.Clone(body), example})
	return true
}

func (l *list) make(method string, params jsontext.Value) bool {
	body, err := jsonrpc.NewRequest(method, params)
	return err == nil && l.add(body, false)
}

// of is the params of the requests so far that call a method.
func (l *list) of(method string) (params []jsontext.Value) {
	for _, r := range l.requests {
		if r.Method != method {
			continue
		}
		if parsed, err := jsonrpc.ParseRequest(r.Body); err == nil {
			params = append(params, parsed.Params)
		}
	}
	return params
}

// add makes up one request to a method: most of them fit its schemas, or are like an example; the others are wrong in one way.
func (m *maker) add(l *list, to method, examples []jsontext.Value, n int) bool {
	params := m.params(to)
	names, values := m.fitting(params)
	byPosition := to.ParamStructure == "by-position"
	switch kind := n % 8; {
	case (kind == 1 || kind == 4) && len(examples) > 0:
		if like := m.like(pick(m.rng, examples)); like != nil {
			return l.make(to.Name, like)
		}
	case kind == 3 && len(names) > 0:
		values[m.rng.IntN(len(values))] = m.odd()
	case kind == 5 && len(names) > 0:
		i := m.rng.IntN(len(names))
		names, values = slices.Delete(names, i, i+1), slices.Delete(values, i, i+1)
	case kind == 6:
		names, values = append(names, pick(m.rng, []string{"unknown", "q", "", "id"})), append(values, m.odd())
	case kind == 7 && to.ParamStructure == "":
		byPosition = true
	}
	if byPosition {
		return l.make(to.Name, arrayOf(values))
	}
	return l.make(to.Name, objectOf(names, values))
}

// fitting makes values for the required params and some of the others.
func (m *maker) fitting(params []param) (names []string, values []jsontext.Value) {
	for _, p := range params {
		if p.Required || m.rng.IntN(2) == 0 {
			names, values = append(names, p.Name), append(values, m.value(p.Schema, 0))
		}
	}
	return names, values
}

// like changes one of the params of an example; nil where it has none.
func (m *maker) like(params jsontext.Value) jsontext.Value {
	var values []jsontext.Value
	if params.Kind() == '[' {
		if json.Unmarshal(params, &values) != nil || len(values) == 0 {
			return nil
		}
		i := m.rng.IntN(len(values))
		values[i] = m.mutated(values[i])
		return arrayOf(values)
	}
	names, values := members(params)
	if len(names) == 0 {
		return nil
	}
	i := m.rng.IntN(len(names))
	values[i] = m.mutated(values[i])
	return objectOf(names, values)
}

// members takes an object apart, in its order.
func members(object jsontext.Value) (names []string, values []jsontext.Value) {
	d := jsontext.NewDecoder(bytes.NewReader(object))
	if open, err := d.ReadToken(); err != nil || open.Kind() != '{' {
		return nil, nil
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, nil
		}
		key := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return nil, nil
		}
		names, values = append(names, key), append(values, value.Clone())
	}
	return names, values
}

// oddRequests are what other callers send in between: valid requests that nobody answers with a result, and what is no request
// at all.
func oddRequests(methods []string) (bodies [][]byte) {
	for _, m := range methods {
		bodies = append(bodies,
			fmt.Appendf(nil, `{"jsonrpc":"2.0","id":"other","method":%q,"params":{"other":[1,2,3]}}`, m),
			fmt.Appendf(nil, `{"jsonrpc":"2.0","id":-7,"method":%q}`, m),
			fmt.Appendf(nil, `{"method":%q,"params":[null,"🌾",{}],"id":2,"jsonrpc":"2.0"}`, m))
	}
	return append(bodies,
		[]byte(`{"jsonrpc":"2.0","id":null,"method":"no_such_method","params":[]}`),
		[]byte(`{"jsonrpc":"2.0","id":1,"method":"rpc.none","params":{}}`),
		[]byte(`{"jsonrpc":"2.0","id":1,`), []byte(`[]`), []byte("\xff"), nil)
}
