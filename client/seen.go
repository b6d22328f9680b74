package client

import (
	"bytes"
	"sync"

	"barnraise"
	"barnraise/jsonrpc"
)

// seen is what is known of the bodies of one call. Most answers to it are the same bytes, which need to be hashed and read once. It
// is safe for concurrent use.
type seen struct {
	mu      sync.Mutex
	request barnraise.Digest // zero before it is known
	bodies  []*read
}

// read is a response body that was read.
type read struct {
	body     []byte
	room     *bytes.Buffer // that the body is in; nil where it is not known
	response jsonrpc.Response
	err      error // what is wrong with it

	once sync.Once
	sum  barnraise.Digest // once it is wanted
}

// digest is that of the body.
func (r *read) digest() barnraise.Digest {
	r.once.Do(func() { r.sum = barnraise.Sum(r.body) })
	return r.sum
}

// sum is that of the call's request.
func (s *seen) sum(request []byte) barnraise.Digest {
	if s == nil {
		return barnraise.Sum(request)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.request.IsZero() {
		s.request = barnraise.Sum(request)
	}
	return s.request
}

// read reads a body, or remembers it.
func (s *seen) read(body []byte) *read {
	if s == nil {
		return newRead(body)
	}
	if b := s.known(body); b != nil {
		return b
	}
	b := newRead(body) // beside others, so that two of the same may be read twice
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies = append(s.bodies, b)
	return b
}

func (s *seen) known(body []byte) *read {
	s.mu.Lock()
	bodies := s.bodies
	s.mu.Unlock()
	for _, b := range bodies {
		if bytes.Equal(b.body, body) {
			return b
		}
	}
	return nil
}

func newRead(body []byte) *read {
	r := &read{body: body}
	r.response, r.err = jsonrpc.ParseResponse(body, jsonrpc.WireID)
	return r
}

// repeated reports whether a body that was read is in other memory than the one that was kept.
func (r *read) repeated(body []byte) bool {
	return len(body) > 0 && &r.body[0] != &body[0]
}
