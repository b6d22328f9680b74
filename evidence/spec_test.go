package evidence

import (
	"fmt"
	"strings"
	"testing"

	"barnraise"
	"barnraise/manifest"
	"barnraise/store"
)

// Protocol 8.2: slander changes nobody's score but the slanderer's.
func TestProtocol8_2SlanderHurtsNobodyElse(t *testing.T) {
	honest, accused := word{server: 2, says: right}, word{server: 3, says: right}
	lies := func(w word) word { w.says = wrong; return w }
	with := func(w word, alter func(*barnraise.Receipt)) word { w.alter = alter; return w }
	for _, c := range []struct {
		name   string
		make   func(m *market) []byte
		status int
		costs  bool // the sender's availability, where it signed
	}{
		{"forged: the answer is not what was signed", func(m *market) []byte {
			e := m.evidence(1, "x", honest, accused)
			e.Answers[1].Response = []byte(wrong)
			return e.Encode()
		}, 409, true},
		{"forged: the signature is cut", func(m *market) []byte {
			e := m.evidence(1, "x", honest, lies(accused))
			e.Answers[1].Receipt = e.Answers[1].Receipt[:len(e.Answers[1].Receipt)-6] + "AAAAAA"
			return e.Encode()
		}, 409, true},
		{"replayed: the receipt is of another request", func(m *market) []byte {
			e := m.evidence(1, "x", honest, accused)
			e.Answers[1] = m.evidence(1, "y", word{server: 3, says: wrong}).Answers[0]
			return e.Encode()
		}, 409, true},
		{"foreign-signed: somebody else signed in its name", func(m *market) []byte {
			return m.evidence(1, "x", honest, word{server: 3, says: wrong, key: 5}).Encode()
		}, 409, true},
		{"other revision: the receipt is of revision 2", func(m *market) []byte {
			return m.evidence(1, "x", honest, with(lies(accused), func(r *barnraise.Receipt) { r.Revision = 2 })).Encode()
		}, 409, true},
		{"other service", func(m *market) []byte {
			return m.evidence(1, "x", honest, with(lies(accused), func(r *barnraise.Receipt) { r.Service = 2 })).Encode()
		}, 409, true},
		{"other image", func(m *market) []byte {
			return m.evidence(1, "x", honest, with(lies(accused), func(r *barnraise.Receipt) { r.Image[0]++ })).Encode()
		}, 409, true},
		{"other registry in the receipt", func(m *market) []byte {
			return m.evidence(1, "x", honest, with(lies(accused), func(r *barnraise.Receipt) { r.Registry.Chain = "eip155:1" })).Encode()
		}, 409, true},
		{"a revision that is not registered", func(m *market) []byte {
			e := m.evidence(1, "x", honest, lies(accused))
			e.Revision = 3
			return e.Encode()
		}, 409, false}, // the rest is not even read
		{"another verifier", func(m *market) []byte {
			e := m.evidence(1, "x", honest, lies(accused))
			e.Verifier = e.Manifest
			return e.Encode()
		}, 409, false},
		{"one answer twice", func(m *market) []byte { return m.evidence(1, "x", accused, accused).Encode() }, 409, true},
		{"a block that never comes", func(m *market) []byte {
			return m.evidence(1, "x", honest, with(lies(accused), func(r *barnraise.Receipt) { r.Block = 1 << 40 })).Encode()
		}, 429, false},
		{"no contradiction", func(m *market) []byte { return m.evidence(1, "x", honest, accused).Encode() }, 202, false},
		{"no contradiction, one answer", func(m *market) []byte { return m.evidence(1, "x", accused).Encode() }, 202, false},
		{"other platform: none of the image's, and right", func(m *market) []byte {
			return m.evidence(1, "x", honest, word{server: 3, says: right, platform: barnraise.Sum([]byte("invented"))}).Encode()
		}, 202, false},
		{"the request is in no wire form", func(m *market) []byte {
			e := m.evidence(1, `"]},{"x":["`, honest, lies(accused))
			return e.Encode()
		}, 202, false},
	} {
		for _, sender := range []barnraise.ServerID{0, 5} {
			t.Run(fmt.Sprintf("%s, from %d", c.name, sender), func(t *testing.T) {
				m := newMarket(t, 6, manifest.EvidencePublic)
				m.trust(1, 2, 3, 4, 5)
				before, mine := m.scores(5), m.scores(1, 2, 3, 4)
				e := c.make(m)
				if got := m.offer(e, sender, somewhere); got != c.status {
					t.Errorf("status %d, want %d", got, c.status)
				}
				m.lookAtAll()
				if after := m.scores(5); after != before {
					t.Errorf("scores of others changed:\n%s\nbefore:\n%s", after, before)
				}
				if changed := m.scores(1, 2, 3, 4) != mine; changed != (c.costs && sender == 5) {
					t.Errorf("the sender's score changed: %v", changed)
				}
				if _, list := m.get("/v1/evidence", 0, barnraise.Digest{}); !strings.HasPrefix(list, `{"evidence":[],`) {
					t.Errorf("it is served on: %s", list)
				}
				if again := m.offer(e, sender, somewhere); again == 200 {
					t.Error("and said to be believed")
				}
			})
		}
	}
}

