package auth

import (
	"errors"

	"barnraise/services/matrix/event"
)

// MaxSignatures is how many signatures of third parties one question may come to.
const MaxSignatures = 100

// ErrSignatures says that a question takes more than [MaxSignatures] to answer.
var ErrSignatures = errors.New("too many signatures")

// TwiceError says that two events hold the same place in what is given as one state.
type TwiceError struct{ Key event.Key }

// Error names the place.
func (e *TwiceError) Error() string { return "two events for " + e.Key.Type + " " + e.Key.StateKey }

// Check decides whether an event is allowed in the state of its room before it, by all rules of that room version. The events
// named are those under the event's auth_events, and rejected says which of all these were rejected when they arrived; nil is
// none of them.
//
// Where no state is given, the named events are the state: a server checks an event that arrives in this way first. It fails
// with [ErrSignatures], or with a [*TwiceError] where state is none.
func Check(v event.Version, e *event.Event, named, state []*event.Event, rejected func(id string) bool) (Decision, error) {
	if rejected == nil {
		rejected = func(string) bool { return false }
	}
	places, err := placesOf(state)
	if err != nil {
		return Decision{}, err
	}
	r := New(v, MaxSignatures)
	if e.Type != Create && v.RoomFromCreate() && r.roomless(e, named, state, rejected) {
		return reject(r.text.room), nil
	}
	if d := r.CheckAuthEvents(e, named, rejected); !d.Allowed {
		return d, nil
	}
	if len(places) == 0 {
		places, _ = placesOf(named) // of which no two are alike: they were checked
	}
	create := created(e, named, state)
	d := r.Check(e, func(k event.Key) *event.Event {
		if k == keyOfCreate && places[k] == nil {
			return create
		}
		return places[k]
	})
	if r.exhausted {
		return Decision{}, ErrSignatures
	}
	return d, nil
}

var keyOfCreate = event.Key{Type: Create}

func placesOf(state []*event.Event) (map[event.Key]*event.Event, error) {
	places := make(map[event.Key]*event.Event, len(state))
	for _, s := range state {
		k, ok := s.Key()
		if !ok {
			continue
		}
		if old := places[k]; old != nil && old.ID != s.ID {
			return nil, &TwiceError{k}
		}
		places[k] = s
	}
	return places, nil
}

// created is the create event of an event's room, which may stand among the named events alone.
func created(e *event.Event, lists ...[]*event.Event) *event.Event {
	for _, list := range lists {
		for _, s := range list {
			if k, ok := s.Key(); ok && k == keyOfCreate && s.Room == e.Room {
				return s
			}
		}
	}
	return nil
}

// roomless is rule 2 of version 12: whether there is no accepted create event that the event's room ID is made of.
func (r *Rules) roomless(e *event.Event, named, state []*event.Event, rejected func(id string) bool) bool {
	create := created(e, named, state)
	return create == nil || !names(e.Room, create.ID) || rejected(create.ID)
}
