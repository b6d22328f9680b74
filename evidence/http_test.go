package evidence

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"barnraise"
	"barnraise/manifest"
	"barnraise/store"
)

func TestEvidenceHTTP(t *testing.T) {
	m := newMarket(t, 6, manifest.EvidencePublic)
	good := m.lie("x", 3, 2).Encode()
	name := barnraise.Sum(good)
	m.serves[2] = false
	pass := func(typ string, change func(*barnraise.Pass)) string {
		p := m.pass(4, name)
		if change != nil {
			change(&p)
		}
		return p.Sign(typ, memberKey(4))
	}
	for _, c := range []struct {
		name, method, path, pass string
		body                     []byte
		status                   int
		says                     string
	}{
		{"another method", "PUT", "", "", nil, 405, ""},
		{"a query that is none", "GET", "?before=3", "", nil, 400, "before"},
		{"a file that is none", "GET", "/sha256:1", "", nil, 400, "sha256"},
		{"a file that is not here", "GET", "/" + name.String(), "", nil, 404, "no such evidence"},
		{"a pass for the list, that is for a file", "GET", "", pass(barnraise.TypePull, nil), nil, 403, "other evidence"},
		{"a pass that is too old", "GET", "/" + name.String(), pass(barnraise.TypePull, func(p *barnraise.Pass) { p.IssuedAt -= 601 }), nil, 403, "ten minutes"},
		{"a pass for another server", "GET", "/" + name.String(), pass(barnraise.TypePull, func(p *barnraise.Pass) { p.URL = memberURL(2) }), nil, 403, "this is"},
		{"an offer with a pass for a pull", "POST", "", pass(barnraise.TypePull, nil), good, 403, "header"},
		{"an offer with a pass for another", "POST", "", pass(barnraise.TypeOffer, func(p *barnraise.Pass) { p.Evidence[0]++ }), good, 409, "other evidence"},
		{"an offer of nothing", "POST", "", "", nil, 400, "beginning"},
		{"an offer of something else", "POST", "", "", []byte("hello"), 400, "beginning"},
		{"an offer that breaks off", "POST", "", "", good[:len(good)-9], 409, "evidence"},
		{"an offer about what is not done here", "POST", "", "", m.evidence(2, "x", word{server: 3, says: wrong}).Encode(), 409, "nothing to do"},
		{"an offer of another registry", "POST", "", "", bytes.Replace(good, []byte("eip155:31337"), []byte("eip155:31338"), 1), 409, "another registry"},
		{"an offer", "POST", "", pass(barnraise.TypeOffer, nil), good, 202, ""},
		{"an offer with white space", "POST", "", "", bytes.ReplaceAll(good, []byte(`,"`), []byte(",\n \"")), 202, ""},
	} {
		r := httptest.NewRequest(c.method, "/v1/evidence"+c.path, bytes.NewReader(c.body))
		if c.pass != "" {
			r.Header.Set(PassHeader, c.pass)
		}
		w := httptest.NewRecorder()
		m.Handler().ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s: %d %s; want %d, %q", c.name, w.Code, w.Body, c.status, c.says)
		}
		if w.Code >= 400 && w.Code != 405 && w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: it is of type %s", c.name, w.Header().Get("Content-Type"))
		}
	}
	if len(m.queued()) != 1 {
		t.Errorf("%d pieces wait, want the one", len(m.queued()))
	}
}

