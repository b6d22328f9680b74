package jsonrpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestProtocol3_1WireForm(t *testing.T) {
	for _, c := range []struct{ method, params, want string }{
		{"search_query", `{"q":"copy"}`, `{"jsonrpc":"2.0","id":1,"method":"search_query","params":{"q":"copy"}}`},
		{"a.b_C", `[1, 2]`, `{"jsonrpc":"2.0","id":1,"method":"a.b_C","params":[1, 2]}`},
		{"search_info", ``, `{"jsonrpc":"2.0","id":1,"method":"search_info","params":[]}`},
		{"x", ` {} `, `{"jsonrpc":"2.0","id":1,"method":"x","params":{}}`},
	} {
		got, err := NewRequest(c.method, []byte(c.params))
		if err != nil || string(got) != c.want {
			t.Errorf("%s %s: %s, %v; want %s", c.method, c.params, got, err, c.want)
		}
		if !IsWire(got) {
			t.Errorf("%s is not taken for wire form", got)
		}
	}
	for _, c := range []struct {
		method, params string
		want           error
	}{
		{"", `[]`, ErrInvalid}, {"1x", `[]`, ErrInvalid}, {"a b", `[]`, ErrInvalid}, {"ä", `[]`, ErrInvalid}, {"a\",\"x\":\"", `[]`, ErrInvalid},
		{"x", `1`, ErrInvalid}, {"x", `"s"`, ErrInvalid}, {"x", `null`, ErrInvalid}, {"x", `{`, ErrSyntax}, {"x", `{} {}`, ErrSyntax},
		{"x", `{"a":1,"a":2}`, ErrSyntax}, {"x", nested(MaxDepth), ErrSyntax},
	} {
		if _, err := NewRequest(c.method, []byte(c.params)); !errors.Is(err, c.want) {
			t.Errorf("%s %.40s: error is %v, want %v", c.method, c.params, err, c.want)
		}
	}
	if _, err := NewRequest("x", []byte(nested(MaxDepth-1))); err != nil {
		t.Errorf("%d levels in all: %v", MaxDepth, err)
	}
	for _, other := range []string{
		`{"id":1,"jsonrpc":"2.0","method":"x","params":[]}`, `{"jsonrpc":"2.0","id":2,"method":"x","params":[]}`,
		`{"jsonrpc":"2.0","id":1,"method":"x"}`, `{"jsonrpc":"2.0", "id":1,"method":"x","params":[]}`, `{"jsonrpc":"2.0","id":1,"method":"x","params":[]}` + "\n",
	} {
		if IsWire([]byte(other)) {
			t.Errorf("%s is taken for wire form", other)
		}
	}
}

func nested(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

func TestParseRequest(t *testing.T) {
	for _, c := range []struct {
		body, method, id, params string
		want                     error
	}{
		{body: `{"jsonrpc":"2.0","id":"a","method":"x","params":{"k":1}}`, method: "x", id: `"a"`, params: `{"k":1}`},
		{body: `{"jsonrpc":"2.0","id":null,"method":"x"}`, method: "x", id: `null`},
		{body: ` {"method":"x","id":-1.5,"jsonrpc":"2.0"} `, method: "x", id: `-1.5`},
		{body: `{"jsonrpc":"2.0","id":1,"method":"\u0078"}`, method: "x", id: `1`},
		{body: `[{"jsonrpc":"2.0","id":1,"method":"x"}]`, want: ErrBatch},
		{body: " \n[", want: ErrBatch},
		{body: `{"jsonrpc":"2.0","method":"x"}`, want: ErrNotification},
		{body: `{"jsonrpc":"1.0","id":1,"method":"x"}`, want: ErrInvalid},
		{body: `{"id":1,"method":"x"}`, want: ErrInvalid},
		{body: `{"jsonrpc":"2.0","id":true,"method":"x"}`, want: ErrInvalid},
		{body: `{"jsonrpc":"2.0","id":{},"method":"x"}`, want: ErrInvalid},
		{body: `{"jsonrpc":"2.0","id":1,"method":7}`, want: ErrInvalid},
		{body: `{"jsonrpc":"2.0","id":1,"method":""}`, want: ErrInvalid},
		{body: `{"jsonrpc":"2.0","id":1,"method":"x","params":1}`, want: ErrInvalid},
		{body: `{"jsonrpc":"2.0","id":1,"method":"x","extra":1}`, want: ErrInvalid},
		{body: `{"jsonrpc":"2.0","id":1,"method":"x"}{}`, want: ErrSyntax},
		{body: `{"jsonrpc":"2.0","id":1,"id":1,"method":"x"}`, want: ErrSyntax},
		{body: `7`, want: ErrInvalid},
		{body: ``, want: ErrSyntax},
		{body: `{"jsonrpc":"2.0"`, want: ErrSyntax},
	} {
		r, err := ParseRequest([]byte(c.body))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: error is %v, want %v", c.body, err, c.want)
		}
		if err == nil && (r.Method != c.method || string(r.ID) != c.id || string(r.Params) != c.params) {
			t.Errorf("%s reads as %s %s %s", c.body, r.Method, r.ID, r.Params)
		}
	}
}

