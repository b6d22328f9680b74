package state_test

import (
	"strconv"
	"strings"

	"barnraise/services/matrix/canonical"
	"barnraise/services/matrix/event"
)

// room is a room that a test makes. IDs are given without their sigil; all events but the create event name that one as auth
// event, where the version wants it.
type room struct {
	version event.Version
	creator string
	events  []*event.Event
	now     int // the time of the next event
}

func newRoom(v event.Version, creator string) *room {
	r := &room{version: v, creator: creator}
	content := `{"room_version":"` + v.String() + `","creator":"` + creator + `"}`
	r.add("create", "m.room.create", creator, "", content)
	return r
}

// id is the room's, which from version 12 on is made of the create event's.
func (r *room) id() string {
	if r.version >= 12 {
		return "!create"
	}
	return "!room" + r.creator[strings.IndexByte(r.creator, ':'):]
}

// power is the content of power levels. From version 12 on it leaves the creator out, who has to come first.
func (r *room) power(users ...string) string {
	if r.version >= 12 {
		users = users[1:]
	}
	return `{"users":{` + strings.Join(users, ",") + `}}`
}

func (r *room) add(id, kind, sender, key, content string, auth ...string) *event.Event {
	r.now++
	return r.at(r.now, id, kind, sender, key, content, auth...)
}

// at adds an event of that time.
func (r *room) at(now int, id, kind, sender, key, content string, auth ...string) *event.Event {
	members := map[string]string{"type": quote(kind), "sender": quote(sender), "state_key": quote(key), "content": content,
		"origin_server_ts": strconv.Itoa(now), "event_id": quote("$" + id)}
	if kind != "m.room.create" {
		if r.version < 12 {
			auth = append([]string{"create"}, auth...)
		}
		members["room_id"] = quote(r.id())
	} else if r.version < 12 {
		members["room_id"] = quote(r.id())
	}
	list := []string{}
	for _, a := range auth {
		list = append(list, quote("$"+a))
	}
	members["auth_events"] = "[" + strings.Join(list, ",") + "]"
	members["prev_events"] = "[]"
	text := []string{}
	for name, value := range members {
		text = append(text, quote(name)+":"+value)
	}
	j, err := canonical.ParseString("{" + strings.Join(text, ",") + "}")
	if err != nil {
		panic(err)
	}
	e, err := event.Read(r.version, j, "$"+id)
	if err != nil {
		panic(err)
	}
	r.events = append(r.events, e)
	return e
}

func quote(s string) string { return string(canonical.AppendString(nil, s)) }

// named puts the sigils before IDs.
func named(_ event.Version, states [][]string) [][]string {
	list := make([][]string, len(states))
	for i, s := range states {
		for _, id := range s {
			list[i] = append(list[i], "$"+id)
		}
	}
	return list
}
