package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"barnraise/image/overlay"
	"barnraise/jsonrpc"
	"barnraise/service/servicetest"
	"barnraise/services/search/index"

	"github.com/go-json-experiment/json"
)

// goIndex is the index of the toolchain's own library, built once for all tests.
var goIndex = sync.OnceValues(func() ([]byte, error) {
	documents, about, err := standardLibrary("", &bytes.Buffer{})
	if err != nil {
		return nil, err
	}
	return index.Build(about, documents)
})

func openGo(t testing.TB) *index.Index {
	t.Helper()
	file, err := goIndex()
	if err != nil {
		t.Fatal(err)
	}
	x, err := index.Open(string(file))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestGoLibrary(t *testing.T) {
	x := openGo(t)
	if x.Documents() < 6000 {
		t.Errorf("%d documents, want most of the standard library", x.Documents())
	}
	for _, id := range []string{"io", "io.Copy", "io.Reader.Read", "bytes.Buffer.WriteTo", "net/http.Server", "builtin.append", "io.SeekStart"} {
		if _, err := x.Document(id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	for _, c := range []struct {
		query, doc string
		within     int
	}{
		{"copy until end of file", "io.Copy", 10},
		{"io copy", "io.Copy", 3},
		{"sort a slice in stable order", "sort.Stable", 5},
		{"wait for goroutines to finish", "sync.WaitGroup", 5},
		{"bytes buffer", "bytes.Buffer", 3},
		{"ReadAll", "io.ReadAll", 3},
	} {
		r, err := x.Search(c.query, c.within)
		if err != nil || !slices.ContainsFunc(r.Hits, func(h index.Hit) bool { return h.Doc == c.doc }) {
			t.Errorf("%q: %s is not among the first %d hits: %v, %v", c.query, c.doc, c.within, r.Hits, err)
		}
	}
}

// The same corpus gives the same bytes, whoever reads it, wherever it is put.
func TestGoLibraryIsDeterministic(t *testing.T) {
	want, err := goIndex()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	if code := run([]string{"-go", "-out", dir}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	if got, err := os.ReadFile(filepath.Join(dir, "index.bin")); err != nil || !bytes.Equal(got, want) {
		t.Errorf("a second index of the same library differs (%v)", err)
	}
}

// queries are made of the library's own words.
func queries(t testing.TB, x *index.Index, n int) (queries []string) {
	r, err := x.Search("file read string value type time error byte slice http", 400)
	if err != nil {
		t.Fatal(err)
	}
	var vocabulary []string
	for _, h := range r.Hits {
		d, err := x.Document(h.Doc)
		if err != nil {
			t.Fatal(err)
		}
		vocabulary = append(vocabulary, strings.Fields(d.Text)...)
	}
	random := rand.New(rand.NewPCG(5, 6))
	for range n {
		words := make([]string, 1+random.IntN(6))
		for i := range words {
			words[i] = vocabulary[random.IntN(len(vocabulary))]
		}
		queries = append(queries, strings.Join(words, " "))
	}
	return queries
}

// asRequests are search_query requests, with every number of hits up to 20.
func asRequests(t testing.TB, queries []string, proof bool) (requests []string) {
	for i, q := range queries {
		requests = append(requests, request(t, "search_query", map[string]any{"q": q, "k": 1 + i%20, "proof": proof}))
	}
	return requests
}

func request(t testing.TB, method string, params any) string {
	asJSON, err := json.Marshal(params, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	body, err := jsonrpc.NewRequest(method, asJSON)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func startGo(t testing.TB) *servicetest.Program {
	t.Helper()
	file, err := goIndex()
	if err != nil {
		t.Fatal(err)
	}
	return startWith(t, file)
}

// startWith starts the program with an index of ours.
func startWith(t testing.TB, file []byte) *servicetest.Program {
	t.Helper()
	dir := t.TempDir()
	w, err := overlay.New(dir, "..")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Replace("index.bin", file), w.PutOverlay()); err != nil {
		t.Fatal(err)
	}
	return servicetest.Start(t, "..", "-overlay", filepath.Join(dir, "overlay.json"))
}

// Protocol 2.1: native and wasm give the same bytes, over the real collection.
func TestVariantsAgree(t *testing.T) {
	x := openGo(t)
	requests := append(asRequests(t, queries(t, x, 200), false), asRequests(t, queries(t, x, 200), true)...)
	for _, prefix := range []string{"a", "re", "zz", "9", "prox", "É", "", "a b", "日"} {
		requests = append(requests, request(t, "search_suggest", []any{prefix}), request(t, "search_suggest", []any{prefix, 3, true}))
	}
	requests = append(requests,
		request(t, "search_info", []any{}), request(t, "rpc.discover", []any{}), request(t, "search_document", []any{"io.Copy"}), request(t, "search_document", []any{"builtin.append", true}),
		request(t, "search_document", []any{"nothing"}), request(t, "search_document", []any{"syscall"}), request(t, "search_nothing", []any{}),
		request(t, "search_query", []any{"func type package returns string error file", 1000}), request(t, "search_query", []any{"", 1}),
		request(t, "search_query", []any{"über naïve 日本語 \u2028 \U0001f600 <&>"}), request(t, "search_query", []any{"copy", 1001}),
		request(t, "search_query", []any{strings.Repeat("x ", 600)}), `{`, `[]`, ``)
	p := startGo(t)
	p.Agree(t, requests)
	checkFuel(t, p)
	if got := p.Post(t, request(t, "search_info", []any{})); !bytes.Contains(got, fmt.Appendf(nil, `"docs":%d,`, x.Documents())) {
		t.Errorf("the program was not built with the collection: %s", got)
	}
}

// checkFuel holds the fuel in service.yaml to five times what the widest query takes, and the response to what it is answered with.
func checkFuel(t *testing.T, p *servicetest.Program) {
	const granted = 500_000_000
	manifest, err := os.ReadFile("../service.yaml")
	if err != nil || !bytes.Contains(manifest, fmt.Appendf(nil, "fuel: %d ", granted)) {
		t.Errorf("service.yaml grants other fuel than %d (%v)", granted, err)
	}
	const widest = "func type package returns string error file value byte int read write name method interface see which when any " +
		"used use set can each may only new one time default first same"
	for _, params := range [][]any{{widest, 1000}, {widest, 50, true}} {
		m := p.Instance(t)
		answer := m.Call(t, request(t, "search_query", params))
		t.Logf("%v: %d units of fuel, answered with %d bytes", params[1:], m.Fuel(), len(answer))
		if m.Fuel() > granted/5 || len(answer) > 1<<20 || bytes.Count(answer, []byte(`"doc":`)) != params[1] {
			t.Errorf("%v take %d units of fuel, more than a fifth of what service.yaml grants; the answer has %d bytes: %.100s",
				params, m.Fuel(), len(answer), answer)
		}
		m.Close(t)
	}
}

func BenchmarkBuildGo(b *testing.B) {
	documents, about, err := standardLibrary("", &bytes.Buffer{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		file, err := index.Build(about, documents)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(file)), "bytes")
	}
}

// BenchmarkQuery reports the median of some hundred different queries.
func BenchmarkQuery(b *testing.B) {
	x := openGo(b)
	texts := queries(b, x, 300)
	requests, proven := asRequests(b, texts, false), asRequests(b, texts, true)
	p := startGo(b)
	b.Run("index", func(b *testing.B) {
		median(b, requests, func(i int) {
			if _, err := x.Search(texts[i], 10); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("linux", func(b *testing.B) { median(b, requests, func(i int) { p.Post(b, requests[i]) }) })
	kept := p.Instance(b)
	b.Run("wasm-kept", func(b *testing.B) { median(b, requests, func(i int) { kept.Call(b, requests[i]) }) })
	warm := p.Warm(b)
	b.Run("wasm-snapshot", func(b *testing.B) { median(b, requests, func(i int) { warm.Call(b, requests[i]) }) })
	b.Run("wasm-snapshot-proof", func(b *testing.B) { median(b, proven, func(i int) { warm.Call(b, proven[i]) }) })
	b.Run("wasm-fresh", func(b *testing.B) {
		median(b, requests, func(i int) {
			m := p.Instance(b)
			m.Call(b, requests[i])
			m.Close(b)
		})
	})
}

func median(b *testing.B, requests []string, ask func(i int)) {
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		start := time.Now()
		ask(i % len(requests))
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
}
