//go:build !wasip1

package service

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"barnraise/jsonrpc"
)

// Protocol 2.2: POST / takes one JSON-RPC request, GET /readyz answers 2xx, everything else is refused.
func TestEndpoint(t *testing.T) {
	var talk strings.Builder
	server := httptest.NewServer(sampleService().endpoint(&talk))
	defer server.Close()
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"call", "POST", "/", `{"jsonrpc":"2.0","id":1,"method":"none"}`, 200, `{"jsonrpc":"2.0","id":1,"result":{"list":[],"map":{}}}`},
		{"error of the service", "POST", "/", `{}`, 200, noID(-32600, "not a JSON-RPC 2.0 message")},
		{"nothing", "POST", "/", ``, 200, noID(-32700, "not strict JSON")},
		{"panic", "POST", "/", `{"jsonrpc":"2.0","id":1,"method":"panic"}`, 200, broken},
		{"too long", "POST", "/", strings.Repeat(" ", MaxRequest+1), 413, "requests have at most 8388608 bytes\n"},
		{"ready", "GET", "/readyz", "", 200, "ready\n"},
		{"another method", "GET", "/", "", 405, "Method Not Allowed\n"},
		{"another path", "POST", "/v1", "", 404, "404 page not found\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			request, err := http.NewRequest(c.method, server.URL+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			got, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != c.status || string(got) != c.want {
				t.Errorf("%d %q, %v, want %d %q", response.StatusCode, got, err, c.status, c.want)
			}
			if c.method == "POST" && c.status == 200 && response.Header.Get("Content-Type") != "application/json" {
				t.Errorf("content type is %q", response.Header.Get("Content-Type"))
			}
		})
	}
	if !strings.Contains(talk.String(), "sample: call panic: panic: ") {
		t.Errorf("the operator is told %q, and nothing of the panic", talk.String())
	}
}

func TestEndpointBodyCutShort(t *testing.T) {
	response := httptest.NewRecorder()
	body := io.MultiReader(strings.NewReader(`{"jsonrpc"`), failing{})
	sampleService().endpoint(io.Discard).ServeHTTP(response, httptest.NewRequest("POST", "/", body))
	if response.Code != http.StatusBadRequest {
		t.Errorf("answered %d, want 400", response.Code)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestServeSaysWhyNot(t *testing.T) {
	leave, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, port := range []string{"http", "65536", "-1", "80 80"} {
		if err := sampleService().serve(leave, port, io.Discard); err == nil || !strings.Contains(err.Error(), "set it to a number") {
			t.Errorf("port %q: error is %v, want a hint", port, err)
		}
	}
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(taken.URL, "http://"), ":")
	if err := sampleService().serve(leave, port, io.Discard); err == nil || !strings.Contains(err.Error(), "set PORT to a port that is free") {
		t.Errorf("error is %v, want a hint", err)
	}
}

func BenchmarkHandle(b *testing.B) {
	s := New("sample", "{}", Method("search", func(p sample) (sample, *jsonrpc.Error) { return p, nil }))
	request := []byte(bad(`{"q":"copy until end of file","k":10}`))
	b.ReportAllocs()
	for b.Loop() {
		if !bytes.Contains(s.Handle(request), []byte(`"result"`)) {
			b.Fatal("no result")
		}
	}
}
