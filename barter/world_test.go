package barter

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"

	"barnraise"
)

// world is a small network drawn at random, with what one server in it knows and runs.
type world struct {
	servers  []barnraise.Server
	services []barnraise.Service
	block    uint64
	standing map[offer]Standing
	weight   map[barnraise.ServerID]float64
	age      map[barnraise.ServerID]uint64
	facts    map[barnraise.ServiceID]Service
	in       Input // without a view
}

// draw makes a world; each seed is another one.
func draw(seed uint64) *world {
	r := rand.New(rand.NewPCG(seed, 7))
	w := &world{
		block: 10, standing: map[offer]Standing{}, weight: map[barnraise.ServerID]float64{}, age: map[barnraise.ServerID]uint64{},
		facts: map[barnraise.ServiceID]Service{},
	}
	servers, services := 1+r.IntN(12), 1+r.IntN(12)
	for id := range services {
		w.services = append(w.services, drawService(r, barnraise.ServiceID(id+1), servers))
		w.facts[barnraise.ServiceID(id+1)] = drawFacts(r)
	}
	for id := range servers {
		s := barnraise.Server{
			ID: barnraise.ServerID(id + 1), Status: barnraise.StatusActive,
			Offers: drawList(r, services+1, .4), Rewards: drawList(r, services+1, .3),
		}
		if r.IntN(10) == 0 {
			s.Status = barnraise.StatusLeaving
		}
		w.servers = append(w.servers, s)
		w.weight[s.ID] = []float64{1, 1, 1, .5, .7, 0}[r.IntN(6)]
		w.age[s.ID] = uint64(r.IntN(30))
		for _, o := range s.Offers {
			w.standing[offer{s.ID, o}] = []Standing{Confirmed, Confirmed, Confirmed, Unknown, Refuted}[r.IntN(5)]
		}
	}
	w.in = w.drawInput(r, services)
	return w
}

func drawService(r *rand.Rand, id barnraise.ServiceID, servers int) barnraise.Service {
	s := registered(id, barnraise.ServerID(1+r.IntN(servers)))
	switch r.IntN(12) {
	case 0:
		s.Status = barnraise.StatusGone
	case 1:
		s.Revisions[0].ActiveFrom = 11
	}
	return s
}

func drawFacts(r *rand.Rand) Service {
	f := Service{Cost: uint32(r.IntN(4)), MinRequests: r.IntN(5)}
	if r.IntN(10) == 0 {
		f.Cost = 9
	}
	if r.IntN(10) == 0 {
		f.Refused = "denied"
	}
	return f
}

// drawList draws each of the ids below n with the probability given.
func drawList(r *rand.Rand, n int, p float64) (list []barnraise.ServiceID) {
	for id := 1; id <= n; id++ {
		if r.Float64() < p {
			list = append(list, barnraise.ServiceID(id))
		}
	}
	return list
}

func (w *world) drawInput(r *rand.Rand, services int) Input {
	in := Input{
		Self: barnraise.ServerID(1 + r.IntN(len(w.servers)+1)), Own: drawList(r, services, .2), Capacity: uint32(r.IntN(12)), Epoch: 100,
		State: State{Backoff: map[barnraise.ServiceID]Backoff{}}, Policy: Default,
		Standing: func(x barnraise.ServerID, s barnraise.ServiceID) Standing { return w.standing[offer{x, s}] },
		Weight:   func(x barnraise.ServerID) float64 { return w.weight[x] },
		Age:      func(x barnraise.ServerID) uint64 { return w.age[x] },
		Service:  func(s barnraise.ServiceID) Service { return w.facts[s] },
	}
	if r.IntN(8) == 0 {
		in.Idle = "a budget is used up"
	}
	for _, id := range drawList(r, services+1, .25) {
		h := Hosting{Service: id, Since: uint64(90 + r.IntN(11)), Justified: r.IntN(2) == 0}
		if r.IntN(2) == 0 {
			h.Idle = max(h.Since, uint64(93+r.IntN(8)))
		}
		in.State.Hosted = append(in.State.Hosted, h)
	}
	for _, id := range drawList(r, services, .1) {
		in.State.Backoff[id] = Backoff{Strikes: r.IntN(8), Until: uint64(95 + r.IntN(10))}
	}
	return in
}

// view builds the registry of the world, in an order drawn at random.
func (w *world) view(r *rand.Rand) *View {
	v := NewView()
	var steps []func()
	for _, s := range w.services {
		steps = append(steps, func() { v.SetService(s, w.block) })
	}
	for _, s := range w.servers {
		steps = append(steps, func() { v.SetServer(s) })
	}
	r.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	for _, step := range steps {
		step()
	}
	return v
}

func (w *world) input() Input {
	in := w.in
	in.View = w.view(rand.New(rand.NewPCG(0, 0)))
	return in
}

// encoded is a decision in bytes.
func encoded(t testing.TB, d Decision) string {
	t.Helper()
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// refuted lists the refuted offers of the world that stand in the registry.
func (w *world) refuted(yield func(barnraise.ServerID, barnraise.ServiceID) bool) {
	for o, s := range w.standing { // in no order
		if s == Refuted && !yield(o.server, o.service) {
			return
		}
	}
}

func (w *world) server(id barnraise.ServerID) barnraise.Server {
	i := slices.IndexFunc(w.servers, func(s barnraise.Server) bool { return s.ID == id })
	if i < 0 || w.servers[i].Status != barnraise.StatusActive {
		return barnraise.Server{}
	}
	return w.servers[i]
}

// apply puts on chain what a decision says, and lets the server remember it.
func (w *world) apply(d Decision) {
	w.in.State = d.Next
	i := slices.IndexFunc(w.servers, func(s barnraise.Server) bool { return s.ID == w.in.Self })
	if i < 0 {
		return
	}
	offers := slices.Clone(w.in.Own)
	for _, h := range d.Next.Hosted {
		offers = append(offers, h.Service)
	}
	slices.Sort(offers)
	w.servers[i].Offers = slices.Compact(offers)
}
