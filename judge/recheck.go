package judge

import (
	"slices"

	"barnraise"
)

// Recheck is what evidence shows to whoever looks at it: its answers have been checked against registry and receipts before
// ([barnraise.Evidence.Check]).
type Recheck struct {
	// Holds reports whether the answers contradict each other, the verifier, or what this machine computed.
	Holds bool
	// Culprits are the servers that protocol 7.3 (a), (b) or (d) proves by this machine's own execution, ascending; without
	// execution there are none.
	Culprits []barnraise.ServerID
	// Doubtful are servers that only this machine's own score falls for, ascending: execution here differs, but on a platform that
	// can see its surroundings, or nothing was executed and the verifier rejects the answer alone (protocol 7.3 a and b).
	Doubtful []barnraise.ServerID
	Verdict  barnraise.Verdict // of the verifier over all answers
	// Quarantine says that the image contradicts itself here, so that nobody is proved wrong (protocol 7.4).
	Quarantine bool
}

// Examine rechecks evidence: the same answers, verifier and executions give the same result everywhere. Answers of one server
// may stand in it twice, which no live case has. An answer on which the verifier breaks is set aside as in a live case
// (protocol 5.5), so that it does not undo the evidence against another.
func Examine(answers []Answer, reruns []Rerun, verify Verifier) Recheck {
	b := newBench(Case{Answers: answers, Reruns: reruns, Verify: verify})
	h, equivocators := b.hear(), b.equivocators()
	r := Recheck{Verdict: h.verdict, Quarantine: b.contradictsItself()}
	r.Holds = len(equivocators) > 0 || b.contradictory(h)
	if r.Quarantine {
		return r
	}
	for _, s := range b.strikes(nil) {
		server := answers[s.Answer].Server
		if s.Conclusive {
			r.Culprits = append(r.Culprits, server)
		} else {
			r.Doubtful = append(r.Doubtful, server)
		}
	}
	for _, i := range equivocators {
		if b.executed(i) {
			r.Culprits = append(r.Culprits, answers[i].Server)
		}
	}
	r.Culprits = ascending(r.Culprits)
	r.Doubtful = slices.DeleteFunc(ascending(r.Doubtful), func(v barnraise.ServerID) bool { return slices.Contains(r.Culprits, v) })
	r.Holds = r.Holds || len(r.Culprits)+len(r.Doubtful) > 0
	return r
}

func ascending(list []barnraise.ServerID) []barnraise.ServerID {
	slices.Sort(list)
	return slices.Compact(list)
}

// equivocators are the answers that differ from another of the same server under the same key on the same platform (protocol
// 7.3 d).
func (b *bench) equivocators() (found []int) {
	for i, a := range b.Answers {
		for j, o := range b.Answers {
			if i != j && a.Server == o.Server && a.KeyID == o.KeyID && a.Platform == o.Platform && b.bodies[i].id != b.bodies[j].id {
				found = append(found, i)
				break
			}
		}
	}
	return found
}
