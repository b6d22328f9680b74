package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"barnraise"
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

// accountFlags name the account that writes, and what it deposits.
type accountFlags struct {
	file    string
	deposit string
}

func (f *accountFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.file, "account", "", "file with the key of the account that signs the transaction")
	c.Flags().StringVar(&f.deposit, "deposit", "", "in ether; else the least that the registry asks")
}

// wei is the deposit, nil for the least one.
func (f *accountFlags) wei() *big.Int {
	amount, ok := new(big.Rat).SetString(f.deposit)
	if !ok {
		return nil
	}
	amount.Mul(amount, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil)))
	return new(big.Int).Quo(amount.Num(), amount.Denom())
}

func (f *accountFlags) check() error {
	if f.file == "" {
		return fmt.Errorf("%w: name the account that signs with --account KEYFILE", errUsage)
	}
	if f.deposit == "" {
		return nil
	}
	if v, ok := new(big.Rat).SetString(f.deposit); !ok || v.Sign() < 0 {
		return fmt.Errorf("%w: --deposit %q is no amount of ether, such as 0.05", errUsage, f.deposit)
	}
	return nil
}

// write carries out one transaction and prints what became of it, beside what it made.
func (a *app) write(ctx context.Context, f accountFlags, do func(*evm.Registry, *evm.Account) (made map[string]any, tx evm.Tx, err error)) error {
	if err := f.check(); err != nil {
		return err
	}
	account, err := evm.ReadAccount(f.file)
	if err != nil {
		return err
	}
	r, err := a.registry(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	made, tx, err := do(r, account)
	if err != nil {
		return err
	}
	result := maps.Clone(made)
	result["transaction"], result["block"], result["gas"] = tx.Hash.String(), tx.Block, tx.Gas
	return a.print(result, func(w io.Writer) {
		for _, name := range slices.Sorted(maps.Keys(made)) {
			fmt.Fprintf(w, "%s %v\n", name, made[name])
		}
		a.say("transaction %s in block %d, %d gas", tx.Hash, tx.Block, tx.Gas)
	})
}

// profile is what an operator says of a server on the command line.
type profile struct {
	account         accountFlags
	url, key        string
	offers, rewards []uint
	capacity        uint32
	delegate        string
}

func (p *profile) flags(c *cobra.Command) {
	p.account.flags(c)
	c.Flags().StringVar(&p.url, "url", "", "where others reach the server")
	c.Flags().UintSliceVar(&p.offers, "offers", nil, "ids of the services it runs")
	c.Flags().UintSliceVar(&p.rewards, "rewards", nil, "ids of the services it would like to see run")
	c.Flags().Uint32Var(&p.capacity, "capacity", 0, "units it is willing to host")
	c.Flags().StringVar(&p.delegate, "delegate", "", "account that may set offers, rewards and capacity, and nothing else")
}

func (a *app) serversRegister() *cobra.Command {
	var p profile
	c := &cobra.Command{
		Use:     "register",
		Short:   "Register a server",
		Example: "  barnraise servers register --account owner.key --url https://b.example --key key.pem --delegate 0x…",
		RunE: func(c *cobra.Command, _ []string) error {
			if p.url == "" || p.key == "" {
				return fmt.Errorf("%w: a server needs --url and --key", errUsage)
			}
			delegate, err := p.delegateAddress()
			if err != nil {
				return err
			}
			return a.write(c.Context(), p.account, func(r *evm.Registry, account *evm.Account) (map[string]any, evm.Tx, error) {
				key, err := server.EnsureKey(p.key)
				if err != nil {
					return nil, evm.Tx{}, err
				}
				id, tx, err := r.RegisterServer(c.Context(), account, evm.Profile{
					URL: p.url, Key: barnraise.PublicKey(key[32:]), Offers: ids(p.offers), Rewards: ids(p.rewards), Capacity: p.capacity,
				}, p.account.wei())
				if err == nil && !delegate.IsZero() {
					_, err = r.SetServerDelegate(c.Context(), account, id, delegate)
				}
				return map[string]any{"id": id, "url": p.url}, tx, err
			})
		},
	}
	p.flags(c)
	c.Flags().StringVar(&p.key, "key", "", "file of the Ed25519 key that signs receipts (PEM); it is made where it is missing")
	return c
}

func (p *profile) delegateAddress() (barnraise.Address, error) {
	if p.delegate == "" {
		return barnraise.Address{}, nil
	}
	a, err := barnraise.ParseAddress(p.delegate)
	if err != nil {
		return a, fmt.Errorf("%w: --delegate: %w", errUsage, err)
	}
	return a, nil
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
			delegate, err := p.delegateAddress()
			if err != nil {
				return err
			}
			changed := c.Flags().Changed
			if !slices.ContainsFunc([]string{"offers", "rewards", "capacity", "url", "delegate"}, changed) {
				return fmt.Errorf("%w: nothing to set; see: barnraise servers set --help", errUsage)
			}
			return a.write(c.Context(), p.account, func(r *evm.Registry, account *evm.Account) (map[string]any, evm.Tx, error) {
				return set(c.Context(), r, account, id, p, delegate, changed)
			})
		},
	}
	p.flags(c)
	return c
}

// set carries out the changes that were asked for, each in a transaction of its own kind, and returns the last.
func set(
	ctx context.Context, r *evm.Registry, account *evm.Account, id barnraise.ServerID, p profile, delegate barnraise.Address, changed func(string) bool,
) (made map[string]any, tx evm.Tx, err error) {
	s, err := r.Snapshot(ctx)
	if err != nil {
		return nil, tx, err
	}
	v, ok := s.Server(id)
	if !ok {
		return nil, tx, fmt.Errorf("the registry has no server %d", id)
	}
	if changed("url") {
		if tx, err = r.SetURL(ctx, account, id, p.url); err != nil {
			return nil, tx, err
		}
	}
	if changed("delegate") {
		if tx, err = r.SetServerDelegate(ctx, account, id, delegate); err != nil {
			return nil, tx, err
		}
	}
	if changed("offers") || changed("rewards") || changed("capacity") {
		offers, rewards, capacity := v.Offers, v.Rewards, v.Capacity
		if changed("offers") {
			offers = ids(p.offers)
		}
		if changed("rewards") {
			rewards = ids(p.rewards)
		}
		if changed("capacity") {
			capacity = p.capacity
		}
		if tx, err = r.SetLists(ctx, account, id, offers, rewards, capacity); err != nil {
			return nil, tx, err
		}
	}
	return map[string]any{"id": id}, tx, nil
}

// ids sorts what was typed in any order.
func ids(typed []uint) (list []barnraise.ServiceID) {
	for _, v := range typed {
		list = append(list, barnraise.ServiceID(v))
	}
	slices.Sort(list)
	return slices.Compact(list)
}
