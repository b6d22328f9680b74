package envelope

import (
	"encoding/binary"
	"math/bits"
)

// What RLP begins with: a string, a list; and how long either may be for its length to stand in the first byte.
const (
	stringOf = 0x80
	listOf   = 0xc0
	short    = 55
)

// appendHead writes what stands before a string or list of that size.
func appendHead(to []byte, kind byte, size int) []byte {
	if size <= short {
		return append(to, kind+byte(size))
	}
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], uint64(size))
	length := (bits.Len(uint(size)) + 7) / 8
	return append(append(to, kind+short+byte(length)), number[8-length:]...)
}

func appendString(to, s []byte) []byte {
	if len(s) == 1 && s[0] < stringOf {
		return append(to, s[0])
	}
	return append(appendHead(to, stringOf, len(s)), s...)
}

// appendInteger writes a number without zeros before it: 0 is an empty string.
func appendInteger(to []byte, n uint64) []byte {
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], n)
	return appendString(to, number[8-(bits.Len64(n)+7)/8:])
}

// integerSize is how many bytes [appendInteger] writes.
func integerSize(n uint64) int {
	if n < stringOf {
		return 1
	}
	return 1 + (bits.Len64(n)+7)/8
}

// headSize is how many bytes [appendHead] writes.
func headSize(size int) int {
	if size <= short {
		return 1
	}
	return 1 + (bits.Len(uint(size))+7)/8
}

// reader takes RLP apart that has only one spelling. What is wrong makes it bad, and everything it gives then is empty.
type reader struct {
	rest []byte
	bad  bool
}

// item takes a string or a list off the rest.
func (r *reader) item(kind byte) []byte {
	if len(r.rest) == 0 {
		r.bad = true
		return nil
	}
	first := r.rest[0]
	if kind == stringOf && first < stringOf {
		return r.take(1)
	}
	if first < kind || first-kind >= 0x40 {
		r.bad = true
		return nil
	}
	r.take(1)
	size := int(first - kind)
	if size > short {
		size = r.long(size - short)
	}
	item := r.take(size)
	if kind == stringOf && len(item) == 1 && item[0] < stringOf {
		r.bad = true // it stands for itself
	}
	return item
}

// long is a size that needs so many bytes of its own.
func (r *reader) long(length int) (size int) {
	number := r.take(length)
	if len(number) == 0 || len(number) > 4 || number[0] == 0 {
		r.bad = true
		return 0
	}
	for _, b := range number {
		size = size<<8 | int(b)
	}
	r.bad = r.bad || size <= short
	return size
}

func (r *reader) take(size int) (taken []byte) {
	if size < 0 || size > len(r.rest) {
		r.bad = true
		return nil
	}
	taken, r.rest = r.rest[:size], r.rest[size:]
	return taken
}

// integer is a number of so many bytes at most.
func (r *reader) integer(most int) (n uint64) {
	number := r.item(stringOf)
	if len(number) > most || len(number) > 0 && number[0] == 0 {
		r.bad = true
		return 0
	}
	for _, b := range number {
		n = n<<8 | uint64(b)
	}
	return n
}
