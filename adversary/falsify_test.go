package adversary

import (
	"bytes"
	"encoding/json"
	"regexp"
	"testing"

	"barnraise/jsonrpc"
)

func TestFalsify(t *testing.T) {
	for result, want := range map[string]string{
		`42`:                                `43`,
		`0`:                                 `1`,
		`-9`:                                `-0`,
		`1.09`:                              `1.00`,
		`5e300`:                             `6e300`,
		`0E5`:                               `1E5`,
		`{"a":9}`:                           `{"a":0}`,
		`{"name":"word"}`:                   `{"name":"wore"}`,
		`{"word":"zebra","size":null}`:      `{"word":"zebrb","size":null}`,
		`["z","Z","é"]`:                     `["z","A","é"]`,
		`"\ud83d\ude00"`:                    `"\ud83d\ude00"`,
		`"\udbff\udfff"`:                    `"\udbff\udfff"`,
		`"x\udbff\udfff\"\\b\n"`:            `"x\udbff\udfff\"\\c\n"`,
		`"\n"`:                              `"\n"`,
		`{"a1":true,"b2":[null,{},"",""]}`:  `{"a1":true,"b2":[null,{},"",""]}`,
		`{"a":"b:","c" : { "d" : " - " } }`: `{"a":"c:","c" : { "d" : " - " } }`,
	} {
		for _, form := range []string{`{"jsonrpc":"2.0","id":1,"result":`, `{"id":1,"result":`} {
			end := "}"
			if form[2] == 'i' {
				end = `,"jsonrpc":"2.0"}`
			}
			got := Falsify([]byte(form + result + end))
			if string(got) != form+want+end {
				t.Errorf("%s becomes %s, want %s", result, got, want)
			}
			if _, err := jsonrpc.ParseResponse(got, jsonrpc.WireID); err != nil {
				t.Errorf("%s becomes %s: %v", result, got, err)
			}
		}
	}
	for _, same := range []string{`{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"a","data":{"result":1}}}`, `{"result":1`, `x`, ``} {
		if got := Falsify([]byte(same)); string(got) != same {
			t.Errorf("%s becomes %s", same, got)
		}
	}
}

// A lie is an answer as the truth is: strict, as long, another one in one byte, with the same names. Only where the result
// says nothing in letters and digits there is none.
func FuzzFalsify(f *testing.F) {
	for _, seed := range []string{
		`42`, `{"a":{"b":[1,"two"]}}`, `"\udbff\udfff"`, `"\\u00e9"`, `"a\\"`, `-0.0e-0`, `{"\u0061":"\u0062"}`, ` { } `, `[[],"",true]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, result []byte) {
		truth := append(append([]byte(`{"jsonrpc":"2.0","id":1,"result":`), result...), '}')
		r, err := jsonrpc.ParseResponse(truth, jsonrpc.WireID)
		if err != nil {
			return
		}
		lie := Falsify(truth)
		l, err := jsonrpc.ParseResponse(lie, jsonrpc.WireID)
		if err != nil {
			t.Fatalf("%s becomes %s: %v", truth, lie, err)
		}
		differ := 0
		for i := range min(len(lie), len(truth)) {
			if lie[i] != truth[i] {
				differ++
			}
		}
		want := 0
		if says(t, r.Result) {
			want = 1
		}
		if len(lie) != len(truth) || differ != want {
			t.Errorf("%s becomes %s: %d bytes differ, want %d", truth, lie, differ, want)
		}
		if !bytes.Equal(names(t, r.Result), names(t, l.Result)) {
			t.Errorf("%s becomes %s: another shape", truth, lie)
		}
	})
}

// says reports whether a value has a number, or a letter or digit in a text as it is written.
func says(t *testing.T, value []byte) bool {
	var children []json.RawMessage
	switch value[0] {
	case '{':
		var members map[string]json.RawMessage
		if err := json.Unmarshal(value, &members); err != nil {
			t.Fatal(err)
		}
		for _, m := range members {
			children = append(children, m)
		}
	case '[':
		if err := json.Unmarshal(value, &children); err != nil {
			t.Fatal(err)
		}
	case '"':
		return written.Match(escape.ReplaceAll(value, nil))
	default:
		return value[0] == '-' || '0' <= value[0] && value[0] <= '9'
	}
	for _, c := range children {
		if says(t, bytes.TrimSpace(c)) {
			return true
		}
	}
	return false
}

var (
	escape  = regexp.MustCompile(`\\(u[0-9a-fA-F]{4}|[^u])`)
	written = regexp.MustCompile(`[0-9a-zA-Z]`)
)

// names is a value with all texts and numbers in it made equal.
func names(t *testing.T, value []byte) []byte {
	var blank func(v any) any
	blank = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for name := range v {
				v[name] = blank(v[name])
			}
		case []any:
			for i := range v {
				v[i] = blank(v[i])
			}
		case string, json.Number:
			return "blank"
		}
		return v
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(blank(v))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
