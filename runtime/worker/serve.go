package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"barnraise/manifest"
	"barnraise/runtime"
)

// leaveWithin is how long a child takes at most to stop what it runs, once its parent is gone.
const leaveWithin = 10 * time.Second

// Serve is the child's main: it runs what the parent asks for with r, until the context ends or its parent does, which it
// sees by the end of life, the child's standard input. Then it stops what runs, within ten seconds, and returns nil.
func Serve(ctx context.Context, l net.Listener, life io.Reader, r runtime.Runtime) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, life)
		cancel()
	}()
	c := &child{runtime: r, services: make(map[string]runtime.Instance), given: make(map[string]bool)}
	s := &http.Server{Handler: c.handler(), ReadHeaderTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve services: %w", err)
	case <-ctx.Done():
	}
	_ = s.Close() // ends starts and calls under way, for nobody waits for them
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
	defer stop()
	return c.close(ctx)
}

// child is the side of the process that runs services.
type child struct {
	runtime  runtime.Runtime
	mu       sync.Mutex
	closed   bool
	services map[string]runtime.Instance
	given    map[string]bool // ids that were given up before anything ran under them
	starts   sync.WaitGroup
}

func (c *child) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /platforms", func(w http.ResponseWriter, r *http.Request) {
		answer(w, c.runtime.Platforms(r.Context()))
	})
	mux.HandleFunc("PUT /services/{id}", c.start)
	for route, serve := range map[string]func(http.ResponseWriter, *http.Request, runtime.Instance){
		"POST /services/{id}/call": call, "GET /services/{id}/health": health, "GET /services/{id}/stats": stats,
		"POST /services/{id}/crash": crash, "DELETE /services/{id}": c.stop,
	} {
		mux.HandleFunc(route, func(w http.ResponseWriter, r *http.Request) {
			i := c.find(r)
			if i == nil {
				fail(w, runtime.ErrNotReady)
				return
			}
			serve(w, r, i)
		})
	}
	return mux
}

// find is the service that a message is for, or nil. To stop what does not run yet is to give it up.
func (c *child) find(r *http.Request) runtime.Instance {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := r.PathValue("id")
	if c.services[id] == nil && r.Method == http.MethodDelete {
		c.given[id] = true
	}
	return c.services[id]
}

func answer(w http.ResponseWriter, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		fail(w, err)
		return
	}
	_, _ = w.Write(b)
}

// done is the answer to what has no result.
func done(w http.ResponseWriter, err error) {
	if err != nil {
		fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (c *child) start(w http.ResponseWriter, r *http.Request) {
	var spec runtime.Spec
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSpec))
	if err == nil {
		err = json.Unmarshal(b, &spec)
	}
	if err != nil {
		fail(w, fmt.Errorf("read what to start: %w", err))
		return
	}
	if !c.begin() {
		fail(w, runtime.ErrNotReady)
		return
	}
	defer c.starts.Done()
	i, err := c.runtime.Start(r.Context(), spec)
	if err == nil && !c.keep(r.PathValue("id"), i) {
		err = errors.Join(runtime.ErrNotReady, i.Stop(context.WithoutCancel(r.Context())))
	}
	done(w, err)
}

// begin counts a start, unless the process is on its way out.
func (c *child) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.starts.Add(1)
	}
	return !c.closed
}

// keep remembers what runs, unless the process is on its way out, or nobody wants it any more.
func (c *child) keep(id string, i runtime.Instance) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.given[id] || c.services[id] != nil {
		return false
	}
	c.services[id] = i
	return true
}

func call(w http.ResponseWriter, r *http.Request, i runtime.Instance) {
	request, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(manifest.MaxLimits.Request)))
	var response []byte
	if err == nil {
		response, err = i.Call(r.Context(), request)
	}
	if err != nil {
		fail(w, err)
		return
	}
	_, _ = w.Write(response)
}

func health(w http.ResponseWriter, r *http.Request, i runtime.Instance) {
	done(w, i.Health(r.Context()))
}

func stats(w http.ResponseWriter, _ *http.Request, i runtime.Instance) { answer(w, i.Stats()) }

func crash(w http.ResponseWriter, r *http.Request, i runtime.Instance) {
	if i, ok := i.(interface{ Crash(context.Context) error }); ok {
		done(w, i.Crash(r.Context()))
		return
	}
	fail(w, errors.ErrUnsupported)
}

func (c *child) stop(w http.ResponseWriter, r *http.Request, i runtime.Instance) {
	err := i.Stop(r.Context())
	if err == nil {
		c.mu.Lock()
		delete(c.services, r.PathValue("id"))
		c.mu.Unlock()
	}
	done(w, err)
}

// close stops all that runs, and waits for what was about to.
func (c *child) close(ctx context.Context) error {
	c.mu.Lock()
	c.closed = true
	services := slices.Collect(maps.Values(c.services))
	c.mu.Unlock()
	starts := make(chan struct{})
	go func() { c.starts.Wait(); close(starts) }()
	select {
	case <-starts:
	case <-ctx.Done():
	}
	errs := make(chan error, len(services))
	for _, i := range services {
		go func() { errs <- i.Stop(ctx) }()
	}
	var all []error
	for range cap(errs) {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}
