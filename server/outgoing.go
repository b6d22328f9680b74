package server

import (
	"cmp"
	"fmt"
	"slices"

	"barnraise"
	"barnraise/hosting"
)

// outgoing lists what runs here and goes on to the end of its grace, though its service does not: the revision that came after it is
// not to run here, and callers who have not seen that one yet still come (protocol 1.4). What ran here before this server was started
// again goes on, too. What the operator denies is none of it.
func (s *Server) outgoing(confirmed, head *barnraise.Snapshot, now sight, keys []hostKey) (list []hostKey) {
	s.mu.RLock()
	var here []hostKey
	for _, revisions := range s.hosted {
		for _, h := range revisions {
			here = append(here, h.hostKey)
		}
	}
	s.mu.RUnlock()
	here = s.broker.ran(here)
	for _, k := range here {
		if slices.Contains(keys, k) || !replaced(head, k) || revoked(head, k) || s.failedGate(k) {
			continue
		}
		if s.broker.turnsDown(now, k.service) && s.broker.denied(confirmed, k) == "" {
			list = append(list, k)
		}
	}
	slices.SortFunc(list, hostKey.compare)
	s.broker.runs(here, keys, list)
	return list
}

// ran adds to what runs here what did when the book was written.
func (b *broker) ran(here []hostKey) (list []hostKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	list = slices.Clone(here)
	for id, revisions := range b.book.Ran {
		for _, number := range revisions {
			list = append(list, hostKey{id, number})
		}
	}
	slices.SortFunc(list, hostKey.compare)
	return slices.Compact(list)
}

// runs has the book know, from when it is saved next, what of all that ran here is to go on.
func (b *broker) runs(here []hostKey, wanted ...[]hostKey) {
	ran := make(map[barnraise.ServiceID][]uint32)
	goesOn := slices.Concat(wanted...)
	for _, k := range here {
		if slices.Contains(goesOn, k) {
			ran[k.service] = append(ran[k.service], k.revision)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.book.Ran = ran
}

// replaced reports whether a revision was the active one until lately: the one after it is in its first grace.
func replaced(head *barnraise.Snapshot, k hostKey) bool {
	service, active, ok := head.Active(k.service)
	if !ok || active.ActiveFrom == 0 || head.Block-active.ActiveFrom >= head.Grace {
		return false
	}
	before, ok := service.Active(active.ActiveFrom - 1)
	return ok && before.Number == k.revision
}

// turnsDown reports whether the active revision of a service is not to run here. Any goroutine may call it.
func (b *broker) turnsDown(s sight, id barnraise.ServiceID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refused(s, id) != "" || b.consent(s, id) != hosting.Yes
}

// foretell tells the operator, once, of what comes into force and is not to run here as things stand: his services, and those that he
// hosts, stop then unless he says otherwise before.
func (s *Server) foretell(confirmed, head *barnraise.Snapshot, keys []hostKey) {
	now := make(map[hostKey]string)
	for _, k := range keys {
		service, _ := confirmed.Service(k.service)
		r, _ := service.Revision(k.revision)
		why := s.broker.denied(confirmed, k)
		if s.failedGate(k) {
			why = cmp.Or(why, "its image did not pass the gate here")
		}
		if r.ActiveFrom <= head.Block || why == "" {
			continue
		}
		now[k] = why
		if s.foretold[k] != why {
			s.broker.note(Step{Verb: Upcoming, Service: k.service, Reason: fmt.Sprintf(
				"revision %d comes into force at block %d, in %d blocks, and is not to run here: %s", k.revision, r.ActiveFrom, r.ActiveFrom-head.Block, why)})
		}
	}
	s.foretold = now
}

func (s *Server) failedGate(k hostKey) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, failed := s.refused[k]
	return failed
}
