package dial

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http/httptest"
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
