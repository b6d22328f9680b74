package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"barnraise"
	"barnraise/verifier"
	"barnraise/verifiers"
	"barnraise/wasm"

	"github.com/spf13/cobra"
)

// maxVectors bounds the vectors of a project.
const maxVectors = 10_000

// testResult is what verifier test prints as JSON.
type testResult struct {
	OK      bool           `json:"ok"`
	Module  string         `json:"module"`
	Failed  int            `json:"failed"`
	Vectors []vectorResult `json:"vectors"`
}

type vectorResult struct {
	File    string            `json:"file"`
	Name    string            `json:"name"`
	OK      bool              `json:"ok"`
	Failure string            `json:"failure"` // what is not as wanted; empty where all is
	Verdict barnraise.Verdict `json:"verdict"`
	Fuel    uint64            `json:"fuel"`    // units used
	Problem string            `json:"problem"` // why there is no verdict of the verifier's
}

func (r testResult) text(w io.Writer) {
	for _, v := range r.Vectors {
		if v.OK {
			fmt.Fprintf(w, "ok    %s: %s (%d units)\n", v.File, v.Name, v.Fuel)
		} else {
			fmt.Fprintf(w, "FAIL  %s: %s: %s\n", v.File, v.Name, v.Failure)
		}
	}
	fmt.Fprintf(w, "%d vectors, %d failed\n", len(r.Vectors), r.Failed)
}

func (a *app) verifierTest() *cobra.Command {
	var manifestFile, module string
	c := &cobra.Command{
		Use:   "test DIR",
		Short: "Put the test vectors of a project before its verifier",
		Long: `Test puts every vector, DIR/vectors/*.json, before the module in DIR and compares what it says with what it should. What
the verifier is granted is what DIR/service.yaml says, if there is one. It exits 1 where a vector fails.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			file, service, err := projectModule(args[0], module, manifestFile)
			if err != nil {
				return err
			}
			vectors, err := vectorFiles(filepath.Join(args[0], "vectors"))
			if err != nil {
				return err
			}
			v, err := a.candidate(file, service)
			if err != nil {
				return err
			}
			if _, err := a.load(c.Context(), &v); err != nil {
				return err
			}
			r, err := a.test(c.Context(), v, vectors)
			if err != nil {
				return err
			}
			if err := a.print(r, r.text); err != nil || r.OK {
				return err
			}
			return fmt.Errorf("test %s: %d of %d vectors failed", v.name, r.Failed, len(r.Vectors))
		},
	}
	manifestFlag(c, &manifestFile)
	c.Flags().StringVar(&module, "module", "", "the module, where DIR has none or several; also "+standardNames())
	return c
}

// vectorFiles lists the vectors in a directory.
func vectorFiles(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(escapeGlob(dir), "*.json"))
	switch {
	case err != nil:
		return nil, err
	case len(files) == 0:
		return nil, fmt.Errorf("find vectors: there is no %s: write one, as barnraise verifier new does", filepath.Join(dir, "*.json"))
	case len(files) > maxVectors:
		return nil, fmt.Errorf("find vectors: %s has %d, at most %d", dir, len(files), maxVectors)
	}
	return files, nil
}

// escapeGlob makes a name match itself only.
func escapeGlob(name string) string {
	out := []byte{}
	for _, c := range []byte(name) {
		if c == '*' || c == '?' || c == '[' || c == '\\' {
			out = append(out, '\\')
		}
		out = append(out, c)
	}
	return string(out)
}

func readVector(file string) (verifiers.Vector, error) {
	b, err := readLimited(file, verifiers.MaxVectorFile)
	if err != nil {
		return verifiers.Vector{}, err
	}
	return verifiers.ParseVector(b)
}

// test puts every vector before the candidate. It fails where that says nothing about it.
func (a *app) test(ctx context.Context, v candidate, files []string) (testResult, error) {
	engine, err := a.engine()
	if err != nil {
		return testResult{}, err
	}
	h, r := verifier.NewHost(engine), testResult{Module: v.name, Vectors: []vectorResult{}}
	for _, file := range files {
		one, err := v.try(ctx, h, file)
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		if one.OK = err == nil; !one.OK {
			one.Failure = err.Error()
			r.Failed++
		}
		r.Vectors = append(r.Vectors, one)
	}
	r.OK = r.Failed == 0
	return r, nil
}

// try puts one vector before the candidate; the error says what is not as wanted.
func (v *candidate) try(ctx context.Context, h *verifier.Host, file string) (r vectorResult, err error) {
	r.File = filepath.Base(file)
	r.Verdict = barnraise.Verdict{Status: barnraise.Undecided, Winner: -1, Culprits: []int{}}
	vector, err := readVector(file)
	if err != nil {
		return r, err
	}
	r.Name = vector.Name
	limits := v.limits
	if vector.Fuel != 0 {
		limits.Fuel = vector.Fuel
	}
	result := verifier.Result{Verdict: r.Verdict}
	loaded, err := h.Load(ctx, v.module, limits)
	switch {
	case err == nil:
		result = loaded.Run(ctx, vector.Config, vector.Requests, vector.Responses)
	case vector.Fuel != 0 && errors.Is(err, wasm.ErrFuel): // too little even to be asked for minRequests
		result.Problem, result.Fuel = err, vector.Fuel
	default:
		return r, err
	}
	r.Verdict, r.Fuel = result.Verdict, result.Fuel
	if result.Problem != nil {
		r.Problem = result.Problem.Error()
	}
	if loaded != nil && vector.MinRequests != 0 && vector.MinRequests != loaded.MinRequests() {
		return r, fmt.Errorf("minRequests is %d, want %d", loaded.MinRequests(), vector.MinRequests)
	}
	return r, compareOutcome(vector.Want, result)
}

// compareOutcome says what is not as wanted.
func compareOutcome(want verifiers.Want, got verifier.Result) error {
	problem, known := problemOf(got.Problem)
	switch {
	case got.Problem != nil && want.Problem == verifiers.NoProblem, !known:
		return fmt.Errorf("it gave no verdict: %w", got.Problem)
	case problem != want.Problem:
		return fmt.Errorf("want problem %q, got %s, problem %q", want.Problem, got.Verdict.Status, problem)
	}
	return want.Check(got.Verdict)
}
