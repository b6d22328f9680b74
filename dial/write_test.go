package dial

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// What is written by hand reads as what net/http writes.
func TestLeanWritesRequestsAsNetHTTPDoes(t *testing.T) {
	for name, c := range map[string]struct {
		method, url, body string
		change            func(*http.Request)
		plain             bool
	}{
		"get":        {method: "GET", url: "http://a.example/x?y=%20z", plain: true},
		"root":       {method: "GET", url: "http://a.example:8080", plain: true},
		"post":       {method: "POST", url: "http://[::1]:80/x", body: "body", plain: true},
		"large":      {method: "POST", url: "http://a.example/x", body: strings.Repeat("b", 100_000), plain: true},
		"odd header": {method: "POST", url: "http://a.example/x", body: "b", plain: true, change: func(r *http.Request) { r.Header.Set("X", "a\r\nInjected: b") }},
		"no body":    {method: "POST", url: "http://a.example/x"},
		"unknown":    {method: "POST", url: "http://a.example/x", body: "b", change: func(r *http.Request) { r.ContentLength = -1 }},
		"other":      {method: "PUT", url: "http://a.example/x", body: "b"},
		"host":       {method: "GET", url: "http://a.example/x", change: func(r *http.Request) { r.Host = "b.example" }},
		"close":      {method: "GET", url: "http://a.example/x", change: func(r *http.Request) { r.Close = true }},
		"length":     {method: "POST", url: "http://a.example/x", body: "b", change: func(r *http.Request) { r.Header.Set("Content-Length", "7") }},
	} {
		t.Run(name, func(t *testing.T) {
			request := func() *http.Request {
				r, err := http.NewRequest(c.method, c.url, strings.NewReader(c.body))
				if err != nil {
					t.Fatal(err)
				}
				if c.body == "" {
					r, _ = http.NewRequest(c.method, c.url, nil)
				}
				r.Header.Set("Accept", "application/json")
				if c.change != nil {
					c.change(r)
				}
				return r
			}
			var got, want strings.Builder
			if err := (&wire{out: bufio.NewWriter(&got)}).write(request()); err != nil {
				t.Fatal(err)
			}
			if err := named(request()).Write(&want); err != nil {
				t.Fatal(err)
			}
			if a, b := lines(got.String()), lines(want.String()); a != b || plainRequest(request()) != c.plain {
				t.Errorf("writes\n%.300s\nwant\n%.300s", a, b)
			}
		})
	}
}

// A query that would begin a header, or another request, goes nowhere.
func TestLeanWritesOneRequest(t *testing.T) {
	r, err := http.NewRequest(http.MethodGet, "http://a.example/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.RawQuery = "a HTTP/1.1\r\nInjected: b"
	var got strings.Builder
	if err := (&wire{out: bufio.NewWriter(&got)}).write(r); err == nil || got.Len() > 0 {
		t.Errorf("writes %q, %v", &got, err)
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

// A body is closed in any case, also where nothing of it was sent.
func TestLeanClosesBodies(t *testing.T) {
	s, made := counted(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	lean := Lean(true)
	ended, end := context.WithCancel(t.Context())
	end()
	for i, ctx := range []context.Context{t.Context(), ended, ended} { // over a new connection, a kept one, and none
		body := &closing{Reader: strings.NewReader("x")}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, body)
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = 1
		resp, err := lean.RoundTrip(r)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
		}
		if (err == nil) != (i == 0) || !body.closed || made.Load() != 1 {
			t.Errorf("%d: %v, closed: %t, %d connections", i, err, body.closed, made.Load())
		}
	}
}

// lines sorts those of a header.
func lines(s string) string {
	head, body, _ := strings.Cut(s, "\r\n\r\n")
	list := strings.Split(head, "\r\n")
	slices.Sort(list[1:])
	return strings.Join(list, "\n") + "\n\n" + body
}

// BenchmarkTransports compares what an exchange of 2 KB takes, the server's part in it included.
func BenchmarkTransports(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Length", "2048")
		_, _ = w.Write(make([]byte, 2048))
	}))
	defer s.Close()
	for _, c := range []struct {
		name string
		http.RoundTripper
	}{{"net/http", Transport(true)}, {"lean", Lean(true)}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, s.URL, strings.NewReader("request"))
				if err != nil {
					b.Fatal(err)
				}
				resp, err := c.RoundTrip(r)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
	}
}
