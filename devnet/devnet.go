// Package devnet runs a whole network on this machine: an embedded chain with the registry on it, servers of different
// operators, and, where asked for, adversaries among them. The servers run every service the project ships; or they decide
// for themselves what they host for each other, by barter.
//
// Everything is real: transactions on a real EVM, images pulled from server to server, receipts and verifiers. Only the
// machine is the same. What it keeps survives being killed; the next start goes on from there.
package devnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"barnraise"
	"barnraise/adversary"
	"barnraise/image"
	"barnraise/registry"
	"barnraise/registry/devchain"
	"barnraise/registry/evm"
	"barnraise/server"
	"barnraise/wasm"
)

// MaxServers is how many servers one machine is asked to carry.
const MaxServers = 64

// Options say what network to run.
type Options struct {
	Dir       string       // where everything is kept
	Cache     string       // for built services and compiled code, shared by networks; the user's cache directory where empty
	Servers   int          // how many; those of an existing network where zero, else four, or more for many adversaries
	Barter    *Barter      // who runs what; that of an existing network where nil, else everybody runs everything
	With      []string     // adversaries, see [Adversaries]: the last servers, one of each, or as many as a name stands for
	Services  []Service    // what everybody runs where there is no barter; those of an existing network, or all that ship, where nil
	Turncoats bool         // servers that are none of With are honest until [Net.Lie]
	Progress  func(string) // told what is being done; nil for silence
	Log       *slog.Logger // of the servers; nil for silence

	Tell func(barnraise.ServerID, server.Step) // told what servers decide and find out, where there is barter; nil for nobody

	rereads bool // servers read their configuration again and again, as they do in earnest; it costs much where there are many
}

// RPC is the URL of the chain.
func (n *Net) RPC() string { return n.chain.URL() }

// Net is a network that runs.
type Net struct {
	Network registry.Network
	File    string // network.yaml
	Servers []Member
	Home    barnraise.ServerID // of the services; of the first one where they have different ones

	options  Options
	layout   Barter
	chain    *devchain.Chain
	registry *evm.Registry
	engine   *wasm.Engine
	images   *image.Store          // what was built
	built    map[string]made       // by program
	homes    map[int]*server.Local // what servers are the home of, by their place
	gate     *gate
	accounts accounts
	state    state
	stop     []func() error
	pact     *adversary.Pact // of those that act together
	late     atomic.Int64    // nanoseconds that honest servers answer later than they could
	mu       sync.Mutex
	failures []error
}

// Up starts a network, or the one kept in the directory, and returns when every server runs and offers on chain what is its
// own: where there is barter, the rest follows. Close it to end it.
func Up(ctx context.Context, o Options) (*Net, error) {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	var err error
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, fmt.Errorf("start network: %w", err)
	}
	n := &Net{
		options: o, File: filepath.Join(o.Dir, "network.yaml"), homes: make(map[int]*server.Local), built: make(map[string]made),
		pact: adversary.NewPact(),
	}
	if err := n.up(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start network: %w", err), n.Close())
	}
	return n, nil
}

func (n *Net) up(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		n.prepare, n.startChain, n.deploy, n.registerServers, n.registerServices, n.wish, n.startServers, n.awaitOffers,
		n.claim, n.retire,
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
	n.layout = n.state.layout()
	n.late.Store(int64(n.state.ahead()))
	if n.accounts, err = openAccounts(filepath.Join(n.options.Dir, "accounts"), len(n.state.Ports)); err != nil {
		return err
	}
	n.gate = &gate{dir: filepath.Join(n.options.Cache, "gate"), real: server.Conformance, busy: make(map[string]*sync.Mutex)}
	if n.engine, err = wasm.NewEngine(filepath.Join(n.options.Cache, "wasm")); err != nil {
		return err
	}
	n.images, err = image.Open(filepath.Join(n.options.Cache, "images"))
	return err
}

// Snapshot is the network's registry now.
func (n *Net) Snapshot(ctx context.Context) (*barnraise.Snapshot, error) {
	return n.registry.Snapshot(ctx)
}
