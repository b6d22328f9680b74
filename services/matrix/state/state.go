// Package state resolves the state of a Matrix room where servers do not agree on it: state resolution version 2, of room
// versions 2 to 11, and version 2.1, of room version 12 (rooms/v2 and rooms/v12, "State resolution").
//
// The terms are those of the specification, taken by the letter. In particular an event is not part of its own auth chain, and
// so an event that all states agree on can be in the auth difference.
//
// Events are numbered so that each stands behind its auth events, and a set of events is a row of bits: an auth chain is made
// of those of the event's auth events, once.
package state

import (
	"cmp"
	"errors"
	"slices"

	"barnraise/services/matrix/auth"
	"barnraise/services/matrix/event"
)

// MaxEvents is how many events may be given.
const MaxEvents = 5000

// The errors of [Resolve] that say no more.
var (
	ErrVersion  = errors.New("no state resolution of this version")
	ErrCycle    = errors.New("an event is in its own auth chain")
	ErrTooLarge = errors.New("too many events or signatures")
)

// MissingError names an event that a state, an event's auth events or, from version 12 on, its room ID ask for and that was
// not given. Where several are missing it is the one with the least ID.
type MissingError struct{ ID string }

// Error names the event.
func (e *MissingError) Error() string { return "missing event " + e.ID }

// TwiceError names an ID under which two different events were given.
type TwiceError struct{ ID string }

// Error names the ID.
func (e *TwiceError) Error() string { return "two events " + e.ID }

// SetError says why a list of events is no state: the event is no state event, or another one stands in the same place.
type SetError struct {
	Set    int // which list, from 0
	ID     string
	Reason string
}

// Error names the event and what is wrong with it.
func (e *SetError) Error() string { return "event " + e.ID + ": " + e.Reason }

// Result is a resolved state, and how it came about.
type Result struct {
	State          []Entry // sorted by type and state key
	Trace          []Step  // in the order in which the events were checked
	Conflicted     int     // events in the conflicted state set
	AuthDifference int     // events in the auth difference
}

// Entry says which event holds a place in a room's state.
type Entry struct{ Type, Key, ID string }

// The phases of a resolution.
const (
	Power    = "power"    // the power events and what they rest on
	Mainline = "mainline" // all others
)

// Step is one check of an event against the state as far as it was resolved.
type Step struct {
	ID, Phase, Rule string
	Allowed         bool
}

// Resolve makes one state of several, each a list of the IDs of its events. The order of events, states and lists does not
// matter. The auth chains of all events in the states have to be among the events given; others are ignored. An event that
// rejected names counts for nothing where the rules want to know what held at another event; rejected may be nil.
//
// It fails with a [*MissingError], [*TwiceError] or [*SetError], or with [ErrVersion], [ErrCycle] or [ErrTooLarge].
func Resolve(v event.Version, events []*event.Event, states [][]string, rejected func(id string) bool) (Result, error) {
	if v < 2 {
		return Result{}, ErrVersion
	}
	if len(events) > MaxEvents {
		return Result{}, ErrTooLarge
	}
	g, err := newGraph(v, events, states)
	if err != nil {
		return Result{}, err
	}
	if rejected == nil {
		rejected = func(string) bool { return false }
	}
	c, err := g.compare(states)
	if err != nil {
		return Result{}, err
	}
	r := resolution{graph: g, rules: auth.New(v, auth.MaxSignatures), rejected: rejected}
	r.resolve(c)
	if r.rules.Exhausted() {
		return Result{}, ErrTooLarge
	}
	return Result{r.entries(), r.trace, c.conflicted.count(), c.difference.count()}, nil
}

// nobody is who holds a place that is empty.
const nobody = int32(-1)

// resolution is a resolution under way.
type resolution struct {
	*graph
	rules    *auth.Rules
	rejected func(id string) bool
	held     []int32 // by place: the event that holds it
	trace    []Step
}

// resolve is the algorithm, steps 1 to 5.
func (r *resolution) resolve(c comparison) {
	r.held = slices.Repeat([]int32{nobody}, len(r.places))
	if r.version < 12 {
		copy(r.held, c.agreed)
	}
	if c.conflicted.count() > 0 {
		full := c.full(r.graph)
		first := r.powerful(full)
		r.apply(Power, r.byPower(first))
		full.without(first)
		r.apply(Mainline, r.byMainline(full))
	}
	for place, e := range c.agreed {
		if e != nobody {
			r.held[place] = e
		}
	}
}

// apply is the iterative auth checks.
func (r *resolution) apply(phase string, list []int32) {
	for _, i := range list {
		e := r.events[i]
		d := r.rules.Created() // rule 1 asks for nothing but the event, which passed it when it was accepted
		if e.Type != auth.Create {
			d = r.rules.Check(e, func(k event.Key) *event.Event { return r.before(i, k) })
		}
		if d.Allowed {
			r.held[r.place[i]] = i
		}
		r.trace = append(r.trace, Step{e.ID, phase, d.Rule, d.Allowed})
	}
}

// before is the event that holds a place when event i is checked: in the state as far as it is resolved, or else among the
// event's own auth events.
func (r *resolution) before(i int32, k event.Key) *event.Event {
	if r.version >= 12 && k.Type == auth.Create {
		return r.at(r.creates[i])
	}
	place, ok := r.places[k]
	if !ok {
		return nil
	}
	if e := r.at(r.held[place]); e != nil && !r.rejected(e.ID) {
		return e
	}
	for _, a := range slices.Backward(r.auth[i]) {
		if r.place[a] == place && !r.rejected(r.events[a].ID) {
			return r.events[a]
		}
	}
	return nil
}

func (r *resolution) entries() []Entry {
	list := []Entry{}
	for key, place := range r.places {
		if e := r.at(r.held[place]); e != nil {
			list = append(list, Entry{key.Type, key.StateKey, e.ID})
		}
	}
	slices.SortFunc(list, func(a, b Entry) int { return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Key, b.Key)) })
	return list
}
