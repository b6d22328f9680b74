package client

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/content"
	"barnraise/manifest"
	"barnraise/score"
)

func policy(t *testing.T, name string) score.Policy {
	t.Helper()
	p, err := score.ParsePolicy(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What each policy costs with a verifier that is content with one answer: a visitor's first call, and a call once all are known.
func TestPolicyCosts(t *testing.T) {
	for name, want := range map[string]struct{ first, known int }{
		"one": {1, 1}, "fast": {3, 2}, "paranoid": {3, 2}, "exact": {5, 5}, "exact=1e-6": {9, 9}, "default": {3, 1}, "cheap": {3, 1},
	} {
		n := newNetwork(t, 12, "spot")
		forward := n.clock()
		c, _ := n.client(1, WithPolicy(policy(t, name)))
		if a := call(t, c); a.Requests != want.first || len(n.calls()) != want.first {
			t.Errorf("%s: a first call takes %d requests, want %d", name, a.Requests, want.first)
		}
		forward(YoungEpochs * Epoch)
		for _, m := range n.members {
			for range 5000 {
				c.book.Audited(m.id, 1)
			}
		}
		least := 100
		for range 20 {
			least = min(least, call(t, c).Requests)
		}
		if least != want.known {
			t.Errorf("%s: calls to known servers take %d requests at least, want %d", name, least, want.known)
		}
	}
}

// One call may be made by another policy than the client's.
func TestCallUnderAnotherPolicy(t *testing.T) {
	n := newNetwork(t, 12, "spot")
	c, _ := n.client(1, WithPolicy(score.One))
	a, err := c.Call(t.Context(), "oracle", "ask", nil, Under(policy(t, "exact")))
	if err != nil || a.Requests != 5 {
		t.Fatalf("%+v, %v", a, err)
	}
	if a := call(t, c); a.Requests != 1 {
		t.Errorf("the next call takes %d requests", a.Requests)
	}
}

// Exact believes nothing that fewer operators said than it wants, though the verifier is content.
func TestExactFailsClosed(t *testing.T) {
	n := newNetwork(t, 4, "spot")
	c, _ := n.client(1, WithPolicy(policy(t, "exact")))
	_, err := c.Call(t.Context(), "oracle", "ask", nil)
	var few *TooFewError
	if !errors.As(err, &few) || few.Need != 5 || few.Have != 4 || !strings.Contains(err.Error(), "4 operators answered, 5 are wanted") {
		t.Errorf("%v", err)
	}
}

// When this machine was cut off nobody is fit for a while; what is answered then is audited all the same.
func TestAuditedAfterBeingCutOff(t *testing.T) {
	for seed := range byte(10) {
		n := newNetwork(t, 6, "spot")
		off := true
		for _, m := range n.members {
			m.serve = func(w http.ResponseWriter, r *http.Request) bool {
				if off && r.Method == http.MethodPost {
					w.WriteHeader(http.StatusBadGateway)
				}
				return off && r.Method == http.MethodPost
			}
		}
		c, _ := n.client(seed)
		for range 5 {
			if _, err := c.Call(t.Context(), "oracle", "ask", nil); err == nil {
				t.Fatal("answered by nobody")
			}
		}
		off = false
		if a := call(t, c); len(a.Asked) < 2 {
			t.Errorf("seed %d: asked %+v, want an auditor", seed, a.Asked)
		}
	}
}

// Protocol 6.4: the primary's signed answer is in hand before anybody else is asked; only fast asks at once.
func TestCommitFirst(t *testing.T) {
	for name, together := range map[string]bool{"default": false, "paranoid": false, "exact": false, "fast": true} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork(t, 8, "compare")
			var asked []time.Duration
			start := time.Now()
			for _, m := range n.members {
				m.serve = func(_ http.ResponseWriter, r *http.Request) bool {
					if r.Method == http.MethodPost {
						n.mu.Lock()
						asked = append(asked, time.Since(start))
						n.mu.Unlock()
						time.Sleep(100 * time.Millisecond)
					}
					return false
				}
			}
			c, _ := n.client(1, WithPolicy(policy(t, name)))
			start = time.Now()
			call(t, c)
			slices.Sort(asked)
			if second := asked[1]; (second == 0) != together || !together && second != 100*time.Millisecond {
				t.Errorf("%s: requests go out at %v", name, asked)
			}
		})
	}
}

