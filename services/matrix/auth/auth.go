// Package auth decides whether an event of a Matrix room is allowed, by the authorization rules of room versions 1 to 12, and
// says which rule decided: its number in that version's own text, as it is shown on spec.matrix.org.
//
// The rules are in two parts. [Rules.Check] looks at the event and at a state of the room, and is what state resolution runs
// again and again. [Rules.CheckAuthEvents] looks at the events that an event names as its auth events, once, when it arrives.
//
// What it does not check is who signed an event, as rule 4.2 of room version 8 asks for: that takes the servers' keys. The one
// signature that it does check is that of a third party's invite, whose keys are in the room's state.
package auth

import (
	"slices"
	"strconv"
	"strings"

	"barnraise/services/matrix/event"
)

// View is a state of a room: the event that holds a place, nil where there is none.
type View func(event.Key) *event.Event

// Decision is whether an event is allowed, and by which rule: "5.3.6".
type Decision struct {
	Allowed bool
	Rule    string
}

// The types of events that the rules know.
const (
	Create           = "m.room.create"
	Member           = "m.room.member"
	PowerLevels      = "m.room.power_levels"
	JoinRules        = "m.room.join_rules"
	ThirdPartyInvite = "m.room.third_party_invite"

	aliases   = "m.room.aliases"
	redaction = "m.room.redaction"
)

// Rules are those of one room version. They are not safe for concurrent use: they count signatures and remember what events
// say, which must not change.
type Rules struct {
	version    event.Version
	text       text
	signatures int
	exhausted  bool
	creators   map[*event.Event]map[string]bool // by create event: who they are, once somebody asked
	contents   map[*event.Event]*content        // by power levels: what they say, once somebody asked
}

// New is the rules of a room version, which check as many signatures as that and no more. See [Rules.Exhausted].
func New(v event.Version, signatures int) *Rules {
	return &Rules{version: v, text: textOf(v), signatures: signatures,
		creators: map[*event.Event]map[string]bool{}, contents: map[*event.Event]*content{}}
}

// Exhausted reports whether there was a signature more to check than [New] allows. A decision made since then may be wrong.
func (r *Rules) Exhausted() bool { return r.exhausted }

// Selection is the places in a room's state of which an event names the holders as its auth events (server-server API, auth
// events selection).
func (r *Rules) Selection(e *event.Event) []event.Key {
	if e.Type == Create {
		return nil
	}
	keys := []event.Key{at(PowerLevels, ""), at(Member, e.Sender)}
	if r.version < 12 {
		keys = append(keys, keyOfCreate)
	}
	if e.Type == Member && e.StateKey != nil {
		keys = append(keys, r.ofMember(e)...)
	}
	return keys
}

func (r *Rules) ofMember(e *event.Event) []event.Key {
	keys := []event.Key{at(Member, *e.StateKey)}
	membership, _ := e.Content.Get("membership").Str()
	if membership == join || membership == invite || membership == knock {
		keys = append(keys, at(JoinRules, ""))
	}
	if token, ok := e.Content.Get("third_party_invite").Get("signed").Get("token").Str(); ok && membership == invite {
		keys = append(keys, at(ThirdPartyInvite, token))
	}
	if via, ok := e.Content.Get(authorised).Str(); ok && membership == join && r.version >= 8 {
		keys = append(keys, at(Member, via))
	}
	return keys
}

// CheckAuthEvents decides by the rules on the auth events that an event names, of which rejected says whether they were
// rejected themselves. Where these rules have nothing against the event it is allowed, under no rule's number yet.
func (r *Rules) CheckAuthEvents(e *event.Event, named []*event.Event, rejected func(id string) bool) Decision {
	if e.Type == Create {
		return Decision{Allowed: true}
	}
	wanted, held := r.Selection(e), map[event.Key]bool{}
	for _, a := range named {
		if k, ok := a.Key(); ok && held[k] {
			return reject(r.text.authEvents, 1)
		} else if ok {
			held[k] = true
		}
	}
	for _, a := range named {
		if k, ok := a.Key(); !ok || !slices.Contains(wanted, k) {
			return reject(r.text.authEvents, 2)
		}
	}
	if slices.ContainsFunc(named, func(a *event.Event) bool { return rejected(a.ID) }) {
		return reject(r.text.authEvents, 3)
	}
	next := 4
	if r.version < 12 {
		if !held[keyOfCreate] {
			return reject(r.text.authEvents, next)
		}
		next++
	}
	if slices.ContainsFunc(named, func(a *event.Event) bool { return a.Room != e.Room }) {
		return reject(r.text.authEvents, next)
	}
	return Decision{Allowed: true}
}

// text is where a room version's text has its rules: their numbers, 0 where it has none of the kind.
type text struct {
	room, authEvents, federate, aliases, member, joined, thirdParty, level, stateKey, powerLevels, redaction, otherwise int
}

func textOf(v event.Version) text {
	t, next := text{}, 1 // rule 1 is about the create event
	take := func(has bool) int {
		if !has {
			return 0
		}
		next++
		return next
	}
	t.room = take(v >= 12)
	t.authEvents = take(true)
	t.federate = take(true)
	t.aliases = take(v < 6)
	t.member = take(true)
	t.joined = take(true)
	t.thirdParty = take(true)
	t.level = take(true)
	t.stateKey = take(true)
	t.powerLevels = take(true)
	t.redaction = take(v < 3)
	t.otherwise = take(true)
	return t
}

// at is a place in a room's state.
func at(kind, key string) event.Key { return event.Key{Type: kind, StateKey: key} }

func allow(number ...int) Decision  { return decide(true, number...) }
func reject(number ...int) Decision { return decide(false, number...) }

func decide(allowed bool, number ...int) Decision {
	parts := make([]string, len(number))
	for i, n := range number {
		parts[i] = strconv.Itoa(n)
	}
	return Decision{allowed, strings.Join(parts, ".")}
}
