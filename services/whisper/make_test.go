package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"barnraise/services/whisper/envelope"
	"barnraise/services/whisper/mail"
)

// box is an archive whose envelopes are known, in its order.
type box struct {
	archive   *mail.Archive
	envelopes []envelope.Envelope
	config    string
}

func newBox(t testing.TB, envelopes []envelope.Envelope) box {
	t.Helper()
	var encoded [][]byte
	for _, e := range envelopes {
		encoded = append(encoded, e.Encode())
	}
	file, err := mail.Build(encoded)
	if err != nil {
		t.Fatal(err)
	}
	a, err := mail.Open(string(file))
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(envelopes, func(a, b envelope.Envelope) int { return compareKeys(mail.KeyOf(a), mail.KeyOf(b)) })
	return box{a, envelopes, rootConfig(a)}
}

func compareKeys(a, b mail.Key) int { return strings.Compare(keyBytes(a), keyBytes(b)) }

func keyBytes(k mail.Key) string {
	return fmt.Sprintf("%s%08x%s", k.Topic, k.Expiry, k.Hash)
}

// topics are few, so that they meet; the last is in no archive.
var topics = []envelope.Topic{{}, {0, 0, 0, 1}, {1, 2, 3, 4}, {1, 2, 3, 5}, {'m', 'a', 'i', 'l'}, {255, 255, 255, 255}, {9, 9, 9, 9}}

// boxes are small and large, with many envelopes of one time and few, and one whose mail does not fit into an answer.
func boxes(t testing.TB) (list []box) {
	m := maker{rand.New(rand.NewPCG(1, 9))}
	for _, n := range []int{0, 1, 2, 5, 20, 60, 200} {
		var envelopes []envelope.Envelope
		for range n {
			envelopes = append(envelopes, m.envelope(topics[m.IntN(len(topics)-1)], 100+uint32(m.IntN(20)), 40))
		}
		list = append(list, newBox(t, envelopes))
	}
	var large []envelope.Envelope
	for range 8 {
		e := m.envelope(topics[2], 100+uint32(m.IntN(20)), 1)
		e.Data = m.bytes(60_000 + m.IntN(120_000))
		large = append(large, e)
	}
	return append(list, newBox(t, large))
}

// maker makes up what is asked, another thing for each seed.
type maker struct{ *rand.Rand }

func (m maker) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(m.Uint32())
	}
	return b
}

func (m maker) pick(list ...string) string { return list[m.IntN(len(list))] }

// number has any length.
func (m maker) number() uint64 { return m.Uint64() >> m.IntN(64) }

func (m maker) profile() envelope.Profile {
	return []envelope.Profile{envelope.EIP627, envelope.Geth6}[m.IntN(2)]
}

func (m maker) envelope(topic envelope.Topic, expiry uint32, most int) envelope.Envelope {
	return envelope.Envelope{Expiry: expiry, TTL: 1 + uint32(m.IntN(100)), Topic: topic, Data: m.bytes(m.IntN(most)), Nonce: m.number()}
}

// asked is a request with what an honest server answers.
type asked struct {
	config, request, answer string
	mail                    *query // of whisper_mail
}

// query is a question to an archive.
type query struct {
	box
	mail.Query
}

func (m maker) exchange(boxes []box) asked {
	switch n := m.IntN(20); {
	case n < 9:
		return m.mailing(boxes)
	case n < 14:
		return m.honest("whisper_seal", m.sealing())
	case n < 18:
		return m.honest("whisper_validate", m.validation())
	}
	return m.honest("waku_messageHash", m.messages())
}

func (m maker) honest(method, params string) asked {
	request := asks(method, params)
	return asked{config: "null", request: request, answer: reply(request)}
}

// sealing asks for few bits, so that a nonce is found soon.
func (m maker) sealing() string {
	ttl := 1 + m.number()%1000
	target := fmt.Sprintf(`"bits":%d`, m.IntN(9))
	data := m.bytes(m.IntN(3) * m.IntN(100))
	if m.IntN(2) == 0 {
		target = fmt.Sprintf(`"minPow":"%d.%d"`, m.IntN(2), m.IntN(1000))
		ttl = 1 + ttl%8
	}
	params := fmt.Sprintf(`{"profile":%q,"expiry":%d,"ttl":%d,"topic":"0x%x","data":"0x%x",%s`, m.profile(), ttl+m.number()%(1<<31),
		ttl, m.bytes(4), data, target)
	if m.IntN(3) > 0 {
		from := m.number()
		params += fmt.Sprintf(`,"nonceFrom":%d`, from)
		if m.IntN(2) == 0 {
			params += fmt.Sprintf(`,"nonceTo":%d`, from+min(math.MaxUint64-from, uint64(m.IntN(m.upTo(1<<12)))))
		}
	}
	return params + "}"
}

