package main

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"barnraise"
	"barnraise/registry"
	"barnraise/registry/evm"

	"github.com/spf13/cobra"
)

// ending is how the records of a kind leave the registry.
type ending[ID barnraise.ServerID | barnraise.ServiceID] struct {
	kind, arg, example string // such as "server", "SERVER" and "2"
	leaves             string // what becomes of one that leaves
	check              func(named string) error
	find               func(ctx context.Context, w *writing, named string) (ID, error)
	leave              func(*evm.Registry, context.Context, *evm.Account, ID) (time.Time, evm.Tx, error)
	withdraw           func(*evm.Registry, context.Context, *evm.Account, ID) (*big.Int, evm.Tx, error)
}

var endServer = ending[barnraise.ServerID]{
	kind: "server", arg: "SERVER", example: "2",
	leaves: "Leave takes a server out of the registry at once: nobody asks it any more.",
	check: func(named string) error {
		_, err := serverID(named)
		return err
	},
	find:  func(_ context.Context, _ *writing, named string) (barnraise.ServerID, error) { return serverID(named) },
	leave: (*evm.Registry).LeaveServer, withdraw: (*evm.Registry).WithdrawServer,
}

var endService = ending[barnraise.ServiceID]{
	kind: "service", arg: "SERVICE", example: "'#3'",
	leaves: `Leave ends a service with all its revisions: it takes no more of them, though they can still be revoked, and no delegate. It can
be called until its deposit is withdrawn, and no longer; to end a revision at once, revoke it.`,
	check: func(string) error { return nil },
	find:  wholeService,
	leave: (*evm.Registry).LeaveService, withdraw: (*evm.Registry).WithdrawService,
}

// wholeService finds the service that is named, and refuses a revision of one, which does not end alone.
func wholeService(ctx context.Context, w *writing, named string) (barnraise.ServiceID, error) {
	s, err := w.registry.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	id, revision, err := registry.Resolve(s, w.registry.Network().Names, named)
	if err == nil && revision != 0 {
		err = fmt.Errorf("%w: this is of service %s as a whole: a revision alone ends with: barnraise services revoke '%s' %d", errUsage, id, id, revision)
	}
	return id, err
}

// commands are leave and withdraw.
func (e ending[ID]) commands(a *app) []*cobra.Command {
	return []*cobra.Command{
		e.command(a, e.left, "leave", "Take a "+e.kind+" out of the registry", e.leaves+`
The deposit can be withdrawn when the registry's unlock delay is over. It cannot come back: another registration gets another id.`),
		e.command(a, e.withdrawn, "withdraw", "Get the deposit of a "+e.kind+" back that has left",
			"Withdraw pays the deposit back to the owner once the registry's unlock delay is over, and ends the "+e.kind+" for good.\n"+
				"From when on it can be had says: barnraise "+e.kind+"s show"),
	}
}

func (e ending[ID]) command(
	a *app, do func(context.Context, *writing, ID) error, verb, short, long string,
) *cobra.Command {
	var account accountFlags
	c := &cobra.Command{
		Use: verb + " " + e.arg, Short: short, Long: long, Args: cobra.ExactArgs(1),
		Example: fmt.Sprintf("  barnraise %ss %s %s --account owner.key", e.kind, verb, e.example),
		RunE: func(c *cobra.Command, args []string) error {
			if err := e.check(args[0]); err != nil {
				return err
			}
			return a.write(c.Context(), account, func(w *writing) error {
				id, err := e.find(c.Context(), w, args[0])
				if err != nil {
					return err
				}
				w.made["id"] = id
				return do(c.Context(), w, id)
			})
		},
	}
	account.flags(c)
	return c
}

// left takes the record out, and says when its deposit can be had back.
func (e ending[ID]) left(ctx context.Context, w *writing, id ID) error {
	unlock, tx, err := e.leave(w.registry, ctx, w.account, id)
	if err := w.did("leave", tx, err); err != nil {
		return err
	}
	if w.dry() {
		w.app.say("its deposit could be withdrawn %s after that", w.registry.Params().UnlockDelay)
		return nil
	}
	w.made["unlock"] = unlock.UTC().Format(time.RFC3339)
	w.app.say("%s %v has left; its deposit can be withdrawn from %s, with: barnraise %ss withdraw %d",
		e.kind, id, when(unlock, time.Now()), e.kind, id)
	return nil
}

// withdrawn pays the deposit of a record that has left back to its owner.
func (e ending[ID]) withdrawn(ctx context.Context, w *writing, id ID) error {
	amount, tx, err := e.withdraw(w.registry, ctx, w.account, id)
	if err := w.did("withdraw", tx, err); err != nil {
		return err
	}
	if amount != nil {
		w.made["amount"] = inEther(amount)
	}
	return nil
}
