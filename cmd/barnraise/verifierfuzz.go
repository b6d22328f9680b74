package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"barnraise"
	"barnraise/verifier"

	"github.com/spf13/cobra"
)

// fuzzResult is what verifier fuzz prints as JSON.
type fuzzResult struct {
	OK       bool                      `json:"ok"`
	Seed     uint64                    `json:"seed"`
	Inputs   uint64                    `json:"inputs"`   // that were made and put before the verifier, each with what goes with it
	Verdicts map[barnraise.Outcome]int `json:"verdicts"` // how often each came of them
	Findings []fuzzFinding             `json:"findings"`
}

// fuzzFinding is one finding, in files that verifier run takes.
type fuzzFinding struct {
	Kind   string `json:"kind"`
	Detail string `json:"detail"`
	Input  string `json:"input"`
	Beside string `json:"beside,omitempty"` // the other input of a contradiction
}

func (r fuzzResult) text(w io.Writer) {
	for _, f := range r.Findings {
		fmt.Fprintf(w, "%-9s  %s\n           %s %s\n", f.Kind, f.Detail, f.Input, f.Beside)
	}
	fmt.Fprintf(w, "%d inputs with seed %d, %d findings;", r.Inputs, r.Seed, len(r.Findings))
	for _, o := range slices.Sorted(maps.Keys(r.Verdicts)) {
		fmt.Fprintf(w, " %s %d", o, r.Verdicts[o])
	}
	fmt.Fprintln(w)
}

// fuzzOptions are what the command line says.
type fuzzOptions struct {
	length           time.Duration
	seed, inputs     uint64
	vectors, out     string
	manifest, module string
}

const fuzzHelp = `Fuzz makes answers out of those of the vectors, such as a host would put before the verifier: a character or number
changed, strings and arrays cut off, huge numbers, deep nesting, nothing at all, the same otherwise written; up to four
of them to one request, some of them the same. It reports where the verifier

  trap, fuel    traps, or runs out of fuel
  malformed     gives no verdict: one that names a winner or culprit out of range, for instance
  repeat        says otherwise, or takes other fuel, the second time
  equal         strikes an answer that is the same bytes as the winner, or as one that it does not strike
  twins         calls disagreement what is the same answer several times, and is not alone
  copy          decides otherwise because of one more copy of an answer that is there already
  order         turns accepted into disagreement because the answers stand in another order
  subset        accepts answers together of which it calls two, or one, disagreement

For each kind it writes the smallest input that it finds into --out, for barnraise verifier run, and exits 1. The same
seed makes the same inputs.`

func (a *app) verifierFuzz() *cobra.Command {
	o := fuzzOptions{length: 10 * time.Second, seed: 1, out: "findings"}
	c := &cobra.Command{
		Use:   "fuzz FILE|DIR",
		Short: "Put random answers before a verifier, and say where it does what none may",
		Long:  fuzzHelp,
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if o.length <= 0 {
				return fmt.Errorf("%w: --for %s: want a length of time, such as 10s", errUsage, o.length)
			}
			v, from, err := a.fuzzed(args[0], o)
			if err != nil {
				return err
			}
			loaded, err := a.load(c.Context(), &v)
			if err != nil {
				return err
			}
			r, findings, err := a.fuzz(c.Context(), loaded, from, o)
			if err == nil {
				err = r.keep(o.out, findings)
			}
			if err != nil {
				return err
			}
			if err := a.print(r, r.text); err != nil || r.OK {
				return err
			}
			return fmt.Errorf("fuzz %s: %d findings; look at one with: barnraise verifier run %s %s", v.name, len(r.Findings), shellWord(v.name), r.Findings[0].Input)
		},
	}
	c.Flags().DurationVar(&o.length, "for", o.length, "how long")
	c.Flags().Uint64Var(&o.inputs, "inputs", 0, "stop after so many inputs")
	c.Flags().Uint64Var(&o.seed, "seed", o.seed, "another one makes other inputs")
	c.Flags().StringVar(&o.vectors, "vectors", "", "directory of vectors that answers are made of; else DIR/vectors")
	c.Flags().StringVar(&o.out, "out", o.out, "directory for findings")
	c.Flags().StringVar(&o.module, "module", "", "the module, where DIR has none or several")
	manifestFlag(c, &o.manifest)
	return c
}

