package server

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/budget"
	"barnraise/content"
	"barnraise/image"
	"barnraise/manifest"
	"barnraise/registry"
	"barnraise/runtime"
	"barnraise/verifiers"
)

// world is what stands in a registry.
type world struct {
	block    uint64
	services []barnraise.Service
	servers  []barnraise.Server // this one first
}

func (w world) snapshot() *barnraise.Snapshot {
	services := slices.Clone(w.services)
	for i := range services {
		services[i].Revisions = slices.Clone(services[i].Revisions)
	}
	return barnraise.NewSnapshot(testNetwork.Registry(), w.block, [32]byte{}, 5, services, slices.Clone(w.servers))
}

// chainOf is a registry in memory that one server reads and writes.
type chainOf struct {
	mu sync.Mutex
	world
	confirmed *barnraise.Snapshot                       // nil where that is the head
	refuse    func(rewards []barnraise.ServiceID) error // writes; nil where all are taken
	sets      int                                       // writes that were taken
	asked     int                                       // and all of them
	reads     int
	broken    error // of Confirmed
}

func (c *chainOf) looks() int { c.mu.Lock(); defer c.mu.Unlock(); return c.reads }

// change does something to the chain.
func (c *chainOf) change(do func()) { c.mu.Lock(); defer c.mu.Unlock(); do() }

func (c *chainOf) Snapshot(context.Context) (*barnraise.Snapshot, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads++
	return c.snapshot(), nil
}

func (c *chainOf) Confirmed(context.Context) (*barnraise.Snapshot, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.confirmed != nil || c.broken != nil {
		return c.confirmed, c.broken
	}
	return c.snapshot(), nil
}

func (c *chainOf) SetLists(_ context.Context, _ barnraise.ServerID, offers, rewards []barnraise.ServiceID, capacity uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	if c.refuse != nil {
		if err := c.refuse(rewards); err != nil {
			return err
		}
	}
	me := &c.servers[0]
	me.Offers, me.Rewards, me.Capacity = offers, rewards, capacity
	c.sets++
	return nil
}

// me is the server as it stands on chain, and how often it was written to, and tried to.
func (c *chainOf) me() (me barnraise.Server, sets, asked int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.servers[0], c.sets, c.asked
}

func (c *chainOf) offers() []barnraise.ServiceID { me, _, _ := c.me(); return me.Offers }

var testNetwork = registry.Network{
	Chain: "eip155:31337", RPC: []string{"http://127.0.0.1:1"}, Services: barnraise.Address{1}, Servers: barnraise.Address{2},
}

// scripted is a runtime whose services do what the method's name says.
type scripted struct {
	release chan struct{}                             // ends the calls that wait
	start   func(context.Context, runtime.Spec) error // nil for at once
	stop    func()                                    // nil for at once
	mu      sync.Mutex
	ill     error         // what Health says
	cpu     time.Duration // what Stats says
}

func (s *scripted) falls(ill error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ill = ill
}

// uses makes Stats say so much processor time.
func (s *scripted) uses(cpu time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cpu = cpu
}

func (s *scripted) Platforms(context.Context) []string { return []string{image.Wasm} }

func (s *scripted) Start(ctx context.Context, spec runtime.Spec) (runtime.Instance, error) {
	if s.start != nil {
		if err := s.start(ctx, spec); err != nil {
			return nil, err
		}
	}
	return &instance{limits: spec.Limits, scripted: s}, nil
}

type instance struct {
	*scripted
	limits manifest.Limits
}

