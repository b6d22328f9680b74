package main

import (
	"testing"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/verifier"
)

// Whatever was asked and answered, there is a verdict, the answer of the service's packages wins, and no copy of it is a culprit.
func FuzzJudge(f *testing.F) {
	if n := minRequests(); n != 1 {
		f.Fatalf("minRequests is %d", n)
	}
	for seed := range uint64(16) {
		c := callOf(f, seed)
		f.Add(c.request, c.other)
	}
	f.Fuzz(func(t *testing.T, request, response []byte) {
		if !jsonrpc.IsWire(request) || jsonrpc.Strict(response) != nil {
			return
		}
		for n := 1; n <= 3; n++ {
			requests, responses := [][]byte{request, request, request}, [][]byte{response, response, response}
			v, err := verifier.ParseVerdict(judge(verifier.Input(nil, requests[:n], responses[:n])), n)
			if err != nil {
				t.Fatalf("%q answered %q: %v", request, response, err)
			}
			if copies := n - len(v.Culprits); v.Status == barnraise.Disagreement && copies != 0 {
				t.Fatalf("%q answered %q: %+v", request, response, v)
			}
		}
	})
}
