// Package runtime says what it means to run a revision of a service: what a server may expect of whoever runs it, and which
// of the failures it was if no answer comes (protocol 2.2, 2.3, 2.6, 3.4). Package runtime/wasm runs wasm variants; package
// suite holds every implementation to what stands here.
package runtime

import (
	"context"
	"errors"
	"fmt"
	"time"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/manifest"
)

// The classes of failure. None of them is an answer and none is ever signed (protocol 3.4); the numbers are what a server
// answers instead.
var (
	ErrRequest  = errors.New("not a request that the service takes")  // 413: larger than its limit. Its caller's fault
	ErrTimeout  = errors.New("out of time")                           // 504: the limit, or the caller's patience
	ErrFuel     = errors.New("out of fuel")                           // 504: more instructions than its limit
	ErrBroke    = errors.New("service broke")                         // 502: trapped, exited, out of memory, answered nonsense
	ErrNotReady = errors.New("service is not running")                // 503: stopped, or stopping
	ErrCannot   = errors.New("this runtime cannot run that revision") // of Start: its image or its limits
)

// Spec is what to run.
type Spec struct {
	Image    barnraise.Digest // the OCI index of the revision
	Platform barnraise.Digest // the manifest within it, which receipts will name
	Limits   manifest.Limits  // granted in full, and no more than that (protocol 2.6)
}

// Runtime starts services.
type Runtime interface {
	// Start prepares a service and returns when it takes calls. It may take minutes: it is to be done before a service is
	// offered. The context bounds the start alone. An image or limits that this runtime cannot run fail with ErrCannot, or
	// with ErrBroke where the service itself fails to start; then nothing is left running. The caller stops what was
	// started.
	Start(ctx context.Context, spec Spec) (Instance, error)
}

// Instance is a service that runs. It is safe for concurrent use; how many calls run at once is the runtime's to bound, the
// others wait within their time.
type Instance interface {
	// Call hands over one JSON-RPC request, exact bytes, and returns the exact bytes of the answer, which has been checked to
	// be one (protocol 3.3, 3.4): within the limits, strict, with the request's id, and no internal error. Each call sees the
	// service as if it were the first.
	//
	// The failures are those of this package, and those of jsonrpc.ParseRequest where the request is not valid. When the
	// context ends, Call returns ErrTimeout at once, whatever the service does.
	Call(ctx context.Context, request []byte) ([]byte, error)

	// Stats says what has happened since the start.
	Stats() Stats

	// Stop refuses further calls with ErrNotReady and waits for those that run, or until the context ends: then it fails, and
	// they are still ended by their limits. Stop may be called again, to wait again. After a nil error nothing of the service
	// is left, no goroutine and no memory.
	Stop(ctx context.Context) error
}

// Stats are counters of one instance.
type Stats struct {
	Calls   uint64        // that got as far as the service
	Answers uint64        // of these, with an answer; the difference, less Running, are failures
	Running int           // now, those included whose callers are gone
	Slowest time.Duration // the longest that an answer took, waiting included
	Fuel    uint64        // the most that one call used; zero where the runtime does not count it
}

// CheckRequest is the first step of every Call: it returns the request's id as written. It fails with [ErrRequest] and as
// jsonrpc.ParseRequest does.
func CheckRequest(l manifest.Limits, request []byte) (id []byte, err error) {
	if uint64(len(request)) > uint64(l.Request) {
		return nil, fmt.Errorf("check request: %d bytes, at most %s: %w", len(request), l.Request, ErrRequest)
	}
	r, err := jsonrpc.ParseRequest(request)
	if err != nil {
		return nil, err
	}
	return r.ID, nil
}

// CheckResponse is the last step of every Call: it reports whether the response to the request with that id may be signed as
// an answer. It fails with [ErrBroke].
func CheckResponse(l manifest.Limits, id, response []byte) error {
	if uint64(len(response)) > uint64(l.Response) {
		return fmt.Errorf("check response: %d bytes, at most %s: %w", len(response), l.Response, ErrBroke)
	}
	r, err := jsonrpc.ParseResponse(response, id)
	if err != nil {
		return fmt.Errorf("check response: %w: %w", err, ErrBroke)
	}
	if r.Error != nil && r.Error.Code == jsonrpc.CodeInternal {
		return fmt.Errorf("check response: internal error %.200q: %w", r.Error.Message, ErrBroke)
	}
	return nil
}
