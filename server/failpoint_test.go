package server

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"barnraise"
	"barnraise/hosting"
)

// A server is killed at one point after the other of all that it does to the world outside: before and after each write to its
// memory and to the registry, each start, each request. It comes back, and in the end runs and offers what it means to; what it
// does not run it never offers for longer than an epoch, and nothing runs that nobody means.
func TestFailpoints(t *testing.T) {
	const points = 200
	for point := 1; point <= points; point += points / share(points) {
		t.Run(fmt.Sprint(point), func(t *testing.T) { failAt(t, point) })
	}
}

func failAt(t *testing.T, point int) {
	const servers = 4
	play(t, uint64(point), servers, func(u *universe) {
		for i, n := range u.nodes {
			n.rewards = union(n.rewards, []barnraise.ServiceID{barnraise.ServiceID(1 + (i+1)%servers)})
		}
		u.nodes[0].fuse = point
	}, func(u *universe) {
		hollow := newWatch(u)
		for range 48 {
			before := u.nodes[0].left()
			u.after(1, nil)
			hollow.look()
			if u.nodes[0].left() != before {
				hollow.same = 0 // until it is killed, and some time after
			}
			if u.nodes[0].left() < 0 && hollow.quiet() {
				break
			}
		}
		if u.nodes[0].left() >= 0 {
			u.failed("point %d was never reached: %d more effects would have", point, u.nodes[0].left())
		}
		u.settled()
		u.converged()
	})
}

// converged checks that every server runs and offers exactly what it means to.
func (u *universe) converged() {
	u.t.Helper()
	for _, n := range u.nodes {
		b := n.life.server.broker
		b.mu.Lock()
		ledger, own := b.book.Ledger, b.mine
		b.mu.Unlock()
		meant := slices.Clone(own)
		for _, e := range ledger.Entries {
			if e.Phase == hosting.Hosting {
				meant = append(meant, e.Service)
			}
		}
		meant = union(meant, nil)
		var runs []barnraise.ServiceID
		for _, h := range n.life.server.Hosts() {
			runs = append(runs, h.Service)
		}
		if offers := u.ledger.server(n.id).Offers; !slices.Equal(meant, runs) || !slices.Equal(meant, offers) {
			u.failed("server %d means to host %d, runs %d, offers %d", n.id, meant, runs, offers)
		}
	}
}

// watch sees for how long something is offered that does not run.
type watch struct {
	*universe
	since map[string]time.Time
	last  string
	same  int
}

func newWatch(u *universe) *watch { return &watch{universe: u, since: make(map[string]time.Time)} }

func (w *watch) look() {
	w.t.Helper()
	state := ""
	for _, n := range w.nodes {
		offers := w.ledger.server(n.id).Offers
		state += fmt.Sprint(offers)
		for _, id := range offers {
			key := fmt.Sprint(n.id, " ", id)
			if slices.ContainsFunc(n.life.server.Hosts(), func(h barnraise.Hosted) bool { return h.Service == id }) {
				delete(w.since, key)
				continue
			}
			if w.since[key].IsZero() {
				w.since[key] = time.Now()
			}
			if d := time.Since(w.since[key]); d > w.epoch {
				w.failed("server %d has offered %d for %s without running it", n.id, id, d)
			}
		}
	}
	if w.same++; state != w.last {
		w.last, w.same = state, 0
	}
}

// quiet reports whether no list has changed for some epochs.
func (w *watch) quiet() bool { return w.same >= 6 }
