package docker

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"barnraise/runtime"
)

const (
	maxHeader = 16 << 10        // bytes of an answer before its body
	chunked   = 8               // times as many bytes a short body may take on the wire, in chunks of one byte
	framing   = 1 << 20         // bytes that a long one may take on the wire beyond twice its own
	interim   = 5               // answers before the final one
	idle      = 2 * time.Second // that a connection is kept: less than servers keep them, who might just close it
	probing   = 2 * time.Second // for an answer to whether it is ready
	leeway    = 10 * time.Millisecond
)

// line is a client of one service. It speaks HTTP/1.1 itself, in the goroutine of the caller, because net/http takes two more
// for each connection, and changing hands between them costs more than all else here; and because a request whose caller
// leaves has to go on. It sends the same bytes for the same request on every machine, follows nothing, unpacks nothing.
type line struct {
	dial func(context.Context) (net.Conn, error)

	mu   sync.Mutex
	kept []*wire
	over bool
}

// wire is one connection. It is used by one exchange at a time.
type wire struct {
	conn  net.Conn
	since time.Time // when it was last used
	sent  bool      // all of the message of the current exchange
	raw   []byte    // what came in it
	left  int64     // bytes that may still come in it
}

// reply is an answer as it came.
type reply struct {
	status int
	body   []byte
	again  bool // the connection can be used again
}

// errLong is of an answer beyond its bounds.
var errLong = errors.New("too long")

// post is the message of a call.
func post(request []byte) []byte {
	const head = "POST / HTTP/1.1\r\nHost: " + address + "\r\nContent-Type: application/json\r\n" +
		"Accept: application/json\r\nContent-Length: "
	b := make([]byte, 0, len(head)+24+len(request))
	b = strconv.AppendInt(append(b, head...), int64(len(request)), 10)
	return append(append(b, "\r\n\r\n"...), request...)
}

// send sends a message and returns the reply, whose body has at most that many bytes; else it fails with errLong. When the
// context ends, or the time until when the reply may come, while the service has the message, it returns at once, and beside
// the error wait, which returns when the reply has come after all, or fails, and does so at the latest when until is over.
func (l *line) send(ctx context.Context, until time.Time, message []byte, most int64) (r reply, wait func() error, err error) {
	w, used, err := l.take(ctx)
	if err != nil {
		return r, nil, err
	}
	r, err = w.exchange(ctx, until, message, most)
	if err != nil && used && len(w.raw) == 0 && !errors.Is(err, os.ErrDeadlineExceeded) { // it was closed at that moment
		w.conn.Close()
		if w, err = l.connect(ctx); err != nil {
			return r, nil, err
		}
		r, err = w.exchange(ctx, until, message, most)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && w.sent { // of the caller, or of both
		return r, func() error { return w.wait(until, most) }, context.DeadlineExceeded
	}
	if err != nil || !r.again {
		w.conn.Close()
		return r, nil, err
	}
	l.put(w)
	return r, nil, nil
}

// take returns a connection, a used one if there is one that is still good.
func (l *line) take(ctx context.Context) (w *wire, used bool, err error) {
	for {
		l.mu.Lock()
		n := len(l.kept)
		if n == 0 {
			l.mu.Unlock()
			w, err := l.connect(ctx)
			return w, false, err
		}
		w := l.kept[n-1]
		l.kept = l.kept[:n-1]
		l.mu.Unlock()
		if time.Since(w.since) < idle && w.quiet() {
			return w, true, nil
		}
		w.conn.Close()
	}
}

func (l *line) connect(ctx context.Context) (*wire, error) {
	conn, err := l.dial(ctx)
	return &wire{conn: conn}, err
}

func (l *line) put(w *wire) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.since = time.Now(); l.over {
		w.conn.Close()
		return
	}
	if cap(w.raw) > maxHeader {
		w.raw = nil
	}
	for len(l.kept) > 0 && time.Since(l.kept[0].since) >= idle {
		l.kept[0].conn.Close()
		l.kept = l.kept[1:]
	}
	l.kept = append(l.kept, w)
}

// close closes the connections that nobody uses, and every other one after its use.
func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.kept {
		w.conn.Close()
	}
	l.kept, l.over = nil, true
}

