package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"barnraise/registry"
	"barnraise/registry/evm"

	"github.com/spf13/cobra"
)

// deployment is what somebody says on the command line who makes a network.
type deployment struct {
	account          accountFlags
	rpc, out         string
	service, server  ether
	unlock           time.Duration
	grace, rewards   uint32
	confirmations    uint64
	setConfirmations bool
}

func (a *app) networkDeploy() *cobra.Command {
	var d deployment
	c := &cobra.Command{
		Use:   "deploy",
		Short: "Make a network: a fresh pair of contracts on any EVM chain",
		Long: `Deploy puts the two contracts of a registry on a chain, and writes the network file with which all others find them. What the
contracts ask, nobody can change afterwards: not their owner, for they have none.`,
		Example: "  barnraise network deploy --rpc https://rpc.example --account owner.key --out network.yaml --dry-run",
		RunE: func(c *cobra.Command, _ []string) error {
			d.setConfirmations = c.Flags().Changed("confirmations")
			return a.deploy(c, d)
		},
	}
	d.account.flags(c)
	f := c.Flags()
	f.StringVar(&d.rpc, "rpc", "", "URL of an RPC endpoint of the chain; it goes into the network file as it is")
	f.StringVar(&d.out, "out", "network.yaml", "the network file to write; it must not be there yet")
	f.Var(&d.service, "service-deposit", "the least deposit of a service, in ether (default 0.05)")
	f.Var(&d.server, "server-deposit", "the least deposit of a server, in ether (default 0.05)")
	f.DurationVar(&d.unlock, "unlock-delay", 7*24*time.Hour, "how long a deposit stays after its record left")
	f.Uint32Var(&d.grace, "grace", 7200, "blocks from the publication of a revision until it is used; about a day")
	f.Uint32Var(&d.rewards, "rewards-every", 1800, "blocks in which a server changes its rewards at most once")
	f.Uint64Var(&d.confirmations, "confirmations", 0, "blocks behind the head that hosting goes by; else the finalized block")
	return c
}

// params are the constants of the contracts.
func (d deployment) params() evm.Params {
	least := ether{}
	_ = least.Set("0.05")
	p := evm.Params{
		ServiceDeposit: least.wei, ServerDeposit: least.wei, UnlockDelay: d.unlock, Grace: d.grace, RewardsEvery: d.rewards,
	}
	if d.service.wei != nil {
		p.ServiceDeposit = d.service.wei
	}
	if d.server.wei != nil {
		p.ServerDeposit = d.server.wei
	}
	return p
}

func (d deployment) check() error {
	if d.rpc == "" {
		return fmt.Errorf("%w: name an endpoint of the chain with --rpc URL", errUsage)
	}
	if d.account.dry {
		return nil
	}
	if _, err := os.Lstat(d.out); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already: choose another file with --out, or move that one away", d.out)
	}
	return nil
}

// deploy makes the contracts and writes the network file.
func (a *app) deploy(c *cobra.Command, d deployment) error {
	if err := d.check(); err != nil {
		return err
	}
	account, err := d.account.open(a)
	if err != nil {
		return err
	}
	n, txs, failure := evm.DeployAt(c.Context(), d.rpc, account, d.params())
	w := &writing{app: a, account: account, made: make(map[string]any)}
	for i, tx := range txs {
		var refused error
		if i == len(txs)-1 {
			refused = failure
		}
		_ = w.did([]string{"deploy services", "deploy servers"}[i], tx, refused)
	}
	if len(txs) == 0 {
		return failure
	}
	if failure == nil && !w.dry() {
		failure = d.finish(w, n)
	}
	return errors.Join(failure, w.print(a))
}

// finish writes the network file. Where that fails it says what would have been in it: it was paid for.
func (d deployment) finish(w *writing, n registry.Network) error {
	if d.setConfirmations {
		n.Confirmations = &d.confirmations
	}
	w.made["chain"], w.made["services"], w.made["servers"] = n.Chain, n.Services, n.Servers
	text := n.Encode()
	f, err := os.OpenFile(d.out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err == nil {
		_, err = f.Write(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		_, _ = w.app.talk.Write(text)
		return fmt.Errorf("write network file, whose text is above: %w", err)
	}
	w.made["network"] = d.out
	return nil
}
