package server

import (
	"cmp"
	"slices"

	"barnraise"
)

// hostKey names a revision of a service.
type hostKey struct {
	service  barnraise.ServiceID
	revision uint32
}

func (k hostKey) compare(o hostKey) int {
	return cmp.Or(cmp.Compare(k.service, o.service), cmp.Compare(k.revision, o.revision))
}

// ahead is how many revisions of a service are prepared before they are active: an owner may publish thousands.
const ahead = 2

// wanted lists the revisions that a server is to run of these services: of each the active one, those that are to be active
// next, and for one more grace the one that was active before (protocol 1.4). What there is to run stands in the confirmed
// registry (protocol 1.9); which of it is active, and what is revoked, is seen at the head, as callers see it.
func wanted(confirmed, head *barnraise.Snapshot, services []barnraise.ServiceID) (keys []hostKey) {
	services = slices.Clone(services)
	slices.Sort(services)
	for _, id := range slices.Compact(services) {
		service, ok := confirmed.Service(id)
		if !ok || service.Status == barnraise.StatusGone {
			continue
		}
		service.Revisions = slices.DeleteFunc(slices.Clone(service.Revisions), func(r barnraise.Revision) bool {
			return r.Revoked || revoked(head, hostKey{id, r.Number})
		})
		for _, number := range numbers(service, head.Block, confirmed.Grace) {
			keys = append(keys, hostKey{id, number})
		}
	}
	return keys
}

// revoked reports whether a revision is revoked, which counts at once.
func revoked(head *barnraise.Snapshot, k hostKey) bool {
	service, _ := head.Service(k.service)
	r, _ := service.Revision(k.revision)
	return r.Revoked
}

// numbers lists the revisions of a service that are to run at a block; none of those it has is revoked.
func numbers(s barnraise.Service, block, grace uint64) (list []uint32) {
	r, ok := s.Active(block)
	if ok && r.ActiveFrom > 0 && block-r.ActiveFrom < grace {
		if before, ok := s.Active(r.ActiveFrom - 1); ok {
			list = append(list, before.Number)
		}
	}
	if ok {
		list = append(list, r.Number)
	}
	for range ahead {
		if r, ok = next(s, r.Number, block); !ok {
			break
		}
		list, block = append(list, r.Number), r.ActiveFrom
	}
	return list
}

// next is the revision that will take the place of the one of that number, which is active at the block. False where none
// will: an older revision never becomes active, whatever its activeFrom says.
func next(s barnraise.Service, number uint32, block uint64) (r barnraise.Revision, ok bool) {
	for _, o := range s.Revisions {
		if o.Number > number && o.ActiveFrom > block && (!ok || o.ActiveFrom <= r.ActiveFrom) {
			r, ok = o, true
		}
	}
	return r, ok
}
