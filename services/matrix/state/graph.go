package state

import (
	"bytes"
	"slices"
	"strings"

	"barnraise/services/matrix/auth"
	"barnraise/services/matrix/canonical"
	"barnraise/services/matrix/event"
)

// graph is the events that a resolution needs, numbered so that each stands behind its auth events.
type graph struct {
	version event.Version
	events  []*event.Event
	number  map[string]int32    // of an event, by its ID
	auth    [][]int32           // by event: its auth events, in their order
	chain   []set               // by event: its auth chain
	places  map[event.Key]int32 // the numbers of the places in the room's state
	place   []int32             // by event: its place, or nobody's
	power   []int32             // by event: the power levels among its auth events, or nobody
	creates []int32             // by event: the create event of its room, or nobody
}

// newGraph reads the auth chains of all events in the states.
func newGraph(v event.Version, events []*event.Event, states [][]string) (*graph, error) {
	byID, err := index(events)
	if err != nil {
		return nil, err
	}
	needed, err := reach(v, byID, states)
	if err != nil {
		return nil, err
	}
	g := &graph{version: v, number: make(map[string]int32, len(needed)), places: map[event.Key]int32{}}
	if err := g.sort(needed); err != nil {
		return nil, err
	}
	for i := range g.events {
		g.link(int32(i))
	}
	return g, nil
}

// at is the event with that number, nil where that is nobody.
func (g *graph) at(i int32) *event.Event {
	if i == nobody {
		return nil
	}
	return g.events[i]
}

func index(events []*event.Event) (map[string]*event.Event, error) {
	byID := make(map[string]*event.Event, len(events))
	for _, e := range events {
		if old := byID[e.ID]; old != nil && !same(old.JSON, e.JSON) {
			return nil, &TwiceError{e.ID}
		}
		byID[e.ID] = e
	}
	return byID, nil
}

func same(a, b canonical.Value) bool {
	x, _ := a.Append(nil, false)
	y, _ := b.Append(nil, false)
	return bytes.Equal(x, y)
}

// reach is the events of the states and all that they rest on.
func reach(v event.Version, byID map[string]*event.Event, states [][]string) ([]*event.Event, error) {
	var found []*event.Event
	var missing []string
	seen := map[string]bool{}
	visit := func(ids ...string) {
		for _, id := range ids {
			if seen[id] {
				continue
			}
			seen[id] = true
			if e := byID[id]; e != nil {
				found = append(found, e)
			} else {
				missing = append(missing, id)
			}
		}
	}
	for _, s := range states {
		visit(s...)
	}
	for i := 0; i < len(found); i++ { // found grows
		visit(found[i].AuthEvents...)
		if id, ok := createOf(v, found[i]); ok {
			visit(id)
		}
	}
	if len(missing) > 0 {
		return nil, &MissingError{slices.Min(missing)}
	}
	return found, nil
}

// createOf is the ID of the create event that an event's room ID is made of. Before version 12 it is made of none.
func createOf(v event.Version, e *event.Event) (string, bool) {
	id, ok := strings.CutPrefix(e.Room, "!")
	return "$" + id, ok && v >= 12
}

// sort numbers the events.
func (g *graph) sort(events []*event.Event) error {
	waits := make(map[string]int, len(events)) // for how many auth events
	blocks := make(map[string][]*event.Event, len(events))
	for _, e := range events {
		waits[e.ID] = len(e.AuthEvents)
		for _, a := range e.AuthEvents {
			blocks[a] = append(blocks[a], e)
		}
		if len(e.AuthEvents) == 0 {
			g.events = append(g.events, e)
		}
	}
	for i := 0; i < len(g.events); i++ { // it grows
		id := g.events[i].ID
		g.number[id] = int32(i)
		for _, e := range blocks[id] {
			if waits[e.ID]--; waits[e.ID] == 0 {
				g.events = append(g.events, e)
			}
		}
	}
	if len(g.events) < len(events) {
		return ErrCycle
	}
	return nil
}

// link finds what event i rests on. Those before it are linked.
func (g *graph) link(i int32) {
	e := g.events[i]
	place, power, create := nobody, nobody, nobody
	if k, ok := e.Key(); ok {
		place = g.placeOf(k)
	}
	if id, ok := createOf(g.version, e); ok {
		create = g.number[id]
	}
	list := make([]int32, len(e.AuthEvents))
	chain := newSet(int(i))
	for j, id := range e.AuthEvents {
		a := g.number[id]
		list[j] = a
		chain.join(g.chain[a])
		chain.add(a)
		switch k, ok := g.events[a].Key(); {
		case ok && k == keyOfPower && power == nobody:
			power = a
		case ok && k == keyOfCreate && create == nobody:
			create = a
		}
	}
	g.auth, g.chain, g.place = append(g.auth, list), append(g.chain, chain), append(g.place, place)
	g.power, g.creates = append(g.power, power), append(g.creates, create)
}

var (
	keyOfPower  = event.Key{Type: auth.PowerLevels}
	keyOfCreate = event.Key{Type: auth.Create}
)

func (g *graph) placeOf(k event.Key) int32 {
	place, ok := g.places[k]
	if !ok {
		place = int32(len(g.places))
		g.places[k] = place
	}
	return place
}
