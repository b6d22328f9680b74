// Package merkle proves that some leaves stand in a tree, and where, to somebody who has nothing but its root: what a service
// needs whose answers are to prove themselves.
//
// The tree is that of RFC 9162, section 2.1.1: SHA-256, a leaf hashed behind a byte 0, a node behind a byte 1, n leaves parted at
// the largest power of two below n. Every hash is cut to its first [Size] bytes. A proof is for any number of leaves at once: the
// hashes of the largest subtrees that have none of them, from left to right. So a proof for no leaf is the root, and one for all is
// empty. What the leaves do not say, how many they are first of all, has to be hashed together with the root by whoever uses it.
package merkle

import (
	"crypto/sha256"
	"errors"
	"io"
	"math/bits"
	"slices"
)

// Size of a hash in bytes. To give a tree another leaf takes 2¹⁶⁰ hashes; whoever makes the tree himself could prepare two of
// the same root with 2⁸⁰.
const Size = 20

// Hash is that of a leaf or of a subtree.
type Hash [Size]byte

// Leaf is the hash of a leaf whose bytes are the parts, one after the other. Where they end is up to the parts.
func Leaf(parts ...string) Hash { return sum(0, parts...) }

// sum hashes what it is given without a copy of its own.
func sum(first byte, parts ...string) (h Hash) {
	d := sha256.New()
	_, _ = d.Write([]byte{first}) // never fails
	for _, p := range parts {
		_, _ = io.WriteString(d, p)
	}
	var whole [sha256.Size]byte
	copy(h[:], d.Sum(whole[:0]))
	return h
}

// node is the hash above two subtrees.
func node(left, right Hash) Hash {
	var both [1 + 2*Size]byte
	both[0] = 1
	copy(both[1:], left[:])
	copy(both[1+Size:], right[:])
	whole := sha256.Sum256(both[:])
	return Hash(whole[:Size])
}

// empty is the root of a tree without leaves.
func empty() Hash {
	whole := sha256.Sum256(nil)
	return Hash(whole[:Size])
}

// split is how many of n ≥ 2 leaves stand to the left.
func split(n int) int { return 1 << (bits.Len(uint(n-1)) - 1) }

// kept is the lowest level whose hashes are kept: a proof makes those below anew, of at most 2^kept leaves for each that it shows.
const kept = 3

// Keep is what a [Tree] needs beside the leaves, about a quarter of the bytes of their hashes: those of all complete subtrees of
// eight leaves and more, level by level.
func Keep(leaves []Hash) []byte {
	out := make([]byte, 0, KeptSize(len(leaves)))
	row := slices.Clone(leaves)
	for level := 0; len(row) > 0; level++ {
		if level >= kept {
			for _, h := range row {
				out = append(out, h[:]...)
			}
		}
		for i := range len(row) / 2 {
			row[i] = node(row[2*i], row[2*i+1])
		}
		row = row[:len(row)/2]
	}
	return out
}

// Tree makes proofs. Kept is what [Keep] made; other bytes make other hashes, and too few of them a panic in Prove.
type Tree struct {
	Leaves int
	Leaf   func(i int) Hash
	Kept   string
}

// KeptSize is how many bytes [Keep] makes for so many leaves.
func KeptSize(leaves int) int {
	size := 0
	for level := kept; leaves>>level > 0; level++ {
		size += leaves >> level
	}
	return size * Size
}

// Root of the tree.
func (t Tree) Root() Hash {
	if t.Leaves == 0 {
		return empty()
	}
	return t.subtree(0, t.Leaves)
}

// Prove appends the proof for the chosen leaves, given in ascending order and each once.
func (t Tree) Prove(proof []byte, chosen []int) []byte {
	if t.Leaves == 0 {
		h := empty()
		return append(proof, h[:]...)
	}
	return t.prove(proof, 0, t.Leaves, chosen)
}

func (t Tree) prove(proof []byte, from, to int, chosen []int) []byte {
	if len(chosen) == 0 {
		h := t.subtree(from, to)
		return append(proof, h[:]...)
	}
	if to-from == 1 {
		return proof
	}
	middle := from + split(to-from)
	left := before(chosen, middle)
	return t.prove(t.prove(proof, from, middle, chosen[:left]), middle, to, chosen[left:])
}

// subtree is the hash over the leaves from one up to another.
func (t Tree) subtree(from, to int) Hash {
	n := to - from
	if n == 1 {
		return t.Leaf(from)
	}
	if level := bits.Len(uint(n)) - 1; n == 1<<level && level >= kept {
		at := from >> level
		for l := kept; l < level; l++ {
			at += t.Leaves >> l
		}
		return Hash([]byte(t.Kept[at*Size : (at+1)*Size]))
	}
	middle := from + split(n)
	return node(t.subtree(from, middle), t.subtree(middle, to))
}

// before is how many of the chosen stand before a place.
func before(chosen []int, place int) int {
	n := 0
	for n < len(chosen) && chosen[n] < place {
		n++
	}
	return n
}

// ErrProof is the error of a proof that is none.
var ErrProof = errors.New("no proof")

// RootOf is the root of the tree of n leaves in which those chosen, in ascending order and each once, have these hashes, if the proof
// is one. Rest is what follows the proof. It fails with [ErrProof] where the proof is too short or the choice is impossible.
func RootOf(n int, chosen []int, leaves []Hash, proof string) (root Hash, rest string, err error) {
	if n < 0 || len(chosen) != len(leaves) || len(chosen) > n {
		return root, "", ErrProof
	}
	for i, c := range chosen {
		if c >= n || i > 0 && c <= chosen[i-1] || c < 0 {
			return root, "", ErrProof
		}
	}
	c := checker{proof: proof}
	root = c.subtree(0, max(n, 1), chosen, leaves)
	if c.short {
		return root, "", ErrProof
	}
	return root, c.proof, nil
}

type checker struct {
	proof string
	short bool
}

func (c *checker) subtree(from, to int, chosen []int, leaves []Hash) (h Hash) {
	switch {
	case c.short:
		return h
	case len(chosen) == 0:
		if len(c.proof) < Size {
			c.short = true
			return h
		}
		copy(h[:], c.proof)
		c.proof = c.proof[Size:]
		return h
	case to-from == 1:
		return leaves[0]
	}
	middle := from + split(to-from)
	left := before(chosen, middle)
	l := c.subtree(from, middle, chosen[:left], leaves[:left])
	return node(l, c.subtree(middle, to, chosen[left:], leaves[left:]))
}
