package main

import (
	"context"
	"fmt"

	"barnraise/server"
	"barnraise/store"

	"github.com/spf13/cobra"
)

func (a *app) approve(config *string) *cobra.Command {
	return &cobra.Command{
		Use:   "approve SERVICE[@REVISION]",
		Short: "Agree to host a service of others",
		Long: `Agree that a server hosts a service of others whenever its plan wants that: all of its revisions, or the one that is named
and no other. It takes back what "takedown" has said of the service, too. What the configuration denies stays denied, and with
hosting: allowlist its rules alone decide.

A server that runs takes it to heart within a minute; what its plan wants it starts when it plans next.`,
		Example: "  barnraise plan approve 3 --config server.yaml\n  barnraise plan approve 3@2 --config server.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.telling(c.Context(), *config, func(d *desk) error { return d.approve(c.Context(), args[0]) })
		},
	}
}

func (d *desk) approve(ctx context.Context, ref string) error {
	v, id, revision, err := d.resolve(ctx, ref)
	if err != nil {
		return err
	}
	text := "all revisions"
	if revision != 0 {
		text = fmt.Sprintf("revision %d alone", revision)
	}
	err = d.change(ctx, store.Event{Kind: eventApproved, Service: id, Revision: revision, Text: text}, func(w *server.Words) {
		w.Approved[id] = revision
		delete(w.Denied, id)
	})
	if err != nil {
		return err
	}
	return d.stands(ctx, v, id)
}
