// Package evm follows and writes a registry on any EVM chain, over any JSON-RPC endpoint (protocol 1).
//
// Reading takes events alone, folds them, and compares what comes out with the running hash and the count that the contracts
// keep: so a hole in the events shows. An endpoint that lies about the hash as well is not found out here. Writing signs with
// an [Account], waits for the receipt, ten minutes at most, and says in words why a contract refused.
//
// The chain's contracts must see the block numbers that its RPC endpoints report.
package evm

import (
	"context"
	"errors"
	"fmt"
	"math"
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
	client    *rpc.Client
	network   registry.Network
	chainID   uint64
	params    Params
	contracts contracts
	head      *follower
	confirmed *follower
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

// Dial connects to the network over the first of its RPC endpoints that is on the right chain and has the contracts. The
// error names each endpoint and what is wrong with it, without the keys that its URL may contain.
func Dial(ctx context.Context, n registry.Network) (*Registry, error) {
	if err := n.Validate(); err != nil {
		return nil, fmt.Errorf("connect to registry: %w", err)
	}
	var failures []string
	for _, endpoint := range n.RPC {
		client, err := dial(ctx, endpoint)
		if err == nil {
			var r *Registry
			if r, err = New(ctx, client, n); err == nil {
				return r, nil
			}
			client.Close()
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("connect to registry: %w", context.Cause(ctx))
		}
		failures = append(failures, fmt.Sprintf("%s: %v", origin(endpoint), err))
	}
	return nil, fmt.Errorf("connect to registry: no RPC endpoint of the network file will do: %s", strings.Join(failures, "; "))
}

// New takes over a client, after checking that it is on the network's chain, that both contracts are there, and that the
// chain has the network's checkpoint. Where it fails the client stays the caller's.
func New(ctx context.Context, client *rpc.Client, n registry.Network) (*Registry, error) {
	r := &Registry{client: client, network: n, contracts: newContracts(n)}
	if err := r.checkChain(ctx); err != nil {
		return nil, err
	}
	for _, a := range []common.Address{r.contracts.services, r.contracts.servers} {
		if err := r.checkCode(ctx, a); err != nil {
			return nil, err
		}
	}
	var err error
	if r.params, err = r.readParams(ctx); err != nil {
		return nil, err
	}
	r.head = newFollower(r, latest)
	r.confirmed = newFollower(r, r.confirmedBlock)
	r.confirmed.mayLack = true
	return r, nil
}

// Close ends the connection.
func (r *Registry) Close() { r.client.Close() }

// Network is the network that the registry was opened for.
func (r *Registry) Network() registry.Network { return r.network }

func (r *Registry) checkChain(ctx context.Context) error {
	want, err := r.network.ChainID()
	if err != nil {
		return err
	}
	r.chainID = want
	got, err := chainID(ctx, r.client)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("it is on chain %d, the network is on chain %d", got, want)
	}
	c := r.network.Checkpoint
	if c == nil {
		return nil
	}
	b, err := blockAt(ctx, r.client, number(c.Block))
	if err != nil {
		return err
	}
	if b.Hash != common.Hash(c.Hash) {
		return fmt.Errorf("its block %d is %s, the checkpoint of the network file is %s: it is on another fork, or lies",
			c.Block, b.Hash, c.Hash)
	}
	return nil
}

func (r *Registry) checkCode(ctx context.Context, a common.Address) error {
	code, err := ask[string](ctx, r.client, "eth_getCode", a, "latest")
	if err != nil {
		return err
	}
	if len(code) <= len("0x") {
		return fmt.Errorf("there is no contract at %s: the network file is of another chain, or the chain has begun anew", a)
	}
	return nil
}

// readParams also finds out whether the contracts are what they should be, and not the other way round.
func (r *Registry) readParams(ctx context.Context) (Params, error) {
	c := r.contracts
	var values [6]*big.Int
	for i, q := range []struct {
		contract common.Address
		call     []byte
	}{
		{c.services, c.service.PackMinDeposit()}, {c.servers, c.server.PackMinDeposit()},
		{c.services, c.service.PackUnlockDelay()}, {c.servers, c.server.PackUnlockDelay()},
		{c.services, c.service.PackGrace()}, {c.servers, c.server.PackRewardsEvery()},
	} {
		v, err := read(ctx, r, q.contract, "latest", q.call, c.service.UnpackMinDeposit) // all are numbers below 2⁹⁶
		if err != nil {
			return Params{}, fmt.Errorf("read the constants of %s, is it the right contract?: %w", q.contract, err)
		}
		values[i] = v
	}
	delay := max(values[2].Uint64(), values[3].Uint64())
	return Params{
		ServiceDeposit: values[0], ServerDeposit: values[1], UnlockDelay: time.Duration(min(delay, math.MaxUint32)) * time.Second,
		Grace: uint32(values[4].Uint64()), RewardsEvery: uint32(values[5].Uint64()),
	}, nil
}

// read calls a function of a contract that changes nothing, at a block. It fails with [errNoContract] where the contract did
// not exist yet.
func read[T any](
	ctx context.Context, r *Registry, a common.Address, at string, call []byte, unpack func([]byte) (T, error),
) (T, error) {
	out, err := ask[bytesHex](ctx, r.client, "eth_call", message{To: &a, Input: call}, at)
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
