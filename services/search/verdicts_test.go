package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"barnraise/jsonrpc"
	"barnraise/service/merkle"
	"barnraise/services/search/index"
)

const (
	refused = `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"param \"k\": want 1 to 1000"}}`
	broken  = `{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"internal error"}}`
)

// TestVerdicts says what is to be said of the sample's answers, one or several.
func TestVerdicts(t *testing.T) {
	verify := loadVerifier(t)
	askedFor, right := call(t, "search_query", object{"q": "sort the slices", "k": 2, "proof": true})
	spaced := strings.NewReplacer(":", " : ", "sort.Slice", `sort\u002eSlice`).Replace(strings.Split(right, `"proof"`)[0]) +
		`"proof"` + strings.Split(right, `"proof"`)[1]
	plainly, plain := call(t, "search_query", []any{"sort the slices", 2})
	foreign := strings.Replace(plain, sampleRoot, strings.Repeat("0", 40), 1)
	lying := strings.Replace(right, `"total":`, `"total":1`, 1)
	other := strings.Replace(plain, `"total":`, `"total":1`, 1)
	described, info := call(t, "search_info", []any{})
	discovered, document := call(t, "rpc.discover", []any{})
	for _, c := range []struct {
		name, request string
		responses     []string
		want          string
	}{
		{"right", askedFor, []string{right}, "accepted 0 []"},
		{"wrong", askedFor, []string{lying}, "disagreement [0]"},
		{"all wrong", askedFor, []string{lying, lying}, "disagreement [0 1]"},
		{"wrong beside right", askedFor, []string{lying, right, lying}, "accepted 1 [0 2]"},
		{"two right", askedFor, []string{right, right}, "accepted 0 []"},
		{"two right, written otherwise", askedFor, []string{spaced, right}, "accepted 0 []"},
		{"an error", askedFor, []string{broken}, "undecided 2"},
		{"an error beside right", askedFor, []string{broken, right}, "accepted 1 [0]"},
		{"an error beside wrong", askedFor, []string{lying, broken}, "disagreement [0]"},
		{"two errors", askedFor, []string{broken, broken}, "accepted 0 []"},
		{"two errors, wrong", askedFor, []string{broken, broken, lying}, "accepted 0 [2]"},
		{"other errors", askedFor, []string{broken, refused}, "disagreement []"},
		{"no proof though wanted", askedFor, []string{plain}, "disagreement [0]"},
		{"no proof", plainly, []string{plain}, "undecided 2"},
		{"no proof, two", plainly, []string{plain, plain}, "accepted 0 []"},
		{"no proof, two that differ", plainly, []string{plain, other}, "disagreement []"},
		{"no proof, other collection", plainly, []string{foreign}, "disagreement [0]"},
		{"no proof, two and another collection", plainly, []string{foreign, plain, plain}, "accepted 1 [0]"},
		{"no proof, one and another collection", plainly, []string{plain, foreign}, "disagreement [1]"},
		{"no proof, result and error", plainly, []string{plain, broken}, "disagreement []"},
		{"a proof that was not wanted", plainly, []string{right}, "disagreement [0]"},
		{"no proof, other terms", plainly, []string{strings.Replace(plain, `"sort","df":1`, `"sorts","df":1`, 1)}, "disagreement [0]"},
		{"info", described, []string{info}, "accepted 0 []"},
		{"info and an error", described, []string{broken, info}, "accepted 1 [0]"},
		{"other info", described, []string{strings.Replace(info, `"docs":8`, `"docs":9`, 1), info}, "accepted 1 [0]"},
		{"discover", discovered, []string{document}, "undecided 2"},
		{"discover, two", discovered, []string{document, document}, "accepted 0 []"},
		{"no object", plainly, []string{`{"jsonrpc":"2.0","id":1,"result":7}`}, "disagreement [0]"},
		{"null", plainly, []string{`{"jsonrpc":"2.0","id":1,"result":null}`}, "disagreement [0]"},
	} {
		if got := said(verify(sampleRoot, c.request, c.responses...)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestVerifierConfig(t *testing.T) {
	verify := loadVerifier(t)
	request, right := call(t, "search_query", []any{"sort", 2, true})
	for config, want := range map[string]string{
		sampleRoot:                                       "accepted 0 []",
		`{ "root" : "` + sampleRoot + `" }`:              "accepted 0 []",
		`{"root":"` + sampleRoot + `","x":1}`:            "undecided 0",
		`{"x":1,"root":"` + sampleRoot + `"}`:            "undecided 0",
		`{"root":"` + strings.ToUpper(sampleRoot) + `"}`: "undecided 0",
		`{"root":"` + sampleRoot[1:] + `"}`:              "undecided 0",
		`{"root":"0` + sampleRoot + `"}`:                 "undecided 0",
		`{"root":7}`:                                     "undecided 0",
		`{}`:                                             "undecided 0",
		`["root","` + sampleRoot + `"]`:                  "undecided 0",
		`null`:                                           "undecided 0",
	} {
		if got := said(verify(config, request, right)); got != want {
			t.Errorf("%s: %s, want %s", config, got, want)
		}
	}
}

// TestVerifierParams holds that the verifier takes the params that the service takes: a result is wrong where the service answers
// -32602, and nowhere else.
func TestVerifierParams(t *testing.T) {
	verify := loadVerifier(t)
	values := []string{"1", "0", "-1", "10", "50", "51", "1000", "1001", "1e1", "1.0", "-0", "1E0", "20", "21", "99999999999999999999", "true", "false", "null",
		`"x"`, `""`, `"the"`, `"\u0061b"`, `"two words"`, `" x "`, `"x\u0301"`, `"\u0301"`, `"os.Open"`, `"é"`, "[]", "{}", "[true]",
		`"` + strings.Repeat("a", 64) + `"`, `"` + strings.Repeat("a", 65) + `"`, `"` + strings.Repeat("é", 512) + `"`,
		`"` + strings.Repeat("é", 513) + `"`, `"` + words(32) + `"`, `"` + words(33) + `"`, `"` + words(32) + ` the w1 W2"`}
	params := []string{"", "[]", "{}", `{"":1}`, `{"Q":"x"}`, `{"q":"x","K":1}`, `["x",1,true,1]`, `["x",true]`, `["os.Open",true,1]`, `["x",null]`, `["x",1,null]`}
	for _, v := range values {
		params = append(params, "["+v+"]", `["x",`+v+`]`, `["x",1,`+v+`]`, `["x",51,`+v+`]`, `["x",21,`+v+`]`, `["os.Open",`+v+"]")
		for _, format := range []string{`{"q":%s}`, `{"q":"x","k":%s}`, `{"k":51,"\u0071":"x","proof":%s}`, `{"prefix":%s}`, `{"prefix":"x","k":%s}`,
			`{"prefix":"x","proof":%s}`, `{"doc":%s}`, `{"doc":"os.Open","proof":%s}`, `{"doc":"os.Open","k":%s}`, `{"x":%s}`, `{"k":%s}`} {
			params = append(params, fmt.Sprintf(format, v))
		}
	}
	accepted := 0
	for _, method := range []string{"search_query", "search_suggest", "search_document", "search_info", "rpc.discover"} {
		for _, p := range params {
			body, err := jsonrpc.NewRequest(method, []byte(p))
			if err != nil {
				t.Fatal(err)
			}
			response := string(program.Handle(body))
			refused := strings.Contains(response, `"error":{"code":-32602`)
			if !refused {
				accepted++
			}
			r := verify(sampleRoot, string(body), `{"jsonrpc":"2.0","id":1,"result":{}}`)
			if none := strings.HasPrefix(r.Verdict.Reason, "a result where there is none"); none != refused {
				t.Errorf("%s: %v %q, the service says %.200s", body, said(r), r.Verdict.Reason, response)
			}
			if got := said(verify(sampleRoot, string(body), response)); got != "accepted 0 []" && got != "undecided 2" {
				t.Errorf("%s: %s of %.200s", body, got, response)
			}
		}
	}
	if accepted < 50 {
		t.Errorf("the service takes %d of these", accepted)
	}
	body, err := jsonrpc.NewRequest("search_other", []byte("[]"))
	if err != nil {
		t.Fatal(err)
	}
	if got := said(verify(sampleRoot, string(body), `{"jsonrpc":"2.0","id":1,"result":{}}`)); got != "disagreement [0]" {
		t.Errorf("no such method: %s", got)
	}
}

// TestVerifierTooBroad holds that what the service refuses to prove is no answer, even with a true proof.
func TestVerifierTooBroad(t *testing.T) {
	verify := loadVerifier(t)
	z := newZoo(t, 1)
	z.documents = nil
	for i := range 18_000 {
		var text strings.Builder
		for j := i % 2; j < 32; j += 2 {
			fmt.Fprintf(&text, "w%d ", j)
		}
		z.documents = append(z.documents, index.Document{ID: fmt.Sprint(i), Text: text.String()})
	}
	file, err := index.Build(index.About{}, z.documents)
	if err != nil {
		t.Fatal(err)
	}
	z.root = use(t, string(file))
	l := &lie{zoo: z, method: "search_query", k: 10, ledger: newLedger(t, z.documents)}
	l.answer = &l.found
	for term := range index.Terms(words(32)) {
		_, l.honest = call(t, "search_query", []any{term, 10, true})
		terms, leaves := l.found.Terms, l.evidence.leaves
		l.found = found{}
		l.open(t)
		l.found.Terms, l.evidence.leaves = slices.Concat(terms, l.found.Terms), slices.Concat(leaves, l.evidence.leaves)
	}
	for _, c := range []struct {
		terms int
		want  string
	}{{28, "accepted 0 []"}, {32, "disagreement [0]"}} {
		request, honest := call(t, "search_query", []any{words(c.terms), 10, true})
		answer := *l
		answer.answer = &answer.found
		answer.found.Terms, answer.evidence.leaves = l.found.Terms[:c.terms], byPlace(l.evidence.leaves[:c.terms])
		answer.score()
		response := answer.reprove()
		if c.terms == 32 && !strings.Contains(honest, "too_broad") || c.terms == 28 && honest != response {
			t.Errorf("%d terms: the service says %.200s", c.terms, honest)
		}
		if r := verify(z.root, request, response); said(r) != c.want {
			t.Errorf("%d terms: %s, %s, want %s", c.terms, said(r), r.Verdict.Reason, c.want)
		}
	}
}

// TestVerifierHostile holds that whatever stands in an answer, there is a verdict: no trap, no end of fuel or memory.
func TestVerifierHostile(t *testing.T) {
	verify := loadVerifier(t)
	request, right := call(t, "search_query", object{"q": "sort slices", "k": 50, "proof": true})
	plainly, _ := call(t, "search_query", object{"q": "sort slices", "k": 1000})
	head, tail, _ := strings.Cut(right, `"proof":`)
	proof := func(parts ...[]byte) string {
		return head + `"proof":"` + base64.StdEncoding.EncodeToString(bytes.Join(parts, nil)) + `"}}`
	}
	number := func(n uint64) []byte { return binary.AppendUvarint(nil, n) }
	about, zeros := make([]byte, merkle.Size), make([]byte, 1<<19)
	most := number(1<<32 - 1)
	hits := strings.Split(head, `"hits":[`)[0] + `"hits":[` + strings.Repeat(`{"doc":"","score":1,"title":""},`, 999) + `{"doc":"","score":1,"title":""}]}}`
	for name, c := range map[string]struct{ request, response string }{
		"most documents":        {request, proof(about, most, number(1), zeros)},
		"many documents":        {request, proof(about, number(1<<20), number(1), zeros)},
		"most terms":            {request, proof(about, number(1), most, zeros)},
		"most leaves":           {request, proof(about, number(1), most, most, zeros)},
		"leaves behind the end": {request, proof(about, number(1), number(1<<31-1), number(64), bytes.Repeat(most, 100_000))},
		"long term":             {request, proof(about, number(1), number(2), number(1), number(0), most, zeros)},
		"long postings":         {request, proof(about, number(1), number(2), number(1), number(0), number(1), []byte("x\x01\x01"), most, zeros)},
		"zeros":                 {request, proof(zeros)},
		"ones":                  {request, proof(bytes.Repeat([]byte{0xff}, 1<<19))},
		"no base64":             {request, head + `"proof":"` + strings.Repeat("!", 1<<19) + `"}}`},
		"escapes":               {request, head + `"proof":"` + strings.Repeat(`\u0041`, 100_000) + `"}}`},
		"number of a proof":     {request, head + `"proof":12345` + strings.Repeat("6", 1<<19) + `}}`},
		"deep":                  {request, head + `"proof":` + strings.Repeat("[", 60) + strings.Repeat("]", 60) + `}}`},
		"long root":             {request, strings.Replace(right, sampleRoot, strings.Repeat("0", 1<<19), 1)},
		"many hits":             {plainly, hits},
		"too many hits":         {plainly, strings.Replace(hits, `"hits":[`, `"hits":[`+strings.Repeat(`{"doc":"","score":1,"title":""},`, 20_000), 1)},
		"right with space":      {request, head + `"proof":` + strings.Repeat(" ", 1<<19) + tail},
	} {
		for _, n := range []int{1, 2, 64} {
			if len(c.request)*n+len(c.response)*n > 7<<20 {
				continue // more than half of what a verdict is granted
			}
			var responses []string
			for range n {
				responses = append(responses, c.response)
			}
			if r := verify(sampleRoot, c.request, responses...); r.Problem != nil {
				t.Errorf("%s, %d answers of %d bytes: %v after %d units", name, n, len(c.response), r.Problem, r.Fuel)
			}
		}
	}
}

// FuzzVerifier holds that there is always a verdict, and that what is accepted means what the service answers.
func FuzzVerifier(f *testing.F) {
	verify := loadVerifier(f)
	z := newZoo(f, 3)
	type asked struct{ request, response string }
	var list []asked
	for range 30 {
		request, response := z.ask(f)
		list = append(list, asked{request, response})
		f.Add(uint8(len(list)-1), response)
	}
	f.Fuzz(func(t *testing.T, i uint8, response string) {
		a := list[int(i)%len(list)]
		if _, err := jsonrpc.ParseResponse([]byte(response), jsonrpc.WireID); err != nil || len(response) > 1<<20 {
			return
		}
		r := verify(z.root, a.request, response)
		if r.Problem != nil || said(r) == "accepted 0 []" && !same(response, a.response) {
			t.Errorf("%s: %v\n%s\n%s", said(r), r.Problem, a.request, response)
		}
	})
}
