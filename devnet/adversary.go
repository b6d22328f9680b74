package devnet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"barnraise"
	"barnraise/image"
	"barnraise/runtime"
	runwasm "barnraise/runtime/wasm"
	"barnraise/server"
)

// Adversary is what a server does to those who ask it. What it signs it signs with its own key, as a real one would.
type Adversary struct {
	Name string

	home   bool // it is the services' home
	dead   bool // it is registered and gone
	silent bool // it takes requests, lets their time run out, and says so (504)
	claims bool // it offers on chain what it does not run
	lies   Lie  // about everything; nil where it does not

	mu    sync.Mutex
	about map[barnraise.Digest]Lie // what a turncoat lies about now, by image
}

// A Lie makes of a true response a false one.
type Lie func(response []byte) []byte

// behaviours say what the adversaries do, by name.
var behaviours = map[string]func(*Adversary){
	"liar":      func(a *Adversary) { a.lies = Falsify },
	"silent":    func(a *Adversary) { a.silent = true },
	"freerider": func(a *Adversary) { a.claims = true },
	"lyinghome": func(a *Adversary) { a.home, a.lies = true, Falsify },
	"deadhome":  func(a *Adversary) { a.home, a.dead = true, true },
}

// Adversaries lists the adversaries there are: liar alters one byte of each answer, silent lets the time of every call run out
// and answers 504, freerider offers every service on chain and runs what is its own, lyinghome and deadhome are the home of
// every service.
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

// claim has free riders offer everything on chain, once they run what is their own.
func (n *Net) claim(ctx context.Context) error {
	snapshot, err := n.registry.Snapshot(ctx)
	if err != nil {
		return err
	}
	all := slices.Sorted(maps.Values(n.Network.Names))
	for i, m := range n.Servers {
		v, _ := snapshot.Server(m.ID)
		rewards, capacity := n.ids(n.layout.Parties[i].Rewards), n.layout.capacity(i)
		if m.Adversary == nil || !m.Adversary.claims || slices.Equal(v.Offers, all) && slices.Equal(v.Rewards, rewards) {
			continue
		}
		if _, err := n.registry.SetLists(ctx, n.accounts.delegates[i], m.ID, all, rewards, capacity); err != nil {
			return err
		}
		n.say("server %d claims to offer %d service(s), and runs %d", m.ID, len(all), len(n.own(i)))
	}
	return nil
}

// forgetful is the registry as a free rider's server sees it, which does not know what is claimed in its name.
type forgetful struct {
	server.Registry
	self barnraise.ServerID
	own  []barnraise.ServiceID
}

// Snapshot is the registry at the head of the chain, without the claims.
func (f forgetful) Snapshot(ctx context.Context) (*barnraise.Snapshot, error) {
	return f.without(f.Registry.Snapshot(ctx))
}

// Confirmed is the registry that hosting goes by, without the claims.
func (f forgetful) Confirmed(ctx context.Context) (*barnraise.Snapshot, error) {
	return f.without(f.Registry.Confirmed(ctx))
}

// SetLists does nothing: what stands on chain is not the server's to say.
func (f forgetful) SetLists(context.Context, barnraise.ServerID, []barnraise.ServiceID, []barnraise.ServiceID, uint32) error {
	return nil
}

func (f forgetful) without(s *barnraise.Snapshot, err error) (*barnraise.Snapshot, error) {
	if err != nil {
		return nil, err
	}
	servers := s.Servers()
	for i := range servers {
		if servers[i].ID == f.self {
			servers[i].Offers = f.own
		}
	}
	return barnraise.NewSnapshot(s.Registry, s.Block, s.Hash, s.Grace, s.Services(), servers), nil
}

// turncoat is what a server is called that is honest until [Net.Lie].
const turncoat = "turncoat"

// honest reports whether a server does as it should, as long as nobody tells it to lie.
func (a *Adversary) honest() bool { return a == nil || a.Name == turncoat }

// lie is how it lies about what runs in an image, nil where it tells the truth.
func (a *Adversary) lie(image barnraise.Digest) Lie {
	if a.lies != nil {
		return a.lies
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.about[image]
}

// Lie makes a server lie about a service of that name from now on, the way it is told, or tell the truth again where how is nil.
// Services of one image are one to it. It fails where [Options] do not make turncoats of the servers, or where there is no such
// server or service.
func (n *Net) Lie(ctx context.Context, server barnraise.ServerID, service string, how Lie) error {
	i := slices.IndexFunc(n.Servers, func(m Member) bool { return m.ID == server && m.Adversary != nil && m.Adversary.Name == turncoat })
	if i < 0 {
		return fmt.Errorf("make server %d lie: it is no turncoat", server)
	}
	s, err := n.Snapshot(ctx)
	if err != nil {
		return fmt.Errorf("make server %d lie: %w", server, err)
	}
	_, r, ok := s.Active(n.Network.Names[service])
	if !ok {
		return fmt.Errorf("make server %d lie: there is no service %q", server, service)
	}
	a := n.Servers[i].Adversary
	a.mu.Lock()
	defer a.mu.Unlock()
	a.about[r.Image] = how
	return nil
}

// retire stops the servers that are registered and gone.
func (n *Net) retire(context.Context) error {
	var errs []error
	for _, m := range n.Servers {
		if m.Adversary != nil && m.Adversary.dead {
			errs = append(errs, m.Stop())
		}
	}
	return errors.Join(errs...)
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
	return &falsified{Instance: i, adversary: d.adversary, image: spec.Image}, nil
}

type falsified struct {
	runtime.Instance
	adversary *Adversary
	image     barnraise.Digest
	probed    atomic.Bool // the first call is the server's own probe
}

// Call answers the way the adversary does.
func (f *falsified) Call(ctx context.Context, request []byte) ([]byte, error) {
	if f.adversary.silent && f.probed.Swap(true) {
		<-ctx.Done()
		return nil, runtime.ErrTimeout
	}
	response, err := f.Instance.Call(ctx, request)
	if lie := f.adversary.lie(f.image); err == nil && lie != nil {
		return lie(response), nil
	}
	return response, err
}
