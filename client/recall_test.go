package client

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/score"
)

const plenty = 1 << 20

// The same request costs nothing again, but for the 1st, 2nd, 4th, 8th hit: each of them asks one who was not asked before, as he
// is asked in any call, as long as there is anybody.
func TestRecall(t *testing.T) {
	n := newNetwork(t, 8, "compare")
	c, _ := n.client(1, WithMemo(plenty), WithPolicy(score.One))
	first := call(t, c)
	if first.Memo || first.Requests != 2 {
		t.Fatalf("memo %t, %d requests", first.Memo, first.Requests)
	}
	asked := map[barnraise.ServerID]bool{first.Asked[0].Server: true, first.Asked[1].Server: true}
	for hit := 1; hit <= 200; hit++ {
		a := call(t, c)
		want := 0
		if hit&(hit-1) == 0 && len(asked) < 8 {
			want = 1
		}
		if !a.Memo || a.Requests != want || len(a.Asked) != want || string(a.Result) != string(first.Result) || a.Verdict != barnraise.Accepted {
			t.Fatalf("hit %d: %+v, want %d requests", hit, a, want)
		}
		for _, v := range a.Asked {
			if asked[v.Server] || v.Outcome != OutcomeAgreed || v.Role != RoleAuditor {
				t.Errorf("hit %d asked %+v again", hit, v)
			}
			asked[v.Server] = true
		}
		a.Result[1] = '!' // what the caller does with his answer is his own
	}
	if len(asked) != 8 {
		t.Errorf("%d servers were asked in all", len(asked))
	}
	calls := n.calls()
	for _, v := range calls {
		if v.body != calls[0].body || v.path != calls[0].path || fmt.Sprint(v.header) != fmt.Sprint(calls[0].header) {
			t.Errorf("server %d can tell: %+v", v.server, v)
		}
	}
	if a, err := c.Call(t.Context(), "oracle", "ask", []byte(`[1]`)); err != nil || a.Memo {
		t.Errorf("another request: %+v, %v", a, err)
	}
}

// Of who is not asked it is said why.
func TestRecallIsExplained(t *testing.T) {
	n := newNetwork(t, 5, "compare")
	c, _ := n.client(1, WithMemo(plenty), WithPolicy(score.One))
	for call, want := range []string{"it was not drawn", "what it answered before is remembered", "what it answered before is remembered", "the answer is remembered"} {
		a, err := c.Call(t.Context(), "oracle", "ask", nil, Explained())
		said := func(v Candidate) bool { return v.Why == want }
		if err != nil || len(a.Asked)+len(a.Passed) != 5 || !slices.ContainsFunc(a.Passed, said) {
			t.Errorf("call %d: asked %+v, passed %+v, %v; want %q of somebody", call, a.Asked, a.Passed, err, want)
		}
	}
}

// Without the option nothing is remembered.
func TestNothingIsRememberedUnasked(t *testing.T) {
	for _, options := range [][]Option{nil, {WithMemo(0)}, {WithMemo(plenty), WithMemo(-1)}} {
		c, _ := newNetwork(t, 4, "compare").client(1, options...)
		for range 3 {
			if a := call(t, c); a.Memo || a.Requests < 2 {
				t.Errorf("memo %t after %d requests", a.Memo, a.Requests)
			}
		}
	}
}

// Who lies where nobody looks is found out when the question is asked again, by what he signed the first time; and who lies about
// what is remembered takes nobody from the truth.
func TestLiesOnHotKeys(t *testing.T) {
	for name, c := range map[string]struct {
		lies func(first barnraise.ServerID, id barnraise.ServerID) bool
	}{
		"the first":       {func(first, id barnraise.ServerID) bool { return id == first }},
		"all but the one": {func(first, id barnraise.ServerID) bool { return id == first%5+1 }},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range byte(20) {
				n := newNetwork(t, 5, "spot")
				var mu sync.Mutex
				var first barnraise.ServerID
				for _, m := range n.members {
					m.answer = func([]byte) []byte {
						mu.Lock()
						defer mu.Unlock()
						if first == 0 {
							first = m.id
						}
						if c.lies(first, m.id) {
							return lie
						}
						return truth
					}
				}
				client, kept := n.client(seed, WithMemo(plenty), WithPolicy(score.One), WithRerunner(honestMachine))
				if a := call(t, client); a.Memo || a.Requests != 1 {
					t.Fatalf("%+v", a)
				}
				var struck []barnraise.ServerID
				for hit := range 20 {
					a := call(t, client)
					if string(a.Result) != `{"answer":42}` {
						t.Fatalf("seed %d, hit %d: %s, memo %t", seed, hit+1, a.Result, a.Memo)
					}
					if len(a.Struck) > 0 && (a.Memo || a.Evidence == "") {
						t.Errorf("%+v", a)
					}
					struck = append(struck, a.Struck...)
				}
				if len(struck) != 1 || !c.lies(first, struck[0]) || len(kept.kept) != 1 {
					t.Fatalf("seed %d: struck %v, %d pieces of evidence", seed, struck, len(kept.kept))
				}
				e, err := barnraise.ParseEvidence(kept.kept[0].Encode())
				if err != nil {
					t.Fatal(err)
				}
				if r, err := client.Recheck(t.Context(), e, true); err != nil || !slices.Equal(r.Culprits, struck) {
					t.Errorf("rechecked: %+v, %v", r, err)
				}
				if m := client.book.History(first, 1); name != "the first" && m > 1 {
					t.Errorf("one answer was counted %v times", m)
				}
			}
		})
	}
}

