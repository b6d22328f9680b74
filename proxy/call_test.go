package proxy

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/jsonrpc"
	"barnraise/score"
)

// answers has a Caller give the same to everybody.
func answers(a *client.Answer, err error) func(context.Context, string, string, []byte) (*client.Answer, error) {
	return func(context.Context, string, string, []byte) (*client.Answer, error) { return a, err }
}

// serviceError is an error as a service wrote it, in a spelling that nobody else would choose.
func serviceError(t *testing.T, written string) *jsonrpc.Error {
	t.Helper()
	r, err := jsonrpc.ParseResponse([]byte(`{"jsonrpc":"2.0","id":1,"error":`+written+`}`), jsonrpc.WireID)
	if err != nil {
		t.Fatal(err)
	}
	return r.Error
}

func TestResultsAndErrorsOfTheServicePassThroughAsSigned(t *testing.T) {
	long := `"` + strings.Repeat("a", 2*keptBytes) + `"`
	for _, c := range []struct{ result, failure, want string }{
		{result: `{"b" : 1.50,"a":"\u00e9\/"}`, want: `"result":{"b" : 1.50,"a":"\u00e9\/"}}`},
		{result: `null`, want: `"result":null}`},
		{result: long, want: `"result":` + long + `}`},
		{failure: `{ "message":"\u0062ad","data":{"x" :1e2},"code":-32010}`, want: `"error":{ "message":"\u0062ad","data":{"x" :1e2},"code":-32010}}`},
	} {
		a := accepted(c.result)
		if c.failure != "" {
			a.Result, a.Error = nil, serviceError(t, c.failure)
		}
		p, _ := newProxy(t, answers(a, nil), Config{})
		w := post(p, "/3", `{"jsonrpc":"2.0","id":"x","method":"m"}`)
		if got := w.Body.String(); w.Code != 200 || got != `{"jsonrpc":"2.0","id":"x",`+c.want || w.Header().Get("Content-Length") != fmt.Sprint(len(got)) {
			t.Errorf("%.80s: %d %.80s, said to be %s bytes", c.want, w.Code, got, w.Header().Get("Content-Length"))
		}
		if w.Header().Get("Barnraise-Verdict") != "accepted" {
			t.Errorf("%.80s: %v", c.want, w.Header())
		}
		w = post(p, "/3", `[{"jsonrpc":"2.0","id":1,"method":"m"},{"jsonrpc":"2.0","method":"m"},{"jsonrpc":"2.0","id":2,"method":"m"}]`)
		want := `[{"jsonrpc":"2.0","id":1,` + c.want + `,{"jsonrpc":"2.0","id":2,` + c.want + `]`
		if got := w.Body.String(); got != want || w.Header().Get("Content-Length") != fmt.Sprint(len(got)) {
			t.Errorf("batch of %.80s: %.80s, said to be %s bytes, is %d", c.want, got, w.Header().Get("Content-Length"), len(got))
		}
	}
	// One that was made here has no spelling yet.
	a := accepted("")
	a.Result, a.Error = nil, &jsonrpc.Error{Code: 7, Message: "m"}
	p, _ := newProxy(t, answers(a, nil), Config{})
	if got := post(p, "/3", ping).Body.String(); got != `{"jsonrpc":"2.0","id":1,"error":{"code":7,"message":"m"}}` {
		t.Error(got)
	}
}

