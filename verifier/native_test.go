package verifier

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"barnraise/jsonrpc"
	"barnraise/verifiers"
)

// least is what a verifier may be granted for an input, so that answers that agree need not be put before it.
func least(config []byte, requests, responses [][]byte) Limits {
	size := uint64(inputSize(config, requests, responses))
	return Limits{Memory: nativeMemory + nativeMemoryPerByte*size, Fuel: nativeFuel + nativeFuelPerByte*size}
}

// sameByItself holds that what is known of answers without asking is what the module says where it is asked, also if it is
// granted no more than it takes for that to be so.
func sameByItself(t *testing.T, h *Host, name string, config []byte, requests, responses [][]byte) {
	t.Helper()
	limits := least(config, requests, responses)
	for _, short := range []Limits{{}, {Memory: 1}, {Fuel: 1}} {
		module, _ := verifiers.Module(name)
		v, err := h.Load(context.Background(), module, Limits{Memory: limits.Memory - short.Memory, Fuel: limits.Fuel - short.Fuel})
		if err != nil {
			t.Fatal(err)
		}
		known, run := v.Verify(context.Background(), config, requests, responses), v.Run(context.Background(), config, requests, responses)
		if granted := short == (Limits{}); granted != (known.Fuel == 0) || run.Fuel == 0 {
			t.Errorf("%s: with %+v: %d units, and %d where it is run", name, limits, known.Fuel, run.Fuel)
		}
		known.Fuel, run.Fuel = 0, 0
		if !reflect.DeepEqual(known, run) {
			t.Errorf("%s: %d answers, %.80q: %+v, but the module says %+v", name, len(responses), responses[0], known, run)
		}
	}
}

// copies are so many bodies of the same bytes, each in memory of its own.
func copies(body []byte, n int) (list [][]byte) {
	for range n {
		list = append(list, bytes.Clone(body))
	}
	return list
}

// TestNative holds that the short cut for answers that agree is none in what it says, for every length of answer and number of
// answers at which that could be otherwise.
func TestNative(t *testing.T) {
	h := host(t)
	text := func(n int) []byte { return []byte(`"` + strings.Repeat("x", n-2) + `"`) }
	sizes := []int{1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 63, 64, 65, 4095, 4096, 4097, 65_535, 65_536, 65_537, 3 << 20}
	for _, name := range verifiers.Bytewise() {
		for _, n := range []int{1, 2, 3, 64} {
			for _, size := range sizes {
				if n*size > 8<<20 || size > 65_537 && name != "compare" {
					continue
				}
				body := text(max(size, 2))
				if size == 1 {
					body = []byte("1")
				}
				sameByItself(t, h, name, nil, copies([]byte("[]"), n), copies(body, n))
				if size <= 65_536 {
					sameByItself(t, h, name, body, copies(body, n), copies([]byte("{}"), n))
				}
			}
		}
		deep := []byte(strings.Repeat("[", 64) + strings.Repeat("]", 64))
		for _, body := range []string{string(deep), `"\"]},{[\\"`, ` {"a" : [1 , 2 ]} `, "\t1\n", `"\u0000\ud83d\ude00é"`, `-0.0e+1`, `{"requests":[1],"responses":[]}`} {
			sameByItself(t, h, name, deep, copies([]byte(body), 3), copies([]byte(body), 3))
		}
	}
}

// TestNativeOnlyWhereAllAgree holds that the short cut is taken for the modules it is meant for, byte for byte, and for answers
// and requests that are all the same.
func TestNativeOnlyWhereAllAgree(t *testing.T) {
	h := host(t)
	for _, name := range verifiers.Names() {
		module, _ := verifiers.Module(name)
		custom := append(bytes.Clone(module), 0, 2, 1, 'x') // it does the same
		for which, m := range map[string][]byte{"its own bytes": module, "others": custom} {
			v, err := h.Load(context.Background(), m, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			short := which == "its own bytes" && slices.Contains(verifiers.Bytewise(), name)
			if r := v.Verify(context.Background(), nil, bodies("1", "1"), bodies("2", "2")); (r.Fuel == 0) != short {
				t.Errorf("%s, %s: answers that agree take %d", name, which, r.Fuel)
			}
			for what, r := range map[string]Result{
				"answers differ":        v.Verify(context.Background(), nil, bodies("1", "1"), bodies("2", "3")),
				"the last differs":      v.Verify(context.Background(), nil, bodies("1", "1", "1"), bodies("2", "2", "3")),
				"one has a space":       v.Verify(context.Background(), nil, bodies("1", "1"), bodies("2", "2 ")),
				"requests differ":       v.Verify(context.Background(), nil, bodies("1", "2"), bodies("2", "2")),
				"the last request does": v.Verify(context.Background(), nil, bodies("1", "1", "2"), bodies("2", "2", "2")),
			} {
				if r.Fuel == 0 {
					t.Errorf("%s, %s: %s, and it is not asked", name, which, what)
				}
			}
		}
	}
}

// FuzzNative holds the same for any answers and requests that a host lets through.
func FuzzNative(f *testing.F) {
	f.Add(`null`, `{"jsonrpc":"2.0","id":1,"method":"m","params":[]}`, `{"jsonrpc":"2.0","id":1,"result":{"a":[1,"]\",{"]}}`, uint8(2))
	f.Add(`{"responses":[1,2]}`, ` 1 `, `"\\\""`, uint8(64))
	h := host(f)
	f.Fuzz(func(t *testing.T, config, request, response string, n uint8) {
		for _, s := range []string{config, request, response} {
			if jsonrpc.Strict([]byte(s)) != nil || len(s) > 1<<16 {
				t.Skip()
			}
		}
		count := 1 + int(n)%64
		for _, name := range verifiers.Bytewise() {
			module, _ := verifiers.Module(name)
			v, err := h.Load(context.Background(), module, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			requests, responses := copies([]byte(request), count), copies([]byte(response), count)
			known, run := v.Verify(context.Background(), []byte(config), requests, responses), v.Run(context.Background(), []byte(config), requests, responses)
			if known.Fuel != 0 {
				t.Fatalf("it is asked: %+v", known)
			}
			if run.Fuel = 0; fmt.Sprint(known) != fmt.Sprint(run) {
				t.Errorf("%s: %+v, but the module says %+v", name, known, run)
			}
		}
	})
}
