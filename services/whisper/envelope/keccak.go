package envelope

import "math/bits"

// rate is how many bytes Keccak-256 takes at once.
const rate = 136

// state of Keccak. Byte i of what it takes and gives is byte i%8 of word i/8, the lowest first.
type state [25]uint64

// xor mixes bytes in, from a place on that leaves room for them.
func (s *state) xor(at int, bytes []byte) {
	for i, b := range bytes {
		s[(at+i)/8] ^= uint64(b) << ((at + i) % 8 * 8)
	}
}

// absorb takes the bytes in as far as they fill blocks, and mixes what is left of them into the next.
func (s *state) absorb(bytes []byte) (left int) {
	for ; len(bytes) >= rate; bytes = bytes[rate:] {
		s.xor(0, bytes[:rate])
		s.permute()
	}
	s.xor(0, bytes)
	return len(bytes)
}

// pad ends the input, of which so many bytes stand in the last block. This is the padding of the first Keccak, not that of
// SHA-3.
func (s *state) pad(left int) {
	s.xor(left, []byte{1})
	s.xor(rate-1, []byte{0x80})
}

// sum is the hash, once the last block has been permuted.
func (s *state) sum() (h Hash) {
	for i := range h {
		h[i] = byte(s[i/8] >> (i % 8 * 8))
	}
	return h
}

// zeros is how many zero bits the hash begins with, once the last block has been permuted.
func (s *state) zeros() int {
	for i, word := range s[:len(Hash{})/8] {
		if word != 0 {
			return 64*i + leading(word)
		}
	}
	return 8 * len(Hash{})
}

// leading is how many zero bits a word begins with, as the hash has it.
func leading(word uint64) int { return bits.LeadingZeros64(bits.ReverseBytes64(word)) }

// keccak is Keccak-256, as Ethereum has it.
func keccak(bytes []byte) Hash {
	var s state
	s.pad(s.absorb(bytes))
	s.permute()
	return s.sum()
}

// constants of the rounds.
var constants = [24]uint64{
	0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
	0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
	0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
	0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
}

// permute is Keccak-f[1600].
func (s *state) permute() {
	var other state
	s.turn()
	s.rounds(&other, constants[:]) // an even number of rounds
	s.turn()
}

// first is the first word after a permutation. The state is of no use afterwards.
func (s *state) first() uint64 {
	const last = len(constants) - 1
	var other state
	s.turn()
	s = s.rounds(&other, constants[:last])
	s.turn()
	c0, c1, c2, c3, c4 := s.column(0), s.column(1), s.column(2), s.column(3), s.column(4)
	b0 := s[0] ^ c4 ^ bits.RotateLeft64(c1, 1)
	b1 := bits.RotateLeft64(s[6]^c0^bits.RotateLeft64(c2, 1), 44)
	b2 := bits.RotateLeft64(s[12]^c1^bits.RotateLeft64(c3, 1), 43)
	return b0 ^ b2&^b1 ^ constants[last]
}

func (s *state) column(x int) uint64 { return s[x] ^ s[x+5] ^ s[x+10] ^ s[x+15] ^ s[x+20] }

