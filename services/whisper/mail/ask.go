package mail

import (
	"encoding/binary"
	"slices"
	"strings"

	"barnraise/services/whisper/envelope"
)

// Enough is how many bytes of envelopes an answer ends with: the one that reaches it is its last.
const Enough = 1 << 19

// Query asks for all envelopes of some topics, each given once, that expire within a time, both its ends in it.
type Query struct {
	Topics   []envelope.Topic
	From, To uint32
	Start    *Key // where there is one: no envelope before it
	Limit    int  // of envelopes
}

// Answer is the first of the envelopes asked for, in the order of their keys.
type Answer struct {
	Envelopes []string
	Next      *Key // the first that is asked for and not here, nil where there is none
	Proof     []byte
}

// Ask answers a query. It stops at the limit, or when it has [Enough]. The proof shows which leaves of the tree the
// envelopes are, and beside them the leaves that stand next to what was asked for, so that nothing can be missing in
// between:
//
//	envelopes of the archive, leaves that are shown: unsigned varints
//	for each leaf   how many are passed over since the last one, an unsigned varint; then a byte 1 for the answer's next envelope,
//	                or a byte 0 and the key
//	the tree's proof for these leaves
//
// It fails with [ErrCorrupt].
func (a *Archive) Ask(q Query) (Answer, error) {
	w := walk{archive: a, limit: q.Limit}
	topics := slices.Clone(q.Topics)
	slices.SortFunc(topics, func(x, y envelope.Topic) int { return strings.Compare(string(x[:]), string(y[:])) })
	for _, t := range topics {
		first, last := bounds(q, t)
		if first > last {
			continue
		}
		if err := w.topic(a.from(first), a.from(last+"\x00")); err != nil {
			return Answer{}, err
		}
		if w.next != nil {
			break
		}
	}
	return Answer{w.envelopes, w.next, w.proof()}, nil
}

// bounds are the smallest and the greatest key that a query may mean of a topic.
func bounds(q Query, t envelope.Topic) (first, last string) {
	first = Key{Topic: t, Expiry: q.From}.bytes()
	if q.Start != nil {
		first = max(first, q.Start.bytes())
	}
	last = Key{Topic: t, Expiry: q.To}.bytes()
	return first, last[:8] + strings.Repeat("\xff", len(envelope.Hash{}))
}

// walk collects an answer.
type walk struct {
	archive   *Archive
	limit     int
	size      int
	envelopes []string
	next      *Key
	shown     []int
	whole     []bool // of those shown: the envelope is in the answer
}

// topic takes the envelopes from one number up to another.
func (w *walk) topic(from, to int) error {
	if from > 0 {
		w.show(from-1, false)
	}
	for i := from; i < to; i++ {
		if len(w.envelopes) == w.limit || w.size >= Enough {
			key := keyFrom(w.archive.key(i))
			w.next = &key
			w.show(i, false)
			return nil
		}
		e, err := w.archive.envelope(i)
		if err != nil {
			return err
		}
		w.envelopes, w.size = append(w.envelopes, e), w.size+len(e)
		w.show(i, true)
	}
	if to < w.archive.n {
		w.show(to, false)
	}
	return nil
}

// show takes a leaf into the proof. What is beside one topic may be beside the next, too, or the first of it.
func (w *walk) show(i int, whole bool) {
	last := len(w.shown) - 1
	switch {
	case last < 0 || i > w.shown[last]:
		w.shown, w.whole = append(w.shown, i), append(w.whole, whole)
	case i == w.shown[last]:
		w.whole[last] = w.whole[last] || whole
	}
}

func (w *walk) proof() []byte {
	out := binary.AppendUvarint(nil, uint64(w.archive.n))
	out = binary.AppendUvarint(out, uint64(len(w.shown)))
	free := 0
	for i, leaf := range w.shown {
		out = binary.AppendUvarint(out, uint64(leaf-free))
		free = leaf + 1
		if w.whole[i] {
			out = append(out, 1)
		} else {
			out = append(append(out, 0), w.archive.key(leaf)...)
		}
	}
	return w.archive.tree.Prove(out, w.shown)
}
