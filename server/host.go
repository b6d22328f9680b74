package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"barnraise"
	"barnraise/conformance"
	"barnraise/runtime"
)

// hosted is a revision that runs here.
type hosted struct {
	hostKey
	spec     runtime.Spec
	platform string // the variant's, such as image.Wasm
	instance runtime.Instance
	blobs    []barnraise.Digest
	since    time.Time
	own      bool          // this operator's, for whom a share of the budgets is kept
	places   chan struct{} // calls under way, those included that wait for the runtime
	subject  conformance.Subject
	asked    sample
	recheck  time.Time    // when it is tried again; only sync looks at it
	look     time.Time    // when its health is looked at again; only sync looks at it
	weigh    time.Time    // when its processor time is looked at again; only follow looks at it
	spent    atomic.Int64 // processor time that was taken into account
	unwell   atomic.Bool
	doubted  atomic.Int32
}

// trial remembers a start that failed.
type trial struct {
	failures int
	next     time.Time
}

// backoff is how long a server waits after so many failed starts before it tries again.
func backoff(failures int) time.Duration { return min(time.Second<<min(failures-1, 20), 5*time.Minute) }

// sync looks at the registry once and sets going what follows from it: what is wanted and does not run is started, what runs
// and is not wanted is stopped, what stands wrong on chain is written there. It waits for none of that.
func (s *Server) sync(ctx context.Context) error {
	quiet := !s.announcing.Load() // what is announced by now stands in what is read
	head, err := s.registry.Snapshot(ctx)
	if err != nil {
		return err
	}
	s.block.Store(head.Block)
	s.retain(func(k hostKey) bool { return !revoked(head, k) })
	me, err := s.self(head)
	if err != nil {
		return err
	}
	s.id.Store(uint32(me.ID))
	s.notice(head, me)
	confirmed, err := s.registry.Confirmed(ctx)
	if err != nil {
		return err
	}
	now := s.sight(confirmed, head, me)
	orders, err := s.broker.look(ctx, now)
	all := wanted(confirmed, head, union(s.broker.mine, orders.Run))
	s.foretell(confirmed, head, all)
	keys := s.permitted(slices.Clone(all), confirmed)
	s.want(ctx, confirmed, slices.Concat(keys, s.outgoing(confirmed, head, now, keys)))
	if quiet && err == nil {
		s.announce(ctx, me)
	}
	s.recheck(ctx)
	s.reassure(ctx)
	s.examine(ctx)
	s.tidy()
	return err
}

// want makes these the revisions that are to run, and no others.
func (s *Server) want(ctx context.Context, snapshot *barnraise.Snapshot, keys []hostKey) {
	s.retain(func(k hostKey) bool { return slices.Contains(keys, k) })
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.looked || !slices.Equal(s.wanted, keys) {
		s.work.Go(func() {
			if err := s.unpin(); err != nil {
				s.log.Warn("unpin", "err", err)
			}
		})
	}
	s.wanted, s.looked = keys, true
	maps.DeleteFunc(s.trials, func(k hostKey, _ trial) bool { return !slices.Contains(keys, k) })
	maps.DeleteFunc(s.refused, func(_ hostKey, until time.Time) bool { return !s.now().Before(until) })
	for _, k := range keys {
		if s.hosted[k.service][k.revision] == nil && s.underWay[k] == nil && s.due(k) {
			s.begin(ctx, snapshot, k)
		}
	}
}

// due reports whether a revision may be tried. The lock is held.
func (s *Server) due(k hostKey) bool { return !time.Now().Before(s.trials[k].next) }

// begin starts a revision beside everything else. The lock is held.
func (s *Server) begin(ctx context.Context, snapshot *barnraise.Snapshot, k hostKey) {
	ctx, cancel := context.WithCancel(ctx)
	s.underWay[k] = cancel
	s.keepImage(snapshot, k)
	s.work.Go(func() {
		defer cancel()
		h, err := s.start(ctx, snapshot, k)
		s.begun(ctx, k, h, err)
	})
}

// begun lets callers in, unless the start failed or was given up meanwhile.
func (s *Server) begun(ctx context.Context, k hostKey, h *hosted, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.underWay, k)
	switch {
	case ctx.Err() != nil && h != nil:
		s.end(h)
	case ctx.Err() != nil:
	case err != nil:
		t := s.trials[k]
		t.failures++
		t.next = time.Now().Add(backoff(t.failures))
		s.trials[k] = t
		if errors.Is(err, conformance.ErrFailed) {
			s.refused[k] = s.now().Add(gateAgain)
		}
		s.log.Warn("start", "service", k.service, "revision", k.revision, "again in", backoff(t.failures), "err", err)
	default:
		delete(s.trials, k)
		delete(s.refused, k)
		s.admit(h)
		s.broker.note(Step{Verb: Started, Service: k.service, Reason: fmt.Sprintf("revision %d, as %s", k.revision, h.platform)})
	}
}

