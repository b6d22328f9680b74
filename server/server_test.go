package server

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"barnraise"
	"barnraise/content"
	"barnraise/image"
	"barnraise/manifest"
	"barnraise/registry"
	"barnraise/runtime"
	"barnraise/verifiers"
)

// chainOf is a registry in memory that one server reads and writes.
type chainOf struct {
	mu       sync.Mutex
	block    uint64
	services []barnraise.Service
	server   barnraise.Server
	sets     int
	reads    int
}

func (c *chainOf) looks() int { c.mu.Lock(); defer c.mu.Unlock(); return c.reads }

func (c *chainOf) Snapshot(context.Context) (*barnraise.Snapshot, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads++
	return barnraise.NewSnapshot(testNetwork.Registry(), c.block, [32]byte{}, 5, slices.Clone(c.services), []barnraise.Server{c.server}), nil
}

func (c *chainOf) SetLists(_ context.Context, id barnraise.ServerID, offers, rewards []barnraise.ServiceID, capacity uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server.Offers, c.server.Rewards, c.server.Capacity = offers, rewards, capacity
	c.sets++
	return nil
}

var testNetwork = registry.Network{
	Chain: "eip155:31337", RPC: []string{"http://127.0.0.1:1"}, Services: barnraise.Address{1}, Servers: barnraise.Address{2},
}

// scripted is a runtime whose services do what the method's name says.
type scripted struct{ release chan struct{} }

func (s scripted) Start(_ context.Context, spec runtime.Spec) (runtime.Instance, error) {
	return &instance{limits: spec.Limits, release: s.release}, nil
}

type instance struct {
	limits  manifest.Limits
	release chan struct{}
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
	return []byte(`{"jsonrpc":"2.0","id":` + string(id) + `,"result":"answer"}`), nil
}

func (i *instance) Stats() runtime.Stats       { return runtime.Stats{} }
func (i *instance) Stop(context.Context) error { return nil }

// running is a server on a loopback port.
type running struct {
	*Server
	url     string
	chain   *chainOf
	release chan struct{}
	stop    func() error
}

// run starts a server that runs service 1, whose image and manifest come from this machine's own builds.
func run(t *testing.T, change func(*Config, *Dependencies, *chainOf)) *running {
	t.Helper()
	dir := t.TempDir()
	key, err := EnsureKey(filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	local := newLocal(t)
	ports := freePort(t)
	url := "http://" + ports
	c := Config{Listen: ports, URL: url, Key: filepath.Join(dir, "key.pem"), Data: dir, Own: []barnraise.ServiceID{1}, Capacity: 4, Contact: "ops@example.org"}
	chain := &chainOf{block: 20, server: barnraise.Server{
		ID: 7, URL: url, Status: barnraise.StatusActive, Keys: []barnraise.Key{{Key: barnraise.PublicKey(key.Public().(ed25519.PublicKey)), From: 1}},
	}}
	chain.services = []barnraise.Service{{ID: 1, Name: "oracle", Status: barnraise.StatusActive, Revisions: []barnraise.Revision{local.revision(t, 1, 1)}}}
	r := &running{url: url, chain: chain, release: make(chan struct{})}
	d := Dependencies{
		Network: testNetwork, Registry: chain, Writes: true, Key: key, Local: &Local{local.images, local.content}, Poll: 10 * time.Millisecond,
		Runtime: func(*image.Store) runtime.Runtime { return scripted{r.release} },
	}
	if change != nil {
		change(&c, &d, chain)
	}
	if r.Server, err = Open(c, d); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { r.stop() })
	return r
}

// builds is what an author has on this machine.
type builds struct {
	images  *image.Store
	content *content.Store
	wasm    []byte
}

