package main

import (
	"fmt"

	"barnraise"

	"github.com/spf13/cobra"
)

// serviceDelegate says in the help what a service's delegate is for.
const serviceDelegate = "address of an account that may revoke the service's revisions, and nothing else"

func (a *app) servicesSet() *cobra.Command {
	var account accountFlags
	var named string
	c := &cobra.Command{
		Use:   "set SERVICE",
		Short: "Name a service's delegate",
		Long: `Set names the account that may revoke the service's revisions beside the owner, in the place of the one before: for the day on
which the owner's key is out of reach. What the service is changes with its next revision: services publish.`,
		Example: "  barnraise services set '#3' --delegate 0x… --account owner.key",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if !c.Flags().Changed("delegate") {
				return fmt.Errorf("%w: nothing to set; see: barnraise services set --help", errUsage)
			}
			delegate, err := parseDelegate(named)
			if err != nil {
				return err
			}
			return a.write(c.Context(), account, func(w *writing) error {
				id, err := wholeService(c.Context(), w, args[0])
				if err != nil {
					return err
				}
				w.made["id"], w.made["delegate"] = id, delegate
				tx, err := w.registry.SetServiceDelegate(c.Context(), w.account, id, delegate)
				return w.did("set delegate", tx, err)
			})
		},
	}
	account.flags(c)
	c.Flags().StringVar(&named, "delegate", "", serviceDelegate+"; '' for none")
	return c
}

// parseDelegate reads the value of --delegate, which is zero where none is named.
func parseDelegate(named string) (delegate barnraise.Address, err error) {
	if named == "" {
		return delegate, nil
	}
	if delegate, err = barnraise.ParseAddress(named); err != nil {
		return delegate, fmt.Errorf("%w: --delegate: %w", errUsage, err)
	}
	return delegate, nil
}
