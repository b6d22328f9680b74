package server

import (
	"slices"

	"barnraise"
	"barnraise/conformance"
)

// sight is what this server sees of itself and of the registry.
func (s *Server) sight(confirmed, head *barnraise.Snapshot, me barnraise.Server) sight {
	key := func(id barnraise.ServiceID) hostKey {
		_, r, _ := head.Active(id)
		return hostKey{id, r.Number}
	}
	shown, _ := confirmed.Server(me.ID)
	shown.ID = me.ID
	return sight{
		now: s.now(), confirmed: confirmed, me: shown, idle: s.indebted, cost: s.costs, owners: func(known []barnraise.Address) { s.owners.Store(&known) },
		runs: func(id barnraise.ServiceID) bool {
			s.mu.RLock()
			defer s.mu.RUnlock()
			h := s.hosted[id][key(id).revision]
			return h != nil && !h.unwell.Load()
		},
		refused: func(id barnraise.ServiceID) string {
			s.mu.RLock()
			defer s.mu.RUnlock()
			if _, refused := s.refused[key(id)]; refused {
				return "its image did not pass the gate here"
			}
			return ""
		},
	}
}

// indebted says why this server makes no new debts, and is empty where it may.
func (s *Server) indebted() string {
	if !s.writes {
		return "this server has no account to write its offers to the registry with"
	}
	return s.idle()
}

// permitted leaves out what the operator denies.
func (s *Server) permitted(keys []hostKey, confirmed *barnraise.Snapshot) []hostKey {
	return slices.DeleteFunc(keys, func(k hostKey) bool { return s.broker.denied(confirmed, k) != "" })
}

// costs is what a service that runs here costs, as measured; zero for one that does not run.
func (s *Server) costs(id barnraise.ServiceID) (units uint32) {
	s.mu.RLock()
	var subjects []conformance.Subject
	for _, h := range s.hosted[id] {
		subjects = append(subjects, h.subject)
	}
	s.mu.RUnlock()
	for _, subject := range subjects {
		units = max(units, s.cost(id, subject))
	}
	return units
}
