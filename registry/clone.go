package registry

import (
	"maps"
	"slices"
)

// Clone is a copy that goes its own way. It shares what neither changes any more, so it costs little.
func (s *Services) Clone() *Services {
	c := &Services{ledger: s.ledger.clone(), records: slices.Clone(s.records), names: maps.Clone(s.names)}
	for i := range s.records {
		s.records[i].shared = true
		r := &c.records[i]
		r.shared, r.service.Revisions = true, slices.Clip(r.service.Revisions) // who appends first makes a list of his own
	}
	return c
}

// Clone is a copy that goes its own way. It shares what neither changes any more, so it costs little.
func (s *Servers) Clone() *Servers {
	c := &Servers{ledger: s.ledger.clone(), records: slices.Clone(s.records)}
	for i := range s.records {
		s.records[i].shared = true
		r := &c.records[i]
		r.shared, r.server.Keys = true, slices.Clip(r.server.Keys)
	}
	return c
}

func (l *ledger) clone() ledger {
	c := *l
	c.heads, c.commitments = slices.Clone(l.heads), slices.Clone(l.commitments)
	return c
}
