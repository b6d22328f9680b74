package main

import (
	"fmt"
	"strconv"

	"barnraise/registry"

	"github.com/spf13/cobra"
)

// maxRevocation is the longest reason of a revocation that the registry takes, in bytes.
const maxRevocation = 128

func (a *app) servicesRevoke() *cobra.Command {
	var account accountFlags
	var reason string
	c := &cobra.Command{
		Use:   "revoke SERVICE REVISION",
		Short: "Revoke a revision of a service, for good",
		Long: `Revoke takes a revision away at once and for good: nobody calls it any more, and before it was active nobody ever will. The owner
can do it, and the service's delegate. Without another active revision the service has none until one is published.`,
		Example: "  barnraise services revoke '#3' 2 --reason 'published by mistake' --account owner.key",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			number, err := strconv.ParseUint(args[1], 10, 32)
			if err != nil || number == 0 {
				return fmt.Errorf("%w: %q is no number of a revision", errUsage, args[1])
			}
			if len(reason) > maxRevocation {
				return fmt.Errorf("%w: --reason: want at most %d bytes", errUsage, maxRevocation)
			}
			return a.write(c.Context(), account, func(w *writing) error {
				s, err := w.registry.Snapshot(c.Context())
				if err != nil {
					return err
				}
				id, _, err := registry.Resolve(s, w.registry.Network().Names, args[0])
				if err != nil {
					return err
				}
				tx, err := w.registry.Revoke(c.Context(), w.account, id, uint32(number), reason)
				if err := w.did("revoke", tx, err); err != nil {
					return err
				}
				w.made["id"], w.made["revision"] = id, number
				return nil
			})
		},
	}
	account.flags(c)
	c.Flags().StringVar(&reason, "reason", "", "why, for everybody to read")
	return c
}
