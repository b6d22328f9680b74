package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"barnraise/quick"
	"barnraise/until"
)

// ending bounds how long a call may take to end once it is told that nobody waits any more.
const ending = 2 * time.Second

// Run answers on public, and on admin where there is one, until ctx ends. Then it takes no more calls and /readyz says so; those
// under way have [Limits.Drain] to end, and are cut off after that. It closes both listeners, and returns nil after an orderly
// end.
func (p *Proxy) Run(ctx context.Context, public, admin net.Listener) error {
	life := until.New(context.WithoutCancel(ctx), time.Time{})
	defer life.End()
	failed := make(chan error, 2)
	serve := func(s server, l net.Listener) server {
		go func() { failed <- s.Serve(l) }()
		return s
	}
	servers := []server{serve(&quick.Server{HTTP: p.server(life, p), Handler: p, Life: life}, public)}
	if admin != nil {
		servers = append(servers, serve(p.server(life, p.Admin()), admin))
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		err = fmt.Errorf("serve: %w", err)
	}
	p.gate.close()
	return errors.Join(err, p.drain(life, life.End, servers))
}

// server serves a listener.
type server interface {
	Serve(net.Listener) error
	Shutdown(context.Context) error
	Close() error
}

// drain waits for what is under way, then ends it, then closes everything.
func (p *Proxy) drain(life context.Context, end func(), servers []server) error {
	patient, cancel := context.WithTimeout(life, p.limits.Drain)
	defer cancel()
	if !p.gate.drained(patient) {
		p.config.Log.Warn("cut off what is under way", "requests", p.gate.busy())
	}
	end()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(life), ending)
	defer cancel()
	var errs []error
	for _, s := range servers {
		err := s.Shutdown(ctx)
		if err == nil {
			continue
		}
		if p.gate.busy() > 0 { // else there are only connections on which nothing has been asked
			errs = append(errs, fmt.Errorf("end what is under way: %w", err))
		}
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// server is how either listener is served. Whoever sends or reads slowly has a bounded time for it.
func (p *Proxy) server(life context.Context, h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 20 * time.Second, WriteTimeout: p.limits.Timeout + 30*time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(p.config.Log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return life },
	}
}
