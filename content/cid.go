// Package content keeps, serves and fetches verifiers and manifests by CID, as raw blocks that any IPFS tool can make, pin
// and serve (protocol 2.8; the Trustless Gateway specification of IPFS).
//
// A CID here is a CIDv1 in base32 over a sha2-256 hash. Whoever delivers bytes need not be believed: they are hashed on the
// way in and again on the way out. Content is one block of at most [MaxBlock] bytes, for which
// "ipfs add --cid-version=1 --raw-leaves --chunker=size-1048576" and [Sum] give the same CID.
package content

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"barnraise"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
)

// MaxBlock is the longest block that is kept, served or fetched, in bytes.
const MaxBlock = 1 << 20

// Errors to branch on.
var (
	ErrCID      = errors.New("not a CID that is taken here")
	ErrMismatch = errors.New("bytes are not those of the CID")
	ErrTooLarge = errors.New("larger than one block")
)

// Sum is the CID of b as one raw block.
func Sum(b []byte) barnraise.CID {
	sum := sha256.Sum256(b)
	hash, err := multihash.Encode(sum[:], multihash.SHA2_256)
	if err != nil {
		panic(err) // a known hash of its own length
	}
	return barnraise.CID(cid.NewCidV1(cid.Raw, hash).String())
}

// Check reports whether b is the block that c names. It fails with [ErrMismatch], or with [ErrCID] as [Parse] does.
func Check(c barnraise.CID, b []byte) error {
	want, err := hashOf(string(c))
	if err != nil {
		return err
	}
	if sha256.Sum256(b) != want {
		return fmt.Errorf("check %s: these are %d bytes of %s: %w", c, len(b), Sum(b), ErrMismatch)
	}
	return nil
}

// Parse reads a CID in its canonical text, so that one block has one name: version 1, base32, codec raw or dag-pb, hash
// sha2-256 at full length. Everything else fails with [ErrCID]; an identity hash, which would prove whatever it contains,
// with the rest.
func Parse(s string) (barnraise.CID, error) {
	_, err := hashOf(s)
	if err != nil {
		return "", err
	}
	return barnraise.CID(s), nil
}

// hashOf is the sha2-256 sum inside a CID.
func hashOf(s string) (sum [sha256.Size]byte, err error) {
	const longest = 100 // a sha2-256 CID has 59 bytes in base32, 68 in hexadecimal
	if len(s) > longest {
		return sum, fmt.Errorf("parse CID %.60q...: %d bytes: %w", s, len(s), ErrCID)
	}
	c, err := cid.Decode(s)
	if err != nil {
		return sum, fmt.Errorf("parse CID %q: %w: %w", s, ErrCID, err)
	}
	p := c.Prefix()
	switch {
	case p.Version != 1:
		err = errors.New("want version 1 (ipfs cid base32 converts it)")
	case p.Codec != cid.Raw && p.Codec != cid.DagProtobuf:
		err = errors.New("want codec raw or dag-pb")
	case p.MhType != multihash.SHA2_256 || p.MhLength != sha256.Size:
		err = errors.New("want hash sha2-256 in full")
	case c.String() != s:
		err = fmt.Errorf("write it %s", c)
	}
	if err != nil {
		return sum, fmt.Errorf("parse CID %q: %w: %w", s, err, ErrCID)
	}
	return [sha256.Size]byte(c.Hash()[len(c.Hash())-sha256.Size:]), nil
}