// Protocol 6.5: until the primary is known one is asked that the caller has reason to trust, after the others; where these disagree
// it is the witness instead. If none answers, one more operator is drawn in its place.
func TestAnchorComesLast(t *testing.T) {
	n := newNetwork(t, 6, "compare")
	c, _ := n.client(1)
	if a := call(t, c); len(a.Asked) != 3 || a.Asked[2].Role != RoleAnchor || a.Asked[2].Server != 1 {
		t.Errorf("asked %+v, want the home last", a.Asked)
	}
	c, _ = n.client(1, WithAnchors(4))
	for range 3 {
		if a := call(t, c); a.Asked[0].Server != 4 && (len(a.Asked) != 3 || a.Asked[2].Role != RoleAnchor || a.Asked[2].Server != 4) && a.Asked[1].Server != 4 {
			t.Errorf("asked %+v, want server 4", a.Asked)
		}
	}
	n.members[0].serve = page("/v1/services/1/1", http.StatusBadGateway, "")
	c, _ = n.client(1)
	if a := call(t, c); a.Requests != 4 || len(a.Asked) != 4 || a.Asked[3].Role != RoleAuditor {
		t.Errorf("with a home that fails %+v", a.Asked)
	}
}

// Protocol 7.7: where nobody can settle a dispute it ends once one side leads by as many operators as the policy says; nobody is
// struck, the liar loses its seat, and evidence is kept.
func TestLeadEndsADispute(t *testing.T) { synctest.Test(t, leadEndsADispute) }

func leadEndsADispute(t *testing.T) {
	met := 0
	for seed := range byte(20) {
		n := newNetwork(t, 9, "compare")
		n.members[3].answer = func([]byte) []byte { return lie }
		c, kept := n.client(seed)
		for range 10 {
			a := call(t, c)
			if string(a.Result) != `{"answer":42}` || len(a.Struck) != 0 {
				t.Fatalf("seed %d: %s, struck %v", seed, a.Result, a.Struck)
			}
			i := slices.IndexFunc(a.Asked, func(v Asked) bool { return v.Server == 4 })
			if i < 0 {
				continue
			}
			met++
			if a.Asked[i].Outcome != OutcomeDiffers || a.Evidence == "" || len(kept.kept) == 0 || !c.book.Clean(4, c.epoch()) {
				t.Errorf("seed %d: %+v, evidence %q", seed, a.Asked[i], a.Evidence)
			}
			if a.Requests > 6 {
				t.Errorf("seed %d: %d requests for a lead of 3", seed, a.Requests)
			}
		}
	}
	if met == 0 {
		t.Error("the liar was never met")
	}
}

