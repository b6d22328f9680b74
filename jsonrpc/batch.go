package jsonrpc

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Split takes what a caller sends apart into its messages, one or a batch of at most so many. They are views into body, and
// nothing is known of them but that they are strict JSON: a bad one spoils only itself. Servers take no batches; who stands
// between them and callers splits them and joins the answers in order (protocol 3.2).
//
// It fails with [ErrSyntax], with [ErrInvalid] for a batch that is empty, and with [ErrTooMany] for one that is longer.
func Split(body []byte, most int) (messages [][]byte, batch bool, err error) {
	body = bytes.Trim(body, " \t\r\n")
	if len(body) == 0 || body[0] != '[' {
		if err := Strict(body); err != nil {
			return nil, false, fmt.Errorf("read request: %w", err)
		}
		return [][]byte{body}, false, nil
	}
	if depth(body) > MaxDepth+1 {
		return nil, true, fmt.Errorf("read batch: more than %d levels deep: %w", MaxDepth, ErrSyntax)
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(body))
	if _, err := d.ReadToken(); err != nil {
		return nil, true, fmt.Errorf("read batch: %w: %w", ErrSyntax, err)
	}
	for d.PeekKind() != ']' {
		v, err := d.ReadValue()
		if err != nil {
			return nil, true, fmt.Errorf("read batch: %w: %w", ErrSyntax, err)
		}
		if len(messages) == most {
			return nil, true, fmt.Errorf("read batch: more than %d messages: %w", most, ErrTooMany)
		}
		end := d.InputOffset()
		messages = append(messages, body[end-int64(len(v)):end:end])
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, true, fmt.Errorf("read batch: %w: %w", ErrSyntax, err)
	}
	if len(messages) == 0 {
		return nil, true, fmt.Errorf("read batch: it is empty: %w", ErrInvalid)
	}
	if err := atEnd(d); err != nil {
		return nil, true, fmt.Errorf("read batch: %w", err)
	}
	return messages, true, nil
}

// AppendResponse writes the response to a request with that id, which stands as written: the error where there is one, else the
// result, byte for byte where they were read from a response. An id that is empty is null, as it is where a request could not be read.
func AppendResponse(b, id, result []byte, e *Error) []byte {
	if len(id) == 0 {
		id = []byte("null")
	}
	b = append(append(append(b, `{"jsonrpc":"2.0","id":`...), id...), ',')
	if e == nil {
		return append(append(append(b, `"result":`...), result...), '}')
	}
	if len(e.written) > 0 {
		return append(append(append(b, `"error":`...), e.written...), '}')
	}
	b = strconv.AppendInt(append(b, `"error":{"code":`...), e.Code, 10)
	b, _ = jsontext.AppendQuote(append(b, `,"message":`...), e.Message) // what is not UTF-8 is replaced
	if len(e.Data) > 0 {
		b = append(append(b, `,"data":`...), e.Data...)
	}
	return append(b, "}}"...)
}
