package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/verifier"
	"barnraise/verifiers"
	"barnraise/wasm"
)

// said makes a judge of what says the verdict alone.
func said(verdict func(in input) barnraise.Verdict) judge {
	return func(in input) verifier.Result { return verifier.Result{Verdict: verdict(in), Fuel: 1} }
}

func is(status barnraise.Outcome, winner int, culprits ...int) barnraise.Verdict {
	return barnraise.Verdict{Status: status, Winner: winner, Culprits: append([]int{}, culprits...)}
}

// apart are the answers that differ from the first.
func apart(in input) (list []int) {
	for i, b := range in.Responses {
		if !bytes.Equal(b, in.Responses[0]) {
			list = append(list, i)
		}
	}
	return list
}

// bytewise is what compare says.
func bytewise(in input) barnraise.Verdict {
	if len(apart(in)) > 0 {
		return is(barnraise.Disagreement, -1)
	}
	return is(barnraise.Accepted, 0)
}

// faulty are judges that break one rule each, by the kind of what is to be found first.
func faulty() map[string]judge {
	fails := func(err error) judge {
		return func(in input) verifier.Result {
			r := verifier.Result{Verdict: bytewise(in), Fuel: 1}
			if slices.ContainsFunc(in.Responses, func(b []byte) bool { return bytes.Contains(b, []byte("[[")) }) {
				r = verifier.Result{Verdict: is(barnraise.Undecided, -1), Problem: fmt.Errorf("verify answers: %w", err)}
			}
			return r
		}
	}
	calls := 0
	return map[string]judge{
		"trap":      fails(wasm.ErrTrap),
		"fuel":      fails(wasm.ErrFuel),
		"malformed": fails(verifier.ErrMalformed),
		"repeat": func(in input) verifier.Result {
			calls++
			return verifier.Result{Verdict: bytewise(in), Fuel: uint64(calls)}
		},
		"equal": said(func(in input) barnraise.Verdict {
			if len(in.Responses) > 2 && len(apart(in)) == 0 {
				return is(barnraise.Accepted, 0, 1)
			}
			return bytewise(in)
		}),
		"twins": said(func(in input) barnraise.Verdict { // it wants different answers
			if len(in.Responses) > 1 && len(apart(in)) == 0 {
				return is(barnraise.Disagreement, -1)
			}
			return is(barnraise.Undecided, -1)
		}),
		"copy": said(func(in input) barnraise.Verdict { // a majority decides
			others := apart(in)
			if len(others)*2 < len(in.Responses) {
				return is(barnraise.Accepted, 0, others...)
			}
			return is(barnraise.Disagreement, -1)
		}),
		"order": said(func(in input) barnraise.Verdict { // the longest has to come first
			for _, b := range in.Responses {
				if len(b) > len(in.Responses[0]) {
					return is(barnraise.Disagreement, -1)
				}
			}
			return is(barnraise.Accepted, 0)
		}),
		"subset": said(func(in input) barnraise.Verdict { // three different ones convince it
			distinct := map[string]bool{}
			for _, b := range in.Responses {
				distinct[string(b)] = true
			}
			if len(distinct) > 2 {
				return is(barnraise.Accepted, 0)
			}
			return bytewise(in)
		}),
	}
}

// TestFuzzRules holds that each rule finds what breaks it, that the smallest input shows it still, and that it is the same when
// looked for again.
func TestFuzzRules(t *testing.T) {
	for kind, j := range faulty() {
		var before []finding
		for range 2 {
			h := hunt{judge: j, known: map[string]bool{}}
			for n := range uint64(400) {
				h.look(makeInput(fallback(nil), 1, n))
			}
			i := slices.IndexFunc(h.found, func(f finding) bool { return f.kind == kind })
			if i < 0 {
				t.Fatalf("%s is not found, but %v", kind, h.found)
			}
			f := h.found[i]
			rule := fuzzRules[slices.IndexFunc(fuzzRules, func(r rule) bool { return r.kind == kind })]
			if detail, _ := rule.check(j, f.input, j(f.input)); detail == "" || len(f.input.encode()) > 700 {
				t.Errorf("%s: %d bytes do not show it: %s", kind, len(f.input.encode()), f.input.encode())
			}
			if before != nil && kind != "repeat" && !bytes.Equal(before[0].input.encode(), f.input.encode()) {
				t.Errorf("%s: another input the second time", kind)
			}
			before = []finding{f}
		}
		t.Logf("%s: %s: %s", kind, before[0].detail, before[0].input.encode())
	}
}

// TestFuzzRulesPass holds that nothing is found where nothing is wrong: who names what is wrong by itself, who asks for more,
// who finds some inputs too large.
func TestFuzzRulesPass(t *testing.T) {
	for name, verdict := range map[string]func(in input) barnraise.Verdict{
		"bytes": bytewise,
		"proof": func(in input) barnraise.Verdict {
			winner, culprits := -1, []int{}
			for i, b := range in.Responses {
				if bytes.Contains(b, []byte("error")) {
					culprits = append(culprits, i)
				} else if winner < 0 {
					winner = i
				}
			}
			if winner < 0 {
				return is(barnraise.Disagreement, -1, culprits...)
			}
			return is(barnraise.Accepted, winner, culprits...)
		},
		"more": func(in input) barnraise.Verdict {
			if len(in.Responses) < 3 {
				v := is(barnraise.Undecided, -1)
				v.Need = 3
				return v
			}
			return bytewise(in)
		},
		"room for three": func(in input) barnraise.Verdict {
			if len(in.Responses) > 3 {
				return is(barnraise.Undecided, -1)
			}
			return bytewise(in)
		},
	} {
		h := hunt{judge: said(verdict), known: map[string]bool{}}
		for n := range uint64(500) {
			h.look(makeInput(fallback(nil), 2, n))
		}
		for _, f := range h.found {
			t.Errorf("%s: %s: %s: %s", name, f.kind, f.detail, f.input.encode())
		}
	}
}

