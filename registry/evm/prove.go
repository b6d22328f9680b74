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
	"github.com/ethereum/go-ethereum/rpc"
)

// slotsAtOnce is how many slots one request asks proofs of. Endpoints take 1,024 of them and answer about five thousand bytes
// for each.
const slotsAtOnce = 256

// ErrNoProof is the error for an endpoint that proves nothing of a block: it no longer has the state, or never learnt
// eth_getProof.
var ErrNoProof = errors.New("the RPC endpoint gives no proof")

// ErrNoService is the error for a service that the registry does not have at a block.
var ErrNoService = errors.New("no such service")

// Proof is what the contracts are proven to store at a block, as far as somebody wanted to know.
type Proof struct {
	State  registry.State // what was held against it
	Claims proof.Claims   // what of it
	Trust  Trust          // in the block's hash
	Header []byte         // in RLP, of that hash; nil where the chain hashes headers otherwise than Ethereum
	Nodes  *proof.Nodes   // all that was asked for
}

// ProveRecords holds records at the head of the chain against what the contracts are proven to store, and counts and running
// hashes with them. It fails with [proof.ErrNoRecord], with [proof.ErrAltered] and [proof.ErrProof] where what is stored is
// something else, with [ErrNoProof], and like [Registry.Snapshot].
func (r *Registry) ProveRecords(ctx context.Context, services []barnraise.ServiceID, servers []barnraise.ServerID) (*Proof, error) {
	return r.prove(ctx, r.State, func(s registry.State) (proof.Claims, error) { return proof.Claim(s, services, servers) })
}

// ProveAll is ProveRecords for every record: that none is altered and none missing. It asks for a proof of each.
func (r *Registry) ProveAll(ctx context.Context) (*Proof, error) {
	return r.prove(ctx, r.State, proof.ClaimAll)
}

// WriteFile writes the whole registry at the confirmed block as a snapshot file, with the proof of all of it where the chain
// hashes headers as Ethereum does. It fails like [Registry.ProveAll] and [Registry.Confirmed], and with the error of the writer.
func (r *Registry) WriteFile(ctx context.Context, w io.Writer) (*Proof, error) {
	p, err := r.prove(ctx, r.ConfirmedState, proof.ClaimAll)
	if err != nil {
		return nil, err
	}
	if p.Header != nil {
		p.State.Proof = proof.Backing(p.Header, p.Nodes)
	}
	return p, registry.WriteState(w, p.State)
}

// Excerpt is a service, its hosts and its homes at the confirmed block, with the proof for them: what somebody needs who
// begins. Of the hosts there are as many as may be, the oldest first. It fails with [ErrNoService] where there is no such
// service at that block, with [ErrNoProof], also where nobody could check a header of the chain, and like
// [Registry.Confirmed].
func (r *Registry) Excerpt(ctx context.Context, id barnraise.ServiceID, hosts int) (registry.Excerpt, error) {
	var e registry.Excerpt
	p, err := r.prove(ctx, r.ConfirmedState, func(s registry.State) (proof.Claims, error) {
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

// HashAt is the hash of a block, as the endpoints have it, and how many of them do. It fails with [ErrDisagree] where they
// contradict each other and none has a majority behind it.
func (r *Registry) HashAt(ctx context.Context, n uint64) (registry.BlockHash, Trust, error) {
	said := poll(ctx, r.pool, r.pool.usable(), func(ctx context.Context, _ *endpoint, c *rpc.Client) (block, error) {
		return blockAt(ctx, c, number(n))
	})
	votes := map[common.Hash]int{}
	var best common.Hash
	var failures []error
	for _, a := range said {
		if a.err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", a.from.name, a.err))
			continue
		}
		if votes[a.value.Hash]++; votes[a.value.Hash] > votes[best] {
			best = a.value.Hash
		}
	}
	t := Trust{Agreed: votes[best], Of: len(r.pool.endpoints)}
	switch {
	case len(votes) == 0:
		return registry.BlockHash{}, t, fmt.Errorf("fetch block %d: %w", n, errors.Join(failures...))
	case len(votes) > 1 && !t.Majority():
		return registry.BlockHash{}, t, fmt.Errorf("fetch block %d: %w", n, ErrDisagree)
	}
	return registry.BlockHash(best), t, nil
}

// prove takes the registry at a block, asks what is wanted of it, and proves that. What the chain had before it reorganised
// cannot be proven: then it begins again.
func (r *Registry) prove(
	ctx context.Context, at func(context.Context) (registry.State, error), want func(registry.State) (proof.Claims, error),
) (p *Proof, err error) {
	for range maxAttempts {
		p = &Proof{Nodes: new(proof.Nodes)}
		if p.State, err = at(ctx); err != nil {
			return nil, err
		}
		p.Trust = r.Trust()
		if p.Claims, err = want(p.State); err == nil {
			err = r.fetchProof(ctx, p)
		}
		if !errors.Is(err, errMoved) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("prove registry: %w", err)
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
		return root, fmt.Errorf("fetch block %d: %w", p.State.Block, err)
	}
	if b == nil || b.Hash != common.Hash(p.State.Hash) {
		return root, fmt.Errorf("block %d was %s: %w", p.State.Block, p.State.Hash, errMoved)
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
			return fmt.Errorf("%w of block %d: %w", ErrNoProof, p.State.Block, err)
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
