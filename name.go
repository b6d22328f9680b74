package barnraise

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// ServiceID names a service within one registry (protocol 1.2). Ids start at 1; zero is no service.
type ServiceID uint32

// String is the form in which users write an id: "#3".
func (id ServiceID) String() string { return "#" + strconv.FormatUint(uint64(id), 10) }

// ServerID names a server within one registry (protocol 1.5). Ids start at 1; zero is no server.
type ServerID uint32

// String is the bare decimal number.
func (id ServerID) String() string { return strconv.FormatUint(uint64(id), 10) }

// Address is an account or a contract on the registry's chain.
type Address [20]byte

// ParseAddress reads 0x and forty hexadecimal digits, in either case.
func ParseAddress(s string) (Address, error) {
	var a Address
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok || len(digits) != 2*len(a) {
		return a, fmt.Errorf("parse address %q: want 0x and 40 hexadecimal digits", clip(s))
	}
	if _, err := hex.Decode(a[:], []byte(digits)); err != nil {
		return a, fmt.Errorf("parse address %q: %w", clip(s), err)
	}
	return a, nil
}

// String is the lower-case 0x form, which is also the form in receipts (protocol 4.1).
func (a Address) String() string { return "0x" + hex.EncodeToString(a[:]) }

// IsZero reports whether a names nobody.
func (a Address) IsZero() bool { return a == Address{} }

// MarshalText writes the form of [Address.String].
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what [ParseAddress] reads.
func (a *Address) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAddress(string(text))
	return err
}

// Digest is a SHA-256 sum, written in the OCI form "sha256:<64 lower-case hexadecimal digits>".
type Digest [sha256.Size]byte

// Sum is the digest of b.
func Sum(b []byte) Digest { return sha256.Sum256(b) }

// ParseDigest reads exactly the form that [Digest.String] writes: one value has one spelling.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	digits, ok := strings.CutPrefix(s, "sha256:")
	if !ok || len(digits) != 2*len(d) || strings.ToLower(digits) != digits {
		return d, fmt.Errorf("parse digest %q: want sha256: and 64 lower-case hexadecimal digits", clip(s))
	}
	if _, err := hex.Decode(d[:], []byte(digits)); err != nil {
		return d, fmt.Errorf("parse digest %q: %w", clip(s), err)
	}
	return d, nil
}

// String is the OCI form.
func (d Digest) String() string { return "sha256:" + hex.EncodeToString(d[:]) }

// Hex is the digest's digits alone, for file names.
func (d Digest) Hex() string { return hex.EncodeToString(d[:]) }

// IsZero reports whether d was never set.
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText writes the form of [Digest.String].
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what [ParseDigest] reads.
func (d *Digest) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDigest(string(text))
	return err
}

// CID is the content identifier of a verifier or a manifest: CIDv1 in base32, as any IPFS tool prints it. Package content
// makes and checks them; here it is a name that can be compared.
type CID string

// Registry names one registry: a chain and two contracts on it (protocol 1.1).
type Registry struct {
	Chain    string  // CAIP-2, such as "eip155:31337"
	Services Address // the ServiceRegistry
	Servers  Address // the ServerRegistry
}

// String names the registry in logs and errors.
func (r Registry) String() string {
	return fmt.Sprintf("%s/%s/%s", r.Chain, r.Services, r.Servers)
}

// clip keeps a hostile string from filling an error message.
func clip(s string) string {
	if len(s) > 80 {
		return s[:77] + "..."
	}
	return s
}
