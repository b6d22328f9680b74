package evm

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"barnraise"
	"barnraise/registry"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"
)

// How many blocks one request for logs covers. Endpoints allow very different ranges and numbers of logs, so it adapts.
const (
	firstSpan = 20
	leastSpan = 1
	mostSpan  = 1_000_000
	manyLogs  = 2_000 // about two megabytes
	mostSlow  = 2     // so often may one of several endpoints let a request run into its time limit
)

// maxAttempts is how often a call tries, because the chain reorganised meanwhile, or the events did not add up, or the endpoint
// fell behind what it said before. Each further endpoint is worth another attempt.
const maxAttempts = 3

// maxFork is how far below the head endpoints that are on different branches are asked for a block that they have in common.
const maxFork = 3

// maxSeen is how many heads are remembered.
const maxSeen = 32

// mostReplay is how many blocks above the base are read anew after a reorganisation, at least before the base is moved up.
const mostReplay = 64

// noTagBehind is how far behind the head the base stays on a chain that has no finalized block and whose network file does not
// say how many confirmations are enough.
const noTagBehind = 100

// errMoved is the error for a block that is no longer in the chain.
var errMoved = errors.New("the chain reorganised while it was read")

// errBehind is the error for an endpoint, perhaps one of several behind a URL, that does not have what was read before.
var errBehind = errors.New("the endpoint is behind what it said before; try again")

// Snapshot is the registry at the head of the chain, or where there are several endpoints at the newest block that a majority of
// them has got to. Only what is new since the last call is fetched; if the head is still the same, or one that was the head
// before, nothing is. After a reorganisation only what is newer than the base is read anew: the registry as it was confirmed.
//
// It fails with [ErrDisagree] where endpoints contradict each other and none has a majority behind it, and with
// [registry.ErrEvents] where the events that an endpoint gives do not lead to the contracts' own hash and count; what was learnt
// from it is then thrown away. After any other error the next call goes on where this one stopped.
func (r *Registry) Snapshot(ctx context.Context) (*barnraise.Snapshot, error) {
	return r.head.sync(ctx, r.head.advance, func() *fold { return r.head.fold })
}

// Confirmed is the registry as hosting, scores and evidence use it (protocol 1.9): as many blocks behind the head as the
// network file says, or at the finalized block where it says nothing. The endpoints must still have the state of that block.
// Before the registry is so old it is empty. It fails like [Registry.Snapshot].
func (r *Registry) Confirmed(ctx context.Context) (*barnraise.Snapshot, error) {
	return r.head.sync(ctx, r.head.confirm, func() *fold { return r.head.base })
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
	return behindHead(ctx, c, *n)
}

func behindHead(ctx context.Context, c *rpc.Client, n uint64) (block, error) {
	head, err := latest(ctx, c)
	if err != nil || n == 0 {
		return head, err
	}
	return blockAt(ctx, c, number(uint64(head.Number)-min(n, uint64(head.Number))))
}

// index is a registry up to its head, on a base that no reorganisation should reach. What is embedded is the part up to the head.
type index struct {
	*fold
	base      *fold // as confirmed; never changed, only replaced
	rising    *fold // what is to become the next base; nil for none
	makeshift bool  // the base is not of the confirmed block, because the chain has none

	registry *Registry
	pool     *pool
	turn     chan struct{} // whoever takes what is in it may use the rest
	span     uint64
	heads    seen
	bases    seen
	kept     kept
	doubtful bool   // the base was kept, and not compared with the contracts yet
	lifted   uint64 // the head when the base was last brought up
	loaded   bool   // the kept base was looked for
	falls    int    // how often the index fell back in this call
}

func newIndex(r *Registry) *index {
	x := &index{registry: r, pool: r.pool, turn: make(chan struct{}, 1), span: firstSpan}
	x.begin()
	x.turn <- struct{}{}
	return x
}

// begin forgets everything but the span.
func (x *index) begin() {
	x.base, x.rising, x.heads, x.bases, x.makeshift = newFold(x.registry.network.StartBlock), nil, nil, nil, false
	x.fold, x.lifted, x.kept, x.doubtful = x.base.clone(), x.base.next, kept{}, false
}

