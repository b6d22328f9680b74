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
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"barnraise"
	"barnraise/budget"
	"barnraise/client"
	"barnraise/content"
	"barnraise/dial"
	"barnraise/dial/doors"
	"barnraise/endpoint"
	"barnraise/evidence"
	"barnraise/image"
	"barnraise/manifest"
	"barnraise/registry"
	"barnraise/runtime"
	"barnraise/store"
)

// Dependencies are what a server is given; Network, Registry, Key and Runtime are needed.
type Dependencies struct {
	Network  registry.Network
	Registry Registry
	Writes   bool // Registry can set lists
	Key      ed25519.PrivateKey
	Runtime  func(*image.Store) runtime.Runtime
	Gate     Try              // what an image has to pass before it is hosted; nil trusts every image
	Local    *Local           // where this machine's own builds are looked for; nil for nowhere
	Log      *slog.Logger     // nil for silence
	Poll     time.Duration    // between looks at the registry; zero means two seconds
	Now      func() time.Time // by which budgets count, epochs pass, and what nobody needs any more is collected; nil means time.Now
	Ledger   Ledger           // where the budgets' counters outlive the server; nil means a file in its directory

	// Space is what the file system of a directory has; nil means budget.SpaceOf.
	Space func(dir string) (budget.Space, error)

	// Memory keeps what is hosted for others. Nil keeps it as long as the server runs.
	Memory Memory
	// Client opens that by which other servers are probed, with these options and its own. Whoever opens it closes it, after the
	// server has ended. Nil asks nobody: then nothing is hosted but what the registry says already.
	Client func(*image.Store, runtime.Runtime, ...client.Option) (*client.Client, error)
	// Evidence is where evidence is kept that is exchanged with others. Nil exchanges none.
	Evidence  evidence.Store
	Happened  func(store.Event)      // told what evidence shows; nil for nobody
	Rules     func() (Config, error) // reads the configuration again, for its rules of hosting and what is next; nil for what it began with
	Random    *rand.Rand             // draws probes, and whom images are fetched from; nil for one of its own
	Tell      func(Step)             // told of each step of hosting, one after the other; nil for nobody
	Listener  net.Listener           // taken in place of the address that the configuration names; nil for none
	Transport http.RoundTripper      // by which others are reached; nil for one that dials public addresses alone, or private ones in a private network

	// Around is what stands around the public endpoint: a devnet's adversaries lie there. Nil for nothing.
	Around func(http.Handler) http.Handler
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
	keys     []ed25519.PrivateKey   // that it has or had; only sync looks at it
	rules    func() (Config, error) // nil for the configuration it began with
	face     atomic.Pointer[face]
	next     atomic.Pointer[Next]
	local    *Local
	log      *slog.Logger
	poll     time.Duration
	now      func() time.Time
	tidied   time.Time // when content was collected last; only sync looks at it

	images   *image.Store
	content  *content.Store
	fetcher  *content.Fetcher
	puller   *image.Puller
	http     *http.Client
	doors    *doors.Doors
	runtime  runtime.Runtime
	gate     *gate
	broker   *broker
	exchange *evidence.Exchange // nil for none
	public   net.Listener
	around   func(http.Handler) http.Handler
	pinning  sync.Mutex // over the pins of content
	meter    *budget.Meter
	disk     *budget.Disk
	ledger   Ledger
	saved    time.Time     // when the meter was saved last; only follow looks at it
	record   budget.Record // what was saved then

	head     *barnraise.Snapshot // as it was last noticed; only sync looks at it
	foretold map[hostKey]string  // what the operator was told of what comes into force; only sync looks at it

	block       atomic.Uint64                       // the newest registry block seen
	id          atomic.Uint32                       // own id, once known
	owners      atomic.Pointer[[]barnraise.Address] // of services, known for long
	announcing  atomic.Bool                         // a transaction is under way
	rewardsFrom atomic.Uint64                       // the block from which the contract takes other rewards
	work        sync.WaitGroup                      // starts, stops and transactions under way
	calls       sync.WaitGroup                      // calls under way
	transit     *endpoint.Transit
	seed        uint64        // of draws
	starting    chan struct{} // starts that have all they need and take much memory

	mu       sync.RWMutex
	draining bool      // no call is let in any more
	looked   bool      // wanted is known
	wanted   []hostKey // what is to run
	hosted   map[barnraise.ServiceID]map[uint32]*hosted
	underWay map[hostKey]context.CancelFunc // what is being started, or stopped; it gives up a start
	trials   map[hostKey]trial              // revisions that did not start
	refused  map[hostKey]time.Time          // what did not pass the gate, and until when that stands
	served   map[barnraise.Digest]bool
	kept     map[hostKey]barnraise.Digest // images that are not collected

	intro    introduction
	excerpts *excerpts
}

