package judge

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"barnraise"
)

// answers builds one answer per word, each of another operator. A word in capitals was drawn after the dispute arose; one
// that ends in ' was executed on the other platform.
func answers(words ...string) (list []Answer) {
	for i, word := range words {
		a := Answer{Server: barnraise.ServerID(i + 1), Operator: Operator(fmt.Sprint(i)), Platform: platform, Body: []byte(word)}
		if word[len(word)-1] == '\'' {
			a.Platform, a.Body = other, []byte(word[:len(word)-1])
		}
		if word[0] >= 'A' && word[0] <= 'Z' {
			a.After, a.Body = true, append([]byte{word[0] + 'a' - 'A'}, a.Body[1:]...)
		}
		list = append(list, a)
	}
	return list
}

func ran(bodies ...string) []Rerun {
	return []Rerun{{Platform: platform, Wasm: true, Bodies: [2][]byte{[]byte(bodies[0]), []byte(bodies[len(bodies)-1])}}}
}

// tolerant takes bodies that begin alike for equal, as a verifier of floats would; "proof…" proves itself and "bogus" does not.
func tolerant(bodies [][]byte) Finding {
	f := Finding{Verdict: barnraise.Verdict{Status: barnraise.Accepted}}
	for i, b := range bodies {
		switch {
		case string(b) == "bogus":
			f.Culprits = append(f.Culprits, i)
		case b[0] != bodies[0][0]:
			return Finding{Verdict: barnraise.Verdict{Status: barnraise.Disagreement, Winner: -1}}
		}
	}
	if len(f.Culprits) == len(bodies) {
		f.Status, f.Winner = barnraise.Disagreement, -1
	} else if len(f.Culprits) > 0 && f.Culprits[0] == 0 {
		f.Winner = len(f.Culprits)
	}
	return f
}

func undecided(need int) Verifier {
	return func([][]byte) Finding {
		return Finding{Verdict: barnraise.Verdict{Status: barnraise.Undecided, Winner: -1, Need: need}}
	}
}

func trapsOn(words ...string) Verifier {
	return func(bodies [][]byte) Finding {
		if slices.ContainsFunc(bodies, func(b []byte) bool { return slices.Contains(words, string(b)) }) {
			return Finding{Verdict: barnraise.Verdict{Status: barnraise.Undecided, Winner: -1}, Trapped: true}
		}
		return compare(bodies)
	}
}

// home makes an answer that of the service's home.
func home(i int, list []Answer) []Answer {
	list[i].Home = true
	return list
}

