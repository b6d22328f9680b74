package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"barnraise"
	"barnraise/registry"
	"barnraise/registry/evm"

	"github.com/spf13/cobra"
)

// indexOptions are those with which commands open a registry. What was read of a network that is not on this machine alone is kept
// in the cache, so that the next command reads only what came after it.
func (a *app) indexOptions(network registry.Network) []evm.Option {
	options := []evm.Option{evm.WithWarn(func(s string) { a.say("%s", s) })}
	if cache, err := a.cacheDir(); err == nil && !network.Private() {
		options = append(options, evm.WithKeeper(evm.BaseFile(filepath.Join(cache, "registry"), network)))
	}
	return options
}

// vouch says on how many endpoints rests what a command is about to show, where that is less than a majority of several. On this
// machine alone there is nobody else to trust.
func (a *app) vouch(r *evm.Registry) {
	a.trust = r.Trust()
	if !a.trust.Majority() && !r.Network().Private() {
		a.say("%s", a.trust)
	}
}

func (a *app) networkFollow() *cobra.Command {
	every := 2 * time.Second
	c := &cobra.Command{
		Use:   "follow",
		Short: "Show what changes in the registry, as it happens",
		Long: "Follow reads the registry again and again and shows each change, until it is interrupted. With --json each is an object on\n" +
			"a line of its own.",
		RunE: func(c *cobra.Command, _ []string) error {
			if every <= 0 {
				return fmt.Errorf("%w: --every: want a time above zero", errUsage)
			}
			network, err := a.readNetwork()
			if err != nil {
				return err
			}
			r, err := a.dial(c.Context(), network, evm.WithLastView())
			if err != nil {
				return err
			}
			defer r.Close()
			tick := time.NewTicker(every)
			defer tick.Stop()
			return a.watch(c.Context(), r, tick.C)
		},
	}
	c.Flags().DurationVar(&every, "every", every, "time between two looks")
	return c
}

// watch shows changes until the context ends, which is no failure.
func (a *app) watch(ctx context.Context, r *evm.Registry, ticks <-chan time.Time) error {
	first := true
	err := registry.Watch(ctx, r, ticks, func(s *barnraise.Snapshot, changes []registry.Change, err error) {
		switch {
		case err != nil:
			a.say("%v", err)
		case first:
			first = false
			a.vouch(r)
			a.say("following from block %d; interrupt to end", s.Block)
		}
		for _, c := range changes {
			if a.print(c, func(w io.Writer) { fmt.Fprintf(w, "block %d: %s\n", c.Block, c) }) != nil {
				return
			}
		}
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}
