package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/verifier"

	"github.com/go-json-experiment/json"
)

var long = flag.Bool("long", false, "put ten thousand honest answers and ten thousand forgeries before the verifier")

// some is how many of each it is to be.
func some() int {
	if *long {
		return 10_000
	}
	return 1000
}

// inParallel calls a function with seeds from 0 on.
func inParallel(n int, do func(seed int)) {
	var wg sync.WaitGroup
	seeds := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for seed := range seeds {
				do(seed)
			}
		})
	}
	for seed := range n {
		seeds <- seed
	}
	close(seeds)
	wg.Wait()
}

// isProvable says whether an honest answer proves itself: all do but the error that no nonce was found, and those for bad params.
func isProvable(answer string) bool {
	return !strings.Contains(answer, `"code":-32030`) && !strings.Contains(answer, `"code":-32602`)
}

// No honest answer is rejected, and each is accepted that can be proved.
func TestHonest(t *testing.T) {
	v, boxes := court(t), boxes(t)
	var mu sync.Mutex
	count := map[string]int{}
	inParallel(some(), func(seed int) {
		m := maker{rand.New(rand.NewPCG(uint64(seed), 10))}
		a := m.exchange(boxes)
		want := accepted
		if !isProvable(a.answer) {
			want = needed
			if got := judged(v, a.config, a.request, a.answer, a.answer); got != accepted {
				t.Errorf("seed %d: twice: %s\n%.1000s\n%.1000s", seed, got, a.request, a.answer)
			}
		}
		if got := judged(v, a.config, a.request, a.answer); got != want {
			t.Errorf("seed %d: %s, want %s\n%.1000s\n%.1000s", seed, got, want, a.request, a.answer)
		}
		mu.Lock()
		defer mu.Unlock()
		count[kindOf(a)]++
	})
	t.Logf("%v", count)
}

// kindOf is the method that was asked, and the code where the answer is an error.
func kindOf(a asked) string {
	var r struct {
		Method string `json:"method"`
	}
	var e struct {
		Error jsonrpc.Error `json:"error"`
	}
	_, _ = json.Unmarshal([]byte(a.request), &r), json.Unmarshal([]byte(a.answer), &e)
	return fmt.Sprintf("%s %d", r.Method, e.Error.Code)
}

// Whatever a liar makes of an honest answer is rejected: alone, and beside the honest one.
func TestForgeries(t *testing.T) {
	v, boxes := court(t), boxes(t)
	var mu sync.Mutex
	count := map[string]int{}
	total := 0
	inParallel(some(), func(seed int) {
		m := maker{rand.New(rand.NewPCG(uint64(seed), 11))}
		var a asked
		var name, forged string
		for forged == "" || forged == a.answer || jsonrpc.Strict([]byte(forged)) != nil {
			a = m.exchange(boxes)
			name, forged = m.forge(boxes, a)
		}
		try(t, v, a, fmt.Sprintf("seed %d: %s", seed, name), forged)
		mu.Lock()
		defer mu.Unlock()
		count[name]++
		total++
	})
	t.Logf("%d forgeries: %v", total, count)
}

// try puts a forgery before the verifier.
func try(t *testing.T, v *verifier.Verifier, a asked, name, forged string) {
	t.Helper()
	alone, first, second := rejected, says(barnraise.Accepted, 1, 0, 0), says(barnraise.Accepted, 0, 0, 1)
	if !isProvable(a.answer) {
		first, second = says(barnraise.Disagreement, -1, 0, 0), says(barnraise.Disagreement, -1, 0, 1)
	}
	if strings.HasSuffix(forged, notFound+"}") && strings.Contains(a.request, "whisper_seal") {
		alone = needed // nobody can know it, without a seal
	}
	if got := judged(v, a.config, a.request, forged); got != alone {
		t.Errorf("%s: %s, want %s\n%.2000s\n%.2000s\n%.2000s", name, got, alone, a.request, a.answer, forged)
	}
	if got := judged(v, a.config, a.request, forged, a.answer); got != first {
		t.Errorf("%s: before the honest one: %s, want %s\n%.1000s\n%.1000s", name, got, first, a.request, forged)
	}
	if got := judged(v, a.config, a.request, a.answer, forged); got != second {
		t.Errorf("%s: behind the honest one: %s, want %s\n%.1000s\n%.1000s", name, got, second, a.request, forged)
	}
}

// way is a forgery with its name. It gives nothing where the answer has nothing to be forged like that.
type way struct {
	name  string
	forge func() string
}

// forge makes another answer of an honest one, and says how.
func (m maker) forge(boxes []box, a asked) (name, forged string) {
	ways := m.anyway(a.answer)
	if m.IntN(5) > 0 {
		ways = append(ways[:0], m.ways(boxes, a)...)
	}
	if len(ways) == 0 {
		return "", ""
	}
	way := ways[m.IntN(len(ways))]
	return way.name, way.forge()
}

