package server

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"barnraise"
	"barnraise/conformance"
	"barnraise/image"
	"barnraise/manifest"
	"barnraise/runtime"
	"barnraise/whole"
)

// Try tries an image: with its examples and what is made up of them, or with real requests where there are any. It returns what
// it found, and fails with conformance.ErrFailed where the image did not pass.
type Try func(context.Context, runtime.Runtime, conformance.Subject, []conformance.Answered) (conformance.Report, error)

// Conformance tries an image in earnest.
func Conformance(ctx context.Context, r runtime.Runtime, s conformance.Subject, real []conformance.Answered) (report conformance.Report, err error) {
	options := conformance.Options{Seed: rand.Uint64N(conformance.MaxSeed), Now: time.Now()}
	if len(real) == 0 {
		return conformance.Passed(ctx, r, s, options)
	}
	if report, err = conformance.Recheck(ctx, r, s, options, real); err == nil {
		err = report.Err()
	}
	return report, err
}

const (
	// gateAgain is how long the refusal of an image stands before it is tried anew: a machine without room or time can make a
	// good one fail.
	gateAgain = 24 * time.Hour
	// recheckEvery is how often, in the mean, a revision is tried with what callers have asked it.
	recheckEvery = 6 * time.Hour
)

// gate lets images pass that are deterministic and stateless as far as can be told here (protocol 9.3). What it has found lies
// in a directory, one report for each image with its manifest and variants.
type gate struct {
	dir string
	try Try           // nil lets everything pass
	one chan struct{} // one image at a time: it takes all of the machine's time that it can get
	now func() time.Time
}

func (g *gate) file(s conformance.Subject) (string, error) {
	m, err := s.Manifest.Encode()
	if err != nil {
		return "", err
	}
	var variants []string
	for platform, d := range s.Variants {
		variants = append(variants, platform+"="+d.String())
	}
	slices.Sort(variants)
	name := barnraise.Sum([]byte(s.Image.String() + "\n" + strings.Join(variants, "\n") + "\n" + string(m)))
	return filepath.Join(g.dir, strings.TrimPrefix(name.String(), "sha256:")+".json"), nil
}

// pass returns nil where an image may be hosted. It fails with conformance.ErrFailed, naming the report.
func (g *gate) pass(ctx context.Context, r runtime.Runtime, s conformance.Subject) error {
	if g.try == nil {
		return nil
	}
	file, err := g.file(s)
	if err != nil {
		return err
	}
	if found, known := g.known(file); known {
		return found
	}
	return g.tried(ctx, r, s, nil, file)
}

// known is what was found earlier, unless that was long ago.
func (g *gate) known(file string) (found error, known bool) {
	report, made, err := g.report(file)
	if err != nil || !report.Passed && g.now().Sub(made) > gateAgain {
		return nil, false
	}
	return named(report.Err(), file), true
}

// report reads what was found, and when.
func (g *gate) report(file string) (r conformance.Report, made time.Time, err error) {
	info, err := os.Stat(file)
	if err == nil && info.Size() > conformance.MaxReport {
		err = conformance.ErrReport
	}
	if err != nil {
		return r, made, err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return r, made, err
	}
	r, err = conformance.ParseReport(b)
	return r, info.ModTime(), err
}

func named(err error, file string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w; the report is %s", err, file)
}

// tried tries an image and keeps the report.
func (g *gate) tried(ctx context.Context, r runtime.Runtime, s conformance.Subject, real []conformance.Answered, file string) error {
	select {
	case g.one <- struct{}{}:
		defer func() { <-g.one }()
	case <-ctx.Done():
		return ctx.Err()
	}
	report, err := g.try(ctx, r, s, real)
	failed := errors.Is(err, conformance.ErrFailed)
	if err != nil && !failed {
		return err
	}
	if failed || len(real) == 0 {
		if kept := keep(file, report); kept != nil {
			return errors.Join(err, kept)
		}
	}
	return named(err, file)
}

func keep(file string, r conformance.Report) error {
	b, err := r.Encode()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return whole.Write(file, b, 0o600)
}

// again tries a revision that runs with its own examples, whatever was found before.
func (g *gate) again(ctx context.Context, r runtime.Runtime, h *hosted) error {
	if g.try == nil {
		return nil
	}
	file, err := g.file(h.subject)
	if err != nil {
		return err
	}
	return g.tried(ctx, r, h.subject, nil, file)
}

// recheck tries a revision that runs with what callers have asked it. It fails with conformance.ErrFailed where that shows what
// the gate had not seen; from then on the image does not pass.
func (g *gate) recheck(ctx context.Context, r runtime.Runtime, h *hosted) error {
	real := h.asked.take()
	if g.try == nil || len(real) == 0 {
		return nil
	}
	file, err := g.file(h.subject)
	if err != nil {
		return err
	}
	return g.tried(ctx, r, h.subject, real, file)
}

func subject(index barnraise.Digest, m manifest.Manifest, variants []image.Variant) conformance.Subject {
	s := conformance.Subject{Image: index, Manifest: m, Variants: make(map[string]barnraise.Digest)}
	for _, v := range variants {
		s.Variants[v.Platform] = v.Manifest
	}
	return s
}

// Bounds of what is remembered of a revision's calls.
const (
	sampleCalls = 16
	sampleSize  = 32 << 10 // of request and answer together
)

// sample is some calls of all that were answered since it was taken last, each as likely as the others.
type sample struct {
	mu    sync.Mutex
	seen  uint64
	calls []conformance.Answered
}

// offer takes a call into account. The bytes must not change any more.
func (s *sample) offer(request, response []byte, draw func(n uint64) uint64) {
	if len(request)+len(response) > sampleSize {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen++
	if len(s.calls) < sampleCalls {
		s.calls = append(s.calls, conformance.Answered{Request: request, Response: response})
	} else if at := draw(s.seen); at < sampleCalls {
		s.calls[at] = conformance.Answered{Request: request, Response: response}
	}
}

// take returns the calls and forgets them.
func (s *sample) take() []conformance.Answered {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls, s.seen = nil, 0
	return calls
}
