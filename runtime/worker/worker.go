// Package worker runs strangers' code in a process without keys (protocol 9.6): a child of the same program that is told what to
// start, stop and call by digest, and that knows nothing else.
//
// The parent's [Runtime] is a runtime.Runtime like any. The child, whose main is [Serve], has the real ones; it has an
// environment of its own, a memory limit, and no file open but the socket by which it is spoken to. Where it crashes, the calls
// in flight fail with runtime.ErrBroke, and nothing more: it is started again with what it ran, with back-off, and so is a
// service that was being called whenever it crashed. Where the parent ends, however it does, the child stops what it runs and
// ends as well.
//
// The parent takes the child for hostile: whatever it says is bounded, and answers are checked again.
package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"barnraise/runtime"
)

// Config says what child there is to be. Command and Dir are required.
type Config struct {
	// Command is the child's program, as it is called, and its arguments. The path of the socket to listen at is appended, and
	// the child writes a line to its standard output once it does.
	Command []string
	// Program is the file to execute; Command[0] where it is empty.
	Program string
	// Env is the child's whole environment. Nothing of the parent's is handed on.
	Env []string
	// Dir is where the socket is made, for this user alone. One parent may use it at a time.
	Dir string
	// Log is told when the child ends and why; nil for silence.
	Log *slog.Logger
}

// Runtime runs services in the child. Open it, close it. It is safe for concurrent use.
type Runtime struct {
	log    *slog.Logger
	spawn  func(context.Context) (process, error)
	http   *http.Client
	cancel context.CancelFunc
	ended  chan struct{} // closed when there is no child any more and will not be

	revivals sync.WaitGroup
	reviving chan struct{} // places: a start may take much memory

	mu       sync.Mutex
	up       chan struct{}   // closed while there is a child
	run      uint64          // which child it is, from 1
	there    bool            // it is up
	lives    context.Context // ends with that child
	next     uint64
	services map[*instance]bool
}

// process is a child. Wait returns when it has ended, with why; End asks it to and returns at once.
type process interface {
	Wait() error
	End()
}

// Open starts the child and returns when it takes orders. It fails where that cannot be: the command is wrong, or the child
// ends at once, with what it said, or another process uses the directory. From then on it is kept running until [Runtime.Close].
func Open(ctx context.Context, c Config) (*Runtime, error) {
	socket, err := place(c.Dir)
	if err == nil {
		err = vacant(ctx, socket)
	}
	if err != nil {
		return nil, fmt.Errorf("open worker: %w", err)
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	spawn := func(ctx context.Context) (process, error) { return launch(ctx, c, socket) }
	r, err := open(ctx, spawn, transport(dial), c.Log)
	if err != nil {
		return nil, fmt.Errorf("open worker: %w", err)
	}
	return r, nil
}

// stay has no redirect followed.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func transport(dial func(ctx context.Context, network, address string) (net.Conn, error)) http.RoundTripper {
	return &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 64, IdleConnTimeout: 2 * time.Second, DisableCompression: true, MaxResponseHeaderBytes: 4 << 10}
}

func open(ctx context.Context, spawn func(context.Context) (process, error), via http.RoundTripper, log *slog.Logger) (*Runtime, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	living, cancel := context.WithCancel(context.Background())
	r := &Runtime{
		log: log, spawn: spawn, http: &http.Client{Transport: via, CheckRedirect: stay}, cancel: cancel, ended: make(chan struct{}),
		up: make(chan struct{}), services: make(map[*instance]bool), reviving: make(chan struct{}, revivalsAtOnce),
	}
	first, err := spawn(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	go r.supervise(living, first)
	return r, nil
}

// Close ends the child and everything that runs in it. Instances fail with runtime.ErrNotReady from then on.
func (r *Runtime) Close() error {
	r.cancel()
	<-r.ended
	r.revivals.Wait()
	r.http.CloseIdleConnections()
	return nil
}

// wait returns when there is a child, and which.
func (r *Runtime) wait(ctx context.Context) (run uint64, err error) {
	for {
		r.mu.Lock()
		up, run, there := r.up, r.run, r.there
		r.mu.Unlock()
		if there {
			return run, nil
		}
		select {
		case <-up:
		case <-r.ended:
			return 0, fmt.Errorf("%w: the process that runs services is closed", runtime.ErrNotReady)
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// Platforms asks the child. There are none while there is no child.
func (r *Runtime) Platforms(ctx context.Context) (list []string) {
	if _, err := r.wait(ctx); err != nil {
		return nil
	}
	b, err := r.ask(ctx, http.MethodGet, "/platforms", "", maxMessage)
	if err != nil || json.Unmarshal(b, &list) != nil {
		return nil
	}
	return list
}

// Start starts a service in the child. Where the child ends meanwhile it fails with ErrBroke: the service may be the reason.
func (r *Runtime) Start(ctx context.Context, spec runtime.Spec) (runtime.Instance, error) {
	run, err := r.wait(ctx)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Image, err)
	}
	i := r.instance(spec)
	if err := i.start(ctx); err != nil {
		i.forget(err)
		return nil, err
	}
	if r.admit(i, run) {
		return i, nil
	}
	return nil, errors.Join(fmt.Errorf("start %s: the process that runs services ended: %w", spec.Image, runtime.ErrBroke), i.Stop(ctx))
}

func (r *Runtime) instance(spec runtime.Spec) *instance {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next++
	return &instance{runtime: r, spec: spec, id: r.next, turn: make(chan struct{}, 1)}
}

// admit keeps an instance running from now on; false where the child that it was started in has ended.
func (r *Runtime) admit(i *instance, run uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	i.run = run
	r.services[i] = true
	return r.run == run && r.there
}

// ask sends the child one message. Where no answer comes because the child ended, it fails with ErrBroke.
func (r *Runtime) ask(ctx context.Context, method, path, body string, most int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://worker"+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := r.http.Do(req)
	var b []byte
	if err == nil {
		b, err = read(resp, most)
	}
	var said remote
	switch {
	case err == nil, errors.As(err, &said):
		return b, err
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	return nil, fmt.Errorf("%w: the process that runs services does not answer: %w", runtime.ErrBroke, err)
}
