package docker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"barnraise/runtime"
)

const (
	maxHeader = 16 << 10        // bytes of an answer before its body
	idle      = 2 * time.Second // that a connection is kept: less than servers keep them, who might just close it
	probing   = 2 * time.Second // for an answer to whether it is ready
)

// newTransport speaks to one container, once it has been given a dialer: no proxy, no compression, no redirects.
func newTransport(connections int) *http.Transport {
	return &http.Transport{
		DisableCompression: true, MaxIdleConnsPerHost: connections, IdleConnTimeout: idle,
		MaxResponseHeaderBytes: maxHeader, WriteBufferSize: 16 << 10, ReadBufferSize: 16 << 10,
	}
}

// plain is a dialer that knows where to.
func plain(dial func(context.Context) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }
}

// exchange sends one request and returns the body of the answer. It fails with [runtime.ErrBroke], and with what the context
// ended for. sound is false where the connection failed rather than the answer.
func exchange(ctx context.Context, over http.RoundTripper, request []byte, most int64) (answer []byte, sound bool, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/", bytes.NewReader(request))
	if err != nil {
		return nil, true, err
	}
	q.Header = http.Header{
		"Content-Type": {"application/json"}, "Accept": {"application/json"}, "User-Agent": nil,
		"Idempotency-Key": nil, // is not sent; asks to try again where a connection that was kept turns out to be closed
	}
	a, err := over.RoundTrip(q)
	if err != nil {
		return nil, false, broken(ctx, err)
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusOK {
		return nil, true, fmt.Errorf("%w: it answers with status %d", runtime.ErrBroke, a.StatusCode)
	}
	if a.ContentLength > most {
		return nil, true, fmt.Errorf("%w: it answers %d bytes, at most %d", runtime.ErrBroke, a.ContentLength, most)
	}
	b := bytes.NewBuffer(make([]byte, 0, max(a.ContentLength, 512)+bytes.MinRead))
	if _, err := b.ReadFrom(io.LimitReader(a.Body, most+1)); err != nil {
		return nil, false, broken(ctx, err)
	}
	if int64(b.Len()) > most {
		return nil, true, fmt.Errorf("%w: it answers more than %d bytes", runtime.ErrBroke, most)
	}
	return b.Bytes(), true, nil
}

func broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("%w: %w", runtime.ErrBroke, err)
}

// ready asks whether the service takes calls.
func ready(ctx context.Context, over http.RoundTripper) error {
	ctx, cancel := context.WithTimeout(ctx, probing)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return err
	}
	q.Header = http.Header{"User-Agent": nil}
	a, err := over.RoundTrip(q)
	if err != nil {
		return err
	}
	_, _ = io.CopyN(io.Discard, a.Body, 4<<10)
	_ = a.Body.Close()
	if a.StatusCode/100 != 2 {
		return fmt.Errorf("GET /readyz answers with status %d", a.StatusCode)
	}
	return nil
}
