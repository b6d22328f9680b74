package until

import (
	"context"
	"time"
)

// Ender is told of an end. Ended returns at once.
type Ender interface{ Ended() }

// Hook has somebody told when a context ends. The zero hook waits for nothing; one can be used again once it is stopped.
type Hook struct {
	call Ender
	stop func() bool // where the context is another's

	in *Context // where it was put
	of *Context // where it is; nil once it is taken. The context's lock is over it, and over at
	at int
}

// Watch has call told once ctx ends, and at once if it has.
func (h *Hook) Watch(ctx context.Context, call Ender) {
	h.call = call
	c, ok := ctx.(*Context)
	if !ok {
		h.in, h.stop = nil, context.AfterFunc(ctx, call.Ended)
		return
	}
	h.in, h.stop = c, nil
	c.mu.Lock()
	if c.fired || c.over() {
		c.mu.Unlock()
		call.Ended()
		return
	}
	if c.hooks == nil {
		c.hooks = c.first[:0]
	}
	h.of, h.at = c, len(c.hooks)
	c.hooks = append(c.hooks, h)
	c.wait()
	c.mu.Unlock()
}

// Stop ends the watch, and reports whether nobody was told or is being told.
func (h *Hook) Stop() bool {
	if h.stop != nil {
		return h.stop()
	}
	c := h.in
	if c == nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if h.of == nil {
		return false
	}
	last := len(c.hooks) - 1
	c.hooks[h.at], c.hooks[last].at = c.hooks[last], h.at
	c.hooks[last] = nil
	c.hooks = c.hooks[:last]
	h.of = nil
	return true
}

// wait begins to wait for the end. The lock is held; that of what it depends on is taken beneath it, never the other way round.
func (c *Context) wait() {
	if c.waits {
		return
	}
	c.waits = true
	c.up[0].Watch(c.parent, late{c})
	if c.also != nil {
		c.up[1].Watch(c.also, late{c})
	}
	if d, ok := c.parent.Deadline(); !c.deadline.IsZero() && !(ok && d.Equal(c.deadline)) {
		c.timer = time.AfterFunc(time.Until(c.deadline), c.Ended)
	}
}

// late tells a context from a goroutine of its own: its lock may be held.
type late struct{ *Context }

func (l late) Ended() { go l.Context.Ended() }
