package barter

import (
	"cmp"
	"slices"

	"barnraise"
)

// twin is the planner once more, as the formulas have it: no index, everything counted again each time it is asked for.
type twin struct {
	*world
	in      Input
	own     []barnraise.ServiceID
	hosted  []Hosting
	stopped map[barnraise.ServiceID]bool
	backoff map[barnraise.ServiceID]Backoff
	owed    map[barnraise.ServerID]int
	started []barnraise.ServiceID
	gained  float64
	actions []Action // without reasons
}

func (w twin) active(id barnraise.ServiceID) bool {
	return slices.ContainsFunc(w.services, func(s barnraise.Service) bool {
		_, ok := s.Active(w.block)
		return s.ID == id && ok && s.Status != barnraise.StatusGone
	})
}

func (w twin) home(id barnraise.ServiceID) barnraise.ServerID {
	for _, s := range w.services {
		if s.ID == id && w.active(id) {
			return s.Revisions[0].Home
		}
	}
	return 0
}

func (w twin) cost(id barnraise.ServiceID) int { return int(max(1, w.facts[id].Cost)) }
func (w twin) k(id barnraise.ServiceID) int    { return max(4, w.facts[id].MinRequests+2) }

// others lists the active servers but this one.
func (w twin) others() (list []barnraise.Server) {
	for _, s := range w.servers {
		if s.ID != w.in.Self && s.Status == barnraise.StatusActive {
			list = append(list, s)
		}
	}
	return list
}

func (w twin) live(id barnraise.ServiceID) (n int) {
	for _, s := range w.others() {
		if slices.Contains(s.Offers, id) && w.weight[s.ID] > 0 && w.standing[offer{s.ID, id}] != Refuted {
			n++
		}
	}
	return n
}

func (w twin) v(id barnraise.ServiceID) float64 {
	return min(1, float64(w.k(id))/float64(max(1, w.live(id))))
}

// services that x runs for us, confirmed.
func (w twin) got(x barnraise.Server) (list []barnraise.ServiceID) {
	if x.ID == w.in.Self || w.weight[x.ID] == 0 {
		return nil
	}
	for _, id := range w.world.server(w.in.Self).Rewards {
		if slices.Contains(x.Offers, id) && w.standing[offer{x.ID, id}] == Confirmed {
			list = append(list, id)
		}
	}
	return list
}

func (w twin) running() []barnraise.ServiceID {
	list := slices.Concat(w.own, w.started)
	for _, h := range w.hosted {
		list = append(list, h.Service)
	}
	return list
}

func (w twin) slack(x barnraise.Server) int {
	n := min(len(w.got(x)), len(x.Rewards))
	for _, id := range x.Rewards {
		if slices.Contains(w.running(), id) {
			n--
		}
	}
	return n
}

func (w twin) dear(x barnraise.Server, id barnraise.ServiceID) bool {
	var costs []int
	for _, s := range w.got(x) {
		costs = append(costs, w.cost(s))
	}
	slices.Sort(costs)
	return w.cost(id) > 4*costs[(len(costs)-1)/2]
}

func (w twin) loss(id barnraise.ServiceID) (sum float64) {
	for _, x := range w.others() {
		if slices.Contains(x.Rewards, id) && len(w.got(x)) > 0 && w.slack(x) >= 0 {
			sum += w.weight[x.ID]
		}
	}
	return sum * w.v(id)
}

func (w twin) used() (n int) {
	for _, id := range w.started {
		n += w.cost(id)
	}
	for _, h := range w.hosted {
		n += w.cost(h.Service)
	}
	return n
}

func (w twin) serves(id barnraise.ServiceID) (ids []barnraise.ServerID) {
	for _, x := range w.others() {
		if slices.Contains(x.Rewards, id) && len(w.got(x)) > 0 {
			ids = append(ids, x.ID)
		}
	}
	return ids
}

func (w twin) eligible(x barnraise.Server) bool {
	if w.weight[x.ID] == 0 {
		return false
	}
	given, received := 0, 0
	for _, id := range x.Offers {
		if w.home(id) != x.ID && w.standing[offer{x.ID, id}] == Confirmed {
			given++
		}
	}
	for _, y := range w.servers {
		for _, id := range y.Offers {
			ours := y.ID == w.in.Self
			if y.ID != x.ID && y.Status == barnraise.StatusActive && w.home(id) == x.ID && (ours || w.standing[offer{y.ID, id}] != Refuted) {
				received++
			}
		}
	}
	return w.age[x.ID] <= 12 || given > 0 && float64(given) >= .5*float64(received)
}

func (w twin) wishers(id barnraise.ServiceID) (ids []barnraise.ServerID) {
	for _, x := range w.others() {
		if slices.Contains(x.Rewards, id) && w.eligible(x) {
			ids = append(ids, x.ID)
		}
	}
	return ids[:min(8, len(ids))]
}

