package jsonrpc

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// closely is what a glance must agree with.
func closely(b []byte) bool {
	d := jsontext.NewDecoder(bytes.NewBuffer(b))
	_, err := d.ReadValue()
	return depth(b) <= MaxDepth && err == nil && atEnd(d) == nil
}

// TestGlance holds which JSON is told to be strict at a glance, and which is left to the decoder.
func TestGlance(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for s, want := range map[string]bool{
		`{}`: true, `[]`: true, `""`: true, `0`: true, `-1.5e+10`: true, `1E9`: true, `null`: true, `true`: true, `false`: true,
		` { "a" : [ 1 , { "b" : "c" } , "" ] , "d" : null } ` + "\n": true, `{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8}`: true,
		`"` + strings.Repeat("0", 100) + `"`: true, `"0123456"`: true, `"01234567"`: true, `"012345678"`: true, "\"\x7f\"": true,
		nested(MaxDepth): true,

		``: false, ` `: false, `{`: false, `[`: false, `"`: false, `-`: false, `01`: false, `1.`: false, `1e`: false, `.5`: false, `+1`: false,
		`nul`: false, `nulll`: false, `True`: false, `{"a":1,"a":2}`: false, `{"a":{},"b":[{"c":1,"c":1}]}`: false, `{a:1}`: false, `{"a"}`: false,
		`{"a":1,}`: false, `[1,]`: false, `[,1]`: false, `[1 2]`: false, `1 2`: false, `{} {}`: false, `{"a":1 "b":2}`: false, `"a`: false,
		"\"a\nb\"": false, "\"01234567\x00\"": false, "\"0123\x1f4567890\"": false, "\ufeff{}": false, "[1]\f": false,
		nested(MaxDepth + 1): false,

		`"é"`: false, `"\n"`: false, `"\ud800"`: false, "\"\xff\"": false, `{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9}`: false, // closely
	} {
		if got := glance([]byte(s), MaxDepth); got != want {
			t.Errorf("%.100q: %v, want %v", s, got, want)
		}
		if want && !closely([]byte(s)) {
			t.Errorf("%.100q is not strict", s)
		}
	}
	for i := range 120 { // wherever a byte stands
		for c := range 256 {
			b := []byte(`"` + strings.Repeat("x", 120) + `"`)
			b[1+i] = byte(c)
			if got, want := glance(b, MaxDepth), c >= ' ' && c < 0x80 && c != '"' && c != '\\'; got != want {
				t.Errorf("byte %#x at %d: %v", c, i, got)
			}
		}
	}
}

func BenchmarkGlance(b *testing.B) {
	text := []byte(`"` + strings.Repeat("x", 64<<10) + `"`)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		glance(text, 1)
	}
}

// FuzzGlance holds that a glance takes nothing that the decoder does not, and finds the same members.
func FuzzGlance(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"b":"c"}],"d":null}`, ` {"jsonrpc":"2.0","id":-1.5e3} `, `[[[{"x":{}}]]]`, `{"a":1,"a":2}`, `"\u0000"`, `[1,2`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if glance(b, MaxDepth) && !closely(b) {
			t.Errorf("%q is taken at a glance", b)
		}
		var a, id jsontext.Value
		if !glanceMembers(b, []member{{"a", &a}, {"id", &id}}) {
			if a != nil || id != nil {
				t.Errorf("%q leaves something behind", b)
			}
			return
		}
		if !closely(b) {
			t.Errorf("%q is read at a glance", b)
		}
		var both [2]jsontext.Value
		d := jsontext.NewDecoder(bytes.NewBuffer(b))
		_, _ = d.ReadToken()
		for d.PeekKind() == '"' {
			name, _ := d.ReadToken()
			member := name.String()
			v, _ := d.ReadValue()
			both[strings.Index("a id", member)/2] = v.Clone()
		}
		if !bytes.Equal(both[0], a) || !bytes.Equal(both[1], id) {
			t.Errorf("%q has %s and %s, not %s and %s", b, both[0], both[1], a, id)
		}
	})
}
