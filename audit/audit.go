// Package audit has the effects of judging: what it takes to execute a request on this machine in order to know who is right
// (protocol 7.2 to 7.4). Who is to blame then is for package judge to say.
package audit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"

	"barnraise/client"
	"barnraise/image"
	"barnraise/judge"
	"barnraise/runtime"
	runwasm "barnraise/runtime/wasm"
	"barnraise/wasm"
)

// ErrNoRuntime is the error for an image of which no variant that receipts name can run on this machine.
var ErrNoRuntime = errors.New("this machine can run none of the platforms that the receipts name")

// Machine executes requests here. It is a [client.Rerunner], safe for concurrent use. What it started it keeps running for the
// next request, the most recently used ones, until it is closed.
type Machine struct {
	images  *image.Store
	puller  *image.Puller
	started *shelf
}

// Open makes a machine that keeps images and compiled code below dir and fetches images by way of client, which decides which
// addresses are reached.
func Open(dir string, via *http.Client) (*Machine, error) {
	images, err := image.Open(filepath.Join(dir, "images"))
	if err != nil {
		return nil, fmt.Errorf("open machine: %w", err)
	}
	engine, err := wasm.NewEngine(filepath.Join(dir, "wasm"))
	if err != nil {
		return nil, fmt.Errorf("open machine: %w", err)
	}
	return &Machine{
		images: images, puller: &image.Puller{Client: via, Store: images},
		started: newShelf(runwasm.New(runwasm.Config{Engine: engine, Images: images, Spares: 2})),
	}, nil
}

// Close stops what was started, once its calls under way have ended, and what is starting. Later executions fail with
// [runtime.ErrNotReady].
func (m *Machine) Close() error { return m.started.close() }

// Rerun executes the request of a job twice, each time in an instance of its own. Only the wasm variant can run here so far.
// It fails with [ErrNoRuntime] where no receipt names that, and where the image cannot be had or does not answer.
func (m *Machine) Rerun(ctx context.Context, job client.Job) (client.Rerun, error) {
	var out client.Rerun
	sources := image.Sources(job.Sources, "", job.Revision.Reference)
	variants, err := m.puller.Pull(ctx, job.Revision.Image, sources, image.Wasm)
	if err != nil {
		return out, fmt.Errorf("rerun %s@%d: %w", job.Service, job.Revision.Number, err)
	}
	all, err := m.images.Variants(job.Revision.Image)
	if err != nil {
		return out, fmt.Errorf("rerun %s@%d: %w", job.Service, job.Revision.Number, err)
	}
	for _, platform := range job.Platforms {
		is := func(v image.Variant) bool { return v.Manifest == platform }
		switch {
		case !slices.ContainsFunc(all, is):
			out.Foreign = append(out.Foreign, platform)
		case slices.ContainsFunc(variants, is):
			run, err := m.twice(ctx, runtime.Spec{Image: job.Revision.Image, Platform: platform, Limits: job.Limits}, job.Request)
			if err != nil {
				return out, fmt.Errorf("rerun %s@%d: %w", job.Service, job.Revision.Number, err)
			}
			out.Runs = append(out.Runs, run)
		}
	}
	if len(out.Runs)+len(out.Foreign) == 0 {
		return out, fmt.Errorf("rerun %s@%d: %w", job.Service, job.Revision.Number, ErrNoRuntime)
	}
	return out, nil
}

func (m *Machine) twice(ctx context.Context, spec runtime.Spec, request []byte) (judge.Rerun, error) {
	i, err := m.started.take(ctx, spec)
	if err != nil {
		return judge.Rerun{}, err
	}
	defer m.started.giveBack(i)
	r := judge.Rerun{Platform: spec.Platform, Wasm: true}
	for n := range r.Bodies {
		if r.Bodies[n], err = i.Call(ctx, request); err != nil {
			return judge.Rerun{}, err
		}
	}
	return r, nil
}
