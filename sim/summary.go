package sim

import "slices"

// A network counts as settled where fewer than one server in a hundred changes its lists, in the mean of five epochs.
const (
	settled = 0.01
	steady  = 5
)

// last is how many epochs a summary is the mean of.
const last = 20

// Summary is the mean of the last twenty epochs, or of all where they are fewer, and what world they are of.
type Summary struct {
	Epoch
	Summary   bool `json:"summary"`   // true
	Converged int  `json:"converged"` // first of the epochs in which the network was settled; 0 where it never was

	Servers      int     `json:"servers"`
	Services     int     `json:"services"`
	FreeRiders   float64 `json:"free_riders"`
	Whitewashers float64 `json:"whitewashers"`
	Liars        float64 `json:"liars"`
	Churn        float64 `json:"churn"`
	Seed         uint64  `json:"seed"`

	Histogram []int `json:"histogram"` // services with 1, 2, 3 … replicas at the end; the last count is of those with more
}

// tally keeps what a summary needs.
type tally struct {
	options   Options
	recent    []Epoch
	converged int
}

func (t *tally) add(e Epoch) {
	if t.recent = append(t.recent, e); len(t.recent) > last {
		t.recent = t.recent[1:]
	}
	if n := len(t.recent) - steady; t.converged == 0 && n >= 0 {
		if mean := average(t.recent[n:]); mean.Changed < settled {
			t.converged = t.recent[n].Epoch
		}
	}
}

func (t *tally) summary(replicas []int) Summary {
	o := t.options
	return Summary{
		Epoch: average(t.recent), Summary: true, Converged: t.converged, Servers: o.Servers, Services: o.Services,
		FreeRiders: o.FreeRiders, Whitewashers: o.Whitewashers, Liars: o.Liars, Churn: o.Churn, Seed: o.Seed,
		Histogram: histogram(replicas),
	}
}

// average is the mean of each figure, of the last epoch's number.
func average(list []Epoch) Epoch {
	sum := Epoch{Epoch: list[len(list)-1].Epoch}
	for _, f := range figures(&sum) {
		*f = 0
	}
	for _, e := range list {
		from := figures(&e)
		for i, f := range figures(&sum) {
			*f += *from[i]
		}
	}
	for _, f := range figures(&sum) {
		*f = rounded(*f / float64(len(list)))
	}
	return sum
}

// figures are the places of all that is measured, in the order in which they are printed.
func figures(e *Epoch) []*float64 {
	return []*float64{
		&e.Cov2, &e.Cov3, &e.Changed, &e.ExclusiveHonest, &e.ExclusiveFree, &e.Tx, &e.Replicas, &e.Least, &e.Given, &e.ReceivedHonest,
		&e.ReceivedFree, &e.Gini, &e.Probes, &e.Refuted, &e.ExclusiveWashed, &e.ExclusiveLiars,
	}
}

// most is how many replicas a histogram tells apart.
const most = 20

func histogram(replicas []int) []int {
	counts := make([]int, most+1)
	for _, n := range replicas {
		counts[min(max(n, 1), most+1)-1]++
	}
	return slices.Clip(counts)
}
