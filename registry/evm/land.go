package evm

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"time"

	"barnraise/registry"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
)

// How a transaction gets into a block once it is signed.

// receipt is what matters of one.
type receipt struct {
	Status   hexutil.Uint64  `json:"status"`
	Block    hexutil.Uint64  `json:"blockNumber"`
	Gas      hexutil.Uint64  `json:"gasUsed"`
	Price    *hexutil.Big    `json:"effectiveGasPrice"`
	Contract *common.Address `json:"contractAddress"`
	Logs     []types.Log     `json:"logs"`
	output   []byte          // of a rehearsal, which has nothing else
}

// offer sends a transaction. It fails with [errTaken] where somebody else used its number, and with [errNoAnswer] where it may
// have been taken all the same; after any other error it will not come.
func (s sender) offer(ctx context.Context, tx *types.Transaction) error {
	raw, err := tx.MarshalBinary()
	if err != nil {
		return err
	}
	_, err = ask[common.Hash](ctx, s.client, "eth_sendRawTransaction", hexutil.Bytes(raw))
	switch {
	case err == nil || says(err, known):
		return nil
	case says(err, taken):
		return s.whose(ctx, tx, err)
	case refused(err):
		return err
	}
	return fmt.Errorf("%w: %w", errNoAnswer, err)
}

// whose finds out who used a number that is taken. An endpoint that passes a transaction on twice says so of the one that it
// has just put into a block.
func (s sender) whose(ctx context.Context, tx *types.Transaction, err error) error {
	got, failed := ask[*receipt](ctx, s.client, "eth_getTransactionReceipt", tx.Hash())
	if failed != nil {
		return fmt.Errorf("%w: %w, and then %w", errNoAnswer, err, failed)
	}
	if got != nil || s.look(ctx, tx) == itself {
		return nil
	}
	return fmt.Errorf("%w: %w", errTaken, err)
}

var (
	errTaken    = errors.New("somebody else writes with this account")
	errNoAnswer = errors.New("the endpoint did not say whether it took it")
)

// What nodes say of a transaction, in words only.
var (
	known = []string{"already known", "alreadyknown", "already imported"} // they have this very one
	taken = []string{"nonce too low", "replacement transaction underpriced"}
)

