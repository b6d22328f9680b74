package quick

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"barnraise/head"
	"barnraise/until"
)

// room is how long a request may be, with its head.
const room = 4 << 10

// lookAfter is how long a call goes on before it is looked whether its caller is still there, and again.
const lookAfter = 50 * time.Millisecond

// conn is a quick connection.
type conn struct {
	net.Conn
	server *Server
	rest   *handed
	state  atomic.Int32

	buffer [room]byte
	have   int // bytes of it that were read
	fields [16]head.Field

	remote        string
	readBy, write time.Time   // the bounds that are set
	look          *time.Timer // runs while a call is under way
	call          atomic.Pointer[until.Context]
	request       Request
}

// serve answers requests until the connection ends or is handed over.
func (c *conn) serve() {
	over := false
	defer func() {
		c.server.remove(c)
		if !over {
			c.Conn.Close()
		}
	}()
	defer c.server.caught(c)
	c.remote = c.RemoteAddr().String()
	_ = c.SetReadDeadline(time.Now().Add(c.server.HTTP.ReadHeaderTimeout))
	c.look = time.AfterFunc(time.Hour, c.lookOut)
	c.look.Stop()
	for {
		r, err := c.next()
		if err != nil {
			return
		}
		if !c.state.CompareAndSwap(idle, busy) {
			return
		}
		if r == nil || !c.answer(r) {
			over = true
			break
		}
		if r.failed != nil || !c.rests() {
			return
		}
		c.have = copy(c.buffer[:], c.buffer[r.size:c.have])
	}
	_ = c.SetDeadline(time.Time{})
	c.rest.over(c.Conn, append([]byte(nil), c.buffer[:c.have]...))
}

// rests makes it idle, unless the server is over. That is looked at last: whoever ends the server says so before he looks who is idle,
// so one of the two sees the other.
func (c *conn) rests() bool {
	c.state.Store(idle)
	return !c.server.over.Load()
}

// next waits for a request: nil for one that is not plain.
func (c *conn) next() (*Request, error) {
	if c.have == 0 {
		c.wait()
		n, err := c.Read(c.buffer[:])
		if n == 0 && err != nil {
			return nil, err
		}
		c.have = n
	}
	c.skip()
	h, ok := head.Read(c.buffer[:c.have], c.fields[:0])
	size := int64(h.Size) + h.Length
	if !ok || size > int64(c.have) {
		return nil, nil
	}
	path, ok := path(h.Line)
	if !ok {
		return nil, nil
	}
	host, hosts := h.Fields.Get("Host")
	if hosts != 1 || !plainHost(host) {
		return nil, nil
	}
	c.request = Request{
		Path: path, Host: host, Remote: c.remote, Fields: h.Fields, Body: c.buffer[h.Size:size:size], At: time.Now(), conn: c, size: int(size),
	}
	return &c.request, nil
}

// skip drops the ends of lines that old clients send behind a body: as many as net/http does.
func (c *conn) skip() {
	n := 0
	for c.request.conn != nil && n < min(c.have, 4) && (c.buffer[n] == '\r' || c.buffer[n] == '\n') {
		n++
	}
	if n > 0 {
		c.have = copy(c.buffer[:], c.buffer[n:c.have])
	}
}

// wait bounds the wait for a request, but for the first, which has a bound of its own.
func (c *conn) wait() {
	if c.request.conn == nil {
		return
	}
	if now, least := time.Now(), c.server.HTTP.IdleTimeout; c.readBy.Sub(now) < least {
		c.readBy = now.Add(long(least))
		_ = c.SetReadDeadline(c.readBy)
	}
}

// path is that of a request's first line, if it is plain: POST, of letters, digits and few signs, HTTP/1.1.
func path(line string) (string, bool) {
	const method, version = "POST ", " HTTP/1.1"
	if len(line) < len(method)+len("/")+len(version) || line[:len(method)] != method || line[len(line)-len(version):] != version {
		return "", false
	}
	p := line[len(method) : len(line)-len(version)]
	for _, b := range []byte(p) {
		if !('a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '/' || b == '-' || b == '_' || b == '@') {
			return "", false
		}
	}
	return p, p[0] == '/'
}

// plainHost reports whether a host is one of letters, digits and few signs. There are others that net/http refuses.
func plainHost(host string) bool {
	for _, b := range []byte(host) {
		if !('a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || strings.IndexByte(".-_:[]", b) >= 0) {
			return false
		}
	}
	return true
}

// answer has a request answered.
func (c *conn) answer(r *Request) bool {
	defer c.called()
	return c.server.Handler.Quick(r)
}

// called ends the context of a call.
func (c *conn) called() {
	if ctx := c.call.Swap(nil); ctx != nil {
		c.look.Stop()
		ctx.End()
	}
}

// lookOut ends a call whose caller has gone away.
func (c *conn) lookOut() {
	ctx := c.call.Load()
	if ctx == nil {
		return
	}
	switch there, known := present(c.Conn); {
	case known && !there:
		ctx.End()
	case known:
		c.look.Reset(lookAfter)
	}
}

// Request is a plain POST. It is the handler's until that returns.
type Request struct {
	Path   string // letters, digits, slashes, - _ @
	Host   string
	Remote string // address
	Fields head.Fields
	Body   []byte
	At     time.Time // when it had come

	conn   *conn
	size   int
	failed error // in writing
}

// Context ends when the caller goes away, which shows with some delay and where the connection is a socket, when the server is over,
// and after so long. It is made once, by who is going to answer the request.
func (r *Request) Context(within time.Duration) context.Context {
	ctx := until.New(r.conn.server.Life, r.At.Add(within))
	r.conn.call.Store(ctx)
	r.conn.look.Reset(lookAfter)
	return ctx
}

// Local is the address that the request came in at.
func (r *Request) Local() net.Addr { return r.conn.LocalAddr() }

// Begin begins the head of a response in the memory given.
func (r *Request) Begin(memory []byte, status int) []byte {
	b := append(memory[:0], "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(append(b, ' '), http.StatusText(status)...)
	b = append(append(b, "\r\nDate: "...), r.conn.server.date(r.At)...)
	if r.conn.server.over.Load() {
		b = append(b, "\r\nConnection: close"...)
	}
	return append(b, "\r\n"...)
}

// AppendField adds a field to a head. What could end its line becomes a space. The head ends with an empty line, which is the caller's.
func AppendField(b []byte, name, value string) []byte {
	b = append(append(b, name...), ": "...)
	at := len(b)
	b = append(b, value...)
	for i, c := range b[at:] {
		if c < ' ' || c == 0x7f {
			b[at+i] = ' '
		}
	}
	return append(b, "\r\n"...)
}

// Send sends a whole response, in as many parts as given.
func (r *Request) Send(parts ...[]byte) {
	c := r.conn
	if least := c.server.HTTP.WriteTimeout; c.write.Sub(r.At) < least {
		c.write = r.At.Add(long(least))
		_ = c.SetWriteDeadline(c.write)
	}
	if len(parts) == 1 {
		_, r.failed = c.Write(parts[0])
		return
	}
	buffers := net.Buffers(parts)
	_, r.failed = buffers.WriteTo(c.Conn)
}
