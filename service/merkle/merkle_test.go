package merkle

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func some(n int) (leaves []Hash) {
	for i := range n {
		leaves = append(leaves, Leaf(fmt.Sprint("leaf ", i)))
	}
	return leaves
}

func tree(leaves []Hash) Tree {
	return Tree{Leaves: len(leaves), Leaf: func(i int) Hash { return leaves[i] }, Kept: string(Keep(leaves))}
}

// RFC 9162, 2.1.1: the hash of no leaf, and of one without bytes, as Certificate Transparency's own test vectors have them.
func TestRFC(t *testing.T) {
	if got := fmt.Sprintf("%x", tree(nil).Root()); got != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4" {
		t.Errorf("the root of no leaf is %s", got)
	}
	if got := fmt.Sprintf("%x", Leaf("")); got != "6e340b9cffb37a989ca544e6bb780a2c78901d3f" {
		t.Errorf("the empty leaf is %s", got)
	}
}

// root is the definition of RFC 9162, by the letter, with every hash cut.
func root(leaves []Hash) (h Hash) {
	switch len(leaves) {
	case 0:
		whole := sha256.Sum256(nil)
		return Hash(whole[:Size])
	case 1:
		return leaves[0]
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	left, right := root(leaves[:k]), root(leaves[k:])
	whole := sha256.Sum256(slices.Concat([]byte{1}, left[:], right[:]))
	return Hash(whole[:Size])
}

func TestEveryChoiceOfFewLeaves(t *testing.T) {
	for n := range 10 {
		leaves := some(n)
		want := tree(leaves).Root()
		if want != root(leaves) {
			t.Errorf("%d leaves: the tree's root is not that of its leaves", n)
		}
		for choice := range 1 << n {
			var chosen []int
			for i := range n {
				if choice>>i&1 == 1 {
					chosen = append(chosen, i)
				}
			}
			hold(t, leaves, chosen, want)
		}
	}
}

func hold(t *testing.T, leaves []Hash, chosen []int, want Hash) {
	t.Helper()
	var shown []Hash
	for _, i := range chosen {
		shown = append(shown, leaves[i])
	}
	proof := string(tree(leaves).Prove(nil, chosen))
	got, rest, err := RootOf(len(leaves), chosen, shown, proof+"rest")
	if err != nil || got != want || rest != "rest" {
		t.Errorf("%d leaves, %v: root %x, want %x; %q, %v", len(leaves), chosen, got, want, rest, err)
	}
	for i := range shown {
		other := slices.Clone(shown)
		other[i][7] ^= 1
		if got, _, err := RootOf(len(leaves), chosen, other, proof); err == nil && got == want {
			t.Errorf("%d leaves, %v: another leaf has the same root", len(leaves), chosen)
		}
	}
	if len(proof) > 0 {
		if _, _, err := RootOf(len(leaves), chosen, shown, proof[:len(proof)-1]); !errors.Is(err, ErrProof) {
			t.Errorf("%d leaves, %v: a proof cut short: %v", len(leaves), chosen, err)
		}
	}
}

func TestManyLeaves(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		leaves := some(1 + r.IntN(300))
		if got := len(Keep(leaves)); got != KeptSize(len(leaves)) {
			t.Errorf("%d leaves: %d bytes kept, said %d", len(leaves), got, KeptSize(len(leaves)))
		}
		var chosen []int
		for i := range leaves {
			if r.IntN(20) == 0 {
				chosen = append(chosen, i)
			}
		}
		hold(t, leaves, chosen, root(leaves))
	}
}

func TestImpossibleChoices(t *testing.T) {
	one := some(1)
	for _, c := range []struct {
		n      int
		chosen []int
		leaves []Hash
	}{
		{-1, nil, nil}, {0, []int{0}, one}, {3, []int{0}, nil}, {3, []int{3}, one}, {3, []int{-1}, one}, {3, []int{1, 1}, some(2)},
		{3, []int{2, 1}, some(2)},
	} {
		if _, _, err := RootOf(c.n, c.chosen, c.leaves, string(make([]byte, 100))); !errors.Is(err, ErrProof) {
			t.Errorf("%d leaves, %v: %v", c.n, c.chosen, err)
		}
	}
}

func FuzzRootOf(f *testing.F) {
	f.Add(9, 3, []byte("proof"))
	f.Fuzz(func(t *testing.T, n, chosen int, proof []byte) {
		root, rest, err := RootOf(n, []int{chosen}, some(1), string(proof))
		if err == nil && (chosen >= n || len(rest) > len(proof)) {
			t.Errorf("leaf %d of %d has the root %x", chosen, n, root)
		}
	})
}
