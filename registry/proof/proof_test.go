package proof_test

import (
	"bytes"
	"errors"
	"math/big"
	"testing"

	"barnraise"
	"barnraise/registry"
	"barnraise/registry/proof"
	"barnraise/registry/proof/prooftest"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rlp"
)

// someState is a registry of servers that all offer service 1, and of no services or one.
func someState(t testing.TB, services, servers int) registry.State {
	t.Helper()
	s := registry.State{
		Registry: barnraise.Registry{Chain: "eip155:1", Services: barnraise.Address{1}, Servers: barnraise.Address{2}},
		Block:    9, Time: 1_700_000_000, Services: new(registry.Services), Servers: new(registry.Servers),
	}
	apply := func(side interface {
		Apply(registry.Block, registry.Event) error
	}, events ...registry.Event) {
		for _, e := range events {
			if err := side.Apply(registry.Block{Number: 5}, e); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := range services {
		id := uint32(n + 1)
		apply(s.Services, registry.ServiceRegistered{ID: id, Owner: barnraise.Address{7, byte(n), byte(n >> 8)}, Name: "search", Deposit: big.NewInt(5)},
			registry.RevisionPublished{
				ID: id, Number: 1, Image: barnraise.Digest{1}, Reference: "x", Verifier: []byte{1}, Manifest: []byte{2}, Home: 1, ActiveFrom: 5,
			})
	}
	for n := range servers {
		id := uint32(n + 1)
		apply(s.Servers, registry.ServerRegistered{ID: id, Owner: barnraise.Address{8, byte(n), byte(n >> 8)}, Deposit: big.NewInt(5)},
			registry.URLSet{ID: id, URL: "https://a.example"}, registry.KeyRotated{ID: id, Key: [32]byte{3, byte(n), byte(n >> 8)}},
			registry.ListsSet{ID: id, Offers: []barnraise.ServiceID{1}})
	}
	return s
}

func TestOfState(t *testing.T) {
	for _, size := range [][2]int{{0, 0}, {1, 0}, {0, 1}, {1, 1}, {3, 40}} {
		sealed := prooftest.Seal(someState(t, size[0], size[1]))
		h, err := proof.OfState(sealed.State)
		if err != nil || h.Root != sealed.Root || h.Time != 1_700_000_000 {
			t.Errorf("%v: %+v, %v", size, h, err)
		}
	}
}

func TestOfStateRefuses(t *testing.T) {
	sealed := prooftest.Seal(someState(t, 2, 5))
	other := prooftest.Seal(someState(t, 2, 4))
	for name, c := range map[string]struct {
		change func(*registry.State)
		want   error
	}{
		"a server left out": {func(s *registry.State) { s.Servers = other.State.Servers }, proof.ErrAltered},
		"another block":     {func(s *registry.State) { s.Block++ }, proof.ErrProof},
		"another hash":      {func(s *registry.State) { s.Hash[0]++ }, proof.ErrProof},
		"another contract":  {func(s *registry.State) { s.Registry.Servers[3]++ }, proof.ErrProof},
		"contracts swapped": {func(s *registry.State) {
			r := &s.Registry
			r.Servers, r.Services = r.Services, r.Servers
		}, proof.ErrAltered},
		"no proof":       {func(s *registry.State) { s.Proof = nil }, proof.ErrProof},
		"no header":      {func(s *registry.State) { s.Proof.Header = nil }, proof.ErrProof},
		"another header": {func(s *registry.State) { s.Proof.Header = other.Header }, proof.ErrProof},
		"other nodes":    {func(s *registry.State) { s.Proof = proof.Backing(s.Proof.Header, other.Nodes) }, proof.ErrProof},
		"no nodes":       {func(s *registry.State) { s.Proof.Nodes = nil }, proof.ErrProof},
		"no RLP":         {func(s *registry.State) { s.Proof.Nodes = append(s.Proof.Nodes, 0x80) }, proof.ErrProof},
		"a long node": {func(s *registry.State) {
			long, _ := rlp.EncodeToBytes([][]byte{make([]byte, 2000)})
			s.Proof.Nodes = append(s.Proof.Nodes, long...)
		}, proof.ErrProof},
	} {
		s := sealed.State
		p := *s.Proof
		s.Proof = &p
		c.change(&s)
		if _, err := proof.OfState(s); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestOfExcerpt(t *testing.T) {
	sealed := prooftest.Seal(someState(t, 1, 5))
	e, ok := sealed.State.Excerpt(1, 3)
	if !ok {
		t.Fatal("no excerpt")
	}
	e.Proof = sealed.State.Proof
	if _, err := proof.OfExcerpt(e); err != nil {
		t.Error(err)
	}
	more, _ := prooftest.Seal(someState(t, 1, 6)).State.Excerpt(1, 6) // one whom the chain does not know
	more.Hash, more.Proof = e.Hash, e.Proof
	if _, err := proof.OfExcerpt(more); !errors.Is(err, proof.ErrAltered) && !errors.Is(err, proof.ErrProof) {
		t.Errorf("with a server that is not there: %v", err)
	}
}

// TestDeepProof: nodes that lead on and on, made by somebody who chose the root as well, end where a key does.
func TestDeepProof(t *testing.T) {
	var nodes proof.Nodes
	child := crypto.Keccak256Hash([]byte("end"))
	for range 10_000 {
		node, err := rlp.EncodeToBytes([][]byte{{0x00}, child.Bytes()}) // an extension by nothing
		if err != nil {
			t.Fatal(err)
		}
		if err := nodes.Add(node); err != nil {
			t.Fatal(err)
		}
		child = crypto.Keccak256Hash(node)
	}
	if _, err := nodes.Storage(child, barnraise.Address{1}); !errors.Is(err, proof.ErrProof) {
		t.Error(err)
	}
}

func TestParseHeaderRefuses(t *testing.T) {
	sealed := prooftest.Seal(someState(t, 0, 0))
	for name, b := range map[string][]byte{
		"nothing": nil, "text": []byte("header"), "a short list": {0xc1, 0x80}, "half": sealed.Header[:100],
		"more behind": append(bytes.Clone(sealed.Header), 0), "much": make([]byte, 1<<20),
	} {
		if _, err := proof.ParseHeader(b); !errors.Is(err, proof.ErrProof) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzProof: no header and no nodes make it panic, or let it believe that a contract stores what it does not.
func FuzzProof(f *testing.F) {
	sealed := prooftest.Seal(someState(f, 1, 3))
	f.Add(sealed.Header, sealed.State.Proof.Nodes)
	f.Fuzz(func(t *testing.T, header, nodes []byte) {
		s := sealed.State
		s.Proof = &registry.Backing{Header: header, Nodes: nodes}
		if h, err := proof.OfState(s); err == nil && h.Root != sealed.Root {
			t.Errorf("it believes %x", h.Root)
		}
		h, err := proof.ParseHeader(header)
		if err != nil {
			return
		}
		s.Hash, s.Block = h.Hash, h.Number // somebody who chose the block, too
		_, _ = proof.OfState(s)
	})
}

// FuzzNode: whoever chooses the root as well makes nothing panic.
func FuzzNode(f *testing.F) {
	sealed := prooftest.Seal(someState(f, 1, 3))
	all := sealed.State.Proof.Nodes
	for len(all) > 0 {
		_, _, rest, err := rlp.Split(all)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(all[:len(all)-len(rest)], []byte{})
		all = rest
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var nodes proof.Nodes
		if nodes.Add(a) != nil || nodes.Add(b) != nil {
			return
		}
		if s, err := nodes.Storage(crypto.Keccak256Hash(a), barnraise.Address{1}); err == nil {
			_, _ = s.Word(common.Hash{1})
		}
	})
}

func BenchmarkOfState(b *testing.B) {
	sealed := prooftest.Seal(someState(b, 5_000, 10_000))
	b.ReportMetric(float64(len(sealed.State.Proof.Nodes)), "node-bytes")
	for b.Loop() {
		if _, err := proof.OfState(sealed.State); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(sealed.State.Proof.Nodes)), "node-bytes")
}
