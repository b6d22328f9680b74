package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"barnraise"
	"barnraise/image"
	"barnraise/runtime"
)

// trial is one variant on trial.
type trial struct {
	*gate
	platform string
	spec     runtime.Spec
	base     []outcome          // of the plain run, by request
	found    []finding          // differences, before their causes are known
	known    map[string][]Cause // of a method, as they are found
	habits   map[int]habits
	steady   map[int]bool // whether a request is answered alike in plain surroundings
	next     *Step        // whose instances start while those of a step are asked; nil for none
	ahead    *begun       // them, nil where none have begun to
	leaving  []chan error // of instances that stop while others are asked
	over     time.Time    // when the last run was
}

// finding is a request that got another outcome than in the plain run.
type finding struct {
	step    Step
	request int
	a, b    outcome
	count   int
}

// maxHeld is how much of answers is held for comparison, in bytes.
const maxHeld = 64 << 20

// try runs all steps of a variant.
func (g *gate) try(ctx context.Context, platform string, m barnraise.Digest, steps []Step) (*trial, error) {
	t := &trial{
		gate: g, platform: platform, spec: runtime.Spec{Image: g.subject.Image, Platform: m, Limits: g.subject.Manifest.Limits},
		base: make([]outcome, len(g.requests)), known: map[string][]Cause{}, habits: map[int]habits{}, steady: map[int]bool{},
	}
	ran, err := t.steps(ctx, steps)
	if err == nil && ran {
		err = t.explain(ctx)
	}
	if left := t.leave(ctx); err == nil && left != nil {
		err = fmt.Errorf("try image: %w", left)
	}
	if err != nil || !ran {
		return nil, err
	}
	return t, nil
}

// steps takes one step after the other. It reports false where the service does not even start plainly.
func (t *trial) steps(ctx context.Context, steps []Step) (bool, error) {
	for k, s := range steps {
		t.next = nil
		if k+1 < len(steps) && !s.Measured { // what starts takes time from what is measured
			t.next = &steps[k+1]
		}
		t.progress(t.platform, s.Name)
		ran, err := t.take(ctx, s)
		if err != nil || s.Name == plain && !ran {
			return false, err
		}
	}
	return true, nil
}

// take runs one step. It reports false where the service did not start.
func (t *trial) take(ctx context.Context, s Step) (bool, error) {
	if s.Measured && t.platform == image.Wasm {
		return true, t.apart(ctx, s)
	}
	return t.run(ctx, s, t.requestsOf(s, ""))
}

// apart runs a step with an instance for each method, so that what each method takes can be told.
func (t *trial) apart(ctx context.Context, s Step) error {
	for _, m := range t.methods() {
		if _, err := t.run(ctx, s, t.requestsOf(s, m)); err != nil {
			return err
		}
	}
	return nil
}

// requestsOf lists what a step asks, of one method or of all: all requests at first, then those that were answered. A request
// that broke the service is asked once more alone, to see whether it always does.
func (t *trial) requestsOf(s Step, method string) (asked []int) {
	for i, r := range t.requests {
		o := t.base[i]
		answered := o.class == "" && o.answer != nil
		if (s.Name == plain || answered || s.Name == again && o.class == ClassBroke) && (method == "" || r.Method == method) {
			asked = append(asked, i)
		}
	}
	return asked
}

// run starts what the step wants, asks it, and stops it.
func (t *trial) run(ctx context.Context, s Step, asked []int) (bool, error) {
	instances, err := t.started(ctx, s)
	if err != nil {
		return false, t.notStarted(ctx, s, err)
	}
	if t.next != nil {
		t.begin(ctx, *t.next)
	}
	n, err := t.ask(ctx, t.newRun(s, instances, asked))
	t.over = time.Now()
	if stopped := t.away(ctx, instances); stopped != nil {
		return true, fmt.Errorf("try image: %w", stopped)
	}
	if err != nil && ctx.Err() == nil && s.Name != plain {
		t.skip(s.Name, err.Error())
		err = nil
	}
	t.count(s, n)
	return true, err
}

func (t *trial) newRun(s Step, instances []runtime.Instance, asked []int) *run {
	r := &run{trial: t, step: s, instances: instances, asked: asked, until: time.Now().Add(t.o.Patience)}
	if s.Order == Interleaved {
		r.others = oddRequests(t.methods())
	}
	return r
}

// ask asks what the run asks, and keeps what has to be kept of the answers.
func (t *trial) ask(ctx context.Context, r *run) (int, error) {
	told := func(i int, o outcome) { t.compare(r.step, i, o) }
	if r.step.Name == plain {
		told = func(i int, o outcome) { t.keep(i, t.insist(ctx, r, i, o)) }
	}
	if err := r.prepare(ctx); err != nil {
		return 0, err
	}
	if r.step.Measured {
		return t.measure(ctx, r, told)
	}
	return r.each(ctx, told)
}

