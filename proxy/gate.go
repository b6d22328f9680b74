package proxy

import (
	"container/list"
	"context"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxCallers is how many callers are remembered; who has not called for longest is forgotten first.
const maxCallers = 4096

// gate lets requests in, as many as the limits say, until it is closed.
type gate struct {
	limits Limits
	now    func() time.Time

	mu       sync.Mutex
	local    visitor // everybody on this machine
	visitors map[netip.Addr]*visitor
	recent   list.List // of *visitor, who called last first
	total    int       // requests under way
	closed   bool
	empty    chan struct{} // closed once it is closed and nothing is under way
}

// visitor is one caller.
type visitor struct {
	addr   netip.Addr
	bucket *rate.Limiter
	place  *list.Element
	busy   int // requests under way
}

func newGate(l Limits) *gate {
	g := &gate{limits: l, now: time.Now, visitors: make(map[netip.Addr]*visitor), empty: make(chan struct{})}
	g.local.bucket = g.bucket()
	return g
}

func (g *gate) bucket() *rate.Limiter {
	if g.limits.Rate == Unlimited {
		return rate.NewLimiter(rate.Inf, g.limits.Burst)
	}
	return rate.NewLimiter(rate.Limit(g.limits.Rate), g.limits.Burst)
}

// enter lets a request from an address in, or says why not. Who is let in leaves.
func (g *gate) enter(remote string) (*visitor, *refusal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, errDraining
	}
	v := g.visitor(remote)
	switch {
	case v.busy >= g.limits.Each:
		return nil, tooMany("too many requests of yours are under way", time.Second)
	case g.total >= g.limits.Total:
		return nil, tooMany("too many requests are under way", time.Second)
	}
	if wait := g.spend(v, 1); wait > 0 {
		return nil, tooMany("you call too often", wait)
	}
	v.busy++
	g.total++
	return v, nil
}

// more charges a visitor for further calls of a request.
func (g *gate) more(v *visitor, calls int) *refusal {
	g.mu.Lock()
	defer g.mu.Unlock()
	if wait := g.spend(v, calls); wait > 0 {
		return tooMany("you call too often", wait)
	}
	return nil
}

// spend takes so many calls from a visitor's allowance, or says how long he has to wait until he has that many. The lock is held.
func (g *gate) spend(v *visitor, calls int) time.Duration {
	now := g.now()
	reserved := v.bucket.ReserveN(now, calls)
	wait := reserved.DelayFrom(now)
	if wait > 0 {
		reserved.CancelAt(now)
	}
	return wait
}

func (g *gate) leave(v *visitor) {
	g.mu.Lock()
	defer g.mu.Unlock()
	v.busy--
	g.total--
	g.emptied()
}

// visitor is whoever an address stands for. The lock is held.
func (g *gate) visitor(remote string) *visitor {
	addr, ok := caller(remote)
	if !ok {
		return &g.local
	}
	v := g.visitors[addr]
	if v == nil {
		if len(g.visitors) >= maxCallers {
			g.forget()
		}
		v = &visitor{addr: addr, bucket: g.bucket()}
		v.place = g.recent.PushFront(v)
		g.visitors[addr] = v
	}
	g.recent.MoveToFront(v.place)
	return v
}

// forget drops the one who has not called for longest and has nothing under way. There is one: fewer requests are under way than
// callers are remembered. The lock is held.
func (g *gate) forget() {
	for at := g.recent.Back(); at != nil; at = at.Prev() {
		if v := at.Value.(*visitor); v.busy == 0 {
			g.recent.Remove(at)
			delete(g.visitors, v.addr)
			return
		}
	}
}

// caller is the address that stands for a caller; false for this machine, and where there is no address, as on a socket of Unix.
func caller(remote string) (netip.Addr, bool) {
	at, err := netip.ParseAddrPort(remote)
	addr := at.Addr().Unmap().WithZone("")
	if err != nil || addr.IsLoopback() {
		return netip.Addr{}, false
	}
	if addr.Is6() {
		network, _ := addr.Prefix(64) // of 128 bits there are 64
		addr = network.Addr()
	}
	return addr, true
}

// draining reports whether the gate is closed.
func (g *gate) draining() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// busy is how many requests are under way.
func (g *gate) busy() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.total
}

// close lets nobody in any more.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.closed = true
		g.emptied()
	}
}

// emptied tells who waits for it. The lock is held.
func (g *gate) emptied() {
	if !g.closed || g.total > 0 {
		return
	}
	select {
	case <-g.empty:
	default:
		close(g.empty)
	}
}

// drained waits until nothing is under way, or ctx ends, and reports whether nothing is.
func (g *gate) drained(ctx context.Context) bool {
	select {
	case <-g.empty:
		return true
	case <-ctx.Done():
		return false
	}
}
