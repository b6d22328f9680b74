package evm

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"barnraise"
	"barnraise/registry"
	"barnraise/registry/proof"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"
)

// testProofs: what the events say is proven on every implementation of the chain, and what somebody changed is found out.
func testProofs(t *testing.T, chain world) { proofs(t, chain.RPC(), chain.URL(), bob) }

func proofs(t *testing.T, client *rpc.Client, url string, owner *Account) {
	ctx := t.Context()
	n, err := Deploy(ctx, client, owner, testParams)
	if err != nil {
		t.Fatal(err)
	}
	n.RPC = []string{url}
	r, err := New(ctx, client, n)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if p, err := r.ProveAll(ctx); err != nil || p.Claims.Services.Count != 0 || p.Claims.Servers.Count != 0 || p.Header == nil {
		t.Fatalf("of an empty registry: %+v, %v", p, err)
	}
	populate(t, r, owner)
	p, err := r.ProveAll(ctx)
	if err != nil || len(p.Claims.Services.IDs) != 2 || len(p.Claims.Servers.IDs) != 5 || p.Header == nil {
		t.Fatalf("%+v, %v", p, err)
	}
	if _, err := r.ProveRecords(ctx, []barnraise.ServiceID{2}, nil); err != nil {
		t.Error(err)
	}
	if _, err := r.ProveRecords(ctx, []barnraise.ServiceID{3}, nil); !errors.Is(err, proof.ErrNoRecord) {
		t.Errorf("of a service that is not there: %v", err)
	}
	t.Run("absence", func(t *testing.T) { absence(t, r, p) })
	t.Run("file", func(t *testing.T) { provenFile(t, r) })
	t.Run("excerpt", func(t *testing.T) { provenExcerpt(t, r) })
}

