package devnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/manifest"
	"barnraise/registry/evm"
	"barnraise/server"
	"barnraise/whole"
)

// TestChangesUnderLoad changes what stands in the registry while callers ask without a pause, and not one of their calls fails: a new
// revision, what a thief publishes, a server's key, its URL, and a server that leaves.
func TestChangesUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	n := up(t, Options{Servers: 5, Services: echoes("compare", "spot"), rereads: true})
	l := n.press(t, "echo-compare", "echo-spot")
	for _, change := range []struct {
		name string
		make func(*testing.T, *Net, *pressure)
	}{{"revision", upgrade}, {"thief", thief}, {"key", rotate}, {"URL", move}, {"leave", leave}} {
		if !t.Run(change.name, func(t *testing.T) { change.make(t, n, l); l.judge(t) }) {
			return
		}
	}
	l.end()
	l.judge(t)
	t.Logf("%d calls", l.calls.Load())
}

// pressure is callers who ask without a pause.
type pressure struct {
	calls atomic.Int64
	end   func()

	mu       sync.Mutex
	failures []string
	last     map[string]map[string]uint32 // the revision that answered last, by service and caller
	asked    map[string][]barnraise.ServerID
}

// press begins to ask services, each by a caller who reads the registry each time and one who does so now and then, as most do.
func (n *Net) press(t *testing.T, services ...string) *pressure {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &pressure{last: make(map[string]map[string]uint32), asked: make(map[string][]barnraise.ServerID)}
	var group sync.WaitGroup
	l.end = sync.OnceFunc(func() { cancel(); group.Wait() })
	t.Cleanup(l.end)
	for who, options := range map[string][]client.Option{"at the head": {client.WithRegistry(n.registry)}, "now and then": nil} {
		c := open(t, n, options...)
		for _, service := range services {
			group.Go(func() {
				for ctx.Err() == nil {
					l.ask(ctx, c, service, who)
				}
			})
		}
	}
	t.Cleanup(l.end) // before the clients are closed
	return l
}

// ask makes one call.
func (l *pressure) ask(ctx context.Context, c *client.Client, service, who string) {
	value := fmt.Sprintf(`"truth %d"`, l.calls.Add(1))
	a, err := c.Call(ctx, service, "echo", []byte(`{"value":`+value+`}`))
	if ctx.Err() != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		l.failures = append(l.failures, fmt.Sprintf("%s, %s: %v", service, who, err))
		return
	case string(a.Result) != value:
		l.failures = append(l.failures, fmt.Sprintf("%s, %s: %s instead of %s", service, who, a.Result, value))
	}
	if l.last[service] == nil {
		l.last[service] = make(map[string]uint32)
	}
	l.last[service][who] = a.Revision
	ids := make([]barnraise.ServerID, len(a.Asked))
	for i, v := range a.Asked {
		ids[i] = v.Server
	}
	l.asked[service+who] = ids
}

// judge fails where a call has.
func (l *pressure) judge(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.failures[:min(len(l.failures), 5)] {
		t.Errorf("a call failed: %.600s", f)
	}
	if len(l.failures) > 5 {
		t.Errorf("and %d more of %d", len(l.failures)-5, l.calls.Load())
	}
	l.failures = nil
}

// more waits for so many calls that begin from now on.
func (l *pressure) more(t *testing.T, calls int64) {
	t.Helper()
	before := l.calls.Load()
	eventually(t, fmt.Sprint(calls, " calls more"), func() bool { return l.calls.Load() > before+calls })
}

// uses reports whether every caller of a service was answered by that revision last.
func (l *pressure) uses(service string, revision uint32) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, got := range l.last[service] {
		if got != revision {
			return false
		}
	}
	return len(l.last[service]) == 2
}

// eventually polls until it is so, for two minutes at most.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for range 1200 {
		if so() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("in two minutes: not %s", what)
}

