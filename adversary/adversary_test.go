package adversary

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/jsonrpc"
)

var (
	key      = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	network  = barnraise.Registry{Chain: "eip155:31337"}
	revision = barnraise.Revision{Number: 1, Image: barnraise.Sum([]byte("image"))}
)

// honest is a server that echoes, under the key and id given.
func honest(id barnraise.ServerID, key ed25519.PrivateKey) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, _ := io.ReadAll(r.Body)
		var number uint32
		if _, err := fmt.Sscanf(r.URL.Path, "/v1/services/1/%d", &number); err != nil || r.Method != http.MethodPost {
			http.Error(w, "not here", http.StatusNotFound)
			return
		}
		p, err := jsonrpc.ParseRequest(request)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		response := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"result":{"revision":%d,"said":%s}}`, number, p.Params)
		receipt := barnraise.Receipt{
			Registry: network, Service: 1, Revision: number, Image: revision.Image, Request: barnraise.Sum(request),
			Response: barnraise.Sum(response), Server: id, IssuedAt: 1,
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(response)))
		w.Header().Set(receiptHeader, receipt.Sign(key))
		w.Write(response)
	})
}

// given draws what the test says.
func given(draws ...float64) Given {
	next := 0
	return Given{Self: 5, Key: key, Now: time.Now, Random: func() float64 {
		next++
		return draws[(next-1)%len(draws)]
	}}
}

func kind(t *testing.T, name string) Kind {
	t.Helper()
	k, err := Named(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// asked puts one request to a handler and reports the answer as a client would see it; nil where there is none to hold it to.
func asked(h http.Handler, caller, path, params string) []byte {
	request := `{"jsonrpc":"2.0","id":1,"method":"echo","params":` + params + `}`
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(request))
	r.RemoteAddr = caller
	w := httptest.NewRecorder()
	broken := func() (broken bool) {
		defer func() { broken = recover() != nil }()
		h.ServeHTTP(w, r)
		return false
	}()
	number := revision
	fmt.Sscanf(path, "/v1/services/1/%d", &number.Number)
	tokens := w.Header().Values(receiptHeader)
	if broken || w.Code != http.StatusOK || len(tokens) != 1 {
		return nil
	}
	receipt, token, err := barnraise.ParseReceipt(tokens[0])
	if err != nil || receipt.Covers(network, 5, 1, number, []byte(request), w.Body.Bytes()) != nil || receipt.Block > 1000 {
		return nil
	}
	if token.Verify(barnraise.PublicKey(key[32:])) != nil {
		return nil
	}
	if _, err := jsonrpc.ParseResponse(w.Body.Bytes(), jsonrpc.WireID); err != nil {
		return nil
	}
	return w.Body.Bytes()
}

// answers puts a word for each answer: true, false, or none that its server could be held to.
func answers(h http.Handler, questions ...question) (said []string) {
	for _, q := range questions {
		path := fmt.Sprintf("/v1/services/1/%d", max(1, q.revision))
		truth := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"result":{"revision":%d,"said":%s}}`, max(1, q.revision), q.params)
		switch answer := asked(h, q.caller, path, q.params); {
		case answer == nil:
			said = append(said, "none")
		case string(answer) == truth:
			said = append(said, "true")
		default:
			said = append(said, "false")
		}
	}
	return said
}

type question struct {
	caller, params string
	revision       int
}

// times is the same question so often.
func times(n int, q question) []question { return slices.Repeat([]question{q}, n) }

// words is the same word so often.
func words(n int, word string) []string { return slices.Repeat([]string{word}, n) }

// What each kind answers to some questions.
func TestKindsAnswer(t *testing.T) {
	one, two := question{caller: "a:1", params: `[1]`}, question{caller: "a:1", params: `[2]`}
	other := question{caller: "a:2", params: `[1]`}
	for name, c := range map[string]struct {
		draws     []float64
		questions []question
		want      []string
	}{
		"liar":             {nil, []question{one, one, two}, words(3, "false")},
		"fastliar":         {nil, []question{one, two}, words(2, "false")},
		"sybil":            {nil, []question{one, two}, words(2, "false")},
		"lyinghome":        {nil, []question{one, two}, words(2, "false")},
		"rareliar":         {[]float64{0.05, 0.049, 0.9}, times(3, one), []string{"true", "false", "true"}},
		"flaky":            {[]float64{0.001, 0.0009}, times(2, one), []string{"true", "false"}},
		"hotliar":          {nil, []question{one, two, one, other, two, one, two}, []string{"true", "true", "true", "false", "true", "false", "false"}},
		"newliar":          {nil, append(times(101, one), other), append(append(words(100, "false"), "true"), "false")},
		"sleeper":          {nil, append(times(301, one), other), append(append(words(300, "true"), "false"), "true")},
		"nondeterministic": {[]float64{0.5, 0.4, 0.1}, times(2, one), []string{"true", "false"}},
		"badreceipt":       {nil, times(13, one), words(13, "none")},
		"truncating":       {nil, times(5, one), words(5, "none")},
		"replayer":         {nil, []question{one, one, two, two, one}, []string{"true", "true", "none", "none", "none"}},
		"stale":            {nil, []question{one, two, {"a:1", `[1]`, 2}, {"a:1", `[3]`, 2}}, []string{"true", "true", "false", "true"}},
		"deadhome":         {nil, times(2, one), words(2, "true")},
		"freerider":        {nil, times(2, one), words(2, "true")},
		"slanderer":        {nil, times(2, one), words(2, "true")},
		"copier":           {nil, times(2, one), words(2, "true")}, // with nobody before it
		"coalition":        {nil, times(2, one), words(2, "true")}, // alone
	} {
		h := New(kind(t, name), given(append(c.draws, 1)[:max(1, len(c.draws))]...)).Around(honest(5, key))
		if got := answers(h, c.questions...); !slices.Equal(got, c.want) {
			t.Errorf("%s says %v, want %v", name, got, c.want)
		}
	}
}

