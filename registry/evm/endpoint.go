package evm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"sync"
	"time"

	"barnraise/registry"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"
)

// site is what an endpoint must have.
type site struct {
	network   registry.Network
	chainID   uint64
	contracts contracts
}

// endpoint is one RPC endpoint of the network file.
type endpoint struct {
	url, name string

	opening sync.Mutex
	client  *rpc.Client // nil until it was dialled
	checked bool
	params  Params

	standing Standing // guarded by the pool
	unfit    bool     // it answers, and is not what the network file says
	why      string
	until    time.Time // before which it is not asked
	failures int       // in a row
	stalls   int       // how often in a row it failed in giving events; whoever reads the index has it
}

// open connects, and checks once that the endpoint is on the network's chain and has the contracts. Later it returns at once.
func (e *endpoint) open(ctx context.Context, s site) (*rpc.Client, error) {
	e.opening.Lock()
	defer e.opening.Unlock()
	if e.checked {
		return e.client, nil
	}
	client := e.client
	if client == nil {
		var err error
		if client, err = dial(ctx, e.url); err != nil {
			return nil, err
		}
	}
	params, err := s.check(ctx, client)
	if err != nil {
		if e.client == nil {
			client.Close()
		}
		return nil, err
	}
	e.client, e.params, e.checked = client, params, true
	return client, nil
}

// answered reports whether an error is not of the way to an endpoint but about what it said.
func answered(err error) bool {
	var call *callError
	var said rpc.Error
	return !errors.As(err, &call) || errors.As(err, &said)
}

func (e *endpoint) close() {
	e.opening.Lock()
	defer e.opening.Unlock()
	if e.checked {
		e.client.Close()
	}
}

// check finds out whether an endpoint will do, and reads the deployment's constants.
func (s site) check(ctx context.Context, c *rpc.Client) (Params, error) {
	if err := s.checkChain(ctx, c); err != nil {
		return Params{}, err
	}
	for _, a := range []common.Address{s.contracts.services, s.contracts.servers} {
		if err := checkCode(ctx, c, a); err != nil {
			return Params{}, err
		}
	}
	return s.contracts.params(ctx, c)
}

func (s site) checkChain(ctx context.Context, client *rpc.Client) error {
	got, err := chainID(ctx, client)
	if err != nil {
		return err
	}
	if got != s.chainID {
		return fmt.Errorf("it is on chain %d, the network is on chain %d", got, s.chainID)
	}
	c := s.network.Checkpoint
	if c == nil {
		return nil
	}
	b, err := blockAt(ctx, client, number(c.Block))
	if err != nil {
		return err
	}
	if b.Hash != common.Hash(c.Hash) {
		return fmt.Errorf("its block %d is %s, the checkpoint of the network file is %s: it is on another fork, or lies",
			c.Block, b.Hash, c.Hash)
	}
	return nil
}

func checkCode(ctx context.Context, c *rpc.Client, a common.Address) error {
	code, err := ask[string](ctx, c, "eth_getCode", a, "latest")
	if err != nil {
		return err
	}
	if len(code) <= len("0x") {
		return fmt.Errorf("there is no contract at %s: the network file is of another chain, or the chain has begun anew", a)
	}
	return nil
}

