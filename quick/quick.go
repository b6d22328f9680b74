// Package quick serves short posts over HTTP/1.1 with less work than net/http's server does, and leaves all others to it.
//
// A connection is quick for as long as what comes in is plain: a POST whose head and body are there at once, and fit, in a form that
// package head takes. As soon as anything else comes the connection goes over to net/http's server, for good, with every byte of it.
// So slow and hostile callers meet no other server than ever, and nothing has to be said here of what HTTP can be beside that.
package quick

import (
	"context"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Handler answers requests. It is safe for concurrent use.
type Handler interface {
	// Quick answers a request by [Request.Reply], or reports that it will not: then net/http's server gets the connection, with the
	// request.
	Quick(r *Request) (answered bool)
}

// Server serves a listener. HTTP is the server for all that is not plain; its handler has to answer what Handler does, and its bounds
// of time hold for whatever comes to it. Quick connections are bounded by its times for the first header, between two requests, and
// for an answer, which have to be set, though perhaps up to twice as long.
type Server struct {
	HTTP    *http.Server
	Handler Handler
	Life    context.Context // the contexts of requests end with it

	mu     sync.Mutex
	conns  map[*conn]struct{}
	over   atomic.Bool
	now    atomic.Pointer[date]
	served sync.WaitGroup
}

// Serve takes connections until the listener fails, or the server is shut down, and says why. It closes the listener.
func (s *Server) Serve(l net.Listener) error {
	rest := &handed{Listener: l, conns: make(chan net.Conn), closed: make(chan struct{})}
	var group sync.WaitGroup
	group.Go(func() { rest.failed(s.accept(l, rest)) })
	defer group.Wait()
	return s.HTTP.Serve(rest)
}

func (s *Server) accept(l net.Listener, rest *handed) error {
	for {
		c, err := l.Accept()
		if passing(err) {
			time.Sleep(pause)
			continue
		}
		if err != nil {
			return err
		}
		q := &conn{Conn: c, server: s, rest: rest}
		if !s.add(q) {
			c.Close()
			continue
		}
		go q.serve()
	}
}

// pause is how long is waited where there is no room for one more connection.
const pause = 20 * time.Millisecond

// passing reports whether a listener can go on after an error.
func passing(err error) bool {
	t, ok := err.(interface{ Temporary() bool })
	return ok && t.Temporary()
}

// date is the time for a head.
func (s *Server) date(now time.Time) string {
	d := s.now.Load()
	if d == nil || d.second != now.Unix() {
		d = &date{now.Unix(), now.UTC().Format(http.TimeFormat)}
		s.now.Store(d)
	}
	return d.text
}

// date is a time as heads have it.
type date struct {
	second int64
	text   string
}

// Shutdown closes idle connections, and waits until those in use are too, or ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	s.over.Store(true)
	s.mu.Lock()
	for c := range s.conns {
		if c.state.CompareAndSwap(idle, closed) {
			c.Conn.Close()
		}
	}
	s.mu.Unlock()
	err := s.HTTP.Shutdown(ctx) // closes the listener, so that nobody comes any more
	done := make(chan struct{})
	go func() {
		s.served.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		return ctx.Err()
	}
	return err
}

// Close closes all connections.
func (s *Server) Close() error {
	s.over.Store(true)
	s.mu.Lock()
	for c := range s.conns {
		c.Conn.Close()
	}
	s.mu.Unlock()
	return s.HTTP.Close()
}

// add counts a connection in, unless the server is over: nobody is added once Shutdown waits.
func (s *Server) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over.Load() {
		return false
	}
	if s.conns == nil {
		s.conns = make(map[*conn]struct{})
	}
	s.conns[c] = struct{}{}
	s.served.Add(1)
	return true
}

func (s *Server) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	s.served.Done()
}

// caught keeps a panic of the handler from ending the process, as net/http does.
func (s *Server) caught(c *conn) {
	if v := recover(); v != nil && v != http.ErrAbortHandler {
		if s.HTTP.ErrorLog != nil {
			s.HTTP.ErrorLog.Printf("panic serving %v: %v\n%s", c.RemoteAddr(), v, debug.Stack())
		}
	}
}

// handed is a listener of connections that are handed over.
type handed struct {
	net.Listener
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
	err    error // once it is closed
}

// Accept returns the next one.
func (h *handed) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, h.err
	}
}

// Close closes the listener.
func (h *handed) Close() error {
	err := h.Listener.Close()
	h.failed(net.ErrClosed)
	return err
}

func (h *handed) failed(err error) {
	h.once.Do(func() {
		h.err = err
		close(h.closed)
	})
}

// over hands a connection over, with what has been read of it.
func (h *handed) over(c net.Conn, read []byte) {
	select {
	case h.conns <- &resumed{c, read}:
	case <-h.closed:
		c.Close()
	}
}

// resumed is a connection of which something has been read.
type resumed struct {
	net.Conn
	read []byte
}

func (c *resumed) Read(p []byte) (int, error) {
	if len(c.read) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.read)
	c.read = c.read[n:]
	return n, nil
}

// CloseWrite tells the peer that nothing more comes, where the connection can.
func (c *resumed) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

// The states of a connection.
const (
	idle = iota
	busy
	closed
)

// long is how far off a bound of time is put, if it has to be at least so far: so it need not be moved for each request.
func long(least time.Duration) time.Duration { return 2 * least }
