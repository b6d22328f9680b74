package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/registry"
	"barnraise/registry/evm"
)

// provingChain is a registry of one service that proves what it is told to.
type provingChain struct {
	Registry
	made atomic.Int32
	fail error
}

func (c *provingChain) Excerpt(_ context.Context, id barnraise.ServiceID, hosts int) (registry.Excerpt, error) {
	c.made.Add(1)
	if c.fail != nil {
		return registry.Excerpt{}, c.fail
	}
	return registry.Excerpt{Block: 9, Proof: &registry.Backing{Nodes: bytes.Repeat([]byte{byte(id)}, hosts)}}, nil
}

func TestExcerptsAreMadeOnceInABlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, chain := newExcerpts(), new(provingChain)
		get := func(id barnraise.ServiceID, block uint64) error {
			_, err := e.get(t.Context(), chain, id, block, time.Now)
			return err
		}
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				if err := get(1, 5); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if n := chain.made.Load(); n != 1 {
			t.Errorf("50 callers had %d made", n)
		}
		for id := range barnraise.ServiceID(excerptBurst) {
			if err := get(id+1, 6); err != nil && id+1 < excerptBurst {
				t.Errorf("service %d: %v", id+1, err)
			}
		}
		if err := get(99, 6); !errors.Is(err, errTooSoon) {
			t.Errorf("one too many: %v", err)
		}
		n := chain.made.Load()
		if err := get(1, 7); err != nil || chain.made.Load() != n {
			t.Errorf("with no more to be made, of an older block: %v, made %d", err, chain.made.Load()-n)
		}
		time.Sleep(excerptStale)
		if err := get(1, 7); err != nil || chain.made.Load() != n+1 {
			t.Errorf("later: %v, made %d", err, chain.made.Load()-n)
		}
	})
}

func TestKeptExcerptsAreBounded(t *testing.T) {
	e := newExcerpts()
	for id := range barnraise.ServiceID(3 * keptExcerpts) {
		e.keep(id, keptExcerpt{body: make([]byte, 1<<20)})
		if len(e.kept) > keptExcerpts || e.bytes > keptBytes || e.bytes != len(e.kept)<<20 || e.kept[id].body == nil {
			t.Fatalf("%d are kept, of %d bytes", len(e.kept), e.bytes)
		}
	}
}

func TestSnapshotEndpoint(t *testing.T) {
	r := open(t, nil) // nobody else looks at its registry
	h := r.Handler()
	ask := func(query string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/snapshot"+query, nil))
		return w
	}
	for _, query := range []string{"", "?service=", "?service=0", "?service=x", "?service=1&x=2", "?service=99999999999", "?services=1"} {
		if w := ask(query); w.Code != http.StatusBadRequest {
			t.Errorf("%q: %d", query, w.Code)
		}
	}
	if w := ask("?service=1"); w.Code != http.StatusServiceUnavailable || !bytes.Contains(w.Body.Bytes(), []byte(noProof)) {
		t.Errorf("of a registry that proves nothing: %d %s", w.Code, w.Body)
	}
	chain := &provingChain{Registry: r.registry}
	r.registry = chain
	w := ask("?service=1")
	e, err := registry.ReadExcerpt(w.Body)
	if w.Code != http.StatusOK || err != nil || len(e.Proof.Nodes) != excerptHosts {
		t.Errorf("%d, %v", w.Code, err)
	}
	for _, c := range []struct {
		fail   error
		status int
		kind   string
	}{
		{fmt.Errorf("x: %w", evm.ErrNoService), 404, unknownService}, {evm.ErrNoProof, 503, noProof}, {errors.New("secret"), 503, "about:blank"},
	} {
		chain.fail = c.fail
		w := ask("?service=2")
		if w.Code != c.status || !bytes.Contains(w.Body.Bytes(), []byte(c.kind)) || bytes.Contains(w.Body.Bytes(), []byte("secret")) {
			t.Errorf("%v: %d %s", c.fail, w.Code, w.Body)
		}
	}
}
