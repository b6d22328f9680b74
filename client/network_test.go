package client

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"barnraise"
	"barnraise/content"
	"barnraise/judge"
	"barnraise/manifest"
	"barnraise/registry"
	"barnraise/verifiers"
)

// network is a registry and servers in memory. Receipts, manifests, verifiers and HTTP are real; only the wires are missing.
type network struct {
	t        testing.TB
	config   registry.Network
	services []barnraise.Service
	members  []*member
	store    *content.Store
	now      func() time.Time
	block    uint64 // the newest that is confirmed; 10, the head, unless a test says otherwise

	mu       sync.Mutex
	captured []capture
}

// member is one server. The zero behaviours are honest.
type member struct {
	id       barnraise.ServerID
	key      ed25519.PrivateKey
	owner    byte
	keyless  bool // the registry holds no usable key of it
	platform barnraise.Digest
	base     string // URL, where it is not the usual one

	old      ed25519.PrivateKey // a key it had before
	replaced uint64             // block in which it was replaced

	answer    func(request []byte) []byte                               // instead of the truth
	receipt   func(r *barnraise.Receipt)                                // alters what is signed
	token     func(r barnraise.Receipt) string                          // instead of signing
	serve     func(w http.ResponseWriter, r *http.Request) (taken bool) // instead of anything
	introduce func(i *barnraise.Introduction)                           // alters the introduction
	status    string                                                    // status line of what is not 200
}

// capture is what a server saw of one request.
type capture struct {
	server barnraise.ServerID
	method string
	path   string
	header http.Header
	body   string
}

var (
	image    = barnraise.Sum([]byte("image"))
	platform = barnraise.Sum([]byte("platform"))
	truth    = []byte(`{"jsonrpc":"2.0","id":1,"result":{"answer":42}}`)
	lie      = []byte(`{"jsonrpc":"2.0","id":1,"result":{"answer":43}}`)
)

// newNetwork makes a network of so many honest servers that offer one service, judged by a standard verifier; server 1 is its
// home.
func newNetwork(t testing.TB, servers int, verifier string) *network {
	t.Helper()
	module, _ := verifiers.Module(verifier)
	return newNetworkJudgedBy(t, servers, module)
}

// newNetworkJudgedBy is newNetwork with a verifier of the test's own.
func newNetworkJudgedBy(t testing.TB, servers int, module []byte) *network {
	t.Helper()
	store, err := content.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	n := &network{t: t, store: store, now: time.Now, block: 10, config: registry.Network{
		Chain: "eip155:31337", RPC: []string{"http://127.0.0.1:1"}, Services: barnraise.Address{1}, Servers: barnraise.Address{2},
		Names: map[string]barnraise.ServiceID{"oracle": 1},
	}}
	r := barnraise.Revision{Number: 1, Image: image, Home: 1}
	if r.Verifier, _, err = store.Add(bytes.NewReader(module), content.MaxFile); err != nil {
		t.Fatal(err)
	}
	n.services = []barnraise.Service{{ID: 1, Name: "oracle", Owner: barnraise.Address{9}, Status: barnraise.StatusActive, Revisions: []barnraise.Revision{r}}}
	n.publish(manifest.Manifest{})
	for i := range servers {
		seed := make([]byte, ed25519.SeedSize)
		seed[0] = byte(i + 1)
		n.members = append(n.members, &member{id: barnraise.ServerID(i + 1), key: ed25519.NewKeyFromSeed(seed), owner: byte(i + 1), platform: platform})
	}
	return n
}

// publish gives the service this manifest, with a name and with limits for calls.
func (n *network) publish(m manifest.Manifest) {
	n.t.Helper()
	m.Name, m.Limits = "oracle", manifest.Limits{Response: 1 << 10, Timeout: manifest.Duration(time.Second)}
	document, err := m.Encode()
	if err != nil {
		n.t.Fatal(err)
	}
	if n.services[0].Revisions[0].Manifest, err = n.store.Put(document); err != nil {
		n.t.Fatal(err)
	}
}

func (m *member) url() string {
	if m.base != "" {
		return m.base
	}
	return fmt.Sprintf("http://s%d.test", m.id)
}

// public makes the network one whose servers have https URLs and are told apart by domain.
func (n *network) public(hosts ...string) {
	n.config.Chain = "eip155:1"
	for i, m := range n.members {
		m.base = "https://" + hosts[i]
	}
}

// Snapshot is the registry as it stands.
func (n *network) Snapshot(context.Context) (*barnraise.Snapshot, error) { return n.snapshot(10), nil }

// Confirmed is the registry as it stands, said to be at the confirmed block.
func (n *network) Confirmed(context.Context) (*barnraise.Snapshot, error) {
	return n.snapshot(n.block), nil
}

func (n *network) snapshot(block uint64) *barnraise.Snapshot {
	var servers []barnraise.Server
	for _, m := range n.members {
		v := barnraise.Server{
			ID: m.id, Operator: barnraise.Address{m.owner}, URL: m.url(), Status: barnraise.StatusActive, Offers: []barnraise.ServiceID{1},
			Keys: []barnraise.Key{{Key: barnraise.PublicKey(m.key.Public().(ed25519.PublicKey)), From: 1}},
		}
		if m.old != nil {
			v.Keys[0].From = m.replaced
			v.Keys = append([]barnraise.Key{{
				Key: barnraise.PublicKey(m.old.Public().(ed25519.PublicKey)), From: 1, To: m.replaced, ReplacedAt: n.now().Unix() - 60,
			}}, v.Keys...)
		}
		if m.keyless {
			v.Keys = nil
		}
		servers = append(servers, v)
	}
	return barnraise.NewSnapshot(n.config.Registry(), block, [32]byte{}, 5, slices.Clone(n.services), servers)
}

