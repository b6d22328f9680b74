package auth_test

import (
	"errors"
	"strings"
	"testing"

	"barnraise/services/matrix/auth"
	"barnraise/services/matrix/event"
)

// The tables give the rules of all versions: before a sign those that are meant, behind it the rule's number in their text.
type row struct {
	name  string
	event string
	state string // what is different from the base
	want  string
}

func (tt row) run(t *testing.T) {
	for v, want := range verdicts(t, tt.want) {
		state := room(t, v, tt.state)
		e := line(t, v, "$event", tt.event)
		d, err := auth.Check(v, e, selected(v, e, state), state, nil)
		if err != nil {
			t.Errorf("%s: version %d: %v", tt.name, v, err)
		} else if got := verdict(d); got != want {
			t.Errorf("%s: version %d: %s, want %s", tt.name, v, got, want)
		}
	}
}

func TestCreate(t *testing.T) {
	for _, tt := range []row{
		{"a room", `create "" @ann:a {"creator":"@ann:a"}`, "", "1-10 +1.5, 11 +1.4, 12 +1.5"},
		{"something before it", `create "" @ann:a {"creator":"@ann:a"} | "prev_events":["$1"]`, "", "3-12 -1.1"},
		{"another server's room", `create "" @ann:a {"creator":"@ann:a"} | "room_id":"!room:b"`, "", "1-12 -1.2"},
		{"a version of its own", `create "" @ann:a {"creator":"@ann:a","room_version":"x"}`, "", "1-12 -1.3"},
		{"a version that is a number", `create "" @ann:a {"creator":"@ann:a","room_version":10}`, "", "1-12 -1.3"},
		{"no creator", `create "" @ann:a {}`, "", "1-10 -1.4, 11 +1.4, 12 +1.5"},
		{"more creators", `create "" @ann:a {"creator":"@ann:a","additional_creators":["@bob:b"]}`, "",
			"1-10 +1.5, 11 +1.4, 12 +1.5"},
		{"creators that are none", `create "" @ann:a {"creator":"","additional_creators":["bob"]}`, "", "10 +1.5, 12 -1.4"},
		{"creators that are no list", `create "" @ann:a {"creator":"","additional_creators":{}}`, "", "10 +1.5, 12 -1.4"},
		{"creators that are numbers", `create "" @ann:a {"creator":"","additional_creators":[1]}`, "", "12 -1.4"},
	} {
		tt.run(t)
	}
}

func TestOtherEvents(t *testing.T) {
	const closed = `create "" @ann:a {"creator":"@ann:a","m.federate":false}`
	for _, tt := range []row{
		{"a message", `message - @cid:c {}`, "", "1-2 +12, 3-5 +11, 6-11 +10, 12 +11"},
		{"a stranger's", `message - @eve:e {}`, "", "1-5 -6, 6-11 -5, 12 -6"},
		{"a topic by a moderator", `topic "" @bob:b {}`, "", "1-2 +12, 3-5 +11, 6-11 +10, 12 +11"},
		{"a topic by a member", `topic "" @cid:c {}`, "", "1-5 -8, 6-11 -7, 12 -8"},
		{"one that takes more", `x.high - @bob:b {}`, "", "1-5 -8, 6-11 -7, 12 -8"},
		{"a message where few may speak", `message - @cid:c {}`, `power_levels "" @ann:a {"events_default":1}`,
			"1-5 -8, 6-11 -7, 12 -8"},
		{"one's own place", `x.mine @bob:b @bob:b {}`, "", "1-2 +12, 3-5 +11, 6-11 +10, 12 +11"},
		{"another's place", `x.mine @cid:c @bob:b {}`, "", "1-5 -9, 6-11 -8, 12 -9"},
		{"not federated, at home", `message - @ann:a {}`, closed, "1-2 +12, 3-5 +11, 6-11 +10, 12 +11"},
		{"not federated, abroad", `message - @cid:c {}`, closed, "1-11 -3, 12 -4"},
		{"asked by mail", `third_party_invite t @cid:c {}`, "", "1-5 +7.1, 6-11 +6.1, 12 +7.1"},
		{"asked by mail without the power", `third_party_invite t @cid:c {}`, `power_levels "" @ann:a {"invite":1}`,
			"1-5 -7.1, 6-11 -6.1, 12 -7.1"},
		{"aliases", `aliases c @cid:c {}`, "", "1-5 +4.3, 6-11 -7, 12 -8"},
		{"aliases of nowhere", `aliases - @cid:c {}`, "", "1-5 -4.1, 6-11 +10, 12 +11"},
		{"aliases of another server", `aliases d @cid:c {}`, "", "1-5 -4.2, 6-11 -7, 12 -8"},
		{"aliases of a stranger", `aliases e @eve:e {}`, "", "1-5 +4.3, 6-11 -5, 12 -6"},
	} {
		tt.run(t)
	}
}

func TestRedaction(t *testing.T) {
	for _, tt := range []struct{ sender, redacts, want string }{
		{"@bob:b", "$x:d", "1-2 +11.1, 3-5 +11, 6-11 +10, 12 +11"},
		{"@cid:c", "$x:c", "1-2 +11.2, 3-5 +11, 6-11 +10, 12 +11"},
		{"@cid:c", "$x:d", "1-2 -11.3, 3-5 +11, 6-11 +10, 12 +11"},
		{"@cid:c", "x", "1-2 -11.3, 3-5 +11"},
	} {
		for v, want := range verdicts(t, tt.want) {
			state := room(t, v, "")
			e := line(t, v, "$event:c", `redaction - `+tt.sender+` {} | "redacts":"`+tt.redacts+`"`)
			d, err := auth.Check(v, e, selected(v, e, state), state, nil)
			if got := verdict(d); err != nil || got != want {
				t.Errorf("%s redacts %s: version %d: %s, %v, want %s", tt.sender, tt.redacts, v, got, err, want)
			}
		}
	}
}

