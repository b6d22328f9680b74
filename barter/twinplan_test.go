package barter

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"barnraise"
)

// advance starts one service that nobody has answered, the rarest; false where there is none.
func (w *twin) advance(advances *int) bool {
	best := barnraise.ServiceID(0)
	budget := max(1, int(math.Ceil(.5*float64(w.in.Capacity))))
	for _, s := range w.services {
		id := s.ID
		if !w.may(id) || w.backoff[id].Until > w.in.Epoch || w.live(id) >= w.k(id) || *advances+w.cost(id) > budget ||
			w.used()+w.cost(id) > int(w.in.Capacity) || len(w.wishers(id)) == 0 {
			continue
		}
		if best == 0 || cmp.Or(
			cmp.Compare(w.live(id), w.live(best)),
			cmp.Compare(tie(w.in.Self, id), tie(w.in.Self, best))) < 0 {
			best = id
		}
	}
	if best == 0 {
		return false
	}
	*advances += w.cost(best)
	w.started = append(w.started, best)
	w.actions = append(w.actions, Action{Verb: Start, Service: best, For: w.wishers(best)})
	return true
}

// twin is the plan of the twin, without reasons.
func (w *world) twin() []Action {
	t, single, most := w.twinPays(0)
	if most > t.gained {
		t, _, _ = w.twinPays(single)
	}
	return t.finish()
}

// twinPays is the twin when it has paid; single is what had been worth most by itself.
func (w *world) twinPays(first barnraise.ServiceID) (t *twin, single barnraise.ServiceID, most float64) {
	t = &twin{world: w, in: w.in, own: w.in.Own, stopped: map[barnraise.ServiceID]bool{}, owed: map[barnraise.ServerID]int{}}
	t.backoff = map[barnraise.ServiceID]Backoff{}
	for id, b := range w.in.State.Backoff {
		t.backoff[id] = b
	}
	for _, h := range w.in.State.Hosted {
		if !slices.Contains(t.own, h.Service) {
			t.hosted = append(t.hosted, h)
		}
	}
	for _, h := range slices.Clone(t.hosted) {
		if !t.active(h.Service) || t.facts[h.Service].Refused != "" {
			t.stop(h.Service)
		}
	}
	t.expire()
	for t.used() > int(t.in.Capacity) {
		t.stop(t.cheapest(func(Hosting) bool { return true })[0])
	}
	for _, x := range t.others() {
		if len(t.got(x)) > 0 {
			t.owed[x.ID] = max(0, t.slack(x))
		}
	}
	if t.in.Idle != "" {
		return t, 0, 0
	}
	single, most = t.single()
	if first != 0 {
		t.start(first)
	}
	for t.pay() {
	}
	return t, single, most
}

func (t *twin) finish() []Action {
	if t.in.Idle == "" {
		advances := 0
		for _, h := range t.hosted {
			if !h.Justified {
				advances += t.cost(h.Service)
			}
		}
		for t.advance(&advances) {
		}
	}
	for _, h := range t.hosted {
		whom := t.serves(h.Service)
		if len(whom) == 0 {
			whom = t.wishers(h.Service)
		}
		t.actions = append(t.actions, Action{Verb: Keep, Service: h.Service, For: whom})
	}
	for x, n := range t.owed {
		if n > 0 {
			t.actions = append(t.actions, Action{Verb: Unpaid, For: ids(x)})
		}
	}
	return arranged(t.actions)
}

// arranged puts actions in the order of a decision.
func arranged(actions []Action) []Action {
	order := []Verb{Stop, Start, Keep, Unpaid}
	slices.SortFunc(actions, func(a, b Action) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Verb), slices.Index(order, b.Verb)), cmp.Compare(a.Service, b.Service),
			slices.Compare(a.For, b.For))
	})
	return actions
}

func sameActions(a, b []Action) bool {
	return slices.EqualFunc(a, b, func(a, b Action) bool {
		return a.Verb == b.Verb && a.Service == b.Service && slices.Equal(a.For, b.For)
	})
}

// comparePlans: three epochs in a row, what is planned being done.
func comparePlans(t *testing.T, seed uint64) {
	t.Helper()
	w := draw(seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for round := range 3 {
		in := w.in
		in.View = w.view(r)
		d := Plan(in)
		if want := w.twin(); !sameActions(d.Actions, want) {
			t.Fatalf("seed %d, round %d: plan\n%stwin\n%s", seed, round, written(d.Actions), written(want))
		}
		w.apply(d)
		w.in.Epoch++
	}
}
