// Package conformance is the gate: it tries an image with its own examples and with requests made up from its OpenRPC document,
// in surroundings that it varies one at a time, and finds out whether the image is what everything rests on, a function: same
// image, same request, same bytes (protocol 2.1, 7.4, 9.3).
//
// What is tried, and in which order, is a plan: a value. A difference comes with both answers, the place where they differ and
// its cause in words.
package conformance

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"barnraise"
	"barnraise/manifest"
	"barnraise/runtime"

	"github.com/go-json-experiment/json/jsontext"
)

// Subject is an image and what it promises.
type Subject struct {
	Image    barnraise.Digest
	Variants map[string]barnraise.Digest // by platform, the digest of the variant's manifest
	Manifest manifest.Manifest           // its OpenRPC document and limits; what it lacks of limits is filled in
}

// Options say how an image is tried. The zero value is a sound choice but for Now.
type Options struct {
	Seed     uint64                     // of the requests that are made up; at most [MaxSeed] of it counts
	Requests int                        // made up for each method; zero means 24
	Now      time.Time                  // by which times in answers are known
	Pause    time.Duration              // between two runs of a variant that sees the time; zero means a little over a second
	Patience time.Duration              // that one run may take before what is left of it is left out; zero means half a minute
	Progress func(platform, run string) // told before each run; nil for silence
}

func (o Options) complete() Options {
	o.Seed &= MaxSeed
	if o.Requests <= 0 {
		o.Requests = defaultPerMethod
	}
	if o.Pause <= 0 {
		o.Pause = 1100 * time.Millisecond
	}
	if o.Patience <= 0 {
		o.Patience = 30 * time.Second
	}
	return o
}

// gate is one check under way.
type gate struct {
	rt       runtime.Runtime
	subject  Subject
	o        Options
	requests []Request
	signed   map[int][]byte // answers, by request
	report   Report
	used     map[use]*usage
	held     int // bytes of answers
}

// Check tries the image on every platform that the runtime runs and the image has a variant for, and reports what it found;
// whether the image passed is in the report, and what could not be tried is listed there.
//
// It fails with [ErrCannot] where no variant runs here or there is nothing to ask, with manifest.ErrManifest, with the
// context's error, and where the machine fails: what it cannot start for reasons of its own, or cannot stop. Else nothing is left
// running.
func Check(ctx context.Context, r runtime.Runtime, s Subject, o Options) (Report, error) {
	o, s = o.complete(), s.complete()
	asked, err := requests(s.Manifest, o)
	if err != nil {
		return Report{}, err
	}
	return newGate(r, s, o, asked, nil).check(ctx, plan)
}

// Passed is Check for who only wants to know whether the image may be hosted: it fails with [ErrFailed] where it did not pass,
// in the words of the first finding. The report is there either way.
func Passed(ctx context.Context, r runtime.Runtime, s Subject, o Options) (Report, error) {
	report, err := Check(ctx, r, s, o)
	if err == nil {
		err = report.Err()
	}
	return report, err
}

// Answered is a request that a caller has sent, in wire form, and the answer that was signed.
type Answered struct{ Request, Response []byte }

// Recheck tries the image again with real requests: in fresh surroundings, with clock, chance, addresses and environment varied
// once each, and many times in one instance. It is cheap enough for a schedule. A difference between a fresh answer and
// the one that was signed is reported as [CauseSigned], unless the image contradicts itself here as well. Requests that are not
// in wire form are left out.
//
// It fails as [Check] does, with [ErrCannot] where no request is left.
func Recheck(ctx context.Context, r runtime.Runtime, s Subject, o Options, real []Answered) (Report, error) {
	o, s = o.complete(), s.complete()
	l := &list{limit: s.Manifest.Limits.Request, seen: make(map[barnraise.Digest]bool)}
	responses := make(map[int][]byte)
	for _, a := range real {
		if l.add(a.Request, false) {
			responses[len(l.requests)-1] = a.Response
		}
	}
	if len(l.requests) == 0 {
		return Report{}, fmt.Errorf("recheck image: %w: no request in wire form", ErrCannot)
	}
	return newGate(r, s, o, l.requests, responses).check(ctx, brief)
}

// complete fills in the limits that stand where a manifest is silent.
func (s Subject) complete() Subject {
	l, d := &s.Manifest.Limits, manifest.DefaultLimits
	l.Memory, l.CPU, l.Timeout = cmp.Or(l.Memory, d.Memory), cmp.Or(l.CPU, d.CPU), cmp.Or(l.Timeout, d.Timeout)
	l.Request, l.Response, l.Fuel = cmp.Or(l.Request, d.Request), cmp.Or(l.Response, d.Response), cmp.Or(l.Fuel, d.Fuel)
	return s
}

func newGate(r runtime.Runtime, s Subject, o Options, asked []Request, signed map[int][]byte) *gate {
	return &gate{
		rt: r, subject: s, o: o, requests: asked, signed: signed, used: map[use]*usage{},
		report: Report{Version: 1, Image: s.Image, Seed: o.Seed},
	}
}

// planner is what a check does on a platform.
type planner func(platform string, o Options) []Step

