package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"barnraise"
	"barnraise/content"
	"barnraise/verifier"
	"barnraise/wasm"

	"github.com/spf13/cobra"
)

// errRefused ends a command whose result says what is wrong.
var errRefused = errors.New("this would be refused as a verifier")

// inspectResult is what verifier inspect prints as JSON.
type inspectResult struct {
	OK          bool          `json:"ok"`
	Problems    []string      `json:"problems"` // why it would be refused, for its author
	CID         barnraise.CID `json:"cid"`
	Size        int           `json:"size"`        // bytes
	MinRequests int           `json:"minRequests"` // 0 where it could not be asked
	Imports     []string      `json:"imports"`     // MODULE.NAME; none where the module cannot be read or wants what nobody gives
}

func (r inspectResult) text(w io.Writer) {
	fmt.Fprintf(w, "cid          %s\nsize         %d bytes\n", r.CID, r.Size)
	if r.MinRequests > 0 {
		fmt.Fprintf(w, "minRequests  %d\n", r.MinRequests)
	}
	for _, i := range r.Imports {
		fmt.Fprintf(w, "import       %s\n", i)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(w, "problem      %s\n", p)
	}
	if r.OK {
		fmt.Fprintln(w, "it is a verifier")
	}
}

func (a *app) verifierInspect() *cobra.Command {
	var manifestFile string
	c := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Say whether a module would be taken as a verifier, and if not, everything that is wrong",
		Long: `Inspect checks a module as everybody does who is to run it, and lists all it finds. FILE may be the name of one of
the standard verifiers, ` + standardNames() + `. It exits 1 where the module would be refused.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			v, err := a.candidate(args[0], manifestFile)
			if err != nil {
				return err
			}
			engine, err := a.engine()
			if err != nil {
				return err
			}
			r, err := v.inspect(c.Context(), engine)
			if err != nil {
				return err
			}
			if err := a.print(r, r.text); err != nil || r.OK {
				return err
			}
			return fmt.Errorf("inspect %s: %w", v.name, errRefused)
		},
	}
	manifestFlag(c, &manifestFile)
	return c
}

// inspect finds everything that is wrong with the candidate. It fails where that says nothing about it.
func (v *candidate) inspect(ctx context.Context, engine *wasm.Engine) (inspectResult, error) {
	r := inspectResult{CID: content.Sum(v.module), Size: len(v.module), Problems: v.static(), Imports: []string{}}
	if info, err := wasm.Check(v.module, boundless()); err == nil && len(v.module) <= int(verifier.MaxLimits.Module) {
		r.Problems = append(r.Problems, problems(verifier.CheckExports(info))...)
		for _, i := range info.Imports {
			r.Imports = append(r.Imports, i.Module+"."+i.Name)
		}
	}
	err := v.compile(ctx, engine)
	if err == nil && len(r.Problems) == 0 {
		var loaded *verifier.Verifier
		if loaded, err = verifier.NewHost(engine).Load(ctx, v.module, v.limits); err == nil {
			r.MinRequests = loaded.MinRequests()
		}
	}
	if err != nil && !errors.Is(err, wasm.ErrRefused) {
		return r, err
	}
	r.Problems = append(r.Problems, problems(err)...)
	r.OK = len(r.Problems) == 0
	return r, nil
}

// compile finds what is wrong beyond caps and exports, if the caps let the module be compiled at all.
func (v *candidate) compile(ctx context.Context, engine *wasm.Engine) error {
	most := wasm.VerifierCapsFor(int(verifier.MaxLimits.Module))
	if _, err := wasm.Check(v.module, most); err != nil {
		return nil // said already
	}
	memory, fuel := cmp.Or(v.limits.Memory, verifier.Memory), cmp.Or(v.limits.Fuel, verifier.Fuel)
	_, err := engine.Compile(ctx, v.module, most, wasm.Limits{Fuel: fuel, Memory: memory})
	return err
}

// static lists what the caps forbid, each cap held against the module by itself, so that the first hides no other.
func (v *candidate) static() (list []string) {
	most := wasm.VerifierCapsFor(int(verifier.MaxLimits.Module))
	if len(v.module) > most.Size {
		return []string{fmt.Sprintf("it has %d bytes, and no service may allow more than %d", len(v.module), most.Size)}
	}
	caps := wasm.VerifierCaps()
	if v.limits.Module > 0 {
		caps = wasm.VerifierCapsFor(int(min(v.limits.Module, verifier.MaxLimits.Module)))
	}
	if _, err := wasm.Check(v.module, caps); err == nil {
		return []string{}
	}
	list = []string{}
	for i := range reflect.TypeFor[wasm.Caps]().NumField() {
		one := boundless()
		reflect.ValueOf(&one).Elem().Field(i).Set(reflect.ValueOf(caps).Field(i))
		_, err := wasm.Check(v.module, one)
		for _, p := range problems(err) {
			if !slices.Contains(list, p) {
				list = append(list, p)
			}
		}
	}
	if _, err := wasm.Check(v.module, most); err == nil {
		list[0] += "; " + v.hint()
	}
	return list
}

// boundless are caps under which only what cannot be read, or is never given, is refused.
func boundless() (caps wasm.Caps) {
	fields := reflect.ValueOf(&caps).Elem()
	for i := range fields.NumField() {
		switch f := fields.Field(i); f.Kind() {
		case reflect.Bool:
			f.SetBool(true)
		default:
			f.SetInt(1<<31 - 1)
		}
	}
	caps.Complexity, caps.Work = 1<<31, 1<<63-1
	return caps
}

// problems takes an error apart into what an author has to do something about.
func problems(err error) (list []string) {
	if err == nil {
		return nil
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		for _, prefix := range []string{"load verifier: ", "check module: "} {
			line = strings.TrimPrefix(line, prefix)
		}
		list = append(list, strings.TrimSuffix(line, ": "+wasm.ErrRefused.Error()))
	}
	return list
}
