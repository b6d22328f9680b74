package evm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"barnraise"
	"barnraise/registry"
	"barnraise/registry/proof"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rlp"
)

// slotsAtOnce is how many slots one request asks proofs of. Endpoints take 1,024 of them and answer about five thousand bytes
// for each.
const slotsAtOnce = 256

// ErrNoProof is the error for an endpoint that proves nothing of a block: it no longer has the state, or never learnt
// eth_getProof.
var ErrNoProof = errors.New("the RPC endpoint gives no proof")

// Proof is what the contracts are proven to store at a block, as far as somebody wanted to know.
type Proof struct {
	Block    uint64
	Hash     registry.BlockHash // as the RPC endpoint says, unless somebody else vouches for it
	Header   []byte             // in RLP, of that hash; nil where the chain hashes headers otherwise than Ethereum
	Nodes    *proof.Nodes
	Services int // how many services were held against what is stored; none was altered
	Servers  int

	ServicesLog, ServersLog     [32]byte // the running hashes
	ServicesCount, ServersCount uint32   // how many records there are
}

// ProveRecords holds records at the head of the chain against what the contracts are proven to store, and counts and running
// hashes with them. It fails with [proof.ErrAltered] and [proof.ErrProof] where they are not the same, with [ErrNoProof], and
// like [Registry.Snapshot]. What it proves is what the next Snapshot says, unless the chain has gone on.
func (r *Registry) ProveRecords(ctx context.Context, services []barnraise.ServiceID, servers []barnraise.ServerID) (*Proof, error) {
	return r.head.prove(ctx, func(s registry.State) (proof.Claims, error) {
		return proof.Claim(s, services, servers)
	})
}

// ProveAll is ProveRecords for every record: that none is altered and none missing. It asks for a proof of each, 15,000 in a
// few seconds from an endpoint on this machine.
func (r *Registry) ProveAll(ctx context.Context) (*Proof, error) {
	return r.head.prove(ctx, func(s registry.State) (proof.Claims, error) { return proof.ClaimAll(s) })
}

// Excerpt is a service, its hosts and its homes at the confirmed block, with the proof for them: what somebody needs who
// begins. Of the hosts there are as many as may be, the oldest first. It fails with [ErrNoService] where there is no such
// service at that block, with [ErrNoProof], also where nobody could check a header of the chain, and like
// [Registry.Confirmed].
func (r *Registry) Excerpt(ctx context.Context, id barnraise.ServiceID, hosts int) (registry.Excerpt, error) {
	var e registry.Excerpt
	p, err := r.confirmed.prove(ctx, func(s registry.State) (proof.Claims, error) {
		var ok bool
		if e, ok = s.Excerpt(id, hosts); !ok {
			return proof.Claims{}, fmt.Errorf("service %s at block %d: %w", id, s.Block, ErrNoService)
		}
		services, servers := e.IDs()
		return proof.Claim(s, services, servers)
	})
	if err == nil && p.Header == nil {
		err = fmt.Errorf("the chain hashes headers otherwise than Ethereum: %w", ErrNoProof)
	}
	if err != nil {
		return e, err
	}
	e.Proof = proof.Backing(p.Header, p.Nodes)
	return e, nil
}

// ErrNoService is the error for a service that the registry does not have at a block.
var ErrNoService = errors.New("no such service")

// WriteFile writes the whole registry at the confirmed block as a snapshot file, with the proof of all of it. It fails like
// [Registry.ProveAll] and [Registry.Confirmed].
func (r *Registry) WriteFile(ctx context.Context, w io.Writer) (*Proof, error) {
	var file bytes.Buffer
	p, err := r.confirmed.prove(ctx, func(s registry.State) (proof.Claims, error) {
		file.Reset()
		if err := registry.WriteState(&file, s); err != nil {
			return proof.Claims{}, err
		}
		return proof.ClaimAll(s)
	})
	if err != nil {
		return nil, err
	}
	s, err := registry.ReadState(&file) // the follower's has gone on
	if err != nil {
		return nil, err
	}
	if p.Header != nil {
		s.Proof = proof.Backing(p.Header, p.Nodes)
	}
	return p, registry.WriteState(w, s)
}

// prove brings the follower to its block, asks what is wanted there, and proves it. What the chain had before it reorganised
// cannot be proven: then it begins again.
func (f *follower) prove(ctx context.Context, want func(registry.State) (proof.Claims, error)) (*Proof, error) {
	var err error
	for range maxAttempts {
		var p *Proof
		if p, err = f.proveOnce(ctx, want); err == nil {
			return p, nil
		}
		if !errors.Is(err, errMoved) && !errors.Is(err, errBehind) {
			break
		}
	}
	return nil, fmt.Errorf("prove registry: %w", err)
}

func (f *follower) proveOnce(ctx context.Context, want func(registry.State) (proof.Claims, error)) (*Proof, error) {
	var c proof.Claims
	if err := f.look(ctx, func(s registry.State) (err error) {
		c, err = want(s)
		return err
	}); err != nil {
		return nil, err
	}
	return f.registry.proofOf(ctx, c)
}

