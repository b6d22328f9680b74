package plain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/jsonrpc"
	"barnraise/registry/lock"
)

// caller answers by the method: what was called, or an error.
type caller struct {
	mu      sync.Mutex
	calls   []string
	options int
}

func (c *caller) Call(ctx context.Context, service, method string, params any, options ...client.CallOption) (*client.Answer, error) {
	c.mu.Lock()
	c.calls = append(c.calls, fmt.Sprintf("%s %s %s", service, method, params))
	c.options = len(options)
	c.mu.Unlock()
	switch method {
	case "fails":
		return &client.Answer{Error: &jsonrpc.Error{Code: 3, Message: "no such book", Data: []byte(`{"a":[1, 2]}`)}}, nil
	case "contradicts":
		return nil, &client.UndecidedError{Service: 3, Revision: 2, Reason: "undecided", Evidence: "e.json", Requests: 4, Struck: []barnraise.ServerID{8},
			Asked: []client.Asked{{Server: 7, URL: "https://s7.test", Role: client.RolePrimary, Outcome: client.OutcomeAnswered, Took: 1500 * time.Microsecond}}}
	case "lonely":
		return nil, &client.TooFewError{Service: 3, Revision: 2, Need: 2, Have: 1, Requests: 1,
			Asked:      []client.Asked{{Server: 7, Role: client.RolePrimary, Outcome: client.OutcomeAnswered}},
			Candidates: []client.Candidate{{Server: 7, Why: "answered"}, {Server: 8, URL: "https://s8.test", Why: "it has no usable key"}}}
	case "lost":
		return nil, fmt.Errorf("call: %w", client.ErrNotFound)
	case "given":
		return nil, &client.ConflictError{File: "f", Name: "a", Pinned: lock.Pin{ID: 1}, Now: lock.Pin{ID: 2}}
	case "off":
		return nil, context.Canceled
	case "bare":
		return nil, fmt.Errorf("call: %w", client.ErrUnavailable)
	case "late":
		return nil, fmt.Errorf("%w: %w", &client.UndecidedError{Reason: "out of time"}, context.DeadlineExceeded)
	case "deep":
		return nil, fmt.Errorf("call: %w", jsonrpc.ErrTooDeep)
	case "broken":
		return nil, errors.New("disk is full")
	case "waits":
		<-ctx.Done()
		return nil, ctx.Err()
	case "takes":
		time.Sleep(time.Second)
	}
	result, _ := json.Marshal(method)
	return &client.Answer{Result: append(append([]byte(`{ "m": `), result...), '}')}, nil
}

func (c *caller) post(t *testing.T, body string) (int, string) {
	t.Helper()
	resp, err := Client(c).Post(URL("search"), "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || int64(len(b)) != resp.ContentLength {
		t.Fatal(err, resp.ContentLength)
	}
	return resp.StatusCode, string(b)
}

