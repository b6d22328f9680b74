package jsonrpc

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

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