// Protocol 7.3: what each piece of evidence does, once it is rechecked here.
func TestProtocol7_3WhatEvidenceProves(t *testing.T) {
	for _, c := range []struct {
		name       string
		words      []word
		unable     bool // nothing can be executed here
		convicted  []barnraise.ServerID
		doubted    []barnraise.ServerID
		held       bool
		proves     string
		untouched  []barnraise.ServerID
		executions int64
	}{
		{"7.3b re-execution on wasm differs", []word{{server: 2, says: right}, {server: 3, says: wrong}}, false, []barnraise.ServerID{3}, nil, true, "[3]", []barnraise.ServerID{2, 4, 5}, 1},
		{"7.3b one answer alone", []word{{server: 3, says: wrong}}, false, []barnraise.ServerID{3}, nil, true, "[3]", []barnraise.ServerID{2, 4, 5}, 1},
		{"7.3b both are wrong", []word{{server: 2, says: worse}, {server: 3, says: wrong}}, false, []barnraise.ServerID{2, 3}, nil, true, "[2 3]", []barnraise.ServerID{4, 5}, 1},
		{"7.3b on linux only the own score falls", []word{{server: 2, says: right}, {server: 3, says: wrong, platform: onLinux}}, false, nil, []barnraise.ServerID{3}, true, "[]", []barnraise.ServerID{2, 4, 5}, 1},
		{"7.3c a witness is worth nothing here", []word{{server: 2, says: right}, {server: 4, says: right}, {server: 3, says: wrong}}, true, nil, nil, true, "[]", []barnraise.ServerID{2, 3, 4, 5}, 1},
		{"7.3d two answers of one, on linux", []word{{server: 3, says: worse, platform: onLinux}, {server: 3, says: wrong, platform: onLinux}}, false, []barnraise.ServerID{3}, nil, true, "[3]", []barnraise.ServerID{2, 4, 5}, 1},
		{"7.3d two answers of one, and nobody executes: held unproved", []word{{server: 3, says: right}, {server: 3, says: wrong}}, true, nil, nil, true, "[]", []barnraise.ServerID{2, 3, 4, 5}, 1},
		{"other platform, that is none of the image's: nobody is proved wrong", []word{{server: 2, says: right}, {server: 3, says: wrong, platform: barnraise.Sum([]byte("invented"))}}, false, nil, nil, true, "[]", []barnraise.ServerID{2, 3, 4, 5}, 1},
		{"one answer, and nobody executes: nobody can tell", []word{{server: 3, says: wrong}}, true, nil, nil, false, "", []barnraise.ServerID{2, 3, 4, 5}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMarket(t, 6, manifest.EvidencePublic)
			m.trust(2, 3, 4, 5)
			m.machine.unable = c.unable
			before := m.scores(append(c.convicted, c.doubted...)...)
			e := m.evidence(1, "x", c.words...)
			if got := m.offer(e.Encode(), 5, ""); got != 202 {
				t.Fatalf("status %d", got)
			}
			m.lookAtAll()
			if after := m.scores(append(c.convicted, c.doubted...)...); after != before {
				t.Errorf("scores of others changed:\n%s\nbefore:\n%s", after, before)
			}
			for _, id := range c.convicted {
				if !m.convicted(id) || m.book.History(id, 1) != 0 {
					t.Errorf("server %d: convicted %v, m %v", id, m.convicted(id), m.book.History(id, 1))
				}
			}
			for _, id := range c.doubted {
				if !m.book.Clean(id, 5) || m.book.History(id, 1) != 50 || m.book.History(id, 2) != 100 {
					t.Errorf("server %d: clean %v, m %v and %v; want half of the one", id, m.book.Clean(id, 5), m.book.History(id, 1), m.book.History(id, 2))
				}
			}
			item, _, err := m.Store.Evidence(t.Context(), barnraise.Sum(e.Encode()))
			if held := err == nil && item.State == store.Held; held != c.held || held && fmt.Sprint(item.Proves) != c.proves {
				t.Errorf("held %v, proves %v; want %v, %s", held, item.Proves, c.held, c.proves)
			}
			if m.discredited.has(m.operator(5), m.now) {
				t.Error("its sender is distrusted, though it does hold or nobody can tell")
			}
			if m.machine.runs.Load() != c.executions {
				t.Errorf("executed %d times", m.machine.runs.Load())
			}
		})
	}
}

