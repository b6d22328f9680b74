package server

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"barnraise"
)

// rotate has the registry show another key of the server from now on.
func (r *running) rotate(key ed25519.PrivateKey) {
	r.chain.change(func() {
		me := &r.chain.servers[0]
		keys := append([]barnraise.Key{}, me.Keys...)
		keys[len(keys)-1].To, keys[len(keys)-1].ReplacedAt = r.chain.block, time.Now().Unix()
		me.Keys = append(keys, barnraise.Key{Key: publicKey(key), From: r.chain.block})
	})
}

// view is the registry as it was, or is.
func (r *running) view() *barnraise.Snapshot {
	r.chain.mu.Lock()
	defer r.chain.mu.Unlock()
	return r.chain.snapshot()
}

func (r *running) at(to uint64) {
	r.chain.change(func() { r.chain.block = to })
	pass(time.Second)
}

// signer is the id of the key under which it answers now.
func (r *running) signer(t *testing.T) string {
	t.Helper()
	resp, body := r.post(t, oracle, request)
	_, token, err := barnraise.ParseReceipt(resp.Header.Get("Barnraise-Receipt"))
	if err != nil {
		t.Fatalf("%s %s: %v", resp.Status, body, err)
	}
	return token.KeyID
}

// introducedAt asks for the introduction by a host's name.
func (r *running) introducedAt(t *testing.T, host string) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, r.url+"/.well-known/barnraise", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// coming is what is next by a configuration that changes while the server runs, and what the server says in its log.
type coming struct {
	mu   sync.Mutex
	next Next
	log  lockedBuffer
}

func (n *coming) set(next Next) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.next = next
}

// prepare has the server read its configuration anew as long as it runs.
func (n *coming) prepare(_ *running, c *Config, d *Dependencies) {
	config := *c
	d.Log = slog.New(slog.NewTextHandler(&n.log, nil))
	d.Rules = func() (Config, error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		fresh := config
		fresh.Next = n.next
		return fresh, nil
	}
}

// lost reports whether the server does not find itself in the registry.
func (n *coming) lost() bool { return strings.Contains(n.log.String(), "no server is registered") }

// Protocol 4.2: a key is rotated while the server answers. Callers who are half a grace behind, and those who are not, hold each of its
// receipts and introductions to the server, whenever it was signed.
func TestProtocol4_2RotationWhileItAnswers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "next.pem")
	n := &coming{next: Next{Key: file}}
	inBubble(t, n.prepare, func(t *testing.T, r *running) {
		pass(time.Second)
		old := publicKey(r.signing())
		next, err := EnsureKey(file) // while it runs
		if err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		views := []*barnraise.Snapshot{r.view()} // by age
		check := func(want barnraise.PublicKey) {
			t.Helper()
			if got := r.signer(t); got != want.ID() {
				t.Errorf("block %d: it signs with %s, want %s", r.chain.block, got, want.ID())
			}
			_, body := r.get(t, "/.well-known/barnraise")
			for _, s := range views[:min(len(views), 3)] {
				me, _ := s.Server(7)
				if _, err := s.Key(7, r.signer(t)); err != nil {
					t.Errorf("block %d: a caller at block %d is told %v of its receipt", r.chain.block, s.Block, err)
				}
				if _, err := barnraise.CheckIntroduction(s, me, body, time.Now().Unix()); err != nil {
					t.Errorf("block %d: a caller at block %d: %v", r.chain.block, s.Block, err)
				}
			}
		}
		check(old)
		r.rotate(next)
		for block := uint64(20); block < 40; block++ {
			r.at(block)
			views = append([]*barnraise.Snapshot{r.view()}, views...)
			want := old
			if block >= 22 {
				want = publicKey(next)
			}
			check(want)
		}
	})
}

