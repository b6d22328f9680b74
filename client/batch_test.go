package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"barnraise/jsonrpc"
	"barnraise/score"
)

// Each call of a batch has its own answer, error and verdict, in its place.
func TestBatch(t *testing.T) {
	n := newNetwork(t, 5, "compare")
	for _, m := range n.members {
		m.answer = func(request []byte) []byte {
			r, err := jsonrpc.ParseRequest(request)
			switch {
			case err != nil:
				t.Error(err)
			case r.Method == "contradicts":
				return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"result":%d}`, m.id)
			case r.Method == "fails":
				return []byte(`{"jsonrpc":"2.0","id":1,"error":{"code":7,"message":"no"}}`)
			}
			return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"result":%s}`, r.Params)
		}
	}
	c, kept := n.client(1)
	var requests []Request
	for i := range 40 {
		requests = append(requests, Request{"ask", []int{i}})
	}
	requests[3], requests[17], requests[20] = Request{"contradicts", nil}, Request{"fails", nil}, Request{"no-name", nil}
	replies := c.Batch(t.Context(), "oracle", requests, Under(score.Paranoid))
	if len(replies) != len(requests) || len(kept.kept) != 1 {
		t.Fatalf("%d replies, %d pieces of evidence", len(replies), len(kept.kept))
	}
	for i, r := range replies {
		switch {
		case i == 3 && !errors.Is(r.Err, ErrUndecided), i == 20 && !errors.Is(r.Err, jsonrpc.ErrInvalid), (r.Err == nil) == (r.Answer == nil):
			t.Errorf("%d: %+v", i, r)
		case i == 3 || i == 20:
		case i == 17 && r.Answer.Error == nil, i != 17 && string(r.Answer.Result) != fmt.Sprintf("[%d]", i), r.Answer.Requests < 2:
			t.Errorf("%d: %+v", i, r.Answer)
		}
	}
	if got := c.Batch(t.Context(), "oracle", nil); len(got) != 0 {
		t.Errorf("of nothing came %v", got)
	}
}

// Sixteen are under way at once, and none is once the context has ended.
func TestBatchIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 1, "spot")
		var mu sync.Mutex
		now, most := 0, 0
		n.members[0].serve = func(_ http.ResponseWriter, r *http.Request) bool {
			if !strings.HasPrefix(r.URL.Path, "/v1/") {
				return false
			}
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(100 * time.Millisecond)
			mu.Lock()
			now--
			mu.Unlock()
			return false
		}
		c, _ := n.client(1, WithPolicy(score.One))
		requests := make([]Request, 64)
		for i := range requests {
			requests[i] = Request{"ask", []int{i}}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
		defer cancel()
		start := time.Now()
		through := 0
		for i, r := range c.Batch(ctx, "oracle", requests) {
			if r.Err == nil {
				through++
			} else if !errors.Is(r.Err, context.DeadlineExceeded) {
				t.Errorf("%d: %v", i, r.Err)
			}
		}
		took := time.Since(start)
		time.Sleep(time.Second) // until the servers are through
		mu.Lock()
		defer mu.Unlock()
		if most != batchWidth || through != 2*batchWidth || took != 250*time.Millisecond {
			t.Errorf("%d at once, %d through after %v", most, through, took)
		}
	})
}
