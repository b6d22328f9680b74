package main

import (
	"fmt"
	"strings"
	"testing"

	"barnraise/jsonrpc"
	"barnraise/services/search/index"
)

// Protocol 2.4, 2.5: the OpenRPC document describes the program, and its examples are calls that succeed.
func TestOpenRPC(t *testing.T) {
	if err := program.Check(); err != nil {
		t.Error(err)
	}
	if strings.Contains(openrpc, `"$ref"`) {
		t.Error("openrpc.json has references, which a manifest must not")
	}
}

// The sample collection is part of the repository, so its answers are known.
func TestAnswers(t *testing.T) {
	for _, c := range []struct{ name, method, params, want string }{
		{"query", "search_query", `{"q":"Sorting slices, until the end","k":2}`,
			`"result":{"terms":[{"term":"sort","df":1},{"term":"slice","df":3},{"term":"until","df":2},{"term":"end","df":2}],"total":4,` +
				`"hits":[{"doc":"sort.Slice","score":230,"title":"func sort.Slice(x any, less func(i, j int) bool)"},` +
				`{"doc":"io.ReadAll","score":219,"title":"func io.ReadAll(r Reader) ([]byte, error)"}]}`},
		{"by position", "search_query", `["duration"]`,
			`"result":{"terms":[{"term":"durat","df":1}],"total":1,"hits":[{"doc":"time.Duration","score":174,"title":"type time.Duration int64"}]}`},
		{"nothing", "search_query", `["of the"]`, `"result":{"terms":[],"total":0,"hits":[]}`},
		{"document", "search_document", `{"doc":"os.Open"}`,
			`"result":{"doc":"os.Open","title":"func os.Open(name string) (*File, error)",` +
				`"text":"Open opens a file for reading. Close the file when you are done."}`},
		{"info", "search_info", `{}`,
			`"result":{"docs":8,"terms":71,"analyzer":"porter2-en-1","scoring":"bm25-i64-1","name":"sample",` +
				`"corpus":"eight texts that come with the source","licence":"that of the source"}`},
		{"most hits", "search_query", `{"q":"xylophone","k":1000}`, `"result":{"terms":[{"term":"xylophon","df":0}],"total":0,"hits":[]}`},
		{"longest query", "search_query", `["` + strings.Repeat("a", maxQuery) + `"]`, `"result":{"terms":[],"total":0,"hits":[]}`},

		{"unknown document", "search_document", `["os.Shut"]`, `"error":{"code":-32011,"message":"unknown_doc"}`},
		{"no query", "search_query", `{}`, `"error":{"code":-32602,"message":"param \"q\" is missing"}`},
		{"query of another type", "search_query", `[7]`, `"error":{"code":-32602,"message":"param \"q\": want a string"}`},
		{"long query", "search_query", `["` + strings.Repeat("é", 513) + `"]`, `"error":{"code":-32602,"message":"param \"q\": 1026 bytes, at most 1024"}`},
		{"no hits wanted", "search_query", `{"q":"a","k":0}`, `"error":{"code":-32602,"message":"param \"k\": want 1 to 1000"}`},
		{"too many hits", "search_query", `{"q":"a","k":1001}`, `"error":{"code":-32602,"message":"param \"k\": want 1 to 1000"}`},
		{"fraction", "search_query", `{"q":"a","k":1.5}`, `"error":{"code":-32602,"message":"param \"k\": want an integer of 64 bits"}`},
		{"too many terms", "search_query", `["` + words(index.MaxTerms+1) + `"]`, `"error":{"code":-32602,"message":"param \"q\": more than 32 different terms"}`},
		{"unknown param", "search_info", `{"x":1}`, `"error":{"code":-32602,"message":"param \"x\" is unknown"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			request, err := jsonrpc.NewRequest(c.method, []byte(c.params))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := string(program.Handle(request)), `{"jsonrpc":"2.0","id":1,`+c.want+`}`; got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		})
	}
}

func words(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("w%d", i)
	}
	return strings.Join(list, " ")
}

func TestFailure(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int64
	}{{index.ErrTooBroad, -32010}, {index.ErrUnknown, -32011}, {index.ErrTerms, -32602}, {index.ErrCorrupt, -32603}} {
		if got := failure(fmt.Errorf("search: %w", c.err)); got.Code != c.code {
			t.Errorf("%v is answered %d, want %d", c.err, got.Code, c.code)
		}
	}
}