// look shows the state at the follower's block to somebody, who may keep nothing of it.
func (f *follower) look(ctx context.Context, use func(registry.State) error) error {
	select {
	case <-f.turn:
		defer func() { f.turn <- struct{}{} }()
	case <-ctx.Done():
		return fmt.Errorf("read registry: %w", context.Cause(ctx))
	}
	if _, err := f.bring(ctx); err != nil {
		return err
	}
	at := uint64(f.at.Number)
	if f.next != at+1 || f.folded.block > at {
		return fmt.Errorf("events of block %d are read, the endpoint is at block %d: %w", f.folded.block, at, errBehind)
	}
	return use(registry.State{
		Registry: f.registry.network.Registry(), Block: at, Hash: registry.BlockHash(f.at.Hash), Time: int64(f.at.Time),
		Grace: uint64(f.registry.params.Grace), Services: f.services, Servers: f.servers,
	})
}

// proofOf fetches the proofs of claims, and holds these against them.
func (r *Registry) proofOf(ctx context.Context, c proof.Claims) (*Proof, error) {
	p := &Proof{
		Block: c.Block, Hash: c.Hash, Nodes: new(proof.Nodes), Services: len(c.Services.IDs), Servers: len(c.Servers.IDs),
		ServicesLog: c.Services.Log, ServersLog: c.Servers.Log, ServicesCount: c.Services.Count, ServersCount: c.Servers.Count,
	}
	root, err := r.stateRoot(ctx, p)
	if err != nil {
		return nil, err
	}
	if err := r.fetchNodes(ctx, p, r.contracts.services, c.Services.IDs); err != nil {
		return nil, err
	}
	if err := r.fetchNodes(ctx, p, r.contracts.servers, c.Servers.IDs); err != nil {
		return nil, err
	}
	if err := c.Check(root, p.Nodes); err != nil {
		return nil, r.whyNot(ctx, c, err)
	}
	return p, nil
}

// fetchProof fetches the proofs of claims, and holds these against them. What one endpoint does not prove, another one may: it
// fails with the error of the first. Where the header of one does not have the block's hash another one's is better.
func (r *Registry) fetchProof(ctx context.Context, p *Proof) error {
	var first error
	var bare *Proof
	for _, client := range r.pool.opened(r.client) {
		one := *p
		one.Nodes = new(proof.Nodes)
		err := r.fetchProofFrom(ctx, client, &one)
		if err == nil && one.Header != nil {
			*p = one
			return nil
		}
		if err == nil && bare == nil {
			bare = &one
		}
		first = cmp.Or(first, err)
		if ctx.Err() != nil {
			break
		}
	}
	if bare == nil {
		return first
	}
	*p = *bare
	return nil
}

func (r *Registry) fetchProofFrom(ctx context.Context, client *rpc.Client, p *Proof) error {
	root, err := r.stateRoot(ctx, client, p)
	if err != nil {
		return err
	}
	if err := r.fetchNodes(ctx, client, p, r.contracts.services, p.Claims.Services.IDs); err != nil {
		return err
	}
	if err := r.fetchNodes(ctx, client, p, r.contracts.servers, p.Claims.Servers.IDs); err != nil {
		return err
	}
	err = p.Claims.Check(root, p.Nodes)
	if err == nil {
		return nil
	}
	b, again := blockAt(ctx, client, number(p.State.Block))
	if again == nil && b.Hash != common.Hash(p.State.Hash) {
		return errMoved
	}
	return err
}

// stateRoot fetches the header of a proof's block. Where its hash, computed here, is the block's, then whoever vouches for
// the block's hash vouches for the root; otherwise the endpoint alone does.
func (r *Registry) stateRoot(ctx context.Context, client *rpc.Client, p *Proof) (root [32]byte, err error) {
	raw, err := ask[json.RawMessage](ctx, client, "eth_getBlockByNumber", number(p.State.Block), false)
	if err != nil {
		return root, err
	}
	var b *struct {
		Hash common.Hash `json:"hash"`
		Root common.Hash `json:"stateRoot"`
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		return root, fmt.Errorf("fetch block %d: %w", p.Block, err)
	}
	if b == nil || b.Hash != common.Hash(p.Hash) {
		return root, fmt.Errorf("block %d was %s: %w", p.Block, p.Hash, errMoved)
	}
	var header types.Header
	if json.Unmarshal(raw, &header) == nil && header.Hash() == b.Hash {
		p.Header, err = rlp.EncodeToBytes(&header)
	}
	return b.Root, err
}

// accountProof is what eth_getProof answers, as far as it matters.
type accountProof struct {
	Account []hexutil.Bytes `json:"accountProof"`
	Storage []struct {
		Nodes []hexutil.Bytes `json:"proof"`
	} `json:"storageProof"`
}

// fetchNodes asks for the proofs of a contract's count, running hash and commitments.
func (r *Registry) fetchNodes(ctx context.Context, client *rpc.Client, p *Proof, contract common.Address, ids []uint32) error {
	slots := []common.Hash{proof.LogSlot(), proof.CountSlot()}
	for _, id := range ids {
		slots = append(slots, proof.CommitmentSlot(id))
	}
	for len(slots) > 0 {
		n := min(len(slots), slotsAtOnce)
		answer, err := ask[accountProof](ctx, client, "eth_getProof", contract, slots[:n], number(p.State.Block))
		if err != nil {
			return fmt.Errorf("%w of block %d: %w", ErrNoProof, p.Block, err)
		}
		if err := answer.add(p.Nodes); err != nil {
			return err
		}
		slots = slots[n:]
	}
	return nil
}

func (a accountProof) add(nodes *proof.Nodes) error {
	for _, node := range a.Account {
		if err := nodes.Add(node); err != nil {
			return err
		}
	}
	for _, s := range a.Storage {
		for _, node := range s.Nodes {
			if err := nodes.Add(node); err != nil {
				return err
			}
		}
	}
	return nil
}
