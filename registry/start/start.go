// Package start begins with what strangers say of a registry, instead of reading its events: with a snapshot file, or with
// the answers of two servers to /v1/snapshot. Every record is held against the commitments that are proven under the hash of
// its block (protocol 1.8). That the block is one of the chain says the checkpoint of the network file, or an RPC endpoint,
// or, where neither can, that the servers agree on it; the view says which.
package start

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"barnraise"
	"barnraise/registry"
	"barnraise/registry/proof"
)

// How old a block may be before somebody should be warned, and before it is refused.
const (
	Old    = time.Hour
	TooOld = 24 * time.Hour
)

// ErrNobodyVouches is the error for a block of which nobody says that it is in the chain.
var ErrNobodyVouches = errors.New("nobody vouches for the block")

// ErrForeign is the error for a snapshot of another registry, or of a block that is not in the chain.
var ErrForeign = errors.New("it is not of this chain")

// ErrOld is the error for a snapshot that is more than a day old.
var ErrOld = errors.New("it is too old to begin with")

// Chain is who is asked which blocks there are: an RPC endpoint, or several.
type Chain interface {
	// HashAt is the hash of a block, and who says so in words.
	HashAt(ctx context.Context, block uint64) (hash registry.BlockHash, who string, err error)
	// Grace is the constant of the deployment (protocol 1.4), which no proof shows.
	Grace() uint64
}

// Terms are on what terms strangers are believed.
type Terms struct {
	Network registry.Network
	Now     func() time.Time
	Dial    func(context.Context) (Chain, error) // where it fails, nobody can be asked
}

// Who vouches for the block of a view.
const (
	ByCheckpoint = "checkpoint" // of the network file
	ByRPC        = "rpc"
	ByServers    = "servers" // which agree on it; if they are one and the same, nobody does
)

// View is a registry at one block, or a part of it, all of it checked. It never changes. It is what a client reads instead
// of a registry that it follows.
type View struct {
	Block    uint64
	Hash     registry.BlockHash
	Time     time.Time // of the block
	Vouched  string    // [ByCheckpoint], [ByRPC] or [ByServers]
	Who      string    // that is, in words
	Complete bool      // no record is missing; else what no server named is
	Servers  int       // how many servers were asked, zero of a file
	snapshot *barnraise.Snapshot
}

// Snapshot is the view.
func (v *View) Snapshot(context.Context) (*barnraise.Snapshot, error) { return v.snapshot, nil }

// Confirmed is the view as well: it was confirmed for whoever wrote it.
func (v *View) Confirmed(context.Context) (*barnraise.Snapshot, error) { return v.snapshot, nil }

// FromFile begins with a full snapshot file that has a proof, from wherever it comes. It fails with [registry.ErrSnapshot],
// [proof.ErrProof], [proof.ErrAltered], [ErrForeign], [ErrNobodyVouches] and [ErrOld].
func FromFile(ctx context.Context, file io.Reader, t Terms) (*View, error) {
	s, err := registry.ReadState(file)
	if err != nil {
		return nil, fmt.Errorf("begin with a snapshot: %w", err)
	}
	v, err := t.fromState(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("begin with a snapshot: %w", err)
	}
	return v, nil
}

func (t Terms) fromState(ctx context.Context, s registry.State) (*View, error) {
	if err := t.ours(s.Registry); err != nil {
		return nil, err
	}
	h, err := proof.OfState(s)
	if err != nil {
		return nil, err
	}
	v := &View{Complete: true}
	return v, t.finish(ctx, v, h, s.Snapshot())
}

func (t Terms) ours(r barnraise.Registry) error {
	if r != t.Network.Registry() {
		return fmt.Errorf("it is of registry %s: %w", r, ErrForeign)
	}
	return nil
}

// finish finds out who vouches for the block, and how old it is.
func (t Terms) finish(ctx context.Context, v *View, h proof.Header, s *barnraise.Snapshot) error {
	v.Block, v.Hash, v.Time = h.Number, h.Hash, time.Unix(int64(h.Time), 0)
	grace, err := t.vouch(ctx, v)
	if err != nil {
		return err
	}
	if age := t.Now().Sub(v.Time); age > TooOld && !t.Network.Private() {
		return fmt.Errorf("block %d is %s old: %w", v.Block, age.Round(time.Minute), ErrOld)
	}
	v.snapshot = proven(s, grace)
	return nil
}

// vouch finds somebody who says that the block is in the chain. The grace is zero where it is not known: then a key that was
// replaced counts no more.
func (t Terms) vouch(ctx context.Context, v *View) (grace uint64, err error) {
	if c := t.Network.Checkpoint; c != nil && c.Block == v.Block {
		if c.Hash != v.Hash {
			return 0, fmt.Errorf("block %d is %s, the checkpoint of the network file is %s: %w", v.Block, v.Hash, c.Hash, ErrForeign)
		}
		v.Vouched, v.Who = ByCheckpoint, "the checkpoint of the network file"
		return 0, nil
	}
	chain, err := t.Dial(ctx)
	if err == nil {
		v.Vouched = ByRPC
		hash, who, asked := chain.HashAt(ctx, v.Block)
		if err = asked; err == nil && hash != v.Hash {
			return 0, fmt.Errorf("block %d is %s, the RPC endpoints have %s: %w", v.Block, v.Hash, hash, ErrForeign)
		}
		v.Who = who
	}
	switch {
	case err == nil:
		return chain.Grace(), nil
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	case v.Servers < 2:
		return 0, fmt.Errorf("block %d: %w: it is not the checkpoint of the network file, and %w", v.Block, ErrNobodyVouches, err)
	}
	v.Vouched, v.Who = ByServers, fmt.Sprintf("%d servers that agree, and no RPC endpoint (%v)", v.Servers, err)
	return 0, nil
}

// proven leaves out what nothing shows of strangers' records: when a key was replaced. Evidence under such a key lapses.
func proven(s *barnraise.Snapshot, grace uint64) *barnraise.Snapshot {
	servers := s.Servers()
	for i := range servers {
		keys := make([]barnraise.Key, len(servers[i].Keys))
		copy(keys, servers[i].Keys)
		for j := range keys {
			keys[j].ReplacedAt = 0
		}
		servers[i].Keys = keys
	}
	return barnraise.NewSnapshot(s.Registry, s.Block, s.Hash, grace, s.Services(), servers)
}
