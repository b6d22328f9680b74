// Package endpoint is what every public endpoint of a server does alike: it answers a failure as a problem document, and bounds
// what bodies on their way take of the machine.
package endpoint

import (
	"encoding/json"
	"net/http"
)

// Problem is a failure of the server, never signed (RFC 9457).
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// Fail answers with a problem. Who is to come again is told when.
func Fail(w http.ResponseWriter, status int, kind, detail string) {
	if kind == "" {
		kind = "about:blank"
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Content-Type-Options", "nosniff")
	if (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable) && h.Get("Retry-After") == "" {
		h.Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	b, err := json.Marshal(Problem{Type: kind, Title: http.StatusText(status), Status: status, Detail: detail})
	if err == nil {
		w.Write(b)
	}
}