func (i *instance) Call(ctx context.Context, request []byte) ([]byte, error) {
	id, err := runtime.CheckRequest(i.limits, request)
	if err != nil {
		return nil, err
	}
	for method, err := range map[string]error{
		"break": runtime.ErrBroke, "burn": runtime.ErrFuel, "sleep": runtime.ErrTimeout, "stopped": runtime.ErrNotReady, "odd": errors.New("secret of this machine"),
	} {
		if bytes.Contains(request, []byte(`"`+method+`"`)) {
			return nil, err
		}
	}
	if bytes.Contains(request, []byte(`"wait"`)) {
		select {
		case <-i.release:
		case <-ctx.Done():
			return nil, runtime.ErrTimeout
		}
	}
	if bytes.Contains(request, []byte(`"long"`)) {
		return []byte(`{"jsonrpc":"2.0","id":` + string(id) + `,"result":"` + strings.Repeat("answer", 10_000) + `"}`), nil
	}
	return []byte(`{"jsonrpc":"2.0","id":` + string(id) + `,"result":"answer"}`), nil
}

func (i *instance) Health(context.Context) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.ill
}

func (i *instance) Stats() runtime.Stats {
	i.mu.Lock()
	defer i.mu.Unlock()
	return runtime.Stats{CPU: i.cpu}
}

func (i *instance) Stop(context.Context) error {
	if i.stop != nil {
		i.stop()
	}
	return nil
}

// running is a server, and what is around it.
type running struct {
	*Server
	url     string
	chain   *chainOf
	local   builds
	runtime *scripted
	client  *http.Client
	stop    func() error
	others  http.RoundTripper // whom the server asks in a bubble; nil for nobody
}

// change prepares a server before it is opened.
type change func(*running, *Config, *Dependencies)

// open opens a server that is to run service 1, whose image and manifest come from this machine's own builds.
func open(t *testing.T, prepare change) *running {
	t.Helper()
	dir := t.TempDir()
	key, err := EnsureKey(filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	r := &running{
		url: "http://" + port, chain: &chainOf{}, local: newLocal(t), runtime: &scripted{release: make(chan struct{})}, client: http.DefaultClient,
	}
	r.chain.world = world{
		block: 20,
		services: []barnraise.Service{
			{ID: 1, Name: "oracle", Status: barnraise.StatusActive, Revisions: []barnraise.Revision{r.local.revision(t, 1, 1)}},
		},
		servers: []barnraise.Server{{
			ID: 7, URL: r.url, Status: barnraise.StatusActive, Keys: []barnraise.Key{{Key: barnraise.PublicKey(key.Public().(ed25519.PublicKey)), From: 1}},
		}},
	}
	c := Config{Listen: port, URL: r.url, Key: filepath.Join(dir, "key.pem"), Data: dir, Own: []barnraise.ServiceID{1}, Capacity: 4, Contact: "ops@example.org"}
	c.Budgets = budget.Default()
	c.Budgets.Reserve = 0 // however full this machine's disk is
	d := Dependencies{
		Network: testNetwork, Registry: r.chain, Writes: true, Key: key, Local: &Local{r.local.images, r.local.content}, Poll: 10 * time.Millisecond,
		Runtime: func(*image.Store) runtime.Runtime { return r.runtime },
	}
	if prepare != nil {
		prepare(r, &c, &d)
	}
	if r.Server, err = Open(c, d); err != nil {
		t.Fatal(err)
	}
	return r
}

// begin runs it until the test ends, or stop is called.
func (r *running) begin(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { r.stop() })
}

// publish gives service 1 another manifest, before the server is opened.
func (r *running) publish(t *testing.T, m manifest.Manifest) {
	t.Helper()
	document, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if r.chain.services[0].Revisions[0].Manifest, err = r.local.content.Put(document); err != nil {
		t.Fatal(err)
	}
}

// run starts a server on a loopback port.
func run(t *testing.T, prepare change) *running {
	t.Helper()
	r := open(t, prepare)
	r.begin(t)
	return r
}

