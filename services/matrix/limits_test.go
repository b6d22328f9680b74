package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"barnraise/manifest"
	"barnraise/service/servicetest"
	"barnraise/wasm"
)

// Whatever fits into a request is answered within what service.yaml grants a reactor, and the answer is none of ours to be
// ashamed of.
func TestNothingExceedsTheManifest(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	granted := must(manifest.ReadSource("service.yaml")).Limits
	module := must(must(wasm.NewEngine("")).Compile(t.Context(), must(os.ReadFile(servicetest.Build(t, ".", "wasip1", "-buildmode=c-shared"))),
		wasm.ServiceCaps(), wasm.Limits{Fuel: granted.Fuel, Memory: uint64(granted.Memory), Stack: wasm.ServiceStack}))
	most := int(granted.Request)
	fill := func(unit string) string { return strings.TrimSuffix(strings.Repeat(unit, (most-200)/len(unit)), ",") }
	for _, c := range []struct{ name, method, params, want string }{
		{"numbers", "matrix_canonicalJson", `["[` + fill("0,") + `]"]`, `"result":`},
		{"numbers that grow", "matrix_canonicalJson", `["[` + fill("1e15,") + `]"]`, `"error":{"code":-32024,"message":"too_large"}`},
		{"lists", "matrix_canonicalJson", `["[` + fill("[],") + `]"]`, `"result":`},
		{"objects", "matrix_canonicalJson", `["[` + fill(`{\"\":0},`) + `]"]`, `"result":`},
		{"lists in an event", "matrix_eventId", `["5",{"a":[` + fill("[],") + `]}]`, `"error":{"code":-32024,"message":"too_large"}`},
		{"lists among events", "matrix_resolveState", `["5",[[` + fill("[],") + `]],[]]`, `"error":{"code":-32602,"message":"param \"events\": item 0: want an object"}`},
		{"states", "matrix_resolveState", `["5",[],[` + fill("[],") + `]]`, `"result":`},
		{"states of one event", "matrix_resolveState", `["5",[` + state("$a") + `],[` + fill(`["$a"],`) + `],"given"]`, `"result":`},
		{"ids", "matrix_resolveState", `["5",[],[[` + fill(`"",`) + `]]]`, `"error":{"code":-32021,"message":"missing_event","data":{"id":""}}`},
		{"keys", "matrix_verifyEvent", `["5",{},{` + many((most-200)/40, `"%020d":{"":{"key":""}}`) + `}]`, `"error":{"code":-32602,`},
		{"a long id", "matrix_resolveState", `["5",[],[["` + fill(`\u0001`) + `"]]]`, `"error":{"code":-32021,"message":"missing_event","data":{"id":"\u0001`},
		{"params", "matrix_redact", `{` + many((most-200)/25, `"%020d":0`) + `}`, `"error":{"code":-32602,"message":"param \"roomVersion\" is missing"}`},
		{"params by position", "matrix_redact", `[` + fill("0,") + `]`, `"error":{"code":-32602,`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(t, c.method, c.params)
			if len(r) > most {
				t.Fatalf("%d bytes of request", len(r))
			}
			i := must(module.Instantiate(t.Context(), wasm.IO{}))
			defer func() { _ = i.Close(t.Context()) }()
			got, err := i.Exchange(t.Context(), "handle", r, int(granted.Response))
			if want := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,%s`, c.want); err != nil || !strings.HasPrefix(string(got), want) {
				t.Errorf("answered %.200s, %v, want %.200s", got, err, want)
			}
			t.Logf("%d bytes of %d, %.3g units of fuel", len(got), len(r), float64(i.FuelUsed()))
		})
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
