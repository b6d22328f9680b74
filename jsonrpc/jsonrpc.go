// Package jsonrpc reads and writes single JSON-RPC 2.0 messages as the protocol wants them: exact bytes, one spelling on the
// wire, and strict JSON, so that two programs never read two meanings out of one body.
//
// Nothing is canonicalised. Strict means UTF-8 without a byte order mark, no name twice in an object at any depth, no lone
// surrogates, at most [MaxDepth] levels (protocol 3.3; RFC 8259, RFC 7493).
package jsonrpc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how deep arrays and objects of a message may nest (protocol 3.3).
const MaxDepth = 64

// Errors to branch on.
var (
	ErrSyntax       = errors.New("not strict JSON")
	ErrBatch        = errors.New("batches are not taken: send single requests")
	ErrNotification = errors.New("notifications are not taken: a request needs an id")
	ErrInvalid      = errors.New("not a JSON-RPC 2.0 message")
	ErrTooMany      = errors.New("too many messages in one batch")
	ErrTooDeep      = fmt.Errorf("more than %d levels deep: %w", MaxDepth, ErrSyntax) // an [ErrSyntax]
)

// The error codes of JSON-RPC 2.0, section 5.1.
const (
	CodeParse          = -32700
	CodeInvalidRequest = -32600
	CodeMethodNotFound = -32601
	CodeInvalidParams  = -32602
	CodeInternal       = -32603
)

// Error is the error member of a response. An error of the service is an answer like any other (protocol 3.4).
type Error struct {
	Code    int64          `json:"code"`
	Message string         `json:"message"`
	Data    jsontext.Value `json:"data,omitzero"`

	written jsontext.Value
}

// Written is the error as whoever sent it wrote it; nil for one that was made here. It is a view into the bytes it was read from,
// and knows nothing of later changes.
func (e *Error) Written() []byte { return e.written }

// Error makes an Error usable as a Go error.
func (e *Error) Error() string { return fmt.Sprintf("%s (%d)", e.Message, e.Code) }

// Request is a single request, taken apart. Its members are views into the bytes it was read from.
type Request struct {
	ID     jsontext.Value // string, number or null, as written
	Method string
	Params jsontext.Value // array or object, as written; empty where the request has none
}

// Response is a single response, taken apart. Exactly one of Result and Error is set. Result is a view into the bytes it was
// read from.
type Response struct {
	Result jsontext.Value
	Error  *Error
}

// ValidMethod reports whether a method can be called so (protocol 3.1): [A-Za-z_][A-Za-z0-9_.]*
func ValidMethod(name string) bool {
	for i, c := range []byte(name) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c != '.' && (c < '0' || c > '9')) {
			return false
		}
	}
	return name != ""
}

// NewRequest writes the one form a request has on the wire (protocol 3.1):
// {"jsonrpc":"2.0","id":1,"method":M,"params":P}. Params stand as given; empty params are written [].
// It fails with [ErrInvalid] on a method that is no name or params that are neither array nor object, and with [ErrSyntax]
// on params that are not strict JSON, [ErrTooDeep] where that is all that is wrong with them.
func NewRequest(method string, params []byte) ([]byte, error) {
	if !ValidMethod(method) {
		return nil, fmt.Errorf("write request: method %.80q: want letters, digits, _ and dots: %w", method, ErrInvalid)
	}
	params = bytes.TrimSpace(params)
	if len(params) == 0 {
		params = []byte("[]")
	}
	plain := glance(params, MaxDepth-1) // the request has a level more
	if !plain {
		if err := Strict(params); err != nil {
			return nil, fmt.Errorf("write request: params: %w", err)
		}
	}
	if params[0] != '{' && params[0] != '[' {
		return nil, fmt.Errorf("write request: params are neither array nor object: %w", ErrInvalid)
	}
	const begin, middle = `{"jsonrpc":"2.0","id":1,"method":"`, `","params":`
	body := make([]byte, 0, len(begin)+len(method)+len(middle)+len(params)+len("}"))
	body = append(append(append(body, begin...), method...), middle...)
	body = append(append(body, params...), '}')
	if !plain && depth(body) > MaxDepth {
		return nil, fmt.Errorf("write request: params: %w", ErrTooDeep)
	}
	return body, nil
}

// IsWire reports whether body is a request in exactly the form of [NewRequest]. Evidence takes only this form.
func IsWire(body []byte) bool {
	r, err := ParseRequest(body)
	if err != nil {
		return false
	}
	again, err := NewRequest(r.Method, r.Params)
	return err == nil && bytes.Equal(again, body)
}