// fuzzed is the module that a file or a project's directory names, and what answers are made of.
func (a *app) fuzzed(name string, o fuzzOptions) (v candidate, from []input, err error) {
	file, service, vectors := name, o.manifest, o.vectors
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		if file, service, err = projectModule(name, o.module, o.manifest); err != nil {
			return v, nil, err
		}
		if inside := filepath.Join(name, "vectors"); vectors == "" && exists(inside) {
			vectors = inside
		}
	}
	if v, err = a.candidate(file, service); err != nil || vectors == "" {
		return v, fallback(v.config), err
	}
	files, err := vectorFiles(vectors)
	if err != nil {
		return v, nil, err
	}
	for _, file := range files {
		vector, err := readVector(file)
		if err != nil {
			return v, nil, fmt.Errorf("%s: %w", file, err)
		}
		if in, ok := usable(input{vector.Config, vector.Requests, vector.Responses}); ok {
			from = append(from, in)
		}
	}
	if len(from) == 0 {
		a.say("no vector in %s has answers that a host lets through: these are made up", vectors)
		from = fallback(v.config)
	}
	return v, from, nil
}

// progress is how often it is said how far one is.
const progress = 2 * time.Second

// fuzz puts inputs before a verifier until time is up, or there were as many as wanted.
func (a *app) fuzz(ctx context.Context, v *verifier.Verifier, from []input, o fuzzOptions) (fuzzResult, []finding, error) {
	r := fuzzResult{OK: true, Seed: o.seed, Verdicts: map[barnraise.Outcome]int{}, Findings: []fuzzFinding{}}
	h := hunt{known: map[string]bool{}, judge: func(in input) verifier.Result { return v.Run(ctx, in.Config, in.Requests, in.Responses) }}
	end, said := time.Now().Add(o.length), time.Now()
	for time.Now().Before(end) && (o.inputs == 0 || r.Inputs < o.inputs) {
		status := h.look(makeInput(from, o.seed, r.Inputs))
		if ctx.Err() != nil {
			return r, nil, ctx.Err()
		}
		r.Inputs++
		r.Verdicts[status]++
		if time.Since(said) > progress {
			said = time.Now()
			a.say("%d inputs, %d findings", r.Inputs, len(h.found))
		}
	}
	r.OK = len(h.found) == 0
	return r, h.found, nil
}

// A hunt collects findings, one of each kind.
type hunt struct {
	judge judge
	known map[string]bool
	found []finding
}

// look holds one input against the rules, and gives its verdict's status.
func (h *hunt) look(in input) barnraise.Outcome {
	first := h.judge(in)
	for _, rule := range fuzzRules {
		if h.known[rule.kind] {
			continue
		}
		if detail, beside := rule.check(h.judge, in, first); detail != "" {
			h.known[rule.kind] = true
			h.found = append(h.found, newShrinker(rule, h.judge).shrink(finding{rule.kind, detail, in, beside}))
		}
	}
	return cmp.Or(first.Verdict.Status, barnraise.Undecided)
}

// keep writes findings into a directory, which is made if there are any.
func (r *fuzzResult) keep(dir string, found []finding) error {
	for _, f := range found {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("keep findings: %w", err)
		}
		kept := fuzzFinding{Kind: f.kind, Detail: f.detail, Input: filepath.Join(dir, f.kind+".json")}
		err := os.WriteFile(kept.Input, f.input.encode(), 0o644)
		if err == nil && f.beside != nil {
			kept.Beside = filepath.Join(dir, f.kind+"-beside.json")
			err = os.WriteFile(kept.Beside, f.beside.encode(), 0o644)
		}
		if err != nil {
			return fmt.Errorf("keep findings: %w", err)
		}
		r.Findings = append(r.Findings, kept)
	}
	return nil
}
