package canonical_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"barnraise/jsonrpc"
	"barnraise/services/matrix/canonical"
)

// Matrix specification, appendices, "Canonical JSON", "Examples".
var examples = []struct{ given, want string }{
	{`{}`, `{}`},
	{"{\n    \"one\": 1,\n    \"two\": \"Two\"\n}", `{"one":1,"two":"Two"}`},
	{"{\n    \"b\": \"2\",\n    \"a\": \"1\"\n}", `{"a":"1","b":"2"}`},
	{`{"b":"2","a":"1"}`, `{"a":"1","b":"2"}`},
	{`{
    "auth": {
        "success": true,
        "mxid": "@john.doe:example.com",
        "profile": {
            "display_name": "John Doe",
            "three_pids": [
                {"medium": "email", "address": "john.doe@example.org"},
                {"medium": "msisdn", "address": "123456789"}
            ]
        }
    }
}`, `{"auth":{"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":[` +
		`{"address":"john.doe@example.org","medium":"email"},{"address":"123456789","medium":"msisdn"}]},"success":true}}`},
	{`{"a": "日本語"}`, `{"a":"日本語"}`},
	{`{"本": 2, "日": 1}`, `{"日":1,"本":2}`},
	{`{"a": "\u65E5"}`, `{"a":"日"}`},
	{`{"a": null}`, `{"a":null}`},
	{`{"a": -0, "b": 1e10}`, `{"a":0,"b":10000000000}`},
}

func TestExamplesOfTheSpecification(t *testing.T) {
	for _, c := range examples {
		for _, strict := range []bool{true, false} {
			if got := write(t, c.given, strict); got != c.want {
				t.Errorf("%s\n got %s\nwant %s", c.given, got, c.want)
			}
		}
	}
}

func write(t *testing.T, given string, strict bool) string {
	t.Helper()
	v, err := canonical.Parse([]byte(given))
	if err != nil {
		t.Fatalf("%s: %v", given, err)
	}
	out, err := v.Append(nil, strict)
	if err != nil {
		t.Fatalf("%s: %v", given, err)
	}
	return string(out)
}

