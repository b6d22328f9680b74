// Package proxy lets programs that know nothing of Barnraise use it: plain JSON-RPC 2.0 comes in on /{service}, verified answers
// go out, or an error that says what was tried. Nothing of the caller but method and params goes any further: no header of his
// reaches a server.
//
// It is meant to listen on the caller's own machine. There any web page can reach it through the user's browser, so it answers
// only to names of its own, takes only what a page cannot send unasked, and lets pages in only where their origin is named.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"barnraise/client"
	"barnraise/score"
)

// Caller makes verified calls: a [client.Client] does. It is safe for concurrent use. Params are nil or JSON as []byte, which
// Call must not keep.
type Caller interface {
	Call(ctx context.Context, service, method string, params any, options ...client.CallOption) (*client.Answer, error)
}

// Config says how a proxy listens to callers. The zero value is one for callers on this machine, with the limits of [Defaults].
type Config struct {
	Policy  score.Policy // by which the Caller calls; a request may ask for more, never for less. [score.Default] without it
	Hosts   []string     // names and addresses under which it answers, beside those of this machine's loopback
	Origins []string     // of pages that may call it, such as https://app.example; "*" for every page; none without it
	Limits  Limits
	Admin   bool         // metrics are on a listener of their own, see [Proxy.Admin]
	Log     *slog.Logger // nil for none
}

// Limits bound what callers take of this machine, and of the servers that are asked for them. A caller is an IP address; all of
// this machine is one, and so are all of an IPv6 network of 64 bits.
type Limits struct {
	Rate     float64       // calls a second of one caller
	Burst    int           // calls that one caller may make at once after a pause; at least Batch
	Each     int           // requests of one caller that may be under way
	Total    int           // requests that may be under way
	Batch    int           // calls in one request
	Together int           // calls of one request that are under way at the same time
	Body     int64         // bytes of a request
	Answers  int64         // bytes of all answers to one request
	Held     int64         // bytes of all answers that are held until their callers have taken them
	Timeout  time.Duration // for one request
	Drain    time.Duration // for requests under way once it is told to stop
}

// Defaults are the limits that stand where a [Config] has none.
var Defaults = Limits{
	Rate: 1000, Burst: 2000, Each: 128, Total: 512, Batch: 100, Together: 8, Body: 1 << 20, Answers: 32 << 20, Held: 256 << 20,
	Timeout: client.Timeout, Drain: 15 * time.Second,
}

// Unlimited is the [Limits.Rate] that lets callers call as often as they can.
const Unlimited = math.MaxFloat64

// ErrConfig is the error for a configuration that cannot be meant.
var ErrConfig = errors.New("proxy cannot be set up so")

// Proxy answers JSON-RPC with what its Caller verified. It is safe for concurrent use.
type Proxy struct {
	caller  Caller
	config  Config
	limits  Limits
	guard   guard
	gate    *gate
	meters  *meters
	held    atomic.Int64 // bytes of answers
	scratch sync.Pool    // of *scratch
}

// New makes a proxy. The caller stays the owner's, who closes it after [Proxy.Run] has returned. It fails with [ErrConfig].
func New(caller Caller, c Config) (*Proxy, error) {
	if c.Policy == (score.Policy{}) {
		c.Policy = score.Default
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	limits, err := c.Limits.complete()
	if err != nil {
		return nil, err
	}
	g, err := newGuard(c.Hosts, c.Origins)
	if err != nil {
		return nil, err
	}
	p := &Proxy{caller: caller, config: c, limits: limits, guard: g, gate: newGate(limits)}
	p.meters = newMeters(p.gate.busy)
	p.scratch.New = func() any { return new(scratch) }
	return p, nil
}

// complete fills in what is left out.
func (l Limits) complete() (Limits, error) {
	d := Defaults
	if l.Rate == 0 {
		l.Rate = d.Rate
	}
	for _, n := range []struct{ v, without *int }{
		{&l.Each, &d.Each}, {&l.Total, &d.Total}, {&l.Batch, &d.Batch}, {&l.Together, &d.Together},
	} {
		if *n.v == 0 {
			*n.v = *n.without
		}
	}
	if l.Burst == 0 {
		l.Burst = max(int(min(2*l.Rate, math.MaxInt32)), l.Batch)
	}
	for _, n := range []struct{ v, without *int64 }{
		{&l.Body, &d.Body}, {&l.Answers, &d.Answers}, {&l.Held, &d.Held},
		{(*int64)(&l.Timeout), (*int64)(&d.Timeout)}, {(*int64)(&l.Drain), (*int64)(&d.Drain)},
	} {
		if *n.v == 0 {
			*n.v = *n.without
		}
	}
	return l, l.check()
}

func (l Limits) check() error {
	if !(l.Rate > 0) || min(l.Burst, l.Each, l.Total, l.Batch, l.Together) < 1 ||
		min(l.Body, l.Answers, l.Held, int64(l.Timeout), int64(l.Drain)) < 1 {
		return fmt.Errorf("%w: every limit is above zero", ErrConfig)
	}
	if l.Total >= maxCallers {
		return fmt.Errorf("%w: at most %d requests can be under way", ErrConfig, maxCallers-1)
	}
	if l.Burst < l.Batch {
		return fmt.Errorf("%w: a batch may have %d calls, more than the %d that are let through at once", ErrConfig, l.Batch, l.Burst)
	}
	return nil
}

// ServeHTTP answers one HTTP request. What is JSON-RPC gets 200 and a JSON-RPC answer, what is none a problem document.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if refused := p.guard.check(r); refused != nil {
		p.refuse(w, refused)
		return
	}
	switch r.Method {
	case http.MethodPost:
		p.guard.expose(w.Header(), r)
		p.serve(w, r)
	case http.MethodOptions:
		p.guard.preflight(w, r)
	case http.MethodGet, http.MethodHead:
		p.tell(w, r)
	default:
		p.refuse(w, notPost(w.Header()))
	}
}

// tell answers those who watch the proxy.
func (p *Proxy) tell(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/livez":
		ok(w)
	case r.URL.Path == "/readyz" && p.gate.draining():
		p.refuse(w, errDraining)
	case r.URL.Path == "/readyz":
		ok(w)
	case r.URL.Path == "/metrics" && !p.config.Admin:
		p.meters.handler.ServeHTTP(w, r)
	default:
		p.refuse(w, notPost(w.Header()))
	}
}

func ok(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("ok\n"))
}

// Admin is the handler of a listener for those who run the proxy: /metrics, /livez and /readyz. It is as closed to web pages as
// the other.
func (p *Proxy) Admin() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refused := p.guard.check(r)
		switch {
		case refused != nil:
			p.refuse(w, refused)
		case r.URL.Path == "/metrics" && (r.Method == http.MethodGet || r.Method == http.MethodHead):
			p.meters.handler.ServeHTTP(w, r)
		default:
			p.tell(w, r)
		}
	})
}

// service is what a path names, as the Caller takes it: /3, /%233, /search, each with @2 behind it or not.
func service(path string) (string, bool) {
	name, ok := strings.CutPrefix(path, "/")
	return name, ok && name != "" && len(name) <= maxReference && !strings.Contains(name, "/")
}

// maxReference is how long a reference to a service is at most: a name of 48 characters and the number of a revision have room.
const maxReference = 64
