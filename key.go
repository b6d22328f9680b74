package barnraise

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// ErrWeakKey is the error for a public key under which a signature proves nothing: of small order, or not the canonical
// encoding of a point (protocol 1.6).
var ErrWeakKey = errors.New("public key is of small order or not canonical")

// PublicKey is an Ed25519 public key that is safe to hold a server to. Make one with [NewPublicKey].
type PublicKey [ed25519.PublicKeySize]byte

// NewPublicKey takes the 32 bytes that a registry holds. It fails with [ErrWeakKey] where a signature under the key would
// prove nothing. Whether the bytes are a point of the curve shows at the first signature: under a key that is none, no
// signature holds.
func NewPublicKey(b [32]byte) (PublicKey, error) {
	y := b
	y[31] &= 0x7f // the rest is the sign of x
	if !lessThanP(y) || smallOrder[y] {
		return PublicKey{}, fmt.Errorf("read key %x: %w", b, ErrWeakKey)
	}
	return b, nil
}

// ParsePublicKey reads the base64url form that listings use.
func ParsePublicKey(s string) (PublicKey, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != ed25519.PublicKeySize {
		return PublicKey{}, fmt.Errorf("parse key %q: want 32 bytes in unpadded base64url", clip(s))
	}
	return NewPublicKey([32]byte(b))
}

// String is the unpadded base64url form.
func (k PublicKey) String() string { return base64.RawURLEncoding.EncodeToString(k[:]) }

// MarshalText writes the form of [PublicKey.String].
func (k PublicKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what [ParsePublicKey] reads.
func (k *PublicKey) UnmarshalText(text []byte) (err error) {
	*k, err = ParsePublicKey(string(text))
	return err
}

// ID is the key's name in a receipt: the thumbprint of RFC 7638 over the key as a JWK of RFC 8037.
func (k PublicKey) ID() string {
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + k.String() + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// smallOrder holds the y coordinates of the eight points whose order divides eight. A y of 1 or −1 belongs to an x of
// zero, so masking the sign also covers the encodings in which a zero x claims to be negative.
var smallOrder = map[[32]byte]bool{
	{}:         true, // order 4
	{0: 1}:     true, // the neutral element
	minusOne(): true, // order 2
	{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
		0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05}: true, // order 8
	{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
		0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}: true, // order 8
}

// prime is 2²⁵⁵ − 19, little-endian.
var prime = func() (p [32]byte) {
	for i := range p {
		p[i] = 0xff
	}
	p[0], p[31] = 0xed, 0x7f
	return p
}()

func minusOne() [32]byte {
	p := prime
	p[0]--
	return p
}

func lessThanP(y [32]byte) bool {
	for i := 31; i >= 0; i-- {
		if y[i] != prime[i] {
			return y[i] < prime[i]
		}
	}
	return false
}
