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
func (a *app) dial(ctx context.Context, network registry.Network) (*evm.Registry, error) {
	r, err := evm.Dial(ctx, network)
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

// accountFlags name the account that writes.
type accountFlags struct{ file string }

func (f *accountFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.file, "account", "", "file with the key of the account that signs: 64 hexadecimal digits, readable by its owner alone")
}

func (f *accountFlags) check() error {
	if f.file == "" {
		return fmt.Errorf("%w: name the account that signs with --account KEYFILE", errUsage)
	}
	return nil
}

// ether is a flag's amount of ether in wei, nil where it was not given.
type ether struct{ wei *big.Int }

func (e *ether) flags(c *cobra.Command) {
	c.Flags().Var(e, "deposit", "in ether, such as 0.05; else the least that the registry asks")
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
	registry     *evm.Registry
	account      *evm.Account
	made         map[string]any
	transactions []txResult
}

// txResult is an item of the transactions that every writing command prints as JSON.
type txResult struct {
	Does        string `json:"does"`
	Transaction string `json:"transaction"`
	Block       uint64 `json:"block"`
	Gas         uint64 `json:"gas"`
	Reverted    bool   `json:"reverted,omitempty"` // it was paid for, and the contract refused
	Pending     bool   `json:"pending,omitempty"`  // it is in no block, and may still come
}

// text says of a transaction what became of it.
func (r txResult) text() string {
	switch {
	case r.Pending:
		return fmt.Sprintf("%s: transaction %s may still come", r.Does, r.Transaction)
	case r.Reverted:
		return fmt.Sprintf("%s: transaction %s in block %d, refused, %d gas", r.Does, r.Transaction, r.Block, r.Gas)
	}
	return fmt.Sprintf("%s: transaction %s in block %d, %d gas", r.Does, r.Transaction, r.Block, r.Gas)
}

// did notes a transaction, if one was sent.
func (w *writing) did(what string, tx evm.Tx, err error) error {
	if tx != (evm.Tx{}) {
		sent := txResult{Does: what, Transaction: tx.Hash.String(), Block: tx.Block, Gas: tx.Gas}
		sent.Reverted, sent.Pending = err != nil && tx.Block != 0, tx.Block == 0
		w.transactions = append(w.transactions, sent)
	}
	return err
}

// result is what the command prints as JSON: beside what it made all transactions, and of the last one the hash and block; gas
// is that of all of them.
func (w *writing) result() map[string]any {
	result := maps.Clone(w.made)
	gas := uint64(0)
	for _, tx := range w.transactions {
		gas += tx.Gas
		result["transaction"], result["block"] = tx.Transaction, tx.Block
	}
	result["gas"], result["transactions"] = gas, w.transactions
	return result
}

// write carries out transactions and prints what became of them, also where one fails after others were paid for.
func (a *app) write(ctx context.Context, f accountFlags, do func(*writing) error) error {
	if err := f.check(); err != nil {
		return err
	}
	account, err := evm.ReadAccount(f.file)
	if err != nil {
		return err
	}
	r, err := a.registry(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	w := &writing{registry: r, account: account, made: make(map[string]any)}
	failure := do(w)
	if len(w.transactions) == 0 {
		return failure
	}
	return errors.Join(failure, a.print(w.result(), func(out io.Writer) {
		for _, name := range slices.Sorted(maps.Keys(w.made)) {
			fmt.Fprintf(out, "%s %v\n", name, w.made[name])
		}
		for _, tx := range w.transactions {
			a.say("%s", tx.text())
		}
	}))
}
