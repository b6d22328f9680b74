package mail

import (
	"fmt"
	"math"
	"testing"

	"barnraise/services/whisper/envelope"
)

// BenchmarkAsk is the time for an answer from 100,000 envelopes.
func BenchmarkAsk(b *testing.B) {
	list := make([][]byte, 100_000)
	for i := range list {
		e := envelope.Envelope{Expiry: uint32(i % 5000), TTL: 50, Topic: envelope.Topic{byte(i % 100)}, Data: make([]byte, 300), Nonce: uint64(i)}
		list[i] = e.Encode()
	}
	a := open(b, list)
	for _, limit := range []int{10, 1000} {
		b.Run(fmt.Sprint(limit), func(b *testing.B) {
			q := Query{Topics: []envelope.Topic{{7}, {8}}, From: 100, To: math.MaxUint32, Limit: limit}
			for b.Loop() {
				found := ask(b, a, q)
				b.ReportMetric(float64(len(found.Proof)), "proof-bytes")
			}
		})
	}
}
