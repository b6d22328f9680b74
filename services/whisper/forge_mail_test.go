package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"barnraise/service/merkle"
	"barnraise/services/whisper/envelope"
	"barnraise/services/whisper/mail"
)

// call is a request to seal.
type call struct {
	Params sealParams `json:"params"`
}

// sealForgeries are envelopes that were not asked for, or with less work.
func (m maker) sealForgeries(request, result string) []way {
	p, s := read[call](request).Params, read[sealed](result)
	j, invalid := p.job()
	if invalid != nil {
		panic(invalid)
	}
	e := j.Envelope
	e.Nonce = s.Nonce
	ways := []way{
		{"not found", func() string { return errorOf(notFound) }},
		{"no envelope", func() string { return resultOf(strings.Replace(result, s.Envelope, "0x", 1)) }},
		{"more bits said", func() string { return resultOf(text(sealed{s.Envelope, s.Nonce, s.Bits + 1, s.Hash})) }},
		{"other nonce said", func() string { return resultOf(text(sealed{s.Envelope, s.Nonce + 1, s.Bits, s.Hash})) }},
		{"other hash said", func() string {
			return resultOf(text(sealed{s.Envelope, s.Nonce, s.Bits, fmt.Sprintf("0x%x", m.bytes(32))}))
		}},
		{"too few bits", func() string { return m.lazily(e, p.NonceFrom, j, describe) }},
		{"too few bits, said otherwise", func() string {
			return m.lazily(e, p.NonceFrom, j, func(e envelope.Envelope) sealed { return boast(e, s.Bits) })
		}},
		{"nonce behind the range", func() string { return resealed(e, j.to+1, j.to+min(5000, math.MaxUint64-j.to), j) }},
		{"nonce before the range", func() string { return resealed(e, p.NonceFrom-min(p.NonceFrom, 5000), p.NonceFrom-1, j) }},
	}
	for _, c := range []struct {
		name   string
		change func(e *envelope.Envelope)
	}{
		{"other expiry", func(e *envelope.Envelope) { e.Expiry++ }},
		{"other ttl", func(e *envelope.Envelope) { e.TTL++ }},
		{"other topic", func(e *envelope.Envelope) { e.Topic[m.IntN(4)] ^= 1 }},
		{"more data", func(e *envelope.Envelope) { e.Data = append(slices.Clone(e.Data), 1) }},
		{"less data", func(e *envelope.Envelope) { e.Data = e.Data[:len(e.Data)/2] }},
		{"other data", func(e *envelope.Envelope) { e.Data = m.bytes(len(e.Data)) }},
	} {
		ways = append(ways, way{c.name, func() string {
			other := e
			c.change(&other)
			if string(other.Encode()) == string(e.Encode()) {
				return ""
			}
			return resealed(other, p.NonceFrom, min(j.to, p.NonceFrom+min(1<<12, math.MaxUint64-p.NonceFrom)), j)
		}})
	}
	return ways
}

// lazily seals with a nonce of the range that has too little work.
func (m maker) lazily(e envelope.Envelope, from uint64, j job, describe func(envelope.Envelope) sealed) string {
	for range 100 {
		e.Nonce = from + m.Uint64N(j.to-from+1)
		if e.Bits() < j.need(e) {
			return resultOf(text(describe(e)))
		}
	}
	return ""
}

// resealed is an envelope with all the work that is asked for, with a nonce of that range.
func resealed(e envelope.Envelope, from, to uint64, j job) string {
	if to < from || to-from > 1<<20 {
		return ""
	}
	e, _, err := envelope.Seal(e, from, to, j.need)
	if err != nil {
		return ""
	}
	return resultOf(text(describe(e)))
}

// describe says of an envelope what is true, boast that it has other bits.
func describe(e envelope.Envelope) sealed { return boast(e, e.Bits()) }

func boast(e envelope.Envelope, bits int) sealed {
	hash := e.Hash()
	return sealed{asHex(e.Encode()), e.Nonce, bits, asHex(hash[:])}
}

