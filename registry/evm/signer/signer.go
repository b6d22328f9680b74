// Package signer opens the accounts that write to a registry, wherever their keys are: in a key file, in a keystore file under
// a password, or behind a signer elsewhere, so that an owner's key need not lie on a server.
package signer

import (
	"bytes"
	"fmt"
	"strings"

	"barnraise"
	"barnraise/registry/evm"
)

// Forms says how an account is named, for people.
const Forms = "a key file, a keystore file, URL#0xADDRESS or unix:/SOCKET#0xADDRESS of a remote signer"

// maxFile bounds an account's file, in bytes.
const maxFile = 64 << 10

// Password asks for the password of an account's file. It is called at most once, and not before it is needed.
type Password func(file string) ([]byte, error)

// Open opens the account that is named in one of the [Forms]. The file of a keystore is unlocked with the first transaction
// that is signed, unless it does not say whose it is: then at once. A remote signer is not asked before it has to sign. An
// address alone is refused: see [Address].
func Open(named string, password Password) (*evm.Account, error) {
	if isAddress(named) {
		return nil, fmt.Errorf("open account %s: an address alone signs nothing: name %s", named, Forms)
	}
	if isRemote(named) {
		r, err := parseRemote(named)
		if err != nil {
			return nil, err
		}
		return evm.AccountOf(r), nil
	}
	return open(named, password, false)
}

// OpenUnlocked is [Open] for who signs unattended: the file of a keystore is unlocked at once.
func OpenUnlocked(named string, password Password) (*evm.Account, error) {
	if !IsFile(named) {
		return Open(named, password)
	}
	return open(named, password, true)
}

// open opens a file.
func open(file string, password Password, now bool) (*evm.Account, error) {
	k, err := readKeystore(file, password)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return evm.ReadAccount(file)
	}
	if now || k.address.IsZero() {
		if _, err := k.unlock(); err != nil {
			return nil, err
		}
	}
	return evm.AccountOf(k), nil
}

// Address is that of the account which is named in one of the [Forms], or by its address alone; a password is asked for only
// where a keystore file does not say whose it is.
func Address(named string, password Password) (barnraise.Address, error) {
	if isAddress(named) {
		return barnraise.ParseAddress(named)
	}
	a, err := Open(named, password)
	if err != nil {
		return barnraise.Address{}, err
	}
	return a.Address(), nil
}

// IsFile reports whether an account is named by a file, and not by a signer's URL or an address.
func IsFile(named string) bool { return !isAddress(named) && !isRemote(named) }

func isAddress(named string) bool { return strings.HasPrefix(named, "0x") && len(named) == 42 }

func isRemote(named string) bool {
	return strings.HasPrefix(named, "unix:") || strings.HasPrefix(named, "http://") || strings.HasPrefix(named, "https://")
}

// readKeystore reads a file that is a JSON object; it is nil for any other file, which may be a key.
func readKeystore(file string, password Password) (*keystore, error) {
	b, err := evm.ReadSecret(file, maxFile)
	if err != nil {
		return nil, fmt.Errorf("read account: %w", err)
	}
	if !bytes.HasPrefix(bytes.TrimSpace(b), []byte("{")) {
		return nil, nil
	}
	k, err := parseKeystore(b)
	if err != nil {
		return nil, fmt.Errorf("read account %s: %w", file, err) // never what it holds
	}
	k.file, k.password = file, password
	return k, nil
}
