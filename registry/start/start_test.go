package start

import (
	"bytes"
	"context"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/registry"
	"barnraise/registry/proof"
	"barnraise/registry/proof/prooftest"
)

const sealedAt = 1_800_000_000 // Unix seconds

var network = registry.Network{
	Chain: "eip155:7", RPC: []string{"https://rpc.example"}, Services: barnraise.Address{1}, Servers: barnraise.Address{2},
}

// sealed is a registry of a service and some servers that offer it, the first of which had another key before.
func sealed(t testing.TB, servers int, block uint64) prooftest.Sealed {
	t.Helper()
	s := registry.State{
		Registry: network.Registry(), Block: block, Time: sealedAt, Grace: 1_000_000, Services: new(registry.Services), Servers: new(registry.Servers),
	}
	events := []registry.Event{
		registry.ServiceRegistered{ID: 1, Owner: barnraise.Address{7}, Name: "search", Deposit: big.NewInt(5)},
		registry.RevisionPublished{ID: 1, Number: 1, Image: barnraise.Digest{1}, Reference: "x", Verifier: []byte{1}, Manifest: []byte{2}, Home: 1, ActiveFrom: 5},
	}
	for _, e := range events {
		if err := s.Services.Apply(registry.Block{Number: 5}, e); err != nil {
			t.Fatal(err)
		}
	}
	for n := range servers {
		id := uint32(n + 1)
		events := []registry.Event{
			registry.ServerRegistered{ID: id, Owner: barnraise.Address{8, byte(n)}, Deposit: big.NewInt(5)},
			registry.URLSet{ID: id, URL: "https://a.example"}, registry.KeyRotated{ID: id, Key: [32]byte{3, byte(n)}},
			registry.ListsSet{ID: id, Offers: []barnraise.ServiceID{1}},
		}
		if n == 0 {
			events = append(events, registry.KeyRotated{ID: id, Key: [32]byte{4}})
		}
		for _, e := range events {
			if err := s.Servers.Apply(registry.Block{Number: 5, Time: 99}, e); err != nil {
				t.Fatal(err)
			}
		}
	}
	return prooftest.Seal(s)
}