// Protocol 7.2, 7.4: where the image contradicts itself here, nobody is struck, whoever planted it.
func TestProtocol7_4PlantedNondeterminism(t *testing.T) {
	m := newMarket(t, 6, manifest.EvidencePublic)
	m.trust(2, 3, 4, 5)
	m.machine.contrary = true
	before := m.scores()
	for i := range 5 {
		m.offer(m.lie(fmt.Sprint(i), 3, 2).Encode(), barnraise.ServerID(i+1), "")
	}
	m.offer(m.evidence(1, "d", word{server: 4, says: right}, word{server: 4, says: wrong}).Encode(), 0, somewhere)
	if looks := m.lookAtAll(); looks != 6 {
		t.Errorf("looked %d times", looks)
	}
	if after := m.scores(); after != before {
		t.Errorf("scores changed:\n%s\nbefore:\n%s", after, before)
	}
	if len(m.doubted) != 1 || len(m.events) != 1 || m.events[0].Kind != EventDoubted {
		t.Errorf("told %v, %+v; want once a day", m.doubted, m.events)
	}
	m.later(doubtfulFor)
	m.offer(m.lie("tomorrow", 3, 2).Encode(), 4, "")
	if m.lookAtAll(); len(m.doubted) != 2 {
		t.Errorf("a day later told %v", m.doubted)
	}
	if _, list := m.get("/v1/evidence", 0, barnraise.Digest{}); !strings.HasPrefix(list, `{"evidence":[],`) {
		t.Errorf("it is served on: %s", list)
	}
}

