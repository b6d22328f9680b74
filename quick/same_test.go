package quick

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// tape is a connection on which everything has been said already.
type tape struct {
	net.Conn
	said   *strings.Reader
	closed chan struct{}
}

func (c *tape) Read(p []byte) (int, error)       { return c.said.Read(p) }
func (c *tape) Write(p []byte) (int, error)      { return len(p), nil }
func (c *tape) SetDeadline(time.Time) error      { return nil }
func (c *tape) SetReadDeadline(time.Time) error  { return nil }
func (c *tape) SetWriteDeadline(time.Time) error { return nil }
func (c *tape) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *tape) LocalAddr() net.Addr              { return &net.TCPAddr{} }

func (c *tape) Close() error {
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
	return nil
}

// seen is what a handler sees of a request. Of Pragma net/http makes more than was said.
func seen(method, path, host string, fields []string, body []byte, err error) string {
	fields = slices.DeleteFunc(fields, func(f string) bool { return strings.HasPrefix(f, "Cache-Control:") })
	slices.SortStableFunc(fields, func(a, b string) int {
		x, _, _ := strings.Cut(a, ":")
		y, _, _ := strings.Cut(b, ":")
		return strings.Compare(x, y)
	})
	return fmt.Sprintf("%s %q %q %q %q %t", method, path, host, fields, body, err == nil)
}

// play has a server serve what is said, and lists what its handlers saw.
func play(said string, serve func(net.Listener, http.Handler, quickly) error) (requests []string) {
	c := &tape{said: strings.NewReader(said), closed: make(chan struct{})}
	l := make(pipes)
	ran := make(chan error)
	slow := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var fields []string
		for name, values := range r.Header {
			for _, v := range values {
				fields = append(fields, name+":"+v)
			}
		}
		b, err := io.ReadAll(r.Body)
		requests = append(requests, seen(r.Method, r.URL.Path, r.Host, fields, b, err))
	})
	quick := func(r *Request) bool {
		var fields []string
		for _, f := range r.Fields {
			if name := textproto.CanonicalMIMEHeaderKey(f.Name); name != "Host" {
				fields = append(fields, name+":"+f.Value)
			}
		}
		requests = append(requests, seen("POST", r.Path, r.Host, fields, r.Body, nil))
		return respond(r, "")
	}
	go func() { ran <- serve(l, slow, quick) }()
	l <- c
	<-c.closed
	close(l)
	<-ran
	return requests
}

// same fails where a quick server's handlers see anything but what those of net/http's do.
func same(t *testing.T, said string) {
	synctest.Test(t, func(t *testing.T) {
		plain := play(said, func(l net.Listener, slow http.Handler, _ quickly) error {
			return (&http.Server{Handler: slow}).Serve(l)
		})
		got := play(said, func(l net.Listener, slow http.Handler, quick quickly) error {
			s := &Server{Handler: quick, Life: t.Context(), HTTP: &http.Server{
				Handler: slow, ReadHeaderTimeout: time.Second, IdleTimeout: time.Second, WriteTimeout: time.Second,
			}}
			return s.Serve(l)
		})
		if !slices.Equal(got, plain) {
			t.Errorf("%q:\n%q, want\n%q", said, got, plain)
		}
	})
}

// alike are requests of which it is not plain where they end, or whom they are for.
var alike = []string{
	post("/a", "", "b") + post("/c", "", "d"), post("/a", "A: 1\r\nA: 2\r\na:3\r\n", "b"), post("/a", "Content-Length: 1\r\n", "b"),
	post("/a", "Content-Length: 2\r\n", "b") + "c", post("/a", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n") + post("/c", "", "d"),
	post("/a", "Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), post("/a", "Transfer-Encoding: identity\r\n", "b"),
	post("/a", "transfer-encoding:\tchunked\r\n", "0\r\n\r\n"), post("/a", " folded: b\r\n", "c"), post("/a", "A: b\r\n\tc\r\n", "d"),
	post("/a", "A: b\x00\r\n", "c"), post("/a", "A: b\nContent-Length: 3\r\n", "cde"), post("/a", "A: \x7f\r\n", "b"), post("/a", ": b\r\n", "c"),
	post("/a", "A b: c\r\n", "d"), post("/a", "A\r\n", "b"), post("/a", "Host: there\r\n", "b"), post("/a", "Expect: 100-continue\r\n", "b"),
	post("/a", "Expect: more\r\n", "b"), post("/a", "Connection: close\r\n", "b") + post("/c", "", "d"),
	post("/a", "Connection: keep-alive\r\nConnection: close\r\n", "b") + post("/c", "", "d"), post("/a", "Connection: te\r\nTE: trailers\r\n", "b"),
	post("/a", "Trailer: A\r\n", "b"), post("http://there/a", "", "b"), post("//there/a", "", "b"), post("*", "", "b"), post("/a b", "", "c"),
	"POST /a HTTP/1.0\r\nHost: h\r\nContent-Length: 1\r\n\r\nb" + post("/c", "", "d"), "POST /a HTTP/1.1\nHost: h\nContent-Length: 1\n\nb",
	"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\nb", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 01\r\n\r\nb",
	"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\nb", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\nb",
	"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551617\r\n\r\nb", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\nb",
	"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999999999\r\n\r\nb", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\nb",
	"POST /a HTTP/1.1\r\nHost: h i\r\nContent-Length: 1\r\n\r\nb", "POST /a HTTP/1.1\r\nHost: h<\r\nContent-Length: 1\r\n\r\nb",
	"POST /a HTTP/1.1\r\nHost:\r\nContent-Length: 1\r\n\r\nb", "POST /a HTTP/1.1\r\nContent-Length: 1\r\n\r\nb",
	"POST /a HTTP/1.1\r\nHost: h\r\n\r\nb", "\r\n" + post("/a", "", "b"), post("/a", "", "b") + "\r\n" + post("/c", "", "d"),
	"POST  /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nb", "post /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nb",
	"POST /a HTTP/1.2\r\nHost: h\r\nContent-Length: 1\r\n\r\nb", "GET /a HTTP/1.1\r\nHost: h\r\n\r\n" + post("/c", "", "d"),
	post("/a", "", strings.Repeat("b", room)) + post("/c", "", "d"), post("/a", "", "b") + post("/c", "", "d")[:20],
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", post("/a", "Connection: upgrade\r\nUpgrade: websocket\r\n", "b"), post("/a", "Upgrade: h2c\r\n", "b"),
	post("/a", "", "b") + "\r\n\r\n\r\n" + post("/c", "", "d"), post("/a", "", "b") + "\n\n\n" + post("/c", "", "d"),
	"POST / HTTP/1.1\r\n\r\n\r\nHost: h\r\nContent-Length: 1\r\n\r\nb",
}

// Handlers see the same requests as those of net/http's server, from the same bytes.
func TestSameAsNetHTTP(t *testing.T) {
	for _, said := range alike {
		same(t, said)
	}
}

func FuzzSameAsNetHTTP(f *testing.F) {
	for _, said := range alike {
		f.Add(said)
	}
	f.Fuzz(same)
}