func TestJudge(t *testing.T) {
	run := []barnraise.Digest{platform}
	for _, c := range []struct {
		name string
		in   Case
		want Step // Verdict is not compared
	}{
		{"6.1 fewer operators than minRequests: ask on",
			Case{MinRequests: 3, Answers: answers("a"), Undrawn: 5, Verify: compare}, Step{Do: Ask, Count: 2}},
		{"6.1 fewer operators than there are",
			Case{MinRequests: 3, Answers: answers("a", "a"), Verify: compare}, Step{Do: Fail}},
		{"6.2 two servers of one operator are one vote",
			Case{MinRequests: 2, Answers: []Answer{{Server: 1, Operator: "x", Body: []byte("a")}, {Server: 2, Operator: "x", Body: []byte("a")}}, Undrawn: 1, Verify: compare},
			Step{Do: Ask, Count: 1}},
		{"agreement",
			Case{MinRequests: 2, Answers: answers("a", "a"), Undrawn: 2, Verify: compare}, Step{Do: Accept}},
		{"5.3 undecided may ask for more",
			Case{MinRequests: 1, Answers: answers("a"), Undrawn: 5, Verify: undecided(3)}, Step{Do: Ask, Count: 2}},
		{"5.3 undecided, nobody left",
			Case{MinRequests: 1, Answers: answers("a"), Verify: undecided(3)}, Step{Do: Fail}},
		{"5.5 the answer on which the verifier breaks is set aside",
			Case{MinRequests: 2, Answers: answers("a", "x", "a"), Undrawn: 1, Verify: trapsOn("x")}, Step{Do: Accept, Aside: []int{1}}},
		{"5.5 what is left is fewer than minRequests: to others",
			Case{MinRequests: 2, Answers: answers("a", "x"), Undrawn: 3, Verify: trapsOn("x")}, Step{Do: Ask, Count: 1, Aside: []int{1}}},
		{"5.5 what is left is fewer than minRequests, and nobody is left",
			Case{MinRequests: 2, Answers: answers("a", "x"), Verify: trapsOn("x")}, Step{Do: Fail, Aside: []int{1}}},
		{"5.5 two servers of one operator are one vote of those that are left",
			Case{MinRequests: 2, Answers: slices.Concat(answers("a", "x"), answers("a")), Undrawn: 3, Verify: trapsOn("x")},
			Step{Do: Ask, Count: 1, Aside: []int{1}}},
		{"5.5 nobody is set aside where either might be to blame",
			Case{MinRequests: 1, Answers: answers("a", "b"), Undrawn: 1, Verify: func(bodies [][]byte) Finding {
				if f := compare(bodies); f.Status == barnraise.Accepted {
					return f
				}
				return verifiers["traps"](bodies)
			}}, Step{Do: Ask, Count: 1}},
		{"5.5 a need for answers is one for such as count",
			Case{MinRequests: 1, Answers: answers("a", "x"), Undrawn: 5, Verify: func(bodies [][]byte) Finding {
				if f := trapsOn("x")(bodies); f.Trapped {
					return f
				}
				return undecided(3)(bodies)
			}}, Step{Do: Ask, Count: 2, Aside: []int{1}}},
		{"5.5 7.3 may still strike it",
			Case{MinRequests: 2, Answers: answers("a", "b", "x"), Reruns: ran("b"), Verify: trapsOn("x")},
			Step{Do: Accept, Winner: 1, Aside: []int{2}, Disputed: true, Strikes: []Strike{{0, Reexecuted, true}, {2, Reexecuted, true}}}},
		{"5.5 nor does a witness testify against it",
			Case{MinRequests: 2, Answers: answers("a", "b", "x", "B"), Covered: true, Verify: trapsOn("x")},
			Step{Do: Accept, Winner: 1, Aside: []int{2}, Disputed: true, Strikes: []Strike{{0, Witnessed, false}}}},
		{"5.5 it breaks on what this machine computed",
			Case{MinRequests: 2, Answers: answers("a", "b", "x"), Reruns: ran("x"), Verify: trapsOn("x")},
			Step{Do: Accept, Winner: 2, Disputed: true, Strikes: []Strike{{0, Reexecuted, true}, {1, Reexecuted, true}}}},
		{"5.5 a verifier that breaks on everything",
			Case{MinRequests: 2, Answers: answers("a", "a", "a"), Undrawn: 1, Verify: verifiers["traps"]}, Step{Do: Ask, Count: 1}},
		{"7.1 no party is a witness: an auditor's answer decides nothing",
			Case{MinRequests: 2, Answers: answers("a", "b", "b"), Undrawn: 1, Covered: true, Verify: compare}, Step{Do: Witness, Count: 1, Disputed: true}},
		{"7.3c a witness sides",
			Case{MinRequests: 2, Answers: answers("a", "b", "B"), Undrawn: 1, Covered: true, Verify: compare},
			Step{Do: Accept, Winner: 1, Disputed: true, Strikes: []Strike{{0, Witnessed, false}}}},
		{"7.3c a witness sides, but the verifier wants more than are left",
			Case{MinRequests: 3, Answers: answers("a", "b", "B"), Undrawn: 1, Covered: true, Verify: compare},
			Step{Do: Ask, Count: 1, Disputed: true, Strikes: []Strike{{0, Witnessed, false}}}},
		{"7.3c a witness that sides with nobody, then one that does",
			Case{MinRequests: 2, Answers: answers("a", "b", "C", "B"), Undrawn: 1, Covered: true, Verify: compare},
			Step{Do: Accept, Winner: 1, Disputed: true, Strikes: []Strike{{0, Witnessed, false}, {2, Witnessed, false}}}},
		{"7.3c a witness that sides with nobody: the next",
			Case{MinRequests: 2, Answers: answers("a", "b", "C"), Undrawn: 1, Covered: true, Verify: compare}, Step{Do: Witness, Count: 1, Disputed: true}},
		{"7.3c only among answers of one platform",
			Case{MinRequests: 2, Answers: answers("a", "b", "B'"), Undrawn: 1, Covered: true, Verify: compare}, Step{Do: Witness, Count: 1, Disputed: true}},
		{"7.3c only where the image is known not to contradict itself",
			Case{MinRequests: 2, Answers: answers("a", "b", "B"), Verify: compare}, Step{Do: Fail, Disputed: true}},
		{"7.3c a tolerant verifier says whose side",
			Case{MinRequests: 2, Answers: answers("a1", "b1", "B2"), Undrawn: 1, Covered: true, Verify: tolerant},
			Step{Do: Accept, Winner: 1, Disputed: true, Strikes: []Strike{{0, Witnessed, false}}}},
		{"who can run the image does so before anybody is struck",
			Case{MinRequests: 2, Answers: answers("a", "b", "B"), Undrawn: 1, Covered: true, Runnable: run, Verify: compare},
			Step{Do: Execute, Platforms: run, Disputed: true, Strikes: []Strike{{0, Witnessed, false}}}},
		{"7.3b re-execution differs",
			Case{MinRequests: 2, Answers: answers("a", "b", "B"), Reruns: ran("b"), Undrawn: 1, Verify: compare},
			Step{Do: Accept, Winner: 1, Disputed: true, Strikes: []Strike{{0, Reexecuted, true}}}},
		{"7.3b against the witness and the crowd",
			Case{MinRequests: 2, Answers: answers("a", "b", "B", "B"), Reruns: ran("a"), Verify: compare},
			Step{Do: Accept, Winner: 0, Disputed: true, Strikes: []Strike{{1, Reexecuted, true}, {2, Reexecuted, true}, {3, Reexecuted, true}}}},
		{"7.3b the verifier accepts it beside what was computed",
			Case{MinRequests: 2, Answers: answers("a1", "b1"), Reruns: ran("b2"), Verify: tolerant},
			Step{Do: Accept, Winner: 1, Disputed: true, Strikes: []Strike{{0, Reexecuted, true}}}},
		{"7.3b not for an answer of a platform that was not run",
			Case{MinRequests: 2, Answers: answers("a'", "b"), Reruns: ran("b"), Verify: compare}, Step{Do: Accept, Winner: 1, Disputed: true}},
		{"7.3b two liars, nobody right: the call goes on",
			Case{MinRequests: 2, Answers: answers("a", "b"), Reruns: ran("c"), Undrawn: 1, Verify: compare},
			Step{Do: Ask, Count: 1, Disputed: true, Strikes: []Strike{{0, Reexecuted, true}, {1, Reexecuted, true}}}},
		{"7.3b two liars and nobody left: both struck, the call fails closed",
			Case{MinRequests: 2, Answers: answers("a", "b"), Reruns: ran("c"), Verify: compare},
			Step{Do: Fail, Disputed: true, Strikes: []Strike{{0, Reexecuted, true}, {1, Reexecuted, true}}}},
		{"7.4 the image contradicts itself: nobody is struck",
			Case{MinRequests: 2, Answers: answers("a", "b", "B"), Reruns: ran("a", "b"), Covered: true, Undrawn: 1, Verify: compare},
			Step{Do: Fail, Disputed: true, Quarantine: true}},
		{"7.3a the verifier alone",
			Case{MinRequests: 1, Answers: answers("bogus", "proof"), Verify: tolerant},
			Step{Do: Accept, Winner: 1, Disputed: true, Strikes: []Strike{{0, RejectedAlone, false}}}},
		{"7.3a and re-execution differs too",
			Case{MinRequests: 1, Answers: answers("bogus", "proof"), Reruns: ran("proof"), Verify: tolerant},
			Step{Do: Accept, Winner: 1, Disputed: true, Strikes: []Strike{{0, RejectedAlone, true}}}},
		{"7.3a a verifier that blames nobody rejects nobody",
			Case{MinRequests: 1, Answers: answers("a"), Undrawn: 1, Verify: func([][]byte) Finding {
				return Finding{Verdict: barnraise.Verdict{Status: barnraise.Disagreement, Winner: -1}}
			}}, Step{Do: Witness, Count: 1, Disputed: true}},
		{"7.3a never where the image answers so on another platform; the revision is marked",
			Case{MinRequests: 1, Answers: answers("bogus'", "proof"), Reruns: ran("bogus"), Verify: tolerant},
			Step{Do: Accept, Winner: 0, Disputed: true, Marked: true, Strikes: []Strike{{1, Reexecuted, true}}}},
		{"7.3c never where the image answers so on another platform",
			Case{MinRequests: 2, Answers: answers("lie'", "truth'", "LIE'", "LIE"), Reruns: ran("truth"), Covered: true, Verify: compare},
			Step{Do: Accept, Winner: 1, Disputed: true, Strikes: []Strike{{3, Reexecuted, true}}}},
		{"7.3c nor where the verifier accepts it beside that",
			Case{MinRequests: 2, Answers: answers("a1'", "b1'", "A2'"), Reruns: ran("b2"), Covered: true, Verify: tolerant},
			Step{Do: Accept, Winner: 1, Disputed: true}},
		{"7.2 what the image answers is never struck, whatever the verifier says; the revision is marked",
			Case{MinRequests: 1, Answers: answers("bogus", "proof"), Reruns: ran("bogus"), Verify: tolerant},
			Step{Do: Accept, Winner: 0, Disputed: true, Marked: true, Strikes: []Strike{{1, Reexecuted, true}}}},
		{"7.7 undecided after a dispute: there is evidence",
			Case{MinRequests: 2, Answers: answers("a", "b", "X", "Y"), Undrawn: 1, Verify: trapsOn("x", "y")}, Step{Do: Ask, Count: 1, Disputed: true}},
		{"7.7 undecided after a dispute, and nobody left",
			Case{MinRequests: 2, Answers: answers("a", "b", "x", "y"), Reruns: ran("a"), Verify: trapsOn("x", "y")}, Step{Do: Fail, Disputed: true}},
		{"7.7 undecided after a dispute with an answer that is gone: there is none",
			Case{MinRequests: 2, Answers: answers("a", "A"), Undrawn: 1, Verify: undecided(0)}, Step{Do: Ask, Count: 1}},
		{"7.1 nor is who turns out to be of a party's operator",
			Case{MinRequests: 2, Answers: []Answer{
				{Server: 1, Operator: "x", Platform: platform, Body: []byte("a")}, {Server: 2, Operator: "y", Platform: platform, Body: []byte("b")},
				{Server: 3, Operator: "y", Platform: platform, Body: []byte("b"), After: true},
			}, Undrawn: 1, Covered: true, Verify: compare}, Step{Do: Witness, Count: 1, Disputed: true}},
		{"a lead is wanted: the first witness is the home, alone",
			Case{MinRequests: 2, Answers: answers("a", "b"), Undrawn: 5, Covered: true, Lead: 3, Verify: compare},
			Step{Do: Witness, Count: 1, Disputed: true}},
		{"a lead is wanted: the home's word is enough",
			Case{MinRequests: 2, Answers: home(2, answers("a", "b", "B")), Undrawn: 5, Covered: true, Lead: 3, Verify: compare},
			Step{Do: Accept, Winner: 1, Disputed: true, Strikes: []Strike{{0, Witnessed, false}}}},
		{"a lead is wanted: anybody else's is not, and so many are missing",
			Case{MinRequests: 2, Answers: answers("a", "b", "B"), Undrawn: 5, Covered: true, Lead: 3, Verify: compare},
			Step{Do: Witness, Count: 2, Disputed: true}},
		{"a lead is wanted and there",
			Case{MinRequests: 2, Answers: answers("a", "b", "B", "B", "B"), Undrawn: 5, Covered: true, Lead: 3, Verify: compare},
			Step{Do: Accept, Winner: 1, Disputed: true, Strikes: []Strike{{0, Witnessed, false}}}},
		{"a lead decides where nothing is known of the image, and strikes nobody",
			Case{MinRequests: 2, Answers: answers("a", "b", "B", "B", "B"), Undrawn: 5, Lead: 3, Verify: compare},
			Step{Do: Accept, Winner: 1, Disputed: true}},
		{"a lead that is out of reach",
			Case{MinRequests: 2, Answers: answers("a", "b", "B"), Lead: 3, Verify: compare}, Step{Do: Fail, Disputed: true}},
		{"a lead over all others together",
			Case{MinRequests: 2, Answers: answers("a", "b", "B", "C", "B", "B"), Undrawn: 5, Lead: 3, Verify: compare},
			Step{Do: Witness, Count: 1, Disputed: true}},
		{"no lead over what this machine computed",
			Case{MinRequests: 2, Answers: answers("a", "b", "B", "B", "B"), Reruns: ran("c"), Lead: 3, Verify: compare},
			Step{Do: Fail, Disputed: true, Strikes: []Strike{
				{0, Reexecuted, true}, {1, Reexecuted, true}, {2, Reexecuted, true}, {3, Reexecuted, true}, {4, Reexecuted, true}}}},
		{"no lead for what the verifier rejects alone",
			Case{MinRequests: 1, Answers: answers("bogus", "bogus", "BOGUS", "c"), Lead: 2, Verify: tolerant},
			Step{Do: Fail, Disputed: true}},
		{"7.7 while an undrawn operator remains the call goes on",
			Case{MinRequests: 2, Answers: answers("a", "b", "B"), Undrawn: 2, Verify: compare}, Step{Do: Ask, Count: 1, Disputed: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Judge(c.in)
			got.Verdict = barnraise.Verdict{}
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", c.want) {
				t.Errorf("judged\n%+v, want\n%+v", got, c.want)
			}
		})
	}
}

