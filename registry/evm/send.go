package evm

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"barnraise"

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
	Gas   uint64   // what it used, or would use
	Price *big.Int // of a unit of gas, in wei; nil where the endpoint does not say
	Draft *Draft   // of a rehearsal, else nil
}

// Fee is what the transaction took for its gas, in wei, or nil where that is not known.
func (t Tx) Fee() *big.Int {
	if t.Price == nil {
		return nil
	}
	return new(big.Int).Mul(new(big.Int).SetUint64(t.Gas), t.Price)
}

// Draft is a transaction as it would be sent now, to an account that is zero where it creates a contract.
type Draft struct {
	From, To barnraise.Address
	Nonce    uint64
	Value    *big.Int // in wei
	Data     []byte
	Gas      uint64   // that it may use
	MostFee  *big.Int // that its gas may cost, in wei
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

// sender signs and sends transactions on one chain.
type sender struct {
	client  *rpc.Client
	chainID uint64
	explain func(to *common.Address, err error) error // makes words of a revert
}

// send puts a transaction in the pool, waits until it is in a block, and returns its receipt. With no address in to it
// creates a contract. A revert comes out as explained. After an error with a hash the transaction may still come. With an
// account that rehearses nothing is sent, and the receipt has nothing but the output.
func (s sender) send(ctx context.Context, a *Account, to *common.Address, value *big.Int, input []byte) (Tx, receipt, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, maxWait, errors.New("the chain does not take it up"))
	defer cancel()
	m := message{From: &a.address, To: to, Value: (*hexutil.Big)(value), Input: input}
	if a.Rehearses() {
		tx, output, err := s.rehearse(ctx, a, m)
		if err != nil {
			return Tx{}, receipt{}, s.hint(a, s.explain(to, err))
		}
		return tx, receipt{output: output}, nil
	}
	signed, err := s.submit(ctx, a, m)
	if err != nil && !errors.Is(err, errNoAnswer) {
		return Tx{}, receipt{}, s.hint(a, s.explain(to, err))
	}
	defer a.landed(s.chainID)
	if err != nil {
		ctx, cancel = context.WithTimeoutCause(ctx, lostWait, err)
		defer cancel()
	}
	hash := signed.Hash()
	got, err := s.land(ctx, a, signed)
	if errors.Is(err, ErrReplaced) {
		return Tx{}, receipt{}, err
	}
	if err != nil {
		return Tx{Hash: hash}, receipt{}, fmt.Errorf("wait for transaction %s, which may still come: %w", hash, err)
	}
	tx := Tx{Hash: hash, Block: uint64(got.Block), Gas: uint64(got.Gas), Price: got.Price.ToInt()}
	if got.Status != 1 {
		return tx, got, s.explain(to, s.autopsy(ctx, m, tx))
	}
	return tx, got, nil
}

// rehearse tries a transaction where it would go next, and returns what the call returns.
func (s sender) rehearse(ctx context.Context, a *Account, m message) (tx Tx, output []byte, err error) {
	used, err := next[hexutil.Uint64](ctx, s, "eth_estimateGas", m)
	if err != nil {
		return tx, nil, err
	}
	if output, err = next[bytesHex](ctx, s, "eth_call", m); err != nil {
		return tx, nil, err
	}
	gas, fees, err := s.terms(ctx, a, uint64(used))
	if err != nil {
		return tx, nil, err
	}
	nonce, err := s.nonce(ctx, a, 0)
	if err != nil {
		return tx, nil, err
	}
	draft := &Draft{
		From: a.Address(), Nonce: nonce, Value: m.Value.ToInt(), Data: m.Input, Gas: gas, MostFee: fees.cost(gas),
	}
	if m.To != nil {
		draft.To = barnraise.Address(*m.To)
	}
	return Tx{Gas: uint64(used), Price: fees.likely, Draft: draft}, output, s.afford(ctx, a, draft)
}

