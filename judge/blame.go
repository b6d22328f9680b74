package judge

import (
	"bytes"

	"barnraise"
)

// bench is a case on the table.
type bench struct{ Case }

func (b *bench) all() []int {
	all := make([]int, len(b.Answers))
	for i := range all {
		all[i] = i
	}
	return all
}

func (b *bench) bodies(indices []int) [][]byte {
	bodies := make([][]byte, len(indices))
	for n, i := range indices {
		bodies[n] = b.Answers[i].Body
	}
	return bodies
}

func (b *bench) operators() int {
	seen := make(map[Operator]bool)
	for _, a := range b.Answers {
		seen[a.Operator] = true
	}
	return len(seen)
}

// breaking leaves out one answer at a time and returns those that stand in every trapping set (protocol 5.5).
func (b *bench) breaking(all []int) (found []int) {
	if len(all) == 1 {
		return all
	}
	for n := range all {
		rest := append(append([]int{}, all[:n]...), all[n+1:]...)
		if !b.Verify(b.bodies(rest)).Trapped {
			found = append(found, all[n])
		}
	}
	if len(found) != 1 {
		return nil // several sets of answers trap, and no answer is in all of them, or none is to blame
	}
	return found
}

// rerun returns this machine's own execution on a platform.
func (b *bench) rerun(platform barnraise.Digest) (Rerun, bool) {
	for _, r := range b.Reruns {
		if r.Platform == platform {
			return r, true
		}
	}
	return Rerun{}, false
}

// executed reports whether this machine ran the request on answer i's platform.
func (b *bench) executed(i int) bool {
	_, ok := b.rerun(b.Answers[i].Platform)
	return ok
}

// contradictsItself reports whether the image gave two answers to the one request on fresh instances (protocol 7.4).
func (b *bench) contradictsItself() bool {
	for _, r := range b.Reruns {
		if !r.Alike() {
			return true
		}
	}
	return false
}

// protected reports whether answer i is byte-equal to an independent re-execution on its platform (protocol 7.2).
func (b *bench) protected(i int) bool {
	r, ok := b.rerun(b.Answers[i].Platform)
	return ok && r.Alike() && bytes.Equal(r.Bodies[0], b.Answers[i].Body)
}

// rejectsAlone reports whether the verifier rejects answer i without looking at another.
func (b *bench) rejectsAlone(i int) bool {
	f := b.Verify([][]byte{b.Answers[i].Body})
	return f.Status == barnraise.Disagreement && f.Blames(0)
}

// beside reports whether the verifier takes both for right.
func (b *bench) beside(x, y []byte) bool {
	f := b.Verify([][]byte{x, y})
	return f.Status == barnraise.Accepted && len(f.Culprits) == 0
}

// verifierRejectsTruth reports whether the verifier rejects alone what the image itself answers.
func (b *bench) verifierRejectsTruth(live []int) bool {
	for _, i := range live {
		if b.protected(i) && b.rejectsAlone(i) {
			return true
		}
	}
	return false
}

// strikes applies protocol 7.3 to each answer. An answer that this machine computed itself is never struck (7.2).
func (b *bench) strikes(live []int) (strikes []Strike) {
	for _, i := range live {
		if b.protected(i) {
			continue
		}
		rerun, executed := b.rerun(b.Answers[i].Platform)
		switch {
		case b.rejectsAlone(i):
			strikes = append(strikes, Strike{i, RejectedAlone, executed})
		case executed && !b.beside(b.Answers[i].Body, rerun.Bodies[0]): // where the verifier is undecided, bytes decide
			strikes = append(strikes, Strike{i, Reexecuted, rerun.Wasm})
		case !executed && b.witnessAgainst(i, live):
			strikes = append(strikes, Strike{i, Witnessed, false})
		}
	}
	return strikes
}

// witnessAgainst reports whether a witness sides with another answer and against answer i (protocol 7.3 c): all three on one
// platform, the witness drawn after the dispute arose and no party to it.
func (b *bench) witnessAgainst(i int, live []int) bool {
	if !b.Covered && len(b.Reruns) == 0 {
		return false
	}
	for _, w := range live {
		if w == i || !b.Answers[w].After {
			continue
		}
		for _, x := range live[:w] {
			if x != i && i < w && b.sides(w, x, i) {
				return true
			}
		}
	}
	return false
}

// witnessed reports whether some witness has taken a side.
func (b *bench) witnessed(live []int) bool {
	for _, w := range live {
		for _, x := range live {
			for _, i := range live {
				if b.Answers[w].After && x < w && i < w && x != i && b.sides(w, x, i) {
					return true
				}
			}
		}
	}
	return false
}

// sides reports whether witness w sides with answer x and against answer i: same platform, bytes equal to those of x, or
// else the verifier accepts it beside x and not beside i.
func (b *bench) sides(w, x, i int) bool {
	witness, with, against := b.Answers[w], b.Answers[x], b.Answers[i]
	if witness.Platform != with.Platform || witness.Platform != against.Platform || bytes.Equal(with.Body, against.Body) {
		return false
	}
	if bytes.Equal(witness.Body, with.Body) {
		return !b.beside(with.Body, against.Body)
	}
	return b.beside(witness.Body, with.Body) && !b.beside(witness.Body, against.Body)
}
