package evidence

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/content"
	"barnraise/judge"
	"barnraise/manifest"
	"barnraise/score"
	"barnraise/store"
	"barnraise/verifiers"
)

// market is a registry with an exchange of evidence at its server 1, whose recheck is real: receipts, manifests, verifiers, scores
// and the store are. Only the image is played: it answers the truth.
type market struct {
	*Exchange
	t        *testing.T
	snapshot *barnraise.Snapshot
	client   *client.Client
	machine  *playedImage
	now      time.Time
	book     *score.Book // of the client, for looking
	events   []store.Event
	doubted  []barnraise.ServiceID
	serves   map[barnraise.ServiceID]bool
	uses     map[barnraise.ServerID]bool
	others   http.RoundTripper
	ticks    bool // time passes by itself, in a bubble
}

// playedImage executes service 1, and counts. Service 2 cannot be executed here.
type playedImage struct {
	runs      atomic.Int64
	unable    bool
	contrary  bool // it contradicts itself
	platforms map[barnraise.Digest]bool
}

func (m *playedImage) Rerun(_ context.Context, job client.Job) (r client.Rerun, err error) {
	m.runs.Add(1)
	if m.unable {
		return r, errors.New("no runtime today")
	}
	for _, p := range job.Platforms {
		wasm, ours := m.platforms[p]
		switch {
		case !ours:
			r.Foreign = append(r.Foreign, p)
		case m.contrary:
			r.Runs = append(r.Runs, judge.Rerun{Platform: p, Wasm: wasm, Bodies: [2][]byte{[]byte(right), []byte(wrong)}})
		default:
			r.Runs = append(r.Runs, judge.Rerun{Platform: p, Wasm: wasm, Bodies: [2][]byte{[]byte(right), []byte(right)}})
		}
	}
	return r, nil
}

const (
	right = `{"jsonrpc":"2.0","id":1,"result":"right"}`
	wrong = `{"jsonrpc":"2.0","id":1,"result":"wrong"}`
	worse = `{"jsonrpc":"2.0","id":1,"result":"worse"}`
)

var (
	onWasm  = barnraise.Sum([]byte("wasm"))
	onLinux = barnraise.Sum([]byte("linux"))
	start   = time.Unix(1_800_000_000, 0)
)

func memberKey(id barnraise.ServerID) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	binary.BigEndian.PutUint32(seed, uint32(id))
	return ed25519.NewKeyFromSeed(seed)
}

func memberURL(id barnraise.ServerID) string { return fmt.Sprintf("http://s%d.test", id) }

// newMarket makes one of so many servers that all offer services 1, whose evidence is for the policy given, and 2, whose evidence is
// for everybody. The exchange is that of server 1, which relies on servers 2, 3 and 4.
func newMarket(t *testing.T, servers int, policy string) *market {
	t.Helper()
	m := &market{
		t: t, now: start, machine: &playedImage{platforms: map[barnraise.Digest]bool{onWasm: true, onLinux: false}},
		serves: map[barnraise.ServiceID]bool{1: true, 2: true}, uses: map[barnraise.ServerID]bool{2: true, 3: true, 4: true},
	}
	cache := t.TempDir()
	blocks, err := content.Open(filepath.Join(cache, "content"))
	if err != nil {
		t.Fatal(err)
	}
	m.snapshot = marketRegistry(t, blocks, servers, policy)
	m.client, err = client.Open(t.Context(), testNetwork, client.WithRegistry(m), client.WithTransport(m), client.WithCache(cache),
		client.WithRerunner(m.machine), client.WithKeeper(client.Directory(t.TempDir())), client.WithClock(m.clock, [32]byte{1}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.client.Close() })
	kept, err := store.Open(t.Context(), store.Memory, store.Options{Now: m.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kept.Close() })
	m.client.Book(func(b *score.Book) { m.book = b })
	m.Exchange = m.exchange(kept)
	return m
}

func (m *market) exchange(kept Store) *Exchange { return m.exchangeOf(1, kept) }

