package main

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"

	"barnraise"
	"barnraise/verifier"
)

// A judge puts an input before a verifier.
type judge func(input) verifier.Result

// A finding is an input of which a verifier says what none may say.
type finding struct {
	kind, detail string
	input        input
	beside       *input // what else it was asked, where it contradicts itself
}

// A rule says what is wrong with what a judge says of an input, all of whose answers are to one request; the detail is empty
// where nothing is. The second input is the other one of a contradiction.
type rule struct {
	kind  string
	check func(j judge, in input, first verifier.Result) (detail string, beside *input)
}

// fuzzRules are what holds of every verifier, whatever it takes for right.
var fuzzRules = []rule{
	{"trap", failsWith("trap")},           // 5.5
	{"fuel", failsWith("fuel")},           // 5.5
	{"malformed", failsWith("malformed")}, // 5.3
	{"repeat", repeats},                   // 5.7
	{"equal", strikesEqual},               // 5.3
	{"twins", twinsDisagree},              // 5.4
	{"copy", countsCopies},                // 5.4
	{"order", mindsOrder},                 // 5.2
	{"subset", acceptsWhatDisagrees},      // 5.4
}

func failsWith(kind string) func(judge, input, verifier.Result) (string, *input) {
	return func(_ judge, _ input, first verifier.Result) (string, *input) {
		if problem, _ := problemOf(first.Problem); string(problem) == kind {
			return first.Problem.Error(), nil
		}
		return "", nil
	}
}

// repeats: the same input gives the same verdict for the same fuel.
func repeats(j judge, in input, first verifier.Result) (string, *input) {
	again := j(in)
	if reflect.DeepEqual(again.Verdict, first.Verdict) && again.Fuel == first.Fuel && (again.Problem == nil) == (first.Problem == nil) {
		return "", nil
	}
	return fmt.Sprintf("the same input gives %s for %d units, and then %s for %d", spoken(first), first.Fuel, spoken(again), again.Fuel), nil
}

// strikesEqual: of answers that are the same bytes, all are culprits or none; so no answer is that equals the winner.
func strikesEqual(_ judge, in input, first verifier.Result) (string, *input) {
	for _, c := range first.Verdict.Culprits {
		for i, body := range in.Responses {
			if !first.Verdict.Blames(i) && bytes.Equal(body, in.Responses[c]) {
				return fmt.Sprintf("it strikes answer %d, which is the same bytes as answer %d: %s", c, i, spoken(first)), nil
			}
		}
	}
	return "", nil
}

// twinsDisagree: answers that are all the same bytes cannot contradict each other. Only what the verifier rejects alone, it may
// reject twice.
func twinsDisagree(j judge, in input, first verifier.Result) (string, *input) {
	same := func(b []byte) bool { return !bytes.Equal(b, in.Responses[0]) }
	if len(in.Responses) < 2 || first.Verdict.Status != barnraise.Disagreement || slices.ContainsFunc(in.Responses, same) {
		return "", nil
	}
	one := in.pick(0)
	if alone := j(one); alone.Problem == nil && alone.Verdict.Status != barnraise.Disagreement {
		return fmt.Sprintf("the same answer %d times is disagreement, alone it is %s", len(in.Responses), spoken(alone)), &one
	}
	return "", nil
}

// countsCopies: a copy of an answer that is there already says nothing new. It may not turn accepted into disagreement or the
// reverse, and not decide what was undecided, unless that asked for more.
func countsCopies(j judge, in input, first verifier.Result) (string, *input) {
	asks := first.Verdict.Status == barnraise.Undecided && first.Verdict.Need > len(in.Responses)
	if first.Problem != nil || asks || len(in.Responses) == barnraise.MaxAnswers {
		return "", nil
	}
	for i := range in.Responses {
		if slices.ContainsFunc(in.Responses[:i], func(b []byte) bool { return bytes.Equal(b, in.Responses[i]) }) {
			continue
		}
		more := in.pick(append(indexes(in), i)...)
		if second := j(more); turned(first, second) || first.Verdict.Status == barnraise.Undecided && decided(second) {
			return fmt.Sprintf("%s; with one more copy of answer %d it is %s", spoken(first), i, spoken(second)), &more
		}
	}
	return "", nil
}

// mindsOrder: whoever calls puts the answers into some order, so accepted must not turn into disagreement by it.
func mindsOrder(j judge, in input, first verifier.Result) (string, *input) {
	for k := 1; k < len(in.Responses); k++ {
		order := indexes(in)
		order = append(order[k:], order[:k]...)
		slices.Reverse(order[1:])
		other := in.pick(order...)
		if second := j(other); turned(first, second) {
			return fmt.Sprintf("%s; in the order %v it is %s", spoken(first), order, spoken(second)), &other
		}
	}
	return "", nil
}

// acceptsWhatDisagrees: answers that were accepted beside one another cannot contradict each other in a smaller number.
func acceptsWhatDisagrees(j judge, in input, first verifier.Result) (string, *input) {
	if first.Problem != nil || first.Verdict.Status != barnraise.Accepted {
		return "", nil
	}
	for i := range in.Responses {
		for k := i; k < len(in.Responses); k++ {
			if first.Verdict.Blames(i) || first.Verdict.Blames(k) || len(in.Responses) == 1 {
				continue
			}
			fewer := in.pick(i, k)
			if i == k {
				fewer = in.pick(i)
			}
			if second := j(fewer); turned(first, second) {
				return fmt.Sprintf("%s; of these, answers %d and %d are %s", spoken(first), i, k, spoken(second)), &fewer
			}
		}
	}
	return "", nil
}

