package proof

import (
	"fmt"
	"maps"
	"slices"

	"barnraise"
	"barnraise/registry"

	"github.com/ethereum/go-ethereum/rlp"
)

// Backing is what a file takes along so that others can check it: a header, and nodes.
func Backing(header []byte, nodes *Nodes) *registry.Backing {
	b := &registry.Backing{Header: header, Nodes: make([]byte, 0, nodes.size)}
	for _, node := range nodes.list {
		b.Nodes = append(b.Nodes, node...)
	}
	return b
}

// openFile reads the proof of a file, which must begin at the header of its block.
func openFile(b *registry.Backing, block uint64, hash registry.BlockHash) (Header, *Nodes, error) {
	if b == nil {
		return Header{}, nil, fmt.Errorf("it has no proof: %w", ErrProof)
	}
	h, err := ParseHeader(b.Header)
	if err != nil {
		return h, nil, err
	}
	if h.Hash != hash || h.Number != block {
		return h, nil, fmt.Errorf("its header is of block %d, %s, not of block %d, %s: %w",
			h.Number, registry.BlockHash(h.Hash), block, hash, ErrProof)
	}
	nodes, err := split(b.Nodes)
	return h, nodes, err
}

// split finds the nodes that stand one behind another.
func split(all []byte) (*Nodes, error) {
	nodes := new(Nodes)
	for len(all) > 0 {
		kind, _, rest, err := rlp.Split(all)
		if err != nil || kind != rlp.List {
			return nil, fmt.Errorf("read nodes: %d bytes are none: %w", len(all), ErrProof)
		}
		if err := nodes.Add(all[:len(all)-len(rest)]); err != nil {
			return nil, fmt.Errorf("read nodes: %w", err)
		}
		all = rest
	}
	return nodes, nil
}

// OfState checks a whole registry by the proof that its file has, and returns the header of its block: no record is altered,
// none is missing, and the running hashes are the contracts'. What is left to find out is whether the header's hash is that
// of a block of the chain. It fails with [ErrProof] and [ErrAltered].
func OfState(s registry.State) (Header, error) {
	h, nodes, err := openFile(s.Proof, s.Block, s.Hash)
	if err != nil {
		return h, fmt.Errorf("check snapshot: %w", err)
	}
	c, err := ClaimAll(s)
	if err == nil {
		err = c.Check(h.Root, nodes)
	}
	if err != nil {
		return h, fmt.Errorf("check snapshot: %w", err)
	}
	return h, nil
}

// OfExcerpt checks every record of an excerpt by the proof that came with it, like [OfState]. That a record is missing which
// should stand in it shows no proof.
func OfExcerpt(e registry.Excerpt) (Header, error) {
	h, nodes, err := openFile(e.Proof, e.Block, e.Hash)
	if err != nil {
		return h, fmt.Errorf("check excerpt: %w", err)
	}
	services, servers := e.Commitments()
	if err := checkAll(h.Root, e.Registry.Services, nodes, services); err != nil {
		return h, fmt.Errorf("check excerpt: services: %w", err)
	}
	if err := checkAll(h.Root, e.Registry.Servers, nodes, servers); err != nil {
		return h, fmt.Errorf("check excerpt: servers: %w", err)
	}
	return h, nil
}

func checkAll(state [32]byte, address barnraise.Address, nodes *Nodes, commitments map[uint32][32]byte) error {
	contract, err := Open(state, address, nodes)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(commitments)) {
		if err := contract.Check(id, commitments[id]); err != nil {
			return err
		}
	}
	return nil
}
