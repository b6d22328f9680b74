package docker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"barnraise/manifest"
	"barnraise/runtime"
)

// Start loads the image, runs a first container of it and returns when the service is ready there; the others follow. Beside
// what runtime.Runtime says, it fails where the engine does not answer, with a hint.
func (r *Runtime) Start(ctx context.Context, spec runtime.Spec) (runtime.Instance, error) {
	i, err := r.begin(ctx, spec)
	if err != nil {
		_ = r.engine.Close() // which closes what it has open and does not need
		return nil, fmt.Errorf("start %s: %w", spec.Image, err)
	}
	return i, nil
}

func (r *Runtime) begin(ctx context.Context, spec runtime.Spec) (*instance, error) {
	if err := spec.Of(r.Images, platform()); err != nil {
		return nil, err
	}
	if err := grantable(spec.Limits, spec.Around); err != nil {
		return nil, err
	}
	source, err := r.find(r.Images, spec.Platform)
	if err != nil {
		return nil, err
	}
	s := &service{runtime: r, source: source, limits: spec.Limits, around: spec.Around, spent: &spent{}}
	s.around.Env = source.beside(spec.Around)
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	if has, wants := r.memory.Load(), spec.Limits.Memory+spec.Around.Memory; has > 0 && int64(wants) > has {
		return nil, fmt.Errorf("%w: it may take %s of memory, and the engine's machine has %d bytes", runtime.ErrCannot, wants, has)
	}
	if err := s.hold(ctx); err != nil {
		return nil, err
	}
	first, err := s.make(ctx)
	if err != nil {
		s.release(context.WithoutCancel(ctx))
		return nil, err
	}
	return s.instance(first), nil
}

// hold makes the engine have the images that the service's containers need until release.
func (s *service) hold(ctx context.Context) error {
	if s.runtime.Dial == Holder {
		forward, err := s.runtime.forwarder()
		if err != nil {
			return fmt.Errorf("%w: %w", runtime.ErrCannot, err)
		}
		if err := s.runtime.hold(ctx, forward); err != nil {
			return err
		}
		s.forward = &forward
	}
	err := s.runtime.hold(ctx, s.source)
	if err != nil && s.forward != nil {
		s.runtime.release(context.WithoutCancel(ctx), *s.forward)
	}
	return err
}

func (s *service) release(ctx context.Context) {
	s.runtime.release(ctx, s.source)
	if s.forward != nil {
		s.runtime.release(ctx, *s.forward)
	}
}

// instance is a service that runs.
type instance struct {
	service *service
	pool    *pool
	limits  manifest.Limits

	turns *runtime.Turns // of calls, also those whose callers are gone

	calls, answers, slowest atomic.Uint64
	running                 atomic.Int64
}

func (s *service) instance(first worker) *instance {
	r, size := s.runtime, s.runtime.Warm
	p := &pool{make: s.make, answers: r.Answers, age: r.Age, chance: chance}
	if s.around.Reused {
		size, p.answers, p.age = 1, 0, 0
	}
	return newInstance(s, newPool(first, size, p), r.Concurrency)
}

func newInstance(s *service, p *pool, concurrency int) *instance {
	return &instance{service: s, pool: p, limits: s.limits, turns: runtime.NewTurns(concurrency)}
}

// Call hands the request to one of the containers. When the context ends first, the service goes on with it, keeps its slot,
// and loses its container if it does not answer within the time limit.
func (i *instance) Call(ctx context.Context, request []byte) ([]byte, error) {
	begun := time.Now()
	id, err := runtime.CheckRequest(i.limits, request)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(i.limits.Timeout))
	defer cancel()
	if err := i.turns.Enter(ctx); err != nil {
		return nil, err
	}
	response, err := i.answer(ctx, begun.Add(time.Duration(i.limits.Timeout)), request)
	if err == nil {
		err = runtime.CheckResponse(i.limits, id, response)
	}
	if err != nil {
		return nil, err
	}
	i.answers.Add(1)
	i.raise(time.Since(begun))
	return response, nil
}

// leave gives the slot back.
func (i *instance) leave() {
	i.turns.Leave()
	i.turns.Done()
}

// answer waits for a container and for its answer, and gives the slot back: if the caller leaves first, when the service is
// through with it.
func (i *instance) answer(ctx context.Context, until time.Time, request []byte) ([]byte, error) {
	m, err := i.pool.take(ctx)
	if err != nil {
		i.leave()
		return nil, err
	}
	i.calls.Add(1)
	i.running.Add(1)
	o, err := m.exchange(ctx, until, request, int64(i.limits.Response))
	if o.wait != nil {
		go func() { i.through(m, false, o.wait()) }()
		return nil, fmt.Errorf("%w: %w", runtime.ErrTimeout, err)
	}
	i.through(m, err == nil, o.fit)
	if err != nil && !errors.Is(err, runtime.ErrBroke) {
		return nil, fmt.Errorf("%w: %w", runtime.ErrTimeout, err)
	}
	return o.answer, err
}

// through ends what enter and take began.
func (i *instance) through(m *member, answered, fit bool) {
	i.running.Add(-1)
	i.pool.give(m, answered, fit)
	i.leave()
}

// raise makes the slowest answer at least that slow.
func (i *instance) raise(d time.Duration) {
	for old := i.slowest.Load(); uint64(d) > old && !i.slowest.CompareAndSwap(old, uint64(d)); old = i.slowest.Load() {
	}
}

// Health looks at what is known of the containers, and asks none.
func (i *instance) Health(ctx context.Context) error {
	if i.turns.Stopped() {
		return runtime.ErrNotReady
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return i.pool.health()
}

// Stats asks the engine about each container, two seconds at most. Processor time and memory are those of whole containers,
// their start included; of one that broke they are lost.
func (i *instance) Stats() runtime.Stats {
	ctx, cancel := context.WithTimeout(context.Background(), probing)
	defer cancel()
	cpu, memory := i.service.spent.total()
	for _, w := range i.pool.workers() {
		if c, ok := w.(*container); ok {
			used, at := c.usage(ctx)
			cpu, memory = cpu+used, max(memory, at)
		}
	}
	return runtime.Stats{
		Calls: i.calls.Load(), Answers: i.answers.Load(), Running: int(i.running.Load()), Slowest: time.Duration(i.slowest.Load()),
		CPU: cpu, Memory: memory, Restarts: i.pool.restarted(),
	}
}

// Crash ends every container of the service as kill -9 would. The service is made to run again.
func (i *instance) Crash(ctx context.Context) error {
	var err error
	for _, w := range i.pool.workers() {
		if c, ok := w.(*container); ok {
			err = errors.Join(err, c.kill(ctx))
		}
	}
	return err
}

// Stop waits for the calls that run, those included whose callers are gone, and for the engine to have removed everything.
func (i *instance) Stop(ctx context.Context) error {
	if err := i.turns.Stop(ctx, i.cleanUp); err != nil {
		return fmt.Errorf("stop service: %d calls still run, or the engine does not remove it: %w", i.running.Load(), err)
	}
	return nil
}

// cleanUp removes what there is once nobody can use it.
func (i *instance) cleanUp() {
	i.pool.close()
	i.service.release(context.Background())
	_ = i.service.runtime.engine.Close()
}
