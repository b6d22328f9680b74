package jsonrpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	deep := func(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }
	for body, want := range map[string][]string{
		`{"a":1}`:            {`{"a":1}`},
		" \n{\"a\" : 1}\t":   {`{"a" : 1}`},
		`[{"a":1}]`:          {`{"a":1}`},
		`[1, {"a":[2]} ,[]]`: {`1`, `{"a":[2]}`, `[]`},
		`"[]"`:               {`"[]"`},
		deep(MaxDepth + 1):   {deep(MaxDepth)},
	} {
		got, batch, err := Split([]byte(body), 3)
		var texts []string
		for _, m := range got {
			texts = append(texts, string(m))
		}
		if err != nil || !slices.Equal(texts, want) || batch != (body[0] == '[') {
			t.Errorf("%q is %q, %t, %v; want %q", body, texts, batch, err, want)
		}
	}
	for body, want := range map[string]error{
		``: ErrSyntax, `[`: ErrSyntax, `[1`: ErrSyntax, `[1,`: ErrSyntax, `[1,]`: ErrSyntax, `[1]]`: ErrSyntax, `{}{}`: ErrSyntax,
		`[{"a":1,"a":2}]`: ErrSyntax, `{"a":1,"a":2}`: ErrSyntax, `["\ud800"]`: ErrSyntax, "\xef\xbb\xbf[1]": ErrSyntax,
		deep(MaxDepth + 2): ErrSyntax, strings.Repeat("[", 1_000_000): ErrSyntax, `{"a":` + deep(MaxDepth) + `}`: ErrSyntax,
		`[]`: ErrInvalid, `[1,2,3,4]`: ErrTooMany, `[1,2,3,4,5]`: ErrTooMany,
	} {
		if got, _, err := Split([]byte(body), 3); !errors.Is(err, want) || got != nil && err == nil {
			t.Errorf("%.40q: %v, want %v", body, err, want)
		}
	}
}

func TestAppendResponse(t *testing.T) {
	for _, c := range []struct {
		id, result string
		err        *Error
		want       string
	}{
		{`1`, `{"a": 1.50}`, nil, `{"jsonrpc":"2.0","id":1,"result":{"a": 1.50}}`},
		{`"\u0041"`, `null`, nil, `{"jsonrpc":"2.0","id":"\u0041","result":null}`},
		{``, ``, &Error{Code: CodeParse, Message: `no "JSON" <here>`},
			`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no \"JSON\" <here>"}}`},
		{`7`, ``, &Error{Code: 3, Message: "reverted\n", Data: []byte(`[1, 2]`)},
			`{"jsonrpc":"2.0","id":7,"error":{"code":3,"message":"reverted\n","data":[1, 2]}}`},
		{`7`, ``, &Error{Message: "\xff"}, `{"jsonrpc":"2.0","id":7,"error":{"code":0,"message":"` + "\ufffd" + `"}}`},
	} {
		got := AppendResponse([]byte("before"), []byte(c.id), []byte(c.result), c.err)
		if string(got) != "before"+c.want || !json.Valid(got[len("before"):]) {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// An error of a service goes on as it was signed, however odd its spelling.
func TestAppendResponseLeavesErrorsAsTheyWereWritten(t *testing.T) {
	signed := `{"jsonrpc":"2.0","id":1,"error":{ "message":"\u0062ad","data":{"x" :1e2},"code":-32010}}`
	r, err := ParseResponse([]byte(signed), WireID)
	if err != nil {
		t.Fatal(err)
	}
	if got := AppendResponse(nil, WireID, nil, r.Error); string(got) != signed {
		t.Errorf("got %s, want %s", got, signed)
	}
}

// What Split hands out is strict, and together all that there is.
func FuzzSplit(f *testing.F) {
	f.Add([]byte(`[{"jsonrpc":"2.0","id":1,"method":"x"},2]`))
	f.Add([]byte(` {"a":"]"} `))
	f.Add([]byte("\f0"))
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		messages, batch, err := Split(body, 4)
		if !bytes.Equal(before, body) {
			t.Fatal("reading changed the body")
		}
		if err != nil {
			return
		}
		if len(messages) == 0 || len(messages) > 4 || !batch && len(messages) != 1 {
			t.Errorf("%q is %d messages", body, len(messages))
		}
		var whole, parts bytes.Buffer
		for _, m := range messages {
			if err := Strict(m); err != nil {
				t.Errorf("%q was handed out: %v", m, err)
			}
		}
		joined := bytes.Join(messages, []byte(","))
		if batch {
			joined = append(append([]byte("["), joined...), ']')
		}
		if json.Compact(&whole, body) != nil || json.Compact(&parts, joined) != nil || !bytes.Equal(whole.Bytes(), parts.Bytes()) {
			t.Errorf("%q came apart as %q", body, joined)
		}
	})
}