func TestProtocol3_3StrictResponses(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"result":               {`{"jsonrpc":"2.0","id":1,"result":{"a":[1,2.50]}}`, nil},
		"null result":          {`{"jsonrpc":"2.0","id":1,"result":null}`, nil},
		"error":                {`{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"q is missing","data":{"p":1}}}`, nil},
		"other order":          {`{"result":1,"id":1,"jsonrpc":"2.0"}`, nil},
		"duplicate names":      {`{"jsonrpc":"2.0","id":1,"result":1,"result":2}`, ErrSyntax},
		"duplicates deep down": {`{"jsonrpc":"2.0","id":1,"result":[{"a":{"b":1,"b":1}}]}`, ErrSyntax},
		"duplicate by escape":  {`{"jsonrpc":"2.0","id":1,"result":{"a":1,"\u0061":2}}`, ErrSyntax},
		"RESULT beside result": {`{"jsonrpc":"2.0","id":1,"result":1,"RESULT":2}`, ErrInvalid},
		"RESULT":               {`{"jsonrpc":"2.0","id":1,"RESULT":1}`, ErrInvalid},
		"both":                 {`{"jsonrpc":"2.0","id":1,"result":1,"error":{"code":1,"message":""}}`, ErrInvalid},
		"neither":              {`{"jsonrpc":"2.0","id":1}`, ErrInvalid},
		"byte order mark":      {"\xef\xbb\xbf" + `{"jsonrpc":"2.0","id":1,"result":1}`, ErrSyntax},
		"lone surrogate":       {`{"jsonrpc":"2.0","id":1,"result":"\ud800"}`, ErrSyntax},
		"swapped surrogates":   {`{"jsonrpc":"2.0","id":1,"result":"\udc00\ud800"}`, ErrSyntax},
		"invalid UTF-8":        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"\xff\"}", ErrSyntax},
		"depth 64":             {`{"jsonrpc":"2.0","id":1,"result":` + nested(MaxDepth-1) + `}`, nil},
		"depth 65":             {`{"jsonrpc":"2.0","id":1,"result":` + nested(MaxDepth) + `}`, ErrSyntax},
		"depth 10,000":         {`{"jsonrpc":"2.0","id":1,"result":` + nested(10_000) + `}`, ErrSyntax},
		"other id":             {`{"jsonrpc":"2.0","id":2,"result":1}`, ErrInvalid},
		"id as string":         {`{"jsonrpc":"2.0","id":"1","result":1}`, ErrInvalid},
		"id as float":          {`{"jsonrpc":"2.0","id":1.0,"result":1}`, ErrInvalid},
		"no id":                {`{"jsonrpc":"2.0","result":1}`, ErrInvalid},
		"extra member":         {`{"jsonrpc":"2.0","id":1,"result":1,"in3":{}}`, ErrInvalid},
		"version as number":    {`{"jsonrpc":2.0,"id":1,"result":1}`, ErrInvalid},
		"error without code":   {`{"jsonrpc":"2.0","id":1,"error":{"message":"x"}}`, ErrInvalid},
		"error with float":     {`{"jsonrpc":"2.0","id":1,"error":{"code":1.5,"message":"x"}}`, ErrInvalid},
		"error as string":      {`{"jsonrpc":"2.0","id":1,"error":"x"}`, ErrInvalid},
		"error with more":      {`{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x","stack":"y"}}`, ErrInvalid},
		"array":                {`[{"jsonrpc":"2.0","id":1,"result":1}]`, ErrInvalid},
		"something after":      {`{"jsonrpc":"2.0","id":1,"result":1}x`, ErrSyntax},
		"comma at the end":     {`{"jsonrpc":"2.0","id":1,"result":1,}`, ErrSyntax},
		"NaN":                  {`{"jsonrpc":"2.0","id":1,"result":NaN}`, ErrSyntax},
		"control character":    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"\x01\"}", ErrSyntax},
		"empty":                {``, ErrSyntax},
		"cut short":            {`{"jsonrpc":"2.0","id":1,"result":"abc`, ErrSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseResponse([]byte(c.body), WireID)
			if !errors.Is(err, c.want) {
				t.Errorf("error is %v, want %v", err, c.want)
			}
		})
	}
}