// Protocol 7.3 (c): with a conformance report that covers the method the home settles it, and the liar is struck.
func TestReportLetsTheHomeBeTheWitness(t *testing.T) {
	for name, c := range map[string]struct {
		report string
		struck bool
	}{
		"covers the method":  {`{"v":1,"image":"` + image.String() + `","passed":true,"methods":[{"name":"ask","requests":3}]}`, true},
		"of another method":  {`{"v":1,"image":"` + image.String() + `","passed":true,"methods":[{"name":"tell","requests":3}]}`, false},
		"without requests":   {`{"v":1,"image":"` + image.String() + `","passed":true,"methods":[{"name":"ask","requests":0}]}`, false},
		"of another image":   {`{"v":1,"image":"` + platform.String() + `","passed":true,"methods":[{"name":"ask","requests":3}]}`, false},
		"of one that failed": {`{"v":1,"image":"` + image.String() + `","passed":false,"methods":[{"name":"ask","requests":3}]}`, false},
		"none at all":        {`{`, false},
	} {
		n := newNetwork(t, 4, "compare")
		id, _, err := n.store.Add(strings.NewReader(c.report), content.MaxFile)
		if err != nil {
			t.Fatal(err)
		}
		n.publish(manifest.Manifest{Report: id})
		n.members[3].answer = func([]byte) []byte { return lie }
		client, _ := n.client(1)
		met := false
		for range 10 {
			a, err := client.Call(t.Context(), "oracle", "ask", nil)
			var undecided *UndecidedError
			switch {
			case errors.As(err, &undecided):
				met = true
			case err != nil:
				t.Fatal(err)
			case len(a.Struck) > 0:
				met = true
				if !slices.Equal(a.Struck, []barnraise.ServerID{4}) || a.Requests > 4 {
					t.Errorf("%s: struck %v after %d requests", name, a.Struck, a.Requests)
				}
			}
			if err == nil && len(a.Struck) > 0 != c.struck && a.Evidence != "" || err != nil && c.struck {
				t.Errorf("%s: %+v, %v", name, a, err)
			}
		}
		if !met {
			t.Errorf("%s: the liar was never met", name)
		}
		r, err := client.round(t.Context(), "oracle", []byte(`{"jsonrpc":"2.0","id":1,"method":"ask","params":[]}`))
		if err != nil {
			t.Fatal(err)
		}
		r.disputed = 1
		if got := r.judgeable(t.Context()).Covered; got != c.struck {
			t.Errorf("%s: covered %t", name, got)
		}
		client.passed[image] = false // it contradicted itself here
		if r.judgeable(t.Context()).Covered {
			t.Errorf("%s: a report outweighs what was seen here", name)
		}
	}
}

// A report that nobody has is looked for once in a call, however long its dispute takes.
func TestReportThatNobodyHas(t *testing.T) {
	n := newNetwork(t, 8, "compare")
	elsewhere, err := content.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	id, _, err := elsewhere.Add(strings.NewReader("a report"), content.MaxFile)
	if err != nil {
		t.Fatal(err)
	}
	n.publish(manifest.Manifest{Report: id})
	for i, m := range n.members {
		m.answer = func([]byte) []byte { return [][]byte{truth, lie}[i%2] }
	}
	c, _ := n.client(1)
	if _, err := c.Call(t.Context(), "oracle", "ask", nil); !errors.Is(err, ErrUndecided) {
		t.Fatal(err)
	}
	if got := n.seen(1, "/ipfs/"+string(id)); got != 1 {
		t.Errorf("a server was asked %d times for the report", got)
	}
}

// Protocol 6.6: the first answer is shown before its audit, unverified.
func TestProvisional(t *testing.T) {
	for _, name := range []string{"default", "fast"} {
		n := newNetwork(t, 6, "compare")
		c, _ := n.client(1, WithPolicy(policy(t, name)))
		var shown []*Answer
		a, err := c.Call(t.Context(), "oracle", "ask", nil, OnProvisional(func(a *Answer) {
			if name == "default" && len(n.calls()) != 1 {
				t.Errorf("%d were asked before it was shown", len(n.calls()))
			}
			b := *a
			b.Result = slices.Clone(a.Result)
			shown = append(shown, &b)
			clear(a.Result) // it is the caller's, and the judge has another
		}))
		if err != nil || len(shown) != 1 || shown[0].Verdict != Unverified || string(shown[0].Result) != `{"answer":42}` || !slices.Equal(shown[0].Unverified, []string{""}) {
			t.Errorf("%s: shown %+v, %v", name, shown, err)
		}
		for _, v := range a.Asked {
			if v.Outcome != OutcomeAgreed {
				t.Errorf("%s: server %d %s: %s", name, v.Server, v.Outcome, v.Why)
			}
		}
	}
}

