package barter

import (
	"cmp"
	"slices"

	"barnraise"
)

// View is the registry as a planner looks at it: who hosts what, who rewards what. It follows the registry by differences.
// Make one with [NewView] or [ViewOf]. Plans may read it at the same time, but not while it is changed.
type View struct {
	servers   []serverRecord
	services  []serviceRecord
	serverAt  map[barnraise.ServerID]int32
	serviceAt map[barnraise.ServiceID]int32
	claimed   [][]int32 // services by how many servers claim to run them; within one number in no order
}

// serverRecord is a server that is registered, or that a service names as its home.
type serverRecord struct {
	id      barnraise.ServerID
	active  bool
	offers  []serviceRef // ascending, as are the others
	rewards []serviceRef
	homed   []serviceRef // services whose home it is
}

// serviceRecord is a service that is registered, or that a server names.
type serviceRecord struct {
	id      barnraise.ServiceID
	active  bool  // a revision is in force
	home    int32 // index of its home; none without a revision in force
	slot    int32 // where it stands in claimed[len(hosts)]
	hosts   []serverRef
	wishers []serverRef // who rewards it
}

const none = -1

// A ref is an id and where its record stands.
type serviceRef struct {
	id barnraise.ServiceID
	at int32
}

type serverRef struct {
	id barnraise.ServerID
	at int32
}

// NewView returns the view of an empty registry.
func NewView() *View {
	return &View{serverAt: map[barnraise.ServerID]int32{}, serviceAt: map[barnraise.ServiceID]int32{}}
}

// ViewOf returns the view of a snapshot.
func ViewOf(s *barnraise.Snapshot) *View {
	v := NewView()
	for _, server := range s.Servers() {
		v.SetServer(server)
	}
	for _, service := range s.Services() {
		v.SetService(service, s.Block)
	}
	return v
}

// SetServer replaces what is known of a server. One that is not active offers and rewards nothing. Only what differs from
// before is touched. The lists are ascending, as the registry has them, and are copied.
func (v *View) SetServer(s barnraise.Server) {
	ref := v.server(s.ID)
	r := &v.servers[ref.at]
	if r.active = s.Status == barnraise.StatusActive; !r.active {
		s.Offers, s.Rewards = nil, nil
	}
	r.offers = v.change(r.offers, s.Offers, func(at int32, add bool) { v.setHost(at, ref, add) })
	r = &v.servers[ref.at]
	r.rewards = v.change(r.rewards, s.Rewards, func(at int32, add bool) {
		w := &v.services[at]
		w.wishers = with(w.wishers, ref, compareServers, add)
	})
}

// SetService replaces what is known of a service: whether a revision is in force at the block, and where its home is. It is
// to be called again when a later revision comes into force.
func (v *View) SetService(s barnraise.Service, block uint64) {
	ref := v.service(s.ID)
	revision, ok := s.Active(block)
	ok = ok && s.Status != barnraise.StatusGone
	home := int32(none)
	if ok {
		home = v.server(revision.Home).at
	}
	r := &v.services[ref.at]
	if r.active = ok; r.home == home {
		return
	}
	if r.home != none {
		old := &v.servers[r.home]
		old.homed = with(old.homed, ref, compareServices, false)
	}
	if home != none {
		now := &v.servers[home]
		now.homed = with(now.homed, ref, compareServices, true)
	}
	r.home = home
}

// change turns the list old into the ids of now and reports each difference.
func (v *View) change(old []serviceRef, now []barnraise.ServiceID, differs func(at int32, add bool)) []serviceRef {
	same := func(a serviceRef, id barnraise.ServiceID) bool { return a.id == id }
	if slices.EqualFunc(old, now, same) {
		return old
	}
	list := make([]serviceRef, 0, len(now))
	for _, id := range now {
		for len(old) > 0 && old[0].id < id {
			differs(old[0].at, false)
			old = old[1:]
		}
		if len(old) > 0 && old[0].id == id {
			list, old = append(list, old[0]), old[1:]
			continue
		}
		ref := v.service(id)
		differs(ref.at, true)
		list = append(list, ref)
	}
	for _, ref := range old {
		differs(ref.at, false)
	}
	return list
}

// setHost makes a server a host of a service, or no longer.
func (v *View) setHost(service int32, server serverRef, add bool) {
	r := &v.services[service]
	v.unfile(r)
	r.hosts = with(r.hosts, server, compareServers, add)
	v.file(service)
}

// file puts a service among those with as many hosts.
func (v *View) file(service int32) {
	r := &v.services[service]
	for len(v.claimed) <= len(r.hosts) {
		v.claimed = append(v.claimed, nil)
	}
	list := &v.claimed[len(r.hosts)]
	r.slot = int32(len(*list))
	*list = append(*list, service)
}

func (v *View) unfile(r *serviceRecord) {
	list := v.claimed[len(r.hosts)]
	last := list[len(list)-1]
	list[r.slot] = last
	v.services[last].slot = r.slot
	v.claimed[len(r.hosts)] = list[:len(list)-1]
}

// server finds the record of a server and makes one where there is none.
func (v *View) server(id barnraise.ServerID) serverRef {
	at, ok := v.serverAt[id]
	if !ok {
		at = int32(len(v.servers))
		v.serverAt[id] = at
		v.servers = append(v.servers, serverRecord{id: id})
	}
	return serverRef{id, at}
}

// service finds the record of a service and makes one where there is none.
func (v *View) service(id barnraise.ServiceID) serviceRef {
	at, ok := v.serviceAt[id]
	if !ok {
		at = int32(len(v.services))
		v.serviceAt[id] = at
		v.services = append(v.services, serviceRecord{id: id, home: none})
		v.file(at)
	}
	return serviceRef{id, at}
}

func compareServers(a, b serverRef) int   { return cmp.Compare(a.id, b.id) }
func compareServices(a, b serviceRef) int { return cmp.Compare(a.id, b.id) }

// with returns the ascending list with e added or removed, in place where there is room.
func with[E any](list []E, e E, compare func(a, b E) int, add bool) []E {
	i, found := slices.BinarySearchFunc(list, e, compare)
	switch {
	case add && !found:
		return slices.Insert(list, i, e)
	case !add && found:
		return slices.Delete(list, i, i+1)
	}
	return list
}

// offers reports whether the server at x claims to run the service.
func (v *View) offers(x int32, id barnraise.ServiceID) bool {
	_, found := slices.BinarySearchFunc(v.servers[x].offers, serviceRef{id: id}, compareServices)
	return found
}
