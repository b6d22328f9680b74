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
	"barnraise/image"
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

// Spec is what to run. Specs that are equal are the same service.
type Spec struct {
	Image    barnraise.Digest // the OCI index of the revision
	Platform barnraise.Digest // the manifest within it, which receipts will name
	Limits   manifest.Limits  // granted in full, and no more than that (protocol 2.6)
	// Around is what the conformance gate varies; for callers it is always the zero value.
	Around Surroundings `json:",omitzero"`
}

// Of returns nil where the spec means the image's variant of that platform: the first step of every Start. It fails with
// [ErrPlatform] where it means another one, and with [ErrCannot] where the image is not there, or unsound.
func (s Spec) Of(images *image.Store, platform string) error {
	v, err := images.Variant(s.Image, platform)
	switch {
	case errors.Is(err, image.ErrNoVariant):
		return fmt.Errorf("%w: %w", ErrPlatform, err)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrCannot, err)
	case v.Manifest != s.Platform:
		return fmt.Errorf("%w: its %s variant is %s, not %s", ErrPlatform, platform, v.Manifest, s.Platform)
	}
	return nil
}

// ErrPlatform is the [ErrCannot] of a runtime that runs variants of another platform.
var ErrPlatform = fmt.Errorf("%w: it is of another platform", ErrCannot)

// Surroundings are what a service must not be able to tell two runs by. The zero value is what hosts run services with. The
// gate varies one of them at a time: answers that differ then show a service that looks at it. A runtime that cannot give a
// service such surroundings, because there is nothing of the kind to be seen in it or because the machine lacks the means,
// refuses the start with [ErrCannot] and says which it is.
type Surroundings struct {
	Clock    time.Duration  `json:",omitzero"` // the wall clock is that much ahead
	Tick     time.Duration  `json:",omitzero"` // a clock that moves by being looked at moves that much more each time
	Chance   uint64         `json:",omitzero"` // another sequence of random bytes, where they are otherwise the same for all
	Shift    manifest.Bytes `json:",omitzero"` // what a request is put into memory after, so that addresses are others
	Memory   manifest.Bytes `json:",omitzero"` // that much more memory than the limit, and more of it there from the beginning
	CPU      float64        `json:",omitzero"` // cores, in place of the limit's
	Env      string         `json:",omitzero"` // environment variables beside those that there are, NAME=value, a line each
	Hostname string         `json:",omitzero"`
	First    bool           `json:",omitzero"` // the service is the first process it can see, or another where it else would be
	Reused   bool           `json:",omitzero"` // one instance answers all calls, one after the other and without end
}

// Runtime starts services. It is safe for concurrent use.
type Runtime interface {
	// Platforms lists what variants it can run on this machine at this moment, such as image.Wasm, the best first; none where
	// what it needs does not answer. It may ask an engine, and returns at the latest when the context ends.
	Platforms(ctx context.Context) []string

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
	// be one (protocol 3.3, 3.4): within the limits, strict, with the request's id, and no internal error. Each call is to see
	// the service as if it were the first: it has an instance of its own, or, where those are dear, one drawn among several
	// that are often renewed, so that what a service remembers shows as a difference.
	//
	// The failures are those of this package, and those of jsonrpc.ParseRequest where the request is not valid. When the
	// context ends, Call returns ErrTimeout at once, whatever the service does.
	Call(ctx context.Context, request []byte) ([]byte, error)

	// Health returns nil where a call would find the service ready. It fails with ErrNotReady after Stop and while the service
	// is being made to run again, with ErrBroke where it fails to, saying why, and with the context's error.
	Health(ctx context.Context) error

	// Stats says what has happened since the start.
	Stats() Stats

	// Stop refuses further calls with ErrNotReady and waits for those that run, or until the context ends: then it fails, and
	// they are still ended by their limits. Stop may be called again, to wait again. After a nil error nothing of the service
	// is left, no goroutine and no memory.
	Stop(ctx context.Context) error
}

// Stats are counters of one instance.
type Stats struct {
	Calls    uint64         // that got as far as the service
	Answers  uint64         // of these, with an answer; the difference, less Running, are failures
	Running  int            // now, those included whose callers are gone
	Slowest  time.Duration  // the longest that an answer took, waiting included
	Fuel     uint64         // the most that one call used; zero where the runtime does not count it
	CPU      time.Duration  // processor time of all calls; a runtime that cannot tell it from waiting counts both
	Memory   manifest.Bytes // the most that the service had at once; zero where the runtime does not know
	Restarts uint64         // times that the service had to be made to run again after it broke, or its surroundings did
}

// Any is several runtimes as one. Each start goes to the first that can run what it asks for.
type Any []Runtime

// Platforms lists those of all, in their order.
func (a Any) Platforms(ctx context.Context) (all []string) {
	for _, r := range a {
		all = append(all, r.Platforms(ctx)...)
	}
	return all
}

// Start fails with [ErrCannot] and the reasons of those runtimes whose platform it is, where none can run it. Another failure is
// final.
func (a Any) Start(ctx context.Context, spec Spec) (Instance, error) {
	var reasons []error
	foreign := ErrPlatform
	for _, r := range a {
		i, err := r.Start(ctx, spec)
		switch {
		case !errors.Is(err, ErrCannot):
			return i, err
		case errors.Is(err, ErrPlatform):
			foreign = err
		default:
			reasons = append(reasons, err)
		}
	}
	if len(reasons) == 0 {
		return nil, foreign
	}
	return nil, errors.Join(reasons...)
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