func TestResponseMembers(t *testing.T) {
	r, err := ParseResponse([]byte(`{"jsonrpc":"2.0","id":1,"error":{"code":-32011,"message":"unknown \"doc\"","data":[1]}}`), WireID)
	if err != nil || r.Error.Code != -32011 || r.Error.Message != `unknown "doc"` || string(r.Error.Data) != "[1]" || r.Result != nil {
		t.Errorf("reads as %+v, %v", r.Error, err)
	}
	if w := string(r.Error.Written()); w != `{"code":-32011,"message":"unknown \"doc\"","data":[1]}` {
		t.Errorf("was written %s", w)
	}
	if w := (&Error{Code: 1}).Written(); w != nil {
		t.Errorf("what nobody has written is %s", w)
	}
	body := []byte(`{"jsonrpc":"2.0","id":1,"result": {"a" : 1.0} }`)
	r, err = ParseResponse(body, WireID)
	if err != nil || string(r.Result) != `{"a" : 1.0}` || r.Error != nil {
		t.Errorf("result reads as %q, %v: want the bytes as they stand", r.Result, err)
	}
}

// A body that is taken is JSON for any other reader as well, and names no member twice in any of its objects.
func FuzzParseResponse(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"result":{"a":[1,"\ud83d\ude00"]}}`))
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"x","data":{}}}`))
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"result":1,"RESULT":2}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		r, err := ParseResponse(body, WireID)
		if !bytes.Equal(before, body) {
			t.Fatal("reading changed the body")
		}
		if err != nil {
			return
		}
		if !json.Valid(body) || depth(body) > MaxDepth || (r.Error == nil) == (r.Result == nil) {
			t.Errorf("%q was taken", body)
		}
	})
}

// Depth is what it is when every byte is looked at.
func FuzzDepth(f *testing.F) {
	for _, s := range []string{`[{"a":"}]\\"},"\\\\"]`, `"`, `"\`, `[[["`, `"\\\"[["`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		want, level, quoted := 0, 0, false
		for i := 0; i < len(b); i++ {
			switch c := b[i]; {
			case quoted && c == '\\':
				i++
			case c == '"':
				quoted = !quoted
			case quoted:
			case c == '{' || c == '[':
				level++
				want = max(want, level)
			case c == '}' || c == ']':
				level--
			}
		}
		if got := depth(b); got != want {
			t.Errorf("%q is %d levels deep, want %d", b, got, want)
		}
	})
}

func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"x","params":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := ParseRequest(body)
		if err != nil {
			return
		}
		again, err := NewRequest(r.Method, r.Params)
		if depth(body) < MaxDepth && (err != nil || !IsWire(again)) {
			t.Errorf("%q was taken, but has no wire form: %v", body, err)
		}
	})
}

func BenchmarkParseResponse(b *testing.B) {
	for _, size := range []int{2 << 10, 64 << 10} {
		item := `{"doc":"io.Copy","score":4711,"title":"func Copy(dst Writer, src Reader) (written int64, err error)"},`
		list := strings.Repeat(item, size/len(item))
		body := []byte(`{"jsonrpc":"2.0","id":1,"result":[` + strings.TrimSuffix(list, ",") + `]}`)
		b.Run(map[int]string{2 << 10: "2KB", 64 << 10: "64KB"}[size], func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, err := ParseResponse(body, WireID); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
