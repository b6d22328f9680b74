package server

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"barnraise"
	"barnraise/barter"
	"barnraise/hosting"
	"barnraise/score"
)

// follow brings the view up to date with the registry.
func (b *broker) follow(s *barnraise.Snapshot) {
	if b.last == s {
		return
	}
	for _, v := range s.Services() {
		b.view.SetService(v, s.Block)
	}
	for _, v := range s.Servers() {
		b.view.SetServer(v)
	}
	b.last = s
}

// mostKnown is how many servers are remembered. Beyond that the registry is being flooded, and who comes then counts as one that
// has been there all the time: it gets nothing in advance.
const mostKnown = 1 << 15

// meet notes when a server was seen first. What was found out about one whose operator, key or URL is another now is forgotten:
// it may be somebody else.
func (b *broker) meet(s *barnraise.Snapshot) {
	if b.met == s {
		return
	}
	b.met = s
	for _, v := range s.Servers() {
		known, before := b.known[v.ID]
		a := acquaintance{Epoch: b.book.Epoch, Who: who(v)}
		if before {
			a.Epoch = known.Epoch
		}
		switch {
		case before && v.Status != barnraise.StatusActive:
			delete(b.known, v.ID)
			b.changed = true
			b.book.Probes.Forget(v.ID)
		case v.Status != barnraise.StatusActive, known == a, !before && len(b.known) >= mostKnown:
		default:
			b.known[v.ID], b.changed = a, true
			if before {
				b.book.Probes.Forget(v.ID)
			}
		}
	}
}

// who tells a server from another that has its id.
func who(v barnraise.Server) string {
	key, _ := v.Key()
	return barnraise.Sum(fmt.Appendf(nil, "%s %x %s", v.Operator, key.Key[:], v.URL)).Hex()[:24]
}

// turn ends an epoch and begins the next one, where the clock says so.
func (b *broker) turn(s sight) []hosting.Step {
	clock := s.now.UnixNano() / int64(b.length)
	if clock == b.book.Clock {
		return nil
	}
	var steps []hosting.Step
	if b.book.Clock != 0 {
		next := b.book.Probes.Close(b.book.Epoch)
		if next == b.book.Epoch {
			steps = append(steps, hosting.Step{Verb: Void, Reason: "of the servers that answered before more than half give no right answer: it is this machine's network, and the epoch does not count"})
		}
		b.book.Epoch = next
	}
	b.book.Clock = clock
	b.agenda, b.drawn = nil, false
	return steps
}

// offset is when in an epoch by the clock a server plans: at another time in each, and than others, since who plans at the same time starts
// the same services.
func (b *broker) offset(self barnraise.ServerID, clock int64) time.Duration {
	h := fnv.New64a()
	fmt.Fprint(h, self, " ", clock)
	return time.Duration(h.Sum64() % uint64(b.length))
}

// due reports whether it is time to plan: once in an epoch, and the first time as soon as this server has looked around.
func (b *broker) due(s sight) bool {
	switch {
	case b.client == nil, b.book.Planned == b.book.Clock:
		return false
	case b.book.Planned == 0:
		return b.drawn && len(b.agenda) == 0 && len(b.asking) == 0
	}
	return s.now.UnixNano()%int64(b.length) >= int64(b.offset(s.me.ID, b.book.Clock))
}

// plan decides what to host, where it is time. What has to be known of a service first is found out, and the plan waits for it.
func (b *broker) plan(ctx context.Context, s sight) []hosting.Step {
	if b.studying || !b.due(s) {
		return nil
	}
	b.weigh(s)
	in := b.input(s)
	in.Idle = s.idle()
	d := barter.Plan(in)
	if unknown := b.unknown(d, s.confirmed); len(unknown) > 0 {
		b.study(ctx, unknown)
		return nil
	}
	ledger, steps := b.book.Ledger.Plan(d, func(id barnraise.ServiceID) hosting.Consent { return b.consent(s, id) }, b.cost)
	b.book.Ledger, b.book.Planned = ledger, b.book.Clock
	b.ease()
	return steps
}

// input is everything that a plan depends on.
func (b *broker) input(s sight) barter.Input {
	return barter.Input{
		Self: s.me.ID, View: b.view, Own: b.mine, Capacity: b.capacity(s.me), State: b.book.Ledger.State(), Epoch: b.book.Epoch,
		Policy: b.policy, Weight: b.weight, Refuted: b.book.Probes.Refuted(b.book.Epoch),
		Standing: func(server barnraise.ServerID, service barnraise.ServiceID) barter.Standing {
			return b.book.Probes.Standing(b.book.Epoch, server, service)
		},
		Age: func(server barnraise.ServerID) uint64 {
			return b.book.Epoch - min(b.known[server].Epoch, b.book.Epoch)
		},
		Service: func(id barnraise.ServiceID) barter.Service {
			d := b.book.Dossiers[id]
			return barter.Service{Cost: b.cost(id), MinRequests: d.MinRequests, Refused: cmp.Or(b.refused(s, id), b.failing(id))}
		},
	}
}