// ParseRequest reads any single valid request, as a server does. It fails with [ErrBatch], [ErrNotification], [ErrSyntax] or
// [ErrInvalid]. Members that JSON-RPC does not know are refused.
func ParseRequest(body []byte) (Request, error) {
	if b := bytes.TrimLeft(body, " \t\r\n"); len(b) > 0 && b[0] == '[' {
		return Request{}, ErrBatch
	}
	var r Request
	var version, method jsontext.Value
	err := members(body, []member{{"jsonrpc", &version}, {"id", &r.ID}, {"method", &method}, {"params", &r.Params}})
	if err != nil {
		return Request{}, fmt.Errorf("read request: %w", err)
	}
	name, err := text(method)
	switch {
	case string(version) != `"2.0"`:
		return Request{}, fmt.Errorf(`read request: "jsonrpc" is %.20q, want "2.0": %w`, version, ErrInvalid)
	case err != nil || !ValidMethod(name):
		return Request{}, fmt.Errorf("read request: method %.80q is no name: %w", method, ErrInvalid)
	case len(r.Params) > 0 && r.Params[0] != '{' && r.Params[0] != '[':
		return Request{}, fmt.Errorf("read request: params are neither array nor object: %w", ErrInvalid)
	case len(r.ID) == 0:
		return Request{}, ErrNotification
	case r.ID[0] != '"' && r.ID[0] != 'n' && r.ID[0] != '-' && (r.ID[0] < '0' || r.ID[0] > '9'):
		return Request{}, fmt.Errorf("read request: id is no string, number or null: %w", ErrInvalid)
	}
	r.Method = name
	return r, nil
}

// ParseResponse reads the answer to a request with the given id as written (protocol 3.3): members exactly jsonrpc, id and one
// of result and error. It fails with [ErrSyntax] or [ErrInvalid]; what fails never reaches verifier, memo or caller.
func ParseResponse(body, id []byte) (Response, error) {
	var version, gotID, result, failure jsontext.Value
	err := members(body, []member{{"jsonrpc", &version}, {"id", &gotID}, {"result", &result}, {"error", &failure}})
	switch {
	case err != nil:
		return Response{}, fmt.Errorf("read response: %w", err)
	case string(version) != `"2.0"`:
		return Response{}, fmt.Errorf(`read response: "jsonrpc" is %.20q, want "2.0": %w`, version, ErrInvalid)
	case !bytes.Equal(gotID, id):
		return Response{}, fmt.Errorf("read response: id is %.40q, want %.40q: %w", gotID, id, ErrInvalid)
	case (len(result) > 0) == (len(failure) > 0):
		return Response{}, fmt.Errorf("read response: want one of result and error: %w", ErrInvalid)
	case len(result) > 0:
		return Response{Result: result}, nil
	}
	e, err := parseError(failure)
	if err != nil {
		return Response{}, fmt.Errorf("read response: error member: %w", err)
	}
	return Response{Error: e}, nil
}

// WireID is the id of every request in wire form.
var WireID = []byte("1")

func parseError(v jsontext.Value) (*Error, error) {
	var code, message, data jsontext.Value
	if err := members(v, []member{{"code", &code}, {"message", &message}, {"data", &data}}); err != nil {
		return nil, err
	}
	n, err := strconv.ParseInt(string(code), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("code %.40q is no integer: %w", code, ErrInvalid)
	}
	m, err := text(message)
	if err != nil {
		return nil, fmt.Errorf("message is no string: %w", ErrInvalid)
	}
	return &Error{Code: n, Message: m, Data: data, written: v}, nil
}

// Strict reports whether b is one strict JSON value of at most [MaxDepth] levels. It fails with [ErrSyntax].
func Strict(b []byte) error {
	if glance(b, MaxDepth) {
		return nil
	}
	if depth(b) > MaxDepth {
		return ErrTooDeep
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(b))
	if _, err := d.ReadValue(); err != nil {
		return fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	return atEnd(d)
}

// members reads one object into the values it expects by name; a name that is not expected is an error. Expected names that
// do not occur leave their value empty.
func members(b []byte, want []member) error {
	if glanceMembers(b, want) {
		return nil
	}
	if depth(b) > MaxDepth {
		return ErrTooDeep
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(b))
	open, err := d.ReadToken()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	if open.Kind() != '{' {
		return fmt.Errorf("not an object: %w", ErrInvalid)
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrSyntax, err)
		}
		known := name.String()
		i := slices.IndexFunc(want, func(m member) bool { return m.name == known })
		if i < 0 {
			return fmt.Errorf("member %.40q does not belong there: %w", known, ErrInvalid)
		}
		v, err := d.ReadValue()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrSyntax, err)
		}
		end := d.InputOffset()
		*want[i].into = b[end-int64(len(v)) : end : end]
	}
	if _, err := d.ReadToken(); err != nil {
		return fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	return atEnd(d)
}

func atEnd(d *jsontext.Decoder) error {
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("something follows the value: %w", ErrSyntax)
	}
	return nil
}

func text(v jsontext.Value) (string, error) {
	if len(v) == 0 || v[0] != '"' {
		return "", ErrInvalid
	}
	b, err := jsontext.AppendUnquote(nil, v)
	return string(b), err
}

// depth is how deep brackets nest in b, strings passed over. It is exact for valid JSON, and for the rest good enough to keep
// a hostile body from the decoder's stack.
func depth(b []byte) (deepest int) {
	level := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i += quoted(b[i:])
		case '{', '[':
			level++
			deepest = max(deepest, level)
		case '}', ']':
			level--
		}
	}
	return deepest
}

// quoted is the place of the quote that ends the string with which b begins.
func quoted(b []byte) int {
	at := 1
	for {
		n := bytes.IndexByte(b[min(at, len(b)):], '"')
		if n < 0 {
			return len(b)
		}
		at += n
		escapes := 0
		for b[at-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return at
		}
		at++
	}
}