// failure is the response to request 1 where it came to nothing.
func failure(code int, message, data string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"error":{"code":%d,"message":"%s","data":%s}}`, code, message, data)
}

func TestAnswers(t *testing.T) {
	tooMany := strings.Replace(failure(-32005, "read batch: more than 100 messages: too many messages in one batch",
		`{"status":"limit","requests":0,"asked":[]}`), `"id":1`, `"id":null`, 1)
	deep := strings.Repeat("[", 65) + strings.Repeat("]", 65)
	for _, c := range []struct{ body, want string }{
		{`{"jsonrpc":"2.0","id":"x","method":"ask","params":{"a":1}}`, `{"jsonrpc":"2.0","id":"x","result":{ "m": "ask"}}`},
		{`{"jsonrpc":"2.0","id":1,"method":"fails"}`,
			`{"jsonrpc":"2.0","id":1,"error":{"code":3,"message":"no such book","data":{"a":[1, 2]}}}`},
		{`{"jsonrpc":"2.0","id":null,"method":"contradicts"}`,
			`{"jsonrpc":"2.0","id":null,"error":{"code":-32090,"message":"call #3@2: undecided after 4 requests; evidence is in e.json",` +
				`"data":{"status":"undecided","service":3,"revision":2,"requests":4,"asked":[{"server":7,"url":"https://s7.test",` +
				`"role":"primary","outcome":"answered","ms":1.5}],"struck":[8],"evidence":"e.json","detail":"undecided"}}}`},
		{`{"jsonrpc":"2.0","id":1,"method":"lonely"}`,
			`{"jsonrpc":"2.0","id":1,"error":{"code":-32091,"message":"call #3@2: 1 operators answered, 2 are wanted; ` +
				`server 7 (\"\"): answered; server 8 (\"https://s8.test\"): it has no usable key",` +
				`"data":{"status":"too-few","service":3,"revision":2,"need":2,"have":1,"requests":1,` +
				`"asked":[{"server":7,"url":"","role":"primary","outcome":"answered","ms":0}],` +
				`"candidates":[{"server":7,"url":"","why":"answered"},{"server":8,"url":"https://s8.test","why":"it has no usable key"}]}}}`},
		{`{"jsonrpc":"2.0","id":1,"method":"lost"}`,
			failure(-32001, "call: no such service or revision", `{"status":"not-found","requests":0,"asked":[]}`)},
		{`{"jsonrpc":"2.0","id":1,"method":"given"}`,
			failure(-32001, `\"a\" meant #1, and the network file says #2: if that is right remove the name from f, else write the id`,
				`{"status":"not-found","requests":0,"asked":[]}`)},
		{`{"jsonrpc":"2.0","id":1,"method":"bare"}`,
			failure(-32002, "call: manifest or verifier could not be had", `{"status":"unavailable","requests":0,"asked":[]}`)},
		{`{"jsonrpc":"2.0","id":1,"method":"late"}`,
			failure(-32092, "call #0@0: out of time after 0 requests: context deadline exceeded",
				`{"status":"out-of-time","requests":0,"asked":[],"detail":"out of time"}`)},
		{`{"jsonrpc":"2.0","id":1,"method":"off"}`, failure(-32002, "context canceled", `{"status":"cut-off","requests":0,"asked":[]}`)},
		{`{"jsonrpc":"2.0","id":1,"method":"broken"}`, failure(-32603, "disk is full", `{"status":"internal","requests":0,"asked":[]}`)},
		{`[{"jsonrpc":"2.0","id":1,"method":"deep","params":` + deep + `}]`, "[" + failure(-32602, "call: more than 64 levels deep: not strict JSON",
			`{"status":"invalid","requests":0,"asked":[]}`) + "]"},
		{`{"jsonrpc":"2.0","id":1,"method":"no-name"}`, failure(-32600,
			`read request: method \"\\\"no-name\\\"\" is no name: not a JSON-RPC 2.0 message`, `{"status":"invalid","requests":0,"asked":[]}`)},
		{`{"jsonrpc":"1.0","id":[7],"method":"ask"}`, strings.Replace(failure(-32600,
			`read request: \"jsonrpc\" is \"\\\"1.0\\\"\", want \"2.0\": not a JSON-RPC 2.0 message`,
			`{"status":"invalid","requests":0,"asked":[]}`), `"id":1`, `"id":null`, 1)},
		{`[]`, strings.Replace(failure(-32600, "read batch: it is empty: not a JSON-RPC 2.0 message",
			`{"status":"invalid","requests":0,"asked":[]}`), `"id":1`, `"id":null`, 1)},
		{`[1` + strings.Repeat(",1", MaxBatch) + `]`, tooMany}, {`[1` + strings.Repeat(",1", MaxBatch+1) + `]`, tooMany},
		{`[{"jsonrpc":"2.0","id":2,"method":"b"},7,{"jsonrpc":"2.0","method":"note"},{"jsonrpc":"2.0","id":1,"method":"a"}]`,
			`[{"jsonrpc":"2.0","id":2,"result":{ "m": "b"}},{"jsonrpc":"2.0","id":null,"error":{"code":-32600,` +
				`"message":"read request: not an object: not a JSON-RPC 2.0 message","data":{"status":"invalid","requests":0,"asked":[]}}},{"jsonrpc":"2.0","id":1,"result":{ "m": "a"}}]`},
	} {
		status, got := new(caller).post(t, c.body)
		if status != http.StatusOK || got != c.want {
			t.Errorf("%s:\n%d %s, want\n    %s", c.body, status, got, c.want)
		}
	}
	for _, body := range []string{``, `{`, `[{}`, `{"jsonrpc":"2.0","id":1,"id":2,"method":"ask"}`} {
		if _, got := new(caller).post(t, body); !strings.HasPrefix(got, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,`) {
			t.Errorf("%q: %s", body, got)
		}
	}
}

// Nobody is asked for what nobody waits for.
func TestNotifications(t *testing.T) {
	c := new(caller)
	for _, body := range []string{`{"jsonrpc":"2.0","method":"note"}`, `[{"jsonrpc":"2.0","method":"note"},{"jsonrpc":"2.0","method":"note"}]`} {
		if status, got := c.post(t, body); status != http.StatusNoContent || got != "" || len(c.calls) > 0 {
			t.Errorf("%s: %d %q, calls %q", body, status, got, c.calls)
		}
	}
}

// A service is named as in a call, and params arrive as they were written.
func TestServiceIsNamedByTheURL(t *testing.T) {
	for service, want := range map[string]string{
		"search": "http://barnraise/search", "#3": "http://barnraise/%233", "3@2": "http://barnraise/3@2", "search@2": "http://barnraise/search@2",
	} {
		c := new(caller)
		resp, err := Client(c, client.Explained()).Post(URL(service), "application/json; charset=utf-8",
			strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"ask","params":[ 1.0 ]}`))
		if err != nil || URL(service) != want {
			t.Fatal(URL(service), err)
		}
		resp.Body.Close()
		if len(c.calls) != 1 || c.calls[0] != service+" ask [ 1.0 ]" || c.options != 1 {
			t.Errorf("%s: calls %q with %d options", service, c.calls, c.options)
		}
	}
}

