package main

import (
	"context"
	"fmt"
	"io"

	"barnraise/registry"
	"barnraise/registry/evm"
	"barnraise/whole"

	"github.com/spf13/cobra"
)

// proofResult says what was held against the state of a block, and who vouches for the block.
type proofResult struct {
	Block    uint64             `json:"block"`
	Hash     registry.BlockHash `json:"hash"`
	Root     bool               `json:"root"` // the state root is that of a header with this hash; else the endpoint's word
	Services provenSide         `json:"services"`
	Servers  provenSide         `json:"servers"`
	Complete bool               `json:"complete"` // every record was held against its commitment
	Trust    string             `json:"trust"`    // in the block
}

// provenSide is what one contract is proven to store.
type provenSide struct {
	Count   uint32             `json:"count"`
	Log     registry.BlockHash `json:"log"`     // the running hash
	Records int                `json:"records"` // that were held against their commitments
}

func proveFlag(c *cobra.Command, prove *bool) {
	c.Flags().BoolVar(prove, "prove", false, "hold what is shown against the state root of its block, by storage proofs")
}

func describeProof(p *evm.Proof, network registry.Network) *proofResult {
	c := p.Claims
	r := &proofResult{
		Block: c.Block, Hash: c.Hash, Root: p.Header != nil, Trust: p.Trust.String(),
		Services: provenSide{c.Services.Count, c.Services.Log, len(c.Services.IDs)},
		Servers:  provenSide{c.Servers.Count, c.Servers.Log, len(c.Servers.IDs)},
	}
	r.Complete = r.Services.Records == int(c.Services.Count) && r.Servers.Records == int(c.Servers.Count)
	if known := network.Checkpoint; known != nil && known.Block == c.Block && known.Hash == c.Hash {
		r.Trust = "it is the checkpoint of the network file"
	}
	return r
}

// text says it to people; of nothing it says nothing.
func (r *proofResult) text(w io.Writer) {
	if r == nil {
		return
	}
	what := fmt.Sprintf("%d of %d services and %d of %d servers", r.Services.Records, r.Services.Count, r.Servers.Records, r.Servers.Count)
	if r.Complete {
		what = fmt.Sprintf("all %d services and all %d servers", r.Services.Count, r.Servers.Count)
	}
	fmt.Fprintf(w, "proven   %s, and the running hashes, so that no write is missing\n", what)
	fmt.Fprintf(w, "  services %s\n  servers  %s\n", r.Services.Log, r.Servers.Log)
	root := "the state root of its header"
	if !r.Root {
		root = "a state root that only the RPC endpoint vouches for, because this chain hashes headers in its own way"
	}
	fmt.Fprintf(w, "  against  block %d %s, %s\n  block    %s\n", r.Block, r.Hash, root, r.Trust)
}

// saveSnapshot writes the whole registry with its proof into a file, which then is whole or as it was before.
func (a *app) saveSnapshot(ctx context.Context, r *evm.Registry, path string) (*evm.Proof, error) {
	var p *evm.Proof
	err := whole.WriteFrom(path, 0o644, func(w io.Writer) (err error) {
		p, err = r.WriteFile(ctx, w)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("save snapshot: %w", err)
	}
	a.say("saved block %d in %s: others can begin with it, by barnraise call --snapshot %s", p.State.Block, path, path)
	return p, nil
}
