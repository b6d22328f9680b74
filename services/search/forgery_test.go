package main

import (
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"testing"

	"barnraise/jsonrpc"
	"barnraise/services/search/index"

	"github.com/go-json-experiment/json"
)

// lie is an honest answer taken apart, of which a forgery changes something. What the change does not touch is made consistent, so
// that it is the change that has to be found out.
type lie struct {
	*zoo
	method, request, honest string
	k                       int
	found                   found
	suggested               suggested
	read                    read
	info                    description
	evidence                evidence
	answer                  any // what is written, one of the above
	ledger                  ledger
}

// newLie asks the program until it has an answer of that method.
func newLie(t testing.TB, z *zoo, l ledger, method string) *lie {
	t.Helper()
	for range 1000 {
		asked, params := z.question()
		if asked != method {
			continue
		}
		request, response := call(t, method, params)
		l := &lie{zoo: z, ledger: l, method: method, request: request, honest: response, k: 10}
		switch p := params.(type) {
		case []any:
			l.k = p[1].(int)
		case object:
			if k, ok := p["k"]; ok {
				l.k = k.(int)
			}
		}
		l.open(t)
		return l
	}
	return nil // an empty collection has no documents to ask for
}

func (l *lie) open(t testing.TB) {
	t.Helper()
	r, err := jsonrpc.ParseResponse([]byte(l.honest), jsonrpc.WireID)
	if err != nil {
		t.Fatal(err)
	}
	switch l.method {
	case "search_query":
		if err = json.Unmarshal(r.Result, &l.found); err == nil {
			l.evidence = readEvidence(t, l.found.Proof, len(l.found.Hits), false)
		}
		l.answer = &l.found
	case "search_suggest":
		if err = json.Unmarshal(r.Result, &l.suggested); err == nil {
			l.evidence = readEvidence(t, l.suggested.Proof, 0, false)
		}
		l.answer = &l.suggested
	case "search_document":
		if err = json.Unmarshal(r.Result, &l.read); err == nil {
			l.evidence = readEvidence(t, l.read.Proof, 1, true)
		}
		l.answer = &l.read
	default:
		err = json.Unmarshal(r.Result, &l.info)
		l.answer = &l.info
	}
	if err != nil {
		t.Fatalf("%v: %s", err, l.honest)
	}
	if got := l.reprove(); got != l.honest {
		t.Fatalf("put together again it is\n%s\nwant\n%s", got, l.honest)
	}
}

// proof is where the proof stands, nil where the answer has none.
func (l *lie) proof() *[]byte {
	switch l.answer.(type) {
	case *found:
		return &l.found.Proof
	case *suggested:
		return &l.suggested.Proof
	case *read:
		return &l.read.Proof
	}
	return nil
}

// reprove is the answer with the evidence put together again.
func (l *lie) reprove() string {
	if p := l.proof(); p != nil {
		*p = l.evidence.bytes(l.ledger)
	}
	return l.write()
}

// write is the answer as it stands.
func (l *lie) write() string {
	b, err := json.Marshal(l.answer)
	if err != nil {
		panic(err)
	}
	return `{"jsonrpc":"2.0","id":1,"result":` + string(b) + `}`
}

// score adds the evidence's postings up and writes the hits, the total and the frequencies that follow from them.
func (l *lie) score() {
	scores := map[int]int{}
	shown := map[string]int{}
	for _, leaf := range l.evidence.leaves {
		if leaf.whole {
			shown[leaf.term] = leaf.df
			for _, p := range leaf.postings {
				scores[p.document] += p.impact
			}
		}
	}
	for i := range l.found.Terms {
		l.found.Terms[i].DF = shown[l.found.Terms[i].Term]
	}
	var order []int
	for n := range scores {
		order = append(order, n)
	}
	slices.SortFunc(order, func(a, b int) int {
		if scores[a] != scores[b] {
			return scores[b] - scores[a]
		}
		return a - b
	})
	l.found.Total, l.found.Hits = len(order), []index.Hit{}
	l.evidence.numbers = order[:min(l.k, len(order))]
	for _, n := range l.evidence.numbers {
		d := l.documents[n]
		l.found.Hits = append(l.found.Hits, index.Hit{Doc: d.ID, Score: uint32(scores[n]), Title: d.Title})
	}
}

