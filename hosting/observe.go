package hosting

import (
	"fmt"
	"slices"
	"time"

	"barnraise"
	"barnraise/barter"
)

// Sight is what a server sees when it looks.
type Sight struct {
	Now      time.Time
	Epoch    uint64        // the planner's
	Length   time.Duration // of an epoch
	Patience time.Duration // how long a service may take to come to run before it is given up
	Linger   time.Duration // how long a service runs on after the registry has ceased to show it: callers may not have looked since
	Capacity uint32        // units for services of others
	Offered  []barnraise.ServiceID
	Own      []barnraise.ServiceID // not for this ledger
	Cost     func(barnraise.ServiceID) uint32
	Runs     func(barnraise.ServiceID) bool // it takes calls
	// Refused says why a service is not to run here any more, at once: the operator denies it, it did not pass the gate, it is
	// not deterministic, it is gone from the registry. Empty where it may.
	Refused func(barnraise.ServiceID) string
}

// Orders are what is to be done, again and again until it is.
type Orders struct {
	Run   []barnraise.ServiceID // ascending, as are the others
	Offer []barnraise.ServiceID
	Leave []barnraise.ServiceID // of what is offered
	// Waiting says that something is about to run, so that it is worth waiting with the lists.
	Waiting bool
	// Urgent is what must not be offered any longer, whenever lists were written last.
	Urgent []barnraise.ServiceID
}

// Observe compares what is meant with what is seen. It forgets what has left or must not be hosted, adopts what is offered
// without being meant, gives up what does not come to run for an epoch, and says what is to be done.
func (l Ledger) Observe(s Sight) (Ledger, Orders, []Step) {
	next, steps := l.clone(), []Step(nil)
	next.adopt(s, &steps)
	next.Entries = slices.DeleteFunc(next.Entries, func(e Entry) bool {
		return s.owns(e.Service) || next.gone(e, s, &steps)
	})
	for i := range next.Entries {
		next.Entries[i].see(s)
	}
	return next, next.orders(s), steps
}

func (s Sight) owns(id barnraise.ServiceID) bool { return slices.Contains(s.Own, id) }

func (s Sight) offers(id barnraise.ServiceID) bool { return slices.Contains(s.Offered, id) }

// adopt takes over what the registry says that this server offers, also what waits for the operator's word: that is one.
func (l *Ledger) adopt(s Sight, steps *[]Step) {
	for _, id := range s.Offered {
		if before, known := l.Entry(id); known && before.Phase != Proposed || s.owns(id) || s.Refused(id) != "" {
			continue
		}
		e := Entry{Hosting: barter.Hosting{Service: id, Since: s.Epoch}, Phase: Hosting, Cost: s.Cost(id), Reason: "offered on chain"}
		l.put(e)
		*steps = append(*steps, Step{Adopt, id, nil, e.Reason})
	}
}

// gone reports whether an entry is to be forgotten.
func (l *Ledger) gone(e Entry, s Sight, steps *[]Step) bool {
	absent := s.since(e.Absent)
	switch why := s.Refused(e.Service); {
	case why != "":
		*steps = append(*steps, Step{Drop, e.Service, e.For, why})
		return true
	case e.Phase == Leaving && !s.offers(e.Service):
		return !s.Runs(e.Service) || !e.Absent.IsZero() && absent >= s.Linger
	case e.Phase == Hosting && !s.Runs(e.Service) && absent > s.Patience:
		l.back(e.Service, s.Epoch)
		*steps = append(*steps, Step{Drop, e.Service, e.For, fmt.Sprintf("it does not come to run: for %s", absent.Round(time.Second))})
		return true
	}
	return false
}

// back keeps a service that did not come to run from being tried again soon.
func (l *Ledger) back(id barnraise.ServiceID, epoch uint64) {
	if l.Backoff == nil {
		l.Backoff = make(map[barnraise.ServiceID]barter.Backoff)
	}
	l.Backoff[id] = l.Backoff[id].Again(epoch, barter.Default.Patience)
}

// since is how long ago that was; a clock that was set back makes it now.
func (s Sight) since(t time.Time) time.Duration {
	if t.IsZero() {
		return 0
	}
	return max(0, s.Now.Sub(t))
}

// see notes since when what is meant is not so.
func (e *Entry) see(s Sight) {
	there := s.Runs(e.Service)
	if e.Phase == Leaving {
		there = s.offers(e.Service)
	}
	s.note(&e.Absent, !there && e.Phase != Proposed)
	s.note(&e.Hollow, s.offers(e.Service) && !s.Runs(e.Service))
}

// note keeps since when something is so.
func (s Sight) note(since *time.Time, so bool) {
	switch {
	case !so:
		*since = time.Time{}
	case since.IsZero() || since.After(s.Now):
		*since = s.Now
	}
}

// starting reports whether an entry is to run and does not yet, nor is it offered.
func (s Sight) starting(e Entry) bool {
	return e.Phase == Hosting && !s.Runs(e.Service) && !s.offers(e.Service)
}

// orders follow from the entries. What is to run waits until there is room: what leaves still runs.
func (l *Ledger) orders(s Sight) (o Orders) {
	room := int64(s.Capacity)
	for _, e := range l.Entries {
		if e.Phase != Proposed && !s.starting(e) {
			room -= int64(e.Cost)
		}
	}
	for i := range l.Entries {
		e := &l.Entries[i]
		if e.Phase == Proposed {
			continue
		}
		if s.starting(*e) {
			if int64(e.Cost) > room {
				e.Absent = time.Time{} // it waits for room, and nobody for it
				continue
			}
			room -= int64(e.Cost)
			o.Waiting = o.Waiting || s.since(e.Absent) < s.Length/4
		}
		o.Run = append(o.Run, e.Service)
		o.place(*e, s)
	}
	o.Urgent = l.urgent(s, o)
	return o
}

// place says whether a service that runs, or is to, is offered.
func (o *Orders) place(e Entry, s Sight) {
	switch {
	case s.since(e.Hollow) > s.Length/2:
	case e.Phase == Leaving && s.offers(e.Service):
		o.Leave = append(o.Leave, e.Service)
	case e.Phase == Hosting && (s.Runs(e.Service) || s.offers(e.Service)):
		o.Offer = append(o.Offer, e.Service)
	}
}

// urgent lists what is offered and must not be: what is refused, and what has not run for half an epoch.
func (l *Ledger) urgent(s Sight, o Orders) (ids []barnraise.ServiceID) {
	for _, id := range s.Offered {
		if !s.owns(id) && !slices.Contains(o.Offer, id) && !slices.Contains(o.Leave, id) {
			ids = append(ids, id)
		}
	}
	return ids
}
