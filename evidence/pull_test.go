package evidence

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/manifest"
	"barnraise/store"
)

// host is a server that others pull from, played: it introduces itself and serves what it has, true or not.
type host struct {
	mu    sync.Mutex
	m     *market // whose registry it is in
	id    barnraise.ServerID
	have  []barnraise.Evidence
	tells string // instead of its list; %d is where it went on from
	sends []byte // instead of a file
	shows barnraise.ServerID
	seen  []*http.Request

	passes http.Handler // what is below /v1/evidence on to it; nil for nothing
}

func (h *host) RoundTrip(r *http.Request) (*http.Response, error) {
	if "http://"+r.URL.Host != memberURL(h.id) {
		return nil, errors.New("no such host")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen = append(h.seen, r)
	w := httptest.NewRecorder()
	switch name, below := strings.CutPrefix(r.URL.Path, "/v1/evidence/"); {
	case r.URL.Path == "/.well-known/barnraise":
		i := barnraise.Introduction{
			Server: h.id, URL: memberURL(h.id), Chain: testNetwork.Chain, Services: testNetwork.Services, Servers: testNetwork.Servers,
			IssuedAt: h.m.clock().Unix(),
		}
		w.WriteString(barnraise.Sign(barnraise.TypeServer, i.Payload(), memberKey(max(h.id, h.shows))))
	case h.passes != nil:
		h.passes.ServeHTTP(w, r)
	case below:
		h.file(w, name)
	case h.tells != "":
		w.WriteString(h.tells)
	default:
		h.list(w, r)
	}
	return w.Result(), nil
}

// finds adds to what it has.
func (h *host) finds(e barnraise.Evidence) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.have = append(h.have, e)
}

func (h *host) list(w *httptest.ResponseRecorder, r *http.Request) {
	var after int
	fmt.Sscan(r.URL.Query().Get("after"), &after)
	var entries []string
	for _, e := range h.have[min(after, len(h.have)):] {
		b := e.Encode()
		entries = append(entries, fmt.Sprintf(`{"evidence":"%s","service":%d,"revision":%d,"size":%d,"at":1}`, barnraise.Sum(b), e.Service, e.Revision, len(b)))
	}
	fmt.Fprintf(w, `{"evidence":[%s],"after":"%d"}`, strings.Join(entries, ","), len(h.have))
}

func (h *host) file(w *httptest.ResponseRecorder, name string) {
	if h.sends != nil {
		w.Write(h.sends)
		return
	}
	for _, e := range h.have {
		if b := e.Encode(); barnraise.Sum(b).String() == name {
			w.Write(b)
			return
		}
	}
	w.WriteHeader(http.StatusNotFound)
}

// asked counts what it was asked for below /v1/evidence.
func (h *host) asked() (lists, files int) {
	for _, r := range h.seen {
		switch {
		case r.URL.Path == "/v1/evidence":
			lists++
		case strings.HasPrefix(r.URL.Path, "/v1/evidence/"):
			files++
		}
	}
	return lists, files
}

func newHost(t *testing.T) (*market, *host) {
	m := newMarket(t, 6, manifest.EvidenceHosts)
	h := &host{m: m, id: 2} // the first that is drawn
	m.others = h
	return m, h
}

// Protocol 8.7: a server pulls what is held against it, executes it, and tells its operator.
func TestProtocol8_7AServerLearnsWhatIsHeldAgainstIt(t *testing.T) {
	for _, c := range []struct {
		name, says, other string
		unable            bool
		tells             string // empty for nothing
	}{
		{"it was wrong", wrong, right, false, "is wrong, as running the image here shows"},
		{"it was right", right, wrong, false, ""},
		{"it cannot be told", right, wrong, true, "cannot be run here now"},
	} {
		m, h := newHost(t)
		m.machine.unable = c.unable
		h.have = []barnraise.Evidence{m.evidence(1, "x", word{server: 1, says: c.says}, word{server: 3, says: c.other})}
		if err := m.Pull(t.Context()); err == nil { // server 3 does not answer
			t.Error("a host that does not answer is not told of")
		}
		m.lookAtAll()
		told := slices.IndexFunc(m.events, func(e store.Event) bool { return e.Kind == EventAboutSelf })
		if (told >= 0) != (c.tells != "") || told >= 0 && (m.events[told].Server != 1 || !strings.Contains(m.events[told].Text, c.tells)) {
			t.Errorf("%s: told %+v", c.name, m.events)
		}
		if m.convicted(1) {
			t.Errorf("%s: it strikes itself", c.name)
		}
	}
}

// Two exchanges: what one believes the other pulls, each by its own doing.
func TestEvidenceTravels(t *testing.T) {
	here, there := newMarket(t, 6, manifest.EvidenceHosts), newMarket(t, 6, manifest.EvidenceHosts)
	there.Exchange = there.exchangeOf(2, there.Store)
	h := &host{m: here, id: 2}
	h.passes = there.Handler()
	here.others = h
	for i := range 5 {
		there.offer(there.lie(fmt.Sprint(i), 3, 4).Encode(), 0, somewhere)
	}
	if there.lookAtAll() != 5 {
		t.Fatal("not all is taken")
	}
	here.Pull(t.Context())
	if looks := here.lookAtAll(); looks != 5 || !here.convicted(3) {
		t.Errorf("looked %d times", looks)
	}
	here.Pull(t.Context())
	if len(here.queued()) != 0 {
		t.Error("pulled twice")
	}
}

