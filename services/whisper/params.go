package main

import (
	"encoding/hex"
	"fmt"
	"strings"

	"barnraise/jsonrpc"
	"barnraise/services/whisper/envelope"

	"github.com/go-json-experiment/json/jsontext"
)

// reader turns params into what they mean, and keeps the error of the first that means nothing. What it gives then is of no
// use.
type reader struct{ err *jsonrpc.Error }

func (r *reader) fail(name, format string, args ...any) {
	if r.err == nil {
		message := fmt.Sprintf("param %.80q: ", name) + fmt.Sprintf(format, args...)
		r.err = &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: message}
	}
}

// missing is for members of objects within params.
func (r *reader) missing(name string) {
	if r.err == nil {
		r.err = &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: fmt.Sprintf("param %.80q is missing", name)}
	}
}

// want holds a param to a condition.
func (r *reader) want(holds bool, name, format string, args ...any) {
	if !holds {
		r.fail(name, format, args...)
	}
}

func (r *reader) profile(s string) envelope.Profile {
	p := envelope.Profile(s)
	r.want(p.Known(), "profile", "want %q or %q", envelope.EIP627, envelope.Geth6)
	return p
}

// bytes reads 0x and pairs of hexadecimal digits.
func (r *reader) bytes(name, s string) []byte {
	digits, prefixed := strings.CutPrefix(s, "0x")
	b, err := hex.DecodeString(digits)
	r.want(prefixed && err == nil, name, "want 0x and pairs of hexadecimal digits")
	return b
}

// fill reads as many bytes as there is room for.
func (r *reader) fill(into []byte, name, s string) {
	b := r.bytes(name, s)
	r.want(len(b) == len(into), name, "%d bytes, want %d", len(b), len(into))
	copy(into, b)
}

func (r *reader) topic(name, s string) (t envelope.Topic) {
	r.fill(t[:], name, s)
	return t
}

// pow reads a decimal number, nil where none is given.
func (r *reader) pow(name string, v jsontext.Value) *envelope.PoW {
	if v == nil {
		return nil
	}
	text, number := string(v), v.Kind() == '0'
	if v.Kind() == '"' {
		b, err := jsontext.AppendUnquote(nil, v)
		r.want(err == nil, name, "%v", envelope.ErrPoW)
		text = string(b)
	}
	pow, err := envelope.ParsePoW(text)
	r.want(err == nil && !(number && strings.Contains(text, ".")), name, "%v", envelope.ErrPoW)
	return &pow
}

// budget is how many bytes the items of a call may still have.
type budget int

func (b *budget) take(r *reader, name string, size int) {
	*b -= budget(size)
	r.want(*b >= 0, name, "more than %d bytes in all", maxBytes)
}

func item(name string, i int) string { return fmt.Sprintf("%s/%d", name, i) }

func asHex(b []byte) string { return "0x" + hex.EncodeToString(b) }
