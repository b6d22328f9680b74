package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"barnraise/service/merkle"
	"barnraise/services/whisper/envelope"
	"barnraise/services/whisper/mail"
)

// Of a small archive, every answer there is with a proof that leads to its root: each envelope given, or its key shown, or hidden;
// each of the keys shown said to be next, or none. No other is accepted than what the service answers, and that one is.
func TestEveryAnswer(t *testing.T) {
	v := court(t)
	var envelopes []envelope.Envelope
	for i, topic := range []envelope.Topic{topics[1], topics[2], topics[2], topics[2], topics[4]} {
		envelopes = append(envelopes, envelope.Envelope{Expiry: 100 + uint32(i/3), TTL: 1, Topic: topic, Data: []byte{byte(i)}})
	}
	b := newBox(t, envelopes)
	second, behind := mail.KeyOf(b.envelopes[2]), mail.KeyOf(b.envelopes[3])
	behind.Hash[31]++
	for i, q := range []mail.Query{
		{Topics: topics[2:3], To: math.MaxUint32, Limit: 1000},
		{Topics: topics[2:3], To: math.MaxUint32, Limit: 2},
		{Topics: topics[2:3], From: 100, To: 100, Limit: 2},
		{Topics: []envelope.Topic{topics[4], topics[6], topics[1]}, To: math.MaxUint32, Limit: 1},
		{Topics: topics, To: math.MaxUint32, Limit: 3, Start: &second},
		{Topics: topics[2:3], To: math.MaxUint32, Limit: 1, Start: &behind},
	} {
		q := query{b, q}
		honest := ask(q)
		if got := judged(v, b.config, honest.request, honest.answer); got != accepted {
			t.Fatalf("query %d: %s", i, got)
		}
		for _, answer := range q.every() {
			if judged(v, b.config, honest.request, resultOf(delivered(answer))) == accepted && !same(answer, q.answer(q.Query)) {
				t.Errorf("query %d: %s is accepted, want %s", i, delivered(answer), honest.answer)
			}
		}
	}
}

// every is all answers that can be made of the archive, whatever is asked.
func (q query) every() (list []mail.Answer) {
	ways := 1
	for range q.envelopes {
		ways *= 3
	}
	for way := range ways {
		given, shown := q.show(way)
		list = append(list, given)
		for _, key := range shown {
			given.Next = &key
			list = append(list, given)
		}
	}
	return list
}

// show is an answer without next, and the keys that its proof shows. Each digit of the way, of base three, is for an envelope.
func (q query) show(way int) (a mail.Answer, keys []mail.Key) {
	var chosen []int
	var shown []byte
	leaves := make([]merkle.Hash, len(q.envelopes))
	free := 0
	for i, e := range q.envelopes {
		key := mail.KeyOf(e)
		plain := fmt.Sprintf("%s%s%s", key.Topic[:], binary.BigEndian.AppendUint32(nil, key.Expiry), key.Hash[:])
		leaves[i] = merkle.Leaf(plain)
		kind := way % 3
		if way /= 3; kind == 2 {
			continue
		}
		shown = append(binary.AppendUvarint(shown, uint64(i-free)), byte(kind))
		if kind == 1 {
			a.Envelopes = append(a.Envelopes, string(e.Encode()))
		} else {
			shown, keys = append(shown, plain...), append(keys, key)
		}
		chosen, free = append(chosen, i), i+1
	}
	out := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(len(leaves))), uint64(len(chosen)))
	tree := merkle.Tree{Leaves: len(leaves), Leaf: func(i int) merkle.Hash { return leaves[i] }, Kept: string(merkle.Keep(leaves))}
	a.Proof = tree.Prove(append(out, shown...), chosen)
	return a, keys
}
