package registry

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"barnraise"
)

// ChangeKind says what changed, in a word.
type ChangeKind string

// The kinds of changes. Those of offers and rewards carry which service.
const (
	Appeared  ChangeKind = "registered"
	Vanished  ChangeKind = "vanished" // only in a reorganisation
	Owned     ChangeKind = "owner"
	Delegated ChangeKind = "delegate"
	Left      ChangeKind = "status" // leaving or gone

	Published ChangeKind = "published"
	Replaced  ChangeKind = "replaced" // the revision of that number is another one; only in a reorganisation
	Activated ChangeKind = "active"   // callers use another revision from now on, or none
	Revoked   ChangeKind = "revoked"
	Verified  ChangeKind = "verifier" // a revision is judged otherwise than the one before
	Rehomed   ChangeKind = "home"     // a revision has another home than the one before

	Moved         ChangeKind = "url"
	Rekeyed       ChangeKind = "key"
	Resized       ChangeKind = "capacity"
	Offered       ChangeKind = "+offer"
	OfferDropped  ChangeKind = "-offer"
	Rewarded      ChangeKind = "+reward"
	RewardDropped ChangeKind = "-reward"
)

// Change is one difference between two snapshots, of a service or of a server.
type Change struct {
	Block    uint64              `json:"block"`              // of the newer snapshot
	Service  barnraise.ServiceID `json:"service,omitempty"`  // whose it is, or which a server offers or wishes
	Server   barnraise.ServerID  `json:"server,omitempty"`   // whose it is
	Kind     ChangeKind          `json:"kind"`               // what changed
	Revision uint32              `json:"revision,omitempty"` // of a service, where the change is of one
	Text     string              `json:"text"`               // the change in words, fit to be printed
}

// String is the change in words with whose it is, such as "server 7: +offer 3".
func (c Change) String() string {
	if c.Server != 0 {
		return fmt.Sprintf("server %d: %s", c.Server, c.Text)
	}
	return fmt.Sprintf("service %d: %s", c.Service, c.Text)
}

// Diff lists what is different in a newer snapshot, services before servers and each by id. A nil snapshot is an empty registry.
// It is pure: the same two snapshots have the same differences, in the same order.
func Diff(old, new *barnraise.Snapshot) []Change {
	empty := barnraise.NewSnapshot(barnraise.Registry{}, 0, [32]byte{}, 0, nil, nil)
	d := differ{old: cmp.Or(old, empty), new: cmp.Or(new, empty)}
	pair(d.old.Services(), d.new.Services(), func(v barnraise.Service) uint32 { return uint32(v.ID) }, d.service)
	pair(d.old.Servers(), d.new.Servers(), func(v barnraise.Server) uint32 { return uint32(v.ID) }, d.server)
	return d.list
}

// pair walks through two lists in the order of their ids. What is in one list only comes with a zero value of the other.
func pair[T any](old, new []T, id func(T) uint32, f func(old, new T)) {
	byID := func(a, b T) int { return cmp.Compare(id(a), id(b)) }
	slices.SortFunc(old, byID)
	slices.SortFunc(new, byID)
	for len(old) > 0 || len(new) > 0 {
		var a, b T
		switch {
		case len(new) == 0 || len(old) > 0 && id(old[0]) < id(new[0]):
			a, old = old[0], old[1:]
		case len(old) == 0 || id(new[0]) < id(old[0]):
			b, new = new[0], new[1:]
		default:
			a, b, old, new = old[0], new[0], old[1:], new[1:]
		}
		f(a, b)
	}
}

type differ struct {
	old, new *barnraise.Snapshot
	list     []Change
}

func (d *differ) add(c Change, format string, args ...any) {
	c.Block, c.Text = d.new.Block, Printable(fmt.Sprintf(format, args...))
	d.list = append(d.list, c)
}

// record compares what services and servers have in common.
func (d *differ) record(c Change, owner, delegate [2]barnraise.Address, status [2]barnraise.Status) {
	say := func(kind ChangeKind, changed bool, format string, args ...any) {
		if c.Kind = kind; changed {
			d.add(c, format, args...)
		}
	}
	say(Owned, owner[0] != owner[1], "owner is %s, was %s", Checksum(owner[1]), Checksum(owner[0]))
	say(Delegated, delegate[0] != delegate[1], "delegate is %s, was %s", somebody(delegate[1]), somebody(delegate[0]))
	say(Left, status[0] != status[1], "is %s, was %s", status[1], status[0])
}

func somebody(a barnraise.Address) string {
	if a.IsZero() {
		return "nobody"
	}
	return Checksum(a)
}

func (d *differ) service(old, new barnraise.Service) {
	c := Change{Service: max(old.ID, new.ID)}
	switch {
	case new.ID == 0:
		c.Kind = Vanished
		d.add(c, "%s is not registered any more: the chain reorganised", old.Name)
		return
	case old.ID == 0:
		c.Kind = Appeared
		d.add(c, "%s registered by %s", new.Name, Checksum(new.Owner))
	default:
		d.record(c, [2]barnraise.Address{old.Owner, new.Owner}, [2]barnraise.Address{old.Delegate, new.Delegate},
			[2]barnraise.Status{old.Status, new.Status})
	}
	d.revisions(c, old, new)
	d.active(c, old, new)
}

