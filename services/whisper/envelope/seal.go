package envelope

import (
	"errors"
	"math"
	"math/bits"
)

// ErrNotFound is the error of a range in which no nonce will do.
var ErrNotFound = errors.New("no nonce of the range will do")

// Seal looks for the smallest nonce of a range, both its ends in it, with which the envelope has as many zero bits as it
// needs, and gives the envelope with that nonce, and the zero bits that it has. How many it needs may depend on the
// envelope's size, and so on how long the nonce is. It fails with [ErrNotFound]. It takes up to a microsecond for each
// nonce.
func Seal(e Envelope, from, to uint64, need func(Envelope) int) (sealed Envelope, zeros int, err error) {
	g := newGrinder(e)
	for first := from; first <= to; {
		last := min(to, sameSize(first))
		e.Nonce = first
		if nonce, zeros, ok := g.search(first, last, need(e)); ok {
			e.Nonce = nonce
			return e, zeros, nil
		}
		if last == math.MaxUint64 {
			break
		}
		first = last + 1
	}
	return Envelope{}, 0, ErrNotFound
}

// sameSize is the last nonce that is as long as that one.
func sameSize(nonce uint64) uint64 {
	if nonce < stringOf {
		return stringOf - 1
	}
	last := uint64(0xff)
	for last < nonce {
		last = last<<8 | 0xff
	}
	return last
}

// grinder tries nonces on an envelope. What stands before the nonce is hashed once, and what does not change within it as
// seldom as that: one permutation for each nonce is left, and two where the nonce ends with a block.
type grinder struct {
	before state // all of the envelope is mixed in; the full blocks are permuted
	at     int   // where in the last block the nonce begins
	middle state // where the nonce is split: its first part is mixed in and the block permuted, the padding of the next mixed in
	first  uint64
	filled bool
}

func newGrinder(e Envelope) *grinder {
	g := &grinder{}
	g.at = g.before.absorb(e.unsealed())
	if !g.split() {
		g.before.pad(g.at + 8)
	}
	return g
}

// split says whether the nonce fills the block, so that another follows.
func (g *grinder) split() bool { return g.at+8 >= rate }

func (g *grinder) search(from, to uint64, need int) (nonce uint64, zeros int, ok bool) {
	for nonce = from; ; nonce++ {
		s := g.ready(nonce)
		if leading(s.first()) >= min(need, 64) {
			if zeros = g.bits(nonce); zeros >= need {
				return nonce, zeros, true
			}
		}
		if nonce == to {
			return 0, 0, false
		}
	}
}

// bits is how many zero bits the hash with that nonce begins with.
func (g *grinder) bits(nonce uint64) int {
	s := g.ready(nonce)
	s.permute()
	return s.zeros()
}

// ready is the state with that nonce before the last permutation. The nonce stands in two words, as it begins anywhere in
// the first.
func (g *grinder) ready(nonce uint64) state {
	shift := g.at % 8 * 8
	word := bits.ReverseBytes64(nonce)
	first, second := word<<shift, word>>(64-shift)
	if g.split() {
		g.fill(first)
		s := g.middle
		s[0] ^= second
		return s
	}
	s := g.before
	s[g.at/8] ^= first
	s[g.at/8+1] ^= second
	return s
}

// fill hashes the block that the nonce fills, unless it was the same the last time.
func (g *grinder) fill(first uint64) {
	if g.filled && first == g.first {
		return
	}
	g.middle, g.first, g.filled = g.before, first, true
	g.middle[g.at/8] ^= first
	g.middle.permute()
	g.middle.pad(g.at % 8)
}
