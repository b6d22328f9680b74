package main

import (
	"context"
	"time"

	"barnraise"

	"github.com/spf13/cobra"
)

func (a *app) serversLeave() *cobra.Command {
	var account accountFlags
	c := &cobra.Command{
		Use:   "leave SERVER",
		Short: "Take a server out of the registry",
		Long: `Leave takes a server out of the registry at once: nobody asks it any more. Its deposit can be withdrawn when the registry's unlock
delay is over. It cannot come back: another registration gets another id.`,
		Example: "  barnraise servers leave 2 --account owner.key",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.ofServer(c.Context(), account, args[0], leave)
		},
	}
	account.flags(c)
	return c
}

func (a *app) serversWithdraw() *cobra.Command {
	var account accountFlags
	c := &cobra.Command{
		Use:     "withdraw SERVER",
		Short:   "Get the deposit of a server back that has left",
		Example: "  barnraise servers withdraw 2 --account owner.key",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.ofServer(c.Context(), account, args[0], withdraw)
		},
	}
	account.flags(c)
	return c
}

// ofServer carries out what ends a server.
func (a *app) ofServer(
	ctx context.Context, account accountFlags, named string, do func(context.Context, *writing, barnraise.ServerID) error,
) error {
	id, err := serverID(named)
	if err != nil {
		return err
	}
	return a.write(ctx, account, func(w *writing) error {
		w.made["id"] = id
		return do(ctx, w, id)
	})
}

func leave(ctx context.Context, w *writing, id barnraise.ServerID) error {
	unlock, tx, err := w.registry.LeaveServer(ctx, w.account, id)
	if err := w.did("leave", tx, err); err != nil {
		return err
	}
	if w.dry() {
		w.app.say("its deposit could be withdrawn %s after that", w.registry.Params().UnlockDelay)
		return nil
	}
	w.made["unlock"] = unlock.UTC().Format(time.RFC3339)
	w.app.say("server %d has left; its deposit can be withdrawn from %s, with: barnraise servers withdraw %d", id, when(unlock, time.Now()), id)
	return nil
}

func withdraw(ctx context.Context, w *writing, id barnraise.ServerID) error {
	amount, tx, err := w.registry.WithdrawServer(ctx, w.account, id)
	if err := w.did("withdraw", tx, err); err != nil {
		return err
	}
	if amount != nil {
		w.made["amount"] = inEther(amount)
	}
	return nil
}
