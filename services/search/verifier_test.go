package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/services/search/index"
	"barnraise/verifier"
	"barnraise/wasm"
)

var thorough = flag.Bool("long", false, "make ten thousand forgeries and as many honest answers, and read all of Go's sources")

// rounds is how often a test does what it does, by the flag -long.
func rounds(short, long int) int {
	if *thorough {
		return long
	}
	return short
}

// judge puts answers to one request before the committed verifier, with the root that the manifest would name.
type judge func(root, request string, responses ...string) verifier.Result

func loadVerifier(t testing.TB) judge {
	t.Helper()
	module, err := os.ReadFile("verifier.wasm")
	if err != nil {
		t.Fatal(err)
	}
	return loadModule(t, module)
}

func loadModule(t testing.TB, module []byte) judge {
	t.Helper()
	engine, err := wasm.NewEngine("")
	if err != nil {
		t.Fatal(err)
	}
	v, err := verifier.NewHost(engine).Load(context.Background(), module, verifier.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if v.MinRequests() != 1 {
		t.Errorf("it asks for %d answers, want 1", v.MinRequests())
	}
	return func(root, request string, responses ...string) verifier.Result {
		config := root
		if !strings.ContainsAny(root, "{n[\"") {
			config = `{"root":"` + root + `"}`
		}
		var requests, bodies [][]byte
		for _, r := range responses {
			requests, bodies = append(requests, []byte(request)), append(bodies, []byte(r))
		}
		return v.Run(context.Background(), []byte(config), requests, bodies)
	}
}

// said is a verdict in a line, without words for people.
func said(r verifier.Result) string {
	v := r.Verdict
	switch {
	case r.Problem != nil:
		return fmt.Sprint("problem: ", r.Problem)
	case v.Status == barnraise.Accepted:
		return fmt.Sprint("accepted ", v.Winner, " ", v.Culprits)
	case v.Status == barnraise.Disagreement:
		return fmt.Sprint("disagreement ", v.Culprits)
	}
	return fmt.Sprint("undecided ", v.Need)
}

// use makes the program serve another collection until the test is over.
func use(t testing.TB, file string) (root string) {
	t.Helper()
	before := collection
	t.Cleanup(func() { collection = before })
	collection = file
	x, err := index.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	return x.Root()
}

// call is a request and what the program answers.
func call(t testing.TB, method string, params any) (request, response string) {
	t.Helper()
	p, err := json.Marshal(params)
	if err != nil {
		t.Fatal(err)
	}
	body, err := jsonrpc.NewRequest(method, p)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), string(program.Handle(body))
}

type object map[string]any

// zoo is a random collection: words from few stems, so that they meet, and ids and titles that JSON has to escape.
type zoo struct {
	r         *rand.Rand
	words     []string
	documents []index.Document
	root      string
}

func newZoo(t testing.TB, seed uint64) *zoo {
	t.Helper()
	z := &zoo{r: rand.New(rand.NewPCG(seed, 77))}
	for range 3 + z.r.IntN(150) {
		z.words = append(z.words, strings.TrimRight(madeUp(z.r, 1), " \n-'"))
	}
	z.words = append(z.words, "the", "Émile", "日本", "c3po")
	for i := range []int{0, 1, 2, 3, 9, 40, 200}[z.r.IntN(7)] {
		z.documents = append(z.documents, index.Document{
			ID: fmt.Sprintf("%s/%d", z.odd(), i), Title: z.odd() + z.text(4), Text: z.text(z.r.IntN(40)),
		})
	}
	file, err := index.Build(index.About{Name: z.odd(), Corpus: fmt.Sprint(seed), Licence: "CC0"}, z.documents)
	if err != nil {
		t.Fatal(err)
	}
	z.root = use(t, string(file))
	return z
}

func (z *zoo) odd() string {
	return []string{"", "a\"b", `\`, "<&>", "é\u2028", "😀", "tab\tline\n", "plain", "/"}[z.r.IntN(9)]
}

func (z *zoo) text(words int) string {
	var text strings.Builder
	for range words {
		// The first words are common, the last are rare.
		text.WriteString(z.words[z.r.IntN(1+z.r.IntN(len(z.words)))] + " ")
	}
	return text.String()
}

// question is a call with a proof, or one of search_info.
func (z *zoo) question() (method string, params any) {
	switch n := z.r.IntN(20); {
	case n < 12:
		q := object{"q": z.query(), "proof": true}
		if z.r.IntN(3) > 0 {
			q["k"] = []int{1, 2, 3, 10, 50}[z.r.IntN(5)]
		}
		return "search_query", q
	case n < 16 || len(z.documents) == 0 && n < 19:
		return "search_suggest", []any{z.prefix(), 1 + z.r.IntN(1+z.r.IntN(20)), true}
	case n < 19:
		return "search_document", object{"doc": z.documents[z.r.IntN(len(z.documents))].ID, "proof": true}
	}
	return "search_info", object{}
}

// ask asks a question.
func (z *zoo) ask(t testing.TB) (request, response string) {
	t.Helper()
	method, params := z.question()
	return call(t, method, params)
}

func (z *zoo) query() string {
	words := []string{z.text(z.r.IntN(7))}
	for range z.r.IntN(4) {
		words = append(words, strings.TrimSpace(madeUp(z.r, 1)), "zebra", "!", "and")
	}
	z.r.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
	return strings.Join(words, " ")
}

// prefix is one word, or a part of one, or none that the collection has.
func (z *zoo) prefix() string {
	word := []rune(z.words[z.r.IntN(len(z.words))])
	prefix := string(word[:z.r.IntN(len(word)+1)]) + []string{"", "", "", "x", "zz"}[z.r.IntN(5)]
	if prefix == "" {
		prefix = string(rune('a' + z.r.IntN(26)))
	}
	return prefix
}

// TestVerifierHonest holds that every answer of the service proves itself.
func TestVerifierHonest(t *testing.T) {
	verify := loadVerifier(t)
	done := 0
	for seed := uint64(0); done < rounds(600, 10_000); seed++ {
		z := newZoo(t, seed)
		for range 40 {
			request, response := z.ask(t)
			if got := said(verify(z.root, request, response)); got != "accepted 0 []" {
				t.Fatalf("seed %d: %s\n%s\n%.2000s", seed, got, request, response)
			}
			done++
		}
	}
	t.Logf("%d honest answers", done)
}