// mailForgeries are answers that leave mail out or bring other mail, with the best proof there is for that.
func (m maker) mailForgeries(boxes []box, q query) []way {
	honest := q.answer(q.Query)
	ways := append(m.otherQueries(q, honest), m.otherMail(q, honest)...)
	with := func(proof []byte) string {
		return resultOf(delivered(mail.Answer{Envelopes: honest.Envelopes, Next: honest.Next, Proof: proof}))
	}
	flip := func() string {
		proof := slices.Clone(honest.Proof)
		proof[m.IntN(len(proof))] ^= 1 << m.IntN(8)
		return with(proof)
	}
	result := delivered(honest)
	return append(ways, way{"flipped bit in the proof", flip}, way{"flipped bit in the proof", flip}, way{"flipped bit in the proof", flip},
		way{"proof cut short", func() string { return with(honest.Proof[:m.IntN(len(honest.Proof))]) }},
		way{"proof with more", func() string { return with(append(slices.Clone(honest.Proof), 0)) }},
		way{"another archive", func() string {
			other := boxes[m.IntN(len(boxes)-1)].answer(q.Query)
			if same(other, honest) {
				return ""
			}
			return resultOf(delivered(other))
		}},
		way{"space", func() string { return resultOf(strings.Replace(result, `,"next"`, `, "next"`, 1)) }},
		way{"capitals", func() string { return resultOf(capitals(result)) }},
		way{"no proof", func() string { return resultOf(strings.Split(result, `,"proof"`)[0] + "}") }})
}

// capitals writes the proof's hex with capital letters.
func capitals(result string) string {
	at := strings.Index(result, `"proof":"0x`) + len(`"proof":"0x`)
	return result[:at] + strings.ToUpper(result[at:])
}

func same(a, b mail.Answer) bool {
	return slices.Equal(a.Envelopes, b.Envelopes) && written(a.Next) == written(b.Next)
}

// otherQueries are honest answers to other queries: less mail or more, with a proof of its own.
func (m maker) otherQueries(q query, honest mail.Answer) (ways []way) {
	for _, c := range []struct {
		name   string
		change func(o *mail.Query)
	}{
		{"withheld: a topic", func(o *mail.Query) { o.Topics = o.Topics[min(1, len(o.Topics)-1):] }},
		{"withheld: earlier mail", func(o *mail.Query) { o.From += 1 + uint32(m.IntN(5)) }},
		{"withheld: later mail", func(o *mail.Query) { o.To -= 1 + uint32(m.IntN(5)) }},
		{"withheld: the beginning", func(o *mail.Query) { o.Start = m.behind(honest) }},
		{"cut too early", func(o *mail.Query) { o.Limit = 1 + m.IntN(min(o.Limit, 5)) }},
		{"too many", func(o *mail.Query) { o.Limit++ }},
		{"out of range: earlier", func(o *mail.Query) { o.From -= 1 + uint32(m.IntN(5)) }},
		{"out of range: later", func(o *mail.Query) { o.To += 1 + uint32(m.IntN(5)) }},
		{"foreign topic", func(o *mail.Query) { o.Topics = topics }},
		{"before the start", func(o *mail.Query) { o.Start = nil }},
	} {
		ways = append(ways, way{c.name, func() string { return q.other(c.change, honest, false) }},
			way{c.name + ", and nothing more said to be there", func() string { return q.other(c.change, honest, true) }})
	}
	return ways
}

// other is the answer to another query, empty where it is the same; with silence, it says that there is no more.
func (q query) other(change func(*mail.Query), honest mail.Answer, silence bool) string {
	changed := q.Query
	change(&changed)
	found := q.answer(changed)
	if silence {
		found.Next = nil
	}
	if same(found, honest) {
		return ""
	}
	return resultOf(delivered(found))
}

func (b box) answer(q mail.Query) mail.Answer {
	found, err := b.archive.Ask(q)
	if err != nil {
		panic(err)
	}
	return found
}

// behind is a place behind one of the envelopes of an answer.
func (m maker) behind(a mail.Answer) *mail.Key {
	if len(a.Envelopes) == 0 {
		return nil
	}
	k := keyOf(a.Envelopes[m.IntN(len(a.Envelopes))])
	for i := len(k.Hash) - 1; i >= 0; i-- {
		if k.Hash[i]++; k.Hash[i] != 0 {
			break
		}
	}
	return &k
}

