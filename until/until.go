// Package until has contexts for calls that nearly always end before anybody has to cut them off: they cost little where nobody waits
// for their end.
//
// A context of the standard library takes a place with its parent when it is made, and a timer. One of these does when somebody
// first waits, and who waits by a [Hook] needs no memory for it.
package until

import (
	"context"
	"sync"
	"time"
)

// Context ends when its parent does, with what else it depends on, at a time, or by [Context.End]. It is safe for concurrent use. What
// it says of its end is what one of the standard library would; where several ends came before anybody looked, it is that of any.
type Context struct {
	parent, also context.Context // also may be nil
	cause        error           // of an end that comes of also
	deadline     time.Time       // zero for none

	mu     sync.Mutex
	ended  bool            // by End
	shown  context.Context // of the standard library; nil before somebody looked closer than at Err
	cancel context.CancelCauseFunc
	leave  []func()
	hooks  []*Hook
	first  [2]*Hook // room for hooks
	waits  bool     // for its end
	fired  bool
	timer  *time.Timer
	up     [2]Hook // with parent and also
}

// New derives a context from a parent that ends at a time at the latest; the zero time is none.
func New(parent context.Context, deadline time.Time) *Context {
	return Either(parent, nil, nil, deadline)
}

// Either derives a context that ends with a second one too, and for the cause given then. It has neither its values nor its deadline.
func Either(parent, also context.Context, cause error, deadline time.Time) *Context {
	if d, ok := parent.Deadline(); ok && (deadline.IsZero() || d.Before(deadline)) {
		deadline = d
	}
	return &Context{parent: parent, also: also, cause: cause, deadline: deadline}
}

// Deadline is when it ends at the latest.
func (c *Context) Deadline() (time.Time, bool) { return c.deadline, !c.deadline.IsZero() }

// Value is the parent's.
func (c *Context) Value(key any) any {
	c.mu.Lock()
	shown := c.shown
	c.mu.Unlock()
	if shown != nil {
		return shown.Value(key) // it knows the cause of the end
	}
	return c.parent.Value(key)
}

// Err is nil until it has ended.
func (c *Context) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shown == nil && !c.over() {
		return nil
	}
	return c.show().Err()
}

// Done is closed once it has ended.
func (c *Context) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.show().Done()
}

// End ends it, if it has not yet. Whoever made it calls it when he is done.
func (c *Context) End() {
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return
	}
	c.ended = true
	if c.cancel != nil {
		c.cancel(nil)
	}
	leave := c.leave
	waited := c.waits
	hooks := c.take()
	c.mu.Unlock()
	for _, f := range leave {
		f()
	}
	if waited {
		c.up[0].Stop()
		c.up[1].Stop()
	}
	end(hooks)
}

// over reports whether it has ended. The lock is held, as in show and take.
func (c *Context) over() bool {
	return c.ended || c.parent.Err() != nil || c.also != nil && c.also.Err() != nil ||
		!c.deadline.IsZero() && !time.Now().Before(c.deadline)
}

// show makes the context of the standard library that ends as this one does.
func (c *Context) show() context.Context {
	if c.shown != nil {
		return c.shown
	}
	c.shown, c.cancel = context.WithCancelCause(c.parent)
	cancel, cause := c.cancel, c.cause
	switch {
	case c.ended:
		cancel(nil)
	case c.also != nil && c.also.Err() != nil:
		cancel(cause)
	case c.also != nil:
		stop := context.AfterFunc(c.also, func() { cancel(cause) })
		c.leave = append(c.leave, func() { stop() })
	}
	if d, ok := c.shown.Deadline(); !c.deadline.IsZero() && !(ok && d.Equal(c.deadline)) {
		var stop func()
		c.shown, stop = context.WithDeadline(c.shown, c.deadline)
		c.leave = append(c.leave, stop)
	}
	return c.shown
}

// take takes the hooks, which are called once.
func (c *Context) take() []*Hook {
	hooks := c.hooks
	c.hooks, c.fired = nil, true
	for _, h := range hooks {
		h.of = nil
	}
	if c.timer != nil {
		c.timer.Stop()
	}
	return hooks
}

func end(hooks []*Hook) {
	for _, h := range hooks {
		h.call.Ended()
	}
}

// Ended tells a context that something it depends on has ended.
func (c *Context) Ended() {
	c.mu.Lock()
	hooks := c.take()
	c.mu.Unlock()
	end(hooks)
}