// ways are the forgeries of a result of that method, none of an error.
func (m maker) ways(boxes []box, a asked) []way {
	result := within(a.answer)
	switch {
	case strings.Contains(a.answer, `"error"`):
		return nil
	case a.mail != nil:
		return m.mailForgeries(boxes, *a.mail)
	case strings.Contains(a.request, "whisper_seal"):
		return m.sealForgeries(a.request, result)
	case strings.Contains(a.request, "whisper_validate"):
		return m.reportForgeries(result)
	}
	return m.hashForgeries(result)
}

// anyway are forgeries of every answer.
func (m maker) anyway(answer string) []way {
	isError := strings.Contains(answer, `"error"`)
	flip := func() string {
		if isError {
			return "" // the words of one prove nothing
		}
		at := len(resultOf("")) - 1 + m.IntN(len(within(answer)))
		return answer[:at] + string("0123456789abcdef tfn,"[m.IntN(21)]) + answer[at+1:]
	}
	return []way{
		{"flipped character", flip}, {"flipped character", flip},
		{"one member more", func() string { return strings.TrimSuffix(answer, "}}") + `,"more":1}}` }},
		{"another error", func() string {
			return errorOf(m.pick(notFound, `{"code":-32031,"message":"bad_rlp","data":{"index":9}}`, `{"code":-32032,"message":"unknown_archive"}`,
				`{"code":-32033,"message":"target_too_high"}`, `{"code":-1,"message":"no"}`))
		}},
		{"no result", func() string { return resultOf(m.pick("null", "[{}]", "{}", `""`, "0", "false")) }},
	}
}

// reportForgeries are lies about envelopes.
func (m maker) reportForgeries(result string) []way {
	list := read[[]report](result)
	if len(list) == 0 {
		return []way{{"report of nothing", func() string { return resultOf(text([]report{{}})) }}}
	}
	i, j := m.IntN(len(list)), m.IntN(len(list))
	ways := []way{
		{"dropped report", func() string { return resultOf(text(slices.Delete(slices.Clone(list), i, i+1))) }},
		{"report twice", func() string { return resultOf(text(slices.Insert(slices.Clone(list), i, list[i]))) }},
		{"swapped reports", func() string { return resultOf(text(swapped(list, i, j))) }},
	}
	for _, c := range []struct {
		name   string
		change func(r *report)
	}{
		{"flipped ok", func(r *report) { r.OK = !r.OK }},
		{"flipped expired", func(r *report) { r.Expired = !r.Expired }},
		{"other bits", func(r *report) { r.Bits += 1 + m.IntN(3) }},
		{"other size", func(r *report) { r.Size += []int{-1, 1, 3}[m.IntN(3)] }},
		{"other ttl", func(r *report) { r.TTL++ }},
		{"other topic", func(r *report) { r.Topic = "0x01020309" }},
		{"other hash", func(r *report) { r.Hash = fmt.Sprintf("0x%x", m.bytes(32)) }},
		{"no reasons", func(r *report) { r.Reasons, r.OK = nil, true }},
		{"a reason more", func(r *report) { r.Reasons, r.OK = append(slices.Clone(r.Reasons), "low_pow"), false }},
		{"a reason less", func(r *report) { r.Reasons = r.Reasons[:max(0, len(r.Reasons)-1)] }},
	} {
		ways = append(ways, way{c.name, func() string {
			other := slices.Clone(list)
			c.change(&other[i])
			return resultOf(text(other))
		}})
	}
	return ways
}

// hashForgeries are lies about messages.
func (m maker) hashForgeries(result string) []way {
	list := read[wakuHashes](result).Hashes
	if len(list) == 0 {
		return []way{{"hash of nothing", func() string { return resultOf(text(wakuHashes{[]string{fmt.Sprintf("0x%x", m.bytes(32))}})) }}}
	}
	i, j := m.IntN(len(list)), m.IntN(len(list))
	return []way{
		{"wrong hash", func() string {
			return resultOf(text(wakuHashes{append(slices.Clone(list[:len(list)-1]), fmt.Sprintf("0x%x", m.bytes(32)))}))
		}},
		{"swapped hashes", func() string { return resultOf(text(wakuHashes{swapped(list, i, j)})) }},
		{"dropped hash", func() string { return resultOf(text(wakuHashes{list[1:]})) }},
	}
}

func swapped[E any](list []E, i, j int) []E {
	list = slices.Clone(list)
	list[i], list[j] = list[j], list[i]
	return list
}

// read reads what the program has written, and text writes it as the program does.
func read[V any](from string) (v V) {
	if err := json.Unmarshal([]byte(from), &v); err != nil {
		panic(err) // the test's own goroutine must not end
	}
	return v
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
