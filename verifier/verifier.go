// Package verifier runs verifiers: small wasm modules that say of some answers to one request whether they can all be true
// (protocol 5). A verifier is written by a stranger and judges bytes of strangers. Whatever goes wrong in it is undecided, and
// strikes nobody; the same module with the same input gives the same verdict for the same fuel on every machine.
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
// and imports nothing but env.abort and the empty world of wasi_snapshot_preview1 that package wasm describes. One that also
// exports _initialize gets that call first. Each verdict has an instance of its own, with the fuel and memory of its [Limits],
// so nobody need free or reset anything. All that a host does, to the last case, is in docs/verifier-abi.md.
package verifier

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"

	"barnraise"
	"barnraise/wasm"
)

// What a verifier is granted where its service's manifest does not say: see [Limits].
const (
	Module uint64 = 256 << 10
	Memory uint64 = 16 << 20
	Fuel   uint64 = 4e9
)

// Limits are the figures of a service's manifest for its verifier (protocol 5.6). A member that is zero stands for the default
// above.
type Limits struct {
	Module uint64 // bytes that the module may have
	Memory uint64 // bytes for each verdict; an input of more is not put before the verifier at all
	Fuel   uint64 // units for each verdict, see package wasm
}

// MaxLimits are the hard caps. No manifest may ask for more.
var MaxLimits = Limits{Module: 8 << 20, Memory: 128 << 20, Fuel: 4e10}

// complete fills in the defaults, and fails with [wasm.ErrLimits] beyond the hard caps.
func (l Limits) complete() (Limits, error) {
	l = Limits{cmp.Or(l.Module, Module), cmp.Or(l.Memory, Memory), cmp.Or(l.Fuel, Fuel)}
	if m := MaxLimits; l.Module > m.Module || l.Memory > m.Memory || l.Fuel > m.Fuel {
		return l, fmt.Errorf("%d bytes of module, %d of memory and %d units of fuel, at most %d, %d and %d: %w",
			l.Module, l.Memory, l.Fuel, m.Module, m.Memory, m.Fuel, wasm.ErrLimits)
	}
	return l, nil
}

const exportVerify = "verify"

// Host loads verifiers. It is safe for concurrent use.
type Host struct{ engine *wasm.Engine }

// NewHost makes a host that compiles with the engine.
func NewHost(engine *wasm.Engine) *Host { return &Host{engine} }

// Verifier is a module that is ready to judge. It is safe for concurrent use.
type Verifier struct {
	module        *wasm.Module
	limits        Limits
	minRequests   int
	comparesBytes bool // it is one of those of package verifiers
}

// Load makes a verifier of a module: it checks caps, imports and exports, compiles it, and asks for minRequests once. The limits
// are those of the manifest of the revision that names it. It fails with [wasm.ErrRefused], in words for the author, where the
// module is no verifier or needs more than the limits; with [wasm.ErrLimits] where they are beyond [MaxLimits]; otherwise with
// the context's error.
func (h *Host) Load(ctx context.Context, module []byte, limits Limits) (*Verifier, error) {
	limits, err := limits.complete()
	if err != nil {
		return nil, fmt.Errorf("load verifier: %w", err)
	}
	caps := wasm.VerifierCapsFor(int(limits.Module))
	info, err := wasm.Check(module, caps)
	if err == nil {
		err = CheckExports(info)
	}
	if err != nil {
		return nil, fmt.Errorf("load verifier: %w", err)
	}
	code, err := h.engine.Compile(ctx, module, caps, wasm.Limits{Fuel: limits.Fuel, Memory: limits.Memory, Stack: wasm.VerifierStack})
	if err != nil {
		return nil, fmt.Errorf("load verifier: %w", err)
	}
	n, err := minRequests(ctx, code)
	if err != nil {
		return nil, fmt.Errorf("load verifier: ask for minRequests: %w", err)
	}
	return &Verifier{code, limits, n, comparesBytes(module)}, nil
}

// CheckExports reports everything that a module should export and does not (protocol 5.1), nil where there is nothing. Each of
// the errors that it joins is a [wasm.ErrRefused].
func CheckExports(info wasm.Info) error {
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
	Fuel    uint64 // used, from the first instruction of the instance to the last; 0 where there was none, see [Verifier.Verify]
	// Problem says why there is no verdict of the verifier's: it trapped, ran out of fuel or memory, gave a malformed verdict,
	// or the input is too long. Then Verdict is undecided (protocol 5.5). Branch on [wasm.ErrFuel], [wasm.ErrStack], [wasm.ErrTrap],
	// [ErrMalformed], [ErrInput], or the context's error, which says nothing about the verifier.
	Problem error
}

// ErrInput is the error for answers that cannot be put before a verifier.
var ErrInput = errors.New("cannot be put before a verifier")

// Verify puts answers before the verifier, each with the request that it answers. Config is the manifest's, empty where there
// is none. Every body must have passed the check of protocol 3.3; Verify does not repeat it.
//
// What the verifiers of package verifiers that compare bytes say of answers that are all the same bytes is known without asking
// them: that verdict comes at once and takes no fuel. It is the one that [Verifier.Run] would give.
func (v *Verifier) Verify(ctx context.Context, config []byte, requests, responses [][]byte) Result {
	if err := v.check(ctx, config, requests, responses); err != nil {
		return undecided(0, err)
	}
	if verdict, ok := v.agree(config, requests, responses); ok {
		return Result{Verdict: verdict}
	}
	return v.run(ctx, config, requests, responses)
}

// Run is like [Verifier.Verify], but always runs the module: for those who want to know what it takes.
func (v *Verifier) Run(ctx context.Context, config []byte, requests, responses [][]byte) Result {
	if err := v.check(ctx, config, requests, responses); err != nil {
		return undecided(0, err)
	}
	return v.run(ctx, config, requests, responses)
}

// run makes an instance for one verdict.
func (v *Verifier) run(ctx context.Context, config []byte, requests, responses [][]byte) Result {
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
