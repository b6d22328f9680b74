package envelope

import (
	"errors"
	"math/bits"
	"strconv"
	"strings"
)

// PoW is how much work somebody wants: zero bits, as tries that they take on average, for each byte and second that an
// envelope lives. It is a fraction, because answers must not depend on how a machine rounds. The zero value wants nothing.
type PoW struct{ num, den uint64 }

// digits is how many a number may have on each side of its point.
const digits = 9

// ErrPoW is the error of a text that is no [PoW].
var ErrPoW = errors.New("want a whole number, or a decimal one as a string such as 0.2, of at most 9 digits on each side of the point")

// ParsePoW reads digits, with a point among them or without. It fails with [ErrPoW].
func ParsePoW(s string) (PoW, error) {
	whole, part, point := strings.Cut(s, ".")
	for _, side := range []string{whole, part} {
		if len(side) > digits || strings.Trim(side, "0123456789") != "" {
			return PoW{}, ErrPoW
		}
	}
	if whole == "" || point && part == "" {
		return PoW{}, ErrPoW
	}
	num, err := strconv.ParseUint(whole+part, 10, 64)
	if err != nil {
		return PoW{}, ErrPoW
	}
	den := uint64(1)
	for range part {
		den *= 10
	}
	return PoW{num, den}, nil
}

// Need is the least number of zero bits by which an envelope of that size reaches it: 2^bits ≥ pow·size·ttl. The size has
// at most 32 bits and the ttl 33.
func (w PoW) Need(size int, ttl uint64) (zeros int) {
	high, low := bits.Mul64(w.num, uint64(size)) // below 2^(60+32)
	carry, low := bits.Mul64(low, ttl)
	high = high*ttl + carry // below 2^(92+33-64)
	have, haveLow := uint64(0), max(w.den, 1)
	for have < high || have == high && haveLow < low {
		have, haveLow = have<<1|haveLow>>63, haveLow<<1
		zeros++
	}
	return zeros
}
