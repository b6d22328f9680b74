// Package verifier runs verifiers: small wasm modules that say of some answers to one request whether they can all be true
// (protocol 5). A verifier is written by a stranger and judges bytes of strangers. Whatever goes wrong in it is undecided, and
// strikes nobody; the same module with the same input gives the same verdict for the same fuel on every machine, save one
// whose calls nest so deep that some engine's stack overflows: that is not counted yet.
//
// A module exports
//
//	memory          its memory
//	verifier_abi_1  () -> ()            the version of this interface; nobody calls it
//	minRequests     () -> (i32 or f64)  how many answers it wants at least, 1 to 64
//	alloc           (i32) -> (i32)      room for so many bytes; 0 if there is none
//	verify          (i32, i32) -> (i64) the verdict on the input at that place, of that length: its place in the upper half,
//	                                    its length in the lower
//
// and imports nothing but env.abort. One that also exports _initialize gets that call first. Each verdict has an instance of
// its own, with [Memory] and [Fuel], so nobody need free or reset anything.
package verifier

import (
	"context"
	"errors"
	"fmt"
	"math"

	"barnraise"
	"barnraise/wasm"
)

// What each verdict is granted.
const (
	Memory uint64 = 16 << 20 // bytes; an input of more is not put before the verifier at all
	Fuel   uint64 = 4e9      // units, see package wasm
)

const exportVerify = "verify"

// Host loads verifiers. It is safe for concurrent use.
type Host struct{ engine *wasm.Engine }

// NewHost makes a host that compiles with the engine.
func NewHost(engine *wasm.Engine) *Host { return &Host{engine} }

// Verifier is a module that is ready to judge. It is safe for concurrent use.
type Verifier struct {
	module      *wasm.Module
	minRequests int
}

// Load makes a verifier of a module: it checks caps, imports and exports, compiles it, and asks for minRequests once. It fails
// with [wasm.ErrRefused], in words for the author, where the module is no verifier; otherwise with the context's error.
func (h *Host) Load(ctx context.Context, module []byte) (*Verifier, error) {
	info, err := wasm.Check(module, wasm.VerifierCaps())
	if err == nil {
		err = exports(info)
	}
	if err != nil {
		return nil, fmt.Errorf("load verifier: %w", err)
	}
	code, err := h.engine.Compile(ctx, module, wasm.VerifierCaps(), wasm.Limits{Fuel: Fuel, Memory: Memory})
	if err != nil {
		return nil, fmt.Errorf("load verifier: %w", err)
	}
	n, err := minRequests(ctx, code)
	if err != nil {
		return nil, fmt.Errorf("load verifier: ask for minRequests: %w", err)
	}
	return &Verifier{code, n}, nil
}

// exports reports everything that the module should export and does not.
func exports(info wasm.Info) error {
	count := info.Require("minRequests", "() -> (i32)")
	if info.Require("minRequests", "() -> (f64)") == nil {
		count = nil
	}
	return errors.Join(info.Exchanges(exportVerify), count, info.Require("verifier_abi_1", "() -> ()"))
}

// minRequests asks an instance made for that. How it ends is the module's fault, unless the context is done.
func minRequests(ctx context.Context, code *wasm.Module) (int, error) {
	instance, err := code.Instantiate(ctx, wasm.IO{})
	if err != nil {
		return 0, refused(ctx, err)
	}
	defer instance.Close(ctx)
	result, err := instance.Call(ctx, "minRequests")
	if err != nil {
		return 0, refused(ctx, err)
	}
	n := float64(int32(result[0]))
	if e, _ := code.Info().Export("minRequests"); e.Type == "() -> (f64)" {
		n = math.Float64frombits(result[0])
	}
	if n != math.Trunc(n) || n < 1 || n > barnraise.MaxAnswers {
		return 0, fmt.Errorf("it is %v, want a whole number from 1 to %d: %w", n, barnraise.MaxAnswers, wasm.ErrRefused)
	}
	return int(n), nil
}

func refused(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w: %w", err, wasm.ErrRefused)
}

// MinRequests is how many answers the verifier wants at least, 1 to 64. To ask so many servers is up to the caller (protocol
// 5.4).
func (v *Verifier) MinRequests() int { return v.minRequests }

// Result is what came of asking a verifier.
type Result struct {
	Verdict barnraise.Verdict
	Fuel    uint64 // used, from the first instruction of the instance to the last
	// Problem says why there is no verdict of the verifier's: it trapped, ran out of fuel or memory, gave a malformed verdict,
	// or the input is too long. Then Verdict is undecided (protocol 5.5). Branch on [wasm.ErrFuel], [wasm.ErrTrap],
	// [ErrMalformed], [ErrInput], or the context's error, which says nothing about the verifier.
	Problem error
}

// ErrInput is the error for answers that cannot be put before a verifier.
var ErrInput = errors.New("cannot be put before a verifier")

// Verify puts answers before the verifier, each with the request that it answers. Config is the manifest's, empty where there
// is none. Every body must have passed the check of protocol 3.3; Verify does not repeat it.
func (v *Verifier) Verify(ctx context.Context, config []byte, requests, responses [][]byte) Result {
	if err := checkInput(config, requests, responses); err != nil {
		return undecided(0, err)
	}
	instance, err := v.module.Instantiate(ctx, wasm.IO{})
	if instance == nil {
		return undecided(0, err)
	}
	defer instance.Close(ctx)
	if err != nil {
		return undecided(instance.FuelUsed(), err)
	}
	out, err := instance.Exchange(ctx, exportVerify, Input(config, requests, responses), MaxVerdict)
	if err != nil {
		return undecided(instance.FuelUsed(), err)
	}
	verdict, err := ParseVerdict(out, len(responses))
	if err != nil {
		return undecided(instance.FuelUsed(), err)
	}
	return Result{Verdict: verdict, Fuel: instance.FuelUsed()}
}

func undecided(fuel uint64, problem error) Result {
	none := barnraise.Verdict{Status: barnraise.Undecided, Winner: -1, Culprits: []int{}}
	return Result{none, fuel, fmt.Errorf("verify answers: %w", problem)}
}
