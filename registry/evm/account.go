package evm

import (
	"crypto/ecdsa"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync"

	"barnraise"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// Account is a key that signs transactions. Share one between all who write with the key in a process: it keeps their
// transactions in line. Two processes that make the very same call with one key at once may make one transaction between them.
// Its methods are safe for concurrent use.
type Account struct {
	key     *ecdsa.PrivateKey
	address common.Address
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

// ReadAccount reads an account from a file with its secret key: 64 hexadecimal digits, with or without 0x. A file whose mode
// lets others read it is refused.
func ReadAccount(file string) (*Account, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read account: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read account: %w", err)
	}
	// On Windows the mode says nothing of others: there it is left to the directory.
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("read account: %s may be used by others (mode %#o): chmod 600 %s, "+
			"and if others could log in, use a new one", file, mode, file)
	}
	b, err := io.ReadAll(io.LimitReader(f, 128))
	if err != nil {
		return nil, fmt.Errorf("read account: %w", err)
	}
	key, err := crypto.HexToECDSA(strings.TrimPrefix(strings.TrimSpace(string(b)), "0x"))
	if err != nil {
		return nil, fmt.Errorf("read account %s: want 64 hexadecimal digits, a secp256k1 key", file) // never what it holds
	}
	return accountOf(key), nil
}

// WriteAccount writes the account's secret key to a new file that only its owner can read. It fails with [fs.ErrExist] rather
// than overwrite a file.
func WriteAccount(file string, a *Account) error {
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
	a := &Account{
		key: key, address: crypto.PubkeyToAddress(key.PublicKey), turn: make(chan struct{}, 1), lanes: make(map[uint64]lane),
	}
	a.turn <- struct{}{}
	return a
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