// upTo is a power of two up to that one.
func (m maker) upTo(most int) int { return 1 << m.IntN(len(fmt.Sprintf("%b", most))) }

func (m maker) validation() string {
	now := uint32(m.number())
	var list []string
	for range m.IntN(6) {
		e := m.envelope(topics[m.IntN(len(topics))], now-50+uint32(m.IntN(200)), m.upTo(512)+1)
		if m.IntN(8) == 0 {
			e.TTL, e.Expiry = uint32(m.number()), uint32(m.number())
		}
		list = append(list, fmt.Sprintf(`"0x%x"`, e.Encode()))
	}
	if m.IntN(10) == 0 {
		list = append(list, m.pick(`"0x"`, `"0xc0"`, `"0xc1"`, `"0xf800"`, fmt.Sprintf(`"0x%x"`, m.bytes(m.IntN(40)))))
	}
	params := fmt.Sprintf(`{"profile":%q,"envelopes":[%s],"now":%d`, m.profile(), strings.Join(list, ","), now)
	for _, optional := range []string{`"minPow":"0.` + fmt.Sprint(m.IntN(1000)) + `"`, fmt.Sprintf(`"minPow":%d`, m.IntN(3)),
		fmt.Sprintf(`"maxSize":%d`, m.IntN(400)), fmt.Sprintf(`"syncAllowance":%d`, m.IntN(60))} {
		if m.IntN(2) == 0 && !(strings.Contains(params, "minPow") && strings.Contains(optional, "minPow")) {
			params += "," + optional
		}
	}
	return params + "}"
}

func (m maker) messages() string {
	var list []string
	for range m.IntN(5) {
		one := fmt.Sprintf(`{"pubsubTopic":%q,"payload":"0x%x","contentTopic":%q,"timestamp":%d`, m.pick("/waku/2/default-waku/proto", "", "é"),
			m.bytes(m.IntN(100)), m.pick("/waku/2/default-content/proto", "\\\t\"", "😀"), int64(m.Uint64())>>m.IntN(64))
		if m.IntN(2) == 0 {
			one += fmt.Sprintf(`,"meta":"0x%x"`, m.bytes(m.IntN(9)))
		}
		list = append(list, one+"}")
	}
	return `{"messages":[` + strings.Join(list, ",") + `]}`
}

// mailing asks one of the archives; the one with large envelopes seldom, because its answers are long.
func (m maker) mailing(boxes []box) asked {
	b := boxes[m.IntN(len(boxes)-1)]
	if m.IntN(50) == 0 {
		b = boxes[len(boxes)-1]
	}
	return ask(query{b, m.query(b)})
}

func (m maker) query(b box) mail.Query {
	from := 95 + uint32(m.IntN(25))
	q := mail.Query{From: from, To: from + uint32(m.IntN(m.upTo(32))), Limit: []int{1, 2, 3, 10, 1000}[m.IntN(5)]}
	for _, i := range m.Perm(len(topics))[:1+m.IntN(len(topics))] {
		q.Topics = append(q.Topics, topics[i])
	}
	if m.IntN(3) == 0 {
		start := mail.Key{Topic: topics[m.IntN(len(topics))], Expiry: 95 + uint32(m.IntN(25)), Hash: envelope.Hash(m.bytes(32))}
		if n := len(b.envelopes); n > 0 && m.IntN(2) == 0 {
			start = mail.KeyOf(b.envelopes[m.IntN(n)])
		}
		q.Start = &start
	}
	return q
}

// ask is a query in words, and its honest answer.
func ask(q query) asked {
	var list []string
	for _, topic := range q.Topics {
		list = append(list, fmt.Sprintf(`"0x%x"`, topic))
	}
	params := fmt.Sprintf(`{"profile":"geth6","topics":[%s],"from":%d,"to":%d,"limit":%d,"archive":%s`, strings.Join(list, ","), q.From, q.To, q.Limit,
		strings.TrimPrefix(q.config, `{"archive":`))
	params = strings.TrimSuffix(params, "}")
	if q.Start != nil {
		params += fmt.Sprintf(`,"start":%s`, written(q.Start))
	}
	return asked{q.config, asks("whisper_mail", params+"}"), resultOf(delivered(q.answer(q.Query))), &q}
}

// delivered writes an answer as the program does.
func delivered(a mail.Answer) string {
	var list []string
	for _, e := range a.Envelopes {
		list = append(list, fmt.Sprintf(`"0x%x"`, e))
	}
	return fmt.Sprintf(`{"envelopes":[%s],"next":%s,"proof":"0x%x"}`, strings.Join(list, ","), written(a.Next), a.Proof)
}

func written(k *mail.Key) string {
	if k == nil {
		return "null"
	}
	return fmt.Sprintf(`{"topic":"0x%x","expiry":%d,"hash":"0x%x"}`, k.Topic, k.Expiry, k.Hash)
}