// Protocol 6.1: with too few servers the home's answer is returned where the caller wants it so, unverified; never another's.
func TestFallbackHome(t *testing.T) {
	n := newNetwork(t, 2, "compare")
	n.members[1].serve = page("/v1/services/1/1", http.StatusBadGateway, "")
	c, _ := n.client(1)
	a, err := c.Call(t.Context(), "oracle", "ask", nil, FallbackHome())
	if err != nil || a.Verdict != Unverified || string(a.Result) != `{"answer":42}` || a.Memo {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := c.Call(t.Context(), "oracle", "ask", nil); !errors.Is(err, ErrTooFew) {
		t.Errorf("without the wish: %v", err)
	}
	n.members[0].serve, n.members[1].serve = n.members[1].serve, nil
	if a, err := c.Call(t.Context(), "oracle", "ask", nil, FallbackHome()); !errors.Is(err, ErrTooFew) {
		t.Errorf("with a dead home: %+v, %v", a, err)
	}
}

// Where nobody vouches for what all said, the error says what that was.
func TestErrorsSayWhatWasSaid(t *testing.T) {
	n := newNetwork(t, 1, "compare")
	c, _ := n.client(1)
	_, err := c.Call(t.Context(), "oracle", "ask", nil)
	var few *TooFewError
	if !errors.As(err, &few) || few.Said == nil || string(few.Said.Result) != `{"answer":42}` || few.Said.Verdict != Unverified {
		t.Errorf("%+v", err)
	}
	n = newNetworkJudgedBy(t, 2, handmade(`{"status":"undecided","winner":-1,"culprits":[],"need":3}`, 1<<20, trap))
	c, _ = n.client(1)
	_, err = c.Call(t.Context(), "oracle", "ask", nil)
	var undecided *UndecidedError
	if !errors.As(err, &undecided) || undecided.Said == nil || string(undecided.Said.Result) != `{"answer":42}` {
		t.Errorf("%+v", err)
	}
	n = newNetwork(t, 2, "compare")
	n.members[1].answer = func([]byte) []byte { return lie }
	c, _ = n.client(1)
	if _, err = c.Call(t.Context(), "oracle", "ask", nil); !errors.As(err, &undecided) || undecided.Said != nil {
		t.Errorf("two said different things: %+v", err)
	}
}

// Explained: each candidate, why it was or was not asked, and what that did to its score.
func TestExplained(t *testing.T) {
	n := newNetwork(t, 9, "compare")
	n.members[3].answer = func([]byte) []byte { return lie }
	n.members[4].owner = n.members[5].owner
	n.members[6].keyless = true
	n.members[7].serve = page(wellKnown, http.StatusNotFound, "")
	seen := make(map[string]bool)
	for seed := range byte(10) {
		c, _ := n.client(seed, WithRerunner(honestMachine))
		for range 10 {
			a, err := c.Call(t.Context(), "oracle", "ask", nil, Explained())
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Asked)+len(a.Passed) != len(n.members) {
				t.Fatalf("asked %+v, passed %+v: want all nine", a.Asked, a.Passed)
			}
			for _, v := range a.Asked {
				if v.Effect == "" {
					t.Errorf("no effect in %+v", v)
				}
				for _, part := range []string{"history 0 → 1 answers", "doubt 0 → 3.9 of 8", "rests", "availability 1.00 → 0.50"} {
					seen[part] = seen[part] || strings.Contains(v.Effect, part)
				}
			}
			for _, v := range a.Passed {
				for _, part := range []string{"no usable key", "another server of its operator", "it rests", "was not drawn"} {
					seen[part] = seen[part] || strings.Contains(v.Why, part)
				}
			}
		}
	}
	if len(seen) != 8 {
		t.Fatal(seen)
	}
	for part, ok := range seen {
		if !ok {
			t.Errorf("never said: %s", part)
		}
	}
}

// Beside a server that takes long another is asked; who is outrun loses its seat and availability, and keeps its record. Nobody is
// asked twice.
func TestBesideWhoTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 6, "compare")
		n.members[3].serve = silent(http.MethodPost, "/v1/")
		c, _ := n.client(1)
		met := 0
		for range 30 {
			start := time.Now()
			a := call(t, c)
			if i := slices.IndexFunc(a.Asked, func(v Asked) bool { return v.Server == 4 }); i >= 0 {
				met++
				if a.Asked[i].Outcome != OutcomeFailed || !strings.Contains(a.Asked[i].Why, "took long") || time.Since(start) > 2*patienceAtFirst {
					t.Errorf("%+v after %v", a.Asked[i], time.Since(start))
				}
			}
		}
		if met == 0 || met > 3 || !c.book.Clean(4, c.epoch()) {
			t.Errorf("who answers nothing was asked in %d of 30 calls", met)
		}
	})
}
