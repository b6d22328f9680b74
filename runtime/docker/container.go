package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"barnraise/manifest"
	"barnraise/runtime"

	"github.com/containerd/errdefs"
	engine "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
)

// service is what containers are made of.
type service struct {
	runtime *Runtime
	source  source
	forward *source // of holders; nil where there are none
	limits  manifest.Limits
	around  runtime.Surroundings
	spent   *spent
}

// container is one that a service runs in, with its holder, where it has one. It goes by its name, which is known before the
// engine has heard of it, so that it can be removed whatever happens meanwhile.
type container struct {
	*service
	name   string
	holder *holder
	space  *namespace
	line   *line

	watching context.CancelFunc
	watched  sync.WaitGroup
	over     chan struct{} // closed when the service has ended by itself
	why      error         // then
	ends     chan error    // gets why
	counted  sync.Once
}

// make runs a new container and returns it when the service is ready. It fails with ErrCannot, with ErrBroke, and otherwise;
// then nothing is left, if the engine answers.
func (s *service) make(ctx context.Context) (worker, error) {
	c := &container{service: s, name: s.runtime.name(), line: &line{}, over: make(chan struct{}), ends: make(chan error, 1)}
	err := c.boot(ctx)
	if err == nil {
		return c, nil
	}
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), brief)
	defer cancel()
	return nil, errors.Join(err, c.remove(clean))
}

// name is one that nothing else has.
func (r *Runtime) name() string {
	return "barnraise-" + r.run + "-" + strconv.FormatUint(r.made.Add(1), 10)
}

func (c *container) boot(ctx context.Context) error {
	network := "none"
	if c.runtime.Dial == Holder {
		h, err := c.hold(ctx)
		if err != nil {
			return err
		}
		network, c.line.dial = "container:"+h.name, h.dial
	}
	if err := c.create(ctx, network); err != nil {
		return err
	}
	if err := c.runtime.start(ctx, c.name); err != nil {
		return cannotIfInvalid(err)
	}
	c.watch()
	if c.runtime.Dial == Namespace {
		if err := c.enter(ctx); err != nil {
			return err
		}
	}
	return c.await(ctx)
}

// create makes the container and looks whether the engine made it of the right image and gave it nothing to write to.
func (c *container) create(ctx context.Context, network string) error {
	r := c.runtime
	id, err := r.load(ctx, c.source)
	if err != nil {
		return err
	}
	err = r.create(ctx, profile{
		name: c.name, image: id, user: nobody, runtime: r.Runtime, network: network, limits: c.limits, around: c.around,
		unsaid: c.source.labels(),
	})
	if err != nil {
		return err
	}
	made, err := r.inspect(ctx, c.name)
	if err != nil {
		return err
	}
	if !slices.Contains(c.source.ids, made.Image) {
		return fmt.Errorf("%w: the engine made a container of image %.80q, not of %s",
			runtime.ErrCannot, made.Image, c.source.Config)
	}
	for _, m := range made.Mounts {
		if m.Type != mount.TypeTmpfs {
			return fmt.Errorf("%w: its image declares the volume %.80q: services keep nothing", runtime.ErrCannot, m.Destination)
		}
	}
	return nil
}

// create makes any container. What is begun is not given up halfway, so that it is known what there is.
func (r *Runtime) create(ctx context.Context, p profile) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), brief)
	defer cancel()
	p.labels = map[string]string{labelAll: "1", labelOwner: r.owner, labelRun: r.run}
	config, host := p.hardened()
	_, err := r.engine.ContainerCreate(ctx, client.ContainerCreateOptions{Name: p.name, Config: config, HostConfig: host})
	return cannotIfInvalid(err)
}

func (r *Runtime) start(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), brief)
	defer cancel()
	_, err := r.engine.ContainerStart(ctx, name, client.ContainerStartOptions{})
	return err
}

func (r *Runtime) inspect(ctx context.Context, name string) (engine.InspectResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, brief)
	defer cancel()
	i, err := r.engine.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
	if err == nil && i.Container.State == nil {
		err = errors.New("inspect container: the engine says nothing of its state")
	}
	return i.Container, err
}

