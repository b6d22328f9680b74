package evm

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"barnraise"
	"barnraise/registry"
	"barnraise/whole"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
)

// Keeper keeps the base of an index over restarts. What it gives back may be damaged, old or of another chain: that is found out.
// Who can write there on purpose is trusted: no running hash shows a record that was changed with its commitment.
type Keeper interface {
	// LoadBase returns what was kept, and nothing where nothing was.
	LoadBase(ctx context.Context) ([]byte, error)
	// SaveBase keeps data in place of what was kept before.
	SaveBase(ctx context.Context, data []byte) error
}

// FileKeeper keeps a base in the file of that path. Its directory is made where it is missing.
type FileKeeper string

// BaseFile is the file of a network's base in a directory that may hold those of others.
func BaseFile(dir string, n registry.Network) FileKeeper {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s", n.Chain, n.Services, n.Servers))
	return FileKeeper(filepath.Join(dir, hex.EncodeToString(sum[:8])+".base"))
}

// LoadBase reads the file. It fails for one that is longer than [MaxBase].
func (k FileKeeper) LoadBase(context.Context) ([]byte, error) {
	f, err := os.Open(string(k))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxBase+1))
	if err == nil && len(data) > MaxBase {
		err = fmt.Errorf("%s has more than %d bytes: %w", k, MaxBase, errKept)
	}
	return data, err
}

// SaveBase replaces the file as a whole: whoever ends in between finds the old one or the new one.
func (k FileKeeper) SaveBase(_ context.Context, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(string(k)), 0o700); err != nil {
		return err
	}
	return whole.Write(string(k), data, 0o600)
}

// MaxBase is the longest base, in bytes, that is kept or read back.
const MaxBase = 32 << 20

// How often a base is kept in which nothing has changed: so often is the time renewed at which the chain was asked.
const (
	keepEvery  = 10 * time.Minute
	keepBlocks = 2_000
)

// archiveOnly is how old a block is, in blocks, whose state not every endpoint still has.
const archiveOnly = 120

// keptHead is the first line of a kept base; behind it stands a full snapshot file, compressed.
type keptHead struct {
	Version   int              `json:"v"`
	Asked     int64            `json:"asked"`               // when the chain was last asked with success, in Unix seconds
	Makeshift bool             `json:"makeshift,omitempty"` // it is no confirmed block
	Params    Params           `json:"params"`
	Sum       barnraise.Digest `json:"sum"` // of what stands behind
}

var errKept = errors.New("what was kept of the index is damaged")

