package worker

import (
	"context"
	"time"
)

const (
	// calm is how long nothing may happen until what crashed is taken for well again.
	calm = 10 * time.Minute
	// revivalsAtOnce is how many services are started at a time in a new child.
	revivalsAtOnce = 4
)

// backoff is how long to wait after so many crashes in a row.
func backoff(crashes int) time.Duration {
	return min(100*time.Millisecond<<min(max(crashes-1, 0), 20), time.Minute)
}

// supervise keeps a child running until the context ends.
func (r *Runtime) supervise(ctx context.Context, p process) {
	defer close(r.ended)
	for crashes := 0; ; {
		began := time.Now()
		lives, end := context.WithCancel(ctx)
		r.rise(lives)
		why := await(ctx, p)
		r.fall()
		end()
		if time.Since(began) > calm {
			crashes = 0
		}
		for {
			crashes++
			if ctx.Err() != nil {
				return
			}
			r.log.Warn("the process that runs services ended", "again in", backoff(crashes), "why", why)
			if !sleep(ctx, backoff(crashes)) {
				return
			}
			if p, why = r.spawn(ctx); why == nil {
				break
			}
		}
	}
}

// await waits for the end of a child, and asks for it when the context ends.
func await(ctx context.Context, p process) error {
	ended := make(chan error, 1)
	go func() { ended <- p.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		p.End()
		return <-ended
	}
}

// sleep waits, and reports whether the context lasts.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// rise lets calls through to a new child, and has it run what the one before ran. The context ends with the child.
func (r *Runtime) rise(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.run++
	r.there, r.lives = true, ctx
	close(r.up)
	for i := range r.services {
		crashes := i.crashes
		r.revivals.Go(func() { r.revive(ctx, i, crashes) })
	}
}

// fall notes that there is no child, and who was being called when it ended.
func (r *Runtime) fall() {
	r.http.CloseIdleConnections()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.there, r.up = false, make(chan struct{})
	for i := range r.services {
		i.fall(time.Now())
	}
}

// revive starts a service in a new child, again and again until it runs, is stopped, or the child ends. One that was being
// called when children ended waits the longer the more often that was.
func (r *Runtime) revive(ctx context.Context, i *instance, crashes int) {
	for ; ; crashes++ {
		if crashes > 0 && !sleep(ctx, backoff(crashes)) {
			return
		}
		select {
		case r.reviving <- struct{}{}:
		case <-ctx.Done():
			return
		}
		done := i.revive(ctx)
		<-r.reviving
		if done {
			return
		}
	}
}
