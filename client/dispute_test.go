package client

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/judge"
	"barnraise/score"
	"barnraise/verifier"
)

// Without a machine to run the image, and without a conformance report, nobody knows whether the image contradicts itself: the
// call fails closed and strikes nobody.
func TestDisputeThatNobodyCanDecide(t *testing.T) {
	n := newNetwork(t, 4, "compare")
	n.members[3].answer = func([]byte) []byte { return lie }
	c, kept := n.client(1)
	for range 10 {
		_, err := c.Call(context.Background(), "oracle", "ask", nil)
		if err == nil {
			continue // the liar was not asked
		}
		var undecided *UndecidedError
		if !errors.As(err, &undecided) || !errors.Is(err, ErrUndecided) || undecided.Evidence == "" || len(undecided.Asked) != 4 {
			t.Fatalf("error is %v (%+v), want ErrUndecided with evidence after all four", err, undecided)
		}
		if len(kept.kept) == 0 || !c.book.Clean(4, c.epoch()) {
			t.Fatalf("%d kept, record clean: %v", len(kept.kept), c.book.Clean(4, c.epoch()))
		}
		return
	}
	t.Fatal("in ten calls the liar was not met")
}

// A call that fails says who was struck in it: where all lie there is nobody else left, and this machine knows better than each.
func TestWhoIsStruckInACallThatFails(t *testing.T) {
	n := newNetwork(t, 2, "compare")
	n.members[0].answer = func([]byte) []byte { return lie }
	n.members[1].answer = func([]byte) []byte { return []byte(`{"jsonrpc":"2.0","id":1,"result":{"answer":44}}`) }
	c, kept := n.client(1, WithRerunner(honestMachine))
	_, err := c.Call(context.Background(), "oracle", "ask", nil)
	var undecided *UndecidedError
	if !errors.As(err, &undecided) || !slices.Equal(undecided.Struck, []barnraise.ServerID{1, 2}) || len(kept.kept) != 1 {
		t.Errorf("%v: %+v, %d kept", err, undecided, len(kept.kept))
	}
}

