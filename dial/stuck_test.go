package dial

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// Who takes nothing of what is sent to him holds up nobody beyond the end of the context, under TLS neither.
func TestPostToWhoTakesNothing(t *testing.T) {
	s := httptest.NewTLSServer(nil)
	s.Close()
	synctest.Test(t, func(t *testing.T) {
		l := newLean(dialer(true))
		l.tls = &tls.Config{RootCAs: x509.NewCertPool(), NextProtos: []string{"http/1.1"}, Time: func() time.Time { return s.Certificate().NotBefore }}
		l.tls.RootCAs.AddCert(s.Certificate())
		ours, theirs := net.Pipe()
		defer theirs.Close()
		l.dial = func(context.Context, string, string) (net.Conn, error) { return pipe{ours}, nil }
		go tls.Server(theirs, s.TLS).Handshake()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := l.Post(ctx, target(t, "https://example.com", "/"), make([]byte, 1<<20))
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// pipe is one at an address.
type pipe struct{ net.Conn }

func (pipe) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443} }

// script is a connection on which is said what stands there, and where writing ends with an error.
type script struct {
	net.Conn
	said  []string // in as many pieces
	takes int      // so many writes
	why   error
	ended bool
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.said) == 0 {
		return 0, cmp.Or(s.why, io.EOF)
	}
	n := copy(p, s.said[0])
	s.said = s.said[1:]
	return n, nil
}

func (s *script) Write(p []byte) (int, error) {
	if s.takes--; s.takes < 0 {
		return 0, &net.OpError{Op: "write", Err: s.why}
	}
	return len(p), nil
}

func (*script) SetDeadline(time.Time) error { return nil }
func (*script) RemoteAddr() net.Addr        { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }
func (s *script) Close() error              { s.ended = true; return nil }

// A request is sent again where a connection that was kept had ended, and only there; and what a server said before it took all of a
// request is its answer.
func TestPostWhereTheOtherEndIsGone(t *testing.T) {
	const fine, busy = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1", "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"
	for _, c := range []struct {
		name    string
		scripts []*script
		second  int // code of the second exchange, 0 for an error
		made    int
	}{
		{"closed", []*script{{said: []string{fine}, takes: 2}, {said: []string{busy}, takes: 9}}, 429, 2},
		{"reset in reading", []*script{{said: []string{fine}, takes: 2, why: syscall.ECONNRESET}, {said: []string{fine}, takes: 9}}, 200, 2},
		{"reset in writing", []*script{{said: []string{fine}, takes: 1, why: syscall.EPIPE}, {said: []string{fine}, takes: 9}}, 200, 2},
		{"timed out", []*script{{said: []string{fine}, takes: 1, why: os.ErrDeadlineExceeded}}, 0, 1},
		{"once", []*script{{said: []string{fine}, takes: 2}, {said: nil, takes: 9}}, 0, 2},
		{"half an answer", []*script{{said: []string{fine, "HTTP"}, takes: 2}}, 0, 1},
		{"early answer", []*script{{said: []string{fine, busy}, takes: 1, why: syscall.ECONNRESET}}, 429, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLean(dialer(true))
			made := 0
			l.dial = func(context.Context, string, string) (net.Conn, error) {
				made++
				return c.scripts[made-1], nil
			}
			at := target(t, "http://example.com", "/")
			for _, want := range []int{http.StatusOK, c.second} {
				code := 0
				p, err := l.Post(t.Context(), at, []byte("{}"))
				if err == nil {
					code = p.Code
					err = p.ReadBody(new(bytes.Buffer), 10)
					p.Close()
				}
				if code != want || (err == nil) != (want > 0) {
					t.Errorf("%d, %v; want %d", code, err, want)
				}
			}
			if made != c.made {
				t.Errorf("%d connections, want %d", made, c.made)
			}
			if c.name == "early answer" && !c.scripts[0].ended {
				t.Error("a connection is kept on which a request was cut")
			}
		})
	}
}