// afford fails where the account cannot pay for what it would send.
func (s sender) afford(ctx context.Context, a *Account, d *Draft) error {
	has, err := ask[*hexutil.Big](ctx, s.client, "eth_getBalance", a.address, "pending")
	if err != nil {
		return err
	}
	need := new(big.Int).Add(d.Value, d.MostFee)
	if has == nil || has.ToInt().Cmp(need) < 0 {
		return fmt.Errorf("insufficient funds: it needs up to %s, the account has %s", ether(need), ether((*big.Int)(has)))
	}
	return nil
}

// submit numbers, signs and sends, one transaction of an account at a time. Where it fails with [errNoAnswer] the transaction
// counts as sent, as it does where it succeeds.
func (s sender) submit(ctx context.Context, a *Account, m message) (*types.Transaction, error) {
	select {
	case <-a.turn:
		defer func() { a.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	used, err := next[hexutil.Uint64](ctx, s, "eth_estimateGas", m)
	if err != nil {
		return nil, err
	}
	gas, fees, err := s.terms(ctx, a, uint64(used))
	if err != nil {
		return nil, err
	}
	chain, nonce := new(big.Int).SetUint64(s.chainID), uint64(0)
	for range maxNonces {
		if nonce, err = s.nonce(ctx, a, nonce); err != nil {
			return nil, err
		}
		tx, failed := a.sign(ctx, types.NewTx(fees.transaction(chain, nonce, gas, m)), chain)
		if failed != nil {
			return nil, failed
		}
		err = s.offer(ctx, tx)
		if err == nil || errors.Is(err, errNoAnswer) {
			a.sent(s.chainID, nonce)
			return tx, err
		}
		if !errors.Is(err, errTaken) {
			return nil, err
		}
		nonce++
	}
	return nil, fmt.Errorf("%w; let one program at a time write with it", err)
}

// terms are what a transaction is given that is estimated to use so much gas. They fail where an endpoint asks for more than
// anybody pays.
func (s sender) terms(ctx context.Context, a *Account, used uint64) (gas uint64, f fees, err error) {
	if f, err = s.fees(ctx); err != nil {
		return 0, f, err
	}
	gas = used + used/4 + a.salt // what comes before it in the block may make it dearer
	if cost := f.cost(gas); cost.Cmp(maxCost()) > 0 {
		return 0, f, fmt.Errorf("the endpoint asks up to %s for this transaction: use another one", ether(cost))
	}
	return gas, f, nil
}

// next asks about a call in the next block, whose number decides what a contract takes; or, of an endpoint that knows no next
// block, in the last one.
func next[T any](ctx context.Context, s sender, method string, m message) (T, error) {
	result, err := ask[T](ctx, s.client, method, m, "pending")
	var withData rpc.DataError
	if err != nil && !(errors.As(err, &withData) && withData.ErrorData() != nil) {
		result, err = ask[T](ctx, s.client, method, m, "latest")
	}
	return result, err
}

// nonce is the number of the account's next transaction, at least the one given.
func (s sender) nonce(ctx context.Context, a *Account, least uint64) (uint64, error) {
	pending, err := ask[hexutil.Uint64](ctx, s.client, "eth_getTransactionCount", a.address, "pending")
	return max(a.nonce(s.chainID, uint64(pending)), least), err
}

// fees are what is offered for gas, in wei, and what it is likely to cost. Without a base fee the chain knows only a price.
type fees struct{ price, tip, most, likely *big.Int }

func (s sender) fees(ctx context.Context) (fees, error) {
	head, err := latest(ctx, s.client)
	if err != nil {
		return fees{}, err
	}
	if head.BaseFee == nil {
		price, err := ask[hexutil.Big](ctx, s.client, "eth_gasPrice")
		return fees{price: price.ToInt(), likely: price.ToInt()}, err
	}
	tip, err := ask[hexutil.Big](ctx, s.client, "eth_maxPriorityFeePerGas")
	if err != nil {
		return fees{}, err
	}
	most := new(big.Int).Add(tip.ToInt(), new(big.Int).Lsh(head.BaseFee.ToInt(), 1)) // six full blocks in a row
	return fees{tip: tip.ToInt(), most: most, likely: new(big.Int).Add(tip.ToInt(), head.BaseFee.ToInt())}, nil
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
