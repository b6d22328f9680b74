package judge

// Contradicted reports whether the answers of a case contradict each other or the verifier, as far as it says so of all of them
// together: one of the sets that [Judge] puts before it first, so that a Memo spares one of the two. Other bytes are no contradiction
// where the verifier tolerates them.
func Contradicted(c Case) bool {
	b := newBench(c)
	return b.among(b.all()).against()
}
