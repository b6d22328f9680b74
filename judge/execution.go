package judge

// ByExecution says what this machine's own executions show of the answers to one request, without a word of anybody else: whoever
// can run the image knows the truth, however many answers a verifier wants. It accepts an answer that was computed here or is
// accepted beside what was, and otherwise fails: with strikes where the execution was on an answer's own platform, with Quarantine
// where the image contradicts itself (protocol 7.2 to 7.4), and with neither where it cannot tell. Then others are to be asked.
func ByExecution(c Case) Step {
	c.Undrawn, c.Runnable = 0, nil
	b := newBench(c)
	h := b.hear()
	step := b.dispute(Step{Verdict: h.verdict, Aside: h.aside}, h.live)
	step.Disputed = len(step.Strikes) > 0
	return step
}
