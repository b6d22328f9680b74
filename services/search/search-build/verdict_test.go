package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"

	"barnraise"
	"barnraise/service/servicetest"
	"barnraise/services/search/index"
	"barnraise/verifier"
	"barnraise/wasm"
)

// verdicts is what it takes the service's own verifier to check answers that prove themselves.
func verdicts(b *testing.B, p *servicetest.Program, root string, requests []string) {
	v := loadVerifier(b, verifier.Limits{})
	var answers [][]byte
	for _, r := range requests {
		answers = append(answers, p.Post(b, r))
	}
	config := []byte(`{"root":"` + root + `"}`)
	most := uint64(0)
	median(b, requests, func(i int) {
		r := v.Run(context.Background(), config, [][]byte{[]byte(requests[i])}, answers[i:i+1])
		if r.Verdict.Status != barnraise.Accepted {
			b.Fatalf("%s is %s: %s, %v", requests[i], r.Verdict.Status, r.Verdict.Reason, r.Problem)
		}
		most = max(most, r.Fuel)
	})
	b.ReportMetric(float64(most), "most-fuel")
}

// loadVerifier loads the service's own verifier.
func loadVerifier(t testing.TB, limits verifier.Limits) *verifier.Verifier {
	t.Helper()
	module, err := os.ReadFile("../verifier.wasm")
	if err != nil {
		t.Fatal(err)
	}
	engine, err := wasm.NewEngine("")
	if err != nil {
		t.Fatal(err)
	}
	v, err := verifier.NewHost(engine).Load(context.Background(), module, limits)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestVerdictOfLongest holds that a verdict on five answers as long as a manifest ever allows takes no more than the manifest that
// goes with them grants, and one on five to a question about the most documents no more memory.
func TestVerdictOfLongest(t *testing.T) {
	for _, c := range []struct {
		need
		memory int64
	}{{need{response: 1, scores: 4}, 0}, {need{response: 2, scores: 1}, 0}, {need{response: 2, scores: 4}, 128}, {need{response: 7, scores: 1}, 128}} {
		if memory, fuel := c.verifier(); memory != c.memory || (fuel == 0) != (memory == 0) {
			t.Errorf("%+v: %d MiB and %d units, want %d MiB", c.need, memory, fuel, c.memory)
		}
	}
	documents := []index.Document{{ID: "a", Text: "text"}}
	file, err := index.Build(index.About{}, documents)
	if err != nil {
		t.Fatal(err)
	}
	x, err := index.Open(string(file))
	if err != nil {
		t.Fatal(err)
	}
	_, proof, err := x.ProveDocument("a")
	if err != nil {
		t.Fatal(err)
	}
	request := `{"jsonrpc":"2.0","id":1,"method":"search_document","params":["a",true]}`
	lie := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"result":{"root":%q,"doc":"a","title":"","text":"%s","proof":%q}}`,
		x.Root(), strings.Repeat("x", maxResponse<<20-400), base64.StdEncoding.EncodeToString(proof))
	memory, fuel := need{response: maxResponse, scores: 1}.verifier()
	v := loadVerifier(t, verifier.Limits{Memory: uint64(memory) << 20, Fuel: uint64(fuel)})
	r := v.Run(t.Context(), []byte(`{"root":"`+x.Root()+`"}`), [][]byte{[]byte(request)}, [][]byte{[]byte(lie)})
	if r.Verdict.Status != barnraise.Disagreement || r.Problem != nil {
		t.Errorf("a verdict of %s, %v", r.Verdict.Status, r.Problem)
	}
	if 5*r.Fuel > uint64(fuel) {
		t.Errorf("%d units for a lie of %d bytes, and %d are granted for five", r.Fuel, len(lie), fuel)
	}
}