// snapshot is the registry now.
func (n *Net) now(t *testing.T) *barnraise.Snapshot {
	t.Helper()
	s, err := n.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// blocks seals so many blocks.
func (n *Net) blocks(t *testing.T, count int) {
	t.Helper()
	for range count {
		if err := n.chain.AdvanceTime(time.Second); err != nil {
			t.Fatal(err)
		}
	}
}

// until seals blocks, one every so often, until that one is there.
func (n *Net) until(t *testing.T, block uint64) {
	t.Helper()
	for n.now(t).Block < block {
		n.blocks(t, 1)
		time.Sleep(300 * time.Millisecond) // so that servers look at most of them
	}
}

// run counts the servers that run a revision.
func (n *Net) running(id barnraise.ServiceID, revision uint32) (count int) {
	for _, m := range n.Servers {
		if slices.ContainsFunc(m.server.Hosts(), func(h barnraise.Hosted) bool { return h.Service == id && h.Revision == revision }) {
			count++
		}
	}
	return count
}

// signed is one server's answer, as anybody gets it.
type signed struct {
	server            barnraise.ServerID
	revision          barnraise.Revision
	status            int
	request, response []byte
	receipt           string
}

// post asks one server for one revision.
func (n *Net) post(t *testing.T, m Member, s *barnraise.Snapshot, id barnraise.ServiceID, number uint32) signed {
	t.Helper()
	a := signed{server: m.ID, request: []byte(`{"jsonrpc":"2.0","id":1,"method":"echo","params":{"value":1}}`)}
	service, _ := s.Service(id)
	a.revision, _ = service.Revision(number)
	resp, err := http.Post(fmt.Sprintf("%s/v1/services/%d/%d", m.URL, id, number), "application/json", bytes.NewReader(a.request))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if a.response, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	a.status, a.receipt = resp.StatusCode, resp.Header.Get("Barnraise-Receipt")
	return a
}

// evidenceKey says what becomes of the answer as evidence at a time.
func (a signed) evidenceKey(t *testing.T, s *barnraise.Snapshot, id barnraise.ServiceID, at time.Time) error {
	t.Helper()
	return barnraise.NewEvidence(s.Registry, id, a.revision, a.request, []barnraise.Answer{{Server: a.server, Response: a.response, Receipt: a.receipt}}).Check(s, at.Unix())
}

// holds says why the receipt does not hold for a caller who sees that registry, if it does not.
func (a signed) holds(s *barnraise.Snapshot, id barnraise.ServiceID) error {
	r, token, err := barnraise.ParseReceipt(a.receipt)
	if err != nil {
		return err
	}
	key, err := s.Key(a.server, token.KeyID)
	if err != nil {
		return err
	}
	return errors.Join(r.Covers(s.Registry, a.server, id, a.revision, a.request, a.response), token.Verify(key))
}

// next makes revision 2 of a service: the same program, described otherwise.
func (n *Net) next(t *testing.T, id barnraise.ServiceID) barnraise.Revision {
	t.Helper()
	_, r, _ := n.now(t).Active(id)
	home := n.homes[0].Content
	document, err := home.Get(r.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Parse(document)
	if err != nil {
		t.Fatal(err)
	}
	m.Description += ", and better"
	if document, err = m.Encode(); err != nil {
		t.Fatal(err)
	}
	if r.Manifest, err = home.Put(document); err != nil {
		t.Fatal(err)
	}
	r.ActiveFrom = 0 // as soon as the grace allows
	return r
}

// upgrade publishes revision 2. Hosts prepare it, callers use it once it is in force, and the old one is served for one more grace.
func upgrade(t *testing.T, n *Net, l *pressure) {
	id := n.Network.Names["echo-compare"]
	l.more(t, 50)
	old := n.post(t, n.Servers[1], n.now(t), id, 1)
	if err := old.holds(n.now(t), id); err != nil {
		t.Fatal(err)
	}
	number, _, err := n.registry.Publish(t.Context(), n.accounts.author, id, n.next(t, id))
	if err != nil || number != 2 {
		t.Fatalf("published revision %d, %v", number, err)
	}
	service, _ := n.now(t).Service(id)
	two, _ := service.Revision(2)
	if !l.uses("echo-compare", 1) {
		t.Error("revision 2 is called before it is in force")
	}
	n.until(t, two.ActiveFrom-1)
	eventually(t, "prepared by all", func() bool { return n.running(id, 2) == len(n.Servers) })
	n.until(t, two.ActiveFrom)
	eventually(t, "used by all", func() bool { return l.uses("echo-compare", 2) })
	if n.now(t).Block == two.ActiveFrom {
		for _, m := range n.Servers {
			if a := n.post(t, m, n.now(t), id, 1); a.status != http.StatusOK || a.holds(n.now(t), id) != nil {
				t.Errorf("server %d answers %d for revision 1 in its grace", m.ID, a.status)
			}
		}
	}
	n.until(t, two.ActiveFrom+n.now(t).Grace)
	eventually(t, "given up by all", func() bool { return n.running(id, 1) == 0 })
	l.more(t, 50)
	for _, m := range n.Servers {
		if a := n.post(t, m, n.now(t), id, 1); a.status != http.StatusNotFound || !strings.Contains(string(a.response), "unknown-revision") {
			t.Errorf("server %d answers %d %s for revision 1 after its grace", m.ID, a.status, a.response)
		}
	}
	if err := old.holds(n.now(t), id); err != nil {
		t.Errorf("a receipt for revision 1: %v", err)
	}
}

// thief has the author's key: he publishes what he likes, the delegate revokes that before it is in force, and callers see nothing.
func thief(t *testing.T, n *Net, l *pressure) {
	id, author, delegate := n.Network.Names["echo-spot"], n.accounts.author, n.accounts.delegates[0]
	if _, err := n.registry.SetServiceDelegate(t.Context(), author, id, delegate.Address()); err != nil {
		t.Fatal(err)
	}
	bad := n.next(t, id)
	number, _, err := n.registry.Publish(t.Context(), author, id, bad)
	if err != nil {
		t.Fatal(err)
	}
	service, _ := n.now(t).Service(id)
	published, _ := service.Revision(number)
	if _, err := n.registry.Revoke(t.Context(), delegate, id, number, "the author's key was stolen"); err != nil {
		t.Fatal(err)
	}
	if s := n.now(t); s.Block >= published.ActiveFrom {
		t.Fatalf("revoked at block %d, in force from %d", s.Block, published.ActiveFrom)
	}
	n.until(t, published.ActiveFrom+n.now(t).Grace+1)
	eventually(t, "run by nobody", func() bool { return n.running(id, number) == 0 })
	l.more(t, 50)
	if !l.uses("echo-spot", 1) || n.running(id, 1) != len(n.Servers) {
		t.Errorf("%d servers run revision 1; it is what callers use: %t", n.running(id, 1), l.uses("echo-spot", 1))
	}
}

// configure adds to a server's configuration.
func (m Member) configure(t *testing.T, line string) {
	t.Helper()
	path := filepath.Join(m.Data, "server.yaml")
	b, err := os.ReadFile(path)
	if err == nil {
		err = whole.Write(path, append(b, line+"\n"...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// rotate gives a server another key, as an operator does.
func rotate(t *testing.T, n *Net, l *pressure) {
	id, m := n.Network.Names["echo-spot"], n.Servers[1]
	before := n.post(t, m, n.now(t), id, 1)
	key, err := server.EnsureKey(filepath.Join(m.Data, "next.pem"))
	if err != nil {
		t.Fatal(err)
	}
	m.configure(t, "next: {key: next.pem}")
	if _, err := n.registry.RotateKey(t.Context(), n.accounts.owners[1], m.ID, barnraise.PublicKey(key[32:])); err != nil {
		t.Fatal(err)
	}
	at := n.now(t)
	for s := at; s.Block <= at.Block+at.Grace; s = n.now(t) {
		for _, a := range []signed{before, n.post(t, m, s, id, 1)} {
			if err := a.holds(s, id); err != nil {
				t.Errorf("block %d, %d after the rotation: %v", s.Block, s.Block-at.Block, err)
			}
		}
		n.until(t, s.Block+1)
		l.more(t, 10)
	}
	end := n.now(t)
	after := n.post(t, m, end, id, 1)
	if err := after.holds(end, id); err != nil || !strings.HasPrefix(after.receipt, strings.Split(barnraise.Sign(barnraise.TypeReceipt, nil, key), ".")[0]) {
		t.Errorf("after the grace it does not sign with the new key: %v", err)
	}
	if err := before.holds(end, id); !errors.Is(err, barnraise.ErrKeyReplaced) {
		t.Errorf("a receipt from before the rotation, after the grace: %v, want ErrKeyReplaced", err)
	}
	v, _ := end.Server(m.ID)
	replaced := time.Unix(v.Keys[0].ReplacedAt, 0)
	for days, want := range map[int]error{0: nil, 7: nil, 8: barnraise.ErrKeyLapsed} {
		if err := before.evidenceKey(t, end, id, replaced.AddDate(0, 0, days)); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("as evidence %d days after the rotation: %v, want %v", days, err, want)
		}
		if err := after.evidenceKey(t, end, id, replaced.AddDate(0, 0, days)); err != nil {
			t.Errorf("evidence under the new key, %d days after: %v", days, err)
		}
	}
}

// move gives a server another URL.
func move(t *testing.T, n *Net, l *pressure) {
	m := n.Servers[2]
	elsewhere := strings.Replace(m.URL, "127.0.0.1", "localhost", 1)
	m.configure(t, fmt.Sprintf("next: {url: %q}", elsewhere))
	l.more(t, 50) // by then it has read that
	eventually(t, "ready for the next URL", func() bool {
		req, _ := http.NewRequest(http.MethodGet, elsewhere+"/.well-known/barnraise", nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		s := n.now(t)
		v, _ := s.Server(m.ID)
		v.URL = elsewhere
		_, err = barnraise.CheckIntroduction(s, v, string(b), time.Now().Unix())
		return err == nil
	})
	if _, err := n.registry.SetURL(t.Context(), n.accounts.owners[2], m.ID, elsewhere); err != nil {
		t.Fatal(err)
	}
	l.more(t, 200)
	eventually(t, "met at its new URL", func() bool {
		_, err := open(t, n).Meet(t.Context(), m.ID)
		return err == nil
	})
}

// leave takes a server out of the registry: nobody draws it any more, and its deposit comes back once the delay is over, not before.
func leave(t *testing.T, n *Net, l *pressure) {
	m, owner := n.Servers[4], n.accounts.owners[4]
	if _, _, err := n.registry.LeaveServer(t.Context(), owner, m.ID); err != nil {
		t.Fatal(err)
	}
	for _, id := range n.Network.Names {
		if s := n.now(t); slices.Contains(s.Hosts(id), m.ID) {
			t.Errorf("server %d still counts as a host of %s", m.ID, id)
		}
	}
	n.blocks(t, 1)
	drawn := func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, ids := range l.asked {
			if slices.Contains(ids, m.ID) {
				return true
			}
		}
		return false
	}
	quiet := 0
	eventually(t, "drawn by nobody", func() bool { // who reads the registry now and then has its last view for some seconds
		if quiet++; drawn() {
			quiet = 0
		}
		return quiet >= 20
	})
	if err := m.Stop(); err != nil { // the machine may go
		t.Fatal(err)
	}
	l.more(t, 100)
	var refused *evm.Revert
	if _, _, err := n.registry.WithdrawServer(t.Context(), owner, m.ID); !errors.As(err, &refused) {
		t.Errorf("withdrawn before the delay was over: %v, want a Revert", err)
	}
	if err := n.chain.AdvanceTime(2 * time.Minute); err != nil {
		t.Fatal(err)
	}
	amount, _, err := n.registry.WithdrawServer(t.Context(), owner, m.ID)
	if err != nil || amount.Cmp(deposit) != 0 {
		t.Errorf("withdrew %s, %v; want %s", amount, err, deposit)
	}
	if v, _ := n.now(t).Server(m.ID); v.Status != barnraise.StatusGone {
		t.Errorf("it is %s", v.Status)
	}
}
