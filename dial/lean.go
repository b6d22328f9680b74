package dial

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"barnraise/until"
)

// Lean is like [Transport] with less work for short exchanges: the request is written and the response read where the call
// is made, instead of by two goroutines of each connection. What is written and read is what net/http writes and reads.
//
// The same addresses are refused with [ErrAddress], at the same place, and the same bounds hold. A request is written whole before
// its answer is read, and is sent once: where a connection that was kept turns out to have ended, the round trip fails, unless that
// shows before anything is written. Trailers, upgrades and traces are not for it.
func Lean(private bool) http.RoundTripper { return newLean(dialer(private)) }

func newLean(d *net.Dialer) *lean {
	return &lean{dial: d.DialContext, tls: &tls.Config{NextProtos: []string{"http/1.1"}}, pool: newPool()}
}

// maxInterim is how many responses before the final one are passed over.
const maxInterim = 5

type lean struct {
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	tls     *tls.Config
	reached sync.Map // netip.Addr by host, as it stands in URLs
	*pool
}

// Reached is the address at which a host was connected to last, false where it never was. The host is written as in a URL, with
// its port if it has one.
func (t *lean) Reached(host string) (netip.Addr, bool) {
	a, ok := t.reached.Load(host)
	if !ok {
		return netip.Addr{}, false
	}
	return a.(netip.Addr), true
}

// CloseIdleConnections ends what is kept.
func (t *lean) CloseIdleConnections() { t.closeIdle(time.Now().Add(idleTimeout)) }

// RoundTrip sends a request and returns with the response's header. The body must be read to its end, or closed.
func (t *lean) RoundTrip(r *http.Request) (*http.Response, error) {
	w, err := t.wire(r.Context(), r.URL)
	if err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, fmt.Errorf("ask %.200s: %w", r.URL.Host, clipped(err))
	}
	w.watch.Watch(r.Context(), w)
	resp, err := w.exchange(r)
	if err != nil {
		w.end(false)
		if r.Body != nil {
			r.Body.Close() // it may not have come to writing
		}
		return nil, fmt.Errorf("ask %.200s: %w", r.URL.Host, clipped(reason(r.Context(), err)))
	}
	b := &body{ReadCloser: resp.Body, ctx: r.Context(), wire: w, again: !resp.Close && !r.Close}
	resp.Body = b
	if b.ReadCloser == http.NoBody {
		b.finish(b.again)
	}
	return resp, nil
}

// wire takes a connection that was kept, or makes one.
func (t *lean) wire(ctx context.Context, u *url.URL) (*wire, error) {
	at := place{u.Scheme, u.Host}
	for w := t.take(at); w != nil; w = t.take(at) {
		if w.quiet() {
			return w, nil
		}
		w.close()
	}
	return t.connect(ctx, u, at)
}

func (t *lean) connect(ctx context.Context, u *url.URL, at place) (*wire, error) {
	port, known := map[string]string{"http": "80", "https": "443"}[at.scheme]
	if !known || u.Hostname() == "" {
		return nil, fmt.Errorf("%.80q is no address of a server: %w", u, ErrURL)
	}
	ctx, cancel := context.WithTimeout(ctx, ConnectTimeout)
	defer cancel()
	conn, err := t.dial(ctx, "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port)))
	if err != nil {
		return nil, err
	}
	if a, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
		t.reached.Store(at.host, a.Addr().Unmap())
	}
	w := &wire{at: at, pool: t.pool, bare: conn, conn: conn}
	if at.scheme == "https" {
		config := t.tls.Clone()
		config.ServerName = u.Hostname()
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		w.conn = secure
	}
	w.in, w.out = bufio.NewReader(w), bufio.NewWriter(w.conn)
	return w, nil
}

// wire is a connection, in use or kept.
type wire struct {
	at   place
	pool *pool
	bare net.Conn        // below TLS
	raw  syscall.RawConn // of bare, once it was looked at

	probe func(uintptr) bool // looks at it
	open  bool               // what it saw
	one   [1]byte            // that it needs

	conn net.Conn
	in   *bufio.Reader
	out  *bufio.Writer
	left int64 // bytes that may still come

	watch until.Hook // of the context of the exchange under way

	since          time.Time // when it was kept
	before, behind *wire     // while it is
}

// Ended has reading and writing fail at once.
func (w *wire) Ended() { _ = w.conn.SetDeadline(time.Unix(1, 0)) }

var errHeader = errors.New("its header is too long, or it does not come to the point")

// Read reads what the peer sends, in the header no more than may come.
func (w *wire) Read(p []byte) (int, error) {
	if w.left <= 0 {
		return 0, errHeader
	}
	n, err := w.conn.Read(p[:min(int64(len(p)), w.left)])
	w.left -= int64(n)
	return n, err
}

// exchange writes a request and reads the header of the response.
func (w *wire) exchange(r *http.Request) (*http.Response, error) {
	bounded, err := w.begin(r.Context())
	if err != nil {
		return nil, err
	}
	if err := w.write(r); err != nil {
		return nil, err
	}
	resp, err := w.response(r)
	if err != nil {
		return nil, err
	}
	return resp, w.met(r.Context(), bounded)
}

// begin sets the bounds of an exchange, and says whether its context bounds the wait for the header.
func (w *wire) begin(ctx context.Context) (bounded bool, err error) {
	late, bounded := ctx.Deadline()
	if bounded = bounded && time.Until(late) < HeaderTimeout; !bounded {
		_ = w.conn.SetDeadline(time.Now().Add(HeaderTimeout))
	}
	w.left = MaxHeader
	return bounded, ctx.Err() // perhaps it ended before the deadline was set
}

// response reads the header of a response, and those of some before it that are not the final one.
func (w *wire) response(r *http.Request) (*http.Response, error) {
	for range maxInterim {
		resp, err := http.ReadResponse(w.in, r)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode >= 200 {
			return resp, nil
		}
		if resp.StatusCode == http.StatusSwitchingProtocols {
			break
		}
	}
	return nil, errHeader
}

// met lifts the bounds of the header, once it is there.
func (w *wire) met(ctx context.Context, bounded bool) error {
	w.left = 1<<63 - 1
	if !bounded {
		_ = w.conn.SetDeadline(time.Time{})
	}
	return ctx.Err() // which may have come just before the deadline was lifted
}

// reason is why an exchange failed: what ended its context, if that did.
func reason(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// end gives a connection back, or ends it where it cannot be used again.
func (w *wire) end(again bool) {
	again = w.watch.Stop() && again && w.in.Buffered() == 0
	if !again {
		w.close()
		return
	}
	w.pool.put(w)
}

// close ends a connection at once. TLS would first say so, and wait seconds for a peer who takes nothing.
func (w *wire) close() { w.bare.Close() }

// body of a response. Its end gives the connection back.
type body struct {
	io.ReadCloser
	ctx   context.Context
	wire  *wire
	again bool
	ended atomic.Bool
}

func (b *body) Read(p []byte) (int, error) {
	if b.ended.Load() {
		return 0, io.EOF
	}
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == io.EOF:
		b.finish(b.again)
	case err != nil:
		err = reason(b.ctx, err)
		b.finish(false)
	}
	return n, err
}

// Close ends the connection where the body was not read to its end.
func (b *body) Close() error {
	b.finish(false)
	return nil
}

func (b *body) finish(again bool) {
	if b.ended.CompareAndSwap(false, true) {
		b.wire.end(again)
	}
}
