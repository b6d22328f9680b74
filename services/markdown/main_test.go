package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"barnraise/jsonrpc"
	"barnraise/service/servicetest"
	"barnraise/services/markdown/page"

	"github.com/go-json-experiment/json/jsontext"
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
	{"by position", "markdown_html", `["~~a~~",true]`, `"result":{"html":"<p>~~a~~</p>\n"}`},
	{"nothing", "markdown_html", `[""]`, `"result":{"html":""}`},
	{"any language", "markdown_toc", `["# Ünïcödé 日本語"]`,
		`"result":{"headings":[{"level":1,"title":"Ünïcödé 日本語","id":"ünïcödé-日本語"}]}`},
	{"no headings", "markdown_toc", `["a"]`, `"result":{"headings":[]}`},

	{"too long", "markdown_html", `["` + strings.Repeat("a", page.MaxBytes+1) + `"]`,
		`"error":{"code":-32602,"message":"param \"text\": text is too large: 65537 bytes, at most 65536"}`},
	{"too deep", "markdown_toc", `["` + strings.Repeat(">", 40) + `"]`,
		`"error":{"code":-32010,"message":"too_complex","data":"text is too complex: line 1 opens more than 32 quotes and lists"}`},
	{"too much HTML", "markdown_html", `["[a]: /` + strings.Repeat("b", page.MaxBytes/2) + `\n\n` + strings.Repeat("[a]", 100) + `"]`,
		`"error":{"code":-32010,"message":"too_complex","data":"write HTML: text is too complex: its HTML has more than 1048576 bytes"}`},
	{"another type", "markdown_html", `[7]`, `"error":{"code":-32602,"message":"param \"text\": want a string"}`},
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

// fuel is what service.yaml grants.
const fuel = 6_000_000_000

// Both variants answer alike, also what takes longest, and that takes at most half of what is granted.
func TestVariantsAgree(t *testing.T) {
	granted, err := os.ReadFile("service.yaml")
	if err != nil || !strings.Contains(string(granted), fmt.Sprintf("fuel: %d ", fuel)) {
		t.Errorf("service.yaml grants other fuel than %d (%v)", fuel, err)
	}
	requests := []string{`{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}`}
	for _, c := range answers {
		requests = append(requests, string(request(t, c.method, c.params)))
	}
	p := servicetest.Start(t, ".")
	for _, w := range wide() {
		i := p.Instance(t)
		if a, b := i.Call(t, w.request), p.Post(t, w.request); !bytes.Equal(a, b) {
			t.Errorf("%s: the reactor answers %.300s, the process %.300s", w.name, a, b)
		}
		if i.Fuel() > fuel/2 {
			t.Errorf("%s: %d units of fuel, more than half of what service.yaml grants", w.name, i.Fuel())
		}
		i.Close(t)
	}
	p.Agree(t, requests)
}

type wideCase struct{ name, request string }

// wide are the texts that take longest, as long as they may be.
func wide() (list []wideCase) {
	fill := func(s string, n int) string { return strings.Repeat(s, min(n, page.MaxBytes/len(s))) }
	for _, c := range []struct{ name, text string }{
		{"plain", fill("Some words in a paragraph.\n\n", page.MaxBytes)},
		{"quotes", fill(strings.Repeat("> ", 32)+"a\n\n", page.MaxBytes)},
		{"lists", fill(strings.Repeat("1. ", 32)+"a\n", page.MaxBytes)},
		{"links", fill("[a](b", 2048)},
		{"links with titles", fill("[a](<b", 2048)},
		{"brackets", fill("[", 2048) + fill("]", 2048)},
		{"stars", fill("*a_ ", 3072)},
		{"strong", fill("a**b", 1536) + fill("c* ", 3072)},
		{"references", fill("[a]: b\n", 1024) + fill("[a]", 1024)},
		{"headings", fill("#\n", page.MaxBytes)},
		{"rules", fill("a\n-\n", page.MaxBytes)},
		{"table", "|a|b|\n|-|-|\n" + fill("|c|d|\n", 10_000)},
		{"empty cells", fill("|a", 32) + "\n" + fill("|-", 32) + "\n" + fill("a\n", 990)},
		{"addresses", fill("www.a.example ", page.MaxBytes)},
		{"code", fill("`a``b```", page.MaxBytes)},
	} {
		text, _ := jsontext.AppendQuote(nil, c.text)
		list = append(list, wideCase{c.name, `{"jsonrpc":"2.0","id":1,"method":"markdown_html","params":[` + string(text) + `]}`})
	}
	return list
}

// BenchmarkWide is what the limits in service.yaml are measured by: the time of a fresh reactor, and its fuel.
func BenchmarkWide(b *testing.B) {
	p := servicetest.Program{Reactor: servicetest.Compile(b, servicetest.Build(b, ".", "wasip1", "-buildmode=c-shared"))}
	for _, w := range wide() {
		b.Run(w.name, func(b *testing.B) {
			var used uint64
			for b.Loop() {
				i := p.Instance(b)
				i.Call(b, w.request)
				used = i.Fuel()
				i.Close(b)
			}
			b.ReportMetric(float64(used), "fuel")
		})
	}
}