// populate registers two services, and four servers that offer them, and one that offers nothing.
func populate(t testing.TB, r *Registry, owner *Account) {
	t.Helper()
	for _, name := range []string{"search", "whisper"} {
		v := revision(t, name)
		v.Home = 5
		if _, _, err := r.RegisterService(t.Context(), owner, name, v, nil); err != nil {
			t.Fatal(err)
		}
	}
	for i, offers := range [][]barnraise.ServiceID{{1, 2}, {1}, {1, 7}, {2}, nil} {
		p := Profile{URL: fmt.Sprint("http://127.0.0.1:", 8001+i), Key: publicKey(fmt.Sprint(i)), Offers: offers, Capacity: 9}
		if _, _, err := r.RegisterServer(t.Context(), owner, p, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func absence(t *testing.T, r *Registry, p *Proof) {
	ids := []uint32{77}
	if err := r.fetchNodes(t.Context(), r.client, p, r.contracts.servers, ids); err != nil {
		t.Fatal(err)
	}
	h, err := proof.ParseHeader(p.Header)
	if err != nil || h.Hash != p.State.Hash || h.Number != p.State.Block {
		t.Fatalf("header %+v, %v", h, err)
	}
	c, err := proof.Open(h.Root, r.network.Servers, p.Nodes)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Commitment(77); err != nil || got != [32]byte{} {
		t.Errorf("commitment to server 77 is %x, %v", got, err)
	}
	if err := c.Check(77, [32]byte{}); !errors.Is(err, proof.ErrAltered) {
		t.Errorf("server 77: %v", err)
	}
	if _, err := proof.Open([32]byte{1}, r.network.Servers, p.Nodes); !errors.Is(err, proof.ErrProof) {
		t.Errorf("under a forged root: %v", err)
	}
	if _, err := proof.Open(h.Root, barnraise.Address{1}, p.Nodes); !errors.Is(err, proof.ErrProof) {
		t.Errorf("of a contract that nobody asked for: %v", err)
	}
}

// alteration is something that a stranger might do to a file.
type alteration struct {
	what string
	do   func(map[string]any)
	want error
}

func items(f map[string]any, list string) []any { return f[list].([]any) }
func item(f map[string]any, list string, i int) map[string]any {
	return items(f, list)[i].(map[string]any)
}

// alterations are what a stranger might do to any file.
var alterations = []alteration{
	{"nothing", func(map[string]any) {}, nil},
	{"an offer", func(f map[string]any) { item(f, "server", 1)["offers"] = []any{1, 2} }, proof.ErrAltered},
	{"a capacity", func(f map[string]any) { item(f, "server", 0)["capacity"] = 8 }, proof.ErrAltered},
	{"a URL", func(f map[string]any) { item(f, "server", 0)["url"] = "http://127.0.0.1:9" }, proof.ErrAltered},
	{"a key", func(f map[string]any) { item(f, "server", 0)["key"] = publicKey("mallory").String() }, proof.ErrAltered},
	{"an owner", func(f map[string]any) {
		item(f, "service", 0)["owner"] = "0x00000000000000000000000000000000000000ff"
	}, proof.ErrAltered},
	{"an image", func(f map[string]any) {
		item(f, "service", 0)["image"] = "x@" + barnraise.Sum([]byte("mallory")).String()
	}, proof.ErrAltered},
	{"no proof", func(f map[string]any) { delete(f, "proof") }, proof.ErrProof},
	{"half a proof", func(f map[string]any) {
		p := f["proof"].(map[string]any)
		nodes, _ := base64.StdEncoding.DecodeString(p["nodes"].(string))
		half, _, _ := cutNodes(nodes)
		p["nodes"] = half
	}, proof.ErrProof},
	{"a node", func(f map[string]any) {
		p := f["proof"].(map[string]any)
		nodes, _ := base64.StdEncoding.DecodeString(p["nodes"].(string))
		nodes[40] ^= 1
		p["nodes"] = nodes
	}, proof.ErrProof},
	{"the header", func(f map[string]any) {
		p := f["proof"].(map[string]any)
		header, _ := base64.StdEncoding.DecodeString(p["header"].(string))
		header[100] ^= 1 // in the state root
		p["header"] = header
	}, proof.ErrProof},
	{"the block", func(f map[string]any) { f["block"] = 7 }, nil},
	{"the hash", func(f map[string]any) { f["hash"] = registry.BlockHash{1} }, proof.ErrProof},
	{"the contract", func(f map[string]any) { f["servers"] = "0x00000000000000000000000000000000000000ff" }, proof.ErrProof},
}

// cutNodes leaves the first node.
func cutNodes(nodes []byte) (first, rest []byte, err error) {
	n := 3 + int(nodes[1])<<8 + int(nodes[2]) // f9 and two bytes of length
	if nodes[0] != 0xf9 || n > len(nodes) {
		return nil, nil, errors.New("no long node")
	}
	return nodes[:n], nodes[n:], nil
}

// strangers makes each change, and expects what a reader says of it.
func strangers(t *testing.T, file []byte, changes []alteration, check func([]byte) error) {
	t.Helper()
	for _, c := range changes {
		var f map[string]any
		d := json.NewDecoder(bytes.NewReader(file))
		d.UseNumber()
		if err := d.Decode(&f); err != nil {
			t.Fatal(err)
		}
		c.do(f)
		changed, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		err = check(changed)
		if c.what == "the block" { // where it is not refused for being before the records
			if err == nil {
				t.Error("another block: it is believed")
			}
			continue
		}
		if !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s changed: %v, want %v", c.what, err, c.want)
		}
	}
}

func provenFile(t *testing.T, r *Registry) {
	var file bytes.Buffer
	zero := uint64(0)
	r.network.Confirmations = &zero
	p, err := r.WriteFile(t.Context(), &file)
	if err != nil {
		t.Fatal(err)
	}
	check := func(b []byte) error {
		s, err := registry.ReadState(bytes.NewReader(b))
		if err != nil {
			return err
		}
		h, err := proof.OfState(s)
		if err == nil && h.Hash != p.State.Hash {
			return errors.New("another block")
		}
		return err
	}
	strangers(t, file.Bytes(), append(alterations[:len(alterations):len(alterations)], []alteration{
		{"a server left out", func(f map[string]any) { f["server"] = items(f, "server")[:4] }, registry.ErrSnapshot},
		{"a server and the count left out", func(f map[string]any) {
			f["server"] = items(f, "server")[:4]
			f["state"].(map[string]any)["servers"].(map[string]any)["count"] = 4
		}, proof.ErrAltered},
		{"a server in the middle left out", func(f map[string]any) {
			f["server"] = append(items(f, "server")[:1], items(f, "server")[2:]...)
			f["state"].(map[string]any)["servers"].(map[string]any)["count"] = 4
		}, registry.ErrSnapshot},
		{"a server made up", func(f map[string]any) {
			f["server"] = append(items(f, "server"), map[string]any{
				"id": 6, "owner": item(f, "server", 0)["owner"], "url": "http://127.0.0.1:9", "since": 1, "deposit": "1", "edits": 3,
			})
			f["state"].(map[string]any)["servers"].(map[string]any)["count"] = 6
		}, proof.ErrAltered},
		{"the running hash", func(f map[string]any) {
			f["state"].(map[string]any)["servers"].(map[string]any)["log"] = registry.BlockHash{1}
		}, proof.ErrAltered},
	}...), check)
	var again bytes.Buffer
	if _, err := r.WriteFile(t.Context(), &again); err != nil || !bytes.Equal(again.Bytes(), file.Bytes()) {
		t.Errorf("of one block there are two files, %v", err)
	}
}

func provenExcerpt(t *testing.T, r *Registry) {
	zero := uint64(0)
	r.network.Confirmations = &zero
	e, err := r.Excerpt(t.Context(), 1, 64)
	if err != nil {
		t.Fatal(err)
	}
	if s := e.Snapshot(); len(s.Hosts(1)) != 3 || len(s.Servers()) != 4 || len(s.Services()) != 1 { // and the home
		t.Errorf("it has hosts %v of %d servers", s.Hosts(1), len(s.Servers()))
	}
	if few, err := r.Excerpt(t.Context(), 1, 2); err != nil || len(few.Snapshot().Hosts(1)) != 2 || len(few.Snapshot().Servers()) != 3 {
		t.Errorf("of two hosts: %v, %v", few.Snapshot().Servers(), err)
	}
	if _, err := r.Excerpt(t.Context(), 3, 64); !errors.Is(err, ErrNoService) {
		t.Errorf("of no service: %v", err)
	}
	var file bytes.Buffer
	if err := registry.WriteExcerpt(&file, e); err != nil {
		t.Fatal(err)
	}
	strangers(t, file.Bytes(), alterations, func(b []byte) error {
		e, err := registry.ReadExcerpt(bytes.NewReader(b))
		if err != nil {
			return err
		}
		_, err = proof.OfExcerpt(e)
		return err
	})
}

// TestProofsOfLiar: an endpoint that alters what it proves, or proves nothing, is found out.
func TestProofsOfLiar(t *testing.T) {
	chain := newChain(t)
	honest := newRegistry(t, chain, testParams)
	populate(t, honest, bob)
	proving := func(result string, err error) change {
		return func(method string, _ []json.RawMessage, r json.RawMessage) (json.RawMessage, error) {
			if method == "eth_getProof" {
				return json.RawMessage(result), err
			}
			return r, nil
		}
	}
	for name, c := range map[string]struct {
		change change
		want   error
	}{
		"refuses":     {proving("", answer{message: "missing trie node"}), ErrNoProof},
		"null":        {proving("null", nil), proof.ErrProof},
		"no nodes":    {proving(`{"accountProof":[],"storageProof":[]}`, nil), proof.ErrProof},
		"a long node": {proving(`{"accountProof":["0xf90800`+strings.Repeat("00", 2048)+`"],"storageProof":[]}`, nil), proof.ErrProof},
		"another root": {func(method string, params []json.RawMessage, r json.RawMessage) (json.RawMessage, error) {
			if method == "eth_getBlockByNumber" {
				var b map[string]any
				_ = json.Unmarshal(r, &b)
				b["stateRoot"] = common.Hash{1}
				return json.Marshal(b)
			}
			return r, nil
		}, proof.ErrProof},
	} {
		n := honest.network
		n.RPC = []string{tamper(t, chain.URL(), c.change)}
		r, err := Dial(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.ProveAll(t.Context()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		r.Close()
		if p, err := among(t, honest, n.RPC[0], chain.URL(), chain.URL()).ProveAll(t.Context()); err != nil || p.Header == nil {
			t.Errorf("%s, and two others do not: %+v, %v", name, p, err)
		}
	}
}

// BenchmarkProve: what the whole proof of a registry costs, over HTTP, and what a file with it has.
func BenchmarkProve(b *testing.B) {
	chain := newChain(b)
	r := newRegistry(b, chain, Params{ServiceDeposit: milli(50), ServerDeposit: milli(50)})
	fill(b, chain, r)
	over, err := Dial(b.Context(), r.network)
	if err != nil {
		b.Fatal(err)
	}
	defer over.Close()
	if _, err := over.Snapshot(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			if _, err := over.ProveRecords(b.Context(), nil, []barnraise.ServerID{7}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			if _, err := over.ProveAll(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	zero := uint64(0)
	over.network.Confirmations = &zero
	b.Run("excerpt", func(b *testing.B) {
		var file bytes.Buffer
		for b.Loop() {
			e, err := over.Excerpt(b.Context(), 3, 512)
			if err != nil {
				b.Fatal(err)
			}
			file.Reset()
			if err := registry.WriteExcerpt(&file, e); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(file.Len()), "file-bytes")
	})
	var file bytes.Buffer
	if _, err := over.WriteFile(b.Context(), &file); err != nil {
		b.Fatal(err)
	}
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			s, err := registry.ReadState(bytes.NewReader(file.Bytes()))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := proof.OfState(s); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(file.Len()), "file-bytes")
	})
}
