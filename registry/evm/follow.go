package evm

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"barnraise"
	"barnraise/registry"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
)

// How many blocks one request for logs covers. Endpoints allow very different ranges, so it adapts.
const (
	firstSpan = 2_000
	leastSpan = 10
	mostSpan  = 1_000_000
)

// maxAttempts is how often a call tries, because the chain reorganised meanwhile, or the events did not add up, or the endpoint
// fell behind what it said before.
const maxAttempts = 3

// maxSeen is how many heads are remembered.
const maxSeen = 32

// errMoved is the error for a block that is no longer in the chain.
var errMoved = errors.New("the chain reorganised while it was read")

// errBehind is the error for an endpoint, perhaps one of several behind a URL, that does not have what was read before.
var errBehind = errors.New("the endpoint is behind what it said before; try again")

// Snapshot is the registry at the head of the chain. Only what is new since the last call is fetched; if the head is still
// the same, or one that was the head before, nothing is. It fails with [registry.ErrEvents] where the events that the endpoint
// gives do not lead to the contracts' own hash and count; what was learnt is then thrown away, and the next call begins at the
// network's start block. After any other error the next call goes on where this one stopped.
func (r *Registry) Snapshot(ctx context.Context) (*barnraise.Snapshot, error) {
	return r.head.sync(ctx)
}

// Confirmed is the registry as hosting, scores and evidence use it (protocol 1.9): as many blocks behind the head as the
// network file says, or at the finalized block where it says nothing. The endpoint must still have the state of that block.
// Before the registry is so old it is empty. It fails like [Registry.Snapshot].
func (r *Registry) Confirmed(ctx context.Context) (*barnraise.Snapshot, error) {
	return r.confirmed.sync(ctx)
}

func (r *Registry) confirmedBlock(ctx context.Context, c *rpc.Client) (block, error) {
	n := r.network.Confirmations
	if n == nil {
		b, err := blockAt(ctx, c, "finalized")
		if err != nil {
			return block{}, fmt.Errorf("%w; if the chain has no finalized block, set confirmations in the network file", err)
		}
		return b, nil
	}
	head, err := latest(ctx, c)
	if err != nil || *n == 0 {
		return head, err
	}
	return blockAt(ctx, c, number(uint64(head.Number)-min(*n, uint64(head.Number))))
}

// follower folds the events of a registry up to a block that moves.
type follower struct {
	registry *Registry
	target   func(context.Context, *rpc.Client) (block, error)
	mayLack  bool          // the target block may be older than the contracts
	turn     chan struct{} // whoever takes what is in it may use the rest

	services *registry.Services
	servers  *registry.Servers
	next     uint64 // the first block whose events are not all folded
	folded   place  // the newest event that is
	span     uint64
	seen     []common.Hash // heads that were read up to, and their parents; the newest last
	at       block         // that of the snapshot
	snapshot *barnraise.Snapshot
}

// place is where an event stands in the chain.
type place struct {
	block uint64
	index uint
}

func placeOf(l *types.Log) place { return place{l.BlockNumber, l.Index} }

func newFollower(r *Registry, target func(context.Context, *rpc.Client) (block, error)) *follower {
	f := &follower{registry: r, target: target, turn: make(chan struct{}, 1), span: firstSpan}
	f.reset()
	f.turn <- struct{}{}
	return f
}

// reset forgets everything but the span.
func (f *follower) reset() {
	f.services, f.servers = new(registry.Services), new(registry.Servers)
	f.next, f.folded, f.seen, f.at, f.snapshot = f.registry.network.StartBlock, place{}, nil, block{}, nil
}

