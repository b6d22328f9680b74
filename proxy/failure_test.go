package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/client/plain"
	"barnraise/jsonrpc"
	"barnraise/registry"
)

func TestFailures(t *testing.T) {
	tooFew := &client.TooFewError{Service: 3, Revision: 2, Need: 3, Have: 1, Requests: 1,
		Asked:      []client.Asked{{Server: 4, URL: "https://a.example", Role: "primary", Outcome: "answered", Took: 1500 * time.Microsecond}},
		Candidates: []client.Candidate{{Server: 5, URL: "https://b.example", Why: strings.Repeat("é", 200)}}}
	crowd := &client.TooFewError{Service: 3, Revision: 2}
	for i := range 40 {
		crowd.Candidates = append(crowd.Candidates, client.Candidate{Server: barnraise.ServerID(i + 1), Why: "was not asked"})
	}
	undecided := &client.UndecidedError{Service: 3, Revision: 2, Requests: 4, Reason: "they differ", Evidence: "/home/alice/SECRET/ab.json",
		Struck: []barnraise.ServerID{7, 9}}
	for _, c := range []struct {
		name   string
		err    error
		code   int64
		status string
	}{
		{"undecided", undecided, CodeUndecided, StatusUndecided},
		{"too few", fmt.Errorf("call #3: %w", tooFew), CodeTooFew, StatusTooFew},
		{"crowd", crowd, CodeTooFew, StatusTooFew},
		{"not found", fmt.Errorf("call x: %w", &registry.UnknownNameError{Name: "x"}), CodeNotFound, StatusNotFound},
		{"unavailable", fmt.Errorf("call x: open /home/alice/SECRET: %w", client.ErrUnavailable), CodeUnavailable, StatusUnavailable},
		{"too deep", fmt.Errorf("call x: %w", jsonrpc.ErrSyntax), jsonrpc.CodeInvalidParams, StatusInvalid},
		{"too late elsewhere", fmt.Errorf("read registry at SECRET: %w", context.DeadlineExceeded), jsonrpc.CodeInternal, StatusInternal},
		{"a holder that hangs", fmt.Errorf("%w: SECRET: %w", client.ErrUnavailable, context.DeadlineExceeded), CodeUnavailable, StatusUnavailable},
		{"chain", errors.New(`read registry: Post "https://rpc.example/v3/SECRET": refused`), jsonrpc.CodeInternal, StatusInternal},
	} {
		var log strings.Builder
		p, _ := newProxy(t, answers(nil, c.err), Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
		w := post(p, "/x", ping)
		code, data := failureOf(t, w.Body.Bytes())
		if w.Code != 200 || code != c.code || data.Status != c.status || data.Policy != "default" || w.Header().Get("Barnraise-Verdict") != c.status {
			t.Errorf("%s: %d %s %v", c.name, w.Code, w.Body, w.Header())
		}
		if strings.Contains(w.Body.String(), "SECRET") || (c.status == StatusInternal || c.status == StatusUnavailable) != strings.Contains(log.String(), "SECRET") {
			t.Errorf("%s: says %s, logs %s", c.name, w.Body, &log)
		}
		if data.Asked == nil || len(data.Detail) > plain.MaxDetail || w.Body.Len() > 16<<10 {
			t.Errorf("%s: %s", c.name, w.Body)
		}
		switch c.name {
		case "undecided":
			if data.Evidence != "ab.json" || data.Detail != "they differ" || data.Requests != 4 || w.Header().Get("Barnraise-Evidence") != "ab.json" ||
				w.Header().Get("Barnraise-Service") != "3@2" || w.Header().Get("Barnraise-Struck") != "7, 9" || len(data.Struck) != 2 {
				t.Errorf("%s: %+v %v", c.name, data, w.Header())
			}
		case "too few":
			want := plain.Asked{Server: 4, URL: "https://a.example", Role: "primary", Outcome: "answered", MS: 1.5}
			if data.Need != 3 || data.Have != 1 || len(data.Asked) != 1 || data.Asked[0] != want || data.Service != 3 || data.Revision != 2 ||
				len(data.Candidates) != 1 || len(data.Candidates[0].Why) > plain.MaxWhy || data.Candidates[0].Server != 5 {
				t.Errorf("%s: %+v", c.name, data)
			}
		case "crowd":
			if len(data.Candidates) != plain.MaxCandidates || data.LeftOut != 8 {
				t.Errorf("%s: %d candidates, %d left out", c.name, len(data.Candidates), data.LeftOut)
			}
		}
	}
}
