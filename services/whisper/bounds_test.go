package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"barnraise"
	"barnraise/services/whisper/envelope"
	"barnraise/services/whisper/mail"
	"barnraise/verifier"
)

// widest are the requests that take most to judge, with their answers.
func widest(t testing.TB) (list []asked) {
	m := maker{rand.New(rand.NewPCG(1, 13))}
	large := envelope.Envelope{Expiry: 9, TTL: 1, Data: m.bytes(1<<20 - 20)}
	small := make([]string, maxItems)
	for i := range small {
		small[i] = fmt.Sprintf(`"0x%x"`, m.envelope(topics[i%len(topics)], uint32(m.number()), 900).Encode())
	}
	message := fmt.Sprintf(`{"pubsubTopic":%q,"payload":"0x%x","contentTopic":"","timestamp":1}`, strings.Repeat("a", 500), m.bytes(500))
	for _, c := range []struct{ method, params string }{
		{"whisper_validate", fmt.Sprintf(`["eip627",["0x%x"],9,"999999999.999999999"]`, large.Encode())},
		{"whisper_validate", `["geth6",[` + strings.Join(small, ",") + `],0,"999999999.999999999",1]`},
		{"whisper_seal", fmt.Sprintf(`["geth6",9,1,"0x00000000","0x%x",3]`, m.bytes(maxData))},
		{"waku_messageHash", `[[` + strings.Repeat(message+",", maxItems-1) + message + `]]`},
	} {
		request := asks(c.method, c.params)
		list = append(list, asked{config: "null", request: request, answer: reply(request)})
	}
	var full []envelope.Envelope
	for i, size := range []int{mail.Enough - 50, mail.Enough, 1} { // two of them fit, the first just so
		full = append(full, envelope.Envelope{Expiry: 100 + uint32(i), TTL: 1, Topic: topics[0], Data: m.bytes(size)})
	}
	wide := query{newBox(t, full), mail.Query{Topics: topics, To: math.MaxUint32, Limit: maxItems}}
	return append(list, ask(wide))
}

// Two of the longest answers there are fit into what service.yaml grants, fuel many times over.
func TestWidest(t *testing.T) {
	v := court(t)
	for _, a := range widest(t) {
		bodies := [][]byte{[]byte(a.request), []byte(a.request)}
		r := v.Run(context.Background(), []byte(a.config), bodies, [][]byte{[]byte(a.answer), []byte(strings.Replace(a.answer, `"0x`, `"0X`, 1))})
		if r.Problem != nil || r.Verdict.Status != barnraise.Accepted || r.Verdict.Winner != 0 || len(r.Verdict.Culprits) != 1 {
			t.Errorf("%.100s: %+v, %v", a.request, r.Verdict, r.Problem)
		}
		if r.Fuel > 1_000_000_000 {
			t.Errorf("%.100s: %d units of fuel", a.request, r.Fuel)
		}
		t.Logf("%.60s: %d and %d bytes, %d million units", a.request, len(a.request), len(a.answer), r.Fuel/1_000_000)
	}
}

