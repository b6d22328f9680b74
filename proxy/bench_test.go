package proxy

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// void takes an answer and keeps nothing.
type void struct{ h http.Header }

func (v void) Header() http.Header         { return v.h }
func (v void) Write(b []byte) (int, error) { return len(b), nil }
func (v void) WriteHeader(int)             {}

// BenchmarkProxy is what the proxy itself does for a request: all but HTTP and the call.
func BenchmarkProxy(b *testing.B) {
	for name, size := range map[string]int{"2KB": 2 << 10, "64KB": 64 << 10} {
		b.Run(name, func(b *testing.B) {
			answer := accepted(`"` + strings.Repeat("a", size) + `"`)
			p, caller := newProxy(b, answers(answer, nil), Config{Limits: Limits{Rate: Unlimited}})
			body := `{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"0x0000000000000000000000000000000000000001","data":"0x"},"latest"]}`
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("POST", "/3", nil)
				r.Body, r.ContentLength, r.Host, r.RemoteAddr = http.NoBody, int64(len(body)), "127.0.0.1:8645", "127.0.0.1:40000"
				r.Body = readCloser{strings.NewReader(body)}
				r.Header = http.Header{"Content-Type": {"application/json"}}
				p.ServeHTTP(void{make(http.Header)}, r)
				caller.calls, caller.wants = caller.calls[:0], caller.wants[:0]
			}
		})
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
