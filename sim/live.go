package sim

import (
	"encoding/binary"
	"slices"
	"time"

	"barnraise"
	"barnraise/barter"
	"barnraise/score"
)

// How a server probes.
const (
	budget = 256                    // probes of an epoch at most
	took   = 100 * time.Millisecond // to answer
)

// desk is what one processor needs to think for a server at a time.
type desk struct {
	weights []float64 // by server id; 1 but for those that the server at the desk has met
}

// live is the moment of the epoch at which the server probes and plans. One that runs nothing for others does not care what is
// true.
func (s *server) live(w *world, d *desk) {
	s.asked, s.refuted = 0, 0
	in := s.input(w, d)
	if !s.kind.rides() {
		s.weigh(w, d, s.met)
		var asked []barnraise.ServerID
		for _, p := range s.probes.Due(in, budget, s.rand.Float64) {
			s.probe(w, p.Offer)
			asked = append(asked, p.Server)
		}
		s.weigh(w, d, asked)
	}
	s.plan(in)
	s.epoch = s.probes.Close(s.epoch)
	s.forget(w, d)
}

// forget clears the desk, and of the book whoever was not asked for a while and is worth what a stranger is: a server keeps that
// on disk. All that is lost of it is how many right answers there were.
func (s *server) forget(w *world, d *desk) {
	const while = 3
	kept := s.met[:0]
	for _, x := range s.met {
		weight := d.weights[x]
		d.weights[x] = 1
		if weight == 1 && clock(w.epoch).Sub(s.book.Seen(x, time.Time{}).At) > while*length {
			s.book.Forget(x)
			continue
		}
		kept = append(kept, x)
	}
	s.met = kept
	s.book.Delta() // all the changes are kept
}

// plan decides what to run. One that runs nothing for others claims no more than pays.
func (s *server) plan(in barter.Input) {
	before := s.state.Hosted
	s.state = barter.Plan(in).Next
	if s.kind.rides() {
		s.state.Hosted = slices.DeleteFunc(s.state.Hosted, func(h barter.Hosting) bool { return !h.Justified })
	}
	s.changed = !slices.EqualFunc(before, s.state.Hosted, func(a, b barter.Hosting) bool { return a.Service == b.Service })
}

// weigh puts the weights of servers on the desk.
func (s *server) weigh(w *world, d *desk, of []barnraise.ServerID) {
	for len(d.weights) < len(w.byID) {
		d.weights = append(d.weights, 1)
	}
	now := clock(w.epoch)
	for _, x := range of {
		d.weights[x] = s.book.Weight(x, s.epoch, now)
	}
}

// input is what the server plans by: what the registry shows, and what it knows itself.
func (s *server) input(w *world, d *desk) barter.Input {
	in := barter.Input{
		Self: s.id, View: w.view, Own: s.own, Capacity: s.capacity, State: s.state, Epoch: s.epoch, Policy: w.options.Policy,
		Age: w.age, Service: w.service,
	}
	if s.kind.rides() {
		in.Standing, in.Weight, in.Refuted = believe, trust, nothing
		return in
	}
	in.Standing = func(x barnraise.ServerID, id barnraise.ServiceID) barter.Standing {
		return s.probes.Standing(s.epoch, x, id)
	}
	in.Weight = func(x barnraise.ServerID) float64 { return d.weights[x] }
	in.Refuted = s.probes.Refuted(s.epoch)
	return in
}

// What a server plans by that takes every claim for true.
func believe(barnraise.ServerID, barnraise.ServiceID) barter.Standing { return barter.Confirmed }
func trust(barnraise.ServerID) float64                                { return 1 }
func nothing(func(barnraise.ServerID, barnraise.ServiceID) bool)      {}

// probe asks a server for an answer of a service, and enters what came of it in the ledger and in the book of scores. A wrong
// answer is a lie: who probes executes the request himself.
func (s *server) probe(w *world, o barter.Offer) {
	x, p := w.at(o.Server), score.Probe{Server: o.Server, Service: o.Service, Revision: 1, Epoch: s.epoch, Took: took}
	runs := x != nil && has(x.runs, o.Service)
	if !runs {
		p.Why = "no answer"
	}
	if _, met := s.book.Row(o.Server); !met {
		s.met = append(s.met, o.Server)
	}
	s.book.Probed(p, clock(w.epoch))
	lie := runs && x.kind == liar && s.rand.Float64() < w.options.LieRate
	switch {
	case lie:
		s.book.Strike(score.Strike{
			Server: o.Server, Service: o.Service, Revision: 1, Epoch: s.epoch, Conclusive: true, Owner: w.owner(o.Service), Known: true,
		})
	case runs:
		s.book.Audited(o.Server, o.Service)
	}
	s.asked++
	if !runs || lie {
		s.refuted++
	}
	s.probes.Record(s.epoch, o.Server, o.Service, runs && !lie)
}

// service is what a planner has to know of a service. Its verifier wants two answers.
func (w *world) service(id barnraise.ServiceID) barter.Service {
	return barter.Service{Cost: w.services[id-1].cost, MinRequests: 2}
}

// age is how long a server has had its id.
func (w *world) age(id barnraise.ServerID) uint64 {
	if s := w.at(id); s != nil {
		return w.epoch - s.born
	}
	return 0
}

// owner is the account of a service: that of its home.
func (w *world) owner(id barnraise.ServiceID) (a barnraise.Address) {
	binary.BigEndian.PutUint64(a[:], uint64(w.services[id-1].home)+1)
	return a
}
