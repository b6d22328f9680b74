package main

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/services/matrix/canonical"
	"barnraise/services/matrix/event"
	"barnraise/verifier"
)

// call is an honest call, made from a seed.
type call struct {
	request, answer []byte
	ids             []string // of events in the room that it is about
	other           []byte   // the answer to another call about it
}

// methods make the params of a call. Some calls ask for what is refused: an error is an answer, too.
var methods = []struct {
	name   string
	params func(r *history, sets [][]string) string
}{
	{"matrix_resolveState", func(r *history, sets [][]string) string {
		b := r.resolve(sets)
		return string(b[bytes.Index(b, []byte(`"params":`))+9 : len(b)-1])
	}},
	{"matrix_resolveState", func(r *history, sets [][]string) string { // without one event that is needed
		r.events = slices.Delete(r.events, r.r.IntN(len(r.events)), len(r.events))
		b := r.resolve(sets)
		return string(b[bytes.Index(b, []byte(`"params":`))+9 : len(b)-1])
	}},
	{"matrix_authCheck", func(r *history, _ [][]string) string {
		e := r.any()
		named := []string{}
		for _, a := range r.events {
			if slices.Contains(e.AuthEvents, a.ID) {
				named = append(named, text(a.JSON))
			}
		}
		return fmt.Sprintf(`["%v",%s,[%s],[]]`, r.version, text(r.tamper(e.JSON)), strings.Join(named, ","))
	}},
	{"matrix_verifyEvent", func(r *history, _ [][]string) string {
		return fmt.Sprintf(`["%v",%s,%s]`, r.version, text(r.tamper(r.any().JSON)), keys())
	}},
	{"matrix_eventId", func(r *history, _ [][]string) string {
		return fmt.Sprintf(`["%v",%s]`, r.version, text(r.tamper(r.any().JSON)))
	}},
	{"matrix_redact", func(r *history, _ [][]string) string {
		return fmt.Sprintf(`{"event":%s,"roomVersion":"%v"}`, text(r.any().JSON.With("extra", canonical.OfInt(1))), r.version)
	}},
	{"matrix_canonicalJson", func(r *history, _ [][]string) string {
		return text(ids(text(r.any().JSON)[r.r.IntN(2):])) // what lacks its first byte is no JSON
	}},
	{"matrix_verifyServerKeys", func(r *history, _ [][]string) string {
		return fmt.Sprintf(`["server0",%s,%d]`, text(r.tamper(r.serverKeys())), r.r.Int64N(2000))
	}},
}

func (r *history) any() *event.Event { return r.events[r.r.IntN(len(r.events))] }

// tamper changes every other object a little, where a signature covers it or not.
func (r *history) tamper(v canonical.Value) canonical.Value {
	switch r.r.IntN(8) {
	case 0:
		return v.With("content", v.Get("content").With("body", canonical.OfInt(1)))
	case 1:
		return v.With("depth", canonical.OfInt(r.r.Int64N(100)))
	case 2:
		return v.With("sender", canonical.OfString(user(r.r.IntN(users))))
	case 3:
		return v.Without("signatures")
	}
	return v
}

func (r *history) serverKeys() canonical.Value {
	v := must(canonical.ParseString(`{"server_name":"server0","valid_until_ts":1000,"old_verify_keys":{}}`))
	v = v.With("verify_keys", must(canonical.ParseString(keys())).Get("server0"))
	return withSignature(v, v, "server0")
}

func callOf(t testing.TB, seed uint64) call {
	m := methods[seed%uint64(len(methods))]
	v := event.Version(2 + seed/uint64(len(methods))%11)
	r, sets := newHistory(t, seed, v, 8+int(seed%13))
	c := call{}
	for _, e := range r.events {
		c.ids = append(c.ids, e.ID)
	}
	c.other = answerTo(r.resolve(sets[:1]))
	c.request = must(jsonrpc.NewRequest(m.name, []byte(m.params(r, sets))))
	c.answer = answerTo(c.request)
	return c
}