func TestExamine(t *testing.T) {
	twice := answers("a", "b")
	twice[1].Server, twice[0].KeyID, twice[1].KeyID = 1, "k", "k"
	rotated := slices.Clone(twice)
	rotated[1].KeyID = "l"
	for _, c := range []struct {
		name     string
		answers  []Answer
		reruns   []Rerun
		verify   Verifier
		holds    bool
		culprits []barnraise.ServerID
	}{
		{"contradiction, nobody executes: held unproved", answers("a", "b"), nil, compare, true, nil},
		{"contradiction, re-executed", answers("a", "b", "b"), ran("b"), compare, true, []barnraise.ServerID{1}},
		{"no contradiction", answers("a", "a"), nil, compare, false, nil},
		{"no contradiction, but the image says otherwise", answers("a", "a"), ran("b"), compare, true, []barnraise.ServerID{1, 2}},
		{"the image contradicts itself", answers("a", "b"), ran("a", "b"), compare, true, nil},
		{"rejected alone, nobody executes", answers("bogus"), nil, tolerant, true, nil},
		{"rejected alone, and re-execution differs", answers("bogus"), ran("proof"), tolerant, true, []barnraise.ServerID{1}},
		{"rejected alone, but the image says so", answers("bogus"), ran("bogus"), tolerant, true, nil},
		{"undecided", answers("a", "b"), nil, undecided(0), false, nil},
		{"5.5 it breaks on one answer, the others contradict each other", answers("a", "b", "x", "B"), nil, trapsOn("x"), true, nil},
		{"5.5 it breaks on one answer, re-executed", answers("a", "b", "x", "B"), ran("a"), trapsOn("x"), true, []barnraise.ServerID{2, 3, 4}},
		{"5.5 it breaks on several, two contradict each other", answers("a", "b", "x", "y"), nil, trapsOn("x", "y"), true, nil},
		{"5.5 it breaks on one, the others agree", answers("a", "x", "a"), nil, trapsOn("x"), false, nil},
		{"5.5 it breaks on the only answer", answers("x"), nil, trapsOn("x"), false, nil},
		{"7.3d two receipts for one request, nobody executes", twice, nil, compare, true, nil},
		{"7.3d two receipts for one request", twice, ran("a"), compare, true, []barnraise.ServerID{1}},
		{"7.3d both beside the truth for the verifier", twice, ran("a"), func([][]byte) Finding { return accepted(0) }, true, []barnraise.ServerID{1}},
		{"7.3d under two keys is no equivocation", rotated, ran("c"), func([][]byte) Finding { return accepted(0) }, false, nil},
		{"another platform than the one executed", answers("a'", "b"), ran("b"), compare, true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Examine(c.answers, c.reruns, c.verify)
			if got.Holds != c.holds || !slices.Equal(got.Culprits, c.culprits) {
				t.Errorf("holds %v, culprits %v; want %v, %v", got.Holds, got.Culprits, c.holds, c.culprits)
			}
		})
	}
}

