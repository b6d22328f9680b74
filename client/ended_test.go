package client

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
)

// What a caller had no time to wait for is not his servers' failure, however he says that he has none.
func TestCallersImpatienceIsNotTheServersFailure(t *testing.T) {
	enough := errors.New("enough")
	for name, impatient := range map[string]func(context.Context) (context.Context, func()){
		"deadline": func(ctx context.Context) (context.Context, func()) {
			ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			return ctx, cancel
		},
		"cancel": func(ctx context.Context) (context.Context, func()) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(100*time.Millisecond, cancel)
			return ctx, cancel
		},
		"cause": func(ctx context.Context) (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(100*time.Millisecond, func() { cancel(enough) })
			return ctx, func() { cancel(nil) }
		},
	} {
		for _, slow := range []string{"/.well-known/", "/v1/"} {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t, 5, "compare")
				c, _ := n.client(1)
				target, err := c.target(t.Context(), "oracle")
				if err != nil {
					t.Fatal(err)
				}
				c.doors.Forget() // who was asked for manifest and verifier is a stranger again
				n.captured = nil
				for _, m := range n.members {
					m.serve = func(_ http.ResponseWriter, r *http.Request) bool {
						if strings.HasPrefix(r.URL.Path, slow) {
							time.Sleep(200 * time.Millisecond)
						}
						return false
					}
				}
				for range 3 {
					ctx, cancel := impatient(t.Context())
					_, err := c.Call(ctx, "oracle", "ask", nil)
					if !errors.Is(err, ErrTooFew) || !errors.Is(err, ctx.Err()) || !errors.Is(err, context.Cause(ctx)) {
						t.Errorf("%s, slow %s: %v", name, slow, err)
					}
					if !strings.Contains(err.Error(), "the call ended before it answered") {
						t.Errorf("%s, slow %s: %v does not say so of the server", name, slow, err)
					}
					cancel()
					before := len(n.captured)
					time.Sleep(time.Second)
					if len(n.captured) > before {
						t.Errorf("%s, slow %s: after the end of a call %d requests are sent", name, slow, len(n.captured)-before)
					}
				}
				if len(n.captured) > 3*2*(1+mostBeside) {
					t.Errorf("%s, slow %s: %d requests in three calls", name, slow, len(n.captured))
				}
				for _, m := range n.members {
					if got := c.book.Availability(m.id, n.now()); got != 1 {
						t.Errorf("%s, slow %s: availability of server %d is %v", name, slow, m.id, got)
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				if a, err := c.Call(ctx, "oracle", "ask", nil); err != nil || len(a.Asked) != 3 {
					t.Errorf("%s, slow %s: with time enough: %+v, %v", name, slow, a, err)
				}
				_ = target
			})
		}
	}
}

func TestCallsOfAClosedClientFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 3, "compare")
		c, _ := n.client(1)
		call(t, c)
		for _, m := range n.members {
			m.serve = silent(http.MethodPost, "/v1/")
		}
		start := time.Now()
		time.AfterFunc(time.Second, func() { c.Close() })
		_, err := c.Call(t.Context(), "oracle", "ask", nil)
		if !errors.Is(err, errClosed) || time.Since(start) != time.Second {
			t.Errorf("the call under way ends after %v: %v", time.Since(start), err)
		}
		before := len(n.captured)
		if _, err := c.Call(t.Context(), "oracle", "ask", nil); !errors.Is(err, errClosed) || len(n.captured) != before {
			t.Errorf("a later call: %v", err)
		}
		if _, err := c.Recheck(t.Context(), n.evidence(n.members...), false); !errors.Is(err, errClosed) {
			t.Errorf("a later recheck: %v", err)
		}
	})
}

// Requests are those that were sent: none to who did not introduce himself.
func TestRequestsAreThoseThatWereSent(t *testing.T) {
	n := newNetwork(t, 6, "compare")
	for _, m := range n.members[2:] {
		m.serve = page(wellKnown, http.StatusNotFound, "")
	}
	c, _ := n.client(1)
	a := call(t, c)
	if a.Requests != len(n.calls()) || a.Requests != 2 || len(a.Asked) <= 2 {
		t.Errorf("%d requests counted, %d sent, %d servers drawn", a.Requests, len(n.calls()), len(a.Asked))
	}
	n.members[1].serve = page(wellKnown, http.StatusNotFound, "")
	c, _ = n.client(1)
	n.captured = nil
	_, err := c.Call(t.Context(), "oracle", "ask", nil)
	var few *TooFewError
	if !errors.As(err, &few) || few.Requests != 1 || len(few.Asked) != 6 {
		t.Errorf("%+v", err)
	}
	n = newNetwork(t, 4, "compare")
	n.members[1].answer = func([]byte) []byte { return lie }
	n.members[2].serve = page(wellKnown, http.StatusNotFound, "")
	n.members[3].serve = n.members[2].serve
	c, _ = n.client(1)
	_, err = c.Call(t.Context(), "oracle", "ask", nil)
	var undecided *UndecidedError
	if !errors.As(err, &undecided) || undecided.Requests != 2 || !strings.Contains(err.Error(), "after 2 requests") {
		t.Errorf("%+v", err)
	}
}

// What strangers write into errors cannot steer a terminal.
func TestErrorsArePrintable(t *testing.T) {
	const steering = "\x1b[2J\u202e"
	n := newNetwork(t, 3, "compare")
	n.members[1].serve = page(wellKnown, http.StatusTeapot, "")
	n.members[2].serve = page("/v1/services/1/1", http.StatusTeapot, "")
	n.members[1].status, n.members[2].status = "418 "+steering, "418 "+steering
	c, _ := n.client(1)
	_, err := c.Call(t.Context(), "oracle", "ask", nil)
	if !errors.Is(err, ErrTooFew) || strings.Count(err.Error(), `418 \x1b[2J`) != 2 || strings.ContainsAny(err.Error(), steering[:1]+"\u202e") {
		t.Errorf("%q", err)
	}
	e := &TooFewError{Candidates: []Candidate{{Server: barnraise.ServerID(1), URL: "http://" + steering, Why: "no"}}}
	if strings.ContainsAny(e.Error(), steering[:1]+"\u202e") {
		t.Errorf("%q", e)
	}
}

// A registry of ten thousand hosts does not make an error of ten thousand lines.
func TestErrorsNameNoMoreThanOneCallAsks(t *testing.T) {
	e := &TooFewError{Candidates: make([]Candidate, 10_000)}
	for i := range e.Candidates {
		e.Candidates[i] = Candidate{Server: barnraise.ServerID(i + 1), URL: "https://a.example", Why: strings.Repeat("x", 500)}
	}
	if s := e.Error(); len(s) > 64<<10 || !strings.Contains(s, "server 64 ") || !strings.HasSuffix(s, "and 9936 more") {
		t.Errorf("%d bytes: ...%s", len(s), s[max(0, len(s)-100):])
	}
}