// What is no request to a service does not go anywhere.
func TestOtherRequestsGoNowhere(t *testing.T) {
	body := `{"jsonrpc":"2.0","id":1,"method":"ask"}`
	for _, c := range []struct{ method, url, kind, body string }{
		{"POST", "http://example.com/search", "application/json", body}, {"POST", "https://barnraise/search", "application/json", body},
		{"POST", "http://barnraise:80/search", "application/json", body}, {"POST", "http://user:secret@barnraise/search", "application/json", body},
		{"POST", "http://barnraise/search?x", "application/json", body}, {"POST", "http://barnraise", "application/json", body},
		{"POST", "http://barnraise/", "application/json", body}, {"POST", "http://barnraise/a/b", "application/json", body},
		{"PUT", "http://barnraise/search", "application/json", body}, {"POST", "http://barnraise/search", "text/plain", body},
		{"POST", "http://barnraise/search", "", body}, {"GET", "http://barnraise/search", "application/json", ""},
		{"POST", "http://barnraise/search", "application/json", strings.Repeat(" ", MaxBody+1)},
	} {
		calls := new(caller)
		r, err := http.NewRequest(c.method, c.url, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", c.kind)
		if c.body == "" {
			r.Body = nil
		}
		closed := &closing{Reader: strings.NewReader(c.body)}
		if r.Body != nil {
			r.Body = closed
		}
		resp, err := Transport(calls).RoundTrip(r)
		if !errors.Is(err, ErrRequest) || resp != nil || len(calls.calls) > 0 || c.body != "" && !closed.done {
			t.Errorf("%s %s %s: %v, calls %q", c.method, c.url, c.kind, err, calls.calls)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Error("the error gives a password away:", err)
		}
	}
}

type closing struct {
	io.Reader
	done bool
}

func (c *closing) Close() error {
	c.done = true
	return nil
}

// A request's context bounds its calls, and calls of a batch run side by side, sixteen at most.
func TestTimeAndWidth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(caller)
		h := Client(c)
		h.Timeout = time.Second
		_, err := h.Post(URL("search"), "application/json", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"waits"}`))
		var late interface{ Timeout() bool }
		if !errors.As(err, &late) || !late.Timeout() {
			t.Error(err)
		}
		call := []byte(`{"jsonrpc":"2.0","id":1,"method":"takes"}`)
		start := time.Now()
		_, got := c.post(t, "["+string(bytes.Join(bytes.Fields(bytes.Repeat(append(call, ' '), 40)), []byte(",")))+"]")
		if took := time.Since(start); took != 3*time.Second || strings.Count(got, "result") != 40 {
			t.Errorf("40 calls of a second took %v: %.80s", took, got)
		}
	})
}