func newLocal(t *testing.T) builds {
	t.Helper()
	images, err := image.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := content.Open(t.TempDir())
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
		Name: "oracle", Limits: manifest.Limits{Request: 1 << 10},
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
func await(t *testing.T, what string, ok func() bool) {
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
	await(t, "hosting", func() bool { return len(r.Hosts()) == count })
}

func (r *running) post(t *testing.T, path, body string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Post(r.url+path, "application/json", strings.NewReader(body))
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

const request = `{"jsonrpc":"2.0","id":1,"method":"ask","params":[]}`

func TestAnswerWithReceipt(t *testing.T) {
	r := run(t, nil)
	r.awaitHosting(t, 1)
	resp, body := r.post(t, "/v1/services/1/1", request)
	if resp.StatusCode != http.StatusOK || body != `{"jsonrpc":"2.0","id":1,"result":"answer"}` {
		t.Fatalf("%s %s", resp.Status, body)
	}
	receipt, token, err := barnraise.ParseReceipt(resp.Header.Get("Barnraise-Receipt"))
	if err != nil {
		t.Fatal(err)
	}
	if err := token.Verify(r.publicKey()); err != nil {
		t.Error(err)
	}
	revision := r.chain.services[0].Revisions[0]
	if err := receipt.Covers(testNetwork.Registry(), 7, 1, revision, []byte(request), []byte(body)); err != nil {
		t.Error(err)
	}
	variant, _ := r.images.Variant(revision.Image, image.Wasm)
	if receipt.Platform != variant.Manifest || receipt.Block != 20 || time.Since(time.Unix(receipt.IssuedAt, 0)) > time.Minute {
		t.Errorf("receipt is %+v", receipt)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "no-store, no-transform", "Access-Control-Allow-Origin": "*",
		"Access-Control-Expose-Headers": "Barnraise-Receipt, Barnraise-Registry-Block, Retry-After", "Barnraise-Registry-Block": "20",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if _, body := r.post(t, "/v1/services/1/1", strings.Replace(request, `"id":1`, `"id":"mine"`, 1)); body != `{"jsonrpc":"2.0","id":"mine","result":"answer"}` {
		t.Errorf("another id: %s", body)
	}
}

// Everything but an answer of the service is the server's failure: a problem document, never signed (protocol 3.4).
func TestFailuresAreNeverSigned(t *testing.T) {
	r := run(t, nil)
	r.awaitHosting(t, 1)
	with := func(method string) string { return strings.Replace(request, "ask", method, 1) }
	for _, c := range []struct {
		name, path, body string
		status           int
		kind             string
	}{
		{"array", "/v1/services/1/1", "[" + request + "]", 400, ""},
		{"notification", "/v1/services/1/1", `{"jsonrpc":"2.0","method":"ask"}`, 400, ""},
		{"malformed", "/v1/services/1/1", `{"jsonrpc":`, 400, ""},
		{"duplicate names", "/v1/services/1/1", `{"jsonrpc":"2.0","id":1,"id":1,"method":"ask"}`, 400, ""},
		{"empty", "/v1/services/1/1", ``, 400, ""},
		{"too deep", "/v1/services/1/1", with(`","params":` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `,"x":"`), 400, ""},
		{"too long", "/v1/services/1/1", with(strings.Repeat("x", 1<<10)), 413, ""},
		{"unknown service", "/v1/services/9/1", request, 404, "unknown-service"},
		{"unknown revision", "/v1/services/1/9", request, 404, "unknown-revision"},
		{"no service", "/v1/services/x/1", request, 404, "unknown-service"},
		{"service breaks", "/v1/services/1/1", with("break"), 502, ""},
		{"out of fuel", "/v1/services/1/1", with("burn"), 504, ""},
		{"out of time", "/v1/services/1/1", with("sleep"), 504, ""},
		{"stopping", "/v1/services/1/1", with("stopped"), 503, ""},
		{"odd", "/v1/services/1/1", with("odd"), 502, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, body := r.post(t, c.path, c.body)
			if resp.StatusCode != c.status || resp.Header.Get("Barnraise-Receipt") != "" || resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Fatalf("%s %s %v, want %d without a receipt", resp.Status, body, resp.Header, c.status)
			}
			var p problem
			if err := json.Unmarshal([]byte(body), &p); err != nil || p.Status != c.status || p.Title == "" {
				t.Errorf("problem is %s: %v", body, err)
			}
			if c.kind != "" && p.Type != c.kind {
				t.Errorf("type is %s, want %s", p.Type, c.kind)
			}
			if strings.Contains(body, "secret") {
				t.Errorf("problem tells of the machine: %s", body)
			}
		})
	}
	resp, err := http.Get(r.url + "/v1/services/1/1")
	if err != nil || resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") == "" {
		t.Errorf("GET: %v %v", resp, err)
	}
}

// A hundred megabytes cost the server no more than its limit, whether their length is announced or not.
func TestHugeBody(t *testing.T) {
	r := run(t, nil)
	r.awaitHosting(t, 1)
	for name, length := range map[string]int64{"announced": 100 << 20, "chunked": -1} {
		body := &counter{left: 100 << 20}
		req, err := http.NewRequest(http.MethodPost, r.url+"/v1/services/1/1", body)
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = length
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%s: %s", name, resp.Status)
			}
		} // else the server hung up while the body was still coming: as good
		if body.read > 16<<20 {
			t.Errorf("%s: %d bytes were taken", name, body.read)
		}
	}
	if resp, _ := r.post(t, "/v1/services/1/1", request); resp.StatusCode != http.StatusOK {
		t.Errorf("afterwards: %s", resp.Status)
	}
}

type counter struct{ left, read int64 }

func (c *counter) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), c.left))
	c.left, c.read = c.left-int64(n), c.read+int64(n)
	return n, nil
}

