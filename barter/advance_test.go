package barter

import (
	"testing"

	"barnraise"
)

// TestTheLotIsDrawnAnew: a server considers all of few services and about 96 of many, others in the next epoch, others than its
// neighbour.
func TestTheLotIsDrawnAnew(t *testing.T) {
	for id := barnraise.ServiceID(1); id <= lot; id++ {
		if !drawn(7, id, 3, lot) {
			t.Errorf("service %d is not in the lot of all %d", id, lot)
		}
	}
	const n = 5000
	count := func(in func(barnraise.ServiceID) bool) (count int) {
		for id := barnraise.ServiceID(1); id <= n; id++ {
			if in(id) {
				count++
			}
		}
		return count
	}
	for _, c := range []struct {
		name        string
		in          func(barnraise.ServiceID) bool
		least, most int
	}{
		{"one lot", func(id barnraise.ServiceID) bool { return drawn(7, id, 3, n) }, 60, 140},
		{"in the next epoch too", func(id barnraise.ServiceID) bool { return drawn(7, id, 3, n) && drawn(7, id, 4, n) }, 0, 10},
		{"the neighbour's too", func(id barnraise.ServiceID) bool { return drawn(7, id, 3, n) && drawn(8, id, 3, n) }, 0, 10},
	} {
		if got := count(c.in); got < c.least || got > c.most {
			t.Errorf("%s: %d of %d services, want %d to %d", c.name, got, n, c.least, c.most)
		}
	}
}
