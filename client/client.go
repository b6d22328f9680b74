// Package client asks servers that nobody has to believe, and returns answers that can be relied on, or an error.
//
// One call (protocol 6): a primary answers first and signs; only then are auditors drawn, in secret, and asked the same bytes;
// the service's verifier judges what came back. Where answers contradict each other a witness is drawn and, on a machine that
// can run the image, the request is executed here; package judge says who is to blame. What a liar signed is kept on disk as
// evidence before anything else happens, then its score falls.
//
// A program that imports only this package links no chain node, no database and no runtime for images.
package client

import (
	"cmp"
	"context"
	cryptorand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"barnraise"
	"barnraise/content"
	"barnraise/dial"
	"barnraise/dial/doors"
	"barnraise/judge"
	"barnraise/manifest"
	"barnraise/outbox"
	"barnraise/registry"
	"barnraise/registry/evm"
	"barnraise/registry/lock"
	"barnraise/score"
	"barnraise/until"
	"barnraise/verifier"
	"barnraise/wasm"
)

// Timeout is how long a call may take where its context has no deadline.
const Timeout = 60 * time.Second

// Epoch is the length of an epoch, by the caller's own clock (protocol 9.1).
const Epoch = 6 * time.Hour

// Registry shows the services and servers there are. It is safe for concurrent use.
type Registry interface {
	// Snapshot shows the head of the chain, for calls.
	Snapshot(ctx context.Context) (*barnraise.Snapshot, error)
	// Confirmed shows what no reorganisation will change any more, for evidence (protocol 1.9).
	Confirmed(ctx context.Context) (*barnraise.Snapshot, error)
}

// Rerunner executes requests on this machine.
type Rerunner interface {
	// Rerun executes the request twice on each of the job's platforms that this machine can run, in fresh instances that
	// share nothing. It fails where none can be run here.
	Rerun(ctx context.Context, job Job) (Rerun, error)
}

// Job is a request to execute on this machine.
type Job struct {
	Service   barnraise.ServiceID
	Revision  barnraise.Revision
	Limits    manifest.Limits
	Platforms []barnraise.Digest // as receipts name them
	Sources   []string           // URLs of servers that may hold the image; the registry it was pushed to is tried after them
	Request   []byte
}

// Rerun is what came of a job.
type Rerun struct {
	Runs    []judge.Rerun
	Foreign []barnraise.Digest // platforms that are none of the image's: a receipt that names one covers nothing
}

// Keeper keeps evidence where it survives the process.
type Keeper interface {
	// Keep returns once the evidence is safe, with the name under which it is found again.
	Keep(e barnraise.Evidence) (name string, err error)
}

// Client makes verified calls. It is safe for concurrent use. Close it when done.
type Client struct {
	network  registry.Network
	registry Registry
	http     *http.Client
	rerunner Rerunner
	keeper   Keeper
	cache    string
	policy   score.Policy
	egress   string
	anchors  []barnraise.ServerID
	known    func(barnraise.Address) bool // nil for nobody
	now      func() time.Time
	report   func(source string, err error) // nil for nobody
	closers  []func() error
	trusting bool // signatures of answers are left unchecked; nothing outside this package's tests can say so

	scores       Scores // nil for none
	scoresFailed func(error)
	keeping      sync.Mutex // by whoever keeps scores

	deliverWithin time.Duration
	outbox        outbox.Box    // empty for none
	delivering    chan struct{} // what is under way

	receiptless bool // never, but where package proxy/compared measures what receipts cost

	life *until.Context // ends with Close

	engine   *wasm.Engine
	verifier *verifier.Host
	fetcher  *content.Fetcher

	doors *doors.Doors
	keys  keyring
	room  room
	sight sight

	mu      sync.Mutex
	random  *rand.Rand
	book    score.Book
	seats   map[barnraise.ServiceID][]barnraise.ServerID // the sticky sets
	busy    map[barnraise.ServerID]int                   // requests under way
	paces   map[barnraise.ServerID]*pace
	metIn   *barnraise.Snapshot               // the view of which the book has met candidates
	met     map[barnraise.ServiceID]bool      // whose they are
	kits    map[barnraise.CID]*kit            // by manifest and verifier
	passed  map[barnraise.Digest]bool         // images that have been seen here not to contradict themselves
	reports map[barnraise.CID]map[string]bool // methods that conformance reports cover

	contradictory map[quarantinedRequest]uint64 // by epoch

	memo     *memo // nil for none
	lockPath string
	lock     *lock.File // nil for none
}

// Option changes a client from its defaults.
type Option func(*Client)

// WithRegistry reads the registry through r instead of the network's own RPC endpoints. The client does not close it.
func WithRegistry(r Registry) Option { return func(c *Client) { c.registry = r } }

// WithRegistryAge lets calls use a view of the registry that is up to so old, save where they miss something in it: 12 s without it
// where the client reads the registry itself, and none where it is given one by [WithRegistry]. A view is used for a sixth of
// that as it is; then it is still used, and renewed meanwhile. A revocation may go unnoticed for so long.
func WithRegistryAge(age time.Duration) Option { return func(c *Client) { c.sight.age = age } }

// WithTransport sends requests through t instead of one that dials public addresses only.
func WithTransport(t http.RoundTripper) Option { return func(c *Client) { c.http.Transport = t } }

// WithEgress sends requests by a way out of the operator's choice, as [dial.ClientBy] takes it: an address of this machine, or a
// proxy, through which less can be checked. [WithTransport] goes before it. Open fails with [dial.ErrEgress] where it is none.
func WithEgress(way string) Option { return func(c *Client) { c.egress = way } }

