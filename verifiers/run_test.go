package verifiers_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"barnraise"
	"barnraise/verifier"
	"barnraise/verifiers"
	"barnraise/wasm"
)

// outcome is what came of putting a vector before a verifier.
type outcome struct {
	verdict barnraise.Verdict
	fuel    uint64
	problem verifiers.Problem
	err     error
}

// String is the outcome without words for people, in a line.
func (o outcome) String() string {
	return fmt.Sprintf("%s %d %v %q %d", o.verdict.Status, o.verdict.Winner, o.verdict.Culprits, o.problem, o.fuel)
}

// A judge puts answers before a verifier that is loaded.
type judge func(t testing.TB, v verifiers.Vector) outcome

func engine(t testing.TB) *wasm.Engine {
	t.Helper()
	e, err := wasm.NewEngine("")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// load makes a judge of a module, as every caller does whose manifest has these limits.
func load(t testing.TB, e *wasm.Engine, module []byte, limits verifier.Limits) judge {
	t.Helper()
	loaded, err := verifier.NewHost(e).Load(context.Background(), module, limits)
	if err != nil {
		t.Fatal(err)
	}
	return func(t testing.TB, v verifiers.Vector) outcome {
		if v.MinRequests != 0 && v.MinRequests != loaded.MinRequests() {
			t.Errorf("%s: minRequests is %d, want %d", v.Name, loaded.MinRequests(), v.MinRequests)
		}
		if v.Fuel != 0 {
			return granted(t, e, module, v)
		}
		r := loaded.Run(context.Background(), v.Config, v.Requests, v.Responses)
		return outcome{r.Verdict, r.Fuel, problem(r.Problem), r.Problem}
	}
}

// granted puts a vector before a module with the fuel that the vector names, which may be too little to load a verifier with.
func granted(t testing.TB, e *wasm.Engine, module []byte, v verifiers.Vector) outcome {
	t.Helper()
	ctx := context.Background()
	code, err := e.Compile(ctx, module, wasm.VerifierCaps(), wasm.Limits{Fuel: v.Fuel, Memory: verifier.Memory})
	if err != nil {
		t.Fatal(err)
	}
	none := barnraise.Verdict{Status: barnraise.Undecided, Winner: -1, Culprits: []int{}}
	instance, err := code.Instantiate(ctx, wasm.IO{})
	if instance == nil {
		t.Fatal(err)
	}
	defer instance.Close(ctx)
	if err != nil {
		return outcome{none, instance.FuelUsed(), problem(err), err}
	}
	out, err := instance.Exchange(ctx, "verify", verifier.Input(v.Config, v.Requests, v.Responses), verifier.MaxVerdict)
	if err != nil {
		return outcome{none, instance.FuelUsed(), problem(err), err}
	}
	verdict, err := verifier.ParseVerdict(out, len(v.Responses))
	if err != nil {
		return outcome{none, instance.FuelUsed(), problem(err), err}
	}
	return outcome{verdict, instance.FuelUsed(), verifiers.NoProblem, nil}
}

func problem(err error) verifiers.Problem {
	switch {
	case err == nil:
		return verifiers.NoProblem
	case errors.Is(err, wasm.ErrFuel):
		return verifiers.OutOfFuel
	case errors.Is(err, wasm.ErrTrap):
		return verifiers.Trap
	case errors.Is(err, verifier.ErrMalformed):
		return verifiers.BadVerdict
	}
	return verifiers.Problem(err.Error())
}

// standard loads a verifier of the house.
func standard(t testing.TB, e *wasm.Engine, name string) judge {
	t.Helper()
	module, ok := verifiers.Module(name)
	if !ok {
		t.Fatalf("there is no verifier %s", name)
	}
	return load(t, e, module, verifier.Limits{})
}

const request = `{"jsonrpc":"2.0","id":1,"method":"m","params":[]}`

// asked is a vector of answers to one request, with nothing wanted.
func asked(config string, responses ...string) verifiers.Vector {
	v := verifiers.Vector{Name: fmt.Sprintf("%.300q", responses), Config: []byte(config)}
	for _, r := range responses {
		v.Requests, v.Responses = append(v.Requests, []byte(request)), append(v.Responses, []byte(r))
	}
	return v
}