func (f *follower) sync(ctx context.Context) (*barnraise.Snapshot, error) {
	select {
	case <-f.turn:
		defer func() { f.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, fmt.Errorf("read registry: %w", context.Cause(ctx))
	}
	var err error
	for range maxAttempts {
		if err = f.advance(ctx); err == nil {
			return f.snapshot, nil
		}
		switch {
		case errors.Is(err, registry.ErrEvents) || errors.Is(err, errMoved):
			f.reset()
		case !errors.Is(err, errBehind):
			return nil, fmt.Errorf("read registry: %w", err)
		}
	}
	return nil, fmt.Errorf("read registry: %w", err)
}

// advance brings the snapshot to the target block. Where it fails, what was folded stays.
func (f *follower) advance(ctx context.Context) error {
	client := f.registry.client
	head, err := f.target(ctx, client)
	if err != nil {
		return err
	}
	if uint64(head.Number)+1 < f.next && slices.Contains(f.seen, head.Hash) {
		if f.snapshot == nil {
			return fmt.Errorf("block %d is the head: %w", uint64(head.Number), errBehind)
		}
		return nil
	}
	if f.snapshot != nil {
		if head.Hash == f.at.Hash {
			return nil
		}
		if err := f.checkCanonical(ctx, f.at, head); err != nil {
			return err
		}
		if head.Number <= f.at.Number {
			return nil // the head is that of a node which is a little behind
		}
	}
	f.remember(head)
	for f.next <= uint64(head.Number) {
		if err := f.foldRange(ctx, uint64(head.Number)); err != nil {
			return err
		}
	}
	if err := f.compare(ctx, head); err != nil {
		return err
	}
	if err := f.checkCanonical(ctx, head, head); err != nil {
		return err
	}
	f.at = head
	f.snapshot = barnraise.NewSnapshot(f.registry.network.Registry(), uint64(head.Number), head.Hash,
		uint64(f.registry.params.Grace), f.services.List(), f.servers.List())
	return nil
}

// remember notes a head, so that it is known again when an endpoint that is behind gives it. A call may come for every second
// block only: the parent is noted as well.
func (f *follower) remember(head block) {
	for _, hash := range []common.Hash{head.Parent, head.Hash} {
		if !slices.Contains(f.seen, hash) {
			f.seen = append(f.seen, hash)
		}
	}
	f.seen = f.seen[max(0, len(f.seen)-maxSeen):]
}

// checkCanonical fails with [errMoved] for a block that is no longer in the chain of the head, and with [errBehind] where the
// endpoint does not have the block and should.
func (f *follower) checkCanonical(ctx context.Context, b, head block) error {
	now, err := blockAt(ctx, f.registry.client, number(uint64(b.Number)))
	switch {
	case errors.Is(err, errNoBlock) && b.Number <= head.Number:
		return fmt.Errorf("block %d is the head, and block %d is not there: %w", uint64(head.Number), uint64(b.Number), errBehind)
	case errors.Is(err, errNoBlock) || err == nil && now.Hash != b.Hash:
		return fmt.Errorf("block %d was %s: %w", uint64(b.Number), b.Hash, errMoved)
	}
	return err
}

// foldRange folds the events of some blocks from the next one on, no more than up to the block given.
func (f *follower) foldRange(ctx context.Context, upTo uint64) error {
	to := min(f.next+f.span-1, upTo)
	logs, err := f.logs(ctx, f.next, to)
	for err != nil && to-f.next >= leastSpan && ctx.Err() == nil {
		f.span = max((to-f.next+1)/2, leastSpan)
		to = f.next + f.span - 1
		logs, err = f.logs(ctx, f.next, to)
	}
	if err != nil {
		return fmt.Errorf("fetch events of blocks %d to %d: %w", f.next, to, err)
	}
	if err := f.fold(ctx, f.next, to, logs); err != nil {
		return err
	}
	f.next = to + 1
	f.span = min(f.span+f.span/4, mostSpan)
	return nil
}

func (f *follower) logs(ctx context.Context, from, to uint64) ([]types.Log, error) {
	c := f.registry.contracts
	return ask[[]types.Log](ctx, f.registry.client, "eth_getLogs", map[string]any{
		"fromBlock": number(from), "toBlock": number(to), "address": []common.Address{c.services, c.servers},
	})
}

// fold applies logs, which must be of these blocks and in the order of the chain, save those that it applied before it failed
// in the middle.
func (f *follower) fold(ctx context.Context, from, to uint64, logs []types.Log) error {
	for i := range logs {
		l := &logs[i]
		if l.Removed || l.BlockNumber < from || l.BlockNumber > to || i > 0 && !placeOf(l).follows(placeOf(&logs[i-1])) {
			return fmt.Errorf("log %d of block %d is out of order in blocks %d to %d: %w",
				l.Index, l.BlockNumber, from, to, registry.ErrEvents)
		}
		here := placeOf(l)
		if !here.follows(f.folded) {
			continue
		}
		event, err := f.registry.contracts.decode(l)
		if err != nil {
			return err
		}
		at := registry.Block{Number: l.BlockNumber, Time: int64(l.BlockTimestamp)}
		if l.Address == f.registry.contracts.services {
			err = f.services.Apply(at, event)
		} else {
			err = f.applyServer(ctx, at, event)
		}
		if err != nil {
			return err
		}
		f.folded = here
	}
	return nil
}

// follows reports whether a place is behind another one in the chain.
func (p place) follows(before place) bool {
	return p.block > before.block || p.block == before.block && p.index > before.index
}

// applyServer fetches the time of the block where it matters and the endpoint did not give it with the log.
func (f *follower) applyServer(ctx context.Context, at registry.Block, event registry.Event) error {
	if at.Time <= 0 && f.servers.NeedsTime(event) {
		b, err := blockAt(ctx, f.registry.client, number(at.Number))
		if err != nil {
			return err
		}
		at.Time = int64(b.Time)
	}
	return f.servers.Apply(at, event)
}

// compare holds what came out against what the contracts say at the block.
func (f *follower) compare(ctx context.Context, head block) error {
	c := f.registry.contracts
	for _, side := range []struct {
		name    string
		address common.Address
		log     [32]byte
		count   uint32
	}{
		{"services", c.services, f.services.Log(), f.services.Count()},
		{"servers", c.servers, f.servers.Log(), f.servers.Count()},
	} {
		log, count, err := f.stored(ctx, head, side.address)
		if err != nil {
			return err
		}
		if log != side.log || count != side.count {
			return fmt.Errorf("compare %s at block %d: the contract has %d records and hash %x, its events make %d and %x: "+
				"an event is missing or the endpoint lies; check start_block in the network file, "+
				"or put another endpoint first under rpc: %w",
				side.name, uint64(head.Number), count, log, side.count, side.log, registry.ErrEvents)
		}
	}
	return nil
}

// stored fetches a contract's running hash and count at a block: zero where the contract came later, and need not exist yet.
func (f *follower) stored(ctx context.Context, at block, a common.Address) (log [32]byte, count uint32, err error) {
	r, tag, binding := f.registry, number(uint64(at.Number)), f.registry.contracts.service // both have the two functions
	log, err = read(ctx, r, a, tag, binding.PackLog(), binding.UnpackLog)
	if errors.Is(err, errNoContract) && f.mayLack {
		return log, 0, r.checkCode(ctx, a)
	}
	if errors.Is(err, errNoContract) {
		return log, 0, fmt.Errorf("%w at %s: the chain has begun anew; get its new network file", err, a)
	}
	if err == nil {
		count, err = read(ctx, r, a, tag, binding.PackCount(), binding.UnpackCount)
	}
	return log, count, err
}
