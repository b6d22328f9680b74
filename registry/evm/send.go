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

// Tx is a transaction that is in a block. Where a write fails with one that has a hash and no block, it may still come: look
// for it before writing again.
type Tx struct {
	Hash  common.Hash
	Block uint64
	Gas   uint64 // what it used
}

// How long a receipt is waited for, and how often asked for.
const (
	maxWait    = 10 * time.Minute
	lostWait   = time.Minute // where the endpoint may not have taken it
	firstDelay = 2 * time.Millisecond
	mostDelay  = 2 * time.Second
)

// maxNonces is how often a transaction is numbered anew because somebody else used the number.
const maxNonces = 8

// maxCost is the most that a transaction may cost, in wei: ten of the chain's coins. An endpoint that lies about the price of
// gas gets no more out of an account.
func maxCost() *big.Int { return new(big.Int).Mul(big.NewInt(10), big.NewInt(1e18)) }

// receipt is what matters of one.
type receipt struct {
	Status   hexutil.Uint64  `json:"status"`
	Block    hexutil.Uint64  `json:"blockNumber"`
	Gas      hexutil.Uint64  `json:"gasUsed"`
	Contract *common.Address `json:"contractAddress"`
	Logs     []types.Log     `json:"logs"`
}

// sender signs and sends transactions on one chain.
type sender struct {
	client  *rpc.Client
	chainID uint64
	explain func(to *common.Address, err error) error // makes words of a revert
}

// send puts a transaction in the pool, waits until it is in a block, and returns its receipt. With no address in to it
// creates a contract. A revert comes out as explained. After an error with a hash the transaction may still come.
func (s sender) send(ctx context.Context, a *Account, to *common.Address, value *big.Int, input []byte) (Tx, receipt, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, maxWait, errors.New("the chain does not take it up"))
	defer cancel()
	m := message{From: &a.address, To: to, Value: (*hexutil.Big)(value), Input: input}
	hash, err := s.submit(ctx, a, m)
	if err != nil && !errors.Is(err, errNoAnswer) {
		return Tx{}, receipt{}, s.hint(a, s.explain(to, err))
	}
	defer a.landed(s.chainID)
	if err != nil {
		ctx, cancel = context.WithTimeoutCause(ctx, lostWait, err)
		defer cancel()
	}
	got, err := s.wait(ctx, hash)
	if err != nil {
		return Tx{Hash: hash}, receipt{}, fmt.Errorf("wait for transaction %s, which may still come: %w", hash, err)
	}
	tx := Tx{Hash: hash, Block: uint64(got.Block), Gas: uint64(got.Gas)}
	if got.Status != 1 {
		return tx, got, s.explain(to, s.autopsy(ctx, m, tx))
	}
	return tx, got, nil
}

// submit numbers, signs and sends, one transaction of an account at a time. Where it fails with [errNoAnswer] the transaction
// counts as sent, as it does where it succeeds.
func (s sender) submit(ctx context.Context, a *Account, m message) (common.Hash, error) {
	select {
	case <-a.turn:
		defer func() { a.turn <- struct{}{} }()
	case <-ctx.Done():
		return common.Hash{}, context.Cause(ctx)
	}
	gas, err := s.estimate(ctx, m)
	if err != nil {
		return common.Hash{}, err
	}
	fees, err := s.fees(ctx)
	if err != nil {
		return common.Hash{}, err
	}
	gas += gas / 4 // what comes before it in the block may make it dearer
	if cost := fees.cost(gas); cost.Cmp(maxCost()) > 0 {
		return common.Hash{}, fmt.Errorf("the endpoint asks up to %s for this transaction: use another one", ether(cost))
	}
	nonce := uint64(0)
	for range maxNonces {
		if nonce, err = s.nonce(ctx, a, nonce); err != nil {
			return common.Hash{}, err
		}
		tx, failed := s.sign(a, m, nonce, gas, fees)
		if failed != nil {
			return common.Hash{}, failed
		}
		err = s.offer(ctx, tx)
		if err == nil || errors.Is(err, errNoAnswer) {
			a.sent(s.chainID, nonce)
			return tx.Hash(), err
		}
		if !errors.Is(err, errTaken) {
			return common.Hash{}, err
		}
		nonce++
	}
	return common.Hash{}, fmt.Errorf("%w; let one program at a time write with it", err)
}

