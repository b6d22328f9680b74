package client

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"barnraise"
	"barnraise/score"
)

// setting is what a simulated world is like. The clients in it are real; servers are numbers that sign.
type setting struct {
	strategy
	policy   score.Policy
	hosts    int     // beside the home
	liars    float64 // share of the hosts
	late     int     // so many calls of each client after which the liars register; the others are established by then
	eta      float64 // probability of an honest fault in an answer of an honest host
	clients  int
	requests int     // of each client
	churn    float64 // probability per request that the client is replaced by one that knows nothing
	fellow   float64 // probes by other hosts per answer
	delay    int     // answers in the network until evidence is known everywhere
	helpless bool    // clients cannot run the image
	bare     bool    // the image has no report that would cover the method either
	pinned   int     // so many honest hosts are the caller's anchors
	trusting bool    // clients leave out the signatures
	seed     uint64
}

// What a request to the home costs, and how often a client makes one.
const (
	homeWeight = 10
	every      = 5 * time.Second
	kinds      = 256 // different requests that clients make
)

// world is one run under way. One client calls at a time.
type world struct {
	setting
	t        *testing.T
	tools    *tools
	random   *rand.Rand
	hosted   []host
	snapshot *barnraise.Snapshot
	given    [][]given // by client and host
	clients  []*Client
	checker  *Client // rechecks evidence for all, as each would
	opened   byte
	now      time.Time
	turn     int
	queue    []found
	result   result

	mu     sync.Mutex
	asking *asking
}

// given counts the answers that a host gave to a client.
type given struct{ total, sinceCaught int }

// found is evidence on its way.
type found struct {
	due      int
	finder   int // client; -1 for a fellow host
	evidence barnraise.Evidence
}

// result is what came of a run.
type result struct {
	accepted, wrong, failed int
	cost                    int // requests, those to the home by their weight
	home                    int
	struck                  int     // strikes on honest hosts
	suspended               float64 // share of the clients that suspend one honest host at the end, of the one whom most do
}

// newWorld makes a world in which nobody has asked anything.
func newWorld(t *testing.T, u *tools, s setting) *world {
	w := &world{setting: s, t: t, tools: u, random: rand.New(rand.NewPCG(s.seed, 77)), now: simulated, hosted: make([]host, s.hosts+1)}
	liars := int(math.Round(s.liars * float64(s.hosts)))
	for i, p := range w.random.Perm(s.hosts) {
		v := &w.hosted[1+p]
		v.liar = i < liars
		v.copier = v.liar && s.copiers > 0 && w.random.Float64() < s.copiers
	}
	w.snapshot = w.register(s.late == 0)
	w.given = make([][]given, s.clients)
	for c := range s.clients {
		w.clients = append(w.clients, nil)
		w.replace(c)
	}
	w.checker = w.open(-1)
	return w
}

// register makes the registry, with liars or without: the home is server 1, host i is server i+1.
func (w *world) register(liars bool) *barnraise.Snapshot {
	service := barnraise.Service{
		ID: 1, Name: "oracle", Owner: barnraise.Address{9}, Status: barnraise.StatusActive, Revisions: []barnraise.Revision{w.tools.revision},
	}
	var servers []barnraise.Server
	for i, h := range w.hosted {
		if h.liar && !liars {
			continue
		}
		v := barnraise.Server{
			ID: barnraise.ServerID(i + 1), Operator: barnraise.Address{1, byte(i)}, URL: fmt.Sprintf("http://s%d.test", i),
			Status: barnraise.StatusActive, Offers: []barnraise.ServiceID{1},
			Keys: []barnraise.Key{{Key: barnraise.PublicKey(w.tools.keys[i].Public().(ed25519.PublicKey)), From: 1}},
		}
		servers = append(servers, v)
	}
	return barnraise.NewSnapshot(w.tools.config.Registry(), 10, [32]byte{}, 5, []barnraise.Service{service}, servers)
}

// Snapshot is the registry as it stands.
func (w *world) Snapshot(context.Context) (*barnraise.Snapshot, error) { return w.snapshot, nil }

// Confirmed is the registry as it stands.
func (w *world) Confirmed(context.Context) (*barnraise.Snapshot, error) { return w.snapshot, nil }

// replace puts a new client in the place of one.
func (w *world) replace(c int) {
	if w.clients[c] != nil {
		w.clients[c].Close()
	}
	w.clients[c], w.given[c] = w.open(c), make([]given, len(w.hosted))
}

// open makes a client; -1 is one of a fellow host.
func (w *world) open(index int) *Client {
	seed := [32]byte{w.opened}
	binary.BigEndian.PutUint64(seed[1:], w.seed)
	w.opened++
	options := []Option{
		WithRegistry(w), WithTransport(w), WithCache(w.tools.cache), WithKeeper(keeper{w, index}), WithPolicy(w.policy),
		WithClock(func() time.Time { return w.now }, seed), WithAnchors(w.pins()...),
	}
	if !w.helpless || index < 0 {
		options = append(options, WithRerunner(honestMachine))
	}
	c, err := Open(w.t.Context(), w.tools.config, options...)
	if err != nil {
		w.t.Fatal(err)
	}
	c.passed[image], c.trusting = !w.bare, w.trusting
	return c
}

// pins are the honest hosts that the caller trusts.
func (w *world) pins() (ids []barnraise.ServerID) {
	for i, h := range w.hosted {
		if i > 0 && !h.liar && len(ids) < w.pinned {
			ids = append(ids, barnraise.ServerID(i+1))
		}
	}
	return ids
}

// keeper sends evidence on its way.
type keeper struct {
	w      *world
	finder int
}

func (k keeper) Keep(e barnraise.Evidence) (string, error) {
	k.w.queue = append(k.w.queue, found{k.w.turn + k.w.delay, k.finder, e})
	return "evidence", nil
}