// weight is what this server thinks of another: integrity times availability, 0.05 to 1, and 0 where it is convicted or suspended.
func (b *broker) weight(id barnraise.ServerID) (w float64) {
	w = 1
	if b.client != nil {
		b.client.Book(func(book *score.Book) { w = book.Weight(id, b.client.Epoch(), b.now()) })
	}
	return w
}

// own are the services that this server always runs: those that the configuration names, and of its operator's own services whose
// home it is those that it offers. Home alone says nothing: any author may name any.
func (b *broker) own(s sight) []barnraise.ServiceID {
	own := union(b.config.Own, nil)
	for _, id := range s.me.Offers {
		if v, r, ok := s.confirmed.Active(id); ok && r.Home == s.me.ID && v.Owner == s.me.Operator {
			own = union(own, []barnraise.ServiceID{id})
		}
	}
	return own
}

func (b *broker) capacity(me barnraise.Server) uint32 {
	if b.config.Capacity != 0 {
		return b.config.Capacity
	}
	return me.Capacity
}

// cost is what a service takes of the capacity, in units.
func (b *broker) cost(id barnraise.ServiceID) uint32 {
	d := b.book.Dossiers[id]
	return max(1, d.Cost, d.Measured)
}

// weigh takes what is hosted for what it costs here, once in an epoch: plans do not sway with the hour's callers.
func (b *broker) weigh(s sight) {
	for _, e := range b.book.Ledger.Entries {
		if units := s.cost(e.Service); units != 0 {
			d := b.book.Dossiers[e.Service]
			d.Measured = units
			b.book.Dossiers[e.Service] = d
		}
	}
}

// mostDossiers is of how many services is remembered what they are that do not run here. They are looked up again where they matter.
const mostDossiers = 2048

// ease forgets by and by what a service cost that does not run here any more: else whoever flooded it once would keep it away.
func (b *broker) ease() {
	for id, d := range b.book.Dossiers {
		if _, meant := b.book.Ledger.Entry(id); meant {
			continue
		}
		if d.Measured /= 2; len(b.book.Dossiers) > mostDossiers {
			delete(b.book.Dossiers, id)
			continue
		}
		b.book.Dossiers[id] = d
	}
}

// longestPause is after how many epochs at most a debt may be paid again with what did not come to run: it may have been the
// machine.
const longestPause = 16

// giveUp notes what a ledger has given up since it does not come to run, and until when.
func (b *broker) giveUp(now hosting.Ledger) {
	for id, pause := range now.Backoff {
		if pause != b.book.Ledger.Backoff[id] {
			d := b.book.Dossiers[id]
			d.Failed = min(pause.Until, b.book.Epoch+longestPause)
			b.book.Dossiers[id] = d
		}
	}
}

// failing says that a service is not tried again yet that did not come to run here: what is owed is to be paid with another.
func (b *broker) failing(id barnraise.ServiceID) string {
	if _, meant := b.book.Ledger.Entry(id); meant || b.book.Epoch >= b.book.Dossiers[id].Failed {
		return ""
	}
	return "it did not come to run here a while ago"
}

// patience is how long a service may take to come to run: an epoch, and never less than an image may take to come and to pass
// the gate.
func (b *broker) patience() time.Duration { return max(b.length, leastPatience) }

const leastPatience = 10 * time.Minute

// linger is how long a service runs on after the registry has ceased to show it.
func (b *broker) linger() time.Duration { return min(2*time.Minute, b.length/4) }

// orders are what a broker wants to be done.
type orders struct {
	hosting.Orders
	Settled   bool                         // what is planned may be written to the registry now
	Forbidden map[barnraise.ServiceID]bool // own services that are not to be offered
}

// standing returns the orders as they stand. Any goroutine may call it.
func (b *broker) standing() orders {
	b.mu.Lock()
	defer b.mu.Unlock()
	return orders{b.orders, b.book.Written != b.book.Clock && !b.orders.Waiting, b.bars}
}

// writing notes that the lists are written in this epoch, before they are.
func (b *broker) writing() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.book.Written = b.book.Clock
	return b.save()
}

// refused says why a service is not to run here, and is empty where it may.
func (b *broker) refused(s sight, id barnraise.ServiceID) string {
	_, r, active := s.confirmed.Active(id)
	d := b.book.Dossiers[id]
	switch {
	case !active:
		return "it is gone from the registry, or has no active revision"
	case s.refused(id) != "":
		return s.refused(id)
	case d.Missing != "" && d.Revision == r.Number && b.book.Epoch < d.Until && !s.runs(id): // what runs has its manifest
		return d.Missing
	}
	return b.unwanted(s.confirmed, hostKey{id, r.Number})
}

// consent is the operator's word on hosting a service.
func (b *broker) consent(s sight, id barnraise.ServiceID) hosting.Consent {
	_, r, _ := s.confirmed.Active(id)
	word, _ := b.word(s.confirmed, hostKey{id, r.Number})
	return word
}