// TestMakeInput holds that what is made is what a host puts before a verifier, the same for the same seed, and of all sorts.
func TestMakeInput(t *testing.T) {
	from := fallback([]byte("7"))
	seen, lone, twins, deep, long := map[string]bool{}, 0, 0, 0, 0
	for n := range uint64(1500) {
		in := makeInput(from, 3, n)
		if !bytes.Equal(in.encode(), makeInput(from, 3, n).encode()) {
			t.Fatal("another input for the same seed")
		}
		if k := len(in.Responses); k < 1 || k > maxAnswers || k != len(in.Requests) || string(in.Config) != "7" {
			t.Fatalf("%d answers to %d requests with %s", k, len(in.Requests), in.Config)
		}
		for _, b := range in.Responses {
			if _, err := jsonrpc.ParseResponse(b, jsonrpc.WireID); err != nil || len(b) > maxMade {
				t.Fatalf("%v: %.200s", err, b)
			}
			seen[string(b)] = true
			if parseTree(b).depth() == jsonrpc.MaxDepth {
				deep++
			}
			if len(b) > 9000 {
				long++
			}
		}
		if len(in.Responses) == 1 {
			lone++
		} else if len(apart(in)) == 0 {
			twins++
		}
		read, err := parseInput(in.encode())
		if err != nil || !bytes.Equal(read.encode(), in.encode()) {
			t.Fatalf("it is read otherwise: %v", err)
		}
	}
	if len(seen) < 700 || lone < 100 || twins < 50 || deep < 20 || long < 20 {
		t.Errorf("%d different answers, %d alone, %d all the same, %d at the greatest depth, %d long", len(seen), lone, twins, deep, long)
	}
	one := []input{from[0].pick(2)}
	for n := range uint64(300) {
		if len(makeInput(one, 5, n).Responses) == 0 {
			t.Fatal("no answers, where one is known")
		}
	}
	if bytes.Equal(makeInput(from, 3, 1).encode(), makeInput(from, 4, 1).encode()) {
		t.Error("another seed makes the same")
	}
}

// FuzzParseInput holds that an input is read as it is written again, and that answers are made of whatever a host lets through.
func FuzzParseInput(f *testing.F) {
	f.Add([]byte(`{"abi":1,"config":{"a":1},"requests":[{"jsonrpc":"2.0","id":1,"method":"m","params":[]}],"responses":[{"jsonrpc":"2.0","id":1,"result":[1,"a\u0000"]}]}`))
	f.Add([]byte(`{"abi":1,"requests":[ 1 ],"responses":[ [2] , "x"]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := parseInput(b)
		if err != nil {
			return
		}
		again, err := parseInput(in.encode())
		if err != nil || !bytes.Equal(again.encode(), in.encode()) {
			t.Fatalf("%s is read as %s, %v", in.encode(), again.encode(), err)
		}
		if from, ok := usable(in); ok && len(in.Requests) == len(in.Responses) {
			for _, body := range makeInput([]input{from}, 1, 1).Responses {
				if !isAnswer(body) {
					t.Errorf("%s is no answer", body)
				}
			}
		}
	})
}

// TestInspectFindsAll holds that an author is told everything at once, and what the loader says is among it.
func TestInspectFindsAll(t *testing.T) {
	engine, err := wasm.NewEngine("")
	if err != nil {
		t.Fatal(err)
	}
	good, _ := verifiers.Module("compare")
	bad := good
	for _, name := range []string{"verifier_abi_1", "minRequests", "alloc"} {
		bad = bytes.Replace(bad, []byte(name), []byte(strings.ToUpper(name)), 1)
	}
	bad = append(bytes.Clone(bad), append([]byte("\x00\x80\x80\x10\x01x"), make([]byte, 256<<10-2)...)...)
	v := candidate{name: "x", module: bad}
	r, err := v.inspect(t.Context(), engine)
	if err != nil || r.OK || len(r.Problems) != 4 || r.Size != len(bad) {
		t.Errorf("%+v, %v", r, err)
	}
	v.limits.Module = 1 << 20
	_, err = verifier.NewHost(engine).Load(t.Context(), bad, v.limits)
	if !errors.Is(err, wasm.ErrRefused) {
		t.Fatal(err)
	}
	for _, p := range problems(err) {
		if !slices.Contains(r.Problems, p) {
			t.Errorf("the loader says %q, and inspect %q", p, r.Problems)
		}
	}
	huge := candidate{name: "x", module: make([]byte, 9<<20)}
	if r, err := huge.inspect(t.Context(), engine); err != nil || r.OK || len(r.Problems) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestKeepFindings holds that a finding's files are what verifier run takes.
func TestKeepFindings(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "findings")
	in := fallback(nil)[0]
	r := fuzzResult{}
	if err := r.keep(dir, []finding{{"copy", "so", in, &in}}); err != nil || len(r.Findings) != 1 {
		t.Fatal(r, err)
	}
	for _, file := range []string{r.Findings[0].Input, r.Findings[0].Beside} {
		read, err := readInput(file, nil)
		if err != nil || !bytes.Equal(read.encode(), in.encode()) {
			t.Errorf("%s: %v", file, err)
		}
	}
	if err := (&fuzzResult{}).keep(filepath.Join(dir, "none"), nil); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("a directory for no findings")
	}
}