// params also finds out whether the contracts are what they should be, and not the other way round.
func (c contracts) params(ctx context.Context, client *rpc.Client) (Params, error) {
	var values [6]*big.Int
	for i, q := range []struct {
		contract common.Address
		call     []byte
	}{
		{c.services, c.service.PackMinDeposit()}, {c.servers, c.server.PackMinDeposit()},
		{c.services, c.service.PackUnlockDelay()}, {c.servers, c.server.PackUnlockDelay()},
		{c.services, c.service.PackGrace()}, {c.servers, c.server.PackRewardsEvery()},
	} {
		v, err := readFrom(ctx, client, q.contract, "latest", q.call, c.service.UnpackMinDeposit) // all are numbers below 2⁹⁶
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

// Standing is what a registry thinks of one of its endpoints.
type Standing string

// The standings of an endpoint.
const (
	Unasked     Standing = "not asked"   // nobody asked it yet
	Agreeing    Standing = "agrees"      // it said what was taken for true
	Behind      Standing = "behind"      // it has not got so far as the others
	Unreachable Standing = "unreachable" // it does not answer, or with errors, or is on another chain
	Apart       Standing = "apart"       // it was on another branch of the chain than the others; asked again soon
	Lying       Standing = "lying"       // it was outvoted, or its events do not make up the contracts' running hash
)

// Endpoint is one of the RPC endpoints that a registry was opened with.
type Endpoint struct {
	Name     string // without what may be secret in its URL
	Standing Standing
	Why      string    // in words; empty where there is nothing to say
	Until    time.Time // before which it is not asked again; zero where it may be
}

// For how long an endpoint is left, each time twice as long as the time before.
const (
	leaveUnreachable     = 2 * time.Second
	leaveUnreachableMost = 5 * time.Minute
	leaveApart           = 10 * time.Second
	leaveLying           = 10 * time.Minute
	leaveLyingMost       = 24 * time.Hour
)

// pool is the endpoints of a registry, in the order of the network file.
type pool struct {
	site      site
	endpoints []*endpoint
	now       func() time.Time
	warn      func(string)
	keeper    Keeper
	patience  time.Duration
	lasts     bool // what was read last is good for a while

	life context.Context // ends with the pool
	end  context.CancelFunc

	mu    sync.Mutex
	trust Trust
	asked time.Time // when the chain was last asked with success
	aged  time.Time // when it was last said that this is long ago
}

func newPool(s site, o options) *pool {
	p := &pool{site: s, now: o.now, warn: o.warn, keeper: o.keeper, lasts: o.lasts, patience: defaultPatience}
	p.life, p.end = context.WithCancel(context.Background())
	return p
}

func (p *pool) add(e *endpoint) {
	e.standing = Unasked
	p.endpoints = append(p.endpoints, e)
}

func (p *pool) close() {
	p.end()
	for _, e := range p.endpoints {
		e.close()
	}
}

// usable is whom to ask: all that are not left just now. Where none would remain it is those that did not answer before; one
// that lies is not asked before its time. The only one that there is is always asked.
func (p *pool) usable() []*endpoint {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.endpoints) == 1 {
		return p.endpoints
	}
	now := p.now()
	pick := func(take func(*endpoint) bool) (list []*endpoint) {
		for _, e := range p.endpoints {
			if take(e) {
				list = append(list, e)
			}
		}
		return list
	}
	list := pick(func(e *endpoint) bool { return !now.Before(e.until) })
	if len(list) == 0 {
		list = pick(func(e *endpoint) bool { return e.standing != Lying })
	}
	return list
}

// current is the client of the first usable endpoint that was opened, or else the one given.
func (p *pool) current(otherwise *rpc.Client) *rpc.Client { return p.opened(otherwise)[0] }

// opened are the clients of all usable endpoints that were opened, or else the one given.
func (p *pool) opened(otherwise *rpc.Client) (list []*rpc.Client) {
	for _, e := range p.usable() {
		if c := e.opened(); c != nil {
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		list = append(list, otherwise)
	}
	return list
}

// opened is the endpoint's client, nil where it has none yet or is just being opened.
func (e *endpoint) opened() *rpc.Client {
	if !e.opening.TryLock() {
		return nil
	}
	defer e.opening.Unlock()
	if !e.checked {
		return nil
	}
	return e.client
}

// agreed notes an endpoint that said what was taken for true.
func (p *pool) agreed(e *endpoint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e.standing, e.why, e.until, e.failures = Agreeing, "", time.Time{}, 0
}

// failed notes an endpoint that did not answer, and leaves it for a while.
func (p *pool) failed(e *endpoint, err error) {
	p.mu.Lock()
	e.unfit = answered(err)
	p.mu.Unlock()
	p.leave(e, Unreachable, err.Error(), leaveUnreachable, leaveUnreachableMost)
}

// silent reports whether no endpoint answers, and none answers something that is wrong.
func (p *pool) silent() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !slices.ContainsFunc(p.endpoints, func(e *endpoint) bool { return e.standing != Unreachable || e.unfit })
}

// behind notes an endpoint that lacks a block. It may have it the next moment.
func (p *pool) behind(e *endpoint, why string) { p.leave(e, Behind, why, 0, 0) }

// apart leaves an endpoint for a moment that is on another branch.
func (p *pool) apart(e *endpoint, why string) { p.leave(e, Apart, why, leaveApart, leaveApart) }

// lies leaves an endpoint for long, and says so.
func (p *pool) lies(e *endpoint, why string) {
	p.leave(e, Lying, why, leaveLying, leaveLyingMost)
	if len(p.endpoints) > 1 {
		p.warn(fmt.Sprintf("the RPC endpoint %s is left for a while: %s", e.name, why))
	}
}

func (p *pool) leave(e *endpoint, s Standing, why string, first, most time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.standing != s {
		e.failures = 0
	}
	e.standing, e.why, e.until = s, why, time.Time{}
	if first > 0 && len(p.endpoints) > 1 {
		e.until = p.now().Add(min(first<<min(e.failures, 16), most))
		e.failures++
	}
}

// Endpoints says of each endpoint what is thought of it, in the order of the network file.
func (r *Registry) Endpoints() []Endpoint {
	p := r.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]Endpoint, len(p.endpoints))
	for i, e := range p.endpoints {
		list[i] = Endpoint{Name: e.name, Standing: e.standing, Why: e.why}
		if p.now().Before(e.until) {
			list[i].Until = e.until
		}
	}
	return list
}
