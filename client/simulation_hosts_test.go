package client

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"barnraise"
	"barnraise/content"
	"barnraise/registry"
	"barnraise/score"
)

// tools are what worlds share: keys, what was signed with them, and files that never change.
type tools struct {
	config   registry.Network
	revision barnraise.Revision
	store    *content.Store
	cache    string
	keys     []ed25519.PrivateKey

	mu     sync.Mutex
	signed map[answered]string
}

type answered struct {
	server, value int
	request       barnraise.Digest
}

var simulated = time.Unix(1_800_000_000, 0)

func newTools(t *testing.T) *tools {
	t.Helper()
	n := newNetwork(t, 0, "spot")
	u := &tools{
		config: n.config, revision: n.services[0].Revisions[0], store: n.store, cache: t.TempDir(), signed: make(map[answered]string),
	}
	for i := range 128 {
		seed := make([]byte, ed25519.SeedSize)
		binary.BigEndian.PutUint32(seed, uint32(i+1))
		u.keys = append(u.keys, ed25519.NewKeyFromSeed(seed))
	}
	first := setting{policy: score.Default, hosts: 3, clients: 1, requests: 1} // who fetches the verifier makes other draws
	first.run(t, u)
	return u
}

// RoundTrip carries a request to the host it names.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	s, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.URL.Host, "s"), ".test"))
	if err != nil {
		return nil, err
	}
	switch {
	case r.URL.Path == "/.well-known/barnraise":
		return reply([]byte(w.introduction(s)), ""), nil
	case r.Method != http.MethodPost:
		out := httptest.NewRecorder()
		content.Handler(w.tools.store).ServeHTTP(out, r)
		return out.Result(), nil
	}
	request, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	value := w.answer(s)
	return reply(body(value), w.tools.receipt(s, value, request)), nil
}

func reply(body []byte, receipt string) *http.Response {
	r := &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: make(http.Header),
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
	}
	if receipt != "" {
		r.Header.Set("Barnraise-Receipt", receipt)
	}
	return r
}

// body is a value in wire form.
func body(value int) []byte {
	switch value {
	case right:
		return truth
	case commonLie:
		return lie
	}
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"result":{"answer":%d}}`, 100+value)
}

func (w *world) introduction(s int) string {
	i := barnraise.Introduction{
		Server: barnraise.ServerID(s + 1), URL: fmt.Sprintf("http://s%d.test", s), Chain: w.tools.config.Chain,
		Services: w.tools.config.Services, Servers: w.tools.config.Servers, IssuedAt: w.now.Unix(),
	}
	return barnraise.Sign(barnraise.TypeServer, i.Payload(), w.tools.keys[s])
}

// receipt signs a value, once for all worlds.
func (u *tools) receipt(s, value int, request []byte) string {
	what := answered{s, value, barnraise.Sum(request)}
	u.mu.Lock()
	defer u.mu.Unlock()
	token, ok := u.signed[what]
	if !ok {
		r := barnraise.Receipt{
			Registry: u.config.Registry(), Service: 1, Revision: 1, Image: image, Platform: platform, Request: what.request,
			Response: barnraise.Sum(body(value)), Server: barnraise.ServerID(s + 1), Block: 10, IssuedAt: simulated.Unix(),
		}
		token = r.Sign(u.keys[s])
		u.signed[what] = token
	}
	return token
}

// answer is what a host says in the call under way, and the count of it.
func (w *world) answer(s int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.asking
	if len(a.asked) == 0 && !w.policy.Together {
		a.primary = s
	}
	a.asked[s] = true
	if w.policy.Together {
		w.mu.Unlock()
		time.Sleep(time.Millisecond) // by then all that are asked at once have been
		w.mu.Lock()
	}
	value := w.value(s, a)
	w.result.cost++
	if s == 0 {
		w.result.cost += homeWeight - 1
		w.result.home++
	}
	g := &w.given[a.client][s]
	g.total++
	g.sinceCaught++
	return value
}