// A key of which the server knows nothing stands in the registry: the old one serves out its grace, and then this is no server any
// more, until it gets the new one. Meanwhile it signs nothing that would hold.
func TestRotationToAKeyThatIsNotThereYet(t *testing.T) {
	file := filepath.Join(t.TempDir(), "next.pem")
	n := &coming{}
	inBubble(t, n.prepare, func(t *testing.T, r *running) {
		old := publicKey(r.signing())
		_, other, _ := ed25519.GenerateKey(nil)
		r.rotate(other)
		for _, block := range []uint64{20, 25} {
			if r.at(block); r.signer(t) != old.ID() {
				t.Errorf("block %d: it signs with another key", block)
			}
			if n.lost() {
				t.Errorf("block %d: it does not find itself any more", block)
			}
		}
		r.at(26)
		if !n.lost() {
			t.Error("after the grace it takes itself for registered")
		}
		made, err := EnsureKey(file)
		if err != nil {
			t.Fatal(err)
		}
		r.rotate(made)
		n.set(Next{Key: file})
		r.at(27)
		if r.signer(t) != publicKey(made).ID() {
			t.Error("it does not sign with the key that it got")
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		n.set(Next{})
		if r.at(28); r.signer(t) != publicKey(made).ID() {
			t.Error("it has forgotten its key as long as it runs")
		}
	})
}

// The URL changes while the server answers: it introduces itself under each to who comes there, and under no other.
func TestProtocol10_1URLChangesWhileItAnswers(t *testing.T) {
	const new = "http://new.example:81/b"
	n := &coming{next: Next{URL: new}}
	inBubble(t, n.prepare, func(t *testing.T, r *running) {
		pass(time.Second)
		before := r.view()
		introduced := func(s *barnraise.Snapshot, host string) error {
			me, _ := s.Server(7)
			_, err := barnraise.CheckIntroduction(s, me, r.introducedAt(t, host), time.Now().Unix())
			return err
		}
		host := strings.TrimPrefix(r.Server.config.URL, "http://")
		for _, h := range []string{host, "behind.a.proxy", "evil.example"} {
			if err := introduced(before, h); err != nil {
				t.Errorf("before, to who comes to %s: %v", h, err)
			}
		}
		if err := introduced(before, "NEW.example:81"); err == nil {
			t.Error("who comes to the next URL gets an introduction under the old one")
		}
		r.chain.change(func() { r.chain.servers[0].URL = new })
		r.at(21)
		after := r.view()
		for _, c := range []struct {
			view *barnraise.Snapshot
			host string
		}{{before, host}, {after, "new.example:81"}, {after, "behind.a.proxy"}} {
			if err := introduced(c.view, c.host); err != nil {
				t.Errorf("after, block %d, to who comes to %s: %v", c.view.Block, c.host, err)
			}
		}
		if resp, body := r.post(t, oracle, request); resp.StatusCode != http.StatusOK {
			t.Errorf("%s %s", resp.Status, body)
		}
		r.chain.change(func() { r.chain.servers[0].URL = "http://strangers.example" })
		r.at(22)
		if !n.lost() {
			t.Error("a URL that is none of its own is taken")
		}
	})
}

// Of a server that has left, or whose record is another's, nothing is taken up.
func TestKeyFor(t *testing.T) {
	own := func(n byte) ed25519.PrivateKey {
		seed := make([]byte, ed25519.SeedSize)
		seed[0] = n
		return ed25519.NewKeyFromSeed(seed)
	}
	at := func(n byte, from, to uint64) barnraise.Key {
		return barnraise.Key{Key: publicKey(own(n)), From: from, To: to}
	}
	for name, c := range map[string]struct {
		mine  []byte
		keys  []barnraise.Key
		block uint64
		want  byte
	}{
		"the only one":               {[]byte{1}, []barnraise.Key{at(1, 1, 0)}, 50, 1},
		"another's":                  {[]byte{2}, []barnraise.Key{at(1, 1, 0)}, 50, 0},
		"none":                       {[]byte{1}, nil, 50, 0},
		"just rotated":               {[]byte{1, 2}, []barnraise.Key{at(1, 1, 50), at(2, 50, 0)}, 50, 1},
		"half of the grace is over":  {[]byte{1, 2}, []barnraise.Key{at(1, 1, 50), at(2, 50, 0)}, 55, 2},
		"the new one alone":          {[]byte{2}, []barnraise.Key{at(1, 1, 50), at(2, 50, 0)}, 50, 2},
		"the old one alone":          {[]byte{1}, []barnraise.Key{at(1, 1, 50), at(2, 50, 0)}, 60, 1},
		"the old one, too late":      {[]byte{1}, []barnraise.Key{at(1, 1, 50), at(2, 50, 0)}, 61, 0},
		"both, long ago":             {[]byte{1, 2}, []barnraise.Key{at(1, 1, 50), at(2, 50, 0)}, 1000, 2},
		"twice in a grace":           {[]byte{1, 2, 3}, []barnraise.Key{at(1, 1, 48), at(2, 48, 51), at(3, 51, 0)}, 52, 2},
		"there and back":             {[]byte{1, 2}, []barnraise.Key{at(1, 1, 50), at(2, 50, 52), at(1, 52, 0)}, 58, 1},
		"rotated to somebody else's": {[]byte{1, 2}, []barnraise.Key{at(1, 1, 40), at(2, 40, 50), at(3, 50, 0)}, 53, 2},
	} {
		s := &Server{}
		for _, n := range c.mine {
			s.keys = append(s.keys, own(n))
		}
		head := barnraise.NewSnapshot(testNetwork.Registry(), c.block, [32]byte{}, 10, nil, nil)
		got := s.keyFor(head, barnraise.Server{Keys: c.keys})
		if want := own(c.want); c.want == 0 && got != nil || c.want != 0 && !want.Equal(got) {
			t.Errorf("%s: %s", name, fmt.Sprint(got != nil))
		}
	}
}

// From outside a server is found by what it is registered with, while its key or URL changes, and by nothing else.
func TestFindByConfiguration(t *testing.T) {
	dir := t.TempDir()
	made := make(map[string]barnraise.PublicKey)
	for _, name := range []string{"key.pem", "next.pem", "other.pem"} {
		key, err := EnsureKey(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		made[name] = publicKey(key)
	}
	config := Config{URL: "http://a.example", Key: filepath.Join(dir, "key.pem")}
	coming := config
	coming.Next = Next{Key: filepath.Join(dir, "next.pem"), URL: "http://b.example"}
	elsewhere, missing := config, coming
	elsewhere.Server, missing.Next.Key = 8, filepath.Join(dir, "none.pem")
	now := func(name string) []barnraise.Key { return []barnraise.Key{{Key: made[name], From: 1}} }
	rotated := func(to uint64) []barnraise.Key {
		return []barnraise.Key{{Key: made["key.pem"], From: 1, To: to}, {Key: made["next.pem"], From: to}}
	}
	for name, c := range map[string]struct {
		config Config
		url    string
		keys   []barnraise.Key
		status barnraise.Status
		want   bool
	}{
		"as it is":                     {config, "http://a.example", now("key.pem"), barnraise.StatusActive, true},
		"as it is, before a change":    {coming, "http://a.example", now("key.pem"), barnraise.StatusActive, true},
		"by the next key":              {coming, "http://a.example", rotated(10), barnraise.StatusActive, true},
		"by the next URL":              {coming, "http://b.example", now("key.pem"), barnraise.StatusActive, true},
		"by both":                      {coming, "http://b.example", rotated(10), barnraise.StatusActive, true},
		"by the old key, in its grace": {config, "http://a.example", rotated(18), barnraise.StatusActive, true},
		"the next key is not there":    {missing, "http://a.example", rotated(10), barnraise.StatusActive, false},
		"the old key, after its grace": {config, "http://a.example", rotated(10), barnraise.StatusActive, false},
		"a URL that nobody spoke of":   {config, "http://b.example", now("key.pem"), barnraise.StatusActive, false},
		"a key that nobody spoke of":   {coming, "http://a.example", now("other.pem"), barnraise.StatusActive, false},
		"another id":                   {elsewhere, "http://a.example", now("key.pem"), barnraise.StatusActive, false},
		"it has left":                  {config, "http://a.example", now("key.pem"), barnraise.StatusLeaving, false},
		"no URL at all, and none next": {config, "", now("key.pem"), barnraise.StatusActive, false},
	} {
		s := barnraise.Server{ID: 7, URL: c.url, Status: c.status, Keys: c.keys}
		head := barnraise.NewSnapshot(testNetwork.Registry(), 20, [32]byte{}, 5, nil, []barnraise.Server{s})
		if v, ok := c.config.Find(head); ok != c.want || ok && v.ID != 7 {
			t.Errorf("%s: %t, server %d", name, ok, v.ID)
		}
	}
}