func TestLyingHomeIsStruckAndSilentHomeBlocksNothing(t *testing.T) {
	n := newNetwork(t, 4, "compare")
	n.members[0].answer = func([]byte) []byte { return lie }
	c, _ := n.client(1, WithRerunner(honestMachine))
	if a := call(t, c); !slices.Equal(a.Struck, []barnraise.ServerID{1}) {
		t.Errorf("lying home: struck %v", a.Struck)
	}
	n = newNetwork(t, 4, "compare")
	n.members[0].serve = func(w http.ResponseWriter, r *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	n.members[3].answer = func([]byte) []byte { return lie }
	c, _ = n.client(1, WithRerunner(honestMachine))
	for range 10 {
		if a := call(t, c); len(a.Struck) > 0 {
			if !slices.Equal(a.Struck, []barnraise.ServerID{4}) {
				t.Errorf("silent home: struck %v", a.Struck)
			}
			return
		}
	}
	t.Error("silent home: in ten calls the liar was not met")
}

func TestProtocol7_4ImageThatContradictsItself(t *testing.T) {
	n := newNetwork(t, 4, "compare")
	n.members[3].answer = func([]byte) []byte { return lie }
	c, _ := n.client(1, WithRerunner(machine{truth, lie}))
	for range 10 {
		_, err := c.Call(context.Background(), "oracle", "ask", nil)
		if err == nil {
			continue
		}
		if !errors.Is(err, ErrUndecided) || !strings.Contains(err.Error(), "contradicts itself") || !c.book.Clean(4, c.epoch()) {
			t.Fatalf("error is %v", err)
		}
		before := len(n.calls())
		if _, err := c.Call(context.Background(), "oracle", "ask", nil); !errors.Is(err, ErrUndecided) || len(n.calls()) != before {
			t.Errorf("the quarantined request was put again: %v", err)
		}
		if _, err := c.Call(context.Background(), "oracle", "other", nil); err != nil && !errors.Is(err, ErrUndecided) {
			t.Errorf("another request: %v", err)
		}
		return
	}
	t.Fatal("in ten calls no dispute arose")
}

func TestReceiptForAPlatformThatIsNoneOfTheImages(t *testing.T) {
	n := newNetwork(t, 4, "compare")
	n.members[3].answer = func([]byte) []byte { return lie }
	n.members[3].platform = barnraise.Sum([]byte("invented"))
	n.clock()
	c, kept := n.client(1, WithRerunner(honestMachine))
	for range 10 {
		a := call(t, c)
		if i := slices.IndexFunc(a.Asked, func(v Asked) bool { return v.Server == 4 }); i >= 0 {
			if a.Asked[i].Outcome != OutcomeFailed || !strings.Contains(a.Asked[i].Why, "platform") || len(a.Struck) != 0 {
				t.Errorf("asked %+v, struck %v", a.Asked[i], a.Struck)
			}
			if got := c.book.Availability(4, n.now()); got != 2.0/3 {
				t.Errorf("its availability is %v, want that of one answer and one failure", got)
			}
			if a.Evidence != "" || len(kept.kept) != 0 {
				t.Errorf("evidence %q of answers that do not contradict each other", a.Evidence)
			}
			return
		}
	}
	t.Error("in ten calls it was not met")
}

// What is left when such an answer is gone is no dispute any more.
func TestNoDisputeIsLeftBehindByAnInventedPlatform(t *testing.T) {
	n := newNetwork(t, 2, "compare")
	n.members[1].answer = func([]byte) []byte { return lie }
	n.members[1].platform = barnraise.Sum([]byte("invented"))
	c, kept := n.client(1, WithRerunner(honestMachine))
	_, err := c.Call(t.Context(), "oracle", "ask", nil)
	if !errors.Is(err, ErrTooFew) || !strings.Contains(err.Error(), "none of the image's") || len(kept.kept) != 0 {
		t.Errorf("%d kept: %v", len(kept.kept), err)
	}
}

// Protocol 7.7: undecided fails closed with the evidence attached, also where a witness, or an auditor, keeps silent until the
// caller's time is up.
func TestDisputeThatRunsOutOfTime(t *testing.T) {
	patient := score.Fast
	patient.Known = 1e9 // two auditors, whatever happens
	for name, course := range map[string]struct {
		servers int // the last one is silent
		policy  score.Policy
	}{"the witness is silent": {4, score.Default}, "an auditor is silent": {3, patient}} {
		synctest.Test(t, func(t *testing.T) {
			met := 0
			for seed := range byte(10) {
				n := newNetwork(t, course.servers, "compare")
				n.members[0].answer = func([]byte) []byte { return lie }
				n.members[course.servers-1].serve = silent(http.MethodPost, "/v1/")
				c, kept := n.client(seed, WithPolicy(course.policy))
				ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
				defer cancel()
				_, err := c.Call(ctx, "oracle", "ask", nil)
				var e *UndecidedError
				if !errors.As(err, &e) {
					if !errors.Is(err, ErrTooFew) {
						t.Fatalf("%s: %v", name, err)
					}
					continue // the silent one was primary
				}
				last := e.Asked[len(e.Asked)-1]
				judged := !course.policy.Together
				if int(last.Server) != course.servers || (last.Role == RoleWitness) != judged || last.Took < 2*time.Second {
					continue // some other course of things
				}
				met++
				if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "out of time after") || !strings.Contains(err.Error(), e.Evidence) {
					t.Errorf("%s: error is %v", name, err)
				}
				if len(kept.kept) != 1 || e.Evidence != "evidence 1" {
					t.Fatalf("%s: %d kept as %q", name, len(kept.kept), e.Evidence)
				}
				for _, v := range e.Asked[:len(e.Asked)-1] {
					if v.Outcome != OutcomeAnswered || v.Why != "" {
						t.Errorf("%s: server %d: %q %s", name, v.Server, v.Outcome, v.Why)
					}
				}
				if got := len(kept.kept[0].Answers); got != len(e.Asked)-1 {
					t.Errorf("%s: %d answers are kept of %d", name, got, len(e.Asked)-1)
				}
				if r, err := c.Recheck(t.Context(), kept.kept[0], false); err != nil || !r.Holds {
					t.Errorf("%s: %+v, %v", name, r, err)
				}
			}
			if met == 0 {
				t.Errorf("%s: it never came to that", name)
			}
		})
	}
}

// A dispute stays one when there is no time left to judge it once more.
func TestDisputeIsNotForgotten(t *testing.T) {
	n := newNetwork(t, 3, "compare")
	n.members[0].answer = func([]byte) []byte { return lie }
	c, kept := n.client(1)
	r, err := c.round(t.Context(), "oracle", n.evidence().Request)
	if err != nil {
		t.Fatal(err)
	}
	next := func() (*candidate, bool) { return r.draws.take(r.draws.left[0]), true }
	r.ask(t.Context(), 2, as(RoleAuditor, next))
	if step := r.next(t.Context(), t.Context()); !step.Disputed || step.Do != judge.Witness {
		t.Fatalf("%+v", step)
	}
	r.ask(t.Context(), 1, as(RoleWitness, next))
	endless, err := c.verifier.Load(t.Context(), handmade("{}", 0, forever), verifier.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	r.memo, r.kit = judge.Memo{}, &kit{r.manifest, endless}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = r.fail(over, r.next(over, over))
	if !errors.Is(err, ErrUndecided) || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "cut off after 3 requests") {
		t.Errorf("error is %v", err)
	}
	if len(kept.kept) != 1 || len(kept.kept[0].Answers) != 2 {
		t.Errorf("%d pieces are kept", len(kept.kept))
	}
}

// A request is put to so many servers and no more; where that is not enough the call fails at once.
func TestMoreServersThanOneRequestIsPutTo(t *testing.T) {
	n := newNetwork(t, 70, "compare")
	dead := page("/v1/services/1/1", http.StatusBadGateway, "")
	for _, m := range n.members[1:] {
		m.serve = dead
	}
	c, _ := n.client(1)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := c.Call(ctx, "oracle", "ask", nil)
	var few *TooFewError
	if !errors.As(err, &few) || ctx.Err() != nil {
		t.Fatalf("error is %v", err)
	}
	if len(n.calls()) != barnraise.MaxAnswers || few.Requests != barnraise.MaxAnswers {
		t.Errorf("%d requests were sent and %d counted, want %d", len(n.calls()), few.Requests, barnraise.MaxAnswers)
	}
}

