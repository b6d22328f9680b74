package dial

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"

	"barnraise/head"
)

// Target is where bodies of JSON are posted to, again and again: the header of such a request, made once.
type Target struct {
	url        *url.URL
	head, tail string // around the length
}

// NewTarget makes a target of a URL that [CheckURL] takes, perhaps with more of a path. It fails with [ErrURL].
func NewTarget(u *url.URL) (*Target, error) {
	one := &http.Request{Method: http.MethodPost, URL: u, Body: io.NopCloser(strings.NewReader("x")), ContentLength: 1}
	if u.Host == "" || !plainRequest(one) {
		return nil, fmt.Errorf("%.80q is no place to post to: %w", u, ErrURL)
	}
	return &Target{
		url: u, head: "POST " + u.RequestURI() + " HTTP/1.1\r\nHost: " + u.Host + "\r\nContent-Length: ",
		tail: "\r\nAccept: application/json\r\nContent-Type: application/json\r\n\r\n",
	}, nil
}

// URL is where it leads to. It is not to be changed.
func (t *Target) URL() *url.URL { return t.url }

// Posted is the response to a post, for one goroutine.
type Posted struct {
	Code   int
	Status string // as "200 OK"
	Length int64  // of the body, -1 where the header does not tell

	fields head.Fields // of the header, where it was read here
	header http.Header // where net/http read it
	body   io.LimitedReader
	memory [8]head.Field
	wire   *wire     // nil once it is given back
	other  io.Closer // in place of a wire
	ctx    context.Context
	again  bool // the connection can be used again after the body
}

// Header is the first value of a header, and how many there are. The name is in canonical form.
func (p *Posted) Header(name string) (value string, count int) {
	if p.header != nil {
		if count = len(p.header[name]); count > 0 {
			value = p.header[name][0]
		}
		return value, count
	}
	return p.fields.Get(name)
}

// Post sends a body of JSON and returns with the response's header. It is [http.RoundTripper] with less work: the same is written
// and read, the same bounds hold, and the same errors come of it. What is posted may be sent twice: where a connection that was kept
// turns out to have ended, and nothing came on it, a new one is made, once. The response must be closed.
func (t *lean) Post(ctx context.Context, at *Target, body []byte) (*Posted, error) {
	w, err := t.wire(ctx, at.url)
	if err != nil {
		return nil, fmt.Errorf("ask %.200s: %w", at.url.Host, clipped(err))
	}
	p, err := w.post(ctx, at, body)
	if err != nil && ctx.Err() == nil && w.hadEnded(err) {
		if w, err = t.connect(ctx, at.url, w.at); err == nil {
			p, err = w.post(ctx, at, body)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("ask %.200s: %w", at.url.Host, clipped(reason(ctx, err)))
	}
	return p, nil
}

// hadEnded reports whether an exchange failed because its connection, which was kept, had ended before.
func (w *wire) hadEnded(err error) bool {
	return !w.since.IsZero() && w.left == MaxHeader && (hungUp(err) || errors.Is(err, io.ErrUnexpectedEOF))
}

// hungUp reports whether a peer takes no more.
func hungUp(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

// post makes an exchange, as far as to the header of the response. Where it fails the connection ends.
func (w *wire) post(ctx context.Context, at *Target, body []byte) (p *Posted, err error) {
	w.watch.Watch(ctx, w)
	bounded, err := w.begin(ctx)
	if err == nil {
		p, err = w.posted(ctx, at, body)
	}
	if err == nil {
		err = w.met(ctx, bounded)
	}
	if err != nil {
		w.end(false)
		return nil, err
	}
	return p, nil
}

// posted writes a request and reads the header of the response. Whoever takes no more of the request may have said why.
func (w *wire) posted(ctx context.Context, at *Target, body []byte) (*Posted, error) {
	var length [20]byte
	_, _ = w.out.WriteString(at.head) // an error stays until Flush
	_, _ = w.out.Write(strconv.AppendInt(length[:0], int64(len(body)), 10))
	_, _ = w.out.WriteString(at.tail)
	_, _ = w.out.Write(body)
	cut := w.out.Flush()
	if cut != nil && !hungUp(cut) {
		return nil, cut
	}
	p := &Posted{wire: w, ctx: ctx}
	plain, err := p.glance()
	if err == nil && !plain {
		err = p.read()
	}
	if err != nil {
		return nil, cmp.Or(cut, err)
	}
	p.again = p.again && cut == nil
	return p, nil
}

// read has net/http read the header.
func (p *Posted) read() error {
	resp, err := p.wire.response(posting)
	if err != nil {
		return err
	}
	p.Code, p.Status, p.Length, p.again = resp.StatusCode, resp.Status, resp.ContentLength, !resp.Close
	p.header, p.body.R = resp.Header, resp.Body
	return nil
}

// posting is all that net/http wants to know of a request in order to read its response.
var posting = &http.Request{Method: http.MethodPost}

// glance takes the header of a response that came at once and is as plain as nearly all are; of any other it takes nothing.
func (p *Posted) glance() (plain bool, err error) {
	in := p.wire.in
	if _, err := in.Peek(1); err == io.EOF {
		return false, io.ErrUnexpectedEOF
	} else if err != nil {
		return false, err
	}
	b, _ := in.Peek(in.Buffered()) // it is there, as what is discarded
	h, plain := head.Read(b, p.memory[:0])
	if !plain || h.Line != "HTTP/1.1 200 OK" {
		return false, nil
	}
	_, _ = in.Discard(h.Size)
	p.Code, p.Status, p.Length, p.fields, p.body.R, p.again = http.StatusOK, "200 OK", h.Length, h.Fields, in, true
	return true, nil
}

// ReadBody reads the body into b, at most so many bytes of it. It fails with what kept the rest from coming; a longer body is no
// error, but its connection is not used again.
func (p *Posted) ReadBody(b *bytes.Buffer, most int64) error {
	p.body.N = most
	if p.fields != nil { // else whoever read the header knows where the body ends
		p.body.N = min(p.Length, most)
	}
	n, err := b.ReadFrom(&p.body)
	if err == nil && p.fields != nil && p.body.N > 0 {
		err = io.ErrUnexpectedEOF
	}
	switch {
	case err != nil && p.ctx != nil:
		err = reason(p.ctx, err)
		p.finish(false)
	case err == nil && (n == p.Length || n < most):
		p.finish(p.again)
	}
	return err
}

// Close ends the connection where the body was not read to its end.
func (p *Posted) Close() { p.finish(false) }

func (p *Posted) finish(again bool) {
	if w := p.wire; w != nil {
		p.wire = nil
		w.end(again)
	} else if p.other != nil {
		_ = p.other.Close()
	}
}

// NewPosted is a response that came in another way.
func NewPosted(r *http.Response) *Posted {
	return &Posted{Code: r.StatusCode, Status: r.Status, Length: r.ContentLength, header: r.Header, body: io.LimitedReader{R: r.Body}, other: r.Body}
}
