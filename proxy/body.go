package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"barnraise/jsonrpc"

	"github.com/go-json-experiment/json/jsontext"
)

// request is one JSON-RPC request of a caller. Its members are views into the body.
type request struct {
	id     []byte // as written; nil for a notification, and where it cannot be told what it is
	method string
	params []byte // nil where there are none
	wrong  string // why it is no request; empty for one that is
}

// silent reports whether nobody waits for an answer.
func (r *request) silent() bool { return r.id == nil && r.wrong == "" }

// scratch is what reading one body takes, for use again.
type scratch struct {
	body     []byte
	decoder  jsontext.Decoder
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

// Errors for a body that is answered as a whole.
var (
	errEmpty    = errors.New("an empty array is no batch")
	errTooMany  = errors.New("too many requests in one batch")
	errNotAlone = errors.New("something follows the request")
)

// split takes a body apart in one pass: strict JSON, one request or an array of one to most. What is JSON but no request is one
// that says what is wrong with it. It fails with jsonrpc.ErrSyntax, errEmpty or errTooMany.
func (s *scratch) split(most int) (batch bool, err error) {
	s.requests = s.requests[:0]
	d := &s.decoder
	d.Reset(bytes.NewBuffer(s.body))
	if d.PeekKind() != '[' {
		if err := s.one(d); err != nil {
			return false, syntax(err)
		}
		return false, end(d)
	}
	if _, err := d.ReadToken(); err != nil {
		return true, syntax(err)
	}
	for k := d.PeekKind(); k != ']' && k != 0; k = d.PeekKind() {
		if len(s.requests) == most {
			return true, errTooMany
		}
		if err := s.one(d); err != nil {
			return true, syntax(err)
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return true, syntax(err)
	}
	if len(s.requests) == 0 {
		return true, errors.Join(errEmpty, end(d))
	}
	return true, end(d)
}

func syntax(err error) error { return fmt.Errorf("%w: %w", jsonrpc.ErrSyntax, err) }

func end(d *jsontext.Decoder) error {
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return syntax(errNotAlone)
	}
	return nil
}

// one reads one value, which ought to be a request.
func (s *scratch) one(d *jsontext.Decoder) error {
	s.requests = append(s.requests, request{})
	r := &s.requests[len(s.requests)-1]
	if d.PeekKind() != '{' {
		r.wrong = "a request is an object"
		return d.SkipValue()
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	var versioned bool
	for k := d.PeekKind(); k != '}' && k != 0; k = d.PeekKind() {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		member := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return err
		}
		at := d.InputOffset()
		versioned = r.set(member, s.body[at-int64(len(value)):at:at]) || versioned
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	switch {
	case r.wrong != "":
	case !versioned:
		r.wrong = `"jsonrpc" is missing: want "2.0"`
	case r.method == "":
		r.wrong = `"method" is missing`
	}
	return nil
}

// set takes one member into account. It reports whether that was the version.
func (r *request) set(name string, value []byte) (version bool) {
	switch name {
	case "jsonrpc":
		if string(value) != `"2.0"` {
			r.wrong = `"jsonrpc" is not "2.0"`
		}
		return true
	case "id":
		if c := value[0]; c == '{' || c == '[' || c == 't' || c == 'f' {
			r.wrong = `"id" is no string, number or null`
			return false
		}
		r.id = value
	case "method":
		if value[0] == '"' {
			b, _ := jsontext.AppendUnquote(nil, value) // it was read as JSON
			r.method = string(b)
		}
		if !jsonrpc.ValidMethod(r.method) {
			r.wrong = `"method" is no name of letters, digits, _ and dots`
		}
	case "params":
		if r.params = value; value[0] != '{' && value[0] != '[' {
			r.wrong = `"params" are neither array nor object`
		}
	default:
		r.wrong = fmt.Sprintf("%.40q does not belong into a request", name)
	}
	return false
}
