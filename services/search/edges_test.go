package main

import (
	"fmt"
	"strings"
	"testing"

	"barnraise/services/search/index"
)

// TestVerifierEdges holds that honest answers at the edges prove themselves: as many leaves as a proof can show, terms before the
// first and behind the last, words that fold to one term or to none.
func TestVerifierEdges(t *testing.T) {
	verify := loadVerifier(t)
	text := numbered(400, 1, "")
	file, err := index.Build(index.About{}, []index.Document{
		{ID: "a\"\\\n", Title: "\u2028", Text: text}, {ID: "A", Text: text}, {ID: "é", Text: "Straße ﬁne ŉ a\u0301b"}, {ID: "e\u0301", Text: "b000 b000"},
	})
	if err != nil {
		t.Fatal(err)
	}
	root := use(t, string(file))
	for _, q := range []string{
		numbered(32, 3, "x"), numbered(32, 1, "x"), numbered(16, 2, "x") + numbered(16, 5, ""), "a zz b0 b000 b000 b399 b399z",
		"ﬁne İ STRASSE strasse ŉ áb a\u0301b", "\u200d\u200b\ufeff\u00ad", "the of and", strings.Repeat("\U0001F600", 256),
	} {
		for _, k := range []int{1, 2, maxProvenHits} {
			request, response := call(t, "search_query", object{"q": q, "k": k, "proof": true})
			if got := said(verify(root, request, response)); got != "accepted 0 []" || strings.Contains(response, `"error"`) {
				t.Errorf("%q, %d hits: %s: %.200s", q, k, got, response)
			}
		}
	}
	request, _ := call(t, "search_document", []any{"é", true})
	_, other := call(t, "search_document", []any{"e\u0301", true})
	if got := said(verify(root, request, other)); got != "disagreement [0]" {
		t.Errorf("the document of an id that only looks the same: %s", got)
	}
}

// numbered is so many words, from the first of each step.
func numbered(n, step int, end string) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "b%03d%s ", i*step, end)
	}
	return text.String()
}