func (d *differ) revisions(c Change, old, new barnraise.Service) {
	var before barnraise.Revision
	for _, r := range new.Revisions {
		c.Revision = r.Number
		was, known := old.Revision(r.Number)
		revoked := r.Revoked && !was.Revoked
		switch same := unrevoked(was) == unrevoked(r); {
		case !known:
			c.Kind = Published
			d.add(c, "revision %d published, active from block %d", r.Number, r.ActiveFrom)
		case !same:
			c.Kind = Replaced
			d.add(c, "revision %d is another one now: the chain reorganised", r.Number)
		}
		if !known && before.Number > 0 {
			d.succeeds(c, before, r)
		}
		if c.Kind = Revoked; revoked {
			d.add(c, "revision %d revoked: %s", r.Number, cmp.Or(r.Reason, "no reason given"))
		}
		before = r
	}
}

// succeeds shows what callers should look at when a revision follows on another one: who judges its answers, and who is its witness.
func (d *differ) succeeds(c Change, before, r barnraise.Revision) {
	if c.Kind = Verified; r.Verifier != before.Verifier {
		d.add(c, "revision %d has another verifier than revision %d: %s, was %s", r.Number, before.Number, r.Verifier, before.Verifier)
	}
	if c.Kind = Rehomed; r.Home != before.Home {
		d.add(c, "revision %d has another home than revision %d: server %d, was %d", r.Number, before.Number, r.Home, before.Home)
	}
}

func unrevoked(r barnraise.Revision) barnraise.Revision {
	r.Revoked, r.Reason = false, ""
	return r
}

// active shows that callers use another revision, unless it is the first, of which its publication says so.
func (d *differ) active(c Change, old, new barnraise.Service) {
	_, was, _ := d.old.Active(old.ID)
	_, is, ok := d.new.Active(new.ID)
	c.Kind, c.Revision = Activated, is.Number
	switch {
	case was.Number == is.Number || old.ID == 0:
	case !ok:
		d.add(c, "no revision is active, revision %d was", was.Number)
	case was.Number == 0:
		d.add(c, "revision %d is active, none was", is.Number)
	default:
		d.add(c, "revision %d is active, revision %d was", is.Number, was.Number)
	}
}

func (d *differ) server(old, new barnraise.Server) {
	c := Change{Server: max(old.ID, new.ID)}
	switch {
	case new.ID == 0:
		c.Kind = Vanished
		d.add(c, "not registered any more: the chain reorganised")
		return
	case old.ID == 0:
		c.Kind = Appeared
		d.add(c, "registered at %s by %s", new.URL, Checksum(new.Operator))
	default:
		d.record(c, [2]barnraise.Address{old.Operator, new.Operator}, [2]barnraise.Address{old.Delegate, new.Delegate},
			[2]barnraise.Status{old.Status, new.Status})
		d.profile(c, old, new)
	}
	d.ids(c, Offered, OfferDropped, "offer", old.Offers, new.Offers)
	d.ids(c, Rewarded, RewardDropped, "reward", old.Rewards, new.Rewards)
}

func (d *differ) profile(c Change, old, new barnraise.Server) {
	if c.Kind = Moved; old.URL != new.URL {
		d.add(c, "URL is %s, was %s", new.URL, old.URL)
	}
	was, had := old.Key()
	is, has := new.Key()
	switch c.Kind = Rekeyed; {
	case had && !has:
		d.add(c, "has no usable key, was %s", was.Key)
	case has && (!had || is.Key != was.Key || is.From != was.From):
		d.add(c, "key is %s from block %d", is.Key, is.From)
	}
	if c.Kind = Resized; old.Capacity != new.Capacity {
		d.add(c, "capacity is %d, was %d", new.Capacity, old.Capacity)
	}
}

// ids shows what came into a list, and what went.
func (d *differ) ids(c Change, came, went ChangeKind, word string, old, new []barnraise.ServiceID) {
	for _, side := range []struct {
		kind      ChangeKind
		sign      string
		list, not []barnraise.ServiceID
	}{{came, "+", new, old}, {went, "-", old, new}} {
		for _, id := range side.list {
			if _, there := slices.BinarySearch(side.not, id); !there {
				c.Kind, c.Service = side.kind, id
				d.add(c, "%s%s %d", side.sign, word, id)
			}
		}
	}
}

// Concerns reports whether a change is of a server, or of one of some services, whoever offers them.
func (c Change) Concerns(server barnraise.ServerID, services []barnraise.ServiceID) bool {
	if c.Server != 0 {
		return c.Server == server || strings.HasSuffix(string(c.Kind), "offer") && slices.Contains(services, c.Service)
	}
	return slices.Contains(services, c.Service)
}

// Reader reads a registry at its head.
type Reader interface {
	Snapshot(ctx context.Context) (*barnraise.Snapshot, error)
}

// Watch reads a registry at once and at every tick, and tells what changed since it was read with success before; the first time
// nothing has changed yet. It tells of failures too, with a nil snapshot, and goes on. It ends with the context, whose cause it
// returns, or with the ticks, and then returns nil.
func Watch(
	ctx context.Context, r Reader, ticks <-chan time.Time, tell func(*barnraise.Snapshot, []Change, error),
) error {
	var last *barnraise.Snapshot
	for {
		s, err := r.Snapshot(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			tell(nil, nil, err)
		case last == nil || last.Hash != s.Hash:
			var changes []Change
			if last != nil {
				changes = Diff(last, s)
			}
			last = s
			tell(s, changes, nil)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case _, more := <-ticks:
			if !more {
				return nil
			}
		}
	}
}
