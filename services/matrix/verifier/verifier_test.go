package main

import (
	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/manifest"
	"barnraise/services/matrix/canonical"
	"barnraise/services/matrix/event"
	"barnraise/services/matrix/rpc"
	"barnraise/verifiers/templates"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"barnraise/verifier"
	"barnraise/wasm"
)

var long = flag.Bool("long", false, "also run what takes minutes")

// What service.yaml grants.
var limits = verifier.Limits{Module: 4 << 20, Memory: 128 << 20, Fuel: 4e10}

// load makes the module ready once, for all tests.
func load(t testing.TB) *verifier.Verifier {
	t.Helper()
	v, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

var loaded = sync.OnceValues(func() (*verifier.Verifier, error) {
	engine, err := wasm.NewEngine("")
	if err != nil {
		return nil, err
	}
	module, err := os.ReadFile("../verifier.wasm")
	if err != nil {
		return nil, err
	}
	return verifier.NewHost(engine).Load(context.Background(), module, limits)
})

// The committed module is what its source makes.
func TestModuleIsBuilt(t *testing.T) {
	const toolchain = "go1.26.8"
	if v := runtime.Version(); v != toolchain {
		t.Skipf("%s makes another module than %s, by which the committed one was made", v, toolchain)
	}
	file := filepath.Join(t.TempDir(), "verifier.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-buildvcs=false", "-trimpath", "-ldflags=-s -w -buildid=", "-o", file, ".")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if !bytes.Equal(must(os.ReadFile(file)), must(os.ReadFile("../verifier.wasm"))) {
		t.Error("verifier.wasm is another one; build it again as the README says")
	}
}

// What a verifier in Go is written against is that of the template, to the byte.
func TestGlueIsTheTemplates(t *testing.T) {
	project := must(templates.Open("go"))
	for _, name := range []string{"barnraise.go", "export_wasip1.go"} {
		if !bytes.Equal(must(os.ReadFile(name)), must(fs.ReadFile(project, name))) {
			t.Errorf("%s is not the template's", name)
		}
	}
}

// limits are those of service.yaml.
func TestLimitsAreGranted(t *testing.T) {
	source := must(manifest.ReadSource("../service.yaml"))
	granted := source.VerifierLimits
	if got := (verifier.Limits{Module: uint64(granted.Module), Memory: uint64(granted.Memory), Fuel: granted.Fuel}); got != limits {
		t.Errorf("service.yaml grants %+v, tests %+v", got, limits)
	}
	if source.Verifier != "verifier.wasm" {
		t.Errorf("service.yaml names the verifier %s", source.Verifier)
	}
}

func ask(method, params string) []byte { return must(jsonrpc.NewRequest(method, []byte(params))) }

// What is too much to be answered again is compared.
func TestCompared(t *testing.T) {
	v := load(t)
	if n := v.MinRequests(); n != 1 {
		t.Errorf("minRequests is %d", n)
	}
	many := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat("7,", n), ",") + "]" }
	small := ask("matrix_resolveState", `["10",`+many(maxEvents)+`,[["a","b"]]]`)
	a, b := answerTo(small), []byte(`{"jsonrpc":"2.0","id":1,"result":1}`)
	one := barnraise.Verdict{Status: barnraise.Undecided, Winner: -1, Culprits: []int{}, Need: 2}
	alike := barnraise.Verdict{Status: barnraise.Accepted, Culprits: []int{}}
	differ := barnraise.Verdict{Status: barnraise.Disagreement, Winner: -1, Culprits: []int{}}
	for _, c := range []struct {
		name      string
		request   []byte
		responses [][]byte
		want      barnraise.Verdict
	}{
		{"few enough", small, [][]byte{a}, alike},
		{"few enough, and a lie", small, [][]byte{b}, barnraise.Verdict{Status: barnraise.Disagreement, Winner: -1, Culprits: []int{0}}},
		{"lies only", small, [][]byte{b, b, b}, barnraise.Verdict{Status: barnraise.Disagreement, Winner: -1, Culprits: []int{0, 1, 2}}},
		{"too many events", ask("matrix_resolveState", `["10",`+many(maxEvents+1)+`,[]]`), [][]byte{a}, one},
		{"too many events, by name", ask("matrix_resolveState", `{"stateSets":[],"roomVersion":"10","events":`+many(maxEvents+1)+`}`), [][]byte{a}, one},
		{"too many events, as text", ask("matrix_resolveState", `["10","`+many(maxEvents+1)+`",[]]`), [][]byte{a}, one},
		{"too many in two lists", ask("matrix_authCheck", `["10",{},`+many(maxEvents/2)+`,`+many(maxEvents/2+1)+`]`), [][]byte{a}, one},
		{"too long", ask("matrix_canonicalJson", `["`+strings.Repeat("x", maxBytes)+`"]`), [][]byte{a}, one},
		{"too long, alike", ask("matrix_canonicalJson", `["`+strings.Repeat("x", maxBytes)+`"]`), [][]byte{a, a, a}, alike},
		{"too long, different", ask("matrix_canonicalJson", `["`+strings.Repeat("x", maxBytes)+`"]`), [][]byte{a, b, a}, differ},
		{"the document", ask("rpc.discover", `[]`), [][]byte{a}, one},
		{"the document, different", ask("rpc.discover", `[]`), [][]byte{a, b}, differ},
		{"another id", []byte(`{"jsonrpc":"2.0","id":2,"method":"matrix_redact","params":[]}`), [][]byte{a, a}, alike},
		{"an unknown method", ask("matrix_nothing", `[]`), [][]byte{[]byte(`{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"method not found"}}`)}, alike},
	} {
		got := v.Run(t.Context(), nil, slices.Repeat([][]byte{c.request}, len(c.responses)), c.responses)
		if got.Problem != nil || !same(got.Verdict, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	got := v.Run(t.Context(), nil, [][]byte{small, ask("matrix_redact", `[]`)}, [][]byte{a, a})
	if got.Problem != nil || got.Verdict.Status != barnraise.Undecided {
		t.Errorf("answers to different requests: %+v", got)
	}
}

// Nothing that fits into a request takes more than a verdict is granted.
func TestWorstCases(t *testing.T) {
	v := load(t)
	fill := func(unit string, more int) string {
		return strings.TrimSuffix(strings.Repeat(unit, (maxBytes-more)/len(unit)), ",")
	}
	key := must(canonical.ParseString(keys())).Get("server0").Get("ed25519:1")
	of := func(n int, v canonical.Value) canonical.Value {
		list := make([]canonical.Member, n)
		for i := range list {
			list[i] = canonical.Member{Name: fmt.Sprintf("ed25519:%d", i), Value: v}
		}
		return canonical.OfMembers(list...)
	}
	signed := func(n int, v canonical.Value) string { // as long as it may be
		signature := withSignature(v, v, "server0").Get("signatures").Get("server0").Get("ed25519:1")
		pad := canonical.OfString(strings.Repeat("x", event.MaxBytes-len(text(v))-len(text(of(n, signature)))-200))
		padded := v.With("content", canonical.OfMembers(canonical.Member{Name: "pad", Value: pad}))
		signature = withSignature(v, padded, "server0").Get("signatures").Get("server0").Get("ed25519:1")
		return text(padded.With("signatures", canonical.OfMembers(canonical.Member{Name: "server0", Value: of(n, signature)})))
	}
	create := must(canonical.ParseString(`{"type":"m.room.create","content":{},"sender":"@a:server0","origin_server_ts":1}`))
	published := must(canonical.ParseString(`{"server_name":"server0","valid_until_ts":1}`)).With("verify_keys", of(300, key))
	r, sets := newHistory(t, 3, 12, maxEvents)
	for _, c := range []struct {
		name    string
		request []byte
	}{
		{"numbers", ask("matrix_canonicalJson", `["[`+fill("0,", 100)+`]"]`)},
		{"lists", ask("matrix_canonicalJson", `["[`+fill("[],", 100)+`]"]`)},
		{"lists in a value", ask("matrix_eventId", `["1",{"a":[`+fill("[],", 100)+`]}]`)},
		{"lists in lists", ask("matrix_canonicalJson", `["[`+fill(strings.Repeat("[", 60)+strings.Repeat("]", 60)+",", 100)+`]"]`)},
		{"the same name", ask("matrix_canonicalJson", `["{`+fill(`\"\":0,`, 100)+`}"]`)},
		{"names", ask("matrix_canonicalJson", `["{`+names((maxBytes-100)/12)+`}"]`)},
		{"escapes", ask("matrix_canonicalJson", `["\"`+fill(`\\n`, 100)+`\""]`)},
		{"control characters", ask("matrix_canonicalJson", `["\"`+fill(`\\u0000`, 100)+`\""]`)},
		{"digits", ask("matrix_canonicalJson", `["`+fill(`1`, 100)+`"]`)},
		{"zeros", ask("matrix_canonicalJson", `["0.`+fill(`0`, 100)+`"]`)},
		{"signatures", ask("matrix_verifyEvent", `["12",`+signed(event.MaxSignatures, create)+`,{"server0":`+text(of(event.MaxSignatures, key))+`}]`)},
		{"signatures of keys", ask("matrix_verifyServerKeys", `["server0",`+signed(300, published)+`,1]`)},
		{"a room", r.resolve(sets)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if len(c.request) > maxBytes {
				t.Fatalf("%d bytes", len(c.request))
			}
			response := answerTo(c.request)
			if testing.Short() {
				t.Skip("takes a second")
			}
			lie := []byte(`{"jsonrpc":"2.0","id":1,"result":"` + strings.Repeat("x", rpc.MaxResult) + `"}`)
			got := v.Run(t.Context(), nil, slices.Repeat([][]byte{c.request}, 5), [][]byte{lie, lie, response, lie, lie})
			t.Logf("%d bytes of request, %d of response, %.3g units of fuel", len(c.request), len(response), float64(got.Fuel))
			if want := (barnraise.Verdict{Status: barnraise.Accepted, Winner: 2, Culprits: []int{0, 1, 3, 4}}); got.Problem != nil || !same(got.Verdict, want) {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

func names(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`\"%05x\":0`, n-i)
	}
	return strings.Join(list, ",")
}
