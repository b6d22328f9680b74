// Package mail is the mail of a Whisper network in one immutable file: envelopes of some epoch, which the whisper service
// is asked for by topic and time. Who knows the root of its tree sees by an answer's proof that nothing was withheld and
// nothing added.
//
// A file is read in place. There is nothing to parse or to fill when a program starts, because a host may start a fresh
// WebAssembly instance for every request:
//
//	magic  8 bytes, the last of which is the version
//	counts envelopes, bytes of the store: 32-bit, little-endian
//	keys   40 bytes for each envelope, ascending: topic, expiry (big-endian), hash
//	ends   32-bit, little-endian, one for each: where it ends in the store
//	kept   hashes of the tree, see [merkle.Keep]
//	store  the envelopes, one after the other
//
// A leaf of the tree is a key, which the envelope itself tells whoever has it. The root counts the leaves:
//
//	root = Leaf("barnraise mail 1", envelopes as 32 bits big-endian, root of the tree)
package mail

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"barnraise/service/merkle"
	"barnraise/services/whisper/envelope"
)

// Limits of an archive. [Build] refuses what is beyond them.
const (
	MaxEnvelopes = 1 << 22
	MaxData      = 1 << 19 // bytes of an envelope's data
	MaxSize      = 1 << 30 // bytes of the file
)

// ErrCorrupt is the error of a file that is no archive, or not a whole one.
var ErrCorrupt = errors.New("archive is corrupt")

const (
	magic   = "bwhmail\x01"
	header  = len(magic) + 2*4
	keySize = 4 + 4 + 32
)

// Key is what an envelope is found by. Keys are ordered by topic, then expiry, then hash.
type Key struct {
	Topic  envelope.Topic
	Expiry uint32
	Hash   envelope.Hash
}

// KeyOf an envelope.
func KeyOf(e envelope.Envelope) Key { return Key{e.Topic, e.Expiry, e.Hash()} }

// bytes of the key; those of keys are in the order of the keys.
func (k Key) bytes() string {
	b := binary.BigEndian.AppendUint32(append(make([]byte, 0, keySize), k.Topic[:]...), k.Expiry)
	return string(append(b, k.Hash[:]...))
}

// keyFrom reads what bytes wrote.
func keyFrom(s string) (k Key) {
	copy(k.Topic[:], s)
	k.Expiry = binary.BigEndian.Uint32([]byte(s[4:8]))
	copy(k.Hash[:], s[8:])
	return k
}

// Build makes the archive of some envelopes. The same envelopes give the same bytes on every machine, in whatever order
// they come; one that comes again is left out. It fails on bytes that are no envelope, naming the first, and on what is
// beyond the limits.
func Build(envelopes [][]byte) ([]byte, error) {
	entries, err := order(envelopes)
	if err != nil {
		return nil, fmt.Errorf("build archive: %w", err)
	}
	if len(entries) > MaxEnvelopes {
		return nil, fmt.Errorf("build archive: %d envelopes, at most %d", len(entries), MaxEnvelopes)
	}
	leaves := make([]merkle.Hash, len(entries))
	var keys, ends, store []byte
	for i, e := range entries {
		leaves[i] = merkle.Leaf(e.key)
		if len(store)+len(e.bytes) > MaxSize/2 {
			return nil, fmt.Errorf("build archive: the envelopes have more than %d bytes", MaxSize/2)
		}
		keys, store = append(keys, e.key...), append(store, e.bytes...)
		ends = binary.LittleEndian.AppendUint32(ends, uint32(len(store)))
	}
	out := binary.LittleEndian.AppendUint32([]byte(magic), uint32(len(entries)))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(store)))
	return slices.Concat(out, keys, ends, merkle.Keep(leaves), store), nil
}

type entry struct {
	key   string
	bytes []byte
}

// order sorts the envelopes by their keys, each once.
func order(envelopes [][]byte) ([]entry, error) {
	entries := make([]entry, len(envelopes))
	for i, b := range envelopes {
		e, err := envelope.Decode(b)
		if err != nil {
			return nil, fmt.Errorf("envelope %d: %w", i+1, err)
		}
		if len(e.Data) > MaxData {
			return nil, fmt.Errorf("envelope %d: %d bytes of data, at most %d", i+1, len(e.Data), MaxData)
		}
		entries[i] = entry{KeyOf(e).bytes(), b}
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	return slices.CompactFunc(entries, func(a, b entry) bool { return a.key == b.key }), nil
}

// Archive is an open archive. It holds nothing but views into the file and is safe for concurrent use.
type Archive struct {
	n                 int
	keys, ends, store string
	tree              merkle.Tree
}

// Open checks that the file is an archive of this version and that its parts fill it exactly; it does not read them. It
// fails with [ErrCorrupt]. What is wrong within the parts makes answers that nobody believes, or the same error where they
// are read.
func Open(file string) (*Archive, error) {
	if len(file) < header || len(file) > MaxSize || file[:len(magic)] != magic {
		return nil, fmt.Errorf("open archive: none of version %d: %w", magic[len(magic)-1], ErrCorrupt)
	}
	n, size := number(file[len(magic):], 0), number(file[len(magic):], 1)
	if n > MaxEnvelopes || size > MaxSize {
		return nil, fmt.Errorf("open archive: %d envelopes of %d bytes: %w", n, size, ErrCorrupt)
	}
	a := &Archive{n: int(n)}
	rest := file[header:]
	for _, part := range []struct {
		into *string
		size int
	}{
		{&a.keys, keySize * a.n}, {&a.ends, 4 * a.n}, {&a.tree.Kept, merkle.KeptSize(a.n)}, {&a.store, int(size)},
	} {
		if part.size > len(rest) {
			return nil, fmt.Errorf("open archive: cut short: %w", ErrCorrupt)
		}
		*part.into, rest = rest[:part.size], rest[part.size:]
	}
	if rest != "" {
		return nil, fmt.Errorf("open archive: %d bytes too many: %w", len(rest), ErrCorrupt)
	}
	a.tree.Leaves, a.tree.Leaf = a.n, func(i int) merkle.Hash { return merkle.Leaf(a.key(i)) }
	return a, nil
}

// Envelopes is how many there are.
func (a *Archive) Envelopes() int { return a.n }

// Root is what the archive is known by.
func (a *Archive) Root() merkle.Hash { return rootOf(a.n, a.tree.Root()) }

func rootOf(n int, tree merkle.Hash) merkle.Hash {
	return merkle.Leaf("barnraise mail 1", string(binary.BigEndian.AppendUint32(nil, uint32(n))), string(tree[:]))
}

func (a *Archive) key(i int) string { return a.keys[keySize*i : keySize*(i+1)] }

// from is the number of the first envelope whose key is not smaller.
func (a *Archive) from(key string) int {
	return sort.Search(a.n, func(i int) bool { return strings.Compare(a.key(i), key) >= 0 })
}

// envelope is that of the number.
func (a *Archive) envelope(i int) (string, error) {
	var from uint32
	if i > 0 {
		from = number(a.ends, i-1)
	}
	to := number(a.ends, i)
	if from > to || uint64(to) > uint64(len(a.store)) {
		return "", fmt.Errorf("read envelope %d: %w", i, ErrCorrupt)
	}
	return a.store[from:to], nil
}

// number is entry i of a table.
func number(table string, i int) uint32 {
	return binary.LittleEndian.Uint32([]byte(table[4*i : 4*i+4]))
}