// cannotIfInvalid makes what the engine calls a bad request the fault of image or limits.
func cannotIfInvalid(err error) error {
	if errdefs.IsInvalidArgument(err) {
		return fmt.Errorf("%w: the engine says %w", runtime.ErrCannot, err)
	}
	return err
}

// enter opens the network namespace of the container: of that process which the engine names before and after.
func (c *container) enter(ctx context.Context) error {
	before, err := c.runtime.inspect(ctx, c.name)
	if err != nil {
		return err
	}
	if !before.State.Running || before.State.Pid <= 0 {
		return c.ended(ctx)
	}
	if c.space, err = openNamespace(before.State.Pid, before.NetworkSettings.SandboxKey); err != nil {
		if why := c.ended(ctx); why != nil {
			return why
		}
		return fmt.Errorf("%w: %w", runtime.ErrCannot, err)
	}
	after, err := c.runtime.inspect(ctx, c.name)
	if err != nil {
		return err
	}
	if !after.State.Running || after.State.Pid != before.State.Pid || after.State.StartedAt != before.State.StartedAt {
		return c.ended(ctx)
	}
	c.line.dial = c.space.dial
	return nil
}

// await returns when the service is ready, or has shown that it will not be.
func (c *container) await(ctx context.Context) error {
	late := fmt.Errorf("%w: it is not ready after %s: %w", runtime.ErrBroke, c.runtime.Patience, context.DeadlineExceeded)
	patient, cancel := context.WithTimeoutCause(ctx, c.runtime.Patience, late)
	defer cancel()
	var said error // why it is not, as long as there was time for it to say so
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		err := c.line.ready(patient)
		if err == nil {
			return nil
		}
		if said == nil || patient.Err() == nil {
			said = err
		}
		select {
		case <-c.over:
			return c.why
		case <-patient.Done():
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("%w (%w)", late, said)
		case <-time.After(pause):
		}
	}
}

// ended waits a moment for what the engine says of a service that should run, and returns the error that it ended with; nil
// where it seems to run.
func (c *container) ended(ctx context.Context) error {
	select {
	case <-c.over:
		return c.why
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(time.Second):
		return nil
	}
}

// exchange hands a request over, see worker.
func (c *container) exchange(ctx context.Context, until time.Time, request []byte, most int64) (outcome, error) {
	answer, wait, sound, err := c.line.call(ctx, until, request, most)
	switch {
	case wait != nil:
		return outcome{wait: func() (fit bool) { fit, _ = c.fit(wait()); return fit }}, err
	case sound:
		return outcome{answer: answer, fit: true}, err
	}
	looked := make(chan bool, 1)
	go func(failed error) {
		var fit bool
		fit, err = c.fit(failed)
		looked <- fit
	}(err)
	select {
	case fit := <-looked:
		return outcome{fit: fit}, err
	case <-ctx.Done():
		return outcome{wait: func() bool { return <-looked }}, context.Cause(ctx)
	}
}

// fit reports whether the container is of use after a connection failed, and returns why not: it has ended, it does not take
// connections, or it is still at work on a request that is out of time.
func (c *container) fit(err error) (bool, error) {
	switch {
	case err == nil || errors.Is(err, errLong):
		return true, err
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded):
		return false, err
	case c.line.ready(context.Background()) == nil:
		return true, err
	}
	if why := c.ended(context.Background()); why != nil {
		return false, why
	}
	return false, err
}

func (c *container) gone() <-chan error { return c.ends }

// remove leaves nothing of the container, or fails, and may be called again.
func (c *container) remove(ctx context.Context) error {
	if c.watching != nil {
		c.watching()
		c.watched.Wait()
	}
	c.counted.Do(func() { c.spent.add(c.usage(ctx)) })
	err := c.runtime.removeContainer(ctx, c.name)
	if err == nil && c.holder != nil {
		err = c.holder.remove(ctx)
	}
	c.line.close()
	if err == nil && c.space != nil {
		err = c.space.close()
		c.space = nil
	}
	if err != nil {
		return fmt.Errorf("remove container %s: %w", c.name, err)
	}
	return nil
}
