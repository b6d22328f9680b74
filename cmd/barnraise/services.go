package main

import (
	"context"
	"fmt"
	"io"
	"math/big"
	"strings"
	"text/tabwriter"
	"time"

	"barnraise"
	"barnraise/registry"
	"barnraise/registry/evm"

	"github.com/spf13/cobra"
)

func (a *app) services() *cobra.Command {
	c := &cobra.Command{Use: "services", Short: "Look at services, register, publish and change them"}
	c.AddCommand(a.servicesList(), a.servicesShow(), a.servicesRegister(), a.servicesPublish(), a.servicesRevoke(), a.servicesSet())
	c.AddCommand(endService.commands(a)...)
	return c
}

func (a *app) snapshot(ctx context.Context) (*barnraise.Snapshot, registry.Network, error) {
	r, err := a.registry(ctx)
	if err != nil {
		return nil, registry.Network{}, err
	}
	defer r.Close()
	s, err := r.Snapshot(ctx)
	if err == nil {
		a.vouch(r)
	}
	return s, r.Network(), err
}

// serviceResult is an item of services list: a service with its active revision, or its newest where none is active.
type serviceResult struct {
	ID         barnraise.ServiceID `json:"id"`
	Owner      barnraise.Address   `json:"owner"`
	Name       string              `json:"name"`
	Revision   uint32              `json:"revision"`
	Image      string              `json:"image"`
	Verifier   barnraise.CID       `json:"verifier"`
	Manifest   barnraise.CID       `json:"manifest"`
	Home       barnraise.ServerID  `json:"home"`
	ActiveFrom uint64              `json:"activeFrom"`
	Revoked    bool                `json:"revoked"`
}

func describeRevision(v barnraise.Service, r barnraise.Revision) serviceResult {
	return serviceResult{
		ID: v.ID, Owner: v.Owner, Name: v.Name, Revision: r.Number, Image: pinned(r), Verifier: r.Verifier, Manifest: r.Manifest,
		Home: r.Home, ActiveFrom: r.ActiveFrom, Revoked: r.Revoked,
	}
}

// pinned is a revision's image as name@sha256:…, whatever its reference says of the digest.
func pinned(r barnraise.Revision) string {
	name, _, _ := strings.Cut(r.Reference, "@")
	return name + "@" + r.Image.String()
}

func (a *app) servicesList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the services with their active revisions",
		RunE: func(c *cobra.Command, _ []string) error {
			s, _, err := a.snapshot(c.Context())
			if err != nil {
				return err
			}
			list := []serviceResult{}
			for _, v := range s.Services() {
				if _, r, ok := s.Active(v.ID); ok {
					list = append(list, describeRevision(v, r))
				}
			}
			return a.print(list, func(w io.Writer) {
				t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
				fmt.Fprintln(t, "ID\tNAME\tREVISION\tHOME\tHOSTS\tOWNER")
				for _, v := range list {
					fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%s\n", v.ID, v.Name, v.Revision, v.Home, len(s.Hosts(v.ID)), registry.Checksum(v.Owner))
				}
				t.Flush()
			})
		},
	}
}

// depositResult is what show prints of the deposit of a service or server. The members are those of a snapshot file.
type depositResult struct {
	Deposit  string `json:"deposit"`            // wei, decimal
	UnlockAt uint64 `json:"unlockAt,omitempty"` // Unix seconds from which it can be withdrawn, missing before the owner left
}

func describeDeposit(h registry.Head) depositResult {
	return depositResult{h.Deposit.String(), h.UnlockAt}
}

// text says it to people, in ether.
func (d depositResult) text(w io.Writer, now time.Time) {
	wei, _ := new(big.Int).SetString(d.Deposit, 10)
	unlock := ""
	if d.UnlockAt > 0 && wei.Sign() > 0 {
		unlock = ", to be withdrawn from " + when(time.Unix(int64(min(d.UnlockAt, 1<<40)), 0), now)
	}
	fmt.Fprintf(w, "deposit  %s%s\n", inEther(wei), unlock)
}

