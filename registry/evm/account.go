package evm

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"runtime"
	"strings"
	"sync"

	"barnraise"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

// Signer signs transactions for one account, wherever its key is.
type Signer interface {
	// Address is the account as the chain knows it.
	Address() barnraise.Address
	// SignTransaction returns the transaction with the account's signature for the chain. What it returns is checked, see
	// [ErrSigner].
	SignTransaction(ctx context.Context, tx *types.Transaction, chain *big.Int) (*types.Transaction, error)
}

// Account is who signs and pays. Share one between all who write with it in a process: it keeps their transactions in line.
// Several processes may write with one account as well, see [ErrReplaced]. Its methods are safe for concurrent use.
type Account struct {
	key     *ecdsa.PrivateKey // nil where another signs, or nobody
	signer  Signer            // where key is nil; nil as well for a rehearsal
	address common.Address
	salt    uint64        // of its transactions' gas, so that those of another process are not taken for its own
	turn    chan struct{} // whoever takes what is in it may send

	mu    sync.Mutex
	lanes map[uint64]lane // by chain id
}

// lane is what was sent on a chain and not yet seen in a block.
type lane struct {
	flying int
	next   uint64 // nonce after those flying
}

// NewAccount makes a new random account.
func NewAccount() (*Account, error) {
	key, err := crypto.GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("make account: %w", err)
	}
	return accountOf(key), nil
}

// AccountOf is the account that a signer signs for.
func AccountOf(s Signer) *Account {
	a := newAccount(common.Address(s.Address()))
	a.signer = s
	return a
}

// Rehearse is an account that signs nothing: what is written with it is tried at the head of the chain and never sent. The
// [Tx] that comes out has a [Draft] and neither hash nor block; ids and numbers are those that it would get now. A write that
// the contract would refuse fails with the same [Revert].
func Rehearse(address barnraise.Address) *Account { return newAccount(common.Address(address)) }

// maxSalt bounds what the gas of a transaction is raised by, so little that nobody who pays for it needs to care.
const maxSalt = 4096

// Rehearses reports whether what is written with the account is only tried.
func (a *Account) Rehearses() bool { return a.key == nil && a.signer == nil }

// ReadAccount reads an account from a file with its secret key: 64 hexadecimal digits, with or without 0x. A file whose mode
// lets others read it is refused.
func ReadAccount(file string) (*Account, error) {
	b, err := ReadSecret(file, 128)
	if err != nil {
		return nil, fmt.Errorf("read account: %w", err)
	}
	key, err := crypto.HexToECDSA(strings.TrimPrefix(strings.TrimSpace(string(b)), "0x"))
	if err != nil {
		return nil, fmt.Errorf("read account %s: want 64 hexadecimal digits, a secp256k1 key", file) // never what it holds
	}
	return accountOf(key), nil
}

// ReadSecret reads the first so many bytes of a file. A file whose mode lets others read it is refused.
func ReadSecret(file string, most int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	// On Windows the mode says nothing of others: there it is left to the directory.
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("%s may be used by others (mode %#o): chmod 600 %s, "+
			"and if others could log in, use a new one", file, mode, file)
	}
	return io.ReadAll(io.LimitReader(f, most))
}

// WriteAccount writes the account's secret key to a new file that only its owner can read. It fails with [fs.ErrExist] rather
// than overwrite a file.
//
// Only an account of [NewAccount] or [ReadAccount] can be written.
func WriteAccount(file string, a *Account) error {
	if a.key == nil {
		return fmt.Errorf("write account: the key of %s is not here", a)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write account: %w: choose another file, or move that one away", err)
	}
	if err != nil {
		return fmt.Errorf("write account: %w", err)
	}
	_, err = f.WriteString(hex.EncodeToString(crypto.FromECDSA(a.key)) + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write account: %w", err)
	}
	return nil
}

// Address is the account as the chain knows it.
func (a *Account) Address() barnraise.Address { return barnraise.Address(a.address) }

// String is the address, so that no key gets into a log.
func (a *Account) String() string { return a.Address().String() }

// GoString is the address too.
func (a *Account) GoString() string { return a.String() }

func accountOf(key *ecdsa.PrivateKey) *Account {
	a := newAccount(crypto.PubkeyToAddress(key.PublicKey))
	a.key = key
	return a
}

func newAccount(address common.Address) *Account {
	var salt [2]byte
	_, _ = rand.Read(salt[:]) // it never fails
	a := &Account{
		address: address, salt: uint64(binary.BigEndian.Uint16(salt[:])) % maxSalt,
		turn: make(chan struct{}, 1), lanes: make(map[uint64]lane),
	}
	a.turn <- struct{}{}
	return a
}

// sign has the transaction signed, and looks at what comes back: a remote signer may be wrong, or lie.
func (a *Account) sign(ctx context.Context, tx *types.Transaction, chain *big.Int) (*types.Transaction, error) {
	if a.key != nil {
		return types.SignTx(tx, types.LatestSignerForChainID(chain), a.key)
	}
	signed, err := a.signer.SignTransaction(ctx, tx, chain)
	if err != nil {
		return nil, fmt.Errorf("sign with %s: %w", a, err)
	}
	if err := checkSigned(tx, signed, chain, a.address); err != nil {
		return nil, fmt.Errorf("sign with %s: %w: %w", a, ErrSigner, err)
	}
	return signed, nil
}

// nonce is that of the next transaction, given what the endpoint thinks it is: it may not have noticed yet what was just sent.
func (a *Account) nonce(chain, pending uint64) uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if l := a.lanes[chain]; l.flying > 0 {
		return max(l.next, pending)
	}
	return pending
}

func (a *Account) sent(chain, nonce uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lanes[chain] = lane{flying: a.lanes[chain].flying + 1, next: nonce + 1}
}

// landed says that a transaction is in a block, or that nobody waits for it any longer.
func (a *Account) landed(chain uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.lanes[chain]
	l.flying--
	a.lanes[chain] = l
}

// ErrSigner is the error where a signer returns another transaction than it was asked to sign, or one that somebody else
// signed. Nothing was sent.
var ErrSigner = errors.New("the signer returned something else than it was asked to sign")

// checkSigned compares what a signer returned with what it was asked for. It may have lowered what is paid for gas, and
// nothing else.
func checkSigned(asked, signed *types.Transaction, chain *big.Int, from common.Address) error {
	dearer := signed.GasFeeCap().Cmp(asked.GasFeeCap()) > 0 || signed.GasTipCap().Cmp(asked.GasTipCap()) > 0
	for _, c := range []struct {
		same bool
		what string
	}{
		{signed.Type() == asked.Type(), "type"}, {signed.Protected() && signed.ChainId().Cmp(chain) == 0, "chain"},
		{signed.Nonce() == asked.Nonce(), "number"}, {equal(signed.To(), asked.To()), "recipient"},
		{signed.Value().Cmp(asked.Value()) == 0, "value"}, {bytes.Equal(signed.Data(), asked.Data()), "data"},
		{signed.Gas() == asked.Gas(), "gas"}, {!dearer, "price of gas"}, {len(signed.AccessList()) == 0, "access list"},
	} {
		if !c.same {
			return fmt.Errorf("another %s", c.what)
		}
	}
	by, err := types.Sender(types.LatestSignerForChainID(chain), signed)
	if err != nil {
		return fmt.Errorf("no valid signature: %w", err)
	}
	if by != from {
		return fmt.Errorf("the signature of %s", by)
	}
	return nil
}

func equal(a, b *common.Address) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}