func decided(r verifier.Result) bool {
	return r.Problem == nil && (r.Verdict.Status == barnraise.Accepted || r.Verdict.Status == barnraise.Disagreement)
}

// turned reports whether one result is accepted and the other disagreement.
func turned(a, b verifier.Result) bool {
	return decided(a) && decided(b) && a.Verdict.Status != b.Verdict.Status
}

// spoken is a result for people.
func spoken(r verifier.Result) string {
	switch {
	case r.Problem != nil:
		return r.Problem.Error()
	case r.Verdict.Status == barnraise.Accepted && len(r.Verdict.Culprits) > 0:
		return fmt.Sprintf("accepted, winner %d, culprits %v", r.Verdict.Winner, r.Verdict.Culprits)
	case r.Verdict.Status == barnraise.Accepted:
		return fmt.Sprintf("accepted, winner %d", r.Verdict.Winner)
	case len(r.Verdict.Culprits) > 0:
		return fmt.Sprintf("%s, culprits %v", r.Verdict.Status, r.Verdict.Culprits)
	}
	return string(r.Verdict.Status)
}

func indexes(in input) (list []int) {
	for i := range in.Responses {
		list = append(list, i)
	}
	return list
}

// pick is the input with these answers.
func (in input) pick(which ...int) input {
	out := input{Config: in.Config}
	for _, i := range which {
		out.Requests, out.Responses = append(out.Requests, in.Requests[i]), append(out.Responses, in.Responses[i])
	}
	return out
}

// A shrinker looks for a smaller input that shows the same. It is deterministic: what it may spend is counted in what it asks.
type shrinker struct {
	rule  rule
	judge judge
	tries int    // left
	fuel  uint64 // left, units
}

// newShrinker bounds the search to a few seconds.
func newShrinker(r rule, j judge) *shrinker {
	s := &shrinker{rule: r, tries: 1000, fuel: 2e10}
	s.judge = func(in input) verifier.Result {
		result := j(in)
		s.fuel -= min(s.fuel, result.Fuel)
		return result
	}
	return s
}

func (s *shrinker) spent() bool { return s.tries <= 0 || s.fuel == 0 }

func (s *shrinker) shows(in input) (finding, bool) {
	s.tries--
	detail, beside := s.rule.check(s.judge, in, s.judge(in))
	return finding{s.rule.kind, detail, in, beside}, detail != ""
}

// shrink makes a finding as small as it can.
func (s *shrinker) shrink(f finding) finding {
	for smaller := true; smaller && !s.spent(); {
		smaller = false
		for in := range f.input.smaller() {
			if s.spent() {
				break
			}
			if g, ok := s.shows(in); ok {
				f, smaller = g, true
				break
			}
		}
	}
	return f
}

// smaller yields inputs that are a step smaller, the largest steps first.
func (in input) smaller() func(yield func(input) bool) {
	return func(yield func(input) bool) {
		for i := range in.Responses {
			if len(in.Responses) > 1 && !yield(in.pick(slices.Delete(indexes(in), i, i+1)...)) {
				return
			}
		}
		for i, body := range in.Responses {
			for shorter := range smallerBodies(body) {
				out := in.pick(indexes(in)...)
				for k := range out.Responses { // copies stay copies
					if bytes.Equal(in.Responses[k], in.Responses[i]) {
						out.Responses[k] = shorter
					}
				}
				if !yield(out) {
					return
				}
			}
		}
	}
}

// smallerBodies yields answers that are a step smaller: a value in the place of what holds it, a part left out, half a string
// or number, nothing special.
func smallerBodies(body []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		root := parseTree(body)
		try := func() bool {
			made := root.write(nil, style{})
			return len(made) >= len(body) || !isAnswer(made) || yield(made)
		}
		if !try() { // without white space
			return
		}
		for _, at := range root.places() {
			kept := *at
			for _, less := range kept.less() {
				*at = less
				more := try()
				*at = kept
				if !more {
					return
				}
			}
		}
	}
}

// less lists what is a step less than a value.
func (n *node) less() (list []node) {
	switch n.kind {
	case '"':
		half := []rune(n.text)
		list = append(list, node{kind: '"'}, node{kind: '"', text: string(half[:len(half)/2])}, node{kind: '"', text: string(half[(len(half)+1)/2:])})
	case '0':
		list = append(list, node{kind: '0', text: "0"}, node{kind: '0', text: n.text[:max(1, len(n.text)/2)]})
	case '{', '[':
		list = append(list, node{kind: '0', text: "0"})
		for _, k := range n.kids {
			list = append(list, *k)
		}
		if half := len(n.kids) / 2; half > 1 {
			list = append(list, node{n.kind, "", n.names[:min(half, len(n.names))], n.kids[:half]})
		}
		for i := range min(len(n.kids), 32) {
			c := *n
			c.without(i)
			list = append(list, c)
		}
	}
	return list
}
