package dial

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

func target(t *testing.T, base, path string) *Target {
	t.Helper()
	u, err := url.Parse(base + path)
	if err != nil {
		t.Fatal(err)
	}
	at, err := NewTarget(u)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// raw answers every connection's requests with the same bytes, and ends it after one.
func raw(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			r, err := http.ReadRequest(bufio.NewReader(conn))
			if err == nil {
				_, _ = io.Copy(io.Discard, r.Body)
				_, _ = io.WriteString(conn, answer)
			}
			conn.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

// outcome is all that a caller sees of a response.
type outcome struct {
	code      int
	status    string
	a, length string
	body, err string
}

const most = 100 // bytes of body

func posted(l *lean, at *Target) (o outcome) {
	p, err := l.Post(context.Background(), at, []byte("{}"))
	if err != nil {
		return outcome{err: err.Error()}
	}
	defer p.Close()
	o.code, o.status = p.Code, p.Status
	v, n := p.Header("A")
	o.a = fmt.Sprint(v, n)
	v, n = p.Header("Content-Length")
	o.length = fmt.Sprint(p.Length, v, n)
	var b bytes.Buffer
	if err := p.ReadBody(&b, most); err != nil {
		return outcome{err: err.Error()}
	}
	o.body = b.String()
	return o
}

func roundTripped(l *lean, at *Target) (o outcome) {
	r, _ := http.NewRequest(http.MethodPost, at.URL().String(), strings.NewReader("{}"))
	resp, err := l.RoundTrip(r)
	if err != nil {
		return outcome{err: err.Error()}
	}
	defer resp.Body.Close()
	value := func(name string) string { return fmt.Sprint(resp.Header.Get(name), len(resp.Header.Values(name))) }
	o = outcome{code: resp.StatusCode, status: resp.Status, a: value("A"), length: fmt.Sprint(resp.ContentLength) + value("Content-Length")}
	b, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return outcome{err: err.Error()}
	}
	o.body = string(b)
	return o
}

// Whatever a peer answers, it is to Post what it is to RoundTrip.
func TestPostIsARoundTrip(t *testing.T) {
	const plain = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
	for _, answer := range []string{
		plain + "\r\nabc", plain + "a: 1\r\nA: 2\r\n\r\nabc", plain + "\r\nabcd", plain + "\r\nab", plain + "\r\n", plain, plain + "A: \xff\r\n\r\nabc",
		plain + "Connection: close\r\n\r\nabc", plain + "Connection: keep-alive\r\n\r\nabc", plain + "Content-Length: 3\r\n\r\nabc",
		plain + "Content-Length: 4\r\n\r\nabcd", plain + "A : 1\r\n\r\nabc", plain + "A: 1\r\n 2\r\n\r\nabc", plain + "\nabc", plain + "A\r\n\r\nabc",
		plain + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", plain + "Transfer-Encoding: x\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
		"HTTP/1.1 200 OK\r\n\r\nabc", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 200 Fine\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc", "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\n\r\n" + plain + "\r\nabc", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 10),
		"HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n" + strings.Repeat("x", 200),
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc", "HTTP/1.1 200 OK\r\nContent-Length: 999999999999999\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + strings.Repeat("x", 100), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		plain + "B: " + strings.Repeat("x", 5000) + "\r\n\r\nabc", plain + strings.Repeat("B: x\r\n", 1000) + "\r\nabc",
		plain + "B: " + strings.Repeat("x", MaxHeader) + "\r\n\r\nabc", "SSH-2.0-OpenSSH\r\n", "",
	} {
		base := raw(t, answer)
		at := target(t, base, "/x")
		got, want := posted(newLean(dialer(true)), at), roundTripped(newLean(dialer(true)), at)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%.90q:\n%+v, want\n%+v", answer, got, want)
		}
	}
}

// One connection does for posts and others, as long as what came on it was read to its end and nothing else did.
func TestPostUsesConnectionsAgain(t *testing.T) {
	s, made := counted(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if len(r.Header) != 3 || r.Header.Get("Accept") != "application/json" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("it got %v", r.Header)
		}
		if r.URL.Path == "/chunks" {
			w.(http.Flusher).Flush()
		}
		_, _ = w.Write(b)
	})
	l := newLean(dialer(true))
	defer l.CloseIdleConnections()
	for i, path := range []string{"/", "/chunks", "/x", "/x"} {
		p, err := l.Post(t.Context(), target(t, s.URL, path), []byte(`{"a":1}`))
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := p.ReadBody(&b, 7+int64(i)); err != nil || b.String() != `{"a":1}` {
			t.Errorf("%s: %q, %v", path, b.String(), err)
		}
		p.Close()
		p.Close()
	}
	want := int32(1)
	if n := made.Load(); n != want {
		t.Errorf("%d connections were made, want %d", n, want)
	}
	for _, read := range []int64{0, 3} { // of seven
		p, err := l.Post(t.Context(), target(t, s.URL, "/"), []byte(`{"a":1}`))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.ReadBody(new(bytes.Buffer), read); err != nil {
			t.Error(err)
		}
		p.Close()
	}
	if n := made.Load(); n != want+1 {
		t.Errorf("%d connections were made; want another after one on which something was left", n)
	}
}

func TestPostEndsWithItsContext(t *testing.T) {
	why := errors.New("nobody waits any more")
	for _, place := range []string{"/header", "/body"} {
		left := make(chan struct{})
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if r.URL.Path == "/body" {
				w.Header().Set("Content-Length", "5")
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
			close(left)
		}))
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(20*time.Millisecond, func() { cancel(why) })
		p, err := newLean(dialer(true)).Post(ctx, target(t, s.URL, place), []byte("{}"))
		if err == nil {
			err = p.ReadBody(new(bytes.Buffer), 10)
			p.Close()
		}
		if !errors.Is(err, why) {
			t.Errorf("in the %s: %v", place, err)
		}
		<-left
		s.Close()
	}
}

func TestTargets(t *testing.T) {
	for raw, ok := range map[string]bool{
		"http://a": true, "https://a.example:8/x/y": true, "http://[::1]:8/x": true, "http://": false, "http:x": false, "http://a b": false,
		"http://a\x7f": false, "http://ä": false,
	} {
		u, err := url.Parse(raw)
		if err == nil {
			_, err = NewTarget(u)
		}
		if (err == nil) != ok {
			t.Errorf("%q: %v", raw, err)
		}
	}
	if _, err := newLean(dialer(true)).Post(t.Context(), target(t, "ftp://a", "/"), nil); !errors.Is(err, ErrURL) {
		t.Errorf("another scheme: %v", err)
	}
	if _, err := newLean(dialer(false)).Post(t.Context(), target(t, "http://127.0.0.1:1", "/"), nil); !errors.Is(err, ErrAddress) {
		t.Errorf("no public address: %v", err)
	}
}
