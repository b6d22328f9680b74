package envelope

import (
	"bytes"
	"slices"
)

// Bloom is a set of topics that says no more than it has to: it may take others for its own.
type Bloom [64]byte

// Bloom is that of a topic: up to three bits. Geth loses one where two of them fall into the same byte, so some topics that
// a node of one kind wants are not sent to it by one of the other.
func (p Profile) Bloom(t Topic) (b Bloom) {
	for i := range 3 {
		bit := int(t[i]) + int(t[3]>>i&1)*256
		if p == Geth6 {
			b[bit/8] = 0
		}
		b[bit/8] |= 1 << (bit % 8)
	}
	return b
}

// Blooms is the bloom of some topics.
func (p Profile) Blooms(topics ...Topic) (all Bloom) {
	for _, t := range topics {
		for i, b := range p.Bloom(t) {
			all[i] |= b
		}
	}
	return all
}

// Matches says whether what is in the other bloom may be in this one: what a node asks before it sends an envelope to another.
func (b Bloom) Matches(other Bloom) bool {
	for i := range b {
		if other[i]&^b[i] != 0 {
			return false
		}
	}
	return true
}

// Merge puts batches of envelopes together, each once, in the order of their hashes.
func Merge(batches ...[]Envelope) []Envelope {
	type hashed struct {
		hash Hash
		Envelope
	}
	var all []hashed
	for _, batch := range batches {
		for _, e := range batch {
			all = append(all, hashed{e.Hash(), e})
		}
	}
	slices.SortStableFunc(all, func(a, b hashed) int { return bytes.Compare(a.hash[:], b.hash[:]) })
	all = slices.CompactFunc(all, func(a, b hashed) bool { return a.hash == b.hash })
	merged := make([]Envelope, len(all))
	for i, h := range all {
		merged[i] = h.Envelope
	}
	return merged
}