// forgers change an answer in ways that a liar would. Some do not apply to each, and give back what they got.
var forgers = map[string]func(r *rand.Rand, c call) []byte{
	"another event": replaceOne(`"\$[^"]*"`, func(r *rand.Rand, c call, _ string) string { return `"` + c.ids[r.IntN(len(c.ids))] + `"` }),
	"flipped truth": replaceOne(`:(true|false)`, func(_ *rand.Rand, _ call, s string) string {
		return map[string]string{":true": ":false", ":false": ":true"}[s]
	}),
	"changed rule": replaceOne(`"rule":"[^"]*"`, func(r *rand.Rand, _ call, _ string) string {
		return fmt.Sprintf(`"rule":"%d.%d"`, 1+r.IntN(11), 1+r.IntN(9))
	}),
	"changed number":      replaceOne(`:[0-9]+`, func(_ *rand.Rand, _ call, s string) string { return s + "0" }),
	"dropped trace entry": replaceOne(step+`,?`, func(*rand.Rand, call, string) string { return "" }),
	"dropped state entry": replaceOne(entry+`,?`, func(*rand.Rand, call, string) string { return "" }),
	"swapped entries":     replaceOne(entry+`,`+entry, swap),
	"swapped steps":       replaceOne(step+`,`+step, swap),
	"another phase":       replaceOne(`"power"`, func(*rand.Rand, call, string) string { return `"mainline"` }),
	"changed hash":        replaceOne(`[A-Za-z0-9+/_-]{43}`, func(r *rand.Rand, _ call, s string) string { return flip(r, s) }),
	"content hash":        replaceOne(`"redacted"`, func(*rand.Rand, call, string) string { return `"ok"` }),
	"reason":              replaceOne(`,"reason":"[^"]*"`, func(*rand.Rand, call, string) string { return "" }),
	"foreign error":       func(r *rand.Rand, c call) []byte { return missing(c.ids[r.IntN(len(c.ids))]) },
	"one branch's state":  func(_ *rand.Rand, c call) []byte { return c.other },
	"no error": func(_ *rand.Rand, c call) []byte {
		return bytes.Replace(c.answer, []byte(`"error"`), []byte(`"result"`), 1)
	},
	"too large, it says":      func(*rand.Rand, call) []byte { return []byte(head + `"error":{"code":-32024,"message":"too_large"}}`) },
	"nothing":                 func(*rand.Rand, call) []byte { return []byte(head + `"result":null}`) },
	"the same with a space":   func(_ *rand.Rand, c call) []byte { return append(slices.Clone(c.answer), ' ') },
	"a member more":           replaceOne(`"(result|error)":\{`, func(_ *rand.Rand, _ call, s string) string { return s + `"x":1,` }),
	"another position":        replaceOne(`"at":[0-9]+`, func(*rand.Rand, call, string) string { return `"at":9` }),
	"a key that is no longer": replaceOne(`"validUntilTs":[0-9]+`, func(*rand.Rand, call, string) string { return `"validUntilTs":9007199254740991` }),
}

const (
	head  = `{"jsonrpc":"2.0","id":1,`
	entry = `\["[^"]*","[^"]*","\$[^"]*"\]`
	step  = `\{"eventId":"[^"]*","phase":"[^"]*","allowed":(?:true|false),"rule":"[^"]*"\}`
)

// replaceOne changes one of the places that look like the pattern.
func replaceOne(pattern string, with func(r *rand.Rand, c call, s string) string) func(*rand.Rand, call) []byte {
	p := regexp.MustCompile(pattern)
	return func(r *rand.Rand, c call) []byte {
		places := p.FindAllIndex(c.answer, -1)
		if len(places) == 0 {
			return c.answer
		}
		at := places[r.IntN(len(places))]
		out := append(slices.Clone(c.answer[:at[0]]), with(r, c, string(c.answer[at[0]:at[1]]))...)
		return bytes.ReplaceAll(append(out, c.answer[at[1]:]...), []byte(",]"), []byte("]"))
	}
}

// swap changes the order of two values of the same kind.
func swap(_ *rand.Rand, _ call, s string) string {
	i := strings.Index(s, "],[") + strings.Index(s, "},{") + 2
	return s[i+1:] + "," + s[:i]
}

