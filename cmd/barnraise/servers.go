package main

import (
	"context"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"barnraise"
	"barnraise/dial"
	"barnraise/registry"
	"barnraise/registry/evm"
	"barnraise/server"

	"github.com/spf13/cobra"
)

func (a *app) servers() *cobra.Command {
	c := &cobra.Command{Use: "servers", Short: "Look at servers, register and change them"}
	c.AddCommand(a.serversList(), a.serversShow(), a.serversRegister(), a.serversSet())
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

func (a *app) serversShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show SERVER",
		Short: "Show a server",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			id, err := serverID(args[0])
			if err != nil {
				return err
			}
			s, _, err := a.snapshot(c.Context())
			if err != nil {
				return err
			}
			v, ok := s.Server(id)
			if !ok {
				return fmt.Errorf("the registry has no server %d", id)
			}
			r := describeServer(v)
			return a.print(r, func(w io.Writer) {
				fmt.Fprintf(w, "server %d at %s\nowner    %s\ndelegate %s\nkey      %s\nstatus   %s since block %d\noffers   %v\nrewards  %v\ncapacity %d\n",
					r.ID, r.URL, registry.Checksum(r.Owner), registry.Checksum(r.Delegate), r.Key, r.Status, r.Since, r.Offers, r.Rewards, r.Capacity)
			})
		},
	}
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

// profile is what an operator says of a server on the command line.
type profile struct {
	account         accountFlags
	url             string
	offers, rewards idList
	capacity        uint32
	delegate        string
}

func (p *profile) flags(c *cobra.Command) {
	p.account.flags(c)
	c.Flags().StringVar(&p.url, "url", "", "where others reach the server")
	c.Flags().Var(&p.offers, "offers", "ids of the services it runs, such as 1,3; '' for none")
	c.Flags().Var(&p.rewards, "rewards", "ids of the services it would like to see run; '' for none")
	c.Flags().Uint32Var(&p.capacity, "capacity", 0, "units it is willing to host")
	c.Flags().StringVar(&p.delegate, "delegate", "", "account that may set offers, rewards and capacity, and nothing else")
}

// check reads the delegate, which is zero where none is named, and refuses lists that no registry takes.
func (p *profile) check() (delegate barnraise.Address, err error) {
	if !barnraise.ValidList(p.offers, barnraise.MaxOffers) || !barnraise.ValidList(p.rewards, barnraise.MaxRewards) {
		return delegate, fmt.Errorf("%w: want at most %d offers and %d rewards", errUsage, barnraise.MaxOffers, barnraise.MaxRewards)
	}
	if p.delegate == "" {
		return delegate, nil
	}
	if delegate, err = barnraise.ParseAddress(p.delegate); err != nil {
		return delegate, fmt.Errorf("%w: --delegate: %w", errUsage, err)
	}
	return delegate, nil
}

// checkURL refuses what no client of the network would call, before it is paid for.
func (p *profile) checkURL(n registry.Network) error {
	if err := dial.CheckURL(p.url, n.Private()); err != nil {
		return fmt.Errorf("%w: --url: %w", errUsage, err)
	}
	return nil
}

func (a *app) serversRegister() *cobra.Command {
	var p profile
	var deposit ether
	var keyFile string
	c := &cobra.Command{
		Use:     "register",
		Short:   "Register a server",
		Example: "  barnraise servers register --account owner.key --url https://b.example --key key.pem --delegate 0x…",
		RunE: func(c *cobra.Command, _ []string) error {
			if p.url == "" || keyFile == "" {
				return fmt.Errorf("%w: a server needs --url and --key", errUsage)
			}
			delegate, err := p.check()
			if err != nil {
				return err
			}
			return a.write(c.Context(), p.account, func(w *writing) error {
				if err := p.checkURL(w.registry.Network()); err != nil {
					return err
				}
				key, err := server.EnsureKey(keyFile)
				if err != nil {
					return err
				}
				return p.register(c.Context(), w, barnraise.PublicKey(key[32:]), delegate, deposit.wei)
			})
		},
	}
	p.flags(c)
	deposit.flags(c)
	c.Flags().StringVar(&keyFile, "key", "", "file of the Ed25519 key that signs receipts (PEM); it is made where it is missing")
	return c
}

// register registers the server and then, in a transaction of its own, its delegate.
func (p *profile) register(ctx context.Context, w *writing, key barnraise.PublicKey, delegate barnraise.Address, deposit *big.Int) error {
	id, tx, err := w.registry.RegisterServer(ctx, w.account, evm.Profile{
		URL: p.url, Key: key, Offers: p.offers, Rewards: p.rewards, Capacity: p.capacity,
	}, deposit)
	if err := w.did("register", tx, err); err != nil {
		return err
	}
	w.made["id"], w.made["url"] = id, p.url
	if delegate.IsZero() {
		return nil
	}
	tx, err = w.registry.SetServerDelegate(ctx, w.account, id, delegate)
	if err := w.did("set delegate", tx, err); err != nil {
		return fmt.Errorf("%w; it is registered as server %d: set the delegate with: barnraise servers set %d --account %s --delegate %s",
			err, id, id, p.account.file, delegate)
	}
	return nil
}

func (a *app) serversSet() *cobra.Command {
	var p profile
	c := &cobra.Command{
		Use:     "set SERVER",
		Short:   "Change what a server offers, wishes, can take, or where it is reached",
		Example: "  barnraise servers set 2 --account delegate.key --offers 1,3 --rewards 4",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			id, err := serverID(args[0])
			if err != nil {
				return err
			}
			delegate, err := p.check()
			if err != nil {
				return err
			}
			changed := c.Flags().Changed
			if !slices.ContainsFunc([]string{"offers", "rewards", "capacity", "url", "delegate"}, changed) {
				return fmt.Errorf("%w: nothing to set; see: barnraise servers set --help", errUsage)
			}
			return a.write(c.Context(), p.account, func(w *writing) error { return p.set(c.Context(), w, id, delegate, changed) })
		},
	}
	p.flags(c)
	return c
}

// set carries out the changes that were asked for, each in a transaction of its own kind.
func (p *profile) set(ctx context.Context, w *writing, id barnraise.ServerID, delegate barnraise.Address, changed func(string) bool) error {
	s, err := w.registry.Snapshot(ctx)
	if err != nil {
		return err
	}
	v, ok := s.Server(id)
	if !ok {
		return fmt.Errorf("the registry has no server %d", id)
	}
	if changed("url") {
		if err := p.checkURL(w.registry.Network()); err != nil {
			return err
		}
	}
	w.made["id"] = id
	if changed("url") {
		tx, err := w.registry.SetURL(ctx, w.account, id, p.url)
		if err := w.did("set URL", tx, err); err != nil {
			return err
		}
	}
	if changed("delegate") {
		tx, err := w.registry.SetServerDelegate(ctx, w.account, id, delegate)
		if err := w.did("set delegate", tx, err); err != nil {
			return err
		}
	}
	if !changed("offers") && !changed("rewards") && !changed("capacity") {
		return nil
	}
	offers, rewards, capacity := v.Offers, v.Rewards, v.Capacity
	if changed("offers") {
		offers = p.offers
	}
	if changed("rewards") {
		rewards = p.rewards
	}
	if changed("capacity") {
		capacity = p.capacity
	}
	tx, err := w.registry.SetLists(ctx, w.account, id, offers, rewards, capacity)
	return w.did("set lists", tx, err)
}
