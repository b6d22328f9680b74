package sim

import (
	"math"
	"slices"

	"barnraise"
	"barnraise/barter"
)

// Epoch is what one epoch came to. Replicas are servers that really run a service, its home included; liars and those that
// only claim to are none. Shares are from 0 to 1.
type Epoch struct {
	Epoch           int     `json:"epoch"`
	Cov2            float64 `json:"cov2"`             // share of honest servers' services with at least two replicas
	Cov3            float64 `json:"cov3"`             // and with three
	Changed         float64 `json:"changed"`          // share of the servers that changed their lists
	ExclusiveHonest float64 `json:"exclusive_honest"` // replicas beside the home of services that only their home rewards, homes honest
	ExclusiveFree   float64 `json:"exclusive_free"`   // the same, of free riders
	Tx              float64 `json:"tx"`               // transactions per server: changes of lists, and of ids by whitewashers and newcomers
	Replicas        float64 `json:"replicas"`         // mean, of honest servers' services
	Least           float64 `json:"replicas_p10"`     // the tenth part of them has at most so many
	Given           float64 `json:"given"`            // units that an honest server spends on services of others
	ReceivedHonest  float64 `json:"received_honest"`  // replicas elsewhere of all that a server rewards, mean over honest ones
	ReceivedFree    float64 `json:"received_free"`    // and over free riders
	Gini            float64 `json:"gini"`             // of replicas received for own services by services run for others, honest ones
	Probes          float64 `json:"probes"`           // per server that probes
	Refuted         float64 `json:"probes_refuted"`   // those of them that got no right answer
	ExclusiveWashed float64 `json:"exclusive_washed"` // the same, of whitewashers
	ExclusiveLiars  float64 `json:"exclusive_liars"`  // the same, of liars
}

// mean is a mean that is 0 of nothing.
type mean struct{ sum, n float64 }

func (m *mean) add(v float64) { m.sum, m.n = m.sum+v, m.n+1 }

func (m mean) value() float64 {
	if m.n == 0 {
		return 0
	}
	return rounded(m.sum / m.n)
}

// rounded keeps six places: what lies beyond is no result.
func rounded(v float64) float64 { return math.Round(v*1e6) / 1e6 }

// replicas counts who really runs each service.
func (w *world) replicas() []int {
	n := make([]int, len(w.services))
	for _, s := range w.servers {
		for _, id := range s.runs {
			if s.kind != liar || has(s.own, id) {
				n[id-1]++
			}
		}
	}
	return n
}

// measure takes the figures of the epoch that has just been played.
func (w *world) measure() Epoch {
	replicas := w.replicas()
	e := Epoch{Epoch: int(w.epoch)}
	w.coverage(&e, replicas)
	w.exclusive(&e, replicas)
	w.fairness(&e, replicas)
	w.traffic(&e)
	return e
}

func (w *world) coverage(e *Epoch, replicas []int) {
	var cov2, cov3, all mean
	var each []float64
	for i, s := range w.services {
		if w.servers[s.home].kind != honest {
			continue
		}
		n := replicas[i]
		cov2.add(truth(n >= 2))
		cov3.add(truth(n >= 3))
		all.add(float64(n))
		each = append(each, float64(n))
	}
	e.Cov2, e.Cov3, e.Replicas = cov2.value(), cov3.value(), all.value()
	if slices.Sort(each); len(each) > 0 {
		e.Least = each[len(each)/10]
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// exclusive looks at homes of which nobody else rewards anything: what others run for them is for what they give alone.
func (w *world) exclusive(e *Epoch, replicas []int) {
	var of [liar + 1]mean
	for i, s := range w.services {
		home := w.servers[s.home]
		if !slices.ContainsFunc(home.own, func(id barnraise.ServiceID) bool { return w.services[id-1].rewardedBy > 1 }) {
			of[home.kind].add(float64(replicas[i] - 1))
		}
	}
	e.ExclusiveHonest, e.ExclusiveFree = of[honest].value(), of[freeRider].value()
	e.ExclusiveWashed, e.ExclusiveLiars = of[whitewasher].value(), of[liar].value()
}

func (w *world) fairness(e *Epoch, replicas []int) {
	var given, received, free mean
	var ratios []float64
	for _, s := range w.servers {
		switch got := s.received(replicas); {
		case s.kind == freeRider:
			free.add(got)
		case s.kind == honest:
			received.add(got)
			given.add(w.cost(s.state.Hosted))
			if len(s.own) > 0 {
				ratios = append(ratios, s.ratio(replicas))
			}
		}
	}
	e.Given, e.ReceivedHonest, e.ReceivedFree, e.Gini = given.value(), received.value(), free.value(), rounded(gini(ratios))
}

// received counts the replicas elsewhere of what the server rewards.
func (s *server) received(replicas []int) (n float64) {
	for _, id := range s.rewards {
		n += float64(replicas[id-1])
		if has(s.runs, id) && (s.kind != liar || has(s.own, id)) {
			n--
		}
	}
	return n
}

// ratio is what others run of the server's own services, for each service that it runs of others.
func (s *server) ratio(replicas []int) float64 {
	n := 0.0
	for _, id := range s.own {
		n += float64(replicas[id-1] - 1)
	}
	return n / float64(max(1, len(s.state.Hosted)))
}

func (w *world) cost(hosted []barter.Hosting) (sum float64) {
	for _, h := range hosted {
		sum += float64(w.services[h.Service-1].cost)
	}
	return sum
}

// gini is 0 where all are equal, near 1 where one has everything.
func gini(values []float64) float64 {
	slices.Sort(values)
	n, sum, weighted := float64(len(values)), 0.0, 0.0
	for i, v := range values {
		sum += v
		weighted += float64(i+1) * v
	}
	if sum == 0 {
		return 0
	}
	return 2*weighted/(n*sum) - (n+1)/n
}

func (w *world) traffic(e *Epoch) {
	var probes, refuted mean
	for _, s := range w.servers {
		if s.kind != freeRider && s.kind != whitewasher {
			probes.add(float64(s.asked))
			refuted.add(float64(s.refuted))
		}
	}
	n := float64(len(w.servers))
	e.Changed, e.Tx = rounded(float64(w.changed)/n), rounded(float64(w.changed+w.entered)/n)
	e.Probes, e.Refuted = probes.value(), refuted.value()
}
