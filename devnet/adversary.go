package devnet

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"barnraise"
	"barnraise/adversary"
	"barnraise/dial"
	"barnraise/image"
	"barnraise/runtime"
	runwasm "barnraise/runtime/wasm"
	"barnraise/server"
)

// Adversaries are the kinds that [Options] can name.
func Adversaries() []adversary.Kind { return adversary.Kinds() }

// claims reports whether server i says on chain what is not so.
func (n *Net) claims(i int) bool {
	kind, _ := n.state.adversary(i)
	return kind.Claims
}

// around is what stands around the endpoint of server i: what its adversary does, or, where it is honest, the time that fast liars
// are ahead.
func (n *Net) around(i int, key ed25519.PrivateKey) func(http.Handler) http.Handler {
	m := &n.Servers[i]
	kind, bad := n.state.adversary(i)
	switch {
	case !bad && n.options.Turncoats:
		kind = adversary.Kind{Name: adversary.Turncoat}
	case !bad:
		late := func() time.Duration { return time.Duration(n.late.Load()) }
		return func(h http.Handler) http.Handler { return adversary.Late(h, late) }
	}
	m.Adversary = adversary.New(kind, n.given(i, key))
	return m.Adversary.Around
}

// given is what the adversary at server i has at hand.
func (n *Net) given(i int, key ed25519.PrivateKey) adversary.Given {
	reach := dial.Client(n.Network.Private(), time.Minute)
	n.stop = append(n.stop, func() error { reach.CloseIdleConnections(); return nil })
	g := adversary.Given{
		Self: n.Servers[i].ID, Key: key, Pact: n.pact, Random: rand.Float64, Now: time.Now, Snapshot: n.registry.Snapshot,
		HTTP: reach,
	}
	for k, m := range n.Servers {
		if k != i {
			g.Others = append(g.Others, adversary.Other{ID: m.ID, URL: m.URL})
		}
	}
	return g
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
		if !n.claims(i) || slices.Equal(v.Offers, all) && slices.Equal(v.Rewards, rewards) {
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

// Lie makes a server lie about a service of that name from now on, the way it is told, or tell the truth again where how is nil.
// Services of one image are one to it. It fails where [Options] do not make turncoats of the servers, or where there is no such
// server or service.
func (n *Net) Lie(ctx context.Context, server barnraise.ServerID, service string, how adversary.Lie) error {
	i := slices.IndexFunc(n.Servers, func(m Member) bool {
		return m.ID == server && m.Adversary != nil && m.Adversary.Name == adversary.Turncoat
	})
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
	n.Servers[i].Adversary.Turn(r.Image, how)
	return nil
}

// retire stops the servers that are registered and gone.
func (n *Net) retire(context.Context) error {
	var errs []error
	for i, m := range n.Servers {
		if kind, _ := n.state.adversary(i); kind.Dead {
			errs = append(errs, m.Stop())
		}
	}
	return errors.Join(errs...)
}

// runtime runs what a server runs.
func (n *Net) runtime(images *image.Store) runtime.Runtime {
	return runwasm.New(runwasm.Config{Engine: n.engine, Images: images})
}
