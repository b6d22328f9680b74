package content

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// Who takes a CAR slowly, but at the rate that a Fetcher asks for, gets all of it, from a server with a short limit for everything
// else; who takes none of it is cut off.
func TestHandlerGivesCARsTheirTime(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	const size = 3<<20 + 1
	c, _, err := s.Add(bytes.NewReader(make([]byte, size)), MaxFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct {
		pause time.Duration // for each quarter of a MiB
		whole bool
	}{{2 * time.Second, true}, {time.Minute, false}} {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			server := &http.Server{Handler: Handler(s), WriteTimeout: time.Second}
			go server.Serve(&once{near, make(chan struct{}, 1)})
			if _, err := io.WriteString(far, "GET /ipfs/"+string(c)+"?format=car&car-dups=y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			total, err := 0, error(nil)
			for b := make([]byte, MaxBlock/4); err == nil; time.Sleep(v.pause) {
				var n int
				n, err = io.ReadFull(far, b)
				total += n
			}
			if (total > size) != v.whole {
				t.Errorf("with a pause of %v %d bytes of head and CAR came: %v", v.pause, total, err)
			}
			server.Close()
			far.Close()
		})
	}
}

// once accepts one connection, and then waits to be closed.
type once struct {
	conn net.Conn
	open chan struct{}
}

func (o *once) Accept() (net.Conn, error) {
	if c := o.conn; c != nil {
		o.conn = nil
		return c, nil
	}
	<-o.open
	return nil, net.ErrClosed
}

func (o *once) Close() error   { close(o.open); return nil }
func (o *once) Addr() net.Addr { return &net.TCPAddr{} }
