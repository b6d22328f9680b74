package jsonrpc

import (
	"encoding/json"
	"testing"
)

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