func TestTooManyCalls(t *testing.T) {
	r := run(t, nil)
	r.awaitHosting(t, 1)
	var group sync.WaitGroup
	for range maxWaiting {
		group.Go(func() { r.post(t, "/v1/services/1/1", strings.Replace(request, "ask", "wait", 1)) })
	}
	h, _ := r.find("1", "1")
	await(t, "full", func() bool { return len(h.places) == maxWaiting })
	resp, _ := r.post(t, "/v1/services/1/1", request)
	if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%s, Retry-After %q", resp.Status, resp.Header.Get("Retry-After"))
	}
	close(r.release)
	group.Wait()
	if resp, _ := r.post(t, "/v1/services/1/1", request); resp.StatusCode != http.StatusOK {
		t.Errorf("afterwards: %s", resp.Status)
	}
}

func TestPreflight(t *testing.T) {
	r := run(t, nil)
	r.awaitHosting(t, 1)
	req, _ := http.NewRequest(http.MethodOptions, r.url+"/v1/services/1/1", nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusNoContent || !strings.Contains(resp.Header.Get("Access-Control-Allow-Methods"), "POST") {
		t.Errorf("preflight: %v, %v", resp, err)
	}
}

func TestProtocol10_1WellKnown(t *testing.T) {
	r := run(t, nil)
	r.awaitHosting(t, 1)
	resp, err := http.Get(r.url + "/.well-known/barnraise")
	if err != nil {
		t.Fatal(err)
	}
	token, _ := io.ReadAll(resp.Body)
	s, _ := r.chain.Snapshot(t.Context())
	me, _ := s.Server(7)
	i, err := barnraise.CheckIntroduction(s, me, string(token), time.Now().Unix())
	if err != nil {
		t.Fatal(err)
	}
	if len(i.Hosts) != 1 || i.Hosts[0].Service != 1 || i.Hosts[0].Image != r.chain.services[0].Revisions[0].Image || i.Contact != "ops@example.org" || i.Software != Software {
		t.Errorf("introduction is %+v", i)
	}
}

func TestServesWhatBelongsToItsServices(t *testing.T) {
	r := run(t, nil)
	r.awaitHosting(t, 1)
	revision := r.chain.services[0].Revisions[0]
	for path, want := range map[string]int{
		"/ipfs/" + string(revision.Verifier) + "?format=raw":             200,
		"/ipfs/" + string(revision.Manifest) + "?format=raw":             200,
		"/ipfs/" + string(content.Sum([]byte("none"))) + "?format=raw":   404,
		"/v2/oracle/manifests/" + revision.Image.String():                200,
		"/v2/oracle/manifests/" + barnraise.Sum([]byte("none")).String(): 404,
		"/v2/oracle/blobs/" + barnraise.Sum([]byte("none")).String():     404,
		"/livez": 200, "/readyz": 200, "/nothing": 404,
	} {
		resp, err := http.Get(r.url + path)
		if err != nil || resp.StatusCode != want {
			t.Errorf("%s: %v, %v; want %d", path, resp.Status, err, want)
		}
	}
}

func TestProtocol9_3OffersWhatRuns(t *testing.T) {
	r := run(t, func(c *Config, _ *Dependencies, chain *chainOf) { c.Rewards = []barnraise.ServiceID{5} })
	await(t, "announced", func() bool {
		s, _ := r.chain.Snapshot(t.Context())
		me, _ := s.Server(7)
		return slices.Equal(me.Offers, []barnraise.ServiceID{1}) && slices.Equal(me.Rewards, []barnraise.ServiceID{5}) && me.Capacity == 4
	})
	if len(r.Hosts()) != 1 {
		t.Error("offered before it ran")
	}
	before := r.chain.looks()
	await(t, "looking again", func() bool { return r.chain.looks() > before+5 })
	r.chain.mu.Lock()
	defer r.chain.mu.Unlock()
	if r.chain.sets != 1 {
		t.Errorf("%d writes, want one", r.chain.sets)
	}
}

func TestFollowsRevisions(t *testing.T) {
	local := newLocal(t)
	r := run(t, func(_ *Config, d *Dependencies, chain *chainOf) {
		d.Local = &Local{local.images, local.content}
		chain.services[0].Revisions = []barnraise.Revision{local.revision(t, 1, 1)}
	})
	running := func(numbers ...uint32) {
		t.Helper()
		await(t, "as wanted", func() bool {
			var got []uint32
			for _, h := range r.Hosts() {
				got = append(got, h.Revision)
			}
			return slices.Equal(got, numbers)
		})
	}
	change := func(do func(c *chainOf)) { r.chain.mu.Lock(); defer r.chain.mu.Unlock(); do(r.chain) }
	running(1)
	change(func(c *chainOf) { c.services[0].Revisions = append(c.services[0].Revisions, local.revision(t, 2, 30)) })
	running(1, 2) // prepared before it is active
	change(func(c *chainOf) { c.block = 34 })
	running(1, 2) // the old one for one more grace
	change(func(c *chainOf) { c.block = 35 })
	running(2)
	if resp, _ := r.post(t, "/v1/services/1/1", request); resp.StatusCode != http.StatusNotFound {
		t.Errorf("revision 1: %s", resp.Status)
	}
	change(func(c *chainOf) { c.services[0].Revisions[1].Revoked = true })
	running(1) // the newest that is not revoked
	change(func(c *chainOf) { c.services[0].Status = barnraise.StatusGone })
	running()
}

func TestStartThatFailsIsTriedAgain(t *testing.T) {
	r := run(t, func(_ *Config, _ *Dependencies, chain *chainOf) {
		chain.services[0].Revisions[0].Image = barnraise.Sum([]byte("an image that nobody has"))
	})
	await(t, "tried", func() bool { r.mu.RLock(); defer r.mu.RUnlock(); return r.trials[hostKey{1, 1}].failures > 0 })
	if resp, _ := r.post(t, "/v1/services/1/1", request); resp.StatusCode != http.StatusNotFound {
		t.Errorf("it answers: %s", resp.Status)
	}
	for failures, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 9: 256 * time.Second, 10: 5 * time.Minute, 1000: 5 * time.Minute} {
		if got := backoff(failures); got != want {
			t.Errorf("after %d failures: %v, want %v", failures, got, want)
		}
	}
}

