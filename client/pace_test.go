package client

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"barnraise/score"
)

// A server that answered for long and then stalls holds up a call or two, and is left alone, however good its history is. Once it
// answers again it is asked again.
func TestStalledServerIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 6, "spot")
		for _, m := range n.members {
			m.serve = func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPost {
					time.Sleep(time.Millisecond)
				}
				return false
			}
		}
		c, _ := n.client(1)
		for range 500 {
			call(t, c)
		}
		stalled := n.members[c.seats[1][0]-1]
		good := stalled.serve
		stalled.serve = silent(http.MethodPost, "/v1/")
		held := 0
		for range 300 {
			start := time.Now()
			if call(t, c); time.Since(start) >= leastPatience {
				held++
			}
			time.Sleep(10 * time.Millisecond)
		}
		if held == 0 || held > 3 {
			t.Errorf("%d of 300 calls in three seconds were held up by a server that stalls", held)
		}
		stalled.serve = good
		time.Sleep(mostPause)
		before := n.seen(stalled.id, "/v1/")
		for range 300 {
			call(t, c)
		}
		if n.seen(stalled.id, "/v1/") == before {
			t.Error("it answers again, and is never asked")
		}
	})
}

func TestPatience(t *testing.T) {
	var p pace
	if p.patience() != patienceAtFirst {
		t.Errorf("with a server never heard %v", p.patience())
	}
	now := time.Unix(1e9, 0)
	for _, c := range []struct{ took, want time.Duration }{
		{time.Millisecond, leastPatience}, {100 * time.Millisecond, 400 * time.Millisecond}, {10 * time.Millisecond, 364 * time.Millisecond},
		{time.Minute, mostPatience},
	} {
		if p.answered(c.took); p.patience() != c.want {
			t.Errorf("after an answer that took %v: %v, want %v", c.took, p.patience(), c.want)
		}
	}
	for i, want := range []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second} {
		if p.failed(now); p.until != now.Add(want) {
			t.Errorf("after %d failures it pauses for %v, want %v", i+1, p.until.Sub(now), want)
		}
	}
	for range 100 {
		p.failed(now)
	}
	if p.until != now.Add(mostPause) || p.patience() != mostPatience {
		t.Errorf("after a hundred it pauses for %v; failures have changed patience to %v", p.until.Sub(now), p.patience())
	}
	if p.answered(time.Second); now.Before(p.until) {
		t.Error("it answered, and pauses")
	}
}

// Protocol 6.8: beside servers that take long two are asked, and no more, however long that goes on.
func TestNoMoreThanTwoBeside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 12, "spot")
		for _, m := range n.members {
			m.serve = silent(http.MethodPost, "/v1/")
		}
		c, _ := n.client(1)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // less than one of them has
		defer cancel()
		if a, err := c.Call(ctx, "oracle", "ask", nil); err == nil {
			t.Fatalf("nobody answers, and it is %+v", a)
		}
		if got := len(n.calls()); got != 1+mostBeside {
			t.Errorf("%d were asked, want one and %d beside it", got, mostBeside)
		}
	})
}

// Where there are no more than have to answer, nobody is given up because another, asked beside him, was sooner.
func TestNobodyWhoIsNeededIsOutrun(t *testing.T) {
	for _, policy := range []string{"default", "fast"} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork(t, 2, "compare")
			takes := time.Millisecond
			for _, m := range n.members {
				m.serve = func(_ http.ResponseWriter, r *http.Request) bool {
					if r.Method == http.MethodPost {
						time.Sleep(takes)
					}
					return false
				}
			}
			p, err := score.ParsePolicy(policy)
			if err != nil {
				t.Fatal(err)
			}
			c, _ := n.client(1, WithPolicy(p))
			for range 10 {
				call(t, c)
			}
			takes = 2 * leastPatience
			if a := call(t, c); a.Requests != 2 {
				t.Errorf("%s: %d requests were sent", policy, a.Requests)
			}
		})
	}
}

// Who is needed and says nothing is waited for as long as the service may take, and no longer than the call has.
func TestWhoIsNeededIsWaitedForInTime(t *testing.T) {
	for _, has := range []time.Duration{time.Minute, 3 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork(t, 2, "compare")
			c, _ := n.client(1)
			for range 3 {
				call(t, c)
			}
			n.members[1].serve = silent(http.MethodPost, "/v1/")
			ctx, cancel := context.WithTimeout(t.Context(), has)
			defer cancel()
			began := time.Now()
			_, err := c.Call(ctx, "oracle", "ask", nil)
			want := min(time.Second+grace, has)
			if took := time.Since(began); !errors.Is(err, ErrTooFew) || took != want {
				t.Errorf("with %v it took %v, want %v: %v", has, took, want, err)
			}
		})
	}
}