// sync takes its turn and tries to reach a goal; what was read last is there without it for a while.
func (x *index) sync(ctx context.Context, goal goal, reads func() *fold) (*barnraise.Snapshot, error) {
	select {
	case <-x.turn:
		defer func() { x.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, fmt.Errorf("read registry: %w", context.Cause(ctx))
	}
	x.load(ctx)
	s, err := x.reach(ctx, goal)
	if err != nil {
		s, err = x.last(ctx, reads().snapshot, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read registry: %w", err)
	}
	return s, nil
}

// goal is what an index is brought to: its head, or the confirmed block.
type goal func(context.Context) (*barnraise.Snapshot, error)

// reach tries to reach a goal, more than once where that may help.
func (x *index) reach(ctx context.Context, goal goal) (s *barnraise.Snapshot, err error) {
	x.falls = 0
	for range maxAttempts + len(x.pool.endpoints) - 1 {
		if s, err = goal(ctx); err == nil {
			x.pool.reached()
			return s, nil
		}
		if !x.again(ctx, err) {
			break
		}
	}
	return nil, err
}

// again sees to it that the next attempt goes better, and reports whether there should be one.
func (x *index) again(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	var f *failure
	blamed := errors.As(err, &f)
	switch {
	case errors.Is(err, registry.ErrEvents) && x.doubtful:
		x.pool.warn("the registry is read from its beginning, for what was kept of it does not lead to what the contracts say")
		x.begin()
	case errors.Is(err, registry.ErrEvents):
		if blamed && f.fresh {
			x.pool.lies(f.of, f.Error())
		}
		x.fall()
	case errors.Is(err, errMoved):
		x.fall()
		fallthrough
	case errors.Is(err, errBehind):
		if blamed {
			x.pool.apart(f.of, f.Error())
		}
	case blamed && len(x.pool.endpoints) > 1:
		x.pool.failed(f.of, f.error)
	default:
		return false
	}
	return true
}

// fall throws away what is newer than the base; and where that was done already, the base.
func (x *index) fall() {
	x.falls++
	if x.falls > 1 || x.base.snapshot == nil {
		x.begin()
		return
	}
	x.fold, x.rising, x.heads = x.base.clone(), nil, nil
}

// advance brings the index to the head.
func (x *index) advance(ctx context.Context) (*barnraise.Snapshot, error) {
	s, err := x.pool.survey(ctx, latest)
	if err != nil {
		return nil, err
	}
	x.adopt()
	if done, err := x.stays(ctx, x.fold, x.heads, s); done || err != nil {
		return x.snapshot, err
	}
	if uint64(s.chosen.Number) >= x.lifted+mostReplay {
		if err := x.rebase(ctx); err != nil {
			return nil, err
		}
		x.lifted = uint64(s.chosen.Number)
	}
	v, err := x.agree(ctx, s)
	if err != nil {
		return nil, err
	}
	if x.snapshot != nil && v.block.Number <= x.at.Number && !x.doubtful {
		return x.snapshot, nil
	}
	x.heads.remember(v.block)
	if err := x.raise(ctx, x.fold, v); err != nil {
		return nil, err
	}
	x.pool.rests(v.trust)
	return x.snapshot, nil
}

// agree has the endpoints vote on the head, or where they are on different branches on one of the few blocks below it.
func (x *index) agree(ctx context.Context, s sighting) (verdict, error) {
	v, err := x.pool.vote(ctx, s, false)
	for i := 0; i < maxFork && errors.Is(err, errFork) && s.chosen.Number > 0; i++ {
		s.chosen = block{Number: s.chosen.Number - 1}
		v, err = x.pool.vote(ctx, s, false)
	}
	return v, err
}

// adopt takes the base for the part up to the head where it is newer than that.
func (x *index) adopt() {
	if x.base.snapshot != nil && x.base.at.Number > x.at.Number && x.base.next > x.next {
		x.fold = x.base.clone()
	}
}

// stays reports whether a fold needs nothing new. It fails with [errMoved] where it stands on a block that is no longer in the
// chain, and with [errBehind] where the endpoint lacks what it said before.
func (x *index) stays(ctx context.Context, f *fold, before seen, s sighting) (bool, error) {
	head := s.chosen
	if uint64(head.Number)+1 < f.next && slices.Contains(before, head.Hash) {
		if f.snapshot == nil {
			return false, fmt.Errorf("block %d is the head: %w", uint64(head.Number), errBehind)
		}
		return true, nil
	}
	if f.snapshot == nil {
		return false, nil
	}
	if head.Hash == f.at.Hash {
		return !x.doubtful, nil
	}
	if err := x.stands(ctx, s, f.at); err != nil {
		return false, err
	}
	return head.Number <= f.at.Number && !x.doubtful, nil // the head is that of a node which is a little behind
}

// stands fails with [errMoved] where a block is no longer in the chain. That one endpoint says so is not enough where more of them
// still have it.
func (x *index) stands(ctx context.Context, s sighting, b block) error {
	client, e, err := x.holder(ctx, s)
	if err != nil {
		return err
	}
	err = checkCanonical(ctx, client, b, s.chosen)
	if err == nil || errors.Is(err, errMoved) && len(s.blocks) > 1 && x.sameBlock(ctx, s, b) == nil {
		return nil
	}
	return &failure{e, false, err}
}

// holder is the first endpoint that has got to the chosen block.
func (x *index) holder(ctx context.Context, s sighting) (*rpc.Client, *endpoint, error) {
	i := slices.IndexFunc(s.blocks, func(a reply[block]) bool { return a.value.Number >= s.chosen.Number })
	e := s.blocks[i].from
	client, err := e.open(ctx, x.pool.site)
	if err != nil {
		return nil, nil, &failure{e, false, err}
	}
	return client, e, nil
}

// seen are the blocks that were read up to, and their parents; the newest last.
type seen []common.Hash

// remember notes a head, so that it is known again when an endpoint that is behind gives it. A call may come for every second
// block only: the parent is noted as well.
func (s *seen) remember(head block) {
	for _, hash := range []common.Hash{head.Parent, head.Hash} {
		if !slices.Contains(*s, hash) {
			*s = append(*s, hash)
		}
	}
	*s = (*s)[max(0, len(*s)-maxSeen):]
}

// confirm brings the base to the confirmed block.
func (x *index) confirm(ctx context.Context) (*barnraise.Snapshot, error) {
	if x.makeshift {
		x.begin()
	}
	if x.doubtful { // the state of the head is there everywhere, that of the confirmed block perhaps not
		if _, err := x.advance(ctx); err != nil {
			return nil, err
		}
	}
	if err := x.lift(ctx, x.registry.confirmedBlock); err != nil {
		return nil, err
	}
	return x.base.snapshot, nil
}

// rebase brings the base up before much is read above it. On a chain that names no confirmed block the base stays far behind the
// head. A base that cannot be had now is no fault: then more is read above the old one.
func (x *index) rebase(ctx context.Context) error {
	err := errNoBlock
	if !x.makeshift {
		err = x.lift(ctx, x.registry.confirmedBlock)
	}
	var f *failure
	if err != nil && x.registry.network.Confirmations == nil && (x.makeshift || x.base.snapshot == nil) && !errors.As(err, &f) {
		x.makeshift = true
		err = x.lift(ctx, farBehind)
	}
	x.adopt()
	if err != nil && (errors.As(err, &f) || errors.Is(err, ErrDisagree) || ctx.Err() != nil) {
		return err
	}
	return nil
}

func farBehind(ctx context.Context, c *rpc.Client) (block, error) {
	return behindHead(ctx, c, noTagBehind)
}

// lift brings the base to a block.
func (x *index) lift(ctx context.Context, t target) error {
	s, err := x.pool.survey(ctx, t)
	if err != nil {
		return err
	}
	if done, err := x.stays(ctx, x.base, x.bases, s); done || err != nil {
		if errors.Is(err, errMoved) {
			x.begin()
		}
		return err
	}
	x.bases.remember(s.chosen)
	if x.snapshot != nil && s.chosen.Hash == x.at.Hash && len(x.from) == 0 && !x.doubtful {
		x.settle(ctx, x.fold.clone())
		return nil
	}
	v, err := x.pool.vote(ctx, s, true)
	if err != nil {
		return err
	}
	if x.rising == nil {
		x.rising = x.base.clone()
	}
	if err := x.raise(ctx, x.rising, v); err != nil {
		return err
	}
	x.pool.rests(v.trust)
	x.settle(ctx, x.rising)
	return nil
}

// settle makes a fold the base, and keeps it.
func (x *index) settle(ctx context.Context, f *fold) {
	x.base, x.rising, x.doubtful = f, nil, false
	x.keep(ctx)
}
