package client

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
)

func call(t *testing.T, c *Client) *Answer {
	t.Helper()
	a, err := c.Call(context.Background(), "oracle", "ask", map[string]int{"x": 1})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestCall(t *testing.T) {
	n := newNetwork(t, 5, "compare")
	c, kept := n.client(1)
	a := call(t, c)
	var result struct{ Answer int }
	if err := a.Decode(&result); err != nil || result.Answer != 42 {
		t.Errorf("decoded %+v: %v", result, err)
	}
	if a.Service != 1 || a.Revision != 1 || a.Requests != len(a.Asked) || a.Requests < 2 || a.Evidence != "" || len(kept.kept) != 0 {
		t.Errorf("answer is %+v", a)
	}
	if a.Asked[0].Role != RolePrimary || !slices.ContainsFunc(a.Asked, func(v Asked) bool { return v.Server == 1 }) {
		t.Errorf("asked %+v: want a primary first, and the home among a stranger's first auditors", a.Asked)
	}
	for _, v := range a.Asked {
		if v.Outcome != OutcomeAgreed {
			t.Errorf("server %d: %s %s", v.Server, v.Outcome, v.Why)
		}
	}
}

// Protocol 3.5: nothing in a request tells which place a server has, or whether it is verified at all.
func TestServersCannotTellTheirRole(t *testing.T) {
	n := newNetwork(t, 5, "compare")
	c, _ := n.client(1)
	for range 10 {
		call(t, c)
	}
	calls := n.calls()
	want := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
	for _, v := range calls {
		if v.body != `{"jsonrpc":"2.0","id":1,"method":"ask","params":{"x":1}}` || v.path != "/v1/services/1/1" || !reflect.DeepEqual(v.header, want) {
			t.Fatalf("server %d saw %s %s %s", v.server, v.path, v.header, v.body)
		}
	}
	if len(calls) < 20 {
		t.Errorf("%d requests for 10 calls under compare", len(calls))
	}
}

func TestALiarIsCaughtAndAvoided(t *testing.T) {
	for seed := range byte(20) {
		n := newNetwork(t, 4, "compare")
		n.members[3].answer = func([]byte) []byte { return lie }
		c, kept := n.client(seed, WithRerunner(honestMachine))
		caught := false
		for range 12 {
			a := call(t, c)
			if string(a.Result) != `{"answer":42}` {
				t.Fatalf("seed %d: the lie was returned", seed)
			}
			if caught && a.Asked[0].Server == 4 {
				t.Fatalf("seed %d: the liar was primary again", seed)
			}
			asked := slices.ContainsFunc(a.Asked, func(v Asked) bool { return v.Server == 4 })
			if asked != slices.Equal(a.Struck, []barnraise.ServerID{4}) || asked != (a.Evidence != "") {
				t.Fatalf("seed %d: liar asked %v, struck %v, evidence %q", seed, asked, a.Struck, a.Evidence)
			}
			caught = caught || asked
		}
		if !caught {
			t.Fatalf("seed %d: in 12 calls of three servers each the liar was not met", seed)
		}
		e, err := barnraise.ParseEvidence(kept.kept[0].Encode())
		if err != nil {
			t.Fatal(err)
		}
		r, err := c.Recheck(context.Background(), e, true)
		if err != nil || !r.Holds || !slices.Equal(r.Culprits, []barnraise.ServerID{4}) {
			t.Fatalf("rechecked: %+v, %v", r, err)
		}
		if r, err = c.Recheck(context.Background(), e, false); err != nil || !r.Holds || len(r.Culprits) != 0 {
			t.Fatalf("rechecked without execution: %+v, %v; want that it holds and proves nobody wrong", r, err)
		}
	}
}

// What a server cannot be held to is no answer: the call goes on to others, and nobody is struck.
func TestBadAnswers(t *testing.T) {
	body := func(s string) func(*member) {
		return func(m *member) { m.answer = func([]byte) []byte { return []byte(s) } }
	}
	receipt := func(change func(*barnraise.Receipt)) func(*member) { return func(m *member) { m.receipt = change } }
	b64 := base64.RawURLEncoding.EncodeToString
	for name, c := range map[string]struct {
		bad func(*member)
		why string
	}{
		"duplicate names":      {body(`{"jsonrpc":"2.0","id":1,"result":1,"result":2}`), "strict JSON"},
		"RESULT beside result": {body(`{"jsonrpc":"2.0","id":1,"result":1,"RESULT":2}`), "RESULT"},
		"byte order mark":      {body("\xef\xbb\xbf" + string(truth)), "strict JSON"},
		"lone surrogate":       {body(`{"jsonrpc":"2.0","id":1,"result":"\ud800"}`), "strict JSON"},
		"depth 10,000":         {body(`{"jsonrpc":"2.0","id":1,"result":` + strings.Repeat("[", 400) + strings.Repeat("]", 400) + `}`), "levels deep"},
		"other id":             {body(`{"jsonrpc":"2.0","id":2,"result":1}`), "id is"},
		"empty":                {body(``), "strict JSON"},
		"longer than allowed":  {body(`{"jsonrpc":"2.0","id":1,"result":"` + strings.Repeat("x", 2000) + `"}`), "longer than"},
		"of another server":    {receipt(func(r *barnraise.Receipt) { r.Server = 1 }), "server differs"},
		"for another request":  {receipt(func(r *barnraise.Receipt) { r.Request[0]++ }), "request differs"},
		"for another response": {receipt(func(r *barnraise.Receipt) { r.Response[0]++ }), "response differs"},
		"of another revision":  {receipt(func(r *barnraise.Receipt) { r.Revision = 2 }), "revision differs"},
		"of another chain":     {receipt(func(r *barnraise.Receipt) { r.Registry.Chain = "eip155:1" }), "registry differs"},
		"of a block to come":   {receipt(func(r *barnraise.Receipt) { r.Block = 1 << 60 }), "names block"},
		"no receipt":           {func(m *member) { m.token = func(barnraise.Receipt) string { return "" } }, "JWS"},
		"signed by somebody":   {func(m *member) { m.token = func(r barnraise.Receipt) string { return r.Sign(strangersKey) } }, "none of this server's"},
		"alg none": {func(m *member) {
			m.token = func(r barnraise.Receipt) string { return b64([]byte(`{"alg":"none"}`)) + "." + b64(r.Payload()) + "." }
		}, "header is"},
		"alg HS256": {func(m *member) {
			m.token = func(r barnraise.Receipt) string {
				parts := strings.Split(r.Sign(m.key), ".")
				head, _ := base64.RawURLEncoding.DecodeString(parts[0])
				parts[0] = b64([]byte(strings.Replace(string(head), "EdDSA", "HS256", 1)))
				return strings.Join(parts, ".")
			}
		}, "header is"},
		"broken signature": {func(m *member) {
			m.token = func(r barnraise.Receipt) string { t := r.Sign(m.key); return t[:len(t)-8] + "AAAAAAAA" }
		}, "signature does not hold"},
		"another status": {func(m *member) {
			m.serve = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPost {
					w.WriteHeader(http.StatusTeapot)
				}
				return r.Method == http.MethodPost
			}
		}, "418"},
		"redirect": {func(m *member) {
			m.serve = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPost {
					http.Redirect(w, r, "http://s1.test/v1/services/1/1", http.StatusTemporaryRedirect)
				}
				return r.Method == http.MethodPost
			}
		}, "307"},
		"content coding": {func(m *member) {
			m.serve = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPost {
					w.Header().Set("Content-Encoding", "gzip")
				}
				return false
			}
		}, "content coding"},
		"two receipts": {func(m *member) {
			m.serve = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPost {
					w.Header().Add("Barnraise-Receipt", "x")
					w.Header().Add("Barnraise-Receipt", "y")
					w.Write(truth)
				}
				return r.Method == http.MethodPost
			}
		}, "2 receipts"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t, 4, "compare")
			c.bad(n.members[3])
			cl, kept := n.client(1, WithRerunner(honestMachine))
			for range 10 {
				a := call(t, cl)
				i := slices.IndexFunc(a.Asked, func(v Asked) bool { return v.Server == 4 })
				if i < 0 {
					continue
				}
				if string(a.Result) != `{"answer":42}` || a.Asked[i].Outcome != OutcomeFailed || !strings.Contains(a.Asked[i].Why, c.why) {
					t.Errorf("result %s, asked %+v; want a failure with %q", a.Result, a.Asked[i], c.why)
				}
				if len(a.Struck) != 0 || len(kept.kept) != 0 || cl.book.Availability(4, n.now()) == 1 {
					t.Errorf("struck %v, %d kept, availability %v; want lower availability and nothing else", a.Struck, len(kept.kept), cl.book.Availability(4, n.now()))
				}
				return
			}
			t.Error("in ten calls it was not asked")
		})
	}
}

