package wasm

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"testing"

	"barnraise/verifiers"
)

// TestStandardVerifiersEverywhere holds that each standard verifier says the same of each vector for the same fuel in both of
// wazero's engines and in V8 (protocol 5.7). Without -long the interpreter is spared what takes it minutes.
func TestStandardVerifiersEverywhere(t *testing.T) {
	for _, name := range verifiers.Names() {
		t.Run(name, func(t *testing.T) {
			module, _ := verifiers.Module(name)
			list := standardVectors(t, name)
			spared := 0
			var jobs []job
			var want []string
			for _, v := range list {
				limits := Limits{Fuel: v.Fuel, Memory: 16 << 20, Stack: VerifierStack}
				if limits.Fuel == 0 {
					limits.Fuel = 4e9
				}
				j := job{Steps: []step{{Exchange: "verify", Input: standardInput(v), Most: 1 << 16}}}
				both := engines(t)
				compiled := inGo(t, both["compiler"], module, limits, j)
				var fuel uint64
				if _, err := fmt.Sscan(compiled.Fuel, &fuel); err != nil {
					t.Fatal(err)
				}
				if *long || fuel < 5e6 {
					if r := inGo(t, both["interpreter"], module, limits, j); said(r) != said(compiled) {
						t.Errorf("%s: the compiler has %v\nthe interpreter %v", v.Name, compiled, r)
					}
				} else {
					spared++
				}
				instrumented, err := Instrument(module, limits)
				if err != nil {
					t.Fatal(err)
				}
				j.Wasm = instrumented
				jobs, want = append(jobs, j), append(want, said(compiled))
			}
			wazero, node := sha256.New(), sha256.New()
			for n, r := range inNode(t, jobs) {
				if said(r) != want[n] {
					t.Errorf("%s: wazero has %s\nV8 %v", list[n].Name, want[n], said(r))
				}
				fmt.Fprintln(wazero, list[n].Name, want[n])
				fmt.Fprintln(node, list[n].Name, said(r))
			}
			if !bytes.Equal(wazero.Sum(nil), node.Sum(nil)) || len(list) < 60 || spared > len(list)/2 {
				t.Errorf("%d vectors: %x in wazero, %x in V8; the interpreter was spared %d", len(list), wazero.Sum(nil), node.Sum(nil), spared)
			}
			t.Logf("%d vectors, the interpreter spared %d: %x", len(list), spared, node.Sum(nil))
		})
	}
}

// said is what a verifier said, and the fuel it took.
func said(r ran) string { return fmt.Sprint(r.Steps, r.Fuel) }

// standardVectors are those of the standard verifiers, as the vectors of one.
func standardVectors(t *testing.T, name string) []verifiers.Vector {
	t.Helper()
	b, err := os.ReadFile("../verifiers/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	list, err := verifiers.ParseVectors(b, name)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// standardInput is the input of protocol 5.2.
func standardInput(v verifiers.Vector) []byte {
	config := v.Config
	if len(config) == 0 {
		config = []byte("null")
	}
	b := append([]byte(`{"abi":1,"config":`), config...)
	b = append(append(b, `,"requests":[`...), bytes.Join(v.Requests, []byte(","))...)
	b = append(append(b, `],"responses":[`...), bytes.Join(v.Responses, []byte(","))...)
	return append(b, `]}`...)
}
