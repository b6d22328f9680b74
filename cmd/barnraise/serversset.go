package main

import (
	"context"
	"fmt"
	"slices"

	"barnraise"

	"github.com/spf13/cobra"
)

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
			if changed("key") && p.key == "" {
				return fmt.Errorf("%w: --key wants a file or a key", errUsage)
			}
			if !slices.ContainsFunc([]string{"offers", "rewards", "capacity", "url", "key", "delegate"}, changed) {
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
		return fmt.Errorf("the registry has no server %d: see: barnraise servers list", id)
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
	if changed("key") {
		if err := p.rotate(ctx, w, v); err != nil {
			return err
		}
	}
	if changed("delegate") {
		tx, err := w.registry.SetServerDelegate(ctx, w.account, id, delegate)
		if err := w.did("set delegate", tx, err); err != nil {
			return err
		}
	}
	return p.setLists(ctx, w, v, changed)
}

// rotate gives the server the key that is named.
func (p *profile) rotate(ctx context.Context, w *writing, v barnraise.Server) error {
	key, private, err := p.publicKey(w.dry())
	if err != nil {
		return err
	}
	if old, ok := v.Key(); ok && old.Key == key {
		if !private {
			return fmt.Errorf("server %d has that key already", v.ID)
		}
		return fmt.Errorf("server %d has the key of %s already: name a file that is not there yet, and it is made", v.ID, p.key)
	}
	tx, err := w.registry.RotateKey(ctx, w.account, v.ID, key)
	if err := w.did("rotate key", tx, err); err != nil {
		return err
	}
	w.made["key"] = key
	file := "FILE"
	if private {
		file = p.key
	}
	w.app.say("the server goes on with it, without a restart, once it has the private key and server.yaml says next: {key: %s}; "+
		"receipts under the one before hold for %d blocks more", file, w.registry.Params().Grace)
	return nil
}

// setLists changes what of the lists was asked for, in one transaction.
func (p *profile) setLists(ctx context.Context, w *writing, v barnraise.Server, changed func(string) bool) error {
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
	tx, err := w.registry.SetLists(ctx, w.account, v.ID, offers, rewards, capacity)
	return w.did("set lists", tx, err)
}
