package wasm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestGoReactor holds that a Go program, whatever it asks chance and time for, answers the same in every instance, on both
// engines, and sees nothing of its surroundings.
func TestGoReactor(t *testing.T) {
	module := goModule(t, "reactor", "-buildmode=c-shared")
	request := []byte(`{"jsonrpc":"2.0","id":1,"method":"m","params":[9007199254740993,"é"]}`)
	var first []byte
	var fuel uint64
	for name, e := range engines(t) {
		m := compile(t, e, module, roomy)
		for range 2 {
			i := instantiate(t, m, IO{})
			out, err := i.Exchange(context.Background(), "handle", request, 1<<20)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if first == nil {
				first, fuel = out, i.FuelUsed()
				t.Logf("%s, for %d units", first, fuel)
			}
			if !bytes.Equal(first, out) || i.FuelUsed() != fuel {
				t.Errorf("%s: for %d units %s\nbefore, for %d units, %s", name, i.FuelUsed(), out, fuel, first)
			}
		}
	}
	var answer struct {
		Error, Open string
		Slept       bool
		Calls, Env  int
	}
	if err := json.Unmarshal(first, &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Error != "<nil>" || !answer.Slept || answer.Calls != 1 || answer.Env != 0 || !strings.Contains(answer.Open, "passwd") {
		t.Errorf("it says %+v", answer)
	}
}

func TestGoCommand(t *testing.T) {
	module := goModule(t, "command")
	m := compile(t, engines(t)["compiler"], module, roomy)
	for _, c := range []struct {
		stdin, want string
		err         error
	}{
		{"hello", "0 HELLO", nil},
		{"", "0 ", nil},
		{"exit 0", "left", nil},
		{"exit 3", "", ErrExit},
		{"panic for once", "", ErrExit},
		{"flood", "", ErrTrap},
	} {
		i := instantiate(t, m, IO{Stdin: []byte(c.stdin), MaxStdout: 100_000})
		out, err := i.Run(context.Background())
		if string(out) != c.want || !errors.Is(err, c.err) {
			t.Errorf("%q: %q, %v, want %q, %v", c.stdin, out, err, c.want, c.err)
		}
	}
}

func TestRustCommand(t *testing.T) {
	m := compile(t, engines(t)["compiler"], file(t, "testdata/rust.wasm"), roomy)
	var first []byte
	for range 2 {
		i := instantiate(t, m, IO{Stdin: []byte("abcdefgh"), MaxStdout: 1000})
		out, err := i.Run(context.Background())
		if err != nil || !strings.HasSuffix(string(out), "} SystemTime(5.000003ms) true 0\n") {
			t.Errorf("%s, %v", out, err)
		}
		if first == nil {
			first = out
		}
		if !bytes.Equal(out, first) {
			t.Errorf("%s, before it was %s", out, first)
		}
	}
	for stdin, want := range map[string]error{"exit": ErrExit, "panic": ErrTrap} {
		if _, err := instantiate(t, m, IO{Stdin: []byte(stdin), MaxStdout: 1000}).Run(context.Background()); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", stdin, err, want)
		}
	}
}

// TestExchange holds that nothing a module says about its memory is believed.
func TestExchange(t *testing.T) {
	talk := func(alloc, handle []byte) []byte {
		return guest{
			memory:  []byte{0, 1},
			exports: []export{{"memory", 2, 0}, {"alloc", 0, 0}, {"handle", 0, 1}},
			funcs:   []function{{"i:i", nil, alloc}, {"ii:I", nil, handle}},
			data:    [][]byte{append([]byte{0, opI32Const, 0, opEnd}, sized([]byte("01234567"))...)},
		}.encode()
	}
	result := func(at, n uint32) []byte { return i64(int64(uint64(at)<<32 | uint64(n))) }
	at := func(n int32) []byte { return i32(n) }
	for name, c := range map[string]struct {
		module []byte
		want   string
		err    error
		words  string
	}{
		"in bounds":                   {talk(at(8), result(2, 3)), "234", nil, ""},
		"nothing":                     {talk(at(8), result(0, 0)), "", nil, ""},
		"what was handed over":        {talk(at(100), result(100, 5)), "input", nil, ""},
		"the last byte":               {talk(at(PageSize-5), result(PageSize-1, 1)), "t", nil, ""},
		"no room":                     {talk(at(0), result(0, 0)), "", ErrTrap, "no room"},
		"room outside the memory":     {talk(at(PageSize-4), result(0, 0)), "", ErrTrap, "no room"},
		"room far outside":            {talk(at(-1), result(0, 0)), "", ErrTrap, "no room"},
		"an answer outside":           {talk(at(8), result(PageSize-2, 3)), "", ErrTrap, "outside its memory"},
		"an answer far outside":       {talk(at(8), result(1<<32-1, 3)), "", ErrTrap, "outside its memory"},
		"an answer around the corner": {talk(at(8), result(1<<32-1, 1<<32-1)), "", ErrTrap, "at most 10"},
		"too long":                    {talk(at(8), result(0, 11)), "", ErrTrap, "11 bytes, at most 10"},
		"trap in alloc":               {talk(code(opUnreachable), result(0, 0)), "", ErrTrap, "call alloc"},
		"trap in handle":              {talk(at(8), code(opUnreachable)), "", ErrTrap, "call handle"},
		"no alloc":                    {run(":", nil, nil), "", ErrRefused, `"alloc"`},
		"no memory":                   {guest{}.encode(), "", ErrRefused, "memory"},
	} {
		i := instantiate(t, compile(t, engines(t)["compiler"], c.module, roomy), IO{})
		got, err := i.Exchange(context.Background(), "handle", []byte("input"), 10)
		if string(got) != c.want || !errors.Is(err, c.err) || err != nil && !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %q, %v, want %q, %v with %q", name, got, err, c.want, c.err, c.words)
		}
	}
}

// TestAbort holds that env.abort traps and says where, also where it is imported twice.
func TestAbort(t *testing.T) {
	module := guest{
		imports: [][3]string{{"env", "abort", "iiii:"}, {"env", "abort", "iiii:"}}, exports: []export{{"run", 0, 2}},
		funcs: []function{{":", nil, code(i32(0), i32(0), i32(12), i32(3), op(opCall, 1))}},
	}.encode()
	for name, e := range engines(t) {
		i := instantiate(t, compile(t, e, module, roomy), IO{})
		_, err := i.Call(context.Background(), "run")
		if want := "call run: trapped: abort called in line 12, column 3"; fmt.Sprint(err) != want || !errors.Is(err, ErrTrap) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}

// TestInstancesShareNothing holds that an instance finds memory, globals and chance as the first one did.
func TestInstancesShareNothing(t *testing.T) {
	m := compile(t, engines(t)["compiler"], wasi(), roomy)
	for range 3 {
		c := &caller{t, instantiate(t, m, IO{})}
		if c.u64(0) != 0 {
			t.Fatal("the memory is not fresh")
		}
		c.call(success, "random_get", 0, 8)
		c.call(success, "clock_time_get", 0, 0, 8)
		if c.u64(8) != 1 || c.u64(0) != 0x29156f5b55f06bad { // as the generator of the package comment gives in JavaScript
			t.Errorf("time %d, chance %x", c.u64(8), c.u64(0))
		}
	}
}
