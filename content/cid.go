// Package content keeps, serves and fetches verifiers and manifests by CID, in blocks that any IPFS tool can make, pin and
// serve (protocol 2.8; the Trustless Gateway specification of IPFS, CARv1, dag-pb and UnixFS).
//
// A CID here is a CIDv1 in base32 over a sha2-256 hash. Whoever delivers bytes need not be believed: they are hashed on the
// way in and again on the way out. Content of at most [MaxBlock] bytes is one raw block. Longer content is a file: chunks of
// MaxBlock bytes, each a raw block, under one dag-pb node that lists them. "ipfs add --cid-version=1 --raw-leaves
// --chunker=size-1048576" and [Sum] give the same CID for the same bytes, and no other layout is read:
// one content has one name.
package content

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"barnraise"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
)

// MaxBlock is the longest block that is kept, served or fetched, in bytes, and the length of a file's chunks.
const MaxBlock = 1 << 20

// MaxFile is the longest file that is kept, served or fetched, in bytes.
const MaxFile = 64 << 20

// Errors to branch on.
var (
	ErrCID      = errors.New("not a CID that is taken here")
	ErrMismatch = errors.New("bytes are not those of the CID")
	ErrTooLarge = errors.New("larger than may be")
	ErrFile     = errors.New("not a file in chunks of 1 MiB with raw leaves on one level " +
		"(ipfs add --cid-version=1 --raw-leaves --chunker=size-1048576 makes one)")
)

// Sum is the CID by which b is kept and fetched: of one raw block up to [MaxBlock] bytes, of a file up to [MaxFile]. What is
// longer has none, and Sum returns the empty string.
func Sum(b []byte) barnraise.CID {
	if len(b) <= MaxBlock {
		return sum(cid.Raw, b)
	}
	if len(b) > MaxFile {
		return ""
	}
	f := file{size: int64(len(b))}
	for i := 0; i < len(b); i += MaxBlock {
		f.leaves = append(f.leaves, sum(cid.Raw, b[i:min(i+MaxBlock, len(b))]))
	}
	return sum(cid.DagProtobuf, f.encode())
}

// sum is the CID of one block.
func sum(codec uint64, block []byte) barnraise.CID {
	digest := sha256.Sum256(block)
	hash, err := multihash.Encode(digest[:], multihash.SHA2_256)
	if err != nil {
		panic(err) // a known hash of its own length
	}
	return barnraise.CID(cid.NewCidV1(codec, hash).String())
}

// Check reports whether b is the block that c names. It fails with [ErrMismatch], or with [ErrCID] as [Parse] does.
func Check(c barnraise.CID, b []byte) error {
	id, err := parse(string(c))
	if err != nil {
		return err
	}
	if got := sum(id.Type(), b); got != c {
		return fmt.Errorf("check %s: these are %d bytes of %s: %w", c, len(b), got, ErrMismatch)
	}
	return nil
}

// Parse reads a CID in its canonical text, so that one block has one name: version 1, base32, codec raw or dag-pb, hash
// sha2-256 at full length. Everything else fails with [ErrCID]; an identity hash, which would prove whatever it contains,
// with the rest.
func Parse(s string) (barnraise.CID, error) {
	_, err := parse(s)
	if err != nil {
		return "", err
	}
	return barnraise.CID(s), nil
}

func parse(s string) (cid.Cid, error) {
	const longest = 100 // a sha2-256 CID has 59 bytes in base32, 68 in hexadecimal
	if len(s) > longest {
		return cid.Undef, fmt.Errorf("parse CID %.60q...: %d bytes: %w", s, len(s), ErrCID)
	}
	c, err := cid.Decode(s)
	if err != nil {
		return cid.Undef, fmt.Errorf("parse CID %q: %w: %w", s, ErrCID, err)
	}
	err = ours(c)
	if err == nil && c.String() != s {
		err = fmt.Errorf("write it %s", c)
	}
	if err != nil {
		return cid.Undef, fmt.Errorf("parse CID %q: %w: %w", s, err, ErrCID)
	}
	return c, nil
}

// ours reports why a CID is not of the kind that is taken here.
func ours(c cid.Cid) error {
	p := c.Prefix()
	switch {
	case p.Version != 1:
		return errors.New("want version 1 (ipfs cid base32 converts it)")
	case p.Codec != cid.Raw && p.Codec != cid.DagProtobuf:
		return errors.New("want codec raw or dag-pb")
	case p.MhType != multihash.SHA2_256 || p.MhLength != sha256.Size:
		return errors.New("want hash sha2-256 in full")
	}
	return nil
}

// isFile reports whether a sound CID names the root of a file, as against one raw block.
func isFile(c barnraise.CID) bool {
	id, err := parse(string(c))
	return err == nil && id.Type() == cid.DagProtobuf
}
