package conformance

import (
	"context"
	"fmt"
	"slices"
	"time"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/runtime"

	"github.com/go-json-experiment/json/jsontext"
)

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

// brief is the plan of a recheck.
func brief(platform string, o Options) []Step {
	wanted := []string{plain, again, "environment", "clock", "chance", "addresses", "repeated"}
	var steps []Step
	for _, s := range plan(platform, o) {
		if k := slices.Index(wanted, s.Name); k >= 0 {
			wanted[k] = ""
			steps = append(steps, s)
		}
	}
	return steps
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

// discoverWithin is how long a service may take to start and describe itself.
const discoverWithin = 2 * time.Minute

// Discover asks the image itself for its OpenRPC document, by rpc.discover, on the first platform that runs here. It fails with
// [ErrCannot] where none does, and as the runtime does; a service that does not describe itself answers with a jsonrpc.Error.
func Discover(ctx context.Context, r runtime.Runtime, s Subject) (jsontext.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, discoverWithin)
	defer cancel()
	for _, platform := range r.Platforms(ctx) {
		m, ok := s.Variants[platform]
		if !ok {
			continue
		}
		instances, err := start(ctx, r, runtime.Spec{Image: s.Image, Platform: m, Limits: s.Manifest.Limits}, 1)
		if err != nil {
			return nil, fmt.Errorf("discover methods: %w", err)
		}
		document, err := discover(ctx, instances[0])
		if stopped := stop(ctx, instances); err == nil {
			err = stopped
		}
		return document, err
	}
	return nil, fmt.Errorf("discover methods: %w", ErrCannot)
}

func discover(ctx context.Context, i runtime.Instance) (jsontext.Value, error) {
	request, err := jsonrpc.NewRequest("rpc.discover", nil)
	if err != nil {
		return nil, err
	}
	response, err := i.Call(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("discover methods: %w", err)
	}
	r, err := jsonrpc.ParseResponse(response, jsonrpc.WireID)
	if err == nil && r.Error != nil {
		err = r.Error
	}
	if err != nil {
		return nil, fmt.Errorf("discover methods: %w", err)
	}
	return r.Result.Clone(), nil
}
