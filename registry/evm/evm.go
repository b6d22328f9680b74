// Package evm follows and writes a registry on any EVM chain, over any JSON-RPC endpoint (protocol 1).
//
// Reading takes events alone, folds them, and compares what comes out with the running hash and the count that the contracts
// keep: so a hole in the events shows. An endpoint that lies about the hash as well is outvoted by the others of the network
// file, and is not found out where it is the only one ([Trust]). Writing signs with
// an [Account], waits for the receipt, ten minutes at most, and says in words why a contract refused.
//
// The chain's contracts must see the block numbers that its RPC endpoints report.
package evm

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"barnraise/registry"
	"barnraise/registry/contracts/servers"
	"barnraise/registry/contracts/services"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"
)

// Registry is a registry on a chain, to be read and written. Its methods are safe for concurrent use.
type Registry struct {
	client    *rpc.Client // the endpoint that it was opened over
	dialled   *rpc.Client // the same where nobody answered when it was opened
	network   registry.Network
	chainID   uint64
	params    Params
	contracts contracts
	pool      *pool
	head      *index
}

// Option changes how a registry is opened.
type Option func(*options)

type options struct {
	keeper Keeper
	now    func() time.Time
	warn   func(string)
	lasts  bool
}

// WithKeeper keeps the index's base over restarts. Without it each start reads all events anew.
func WithKeeper(k Keeper) Option { return func(o *options) { o.keeper = k } }

// WithLastView lets readings go on by what was read last while no endpoint can be asked: without a word for an hour, with a warning
// in each hour after that, and for a day in all; then they fail with [ErrOldView]. With a [Keeper] that holds over a restart too.
func WithLastView() Option { return func(o *options) { o.lasts = true } }

// WithClock is by whose clock endpoints are left and asked again, and the age of what is kept is told: time.Now without it.
func WithClock(now func() time.Time) Option { return func(o *options) { o.now = now } }

// WithWarn tells, in a sentence each, what the owner of the network file should know: of an endpoint that is left because it
// contradicts the others, of a kept index that was thrown away. Nobody is told without it. It must not call the registry.
func WithWarn(warn func(string)) Option { return func(o *options) { o.warn = warn } }

func newOptions(list []Option) options {
	o := options{now: time.Now, warn: func(string) {}}
	for _, f := range list {
		f(&o)
	}
	return o
}

// Params are the constants of a deployment.
type Params struct {
	ServiceDeposit *big.Int      // the least deposit of a service, in wei
	ServerDeposit  *big.Int      // the least deposit of a server, in wei
	UnlockDelay    time.Duration // how long a deposit stays locked, in whole seconds; the longer one where the contracts differ
	Grace          uint32        // blocks between publication and activity (protocol 1.4)
	RewardsEvery   uint32        // blocks between two changes of rewards (protocol 1.5)
}

// contracts are the two contracts of a registry and their bindings.
type contracts struct {
	services, servers       common.Address
	servicesABI, serversABI *abi.ABI
	service                 *services.Registry
	server                  *servers.Registry
}

func newContracts(n registry.Network) contracts {
	c := contracts{
		services: common.Address(n.Services), servers: common.Address(n.Servers),
		service: services.NewRegistry(), server: servers.NewRegistry(),
	}
	serviceABI, serverABI := c.service.GetABI(), c.server.GetABI()
	c.servicesABI, c.serversABI = &serviceABI, &serverABI
	return c
}

