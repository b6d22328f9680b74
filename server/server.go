// Package server is the daemon that runs other people's services and signs every answer it gives.
//
// It follows the registry, keeps the revisions running that it is to run, fetches what belongs to them by digest and CID from
// whoever has it, and answers on one public listener (protocol 2.8, 3, 4, 10). What it answers it can be held to; what it
// cannot answer is a failure without a receipt, never a guess.
package server

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"barnraise"
	"barnraise/content"
	"barnraise/dial"
	"barnraise/image"
	"barnraise/manifest"
	"barnraise/registry"
	"barnraise/runtime"
)

// Dependencies are what a server is given; all but Gate, Local and Log are needed.
type Dependencies struct {
	Network  registry.Network
	Registry Registry
	Writes   bool // Registry can set lists
	Key      ed25519.PrivateKey
	Runtime  func(*image.Store) runtime.Runtime
	Gate     Try    // what an image has to pass before it is hosted; nil trusts every image
	Local    *Local // where this machine's own builds are looked for
	Log      *slog.Logger
	Poll     time.Duration    // between looks at the registry; zero means two seconds
	Now      func() time.Time // by which content is collected that nobody needs any more; nil means time.Now
}

// Local is where an author keeps what nobody else has yet.
type Local struct {
	Images  *image.Store
	Content *content.Store
}

// Server is one server. Open it, run it, close it.
type Server struct {
	config   Config
	network  registry.Network
	registry Registry
	writes   bool
	key      ed25519.PrivateKey
	local    *Local
	log      *slog.Logger
	poll     time.Duration
	now      func() time.Time
	tidied   time.Time // when content was collected last; only sync looks at it

	images  *image.Store
	content *content.Store
	fetcher *content.Fetcher
	puller  *image.Puller
	http    *http.Client
	runtime runtime.Runtime
	gate    *gate
	public  net.Listener
	pinning sync.Mutex // over the pins of content

	block       atomic.Uint64  // the newest registry block seen
	id          atomic.Uint32  // own id, once known
	announcing  atomic.Bool    // a transaction is under way
	rewardsFrom atomic.Uint64  // the block from which the contract takes other rewards
	work        sync.WaitGroup // starts, stops and transactions under way
	calls       sync.WaitGroup // calls under way
	transit     transit
	starting    chan struct{} // starts that have all they need and take much memory

	mu       sync.RWMutex
	draining bool      // no call is let in any more
	looked   bool      // wanted is known
	wanted   []hostKey // what is to run
	hosted   map[barnraise.ServiceID]map[uint32]*hosted
	underWay map[hostKey]context.CancelFunc // what is being started, or stopped; it gives up a start
	trials   map[hostKey]trial              // revisions that did not start
	refused  map[hostKey]bool               // of these, what did not pass the gate
	served   map[barnraise.Digest]bool

	intro introduction
}

// Open prepares a server and takes its port. It does not answer before [Server.Run].
func Open(c Config, d Dependencies) (*Server, error) {
	s := &Server{
		config: c, network: d.Network, registry: d.Registry, writes: d.Writes, key: d.Key, local: d.Local, log: d.Log, poll: d.Poll, now: d.Now,
		http: dial.Client(d.Network.Private(), 0), transit: transit{room: transitRoom}, starting: make(chan struct{}, startsAtOnce),
		hosted: make(map[barnraise.ServiceID]map[uint32]*hosted), underWay: make(map[hostKey]context.CancelFunc), trials: make(map[hostKey]trial), refused: make(map[hostKey]bool),
	}
	if s.poll <= 0 {
		s.poll = 2 * time.Second
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.gate = &gate{dir: filepath.Join(c.Data, "gate"), try: d.Gate, one: make(chan struct{}, 1), now: s.now}
	if err := s.open(d.Runtime); err != nil {
		return nil, fmt.Errorf("open server: %w", err)
	}
	return s, nil
}

func (s *Server) open(start func(*image.Store) runtime.Runtime) (err error) {
	if err := s.config.checkURL(s.network); err != nil {
		return err
	}
	if s.images, err = image.Open(filepath.Join(s.config.Data, "images")); err != nil {
		return err
	}
	if s.content, err = content.Open(filepath.Join(s.config.Data, "content")); err != nil {
		return err
	}
	if err := s.keepStandard(); err != nil {
		return err
	}
	s.fetcher = &content.Fetcher{Client: s.http, Store: s.content, Report: s.skipped, Now: s.now}
	s.puller = &image.Puller{Client: s.http, Store: s.images}
	s.runtime = start(s.images)
	s.public, err = net.Listen("tcp", s.config.Listen)
	if err != nil {
		return fmt.Errorf("%w; is another server running, or another program on that port?", err)
	}
	return nil
}

// Addr is the address of the public listener.
func (s *Server) Addr() net.Addr { return s.public.Addr() }

// Drain bounds how long calls in flight may take to finish once a server is told to stop.
const Drain = 30 * time.Second

// Run answers and follows the registry until the context ends; then it finishes the calls in flight and stops what it ran.
// Who asks meanwhile is told that it is draining. It returns nil after an orderly end.
func (s *Server) Run(ctx context.Context) error {
	longest := timeFor(int64(manifest.MaxLimits.Request)) + time.Duration(manifest.MaxLimits.Timeout) // until an answer is sent
	public := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 60 * time.Second, WriteTimeout: longest + patience,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- s.serve(public) }()
	followed := make(chan struct{})
	following, stop := context.WithCancel(ctx)
	go func() {
		defer close(followed)
		s.follow(following)
	}()
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stop()
	<-followed
	return errors.Join(err, s.drain(context.WithoutCancel(ctx), public))
}

// drain ends in order: no more calls, those under way finished, the listener closed, what runs stopped.
func (s *Server) drain(ctx context.Context, public *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, Drain)
	defer cancel()
	s.mu.Lock()
	s.draining = true
	s.mu.Unlock()
	var errs []error
	_ = await(ctx, &s.calls) // where they are not done in time, neither is the next step
	if err := public.Shutdown(ctx); err != nil {
		errs = append(errs, fmt.Errorf("finish what is under way: %w", err), public.Close())
	}
	s.retain(func(hostKey) bool { return false })
	if err := await(ctx, &s.work); err != nil {
		errs = append(errs, fmt.Errorf("stop what runs: %w", err))
	}
	s.http.CloseIdleConnections()
	return errors.Join(errs...)
}

func await(ctx context.Context, g *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() { g.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Server) serve(public *http.Server) (err error) {
	if s.config.TLS != nil {
		err = public.ServeTLS(s.public, s.config.TLS.Certificate, s.config.TLS.Key)
	} else {
		err = public.Serve(s.public)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Close gives back the port of a server that was never run.
func (s *Server) Close() error { return s.public.Close() }

// follow looks at the registry again and again and does what it says.
func (s *Server) follow(ctx context.Context) {
	tick := time.NewTicker(s.poll)
	defer tick.Stop()
	for {
		if err := s.sync(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("follow registry", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
