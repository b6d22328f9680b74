package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"barnraise"
	"barnraise/registry"

	"github.com/spf13/cobra"
)

func (a *app) servers() *cobra.Command {
	c := &cobra.Command{Use: "servers", Short: "Look at servers, register and change them"}
	c.AddCommand(a.serversList(), a.serversShow(), a.serversRegister(), a.serversSet())
	c.AddCommand(endServer.commands(a)...)
	return c
}

// serverResult is an item of servers list.
type serverResult struct {
	ID       barnraise.ServerID    `json:"id"`
	Owner    barnraise.Address     `json:"owner"`
	URL      string                `json:"url"`
	Key      string                `json:"key"` // base64url; empty where the server has no usable key
	Offers   []barnraise.ServiceID `json:"offers"`
	Rewards  []barnraise.ServiceID `json:"rewards"`
	Capacity uint32                `json:"capacity"`
	Status   string                `json:"status"`
	Since    uint64                `json:"since"`
	Delegate barnraise.Address     `json:"delegate"`
}

func describeServer(v barnraise.Server) serverResult {
	r := serverResult{
		ID: v.ID, Owner: v.Operator, URL: v.URL, Capacity: v.Capacity, Status: v.Status.String(), Since: v.Since, Delegate: v.Delegate,
		Offers: append([]barnraise.ServiceID{}, v.Offers...), Rewards: append([]barnraise.ServiceID{}, v.Rewards...),
	}
	if k, ok := v.Key(); ok {
		r.Key = k.Key.String()
	}
	return r
}

func (a *app) serversList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the servers with what they offer and what they would like to see run",
		RunE: func(c *cobra.Command, _ []string) error {
			s, _, err := a.snapshot(c.Context())
			if err != nil {
				return err
			}
			list := []serverResult{}
			for _, v := range s.Servers() {
				list = append(list, describeServer(v))
			}
			return a.print(list, func(w io.Writer) {
				t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
				fmt.Fprintln(t, "ID\tSTATUS\tOFFERS\tREWARDS\tURL\tOWNER")
				for _, v := range list {
					fmt.Fprintf(t, "%d\t%s\t%v\t%v\t%s\t%s\n", v.ID, v.Status, v.Offers, v.Rewards, v.URL, registry.Checksum(v.Owner))
				}
				t.Flush()
			})
		},
	}
}

// serverDetail is what servers show prints as JSON.
type serverDetail struct {
	serverResult
	depositResult
	Proof *proofResult `json:"proof,omitempty"`
}

func (a *app) serversShow() *cobra.Command {
	var prove bool
	c := &cobra.Command{
		Use:   "show SERVER",
		Short: "Show a server",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			id, err := serverID(args[0])
			if err != nil {
				return err
			}
			d, err := a.showServer(c.Context(), id, prove)
			if err != nil {
				return err
			}
			return a.print(d, d.text)
		},
	}
	proveFlag(c, &prove)
	return c
}

func (a *app) showServer(ctx context.Context, id barnraise.ServerID, prove bool) (d serverDetail, err error) {
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
	head, ok := s.Servers.Head(uint32(id))
	if !ok {
		return d, fmt.Errorf("the registry has no server %d", id)
	}
	if prove {
		p, err := r.ProveRecords(ctx, nil, []barnraise.ServerID{id})
		if err != nil {
			return d, err
		}
		s, d.Proof = p.State, describeProof(p, r.Network())
		head, _ = s.Servers.Head(uint32(id))
	}
	v, _ := s.Snapshot().Server(id)
	d.serverResult, d.depositResult = describeServer(v), describeDeposit(head)
	return d, nil
}

func (d serverDetail) text(w io.Writer) {
	fmt.Fprintf(w, "server %d at %s\nowner    %s\ndelegate %s\n", d.ID, d.URL, registry.Checksum(d.Owner), delegateText(d.Delegate))
	d.depositResult.text(w, time.Now())
	fmt.Fprintf(w, "key      %s\nstatus   %s since block %d\noffers   %v\nrewards  %v\ncapacity %d\n",
		d.Key, d.Status, d.Since, d.Offers, d.Rewards, d.Capacity)
	d.Proof.text(w)
}

func serverID(s string) (barnraise.ServerID, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "#"), 10, 32)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%w: %q is no id of a server", errUsage, s)
	}
	return barnraise.ServerID(n), nil
}

// idList is a flag's list of services: ids such as 3 or #3 with commas between them, none where it is empty.
type idList []barnraise.ServiceID

// String is the form that Set reads.
func (l *idList) String() string {
	texts := make([]string, len(*l))
	for i, id := range *l {
		texts[i] = strconv.FormatUint(uint64(id), 10)
	}
	return strings.Join(texts, ",")
}

// Set adds the ids of one flag to those before. It keeps the list as a registry wants it: ascending, none twice.
func (l *idList) Set(s string) error {
	if s == "" {
		*l = nil
		return nil
	}
	for text := range strings.SplitSeq(s, ",") {
		n, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimSpace(text), "#"), 10, 32)
		if err != nil || n == 0 {
			return fmt.Errorf("%q is no id of a service", text)
		}
		*l = append(*l, barnraise.ServiceID(n))
	}
	slices.Sort(*l)
	*l = slices.Compact(*l)
	return nil
}

// Type names it in the help.
func (l *idList) Type() string { return "ids" }
