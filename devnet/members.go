package devnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"barnraise"
	"barnraise/adversary"
	"barnraise/registry/evm"
	"barnraise/server"
	"barnraise/whole"
)

// Member is one server of the network.
type Member struct {
	ID        barnraise.ServerID
	URL       string
	Data      string               // its directory
	Adversary *adversary.Adversary // nil where it is honest for good
	server    *server.Server
	leave     func() error
	fresh     bool // it was registered this time
	told      bool // somebody has been told that it runs what is its own
}

// Stop ends a server for good, as if its machine were switched off: what it offers still stands on chain.
func (m Member) Stop() error { return m.leave() }

// registerServers registers each server by its own operator's account, and lets its delegate set its lists.
func (n *Net) registerServers(ctx context.Context) error {
	snapshot, err := n.registry.Snapshot(ctx)
	if err != nil {
		return err
	}
	for i := range n.state.Ports {
		m, err := n.registerServer(ctx, snapshot, i)
		if err != nil {
			return err
		}
		n.Servers = append(n.Servers, m)
	}
	if len(n.layout.Services) > 0 {
		n.Home = n.Servers[n.layout.Services[0].Home].ID
	}
	return nil
}

func (n *Net) registerServer(ctx context.Context, snapshot *barnraise.Snapshot, i int) (m Member, err error) {
	m.URL, m.Data = "http://"+n.state.address(i), filepath.Join(n.options.Dir, "servers", strconv.Itoa(i+1))
	if err := os.MkdirAll(m.Data, 0o700); err != nil {
		return m, err
	}
	key, err := server.EnsureKey(filepath.Join(m.Data, "key.pem"))
	if err != nil {
		return m, err
	}
	public, owner, delegate := barnraise.PublicKey(key[32:]), n.accounts.owners[i], n.accounts.delegates[i].Address()
	if m.ID = registered(snapshot, m.URL, public); m.ID == 0 {
		m.ID, _, err = n.registry.RegisterServer(ctx, owner, evm.Profile{URL: m.URL, Key: public, Capacity: n.layout.capacity(i)}, nil)
		if err != nil {
			return m, err
		}
		m.fresh = true
		n.say("server %d registered at %s by operator %s", m.ID, m.URL, owner.Address())
	}
	if v, _ := snapshot.Server(m.ID); v.Delegate != delegate {
		if _, err := n.registry.SetServerDelegate(ctx, owner, m.ID, delegate); err != nil {
			return m, err
		}
	}
	return m, nil
}

func registered(s *barnraise.Snapshot, url string, key barnraise.PublicKey) barnraise.ServerID {
	for _, v := range s.Servers() {
		if k, ok := v.Key(); ok && k.Key == key && v.URL == url {
			return v.ID
		}
	}
	return 0
}