// delegateText is a delegate for people.
func delegateText(a barnraise.Address) string {
	if a.IsZero() {
		return "none"
	}
	return registry.Checksum(a)
}

// serviceDetail is what services show prints as JSON.
type serviceDetail struct {
	serviceResult
	depositResult
	Status    string               `json:"status"`
	Since     uint64               `json:"since"`
	Delegate  barnraise.Address    `json:"delegate"`
	Hosts     []barnraise.ServerID `json:"hosts"`
	Revisions []revisionDetail     `json:"revisions"`
	Trust     evm.Trust            `json:"trust"`
	Proof     *proofResult         `json:"proof,omitempty"`
}

type revisionDetail struct {
	Revision   uint32             `json:"revision"`
	Image      string             `json:"image"`
	Verifier   barnraise.CID      `json:"verifier"`
	Manifest   barnraise.CID      `json:"manifest"`
	Home       barnraise.ServerID `json:"home"`
	ActiveFrom uint64             `json:"activeFrom"`
	Revoked    bool               `json:"revoked"`
	Reason     string             `json:"reason,omitempty"`
}

func (a *app) servicesShow() *cobra.Command {
	var prove bool
	c := &cobra.Command{
		Use:   "show SERVICE",
		Short: "Show a service with all its revisions",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			d, err := a.showService(c.Context(), args[0], prove)
			if err != nil {
				return err
			}
			return a.print(d, d.text)
		},
	}
	proveFlag(c, &prove)
	return c
}

func (a *app) showService(ctx context.Context, name string, prove bool) (d serviceDetail, err error) {
	r, err := a.registry(ctx)
	if err != nil {
		return d, err
	}
	defer r.Close()
	s, err := r.State(ctx)
	if err != nil {
		return d, err
	}
	a.vouch(r)
	id, _, err := registry.Resolve(s.Snapshot(), r.Network().Names, name)
	if err != nil {
		return d, err
	}
	if !prove {
		d = describeService(s, id)
		d.Trust = a.trust
		return d, nil
	}
	p, err := r.ProveRecords(ctx, []barnraise.ServiceID{id}, nil)
	if err != nil {
		return d, err
	}
	d = describeService(p.State, id)
	d.Trust, d.Proof = p.Trust, describeProof(p, r.Network())
	return d, nil
}

func (d serviceDetail) text(w io.Writer) {
	fmt.Fprintf(w, "service %s %q\nowner    %s\ndelegate %s\n", d.ID, d.Name, registry.Checksum(d.Owner), delegateText(d.Delegate))
	d.depositResult.text(w, time.Now())
	fmt.Fprintf(w, "status   %s since block %d\nhosts    %v\n", d.Status, d.Since, d.Hosts)
	for _, r := range d.Revisions {
		state := map[bool]string{true: "active", false: ""}[r.Revision == d.Revision && !r.Revoked]
		if r.Revoked {
			state = fmt.Sprintf("revoked: %q", r.Reason)
		}
		fmt.Fprintf(w, "revision %d from block %d %s\n  image    %s\n  verifier %s\n  manifest %s\n  home     %d\n",
			r.Revision, r.ActiveFrom, state, r.Image, r.Verifier, r.Manifest, r.Home)
	}
	d.Proof.text(w)
}

func describeService(state registry.State, id barnraise.ServiceID) serviceDetail {
	s := state.Snapshot()
	head, _ := state.Services.Head(uint32(id))
	v, active, ok := s.Active(id)
	if !ok && len(v.Revisions) > 0 {
		active = v.Revisions[len(v.Revisions)-1]
	}
	d := serviceDetail{
		serviceResult: describeRevision(v, active), depositResult: describeDeposit(head), Status: v.Status.String(), Since: v.Since, Delegate: v.Delegate,
		Hosts: append([]barnraise.ServerID{}, s.Hosts(id)...),
	}
	for _, r := range v.Revisions {
		d.Revisions = append(d.Revisions, revisionDetail{r.Number, pinned(r), r.Verifier, r.Manifest, r.Home, r.ActiveFrom, r.Revoked, r.Reason})
	}
	return d
}
