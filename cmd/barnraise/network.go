package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"barnraise"
	"barnraise/registry"
	"barnraise/registry/evm"

	"github.com/spf13/cobra"
)

func (a *app) networks() *cobra.Command {
	c := &cobra.Command{Use: "network", Short: "Look at the network, or make one"}
	c.AddCommand(a.networkShow(), a.networkFollow(), a.networkDeploy())
	return c
}

// networkResult is what network show prints as JSON. Deposits are in ether.
type networkResult struct {
	Network       string                         `json:"network"` // digest of its file
	Chain         string                         `json:"chain"`
	Services      barnraise.Address              `json:"services"`
	Servers       barnraise.Address              `json:"servers"`
	RPC           []string                       `json:"rpc"` // without what may be secret in them
	Private       bool                           `json:"private"`
	Confirmations *uint64                        `json:"confirmations"` // null for the finalized tag
	Names         map[string]barnraise.ServiceID `json:"names"`
	Params        paramsResult                   `json:"params"`
	Block         uint64                         `json:"block"`
	Hash          registry.BlockHash             `json:"hash"`
	Confirmed     uint64                         `json:"confirmed"` // block
	ServiceCount  int                            `json:"serviceCount"`
	ServerCount   int                            `json:"serverCount"`
	Active        activeResult                   `json:"active"`
	Trust         evm.Trust                      `json:"trust"`
	Endpoints     []endpointResult               `json:"endpoints"`
	Proof         *proofResult                   `json:"proof,omitempty"`
}

type activeResult struct {
	Services int `json:"services"`
	Servers  int `json:"servers"`
}

// endpointResult is what is thought of an RPC endpoint.
type endpointResult struct {
	RPC      string       `json:"rpc"`
	Standing evm.Standing `json:"standing"`
	Why      string       `json:"why,omitempty"`
	Until    *time.Time   `json:"until,omitempty"` // before which it is not asked again
}

func describeEndpoints(r *evm.Registry) (list []endpointResult) {
	for _, e := range r.Endpoints() {
		result := endpointResult{RPC: e.Name, Standing: e.Standing, Why: e.Why}
		if !e.Until.IsZero() {
			result.Until = &e.Until
		}
		list = append(list, result)
	}
	return list
}

// paramsResult are the constants of a registry's contracts.
type paramsResult struct {
	ServiceDeposit string `json:"serviceDeposit"`
	ServerDeposit  string `json:"serverDeposit"`
	UnlockDelay    uint64 `json:"unlockDelay"`  // seconds
	Grace          uint32 `json:"grace"`        // blocks
	RewardsEvery   uint32 `json:"rewardsEvery"` // blocks
}

func describeParams(p evm.Params) paramsResult {
	return paramsResult{
		ServiceDeposit: inEther(p.ServiceDeposit), ServerDeposit: inEther(p.ServerDeposit),
		UnlockDelay: uint64(p.UnlockDelay.Seconds()), Grace: p.Grace, RewardsEvery: p.RewardsEvery,
	}
}

func (a *app) networkShow() *cobra.Command {
	var prove bool
	var save string
	c := &cobra.Command{
		Use:   "show",
		Short: "Show the network: its registry, what it asks, and how far it is",
		Long: `Show says what the network's registry is, what it asks for a registration, and up to which block it was read.

With --prove every record, both counts and both running hashes are held against the state root of the newest block, by one storage
proof for each. With --save the whole registry at the confirmed block is written into a snapshot file, together with its proof;
whoever knows the block's hash needs nobody's word for what stands in it.`,
		RunE: func(c *cobra.Command, _ []string) error {
			n, err := a.showNetwork(c.Context(), prove, save)
			if err != nil {
				return err
			}
			return a.print(n, n.text)
		},
	}
	proveFlag(c, &prove)
	c.Flags().StringVar(&save, "save", "", "write the registry, with its proof, into this file")
	return c
}

func (a *app) showNetwork(ctx context.Context, prove bool, save string) (n networkResult, err error) {
	r, err := a.registry(ctx)
	if err != nil {
		return n, err
	}
	defer r.Close()
	head, err := r.Snapshot(ctx)
	if err != nil {
		return n, err
	}
	confirmed, err := r.Confirmed(ctx)
	if err != nil {
		return n, err
	}
	a.vouch(r)
	n = describeNetwork(r, head, confirmed)
	if prove {
		p, err := r.ProveAll(ctx)
		if err != nil {
			return n, err
		}
		n.Proof = describeProof(p, r.Network())
	}
	if save != "" {
		_, err = a.saveSnapshot(ctx, r, save)
	}
	return n, err
}

func describeNetwork(r *evm.Registry, head, confirmed *barnraise.Snapshot) networkResult {
	n := r.Network()
	result := networkResult{
		Network: n.Digest().String(), Chain: n.Chain, Services: n.Services, Servers: n.Servers, Private: n.Private(),
		Confirmations: n.Confirmations, Names: maps.Clone(n.Names), Params: describeParams(r.Params()),
		Block: head.Block, Hash: head.Hash, Confirmed: confirmed.Block,
		ServiceCount: len(head.Services()), ServerCount: len(head.Servers()),
		Trust: r.Trust(), Endpoints: describeEndpoints(r),
	}
	for _, endpoint := range n.RPC {
		result.RPC = append(result.RPC, evm.Origin(endpoint))
	}
	for _, v := range head.Services() {
		if v.Status == barnraise.StatusActive {
			result.Active.Services++
		}
	}
	for _, v := range head.Servers() {
		if v.Status == barnraise.StatusActive {
			result.Active.Servers++
		}
	}
	return result
}

// text writes the network for people.
func (n networkResult) text(w io.Writer) {
	confirmed := "the finalized block"
	if n.Confirmations != nil {
		confirmed = fmt.Sprintf("%d blocks behind the head", *n.Confirmations)
	}
	fmt.Fprintf(w, "network       %s\nchain         %s\nservices      %s\nservers       %s\n",
		n.Network, n.Chain, registry.Checksum(n.Services), registry.Checksum(n.Servers))
	for _, e := range n.Endpoints {
		fmt.Fprintf(w, "rpc           %s %s\n", e.RPC, strings.TrimSpace(string(e.Standing)+" "+e.Why))
	}
	fmt.Fprintf(w, "block         %d %s\nconfirmed     %d, %s\n", n.Block, n.Hash, n.Confirmed, confirmed)
	fmt.Fprintf(w, "registered    %d services, %d of them active; %d servers, %d of them active\n",
		n.ServiceCount, n.Active.Services, n.ServerCount, n.Active.Servers)
	fmt.Fprintf(w, "deposit       %s for a service, %s for a server, back %d s after it left\n",
		n.Params.ServiceDeposit, n.Params.ServerDeposit, n.Params.UnlockDelay)
	fmt.Fprintf(w, "grace         %d blocks from publication to use; rewards change once in %d blocks\n", n.Params.Grace, n.Params.RewardsEvery)
	for _, name := range slices.Sorted(maps.Keys(n.Names)) {
		fmt.Fprintf(w, "name          %s is %s\n", name, n.Names[name])
	}
	n.Proof.text(w)
}