// exchange sends a message and reads the reply.
func (w *wire) exchange(ctx context.Context, until time.Time, message []byte, most int64) (reply, error) {
	if err := w.conn.SetDeadline(until); err != nil {
		return reply{}, err
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = w.conn.SetDeadline(time.Unix(1, 0))
		close(interrupted)
	})
	w.raw, w.sent = w.raw[:0], false
	_, err := w.conn.Write(message)
	var r reply
	if err == nil {
		w.sent = true
		r, err = w.receive(w.conn, most)
	}
	if !stop() {
		<-interrupted // so that it does not come in the next exchange
	}
	return r, err
}

// wait reads the reply from its beginning, what has come of it included.
func (w *wire) wait(until time.Time, most int64) error {
	defer w.conn.Close()
	if err := w.conn.SetDeadline(until); err != nil {
		return err
	}
	come := w.raw
	w.raw = nil
	_, err := w.receive(io.MultiReader(bytes.NewReader(come), w.conn), most)
	return err
}

// receive reads a reply, those before the final one passed over.
func (w *wire) receive(from io.Reader, most int64) (reply, error) {
	w.left = maxHeader
	in := bufio.NewReader(&recorded{w, from})
	for range interim {
		a, err := http.ReadResponse(in, nil)
		if err != nil {
			return reply{}, err
		}
		if a.StatusCode/100 == 1 && a.StatusCode != http.StatusSwitchingProtocols {
			continue
		}
		w.left += min(chunked*most, 2*most+framing) + maxHeader
		r := reply{status: a.StatusCode}
		if a.ContentLength > most {
			return r, fmt.Errorf("its body has %d bytes, more than %d: %w", a.ContentLength, most, errLong)
		}
		b := bytes.NewBuffer(make([]byte, 0, max(a.ContentLength, 512)+bytes.MinRead))
		if _, err := b.ReadFrom(io.LimitReader(a.Body, most+1)); err != nil {
			return r, err
		}
		if int64(b.Len()) > most {
			return r, fmt.Errorf("its body has more than %d bytes: %w", most, errLong)
		}
		r.body = b.Bytes()
		r.again = !a.Close && in.Buffered() == 0 && a.StatusCode != http.StatusSwitchingProtocols
		return r, nil
	}
	return reply{}, errors.New("it does not come to the point")
}

// recorded keeps what it reads, and reads no more than may come.
type recorded struct {
	*wire
	from io.Reader
}

func (r *recorded) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, fmt.Errorf("header or body: %w", errLong)
	}
	n, err := r.from.Read(p[:min(int64(len(p)), r.left)])
	r.raw = append(r.raw, p[:n]...)
	r.left -= int64(n)
	return n, err
}

// call hands a request to the service and returns the body of its answer. It fails with [runtime.ErrBroke], and with
// [context.DeadlineExceeded], then as send does. sound is false where the connection failed rather than the answer.
func (l *line) call(ctx context.Context, until time.Time, request []byte, most int64) (
	answer []byte, wait func() error, sound bool, err error,
) {
	r, wait, err := l.send(ctx, until, post(request), most)
	switch {
	case wait != nil:
		return nil, wait, false, err
	case err != nil && (ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded)):
		// The service has not got all of the request: its fault if it had all the time.
		return nil, nil, time.Until(until) > leeway, context.DeadlineExceeded
	case err != nil:
		return nil, nil, errors.Is(err, errLong), fmt.Errorf("%w: %w", runtime.ErrBroke, err)
	case r.status != http.StatusOK:
		return nil, nil, true, fmt.Errorf("%w: it answers with status %d", runtime.ErrBroke, r.status)
	}
	return r.body, nil, true, nil
}

// ready asks whether the service takes calls.
func (l *line) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probing)
	defer cancel()
	const message = "GET /readyz HTTP/1.1\r\nHost: " + address + "\r\nConnection: close\r\n\r\n"
	w, err := l.connect(ctx)
	if err != nil {
		return err
	}
	defer w.conn.Close()
	r, err := w.exchange(ctx, time.Now().Add(probing), []byte(message), 4<<10)
	if err == nil && r.status/100 != 2 {
		err = fmt.Errorf("GET /readyz answers with status %d", r.status)
	}
	return err
}