// estimate asks what gas it needs in the next block, whose number decides what a contract takes; or, from an endpoint that
// knows no next block, in the last one.
func (s sender) estimate(ctx context.Context, m message) (uint64, error) {
	gas, err := ask[hexutil.Uint64](ctx, s.client, "eth_estimateGas", m, "pending")
	var withData rpc.DataError
	if err != nil && !(errors.As(err, &withData) && withData.ErrorData() != nil) {
		gas, err = ask[hexutil.Uint64](ctx, s.client, "eth_estimateGas", m)
	}
	return uint64(gas), err
}

// nonce is the number of the account's next transaction, at least the one given.
func (s sender) nonce(ctx context.Context, a *Account, least uint64) (uint64, error) {
	pending, err := ask[hexutil.Uint64](ctx, s.client, "eth_getTransactionCount", a.address, "pending")
	return max(a.nonce(s.chainID, uint64(pending)), least), err
}

// sign makes the transaction. The same key, message and fees make the same one, down to its hash.
func (s sender) sign(a *Account, m message, nonce, gas uint64, f fees) (*types.Transaction, error) {
	chain := new(big.Int).SetUint64(s.chainID)
	return types.SignNewTx(a.key, types.LatestSignerForChainID(chain), f.transaction(chain, nonce, gas, m))
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
		return s.whose(ctx, tx.Hash(), err)
	case refused(err):
		return err
	}
	return fmt.Errorf("%w: %w", errNoAnswer, err)
}

// whose finds out who used a number that is taken. An endpoint that passes a transaction on twice says so of the one that it
// has just put into a block.
func (s sender) whose(ctx context.Context, hash common.Hash, err error) error {
	got, failed := ask[*receipt](ctx, s.client, "eth_getTransactionReceipt", hash)
	switch {
	case failed != nil:
		return fmt.Errorf("%w: %w, and then %w", errNoAnswer, err, failed)
	case got != nil:
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

// fees are what is offered for gas, in wei. Without a base fee the chain knows only a price.
type fees struct{ price, tip, most *big.Int }

func (s sender) fees(ctx context.Context) (fees, error) {
	head, err := latest(ctx, s.client)
	if err != nil {
		return fees{}, err
	}
	if head.BaseFee == nil {
		price, err := ask[hexutil.Big](ctx, s.client, "eth_gasPrice")
		return fees{price: price.ToInt()}, err
	}
	tip, err := ask[hexutil.Big](ctx, s.client, "eth_maxPriorityFeePerGas")
	if err != nil {
		return fees{}, err
	}
	most := new(big.Int).Add(tip.ToInt(), new(big.Int).Lsh(head.BaseFee.ToInt(), 1)) // six full blocks in a row
	return fees{tip: tip.ToInt(), most: most}, nil
}

// cost is what a transaction takes at most.
func (f fees) cost(gas uint64) *big.Int {
	price := f.price
	if price == nil {
		price = f.most
	}
	return new(big.Int).Mul(new(big.Int).SetUint64(gas), price)
}

func (f fees) transaction(chain *big.Int, nonce, gas uint64, m message) types.TxData {
	if f.price != nil {
		return &types.LegacyTx{Nonce: nonce, GasPrice: f.price, Gas: gas, To: m.To, Value: m.Value.ToInt(), Data: m.Input}
	}
	return &types.DynamicFeeTx{
		ChainID: chain, Nonce: nonce, GasTipCap: f.tip, GasFeeCap: f.most, Gas: gas, To: m.To, Value: m.Value.ToInt(), Data: m.Input,
	}
}

// maxBehind is how often an endpoint is asked whose head lacks a block of which it has shown a receipt.
const maxBehind = 5

// wait asks for the receipt until it is there, more and more seldom. An endpoint that fails meanwhile is asked again, and so is,
// a few times, one that has the receipt before it names its block as the head: who reads after a write sees what was written.
func (s sender) wait(ctx context.Context, hash common.Hash) (receipt, error) {
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

// hint says what to do about an empty account. Nodes say so in words of their own, some in capitals.
func (s sender) hint(a *Account, err error) error {
	text := strings.ToLower(err.Error())
	if !strings.Contains(text, "insufficient funds") && !strings.Contains(text, "gas required exceeds allowance") {
		return err
	}
	return fmt.Errorf("%w; send some of the chain's coin to %s", err, registry.Checksum(a.Address()))
}
