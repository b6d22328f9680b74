package evm

import (
	"context"
	"errors"
	"math/big"
	"strings"
	"testing"

	"barnraise"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// elsewhere signs for an account as a remote signer does, after changing what it is asked to sign.
type elsewhere struct {
	*Account
	change func(*types.DynamicFeeTx) types.TxData
	asked  int
}

func (e *elsewhere) SignTransaction(_ context.Context, tx *types.Transaction, chain *big.Int) (*types.Transaction, error) {
	e.asked++
	data := &types.DynamicFeeTx{
		ChainID: chain, Nonce: tx.Nonce(), GasTipCap: tx.GasTipCap(), GasFeeCap: tx.GasFeeCap(), Gas: tx.Gas(), To: tx.To(),
		Value: tx.Value(), Data: tx.Data(),
	}
	if e.change == nil {
		return types.SignNewTx(e.key, types.LatestSignerForChainID(chain), data)
	}
	changed := e.change(data)
	if d, ok := changed.(*types.DynamicFeeTx); ok {
		chain = d.ChainID
	}
	return types.SignNewTx(e.key, types.LatestSignerForChainID(chain), changed)
}

// TestSignerElsewhere: a registry is written with a key that is not here.
func TestSignerElsewhere(t *testing.T) {
	r := newRegistry(t, newChain(t), testParams)
	s := &elsewhere{Account: bob}
	a := AccountOf(s)
	id, tx, err := r.RegisterServer(t.Context(), a, Profile{URL: "http://127.0.0.1:8001", Key: publicKey("a")}, nil)
	if err != nil || id != 1 || tx.Block == 0 || s.asked != 1 {
		t.Fatalf("server %s, %+v, %v, asked %d times", id, tx, err, s.asked)
	}
	if err := WriteAccount(t.TempDir()+"/key", a); err == nil {
		t.Error("a key that is not here is written")
	}
	s.change = func(d *types.DynamicFeeTx) types.TxData { d.GasFeeCap.Sub(d.GasFeeCap, big.NewInt(1)); return d }
	if _, err := r.SetURL(t.Context(), a, 1, "http://127.0.0.1:8002"); err != nil {
		t.Errorf("a signer that pays a little less: %v", err)
	}
}

// TestLyingSigners: what a signer changes is found out before anything is sent.
func TestLyingSigners(t *testing.T) {
	r := newRegistry(t, newChain(t), testParams)
	there := common.Address{9}
	for what, change := range map[string]func(*types.DynamicFeeTx) types.TxData{
		"recipient":    func(d *types.DynamicFeeTx) types.TxData { d.To = &there; return d },
		"value":        func(d *types.DynamicFeeTx) types.TxData { d.Value = new(big.Int).Add(d.Value, big.NewInt(1)); return d },
		"data":         func(d *types.DynamicFeeTx) types.TxData { d.Data = append([]byte{1}, d.Data...); return d },
		"number":       func(d *types.DynamicFeeTx) types.TxData { d.Nonce++; return d },
		"chain":        func(d *types.DynamicFeeTx) types.TxData { d.ChainID = big.NewInt(1); return d },
		"gas":          func(d *types.DynamicFeeTx) types.TxData { d.Gas *= 2; return d },
		"price of gas": func(d *types.DynamicFeeTx) types.TxData { d.GasFeeCap = new(big.Int).Lsh(d.GasFeeCap, 1); return d },
		"access list": func(d *types.DynamicFeeTx) types.TxData {
			d.AccessList = types.AccessList{{Address: there}}
			return d
		},
		"type": func(d *types.DynamicFeeTx) types.TxData {
			return &types.LegacyTx{Nonce: d.Nonce, GasPrice: d.GasFeeCap, Gas: d.Gas, To: d.To, Value: d.Value, Data: d.Data}
		},
	} {
		a := AccountOf(&elsewhere{Account: bob, change: change})
		_, tx, err := r.RegisterServer(t.Context(), a, Profile{URL: "http://127.0.0.1:8001", Key: publicKey("a")}, nil)
		if !errors.Is(err, ErrSigner) || !strings.HasSuffix(err.Error(), "another "+what) || tx != (Tx{}) {
			t.Errorf("%s: transaction %+v, error is %v", what, tx, err)
		}
	}
	mine := AccountOf(&elsewhere{Account: bob})
	mine.address = carol.address
	if _, _, err := r.RegisterServer(t.Context(), mine, Profile{URL: "http://127.0.0.1:8001", Key: publicKey("a")}, nil); !errors.Is(err, ErrSigner) {
		t.Errorf("error is %v, want one about whose signature it is", err)
	}
	if s, err := r.Snapshot(t.Context()); err != nil || len(s.Servers()) != 0 {
		t.Errorf("snapshot %v, %v; want no server", s, err)
	}
}

// TestRehearsals: a write is tried without being made, fails as it would, and then takes what was said.
func TestRehearsals(t *testing.T) {
	r := newRegistry(t, newChain(t), testParams)
	ctx := t.Context()
	before, err := latest(ctx, r.client)
	if err != nil {
		t.Fatal(err)
	}
	trial := Rehearse(alice.Address())
	p := Profile{URL: "http://127.0.0.1:8001", Key: publicKey("a"), Offers: []barnraise.ServiceID{1}}
	id, tried, err := r.RegisterServer(ctx, trial, p, nil)
	d := tried.Draft
	if err != nil || id != 1 || tried.Hash != (common.Hash{}) || tried.Block != 0 || d == nil {
		t.Fatalf("server %s, %+v, %v; want server 1 and a draft", id, tried, err)
	}
	if d.From != alice.Address() || d.To != r.Network().Servers || d.Value.Cmp(milli(50)) != 0 || tried.Fee().Sign() <= 0 ||
		d.MostFee.Cmp(tried.Fee()) < 0 || d.Gas < tried.Gas {
		t.Errorf("the draft is %+v of %+v", d, tried)
	}
	service, _, err := r.RegisterService(ctx, trial, "search", revision(t, "x"), nil)
	if err != nil || service != 1 {
		t.Errorf("service %s, %v", service, err)
	}
	var revert *Revert
	if _, _, err := r.RegisterService(ctx, trial, "search", revision(t, "x"), milli(1)); !errors.As(err, &revert) || revert.Name != "DepositTooSmall" {
		t.Errorf("error is %v, want DepositTooSmall", err)
	}
	if _, _, err := r.RegisterServer(ctx, Rehearse(mallory.Address()), p, nil); err == nil || !strings.Contains(err.Error(), "send some of the chain's coin") {
		t.Errorf("error is %v, want one about the money", err)
	}
	n, txs, err := DeployAt(ctx, r.Network().RPC[0], trial, testParams)
	if err != nil || len(txs) != 2 || txs[1].Draft == nil || !txs[1].Draft.To.IsZero() || txs[1].Gas < 1e6 || n.Services != (barnraise.Address{}) {
		t.Errorf("deployment %+v, %+v, %v", n, txs, err)
	}
	if now, err := latest(ctx, r.client); err != nil || now.Number != before.Number {
		t.Fatalf("the head went from %d to %d, %v: something was sent", before.Number, now.Number, err)
	}
	id, made, err := r.RegisterServer(ctx, alice, p, nil)
	if err != nil || id != 1 || made.Gas > tried.Gas || tried.Gas-made.Gas > made.Gas/20 || made.Fee() == nil {
		t.Errorf("it took %+v, %v; %+v was said", made, err, tried)
	}
	if again, _, err := r.RegisterServer(ctx, trial, p, nil); err != nil || again != 2 {
		t.Errorf("the next server would be %s, %v", again, err)
	}
}

// TestLeaving: a server leaves, waits, withdraws; and what was said before each came true.
func TestLeaving(t *testing.T) {
	chain := newChain(t)
	r := newRegistry(t, chain, testParams)
	ctx, trial := t.Context(), Rehearse(alice.Address())
	if _, _, err := r.RegisterServer(ctx, alice, Profile{URL: "http://127.0.0.1:8001", Key: publicKey("a")}, milli(70)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.WithdrawServer(ctx, alice, 1); err == nil || !strings.Contains(err.Error(), "server 1 is active, and has not left") {
		t.Errorf("error is %v", err)
	}
	if _, err := r.RotateKey(ctx, alice, 1, publicKey("b")); err != nil {
		t.Error(err)
	}
	if unlock, tx, err := r.LeaveServer(ctx, trial, 1); err != nil || !unlock.IsZero() || tx.Draft == nil {
		t.Errorf("unlock %s, %+v, %v", unlock, tx, err)
	}
	unlock, tx, err := r.LeaveServer(ctx, alice, 1)
	if err != nil {
		t.Fatal(err)
	}
	at, err := blockAt(ctx, r.client, number(tx.Block))
	if err != nil || unlock.Unix() != int64(at.Time)+3600 {
		t.Errorf("unlocked at %s, the block is of %d, %v", unlock, at.Time, err)
	}
	if _, _, err := r.WithdrawServer(ctx, trial, 1); err == nil || !strings.Contains(err.Error(), "is locked until "+unlock.UTC().Format("2006")) {
		t.Errorf("error is %v", err)
	}
	advance(chain, testParams.UnlockDelay)(t)
	if amount, tx, err := r.WithdrawServer(ctx, trial, 1); err != nil || amount != nil || tx.Draft == nil {
		t.Errorf("amount %s, %+v, %v", amount, tx, err)
	}
	if amount, _, err := r.WithdrawServer(ctx, alice, 1); err != nil || amount.Cmp(milli(70)) != 0 {
		t.Errorf("amount %s, %v", amount, err)
	}
	s, err := r.Snapshot(ctx)
	if v, _ := s.Server(1); err != nil || v.Status != barnraise.StatusGone || len(v.Keys) != 2 {
		t.Errorf("server %+v, %v", v, err)
	}
}

// TestRevoked: the delegate revokes what the owner, or who has his key, published.
func TestRevoked(t *testing.T) {
	r := newRegistry(t, newChain(t), testParams)
	ctx := t.Context()
	if _, _, err := r.RegisterService(ctx, alice, "search", revision(t, "x"), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.SetServiceDelegate(ctx, alice, 1, bob.Address()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Publish(ctx, alice, 1, revision(t, "y")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Revoke(ctx, carol, 1, 2, ""); err == nil || !strings.Contains(err.Error(), "revoke revision 2 of service #1: only the owner") {
		t.Errorf("error is %v", err)
	}
	if _, err := r.Revoke(ctx, bob, 1, 2, "not mine"); err != nil {
		t.Error(err)
	}
	s, err := r.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := s.Service(1); !v.Revisions[1].Revoked || v.Revisions[1].Reason != "not mine" {
		t.Errorf("service %+v", v)
	}
}
