package main

import (
	"encoding/hex"
	"fmt"
	"strings"

	"barnraise/registry"
	"barnraise/registry/evm"
)

// txResult is an item of the transactions that every writing command prints as JSON. Amounts are in ether. Of a dry run there
// is no transaction, but what would be sent; that is missing where it cannot be known yet.
type txResult struct {
	Does        string `json:"does"`
	Transaction string `json:"transaction,omitempty"`
	Block       uint64 `json:"block"`
	Gas         uint64 `json:"gas"`
	Fee         string `json:"fee,omitempty"`      // what the gas cost, or would at the price of now
	Reverted    bool   `json:"reverted,omitempty"` // it was paid for, and the contract refused
	Pending     bool   `json:"pending,omitempty"`  // it is in no block, and may still come

	DryRun bool       `json:"dryRun,omitempty"`
	Would  *sendsJSON `json:"sends,omitempty"`
}

// sendsJSON is a transaction as it would be sent.
type sendsJSON struct {
	From    string `json:"from"`
	To      string `json:"to,omitempty"` // missing where it makes a contract
	Nonce   uint64 `json:"nonce"`
	Value   string `json:"value"`
	Data    string `json:"data"`
	Gas     uint64 `json:"gas"`     // that it may use
	MostFee string `json:"mostFee"` // that its gas may cost
}

func describeTx(what string, tx evm.Tx, err error) txResult {
	r := txResult{Does: what, Block: tx.Block, Gas: tx.Gas, Fee: inEther(tx.Fee())}
	if d := tx.Draft; d != nil {
		r.DryRun, r.Would = true, &sendsJSON{
			From: registry.Checksum(d.From), Nonce: d.Nonce, Value: inEther(d.Value), Data: "0x" + hex.EncodeToString(d.Data),
			Gas: d.Gas, MostFee: inEther(d.MostFee),
		}
		if !d.To.IsZero() {
			r.Would.To = registry.Checksum(d.To)
		}
		return r
	}
	r.Transaction, r.Reverted, r.Pending = tx.Hash.String(), err != nil && tx.Block != 0, tx.Block == 0
	return r
}

// text says of a transaction what became of it, or would.
func (r txResult) text() string {
	switch {
	case r.DryRun:
		return r.draft()
	case r.Pending:
		return fmt.Sprintf("%s: transaction %s may still come", r.Does, r.Transaction)
	case r.Reverted:
		return fmt.Sprintf("%s: transaction %s in block %d, refused, %s", r.Does, r.Transaction, r.Block, r.cost())
	}
	return fmt.Sprintf("%s: transaction %s in block %d, %s", r.Does, r.Transaction, r.Block, r.cost())
}

// cost is what a transaction used, and what that took.
func (r txResult) cost() string {
	if r.Fee == "" {
		return fmt.Sprintf("%d gas", r.Gas)
	}
	return fmt.Sprintf("%d gas for %s", r.Gas, r.Fee)
}

func (r txResult) draft() string {
	w := r.Would
	if w == nil {
		return r.Does + ": once what comes before it is in a block; before that nobody can tell what it costs"
	}
	to := "to " + w.To
	if w.To == "" {
		to = "which makes a contract"
	}
	with := ""
	if w.Value != "0" {
		with = ", with " + w.Value
	}
	return fmt.Sprintf("%s: transaction %d of %s, %s%s, %d bytes of data: about %s, and at most %s",
		r.Does, w.Nonce, w.From, to, with, (len(strings.TrimPrefix(w.Data, "0x")))/2, r.cost(), w.MostFee)
}