// rounds does one round after the other, each from one of the two states to the other, row by row, and gives the one that the
// last has written. Sealing does little else: written out it takes half of the time, in WebAssembly, that it takes in loops, and
// a sixth less fuel in one function, with pointers that change places, than in one for each round. It wants six words
// turned over and leaves them so, which spares most of the rounds' negations: Keccak's authors call it lane complementing.
func (s *state) rounds(to *state, constants []uint64) *state {
	for i := range constants {
		c0 := s[0] ^ s[5] ^ s[10] ^ s[15] ^ s[20]
		c1 := s[1] ^ s[6] ^ s[11] ^ s[16] ^ s[21]
		c2 := s[2] ^ s[7] ^ s[12] ^ s[17] ^ s[22]
		c3 := s[3] ^ s[8] ^ s[13] ^ s[18] ^ s[23]
		c4 := s[4] ^ s[9] ^ s[14] ^ s[19] ^ s[24]
		d0 := c4 ^ bits.RotateLeft64(c1, 1)
		d1 := c0 ^ bits.RotateLeft64(c2, 1)
		d2 := c1 ^ bits.RotateLeft64(c3, 1)
		d3 := c2 ^ bits.RotateLeft64(c4, 1)
		d4 := c3 ^ bits.RotateLeft64(c0, 1)

		b0 := s[0] ^ d0
		b1 := bits.RotateLeft64(s[6]^d1, 44)
		b2 := bits.RotateLeft64(s[12]^d2, 43)
		b3 := bits.RotateLeft64(s[18]^d3, 21)
		b4 := bits.RotateLeft64(s[24]^d4, 14)
		to[0] = b0 ^ (b1 | b2) ^ constants[i]
		to[1] = b1 ^ (^b2 | b3)
		to[2] = b2 ^ (b3 & b4)
		to[3] = b3 ^ (b4 | b0)
		to[4] = b4 ^ (b0 & b1)

		b0 = bits.RotateLeft64(s[3]^d3, 28)
		b1 = bits.RotateLeft64(s[9]^d4, 20)
		b2 = bits.RotateLeft64(s[10]^d0, 3)
		b3 = bits.RotateLeft64(s[16]^d1, 45)
		b4 = bits.RotateLeft64(s[22]^d2, 61)
		to[5] = b0 ^ (b1 | b2)
		to[6] = b1 ^ (b2 & b3)
		to[7] = b2 ^ (b3 | ^b4)
		to[8] = b3 ^ (b4 | b0)
		to[9] = b4 ^ (b0 & b1)

		b0 = bits.RotateLeft64(s[1]^d1, 1)
		b1 = bits.RotateLeft64(s[7]^d2, 6)
		b2 = bits.RotateLeft64(s[13]^d3, 25)
		b3 = bits.RotateLeft64(s[19]^d4, 8)
		b4 = bits.RotateLeft64(s[20]^d0, 18)
		to[10] = b0 ^ (b1 | b2)
		to[11] = b1 ^ (b2 & b3)
		to[12] = b2 ^ (^b3 & b4)
		to[13] = ^b3 ^ (b4 | b0)
		to[14] = b4 ^ (b0 & b1)

		b0 = bits.RotateLeft64(s[4]^d4, 27)
		b1 = bits.RotateLeft64(s[5]^d0, 36)
		b2 = bits.RotateLeft64(s[11]^d1, 10)
		b3 = bits.RotateLeft64(s[17]^d2, 15)
		b4 = bits.RotateLeft64(s[23]^d3, 56)
		to[15] = b0 ^ (b1 & b2)
		to[16] = b1 ^ (b2 | b3)
		to[17] = b2 ^ (^b3 | b4)
		to[18] = ^b3 ^ (b4 & b0)
		to[19] = b4 ^ (b0 | b1)

		b0 = bits.RotateLeft64(s[2]^d2, 62)
		b1 = bits.RotateLeft64(s[8]^d3, 55)
		b2 = bits.RotateLeft64(s[14]^d4, 39)
		b3 = bits.RotateLeft64(s[15]^d0, 41)
		b4 = bits.RotateLeft64(s[21]^d1, 2)
		to[20] = b0 ^ (^b1 & b2)
		to[21] = ^b1 ^ (b2 | b3)
		to[22] = b2 ^ (b3 & b4)
		to[23] = b3 ^ (b4 | b0)
		to[24] = b4 ^ (b0 & b1)

		s, to = to, s
	}
	return s
}

// turn turns the words over that rounds wants so.
func (s *state) turn() {
	s[1], s[2], s[8], s[12], s[17], s[20] = ^s[1], ^s[2], ^s[8], ^s[12], ^s[17], ^s[20]
}
