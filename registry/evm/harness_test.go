package evm

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"barnraise"
	"barnraise/registry"
	"barnraise/registry/devchain"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/holiman/uint256"
)

// testParams are small enough to be run into.
var testParams = Params{
	ServiceDeposit: milli(50), ServerDeposit: milli(50), UnlockDelay: time.Hour, Grace: 3, RewardsEvery: 4,
}

// milli is an amount in thousandths of an ether.
func milli(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e15)) }

// testAccount makes the same account every time.
func testAccount(name string) *Account {
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte(name)))
	if err != nil {
		panic(err) // one in 2¹²⁸
	}
	return accountOf(key)
}

// The cast. All but mallory, who is poor, are funded.
var (
	alice, bob, carol, dave = testAccount("alice"), testAccount("bob"), testAccount("carol"), testAccount("dave")
	mallory                 = testAccount("mallory")
)

// world is a chain that a test runs on. Whatever implements it, the test is the same.
type world interface {
	RPC() *rpc.Client // a new client
	URL() string
	Fork(block uint64) error           // goes back to a block and forgets what came after it
	AdvanceTime(d time.Duration) error // makes an empty block, that much later
}

// newChain starts the embedded chain.
func newChain(t testing.TB) *devchain.Chain {
	t.Helper()
	chain, err := devchain.Start(devchain.Config{
		Fund: []barnraise.Address{alice.Address(), bob.Address(), carol.Address(), dave.Address()},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := chain.Close(); err != nil {
			t.Error(err)
		}
	})
	return chain
}

// newRegistry deploys a registry on a chain, and opens it over the chain's own client.
func newRegistry(t testing.TB, chain world, p Params) *Registry {
	t.Helper()
	client := chain.RPC()
	defer client.Close()
	n, err := Deploy(t.Context(), client, alice, p)
	if err != nil {
		t.Fatal(err)
	}
	n.RPC = []string{chain.URL()}
	if w, ok := chain.(*watched); ok {
		w.seen.deployed(n)
	}
	return open(t, chain, n)
}