func TestDrain(t *testing.T) {
	r := run(t, nil)
	r.awaitHosting(t, 1)
	answered := make(chan int, 1)
	go func() {
		resp, _ := r.post(t, "/v1/services/1/1", strings.Replace(request, "ask", "wait", 1))
		answered <- resp.StatusCode
	}()
	h, _ := r.find("1", "1")
	await(t, "under way", func() bool { return len(h.places) == 1 })
	stopped := make(chan error, 1)
	go func() { stopped <- r.stop() }()
	await(t, "draining", func() bool { return r.draining.Load() })
	close(r.release)
	if status := <-answered; status != http.StatusOK {
		t.Errorf("the call under way got %d", status)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestServerThatIsNotRegistered(t *testing.T) {
	r := run(t, func(_ *Config, _ *Dependencies, chain *chainOf) { chain.server.URL = "http://127.0.0.1:2" })
	if err := r.sync(t.Context()); err == nil || !strings.Contains(err.Error(), "barnraise servers register") {
		t.Errorf("error is %v, want a hint", err)
	}
	for _, path := range []string{"/readyz", "/.well-known/barnraise"} {
		if resp, err := http.Get(r.url + path); err != nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: %v %v", path, resp.Status, err)
		}
	}
}

func TestConfig(t *testing.T) {
	dir := t.TempDir()
	read := func(text string) (Config, error) {
		path := filepath.Join(dir, "server.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return ReadConfig(path)
	}
	good := "listen: 127.0.0.1:0\nurl: https://a.example\nkey: key.pem\ndata: data\nown: [3, 1]\n"
	c, err := read(good)
	if err != nil || c.Key != filepath.Join(dir, "key.pem") || !slices.Equal(c.Own, []barnraise.ServiceID{1, 3}) {
		t.Errorf("read as %+v, %v", c, err)
	}
	for name, v := range map[string]struct{ text, want string }{
		"unknown key": {good + "rewrads: [1]\n", `did you mean "rewards"?`},
		"no url":      {strings.Replace(good, "url", "contact", 1), "url is missing"},
		"no data":     {strings.Replace(good, "data: data", "", 1), "data is missing"},
		"service 0":   {good + "rewards: [0]\n", "rewards"},
		"half of TLS": {good + "tls: {key: k}\n", "both certificate and key"},
		"id as text":  {strings.Replace(good, "[3, 1]", "[search]", 1), "own"},
	} {
		if _, err := read(v.text); err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%s: error is %v, want one with %q", name, err, v.want)
		}
	}
	if _, err := Open(Config{URL: "ftp://x", Listen: "127.0.0.1:0", Data: dir}, Dependencies{Network: testNetwork}); err == nil {
		t.Error("a URL that nobody can call is taken")
	}
}

func TestKeyFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.pem")
	key, err := EnsureKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := EnsureKey(path); err != nil || !again.Equal(key) {
		t.Errorf("another key the second time: %v", err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v", info.Mode())
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadKey(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others can read: %v", err)
	}
	other := filepath.Join(t.TempDir(), "other.pem")
	if err := os.WriteFile(other, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := EnsureKey(other); err == nil {
		t.Error("a file that is no key is taken for one")
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
