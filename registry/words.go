package registry

import (
	"encoding/binary"
	"math/big"

	"barnraise"

	"golang.org/x/crypto/sha3"
)

// words are what Solidity's abi.encode makes of values: 32 bytes for each, longer ones behind an offset.
type words []byte

func (w words) uint(v uint64) words {
	w = append(w, make([]byte, 24)...)
	return binary.BigEndian.AppendUint64(w, v)
}

func (w words) big(v *big.Int) words { return append(w, v.FillBytes(make([]byte, 32))...) }

func (w words) hash(h [32]byte) words { return append(w, h[:]...) }

func (w words) address(a barnraise.Address) words {
	return append(append(w, make([]byte, 12)...), a[:]...)
}

// tail is a byte string as it stands behind its offset: length, bytes, zeros up to a whole word.
func (w words) tail(b []byte) words {
	w = append(w.uint(uint64(len(b))), b...)
	return append(w, make([]byte, padded(len(b))-len(b))...)
}

// ids is a list as it stands behind its offset: length, items.
func (w words) ids(list []barnraise.ServiceID) words {
	w = w.uint(uint64(len(list)))
	for _, id := range list {
		w = w.uint(uint64(id))
	}
	return w
}

// keccak is the hash of the words.
func (w words) keccak() [32]byte { return keccak(w) }

// padded is n rounded up to whole words.
func padded(n int) int { return (n + 31) / 32 * 32 }

// keccak is Ethereum's hash.
func keccak(b []byte) (sum [32]byte) {
	h := sha3.NewLegacyKeccak256()
	h.Write(b)
	h.Sum(sum[:0])
	return sum
}
