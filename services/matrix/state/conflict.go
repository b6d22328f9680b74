package state

import (
	"slices"

	"barnraise/services/matrix/auth"
)

// comparison is what states have in common and what not.
type comparison struct {
	agreed     []int32 // the unconflicted state map, by place
	conflicted set     // the conflicted state set
	difference set     // the auth difference
}

// compare splits the states. It fails with a [*SetError].
func (g *graph) compare(states [][]string) (comparison, error) {
	n := len(g.events)
	c := comparison{slices.Repeat([]int32{nobody}, len(g.places)), newSet(n), newSet(n)}
	in := make([]int, n) // by event: in how many states it is
	common, chain := newSet(n), newSet(n)
	for i, s := range states {
		list, err := g.read(i, s)
		if err != nil {
			return comparison{}, err
		}
		clear(chain)
		for _, e := range list {
			in[e]++
			chain.join(g.chain[e])
		}
		c.difference.join(chain)
		if i == 0 {
			common.join(chain)
		}
		common.meet(chain)
	}
	c.difference.without(common)
	for i, count := range in {
		switch count {
		case 0:
		case len(states):
			c.agreed[g.place[i]] = int32(i)
		default:
			c.conflicted.add(int32(i))
		}
	}
	return c, nil
}

// read is the numbers of the events of a state.
func (g *graph) read(number int, state []string) ([]int32, error) {
	held := make(map[int32]int32, len(state))
	list := make([]int32, 0, len(state))
	for _, id := range state {
		e := g.number[id]
		place := g.place[e]
		if place == nobody {
			return nil, &SetError{number, id, "is no state event"}
		}
		if other, ok := held[place]; !ok {
			held[place] = e
			list = append(list, e)
		} else if other != e {
			return nil, &SetError{number, id, "stands in the place of " + g.events[other].ID}
		}
	}
	return list, nil
}

// full is the full conflicted set, as far as it is state events.
func (c comparison) full(g *graph) set {
	full := newSet(len(g.events))
	full.join(c.conflicted)
	full.join(c.difference)
	if g.version >= 12 {
		full.join(g.between(c.conflicted))
	}
	for i := range full.all {
		if g.place[i] == nobody {
			full.remove(i)
		}
	}
	return full
}

// between is the conflicted state subgraph: the events on the paths along auth events from one event of the set to another.
func (g *graph) between(ends set) set {
	below := newSet(len(g.events))
	for i := range ends.all {
		below.join(g.chain[i])
	}
	found := newSet(len(g.events))
	for i := range below.all {
		if ends.has(i) || g.chain[i].meets(ends) {
			found.add(i)
		}
	}
	return found
}

// powerful is the power events of a set, together with what is in the set of their auth chains.
func (g *graph) powerful(full set) set {
	found := newSet(len(g.events))
	for i := range full.all {
		if g.isPower(i) {
			found.join(g.chain[i])
			found.add(i)
		}
	}
	found.meet(full)
	return found
}

// isPower reports whether an event is a power event: one that may take from somebody what he may do.
func (g *graph) isPower(i int32) bool {
	e := g.events[i]
	switch e.Type {
	case auth.PowerLevels, auth.JoinRules:
		return true
	case auth.Member:
		m, _ := e.Content.Get("membership").Str()
		return (m == "leave" || m == "ban") && e.Sender != *e.StateKey
	}
	return false
}