func keyOf(encoded string) mail.Key {
	e, err := envelope.Decode([]byte(encoded))
	if err != nil {
		panic(err)
	}
	return mail.KeyOf(e)
}

// otherMail changes the envelopes of an answer, with the proof as it was or one that shows what the archive really has.
func (m maker) otherMail(q query, honest mail.Answer) (ways []way) {
	list := honest.Envelopes
	if len(list) == 0 {
		return nil
	}
	i, j := m.IntN(len(list)), m.IntN(len(list))
	without := slices.Delete(slices.Clone(list), i, i+1)
	altered := slices.Clone(list)
	altered[i] = list[i][:len(list[i])-1] + string(list[i][len(list[i])-1]^1)
	give := func(list []string, next *mail.Key, proof []byte) string {
		return resultOf(delivered(mail.Answer{Envelopes: list, Next: next, Proof: proof}))
	}
	return []way{
		{"dropped", func() string { return give(without, honest.Next, honest.Proof) }},
		{"altered", func() string { return give(altered, honest.Next, honest.Proof) }},
		{"twice", func() string { return give(slices.Insert(slices.Clone(list), i, list[i]), honest.Next, honest.Proof) }},
		{"swapped", func() string { return give(swapped(list, i, j), honest.Next, honest.Proof) }},
		{"withheld: one, its key shown", func() string { return give(without, honest.Next, q.prove(without, honest.Next, false)) }},
		{"withheld: one, hidden", func() string { return give(without, honest.Next, q.prove(without, honest.Next, true)) }},
		{"withheld: the last, and said to be next", func() string {
			next, fewer := keyOf(list[len(list)-1]), list[:len(list)-1]
			return give(fewer, &next, q.prove(fewer, &next, true))
		}},
	}
}

// prove shows where some envelopes and the next stand in the archive, and what stands beside each topic's mail. What is asked for
// and not given is hidden, or shown with nothing but its key.
func (q query) prove(envelopes []string, next *mail.Key, hidden bool) []byte {
	var chosen []int
	var shown []byte
	leaves := make([]merkle.Hash, len(q.envelopes))
	free := 0
	for i, e := range q.envelopes {
		key := mail.KeyOf(e)
		plain := binary.BigEndian.AppendUint32(slices.Clone(key.Topic[:]), key.Expiry)
		plain = append(plain, key.Hash[:]...)
		leaves[i] = merkle.Leaf(string(plain))
		kind := byte(0)
		if slices.Contains(envelopes, string(e.Encode())) {
			kind, plain = 1, nil
		} else if !(next != nil && *next == key || !q.asks(key) && q.besides(i) || q.asks(key) && !hidden) {
			continue
		}
		chosen = append(chosen, i)
		shown = append(append(binary.AppendUvarint(shown, uint64(i-free)), kind), plain...)
		free = i + 1
	}
	out := binary.AppendUvarint(nil, uint64(len(leaves)))
	out = append(binary.AppendUvarint(out, uint64(len(chosen))), shown...)
	tree := merkle.Tree{Leaves: len(leaves), Leaf: func(i int) merkle.Hash { return leaves[i] }, Kept: string(merkle.Keep(leaves))}
	return tree.Prove(out, chosen)
}

// besides says whether a leaf stands beside the mail of a topic, or where it would stand.
func (q query) besides(i int) bool {
	for _, t := range q.Topics {
		first := q.before(mail.Key{Topic: t, Expiry: q.From})
		last := q.before(mail.Key{Topic: t, Expiry: q.To + 1})
		if i == first-1 || i == last {
			return true
		}
	}
	return false
}

// before is how many keys of the archive are smaller.
func (q query) before(k mail.Key) int {
	n := 0
	for n < len(q.envelopes) && compareKeys(mail.KeyOf(q.envelopes[n]), k) < 0 {
		n++
	}
	return n
}

func (q query) asks(k mail.Key) bool {
	return slices.Contains(q.Topics, k.Topic) && k.Expiry >= q.From && k.Expiry <= q.To && (q.Start == nil || compareKeys(k, *q.Start) >= 0)
}
