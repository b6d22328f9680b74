package barnraise

import (
	"errors"
	"slices"
)

// ErrKeyReplaced is the error for a receipt under a key that its server replaced longer than the grace ago (protocol 4.2).
var ErrKeyReplaced = errors.New("key was replaced longer ago than the grace")

// ErrKeyLapsed is the error for evidence under a key that its server replaced more than a week ago (protocol 4.2).
var ErrKeyLapsed = errors.New("key was replaced more than seven days ago")

// ErrKeyUnknown is the error for a key that the server never registered.
var ErrKeyUnknown = errors.New("key is none of this server's")

// Snapshot is the registry at one block. It is immutable: make one with [NewSnapshot], share it freely, and do not change
// the slices inside what its methods return.
type Snapshot struct {
	Registry Registry
	Block    uint64 // the block it shows
	Hash     [32]byte
	Grace    uint64 // blocks between publication and activity, a constant of the deployment (protocol 1.4)

	services map[ServiceID]Service
	servers  map[ServerID]Server
	hosts    map[ServiceID][]ServerID
}

// NewSnapshot takes ownership of the two lists.
func NewSnapshot(registry Registry, block uint64, hash [32]byte, grace uint64, services []Service, servers []Server) *Snapshot {
	s := &Snapshot{
		Registry: registry, Block: block, Hash: hash, Grace: grace,
		services: make(map[ServiceID]Service, len(services)),
		servers:  make(map[ServerID]Server, len(servers)),
		hosts:    make(map[ServiceID][]ServerID),
	}
	for _, v := range services {
		s.services[v.ID] = v
	}
	for _, v := range servers {
		s.servers[v.ID] = v
		if v.Status != StatusActive {
			continue
		}
		for _, id := range v.Offers {
			s.hosts[id] = append(s.hosts[id], v.ID)
		}
	}
	for _, ids := range s.hosts {
		slices.Sort(ids)
	}
	return s
}

// Service returns the service of that id, and false where there is none.
func (s *Snapshot) Service(id ServiceID) (Service, bool) {
	v, ok := s.services[id]
	return v, ok
}

// Server returns the server of that id, and false where there is none.
func (s *Snapshot) Server(id ServerID) (Server, bool) {
	v, ok := s.servers[id]
	return v, ok
}

// Services lists all services by id, those that left included.
func (s *Snapshot) Services() []Service {
	return sorted(s.services, func(a, b Service) int { return int(a.ID) - int(b.ID) })
}

// Servers lists all servers by id, those that left included.
func (s *Snapshot) Servers() []Server {
	return sorted(s.servers, func(a, b Server) int { return int(a.ID) - int(b.ID) })
}

// Named lists the services of that name, by id. A name is unique under its owner only, so there may be several, and none
// of them is meant until the caller says which (protocol 1.10).
func (s *Snapshot) Named(name string) []Service {
	return slices.DeleteFunc(s.Services(), func(v Service) bool { return v.Name != name || v.Status == StatusGone })
}

// Hosts lists the active servers that offer the service, ascending. An offer is a claim, no more.
func (s *Snapshot) Hosts(id ServiceID) []ServerID { return slices.Clone(s.hosts[id]) }

// Active returns a service with its newest active revision, and false where the service is gone, was never registered, or
// has no revision in force.
func (s *Snapshot) Active(id ServiceID) (Service, Revision, bool) {
	v, ok := s.services[id]
	if !ok || v.Status == StatusGone {
		return v, Revision{}, false
	}
	r, ok := v.Active(s.Block)
	return v, r, ok
}

// Home returns the home of a revision. It counts as home only while it is active and offers the service itself (protocol
// 1.7); otherwise the answer is false.
func (s *Snapshot) Home(id ServiceID, r Revision) (Server, bool) {
	v, ok := s.servers[r.Home]
	return v, ok && v.Status == StatusActive && v.OffersService(id)
}

// Key returns the key of that id under which a fresh answer of the server holds: the current one, or one replaced at most
// the grace ago (protocol 4.2). It fails with [ErrKeyUnknown] or [ErrKeyReplaced].
func (s *Snapshot) Key(id ServerID, kid string) (PublicKey, error) {
	k, ok := s.servers[id].keyNamed(kid)
	switch {
	case !ok:
		return PublicKey{}, ErrKeyUnknown
	case k.To != 0 && s.Block > k.To && s.Block-k.To > s.Grace:
		return PublicKey{}, ErrKeyReplaced
	}
	return k.Key, nil
}

// EvidenceKey returns the key of that id under which evidence against the server holds at the time, in Unix seconds: the
// current one, or one replaced at most seven days ago (protocol 4.2). It fails with [ErrKeyUnknown] or [ErrKeyLapsed].
func (s *Snapshot) EvidenceKey(id ServerID, kid string, now int64) (PublicKey, error) {
	const week = 7 * 24 * 60 * 60
	k, ok := s.servers[id].keyNamed(kid)
	switch {
	case !ok:
		return PublicKey{}, ErrKeyUnknown
	case k.To != 0 && now-k.ReplacedAt > week:
		return PublicKey{}, ErrKeyLapsed
	}
	return k.Key, nil
}

func sorted[K comparable, V any](m map[K]V, less func(a, b V) int) []V {
	list := make([]V, 0, len(m))
	for _, v := range m {
		list = append(list, v)
	}
	slices.SortFunc(list, less)
	return list
}