// startServers runs each server as its own server.yaml says. Homes come first, and where there is no barter the others wait for
// them: whoever starts sooner finds nothing to pull, and tries again a second later.
func (n *Net) startServers(ctx context.Context) error {
	var homes, others []int
	for i := range n.Servers {
		if n.homes[i] != nil {
			homes = append(homes, i)
		} else {
			others = append(others, i)
		}
	}
	for _, i := range slices.Concat(homes, others) {
		if len(others) > 0 && i == others[0] && n.state.Barter == nil {
			if err := n.awaitOffers(ctx); err != nil {
				return err
			}
		}
		if err := n.startServer(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

func (n *Net) startServer(ctx context.Context, i int) error {
	m := &n.Servers[i]
	path := filepath.Join(m.Data, "server.yaml")
	if err := whole.Write(path, n.configuration(i), 0o600); err != nil {
		return err
	}
	c, err := server.ReadConfig(path)
	if err != nil {
		return err
	}
	reader, err := evm.Dial(ctx, n.Network)
	if err != nil {
		return err
	}
	d, err := n.dependencies(ctx, i, c, reader)
	if n.options.rereads {
		d.Rules = func() (server.Config, error) { return server.ReadConfig(path) }
	}
	if err == nil {
		m.server, err = server.Open(c, d)
	}
	if err != nil {
		reader.Close()
		return err
	}
	n.run(m, reader)
	return nil
}

// dependencies are what server i is given: an adversary's own runtime, and a gate where the network has one and it is honest.
func (n *Net) dependencies(ctx context.Context, i int, c server.Config, reader *evm.Registry) (d server.Dependencies, err error) {
	kind, bad := n.state.adversary(i)
	d = server.Dependencies{
		Network: n.Network, Registry: server.OnChain(reader, n.accounts.delegates[i]), Writes: true, Poll: 250 * time.Millisecond,
		Runtime: n.runtime, Local: n.homes[i], // the others pull from it
	}
	switch {
	case !bad && n.layout.Gate:
		d.Gate = n.gate.try
	case kind.Claims:
		d.Registry, d.Writes = forgetful{d.Registry, n.Servers[i].ID, n.own(i)}, false
	}
	if n.options.Log != nil {
		d.Log = n.options.Log.With("server", n.Servers[i].ID)
	}
	if d.Key, err = server.ReadKey(c.Key); err != nil {
		return d, err
	}
	d.Around = n.around(i, d.Key)
	if n.state.Barter == nil || !d.Writes {
		return d, nil
	}
	return d, n.barter(ctx, i, &d)
}

// run makes a server run until it leaves, or the network ends.
func (n *Net) run(m *Member, reader *evm.Registry) {
	running, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	s, id := m.server, m.ID
	go func() {
		defer close(ended)
		defer reader.Close()
		if err := s.Run(running); err != nil {
			n.fail(id, err)
		}
	}()
	m.leave = func() error { cancel(); <-ended; return nil }
	n.stop = append(n.stop, m.leave)
}

// configuration is the server.yaml of server i: with "barnraise serve" it would run the same, were the network up.
func (n *Net) configuration(i int) []byte {
	list := func(ids []barnraise.ServiceID) string {
		var words []string
		for _, id := range ids {
			words = append(words, strconv.FormatUint(uint64(id), 10))
		}
		return strings.Join(words, ", ")
	}
	m := n.Servers[i]
	b := fmt.Appendf(nil, "network: %q\nserver: %d\nlisten: %q\nurl: %q\nkey: key.pem\naccount: %q\ndata: .\n"+
		"budgets: {reserve: 0}\nown: [%s]\ncapacity: %d\n", // a network for development runs however full the disk is
		n.File, m.ID, n.state.address(i), m.URL, n.accounts.delegate(i), list(n.own(i)), n.layout.capacity(i))
	if n.state.Barter == nil {
		return b
	}
	b = fmt.Appendf(b, "rewards: [%s]\npolicy: {epoch: %s, patience: %d}\n", list(n.ids(n.layout.Parties[i].Rewards)), n.layout.epoch(), n.layout.patience())
	if kind, _ := n.state.adversary(i); !kind.Claims { // which hosts nothing for anybody
		b = append(b, "hosting: auto\n"...)
	}
	return b
}

// wish says on chain what new servers would like to see run, before anybody plans. From then on they say it themselves.
func (n *Net) wish(ctx context.Context) error {
	for i, m := range n.Servers {
		rewards := n.ids(n.layout.Parties[i].Rewards)
		if !m.fresh || len(rewards) == 0 {
			continue
		}
		if _, err := n.registry.SetLists(ctx, n.accounts.delegates[i], m.ID, nil, rewards, n.layout.capacity(i)); err != nil {
			return err
		}
	}
	return nil
}

// awaitOffers waits until every server that has been started runs and offers what is its own.
func (n *Net) awaitOffers(ctx context.Context) error {
	for {
		snapshot, err := n.registry.Snapshot(ctx)
		if err != nil {
			return err
		}
		missing := 0
		for i, m := range n.Servers {
			switch own := n.own(i); {
			case m.told, m.server == nil:
			case !m.offers(snapshot, own, n.claims(i)):
				missing++
			default:
				n.Servers[i].told = true
				n.say("server %d has pulled, tried and offered %d service(s)", m.ID, len(own))
			}
		}
		if missing == 0 {
			return nil
		}
		if err := n.failed(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d servers do not offer all services yet: %w", missing, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// offers reports whether a server runs these services and says so on chain, unless it says nothing there.
func (m Member) offers(s *barnraise.Snapshot, ids []barnraise.ServiceID, silent bool) bool {
	v, _ := s.Server(m.ID)
	runs := m.server.Hosts()
	for _, id := range ids {
		if !slices.ContainsFunc(runs, func(h barnraise.Hosted) bool { return h.Service == id }) || !silent && !v.OffersService(id) {
			return false
		}
	}
	return true
}

// fail notes what made a server fail.
func (n *Net) fail(id barnraise.ServerID, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.failures = append(n.failures, fmt.Errorf("server %d: %w", id, err))
}

func (n *Net) failed() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return errors.Join(n.failures...)
}
