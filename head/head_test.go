package head

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	const line = "HTTP/1.1 200 OK\r\n"
	for _, c := range []struct {
		head   string
		length int64 // -1 for one that is not taken
	}{
		{"Content-Length: 5\r\n\r\n", 5},
		{"content-length:5\r\nA: b c\r\n\r\nbody", 5},
		{"Content-Length:  007 \r\nConnection: Keep-Alive\r\n\r\n", 7},
		{"Content-Length: 999999999999999\r\n\r\n", 999999999999999},
		{"Content-Length: 5\r\nA:\r\nUpgraded: x\r\nTe-e: x\r\n\r\n", 5},
		{"Content-Length: 9999999999999999\r\n\r\n", -1},
		{"Content-Length: 5\r\n", -1},
		{"Content-Length: 5\n\n", -1},
		{"\r\n", -1}, {"", -1},
		{"A: b\r\n\r\n", -1},
		{"Content-Length:\r\n\r\n", -1}, {"Content-Length: +5\r\n\r\n", -1}, {"Content-Length: 5, 5\r\n\r\n", -1}, {"Content-Length: -1\r\n\r\n", -1},
		{"Content-Length: 5\r\nContent-Length: 5\r\n\r\n", -1},
		{"Content-Length : 5\r\n\r\n", -1},
		{"Content-Length: 5\r\n A: b\r\n\r\n", -1}, {"Content-Length: 5\r\n: b\r\n\r\n", -1}, {"Content-Length: 5\r\nA\r\n\r\n", -1},
		{"Content-Length: 5\r\nA: \x00\r\n\r\n", -1}, {"Content-Length: 5\r\nA: \t\r\n\r\n", -1}, {"Content-Length: 5\r\nA: ä\r\n\r\n", -1},
		{"Content-Length: 5\r\nA: b\nContent-Length: 6\r\n\r\n", -1}, {"Content-Length: 5\r\nA_: b\r\n\r\n", -1},
		{"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", -1}, {"Content-Length: 5\r\nConnection: close\r\n\r\n", -1},
		{"Content-Length: 5\r\ntrailer: a\r\n\r\n", -1}, {"Content-Length: 5\r\nUPGRADE: a\r\n\r\n", -1}, {"Content-Length: 5\r\nTe: a\r\n\r\n", -1},
		{"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", -1},
	} {
		h, ok := Read([]byte(line+c.head), nil)
		if ok != (c.length >= 0) || ok && (h.Length != c.length || h.Line+"\r\n" != line) {
			t.Errorf("%q: %+v, %t", c.head, h, ok)
		}
	}
}

func TestGet(t *testing.T) {
	h, _ := Read([]byte("x\r\nA: 1\r\nb: 2\r\na: 3\r\nContent-Length: 0\r\n\r\n"), nil)
	for name, want := range map[string]struct {
		value string
		count int
	}{"a": {"1", 2}, "B": {"2", 1}, "C": {}, "content-length": {"0", 1}} {
		if v, n := h.Fields.Get(name); v != want.value || n != want.count {
			t.Errorf("%s: %q, %d", name, v, n)
		}
	}
}

// What is taken means what net/http says it means, both of a request and of a response.
func FuzzRead(f *testing.F) {
	f.Add("Content-Length: 3\r\nA: b\r\nConnection: keep-alive\r\nA:  c \r\n\r\nabcd")
	f.Fuzz(func(t *testing.T, rest string) {
		h, ok := Read([]byte("HTTP/1.1 200 OK\r\n"+rest), make(Fields, 0, 4))
		if !ok || strings.Contains(strings.ToLower(rest), "pragma") { // of which net/http makes another field
			return
		}
		resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader("HTTP/1.1 200 OK\r\n"+rest)), &http.Request{Method: "POST"})
		if err != nil || resp.ContentLength != h.Length || resp.Close || len(resp.TransferEncoding) > 0 {
			t.Fatalf("%q: %+v, net/http has %+v, %v", rest, h, resp, err)
		}
		same(t, h, resp.Header)
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("POST /x HTTP/1.1\r\nHost: a\r\n" + rest)))
		if strings.Contains(strings.ToLower(rest), "host:") {
			return // a second one
		}
		if err != nil || r.ContentLength != h.Length || r.Close || len(r.TransferEncoding) > 0 {
			t.Fatalf("%q: %+v, net/http has %+v, %v", rest, h, r, err)
		}
		same(t, h, r.Header)
		body, _ := io.ReadAll(r.Body)
		if after := []byte("HTTP/1.1 200 OK\r\n" + rest)[h.Size:]; !bytes.HasPrefix(after, body) || int64(len(body)) != min(h.Length, int64(len(after))) {
			t.Errorf("%q: the body is %q", rest, body)
		}
	})
}

func same(t *testing.T, h Head, header http.Header) {
	count := 0
	for name, values := range header {
		count += len(values)
		if v, n := h.Fields.Get(name); v != values[0] || n != len(values) {
			t.Errorf("%s is %q, %d times, net/http has %q", name, v, n, values)
		}
	}
	if count != len(h.Fields) {
		t.Errorf("%d fields, net/http has %d", len(h.Fields), count)
	}
}
