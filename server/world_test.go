package server

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/audit"
	"barnraise/client"
	"barnraise/content"
	"barnraise/evidence"
	"barnraise/image"
	"barnraise/manifest"
	"barnraise/runtime"
	"barnraise/store"
	"barnraise/verifiers"
)

// universe is a whole network in memory: a registry, servers of different operators with real daemons, clients, judges and
// planners, and wires that can be cut. Only runtime, chain and wires are of the test. It runs in a bubble.
type universe struct {
	t       *testing.T
	random  *rand.Rand
	epoch   time.Duration
	credit  uint64 // newcomers', in epochs; the default where zero
	shares  bool   // servers exchange evidence
	dir     string
	local   builds
	ledger  ledger
	nodes   []*node
	story   []string
	started time.Time

	mu    sync.Mutex        // over what follows, and the story
	doors map[string]*pipes // of those who can be reached, by address
}

// ledger is the registry: what is written is seen by everybody at once.
type ledger struct {
	mu       sync.Mutex
	block    uint64
	services []barnraise.Service
	servers  []barnraise.Server
	shown    *barnraise.Snapshot
	writes   map[barnraise.ServerID][]time.Time
}

func (l *ledger) snapshot() *barnraise.Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shown == nil {
		l.shown = barnraise.NewSnapshot(testNetwork.Registry(), l.block, [32]byte{}, 5, slices.Clone(l.services), slices.Clone(l.servers))
	}
	return l.shown
}

func (l *ledger) change(do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	do()
	l.block++
	l.shown = nil
}

func (l *ledger) server(id barnraise.ServerID) barnraise.Server {
	v, _ := l.snapshot().Server(id)
	return v
}

// node is one server.
type node struct {
	*universe
	id      barnraise.ServerID
	key     ed25519.PrivateKey
	own     []barnraise.ServiceID
	rewards []barnraise.ServiceID
	units   uint32
	lies    bool                     // its image answers otherwise than everybody's
	claims  bool                     // it is a free rider: it offers on chain what it never runs
	silent  bool                     // nobody reaches it
	refuse  func(runtime.Spec) error // nil for none

	mu     sync.Mutex
	memory map[string][]byte // survives
	fuse   int               // effects until it is killed; below zero for never
	life   *life
}

// life is a node from a start to its end.
type life struct {
	*node
	dead    chan struct{} // closed when it is killed
	server  *Server
	client  *client.Client
	door    *pipes
	machine *audit.Machine
	kept    *store.Store // of evidence; nil where none is exchanged
	stop    context.CancelFunc
	ended   chan struct{}
	mu      sync.Mutex
	running map[*process]bool
}

var errDead = errors.New("this process is dead")

// effect is something that a life is about to do to the world outside. A killed one does nothing any more.
func (l *life) effect(what string) error {
	n := l.node
	n.mu.Lock()
	if n.fuse > 0 {
		if n.fuse--; n.fuse == 0 {
			n.fuse = -1
			n.mu.Unlock()
			l.kill("at " + what)
			return errDead
		}
	}
	n.mu.Unlock()
	select {
	case <-l.dead:
		return errDead
	default:
		return nil
	}
}

// left is how many effects a node has left until it is killed; below zero for no end.
func (n *node) left() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.fuse
}

// kill ends a life without its doing.
func (l *life) kill(why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.dead:
		return
	default:
	}
	close(l.dead)
	l.running = make(map[*process]bool)
	l.tell("server %d is killed %s", l.id, why)
	l.stop()
}

func (u *universe) tell(format string, args ...any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.story = append(u.story, fmt.Sprintf("%6s  ", time.Since(u.started).Round(time.Second))+fmt.Sprintf(format, args...))
}

// The registry, as a life sees it.

func (l *life) Snapshot(ctx context.Context) (*barnraise.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return l.ledger.snapshot(), nil
}

func (l *life) Confirmed(ctx context.Context) (*barnraise.Snapshot, error) { return l.Snapshot(ctx) }

func (l *life) SetLists(ctx context.Context, id barnraise.ServerID, offers, rewards []barnraise.ServiceID, capacity uint32) error {
	if err := l.effect("before lists"); err != nil {
		return err
	}
	l.ledger.change(func() {
		at := slices.IndexFunc(l.ledger.servers, func(v barnraise.Server) bool { return v.ID == id })
		v := &l.ledger.servers[at]
		v.Offers, v.Rewards, v.Capacity = slices.Clone(offers), slices.Clone(rewards), capacity
		l.ledger.writes[id] = append(l.ledger.writes[id], time.Now())
	})
	l.tell("server %d offers %d", id, offers)
	return l.effect("after lists")
}

