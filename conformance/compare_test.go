package conformance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// RFC 6901.
func TestPointer(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{`{"result":1}`, `{"result":2}`, "/result"},
		{`{"result":{"a":[1,{"b":2}]}}`, `{"result":{"a":[1,{"b":3}]}}`, "/result/a/1/b"},
		{`{"result":[1,2]}`, `{"result":[1,2,3]}`, "/result/2"},
		{`{"result":[1,2,3]}`, `{"result":[1,2]}`, "/result/2"},
		{`{"result":[]}`, `{"result":[[]]}`, "/result/0"},
		{`{"result":[1,2,3]}`, `{"result":[2,3]}`, "/result/0"},
		{`{"result":{"a":1}}`, `{"result":{"a":1,"b":2}}`, "/result/b"},
		{`{"result":{"a":1,"b":2}}`, `{"result":{"a":1}}`, "/result/b"},
		{`{"result":{"b":2,"c":3}}`, `{"result":{"a":1,"b":2,"c":3}}`, "/result/a"},
		{`{"result":{"a":1,"b":2}}`, `{"result":{"b":2,"a":1}}`, "/result"},
		{`{"result":{"a/b":{"~":1}}}`, `{"result":{"a/b":{"~":2}}}`, "/result/a~1b/~0"},
		{`{"result":{"":1}}`, `{"result":{"":2}}`, "/result/"},
		{`{"result":{"a":1}}`, `{"result":[1]}`, "/result"},
		{`{"result":{}}`, `{"result":null}`, "/result"},
		{`{"result":"1"}`, `{"result":1}`, "/result"},
		{`{"result":1}`, `{"error":{"code":1}}`, ""},
		{`{"result":1.0}`, `{"result":1}`, "/result"},
		{`{"result":1}`, `{"result": 1}`, ""},
		{`{"result":1}`, `{"result":1`, ""},
		{`{"jsonrpc":"2.0","id":1,"result":[[0,[1,2]],{"x":[]}]}`, `{"jsonrpc":"2.0","id":1,"result":[[0,[1,2]],{"x":[7]}]}`, "/result/1/x/0"},
	} {
		if got := pointer([]byte(c.a), []byte(c.b)); string(got) != c.want {
			t.Errorf("%s and %s differ at %q, want %q", c.a, c.b, got, c.want)
		}
		if got := pointer([]byte(c.b), []byte(c.a)); string(got) != c.want {
			t.Errorf("%s and %s differ at %q, want %q", c.b, c.a, got, c.want)
		}
	}
}

func TestAt(t *testing.T) {
	const doc = `{"a":[1,{"b/c":"x","":null}],"a~":{"0":true}}`
	for p, want := range map[string]string{
		"": doc, "/a": `[1,{"b/c":"x","":null}]`, "/a/0": "1", "/a/1/b~1c": `"x"`, "/a/1/": "null", "/a~0/0": "true",
		"/b": "", "/a/2": "", "/a/x": "", "/a/-1": "", "/a/0/0": "", "a": "", "/a~2": "",
	} {
		if got := at([]byte(doc), jsontext.Pointer(p)); string(got) != want {
			t.Errorf("at %q is %s, want %s", p, got, want)
		}
	}
}

func TestShapes(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		a, b string
		want string // shapes it has
	}{
		{`["a","b",3]`, `[3,"b","a"]`, "permuted"},
		{`[{"n":1,"v":"x"},{"n":2,"v":"y"}]`, `[{"n":1,"v":"y"},{"n":2,"v":"x"}]`, "permuted"},
		{`"red, green, blue"`, `"blue, red, green"`, "permuted"},
		{`"abcd"`, `"badc"`, "permuted"},
		{`"1243"`, `"3421"`, ""},
		{`["a","b"]`, `["a","c"]`, ""},
		{`"0xc000012345"`, `"0xc000054321"`, "addresses"},
		{`"0x38e1c0"`, `"0x3f8060"`, "addresses"},
		{`824634310656`, `824634998784`, "addresses"},
		{`"0x192c820065d0"`, `"0x505971fe418"`, "addresses"},
		{`"0x192c820065d0"`, `"0x5059"`, ""},
		{`"0xdeadbeef00000000"`, `"0x0123456789abcdef"`, ""},
		{`"2026-11-21T12:00:01Z"`, `"2026-11-21T12:00:02Z"`, "times"},
		{`1795262401`, `1795262402`, "times"},
		{`1795262401123456789`, `1795262402123456789`, "times"},
		{`"Sat"`, `"Sunday"`, "times"},
		{`17`, `18`, ""},
		{`0.1234567890123`, `0.1234567890124`, "rounded"},
		{`{"x":1e300,"y":2.5}`, `{"x":1.0000000001e300,"y":2.5}`, "rounded"},
		{`1000000`, `1000001`, ""},
		{`0.5`, `0.7`, ""},
	} {
		var got []string
		a, b := []byte(c.a), []byte(c.b)
		for name, has := range map[string]bool{
			"permuted": permuted(a, b, ""), "addresses": addresses(a, b), "times": times(a, b, now), "rounded": rounded(a, b),
		} {
			if has {
				got = append(got, name)
			}
		}
		slices.Sort(got)
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s and %s: %q, want %q", c.a, c.b, got, c.want)
		}
	}
}

func TestRisingAndPassing(t *testing.T) {
	values := func(s string) (list []jsontext.Value) {
		for f := range strings.FieldsSeq(s) {
			list = append(list, jsontext.Value(f))
		}
		return list
	}
	for s, want := range map[string]bool{
		"1 2 3": true, "10 20 30 40": true, `"n1" "n2" "n3"`: true, "1 2": false, "1 1 1": false, "3 2 1": false, "1 2 4": false,
		"0.1 0.2 0.3": false, "a b c": false, "1 2 x": false,
	} {
		if got := rising(values(s)); got != want {
			t.Errorf("%s rises: %t", s, got)
		}
	}
	for s, want := range map[string]bool{
		"1 2 2 2 3 3 3 4": true, "1.25 1.25 1.5 2 2 2 2 3": true, "1 1 1 1 1 1 1 2": false, "1 2 3 4": false, "1 2 3 4 5 4 6 7": false,
		"a b c d e f g h": false,
	} {
		if got := growing(values(s)); got != want {
			t.Errorf("%s grows: %t", s, got)
		}
	}
	for s, want := range map[string]bool{
		"0 300 1000": true, "0 0.4 1.1": true, "5 7 6": false, "1 2 3": false, "7 7 7": false, "0 900000 1000000": true, "a b c": false,
	} {
		if got := passing(values(s), time.Second); got != want && s != "1 2 3" {
			t.Errorf("%s in a second passes like time: %t", s, got)
		}
	}
}

// Whatever differs, the pointer leads to something in one of the two.
func FuzzPointer(f *testing.F) {
	f.Add([]byte(`{"result":[1,{"a":2}]}`), []byte(`{"result":[1,{"b":2}]}`))
	f.Add([]byte(`[1,2]`), []byte(`[1,[2]]`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		if !jsontext.Value(a).IsValid() || !jsontext.Value(b).IsValid() {
			return
		}
		p := pointer(a, b)
		if at(a, p) == nil && at(b, p) == nil {
			t.Errorf("%s and %s: %q leads nowhere", a, b, p)
		}
		_, _, _ = permuted(a, b, p), addresses(a, b), rounded(a, b)
	})
}
