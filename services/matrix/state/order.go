package state

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
)

// byPower sorts events in reverse topological power ordering. Events that are not asked for are passed as soon as what they
// rest on has been, so that an event stands behind all that is in its auth chain.
func (r *resolution) byPower(wanted set) []int32 {
	waits := make([]int, len(r.events))
	blocks := make([][]int32, len(r.events))
	q := &queue{resolution: r, power: make([]int64, len(r.events))}
	var free []int32
	release := func(i int32) {
		if wanted.has(i) {
			q.power[i] = r.rules.Level(r.events[i].Sender, r.at(r.creates[i]), r.at(r.power[i]))
			heap.Push(q, i)
		} else {
			free = append(free, i)
		}
	}
	for i, list := range r.auth {
		waits[i] = len(list)
		for _, a := range list {
			blocks[a] = append(blocks[a], int32(i))
		}
		if len(list) == 0 {
			release(int32(i))
		}
	}
	var sorted []int32
	for len(free) > 0 || q.Len() > 0 {
		var next int32
		if n := len(free); n > 0 {
			next, free = free[n-1], free[:n-1]
		} else {
			next = heap.Pop(q).(int32)
			sorted = append(sorted, next)
		}
		for _, i := range blocks[next] {
			if waits[i]--; waits[i] == 0 {
				release(i)
			}
		}
	}
	return sorted
}

// queue holds the events that may come next.
type queue struct {
	*resolution
	power []int64 // by event: the level of its sender
	list  []int32
}

func (q *queue) Len() int           { return len(q.list) }
func (q *queue) Swap(i, j int)      { q.list[i], q.list[j] = q.list[j], q.list[i] }
func (q *queue) Push(x any)         { q.list = append(q.list, x.(int32)) }
func (q *queue) Less(i, j int) bool { return q.compare(q.list[i], q.list[j]) < 0 }

func (q *queue) Pop() any {
	last := len(q.list) - 1
	x := q.list[last]
	q.list = q.list[:last]
	return x
}

func (q *queue) compare(a, b int32) int {
	return cmp.Or(cmp.Compare(q.power[b], q.power[a]), q.older(a, b))
}

// older compares events by their times and, where these are the same, by their IDs.
func (g *graph) older(a, b int32) int {
	x, y := g.events[a], g.events[b]
	return cmp.Or(cmp.Compare(x.OriginServerTS, y.OriginServerTS), cmp.Compare(x.ID, y.ID))
}

// byMainline sorts events in the mainline ordering based on the power levels that hold now.
func (r *resolution) byMainline(wanted set) []int32 {
	position := make([]int, len(r.events)) // by event: where on the mainline it stands or, if it does not, what it rests on
	for i := range position {
		position[i] = math.MaxInt
	}
	if place, ok := r.places[keyOfPower]; ok {
		for i, n := r.held[place], 0; i != nobody; i, n = r.power[i], n+1 {
			position[i] = n
		}
	}
	rests := make([]int, len(r.events)) // by event: its mainline position
	for i, p := range r.power {         // which stands before i
		rests[i] = math.MaxInt
		if p != nobody {
			rests[i] = min(position[p], rests[p])
		}
	}
	return slices.SortedFunc(wanted.all, func(a, b int32) int {
		return cmp.Or(cmp.Compare(rests[b], rests[a]), r.older(a, b))
	})
}