// encodeBase writes a base as it is kept.
func encodeBase(h keptHead, s registry.State) ([]byte, error) {
	var body bytes.Buffer
	z, err := gzip.NewWriterLevel(&body, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err = registry.WriteState(z, s); err == nil {
		err = z.Close()
	}
	if err != nil {
		return nil, err
	}
	h.Version, h.Sum = 1, barnraise.Digest(sha256.Sum256(body.Bytes()))
	head, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	data := append(append(head, '\n'), body.Bytes()...)
	if len(data) > MaxBase {
		return nil, fmt.Errorf("the index has %d bytes, at most %d are kept", len(data), MaxBase)
	}
	return data, nil
}

// decodeBase reads what [encodeBase] wrote. It is bounded, and every commitment in it is computed anew.
func decodeBase(data []byte) (h keptHead, s registry.State, err error) {
	line, body, ok := bytes.Cut(data, []byte("\n"))
	if !ok || len(data) > MaxBase || json.Unmarshal(line, &h) != nil || h.Version != 1 {
		return h, s, errKept
	}
	if h.Sum != barnraise.Digest(sha256.Sum256(body)) {
		return h, s, fmt.Errorf("%w: its sum is another", errKept)
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err == nil {
		s, err = registry.ReadState(z) // reads no more than a snapshot file may have
	}
	if err == nil {
		_, err = io.ReadFull(z, make([]byte, 1))
		if errors.Is(err, io.EOF) {
			return h, s, nil
		}
	}
	return h, s, fmt.Errorf("%w: %w", errKept, err)
}

// registryState is a fold at the block where it was compared.
func (f *fold) registryState(n registry.Network) registry.State {
	return registry.State{
		Registry: n.Registry(), Block: uint64(f.at.Number), Hash: registry.BlockHash(f.at.Hash), Time: int64(f.at.Time),
		Grace: f.grace, Services: f.services, Servers: f.servers,
	}
}

// keep keeps the base where that is worth while. That it cannot be kept is said once in a while and is no fault.
func (x *index) keep(ctx context.Context) {
	p := x.pool
	if p.keeper == nil || x.base.snapshot == nil || x.base.state == (state{}) {
		return
	}
	now := p.now()
	if x.base.state == x.kept.state && uint64(x.base.at.Number) < x.kept.block+keepBlocks && now.Sub(x.kept.at) < keepEvery {
		return
	}
	x.kept = kept{x.base.state, uint64(x.base.at.Number), now}
	data, err := encodeBase(keptHead{Asked: now.Unix(), Makeshift: x.makeshift, Params: x.registry.params}, x.base.registryState(x.registry.network))
	if err == nil {
		err = p.keeper.SaveBase(ctx, data)
	}
	if err != nil && ctx.Err() == nil {
		p.warn(fmt.Sprintf("keep the index of the registry: %v", err))
	}
}

// kept is what was kept last, and when.
type kept struct {
	state state
	block uint64
	at    time.Time
}

// load looks once for a kept base, and takes it where it stands on a block of the chain. It says why where it does not.
func (x *index) load(ctx context.Context) {
	if x.loaded || x.pool.keeper == nil {
		return
	}
	data, err := x.pool.keeper.LoadBase(ctx)
	if err == nil && len(data) > 0 {
		err = x.restore(ctx, data)
	}
	if ctx.Err() != nil || errors.Is(err, errNobody) && !x.pool.lasts {
		return // the next call tries again
	}
	x.loaded = true
	if err != nil {
		x.pool.warn(fmt.Sprintf("the registry is read from its beginning, for what was kept of it will not do: %v", err))
	}
}

func (x *index) restore(ctx context.Context, data []byte) error {
	h, s, err := decodeBase(data)
	if err != nil {
		return err
	}
	n := x.registry.network
	if s.Registry != n.Registry() || s.Block+1 < n.StartBlock {
		return fmt.Errorf("it is of another registry, or older than start_block: %w", errKept)
	}
	f := &fold{
		services: s.Services, servers: s.Servers, next: s.Block + 1, folded: place{block: s.Block, index: ^uint(0)}, grace: s.Grace,
		at:    block{Number: hexutil.Uint64(s.Block), Hash: common.Hash(s.Hash), Time: hexutil.Uint64(s.Time)},
		state: state{stored{s.Services.Log(), s.Services.Count()}, stored{s.Servers.Log(), s.Servers.Count()}},
	}
	asked := time.Unix(h.Asked, 0)
	checked, err := x.recognise(ctx, f)
	if err != nil && !(errors.Is(err, errNobody) && x.pool.lasts && x.pool.silent()) {
		return err
	}
	x.pool.remembers(asked)
	f.snapshot = s.Snapshot()
	x.base, x.makeshift, x.doubtful = f, h.Makeshift, !checked
	x.fold, x.lifted = f.clone(), f.next
	x.kept = kept{f.state, s.Block, asked}
	return nil
}

// recognise reports whether endpoints confirm what a kept base says of its block. It is an error where the block is not in the
// chain, and false where it is too old for them to know the contracts' state there: then the next comparison has to show it.
func (x *index) recognise(ctx context.Context, f *fold) (bool, error) {
	s, err := x.pool.survey(ctx, latest)
	if err != nil {
		return false, err
	}
	if old := uint64(f.at.Number) + archiveOnly; uint64(s.chosen.Number) >= old {
		return false, x.sameBlock(ctx, s, f.at)
	}
	s.chosen = block{Number: f.at.Number}
	v, err := x.pool.vote(ctx, s, true)
	switch {
	case err != nil:
		return false, err
	case v.block.Hash != f.at.Hash || v.state != f.state || uint64(v.params.Grace) != f.grace:
		return false, fmt.Errorf("block %d is another, or says something else: %w", uint64(f.at.Number), errMoved)
	}
	return true, nil
}

// sameBlock fails where more endpoints do not have a block in its place than do.
func (x *index) sameBlock(ctx context.Context, s sighting, b block) error {
	said := poll(ctx, x.pool, voters(s), func(ctx context.Context, _ *endpoint, c *rpc.Client) (block, error) {
		return blockAt(ctx, c, number(uint64(b.Number)))
	})
	balance := 0
	for _, a := range said {
		switch {
		case a.err == nil && a.value.Hash == b.Hash:
			balance++
		case a.err == nil || errors.Is(a.err, errNoBlock):
			balance--
		}
	}
	if balance <= 0 {
		return fmt.Errorf("block %d is not the one in the chain: %w", uint64(b.Number), errMoved)
	}
	return nil
}

// State is the registry at the head, as [Registry.Snapshot] would give it, with all that its commitments and running hashes rest
// on. It is the caller's, and fails like that.
func (r *Registry) State(ctx context.Context) (registry.State, error) {
	return r.head.wholly(ctx, r.head.advance, func() *fold { return r.head.fold })
}

// ConfirmedState is the registry as [Registry.Confirmed] gives it, with all that its commitments and running hashes rest on. It is
// the caller's, and fails like that.
func (r *Registry) ConfirmedState(ctx context.Context) (registry.State, error) {
	return r.head.wholly(ctx, r.head.confirm, func() *fold { return r.head.base })
}

func (x *index) wholly(ctx context.Context, goal goal, which func() *fold) (s registry.State, err error) {
	_, err = x.sync(ctx, func(ctx context.Context) (*barnraise.Snapshot, error) {
		snapshot, err := goal(ctx)
		if err == nil {
			s = which().clone().registryState(x.registry.network)
		}
		return snapshot, err
	}, func() *fold { return new(fold) }) // never what was read last
	return s, err
}

// rests notes on how many endpoints the newest snapshot rests.
func (p *pool) rests(t Trust) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trust = t
}
