package conformance

import (
	"context"
	"slices"
	"strings"
	"time"

	"barnraise/runtime"

	"github.com/go-json-experiment/json/jsontext"
)

// explain finds the causes of what was found: first of differences that show their surroundings, or came with one thing varied
// alone; then, knowing these, of the others.
func (t *trial) explain(ctx context.Context) error {
	var rest []finding
	for _, f := range t.found {
		if real, err := t.isReal(ctx, f); err != nil {
			return err
		} else if !real {
			t.perturbation(f.step.Name).Differences -= f.count
			continue
		}
		cause, err := t.specific(ctx, f)
		if err != nil {
			return err
		}
		if cause == "" {
			rest = append(rest, f)
			continue
		}
		t.conclude(f, cause)
	}
	for _, f := range rest {
		cause := t.restless(t.method(f))
		if cause == "" {
			var err error
			if cause, err = t.unspecific(ctx, f); err != nil {
				return err
			}
		}
		t.conclude(f, cause)
	}
	return nil
}

func (t *trial) method(f finding) string { return t.requests[f.request].Method }

// conclude adds a finding to the report, or counts it where its cause is there for its method already.
func (t *trial) conclude(f finding, c Cause) {
	method := t.method(f)
	t.known[method] = append(t.known[method], c)
	t.gate.difference(t.platform, f, method, c)
}

// restless is a known cause of the method's by which its answers differ from call to call as well; empty where there is none.
// The others, such as the environment, explain a difference only where they are varied.
func (t *trial) restless(method string) Cause {
	for _, c := range t.known[method] {
		switch c {
		case CauseEnvironment, CauseZone, CauseLocale, CauseHostname, CauseCPU, CauseStart, CauseBroke:
		default:
			return c
		}
	}
	return ""
}

// specific is the cause of a difference where the step's surroundings are: the answer has words from them, or else the service
// answers alike as long as they are not varied. Empty where neither is so.
func (t *trial) specific(ctx context.Context, f finding) (Cause, error) {
	if f.step.Cause == "" {
		return "", nil
	}
	for _, word := range f.step.Planted {
		if strings.Contains(string(f.b.answer), word) && !strings.Contains(string(f.a.answer), word) {
			return t.plainer(f), nil
		}
	}
	if first, err := t.isFirst(ctx, f); err != nil || first {
		return CauseProcess, err
	}
	steady, err := t.isSteady(ctx, f.request)
	if err != nil || !steady {
		return "", err
	}
	again, err := t.sequence(ctx, f.step.Around, []int{f.request})
	if err != nil || len(again) > 0 && again[0].alike(f.a) {
		return "", err // it does not come with these surroundings
	}
	return t.plainer(f), nil
}

// isFirst reports whether an answer shows that the service is the first process, which elsewhere has a number that may change
// with every start.
func (t *trial) isFirst(ctx context.Context, f finding) (bool, error) {
	_, a, b := parts(f)
	if !f.step.Around.First || number(b) != 1 || !(number(a) > 1) {
		return false, nil
	}
	h, err := t.habit(ctx, f.request)
	return len(h.alone) > 0 && allAlike(h.alone, 0), err
}

// plainer is the step's cause, or one that explains more than it: who shows all the environment shows the time zone in it.
func (t *trial) plainer(f finding) Cause {
	cause, known := f.step.Cause, t.known[t.method(f)]
	has := func(c Cause) bool { return slices.Contains(known, c) }
	p, a, b := parts(f)
	switch {
	case f.a.answer == nil || f.b.answer == nil:
	case (cause == CauseZone || cause == CauseLocale) && has(CauseEnvironment):
		return CauseEnvironment
	case addresses(a, b): // whatever moves them
		return CauseAddress
	case cause == CauseAddress || cause == CauseMemory: // what is set aside also takes time and random numbers
		for _, c := range []Cause{CauseMapOrder, CauseChance, CauseClock, CauseMemory} {
			if has(c) {
				return c
			}
		}
	case cause == CauseChance && (permuted(f.a.answer, f.b.answer, p) || rounded(a, b)):
		return CauseMapOrder
	}
	return cause
}

// habits are how a request is answered by one instance each: again and again, and with other requests in between.
type habits struct {
	alone, mixed []outcome
	took         time.Duration // all that is in alone
	fresh        bool          // two new instances give it the same first answer
	repeats      bool          // mixed is the same with the same requests in between
}

