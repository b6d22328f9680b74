package server

import (
	"encoding/json"
	"net/http"
)

// problem is a failure of the server, never signed (RFC 9457).
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// The problems that callers tell apart by their type; the rest has the type of its status.
const (
	unknownService  = "unknown-service"
	unknownRevision = "unknown-revision"
)

// fail answers with a problem. Who is to come again is told when.
func fail(w http.ResponseWriter, status int, kind, detail string) {
	if kind == "" {
		kind = "about:blank"
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Content-Type-Options", "nosniff")
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	b, err := json.Marshal(problem{Type: kind, Title: http.StatusText(status), Status: status, Detail: detail})
	if err == nil {
		w.Write(b)
	}
}
