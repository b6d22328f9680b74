package judge

import "slices"

// ran returns what this machine computed on answer i's platform.
func (b *bench) ran(i int) (own, bool) {
	n := slices.IndexFunc(b.own, func(o own) bool { return o.Platform == b.Answers[i].Platform })
	if n < 0 {
		return own{}, false
	}
	return b.own[n], true
}

// executed reports whether this machine ran the request on answer i's platform.
func (b *bench) executed(i int) bool {
	_, ok := b.ran(i)
	return ok
}

// contradictsItself reports whether the image gave two answers to the one request on fresh instances (protocol 7.4).
func (b *bench) contradictsItself() bool {
	return slices.ContainsFunc(b.Reruns, func(r Rerun) bool { return !r.Alike() })
}

// protected reports whether answer i is byte-equal to an independent re-execution on its platform (protocol 7.2).
func (b *bench) protected(i int) bool {
	o, ok := b.ran(i)
	return ok && o.id == b.bodies[i].id
}

// computed reports whether answer i is byte-equal to what this machine computed on any platform.
func (b *bench) computed(i int) bool {
	return slices.ContainsFunc(b.own, func(o own) bool { return o.id == b.bodies[i].id })
}

// upheld reports whether answer i is what this machine computed on any platform, or is accepted beside it.
func (b *bench) upheld(i int) bool {
	return b.computed(i) || slices.ContainsFunc(b.own, func(o own) bool { return b.beside(o.body, b.bodies[i]) })
}

// verifierRejectsTruth reports whether the verifier rejects alone what the image itself answers.
func (b *bench) verifierRejectsTruth() bool {
	return slices.ContainsFunc(b.all(), func(i int) bool { return b.computed(i) && b.rejects(b.bodies[i]) })
}

// strikes applies protocol 7.3 to each answer. One that this machine computed itself is never struck by what a verifier or a
// witness says, and not at all where its platform is that on which it was computed (7.2).
func (b *bench) strikes(against map[int]bool) (strikes []Strike) {
	known := b.Covered || len(b.Reruns) > 0
	for _, i := range b.all() {
		ran, executed := b.ran(i)
		switch {
		case b.protected(i):
		case !b.computed(i) && b.rejects(b.bodies[i]):
			strikes = append(strikes, Strike{i, RejectedAlone, executed})
		case executed && !b.beside(b.bodies[i], ran.body): // where the verifier is undecided, bytes decide
			strikes = append(strikes, Strike{i, Reexecuted, ran.Wasm})
		case !executed && known && against[i] && !b.upheld(i):
			strikes = append(strikes, Strike{i, Witnessed, false})
		}
	}
	return strikes
}

// testimony returns the answers that a witness sides against (protocol 7.3 c). A witness was drawn after the dispute arose,
// and is no party to it: its answer came after those that it is heard on. It sides with an answer of its own bytes or one that
// the verifier accepts beside it, and with that against those on its platform of which neither holds. Where a lead is wanted the
// word of any other than the home is not enough until its side leads by so many.
func (b *bench) testimony(live []int) map[int]bool {
	against := make(map[int]bool)
	for _, w := range live {
		if !b.Answers[w].After || b.party(w) || !b.prevails(w, live) {
			continue
		}
		var with, others []int
		for _, i := range live {
			switch {
			case i >= w || b.Answers[i].Platform != b.Answers[w].Platform:
			case b.bodies[i].id == b.bodies[w].id || b.beside(b.bodies[i], b.bodies[w]):
				with = append(with, i)
			default:
				others = append(others, i)
			}
		}
		for _, i := range others {
			if len(with) > 0 {
				against[i] = true
			}
		}
	}
	return against
}

// party reports whether an answer is of an operator that had answered before: then it is nobody's witness (protocol 7.1). Whose
// server it is may show only once it has answered.
func (b *bench) party(i int) bool {
	return slices.ContainsFunc(b.Answers[:i], func(o Answer) bool { return o.Operator == b.Answers[i].Operator })
}
