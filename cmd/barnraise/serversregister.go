package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"

	"barnraise"
	"barnraise/dial"
	"barnraise/registry"
	"barnraise/registry/evm"

	"github.com/spf13/cobra"
)

// profile is what an operator says of a server on the command line.
type profile struct {
	account         accountFlags
	url             string
	offers, rewards idList
	capacity        uint32
	delegate        string
	key             string // a public key, or a file
}

func (p *profile) flags(c *cobra.Command) {
	p.account.flags(c)
	c.Flags().StringVar(&p.url, "url", "", "where others reach the server")
	c.Flags().Var(&p.offers, "offers", "ids of the services it runs, such as 1,3; '' for none")
	c.Flags().Var(&p.rewards, "rewards", "ids of the services it would like to see run; '' for none")
	c.Flags().Uint32Var(&p.capacity, "capacity", 0, "units it is willing to host")
	c.Flags().StringVar(&p.delegate, "delegate", "", "address of the account that may set offers, rewards and capacity, and nothing else")
	c.Flags().StringVar(&p.key, "key", "", keyHelp)
}

// check reads the delegate, which is zero where none is named, and refuses lists that no registry takes.
func (p *profile) check() (delegate barnraise.Address, err error) {
	if !barnraise.ValidList(p.offers, barnraise.MaxOffers) || !barnraise.ValidList(p.rewards, barnraise.MaxRewards) {
		return delegate, fmt.Errorf("%w: want at most %d offers and %d rewards", errUsage, barnraise.MaxOffers, barnraise.MaxRewards)
	}
	return parseDelegate(p.delegate)
}

// checkURL refuses what no client of the network would call, before it is paid for.
func (p *profile) checkURL(n registry.Network) error {
	if err := dial.CheckURL(p.url, n.Private()); err != nil {
		return fmt.Errorf("%w: --url: %w", errUsage, err)
	}
	return nil
}

// delegateHelp says in the help what the delegate is for.
const delegateHelp = `The account that registers the server owns it: it alone can change URL and key, leave, and withdraw the deposit, and it need not
be on the server. What the server itself writes, its lists, it writes with a delegate's account, which can do nothing else.
Unless --delegate names one or --no-delegate wants none, its key is made beside the server's: key.delegate beside key.pem.`

func (a *app) serversRegister() *cobra.Command {
	var p profile
	var deposit ether
	var alone bool
	c := &cobra.Command{
		Use:     "register",
		Short:   "Register a server, and an account that announces for it",
		Long:    "Register registers a server, and a delegate's account that announces what it runs.\n\n" + delegateHelp,
		Example: "  barnraise servers register --account owner.key --url https://b.example --key key.pem --capacity 4",
		RunE: func(c *cobra.Command, _ []string) error {
			if p.url == "" || p.key == "" {
				return fmt.Errorf("%w: a server needs --url and --key", errUsage)
			}
			if alone && p.delegate != "" {
				return fmt.Errorf("%w: leave out --delegate, or --no-delegate", errUsage)
			}
			delegate, err := p.check()
			if err != nil {
				return err
			}
			return a.write(c.Context(), p.account, func(w *writing) error {
				if err := p.checkURL(w.registry.Network()); err != nil {
					return err
				}
				key, private, err := p.publicKey(w.dry())
				if err != nil {
					return err
				}
				if !private && delegate.IsZero() && !alone {
					return fmt.Errorf("%w: a delegate's account is made beside the server's private key: name one with --delegate, or --no-delegate", errUsage)
				}
				if delegate.IsZero() && !alone {
					if delegate, err = p.split(c.Context(), w); err != nil {
						return err
					}
				}
				return p.register(c.Context(), w, key, delegate, deposit.wei)
			})
		},
	}
	p.flags(c)
	deposit.flags(c)
	c.Flags().BoolVar(&alone, "no-delegate", false, "register none: then the owner's account announces what the server runs, or nobody does")
	return c
}

// split finds the account of the server's delegate, or makes it. A dry run makes no file.
func (p *profile) split(ctx context.Context, w *writing) (delegate barnraise.Address, err error) {
	if _, missing := os.Stat(delegateFile(p.key)); w.dry() && errors.Is(missing, os.ErrNotExist) {
		w.made["delegateFile"] = delegateFile(p.key)
		account, err := evm.NewAccount() // in the place of the one that would be made
		if err != nil {
			return delegate, err
		}
		return account.Address(), nil
	}
	file, account, err := freshDelegate(p.key)
	if err != nil {
		return delegate, err
	}
	s, err := w.registry.Snapshot(ctx)
	if err != nil {
		return delegate, err
	}
	for _, v := range s.Servers() {
		if v.Delegate == account.Address() && v.Status == barnraise.StatusActive {
			return delegate, fmt.Errorf("the account in %s announces for server %d already, and two servers would undo each other's lists: "+
				"keep each server's key in a directory of its own, or name another account with --delegate", file, v.ID)
		}
	}
	w.made["delegate"], w.made["delegateFile"] = account.Address(), file
	return account.Address(), nil
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
	if w.made["delegate"] = delegate; w.dry() {
		w.follows("set delegate")
		return nil
	}
	tx, err = w.registry.SetServerDelegate(ctx, w.account, id, delegate)
	if err := w.did("set delegate", tx, err); err != nil {
		return fmt.Errorf("%w; it is registered as server %d: set the delegate with: barnraise servers set %d --account %s --delegate %s",
			err, id, id, p.account.shown(), delegate)
	}
	w.app.say("server %d belongs to %s, whose key it does not need", id, registry.Checksum(w.account.Address()))
	if file, made := w.made["delegateFile"]; made {
		w.app.say("it announces what it runs with the delegate's account %s: put its key on the server, and in server.yaml: account: %s",
			registry.Checksum(delegate), file)
	}
	w.app.say("send some of the chain's coin to %s for gas", registry.Checksum(delegate))
	return nil
}