func TestAuthEvents(t *testing.T) {
	const message = `message - @cid:c {}`
	for name, tt := range map[string]struct {
		event    string
		named    string // places in the state, or x:… for an event of another room
		rejected string
		want     string
	}{
		"as they should be":  {message, "create power_levels member@cid:c", "", "1-2 +12, 3-5 +11, 6-11 +10"},
		"without create":     {message, "power_levels member@cid:c", "", "1-11 -2.4, 12 +11"},
		"none":               {message, "", "", "1-11 -2.4, 12 +11"},
		"with create":        {message, "create power_levels member@cid:c", "", "12 -3.2"},
		"one twice":          {message, "create member@cid:c member@cid:c", "", "1-11 -2.1, 12 -3.1"},
		"twice and too many": {message, "join_rules member@cid:c member@cid:c", "", "1-11 -2.1, 12 -3.1"},
		"one too many":       {message, "create join_rules", "", "1-11 -2.2, 12 -3.2"},
		"another member":     {message, "create member@bob:b", "", "1-11 -2.2, 12 -3.2"},
		"a message":          {message, "create message", "", "1-11 -2.2, 12 -3.2"},
		"one rejected":       {message, "power_levels member@cid:c", "power_levels", "1-11 -2.3, 12 -3.3"},
		"of another room":    {message, "create x:power_levels", "", "1-11 -2.5"},
		"of another room 12": {message, "x:power_levels", "", "12 -3.4"},
		"of a join":          {`member @eve:e @eve:e {"membership":"join"}`, "power_levels join_rules", "", "12 +5.3.6"},
		"of a leave":         {`member @cid:c @cid:c {"membership":"leave"}`, "join_rules", "", "12 -3.2"},
		"who vouches": {`member @eve:e @eve:e {"membership":"join","join_authorised_via_users_server":"@bob:b"}`,
			"create member@bob:b", "", "7 -2.2, 8-11 +4.3.6"},
		"who vouches for no join": {`member @cid:c @cid:c {"membership":"leave","join_authorised_via_users_server":"@bob:b"}`,
			"create member@bob:b", "", "7-11 -2.2"},
	} {
		for v, want := range verdicts(t, tt.want) {
			state := room(t, v, "")
			pick := func(name string) *event.Event { return picked(t, v, state, name) }
			var named []*event.Event
			for _, n := range strings.Fields(tt.named) {
				named = append(named, pick(n))
			}
			rejected := func(id string) bool { return tt.rejected != "" && id == pick(tt.rejected).ID }
			d, err := auth.Check(v, line(t, v, "$event", tt.event), named, state, rejected)
			if got := verdict(d); err != nil || got != want {
				t.Errorf("%s: version %d: %s, %v, want %s", name, v, got, err, want)
			}
		}
	}
}

// picked is the event of a state that holds that place; x: makes it one of another room.
func picked(t *testing.T, v event.Version, state []*event.Event, name string) *event.Event {
	t.Helper()
	name, foreign := strings.CutPrefix(name, "x:")
	if name == "message" {
		return line(t, v, "$m", `message - @cid:c {}`)
	}
	for _, e := range state {
		if k, _ := e.Key(); "m.room."+name == k.Type+k.StateKey {
			picked := *e
			if foreign {
				picked.Room = "!other:a"
			}
			return &picked
		}
	}
	t.Fatalf("no %s", name)
	return nil
}

func TestRoomsOfVersion12(t *testing.T) {
	state := room(t, 12, "")
	for name, tt := range map[string]struct {
		room     string
		state    []*event.Event
		rejected bool
		want     string
	}{
		"its own":              {"!0", state, false, "+11"},
		"of another":           {"!1", state, false, "-2"},
		"with a domain":        {"!0:a", state, false, "-2"},
		"an event's ID":        {"$0", state, false, "-2"},
		"without create event": {"!0", state[1:], false, "-2"},
		"rejected":             {"!0", state, true, "-2"},
	} {
		e := line(t, 12, "$event", `message - @cid:c {} | "room_id":"`+tt.room+`"`)
		d, err := auth.Check(12, e, nil, tt.state, func(id string) bool { return tt.rejected && id == "$0" })
		if got := verdict(d); err != nil || got != tt.want {
			t.Errorf("%s: %s, %v, want %s", name, got, err, tt.want)
		}
	}
}

func TestWithoutStateTheNamedEventsAreIt(t *testing.T) {
	for v, want := range verdicts(t, "1-2 +12, 3-5 +11, 6-11 +10") {
		e := line(t, v, "$event", `message - @cid:c {}`)
		if d, err := auth.Check(v, e, selected(v, e, room(t, v, "")), nil, nil); err != nil || verdict(d) != want {
			t.Errorf("version %d: %s, %v, want %s", v, verdict(d), err, want)
		}
	}
	e := line(t, 11, "$event", `message - @eve:e {}`)
	if d, _ := auth.Check(11, e, selected(11, e, room(t, 11, "")), nil, nil); verdict(d) != "-5" {
		t.Errorf("a stranger: %s, want -5", verdict(d))
	}
}

func TestAStateHoldsEachPlaceOnce(t *testing.T) {
	state := append(room(t, 10, ""), line(t, 10, "$other", `join_rules "" @ann:a {}`))
	var twice *auth.TwiceError
	if _, err := auth.Check(10, line(t, 10, "$event", `message - @cid:c {}`), nil, state, nil); !errors.As(err, &twice) || twice.Key.Type != auth.JoinRules {
		t.Errorf("got %v, want the place that two events hold", err)
	}
}