var strangersKey = ed25519.NewKeyFromSeed([]byte("a key that no server of the netw"))

func TestTooFew(t *testing.T) {
	n := newNetwork(t, 3, "compare")
	n.members[1].owner = 1 // the home's operator has two servers: one vote
	n.members[2].serve = func(w http.ResponseWriter, r *http.Request) bool {
		w.WriteHeader(http.StatusBadGateway)
		return r.URL.Path != ""
	}
	c, _ := n.client(1)
	_, err := c.Call(context.Background(), "oracle", "ask", nil)
	var few *TooFewError
	if !errors.As(err, &few) || !errors.Is(err, ErrTooFew) || few.Need != 2 || few.Have != 1 || len(few.Candidates) != 3 {
		t.Fatalf("error is %v (%+v)", err, few)
	}
	for _, v := range few.Candidates {
		if v.Why == "" || v.URL == "" {
			t.Errorf("candidate %+v has no reason", v)
		}
	}
	if !strings.Contains(err.Error(), "502") || !strings.Contains(err.Error(), "of an operator that did") {
		t.Errorf("error does not say why: %v", err)
	}
	if _, err = newClient(newNetwork(t, 0, "compare")).Call(context.Background(), "oracle", "ask", nil); !errors.Is(err, ErrUnavailable) {
		t.Errorf("no server at all: %v", err)
	}
}