func (m *market) exchangeOf(self barnraise.ServerID, kept Store) *Exchange {
	return New(Dependencies{
		Registry: m, Key: func() ed25519.PrivateKey { return memberKey(self) }, URL: func() string { return memberURL(self) }, Self: func() barnraise.ServerID { return self }, Store: kept, Judge: m.client,
		Book: m.client.Book, Epoch: func() uint64 { return 5 }, HTTP: &http.Client{Transport: m},
		Serves: func(id barnraise.ServiceID) bool { return m.serves[id] }, Uses: func(id barnraise.ServerID) bool { return m.uses[id] },
		Hosted: func() []barnraise.ServiceID { return []barnraise.ServiceID{1} }, Random: func(n int) int { return 0 }, Now: m.clock,
		Tell:    func(e store.Event) { m.events = append(m.events, e) },
		Doubted: func(id barnraise.ServiceID, _ uint32) { m.doubted = append(m.doubted, id) },
	})
}

// marketRegistry puts manifests and verifier where a client finds them, and registers services and servers.
func marketRegistry(t *testing.T, blocks *content.Store, servers int, policy string) *barnraise.Snapshot {
	t.Helper()
	module, _ := verifiers.Module("compare")
	verifier, _, err := blocks.Add(bytes.NewReader(module), content.MaxFile)
	if err != nil {
		t.Fatal(err)
	}
	var services []barnraise.Service
	for id, policy := range []string{policy, manifest.EvidencePublic} {
		document, err := manifest.Manifest{Name: "oracle", Evidence: policy}.Encode()
		if err != nil {
			t.Fatal(err)
		}
		cid, err := blocks.Put(document)
		if err != nil {
			t.Fatal(err)
		}
		v := barnraise.Service{ID: barnraise.ServiceID(id + 1), Name: "oracle", Owner: barnraise.Address{byte(100 + id)}, Status: barnraise.StatusActive}
		for n := range uint32(2) {
			image := barnraise.Sum([]byte{byte(id), byte(n)})
			v.Revisions = append(v.Revisions, barnraise.Revision{Number: n + 1, Image: image, Verifier: verifier, Manifest: cid, Home: 2})
		}
		services = append(services, v)
	}
	var list []barnraise.Server
	for n := range servers {
		v := barnraise.Server{
			ID: barnraise.ServerID(n + 1), URL: memberURL(barnraise.ServerID(n + 1)), Status: barnraise.StatusActive, Offers: []barnraise.ServiceID{1, 2},
			Keys: []barnraise.Key{{Key: barnraise.PublicKey(memberKey(barnraise.ServerID(n + 1)).Public().(ed25519.PublicKey)), From: 1}},
		}
		binary.BigEndian.PutUint32(v.Operator[:], uint32(n+1))
		list = append(list, v)
	}
	return barnraise.NewSnapshot(testNetwork.Registry(), 10, [32]byte{}, 5, services, list)
}

func (m *market) clock() time.Time {
	if m.ticks {
		return time.Now()
	}
	return m.now
}

// Snapshot is the registry.
func (m *market) Snapshot(context.Context) (*barnraise.Snapshot, error) { return m.snapshot, nil }

// Confirmed is the registry.
func (m *market) Confirmed(context.Context) (*barnraise.Snapshot, error) { return m.snapshot, nil }

// RoundTrip carries what the server asks of others.
func (m *market) RoundTrip(r *http.Request) (*http.Response, error) {
	if m.others == nil {
		return nil, errors.New("nobody answers")
	}
	return m.others.RoundTrip(r)
}

// word is what a server says, and how.
type word struct {
	server   barnraise.ServerID
	says     string
	platform barnraise.Digest // onWasm where it is zero
	alter    func(r *barnraise.Receipt)
	key      barnraise.ServerID // of another, who signs
}

