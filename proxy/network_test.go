package proxy

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/content"
	"barnraise/manifest"
	"barnraise/registry"
	"barnraise/verifiers"
)

// network is a registry in memory and servers on real ports that answer a service with verifier compare, and remember what
// arrives.
type network struct {
	file    registry.Network
	service barnraise.Service
	servers []barnraise.Server
	store   *content.Store

	mu      sync.Mutex
	headers []http.Header
	bodies  []string
}

const truth = `{"jsonrpc":"2.0","id":1,"result":{"answer" : 42}}`

func newNetwork(t *testing.T, answers ...string) *network {
	t.Helper()
	store, err := content.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	n := &network{store: store, file: registry.Network{
		Chain: "eip155:31337", RPC: []string{"http://127.0.0.1:1"}, Services: barnraise.Address{1}, Servers: barnraise.Address{2},
		Names: map[string]barnraise.ServiceID{"oracle": 3},
	}}
	m := manifest.Manifest{Name: "oracle", Limits: manifest.Limits{Response: 1 << 10, Timeout: manifest.Duration(time.Second)}}
	document, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	r := barnraise.Revision{Number: 2, Image: barnraise.Sum([]byte("image")), Home: 1}
	if r.Manifest, err = store.Put(document); err != nil {
		t.Fatal(err)
	}
	module, _ := verifiers.Module("compare")
	if r.Verifier, _, err = store.Add(bytes.NewReader(module), content.MaxFile); err != nil {
		t.Fatal(err)
	}
	n.service = barnraise.Service{ID: 3, Name: "oracle", Owner: barnraise.Address{9}, Status: barnraise.StatusActive, Revisions: []barnraise.Revision{r}}
	for i, answer := range answers {
		n.join(t, barnraise.ServerID(i+1), answer)
	}
	return n
}

func (n *network) join(t *testing.T, id barnraise.ServerID, answer string) {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = byte(id)
	key := ed25519.NewKeyFromSeed(seed)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { n.serve(w, r, id, key, answer) }))
	t.Cleanup(s.Close)
	n.servers = append(n.servers, barnraise.Server{
		ID: id, Operator: barnraise.Address{byte(id)}, URL: s.URL, Status: barnraise.StatusActive, Offers: []barnraise.ServiceID{3},
		Keys: []barnraise.Key{{Key: barnraise.PublicKey(key.Public().(ed25519.PublicKey)), From: 1}},
	})
}

func (n *network) serve(w http.ResponseWriter, r *http.Request, id barnraise.ServerID, key ed25519.PrivateKey, answer string) {
	request, _ := io.ReadAll(r.Body)
	n.mu.Lock()
	n.headers = append(n.headers, r.Header.Clone())
	if r.Method == http.MethodPost {
		n.bodies = append(n.bodies, string(request))
	}
	n.mu.Unlock()
	switch r.URL.Path {
	case "/.well-known/barnraise":
		i := barnraise.Introduction{
			Server: id, URL: "http://" + r.Host, Chain: n.file.Chain, Services: n.file.Services, Servers: n.file.Servers, IssuedAt: time.Now().Unix(),
		}
		io.WriteString(w, barnraise.Sign(barnraise.TypeServer, i.Payload(), key))
	case "/v1/services/3/2":
		w.Header().Set("Barnraise-Receipt", barnraise.Receipt{
			Registry: n.file.Registry(), Service: 3, Revision: 2, Image: n.service.Revisions[0].Image, Platform: barnraise.Sum([]byte("platform")),
			Request: barnraise.Sum(request), Response: barnraise.Sum([]byte(answer)), Server: id, Block: 10, IssuedAt: time.Now().Unix(),
		}.Sign(key))
		io.WriteString(w, answer)
	default:
		content.Handler(n.store).ServeHTTP(w, r)
	}
}

func (n *network) Snapshot(context.Context) (*barnraise.Snapshot, error) {
	return barnraise.NewSnapshot(n.file.Registry(), 10, [32]byte{}, 5, []barnraise.Service{n.service}, slices.Clone(n.servers)), nil
}

func (n *network) Confirmed(ctx context.Context) (*barnraise.Snapshot, error) { return n.Snapshot(ctx) }