// insist asks an example again that had no answer, as a machine that has much to do makes it happen.
func (t *trial) insist(ctx context.Context, r *run, i int, o outcome) outcome {
	for range 2 {
		certain := o.class == "" || o.class == ClassFuel || o.class == ClassRequest
		if !t.requests[i].Example || certain || time.Now().After(r.until) || pause(ctx, t.o.Pause) != nil {
			break
		}
		o = ask(ctx, r.instances[0], t.requests[i].Body)
	}
	return o
}

// keep makes an outcome of the plain run what others are compared with. What does not fit is never asked again.
func (t *trial) keep(i int, o outcome) {
	t.held += len(o.answer)
	if t.held > maxHeld {
		t.skip(plain, fmt.Sprintf("request %d: the answers before it have %d bytes already", i, maxHeld))
		return
	}
	t.base[i] = o
	if o.class != "" {
		t.failed(plain, i, o)
	}
}

// looksAt is how many differences of a step and a method are looked into; more are only counted.
const looksAt = 2

// compare notes an outcome that is not that of the plain run.
func (t *trial) compare(s Step, i int, o outcome) {
	base := t.base[i]
	if o.class != "" && base.class == "" {
		t.failed(s.Name, i, o)
	}
	if base.alike(o) {
		return
	}
	t.differs(s)
	same := 0
	for k, f := range t.found {
		if f.step.Name == s.Name && t.requests[f.request].Method == t.requests[i].Method {
			if same++; same == looksAt || f.request == i {
				t.found[k].count++
				return
			}
		}
	}
	t.found = append(t.found, finding{s, i, base, o, 1})
}

// notStarted says why a step could not be taken. That a variant starts nowhere is a failure; that it starts in plain
// surroundings and breaks in others is a difference.
func (t *trial) notStarted(ctx context.Context, s Step, err error) error {
	itsOwn := errors.Is(err, runtime.ErrCannot) || errors.Is(err, runtime.ErrBroke)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("try image: %w", ctx.Err())
	case s.Name == plain && !itsOwn:
		return fmt.Errorf("try image: %w", err)
	case s.Name == plain:
		t.report.Failures = append(t.report.Failures, Failure{
			Platform: t.platform, Perturbation: s.Name, Class: ClassStart, Reason: limited(err.Error(), maxReason), Fatal: true, Count: 1,
		})
	case errors.Is(err, runtime.ErrBroke):
		t.count(s, 0)
		for i, o := range t.base {
			if o.answer != nil {
				t.compare(s, i, outcome{class: ClassBroke, reason: limited(err.Error(), maxReason)})
				break
			}
		}
	default:
		t.skip(s.Name, err.Error())
	}
	return nil
}

func (t *trial) skip(perturbation, reason string) {
	if _, why, ok := strings.Cut(reason, runtime.ErrCannot.Error()+": "); ok {
		reason = why
	}
	skip := Skip{perturbation, t.platform, limited(reason, maxReason)}
	if !slices.Contains(t.report.Skipped, skip) {
		t.report.Skipped = append(t.report.Skipped, skip)
	}
}

// failed notes a request without an answer. Only an example of the manifest's own fails the gate by it: what was made up may
// be too much, as long as it always is.
func (t *trial) failed(perturbation string, i int, o outcome) {
	r := t.requests[i]
	for k, f := range t.report.Failures {
		if f.Method == r.Method && f.Platform == t.platform && f.Class == o.class && f.Example == r.Example {
			t.report.Failures[k].Count++
			return
		}
	}
	t.report.Failures = append(t.report.Failures, Failure{
		Method: r.Method, Platform: t.platform, Perturbation: perturbation, Class: o.class, Reason: o.reason,
		Request: limited(string(r.Body), room(len(t.report.Failures))), Example: r.Example, Fatal: r.Example && perturbation == plain, Count: 1,
	})
}

// count adds a step to the list of what was tried.
func (t *trial) count(s Step, requests int) {
	p := t.perturbation(s.Name)
	p.Requests += requests
}

func (t *trial) differs(s Step) { t.perturbation(s.Name).Differences++ }

// perturbation is the line of the report for it; it is valid until the next call.
func (t *trial) perturbation(name string) *Perturbation {
	list := &t.report.Perturbations
	for k := range *list {
		if (*list)[k].Name == name && (*list)[k].Platform == t.platform {
			return &(*list)[k]
		}
	}
	*list = append(*list, Perturbation{Name: name, Platform: t.platform})
	return &(*list)[len(*list)-1]
}

// trials is how often a request is repeated to learn how it is answered.
const trials = 8

// isSteady reports whether the request gets the answer of the plain run time and again, in plain surroundings, and from other
// instances as well.
func (t *trial) isSteady(ctx context.Context, request int) (bool, error) {
	if steady, ok := t.steady[request]; ok {
		return steady, nil
	}
	asked := [][]int{slices.Repeat([]int{request}, trials)}
	if t.platform != image.Wasm { // where chance is not pinned
		asked = append(asked, slices.Repeat(asked[0], trials), asked[0], asked[0])
	}
	all, err := t.sequences(ctx, runtime.Surroundings{}, asked...)
	steady := err == nil && !slices.ContainsFunc(slices.Concat(all...), func(o outcome) bool { return !o.alike(t.base[request]) })
	t.steady[request] = steady
	return steady, err
}