// What is no call is answered as the server does, and so is what the server itself refuses.
func TestOnlyCallsAreTouched(t *testing.T) {
	for _, k := range Kinds() {
		if k.Name == "silent" || k.Name == "slow" {
			continue
		}
		h := New(k, given(0)).Around(honest(5, key))
		for _, r := range []*http.Request{
			httptest.NewRequest(http.MethodGet, "/.well-known/barnraise", nil), httptest.NewRequest(http.MethodOptions, "/v1/services/1/1", nil),
			httptest.NewRequest(http.MethodPost, "/v1/services/x/1", strings.NewReader("{}")), httptest.NewRequest(http.MethodPost, "/v1/evidence", nil),
		} {
			if w := httptest.NewRecorder(); func() bool {
				h.ServeHTTP(w, r)
				return w.Code != http.StatusNotFound || w.Header().Get(receiptHeader) != ""
			}() {
				t.Errorf("%s: %s %s: %d", k.Name, r.Method, r.URL, w.Code)
			}
		}
	}
}

// The slow and the silent take their time, unless the caller leaves.
func TestLateAnswers(t *testing.T) {
	for name, want := range map[string]string{"slow": "true", "silent": "none"} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			got := answers(New(kind(t, name), given(0)).Around(honest(5, key)), question{params: `[1]`})
			if got[0] != want || time.Since(start) != 2*time.Second {
				t.Errorf("%s says %v after %s", name, got, time.Since(start))
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		for _, by := range []time.Duration{0, 20 * time.Millisecond} {
			if got := answers(Late(honest(5, key), func() time.Duration { return by }), question{params: `[1]`}); got[0] != "true" {
				t.Errorf("late by %s it says %v", by, got)
			}
		}
		if time.Since(start) != 20*time.Millisecond {
			t.Errorf("it took %s", time.Since(start))
		}
	})
}

// Members of a coalition lie where two of them are asked the same within the window, in the same bytes, and else not.
func TestCoalition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := given(0)
		g.Pact = NewPact()
		other := g
		other.Self = 6
		one, two := New(kind(t, "coalition"), g).Around(honest(5, key)), New(kind(t, "coalition"), other).Around(honest(5, key))
		for _, c := range []struct {
			after  time.Duration
			params string
			want   string
		}{{0, `[1]`, "false"}, {9 * time.Millisecond, `[1]`, "false"}, {11 * time.Millisecond, `[1]`, "true"}, {0, `[2]`, "true"}} {
			said := make(chan string, 1)
			go func() { said <- answers(one, question{params: `[1]`})[0] }()
			time.Sleep(c.after)
			second := answers(two, question{params: c.params})[0]
			if first := <-said; first != c.want || second != c.want {
				t.Errorf("%s later %s: %s and %s, want %s", c.after, c.params, first, second, c.want)
			}
		}
		said := make(chan string, 2) // one alone that is asked the same twice at the same time
		for range 2 {
			go func() { said <- answers(one, question{params: `[1]`})[0] }()
		}
		if first, second := <-said, <-said; first != "true" || second != "true" {
			t.Errorf("alone it says %s and %s", first, second)
		}
		a := asked(one, "", "/v1/services/1/1", `[1]`)
		if b := asked(two, "", "/v1/services/1/1", `[1]`); !bytes.Equal(a, b) {
			t.Errorf("%s and %s", a, b)
		}
	})
}

// A turncoat lies about the images that it is told to lie about.
func TestTurncoat(t *testing.T) {
	a := New(Kind{Name: Turncoat}, given(0))
	h := a.Around(honest(5, key))
	for i, c := range []struct {
		image barnraise.Digest
		how   Lie
		want  string
	}{{revision.Image, nil, "true"}, {barnraise.Sum(nil), Falsify, "true"}, {revision.Image, Falsify, "false"}, {revision.Image, nil, "true"}} {
		a.Turn(c.image, c.how)
		if got := answers(h, question{params: `[1]`}); got[0] != c.want {
			t.Errorf("%d: it says %v, want %s", i, got, c.want)
		}
	}
}

func TestNamed(t *testing.T) {
	var names []string
	for _, k := range Kinds() {
		names = append(names, k.Name)
		if found, err := Named(k.Name); err != nil || found.Name != k.Name || k.Does == "" {
			t.Errorf("%s: %v", k.Name, err)
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("%v are not in order", names)
	}
	for name, want := range map[string]string{"lair": `"liar" is the nearest`, "coalitoin": `"coalition" is the nearest`, "Sybils": `"sybil"`, "angel": "there are badreceipt, coalition", "": "there are"} {
		if _, err := Named(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
	}
	if _, err := Named("angel"); strings.Contains(err.Error(), "nearest") {
		t.Error(err)
	}
}

// The document says of each kind what it does.
func TestDocument(t *testing.T) {
	document, err := os.ReadFile("../docs/adversaries.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range Kinds() {
		if !strings.Contains(string(document), fmt.Sprintf("\n| `%s` | %s | ", k.Name, k.Does)) {
			t.Errorf("docs/adversaries.md does not say of %s: %s", k.Name, k.Does)
		}
	}
}