// start has a proxy with a client of its own listen on a real port.
func (n *network) start(t *testing.T) *httptest.Server {
	t.Helper()
	c, err := client.Open(t.Context(), n.file, client.WithRegistry(n), client.WithCache(t.TempDir()), client.WithKeeper(client.Directory(t.TempDir())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	p, err := New(c, Config{Origins: []string{"https://app.example"}})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return s
}

// identifying are headers by which a caller could be told from others, or followed.
var identifying = map[string]string{
	"Origin": "https://app.example", "Referer": "https://app.example/secret", "Cookie": "session=secret", "Authorization": "Bearer secret",
	"User-Agent": "secret/1.0", "Forwarded": "for=192.0.2.60", "X-Forwarded-For": "192.0.2.60", "X-Forwarded-Host": "secret", "X-Real-Ip": "192.0.2.60",
	"Via": "1.1 secret", "Dnt": "1", "Accept-Language": "de-CH", "Accept-Encoding": "br", "Traceparent": "00-secret", "X-Api-Key": "secret",
	"Barnraise-Policy": "paranoid", "Cf-Connecting-Ip": "192.0.2.60", "Sec-Fetch-Site": "cross-site", "Expect": "",
}

// What a server sees of a call by way of the proxy is what it sees of any other, to the byte.
func TestNothingOfTheCallerReachesAServer(t *testing.T) {
	n := newNetwork(t, truth, truth, truth)
	s := n.start(t)
	r, err := http.NewRequest("POST", s.URL+"/oracle", strings.NewReader(`{"jsonrpc":"2.0","id":"secret","method":"ask","params":{"x" : 1}}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	for name, value := range identifying {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if want := `{"jsonrpc":"2.0","id":"secret","result":{"answer" : 42}}`; string(body) != want || resp.StatusCode != 200 {
		t.Fatalf("%s %s, want %s", resp.Status, body, want)
	}
	if got := said(resp.Header); got["Verdict"] != "accepted" || got["Service"] != "3@2" || got["Policy"] != "paranoid" || got["Requests"] == "1" {
		t.Errorf("it says %v", got)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.bodies) < 2 {
		t.Fatalf("%d requests arrived", len(n.bodies))
	}
	for _, b := range n.bodies {
		if b != `{"jsonrpc":"2.0","id":1,"method":"ask","params":{"x" : 1}}` {
			t.Errorf("a server was sent %s", b)
		}
	}
	allowed := []string{"Content-Type", "Content-Length", "Accept"}
	for _, h := range n.headers {
		for name := range maps.Keys(h) {
			if text := fmt.Sprint(name, h[name]); !slices.Contains(allowed, name) || strings.Contains(text, "secret") || strings.Contains(text, "utf-8") {
				t.Errorf("a server was sent %s", text)
			}
		}
	}
}

// Over a real network of liars: an error that carries what was tried, and no answer.
func TestLiarsGetAnErrorAcross(t *testing.T) {
	n := newNetwork(t, truth, strings.Replace(truth, "42", "43", 1))
	s := n.start(t)
	resp, err := http.Post(s.URL+"/3", "application/json", strings.NewReader(`{"jsonrpc":"2.0","id":5,"method":"ask"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	code, data := failureOf(t, body)
	if resp.StatusCode != 200 || code != CodeUndecided || data.Service != 3 || data.Revision != 2 || len(data.Asked) != 2 || data.Requests != 2 ||
		!strings.HasSuffix(data.Evidence, ".json") || strings.Contains(string(body), os.TempDir()) {
		t.Errorf("%s %s", resp.Status, body)
	}
}

func TestStrangersNamesAreNotFound(t *testing.T) {
	n := newNetwork(t, truth, truth)
	s := n.start(t)
	for path, want := range map[string]int64{"/4": CodeNotFound, "/nosuch": CodeNotFound, "/3@1": CodeNotFound, "/%234": CodeNotFound, "/..": 0} {
		resp, err := http.Post(s.URL+path, "application/json", strings.NewReader(ping))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if code, _ := failureOf(t, body); code != want && want != 0 {
			t.Errorf("%s: %s", path, body)
		}
	}
	if len(n.bodies) != 0 {
		t.Errorf("servers were asked: %q", n.bodies)
	}
}
