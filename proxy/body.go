package proxy

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"barnraise/jsonrpc"
)

// request is one message of a caller.
type request = jsonrpc.Message

// scratch is what reading one body takes, for use again.
type scratch struct {
	body     []byte
	reader   jsonrpc.Reader
	requests []request
	out      []byte
}

// Bounds of what is kept for use again.
const (
	keptBytes    = 64 << 10
	keptRequests = 128
)

// release puts scratch back. Nothing of the body is looked at any more.
func (p *Proxy) release(s *scratch) {
	if cap(s.body) > keptBytes || cap(s.out) > keptBytes || cap(s.requests) > keptRequests {
		return
	}
	clear(s.requests)
	p.scratch.Put(s)
}

// errTooLarge is the error for a body of more bytes than are taken.
var errTooLarge = errors.New("body is too large")

// read takes in a body of at most that many bytes. It fails with errTooLarge, or what kept the body from arriving.
func (s *scratch) read(r *http.Request, most int64) error {
	if r.ContentLength > most {
		return errTooLarge
	}
	s.body = s.body[:0]
	if n := int(r.ContentLength); n > cap(s.body) && n <= keptBytes { // who announces more has to send it first
		s.body = make([]byte, 0, n)
	}
	body := io.LimitReader(r.Body, most+1)
	for {
		if len(s.body) == cap(s.body) {
			s.body = append(s.body, 0)[:len(s.body)]
		}
		n, err := body.Read(s.body[len(s.body):cap(s.body)])
		s.body = s.body[:len(s.body)+n]
		switch {
		case int64(len(s.body)) > most:
			return errTooLarge
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read body: %w", err)
		}
	}
}

// split takes the body apart. It fails as [jsonrpc.Reader.Read] does: then the body is answered as a whole.
func (s *scratch) split(most int) (batch bool, err error) {
	batch, err = s.reader.Read(s.body, most)
	s.requests = s.reader.Messages
	return batch, err
}
