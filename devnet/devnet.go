// Package devnet runs a whole network on this machine: an embedded chain with the registry on it, servers of different
// operators that run every service the project ships, and, where asked for, adversaries among them.
//
// Everything is real: transactions on a real EVM, images pulled from server to server, receipts and verifiers. Only the
// machine is the same. What it keeps survives being killed; the next start goes on from there.
package devnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"barnraise"
	"barnraise/content"
	"barnraise/image"
	"barnraise/registry"
	"barnraise/registry/devchain"
	"barnraise/registry/evm"
	"barnraise/server"
	"barnraise/wasm"
)

// Grace is the number of blocks between publication and activity of a revision on a development chain (protocol 1.4).
const Grace = 5

// deposit is what the registry of a development chain asks: a hundredth of an ether.
var deposit = big.NewInt(1e16)

// MaxServers is how many servers one machine is asked to carry.
const MaxServers = 64

// Options say what network to run.
type Options struct {
	Dir      string       // where everything is kept
	Cache    string       // for built services and compiled code, shared by networks; the user's cache directory where empty
	Servers  int          // how many; those of an existing network where zero, else four, or more for many adversaries
	With     []string     // adversaries, see [Adversaries]: the last servers, one of each
	Turncoat bool         // the last server is honest until [Member.Lie]; not together with With
	Progress func(string) // told what is being done; nil for silence
	Log      *slog.Logger // of the servers; nil for silence
}

// RPC is the URL of the chain.
func (n *Net) RPC() string { return n.chain.URL() }

// Net is a network that runs.
type Net struct {
	Network registry.Network
	File    string // network.yaml
	Servers []Member
	Home    barnraise.ServerID // of the services

	options  Options
	chain    *devchain.Chain
	registry *evm.Registry
	engine   *wasm.Engine
	local    *server.Local
	accounts accounts
	state    state
	stop     []func() error
	mu       sync.Mutex
	failures []error
}

// Member is one server of the network.
type Member struct {
	ID        barnraise.ServerID
	URL       string
	Data      string     // its directory
	Adversary *Adversary // nil where it is honest
	server    *server.Server
	leave     func() error
}

// Lie makes an adversary lie from now on, or tell the truth again. It does nothing to an honest server.
func (m Member) Lie(lie bool) {
	if m.Adversary != nil {
		m.Adversary.lies.Store(lie)
	}
}

// Up starts a network, or the one kept in the directory, and returns when all its servers are offered on chain. Close it to
// end it.
func Up(ctx context.Context, o Options) (*Net, error) {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	var err error
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, fmt.Errorf("start network: %w", err)
	}
	n := &Net{options: o, File: filepath.Join(o.Dir, "network.yaml")}
	if err := n.up(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start network: %w", err), n.Close())
	}
	return n, nil
}

func (n *Net) up(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		n.prepare, n.startChain, n.deploy, n.registerServers, n.registerServices, n.startServers, n.awaitOffers, n.retire,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close stops everything in the order in which it can be done without.
func (n *Net) Close() error {
	var errs []error
	for _, stop := range slices.Backward(n.stop) {
		errs = append(errs, stop())
	}
	n.stop = nil
	n.mu.Lock()
	defer n.mu.Unlock()
	return errors.Join(append(errs, n.failures...)...)
}

func (n *Net) say(format string, args ...any) { n.options.Progress(fmt.Sprintf(format, args...)) }

// prepare opens what does not depend on the chain.
func (n *Net) prepare(context.Context) (err error) {
	if n.options.Cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		n.options.Cache = filepath.Join(user, "barnraise")
	}
	if n.state, err = openState(n.options); err != nil {
		return err
	}
	if n.accounts, err = openAccounts(filepath.Join(n.options.Dir, "accounts"), len(n.state.Ports)); err != nil {
		return err
	}
	if n.engine, err = wasm.NewEngine(filepath.Join(n.options.Cache, "wasm")); err != nil {
		return err
	}
	images, err := image.Open(filepath.Join(n.options.Cache, "images"))
	if err != nil {
		return err
	}
	blocks, err := content.Open(filepath.Join(n.options.Dir, "published"))
	if err != nil {
		return err
	}
	n.local = &server.Local{Images: images, Content: blocks}
	return nil
}