// RoundTrip carries a request to the member it names.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body.Close()
	}
	for _, m := range n.members {
		if m.url() != r.URL.Scheme+"://"+r.URL.Host {
			continue
		}
		n.mu.Lock()
		n.captured = append(n.captured, capture{m.id, r.Method, r.URL.Path, r.Header.Clone(), string(body)})
		n.mu.Unlock()
		in := r.Clone(r.Context())
		in.Body = io.NopCloser(bytes.NewReader(body))
		done := make(chan *http.Response, 1)
		go func() {
			w := httptest.NewRecorder()
			n.handle(m, w, in)
			resp := w.Result()
			if m.status != "" && resp.StatusCode != http.StatusOK {
				resp.Status = m.status
			}
			done <- resp
		}()
		select {
		case resp := <-done:
			return resp, nil
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return nil, errors.New("no such host")
}

func (n *network) handle(m *member, w http.ResponseWriter, r *http.Request) {
	switch {
	case m.serve != nil && m.serve(w, r):
	case r.URL.Path == "/.well-known/barnraise":
		i := barnraise.Introduction{
			Server: m.id, URL: m.url(), Chain: n.config.Chain, Services: n.config.Services, Servers: n.config.Servers, IssuedAt: n.now().Unix(),
		}
		if m.introduce != nil {
			m.introduce(&i)
		}
		io.WriteString(w, barnraise.Sign(barnraise.TypeServer, i.Payload(), m.key))
	case r.URL.Path == "/v1/services/1/1" && r.Method == http.MethodPost:
		request, _ := io.ReadAll(r.Body)
		m.reply(n, w, request)
	default:
		content.Handler(n.store).ServeHTTP(w, r)
	}
}

func (m *member) reply(n *network, w http.ResponseWriter, request []byte) {
	a := m.sign(n, request)
	w.Header().Set("Barnraise-Receipt", a.Receipt)
	w.Write(a.Response)
}

// sign is what the member answers.
func (m *member) sign(n *network, request []byte) barnraise.Answer {
	response := truth
	if m.answer != nil {
		response = m.answer(request)
	}
	r := barnraise.Receipt{
		Registry: n.config.Registry(), Service: 1, Revision: 1, Image: image, Platform: m.platform, Request: barnraise.Sum(request),
		Response: barnraise.Sum(response), Server: m.id, Block: 10, IssuedAt: n.now().Unix(),
	}
	if m.receipt != nil {
		m.receipt(&r)
	}
	token := r.Sign(m.key)
	if m.token != nil {
		token = m.token(r)
	}
	return barnraise.Answer{Server: m.id, Response: response, Receipt: token}
}

// evidence is what the members sign in answer to one request.
func (n *network) evidence(members ...*member) barnraise.Evidence {
	return n.evidenceFor(`{"jsonrpc":"2.0","id":1,"method":"ask","params":[]}`, members...)
}

func (n *network) evidenceFor(request string, members ...*member) barnraise.Evidence {
	var answers []barnraise.Answer
	for _, m := range members {
		answers = append(answers, m.sign(n, []byte(request)))
	}
	return barnraise.NewEvidence(n.config.Registry(), 1, n.services[0].Revisions[0], []byte(request), answers)
}

// machine is a Rerunner that gives the same two answers to everything.
type machine [2][]byte

func (m machine) Rerun(_ context.Context, job Job) (r Rerun, err error) {
	for _, p := range job.Platforms {
		if p == platform {
			r.Runs = append(r.Runs, judge.Rerun{Platform: p, Wasm: true, Bodies: m})
		} else {
			r.Foreign = append(r.Foreign, p)
		}
	}
	return r, nil
}

var honestMachine = machine{truth, truth}

// memory keeps evidence for the test.
type memory struct {
	mu   sync.Mutex
	kept []barnraise.Evidence
}

func (k *memory) Keep(e barnraise.Evidence) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept = append(k.kept, e)
	return fmt.Sprintf("evidence %d", len(k.kept)), nil
}

// client opens a client of the network whose draws repeat.
func (n *network) client(seed byte, options ...Option) (*Client, *memory) {
	n.t.Helper()
	kept := new(memory)
	options = append([]Option{
		WithRegistry(n), WithTransport(n), WithCache(n.t.TempDir()), WithKeeper(kept), WithClock(n.now, [32]byte{seed}),
	}, options...)
	c, err := Open(context.Background(), n.config, options...)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { c.Close() })
	return c, kept
}

// calls lists the service calls that the servers saw.
func (n *network) calls() []capture {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(n.captured), func(c capture) bool { return c.method != http.MethodPost })
}

// seen counts the requests for a path that a server saw.
func (n *network) seen(server barnraise.ServerID, path string) (count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.captured {
		if c.server == server && strings.HasPrefix(c.path, path) {
			count++
		}
	}
	return count
}

// clock makes time stand still until it is moved.
func (n *network) clock() (forward func(time.Duration)) {
	var mu sync.Mutex
	now := time.Unix(1_800_000_000, 0)
	n.now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	return func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
	}
}

// ahead lets time go on as it does, and be moved forward.
func (n *network) ahead() (forward func(time.Duration)) {
	var by atomic.Int64
	n.now = func() time.Time { return time.Now().Add(time.Duration(by.Load())) }
	return func(d time.Duration) { by.Add(int64(d)) }
}

// silent takes what comes by a method below a path, and does not answer.
func silent(method, path string) func(http.ResponseWriter, *http.Request) bool {
	return func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method != method || !strings.HasPrefix(r.URL.Path, path) {
			return false
		}
		<-r.Context().Done()
		return true
	}
}
