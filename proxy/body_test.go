package proxy

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"barnraise/jsonrpc"
)

func TestRequestsAndNotifications(t *testing.T) {
	const wrong = `{"jsonrpc":"2.0","id":%,"error":{"code":-32600,`
	for _, c := range []struct{ name, body, want string }{
		{"number", `{"jsonrpc":"2.0","id":1,"method":"m","params":[1]}`, `{"jsonrpc":"2.0","id":1,"result":[1]}`},
		{"as it is written", `{"id":1.0e0,"params":{"a" : 1 },"method":"\u006d","jsonrpc":"2.0"}`, `{"jsonrpc":"2.0","id":1.0e0,"result":{"a" : 1 }}`},
		{"text", ` {"jsonrpc":"2.0","id":"\u00e9\"","method":"m","params":[]} `, `{"jsonrpc":"2.0","id":"\u00e9\"","result":[]}`},
		{"null", `{"jsonrpc":"2.0","id":null,"method":"m","params":[]}`, `{"jsonrpc":"2.0","id":null,"result":[]}`},
		{"huge number", `{"jsonrpc":"2.0","id":123456789012345678901234567890,"method":"m","params":[]}`,
			`{"jsonrpc":"2.0","id":123456789012345678901234567890,"result":[]}`},
		{"notification", `{"jsonrpc":"2.0","method":"m","params":[2]}`, ""},
		{"batch of one", `[{"jsonrpc":"2.0","id":1,"method":"m","params":[1]}]`, `[{"jsonrpc":"2.0","id":1,"result":[1]}]`},
		{"batch", `[{"jsonrpc":"2.0","id":"a","method":"m","params":[1]},{"jsonrpc":"2.0","method":"m","params":[2]},` +
			`{"jsonrpc":"2.0","id":"a","method":"m","params":[3]}]`,
			`[{"jsonrpc":"2.0","id":"a","result":[1]},{"jsonrpc":"2.0","id":"a","result":[3]}]`},
		{"notifications", `[{"jsonrpc":"2.0","method":"m","params":[1]},{"jsonrpc":"2.0","method":"m","params":[2]}]`, ""},
		{"no object", `7`, strings.Replace(wrong, "%", "null", 1)},
		{"no version", `{"id":1,"method":"m"}`, strings.Replace(wrong, "%", "1", 1)},
		{"other version", `{"jsonrpc":"1.0","id":1,"method":"m"}`, strings.Replace(wrong, "%", "1", 1)},
		{"no method", `{"jsonrpc":"2.0","id":1}`, strings.Replace(wrong, "%", "1", 1)},
		{"no name", `{"jsonrpc":"2.0","id":1,"method":"a b"}`, strings.Replace(wrong, "%", "1", 1)},
		{"method is a number", `{"jsonrpc":"2.0","id":1,"method":1}`, strings.Replace(wrong, "%", "1", 1)},
		{"params are text", `{"jsonrpc":"2.0","id":1,"method":"m","params":"a"}`, strings.Replace(wrong, "%", "1", 1)},
		{"params are null", `{"jsonrpc":"2.0","id":1,"method":"m","params":null}`, strings.Replace(wrong, "%", "1", 1)},
		{"id is an object", `{"jsonrpc":"2.0","id":{},"method":"m"}`, strings.Replace(wrong, "%", "null", 1)},
		{"id is true", `{"jsonrpc":"2.0","id":true,"method":"m"}`, strings.Replace(wrong, "%", "null", 1)},
		{"a stranger", `{"jsonrpc":"2.0","id":1,"method":"m","more":1}`, strings.Replace(wrong, "%", "1", 1)},
		{"wrong and unanswerable", `{"jsonrpc":"2.0","method":"m","params":1}`, strings.Replace(wrong, "%", "null", 1)},
		{"empty batch", `[]`, strings.Replace(wrong, "%", "null", 1)},
		{"wrong in a batch", `[1]`, "[" + strings.Replace(wrong, "%", "null", 1)},
		{"no JSON", `{"jsonrpc":`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,`},
		{"nothing", ``, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,`},
		{"two values", `{"jsonrpc":"2.0","id":1,"method":"m"} {}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,`},
		{"a name twice", `{"jsonrpc":"2.0","id":1,"id":2,"method":"m"}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,`},
		{"a name twice, deep", `{"jsonrpc":"2.0","id":1,"method":"m","params":[{"a":1,"a":2}]}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,`},
		{"batch cut off", `[{"jsonrpc":"2.0","id":1,"method":"m"}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,`},
		{"something after a batch", `[1],`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,`},
		{"no UTF-8", "{\"jsonrpc\":\"2.0\",\"id\":\"\xff\",\"method\":\"m\"}", `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,`},
		{"byte order mark", "\ufeff{}", `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,`},
		{"too long a batch", `[1,2,3,4]`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32005,`},
	} {
		p, _ := newProxy(t, echo, Config{Limits: Limits{Batch: 3}})
		w := post(p, "/3", c.body)
		status := 200
		if c.want == "" {
			status = 204
		}
		got := w.Body.String()
		if w.Code != status || got != c.want && (!strings.HasSuffix(c.want, ",") || !strings.HasPrefix(got, c.want)) {
			t.Errorf("%s: %d %s, want %d %s", c.name, w.Code, got, status, c.want)
		}
	}
}

