package judge

import "slices"

// side counts the operators of the live answers that side with answer i, as the same bytes or as accepted beside it, and those of
// the others. Whoever has an answer on either side counts against it.
func (b *bench) side(i int, live []int) (with, against int) {
	var others []int
	for _, o := range live {
		if b.bodies[o].id != b.bodies[i].id && !b.beside(b.bodies[i], b.bodies[o]) {
			others = append(others, o)
		}
	}
	against = b.operators(others)
	return b.operators(live) - against, against
}

// lead is by how many operators the side of answer i leads.
func (b *bench) lead(i int, live []int) int {
	with, against := b.side(i, live)
	return with - against
}

// prevails reports whether the word of a witness is enough for its side: that of the home, or of anybody where no lead is wanted.
func (b *bench) prevails(witness int, live []int) bool {
	return b.Lead == 0 || b.Answers[witness].Home || b.lead(witness, live) >= b.Lead
}

// leading finds the answer to return where one side leads by enough (protocol 7.7): wider quorum decides where nothing else does.
// It never does where this machine knows better, and no answer that the verifier rejects alone, or that is struck, leads.
func (b *bench) leading(live []int, strikes []Strike) (winner int, ok bool) {
	if b.Lead == 0 || len(b.Reruns) > 0 {
		return 0, false
	}
	for _, i := range live {
		struck := slices.ContainsFunc(strikes, func(s Strike) bool { return s.Answer == i })
		with, against := b.side(i, live)
		if !struck && with >= b.MinRequests && with-against >= b.Lead && !b.rejects(b.bodies[i]) {
			return i, true
		}
	}
	return 0, false
}

// missing is how many operators more have to side with the strongest side until it leads by enough; one where no lead is wanted,
// where the home may still be the witness that settles it, or where this machine knows what it is looking for.
func (b *bench) missing(live []int) int {
	if b.Lead == 0 || !b.arose() || len(b.Reruns) > 0 {
		return 1
	}
	best := -len(live)
	for _, i := range live {
		best = max(best, b.lead(i, live))
	}
	return max(1, b.Lead-best)
}
