package evm

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"barnraise/registry"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
)

// Tx is a transaction that is in a block.
type Tx struct {
	Hash  common.Hash
	Block uint64
	Gas   uint64 // what it used
}

// How long a receipt is waited for, and how often asked for.
const (
	maxWait    = 10 * time.Minute
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
// creates a contract. A revert comes out as explained.
func (s sender) send(ctx context.Context, a *Account, to *common.Address, value *big.Int, input []byte) (Tx, receipt, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, maxWait, errors.New("the chain does not take it up"))
	defer cancel()
	m := message{From: &a.address, To: to, Value: (*hexutil.Big)(value), Input: input}
	hash, err := s.submit(ctx, a, m)
	if err != nil {
		return Tx{}, receipt{}, s.hint(a, s.explain(to, err))
	}
	defer a.landed(s.chainID)
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

// submit numbers, signs and sends, one transaction of an account at a time.
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
		var hash common.Hash
		if hash, err = s.sendOnce(ctx, a, m, nonce, gas, fees); !taken(err) {
			return hash, err
		}
		nonce++
	}
	return common.Hash{}, fmt.Errorf("%w; does somebody else write with this account?", err)
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

func (s sender) sendOnce(ctx context.Context, a *Account, m message, nonce, gas uint64, f fees) (common.Hash, error) {
	chain := new(big.Int).SetUint64(s.chainID)
	tx, err := types.SignNewTx(a.key, types.LatestSignerForChainID(chain), f.transaction(chain, nonce, gas, m))
	if err != nil {
		return common.Hash{}, err
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		return common.Hash{}, err
	}
	if _, err := ask[common.Hash](ctx, s.client, "eth_sendRawTransaction", hexutil.Bytes(raw)); err != nil {
		return common.Hash{}, err
	}
	a.sent(s.chainID, nonce)
	return tx.Hash(), nil
}

// taken reports whether somebody else used the number of a transaction. Nodes say so in words only.
func taken(err error) bool {
	if err == nil {
		return false
	}
	text := strings.ToLower(err.Error())
	said := func(words string) bool { return strings.Contains(text, words) }
	return said("nonce too low") || said("replacement transaction underpriced") || said("already known")
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

// wait asks for the receipt until it is there, more and more seldom. An endpoint that fails meanwhile is asked again.
func (s sender) wait(ctx context.Context, hash common.Hash) (receipt, error) {
	var last error
	for delay := firstDelay; ; delay = min(delay*3/2, mostDelay) {
		got, err := ask[*receipt](ctx, s.client, "eth_getTransactionReceipt", hash)
		if err == nil && got != nil {
			return *got, nil
		}
		if err != nil && ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return receipt{}, errors.Join(context.Cause(ctx), last)
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