func (t *trial) habit(ctx context.Context, request int) (h habits, err error) {
	if h, ok := t.habits[request]; ok {
		return h, nil
	}
	same, between := slices.Repeat([]int{request}, trials), t.between(request)
	all, err := t.sequences(ctx, runtime.Surroundings{Reused: true}, same, between, []int{request}, between)
	if err != nil {
		return h, err
	}
	another := all[2]
	h.alone, h.mixed = all[0], second(all[1])
	if len(h.alone) == 0 { // this variant cannot be reused
		h.alone, err = t.sequence(ctx, runtime.Surroundings{}, same)
		h.mixed = h.alone
	}
	for _, o := range h.alone {
		h.took += o.took
	}
	h.repeats = slices.EqualFunc(h.mixed, second(all[3]), outcome.alike)
	h.fresh = len(another) == 1 && len(h.alone) > 0 && another[0].alike(h.alone[0])
	t.habits[request] = h
	return h, err
}

// between is a request after each of some others, which get as different answers as there are.
func (t *trial) between(request int) (asked []int) {
	for k := range trials {
		asked = append(asked, t.other(request, k), request)
	}
	return asked
}

// second is every other one.
func second(all []outcome) (some []outcome) {
	for k := 1; k < len(all); k += 2 {
		some = append(some, all[k])
	}
	return some
}

// other is the kth request beside this one that was answered, of the same method where there are some.
func (t *trial) other(request, k int) int {
	var same, others []int
	for i, o := range t.base {
		switch {
		case i == request || o.answer == nil:
		case t.requests[i].Method == t.requests[request].Method:
			same = append(same, i)
		default:
			others = append(others, i)
		}
	}
	if all := append(same, others...); len(all) > 0 {
		return all[k%len(all)]
	}
	return request
}

// unspecific is the cause of a difference that came by itself, or with the order of calls.
func (t *trial) unspecific(ctx context.Context, f finding) (Cause, error) {
	p, a, b := parts(f)
	h, err := t.habit(ctx, f.request)
	switch {
	case err != nil:
		return CauseUnknown, err
	case f.a.answer == nil || f.b.answer == nil:
		return brokenBy(f, h), nil
	case addresses(a, b):
		return CauseAddress, nil
	}
	if rising(valuesAt(h.alone, p)) {
		return CauseCounter, nil
	}
	if times(a, b, t.o.Now) {
		return CauseClock, nil
	}
	if len(h.alone) < 2 || len(h.mixed) < 2 {
		return CauseUnknown, nil
	}
	cause, err := t.byHabit(ctx, f, h)
	later := slices.Concat([]jsontext.Value{a, b}, valuesAt(h.alone, p), valuesAt(h.mixed, p))
	if cause == CauseChance && growing(later) {
		return CauseClock, err
	}
	if cause != CauseOrder && cause != CauseRace && (permuted(f.a.answer, f.b.answer, p) || rounded(a, b)) {
		cause = CauseMapOrder
	}
	return cause, err
}

// brokenBy is the cause where a request was answered once and broke the service another time.
func brokenBy(f finding, h habits) Cause {
	switch {
	case !allAlike(h.alone, 0):
	case f.step.Order == Concurrent:
		return CauseRace
	case f.step.Around.Reused:
		return CauseState // such as memory that only grows
	}
	return CauseBroke
}

// byHabit tells what is kept between calls from what differs by itself.
func (t *trial) byHabit(ctx context.Context, f finding, h habits) (Cause, error) {
	first, settled := allAlike(h.alone, 0), allAlike(h.alone, 1)
	settledMixed := allAlike(h.mixed, 1)
	switch {
	case first && allAlike(h.mixed, 0) && h.alone[0].alike(h.mixed[0]):
		if h.alone[0].alike(f.a) {
			return byOrder(f.step.Order), nil
		}
		return CauseClock, nil // fresh, constant, and another than before
	case settled && settledMixed && h.alone[1].alike(h.mixed[1]):
		return CauseState, nil
	case settled && (!settledMixed || h.fresh) && h.repeats:
		return CauseOrder, nil
	case first && allAlike(h.mixed, 0):
		return CauseChance, nil // each instance has an answer of its own
	}
	return t.byItself(ctx, f, h)
}

// byItself is the cause where hardly any answer is like another.
func (t *trial) byItself(ctx context.Context, f finding, h habits) (Cause, error) {
	p, _, _ := parts(f)
	if h.alone[0].alike(f.a) && h.mixed[0].alike(f.a) { // fresh instances agree
		steady, err := t.isSteady(ctx, f.request)
		if err != nil || steady {
			return CauseState, err
		}
	}
	if passing(valuesAt(h.alone, p), h.took) {
		return CauseClock, nil
	}
	return CauseChance, nil
}

// byOrder is the cause where a request is answered alike whenever it is asked alone.
func byOrder(o Order) Cause {
	switch o {
	case Concurrent:
		return CauseRace
	case Crashed:
		return CauseCrash
	case Idled:
		return CauseIdle
	case Repeated, Reversed, Shuffled, Interleaved:
		return CauseState
	}
	return CauseUnknown
}
