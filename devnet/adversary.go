package devnet

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync/atomic"

	"barnraise/image"
	"barnraise/runtime"
	runwasm "barnraise/runtime/wasm"
)

// Adversary is what a server does to those who ask it. What it signs it signs with its own key, as a real one would.
type Adversary struct {
	Name string

	home   bool // it is the services' home
	dead   bool // it is registered and gone
	silent bool // it takes requests and never answers
	lies   atomic.Bool
}

// behaviours say what the adversaries do, by name.
var behaviours = map[string]func(*Adversary){
	"liar":      func(a *Adversary) { a.lies.Store(true) },
	"silent":    func(a *Adversary) { a.silent = true },
	"lyinghome": func(a *Adversary) { a.home = true; a.lies.Store(true) },
	"deadhome":  func(a *Adversary) { a.home, a.dead = true, true },
}

// Adversaries lists the adversaries there are: liar alters one byte of each answer, silent never answers, lyinghome and
// deadhome are the home of every service.
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

// Falsify alters one byte of a result so that the answer still looks like one: the last digit, or letter within a word, is
// another one then. Errors, and results that have neither, are left as they are.
func Falsify(response []byte) []byte {
	lie := bytes.Clone(response)
	from := bytes.Index(lie, []byte(`"result":`))
	if from < 0 {
		return lie
	}
	from += len(`"result":`)
	for i := len(lie) - 1; i > from; i-- {
		c, before := lie[i], lie[i-1]
		switch {
		case '0' <= c && c <= '9' && (alphanumeric(before) || before == '"'):
			lie[i] = '0' + (c-'0'+1)%10
		case '1' <= c && c <= '9' && before != '-':
			lie[i] = '1' + (c-'1'+1)%9
		case 'a' <= c && c <= 'z' && 'a' <= before && before <= 'z' && inText(lie[:i]):
			lie[i] = 'a' + (c-'a'+1)%26
		default:
			continue
		}
		return lie
	}
	return lie
}

func alphanumeric(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' }

// inText reports whether what follows is within a string, and no name of a member: names end before a colon.
func inText(before []byte) bool {
	quotes := 0
	for i, c := range before {
		if c == '"' && (i == 0 || before[i-1] != '\\') {
			quotes++
		}
	}
	return quotes%2 == 1
}
