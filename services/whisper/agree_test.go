package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"barnraise/service/servicetest"
	"barnraise/services/whisper/envelope"
)

// fuel is what service.yaml grants.
const fuel = 40_000_000_000

// wide are the calls that take longest.
func wide(t testing.TB) []answer {
	tries := func(size int) string { // of which none will do
		return fmt.Sprintf(`{"profile":"eip627","expiry":1700000050,"ttl":50,"topic":"0x01020304","data":"0x%s","bits":20,"nonceFrom":%d,"nonceTo":%d}`,
			strings.Repeat("00", size), uint64(1<<45), uint64(1<<45+maxTries))
	}
	split := func(size int) int { // the next larger with which the nonce ends with a block
		for envelope.Geth6.Size(envelope.Envelope{Expiry: 1_700_000_050, TTL: 50, Data: make([]byte, size)})%136 != 128 {
			size++
		}
		return size
	}
	small := envelope.Envelope{Expiry: 1_700_000_050, TTL: 50, Data: make([]byte, 1000)}
	large := envelope.Envelope{Expiry: 1_700_000_050, TTL: 50, Data: make([]byte, maxBytes-20)}
	message := `{"pubsubTopic":"","payload":"0x` + strings.Repeat("00", 1000) + `","contentTopic":"","timestamp":1}`
	return []answer{
		{"all tries", "whisper_seal", tries(8), `"error":{"code":-32030`},
		{"all tries, two blocks each, with the largest data", "whisper_seal", tries(split(maxData - 200)), `"error":{"code":-32030`},
		{"largest sealed", "whisper_seal", `["eip627",50,50,"0x01020304","0x` + strings.Repeat("00", maxData) + `",1]`, `"nonce":`},
		{"many envelopes", "whisper_validate", `["geth6",["` + asHex(small.Encode()) + `"` + strings.Repeat(`,"`+asHex(small.Encode())+`"`, 999) + `],1,"0.2"]`, `"ok":false`},
		{"largest envelope", "whisper_validate", `["geth6",["` + asHex(large.Encode()) + `"],1,"0.2"]`, `"ok":false`},
		{"all mail", "whisper_mail", `["geth6","` + root(t) + `",["0x01020304","0x6261726e","0x6d61696c","0x00000000","0xffffffff"],0,4294967295,1000]`, `"next":null`},
		{"many messages", "waku_messageHash", `[[` + message + strings.Repeat(`,`+message, 999) + `]]`, `"hashes":`},
	}
}

// Protocol 2.1: native and wasm give the same bytes.
func TestVariantsAgree(t *testing.T) {
	requests := []string{`{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}`, `{`, ``}
	for _, c := range table(t) {
		requests = append(requests, string(request(t, c.method, c.params)))
	}
	servicetest.Start(t, ".").Agree(t, requests)
}

// What takes longest has fuel enough, with a good deal to spare for another compiler, and is answered alike as well.
func TestFuelIsGranted(t *testing.T) {
	p := servicetest.Start(t, ".")
	for _, w := range wide(t)[1:] { // the first takes half of what the second takes
		asked := string(request(t, w.method, w.params))
		i := p.Instance(t)
		got := i.Call(t, asked)
		if want := p.Post(t, asked); !bytes.Equal(got, want) || !bytes.Contains(got, []byte(w.want)) {
			t.Errorf("%s: the reactor answers %.300s, the process %.300s, want %s", w.name, got, want, w.want)
		}
		t.Logf("%s: %d units of fuel, %d bytes", w.name, i.Fuel(), len(got))
		if i.Fuel() > fuel/100*85 {
			t.Errorf("%s: %d units of fuel, more than 85 %% of what service.yaml grants", w.name, i.Fuel())
		}
		i.Close(t)
	}
}

// BenchmarkWide is what the limits in service.yaml are measured by: the time of a fresh reactor and its fuel, and the time
// of the process.
func BenchmarkWide(b *testing.B) {
	p := servicetest.Start(b, ".")
	for _, w := range wide(b) {
		asked := string(request(b, w.method, w.params))
		b.Run("wasm/"+w.name, func(b *testing.B) {
			var used uint64
			for b.Loop() {
				i := p.Instance(b)
				i.Call(b, asked)
				used = i.Fuel()
				i.Close(b)
			}
			b.ReportMetric(float64(used), "fuel")
		})
		b.Run("linux/"+w.name, func(b *testing.B) {
			for b.Loop() {
				p.Post(b, asked)
			}
		})
	}
}

// BenchmarkSeal is the rate of sealing, in thousands of tries a second.
func BenchmarkSeal(b *testing.B) {
	p := servicetest.Start(b, ".")
	asked := string(request(b, "whisper_seal", wide(b)[0].params))
	kept := p.Instance(b)
	for name, ask := range map[string]func(){"linux": func() { p.Post(b, asked) }, "wasm": func() { kept.Call(b, asked) }} {
		b.Run(name, func(b *testing.B) {
			start := time.Now()
			for b.Loop() {
				ask()
			}
			b.ReportMetric(float64(b.N)*maxTries/1000/time.Since(start).Seconds(), "ktries/s")
		})
	}
}