// A key under which a signature proves nothing is refused when the registry is read; a server that has no other is not asked.
func TestServerWithoutAUsableKey(t *testing.T) {
	n := newNetwork(t, 2, "compare")
	n.members[1].keyless = true
	_, err := newClient(n).Call(context.Background(), "oracle", "ask", nil)
	if !errors.Is(err, ErrTooFew) || !strings.Contains(err.Error(), "server 2 (\"http://s2.test\"): it has no usable key") {
		t.Errorf("error is %v", err)
	}
}

func newClient(n *network) *Client { c, _ := n.client(1); return c }

func TestVerifierThatAsksOneServer(t *testing.T) {
	n := newNetwork(t, 1, "spot")
	if a := call(t, newClient(n)); a.Requests != 1 || a.Verdict != barnraise.Accepted {
		t.Errorf("spot with one server: %+v", a)
	}
	n = newNetwork(t, 5, "spot")
	c := newClient(n)
	for range 200 {
		call(t, c)
	}
	if a := call(t, c); a.Requests > 3 {
		t.Errorf("%d requests for one answer", a.Requests)
	}
	if perAnswer := float64(len(n.calls())) / 201; perAnswer > 2.9 {
		t.Errorf("%.2f requests an answer: servers never become known", perAnswer)
	}
}

func TestNotFound(t *testing.T) {
	n := newNetwork(t, 3, "compare")
	n.services = append(n.services,
		barnraise.Service{ID: 2, Name: "gone", Status: barnraise.StatusGone, Revisions: n.services[0].Revisions},
		barnraise.Service{ID: 3, Name: "later", Status: barnraise.StatusActive, Revisions: []barnraise.Revision{{Number: 1, ActiveFrom: 11}}},
		barnraise.Service{ID: 4, Name: "revoked", Status: barnraise.StatusActive, Revisions: []barnraise.Revision{{Number: 1, Revoked: true, Reason: "broken"}}},
		barnraise.Service{ID: 5, Name: "oracle", Owner: barnraise.Address{7}, Status: barnraise.StatusActive})
	c := newClient(n)
	for ref, want := range map[string]string{
		"#7": "no service #7", "#2": "no active revision", "#3": "no active revision", "#3@1": "becomes active at block 11", "#4@1": "revoked",
		"#1@2": "no revision 2", "later": "owner 0x", "nobody": "no service is called", "": "want an id",
	} {
		if _, err := c.Call(context.Background(), ref, "ask", nil); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v, want ErrNotFound with %q", ref, err, want)
		}
	}
	for _, ref := range []string{"oracle", "#1", "1", "#1@1"} {
		if _, err := c.Call(context.Background(), ref, "ask", nil); err != nil {
			t.Errorf("%q: %v", ref, err)
		}
	}
}