func open(t testing.TB, chain world, n registry.Network) *Registry {
	t.Helper()
	r, err := New(t.Context(), chain.RPC(), n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// step is one call of a story.
type step struct {
	who      *Account
	what     string // for people
	contract common.Address
	value    *big.Int
	call     []byte
	want     string // name of the revert, or nothing
	words    string // which its text contains
	before   func(testing.TB)
}

// play makes the calls one after another, and checks after each that events and storage tell the same.
func play(t *testing.T, r *Registry, steps []step) {
	t.Helper()
	for i, s := range steps {
		if s.before != nil {
			s.before(t)
		}
		err := s.run(t.Context(), r)
		var revert *Revert
		switch name := fmt.Sprintf("step %d, %s", i, s.what); {
		case s.want == "" && err != nil:
			t.Fatalf("%s: %v", name, err)
		case s.want != "" && !errors.As(err, &revert):
			t.Fatalf("%s: error is %v, want a revert %s", name, err, s.want)
		case s.want != "" && (revert.Name != s.want || !strings.Contains(err.Error(), s.words)):
			t.Fatalf("%s: %s, %q; want %s with %q", name, revert.Name, err, s.want, s.words)
		}
	}
	if _, err := r.Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (s step) run(ctx context.Context, r *Registry) error {
	value := s.value
	if value == nil {
		value = new(big.Int)
	}
	_, _, err := r.sender().send(ctx, s.who, &s.contract, value, s.call)
	return err
}

// rawCID is the binary CID of a text.
func rawCID(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return append([]byte{0x01, 0x55, 0x12, 0x20}, sum[:]...)
}

func textCID(t testing.TB, text string) barnraise.CID {
	t.Helper()
	c, err := registry.ParseCID(rawCID(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// revision is one that all contracts take.
func revision(t testing.TB, name string) barnraise.Revision {
	return barnraise.Revision{
		Image: barnraise.Sum([]byte(name)), Reference: "registry.example/" + name, Home: 1,
		Verifier: textCID(t, "verifier of "+name), Manifest: textCID(t, "manifest of "+name),
	}
}

func publicKey(name string) barnraise.PublicKey {
	k := sha256.Sum256([]byte(name))
	k[31] &= 0x3f // below the prime
	return k
}

// storage reads a word of a contract's storage.
func storage(t testing.TB, r *Registry, a common.Address, slot uint64) common.Hash {
	t.Helper()
	word, err := ask[common.Hash](t.Context(), r.client, "eth_getStorageAt", a, number(slot), "latest")
	if err != nil {
		t.Fatal(err)
	}
	return word
}

func balance(t testing.TB, r *Registry, a common.Address) *big.Int {
	t.Helper()
	b, err := ask[hexutil.Big](t.Context(), r.client, "eth_getBalance", a, "latest")
	if err != nil {
		t.Fatal(err)
	}
	return b.ToInt()
}

// mapped reads a word of a mapping from uint32.
func mapped(t testing.TB, r *Registry, a common.Address, id uint32, slot uint64) common.Hash {
	t.Helper()
	word := func(n uint64) []byte { return common.BigToHash(new(big.Int).SetUint64(n)).Bytes() }
	key := crypto.Keccak256Hash(word(uint64(id)), word(slot))
	value, err := ask[common.Hash](t.Context(), r.client, "eth_getStorageAt", a, key, "latest")
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// delegateTo gives an account the code of a contract, or with the zero address none (EIP-7702).
func delegateTo(t testing.TB, chain world, r *Registry, a *Account, code common.Address) {
	t.Helper()
	advance(chain, time.Second)(t) // the pool takes one transaction of such an account at a time; now it knows that it has none
	pending, err := ask[hexutil.Uint64](t.Context(), r.client, "eth_getTransactionCount", a.address, "pending")
	if err != nil {
		t.Fatal(err)
	}
	id := uint256.NewInt(r.chainID)
	auth, err := types.SignSetCode(a.key, types.SetCodeAuthorization{ChainID: *id, Address: code, Nonce: uint64(pending) + 1})
	if err != nil {
		t.Fatal(err)
	}
	tx, err := types.SignNewTx(a.key, types.LatestSignerForChainID(id.ToBig()), &types.SetCodeTx{
		ChainID: id, Nonce: uint64(pending), GasTipCap: uint256.NewInt(1e9), GasFeeCap: uint256.NewInt(1e11), Gas: 100_000,
		To: common.Address{0xff}, AuthList: []types.SetCodeAuthorization{auth},
	})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask[common.Hash](t.Context(), r.client, "eth_sendRawTransaction", hexutil.Bytes(raw)); err != nil {
		t.Fatal(err)
	}
	if got, err := r.sender().wait(t.Context(), tx.Hash()); err != nil || got.Status != 1 {
		t.Fatalf("delegation: status %d, %v", got.Status, err)
	}
	advance(chain, time.Second)(t) // the same again
}

// deploy creates a contract of raw code.
func deploy(t testing.TB, r *Registry, code []byte) common.Address {
	t.Helper()
	// PUSH2 length, DUP1, PUSH1 11, PUSH0, CODECOPY, PUSH0, RETURN, padding
	create := []byte{0x61, byte(len(code) >> 8), byte(len(code)), 0x80, 0x60, 0x0b, 0x5f, 0x39, 0x5f, 0xf3, 0x00}
	a, _, err := r.sender().create(t.Context(), bob, hexutil.Encode(append(create, code...)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// callsBack is code that stores 1 in its slot 0 and makes a call, of up to 64 bytes, to whoever called it.
func callsBack(call []byte) []byte {
	data := append(call, make([]byte, 64-len(call))...)
	code := []byte{0x60, 0x01, 0x5f, 0x55} // PUSH1 1, PUSH0, SSTORE
	code = append(append(code, 0x7f), data[:32]...)
	code = append(code, 0x5f, 0x52) // PUSH32 …, PUSH0, MSTORE
	code = append(append(code, 0x7f), data[32:]...)
	code = append(code, 0x60, 0x20, 0x52)                                                // PUSH32 …, PUSH1 32, MSTORE
	code = append(code, 0x5f, 0x5f, 0x60, byte(len(call)), 0x5f, 0x5f, 0x33, 0x5a, 0xf1) // CALL(gas, caller, 0, 0, length, 0, 0)
	return append(code, 0x00)
}