// A strike for another request, and one that this client hears of, drop what rests on the struck one alone.
func TestStrikeDropsWhatRestsOnItAlone(t *testing.T) {
	for name, strike := range map[string]func(c *Client, id barnraise.ServerID){
		"in a call": func(c *Client, id barnraise.ServerID) { c.memo.struck(id) },
		"from others": func(c *Client, id barnraise.ServerID) {
			c.Book(func(b *score.Book) {
				b.Strike(score.Strike{Server: id, Service: 1, Revision: 1, Epoch: c.epoch(), Conclusive: true})
			})
		},
	} {
		n := newNetwork(t, 4, "spot")
		c, _ := n.client(1, WithMemo(plenty), WithPolicy(score.One))
		first := call(t, c).Asked[0].Server
		strike(c, first)
		if a := call(t, c); a.Memo || name == "from others" && a.Asked[0].Server == first {
			t.Errorf("%s: %+v", name, a)
		}
		again := call(t, c) // rests on two from here on
		if !again.Memo || again.Requests != 1 {
			t.Fatalf("%s: %+v", name, again)
		}
		strike(c, again.Asked[0].Server)
		if a := call(t, c); !a.Memo {
			t.Errorf("%s: gone, though it rests on another as well", name)
		}
	}
}

// A call that wants more than the remembered one did gets it.
func TestMemoServesNoStrongerPolicy(t *testing.T) {
	n := newNetwork(t, 6, "spot")
	c, _ := n.client(1, WithMemo(plenty), WithPolicy(score.One))
	call(t, c)
	for i, memo := range []bool{false, true} {
		a, err := c.Call(t.Context(), "oracle", "ask", map[string]int{"x": 1}, Under(score.Paranoid))
		if err != nil || a.Memo != memo || !memo && a.Requests < 2 {
			t.Errorf("call %d: %+v, %v", i, a, err)
		}
	}
	if a := call(t, c); !a.Memo {
		t.Error("what was accepted by a stronger policy is not good for a weaker one")
	}
}

