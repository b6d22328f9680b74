package adversary

import (
	"bytes"
	"crypto/ed25519"
	"io"
	"net/http"
	"strconv"
	"time"

	"barnraise"
	"barnraise/manifest"
)

// receiptHeader carries what a server signs over an answer (protocol 4).
const receiptHeader = "Barnraise-Receipt"

// act answers one call.
type act func(*call)

// call is one request to a service, as a server sees it.
type call struct {
	caller  string // his address and port: all that tells two callers of one machine apart
	request []byte
	w       http.ResponseWriter
	r       *http.Request
	server  http.Handler
}

// take reads a call whole, so that its connection is watched from then on and whoever hangs up is noticed.
func take(server http.Handler, w http.ResponseWriter, r *http.Request) (*call, error) {
	request, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(manifest.MaxLimits.Request)))
	if err != nil {
		return nil, err
	}
	return &call{caller: r.RemoteAddr, request: request, w: w, r: r, server: server}, nil
}

// key is the same for two calls of the same revision with the same bytes.
func (c *call) key() barnraise.Digest {
	return barnraise.Sum(append([]byte(c.r.URL.Path+"\n"), c.request...))
}

// honest is what the server itself answers.
func (c *call) honest() *answer {
	r := c.r.Clone(c.r.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(c.request)), int64(len(c.request))
	a := &answer{status: http.StatusOK, header: make(http.Header)}
	c.server.ServeHTTP(a, r)
	return a
}

// wait lets time pass, unless the caller leaves before.
func (c *call) wait(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.r.Context().Done():
	}
}

// answer is one that has not been sent. It takes what a handler writes.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) Write(b []byte) (int, error) {
	a.body = append(a.body, b...)
	return len(b), nil
}

// receipt is that of a signed answer; others have none.
func (a *answer) receipt() (barnraise.Receipt, bool) {
	r, _, err := barnraise.ParseReceipt(a.header.Get(receiptHeader))
	return r, a.status == http.StatusOK && err == nil
}

// become makes it another answer, with a receipt that covers it.
func (a *answer) become(body []byte, r barnraise.Receipt, key ed25519.PrivateKey) {
	a.body, r.Response = body, barnraise.Sum(body)
	a.header.Set("Content-Length", strconv.Itoa(len(body)))
	a.header.Set(receiptHeader, r.Sign(key))
}

// lie makes a signed answer a false one, and leaves others alone.
func (a *answer) lie(how Lie, key ed25519.PrivateKey) {
	if r, ok := a.receipt(); ok {
		a.become(how(a.body), r, key)
	}
}

// head sends what comes before the body.
func (a *answer) head(w http.ResponseWriter) {
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	w.WriteHeader(a.status)
}

func (a *answer) send(w http.ResponseWriter) {
	a.head(w)
	_, _ = w.Write(a.body) // who does not take it gets no other
}
