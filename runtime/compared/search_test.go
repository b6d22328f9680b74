package compared

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"barnraise/image"
	"barnraise/jsonrpc"
	"barnraise/runtime"
	"barnraise/runtime/docker"
	"barnraise/services/search/index"
)

// Protocol 2.1: one index, two variants, the same bytes.
func TestSearchOnBoth(t *testing.T) {
	w := newWorkshop(t)
	containers := w.docker(t, docker.Config{})
	s, collection := w.search(t)
	both := []runtime.Instance{start(t, containers, s.spec(linux)), start(t, w.wasm(1), s.spec(image.Wasm))}
	requests := questions(t, collection, 1000)
	var all sync.WaitGroup
	var results, refusals, none, next atomic.Int64
	for range 4 {
		all.Go(func() {
			for n := next.Add(1) - 1; int(n) < len(requests); n = next.Add(1) - 1 {
				switch kind := alike(t, both, requests[n]); kind {
				case "result":
					results.Add(1)
				case "error":
					refusals.Add(1)
				default:
					none.Add(1)
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d results, %d errors, %d are not requests", results.Load(), refusals.Load(), none.Load())
	if results.Load() < 500 || refusals.Load() < 100 || none.Load() < 10 {
		t.Error("the requests are too much of one kind")
	}
}

// alike puts a request to both and compares the bytes; it returns what they are. Where it is no request, both have to say why.
func alike(t *testing.T, both []runtime.Instance, request string) (kind string) {
	got, err := both[0].Call(t.Context(), []byte(request))
	other, otherErr := both[1].Call(t.Context(), []byte(request))
	if !bytes.Equal(got, other) || fmt.Sprint(err) != fmt.Sprint(otherErr) {
		t.Errorf("%s is answered\n%s, %v in a container, and\n%s, %v as wasm", request, got, err, other, otherErr)
	}
	if err != nil {
		for _, class := range []error{runtime.ErrBroke, runtime.ErrTimeout, runtime.ErrFuel, runtime.ErrNotReady} {
			if errors.Is(err, class) {
				t.Errorf("%s: %v", request, err)
			}
		}
		return "none"
	}
	r, err := jsonrpc.ParseResponse(got, jsonrpc.WireID)
	if err != nil {
		t.Errorf("%s is answered %s: %v", request, got, err)
	}
	if r.Error != nil {
		return "error"
	}
	return "result"
}

// questions are so many different requests made of what is in the collection, and always the same ones.
func questions(t testing.TB, x *index.Index, n int) []string {
	t.Helper()
	found, err := x.Search("file read string value type time error byte slice http", 400)
	if err != nil {
		t.Fatal(err)
	}
	q := &questioner{random: rand.New(rand.NewPCG(3, 9))}
	for _, h := range found.Hits {
		d, err := x.Document(h.Doc)
		if err != nil {
			t.Fatal(err)
		}
		q.documents, q.words = append(q.documents, h.Doc), append(q.words, strings.Fields(d.Text)...)
	}
	var all []string
	for len(all) < n {
		if r := q.next(); !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	return all
}

// questioner makes up requests, a few in a hundred of them wrong.
type questioner struct {
	random    *rand.Rand
	documents []string
	words     []string
}

// oddWords are no words of the collection: other scripts, marks that combine, what case folding changes, control characters.
var oddWords = []string{
	"Überlänge", "日本語", "naïve", "naı̈ve", "ﬁle", "ẞtraße", "İstanbul", "ΣΊΣΥΦΟΣ", "🙂🙃", "a\u200bb", "\u0000", "\t\n", "\u2028", "\u00ad",
	"e\u0301", "\U0010ffff", "<script>", `\"`, "-1", "0x1p-1074", "of", "the", strings.Repeat("ſ", 40),
}

// counts are of hits, within the bounds and beyond.
var counts = []any{1, 2, 3, 10, 20, 100, 999, 1000, 0, -1, 1001, 1.5, 1e2, 1e300, "3", nil, true, int64(1) << 62}

// malformed are no requests, whatever stands in between.
var malformed = []string{
	`{"jsonrpc":"2.0","id":1,"method":"search_query","params":[%q]`, `[%q]`, `{"jsonrpc":"1.0","id":1,"method":"search_query","params":[%q]}`,
	`{"jsonrpc":"2.0","id":1,"method":"search_query","params":%q}`, `{"jsonrpc":"2.0","id":1,"id":1,"method":"search_query","params":[%q]}`,
	`{"jsonrpc":"2.0","id":1,"method":"search_query","params":["\ud800",%q]}`, "\ufeff" + `{"jsonrpc":"2.0","id":1,"method":"search_query","params":[%q]}`,
}

func (q *questioner) next() string {
	switch at := q.random.IntN(100); {
	case at < 55:
		return request("search_query", map[string]any{"q": q.text(6), "k": 1 + q.random.IntN(40)})
	case at < 65:
		return request("search_query", []any{q.text(9)})
	case at < 75:
		return request("search_query", map[string]any{"q": q.text(4), "k": pick(q.random, counts)})
	case at < 80:
		return request("search_query", []any{q.text(400)})
	case at < 88:
		return request("search_document", map[string]any{"doc": pick(q.random, q.documents)})
	case at < 92:
		return request("search_document", []any{q.text(1)})
	case at < 95:
		return request(pick(q.random, []string{"search_info", "search_nothing", "rpc.discover"}), []any{})
	case at < 97:
		return request("search_info", map[string]any{q.text(1): 1})
	}
	return fmt.Sprintf(pick(q.random, malformed), pick(q.random, q.words))
}

// text is at most so many words, one in ten of them odd.
func (q *questioner) text(most int) string {
	words := make([]string, 1+q.random.IntN(most))
	for i := range words {
		words[i] = pick(q.random, q.words)
		if q.random.IntN(10) == 0 {
			words[i] = pick(q.random, oddWords)
		}
	}
	return strings.Join(words, " ")
}

func pick[T any](random *rand.Rand, of []T) T { return of[random.IntN(len(of))] }
