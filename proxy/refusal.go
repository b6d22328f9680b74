package proxy

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"barnraise/endpoint"
)

// refusal is why something that need not be JSON-RPC is not answered.
type refusal struct {
	reason string // for metrics
	status int
	detail string
	wait   time.Duration // until it makes sense to come again
}

var (
	errDraining  = &refusal{reason: "draining", status: http.StatusServiceUnavailable, detail: "draining"}
	errNoService = &refusal{reason: "path", status: http.StatusNotFound, detail: "send JSON-RPC by POST to /{service}, such as /3 or /search"}
	errMediaType = &refusal{reason: "media-type", status: http.StatusUnsupportedMediaType, detail: "send Content-Type: application/json"}
)

func notPost(h http.Header) *refusal {
	h.Set("Allow", "POST, OPTIONS")
	return &refusal{reason: "method", status: http.StatusMethodNotAllowed, detail: "send JSON-RPC 2.0 by POST to /{service}"}
}

func badPolicy(detail string) *refusal {
	return &refusal{reason: "policy", status: http.StatusBadRequest, detail: detail}
}

func tooMany(detail string, wait time.Duration) *refusal {
	return &refusal{reason: "too-many", status: http.StatusTooManyRequests, detail: detail, wait: wait}
}

// unread is why a body was not taken in.
func unread(err error, most int64) *refusal {
	if errors.Is(err, errTooLarge) {
		return &refusal{reason: "too-large", status: http.StatusRequestEntityTooLarge, detail: fmt.Sprintf("this proxy takes %d bytes", most)}
	}
	return &refusal{reason: "incomplete", status: http.StatusBadRequest, detail: "the request did not arrive whole, or not in time"}
}

// refuse answers with a problem document.
func (p *Proxy) refuse(w http.ResponseWriter, r *refusal) {
	p.meters.refused(r.reason)
	if r.wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(r.wait.Seconds()))))
	}
	endpoint.Fail(w, r.status, "", r.detail)
}
