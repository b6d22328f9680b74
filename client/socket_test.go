package client

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// socket is a member of a network at the end of a wire. What comes in is kept to the byte.
type socket struct {
	n *network
	m *member

	// instead, where it is set, answers a request in place of the member, with whatever bytes: head has the lines of the header
	// that the member would send, body its body. The connection is closed after it.
	instead func(c net.Conn, r *http.Request, head, body string) (taken bool)

	mu    sync.Mutex
	seen  [][]string // requests, to the byte, by connection
	group sync.WaitGroup
}

// onSockets puts every member of a network on a loopback socket of its own. A client needs no transport of the test's then.
func (n *network) onSockets() (sockets []*socket) {
	for _, m := range n.members {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			n.t.Fatal(err)
		}
		s := &socket{n: n, m: m}
		m.base = "http://" + l.Addr().String()
		s.group.Go(func() { s.accept(l) })
		n.t.Cleanup(func() {
			l.Close()
			s.group.Wait()
		})
		sockets = append(sockets, s)
	}
	return sockets
}

// loopback is the option for a client whose requests go over real wires.
func loopback() Option { return WithTransport(nil) }

func (s *socket) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s.group.Go(func() { s.serve(c) })
	}
}

// serve answers what comes over one connection.
func (s *socket) serve(c net.Conn) {
	defer c.Close()
	s.mu.Lock()
	number := len(s.seen)
	s.seen = append(s.seen, nil)
	s.mu.Unlock()
	var raw bytes.Buffer
	in := bufio.NewReader(io.TeeReader(c, &raw))
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.seen[number] = append(s.seen[number], raw.String())
		instead := s.instead
		s.mu.Unlock()
		raw.Reset()
		r.Body = io.NopCloser(bytes.NewReader(body))
		w := httptest.NewRecorder()
		s.n.handle(s.m, w, r)
		if instead != nil && instead(c, r, head(w.Header()), w.Body.String()) {
			return
		}
		resp := w.Result()
		resp.ContentLength = int64(w.Body.Len())
		if resp.Write(c) != nil {
			return
		}
	}
}

func head(h http.Header) string {
	var b strings.Builder
	h.WriteSubset(&b, map[string]bool{"Content-Length": true})
	return b.String()
}

// misbehave has the socket answer in this way, or in the member's again where f is nil.
func (s *socket) misbehave(f func(c net.Conn, r *http.Request, head, body string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.instead = f
}

// transcript lists what came in, by connection.
func (s *socket) transcript() (seen [][]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, requests := range s.seen {
		seen = append(seen, append([]string(nil), requests...))
	}
	return seen
}

// posted lists the requests to the service that came in.
func (s *socket) posted() (list []string) {
	for _, requests := range s.transcript() {
		for _, r := range requests {
			if strings.HasPrefix(r, "POST /v1/services/") {
				list = append(list, r)
			}
		}
	}
	return list
}

// piped is a transport to the members over wires in memory, for tests in which time is not real.
func (n *network) piped() (*http.Transport, []*socket) {
	var sockets []*socket
	for _, m := range n.members {
		sockets = append(sockets, &socket{n: n, m: m})
	}
	return &http.Transport{
		DisableCompression: true,
		DialContext: func(_ context.Context, _, address string) (net.Conn, error) {
			for _, s := range sockets {
				if fmt.Sprintf("s%d.test:80", s.m.id) == address {
					near, far := net.Pipe()
					go s.serve(far)
					return near, nil
				}
			}
			return nil, fmt.Errorf("no such host: %s", address)
		},
	}, sockets
}

// Members on sockets answer like those in memory.
func TestSockets(t *testing.T) {
	n := newNetwork(t, 3, "compare")
	sockets := n.onSockets()
	c, _ := n.client(1, loopback())
	for range 3 {
		call(t, c)
	}
	for _, s := range sockets {
		if len(s.posted()) != 3 {
			t.Errorf("server %d was asked %d times, want 3: a stranger's first calls go to three", s.m.id, len(s.posted()))
		}
	}
}
