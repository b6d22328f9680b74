package main

import (
	"fmt"
	"strings"
	"testing"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/services/matrix/event"
	"barnraise/services/matrix/rpc"
)

// resolve is the request that resolves a room's branches.
func (r *history) resolve(sets [][]string) []byte {
	events := make([]string, len(r.events))
	for i, e := range r.events {
		events[i] = text(e.JSON)
	}
	states := make([]string, len(sets))
	for i, s := range sets {
		states[i] = text(ids(s...))
	}
	params := fmt.Sprintf(`{"roomVersion":"%v","events":[%s],"stateSets":[%s]}`, r.version, strings.Join(events, ","), strings.Join(states, ","))
	return must(jsonrpc.NewRequest("matrix_resolveState", []byte(params)))
}

func answerTo(request []byte) []byte {
	r, ok := rpc.Read(request)
	if !ok {
		panic("not a request")
	}
	return r.Respond()
}

// BenchmarkVerdict is what the limits in service.yaml are measured by: the time of a fresh instance, and its fuel.
func BenchmarkVerdict(b *testing.B) {
	v := load(b)
	for _, n := range []int{1, 50, maxEvents} {
		for _, version := range []event.Version{11, event.Latest} {
			b.Run(fmt.Sprintf("%d events of version %v", n, version), func(b *testing.B) {
				request := must(jsonrpc.NewRequest("matrix_eventId", []byte(`["10",{}]`)))
				if n > 1 {
					r, sets := newHistory(b, 1, version, n)
					request = r.resolve(sets)
				}
				response := answerTo(request)
				var used uint64
				for b.Loop() {
					result := v.Run(b.Context(), nil, [][]byte{request}, [][]byte{response})
					if result.Problem != nil || result.Verdict.Status != barnraise.Accepted {
						b.Fatalf("%+v", result)
					}
					used = result.Fuel
				}
				b.ReportMetric(float64(used), "fuel")
				b.ReportMetric(float64(len(request)), "bytes")
			})
		}
	}
}