func flip(r *rand.Rand, s string) string {
	b := []byte(s)
	b[r.IntN(len(b))] = "ABab01"[r.IntN(6)]
	return string(b)
}

func missing(id string) []byte {
	return []byte(head + `"error":{"code":-32021,"message":"missing_event","data":{"id":"` + id + `"}}}`)
}

// forge makes different forgeries of an answer, by kind.
func forge(r *rand.Rand, c call) map[string][]byte {
	list := map[string][]byte{}
	for _, kind := range slices.Sorted(maps.Keys(forgers)) {
		if b := forgers[kind](r, c); !bytes.Equal(b, c.answer) && jsonrpc.Strict(b) == nil {
			list[kind] = b
		}
	}
	return list
}

// Every forgery is found out, alone and beside the truth, and the truth never is.
func TestForgeries(t *testing.T) {
	calls := 120
	if *long {
		calls = 10_000
	} else if testing.Short() {
		calls = 30
	}
	v := load(t)
	var counts counter
	var wait sync.WaitGroup
	for worker := range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for seed := worker; seed < calls; seed += runtime.GOMAXPROCS(0) {
				c := callOf(t, uint64(seed))
				r := rand.New(rand.NewPCG(uint64(seed), 7))
				forged := forge(r, c)
				counts.add(forged)
				kinds := slices.Sorted(maps.Keys(forged))
				r.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
				judgeAlone(t, v, c, c.answer, "", true)
				judgeAlone(t, v, c, forged[kinds[0]], kinds[0], false)
				judgeTogether(t, v, c, forged, kinds, r.IntN(len(kinds)+1))
			}
		})
	}
	wait.Wait()
	total := 0
	for kind := range forgers {
		total += counts.by[kind]
		if counts.by[kind] == 0 && !testing.Short() {
			t.Errorf("no forgery of the kind %q", kind)
		}
	}
	t.Logf("%d honest answers, %d forgeries: %v", calls, total, counts.by)
}

type counter struct {
	lock sync.Mutex
	by   map[string]int
}

func (c *counter) add(forged map[string][]byte) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.by == nil {
		c.by = map[string]int{}
	}
	for kind := range forged {
		c.by[kind]++
	}
}

func judgeAlone(t testing.TB, v *verifier.Verifier, c call, response []byte, kind string, honest bool) {
	got := v.Run(t.Context(), nil, [][]byte{c.request}, [][]byte{response})
	want := barnraise.Verdict{Status: barnraise.Disagreement, Winner: -1, Culprits: []int{0}}
	if honest {
		want = barnraise.Verdict{Status: barnraise.Accepted, Culprits: []int{}}
	}
	if got.Problem != nil || !same(got.Verdict, want) {
		t.Errorf("%.300s\nanswered %.300s (%s)\nis judged %+v", c.request, response, kind, got)
	}
}

// judgeTogether puts all forgeries before the verifier, with the honest answer at a place among them.
func judgeTogether(t testing.TB, v *verifier.Verifier, c call, forged map[string][]byte, kinds []string, at int) {
	want := barnraise.Verdict{Status: barnraise.Accepted, Winner: at, Culprits: []int{}}
	responses := make([][]byte, 0, len(kinds)+1)
	for i, kind := range slices.Insert(slices.Clone(kinds), at, "") {
		if i == at {
			responses = append(responses, c.answer)
			continue
		}
		responses = append(responses, forged[kind])
		want.Culprits = append(want.Culprits, i)
	}
	requests := slices.Repeat([][]byte{c.request}, len(responses))
	if got := v.Run(t.Context(), nil, requests, responses); got.Problem != nil || !same(got.Verdict, want) {
		t.Errorf("%.300s\nanswered %.300s and by %q\nis judged %+v, want %+v", c.request, c.answer, kinds, got, want)
	}
}

func same(a, b barnraise.Verdict) bool {
	return a.Status == b.Status && a.Winner == b.Winner && slices.Equal(a.Culprits, b.Culprits) && a.Need == b.Need
}
