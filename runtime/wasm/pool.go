package wasm

import (
	"context"
	"sync"

	"barnraise/wasm"
)

// pool are the instances of a reactor: those ready for a call, in a call, and being made ready again. There are never more
// than it has room for.
type pool struct {
	make    func(context.Context) (*wasm.Instance, error)
	recycle func(*wasm.Instance) error // makes one ready that has answered, or fails; nil where each is for one call
	ahead   int                        // how many are made before anybody wants them
	ready   chan *wasm.Instance
	room    chan struct{} // one for each instance

	mu     sync.Mutex
	making int // how many are being made ahead
}

// newPool makes a pool with room for so many.
func newPool(size, ahead int) *pool {
	return &pool{ahead: ahead, ready: make(chan *wasm.Instance, size), room: make(chan struct{}, size)}
}

// take returns one that is ready, or makes one if there is room, or waits. It fails like make, or with the context's error.
// What make returns with an error is returned as well, and to be given back as well.
func (p *pool) take(ctx context.Context) (*wasm.Instance, error) {
	select {
	case one := <-p.ready:
		return one, nil
	default:
	}
	select {
	case one := <-p.ready:
		return one, nil
	case p.room <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	one, err := p.make(ctx)
	if one == nil {
		<-p.room
	}
	return one, err
}

// give takes one back from a call that ended with the error: to be used again if it can be, or else to be closed. It takes as
// long as that takes.
func (p *pool) give(one *wasm.Instance, err error) {
	if err == nil && p.recycle != nil && p.recycle(one) == nil {
		p.ready <- one
		return
	}
	_ = one.Close(context.Background())
	<-p.room
}

// fill makes instances as long as there are too few ready, room for more, and nobody is stopping. Where one cannot be made,
// though the first could, calls make their own.
func (p *pool) fill(stopping <-chan struct{}) {
	for more := true; more; {
		select {
		case <-stopping:
			return
		default:
		}
		more = p.makeAhead()
	}
}

// makeAhead makes one that is ready, and reports whether there was one to be made.
func (p *pool) makeAhead() bool {
	if !p.plan(1) {
		return false
	}
	defer p.plan(-1)
	select {
	case p.room <- struct{}{}:
	default:
		return false
	}
	one, err := p.make(context.Background())
	switch {
	case one == nil:
		<-p.room
	case err != nil:
		p.give(one, err)
	default:
		p.ready <- one
	}
	return err == nil
}

// plan counts one more or less that is being made, unless that would be too many.
func (p *pool) plan(n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n > 0 && p.making+len(p.ready) >= p.ahead {
		return false
	}
	p.making += n
	return true
}

// drain closes those that are ready. Nobody may have or make one any more.
func (p *pool) drain() {
	for len(p.ready) > 0 {
		_ = (<-p.ready).Close(context.Background())
		<-p.room
	}
}
