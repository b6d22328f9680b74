package dial

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
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

	fields []field     // of the header, where it was read here
	header http.Header // where net/http read it
	body   io.LimitedReader
	memory [8]field
	wire   *wire     // nil once it is given back
	other  io.Closer // in place of a wire
	ctx    context.Context
	again  bool // the connection can be used again after the body
}

// field is one line of a header.
type field struct{ name, value string }

// Header is the first value of a header, and how many there are. The name is in canonical form.
func (p *Posted) Header(name string) (value string, count int) {
	if p.header != nil {
		if count = len(p.header[name]); count > 0 {
			value = p.header[name][0]
		}
		return value, count
	}
	for _, f := range p.fields {
		if len(f.name) != len(name) || !strings.EqualFold(f.name, name) {
			continue
		}
		if count++; count == 1 {
			value = f.value
		}
	}
	return value, count
}

// Post sends a body of JSON and returns with the response's header. It is [http.RoundTripper] with less work: the same is written
// and read, the same bounds hold, and the same errors come of it. The response must be closed.
func (t *lean) Post(ctx context.Context, at *Target, body []byte) (*Posted, error) {
	w, err := t.wire(ctx, at.url)
	if err != nil {
		return nil, fmt.Errorf("ask %.200s: %w", at.url.Host, err)
	}
	w.watch.Watch(ctx, w)
	p, err := w.post(ctx, at, body)
	if err != nil {
		w.end(false)
		return nil, fmt.Errorf("ask %.200s: %w", at.url.Host, clipped(reason(ctx, err)))
	}
	return p, nil
}

// post writes a request and reads the header of the response.
func (w *wire) post(ctx context.Context, at *Target, body []byte) (*Posted, error) {
	bounded, err := w.begin(ctx)
	if err != nil {
		return nil, err
	}
	var length [20]byte
	_, _ = w.out.WriteString(at.head) // an error stays until Flush
	_, _ = w.out.Write(strconv.AppendInt(length[:0], int64(len(body)), 10))
	_, _ = w.out.WriteString(at.tail)
	_, _ = w.out.Write(body)
	if err := w.out.Flush(); err != nil {
		return nil, err
	}
	p := &Posted{wire: w, ctx: ctx}
	plain, err := p.glance()
	if err != nil {
		return nil, err
	}
	if !plain {
		resp, err := w.response(posting)
		if err != nil {
			return nil, err
		}
		p.Code, p.Status, p.Length, p.again = resp.StatusCode, resp.Status, resp.ContentLength, !resp.Close
		p.header, p.body.R = resp.Header, resp.Body
	}
	return p, w.met(ctx, bounded)
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
	fields, length, size := plainHeader(b, p.memory[:0])
	if size == 0 {
		return false, nil
	}
	_, _ = in.Discard(size)
	p.Code, p.Status, p.Length, p.fields, p.body.R, p.again = http.StatusOK, "200 OK", length, fields, in, true
	return true, nil
}

// ok begins a plain header.
const ok = "HTTP/1.1 200 OK\r\n"

// plainHeader reads the header of a response with which b begins, where it says that all is well and how long the body is, and
// nothing else about where that ends, in lines as nearly everybody writes them: the rest is left to net/http. It is zero bytes long
// where it is another, or not all there. The fields are put into the memory given.
func plainHeader(b []byte, memory []field) (fields []field, length int64, size int) {
	fields = memory[:0]
	if !bytes.HasPrefix(b, []byte(ok)) {
		return fields, 0, 0
	}
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return fields, 0, 0
	}
	length = -1
	lines := string(b[min(len(ok), end+2) : end+2])
	for lines != "" {
		line, rest, _ := strings.Cut(lines, "\r\n")
		lines = rest
		f, plain := plainField(line)
		if !plain {
			return fields[:0], 0, 0
		}
		switch {
		case strings.EqualFold(f.name, "Content-Length"):
			if length >= 0 {
				return fields[:0], 0, 0
			}
			if length, plain = plainLength(f.value); !plain {
				return fields[:0], 0, 0
			}
		case decisive(f.name):
			return fields[:0], 0, 0
		}
		fields = append(fields, f)
	}
	if length < 0 {
		return fields[:0], 0, 0
	}
	return fields, length, end + 4
}

// decisive reports whether a field may change where a message ends, or what becomes of its connection.
func decisive(name string) bool {
	for _, n := range [...]string{"Transfer-Encoding", "Connection", "Trailer", "Upgrade"} {
		if strings.EqualFold(name, n) {
			return true
		}
	}
	return false
}

// plainField reads a line whose name has letters, digits and hyphens, and whose value has printable ASCII.
func plainField(line string) (f field, plain bool) {
	at := strings.IndexByte(line, ':')
	if at <= 0 {
		return f, false
	}
	for _, c := range []byte(line[:at]) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-') {
			return f, false
		}
	}
	for _, c := range []byte(line[at+1:]) {
		if c < ' ' || c > '~' {
			return f, false
		}
	}
	return field{line[:at], strings.Trim(line[at+1:], " ")}, true
}

// plainLength reads a length of at most fifteen digits.
func plainLength(s string) (n int64, plain bool) {
	if len(s) == 0 || len(s) > 15 {
		return 0, false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
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