// inBubble runs a server in a network in memory, where no time passes but that for which everybody waits, and nobody answers
// whom the server asks. It looks at the registry once a second, beginning at once.
func inBubble(t *testing.T, prepare change, do func(*testing.T, *running)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := open(t, func(r *running, c *Config, d *Dependencies) {
			d.Poll = time.Second
			if prepare != nil {
				prepare(r, c, d)
			}
		})
		net := &pipes{arriving: make(chan net.Conn), closed: make(chan struct{})}
		r.public.Close()
		r.public, r.client = net, net.client()
		r.http.Transport = cmp.Or(r.others, http.RoundTripper(silence{}))
		r.begin(t)
		synctest.Wait()
		do(t, r)
		r.stop()
	})
}

// silence is a network in which nobody answers.
type silence struct{}

func (silence) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// pass lets time pass.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// pipes is a listener that is dialled within the program.
type pipes struct {
	arriving chan net.Conn
	closed   chan struct{}
	close    sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.arriving:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.close.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.arriving <- near:
		return far, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: p.dial, DisableKeepAlives: true}}
}

// send opens a connection and writes to it as it stands. The caller closes it.
func (r *running) send(t *testing.T, text string) net.Conn {
	t.Helper()
	c, err := r.client.Transport.(*http.Transport).DialContext(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c
}

// builds is what an author has on this machine.
type builds struct {
	images  *image.Store
	content *content.Store
	wasm    []byte
}

func newLocal(t *testing.T) builds {
	t.Helper()
	return newLocalIn(t, t.TempDir())
}

func newLocalIn(t *testing.T, dir string) builds {
	t.Helper()
	images, err := image.Open(filepath.Join(dir, "images"))
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := content.Open(filepath.Join(dir, "content"))
	if err != nil {
		t.Fatal(err)
	}
	return builds{images, blocks, []byte("\x00asm\x01\x00\x00\x00")}
}

func (b builds) revision(t *testing.T, number uint32, activeFrom uint64) barnraise.Revision {
	t.Helper()
	built, err := image.Pack(b.images, "oracle", map[string][]byte{image.Wasm: append(bytes.Clone(b.wasm), byte(number))})
	if err != nil {
		t.Fatal(err)
	}
	_, index, err := image.ParseReference(built.Image)
	if err != nil {
		t.Fatal(err)
	}
	m := manifest.Manifest{
		Name: "oracle", Limits: manifest.Limits{Request: 1 << 10, Timeout: manifest.Duration(time.Minute)},
		OpenRPC: []byte(`{"methods":[{"name":"ask","examples":[{"params":[]}]}]}`),
	}
	document, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	cid, err := b.content.Put(document)
	if err != nil {
		t.Fatal(err)
	}
	module, _ := verifiers.Module("compare")
	return barnraise.Revision{Number: number, Image: index, Reference: built.Image, Verifier: content.Sum(module), Manifest: cid, Home: 7, ActiveFrom: activeFrom}
}

// await polls until ok, for at most ten seconds.
func awaitThat(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("in ten seconds: not %s", what)
}

func (r *running) awaitHosting(t *testing.T, count int) {
	t.Helper()
	awaitThat(t, "hosting", func() bool { return len(r.Hosts()) == count })
}

// hosts lists what runs, as 1@1 1@2.
func (r *running) hosts() string {
	var list []string
	for _, h := range r.Hosts() {
		list = append(list, fmt.Sprintf("%d@%d", h.Service, h.Revision))
	}
	return strings.Join(list, " ")
}

// pending says how many starts and stops are under way, and how often a revision failed to start.
func (r *running) pending(k hostKey) (underWay, failures int) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.underWay), r.trials[k].failures
}

func (r *running) post(t *testing.T, path, body string) (*http.Response, string) {
	t.Helper()
	resp, err := r.client.Post(r.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func (r *running) get(t *testing.T, path string) (status int, body string) {
	t.Helper()
	resp, err := r.client.Get(r.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

const (
	oracle  = "/v1/services/1/1"
	request = `{"jsonrpc":"2.0","id":1,"method":"ask","params":[]}`
	waiting = `{"jsonrpc":"2.0","id":1,"method":"wait","params":[]}`
)

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
