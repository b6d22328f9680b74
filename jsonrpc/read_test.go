package jsonrpc

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func (m Message) String() string {
	switch {
	case m.Wrong != "":
		return fmt.Sprintf("%s: %s", m.ID, m.Wrong)
	case m.Notification():
		return fmt.Sprintf("%s%s", m.Method, m.Params)
	}
	return fmt.Sprintf("%s: %s%s", m.ID, m.Method, m.Params)
}

func TestRead(t *testing.T) {
	deep := func(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }
	var r Reader // of all of them
	for body, want := range map[string]string{
		` {"jsonrpc":"2.0","id":1,"method":"m","params":[ 1.0 ]} `:                                       `1: m[ 1.0 ]`,
		`{"params":{"a" : 1},"method":"\u006d","id":"\u0041","jsonrpc":"2.0"}`:                           `"\u0041": m{"a" : 1}`,
		`{"jsonrpc":"2.0","method":"m"}`:                                                                 `m`,
		`{"jsonrpc":"2.0","id":null,"method":"m"}`:                                                       `null: m`,
		`[{"jsonrpc":"2.0","id":1,"method":"m"}]`:                                                        `1: m`,
		`[{"jsonrpc":"2.0","id":1,"method":"m"},7 ,{"jsonrpc":"2.0","id":2,"method":"n","params":[[]]}]`: `1: m; : not an object; 2: n[[]]`,
		`"[]"`:                     `: not an object`,
		`[[]]`:                     `: not an object`,
		`{}`:                       `: "jsonrpc" is missing, want "2.0"`,
		`{"jsonrpc":"2.0","id":1}`: `1: "method" is missing`,
		`{"jsonrpc":"1.0","id":[7],"method":"m"}`:                                                                 `: "jsonrpc" is "\"1.0\"", want "2.0"`,
		`{"jsonrpc":"2.0","id":{"a":1},"method":"m"}`:                                                             `: id is no string, number or null`,
		`{"jsonrpc":"2.0","id":true,"method":"m"}`:                                                                `: id is no string, number or null`,
		`{"jsonrpc":"2.0","id":1,"method":7}`:                                                                     `1: method "7" is no name`,
		`{"jsonrpc":"2.0","id":1,"method":"a b"}`:                                                                 `1: method "\"a b\"" is no name`,
		`{"jsonrpc":"2.0","id":1,"method":"m","params":null}`:                                                     `1: params are neither array nor object`,
		`{"jsonrpc":"2.0","id":1,"method":"m","more":[1]}`:                                                        `1: member "more" does not belong there`,
		`[{"jsonrpc":"2.0","id":1,"method":"m","params":` + deep(99) + `},{"jsonrpc":"2.0","id":2,"method":"m"}]`: `1: m` + deep(99) + `; 2: m`,
	} {
		batch, err := r.Read([]byte(body), 3)
		var texts []string
		for _, m := range r.Messages {
			texts = append(texts, m.String())
		}
		if got := strings.Join(texts, "; "); err != nil || got != want || batch != (body[0] == '[') {
			t.Errorf("%.200s is %.200s, %t, %v; want %.200s", body, got, batch, err, want)
		}
	}
	for body, want := range map[string]error{
		``: ErrSyntax, `[`: ErrSyntax, `[1`: ErrSyntax, `[1,`: ErrSyntax, `[1,]`: ErrSyntax, `[1]]`: ErrSyntax, `[]]`: ErrSyntax, `{}{}`: ErrSyntax,
		`[{"a":1,"a":2}]`: ErrSyntax, `{"a":1,"a":2}`: ErrSyntax, `["\ud800"]`: ErrSyntax, "\xef\xbb\xbf[1]": ErrSyntax, "\xff": ErrSyntax,
		`{"a":[{"b":1,"b":2}]}`: ErrSyntax, strings.Repeat("[", 1_000_000): ErrSyntax, `[]`: ErrInvalid, `[1,2,3,4]`: ErrTooMany, `[1,2,3,4,5]`: ErrTooMany,
	} {
		if _, err := r.Read([]byte(body), 3); !errors.Is(err, want) {
			t.Errorf("%.40q: %v, want %v", body, err, want)
		}
	}
}

// What Read takes is strict JSON, however deep, and nobody else reads a message otherwise.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`[{"jsonrpc":"2.0","id":1,"method":"x"},2]`))
	f.Add([]byte(` {"jsonrpc":"2.0","method":"x","params":["]"]} `))
	f.Add([]byte("\f0"))
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		var r Reader
		batch, err := r.Read(body, 4)
		if !bytes.Equal(before, body) {
			t.Fatal("reading changed the body")
		}
		strict := Strict(body)
		if strict == nil && errors.Is(err, ErrSyntax) || strict != nil && err == nil && !errors.Is(strict, ErrTooDeep) {
			t.Fatalf("%q: %v; strict: %v", body, err, strict)
		}
		if err != nil {
			return
		}
		if len(r.Messages) == 0 || len(r.Messages) > 4 || !batch && len(r.Messages) != 1 {
			t.Errorf("%q is %d messages", body, len(r.Messages))
		}
		if batch || strict != nil {
			return
		}
		m := r.Messages[0]
		q, err := ParseRequest(body)
		same := err == nil && m.Wrong == "" && m.Method == q.Method && bytes.Equal(m.ID, q.ID) && bytes.Equal(m.Params, q.Params)
		if !same && !(errors.Is(err, ErrNotification) && m.Notification()) && !(errors.Is(err, ErrInvalid) && m.Wrong != "") {
			t.Errorf("%q: %+v; for a server it is %+v, %v", body, m, q, err)
		}
	})
}
