// Verifier judges the answers of the service matrix. It answers the call itself, with the service's own packages: an answer is
// right if it is the same bytes, and wrong otherwise, errors included. So one answer is enough.
//
// That is bounded, because a verdict has fuel and memory for so much only. Of larger calls, and of rpc.discover, it can say no
// more than whether answers are the same bytes, and for that it needs two.
package main

import (
	"bytes"

	"barnraise/services/matrix/rpc"
)

// What it answers itself: as many events, and as many bytes of request.
const (
	maxEvents = 500
	maxBytes  = 1 << 20
)

// minRequests is how many servers a caller asks at least.
func minRequests() int { return 1 }

// verify says which responses are right.
func verify(in Input) Verdict {
	if problem := in.Incomparable(); problem != "" {
		return Undecided(problem)
	}
	hoard()
	request := in.Requests[0]
	if len(request) <= maxBytes {
		if r, ok := rpc.Read(request); ok && r.Events() <= maxEvents {
			return judgeBy(r.Respond(), in.Responses)
		}
	}
	return compare(in.Responses)
}

// judgeBy is the verdict where the right answer is known.
func judgeBy(want []byte, responses [][]byte) Verdict {
	winner, wrong := -1, []int{}
	for i, r := range responses {
		switch {
		case !bytes.Equal(r, want):
			wrong = append(wrong, i)
		case winner < 0:
			winner = i
		}
	}
	if winner < 0 {
		return Disagreement(wrong, "the answer is another")
	}
	return AcceptedAgainst(winner, wrong)
}

// compare is the verdict where it is not.
func compare(responses [][]byte) Verdict {
	if len(responses) == 1 {
		return Needing(2, "too large to be answered again here")
	}
	for _, r := range responses {
		if !bytes.Equal(responses[0], r) {
			return Disagreement(nil, "the answers differ")
		}
	}
	return Accepted(0)
}

// main is not run: the host calls what is exported.
func main() {}
