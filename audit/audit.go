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

// Machine executes requests here. It is a [client.Rerunner], safe for concurrent use. What it started of wasm it keeps running
// for the next request, the most recently used ones, until it is closed.
type Machine struct {
	images  *image.Store
	puller  *image.Puller
	runtime runtime.Runtime
	started *shelf
	linux   chan struct{} // one rerun at a time that starts containers of its own
}

// Open makes a machine that runs wasm within this process. It keeps images and compiled code below dir and fetches images by way
// of client, which decides which addresses are reached. It is for programs that hold no keys (protocol 9.6); others have [New].
func Open(dir string, via *http.Client) (*Machine, error) {
	images, err := image.Open(filepath.Join(dir, "images"))
	if err != nil {
		return nil, fmt.Errorf("open machine: %w", err)
	}
	engine, err := wasm.NewEngine(filepath.Join(dir, "wasm"))
	if err != nil {
		return nil, fmt.Errorf("open machine: %w", err)
	}
	return New(runwasm.New(runwasm.Config{Engine: engine, Images: images, Spares: 2}), images, via), nil
}

// New makes a machine that runs what r can, on images that r finds in the store given and that are fetched by way of client.
// Runtime and store stay the caller's.
func New(r runtime.Runtime, images *image.Store, via *http.Client) *Machine {
	return &Machine{
		images: images, puller: &image.Puller{Client: via, Store: images}, runtime: r, started: newShelf(r), linux: make(chan struct{}, 1),
	}
}

// Close stops what was started, once its calls under way have ended, and what is starting. Later executions fail with
// [runtime.ErrNotReady].
func (m *Machine) Close() error {
	err := m.started.close()
	m.linux <- struct{}{}
	<-m.linux
	return err
}

// Rerun executes the request of a job twice on each platform that receipts name and this machine can run, each time in an
// instance of its own. It fails with [ErrNoRuntime] where there is no such platform, and where the image cannot be had or does
// not answer.
func (m *Machine) Rerun(ctx context.Context, job client.Job) (client.Rerun, error) {
	out, err := m.rerun(ctx, job)
	if err != nil {
		return out, fmt.Errorf("rerun %s@%d: %w", job.Service, job.Revision.Number, err)
	}
	return out, nil
}

func (m *Machine) rerun(ctx context.Context, job client.Job) (out client.Rerun, err error) {
	here, all, err := m.variants(ctx, job)
	if err != nil {
		return out, err
	}
	cannot := ErrNoRuntime
	for _, platform := range job.Platforms {
		is := func(v image.Variant) bool { return v.Manifest == platform }
		i := slices.IndexFunc(here, is)
		if !slices.ContainsFunc(all, is) {
			out.Foreign = append(out.Foreign, platform)
		}
		if i < 0 {
			continue
		}
		run, err := m.twice(ctx, here[i], job)
		switch {
		case errors.Is(err, runtime.ErrCannot):
			cannot = fmt.Errorf("%w: %w", cannot, err)
		case err != nil:
			return out, err
		default:
			out.Runs = append(out.Runs, run)
		}
	}
	if len(out.Runs)+len(out.Foreign) == 0 {
		return out, cannot
	}
	return out, nil
}

// variants fetches those of the image that can run here, and lists all it has.
func (m *Machine) variants(ctx context.Context, job client.Job) (here, all []image.Variant, err error) {
	platforms := m.runtime.Platforms(ctx)
	if len(platforms) == 0 {
		return nil, nil, ErrNoRuntime
	}
	here, err = m.puller.Pull(ctx, job.Revision.Image, image.Sources(job.Sources, "", job.Revision.Reference), platforms...)
	if errors.Is(err, image.ErrNoVariant) {
		return nil, nil, fmt.Errorf("%w: %w", ErrNoRuntime, err)
	}
	if err == nil {
		all, err = m.images.Variants(job.Revision.Image)
	}
	return here, all, err
}

// twice executes the request in two fresh instances that share nothing. Of wasm each call has an instance of its own. A container
// takes several calls, so there each has a start of its own, which nobody else has used.
func (m *Machine) twice(ctx context.Context, v image.Variant, job client.Job) (r judge.Rerun, err error) {
	r = judge.Rerun{Platform: v.Manifest, Wasm: v.Platform == image.Wasm}
	spec := runtime.Spec{Image: job.Revision.Image, Platform: v.Manifest, Limits: job.Limits}
	if !r.Wasm {
		for n := range r.Bodies {
			if r.Bodies[n], err = m.once(ctx, spec, job.Request); err != nil {
				return judge.Rerun{}, err
			}
		}
		return r, nil
	}
	i, err := m.started.take(ctx, spec)
	if err != nil {
		return judge.Rerun{}, err
	}
	defer m.started.giveBack(i)
	for n := range r.Bodies {
		if r.Bodies[n], err = i.Call(ctx, job.Request); err != nil {
			return judge.Rerun{}, err
		}
	}
	return r, nil
}

// once starts a variant, calls it once, and stops it.
func (m *Machine) once(ctx context.Context, spec runtime.Spec, request []byte) (response []byte, err error) {
	select {
	case m.linux <- struct{}{}:
		defer func() { <-m.linux }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for another rerun: %w", context.Cause(ctx))
	}
	i, err := m.started.alone(ctx, spec)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, i.Stop(context.WithoutCancel(ctx))) }()
	return i.Call(ctx, request)
}
