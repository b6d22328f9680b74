package registry

import (
	"fmt"

	"barnraise"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
)

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