// A new revision makes what is remembered of the old one unreachable, revocation all of it, and quarantine the request, for good.
func TestWhatMemoryDoesNotOutlive(t *testing.T) {
	for name, change := range map[string]func(n *network, c *Client, forward func(time.Duration)){
		"another image": func(n *network, _ *Client, _ func(time.Duration)) {
			n.services[0].Revisions[0].Home = 2 // changes nothing
			n.services[0].Revisions[0].Manifest, _ = n.store.Put([]byte(`{"name":"oracle","limits":{"response":1024,"timeout":"1s"}}`))
		},
		"quarantine": func(_ *network, c *Client, forward func(time.Duration)) {
			r := []byte(`{"jsonrpc":"2.0","id":1,"method":"ask","params":{"x":1}}`)
			c.quarantine(barnraise.Revision{Image: image}, r)
			if _, err := c.Call(context.Background(), "oracle", "ask", map[string]int{"x": 1}); err == nil {
				t.Error("answered out of quarantine")
			}
			forward(score.CleanEpochs * Epoch)
		},
	} {
		n := newNetwork(t, 6, "compare")
		forward := n.clock()
		c, _ := n.client(1, WithMemo(plenty))
		call(t, c)
		if a := call(t, c); !a.Memo {
			t.Fatalf("%s: not remembered", name)
		}
		change(n, c, forward)
		if a, err := c.Call(t.Context(), "oracle", "ask", map[string]int{"x": 1}); err != nil || a.Memo {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	n := newNetwork(t, 6, "compare")
	c, _ := n.client(1, WithMemo(plenty))
	call(t, c)
	n.services[0].Revisions[0].Revoked = true
	if a, err := c.Call(t.Context(), "oracle", "ask", map[string]int{"x": 1}); err == nil {
		t.Errorf("revoked, and answered: %+v", a)
	}
}

// An error of the service is remembered as any answer is; a call that failed is not.
func TestWhatIsRemembered(t *testing.T) {
	n := newNetwork(t, 4, "compare")
	failing := []byte(`{"jsonrpc":"2.0","id":1,"error":{"code":3,"message":"no","data":[1]}}`)
	for _, m := range n.members {
		m.answer = func(request []byte) []byte {
			if bytes.Contains(request, []byte("fails")) {
				return failing
			}
			return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"result":%d}`, m.id)
		}
	}
	c, _ := n.client(1, WithMemo(plenty))
	for i := range 3 {
		a, err := c.Call(t.Context(), "oracle", "fails", nil)
		if err != nil || a.Memo != (i > 0) || a.Error == nil || a.Error.Code != 3 || string(a.Error.Data) != "[1]" || a.Result != nil {
			t.Fatalf("%+v, %v", a, err)
		}
		a.Error.Data[1], a.Error.Code = '2', 4
	}
	for range 2 {
		if a, err := c.Call(t.Context(), "oracle", "contradicts", nil); err == nil {
			t.Errorf("%+v", a)
		}
	}
	if len(c.memo.entries) != 1 {
		t.Errorf("%d answers are remembered", len(c.memo.entries))
	}
}

// Who does not answer keeps nobody waiting for what is remembered: half of the time that the call has.
func TestMemoryIsGoodWhereNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 4, "compare")
		c, _ := n.client(1, WithMemo(plenty), WithPolicy(score.One))
		call(t, c)
		for _, m := range n.members {
			m.serve = silent(http.MethodPost, "/v1/services")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		a, err := c.Call(ctx, "oracle", "ask", map[string]int{"x": 1})
		if took := time.Since(start); err != nil || !a.Memo || a.Requests == 0 || took != time.Second/2 {
			t.Errorf("after %v: %+v, %v", took, a, err)
		}
		start = time.Now()
		if a, err = c.Call(t.Context(), "oracle", "ask", map[string]int{"x": 1}); err != nil || !a.Memo || time.Since(start) > time.Second+grace {
			t.Errorf("after %v: %+v, %v", time.Since(start), a, err)
		}
		for _, m := range n.members {
			if availability := c.book.Availability(m.id, n.now()); availability < 0.3 {
				t.Errorf("availability of %d is %v", m.id, availability)
			}
		}
	})
}

// Many at once get the same answer, under the race detector, too.
func TestMemoryIsForManyAtOnce(t *testing.T) {
	n := newNetwork(t, 8, "spot")
	c, _ := n.client(1, WithMemo(20<<10))
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			for j := range 4 {
				a, err := c.Call(t.Context(), "oracle", "ask", fmt.Appendf(nil, "[%d]", (i+j)%16))
				if err != nil || string(a.Result) != `{"answer":42}` {
					t.Errorf("%+v, %v", a, err)
				}
			}
			c.memo.struck(barnraise.ServerID(i%8 + 1))
		})
	}
	group.Wait()
	if c.memo.used > c.memo.limit || c.memo.used < 0 {
		t.Errorf("%d bytes are remembered", c.memo.used)
	}
}

// A third of the servers tell the truth a hundred times, and then lie together about what is asked for most, which is something else
// every hundred calls. Memory asks once more just there: fewer lies are believed than without it, for fewer requests.
func TestMemoryDoesNotHelpLiars(t *testing.T) {
	const calls = 1200
	wrong, requests := 0, 0
	for seed := range byte(2) {
		n := newNetwork(t, 9, "spot")
		for _, m := range n.members[4:7] {
			var answered atomic.Int64
			m.answer = func(request []byte) []byte {
				if answered.Add(1) > 100 && bytes.HasSuffix(request, []byte(",0]}")) {
					return lie
				}
				return truth
			}
		}
		c, _ := n.client(seed, WithMemo(64<<20), WithPolicy(score.Cheap), WithRerunner(honestMachine))
		questions := rand.NewZipf(rand.New(rand.NewPCG(uint64(seed), 1)), 1.2, 1, 1e5)
		for i := range calls {
			a, err := c.Call(t.Context(), "oracle", "ask", fmt.Appendf(nil, "[%d,%d]", i/100, questions.Uint64()))
			if err != nil {
				t.Fatal(err)
			}
			requests += a.Requests
			if string(a.Result) != `{"answer":42}` {
				wrong++
			}
		}
	}
	if mean := float64(requests) / (2 * calls); wrong > 2 || mean > 1.1 {
		t.Errorf("%d wrong answers of %d, %.2f requests for each", wrong, 2*calls, mean)
	}
}
