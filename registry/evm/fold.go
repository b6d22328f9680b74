package evm

import (
	"cmp"
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

// fold is what the events of a registry make up to some block.
type fold struct {
	services *registry.Services
	servers  *registry.Servers
	next     uint64 // the first block whose events are not all in it
	folded   place  // the newest event that is
	at       block  // up to which the contracts' own hash and count were compared; zero before the first time
	state    state  // of the contracts there
	grace    uint64
	snapshot *barnraise.Snapshot
	from     []*endpoint // who gave the events behind that block
}

// place is where an event stands in the chain.
type place struct {
	block uint64
	index uint
}

func placeOf(l *types.Log) place { return place{l.BlockNumber, l.Index} }

// follows reports whether a place is behind another one in the chain.
func (p place) follows(before place) bool {
	return p.block > before.block || p.block == before.block && p.index > before.index
}

func newFold(start uint64) *fold {
	return &fold{services: new(registry.Services), servers: new(registry.Servers), next: start}
}

// clone is a copy of a fold that stands at a block it was compared at.
func (f *fold) clone() *fold {
	c := *f
	c.services, c.servers, c.from = f.services.Clone(), f.servers.Clone(), slices.Clone(f.from)
	return &c
}

// raise folds the events up to the block of a verdict, and compares what comes out. Where it fails, what was folded stays, to be
// gone on with or thrown away.
func (x *index) raise(ctx context.Context, f *fold, v verdict) error {
	e, fresh := source(v.from), len(f.from) == 0
	fails := func(err error) error { return &failure{e, fresh, err} }
	client, err := e.open(ctx, x.pool.site)
	if err != nil {
		return fails(err)
	}
	if f.next <= uint64(v.block.Number) && !slices.Contains(f.from, e) {
		f.from = append(f.from, e)
	}
	for f.next <= uint64(v.block.Number) {
		if err := x.foldRange(ctx, client, f, uint64(v.block.Number)); err != nil {
			e.stalls++
			return fails(err)
		}
		e.stalls = 0
	}
	wrong := f.compare(v)
	if wrong != nil && len(x.pool.endpoints) == 1 {
		return fails(wrong)
	}
	if err := checkCanonical(ctx, client, v.block, v.block); err != nil {
		return fails(err) // also where the events are wrong: they may be those of another branch
	}
	if wrong != nil {
		return fails(wrong)
	}
	f.at, f.state, f.from, f.grace, x.doubtful = v.block, v.state, nil, uint64(v.params.Grace), false
	f.snapshot = barnraise.NewSnapshot(x.registry.network.Registry(), uint64(v.block.Number), v.block.Hash,
		f.grace, f.services.List(), f.servers.List())
	return nil
}

// source is the first endpoint of those that failed least in giving events: one that agrees at once and then keeps everybody
// waiting is passed over.
func source(from []*endpoint) *endpoint {
	return slices.MinFunc(from, func(a, b *endpoint) int { return cmp.Compare(a.stalls, b.stalls) })
}

// failure is an error that an endpoint is the cause of, or seems to be.
type failure struct {
	of    *endpoint
	fresh bool // all the events that were not compared before came from it, just now
	error
}

func (f *failure) Unwrap() error { return f.error }

// checkCanonical fails with [errMoved] for a block that is no longer in the chain of the head, and with [errBehind] where the
// endpoint does not have the block and should.
func checkCanonical(ctx context.Context, client *rpc.Client, b, head block) error {
	now, err := blockAt(ctx, client, number(uint64(b.Number)))
	switch {
	case errors.Is(err, errNoBlock) && b.Number <= head.Number:
		return fmt.Errorf("block %d is the head, and block %d is not there: %w", uint64(head.Number), uint64(b.Number), errBehind)
	case errors.Is(err, errNoBlock) || err == nil && now.Hash != b.Hash:
		return fmt.Errorf("block %d was %s: %w", uint64(b.Number), b.Hash, errMoved)
	}
	return err
}

// foldRange folds the events of some blocks from the next one on, no more than up to the block given.
func (x *index) foldRange(ctx context.Context, client *rpc.Client, f *fold, upTo uint64) error {
	to := min(f.next+x.span-1, upTo)
	logs, err := x.fetch(ctx, client, f.next, to)
	for slow := 0; err != nil && to-f.next+1 > leastSpan && ctx.Err() == nil; {
		x.span = max((to-f.next+1)/2, leastSpan)
		to = f.next + x.span - 1
		if errors.Is(err, context.DeadlineExceeded) {
			slow++
		}
		if slow == mostSlow && len(x.pool.endpoints) > 1 {
			break // the next one may be faster
		}
		logs, err = x.fetch(ctx, client, f.next, to)
	}
	if err != nil {
		return fmt.Errorf("fetch events of blocks %d to %d: %w", f.next, to, err)
	}
	if err := x.apply(ctx, client, f, to, logs); err != nil {
		return err
	}
	f.next = to + 1
	x.span = nextSpan(x.span, len(logs))
	return nil
}

// nextSpan grows where there is little in a range, and shrinks where there is so much that it costs memory.
func nextSpan(span uint64, logs int) uint64 {
	switch {
	case logs > 2*manyLogs:
		return max(span/2, leastSpan)
	case logs > manyLogs:
		return span
	case logs > manyLogs/4:
		return min(span+span/4, mostSpan)
	}
	return min(2*span, mostSpan)
}

func (x *index) fetch(ctx context.Context, client *rpc.Client, from, to uint64) ([]types.Log, error) {
	c := x.registry.contracts
	return ask[logs](ctx, client, "eth_getLogs", map[string]any{
		"fromBlock": number(from), "toBlock": number(to), "address": []common.Address{c.services, c.servers},
	})
}

// apply applies logs, which must be of the blocks from the next one on and in the order of the chain, save those that it applied
// before it failed in the middle.
func (x *index) apply(ctx context.Context, client *rpc.Client, f *fold, to uint64, logs []types.Log) error {
	for i := range logs {
		l := &logs[i]
		if l.Removed || l.BlockNumber < f.next || l.BlockNumber > to || i > 0 && !placeOf(l).follows(placeOf(&logs[i-1])) {
			return fmt.Errorf("log %d of block %d is out of order in blocks %d to %d: %w",
				l.Index, l.BlockNumber, f.next, to, registry.ErrEvents)
		}
		here := placeOf(l)
		if !here.follows(f.folded) {
			continue
		}
		event, err := x.registry.contracts.decode(l)
		if err != nil {
			return err
		}
		at := registry.Block{Number: l.BlockNumber, Time: int64(l.BlockTimestamp)}
		if l.Address == x.registry.contracts.services {
			err = f.services.Apply(at, event)
		} else {
			err = f.applyServer(ctx, client, at, event)
		}
		if err != nil {
			return err
		}
		f.folded = here
	}
	return nil
}

// applyServer fetches the time of the block where it matters and the endpoint did not give it with the log.
func (f *fold) applyServer(ctx context.Context, client *rpc.Client, at registry.Block, event registry.Event) error {
	if at.Time <= 0 && f.servers.NeedsTime(event) {
		b, err := blockAt(ctx, client, number(at.Number))
		if err != nil {
			return err
		}
		at.Time = int64(b.Time)
	}
	return f.servers.Apply(at, event)
}

// compare holds what came out against what the contracts say at the block.
func (f *fold) compare(v verdict) error {
	for _, side := range []struct {
		name       string
		says, made stored
	}{
		{"services", v.state.services, stored{f.services.Log(), f.services.Count()}},
		{"servers", v.state.servers, stored{f.servers.Log(), f.servers.Count()}},
	} {
		if side.says != side.made {
			return fmt.Errorf("compare %s at block %d: the contract has %d records and hash %x, its events make %d and %x: "+
				"an event is missing or the endpoint lies; check start_block in the network file, "+
				"or put another endpoint first under rpc: %w", side.name, uint64(v.block.Number),
				side.says.count, side.says.log, side.made.count, side.made.log, registry.ErrEvents)
		}
	}
	return nil
}