func (n *Net) startChain(ctx context.Context) (err error) {
	n.chain, err = devchain.Start(devchain.Config{
		Dir: filepath.Join(n.options.Dir, "chain"), Port: n.state.RPC, Fund: n.accounts.addresses(),
	})
	if err != nil {
		return err
	}
	n.stop = append(n.stop, n.chain.Close)
	n.say("chain %d answers at %s", devchain.ChainID, n.chain.URL())
	return nil
}

// deploy makes the registry, unless the directory has one already.
func (n *Net) deploy(ctx context.Context) error {
	network, err := registry.ReadNetwork(n.File)
	switch {
	case err == nil:
		n.Network = network
	case errors.Is(err, os.ErrNotExist):
		client := n.chain.RPC()
		defer client.Close()
		n.Network, err = evm.Deploy(ctx, client, n.accounts.deployer, evm.Params{
			ServiceDeposit: deposit, ServerDeposit: deposit, UnlockDelay: time.Minute, Grace: Grace,
		})
		if err != nil {
			return err
		}
		n.Network.RPC, n.Network.Confirmations = []string{n.chain.URL()}, new(uint64) // what it seals, it keeps
		if err := n.writeNetwork(); err != nil {
			return err
		}
		n.say("registry deployed: services %s, servers %s", registry.Checksum(n.Network.Services), registry.Checksum(n.Network.Servers))
	default:
		return err
	}
	n.registry, err = evm.Dial(ctx, n.Network)
	if err != nil {
		return err
	}
	n.stop = append(n.stop, func() error { n.registry.Close(); return nil })
	return nil
}

func (n *Net) writeNetwork() error {
	if err := writeFile(n.File, n.Network.Encode()); err != nil {
		return err
	}
	network, err := registry.ReadNetwork(n.File)
	n.Network = network
	return err
}

// registerServers registers each server by its own operator's account, and lets its delegate set its lists.
func (n *Net) registerServers(ctx context.Context) error {
	snapshot, err := n.registry.Snapshot(ctx)
	if err != nil {
		return err
	}
	for i, port := range n.state.Ports {
		m := Member{URL: "http://127.0.0.1:" + strconv.Itoa(port), Data: filepath.Join(n.options.Dir, "servers", strconv.Itoa(i+1))}
		if err := os.MkdirAll(m.Data, 0o700); err != nil {
			return err
		}
		key, err := server.EnsureKey(filepath.Join(m.Data, "key.pem"))
		if err != nil {
			return err
		}
		public := barnraise.PublicKey(key[32:])
		m.ID = registered(snapshot, m.URL, public)
		if m.ID == 0 {
			m.ID, _, err = n.registry.RegisterServer(ctx, n.accounts.owners[i], evm.Profile{URL: m.URL, Key: public, Capacity: 8}, nil)
			if err != nil {
				return err
			}
			n.say("server %d registered at %s by operator %s", m.ID, m.URL, n.accounts.owners[i].Address())
		}
		if v, _ := snapshot.Server(m.ID); v.Delegate != n.accounts.delegates[i].Address() {
			if _, err := n.registry.SetServerDelegate(ctx, n.accounts.owners[i], m.ID, n.accounts.delegates[i].Address()); err != nil {
				return err
			}
		}
		m.Adversary = newAdversary(n.state.adversary(i))
		if n.options.Turncoat && i == len(n.state.Ports)-1 {
			m.Adversary = &Adversary{Name: "turncoat"}
		}
		n.Servers = append(n.Servers, m)
	}
	n.Home = n.Servers[n.state.home()].ID
	return nil
}