// Protocol 7.3: what is not proved to others, only the own score falls for.
func TestExamineDoubts(t *testing.T) {
	linux := ran("b")
	linux[0].Wasm = false
	for _, c := range []struct {
		name               string
		answers            []Answer
		reruns             []Rerun
		verify             Verifier
		culprits, doubtful []barnraise.ServerID
	}{
		{"7.3a rejected alone, nobody executes", answers("bogus", "proof"), nil, tolerant, nil, []barnraise.ServerID{1}},
		{"7.3a rejected alone, and re-execution differs", answers("bogus", "proof"), ran("proof"), tolerant, []barnraise.ServerID{1}, nil},
		{"7.3b re-executed on linux, which can see its surroundings", answers("a", "b"), linux, compare, nil, []barnraise.ServerID{1}},
		{"7.3b one answer, re-executed on linux", answers("a"), linux, compare, nil, []barnraise.ServerID{1}},
		{"7.3b re-executed on wasm", answers("a", "b"), ran("b"), compare, []barnraise.ServerID{1}, nil},
		{"7.3c what a witness says is worth nothing here", answers("a", "b", "B"), nil, compare, nil, nil},
		{"7.4 the image contradicts itself", answers("a", "bogus"), ran("a", "b"), tolerant, nil, nil},
	} {
		got := Examine(c.answers, c.reruns, c.verify)
		if !got.Holds || !slices.Equal(got.Culprits, c.culprits) || !slices.Equal(got.Doubtful, c.doubtful) {
			t.Errorf("%s: holds %v, culprits %v, doubtful %v; want %v, %v", c.name, got.Holds, got.Culprits, got.Doubtful, c.culprits, c.doubtful)
		}
	}
}

