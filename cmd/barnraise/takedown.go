package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"barnraise"
	"barnraise/hosting"
	"barnraise/server"
	"barnraise/store"

	"github.com/spf13/cobra"
)

func (a *app) takedown() *cobra.Command {
	var file, reason string
	var lift bool
	c := &cobra.Command{
		Use:   "takedown SERVICE",
		Short: "Stop running a service, and do not run it again",
		Long: `Stop running a service, be it the server's own or somebody else's: a server that runs stops it, withdraws the offer and lets
go of its files within a minute, and one that does not run will not start it. That holds until it is taken back, by --lift, or for a
service of others by "plan approve", which also agrees to host it.

Where the registry cannot be read, an id is taken as it is; a server that runs heeds it once it can read the registry.`,
		Example: "  barnraise takedown 3 --config server.yaml --reason 'letter from the court, 2026-11-21'",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case lift && reason != "":
				return fmt.Errorf("%w: --lift takes no --reason", errUsage)
			case len(reason) > maxReason:
				return fmt.Errorf("%w: --reason: want at most %d bytes", errUsage, maxReason)
			}
			return a.telling(c.Context(), file, func(d *desk) error {
				if lift {
					return d.lift(c.Context(), args[0])
				}
				return d.deny(c.Context(), args[0], reason)
			})
		},
	}
	configFlag(c, &file)
	c.Flags().StringVar(&reason, "reason", "", "why; it is kept with the denial")
	c.Flags().BoolVar(&lift, "lift", false, "take the denial back, and say nothing else of the service")
	return c
}

// maxReason is the longest reason of a denial.
const maxReason = 1000

// noRevision refuses a revision: what is said is said of all.
func noRevision(ref string) error {
	if strings.Contains(ref, "@") {
		return fmt.Errorf("%w: %q: a denial is of the whole service: leave the revision out", errUsage, ref)
	}
	return nil
}

func (d *desk) lift(ctx context.Context, ref string) error {
	if err := noRevision(ref); err != nil {
		return err
	}
	v, id, _, err := d.resolve(ctx, ref)
	if err != nil {
		return err
	}
	words, err := server.ReadWords(d.store.Documents(server.MemoryKind))
	if err != nil {
		return err
	}
	if _, denied := words.Denied[id]; !denied {
		return fmt.Errorf("%s was not taken down here", id)
	}
	err = d.change(ctx, store.Event{Kind: eventLifted, Service: id, Text: words.Denied[id]}, func(w *server.Words) { delete(w.Denied, id) })
	if err != nil {
		return err
	}
	return d.stands(ctx, v, id)
}

// lookWithin is how long a takedown waits for a registry.
const lookWithin = 30 * time.Second

// deny does its work without a registry, too: who has to take something down has no time to wait for one.
func (d *desk) deny(ctx context.Context, ref, reason string) error {
	if err := noRevision(ref); err != nil {
		return err
	}
	looking, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	_, id, _, err := d.resolve(looking, ref)
	if errors.Is(err, errUnread) {
		n, noID := strconv.ParseUint(strings.TrimPrefix(ref, "#"), 10, 32)
		if noID != nil || n == 0 {
			return fmt.Errorf("%w; name the service by its id, which needs no registry", err)
		}
		d.app.say("%v; %s is taken for the id of a service", err, ref)
		id, err = barnraise.ServiceID(n), nil
	}
	if err != nil {
		return err
	}
	if reason == "" {
		reason = "no reason given"
	}
	err = d.change(ctx, store.Event{Kind: eventDenied, Service: id, Text: reason}, func(w *server.Words) {
		w.Denied[id] = reason
		delete(w.Approved, id)
	})
	if err != nil {
		return err
	}
	return d.said(wordResult{Service: id, Word: consentWord(hosting.No), Why: "the operator denies it: " + reason})
}
