package auth

import (
	"math"

	"barnraise/services/matrix/event"
)

// Infinite is the power level of the creators of a room of version 12. No other is as high.
const Infinite = math.MaxInt64

// levels are the power levels that hold in a room.
type levels struct {
	*Rules
	create *event.Event
	said   *content // nil where the room has no power levels
}

func (r *Rules) levels(create, power *event.Event) levels { return levels{r, create, r.content(power)} }

// Level is a user's power level where those two events hold. Either may be nil.
func (r *Rules) Level(user string, create, power *event.Event) int64 {
	return r.levels(create, power).of(user)
}

// of is a user's power level.
func (l levels) of(user string) int64 {
	if l.version >= 12 && l.isCreator(l.create, user) {
		return Infinite
	}
	if l.said == nil {
		if l.create != nil && l.creator(l.create) == user {
			return 100
		}
		return 0
	}
	if n, ok := l.said.users.get(user); ok {
		return n
	}
	return l.named("users_default")
}

// named is the level under that name, or what it is where the room has none.
func (l levels) named(name string) int64 {
	if l.said != nil {
		if n, ok := l.said.properties.get(name); ok {
			return n
		}
	}
	switch name {
	case "users_default", "events_default", "invite":
		return 0
	}
	return 50
}

// toSend is the level that it takes to send an event.
func (l levels) toSend(e *event.Event) int64 {
	if l.said != nil {
		if n, ok := l.said.events.get(e.Type); ok {
			return n
		}
	}
	if e.StateKey != nil {
		return l.named("state_default")
	}
	return l.named("events_default")
}

// creator is who made the room.
func (r *Rules) creator(create *event.Event) string {
	if r.version >= 11 {
		return create.Sender
	}
	s, _ := create.Content.Get("creator").Str()
	return s
}

// isCreator reports whether a user is one of the room's creators, of whom there are several from version 12 on.
func (r *Rules) isCreator(create *event.Event, user string) bool {
	if create == nil {
		return false
	}
	creators, known := r.creators[create]
	if !known {
		creators = map[string]bool{create.Sender: true}
		for _, v := range create.Content.Get("additional_creators").Items() {
			if s, ok := v.Str(); ok {
				creators[s] = true
			}
		}
		r.creators[create] = creators
	}
	return creators[user]
}