// hostile are answers to a query for mail that want to take much, or to break the verifier.
func hostile() (list []string) {
	uvarints := func(numbers ...uint64) (b []byte) {
		for _, n := range numbers {
			b = binary.AppendUvarint(b, n)
		}
		return b
	}
	proofs := [][]byte{
		nil, {0}, {0x80}, uvarints(math.MaxUint64), uvarints(1<<32-1, 1<<32-1), uvarints(1<<22, 1<<22), uvarints(1<<22+1, 0), uvarints(1<<22, 3, 0, 0),
		append(uvarints(1<<22, 0), make([]byte, 20*22)...), append(uvarints(0, 0), make([]byte, 20)...), uvarints(0, 1, 0, 0),
		append(uvarints(1<<22, 1, 1<<22-1, 0), make([]byte, 2000)...), append(uvarints(1<<22, 2, 1<<32-1, 0), make([]byte, 2000)...),
		append(uvarints(3, 2, 0, 1), make([]byte, 200)...), append([]byte{0x83, 0x00, 0x00}, make([]byte, 200)...), append(uvarints(5, 1, 0, 7), make([]byte, 200)...),
	}
	for _, p := range proofs {
		list = append(list, resultOf(delivered(mail.Answer{Proof: p})))
	}
	for _, text := range []string{
		`{"envelopes":[` + strings.Repeat(`"0x",`, 50_000) + `"0x"],"next":null,"proof":"0x"}`, `{"envelopes":["0x` + strings.Repeat("ff", 1_000_000) + `"],"next":null,"proof":"0x"}`,
		`{"envelopes":["0xf8` + strings.Repeat("ff", 9) + `"],"next":null,"proof":"0x"}`, `{"envelopes":["0x"],"next":null,"proof":"0x"}`,
		`{"envelopes":[],"next":{"topic":"0x` + strings.Repeat("00", 1000) + `","expiry":1,"hash":"0x"},"proof":"0x"}`,
		`{"envelopes":[],"next":{"topic":"0x00000000","expiry":4294967296,"hash":"0x` + strings.Repeat("00", 32) + `"},"proof":"0x"}`,
		`{"envelopes":[],"next":{"topic":"0x00000000","expiry":1,"hash":"0x` + strings.Repeat("00", 31) + `"},"proof":"0x"}`,
		`{"envelopes":[],"next":{"topic":"0x0000000","expiry":1,"hash":"0x` + strings.Repeat("00", 32) + `"},"proof":"0x"}`,
		`{"envelopes":[],"next":null,"proof":"0x0"}`, `{"envelopes":[],"next":null,"proof":"0"}`,
		strings.Repeat("[", 62) + strings.Repeat("]", 62), `"` + strings.Repeat(`\u0000`, 100_000) + `"`, `{}`, `[]`, `0`, `null`,
	} {
		list = append(list, resultOf(text))
	}
	return list
}

// Whatever comes, the verifier says that it is wrong: it does not trap, and takes no more fuel than for honest answers.
func TestHostile(t *testing.T) {
	v := court(t)
	all := mail.Query{Topics: topics, To: math.MaxUint32, Limit: maxItems}
	a := ask(query{boxes(t)[3], all})
	for i, answer := range hostile() {
		r := v.Run(context.Background(), []byte(a.config), [][]byte{[]byte(a.request)}, [][]byte{[]byte(answer)})
		if r.Problem != nil || r.Verdict.Status != barnraise.Disagreement || r.Fuel > 1_000_000_000 {
			t.Errorf("%d: %+v, %v, %d units\n%.200s", i, r.Verdict, r.Problem, r.Fuel, answer)
		}
	}
}

func BenchmarkVerdict(b *testing.B) {
	v := court(b)
	m := maker{rand.New(rand.NewPCG(1, 14))}
	seal := asks("whisper_seal", `["geth6",1700000050,50,"0x01020304","0x686179737461636b",8]`)
	batch := asks("whisper_validate", `["geth6",["`+hay+`"`+strings.Repeat(`,"`+hay+`"`, 9)+`],1700000000,1]`)
	list := boxes(b)
	some := ask(query{list[6], mail.Query{Topics: topics[:2], From: 100, To: 110, Limit: 100}})
	named := []struct {
		name string
		asked
	}{{"seal", asked{"null", seal, reply(seal), nil}}, {"ten envelopes", asked{"null", batch, reply(batch), nil}}, {"mail", some},
		{"some", m.honest("waku_messageHash", m.messages())}}
	for i, a := range widest(b) {
		named = append(named, struct {
			name string
			asked
		}{fmt.Sprint("widest ", i), a})
	}
	for _, c := range named {
		b.Run(c.name, func(b *testing.B) { c.bench(b, v) })
	}
}

func (a asked) bench(b *testing.B, v *verifier.Verifier) {
	for b.Loop() {
		r := v.Run(context.Background(), []byte(a.config), [][]byte{[]byte(a.request)}, [][]byte{[]byte(a.answer)})
		if r.Verdict.Status != barnraise.Accepted {
			b.Fatalf("%+v, %v", r.Verdict, r.Problem)
		}
		b.ReportMetric(float64(r.Fuel), "units")
	}
	b.ReportMetric(float64(len(a.answer)), "bytes")
}