func (w *twin) stop(id barnraise.ServiceID) {
	w.stopped[id] = true
	w.hosted = slices.DeleteFunc(w.hosted, func(h Hosting) bool { return h.Service == id })
	w.actions = append(w.actions, Action{Verb: Stop, Service: id, For: w.serves(id)})
}

// cheapest of those that may go: by loss for cost.
func (w *twin) cheapest(may func(Hosting) bool) (ids []barnraise.ServiceID) {
	for _, h := range w.hosted {
		if may(h) {
			ids = append(ids, h.Service)
		}
	}
	slices.SortFunc(ids, func(a, b barnraise.ServiceID) int {
		return cmp.Or(cmp.Compare(w.loss(a)/float64(w.cost(a)), w.loss(b)/float64(w.cost(b))), cmp.Compare(a, b))
	})
	return ids
}

// gain of starting a service, and who is paid by it.
func (w *twin) gain(id barnraise.ServiceID) (gain float64, pays []barnraise.ServerID) {
	sum, any := 0.0, false
	for _, x := range w.others() {
		if w.owed[x.ID] > 0 && slices.Contains(x.Rewards, id) {
			pays = append(pays, x.ID)
			if !w.dear(x, id) {
				sum, any = sum+w.weight[x.ID], true
			}
		}
	}
	if !any {
		return 0, nil
	}
	return w.v(id) * (sum + .5*max(0, 1-float64(w.live(id))/float64(w.k(id)))), pays
}

// room lists what would have to go for a service; false where it cannot be started.
func (w *twin) room(id barnraise.ServiceID, gain float64) (drop []barnraise.ServiceID, ok bool) {
	free, lost := int(w.in.Capacity)-w.used(), 0.0
	for _, h := range w.cheapest(func(h Hosting) bool { return w.in.Epoch-h.Since >= 4 }) {
		if free < w.cost(id) {
			drop, free, lost = append(drop, h), free+w.cost(h), lost+w.loss(h)
		}
	}
	return drop, free >= w.cost(id) && (len(drop) == 0 || gain > 1.25*lost)
}

func (w *twin) may(id barnraise.ServiceID) bool {
	return w.active(id) && !slices.Contains(w.running(), id) && !w.stopped[id] && w.facts[id].Refused == ""
}

// pay starts one service that pays, the best; false where there is none.
func (w *twin) pay() bool {
	best, gains := barnraise.ServiceID(0), 0.0
	for _, s := range w.services {
		g, _ := w.gain(s.ID)
		if _, ok := w.room(s.ID, g); !w.may(s.ID) || g == 0 || !ok {
			continue
		}
		if best == 0 || cmp.Or(
			cmp.Compare(gains/float64(w.cost(best)), g/float64(w.cost(s.ID))), cmp.Compare(w.live(s.ID), w.live(best)),
			cmp.Compare(tie(w.in.Self, s.ID), tie(w.in.Self, best))) < 0 {
			best, gains = s.ID, g
		}
	}
	if best == 0 {
		return false
	}
	w.start(best)
	return true
}

func (w *twin) start(best barnraise.ServiceID) {
	gain, pays := w.gain(best)
	drop, _ := w.room(best, gain)
	lost := 0.0
	for _, id := range drop {
		lost += w.loss(id)
	}
	for _, id := range drop {
		w.stop(id)
	}
	w.gained = w.gained - lost + gain
	for _, x := range pays {
		w.owed[x]--
	}
	w.started = append(w.started, best)
	w.actions = append(w.actions, Action{Verb: Start, Service: best, For: pays})
}

// single is what is worth most of what fits as it is.
func (w *twin) single() (best barnraise.ServiceID, most float64) {
	for _, s := range w.services {
		g, _ := w.gain(s.ID)
		if !w.may(s.ID) || g == 0 || w.used()+w.cost(s.ID) > int(w.in.Capacity) {
			continue
		}
		if best == 0 || cmp.Or(
			cmp.Compare(most, g), cmp.Compare(w.cost(s.ID), w.cost(best)), cmp.Compare(w.live(s.ID), w.live(best)),
			cmp.Compare(tie(w.in.Self, s.ID), tie(w.in.Self, best))) < 0 {
			best, most = s.ID, g
		}
	}
	return best, most
}

// expire stops what nothing has justified for too long.
func (w *twin) expire() {
	for i := range w.hosted {
		h := &w.hosted[i]
		justified := len(w.serves(h.Service)) > 0
		if len(w.world.server(w.in.Self).Rewards) == 0 {
			justified = len(w.wishers(h.Service)) > 0
		}
		if justified {
			h.Justified, h.Idle = h.Justified || h.Since < w.in.Epoch, 0
			delete(w.backoff, h.Service)
		} else if h.Idle == 0 {
			h.Idle = w.in.Epoch
		}
	}
	for _, h := range slices.Clone(w.hosted) {
		if h.Idle != 0 && w.in.Epoch-h.Idle+1 > 4 {
			w.stop(h.Service)
			strikes := min(w.backoff[h.Service].Strikes+1, 6)
			w.backoff[h.Service] = Backoff{strikes, w.in.Epoch + 4<<strikes}
		}
	}
}
