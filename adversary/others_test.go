package adversary

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"barnraise"
)

// neighbour is an honest server that somebody else runs, and remembers the evidence that is brought to it.
type neighbour struct {
	*httptest.Server
	Other
	key     ed25519.PrivateKey
	mu      sync.Mutex
	brought []barnraise.Evidence
	calls   int
}

func neighbours(t *testing.T, ids ...barnraise.ServerID) (list []*neighbour, others []Other) {
	for _, id := range ids {
		n := &neighbour{key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(id)}, 32))}
		n.Server = httptest.NewServer(http.HandlerFunc(n.answer))
		t.Cleanup(n.Close)
		n.Other = Other{id, n.Server.URL}
		list, others = append(list, n), append(others, n.Other)
	}
	return list, others
}

func (n *neighbour) answer(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r.URL.Path != "/v1/evidence" {
		n.calls++
		honest(n.ID, n.key).ServeHTTP(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	pass, token, err := barnraise.ParsePass(barnraise.TypeOffer, r.Header.Get("Barnraise-Pass"))
	if err != nil || pass.Server != 5 || pass.URL != n.Other.URL || pass.Evidence != barnraise.Sum(body) || token.Verify(barnraise.PublicKey(key[32:])) != nil {
		http.Error(w, fmt.Sprint(pass, err), http.StatusForbidden)
		return
	}
	if e, err := barnraise.ParseEvidence(body); err == nil {
		n.brought = append(n.brought, e)
	}
}

// A copier signs what the server before it answers, which is as true as that.
func TestCopier(t *testing.T) {
	list, others := neighbours(t, 2, 4, 6)
	g := given(0)
	g.Others, g.HTTP = others, http.DefaultClient
	nobody := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it answers by itself") })
	h := New(kind(t, "copier"), g).Around(nobody)
	if got := answers(h, question{params: `[1]`}); got[0] != "true" {
		t.Errorf("it says %v", got)
	}
	if list[0].calls != 0 || list[1].calls != 1 || list[2].calls != 0 {
		t.Errorf("it asked %d, %d and %d times, want the one before it once", list[0].calls, list[1].calls, list[2].calls)
	}
	list[1].Close()
	if got := answers(h, question{params: `[1]`}); got[0] != "none" {
		t.Errorf("with nobody to copy it says %v", got)
	}
}

// A slanderer brings true answers of others as evidence, and false ones under the receipts of the true; nothing of it holds.
func TestSlanderer(t *testing.T) {
	list, others := neighbours(t, 2, 3)
	s := barnraise.NewSnapshot(network, 9, [32]byte{}, 5, []barnraise.Service{{
		ID: 1, Name: "echo", Revisions: []barnraise.Revision{revision},
	}}, nil)
	now := time.Unix(1000, 0)
	g := given(0)
	g.Others, g.HTTP, g.Now = others, http.DefaultClient, func() time.Time { return now }
	g.Snapshot = func(context.Context) (*barnraise.Snapshot, error) { return s, nil }
	h := New(kind(t, "slanderer"), g).Around(honest(5, key))
	for range 4 {
		for range 2 { // of which the second comes too soon for another
			if got := answers(h, question{params: `["word"]`}); got[0] != "true" {
				t.Errorf("it says %v", got)
			}
		}
		now = now.Add(time.Second)
	}
	for _, n := range list {
		altered, as := 0, 0
		for _, e := range n.brought {
			receipt, _, err := barnraise.ParseReceipt(e.Answers[0].Receipt)
			switch {
			case err != nil || len(e.Answers) != 1 || e.Service != 1:
				t.Errorf("%+v, %v", e, err)
			case receipt.Response == barnraise.Sum(e.Answers[0].Response):
				as++
			default:
				altered++
			}
			if err := e.Check(s, now.Unix()); !errors.Is(err, barnraise.ErrEvidence) {
				t.Errorf("it holds: %v", err)
			}
		}
		if altered != 2 || as != 2 {
			t.Errorf("server %d was brought %d true and %d altered answers, want two of each", n.ID, as, altered)
		}
	}
}