// Open prepares a server and takes its port. It does not answer before [Server.Run].
func Open(c Config, d Dependencies) (*Server, error) {
	s := &Server{
		config: c, network: d.Network, registry: d.Registry, writes: d.Writes, keys: []ed25519.PrivateKey{d.Key}, rules: d.Rules, local: d.Local, log: d.Log, poll: d.Poll, now: d.Now,
		http: dial.Client(d.Network.Private(), 0), transit: endpoint.NewTransit(transitRoom), starting: make(chan struct{}, startsAtOnce),
		hosted: make(map[barnraise.ServiceID]map[uint32]*hosted), underWay: make(map[hostKey]context.CancelFunc), trials: make(map[hostKey]trial), refused: make(map[hostKey]time.Time),
		kept: make(map[hostKey]barnraise.Digest), around: d.Around, excerpts: newExcerpts(),
	}
	s.face.Store(&face{d.Key, c.URL})
	if s.around == nil {
		s.around = func(h http.Handler) http.Handler { return h }
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
	if d.Transport != nil {
		s.http.Transport = d.Transport
	}
	s.doors = doors.New(doors.Config{HTTP: s.http, Private: d.Network.Private(), Now: s.now, Avoid: avoided(d.Network)})
	if err := s.open(d); err != nil {
		return nil, fmt.Errorf("open server: %w", err)
	}
	return s, nil
}

func (s *Server) open(d Dependencies) (err error) {
	if err := s.config.checkURL(s.network); err != nil {
		return err
	}
	if err := s.config.checkHosting(); err != nil {
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
	if err := s.openBroker(d); err != nil {
		return err
	}
	s.fetcher = &content.Fetcher{Client: s.http, Store: s.content, Report: s.skipped, Now: s.now}
	s.puller = &image.Puller{Client: s.http, Store: s.images}
	s.openBudgets(d)
	if s.public = d.Listener; s.public != nil {
		return nil
	}
	s.public, err = net.Listen("tcp", s.config.Listen)
	if err != nil {
		return fmt.Errorf("%w; is another server running, or another program on that port?", err)
	}
	return nil
}

func (s *Server) openBroker(d Dependencies) (err error) {
	s.runtime = d.Runtime(s.images)
	var asks *client.Client
	if d.Client != nil {
		options := []client.Option{client.WithKnownOwners(s.knows)}
		if d.Evidence != nil {
			options = append(options, client.WithKeeper(keeper{s, d.Evidence}), client.WithDelivery(deliverWithin))
		}
		if asks, err = d.Client(s.images, s.runtime, options...); err != nil {
			return err
		}
	}
	if s.seed = rand.Uint64(); d.Random != nil {
		s.seed = d.Random.Uint64()
	}
	if s.broker, err = newBroker(s.config, d, asks, s.log, s.now, &s.work); err != nil {
		return err
	}
	s.broker.doubt = s.doubt
	s.openExchange(d, asks)
	return nil
}

// Addr is the address of the public listener.
func (s *Server) Addr() net.Addr { return s.public.Addr() }

// Drain bounds how long calls in flight may take to finish once a server is told to stop.
const Drain = 30 * time.Second

// Run answers and follows the registry until the context ends; then it finishes the calls in flight and stops what it ran.
// Who asks meanwhile is told that it is draining. It returns nil after an orderly end.
func (s *Server) Run(ctx context.Context) error {
	longest := endpoint.TimeFor(int64(manifest.MaxLimits.Request)) + time.Duration(manifest.MaxLimits.Timeout) // until an answer is sent
	public := &http.Server{
		Handler: s.around(s.Handler()), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 60 * time.Second, WriteTimeout: longest + endpoint.Patience,
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
	s.work.Go(func() { s.obey(following) })
	if s.exchange != nil {
		s.work.Go(func() { s.exchange.Run(following) })
	}
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
	if err := s.save(); err != nil {
		errs = append(errs, err)
	}
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
		s.account()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