func TestWhatIsAsked(t *testing.T) {
	for path, want := range map[string]string{
		"/3": "3 m [1]", "/%233": "#3 m [1]", "/3@2": "3@2 m [1]", "/search": "search m [1]", "/%733": "s3 m [1]", "/3?x=1": "3 m [1]",
		"/": "", "/a/b": "", "/a%2fb": "", "/" + strings.Repeat("a", 65): "",
	} {
		p, caller := newProxy(t, echo, Config{})
		w := post(p, path, `{"jsonrpc":"2.0","id":1,"method":"m","params":[1]}`)
		got := strings.Join(caller.calls, ";")
		if got != want || (w.Code == 200) != (want != "") {
			t.Errorf("%s: %d, asks %q, want %q", path, w.Code, got, want)
		}
	}
	p, caller := newProxy(t, echo, Config{})
	post(p, "/3", `{"jsonrpc":"2.0","id":1,"method":"m"}`)
	post(p, "/3", `{"jsonrpc":"2.0","method":"quiet","params":{"a":1}}`)
	if got := strings.Join(caller.calls, ";"); got != `3 m` {
		t.Errorf("asks %q", got)
	}
}

// Whatever comes in, what goes out is nothing, or JSON with the callers' ids in the callers' order.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"m","params":[1]}`, `[{"jsonrpc":"2.0","id":"\u00e9","method":"m"},{"jsonrpc":"2.0","method":"m"},1]`,
		`[]`, `[[]]`, `{"jsonrpc":"2.0","id":1e5,"method":"m","params":{"a":{}}}`, `{"id":null}`, "\xff", `[1,`, `{"jsonrpc":"2.0","id":1,"method":"m"}]`,
	} {
		f.Add([]byte(seed))
	}
	p, _ := newProxy(f, echo, Config{Limits: Limits{Batch: 8, Rate: Unlimited}})
	f.Fuzz(func(t *testing.T, body []byte) {
		s := &scratch{body: bytes.Clone(body)}
		batch, err := s.split(8)
		if strict := jsonrpc.Strict(body); strict == nil && errors.Is(err, jsonrpc.ErrSyntax) {
			t.Fatalf("%q is strict JSON: %v", body, err)
		} else if err == nil && strict != nil && !strings.Contains(strict.Error(), "levels deep") {
			t.Fatalf("%q is taken, and is no strict JSON: %v", body, strict)
		}
		w := post(p, "/3", string(body))
		wantIDs(t, w, s.requests, batch, err)
	})
}

func wantIDs(t *testing.T, w *httptest.ResponseRecorder, requests []request, batch bool, err error) {
	t.Helper()
	if w.Code == 204 {
		if err != nil || w.Body.Len() > 0 {
			t.Fatalf("%v is answered with 204 and %q", err, w.Body)
		}
		return
	}
	type response struct{ ID json.RawMessage }
	var list []response
	if err != nil || !batch {
		list = make([]response, 1)
		if bad := json.Unmarshal(w.Body.Bytes(), &list[0]); bad != nil {
			t.Fatalf("%v in %q", bad, w.Body)
		}
	} else if bad := json.Unmarshal(w.Body.Bytes(), &list); bad != nil {
		t.Fatalf("%v in %q", bad, w.Body)
	}
	var want []string
	for i := range requests {
		switch r := &requests[i]; {
		case r.Notification():
		case r.ID == nil:
			want = append(want, "null")
		default:
			want = append(want, string(r.ID))
		}
	}
	if err != nil {
		want = []string{"null"}
	}
	var got []string
	for _, r := range list {
		got = append(got, string(r.ID))
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Fatalf("ids %q, want %q", got, want)
	}
}
