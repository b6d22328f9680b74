// Package prooftest makes the states that proofs in tests are of, without a chain.
package prooftest

import (
	"math/big"

	"barnraise"
	"barnraise/registry"
	"barnraise/registry/proof"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rlp"
	"github.com/ethereum/go-ethereum/trie"
	"github.com/ethereum/go-ethereum/triedb"
)

// Sealed is a state whose contracts store exactly what its records say, and all that proves it.
type Sealed struct {
	State  registry.State // with the hash of the header
	Root   [32]byte
	Header []byte
	Nodes  *proof.Nodes
}

// Seal makes a block of a state.
func Seal(s registry.State) Sealed {
	out := Sealed{State: s, Nodes: new(proof.Nodes)}
	accounts := newTrie()
	for address, words := range map[barnraise.Address]map[[32]byte][32]byte{
		s.Registry.Services: stored(s.Services), s.Registry.Servers: stored(s.Servers),
	} {
		storage := newTrie()
		for slot, word := range words {
			storage.put(slot[:], must(rlp.EncodeToBytes(common.TrimLeftZeroes(word[:]))))
		}
		storage.prove(out.Nodes)
		account := types.NewEmptyStateAccount()
		account.Root = storage.Hash()
		accounts.put(address[:], must(rlp.EncodeToBytes(account)))
	}
	accounts.prove(out.Nodes)
	out.Root = accounts.Hash()
	header := &types.Header{
		Number: new(big.Int).SetUint64(s.Block), Root: out.Root, Time: uint64(s.Time), Difficulty: new(big.Int), BaseFee: big.NewInt(7),
	}
	out.Header = must(rlp.EncodeToBytes(header))
	out.State.Hash = registry.BlockHash(header.Hash())
	out.State.Proof = proof.Backing(out.Header, out.Nodes)
	return out
}

type records interface {
	Log() [32]byte
	Count() uint32
	Commitment(id uint32) ([32]byte, bool)
}

func stored(r records) map[[32]byte][32]byte {
	words := map[[32]byte][32]byte{}
	if r.Count() == 0 {
		return words
	}
	words[proof.LogSlot()] = r.Log()
	words[proof.CountSlot()] = common.BigToHash(big.NewInt(int64(r.Count())))
	for id := range r.Count() {
		words[proof.CommitmentSlot(id+1)], _ = r.Commitment(id + 1)
	}
	return words
}

type grown struct {
	*trie.Trie
	keys [][]byte
}

func newTrie() *grown {
	return &grown{Trie: trie.NewEmpty(triedb.NewDatabase(rawdb.NewMemoryDatabase(), nil))}
}

func (g *grown) put(key, value []byte) {
	hashed := crypto.Keccak256(key)
	g.keys = append(g.keys, hashed)
	g.MustUpdate(hashed, value)
}

// prove adds the nodes on the way to every key.
func (g *grown) prove(nodes *proof.Nodes) {
	for _, key := range g.keys {
		if err := g.Prove(key, into{nodes}); err != nil {
			panic(err)
		}
	}
}

// into takes nodes as the trie gives them.
type into struct{ *proof.Nodes }

func (n into) Put(_, node []byte) error { return n.Add(node) }
func (n into) Delete([]byte) error      { return nil }

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
