package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"barnraise"
	"barnraise/client"
	"barnraise/client/plain"
)

// told is a Caller that answers as it is told, and remembers what it was asked.
type told struct {
	answer func(ctx context.Context, service, method string, params []byte) (*client.Answer, error)

	mu    sync.Mutex
	calls []string // service method params
	wants []int    // options of each
}

func (c *told) Call(ctx context.Context, service, method string, params any, options ...client.CallOption) (*client.Answer, error) {
	p, _ := params.([]byte)
	c.mu.Lock()
	c.calls = append(c.calls, strings.TrimSpace(service+" "+method+" "+string(p)))
	c.wants = append(c.wants, len(options))
	c.mu.Unlock()
	return c.answer(ctx, service, method, p)
}

// echo answers with the params.
func echo(_ context.Context, _, _ string, params []byte) (*client.Answer, error) {
	if params == nil {
		return accepted("null"), nil
	}
	return accepted(string(params)), nil
}

func accepted(result string) *client.Answer {
	return &client.Answer{
		Result: json.RawMessage(result), Service: 3, Revision: 2, Verdict: barnraise.Accepted, Requests: 2,
		Asked: []client.Asked{
			{Server: 4, Role: client.RolePrimary, Outcome: client.OutcomeAgreed}, {Server: 7, Role: client.RoleAuditor, Outcome: client.OutcomeAgreed},
		},
	}
}

func newProxy(t testing.TB, answer func(context.Context, string, string, []byte) (*client.Answer, error), c Config) (*Proxy, *told) {
	t.Helper()
	caller := &told{answer: answer}
	p, err := New(caller, c)
	if err != nil {
		t.Fatal(err)
	}
	return p, caller
}

// post sends a body as a well-behaved program does; header overrides, and an empty value takes away.
func post(p http.Handler, path, body string, header ...string) *httptest.ResponseRecorder {
	return send(p, http.MethodPost, path, body, append([]string{"Content-Type", "application/json"}, header...)...)
}

func send(p http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host, r.RemoteAddr = "127.0.0.1:8645", "127.0.0.1:40000"
	for i := 0; i < len(header); i += 2 {
		switch {
		case header[i] == "Host":
			r.Host = header[i+1]
		case header[i] == "From":
			r.RemoteAddr = header[i+1]
		case header[i+1] == "":
			r.Header.Del(header[i])
		default:
			r.Header.Add(header[i], header[i+1])
		}
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

// said are the headers of the proxy's own.
func said(h http.Header) map[string]string {
	got := make(map[string]string)
	for name := range maps.Keys(h) {
		if v, ok := strings.CutPrefix(name, "Barnraise-"); ok {
			got[v] = strings.Join(h[name], "|")
		}
	}
	return got
}

// failureOf reads an error of the proxy's own.
func failureOf(t *testing.T, body []byte) (code int64, data plain.Tried) {
	t.Helper()
	var got struct {
		Error struct {
			Code int64
			Data plain.Tried
		}
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&got); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if rest, _ := io.ReadAll(d.Buffered()); len(rest) > 0 {
		t.Errorf("something follows the response: %q", rest)
	}
	return got.Error.Code, got.Error.Data
}
