package wasm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"testing"
)

// job is one run of a module for testdata/host.mjs, which says what the members mean.
type job struct {
	Wasm   []byte `json:"wasm"`
	Steps  []step `json:"steps"`
	Stdin  []byte `json:"stdin,omitempty"`
	Stdout int    `json:"stdout,omitempty"`
}

type step struct {
	Call     string   `json:"call,omitempty"`
	Params   []string `json:"params,omitempty"`
	Exchange string   `json:"exchange,omitempty"`
	Input    []byte   `json:"input,omitempty"`
	Most     int      `json:"most,omitempty"`
}

// ran is what came of a job.
type ran struct {
	Steps []struct {
		Ended   string   `json:"ended"`
		Results []string `json:"results"`
		Output  []byte   `json:"output"`
	} `json:"steps"`
	Fuel   string `json:"fuel"`
	Stack  int    `json:"stack"`
	Stdout []byte `json:"stdout"`
}

// String is all that must be the same on every engine.
func (r ran) String() string {
	return fmt.Sprintf("%v for %s units, %d slots left, %.200q", r.Steps, r.Fuel, r.Stack, r.Stdout)
}

// inNode runs jobs with V8.
func inNode(t *testing.T, jobs []job) []ran {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("node is not installed: cannot compare with V8")
		}
		t.Skip("node is not installed: cannot compare with V8")
	}
	in, err := json.Marshal(jobs)
	if err != nil {
		t.Fatal(err)
	}
	var out, problems bytes.Buffer
	cmd := exec.Command(node, "testdata/host.mjs")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("node: %v\n%s", err, problems.Bytes())
	}
	var results []ran
	if err := json.Unmarshal(out.Bytes(), &results); err != nil || len(results) != len(jobs) {
		t.Fatalf("%d results of %d jobs: %v", len(results), len(jobs), err)
	}
	return results
}

// inGo runs a job with an engine. Modules are those before they are instrumented.
func inGo(t *testing.T, e *Engine, module []byte, limits Limits, j job) (r ran) {
	t.Helper()
	add := func(results []uint64, output []byte, err error) bool {
		s := r.Steps
		s = append(s, struct {
			Ended   string   `json:"ended"`
			Results []string `json:"results"`
			Output  []byte   `json:"output"`
		}{endedBy(err), []string{}, append([]byte{}, output...)})
		for _, v := range results {
			s[len(s)-1].Results = append(s[len(s)-1].Results, fmt.Sprint(v))
		}
		r.Steps = s
		return err == nil
	}
	i, err := compile(t, e, module, limits).Instantiate(context.Background(), IO{Stdin: j.Stdin, MaxStdout: j.Stdout})
	if err != nil {
		add(nil, nil, err)
	}
	for n := 0; err == nil && n < len(j.Steps); n++ {
		s := j.Steps[n]
		var results, params []uint64
		var output []byte
		for _, p := range s.Params {
			var v int64
			fmt.Sscan(p, &v)
			params = append(params, uint64(v))
		}
		if s.Exchange != "" {
			output, err = i.Exchange(context.Background(), s.Exchange, s.Input, s.Most)
		} else {
			results, err = i.Call(context.Background(), s.Call, params...)
		}
		add(results, output, err)
	}
	r.Fuel, r.Stdout = fmt.Sprint(i.FuelUsed()), append([]byte{}, i.world.stdout...)
	if i.guest != nil {
		r.Stack = i.stack()
		i.Close(context.Background())
	}
	return r
}

// endedBy is the host's word for an error.
func endedBy(err error) string {
	for word, is := range map[string]error{"fuel": ErrFuel, "exit": ErrExit} {
		if errors.Is(err, is) {
			return word
		}
	}
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ErrStack):
		return "stack"
	}
	return "trap"
}

// trial is a module that every engine is to run alike.
type trial struct {
	module []byte
	limits Limits
	job    job
}

// everywhere runs each trial with both of wazero's engines and with V8, and returns what came of it, which must be the same.
func everywhere(t *testing.T, trials map[string]trial) map[string]ran {
	t.Helper()
	names, results := slices.Sorted(maps.Keys(trials)), map[string]ran{}
	var jobs []job
	for _, name := range names {
		c := trials[name]
		both := engines(t)
		results[name] = inGo(t, both["compiler"], c.module, c.limits, c.job)
		if again := inGo(t, both["interpreter"], c.module, c.limits, c.job); fmt.Sprint(again) != fmt.Sprint(results[name]) {
			t.Errorf("%s: the compiler has %v\nthe interpreter %v", name, results[name], again)
		}
		instrumented, err := Instrument(c.module, c.limits)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		c.job.Wasm = instrumented
		jobs = append(jobs, c.job)
	}
	for n, r := range inNode(t, jobs) {
		if want := results[names[n]]; fmt.Sprint(r) != fmt.Sprint(want) {
			t.Errorf("%s: wazero has %v\nV8 %v", names[n], want, r)
		}
	}
	return results
}

// TestNode holds that V8 runs what compilers make to the same answers for the same fuel, and sees the same world.
func TestNode(t *testing.T) {
	input := []byte(`{"abi":1,"config":{"a":[]},"requests":[[],[],[]],"responses":[{"b":"}\"]"},{"b":"}\"]"},{"b":"}\"] "}]}`)
	exchange := func(export string) job { return job{Steps: []step{{Exchange: export, Input: input, Most: 1 << 20}}} }
	trials := map[string]trial{
		"C":              {samples(t)["C"], roomy, exchange("handle")},
		"AssemblyScript": {samples(t)["AssemblyScript"], roomy, exchange("verify")},
		"Rust":           {samples(t)["Rust"], roomy, job{Steps: []step{{Call: "_start"}}, Stdin: []byte("abcdefgh"), Stdout: 1000}},
		"Go":             {goModule(t, "reactor", "-buildmode=c-shared"), roomy, exchange("handle")},
		"Go, a verifier": {goVerifier(t), roomy, exchange("verify")},
	}
	for name, r := range everywhere(t, trials) {
		if len(r.Steps) != 1 || r.Steps[0].Ended != "" || len(r.Steps[0].Output)+len(r.Stdout) == 0 || r.Stack != VerifierStack {
			t.Errorf("%s: %v", name, r)
		}
	}
}