func says(err error, words []string) bool {
	text := strings.ToLower(err.Error())
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

// codeTimeout is that of a node which stops waiting for itself.
const codeTimeout = -32002

// refused reports whether an endpoint certainly did not take a transaction: it said so, or was never reached.
func refused(err error) bool {
	var object rpc.Error
	if errors.As(err, &object) {
		return object.ErrorCode() != codeTimeout
	}
	var network *net.OpError
	return errors.As(err, &network) && network.Op == "dial"
}

// ErrReplaced is the error where a program elsewhere that writes with the same account took a transaction's place before it was
// in a block. It will not come, and can be written again.
var ErrReplaced = errors.New("another transaction of the account took its place")

// doubtDelay is from when on a transaction that is in no block makes one look whether its number is still free.
const doubtDelay = 50 * time.Millisecond

// land waits for the receipt of a transaction. It fails with [ErrReplaced].
func (s sender) land(ctx context.Context, a *Account, tx *types.Transaction) (receipt, error) {
	return s.await(ctx, tx.Hash(), func(delay time.Duration) error {
		if delay < doubtDelay || s.look(ctx, tx) != another {
			return nil
		}
		return fmt.Errorf("%w: number %d of %s; let one program at a time write with it, and try again",
			ErrReplaced, tx.Nonce(), registry.Checksum(a.Address()))
	})
}

// user is what used the number of a transaction.
type user int

const (
	nobody  user = iota // as far as the endpoint can tell
	itself              // it is in a block
	another             // in a block; so it will not come
)

// look finds the block in which a transaction's number was used, and whether the transaction is in it. That receipts are missing
// says nothing: an endpoint may show them later than blocks.
func (s sender) look(ctx context.Context, tx *types.Transaction) user {
	from, err := types.Sender(types.LatestSignerForChainID(new(big.Int).SetUint64(s.chainID)), tx)
	if err != nil {
		return nobody
	}
	used := func(at uint64) (bool, error) {
		next, err := ask[hexutil.Uint64](ctx, s.client, "eth_getTransactionCount", from, number(at))
		return uint64(next) > tx.Nonce(), err
	}
	head, err := ask[hexutil.Uint64](ctx, s.client, "eth_blockNumber")
	if err != nil {
		return nobody
	}
	at, ok := firstBlock(uint64(head), used)
	if !ok {
		return nobody
	}
	b, err := ask[*struct {
		Transactions []common.Hash `json:"transactions"`
	}](ctx, s.client, "eth_getBlockByNumber", number(at), false)
	switch {
	case err != nil || b == nil || len(b.Transactions) == 0:
		return nobody
	case slices.Contains(b.Transactions, tx.Hash()):
		return itself
	}
	return another
}

// firstBlock finds the first block from which on something holds, going back from one where it may hold; false where it does
// not, or where that cannot be told.
func firstBlock(head uint64, holds func(uint64) (bool, error)) (uint64, bool) {
	if yes, err := holds(head); err != nil || !yes {
		return 0, false
	}
	after, before := head, uint64(0) // it holds after, and not before
	for step := uint64(1); ; step *= 2 {
		if after == 0 {
			return 0, false
		}
		before = after - min(step, after)
		yes, err := holds(before)
		if err != nil {
			return 0, false
		}
		if !yes {
			break
		}
		after = before
	}
	for after-before > 1 {
		middle := before + (after-before)/2
		yes, err := holds(middle)
		if err != nil {
			return 0, false
		}
		if yes {
			after = middle
		} else {
			before = middle
		}
	}
	return after, true
}

// maxBehind is how often an endpoint is asked whose head lacks a block of which it has shown a receipt.
const maxBehind = 5

// await asks for the receipt until it is there, more and more seldom. An endpoint that fails meanwhile is asked again, and so is,
// a few times, one that has the receipt before it names its block as the head: who reads after a write sees what was written.
// It gives up as soon as missing, told each time there is none, fails.
func (s sender) await(ctx context.Context, hash common.Hash, missing func(delay time.Duration) error) (receipt, error) {
	var last error
	behind := 0
	for delay := firstDelay; ; delay = min(delay*3/2, mostDelay) {
		got, err := ask[*receipt](ctx, s.client, "eth_getTransactionReceipt", hash)
		if err == nil && got != nil {
			head, err := ask[hexutil.Uint64](ctx, s.client, "eth_blockNumber")
			if behind++; err == nil && head >= got.Block || behind > maxBehind {
				return *got, nil
			}
		}
		if err == nil && got == nil {
			err = missing(delay)
			if errors.Is(err, ErrReplaced) {
				return receipt{}, err
			}
		}
		if err != nil && ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			if last != nil {
				return receipt{}, fmt.Errorf("%w; the endpoint's last word is %w", context.Cause(ctx), last)
			}
			return receipt{}, context.Cause(ctx)
		case <-time.After(delay):
		}
	}
}

// autopsy asks again, in the block where it failed, why a transaction was reverted.
func (s sender) autopsy(ctx context.Context, m message, tx Tx) error {
	if _, err := ask[hexutil.Bytes](ctx, s.client, "eth_call", m, number(tx.Block)); err != nil {
		return err
	}
	return fmt.Errorf("transaction %s was reverted, something came before it: try again", tx.Hash)
}

// hint says what to do about an empty account, and about a price that rose. Nodes say so in words of their own, some in
// capitals.
func (s sender) hint(a *Account, err error) error {
	switch {
	case says(err, []string{"insufficient funds", "gas required exceeds allowance"}):
		return fmt.Errorf("%w; send some of the chain's coin to %s", err, registry.Checksum(a.Address()))
	case says(err, []string{"underpriced", "fee cap less than block base fee", "max fee per gas less than block base fee"}):
		return fmt.Errorf("%w; nothing was written: the price of gas rose meanwhile, try again", err)
	}
	return err
}
