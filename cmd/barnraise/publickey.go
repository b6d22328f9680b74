package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"barnraise"
	"barnraise/server"
)

// keyHelp says in the help what --key takes.
const keyHelp = "the Ed25519 key that signs receipts: file of the private key (PEM), which is made where it is missing; " +
	"or the public key alone, as servers show prints it, or a file of it"

const (
	maxKeyFile = 4096 // bytes of a file with a public key
	almostKey  = 40   // characters of base64url that nobody calls a file; a key has 43
)

// publicKey is the public key of what --key names, and whether that is the file of a private one. Such a file is made where it is
// missing; a dry run makes none, and takes another key for it.
func (p *profile) publicKey(dry bool) (key barnraise.PublicKey, private bool, err error) {
	if _, err := os.Stat(p.key); errors.Is(err, fs.ErrNotExist) {
		key, bad := barnraise.ParsePublicKey(p.key)
		if bad == nil {
			return key, false, nil
		}
		if len(p.key) >= almostKey && isBase64URL(p.key) {
			return key, false, fmt.Errorf("%w: --key is neither a file nor a key: %w", errUsage, bad)
		}
		if dry {
			key, _, err := ed25519.GenerateKey(nil)
			return barnraise.PublicKey(key), true, err
		}
	} else if key, found, err := readPublicKey(p.key); found {
		return key, false, err
	}
	own, err := server.EnsureKey(p.key)
	if err != nil {
		return key, true, err
	}
	return barnraise.PublicKey(own[ed25519.SeedSize:]), true, nil
}

func isBase64URL(s string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// readPublicKey reads a public key from a file: PEM, such as openssl pkey -pubout writes, or base64url. It reports false where the
// file has none.
func readPublicKey(path string) (key barnraise.PublicKey, found bool, err error) {
	data, err := readLimited(path, maxKeyFile)
	if err != nil {
		return key, false, nil // whoever reads a private key of it says why not
	}
	block, _ := pem.Decode(data)
	if block == nil {
		key, err = barnraise.ParsePublicKey(strings.TrimSpace(string(data)))
		if errors.Is(err, barnraise.ErrWeakKey) {
			return key, true, fmt.Errorf("read key: %s: %w", path, err)
		}
		return key, err == nil, nil
	}
	if block.Type != "PUBLIC KEY" {
		return key, false, nil
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return key, true, fmt.Errorf("read key: %s: %w", path, err)
	}
	public, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return key, true, fmt.Errorf("read key: %s holds a %T, want Ed25519", path, parsed)
	}
	if key, err = barnraise.NewPublicKey([32]byte(public)); err != nil {
		err = fmt.Errorf("read key: %s: %w", path, err)
	}
	return key, true, err
}