// Long offers are read one at a time, and what is longer than any evidence not at all.
func TestLongOffers(t *testing.T) {
	m := newMarket(t, 6, manifest.EvidencePublic)
	long := m.evidence(1, strings.Repeat("x", shortOffer), word{server: 3, says: wrong})
	if got := m.offer(long.Encode(), 0, somewhere); got != 202 {
		t.Errorf("a long offer: %d", got)
	}
	other := m.evidence(1, strings.Repeat("y", shortOffer), word{server: 3, says: wrong}).Encode()
	m.large <- struct{}{}
	if got := m.offer(other, 0, somewhere); got != 429 {
		t.Errorf("a second one meanwhile: %d", got)
	}
	if got := m.offer(m.lie("short", 3, 2).Encode(), 0, somewhere); got != 202 {
		t.Errorf("a short one meanwhile: %d", got)
	}
	<-m.large
	if got := m.offer(other, 0, somewhere); got != 202 {
		t.Errorf("after it: %d", got)
	}
	r := httptest.NewRequest("POST", "/v1/evidence", io.MultiReader(bytes.NewReader(other), endless{}))
	r.ContentLength = barnraise.MaxEvidence + 1
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, r)
	if w.Code != 413 || w.Header().Get("Connection") != "close" {
		t.Errorf("longer than any: %d %v", w.Code, w.Header())
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestListGoesOn(t *testing.T) {
	m := newMarket(t, 30, manifest.EvidencePublic)
	want := make(map[string]bool)
	for i := range 7 {
		e := m.lie(fmt.Sprint(i), barnraise.ServerID(6+i), 2)
		m.offer(e.Encode(), 4, "")
		m.lookAtAll()
		want[barnraise.Sum(e.Encode()).String()] = true
	}
	after, pages := "0", 0
	for ; pages < 10; pages++ {
		_, body := m.get("/v1/evidence?limit=3&after="+after, 0, barnraise.Digest{})
		l, err := parseEvidenceList([]byte(body))
		if err != nil || len(l.Evidence) > 3 {
			t.Fatalf("%s: %v", body, err)
		}
		for _, v := range l.Evidence {
			if !want[v.Evidence.String()] || v.At != m.now.Unix() || v.Service != 1 || v.Revision != 1 || v.Size == 0 {
				t.Errorf("listed %+v", v)
			}
			delete(want, v.Evidence.String())
		}
		if len(l.Evidence) == 0 {
			break
		}
		after = l.After
	}
	if len(want) > 0 || pages != 3 {
		t.Errorf("%d pages, not listed: %v", pages, want)
	}
}

func FuzzParseEvidenceQuery(f *testing.F) {
	f.Add("after=3&limit=10")
	f.Add("after=-1&&after=;%")
	f.Fuzz(func(t *testing.T, raw string) {
		if after, limit, err := parseEvidenceQuery(raw); err == nil && (after < 0 || limit < 1 || limit > mostListed) {
			t.Errorf("%q: after %d, limit %d", raw, after, limit)
		}
	})
}

func FuzzParseEvidenceList(f *testing.F) {
	f.Add([]byte(`{"evidence":[{"evidence":"sha256:` + strings.Repeat("0", 64) + `","service":1,"revision":1,"size":9,"at":1}],"after":"3"}`))
	f.Add([]byte(`{"after":"03"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := parseEvidenceList(b)
		if err != nil {
			return
		}
		if strings.ContainsAny(l.After, "&?/# ") || l.After == "" || len(l.Evidence) > mostListed {
			t.Errorf("%q goes on after %q with %d", b, l.After, len(l.Evidence))
		}
		for _, v := range l.Evidence {
			if v.Size <= 0 || v.Size > barnraise.MaxEvidence {
				t.Errorf("%q lists %d bytes", b, v.Size)
			}
		}
	})
}

// FuzzParseHead: whoever reads a whole file reads the same head.
func FuzzParseHead(f *testing.F) {
	good := `{"v":1,"chain":"eip155:1","services":"0x0000000000000000000000000000000000000001","servers":"0x0000000000000000000000000000000000000002",` +
		`"block":1,"service":3,"revision":2,"verifier":"","manifest":"","request":"","answers":[]}`
	f.Add([]byte(good))
	f.Add([]byte(strings.Replace(good, `"v"`, "\n\"v\" ", 1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := parseHead(b[:min(len(b), headSize)])
		e, whole := barnraise.ParseEvidence(b)
		if whole != nil {
			return
		}
		if err != nil && len(b) < headSize {
			t.Fatalf("%q: %v", b, err)
		}
		if err == nil && (h.registry != e.Registry || h.service != e.Service || h.revision.Number != e.Revision || h.revision.Verifier != e.Verifier || h.revision.Manifest != e.Manifest) {
			t.Errorf("%q: %+v", b, h)
		}
	})
}

// FuzzOffer: whatever is sent, nobody's score changes unless it was rechecked.
func FuzzOffer(f *testing.F) {
	f.Add([]byte("{}"), "")
	f.Fuzz(func(t *testing.T, body []byte, token string) {
		r := httptest.NewRequest("POST", "/v1/evidence", bytes.NewReader(body))
		r.Header[PassHeader] = []string{token}
		w := httptest.NewRecorder()
		x := New(Dependencies{
			Registry: empty{}, Serves: func(barnraise.ServiceID) bool { return true },
			Uses: func(barnraise.ServerID) bool { return true }, Self: func() barnraise.ServerID { return 1 },
		})
		x.Handler().ServeHTTP(w, r)
		if w.Code == http.StatusAccepted || w.Code == http.StatusOK {
			t.Errorf("%q is answered %d in an empty registry", body, w.Code)
		}
	})
}

var _ Store = (*store.Store)(nil)
