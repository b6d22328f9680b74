// Package proof holds a registry's records against the state root of a block (protocol 1.8). It is pure: whoever has the root,
// or the block's hash and its header, needs nobody's word for what a stranger says of the records, their number and the
// running hashes. Whether the block is one of the chain is for others to say.
package proof

import (
	"encoding/binary"
	"errors"
	"fmt"

	"barnraise"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rlp"
	"github.com/ethereum/go-ethereum/trie"
)

// What a proof may have. A node of a trie has no more than 532 bytes, save for the leaf of an account that the chain keeps
// more of than others do.
const (
	MaxNodes  = 1 << 19  // nodes
	MaxSize   = 64 << 20 // bytes of all nodes
	maxNode   = 1 << 10
	maxHeader = 4 << 10
	maxDepth  = 2*32 + 1 // nodes from the root to a leaf: a nibble of the key each
)

// ErrProof is the error for a proof that shows nothing: a node is missing or not of this trie, or the header is not that of
// the block.
var ErrProof = errors.New("the proof does not hold")

// ErrAltered is the error for a record, a count or a running hash that is not what the contract stores.
var ErrAltered = errors.New("it is not what the contract stores")

// Header is what a block's header says.
type Header struct {
	Hash   [32]byte // of the header, computed from its bytes
	Number uint64
	Time   uint64 // Unix seconds
	Root   [32]byte
}

// ParseHeader reads a header in RLP, as Ethereum hashes it. It fails with [ErrProof]. Compare the hash with that of the
// block before anything else in it is believed.
func ParseHeader(encoded []byte) (Header, error) {
	if len(encoded) > maxHeader {
		return Header{}, fmt.Errorf("read header: %d bytes, at most %d: %w", len(encoded), maxHeader, ErrProof)
	}
	var fields []rlp.RawValue
	if err := rlp.DecodeBytes(encoded, &fields); err != nil || len(fields) < 12 {
		return Header{}, fmt.Errorf("read header: %d fields, %v: %w", len(fields), err, ErrProof)
	}
	h := Header{Hash: crypto.Keccak256Hash(encoded)}
	var parent common.Hash
	for _, f := range []struct {
		at int
		to any
	}{{0, &parent}, {3, (*common.Hash)(&h.Root)}, {8, &h.Number}, {11, &h.Time}} {
		if err := rlp.DecodeBytes(fields[f.at], f.to); err != nil {
			return Header{}, fmt.Errorf("read header: field %d: %w: %w", f.at, err, ErrProof)
		}
	}
	return h, nil
}

// Nodes are nodes of tries, found by their hashes; of which tries does not matter.
type Nodes struct {
	byHash map[common.Hash][]byte
	list   [][]byte
	size   int
}

// Add takes a node, once. What is no node, as some endpoints send it for an empty trie, it passes over. It fails with
// [ErrProof] for one that is longer than nodes are, or one too many.
func (n *Nodes) Add(node []byte) error {
	if kind, _, rest, err := rlp.Split(node); err != nil || kind != rlp.List || len(rest) > 0 {
		return nil
	}
	hash := crypto.Keccak256Hash(node)
	if _, ok := n.byHash[hash]; ok {
		return nil
	}
	if n.size += len(node); len(node) > maxNode || len(n.byHash) >= MaxNodes || n.size > MaxSize {
		return fmt.Errorf("a node of %d bytes after %d nodes: %w", len(node), len(n.byHash), ErrProof)
	}
	if n.byHash == nil {
		n.byHash = map[common.Hash][]byte{}
	}
	n.byHash[hash] = node
	n.list = append(n.list, node)
	return nil
}

// Size is how many bytes they have together.
func (n *Nodes) Size() int { return n.size }

// path reads nodes from the root on, no more than a key has nibbles. Whoever chooses root and nodes could otherwise have
// each key walk through all of them.
type path struct {
	*Nodes
	left int
}

func (p *path) Get(hash []byte) ([]byte, error) {
	if p.left--; p.left < 0 {
		return nil, ErrProof
	}
	return p.byHash[common.BytesToHash(hash)], nil
}

func (p *path) Has(hash []byte) (bool, error) {
	_, ok := p.byHash[common.BytesToHash(hash)]
	return ok, nil
}

// value is what stands in a trie under the hash of a key, nil where it is proven that nothing does.
func (n *Nodes) value(root [32]byte, key []byte) ([]byte, error) {
	if root == types.EmptyRootHash {
		return nil, nil // there are no nodes, whatever an endpoint sends for it
	}
	v, err := trie.VerifyProof(root, crypto.Keccak256(key), &path{n, maxDepth})
	if err != nil {
		return nil, fmt.Errorf("%w: %.200v", ErrProof, err)
	}
	return v, nil
}

// Storage is the storage of a contract.
type Storage struct {
	nodes *Nodes
	root  [32]byte
}

// Storage finds a contract in a state. It fails with [ErrProof], also where it is proven that there is no such account.
func (n *Nodes) Storage(state [32]byte, contract barnraise.Address) (Storage, error) {
	raw, err := n.value(state, contract[:])
	if err != nil {
		return Storage{}, fmt.Errorf("prove account %s: %w", contract, err)
	}
	if raw == nil {
		return Storage{}, fmt.Errorf("prove account %s: there is none: %w", contract, ErrProof)
	}
	var account []rlp.RawValue // nonce, balance, storage root, code hash; some chains have more
	var root common.Hash
	if err := rlp.DecodeBytes(raw, &account); err != nil || len(account) < 4 || rlp.DecodeBytes(account[2], &root) != nil {
		return Storage{}, fmt.Errorf("prove account %s: it is none: %w", contract, ErrProof)
	}
	return Storage{n, root}, nil
}

// Word is what the contract stores in a slot, zero where it is proven to store nothing. It fails with [ErrProof].
func (s Storage) Word(slot [32]byte) (word [32]byte, err error) {
	raw, err := s.nodes.value(s.root, slot[:])
	if err != nil || raw == nil {
		return word, err
	}
	_, content, rest, err := rlp.Split(raw)
	if err != nil || len(content) > len(word) || len(rest) > 0 {
		return word, fmt.Errorf("slot %x holds no word: %w", slot, ErrProof)
	}
	copy(word[len(word)-len(content):], content)
	return word, nil
}

// The places of a registry's storage that are meant for proofs (protocol 1.8).
var (
	logSlot   = plain(0)
	countSlot = plain(1)
)

func plain(n uint64) (slot [32]byte) {
	binary.BigEndian.PutUint64(slot[24:], n)
	return slot
}

// LogSlot is where a registry's contract stores its running hash.
func LogSlot() [32]byte { return logSlot }

// CountSlot is where a registry's contract stores how many records it has.
func CountSlot() [32]byte { return countSlot }

// CommitmentSlot is where it stores the commitment to a record.
func CommitmentSlot(id uint32) [32]byte {
	key, mapping := plain(uint64(id)), plain(2)
	return crypto.Keccak256Hash(key[:], mapping[:])
}
