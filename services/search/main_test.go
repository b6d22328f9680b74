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

// sampleRoot names the collection of the repository. Another layout, analyzer or scoring is another root.
const sampleRoot = "762fd8765204b309ec70855d1657f6a4a6a513e2"

// The sample collection is part of the repository, so its answers are known.
func TestAnswers(t *testing.T) {
	for _, c := range []struct{ name, method, params, want string }{
		{"query", "search_query", `{"q":"Sorting slices, until the end","k":2}`,
			`"result":{"root":"` + sampleRoot + `","terms":[{"term":"sort","df":1},{"term":"slice","df":3},{"term":"until","df":2},{"term":"end","df":2}],"total":4,` +
				`"hits":[{"doc":"sort.Slice","score":230,"title":"func sort.Slice(x any, less func(i, j int) bool)"},` +
				`{"doc":"io.ReadAll","score":219,"title":"func io.ReadAll(r Reader) ([]byte, error)"}]}`},
		{"by position", "search_query", `["duration"]`,
			`"result":{"root":"` + sampleRoot + `","terms":[{"term":"durat","df":1}],"total":1,"hits":[{"doc":"time.Duration","score":174,"title":"type time.Duration int64"}]}`},
		{"nothing", "search_query", `["of the"]`, `"result":{"root":"` + sampleRoot + `","terms":[],"total":0,"hits":[]}`},
		{"document", "search_document", `{"doc":"os.Open"}`,
			`"result":{"root":"` + sampleRoot + `","doc":"os.Open","title":"func os.Open(name string) (*File, error)",` +
				`"text":"Open opens a file for reading. Close the file when you are done."}`},
		{"info", "search_info", `{}`,
			`"result":{"root":"` + sampleRoot + `","about":"b2fdf2511545c7d87b9fd8f84999cdb2a7c01d53","docs":8,"terms":71,` +
				`"termsRoot":"34b64545a1cc09f9704270249fdce02550cc4eef","namesRoot":"55aeda69bdd4e881ea71f1e8aed263475cda7b1a",` +
				`"textsRoot":"62721155ad6bbf8375addc4f0c0560e8414eac4a","analyzer":"porter2-en-1","scoring":"bm25-i64-1","name":"sample",` +
				`"corpus":"eight texts that come with the source","licence":"that of the source"}`},
		{"most hits", "search_query", `{"q":"xylophone","k":1000}`, `"result":{"root":"` + sampleRoot + `","terms":[{"term":"xylophon","df":0}],"total":0,"hits":[]}`},
		{"longest query", "search_query", `["` + strings.Repeat("a", maxQuery) + `"]`, `"result":{"root":"` + sampleRoot + `","terms":[],"total":0,"hits":[]}`},

		{"query, proven", "search_query", `{"q":"durations xylophone","k":1,"proof":true}`,
			`"result":{"root":"` + sampleRoot + `","terms":[{"term":"durat","df":1},{"term":"xylophon","df":0}],"total":1,` +
				`"hits":[{"doc":"time.Duration","score":174,"title":"type time.Duration int64"}],"proof":"` +
				`sv3yURVFx9h7n9j4SZnNsqfAHVMIRwMPBWR1cmF0AQECrmE1AXgBABa9ddD4Ffu082eHp45wQGHc8o8rAAN5b3UBAGZfTsVwHtlLePCB` +
				`xbj/eCJkMV6buMycbb1UeA5Ov5Zst+oHFRKOOGBOowrHy/zvlxhEXxnYz/bY4dQ8Zg/sZSGmwaPvPz2lT9Lmd0XixYNKlnzn7OZfDoWV` +
				`dK+OW9CqUANBXBZw3rU8shboC5qYCOnCwJCUk7j0mKXEr6wkSYzzp39z7BRf0uhjKHGN9YUhWw1BxX4qTSQ7sXhZyUfwS5ZbKZ11QUne` +
				`7L3k1lxtN68Ct3M3Lwaggfuf7mPkqCoS7q1xGV88lW7+xsGoXUGrmcjFuf1wB/Yly8Z26R6J1gxONfdAXCf2LY5vuN0LRF9m7XpichFV` +
				`rWu/g3Wt3E8MBWDoQU6sSg=="}`},
		{"suggest", "search_suggest", `{"prefix":"Re","k":2}`,
			`"result":{"root":"` + sampleRoot + `","terms":[{"term":"read","df":3},{"term":"readal","df":1}]}`},
		{"suggest, proven", "search_suggest", `["zy",10,true]`, `"result":{"root":"` + sampleRoot + `","terms":[],"proof":"` +
			`sv3yURVFx9h7n9j4SZnNsqfAHVMIRwFGA3lvdQEAZl9OxXAe2Ut48IHFuP94ImQxXpuPbfmqlKawTw6QdTtPJj9nXc727fWFIVsNQcV+` +
			`Kk0kO7F4WclH8EuWf639A5nTL6WixtCJ34FKmKJMNldVrtppvdTogepx8eiu0mNHXNp7GmJyEVWta7+Dda3cTwwFYOhBTqxK"}`},
		{"document, proven", "search_document", `["os.Open",true]`,
			`"result":{"root":"` + sampleRoot + `","doc":"os.Open","title":"func os.Open(name string) (*File, error)",` +
				`"text":"Open opens a file for reading. Close the file when you are done.","proof":"` +
				`sv3yURVFx9h7n9j4SZnNsqfAHVMIRwA0tkVFocwJ+XBCcCSf3OAlUMxO7weggfuf7mPkqCoS7q1xGV88lW7+xsGoXUGrmcjFuf1wB/Yl` +
				`y8Z26R6JzPcOgQQ7db8eez4E38lnMAvR3iIWg1MG5Xm+mIWyxuP+2H4AiXoT8fkf+D7MD5wLP8CgB/A6TqIec/8e3IoOxocTAHCMFCaM` +
				`HtsEwdfdMqo="}`},
		{"not proven", "search_document", `{"doc":"os.Open","proof":false}`,
			`"result":{"root":"` + sampleRoot + `","doc":"os.Open","title":"func os.Open(name string) (*File, error)",` +
				`"text":"Open opens a file for reading. Close the file when you are done."}`},
		{"most proven hits", "search_query", `{"q":"","k":50,"proof":true}`,
			`"result":{"root":"` + sampleRoot + `","terms":[],"total":0,"hits":[],"proof":"` +
				`sv3yURVFx9h7n9j4SZnNsqfAHVMIRwA0tkVFocwJ+XBCcCSf3OAlUMxO71Wu2mm91OiB6nHx6K7SY0dc2nsaYnIRVa1rv4N1rdxPDAVg` +
				`6EFOrEo="}`},

		{"unknown document", "search_document", `["os.Shut"]`, `"error":{"code":-32011,"message":"unknown_doc"}`},
		{"no query", "search_query", `{}`, `"error":{"code":-32602,"message":"param \"q\" is missing"}`},
		{"query of another type", "search_query", `[7]`, `"error":{"code":-32602,"message":"param \"q\": want a string"}`},
		{"long query", "search_query", `["` + strings.Repeat("é", 513) + `"]`, `"error":{"code":-32602,"message":"param \"q\": 1026 bytes, at most 1024"}`},
		{"no hits wanted", "search_query", `{"q":"a","k":0}`, `"error":{"code":-32602,"message":"param \"k\": want 1 to 1000"}`},
		{"too many hits", "search_query", `{"q":"a","k":1001}`, `"error":{"code":-32602,"message":"param \"k\": want 1 to 1000"}`},
		{"fraction", "search_query", `{"q":"a","k":1.5}`, `"error":{"code":-32602,"message":"param \"k\": want an integer of 64 bits"}`},
		{"too many terms", "search_query", `["` + words(index.MaxTerms+1) + `"]`, `"error":{"code":-32602,"message":"param \"q\": more than 32 different terms"}`},
		{"too many proven hits", "search_query", `{"q":"a","k":51,"proof":true}`, `"error":{"code":-32602,"message":"param \"k\": want 1 to 50 with a proof"}`},
		{"no proven hits wanted", "search_query", `{"q":"a","k":0,"proof":true}`, `"error":{"code":-32602,"message":"param \"k\": want 1 to 50 with a proof"}`},
		{"proof of another type", "search_query", `{"q":"a","proof":1}`, `"error":{"code":-32602,"message":"param \"proof\": want true or false"}`},
		{"proof is null", "search_query", `{"q":"a","proof":null}`, `"error":{"code":-32602,"message":"param \"proof\": want true or false"}`},
		{"k is null", "search_query", `{"q":"a","k":null}`, `"error":{"code":-32602,"message":"param \"k\": want an integer of 64 bits"}`},
		{"too many params", "search_query", `["a",1,true,1]`, `"error":{"code":-32602,"message":"4 params given, at most 3 known"}`},
		{"no prefix", "search_suggest", `[]`, `"error":{"code":-32602,"message":"param \"prefix\" is missing"}`},
		{"empty prefix", "search_suggest", `[""]`, `"error":{"code":-32602,"message":"param \"prefix\": want one word"}`},
		{"two words", "search_suggest", `["a b"]`, `"error":{"code":-32602,"message":"param \"prefix\": want one word"}`},
		{"an accent alone", "search_suggest", `["\u0301",10,true]`, `"error":{"code":-32602,"message":"param \"prefix\": want one word"}`},
		{"long prefix", "search_suggest", `["` + strings.Repeat("a", 65) + `"]`, `"error":{"code":-32602,"message":"param \"prefix\": 65 bytes, at most 64"}`},
		{"no suggestions wanted", "search_suggest", `["a",0]`, `"error":{"code":-32602,"message":"param \"k\": want 1 to 20"}`},
		{"too many suggestions", "search_suggest", `["a",21,true]`, `"error":{"code":-32602,"message":"param \"k\": want 1 to 20"}`},
		{"suggest a number", "search_suggest", `[1]`, `"error":{"code":-32602,"message":"param \"prefix\": want a string"}`},
		{"no document", "search_document", `{}`, `"error":{"code":-32602,"message":"param \"doc\" is missing"}`},
		{"document of another type", "search_document", `{"doc":["os.Open"]}`, `"error":{"code":-32602,"message":"param \"doc\": want a string"}`},
		{"proof of a document of another type", "search_document", `["os.Open","yes"]`, `"error":{"code":-32602,"message":"param \"proof\": want true or false"}`},
		{"unknown document, proven", "search_document", `["os.Shut",true]`, `"error":{"code":-32011,"message":"unknown_doc"}`},
		{"info with params", "search_info", `[1]`, `"error":{"code":-32602,"message":"1 params given, at most 0 known"}`},
		{"unknown method", "search_all", `[]`, `"error":{"code":-32601,"message":"method not found"}`},
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
	}{{index.ErrTooBroad, -32010}, {index.ErrUnknown, -32011}, {index.ErrTerms, -32602}, {index.ErrPrefix, -32602}, {index.ErrCorrupt, -32603}} {
		if got := failure(fmt.Errorf("search: %w", c.err)); got.Code != c.code {
			t.Errorf("%v is answered %d, want %d", c.err, got.Code, c.code)
		}
	}
}