// Memory, as a life sees it.

func (l *life) Load(key string, v any) (bool, error) {
	l.node.mu.Lock()
	b, ok := l.node.memory[key]
	l.node.mu.Unlock()
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal(b, v)
}

func (l *life) Save(key string, v any) error {
	if err := l.effect("before " + key + " is kept"); err != nil {
		return err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	l.node.mu.Lock()
	l.node.memory[key] = b
	l.node.mu.Unlock()
	return l.effect("after " + key + " was kept")
}

// The runtime, as a life sees it: what an image answers is a function of image and request.

type process struct {
	*life
	spec runtime.Spec
}

func (l *life) Platforms(context.Context) []string { return []string{image.Wasm} }

func (l *life) Start(ctx context.Context, spec runtime.Spec) (runtime.Instance, error) {
	if err := l.effect("before a start"); err != nil {
		return nil, err
	}
	if l.refuse != nil {
		if err := l.refuse(spec); err != nil {
			return nil, err
		}
	}
	time.Sleep(time.Second + time.Duration(spec.Image[0])*time.Millisecond)
	l.mu.Lock()
	i := &process{l, spec}
	l.running[i] = true
	l.mu.Unlock()
	return i, l.effect("after a start")
}

func (i *process) Call(ctx context.Context, request []byte) ([]byte, error) {
	id, err := runtime.CheckRequest(i.spec.Limits, request)
	if err != nil {
		return nil, err
	}
	select {
	case <-i.dead:
		return nil, runtime.ErrNotReady
	default:
	}
	sum := barnraise.Sum(append(i.spec.Image[:], request...)).Hex()[:12]
	if i.lies {
		sum = "lie" + sum[3:]
	}
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"result":%q}`, id, sum), nil
}

func (i *process) Health(context.Context) error { return nil }
func (i *process) Stats() runtime.Stats         { return runtime.Stats{} }
func (i *process) Stop(context.Context) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.running, i)
	return nil
}

// The wires.

func (u *universe) wires(from *life) http.RoundTripper {
	return wire(func(r *http.Request) (*http.Response, error) {
		if from != nil {
			if err := from.effect("a request"); err != nil {
				return nil, err
			}
		}
		takes := wayOf(r)
		if from != nil {
			takes += time.Duration(from.id) * time.Microsecond
		}
		time.Sleep(takes)
		return (&http.Transport{DialContext: u.dial, DisableKeepAlives: true}).RoundTrip(r)
	})
}

// wayOf is how long a request is under way: a few milliseconds, not the same for any two.
func wayOf(r *http.Request) time.Duration {
	sum := barnraise.Sum([]byte(r.Method + r.URL.String()))
	return time.Millisecond + time.Duration(binary.BigEndian.Uint32(sum[:]))%(4*time.Millisecond)
}

type wire func(*http.Request) (*http.Response, error)

func (f wire) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (u *universe) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	u.mu.Lock()
	door := u.doors[addr]
	u.mu.Unlock()
	if door == nil {
		return nil, errors.New("nobody is there")
	}
	return door.dial(ctx, network, addr)
}

// cut cuts the wires of a node, or mends them.
func (n *node) cut(silent bool) {
	n.universe.mu.Lock()
	defer n.universe.mu.Unlock()
	n.silent = silent
	delete(n.doors, n.address())
	if n.life != nil && !silent {
		n.doors[n.address()] = n.life.door
	}
}

func (n *node) address() string { return "127.0.0.1:" + strconv.Itoa(10000+int(n.id)) }

// newUniverse makes a registry of so many servers, each the home of one service that it rewards, and a client.
func newUniverse(t *testing.T, seed uint64, servers int) *universe {
	t.Helper()
	forget(t)
	u := &universe{
		t: t, random: rand.New(rand.NewPCG(seed, 0)), epoch: time.Hour, dir: ownDir(t), local: newLocalIn(t, ownDir(t)), started: time.Now(), doors: make(map[string]*pipes),
		ledger: ledger{block: 100, writes: make(map[barnraise.ServerID][]time.Time)},
	}
	for i := range servers {
		id := i + 1
		key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(id)}, ed25519.SeedSize))
		n := &node{
			universe: u, id: barnraise.ServerID(id), key: key, own: []barnraise.ServiceID{barnraise.ServiceID(id)}, units: 2,
			rewards: []barnraise.ServiceID{barnraise.ServiceID(id)}, memory: make(map[string][]byte), fuse: -1,
		}
		u.nodes = append(u.nodes, n)
		u.ledger.services = append(u.ledger.services, barnraise.Service{
			ID: barnraise.ServiceID(id), Owner: barnraise.Address{byte(id)}, Name: fmt.Sprintf("service-%d", id), Status: barnraise.StatusActive,
			Revisions: []barnraise.Revision{u.revision(id)},
		})
		u.ledger.servers = append(u.ledger.servers, barnraise.Server{
			ID: n.id, Operator: barnraise.Address{byte(id)}, URL: "http://" + n.address(), Status: barnraise.StatusActive, Capacity: n.units,
			Keys: []barnraise.Key{{Key: barnraise.PublicKey(key.Public().(ed25519.PublicKey)), From: 1}}, Since: 1,
		})
	}
	return u
}

// ownDir is a directory that ends with the test.
func ownDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(scratch, "world")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// cache is a client's own. Of other worlds it has compiled code alone, which takes long to make.
func (u *universe) cache(name string) string { return filepath.Join(scratch, name) }

// forget removes what clients of other worlds have fetched: else who asks whom would depend on what was played before.
func forget(t *testing.T) {
	t.Helper()
	fetched, err := filepath.Glob(filepath.Join(scratch, "*", "content"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range fetched {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
}

// revision is the only one of a service: its image differs from all others by its number.
func (u *universe) revision(id int) barnraise.Revision {
	built, err := image.Pack(u.local.images, "service", map[string][]byte{image.Wasm: append(bytes.Clone(u.local.wasm), byte(id))})
	if err != nil {
		u.t.Fatal(err)
	}
	_, index, err := image.ParseReference(built.Image)
	if err != nil {
		u.t.Fatal(err)
	}
	m := manifest.Manifest{
		Name: "service", Limits: manifest.Limits{Request: 1 << 10, Timeout: manifest.Duration(time.Minute)},
		OpenRPC: []byte(`{"methods":[{"name":"ask","examples":[{"params":[]}],"params":[{"name":"q","schema":{"type":"integer"}}]}]}`),
	}
	document, err := m.Encode()
	if err != nil {
		u.t.Fatal(err)
	}
	cid, err := u.local.content.Put(document)
	if err != nil {
		u.t.Fatal(err)
	}
	module, _ := verifiers.Module("compare")
	if _, _, err := u.local.content.Add(bytes.NewReader(module), content.MaxFile); err != nil {
		u.t.Fatal(err)
	}
	return barnraise.Revision{Number: 1, Image: index, Verifier: content.Sum(module), Manifest: cid, Home: barnraise.ServerID(id), ActiveFrom: 1}
}

// begin starts a life of a node. A free rider has none: it stands in the registry.
func (n *node) begin() {
	n.t.Helper()
	l := &life{node: n, dead: make(chan struct{}), door: &pipes{arriving: make(chan net.Conn), closed: make(chan struct{})}, ended: make(chan struct{}), running: make(map[*process]bool)}
	dir := filepath.Join(n.dir, strconv.Itoa(int(n.id)))
	c := Config{
		Listen: n.address(), URL: "http://" + n.address(), Key: filepath.Join(dir, "key.pem"), Data: dir, Own: n.own, Rewards: n.rewards, Capacity: n.units,
		Hosting: HostingAuto,
	}
	c.Policy = DefaultPolicy()
	c.Policy.Newcomer = cmp.Or(n.credit, c.Policy.Newcomer)
	c.Policy.Epoch = manifest.Duration(n.epoch)
	if err := c.check(); err != nil {
		n.t.Fatal(err)
	}
	d := Dependencies{
		Network: testNetwork, Registry: l, Writes: true, Key: n.key, Local: &Local{n.local.images, n.local.content}, Poll: n.epoch / 60,
		Runtime: func(*image.Store) runtime.Runtime { return l }, Now: time.Now, Memory: l, Random: rand.New(rand.NewPCG(uint64(n.id), 7)),
		Client: l.asks, Tell: func(step Step) { n.tell("server %d epoch %d: %s %s", n.id, step.Epoch, step.Verb, told(step)) },
		Listener: l.door, Transport: n.wires(l),
	}
	if n.shares {
		l.kept, d.Evidence = openKept(n.t)
	}
	s, err := Open(c, d)
	if err != nil {
		n.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.server, l.stop, n.life = s, cancel, l
	n.cut(n.silent)
	go func() {
		defer close(l.ended)
		time.Sleep(time.Duration(n.id) * 20 * time.Millisecond) // no two servers do anything at the same time
		s.Run(ctx)
		l.machine.Close()
		l.client.Close()
		if l.kept != nil {
			l.kept.Close()
		}
	}()
}

func openKept(t *testing.T) (*store.Store, evidence.Store) {
	t.Helper()
	s, err := store.Open(context.Background(), store.Memory, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s, s
}

func told(s Step) string {
	var b strings.Builder
	if s.Server != 0 {
		fmt.Fprintf(&b, "server %d for ", s.Server)
	}
	fmt.Fprintf(&b, "%s", s.Service)
	if len(s.For) > 0 {
		fmt.Fprintf(&b, ", for %d", s.For)
	}
	return b.String() + ": " + s.Reason
}

// asks is a real client that runs images with the life's own runtime.
func (l *life) asks(images *image.Store, r runtime.Runtime, options ...client.Option) (*client.Client, error) {
	wires := l.wires(l)
	l.machine = audit.New(r, images, &http.Client{Transport: wires})
	var seed [32]byte
	seed[0] = byte(l.id)
	if !l.shares {
		options = append(options, client.WithKeeper(keptBy{l}))
	}
	c, err := client.Open(context.Background(), testNetwork, append(options, client.WithRegistry(l), client.WithTransport(wires),
		client.WithRerunner(l.machine), client.WithCache(l.cache(fmt.Sprint("client-", l.id))),
		client.WithClock(time.Now, seed))...)
	l.client = c
	return c, err
}

type keptBy struct{ *life }

func (k keptBy) Keep(e barnraise.Evidence) (string, error) {
	if err := k.effect("evidence"); err != nil {
		return "", err
	}
	return barnraise.Sum(e.Encode()).Hex()[:8], nil
}

// end stops a life as an operator does.
func (n *node) end() {
	if n.life == nil {
		return
	}
	n.life.stop()
	<-n.life.ended
	n.life = nil
	n.cut(n.silent)
}

// reborn starts a node anew that was killed.
func (n *node) reborn() {
	<-n.life.ended
	n.begin()
}

// after lets epochs pass; killed nodes come back a little later.
func (u *universe) after(epochs int, each func(epoch int)) {
	for e := range epochs {
		for range 4 {
			time.Sleep(u.epoch / 4)
			synctest.Wait()
			for _, n := range u.nodes {
				select {
				case <-n.deadOf():
					n.reborn()
				default:
				}
			}
		}
		if each != nil {
			each(e)
		}
	}
}

func (n *node) deadOf() <-chan struct{} {
	if n.life == nil {
		return nil
	}
	return n.life.dead
}

// hosts lists the honest servers that really run a service.
func (u *universe) hosts(id barnraise.ServiceID) (ids []barnraise.ServerID) {
	for _, n := range u.nodes {
		if n.life == nil || n.lies || n.silent {
			continue
		}
		if slices.ContainsFunc(n.life.server.Hosts(), func(h barnraise.Hosted) bool { return h.Service == id }) {
			ids = append(ids, n.id)
		}
	}
	return ids
}

// orphans lists what runs on a node beside what it hosts, and beside what its auditor keeps for the next request.
func (n *node) orphans() (list []string) {
	if n.life == nil {
		return nil
	}
	n.life.mu.Lock()
	defer n.life.mu.Unlock()
	count := make(map[barnraise.Digest]int)
	for i := range n.life.running {
		count[i.spec.Image]++
	}
	for _, h := range n.life.server.Hosts() {
		count[h.Image]--
	}
	kept := 0
	for _, c := range count {
		kept += max(c, 0)
	}
	if kept > audit.Idle {
		list = append(list, fmt.Sprintf("server %d: %d instances more than it hosts", n.id, kept))
	}
	return list
}

// failed ends a test with its story.
func (u *universe) failed(format string, args ...any) {
	u.t.Helper()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.t.Fatalf("%s\nthe story:\n%s", fmt.Sprintf(format, args...), strings.Join(u.story, "\n"))
}