func TestWriting(t *testing.T) {
	for _, c := range []struct{ name, given, want string }{
		{"scalars", ` [ true , false, null,"" ] `, `[true,false,null,""]`},
		{"empty ones", `{"a":[ ],"b":{ }}`, `{"a":[],"b":{}}`},
		{"code points, not UTF-16", `{"\uD83D\uDE00":1,"\uFF5E":2}`, `{"～":2,"😀":1}`},
		{"escapes", `"\/\"\\\b\f\n\r\t\u0000\u001f\u007f\u2028"`, `"/\"\\\b\f\n\r\t\u0000\u001f` + "\x7f\u2028\""},
		{"lower case of hex", `"\u001A"`, `"\u001a"`},
		{"escapes and more", `"a\u00e9é\u00e9z"`, `"aéééz"`},
		{"names are unescaped before they are sorted", `{"b":1,"\u0061":2}`, `{"a":2,"b":1}`},
		{"greatest", `[9007199254740991,-9007199254740991,9007199254740991e0]`, `[9007199254740991,-9007199254740991,9007199254740991]`},
		{"whole, by exponent", `[100e-2,1E+2,0e999999999999]`, `[1,100,0]`},
		{"many members", `{"j":0,"i":1,"h":2,"g":3,"f":4,"e":5,"d":6,"c":7,"b":8,"a":9}`,
			`{"a":9,"b":8,"c":7,"d":6,"e":5,"f":4,"g":3,"h":2,"i":1,"j":0}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := write(t, c.given, true); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
			if again := write(t, c.want, true); again != c.want {
				t.Errorf("written again: %s", again)
			}
		})
	}
}

// Rooms before version 6 tolerate what canonical JSON has no place for.
func TestNumbersWithoutPlace(t *testing.T) {
	for _, c := range []struct {
		given  string
		at     int // in strict writing, -1 where it has a place
		strict string
		loose  string
	}{
		{`[9007199254740992]`, 1, "", `[9007199254740992]`},
		{`{"a":-9007199254740992}`, 5, "", `{"a":-9007199254740992}`},
		{`[1,1.5]`, 3, "", `[1,1.5]`},
		{`[1e400]`, 1, "", `[1e400]`},
		{`[1e-400]`, 1, "", `[1e-400]`},
		{`[1e999999999999999999]`, 1, "", `[1e999999999999999999]`},
		{`[10.0,-0.0]`, -1, `[10,0]`, `[10.0,-0.0]`},
		{`[123456789012345678901234567890]`, 1, "", `[123456789012345678901234567890]`},
		{`{"b":[0.5],"a":[0.25]}`, 16, "", `{"a":[0.25],"b":[0.5]}`},
	} {
		v, err := canonical.Parse([]byte(c.given))
		if err != nil {
			t.Fatal(err)
		}
		out, err := v.Append(nil, true)
		if at := position(err); at != c.at || at < 0 && string(out) != c.strict {
			t.Errorf("%s is written %s, bad at %d, want %s, %d", c.given, out, at, c.strict, c.at)
		}
		if out, err := v.Append(nil, false); err != nil || string(out) != c.loose {
			t.Errorf("%s is written %s, %v, want %s", c.given, out, err, c.loose)
		}
	}
}

func position(err error) int {
	var syntax *canonical.SyntaxError
	if errors.As(err, &syntax) {
		return syntax.At
	}
	return -1
}

func TestRefused(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	if _, err := canonical.Parse([]byte(deep(canonical.MaxDepth))); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		name, given string
		at          int
	}{
		{"nothing", "", 0}, {"space", "  ", 2}, {"more", "1 1", 2}, {"comma", "[1,]", 3}, {"no comma", "[1 2]", 3},
		{"no value", `{"a":}`, 5}, {"no colon", `{"a" 1}`, 5}, {"no name", `{1:2}`, 1}, {"open object", `{"a":1`, 6}, {"open array", `[1`, 2},
		{"open string", `"a`, 2}, {"control character", "\"a\nb\"", 2}, {"control character after an escape", "\"\\n\nb\"", 3},
		{"unknown escape", `"\x"`, 1}, {"end in an escape", `"\`, 1}, {"short escape", `"\u12"`, 1}, {"no hex", `"\u12g4"`, 1},
		{"lone high surrogate", `"a\uD800"`, 2}, {"lone low surrogate", `"\uDC00"`, 1}, {"two high surrogates", `"\uD800\uD800"`, 1},
		{"not UTF-8", "\"a\xffb\"", 2}, {"not UTF-8 before an escape", "\"\xff\\n\"", 1}, {"not UTF-8 after an escape", "\"\\n\xff\"", 3},
		{"surrogate in UTF-8", "\"\xed\xa0\x80\"", 1}, {"byte order mark", "\ufeff1", 0},
		{"twice", `{"a":1,"b":2,"a":3}`, 13}, {"twice by an escape", `{"a":1,"\u0061":3}`, 7}, {"twice, twice", `{"b":1,"b":2,"a":1,"a":2}`, 7},
		{"twice in many", `{"j":0,"i":1,"h":2,"g":3,"f":4,"e":5,"d":6,"c":7,"b":8,"a":9,"j":1}`, 61},
		{"leading zero", `01`, 1}, {"plus", `+1`, 0}, {"no digits", `-`, 1}, {"no fraction", `1.`, 2}, {"no exponent", `1e+`, 3},
		{"word", `nul`, 0}, {"infinity", `Infinity`, 0}, {"too deep", deep(canonical.MaxDepth + 1), canonical.MaxDepth},
	} {
		t.Run(c.name, func(t *testing.T) {
			if v, err := canonical.Parse([]byte(c.given)); position(err) != c.at || v.Exists() {
				t.Errorf("%q is read as %v, %v, want an error at %d", c.given, v, err, c.at)
			}
		})
	}
}

func TestReading(t *testing.T) {
	v, err := canonical.Parse([]byte(`{"s":"x","n":1e2,"f":0.5,"t":true,"z":null,"a":[1,[2]],"o":{"b":1,"a":2}}`))
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := v.Get("s").Str(); s != "x" || !ok {
		t.Error("no string")
	}
	if _, ok := v.Get("n").Str(); ok {
		t.Error("a number is a string")
	}
	if n, ok := v.Get("n").Int(); n != 100 || !ok {
		t.Error("no integer")
	}
	if _, ok := v.Get("f").Int(); ok {
		t.Error("a fraction is an integer")
	}
	if b, ok := v.Get("t").Bool(); !b || !ok {
		t.Error("no truth")
	}
	if z := v.Get("z"); z.Kind() != canonical.Null || !z.Exists() || v.Get("y").Exists() || v.Get("s").Get("s").Exists() {
		t.Error("null and nothing are the same")
	}
	if items := v.Get("a").Items(); len(items) != 2 || items[1].Items()[0].Kind() != canonical.Number {
		t.Error("no items")
	}
	if members := v.Get("o").Members(); len(members) != 2 || members[0].Name != "a" {
		t.Error("members are not sorted")
	}
}

func TestBuilding(t *testing.T) {
	o := canonical.OfMembers(canonical.Member{Name: "b", Value: canonical.OfInt(-1)}, canonical.Member{Name: "a", Value: canonical.OfBool(true)},
		canonical.Member{Name: "b", Value: canonical.OfString("\n")})
	o = o.With("c", canonical.OfItems(o.Without("b"), canonical.Value{})).With("a", canonical.OfBool(false))
	out, err := o.Append(nil, true)
	if want := `{"a":false,"b":"\n","c":[{"a":true},null]}`; err != nil || string(out) != want {
		t.Errorf("got %s, %v, want %s", out, err, want)
	}
}

// What it takes is what package jsonrpc takes, and what it writes is read and written the same again.
func FuzzParse(f *testing.F) {
	for _, c := range examples {
		f.Add([]byte(c.given))
	}
	f.Add([]byte(`{"a":"\ud83d\ude00\u0000","b":[-0.0e-7,1e400,{"":[]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := canonical.Parse(b)
		if strict := jsonrpc.Strict(b); (err == nil) != (strict == nil) {
			t.Fatalf("%q: %v, but %v by package jsonrpc", b, err, strict)
		}
		if err != nil {
			if at := position(err); at < 0 || at > len(b) {
				t.Fatalf("%q is bad at %d", b, at)
			}
			return
		}
		out, err := v.Append(nil, false)
		if err != nil {
			t.Fatal(err)
		}
		again, err := canonical.Parse(out)
		if err != nil {
			t.Fatalf("%q is written %q, which is not JSON: %v", b, out, err)
		}
		if twice, err := again.Append(nil, false); err != nil || !bytes.Equal(out, twice) {
			t.Fatalf("%q is written %q, and that %q", b, out, twice)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	event := `{"auth_events":["$a","$b","$c"],"content":{"membership":"join","displayname":"Somebody"},"depth":12,"hashes":{"sha256":"` +
		strings.Repeat("A", 43) + `"},"origin_server_ts":1700000000000,"prev_events":["$d"],"room_id":"!r","sender":"@a:b.c","signatures":` +
		`{"b.c":{"ed25519:1":"` + strings.Repeat("B", 86) + `"}},"state_key":"@a:b.c","type":"m.room.member","unsigned":{}}`
	text := []byte("[" + strings.Repeat(event+",", 4999) + event + "]")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := canonical.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
