package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barnraise/manifest"
	"barnraise/service/servicetest"
	"barnraise/wasm"
)

// The longest answers that a collection has are given within the limits of its manifest: a text of a mebibyte, of what is
// hardest to write, and a thousand long titles.
func TestLongestAnswers(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	from, dir := t.TempDir(), t.TempDir()
	write(t, from, map[string]string{"texts.tsv": titles(1000, strings.Repeat(`é"`, 341)) + "a\tb\t" + strings.Repeat(`"`, 1<<20) + "\n"})
	carriedOut(t, "-tsv", filepath.Join(from, "texts.tsv"), "-out", dir)
	m, err := manifest.ReadSource(filepath.Join(dir, "service.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(servicetest.Build(t, "..", "wasip1", "-buildmode=c-shared", "-overlay", filepath.Join(dir, "overlay.json")))
	if err != nil {
		t.Fatal(err)
	}
	engine, err := wasm.NewEngine("")
	if err != nil {
		t.Fatal(err)
	}
	module, err := engine.Compile(t.Context(), code, wasm.ServiceCaps(), wasm.Limits{
		Fuel: uint64(m.Limits.Fuel), Memory: uint64(m.Limits.Memory), Stack: wasm.ServiceStack, Snapshots: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{request(t, "search_document", []any{"a", true}), request(t, "search_query", []any{"word", 1000})} {
		instance, err := module.Instantiate(t.Context(), wasm.IO{})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := instance.Exchange(t.Context(), "handle", []byte(body), int(m.Limits.Response))
		if err != nil || !strings.HasPrefix(string(answer), `{"jsonrpc":"2.0","id":1,"result":`) || len(answer) < 1_400_000 {
			t.Errorf("%s: %.200s, %d bytes, %v", body, answer, len(answer), err)
		}
		t.Logf("%d bytes took %d of %d units", len(answer), instance.FuelUsed(), m.Limits.Fuel)
		_ = instance.Close(t.Context())
	}
}

// titles is so many lines of a corpus, all of that title.
func titles(n int, title string) string {
	var corpus strings.Builder
	for i := range n {
		corpus.WriteString("document " + strings.Repeat("x", i%40) + " " + string(rune('a'+i/40)) + "\t" + title + "\tword\n")
	}
	return corpus.String()
}