func TestHeadersSayWhatHappened(t *testing.T) {
	full := accepted(`{}`)
	full.Requests, full.Struck, full.Evidence = 3, []barnraise.ServerID{7, 9}, "/home/alice/.local/share/barnraise/evidence/ab12.json"
	full.Unverified = []string{"/result/took", "/result/ü\"😀\n"}
	many := accepted(`{}`)
	for i := range 20 {
		many.Asked = append(many.Asked, client.Asked{Server: barnraise.ServerID(i + 10), Role: "auditor", Outcome: "failed"})
	}
	for range 200 {
		many.Unverified = append(many.Unverified, "/result/abcdefghij")
	}
	memo := accepted(`{}`)
	memo.Memo, memo.Asked, memo.Requests = true, nil, 0
	for _, c := range []struct {
		name   string
		answer *client.Answer
		want   map[string]string
	}{
		{"plain", accepted(`{}`), map[string]string{"Verdict": "accepted", "Service": "3@2", "Policy": "default", "Requests": "2", "Memo": "0",
			"Asked": "4:primary:agreed, 7:auditor:agreed"}},
		{"memo", memo, map[string]string{"Verdict": "accepted", "Service": "3@2", "Policy": "default", "Requests": "0", "Memo": "1"}},
		{"dispute", full, map[string]string{"Verdict": "accepted", "Service": "3@2", "Policy": "default", "Requests": "3", "Memo": "0",
			"Asked": "4:primary:agreed, 7:auditor:agreed", "Struck": "7, 9", "Evidence": "ab12.json",
			"Unverified": `["/result/took","/result/\u00fc\"\ud83d\ude00\u000a"]`}},
		{"many", many, map[string]string{"Verdict": "accepted", "Service": "3@2", "Policy": "default", "Requests": "2", "Memo": "0",
			"Asked": "4:primary:agreed, 7:auditor:agreed, " + strings.Join(tenTo23(), ", ") + ", +6", "Unverified": `[""]`}},
	} {
		p, _ := newProxy(t, answers(c.answer, nil), Config{})
		got := said(post(p, "/3", ping).Header())
		if !maps.Equal(got, c.want) {
			t.Errorf("%s:\n%v, want\n%v", c.name, got, c.want)
		}
		if open := got["Unverified"]; open != "" && !json.Valid([]byte(open)) {
			t.Errorf("%s: %s is no JSON", c.name, open)
		}
	}
	p, _ := newProxy(t, func(_ context.Context, _, method string, _ []byte) (*client.Answer, error) {
		switch method {
		case "full":
			return full, nil
		case "memo":
			return memo, nil
		}
		return nil, &client.UndecidedError{Service: 3, Revision: 2, Requests: 4, Evidence: "cd34.json"}
	}, Config{})
	got := said(post(p, "/3", `[{"jsonrpc":"2.0","method":"full"},{"jsonrpc":"2.0","id":1,"method":"memo"},`+
		`{"jsonrpc":"2.0","id":2,"method":"full"},{"jsonrpc":"2.0","id":2,"method":"un"}]`).Header())
	want := map[string]string{"Verdict": "notification=1, accepted=2, undecided=1", "Service": "3@2", "Policy": "default", "Requests": "7", "Memo": "1",
		"Struck": "7, 9", "Evidence": "ab12.json, cd34.json", "Unverified": `["/1/result/took","/1/result/\u00fc\"\ud83d\ude00\u000a"]`}
	if !maps.Equal(got, want) {
		t.Errorf("batch:\n%v, want\n%v", got, want)
	}
	for name := range want {
		if !strings.Contains(exposed, "Barnraise-"+name) {
			t.Errorf("pages cannot read Barnraise-%s", name)
		}
	}
}

func tenTo23() (list []string) {
	for i := range 14 {
		list = append(list, fmt.Sprintf("%d:auditor:failed", i+10))
	}
	return list
}

// A header may ask for more care, never for less.
func TestPolicies(t *testing.T) {
	for _, c := range []struct {
		own     score.Policy
		header  []string
		want    string
		options int
		status  int
	}{
		{score.Default, nil, "default", 0, 200},
		{score.Default, []string{"default"}, "default", 0, 200},
		{score.Default, []string{"cheap"}, "default", 0, 200},
		{score.Default, []string{"one"}, "default", 0, 200},
		{score.Default, []string{"paranoid"}, "paranoid", 1, 200},
		{score.Paranoid, []string{"fast"}, "paranoid", 0, 200},
		{score.Cheap, []string{"default"}, "default", 1, 200},
		{score.Default, []string{"lax"}, "", 0, 400},
		{score.Default, []string{""}, "", 0, 400},
		{score.Default, []string{"exact=2"}, "", 0, 400},
		{score.Default, []string{"paranoid", "cheap"}, "", 0, 400},
	} {
		p, caller := newProxy(t, echo, Config{Policy: c.own})
		r := []string{}
		for _, h := range c.header {
			r = append(r, "Barnraise-Policy", h)
		}
		if len(c.header) == 1 && c.header[0] == "" {
			r[1] = " "
		}
		w := post(p, "/3", ping, r...)
		if w.Code != c.status || w.Header().Get("Barnraise-Policy") != c.want {
			t.Errorf("%s, asked for %q: %d, %q, want %d, %q", c.own.Name, c.header, w.Code, w.Header().Get("Barnraise-Policy"), c.status, c.want)
		}
		if c.status == 200 && caller.wants[0] != c.options || c.status != 200 && len(caller.calls) > 0 {
			t.Errorf("%s, asked for %q: %d options, want %d", c.own.Name, c.header, caller.wants, c.options)
		}
	}
}

func TestBatchesRunSideBySideWithinBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most := 0, 0
		p, _ := newProxy(t, func(ctx context.Context, s, m string, params []byte) (*client.Answer, error) {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			var n []int
			_ = json.Unmarshal(params, &n)
			time.Sleep(time.Duration(10-n[0]) * time.Second) // who was asked first answers last
			mu.Lock()
			now--
			mu.Unlock()
			return echo(ctx, s, m, params)
		}, Config{Limits: Limits{Together: 4}})
		var body, want []string
		for i := range 10 {
			body = append(body, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"m","params":[%d]}`, 100-i, i))
			want = append(want, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":[%d]}`, 100-i, i))
		}
		w := post(p, "/3", "["+strings.Join(body, ",")+"]")
		if got := w.Body.String(); got != "["+strings.Join(want, ",")+"]" {
			t.Error(got)
		}
		if most != 4 {
			t.Errorf("%d calls were under way at once, want 4", most)
		}
	})
}

func TestAnswersOfABatchAreBoundTogether(t *testing.T) {
	p, _ := newProxy(t, answers(accepted(`"`+strings.Repeat("a", 98)+`"`), nil), Config{Limits: Limits{Answers: 250, Together: 1}})
	w := post(p, "/3", "["+strings.TrimSuffix(strings.Repeat(ping+",", 6), ",")+"]")
	if got := w.Header().Get("Barnraise-Verdict"); got != "accepted=2, limit=4" || strings.Count(w.Body.String(), `"code":-32005`) != 4 {
		t.Errorf("%s, %s", got, w.Body)
	}
	p, _ = newProxy(t, answers(accepted(`"`+strings.Repeat("a", 98)+`"`), nil), Config{Limits: Limits{Answers: 50}})
	if w := post(p, "/3", ping); w.Header().Get("Barnraise-Verdict") != "accepted" {
		t.Errorf("one answer has no room: %s", w.Body)
	}
	p, _ = newProxy(t, answers(accepted(`"`+strings.Repeat("a", 98)+`"`), nil), Config{Limits: Limits{Held: 250, Together: 1}})
	for range 2 { // what has been sent makes room
		w = post(p, "/3", "["+ping+","+ping+","+ping+"]")
		if got := w.Header().Get("Barnraise-Verdict"); got != "accepted=2, limit=1" || p.held.Load() != 0 {
			t.Errorf("%s, %d bytes are held", got, p.held.Load())
		}
	}
}

func TestAnswersThatNobodyWaitsForAreNotHeld(t *testing.T) {
	p, _ := newProxy(t, answers(accepted(`"long"`), nil), Config{})
	c := &calls{proxy: p, ctx: t.Context(), service: "3"}
	for _, r := range c.all([]request{{Method: "m"}, {Method: "m", ID: []byte("1")}}) {
		if held := r.payload != nil; held == r.silent {
			t.Errorf("id %s: %q is held", r.id, r.payload)
		}
	}
}

// Nobody is asked for what nobody waits for, alone or among others.
func TestNobodyIsAskedForANotification(t *testing.T) {
	p, caller := newProxy(t, echo, Config{})
	const note = `{"jsonrpc":"2.0","method":"m","params":[2]}`
	for body, want := range map[string]string{note: "notification", "[" + note + "," + note + "," + ping + "]": "notification=2, accepted=1"} {
		if got := post(p, "/3", body).Header().Get("Barnraise-Verdict"); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	if len(caller.calls) != 1 {
		t.Errorf("asks %q", caller.calls)
	}
}

func TestOutOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newProxy(t, func(ctx context.Context, _, _ string, _ []byte) (*client.Answer, error) {
			<-ctx.Done()
			return nil, fmt.Errorf("%w: %w", &client.UndecidedError{Service: 3, Revision: 2, Requests: 2}, ctx.Err())
		}, Config{Limits: Limits{Timeout: 7 * time.Second}})
		began := time.Now()
		w := post(p, "/3", ping)
		code, data := failureOf(t, w.Body.Bytes())
		if took := time.Since(began); took != 7*time.Second || code != CodeOutOfTime || data.Status != StatusOutOfTime || data.Requests != 2 {
			t.Errorf("after %v: %s", took, w.Body)
		}
	})
}

func TestBodiesThatAreTooLarge(t *testing.T) {
	p, caller := newProxy(t, echo, Config{Limits: Limits{Body: 100}})
	for size, want := range map[int]int{99: 200, 100: 200, 101: 413, 10_000: 413} {
		body := strings.Replace(ping, "[]", `["`+strings.Repeat("a", size-len(ping)-2)+`"]`, 1)
		before := len(caller.calls)
		if w := post(p, "/3", body); w.Code != want || (len(caller.calls) > before) != (want == 200) {
			t.Errorf("%d bytes: %d, want %d", len(body), w.Code, want)
		}
	}
}