// Protocol 7.3 (c): a witness decides where the image has been seen here not to contradict itself, and only there.
func TestWitnessDecidesWhereTheImageIsKnown(t *testing.T) {
	n := newNetwork(t, 6, "compare")
	rerunner := &failing{Rerunner: honestMachine}
	n.members[4].answer = func([]byte) []byte { return lie }
	c, _ := n.client(1, WithRerunner(rerunner))
	meet := func(liar barnraise.ServerID) Asked {
		for range 20 {
			a, err := c.Call(t.Context(), "oracle", "ask", nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range a.Asked {
				if v.Server == liar {
					return v
				}
			}
		}
		t.Fatal("in twenty calls it was not met")
		return Asked{}
	}
	if v := meet(5); !strings.Contains(v.Why, "7.3b") {
		t.Fatalf("the first liar: %+v", v)
	}
	rerunner.err = errors.New("no room")
	n.members[4].answer, n.members[5].answer = nil, n.members[4].answer
	if v := meet(6); v.Outcome != OutcomeStruck || !strings.Contains(v.Why, "7.3c") {
		t.Errorf("the second liar: %+v, want it struck by a witness", v)
	}
}

// failing is a Rerunner that stops working.
type failing struct {
	Rerunner
	err error
}

func (f *failing) Rerun(ctx context.Context, job Job) (Rerun, error) {
	if f.err != nil {
		return Rerun{}, f.err
	}
	return f.Rerunner.Rerun(ctx, job)
}

// Protocol 7.4: it lapses after ten epochs.
func TestQuarantineLapses(t *testing.T) {
	n := newNetwork(t, 2, "compare")
	n.members[1].answer = func([]byte) []byte { return lie }
	forward := n.clock()
	c, _ := n.client(1, WithRerunner(machine{truth, lie}))
	for _, v := range []struct {
		later time.Duration
		asked int
	}{{0, 2}, {9 * Epoch, 2}, {Epoch, 4}} {
		forward(v.later)
		if _, err := c.Call(t.Context(), "oracle", "ask", nil); !errors.Is(err, ErrUndecided) || len(n.calls()) != v.asked {
			t.Errorf("%v later %d requests have been sent, want %d: %v", v.later, len(n.calls()), v.asked, err)
		}
	}
}

// Protocol 7.2: whoever answers what the image answers is not struck, whatever the verifier says; the revision is marked.
func TestVerifierThatRejectsTheTruth(t *testing.T) {
	n := newNetworkJudgedBy(t, 3, handmade(`{"status":"disagreement","winner":-1,"culprits":[0]}`, 1<<20, trap))
	c, _ := n.client(1, WithRerunner(honestMachine))
	a := call(t, c)
	if len(a.Struck) != 0 || string(a.Result) != `{"answer":42}` || !c.book.Suspect(score.Revision{Service: 1, Number: 1}, c.epoch()) {
		t.Errorf("%+v, revision marked: %v", a, c.book.Suspect(score.Revision{Service: 1, Number: 1}, c.epoch()))
	}
	c, _ = newNetwork(t, 3, "compare").client(1, WithRerunner(honestMachine))
	if call(t, c); c.book.Suspect(score.Revision{Service: 1, Number: 1}, c.epoch()) {
		t.Error("a revision is marked for nothing")
	}
}

// Protocol 5.5: an answer on which the verifier breaks is set aside and costs its server availability.
func TestAnswerOnWhichTheVerifierBreaks(t *testing.T) {
	n := newNetworkJudgedBy(t, 4, handmade(`{"status":"accepted","winner":0,"culprits":[]}`, 700, trap))
	long := []byte(`{"jsonrpc":"2.0","id":1,"result":"` + strings.Repeat("x", 800) + `"}`)
	n.members[3].answer = func([]byte) []byte { return long }
	n.clock()
	c, kept := n.client(1)
	for range 10 {
		a := call(t, c)
		i := slices.IndexFunc(a.Asked, func(v Asked) bool { return v.Server == 4 })
		if i < 0 {
			continue
		}
		if string(a.Result) != `{"answer":42}` || len(a.Struck) != 0 || a.Asked[i].Outcome != OutcomeFailed || a.Asked[i].Why != "the verifier breaks on its answer" {
			t.Errorf("%s, struck %v, %+v", a.Result, a.Struck, a.Asked[i])
		}
		if got := c.book.Availability(4, n.now()); got != 2.0/3 || c.book.History(4, 1) != 0 || len(kept.kept) != 0 {
			t.Errorf("availability %v, history %v, %d kept; want one answer and one failure", got, c.book.History(4, 1), len(kept.kept))
		}
		return
	}
	t.Error("in ten calls it was not met")
}
