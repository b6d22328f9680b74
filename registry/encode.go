package registry

import (
	"encoding/binary"
	"fmt"
	"math/big"

	"barnraise"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
	"golang.org/x/crypto/sha3"
)

// words are what Solidity's abi.encode makes of values: 32 bytes for each, longer ones behind an offset.
type words []byte

func (w words) uint(v uint64) words {
	w = append(w, make([]byte, 24)...)
	return binary.BigEndian.AppendUint64(w, v)
}

func (w words) big(v *big.Int) words { return append(w, v.FillBytes(make([]byte, 32))...) }

func (w words) hash(h [32]byte) words { return append(w, h[:]...) }

func (w words) address(a barnraise.Address) words {
	return append(append(w, make([]byte, 12)...), a[:]...)
}

// tail is a byte string as it stands behind its offset: length, bytes, zeros up to a whole word.
func (w words) tail(b []byte) words {
	w = append(w.uint(uint64(len(b))), b...)
	return append(w, make([]byte, padded(len(b))-len(b))...)
}

// ids is a list as it stands behind its offset: length, items.
func (w words) ids(list []barnraise.ServiceID) words {
	w = w.uint(uint64(len(list)))
	for _, id := range list {
		w = w.uint(uint64(id))
	}
	return w
}

// keccak is the hash of the words.
func (w words) keccak() [32]byte { return keccak(w) }

// padded is n rounded up to whole words.
func padded(n int) int { return (n + 31) / 32 * 32 }

// keccak is Ethereum's hash.
func keccak(b []byte) (sum [32]byte) {
	h := sha3.NewLegacyKeccak256()
	h.Write(b)
	h.Sum(sum[:0])
	return sum
}

// ParseCID reads a CID as the contract holds it, in binary. It fails for all but the kind that verifiers and manifests have:
// version 1, raw or dag-pb, SHA-256.
func ParseCID(raw []byte) (barnraise.CID, error) {
	if len(raw) > maxCID {
		return "", fmt.Errorf("read CID: %d bytes, at most %d", len(raw), maxCID)
	}
	c, err := cid.Cast(raw)
	if err != nil {
		return "", fmt.Errorf("read CID: %w", err)
	}
	if err := ours(c); err != nil {
		return "", fmt.Errorf("read CID: %w", err)
	}
	return barnraise.CID(c.String()), nil
}

// CIDBytes is the binary form of a CID, as the contract takes it. It fails for all that [ParseCID] would not have returned.
func CIDBytes(id barnraise.CID) ([]byte, error) {
	if len(id) > 2*maxCID {
		return nil, fmt.Errorf("write CID: %d bytes, at most %d", len(id), 2*maxCID)
	}
	c, err := cid.Decode(string(id))
	if err != nil {
		return nil, fmt.Errorf("write CID %q: %w", id, err)
	}
	if err := ours(c); err != nil {
		return nil, fmt.Errorf("write CID %q: %w", id, err)
	}
	if c.String() != string(id) {
		return nil, fmt.Errorf("write CID %q: want it in lower-case base32, %s", id, c)
	}
	return c.Bytes(), nil
}

// ours reports why a CID is not of the kind that verifiers and manifests have.
func ours(c cid.Cid) error {
	p := c.Prefix()
	switch {
	case p.Version != 1:
		return fmt.Errorf("version %d, want 1", p.Version)
	case p.Codec != cid.Raw && p.Codec != cid.DagProtobuf:
		return fmt.Errorf("codec 0x%x, want raw or dag-pb", p.Codec)
	case p.MhType != multihash.SHA2_256 || p.MhLength != 32:
		return fmt.Errorf("hash 0x%x of %d bytes, want SHA-256", p.MhType, p.MhLength)
	}
	return nil
}
