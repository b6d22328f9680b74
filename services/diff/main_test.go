package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"barnraise/jsonrpc"
	"barnraise/service/servicetest"
	"barnraise/services/diff/text"
)

// Protocol 2.4, 2.5: the OpenRPC document describes the program, and its examples are calls that succeed.
func TestOpenRPC(t *testing.T) {
	if err := program.Check(); err != nil {
		t.Error(err)
	}
	want, err := program.OpenRPC()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile("openrpc.json"); err != nil || string(got) != string(want) {
		t.Error("write it again: go run . openrpc >openrpc.json")
	}
}

var answers = []struct{ name, method, params, want string }{
	{"by position", "diff_unified", `["a\n","a\nb",0,"x","y"]`,
		`"result":{"diff":"--- x\n+++ y\n@@ -1,0 +2 @@\n+b\n\\ No newline at end of file\n","removed":0,"added":1}`},
	{"equal", "diff_unified", `["a","a"]`, `"result":{"diff":"","removed":0,"added":0}`},
	{"texts of any language", "diff_unified", `["ä\n日本\n","ä\n日本語\n"]`,
		`"result":{"diff":"--- old\n+++ new\n@@ -1,2 +1,2 @@\n ä\n-日本\n+日本語\n","removed":1,"added":1}`},
	{"applied", "diff_apply", `["a\nb","--- x\n+++ y\n@@ -1,2 +1 @@ about\n-a\n b\n\\ No newline at end of file\n"]`, `"result":{"text":"b"}`},
	{"nothing to apply", "diff_apply", `["a",""]`, `"result":{"text":"a"}`},
	{"merged", "diff_merge", `["a\nb\n","a\nb\nc\n","b\n"]`,
		`"result":{"text":"b\nc\n","conflicts":0}`},

	{"too much context", "diff_unified", `{"old":"","new":"","context":101}`,
		`"error":{"code":-32602,"message":"param \"context\": want 0 to 100"}`},
	{"two lines of name", "diff_unified", `{"old":"","new":"","oldName":"a\nb"}`,
		`"error":{"code":-32602,"message":"param \"oldName\": want one line without control characters"}`},
	{"long name", "diff_unified", `{"old":"","new":"","newName":"` + strings.Repeat("n", maxName+1) + `"}`,
		`"error":{"code":-32602,"message":"param \"newName\": 257 bytes, at most 256"}`},
	{"long text", "diff_unified", `["` + strings.Repeat("n", text.MaxBytes+1) + `",""]`,
		`"error":{"code":-32602,"message":"param \"old\": text is too large: 262145 bytes, at most 262144"}`},
	{"many lines", "diff_merge", `["","","` + strings.Repeat(`\n`, text.MaxLines+1) + `"]`,
		`"error":{"code":-32602,"message":"param \"theirs\": text is too large: 10001 lines, at most 10000"}`},
	{"no patch", "diff_apply", `["a","b"]`,
		`"error":{"code":-32010,"message":"not_a_patch","data":"not a unified diff of one text: it has no hunk"}`},
	{"another text", "diff_apply", `["a\nb\nc\n","@@ -1 +1 @@\n-a\n+b\n@@ -3 +3 @@\n-d\n+e\n"]`,
		`"error":{"code":-32011,"message":"does_not_fit","data":"the patch does not fit the text: hunk 2"}`},
	{"a text of another type", "diff_apply", `[7,""]`, `"error":{"code":-32602,"message":"param \"text\": want a string"}`},
}

func TestAnswers(t *testing.T) {
	for _, c := range answers {
		t.Run(c.name, func(t *testing.T) {
			if got, want := string(program.Handle(request(t, c.method, c.params))), `{"jsonrpc":"2.0","id":1,`+c.want+`}`; got != want {
				t.Errorf("\n got %.500s\nwant %.500s", got, want)
			}
		})
	}
}

func request(t testing.TB, method, params string) []byte {
	t.Helper()
	b, err := jsonrpc.NewRequest(method, []byte(params))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Both variants answer alike, also what takes longest: texts in which nothing is equal, nothing stands once, or every line
// moved.
func TestVariantsAgree(t *testing.T) {
	requests := []string{`{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}`}
	for _, c := range answers {
		requests = append(requests, string(request(t, c.method, c.params)))
	}
	p := servicetest.Start(t, ".")
	for _, w := range wide() {
		asked := string(request(t, w.method, w.params))
		i := p.Instance(t)
		if a, b := i.Call(t, asked), p.Post(t, asked); !bytes.Equal(a, b) {
			t.Errorf("%s: the reactor answers %.300s, the process %.300s", w.name, a, b)
		}
		if i.Fuel() > fuel/2 {
			t.Errorf("%s: %d units of fuel, more than half of what service.yaml grants", w.name, i.Fuel())
		}
		i.Close(t)
	}
	p.Agree(t, requests)
}

// fuel is what service.yaml grants.
const fuel = 2_000_000_000

func TestFuelIsGranted(t *testing.T) {
	granted, err := os.ReadFile("service.yaml")
	if err != nil || !strings.Contains(string(granted), fmt.Sprintf("fuel: %d ", fuel)) {
		t.Errorf("service.yaml grants other fuel than %d (%v)", fuel, err)
	}
}

type wideCase struct{ name, method, params string }

// wide are the calls that take longest.
func wide() []wideCase {
	lines := func(f func(i int) int) string {
		var b strings.Builder
		for i := range text.MaxLines {
			fmt.Fprintf(&b, `%d\n`, f(i))
		}
		return `"` + b.String() + `"`
	}
	count := func(i int) int { return i }
	other := func(i int) int { return i + i%2*20000 }
	unified := func(name string, b func(i int) int) wideCase {
		return wideCase{name, "diff_unified", "[" + lines(count) + "," + lines(b) + "]"}
	}
	return []wideCase{
		unified("a line in a thousand", func(i int) int { return i - i%1000/999*20000 }),
		unified("every other line", other),
		unified("nothing equal", func(i int) int { return i + 20000 }),
		unified("moved", func(i int) int { return (i + text.MaxLines/2) % text.MaxLines }),
		unified("backwards", func(i int) int { return text.MaxLines - i }),
		{"two lines only", "diff_unified",
			"[" + lines(func(i int) int { return i % 2 }) + "," + lines(func(i int) int { return i / 3 % 2 }) + "]"},
		{"merge", "diff_merge", "[" + lines(count) + "," + lines(other) + "," + lines(func(i int) int { return i - i%2*20000 }) + "]"},
	}
}

// BenchmarkWide is what the limits in service.yaml are measured by: the time of a fresh reactor, and its fuel.
func BenchmarkWide(b *testing.B) {
	p := servicetest.Program{Reactor: servicetest.Compile(b, servicetest.Build(b, ".", "wasip1", "-buildmode=c-shared"))}
	for _, w := range wide() {
		b.Run(w.name, func(b *testing.B) {
			asked := string(request(b, w.method, w.params))
			var used uint64
			for b.Loop() {
				i := p.Instance(b)
				i.Call(b, asked)
				used = i.Fuel()
				i.Close(b)
			}
			b.ReportMetric(float64(used), "fuel")
		})
	}
}