func TestByExecution(t *testing.T) {
	elsewhere := ran("a")
	elsewhere[0].Platform = other
	linux := ran("b")
	linux[0].Wasm = false
	for _, c := range []struct {
		name string
		in   Case
		want Step // Verdict is not compared
	}{
		{"7.2 its bytes are those computed here, however many the verifier wants",
			Case{MinRequests: 3, Answers: answers("a"), Reruns: ran("a"), Undrawn: 9, Verify: compare}, Step{Do: Accept}},
		{"7.2 the verifier rejects them nevertheless: the revision is marked",
			Case{Answers: answers("bogus"), Reruns: ran("bogus"), Verify: tolerant}, Step{Do: Accept, Marked: true}},
		{"7.2 the verifier breaks on them: they are right",
			Case{Answers: answers("x"), Reruns: ran("x"), Verify: trapsOn("x")}, Step{Do: Accept}},
		{"7.3b the verifier accepts it beside them",
			Case{Answers: answers("proof2"), Reruns: ran("proof1"), Verify: tolerant}, Step{Do: Accept}},
		{"7.3b it differs",
			Case{Answers: answers("a"), Reruns: ran("b"), Undrawn: 9, Verify: compare},
			Step{Do: Fail, Disputed: true, Strikes: []Strike{{0, Reexecuted, true}}}},
		{"7.3b it differs on linux",
			Case{Answers: answers("a"), Reruns: linux, Verify: compare},
			Step{Do: Fail, Disputed: true, Strikes: []Strike{{0, Reexecuted, false}}}},
		{"7.3a the verifier rejects it alone, and it differs",
			Case{Answers: answers("bogus"), Reruns: ran("proof"), Verify: tolerant},
			Step{Do: Fail, Disputed: true, Strikes: []Strike{{0, RejectedAlone, true}}}},
		{"7.4 the image contradicts itself",
			Case{Answers: answers("a"), Reruns: ran("b", "c"), Verify: compare}, Step{Do: Fail, Quarantine: true}},
		{"executed on another platform, which says the same",
			Case{Answers: answers("a"), Reruns: elsewhere, Verify: compare}, Step{Do: Accept}},
		{"executed on another platform, which says otherwise: nobody can tell",
			Case{Answers: answers("b"), Reruns: elsewhere, Verify: compare}, Step{Do: Fail}},
	} {
		got := ByExecution(c.in)
		got.Verdict, got.Aside = c.want.Verdict, slices.Clip(append([]int(nil), got.Aside...))
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// Protocol 5.4: an answer is put to no more servers than a verdict can be about.
func TestJudgeAsksNoMoreThanMaxAnswers(t *testing.T) {
	c := Case{MinRequests: 2, Answers: quarrel(barnraise.MaxAnswers), Undrawn: 9, Verify: compare}
	if step := Judge(c); step.Do != Fail || !step.Disputed {
		t.Errorf("judged %+v, want Fail", step)
	}
}

// quarrel is a dispute in which every witness says something else.
func quarrel(n int) (list []Answer) {
	for i := range n {
		list = append(list, Answer{
			Server: barnraise.ServerID(i + 1), Operator: Operator(fmt.Sprint(i)), Platform: platform, Body: fmt.Append(nil, i), After: i > 1,
		})
	}
	return list
}

// The verifier is run as seldom as Judge says, and over a whole call no two bodies are compared twice.
func TestJudgeCallsTheVerifierSeldom(t *testing.T) {
	traps := verifiers["traps"]
	for _, c := range []struct {
		name                string
		verify              Verifier
		n                   int
		judgement, wholeway int
	}{
		{"compare", compare, 8, 1 + 8 + 28, 7 + 8 + 28},
		{"compare", compare, 64, 1 + 64 + 2016, 63 + 64 + 2016},
		{"undecided", undecided(0), 64, 1 + 64 + 2016, 63 + 64 + 2016},
		{"traps", traps, 64, 1 + 64 + 64 + 2016, 63 + 63*64 + 64 + 2016},
	} {
		calls := 0
		counting := func(bodies [][]byte) Finding { calls++; return c.verify(bodies) }
		list := quarrel(c.n)
		Judge(Case{MinRequests: 2, Answers: list, Undrawn: 1, Covered: true, Verify: counting})
		if bound := c.n*(c.n+1)/2 + c.n + 2; calls > min(bound, c.judgement) {
			t.Errorf("%s, %d answers: %d calls in a judgement, at most %d and %d", c.name, c.n, calls, c.judgement, bound)
		}
		calls = 0
		var memo Memo
		for n := 2; n <= c.n; n++ {
			Judge(Case{MinRequests: 2, Answers: list[:n], Undrawn: 1, Covered: true, Verify: counting, Memo: &memo})
		}
		if calls > c.wholeway {
			t.Errorf("%s, %d answers: %d calls on the way to them, at most %d", c.name, c.n, calls, c.wholeway)
		}
	}
}

// What was asked before an anchor was drawn is not asked again when the same answers are judged.
func TestContradicted(t *testing.T) {
	for name, c := range map[string]struct {
		verify Verifier
		given  []Answer
		want   bool
	}{
		"other bytes":               {compare, answers("a", "b"), true},
		"other bytes, as they like": {func([][]byte) Finding { return Finding{Verdict: barnraise.Verdict{Status: barnraise.Accepted}} }, answers("a", "b"), false},
		"the same":                  {compare, answers("a", "a"), false},
		"who knows":                 {undecided(3), answers("a", "b"), false},
	} {
		var together int
		k := Case{MinRequests: 2, Answers: c.given, Undrawn: 3, Covered: true, Memo: new(Memo), Verify: func(bodies [][]byte) Finding {
			if len(bodies) == len(c.given) {
				together++
			}
			return c.verify(bodies)
		}}
		got := Contradicted(k)
		if Judge(k); got != c.want || together != 1 {
			t.Errorf("%s: contradicted %t, want %t; asked %d times about both", name, got, c.want, together)
		}
	}
}

// Equal bodies are compared once, whoever gave them.
func TestJudgeComparesDifferentBodiesOnce(t *testing.T) {
	list := quarrel(64)
	for i := range list {
		list[i].Body = fmt.Append(nil, i%3)
	}
	calls := 0
	Judge(Case{MinRequests: 2, Answers: list, Covered: true, Reruns: ran("0"), Verify: func(bodies [][]byte) Finding { calls++; return compare(bodies) }})
	if calls > 1+3+3 {
		t.Errorf("%d calls for three bodies, at most 7", calls)
	}
}
