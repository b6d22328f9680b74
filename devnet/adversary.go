package devnet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"barnraise/image"
	"barnraise/runtime"
	runwasm "barnraise/runtime/wasm"

	"github.com/go-json-experiment/json/jsontext"
)

// Adversary is what a server does to those who ask it. What it signs it signs with its own key, as a real one would.
type Adversary struct {
	Name string

	home   bool // it is the services' home
	dead   bool // it is registered and gone
	silent bool // it takes requests, lets their time run out, and says so (504)
	lies   atomic.Bool
}

// behaviours say what the adversaries do, by name.
var behaviours = map[string]func(*Adversary){
	"liar":      func(a *Adversary) { a.lies.Store(true) },
	"silent":    func(a *Adversary) { a.silent = true },
	"lyinghome": func(a *Adversary) { a.home = true; a.lies.Store(true) },
	"deadhome":  func(a *Adversary) { a.home, a.dead = true, true },
}

// Adversaries lists the adversaries there are: liar alters one byte of each answer, silent lets the time of every call run out
// and answers 504, lyinghome and deadhome are the home of every service.
func Adversaries() []string { return slices.Sorted(maps.Keys(behaviours)) }

func newAdversary(name string) *Adversary {
	behave, ok := behaviours[name]
	if !ok {
		return nil
	}
	a := &Adversary{Name: name}
	behave(a)
	return a
}

// runtime runs what a server runs, as the adversary would have it.
func (n *Net) runtime(a *Adversary) func(*image.Store) runtime.Runtime {
	return func(images *image.Store) runtime.Runtime {
		honest := runwasm.New(runwasm.Config{Engine: n.engine, Images: images})
		if a == nil {
			return honest
		}
		return dishonest{honest, a}
	}
}

// dishonest is a runtime whose instances do not keep to what they run.
type dishonest struct {
	runtime.Runtime
	adversary *Adversary
}

// Start starts the real thing: an adversary must pass its own probe like anybody.
func (d dishonest) Start(ctx context.Context, spec runtime.Spec) (runtime.Instance, error) {
	i, err := d.Runtime.Start(ctx, spec)
	if err != nil {
		return nil, err
	}
	return &falsified{Instance: i, adversary: d.adversary}, nil
}

type falsified struct {
	runtime.Instance
	adversary *Adversary
	probed    atomic.Bool // the first call is the server's own probe
}

// Call answers the way the adversary does.
func (f *falsified) Call(ctx context.Context, request []byte) ([]byte, error) {
	if f.adversary.silent && f.probed.Swap(true) {
		<-ctx.Done()
		return nil, runtime.ErrTimeout
	}
	response, err := f.Instance.Call(ctx, request)
	if err != nil || !f.adversary.lies.Load() {
		return response, err
	}
	return Falsify(response), nil
}

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
