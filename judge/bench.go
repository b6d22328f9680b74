package judge

import (
	"bytes"
	"slices"

	"barnraise"
)

// Memo holds what a verifier has said, so that no judgement of one call asks it again. It belongs to one request and one
// verifier. The zero value is ready to use; it is not safe for concurrent use.
type Memo struct {
	seen []body
	sums []*barnraise.Digest // of those seen; nil before somebody wanted it
	said []finding
}

// finding is what a verifier said of some bodies.
type finding struct {
	ids []uint32
	Finding
}

// body is what was answered.
type body struct {
	id    uint32 // equal bodies have the same
	bytes []byte
}

// body finds a body among those seen before by its bytes: as a rule all answers are the same, and hashing takes longer.
func (m *Memo) body(b []byte) body {
	for _, v := range m.seen {
		if bytes.Equal(v.bytes, b) {
			return v
		}
	}
	v := body{uint32(len(m.seen)), b}
	m.seen, m.sums = append(m.seen, v), append(m.sums, nil)
	return v
}

// sum is that of a body that was seen.
func (m *Memo) sum(b body) *barnraise.Digest {
	if m.sums[b.id] == nil {
		sum := barnraise.Sum(b.bytes)
		m.sums[b.id] = &sum
	}
	return m.sums[b.id]
}

// bench is a case on the table.
type bench struct {
	Case
	bodies []body // of the answers
	own    []own
}

// own is what this machine computed twice alike.
type own struct {
	Rerun
	body
}

func newBench(c Case) *bench {
	if c.Memo == nil {
		c.Memo = new(Memo)
	}
	b := &bench{Case: c, bodies: make([]body, len(c.Answers))}
	for i, a := range c.Answers {
		b.bodies[i] = c.Memo.body(a.Body)
	}
	for _, r := range c.Reruns {
		if r.Alike() {
			b.own = append(b.own, own{r, c.Memo.body(r.Bodies[0])})
		}
	}
	return b
}

func (b *bench) all() []int {
	all := make([]int, len(b.Answers))
	for i := range all {
		all[i] = i
	}
	return all
}

// operators counts those of the answers given.
func (b *bench) operators(answers []int) (n int) {
	for k, i := range answers {
		if !slices.ContainsFunc(answers[:k], func(j int) bool { return b.Answers[j].Operator == b.Answers[i].Operator }) {
			n++
		}
	}
	return n
}

// room is how many operators can still be asked.
func (b *bench) room() int { return min(b.Undrawn, barnraise.MaxAnswers-len(b.Answers)) }

// find puts bodies before the verifier, in the order given, unless it has judged just these before.
func (b *bench) find(bodies ...body) Finding {
	same := func(id uint32, o body) bool { return id == o.id }
	for _, f := range b.Memo.said {
		if slices.EqualFunc(f.ids, bodies, same) {
			return f.Finding
		}
	}
	raw, ids := make([][]byte, len(bodies)), make([]uint32, len(bodies))
	for i, o := range bodies {
		raw[i], ids[i] = o.bytes, o.id
	}
	f := b.Verify(raw)
	b.Memo.said = append(b.Memo.said, finding{ids, f})
	return f
}

// among is what the verifier makes of some of the answers.
func (b *bench) among(answers []int) Finding {
	bodies := make([]body, len(answers))
	for n, i := range answers {
		bodies[n] = b.bodies[i]
	}
	return b.find(bodies...)
}

// rejects reports whether the verifier rejects a body without looking at another.
func (b *bench) rejects(o body) bool {
	f := b.find(o)
	return f.Status == barnraise.Disagreement && f.Blames(0)
}

// pair puts two bodies before the verifier, always in the same order.
func (b *bench) pair(x, y body) Finding {
	if a, b := b.Memo.sum(x), b.Memo.sum(y); bytes.Compare(a[:], b[:]) > 0 {
		x, y = y, x
	}
	return b.find(x, y)
}

// beside reports whether the verifier takes both for right.
func (b *bench) beside(x, y body) bool { return b.pair(x, y).clean() }

// clean says that the verifier finds nothing wrong.
func (f Finding) clean() bool { return f.Status == barnraise.Accepted && len(f.Culprits) == 0 }

// against says that the verifier finds something wrong.
func (f Finding) against() bool { return f.Status == barnraise.Disagreement || len(f.Culprits) > 0 }

// hearing is what comes of putting all answers before the verifier.
type hearing struct {
	verdict barnraise.Verdict // over all answers
	aside   []int             // answers on which the verifier breaks
	live    []int             // the others
	Finding                   // over these
}

// hear puts all answers before the verifier. Where it breaks, the answer that is in every set on which it does is set aside
// (protocol 5.5).
func (b *bench) hear() hearing {
	all := b.all()
	h := hearing{live: all, Finding: b.among(all)}
	h.verdict = h.Verdict
	if h.Trapped {
		h.aside = b.breaking(all)
		h.live = slices.DeleteFunc(all, func(i int) bool { return slices.Contains(h.aside, i) })
	}
	if len(h.aside) > 0 && len(h.live) > 0 {
		h.Finding = b.among(h.live)
	}
	return h
}

// breaking leaves out one answer at a time and returns the one that is in every trapping set: none where several sets trap
// and share no answer, and none where any of several might be to blame.
func (b *bench) breaking(all []int) (found []int) {
	if len(all) == 1 {
		return slices.Clone(all)
	}
	for n := range all {
		if !b.among(slices.Delete(slices.Clone(all), n, n+1)).Trapped {
			found = append(found, all[n])
		}
		if len(found) > 1 {
			return nil
		}
	}
	return found
}

// contradictory reports whether the answers contradict each other or the verifier: it says so of those that are left when
// those on which it breaks are set aside, or, where it is undecided about them, of one answer or of two.
func (b *bench) contradictory(h hearing) bool {
	if h.Status != barnraise.Undecided || h.against() {
		return h.against()
	}
	for i, o := range b.bodies {
		if b.rejects(o) || slices.ContainsFunc(b.bodies[:i], func(p body) bool { return p.id != o.id && b.pair(p, o).against() }) {
			return true
		}
	}
	return false
}