func file(t testing.TB, s registry.State) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := registry.WriteState(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// rpc is an endpoint that has one block.
type rpc struct {
	hash registry.BlockHash
	err  error
}

func (c rpc) HashAt(context.Context, uint64) (registry.BlockHash, string, error) {
	return c.hash, "somebody", c.err
}
func (c rpc) Grace() uint64 { return 3 }

func terms(n registry.Network, chain Chain, age time.Duration) Terms {
	return Terms{Network: n, Now: func() time.Time { return time.Unix(sealedAt, 0).Add(age) }, Dial: func(context.Context) (Chain, error) {
		if chain == nil {
			return nil, errors.New("connection refused")
		}
		return chain, nil
	}}
}

func TestFromFile(t *testing.T) {
	s := sealed(t, 3, 9)
	whole := string(file(t, s.State))
	pinned, other := network, network
	pinned.Checkpoint = &registry.Checkpoint{Block: 9, Hash: s.State.Hash}
	other.Checkpoint = &registry.Checkpoint{Block: 9, Hash: registry.BlockHash{1}}
	foreign := network
	foreign.Chain = "eip155:8"
	private := network
	private.Chain = "eip155:31337"
	private.RPC = []string{"http://127.0.0.1:1"}
	honest := rpc{hash: s.State.Hash}
	for _, c := range []struct {
		name    string
		text    string
		terms   Terms
		vouched string
		want    error
	}{
		{"by RPC", whole, terms(network, honest, time.Minute), ByRPC, nil},
		{"by checkpoint", whole, terms(pinned, nil, time.Minute), ByCheckpoint, nil},
		{"nobody", whole, terms(network, nil, time.Minute), "", ErrNobodyVouches},
		{"RPC that fails", whole, terms(network, rpc{err: errors.New("no")}, time.Minute), "", ErrNobodyVouches},
		{"RPC with another block", whole, terms(network, rpc{hash: registry.BlockHash{1}}, time.Minute), "", ErrForeign},
		{"another checkpoint", whole, terms(other, honest, time.Minute), "", ErrForeign},
		{"another chain", whole, terms(foreign, honest, time.Minute), "", ErrForeign},
		{"of yesterday", whole, terms(network, honest, TooOld+time.Second), "", ErrOld},
		{"of an hour ago", whole, terms(network, honest, Old+time.Second), ByRPC, nil},
		{"an offer changed", strings.Replace(whole, `"offers":[1]`, `"offers":[1,2]`, 1), terms(network, honest, 0), "", proof.ErrAltered},
		{"a server left out", file3(t, s), terms(network, honest, 0), "", proof.ErrAltered},
		{"no proof", strings.Replace(whole, `"proof"`, `"prof"`, 1), terms(network, honest, 0), "", proof.ErrProof},
		{"no file", "{", terms(network, honest, 0), "", registry.ErrSnapshot},
	} {
		v, err := FromFile(t.Context(), strings.NewReader(c.text), c.terms)
		if !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
			continue
		}
		if err == nil && (v.Vouched != c.vouched || !v.Complete || v.Block != 9 || v.Hash != s.State.Hash || v.Time.Unix() != sealedAt) {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
}

// file3 is the file without its last server, and with a count that goes with that.
func file3(t *testing.T, s prooftest.Sealed) string {
	fewer := sealed(t, 2, 9)
	fewer.State.Hash, fewer.State.Proof = s.State.Hash, s.State.Proof
	return string(file(t, fewer.State))
}

// TestViewBelievesOnlyWhatIsProven: of strangers nobody takes the grace, nor when a key was replaced.
func TestViewBelievesOnlyWhatIsProven(t *testing.T) {
	s := sealed(t, 1, 9)
	for _, c := range []struct {
		chain Chain
		grace uint64
	}{{rpc{hash: s.State.Hash}, 3}, {nil, 0}} {
		n := network
		if c.chain == nil {
			n.Checkpoint = &registry.Checkpoint{Block: 9, Hash: s.State.Hash}
		}
		v, err := FromFile(t.Context(), bytes.NewReader(file(t, s.State)), terms(n, c.chain, 0))
		if err != nil {
			t.Fatal(err)
		}
		shown, err := v.Snapshot(t.Context())
		if err != nil || shown.Grace != c.grace {
			t.Errorf("grace is %d, %v", shown.Grace, err)
		}
		if keys := shown.Servers()[0].Keys; len(keys) != 2 || keys[0].ReplacedAt != 0 || keys[0].To != 5 {
			t.Errorf("keys are %+v", keys)
		}
	}
}

// internet are servers by their hosts, in memory. Each shows excerpts, one after another; the last again and again.
type internet map[string]*answering

type answering struct {
	asked    atomic.Int32
	excerpts []registry.Excerpt
}

func (n internet) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s := n[r.URL.Host]
	switch {
	case s == nil:
		return nil, errors.New("no such host")
	case r.URL.Path != "/v1/snapshot" || r.URL.RawQuery != "service=1":
		http.Error(w, "what?", http.StatusNotFound)
	case len(s.excerpts) == 0:
		http.Error(w, "no\x1bproof", http.StatusServiceUnavailable)
	default:
		_ = registry.WriteExcerpt(w, s.excerpts[min(int(s.asked.Add(1)), len(s.excerpts))-1])
	}
	return w.Result(), nil
}

func excerpt(s prooftest.Sealed, id barnraise.ServiceID, hosts int) registry.Excerpt {
	e, _ := s.State.Excerpt(id, hosts)
	e.Proof = s.State.Proof
	return e
}

func TestFromServers(t *testing.T) {
	s, later := sealed(t, 4, 9), sealed(t, 4, 10)
	all, few := excerpt(s, 1, 9), excerpt(s, 1, 1)
	forged := excerpt(sealed(t, 9, 9), 1, 9)
	stolen := forged
	stolen.Hash, stolen.Proof = all.Hash, all.Proof
	honest := rpc{hash: s.State.Hash}
	type shows = []registry.Excerpt
	for _, c := range []struct {
		name    string
		a, b    shows
		chain   Chain
		hosts   int
		vouched string
		want    error
	}{
		{"all and all", shows{all}, shows{all}, honest, 4, ByRPC, nil},
		{"one leaves out", shows{few}, shows{all}, honest, 4, ByRPC, nil},
		{"both leave out", shows{few}, shows{few}, honest, 1, ByRPC, nil},
		{"no RPC", shows{few}, shows{all}, nil, 4, ByServers, nil},
		{"one forges", shows{all}, shows{stolen}, honest, 0, "", proof.ErrAltered},
		{"one forges a chain", shows{all}, shows{forged}, nil, 0, "", ErrServers},
		{"both forge a chain", shows{forged}, shows{forged}, honest, 0, "", ErrForeign},
		{"one is ahead, then not", shows{all}, shows{excerpt(later, 1, 9), all}, honest, 4, ByRPC, nil},
		{"one is silent", shows{all}, nil, honest, 0, "", ErrServers},
	} {
		synctest.Test(t, func(t *testing.T) {
			net := internet{"a.example": {excerpts: c.a}, "b.example": {excerpts: c.b}}
			client := &http.Client{Transport: net}
			v, err := FromServers(t.Context(), client, []string{"https://a.example", "https://b.example/"}, 1, terms(network, c.chain, 0))
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
			if err != nil {
				if strings.Contains(err.Error(), "\x1b") {
					t.Errorf("%s: a server steers a terminal", c.name)
				}
				return
			}
			shown, _ := v.Snapshot(t.Context())
			if v.Vouched != c.vouched || v.Complete || v.Servers != 2 || len(shown.Hosts(1)) != c.hosts {
				t.Errorf("%s: %+v with hosts %v", c.name, v, shown.Hosts(1))
			}
		})
	}
}

func TestFromServersRefuses(t *testing.T) {
	s := sealed(t, 4, 9)
	client := &http.Client{Transport: internet{"a.example": {excerpts: []registry.Excerpt{excerpt(s, 1, 9)}}}}
	one := "https://a.example"
	for _, urls := range [][]string{
		nil, {one}, {one, one}, {one, "https://A.example/"}, {one, "http://127.0.0.1:1"}, {one, "ftp://b.example"}, slices.Repeat([]string{one}, 9),
	} {
		if _, err := FromServers(t.Context(), client, urls, 1, terms(network, rpc{hash: s.State.Hash}, 0)); err == nil {
			t.Errorf("servers %v are believed", urls)
		}
	}
	if _, err := FromServers(t.Context(), client, []string{one, "https://b.example"}, 2, terms(network, nil, 0)); !errors.Is(err, ErrServers) {
		t.Errorf("of no service: %v", err)
	}
}
