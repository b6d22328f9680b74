package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"barnraise"
	"barnraise/barter"
	"barnraise/score"
)

// kind is how a server behaves.
type kind uint8

const (
	honest kind = iota
	freeRider
	whitewasher
	liar
)

// rides reports whether a server of the kind offers what it does not run.
func (k kind) rides() bool { return k == freeRider || k == whitewasher }

// server is one server: what it is, and what it knows.
type server struct {
	kind     kind
	own      []barnraise.ServiceID // ascending
	rewards  []barnraise.ServiceID // ascending
	capacity uint32
	rand     *rand.Rand

	id      barnraise.ServerID
	born    uint64 // epoch in which it came under this id
	state   barter.State
	book    *score.Book
	met     []barnraise.ServerID // whom the book knows
	probes  *barter.Probes
	epoch   uint64                // by its own count, in which epochs in which it seemed to be cut off do not count
	asked   int                   // probes of this epoch
	refuted int                   // those of them that got no right answer
	changed bool                  // its lists in this epoch
	offers  []barnraise.ServiceID // as published, ascending
	runs    []barnraise.ServiceID // those of them that it runs, ascending
}

// enter makes the server a newcomer under an id.
func (s *server) enter(id barnraise.ServerID, epoch uint64, p barter.Policy) {
	s.id, s.born, s.epoch = id, epoch, epoch
	s.state, s.book, s.met, s.probes = barter.State{}, new(score.Book), nil, barter.NewProbes(p)
}

// returns reports whether the server takes another id now: nobody owes it an advance any more.
func (s *server) returns(epoch uint64, p barter.Policy) bool {
	return s.kind == whitewasher && epoch > s.born+p.Newcomer
}

// publish makes what the server hosts its offers, and returns its new record.
func (s *server) publish() barnraise.Server {
	offers := slices.Clone(s.own)
	for _, h := range s.state.Hosted {
		offers = append(offers, h.Service)
	}
	slices.Sort(offers)
	s.offers, s.runs = offers[:min(len(offers), barnraise.MaxOffers)], s.own
	if !s.kind.rides() {
		s.runs = s.offers
	}
	return barnraise.Server{
		ID: s.id, Offers: s.offers, Rewards: s.rewards, Capacity: s.capacity, Status: barnraise.StatusActive, Since: s.born,
	}
}

// has reports whether a service is in an ascending list.
func has(list []barnraise.ServiceID, id barnraise.ServiceID) bool {
	_, ok := slices.BinarySearch(list, id)
	return ok
}

// length is that of an epoch.
const length = 6 * time.Hour

// clock is the time of an epoch.
func clock(epoch uint64) time.Time { return time.Unix(0, 0).Add(time.Duration(epoch) * length) }