// evidence is what servers said to a request to service 1, or another.
func (m *market) evidence(service barnraise.ServiceID, asked string, words ...word) barnraise.Evidence {
	v, _ := m.snapshot.Service(service)
	request := []byte(`{"jsonrpc":"2.0","id":1,"method":"ask","params":["` + asked + `"]}`)
	var answers []barnraise.Answer
	for _, w := range words {
		r := barnraise.Receipt{
			Registry: m.snapshot.Registry, Service: service, Revision: 1, Image: v.Revisions[0].Image, Platform: w.platform,
			Request: barnraise.Sum(request), Response: barnraise.Sum([]byte(w.says)), Server: w.server, Block: 10, IssuedAt: m.clock().Unix(),
		}
		if r.Platform.IsZero() {
			r.Platform = onWasm
		}
		if w.alter != nil {
			w.alter(&r)
		}
		if w.key == 0 {
			w.key = w.server
		}
		answers = append(answers, barnraise.Answer{Server: w.server, Response: []byte(w.says), Receipt: r.Sign(memberKey(w.key))})
	}
	return barnraise.NewEvidence(m.snapshot.Registry, service, v.Revisions[0], request, answers)
}

// lie is evidence that a server lied, beside what another said.
func (m *market) lie(asked string, liar, honest barnraise.ServerID) barnraise.Evidence {
	return m.evidence(1, asked, word{server: honest, says: right}, word{server: liar, says: wrong})
}

// offer hands evidence to the exchange; from 0 nobody signs, and it comes from an address of that name.
func (m *market) offer(e []byte, from barnraise.ServerID, address string) int {
	m.t.Helper()
	r := httptest.NewRequest("POST", "/v1/evidence", bytes.NewReader(e))
	r.RemoteAddr = address
	if from != 0 {
		r.Header.Set(PassHeader, m.pass(from, barnraise.Sum(e)).Sign(barnraise.TypeOffer, memberKey(from)))
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, r)
	return w.Code
}

func (m *market) pass(from barnraise.ServerID, evidence barnraise.Digest) barnraise.Pass {
	return barnraise.Pass{Registry: m.snapshot.Registry, Server: from, URL: memberURL(1), Evidence: evidence, IssuedAt: m.clock().Unix()}
}

// get asks the exchange for something, with a pass of a server unless that is 0.
func (m *market) get(path string, from barnraise.ServerID, evidence barnraise.Digest) (status int, body string) {
	r := httptest.NewRequest("GET", path, nil)
	r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1", from)
	if from != 0 {
		r.Header.Set(PassHeader, m.pass(from, evidence).Sign(barnraise.TypePull, memberKey(from)))
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, r)
	b, _ := io.ReadAll(w.Body)
	return w.Code, string(b)
}

// lookAtAll looks at everything that waits.
func (m *market) lookAtAll() (looks int) {
	for o := m.waiting.next(); o != nil; o = m.waiting.next() {
		m.look(m.t.Context(), o)
		looks++
	}
	return looks
}

// later lets time pass.
func (m *market) later(d time.Duration) { m.now = m.now.Add(d) }

// scores is everything that the book has about all servers but those given, as text.
func (m *market) scores(but ...barnraise.ServerID) string {
	var b strings.Builder
	var rows []score.Row
	m.client.Book(func(b *score.Book) { _, rows = b.Rows() })
	for _, r := range rows {
		skip := false
		for _, id := range but {
			skip = skip || r.Server == id
		}
		if !skip {
			fmt.Fprintf(&b, "%+v\n", r)
		}
	}
	return b.String()
}

// convicted reports whether a server is.
func (m *market) convicted(id barnraise.ServerID) (yes bool) {
	m.client.Book(func(b *score.Book) { yes = b.Convicted(id, 5) })
	return yes
}

// weighs is what a server weighs for the planner.
func (m *market) weighs(id barnraise.ServerID) (weight float64) {
	m.client.Book(func(b *score.Book) { weight = b.Weight(id, 5, m.clock()) })
	return weight
}

// trust gives every server of a few a history that is worth losing.
func (m *market) trust(ids ...barnraise.ServerID) {
	m.book.Advance(m.now)
	for _, id := range ids {
		for range 100 {
			m.book.Audited(id, 1)
			m.book.Audited(id, 2)
		}
		m.book.Answered(id, time.Second, m.now)
	}
}

const somewhere = "198.51.100.7:1234"
