package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"barnraise"
	"barnraise/conformance"
)

// checkResult is what check prints as JSON.
type checkResult struct {
	Image         string                     `json:"image"`
	Passed        bool                       `json:"passed"`
	Deterministic bool                       `json:"deterministic"`
	Stateless     bool                       `json:"stateless"`
	Platforms     []string                   `json:"platforms"`
	Perturbations []conformance.Perturbation `json:"perturbations"`
	Differences   []conformance.Difference   `json:"differences"`
	Failures      []conformance.Failure      `json:"failures"`
	Skipped       []conformance.Skip         `json:"skipped"`
	Measured      measured                   `json:"measured"`
	Hints         []string                   `json:"hints"`
	Report        barnraise.CID              `json:"report"`
}

type measured struct {
	Methods  []conformance.Method `json:"methods"`
	Proposed conformance.Proposal `json:"proposed"`
}

func newCheckResult(name string, cid barnraise.CID, r conformance.Report) checkResult {
	c := checkResult{
		Image: name + "@" + r.Image.String(), Passed: r.Passed, Deterministic: r.Deterministic(), Stateless: r.Stateless(),
		Platforms: []string{}, Perturbations: r.Perturbations, Differences: r.Differences, Failures: r.Failures,
		Skipped: r.Skipped, Measured: measured{r.Methods, r.Proposed}, Hints: r.Hints, Report: cid,
	}
	for _, p := range r.Platforms {
		c.Platforms = append(c.Platforms, p.Platform)
	}
	return c
}

func (r checkResult) text(w io.Writer) {
	fmt.Fprintf(w, "%s\n", r.Image)
	for _, platform := range r.Platforms {
		fmt.Fprintf(w, "tried on %s: %s\n", platform, r.tried(platform))
	}
	for _, p := range r.Perturbations {
		if !slices.Contains(r.Platforms, p.Platform) {
			fmt.Fprintf(w, "compared %s: %d requests\n", p.Platform, p.Requests)
		}
	}
	for _, s := range r.Skipped {
		fmt.Fprintf(w, "skipped %s\n", strings.TrimSpace(strings.Join(nonEmpty(s.Perturbation, s.Platform), " on ")+": "+cut(s.Reason)))
	}
	for _, d := range r.Differences {
		fmt.Fprintf(w, "\n%s: %s\n  %s\n  with %s on %s, %d times\n", d.Method, d.Cause, d.Why, d.Perturbation, d.Platform, d.Count)
		fmt.Fprintf(w, "  request  %s\n  at       %q\n  before   %s\n  then     %s\n", cut(d.Request), d.Pointer, cut(d.PartA), cut(d.PartB))
	}
	for _, f := range r.Failures {
		fmt.Fprintf(w, "\n%s on %s\n  %s, %d times: %s\n", f.Method, f.Platform, f.Class, f.Count, cut(f.Reason))
	}
	r.summary(w)
}

// tried lists what was varied, with the number of requests.
func (r checkResult) tried(platform string) string {
	var all []string
	for _, p := range r.Perturbations {
		if p.Platform == platform {
			all = append(all, fmt.Sprintf("%s (%d)", p.Name, p.Requests))
		}
	}
	return strings.Join(all, ", ")
}

func (r checkResult) summary(w io.Writer) {
	fmt.Fprintln(w)
	for _, m := range r.Measured.Methods {
		fmt.Fprintf(w, "%-20s %3d requests  p50 %.1f ms  p99 %.1f ms  cpu %.1f ms  memory %s  response %s  fuel %d\n",
			m.Name, m.Requests, m.P50, m.P99, m.CPU, m.Memory, m.Response, m.Fuel)
	}
	for _, h := range r.Hints {
		fmt.Fprintf(w, "hint: %s\n", cut(h))
	}
	l := r.Measured.Proposed.Limits
	fmt.Fprintf(w, "\nfor service.yaml:\nlimits: {memory: %d, cpu: %v, timeout: %s, request: %d, response: %d, fuel: %d}\ncost: %d\nreport: %s\n\n",
		l.Memory, l.CPU, l.Timeout, l.Request, l.Response, l.Fuel, r.Measured.Proposed.Cost, r.Report)
	switch {
	case r.Passed:
		fmt.Fprintln(w, "passed: deterministic and stateless, as far as was tried")
	case !r.Deterministic || !r.Stateless:
		fmt.Fprintf(w, "not passed: %d differences\n", len(r.Differences))
	default:
		fmt.Fprintln(w, "not passed: it fails its own examples, or does not start")
	}
}

// cut is the beginning of a text, on one line.
func cut(s string) string {
	const most = 160
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func nonEmpty(all ...string) []string {
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}