func (g *gate) check(ctx context.Context, p planner) (Report, error) {
	var trials []*trial
	for _, platform := range g.platforms(ctx) {
		m := g.subject.Variants[platform]
		t, err := g.try(ctx, platform, m, p(platform, g.o))
		if err != nil {
			return Report{}, err
		}
		g.report.Platforms = append(g.report.Platforms, Platform{platform, m})
		if t != nil {
			t.compareSigned()
			trials = append(trials, t)
		}
	}
	if err := ctx.Err(); err != nil {
		return Report{}, fmt.Errorf("try image: %w", err)
	}
	if len(g.report.Platforms) == 0 {
		return Report{}, fmt.Errorf("try image: %w: it has %v, and this machine runs %v", ErrCannot,
			slices.Sorted(maps.Keys(g.subject.Variants)), g.rt.Platforms(ctx))
	}
	g.compareVariants(trials)
	return g.finish(), nil
}

// platforms lists those that are tried, and notes the others.
func (g *gate) platforms(ctx context.Context) (list []string) {
	here := g.rt.Platforms(ctx)
	for _, p := range slices.Sorted(maps.Keys(g.subject.Variants)) {
		if slices.Contains(here, p) {
			list = append(list, p)
			continue
		}
		g.report.Skipped = append(g.report.Skipped, Skip{Platform: p, Reason: "no runtime for it on this machine"})
	}
	return list
}

// compareVariants compares the answers that two platforms gave to the same requests. What one platform alone contradicts
// itself in says nothing here.
func (g *gate) compareVariants(trials []*trial) {
	for k := 1; k < len(trials); k++ {
		a, b := trials[0], trials[k]
		both := a.platform + " and " + b.platform
		n := 0
		for i := range g.requests {
			method := g.requests[i].Method
			if len(a.known[method])+len(b.known[method]) > 0 || !a.answered(i) || !b.answered(i) {
				continue
			}
			n++
			if f := (finding{Step{Name: variant}, i, a.base[i], b.base[i], 1}); !f.a.alike(f.b) {
				g.difference(both, f, method, variantCause(f))
			}
		}
		g.report.Perturbations = append(g.report.Perturbations, Perturbation{Name: variant, Platform: both, Requests: n, Differences: g.differences(both)})
	}
	if len(trials) < 2 {
		g.report.Skipped = append(g.report.Skipped, Skip{Perturbation: variant, Reason: "fewer than two variants run on this machine"})
	}
}

// answered reports whether there is something to compare.
func (t *trial) answered(i int) bool {
	o := t.base[i]
	return o.answer != nil || o.class == ClassBroke
}

func variantCause(f finding) Cause {
	p, a, b := parts(f)
	switch {
	case f.a.answer == nil || f.b.answer == nil:
		return CauseVariant
	case rounded(a, b), fractions(a, b):
		return CauseFloat
	case permuted(f.a.answer, f.b.answer, p):
		return CauseMapOrder
	}
	return CauseVariant
}

func (g *gate) differences(platform string) (n int) {
	for _, d := range g.report.Differences {
		if d.Platform == platform {
			n += d.Count
		}
	}
	return n
}

func (g *gate) progress(platform, run string) {
	if g.o.Progress != nil {
		g.o.Progress(platform, run)
	}
}

// finish completes the report.
func (g *gate) finish() Report {
	r := &g.report
	r.Methods = g.measured()
	r.Proposed = propose(r.Methods, g.subject.Manifest.Limits)
	r.Hints = hints(*r, g.subject.Manifest.Limits)
	r.Passed = r.passed()
	return *r
}

// compareSigned compares fresh answers with those that were signed, of methods that are answered alike here.
func (t *trial) compareSigned() {
	n := 0
	for i := range t.requests {
		response, ok := t.signed[i]
		if !ok || len(t.known[t.requests[i].Method]) > 0 || t.base[i].answer == nil {
			continue
		}
		n++
		if f := (finding{Step{Name: signed}, i, t.base[i], outcome{answer: response}, 1}); !f.a.alike(f.b) {
			t.differs(f.step)
			t.gate.difference(t.platform, f, t.method(f), CauseSigned)
		}
	}
	if len(t.signed) > 0 {
		t.count(Step{Name: signed}, n)
	}
}

// Bounds of what a report shows, in bytes.
const (
	maxShown   = 2 << 10
	maxPart    = 200
	maxPointer = 1 << 10
)

// room is how much is shown of a request or an answer where a report has so many items already: less after the first dozens.
func room(items int) int {
	if items < 32 {
		return maxShown
	}
	return maxPart
}

// difference adds a difference to the report, or counts it.
func (g *gate) difference(platform string, f finding, method string, c Cause) {
	for k, d := range g.report.Differences {
		if d.Method == method && d.Cause == c && d.Platform == platform {
			g.report.Differences[k].Count += f.count
			return
		}
	}
	var p jsontext.Pointer
	if f.a.answer != nil && f.b.answer != nil {
		p = pointer(f.a.answer, f.b.answer)
	}
	for len(p) > maxPointer {
		p = p.Parent()
	}
	most := room(len(g.report.Differences))
	g.report.Differences = append(g.report.Differences, Difference{
		Method: method, Cause: c, Why: c.Why(), Perturbation: f.step.Name, Platform: platform, Pointer: string(p),
		Request: limited(string(g.requests[f.request].Body), most), A: f.a.shown(most), B: f.b.shown(most),
		PartA: f.a.part(p), PartB: f.b.part(p), Count: f.count,
	})
}
