package auth

import (
	"strings"

	"barnraise/services/matrix/canonical"
	"barnraise/services/matrix/event"
)

// check is the question whether one event is allowed in one state.
type check struct {
	*Rules
	event  *event.Event
	state  View
	create *event.Event // that of the room
	levels levels       // that hold before the event
}

// Check decides whether an event is allowed in that state of its room, by all rules but those of [Rules.CheckAuthEvents]. Of a
// create event it looks at nothing but the event itself.
//
// A room without a create event allows nothing: the rule is then the one that asks for it among the auth events or, from
// version 12 on, for the room ID to be that of one.
func (r *Rules) Check(e *event.Event, state View) Decision {
	if e.Type == Create {
		return r.first(e)
	}
	create := state(keyOfCreate)
	switch {
	case r.version >= 12 && (create == nil || !names(e.Room, create.ID)):
		return reject(r.text.room)
	case create == nil:
		return reject(r.text.authEvents, 4)
	}
	c := check{r, e, state, create, r.levels(create, state(at(PowerLevels, "")))}
	federate, ok := create.Content.Get("m.federate").Bool()
	if ok && !federate && event.Domain(e.Sender) != event.Domain(create.Sender) {
		return reject(r.text.federate)
	}
	switch {
	case e.Type == aliases && r.version < 6:
		return c.aliases()
	case e.Type == Member:
		return c.member()
	}
	return c.rest()
}

// rest is the rules from the one on that only who has joined may send anything else.
func (c *check) rest() Decision {
	e, sender := c.event, c.levels.of(c.event.Sender)
	switch {
	case c.membership(e.Sender) != join:
		return reject(c.text.joined)
	case e.Type == ThirdPartyInvite:
		return decide(sender >= c.levels.named("invite"), c.text.thirdParty, 1)
	case c.levels.toSend(e) > sender:
		return reject(c.text.level)
	case e.StateKey != nil && strings.HasPrefix(*e.StateKey, "@") && *e.StateKey != e.Sender:
		return reject(c.text.stateKey)
	case e.Type == PowerLevels:
		return c.powerLevels()
	case e.Type == redaction && c.version < 3:
		return c.redaction()
	}
	return allow(c.text.otherwise)
}

// first is rule 1, that of create events.
func (r *Rules) first(e *event.Event) Decision {
	if len(e.PrevEvents) > 0 {
		return reject(1, 1)
	}
	if r.version >= 12 && e.JSON.Get("room_id").Exists() || r.version < 12 && !sameDomain(e.Room, e.Sender) {
		return reject(1, 2)
	}
	if v := e.Content.Get("room_version"); v.Exists() && !known(v) {
		return reject(1, 3)
	}
	switch {
	case r.version == 11:
		return allow(1, 4)
	case r.version < 11 && !e.Content.Get("creator").Exists(),
		r.version >= 12 && !userIDs(e.Content.Get("additional_creators")):
		return reject(1, 4)
	}
	return allow(1, 5)
}

// Created is the decision on a create event that was accepted.
func (r *Rules) Created() Decision {
	if r.version == 11 {
		return allow(1, 4)
	}
	return allow(1, 5)
}

func (c *check) aliases() Decision {
	switch {
	case c.event.StateKey == nil:
		return reject(c.text.aliases, 1)
	case event.Domain(c.event.Sender) != *c.event.StateKey:
		return reject(c.text.aliases, 2)
	}
	return allow(c.text.aliases, 3)
}

func (c *check) redaction() Decision {
	redacts, _ := c.event.JSON.Get("redacts").Str()
	switch {
	case c.levels.of(c.event.Sender) >= c.levels.named("redact"):
		return allow(c.text.redaction, 1)
	case sameDomain(redacts, c.event.ID):
		return allow(c.text.redaction, 2)
	}
	return reject(c.text.redaction, 3)
}

// known reports whether a value is the name of a room version that there is.
func known(v canonical.Value) bool {
	s, ok := v.Str()
	switch s {
	case "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12":
		return ok
	}
	return false
}

// names reports whether a room ID is that of a create event.
func names(room, create string) bool {
	return strings.HasPrefix(room, "!") && strings.HasPrefix(create, "$") && room[1:] == create[1:]
}

// sameDomain reports whether two identifiers are of the same server.
func sameDomain(a, b string) bool { return event.Domain(a) != "" && event.Domain(a) == event.Domain(b) }

// userIDs reports whether a value is absent or an array of user IDs.
func userIDs(v canonical.Value) bool {
	if v.Exists() && v.Kind() != canonical.Array {
		return false
	}
	for _, item := range v.Items() {
		if s, ok := item.Str(); !ok || !isUserID(s) {
			return false
		}
	}
	return true
}

// maxUserID is the longest user ID, in bytes.
const maxUserID = 255

// isUserID reports whether that is a user ID as rooms have them: old ones have all sorts of characters before the colon.
func isUserID(s string) bool {
	local, server, found := strings.Cut(s, ":")
	return found && len(s) <= maxUserID && strings.HasPrefix(local, "@") && !strings.Contains(local, "\x00") &&
		isServer(server)
}

// isServer reports whether that is a server's name: a host or an address, and perhaps a port.
func isServer(s string) bool {
	host, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		host, port = s[:i], s[i+1:]
		if len(port) < 1 || len(port) > 5 || strings.Trim(port, "0123456789") != "" {
			return false
		}
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		return ok && len(inner) >= 2 && strings.Trim(inner, "0123456789abcdefABCDEF:.") == ""
	}
	for i := range len(host) {
		switch c := host[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '.':
		default:
			return false
		}
	}
	return host != ""
}
