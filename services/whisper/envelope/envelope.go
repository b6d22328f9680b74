// Package envelope is what a Whisper network carries: envelopes as EIP-627 has them, their proof of work, and what a node
// asks of one before it passes it on. What is inside of them is encrypted, and nobody's business here.
//
// The network's most used program, geth, measured two things differently than EIP-627 says, so each of them takes a [Profile].
// The bytes of an envelope, its hash and the hash that its work is measured by are the same in both.
package envelope

import (
	"errors"
	"fmt"
)

// ErrRLP is the error of bytes that are no envelope.
var ErrRLP = errors.New("no envelope in strict RLP")

// Topic says what an envelope is about, to those who know what it stands for.
type Topic [4]byte

// TopicOf makes a topic of any bytes, as geth does: of the first four, or with zeros behind them.
func TopicOf(bytes []byte) (t Topic) {
	copy(t[:], bytes)
	return t
}

// Hash is Keccak-256.
type Hash [32]byte

// Envelope is sealed data on its way to whom it may concern.
type Envelope struct {
	Expiry uint32 // seconds since 1970
	TTL    uint32 // seconds; it was sent so long before it expires
	Topic  Topic
	Data   []byte // encrypted
	Nonce  uint64 // that makes its hash begin with zeros
}

// Profile says whose rules are meant.
type Profile string

// The profiles.
const (
	EIP627 Profile = "eip627" // as EIP-627 is written
	Geth6  Profile = "geth6"  // as geth 1.9 did it, version 6 of the protocol
)

// Known says whether there is such a profile.
func (p Profile) Known() bool { return p == EIP627 || p == Geth6 }

// Decode reads an envelope. It keeps no copy: the data is a part of what it is given. It fails with [ErrRLP] on what
// [Envelope.Encode] would not have written.
func Decode(rlp []byte) (e Envelope, err error) {
	outer := reader{rest: rlp}
	r := reader{rest: outer.item(listOf)}
	e.Expiry, e.TTL = uint32(r.integer(4)), uint32(r.integer(4))
	topic := r.item(stringOf)
	e.Data = r.item(stringOf)
	e.Nonce = r.integer(8)
	if outer.bad || r.bad || len(outer.rest) > 0 || len(r.rest) > 0 || len(topic) != len(e.Topic) {
		return Envelope{}, fmt.Errorf("decode %d bytes: %w", len(rlp), ErrRLP)
	}
	copy(e.Topic[:], topic)
	return e, nil
}

// Encode writes the envelope as it is sent.
func (e Envelope) Encode() []byte {
	out := make([]byte, 0, e.size())
	out = e.appendFields(appendHead(out, listOf, e.fieldsSize()+integerSize(e.Nonce)))
	return appendInteger(out, e.Nonce)
}

// Hash is what an envelope is known by.
func (e Envelope) Hash() Hash { return keccak(e.Encode()) }

// Bits is how many zero bits the hash that its work is measured by begins with.
func (e Envelope) Bits() int {
	g := newGrinder(e)
	return g.bits(e.Nonce)
}

// Size is what the envelope counts as where its work is measured: with the nonce as EIP-627 has it, without as geth has it.
func (p Profile) Size(e Envelope) int {
	if p == Geth6 {
		return headSize(e.fieldsSize()) + e.fieldsSize()
	}
	return e.size()
}

// Length is what a limit for envelopes is compared with: geth counts the data and 20 bytes.
func (p Profile) Length(e Envelope) int {
	if p == Geth6 {
		return 20 + len(e.Data)
	}
	return e.size()
}

// size of the whole envelope.
func (e Envelope) size() int {
	fields := e.fieldsSize() + integerSize(e.Nonce)
	return headSize(fields) + fields
}

// fieldsSize is that of what stands before the nonce.
func (e Envelope) fieldsSize() int {
	data := headSize(len(e.Data)) + len(e.Data)
	if len(e.Data) == 1 && e.Data[0] < stringOf {
		data = 1
	}
	return integerSize(uint64(e.Expiry)) + integerSize(uint64(e.TTL)) + 1 + len(e.Topic) + data
}

func (e Envelope) appendFields(to []byte) []byte {
	to = appendInteger(appendInteger(to, uint64(e.Expiry)), uint64(e.TTL))
	return appendString(appendString(to, e.Topic[:]), e.Data)
}

// unsealed is the list without the nonce, behind which 8 bytes of nonce are hashed for the work.
func (e Envelope) unsealed() []byte {
	size := e.fieldsSize()
	return e.appendFields(appendHead(make([]byte, 0, headSize(size)+size), listOf, size))
}