// Protocol 8.3: who sees what.
func TestProtocol8_3WhoSeesEvidence(t *testing.T) {
	for _, c := range []struct {
		policy                          string
		listed, listedHost, listedOther bool // to anybody, to a host of the service, to another server
		given, givenHost, givenOther    int
	}{
		{manifest.EvidenceLocal, false, false, false, 404, 404, 404},
		{manifest.EvidenceHosts, false, true, false, 404, 200, 404},
		{manifest.EvidencePublic, true, true, true, 404, 200, 200},
	} {
		m := newMarket(t, 6, c.policy)
		e := m.lie("x", 3, 2)
		if _, err := m.Keep(e); err != nil { // its own, which it keeps whatever the policy
			t.Fatal(err)
		}
		m.lookAtAll()
		servers := m.snapshot.Servers()
		servers[4].Offers = []barnraise.ServiceID{2} // server 5 is no host
		m.snapshot = barnraise.NewSnapshot(m.snapshot.Registry, 10, [32]byte{}, 5, m.snapshot.Services(), servers)
		name := barnraise.Sum(e.Encode())
		for from, want := range map[barnraise.ServerID]struct {
			listed bool
			given  int
		}{0: {c.listed, c.given}, 2: {c.listedHost, c.givenHost}, 5: {c.listedOther, c.givenOther}} {
			status, list := m.get("/v1/evidence", from, barnraise.Digest{})
			if status != 200 || strings.Contains(list, name.String()) != want.listed || strings.Contains(list, "wrong") {
				t.Errorf("%s, list for %d: %d %s", c.policy, from, status, list)
			}
			status, body := m.get("/v1/evidence/"+name.String(), from, name)
			if status != want.given || (body == string(e.Encode())) != (want.given == 200) {
				t.Errorf("%s, body for %d: %d %.80s", c.policy, from, status, body)
			}
		}
		if c.policy == manifest.EvidenceLocal {
			other := m.lie("y", 3, 2)
			m.offer(other.Encode(), 2, "")
			m.lookAtAll()
			if _, _, err := m.Store.Evidence(t.Context(), barnraise.Sum(other.Encode())); err == nil {
				t.Error("it keeps what is nobody else's business")
			}
		}
	}
}

// Protocol 8.3: nobody serves what he has not found to hold, and nothing for longer than thirty days.
func TestProtocol8_3OnlyWhatHoldsIsServedAndForThirtyDays(t *testing.T) {
	m := newMarket(t, 6, manifest.EvidencePublic)
	m.learn(t.Context(), 1, 1)
	own := m.lie("own", 5, 2)
	if _, err := m.Keep(own); err != nil {
		t.Fatal(err)
	}
	if status, _ := m.get("/v1/evidence/"+barnraise.Sum(own.Encode()).String(), 2, barnraise.Sum(own.Encode())); status != 404 {
		t.Error("its own is served before it was rechecked")
	}
	e := m.lie("x", 3, 2)
	name := barnraise.Sum(e.Encode())
	if got := m.offer(e.Encode(), 2, ""); got != 202 {
		t.Fatal(got)
	}
	served := func() bool {
		_, list := m.get("/v1/evidence", 0, barnraise.Digest{})
		status, _ := m.get("/v1/evidence/"+name.String(), 4, name)
		if strings.Contains(list, name.String()) != (status == 200) {
			t.Errorf("list %s, status %d", list, status)
		}
		return status == 200
	}
	if served() {
		t.Error("served before it was looked at")
	}
	if m.offer(e.Encode(), 4, "") != 202 || len(m.waiting.offers) != 2 {
		t.Error("it waits twice")
	}
	m.lookAtAll()
	if !served() || m.offer(e.Encode(), 4, "") != 200 {
		t.Error("not served though it holds")
	}
	m.later(store.Retention - 1)
	if !served() {
		t.Error("gone before thirty days")
	}
	m.later(2)
	if served() {
		t.Error("served after thirty days")
	}
}

// Protocol 8.1: it is self-contained: the same file convicts at whoever rechecks it, and says whom.
func TestProtocol8_1EvidenceSpeaksForItself(t *testing.T) {
	m, other := newMarket(t, 6, manifest.EvidencePublic), newMarket(t, 6, manifest.EvidencePublic)
	e := m.lie("x", 3, 2)
	name := barnraise.Sum(e.Encode())
	m.offer(e.Encode(), 0, somewhere)
	m.lookAtAll()
	_, body := m.get("/v1/evidence/"+name.String(), 4, name)
	if got := other.offer([]byte(body), 0, somewhere); got != 202 {
		t.Fatal(got)
	}
	other.lookAtAll()
	if !other.convicted(3) || len(other.events) != 1 || other.events[0].Kind != EventConvicted || other.events[0].Server != 3 {
		t.Errorf("events %+v", other.events)
	}
}