// Dial connects to the network over the first of its RPC endpoints that is on the right chain and has the contracts; the
// others are asked from the first reading on. The error names each endpoint and what is wrong with it, without the keys that
// its URL may contain.
func Dial(ctx context.Context, n registry.Network, list ...Option) (*Registry, error) {
	if err := n.Validate(); err != nil {
		return nil, fmt.Errorf("connect to registry: %w", err)
	}
	r, err := prepare(n, newOptions(list))
	if err != nil {
		return nil, fmt.Errorf("connect to registry: %w", err)
	}
	for _, url := range n.RPC {
		r.pool.add(&endpoint{url: url, name: origin(url)})
	}
	var failures []string
	for _, e := range r.pool.endpoints {
		if err = r.begin(ctx, e); err == nil {
			return r, nil
		}
		if ctx.Err() != nil {
			r.Close()
			return nil, fmt.Errorf("connect to registry: %w", context.Cause(ctx))
		}
		r.pool.failed(e, err)
		failures = append(failures, fmt.Sprintf("%s: %v", e.name, err))
	}
	err = fmt.Errorf("connect to registry: no RPC endpoint of the network file will do: %s", strings.Join(failures, "; "))
	if kept := r.beginKept(ctx); kept != nil {
		r.Close()
		return nil, &because{err, kept}
	}
	return r, nil
}

// New takes over a client, after checking that it is on the network's chain, that both contracts are there, and that the
// chain has the network's checkpoint. Where it fails the client stays the caller's. Nobody else is asked: what is read is then
// as true as that one endpoint.
func New(ctx context.Context, client *rpc.Client, n registry.Network, list ...Option) (*Registry, error) {
	r, err := prepare(n, newOptions(list))
	if err != nil {
		return nil, err
	}
	e := &endpoint{name: "the endpoint", client: client}
	if len(n.RPC) > 0 {
		e.name = origin(n.RPC[0])
	}
	r.pool.add(e)
	if err := r.begin(ctx, e); err != nil {
		return nil, err
	}
	return r, nil
}

func prepare(n registry.Network, o options) (*Registry, error) {
	id, err := n.ChainID()
	if err != nil {
		return nil, err
	}
	r := &Registry{network: n, chainID: id, contracts: newContracts(n)}
	r.pool = newPool(site{network: n, chainID: id, contracts: r.contracts}, o)
	return r, nil
}

// begin opens the registry over its first endpoint.
func (r *Registry) begin(ctx context.Context, e *endpoint) error {
	client, err := e.open(ctx, r.pool.site)
	if err != nil {
		return err
	}
	r.client, r.params = client, e.params
	r.head = newIndex(r)
	return nil
}

// beginKept opens the registry by what was kept, for when no endpoint can be asked. It fails where that will not do.
func (r *Registry) beginKept(ctx context.Context) error {
	p := r.pool
	if p.keeper == nil || !p.lasts || !p.silent() {
		return errNobody
	}
	data, err := p.keeper.LoadBase(ctx)
	if err != nil {
		return err
	}
	h, _, err := decodeBase(data)
	if err != nil {
		return err
	}
	if r.client, err = dial(ctx, p.endpoints[0].url); err != nil {
		return err
	}
	r.params, r.dialled = h.Params, r.client
	r.head = newIndex(r)
	_, err = r.Snapshot(ctx)
	return err
}

// Close ends all connections.
func (r *Registry) Close() {
	r.pool.close()
	if r.dialled != nil {
		r.dialled.Close()
	}
}

// Network is the network that the registry was opened for.
func (r *Registry) Network() registry.Network { return r.network }

// current is the client to ask besides the index: of the first endpoint that answers and was not found lying.
func (r *Registry) current() *rpc.Client { return r.pool.current(r.client) }

// readFrom calls a function of a contract that changes nothing, at a block, over one endpoint. It fails with [errNoContract] where the
// contract did not exist yet.
func readFrom[T any](
	ctx context.Context, c *rpc.Client, a common.Address, at string, call []byte, unpack func([]byte) (T, error),
) (T, error) {
	out, err := ask[bytesHex](ctx, c, "eth_call", message{To: &a, Input: call}, at)
	if err == nil && len(out) == 0 {
		err = errNoContract
	}
	if err != nil {
		var none T
		return none, err
	}
	return unpack(out)
}

var errNoContract = errors.New("no contract answers")
