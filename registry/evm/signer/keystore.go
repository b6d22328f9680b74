package signer

import (
	"context"
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"

	"barnraise"

	geth "github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

// What a keystore file may ask for before its password is known to be right: four times what geth itself writes, in memory,
// and eight times in work.
const (
	maxScryptMemory = 1 << 30 // bytes, 128·n·r
	maxScryptWork   = 1 << 24 // n·r·p
	maxIterations   = 1 << 22 // of PBKDF2
	maxHex          = 256     // bytes of a salt, a key or the like, in text
)

// keystore is a file in version 3 of the form that geth and other wallets keep a key in.
type keystore struct {
	file     string
	password Password
	crypto   geth.CryptoJSON

	mu      sync.Mutex
	address barnraise.Address // zero until it is known
	key     *ecdsa.PrivateKey // nil until it is unlocked
}

// document is what of a keystore file counts.
type document struct {
	Version int    `json:"version"`
	Address string `json:"address"`
	Crypto  struct {
		Cipher       string `json:"cipher"`
		CipherText   string `json:"ciphertext"`
		CipherParams struct {
			IV string `json:"iv"`
		} `json:"cipherparams"`
		KDF       string `json:"kdf"`
		KDFParams kdf    `json:"kdfparams"`
		MAC       string `json:"mac"`
	} `json:"crypto"`
}

// kdf is how a password is made a key.
type kdf struct {
	Length int    `json:"dklen"`
	Salt   string `json:"salt"`
	N      int    `json:"n"`
	R      int    `json:"r"`
	P      int    `json:"p"`
	C      int    `json:"c"`
	PRF    string `json:"prf"`
}

// parseKeystore reads a keystore file, whose author may want whoever opens it to run out of memory or time. Nothing is unlocked
// yet.
func parseKeystore(b []byte) (*keystore, error) {
	var d document
	if err := json.Unmarshal(b, &d); err != nil {
		return nil, errors.New("it is no keystore file in JSON")
	}
	c := d.Crypto
	switch {
	case d.Version != 3:
		return nil, fmt.Errorf("it is a keystore file of version %d, want 3", d.Version)
	case c.Cipher != "aes-128-ctr":
		return nil, errors.New("its cipher is not aes-128-ctr")
	case !isHex(c.CipherText, 32, 32) || !isHex(c.CipherParams.IV, 16, 16) || !isHex(c.MAC, 32, 32) || !isHex(c.KDFParams.Salt, 1, maxHex):
		return nil, errors.New("its ciphertext, iv, mac or salt is malformed")
	case c.KDFParams.Length != 32:
		return nil, errors.New("its dklen is not 32")
	}
	params, err := c.KDFParams.check(c.KDF)
	if err != nil {
		return nil, err
	}
	k := &keystore{crypto: geth.CryptoJSON{
		Cipher: c.Cipher, CipherText: c.CipherText, KDF: c.KDF, KDFParams: params, MAC: c.MAC,
	}}
	k.crypto.CipherParams.IV = c.CipherParams.IV
	if d.Address != "" {
		if k.address, err = barnraise.ParseAddress("0x" + strings.ToLower(strings.TrimPrefix(d.Address, "0x"))); err != nil {
			return nil, errors.New("its address is malformed")
		}
	}
	return k, nil
}

// check refuses what costs too much, and returns the rest as the library takes it.
func (p kdf) check(name string) (map[string]any, error) {
	params := map[string]any{"dklen": p.Length, "salt": p.Salt}
	switch {
	case name == "pbkdf2" && p.PRF == "hmac-sha256":
		if p.C < 1 || p.C > maxIterations {
			return nil, fmt.Errorf("its pbkdf2 wants %d rounds, at most %d are made", p.C, maxIterations)
		}
		params["c"], params["prf"] = p.C, p.PRF
	case name == "scrypt":
		if !within(maxScryptWork, p.N, p.R, p.P) || !within(maxScryptMemory/128, p.N, p.R) {
			return nil, fmt.Errorf("its scrypt wants n=%d, r=%d, p=%d: that is more memory or time than is given", p.N, p.R, p.P)
		}
		params["n"], params["r"], params["p"] = p.N, p.R, p.P
	default:
		return nil, errors.New("its kdf is neither scrypt nor pbkdf2 with hmac-sha256")
	}
	return params, nil
}

// within reports whether all factors are positive and their product is at most most.
func within(most int, factors ...int) bool {
	for _, f := range factors {
		if f < 1 || f > most {
			return false
		}
		most /= f
	}
	return true
}

func isHex(s string, least, most int) bool {
	_, err := hex.DecodeString(s)
	return err == nil && len(s) >= 2*least && len(s) <= 2*most
}

// Address is what the file says, or once it is unlocked what is true.
func (k *keystore) Address() barnraise.Address {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.address
}

// SignTransaction unlocks the file where that has not happened yet.
func (k *keystore) SignTransaction(_ context.Context, tx *types.Transaction, chain *big.Int) (*types.Transaction, error) {
	key, err := k.unlock()
	if err != nil {
		return nil, err
	}
	return types.SignTx(tx, types.LatestSignerForChainID(chain), key)
}

// unlock asks for the password and decrypts the key, once.
func (k *keystore) unlock() (*ecdsa.PrivateKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.key != nil {
		return k.key, nil
	}
	password, err := k.password(k.file)
	if err != nil {
		return nil, err
	}
	raw, err := geth.DecryptDataV3(k.crypto, string(password))
	if err != nil {
		return nil, fmt.Errorf("unlock %s: the password is wrong, or the file is damaged", k.file)
	}
	key, err := crypto.ToECDSA(raw)
	if err != nil {
		return nil, fmt.Errorf("unlock %s: it holds no secp256k1 key", k.file)
	}
	address := barnraise.Address(crypto.PubkeyToAddress(key.PublicKey))
	if !k.address.IsZero() && k.address != address {
		return nil, fmt.Errorf("unlock %s: it says that it is of %s, and holds the key of %s", k.file, k.address, address)
	}
	k.key, k.address = key, address
	return key, nil
}