// WithRerunner lets the client settle disputes by executing requests here.
func WithRerunner(r Rerunner) Option { return func(c *Client) { c.rerunner = r } }

// WithKeeper keeps evidence in k instead of the user's [EvidenceDirectory].
func WithKeeper(k Keeper) Option { return func(c *Client) { c.keeper = k } }

// WithCache keeps manifests, verifiers and compiled code below dir instead of the user's cache directory.
func WithCache(dir string) Option { return func(c *Client) { c.cache = dir } }

// WithPolicy sets how far an answer is looked into before it is believed; [score.Default] without it. With [score.One] a service
// whose answers prove themselves costs one request.
func WithPolicy(p score.Policy) Option { return func(c *Client) { c.policy = p } }

// WithAnchors pins servers that the caller has reason to trust, such as his own: until a server is known here, one of them is asked
// beside it in place of the service's home (protocol 6.5). Their word decides nothing alone.
func WithAnchors(ids ...barnraise.ServerID) Option {
	return func(c *Client) { c.anchors = append(c.anchors, ids...) }
}

// WithKnownOwners says which owners of services count for a suspension in all services: their services were used here before, and
// they are known for twelve epochs at least (protocol 7.5). Nobody is without it. f must not call the client.
func WithKnownOwners(f func(owner barnraise.Address) bool) Option {
	return func(c *Client) { c.known = f }
}

// WithReport has f told of every server and gateway that was asked for a manifest or a verifier and failed, also where another
// had it: with an error that is [content.ErrNotFound] where it does not hold it, [content.ErrMismatch] where it sent other
// bytes. f is called from any goroutine, several times at once.
func WithReport(f func(source string, err error)) Option { return func(c *Client) { c.report = f } }

// WithClock and random draws that repeat are for simulations; servers that can foretell the draws can lie unseen.
func WithClock(now func() time.Time, seed [32]byte) Option {
	return func(c *Client) { c.now, c.random = now, rand.New(rand.NewChaCha8(seed)) }
}

// Open makes a client for a network.
func Open(ctx context.Context, network registry.Network, options ...Option) (*Client, error) {
	c := &Client{
		network: network, http: new(http.Client), policy: score.Default, now: time.Now,
		kits: make(map[barnraise.CID]*kit), passed: make(map[barnraise.Digest]bool),
		reports:       make(map[barnraise.CID]map[string]bool),
		contradictory: make(map[quarantinedRequest]uint64), delivering: make(chan struct{}, deliveries),
		seats: make(map[barnraise.ServiceID][]barnraise.ServerID), busy: make(map[barnraise.ServerID]int), paces: make(map[barnraise.ServerID]*pace),
		met: make(map[barnraise.ServiceID]bool),
	}
	c.life = until.New(context.Background(), time.Time{})
	for _, o := range options {
		o(c)
	}
	if err := c.open(ctx); err != nil {
		c.Close()
		return nil, fmt.Errorf("open client: %w", err)
	}
	return c, nil
}

func (c *Client) open(ctx context.Context) error {
	if c.random == nil {
		var seed [32]byte
		cryptorand.Read(seed[:])
		c.random = rand.New(rand.NewChaCha8(seed))
	}
	if c.cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		c.cache = filepath.Join(user, "barnraise")
	}
	if err := c.openLock(); err != nil {
		return err
	}
	way, err := dial.ClientBy(c.network.Private(), c.egress)
	if err != nil {
		return err
	}
	if c.http.Transport == nil {
		c.http.Transport = way.Transport
	}
	c.http.CheckRedirect = way.CheckRedirect
	c.doors = doors.New(doors.Config{HTTP: c.http, Private: c.network.Private(), Now: c.now})
	store, err := content.Open(filepath.Join(c.cache, "content"))
	if err != nil {
		return err
	}
	c.fetcher = &content.Fetcher{Client: c.http, Store: store, Report: c.report}
	c.engine, err = wasm.NewEngine(filepath.Join(c.cache, "wasm"))
	if err != nil {
		return err
	}
	c.verifier = verifier.NewHost(c.engine)
	if c.keeper == nil {
		dir, err := EvidenceDirectory()
		if err != nil {
			return err
		}
		c.keeper = dir
	}
	if c.registry == nil {
		r, err := evm.Dial(ctx, c.network, c.indexOptions()...)
		if err != nil {
			return err
		}
		c.registry, c.sight.age = r, cmp.Or(c.sight.age, registryAge)
		c.closers = append(c.closers, func() error { r.Close(); return nil })
	}
	if err := c.restoreScores(ctx); err != nil {
		return err
	}
	if c.outbox != "" && c.deliverWithin > 0 {
		go c.workOff()
	}
	return nil
}

// Close ends the client. Calls and rechecks under way, and later ones, fail; it does not wait for them.
func (c *Client) Close() error {
	c.life.End()
	c.keepScores()
	var errs []error
	for _, closer := range c.closers {
		errs = append(errs, closer())
	}
	c.http.CloseIdleConnections()
	return errors.Join(errs...)
}

// Book hands do what this client thinks of servers; nobody else reads or writes it meanwhile. So a server that has a client of its
// own keeps the scores over a restart, reads them, and adds what it learns in another way. do must not call the client.
func (c *Client) Book(do func(*score.Book)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do(&c.book)
}

func (c *Client) epoch() uint64 { return uint64(c.now().Unix() / int64(Epoch/time.Second)) }