func TestParams(t *testing.T) {
	n := newNetwork(t, 3, "compare")
	c := newClient(n)
	for _, v := range []struct {
		params any
		want   string
	}{
		{nil, `[]`}, {[]byte(`{"a": 1.0}`), `{"a": 1.0}`}, {[]int{1, 2}, `[1,2]`}, {struct{ Q string }{"x"}, `{"Q":"x"}`},
	} {
		if _, err := c.Call(context.Background(), "oracle", "ask", v.params); err != nil {
			t.Errorf("%v: %v", v.params, err)
		}
		calls := n.calls()
		if got := calls[len(calls)-1].body; !strings.HasSuffix(got, `"params":`+v.want+`}`) {
			t.Errorf("params %v went out as %s", v.params, got)
		}
	}
	before := len(n.calls())
	for _, params := range []any{7, "text", []byte(`{`), func() {}} {
		if _, err := c.Call(context.Background(), "oracle", "ask", params); err == nil {
			t.Errorf("params %v were sent", params)
		}
	}
	if len(n.calls()) != before {
		t.Error("bad params reached a server")
	}
}

func TestServiceErrorIsAnAnswer(t *testing.T) {
	n := newNetwork(t, 3, "compare")
	for _, m := range n.members {
		m.answer = func([]byte) []byte {
			return []byte(`{"jsonrpc":"2.0","id":1,"error":{"code":-32011,"message":"unknown_doc"}}`)
		}
	}
	a := call(t, newClient(n))
	if a.Error == nil || a.Error.Code != -32011 || a.Result != nil || a.Decode(new(any)) == nil {
		t.Errorf("answer is %+v", a)
	}
}

func TestManifestFromWhoeverHasIt(t *testing.T) {
	n := newNetwork(t, 3, "compare")
	n.members[0].serve = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/ipfs/") {
			io.WriteString(w, "other bytes")
		}
		return strings.HasPrefix(r.URL.Path, "/ipfs/")
	}
	n.members[1].serve = page("", 0, "")
	call(t, newClient(n))
	for _, m := range n.members {
		m.serve = n.members[0].serve
	}
	_, err := newClient(n).Call(context.Background(), "oracle", "ask", nil)
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "http://s1.test") {
		t.Errorf("error is %v, want ErrUnavailable that names who sent other bytes", err)
	}
}

// A server that does not answer costs its time limit and no more; the call goes on to others.
func TestSilentServer(t *testing.T) {
	n := newNetwork(t, 4, "compare")
	c, _ := n.client(1)
	call(t, c) // compiles, outside the bubble
	synctest.Test(t, func(t *testing.T) {
		n.members[3].serve = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPost {
				<-r.Context().Done()
			}
			return r.Method == http.MethodPost
		}
		met := false
		for range 6 {
			start := time.Now()
			a := call(t, c)
			if i := slices.IndexFunc(a.Asked, func(v Asked) bool { return v.Server == 4 }); i >= 0 {
				met = true
				if a.Asked[i].Outcome != OutcomeFailed || time.Since(start) > 7*time.Second {
					t.Errorf("it %s after %v, the call took %v", a.Asked[i].Outcome, a.Asked[i].Took, time.Since(start))
				}
			}
		}
		if !met {
			t.Error("in six calls it was not asked")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		synctest.Wait()
		for _, m := range n.members {
			m.serve = n.members[3].serve
		}
		start := time.Now()
		_, err := c.Call(ctx, "oracle", "ask", nil)
		if !errors.Is(err, ErrTooFew) || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > time.Second {
			t.Errorf("all silent: %v after %v", err, time.Since(start))
		}
	})
}

// Protocol 4.2: a fresh answer holds under the current key, or one that was replaced at most the grace ago.
func TestAnswerUnderAReplacedKey(t *testing.T) {
	for replaced, good := range map[uint64]bool{4: false, 5: true} { // the grace is 5 blocks, the head is block 10
		n := newNetwork(t, 2, "compare")
		m := n.members[1]
		m.old, m.replaced = strangersKey, replaced
		m.token = func(r barnraise.Receipt) string { return r.Sign(m.old) }
		_, err := newClient(n).Call(t.Context(), "oracle", "ask", nil)
		if good && err != nil || !good && (!errors.Is(err, ErrTooFew) || !strings.Contains(err.Error(), barnraise.ErrKeyReplaced.Error())) {
			t.Errorf("replaced in block %d: %v", replaced, err)
		}
	}
}