// Protocol 8.5, 8.6: what a pull looks like from the other side, and that nothing is asked for twice.
func TestProtocol8_5Pull(t *testing.T) {
	m, h := newHost(t)
	h.have = []barnraise.Evidence{m.lie("a", 3, 4), m.lie("b", 5, 4)}
	m.Pull(t.Context())
	if looks := m.lookAtAll(); looks != 2 || !m.convicted(3) || !m.convicted(5) {
		t.Errorf("looked %d times", looks)
	}
	if h.seen[0].URL.Path != "/.well-known/barnraise" {
		t.Errorf("asked for %s before it introduced itself (protocol 10.1)", h.seen[0].URL.Path)
	}
	for _, r := range h.seen[1:] {
		var name barnraise.Digest
		if _, below := strings.CutPrefix(r.URL.Path, "/v1/evidence/"); below {
			if err := name.UnmarshalText([]byte(strings.TrimPrefix(r.URL.Path, "/v1/evidence/"))); err != nil {
				t.Fatal(err)
			}
		}
		p, err := barnraise.CheckPass(m.snapshot, barnraise.TypePull, r.Header.Get(PassHeader), memberURL(2), name, m.now.Unix())
		if err != nil || p.Server != 1 {
			t.Errorf("%s: pass %+v, %v", r.URL, p, err)
		}
	}
	h.have = append(h.have, m.lie("c", 5, 4))
	m.Pull(t.Context())
	if lists, files := h.asked(); lists != 2 || files != 3 || h.seen[len(h.seen)-2].URL.RawQuery != "after=2" {
		t.Errorf("%d lists, %d files, %v", lists, files, h.seen[len(h.seen)-2].URL)
	}
}

// What a host that lies sends costs bounded work, and costs it.
func TestPullFromALiar(t *testing.T) {
	for _, c := range []struct {
		name   string
		make   func(m *market, h *host)
		files  int
		costs  bool
		listed bool // it may be asked at all
	}{
		{"it is somebody else", func(m *market, h *host) { h.shows = 5 }, 0, false, false},
		{"a list that is none", func(m *market, h *host) { h.tells = "hello" }, 0, false, true},
		{"a list without end", func(m *market, h *host) { h.tells = strings.Repeat(" ", maxList+1) }, 0, false, true},
		{"a forged file", func(m *market, h *host) {
			e := m.lie("x", 3, 4)
			e.Answers[0].Receipt = e.Answers[1].Receipt
			h.have = []barnraise.Evidence{e}
		}, 1, true, true},
		{"another file", func(m *market, h *host) {
			h.have, h.sends = []barnraise.Evidence{m.lie("x", 3, 4)}, m.lie("y", 3, 4).Encode()
		}, 1, true, true},
		{"a file without end", func(m *market, h *host) {
			h.have, h.sends = []barnraise.Evidence{m.lie("x", 3, 4)}, make([]byte, 1<<20)
		}, 1, false, true},
		{"about what this server has nothing to do with", func(m *market, h *host) {
			h.have = []barnraise.Evidence{m.evidence(2, "x", word{server: 3, says: wrong})}
			m.serves[2] = false
		}, 0, false, true},
		{"a file as long as all of a round", func(m *market, h *host) {
			h.tells = fmt.Sprintf(`{"evidence":[{"evidence":"%s","service":1,"revision":1,"size":%d,"at":1}],"after":"1"}`, barnraise.Sum(nil), bytesPulled+1)
		}, 0, false, true},
		{"more than a round takes", func(m *market, h *host) {
			for i := range 50 {
				h.have = append(h.have, m.lie(fmt.Sprint(i), 3, 4))
			}
		}, mostOfOne + 1, false, true},
	} {
		m, h := newHost(t)
		m.trust(2, 3, 4)
		before, seen := m.scores(2), m.book.Seen(2, m.now)
		c.make(m, h)
		if err := m.Pull(t.Context()); err == nil {
			t.Errorf("%s: no error", c.name)
		}
		if lists, files := h.asked(); files != c.files || (lists > 0) != c.listed {
			t.Errorf("%s: asked for %d lists and %d files", c.name, lists, files)
		}
		if costs := m.book.Seen(2, m.now).Failed > seen.Failed; costs != c.costs || m.scores(2) != before {
			t.Errorf("%s: costs %v; others:\n%s", c.name, costs, m.scores(2))
		}
	}
}

func TestPullsGoOnByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, h := newHost(t)
		m.ticks = true
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { m.Run(ctx); close(done) }()
		pass(29 * time.Minute)
		h.finds(m.lie("a", 3, 4))
		pass(2 * time.Minute)
		if !m.convicted(3) {
			t.Error("half an hour has passed, and nothing was pulled")
		}
		h.finds(m.lie("b", 5, 4))
		pass(31 * time.Minute)
		if !m.convicted(5) {
			t.Error("nothing was pulled a second time")
		}
		cancel()
		<-done
		m.client.Close()
		m.Store.(*store.Store).Close()
	})
}

// What a former run left is taken up: own evidence that was not rechecked, and what may be served.
func TestEvidenceOverARestart(t *testing.T) {
	m := newMarket(t, 6, manifest.EvidencePublic)
	held, own := m.lie("held", 3, 2), m.lie("own", 5, 2)
	m.offer(held.Encode(), 4, "")
	m.lookAtAll()
	if _, err := m.Keep(own); err != nil {
		t.Fatal(err)
	}
	m.Exchange = m.exchange(m.Store)
	m.resume(t.Context())
	if len(m.queued()) != 1 || m.offer(held.Encode(), 4, "") != 200 {
		t.Errorf("%d pieces wait", len(m.queued()))
	}
	m.lookAtAll()
	_, list := m.get("/v1/evidence", 0, barnraise.Digest{})
	for _, e := range []barnraise.Evidence{held, own} {
		if !strings.Contains(list, barnraise.Sum(e.Encode()).String()) {
			t.Errorf("not in the list: %s", list)
		}
	}
}