func registered(s *barnraise.Snapshot, url string, key barnraise.PublicKey) barnraise.ServerID {
	for _, v := range s.Servers() {
		if k, ok := v.Key(); ok && k.Key == key && v.URL == url {
			return v.ID
		}
	}
	return 0
}

// startServers runs each server as its own server.yaml says.
func (n *Net) startServers(ctx context.Context) error {
	for i := range n.Servers {
		if err := n.startServer(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

func (n *Net) startServer(ctx context.Context, i int) error {
	m := &n.Servers[i]
	path := filepath.Join(m.Data, "server.yaml")
	if err := writeFile(path, n.configuration(i)); err != nil {
		return err
	}
	c, err := server.ReadConfig(path)
	if err != nil {
		return err
	}
	key, err := server.ReadKey(c.Key)
	if err != nil {
		return err
	}
	reader, err := evm.Dial(ctx, n.Network)
	if err != nil {
		return err
	}
	d := server.Dependencies{
		Network: n.Network, Registry: server.OnChain(reader, n.accounts.delegates[i]), Writes: true, Key: key, Poll: 250 * time.Millisecond,
		Runtime: n.runtime(m.Adversary),
	}
	if n.options.Log != nil {
		d.Log = n.options.Log.With("server", m.ID)
	}
	if m.ID == n.Home {
		d.Local = n.local // the others pull from it
	}
	s, err := server.Open(c, d)
	if err != nil {
		reader.Close()
		return err
	}
	m.server = s
	running, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer reader.Close()
		if err := s.Run(running); err != nil {
			n.mu.Lock()
			n.failures = append(n.failures, fmt.Errorf("server %d: %w", m.ID, err))
			n.mu.Unlock()
		}
	}()
	m.leave = func() error { cancel(); <-ended; return nil }
	n.stop = append(n.stop, m.leave)
	return nil
}

// configuration is the server.yaml of server i: with "barnraise serve" it would run the same, were the network up.
func (n *Net) configuration(i int) []byte {
	var own []string
	for _, id := range n.Network.Names {
		own = append(own, strconv.FormatUint(uint64(id), 10))
	}
	slices.Sort(own)
	m := n.Servers[i]
	return fmt.Appendf(nil, "network: %q\nserver: %d\nlisten: %q\nurl: %q\nkey: key.pem\naccount: %q\ndata: .\nown: [%s]\ncapacity: 8\n",
		n.File, m.ID, "127.0.0.1:"+strconv.Itoa(n.state.Ports[i]), m.URL, n.accounts.delegate(i), strings.Join(own, ", "))
}

// awaitOffers waits until every server runs and offers every service.
func (n *Net) awaitOffers(ctx context.Context) error {
	told := make(map[barnraise.ServerID]bool)
	for {
		snapshot, err := n.registry.Snapshot(ctx)
		if err != nil {
			return err
		}
		missing := 0
		for _, m := range n.Servers {
			v, _ := snapshot.Server(m.ID)
			if len(m.server.Hosts()) < len(n.Network.Names) || len(v.Offers) < len(n.Network.Names) {
				missing++
			} else if !told[m.ID] {
				told[m.ID] = true
				n.say("server %d has pulled, tried and offered %d service(s)", m.ID, len(v.Offers))
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

func (n *Net) failed() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return errors.Join(n.failures...)
}

// retire stops the servers that are registered and gone.
func (n *Net) retire(context.Context) error {
	for i := range n.Servers {
		if a := n.Servers[i].Adversary; a != nil && a.dead {
			if err := n.Servers[i].leave(); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeFile puts a whole file in place or none.
func writeFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // it is gone where all went well
	_, err = f.Write(b)
	if err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Snapshot is the network's registry now.
func (n *Net) Snapshot(ctx context.Context) (*barnraise.Snapshot, error) {
	return n.registry.Snapshot(ctx)
}