// forged is a forgery that was made, and what it was made of.
type forged struct{ kind, root, request, honest, response string }

// forge makes a forgery of that kind, if the answer that comes along allows it.
func forge(t testing.TB, z *zoo, ledger ledger, f forgery) (forged, bool) {
	t.Helper()
	method := f.methods[z.r.IntN(len(f.methods))]
	l := newLie(t, z, ledger, method)
	if l == nil {
		return forged{}, false
	}
	response := f.forge(l)
	if response == "" || response == l.honest {
		return forged{}, false
	}
	if _, err := jsonrpc.ParseResponse([]byte(response), jsonrpc.WireID); err != nil {
		return forged{}, false // no caller would put it before a verifier
	}
	return forged{f.kind, z.root, l.request, l.honest, response}, true
}

// same says whether two responses are the same JSON value.
func same(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	return reflect.DeepEqual(x, y)
}

// forgeMany makes so many forgeries of each kind.
func forgeMany(t testing.TB, kinds []forgery, wanted int) (list []forged) {
	t.Helper()
	made := map[string]int{}
	for seed := uint64(1000); seed < 1000+uint64(20*wanted) && len(list) < wanted*len(kinds); seed++ {
		z := newZoo(t, seed)
		ledger := newLedger(t, z.documents)
		for _, f := range kinds {
			for range 4 {
				if made[f.kind] == wanted {
					break
				}
				if x, ok := forge(t, z, ledger, f); ok {
					list = append(list, x)
					made[f.kind]++
				}
			}
		}
	}
	for _, f := range kinds {
		if made[f.kind] < wanted {
			t.Errorf("%s: %d forgeries, want %d", f.kind, made[f.kind], wanted)
		}
	}
	return list
}

// TestVerifierForgeries holds that no forgery is accepted, alone or beside the honest answer, and that the honest answer is.
func TestVerifierForgeries(t *testing.T) {
	verify := loadVerifier(t)
	list := forgeMany(t, forgeries, rounds(20, 400))
	each(list, func(f forged) { reject(t, verify, f) })
	t.Logf("%d forgeries of %d kinds", len(list), len(forgeries))
}

func reject(t *testing.T, verify judge, f forged) {
	for _, c := range []struct {
		want      string
		responses []string
	}{
		{"disagreement [0]", []string{f.response}},
		{"accepted 1 [0]", []string{f.response, f.honest}},
	} {
		if got := said(verify(f.root, f.request, c.responses...)); got != c.want {
			t.Errorf("%s: %s, want %s\n%s\n%.1500s\nhonest:\n%.1500s", f.kind, got, c.want, f.request, f.response, f.honest)
		}
	}
}

// each does something to each of a list, on all processors.
func each[T any](list []T, do func(T)) {
	var group sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		group.Go(func() {
			for i := w; i < len(list); i += workers {
				do(list[i])
			}
		})
	}
	group.Wait()
}

// TestVerifierFlips turns every bit of a proof around, one at a time.
func TestVerifierFlips(t *testing.T) {
	verify := loadVerifier(t)
	var list []forged
	for seed := range uint64(rounds(1, 40)) {
		z := newZoo(t, 5000+seed)
		ledger := newLedger(t, z.documents)
		for _, method := range []string{"search_query", "search_suggest", "search_document"} {
			l := newLie(t, z, ledger, method)
			if l == nil {
				continue
			}
			p := l.proof()
			for bit := range min(8*len(*p), 8*1000) {
				(*p)[bit/8] ^= 1 << (bit % 8)
				list = append(list, forged{fmt.Sprint("bit ", bit), z.root, l.request, l.honest, l.write()})
				(*p)[bit/8] ^= 1 << (bit % 8)
			}
		}
	}
	each(list, func(f forged) {
		if got := said(verify(f.root, f.request, f.response)); got != "disagreement [0]" {
			t.Errorf("%s: %s\n%s\n%s", f.kind, got, f.request, f.response)
		}
	})
	t.Logf("%d bits", len(list))
}
