package plain

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"barnraise/client"
)

// ErrRequest is the error for an HTTP request that is none to a service: it goes nowhere, least of all over the network.
var ErrRequest = errors.New("not a request to a service")

// transport carries requests to a Caller.
type transport struct {
	caller  Caller
	options []client.CallOption
}

// Transport makes an [http.RoundTripper] that answers from c, every call with these options. It takes POST requests with a body of
// type application/json to [URL] of a service. Headers of the request are not looked at, and go nowhere.
//
// What is no such request is an error, [ErrRequest]. All else is answered with status 200 and JSON-RPC, and with 204 where the
// request was a notification, or notifications alone: then nobody is asked. The request's context bounds all of its calls.
func Transport(c Caller, options ...client.CallOption) http.RoundTripper {
	return &transport{c, options}
}

// RoundTrip makes the calls of one request.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := read(r)
	if err != nil {
		return nil, err
	}
	service, err := service(r)
	if err != nil {
		return nil, err
	}
	answer := t.answer(r.Context(), service, body)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return response(r, answer), nil
}

// read takes the body, which is closed in any case.
func read(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, fmt.Errorf("%w: it has no body", ErrRequest)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read request: %w", err)
	case len(b) > MaxBody:
		return nil, fmt.Errorf("%w: its body has more than %d bytes", ErrRequest, MaxBody)
	}
	return b, nil
}

// service is what the URL names.
func service(r *http.Request) (string, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	name := strings.TrimPrefix(r.URL.Path, "/")
	switch {
	case r.URL.Scheme != "http" || r.URL.Host != Host || r.URL.RawQuery != "" || r.URL.User != nil:
		return "", fmt.Errorf("%w: %.200q: want %s", ErrRequest, r.URL.Redacted(), URL("SERVICE"))
	case name == "" || strings.Contains(name, "/"):
		return "", fmt.Errorf("%w: path %.200q: want the name or the id of a service", ErrRequest, r.URL.Path)
	case r.Method != http.MethodPost:
		return "", fmt.Errorf("%w: method %.20q: want POST", ErrRequest, r.Method)
	case err != nil || kind != "application/json":
		return "", fmt.Errorf("%w: Content-Type is %.80q: want application/json", ErrRequest, r.Header.Get("Content-Type"))
	}
	return name, nil
}

func response(r *http.Request, body []byte) *http.Response {
	status, header := http.StatusOK, http.Header{"Content-Type": {"application/json"}}
	if body == nil {
		status, header = http.StatusNoContent, http.Header{}
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}