// soon is when a revision is tried again: some time after the others.
func soon() time.Duration { return recheckEvery/2 + rand.N(recheckEvery) }

// recheck tries what runs again, with what it was asked, whenever it is time. What does not pass is dropped.
func (s *Server) recheck(ctx context.Context) {
	for _, h := range s.whose(func(h *hosted) *time.Time { return &h.recheck }, soon) {
		s.work.Go(func() { s.rechecked(ctx, h, s.gate.recheck(ctx, s.runtime, h)) })
	}
}

// whose lists what runs and whose time has come, and sets the next one.
func (s *Server) whose(due func(*hosted) *time.Time, again func() time.Duration) (list []*hosted) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, revisions := range s.hosted {
		for _, h := range revisions {
			if at := due(h); !s.now().Before(*at) {
				*at = s.now().Add(again())
				list = append(list, h)
			}
		}
	}
	return list
}

// rechecked drops a revision that does not pass any more: whoever else runs it answers otherwise, and one of them would be
// blamed.
func (s *Server) rechecked(ctx context.Context, h *hosted, err error) {
	switch {
	case err == nil, ctx.Err() != nil:
	case !errors.Is(err, conformance.ErrFailed):
		s.log.Warn("try again with real requests", "service", h.service, "revision", h.revision, "err", err)
	default:
		s.log.Error("drop what is not deterministic or not stateless", "service", h.service, "revision", h.revision, "err", err)
		s.mu.Lock()
		s.refused[h.hostKey] = s.now().Add(gateAgain)
		s.mu.Unlock()
		s.retain(func(k hostKey) bool { return k != h.hostKey })
	}
}

// lookEvery is how often the health of what runs is looked at.
const lookEvery = 15 * time.Second

// examine looks at the health of what runs, beside everything else, and says when it changes. What is unwell its runtime makes
// run again; callers are told meanwhile that it is not ready, and ask others.
func (s *Server) examine(ctx context.Context) {
	for _, h := range s.whose(func(h *hosted) *time.Time { return &h.look }, func() time.Duration { return lookEvery }) {
		s.work.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, lookEvery)
			defer cancel()
			s.health(h, h.instance.Health(ctx))
		})
	}
}

// health takes note of how a revision is.
func (s *Server) health(h *hosted, err error) {
	unwell := errors.Is(err, runtime.ErrBroke) || errors.Is(err, runtime.ErrNotReady)
	if !unwell && err != nil || h.unwell.Swap(unwell) == unwell {
		return
	}
	if unwell {
		s.log.Warn("unwell", "service", h.service, "revision", h.revision, "err", err)
		return
	}
	s.log.Info("well again", "service", h.service, "revision", h.revision)
}

// admit lets callers in. The lock is held.
func (s *Server) admit(h *hosted) {
	if s.hosted[h.service] == nil {
		s.hosted[h.service] = make(map[uint32]*hosted)
	}
	s.hosted[h.service][h.revision] = h
	s.changed()
}

// retain stops what runs, and gives up what is being started, save what is to be kept.
func (s *Server) retain(keep func(hostKey) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, giveUp := range s.underWay {
		if !keep(k) {
			giveUp()
		}
	}
	stops := false
	for _, revisions := range s.hosted {
		for number, h := range revisions {
			if !keep(h.hostKey) {
				delete(revisions, number)
				s.end(h)
				stops = true
			}
		}
	}
	if stops {
		s.changed()
	}
}

// end stops, beside everything else, a revision that callers are not let in to any more. The lock is held.
func (s *Server) end(h *hosted) {
	s.underWay[h.hostKey] = func() {} // a stop is not given up
	s.work.Go(func() {
		err := stop(h.instance)
		s.mu.Lock()
		delete(s.underWay, h.hostKey)
		s.mu.Unlock()
		if err != nil {
			s.log.Warn("stop", "service", h.service, "revision", h.revision, "err", err)
			return
		}
		s.broker.note(Step{Verb: Stopped, Service: h.service, Reason: fmt.Sprintf("revision %d", h.revision)})
	})
}

// changed makes the introduction and the list of served blobs follow what is hosted. The lock is held.
func (s *Server) changed() {
	s.intro.forget()
	s.served = make(map[barnraise.Digest]bool)
	for _, revisions := range s.hosted {
		for _, h := range revisions {
			for _, d := range h.blobs {
				s.served[d] = true
			}
		}
	}
}
