package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"barnraise/registry"
	"barnraise/registry/evm"

	"github.com/spf13/cobra"
)

// registry opens the network's registry. The caller closes it.
func (a *app) registry(ctx context.Context) (*evm.Registry, error) {
	network, err := a.readNetwork()
	if err != nil {
		return nil, err
	}
	return a.dial(ctx, network)
}

// dial connects to a network's registry. The caller closes it.
func (a *app) dial(ctx context.Context, network registry.Network, options ...evm.Option) (*evm.Registry, error) {
	r, err := evm.Dial(ctx, network, append(a.indexOptions(network), options...)...)
	if err != nil && ctx.Err() == nil && network.Private() {
		err = fmt.Errorf("%w; is it running? %s", err, a.startHint())
	}
	return r, err
}

// startHint says how to start the network on this machine that the network file is of.
func (a *app) startHint() string {
	file := a.networkNamed()
	dir := filepath.Dir(file)
	if _, err := os.Stat(filepath.Join(dir, "devnet.json")); file == "" || err != nil {
		return "start its chain, or a network for development with: barnraise devnet up"
	}
	return "barnraise devnet up --dir " + dir
}

// ether is a flag's amount of ether in wei, nil where it was not given.
type ether struct{ wei *big.Int }

func (e *ether) flags(c *cobra.Command) {
	c.Flags().Var(e, "deposit", "in ether, such as 0.05; else the least that the registry asks")
}

// inEther writes an amount of wei with all its digits, and no zeros behind.
func inEther(wei *big.Int) string {
	if wei == nil {
		return ""
	}
	text := new(big.Rat).SetFrac(wei, big.NewInt(1e18)).FloatString(18)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// String, Set and Type make it the value of a flag.
func (e *ether) String() string {
	if e.wei == nil {
		return ""
	}
	return new(big.Rat).SetFrac(e.wei, big.NewInt(1e18)).FloatString(18)
}

// Set reads a decimal number that is not negative.
func (e *ether) Set(s string) error {
	amount, ok := new(big.Rat).SetString(s)
	if !ok || amount.Sign() < 0 {
		return errors.New("want an amount of ether, such as 0.05")
	}
	amount.Mul(amount, new(big.Rat).SetInt64(1e18))
	e.wei = new(big.Int).Quo(amount.Num(), amount.Denom())
	return nil
}

// Type names it in the help.
func (e *ether) Type() string { return "ether" }

// writing is a command that writes to the registry: what it made so far, and what that took.
type writing struct {
	app          *app
	registry     *evm.Registry
	account      *evm.Account
	made         map[string]any
	transactions []txResult
}

// did notes a transaction, if one was sent, or would be.
func (w *writing) did(what string, tx evm.Tx, err error) error {
	if tx != (evm.Tx{}) {
		w.transactions = append(w.transactions, describeTx(what, tx, err))
	}
	return err
}

// dry reports whether nothing is sent.
func (w *writing) dry() bool { return w.account.Rehearses() }

// follows notes a transaction that cannot be tried before the one before it is in a block.
func (w *writing) follows(what string) {
	w.transactions = append(w.transactions, txResult{Does: what, DryRun: true})
}

// result is what the command prints as JSON: beside what it made all transactions, and of the last one the hash and block; gas
// is that of all of them. Of a dry run there are neither.
func (w *writing) result() map[string]any {
	result := maps.Clone(w.made)
	gas := uint64(0)
	for _, tx := range w.transactions {
		gas += tx.Gas
		if tx.DryRun {
			result["dryRun"] = true
			continue
		}
		result["transaction"], result["block"] = tx.Transaction, tx.Block
	}
	result["gas"], result["transactions"] = gas, w.transactions
	return result
}

// print prints what was made and what became of the transactions.
func (w *writing) print(a *app) error {
	return a.print(w.result(), func(out io.Writer) {
		for _, name := range slices.Sorted(maps.Keys(w.made)) {
			fmt.Fprintf(out, "%s %v\n", name, w.made[name])
		}
		if len(w.transactions) > 0 && w.transactions[0].DryRun {
			fmt.Fprintln(out, "nothing was sent; this would be:")
		}
		for _, tx := range w.transactions {
			if tx.DryRun {
				fmt.Fprintln(out, tx.text())
			} else {
				a.say("%s", tx.text())
			}
		}
	})
}

// write carries out transactions, or tries them, and prints what became of them, also where one fails after others were paid
// for.
func (a *app) write(ctx context.Context, f accountFlags, do func(*writing) error) error {
	account, err := f.open(a)
	if err != nil {
		return err
	}
	r, err := a.registry(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	w := &writing{app: a, registry: r, account: account, made: make(map[string]any)}
	failure := remedied(do(w))
	if len(w.transactions) == 0 {
		return failure
	}
	return errors.Join(failure, w.print(a))
}
