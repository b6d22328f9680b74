package state_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"barnraise/services/matrix/auth"
	"barnraise/services/matrix/canonical"
	"barnraise/services/matrix/event"
	"barnraise/services/matrix/state"
)

// small is a room with two topics on two branches. All its IDs are names.
func small(v event.Version) ([]*event.Event, [][]string) {
	r := newRoom(v, "@ann:a")
	r.add("ann", "m.room.member", "@ann:a", "@ann:a", `{"membership":"join"}`)
	r.add("power", "m.room.power_levels", "@ann:a", "", r.power(`"@ann:a":100`), "ann")
	r.add("west", "m.room.topic", "@ann:a", "", `{"topic":"west"}`, "ann", "power")
	r.add("east", "m.room.topic", "@ann:a", "", `{"topic":"east"}`, "ann", "power")
	return r.events, named(v, [][]string{{"create", "ann", "power", "west"}, {"create", "ann", "power", "east"}})
}

func TestTheStepsAreTold(t *testing.T) {
	for v, rule := range map[event.Version]string{2: "12", 5: "11", 11: "10", 12: "11"} {
		events, states := small(v)
		got := resolve(t, v, events, states)
		want := []state.Step{
			{ID: "$west", Phase: state.Mainline, Rule: rule, Allowed: true}, {ID: "$east", Phase: state.Mainline, Rule: rule, Allowed: true}}
		if !slices.Equal(got.Trace, want) || got.Conflicted != 2 || got.AuthDifference != 0 {
			t.Errorf("version %d: %+v", v, got)
		}
		if i := slices.IndexFunc(got.State, func(e state.Entry) bool { return e.Type == "m.room.topic" }); got.State[i].ID != "$east" {
			t.Errorf("version %d: %v, want the later topic", v, got.State[i])
		}
	}
}

func TestStateThatIsTheSameIsKept(t *testing.T) {
	events, states := small(12)
	got := resolve(t, 12, events, [][]string{states[0], states[0], states[0]})
	if len(got.Trace) > 0 || got.Conflicted > 0 || len(got.State) != len(states[0]) {
		t.Errorf("got %+v", got)
	}
	if got := resolve(t, 12, events, nil); len(got.State) != 0 || got.State == nil {
		t.Errorf("no states: %+v", got)
	}
}

func TestRefusals(t *testing.T) {
	events, states := small(10)
	message := *events[4]
	message.ID, message.StateKey = "$message", nil
	renamed := *events[4]
	renamed.ID, renamed.JSON = "$west", canonical.OfMembers()
	circle := slices.Clone(events)
	again := *events[2]
	again.AuthEvents = []string{"$create", "$east"}
	circle[2] = &again
	lone := *events[4]
	lone.AuthEvents = []string{"$y", "$x", "$create"}
	for name, tt := range map[string]struct {
		version event.Version
		events  []*event.Event
		states  [][]string
		want    error
	}{
		"version 1":                    {1, events, states, state.ErrVersion},
		"an event that is in no list":  {10, events, [][]string{{"$create", "$x"}}, &state.MissingError{ID: "$x"}},
		"auth events that are missing": {10, []*event.Event{events[0], &lone}, [][]string{{"$east"}}, &state.MissingError{ID: "$x"}},
		"one missing on the way":       {10, events[1:], states, &state.MissingError{ID: "$create"}},
		"a circle":                     {10, circle, states, state.ErrCycle},
		"two events with one ID":       {10, append(slices.Clone(events), &renamed), states, &state.TwiceError{ID: "$west"}},
		"an event that is no state":    {10, append(slices.Clone(events), &message), [][]string{states[0], {"$message"}}, &state.SetError{Set: 1, ID: "$message", Reason: "is no state event"}},
		"two events for one place":     {10, events, [][]string{{"$west", "$east"}}, &state.SetError{Set: 0, ID: "$east", Reason: "stands in the place of $west"}},
		"too many events":              {10, slices.Repeat(events[:1], state.MaxEvents+1), states, state.ErrTooLarge},
	} {
		_, err := state.Resolve(tt.version, tt.events, tt.states, nil)
		if err == nil || fmt.Sprintf("%T %v", err, err) != fmt.Sprintf("%T %v", tt.want, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	if _, err := state.Resolve(10, append(slices.Clone(events), events...), states, nil); err != nil {
		t.Errorf("every event given twice: %v", err)
	}
	lone.ID = "$lone"
	if _, err := state.Resolve(10, append(slices.Clone(events), &lone), states, nil); errors.As(err, new(*state.MissingError)) {
		t.Errorf("an event that nobody asks for: %v", err)
	}
}

func TestTheCreateEventOfARoomOfVersion12IsNeeded(t *testing.T) {
	events, states := small(12)
	for i := range states {
		states[i] = states[i][1:] // not in the states either
	}
	var missing *state.MissingError
	if _, err := state.Resolve(12, events[1:], states, nil); !errors.As(err, &missing) || missing.ID != "$create" {
		t.Errorf("got %v, want that $create is missing", err)
	}
}

// An event is checked against its auth events where the state says nothing, but not against rejected ones.
func TestRejectedAuthEventsCountForNothing(t *testing.T) {
	r := newRoom(12, "@ann:a")
	r.add("ann", "m.room.member", "@ann:a", "@ann:a", `{"membership":"join"}`)
	r.add("power", "m.room.power_levels", "@ann:a", "", `{"users":{"@bob:b":50}}`, "ann")
	r.add("public", "m.room.join_rules", "@ann:a", "", `{"join_rule":"public"}`, "ann", "power")
	r.add("bob", "m.room.member", "@bob:b", "@bob:b", `{"membership":"join"}`, "power", "public")
	r.add("barn", "m.room.topic", "@bob:b", "", `{"topic":"barn"}`, "bob", "power")
	states := named(12, [][]string{{"create", "ann", "power", "public", "bob", "barn"}, {"create", "ann", "power", "public", "bob"}})
	for rejected, want := range map[string]string{"": "12 true 11", "$power": "12 false 8", "$bob": "12 false 6", "$public": "12 true 11"} {
		got, err := state.Resolve(12, r.events, states, func(id string) bool { return id == rejected })
		if err != nil {
			t.Fatal(err)
		}
		last := got.Trace[len(got.Trace)-1]
		if said := fmt.Sprint("12 ", last.Allowed, " ", last.Rule); last.ID != "$barn" || said != want {
			t.Errorf("%q rejected: %s %s, want %s", rejected, last.ID, said, want)
		}
	}
}

func TestTooManySignaturesInOneRoom(t *testing.T) {
	var signatures []string
	for i := range auth.MaxSignatures + 1 {
		signatures = append(signatures, fmt.Sprintf(`"ed25519:%d":"%s"`, i, strings.Repeat("A", 86)))
	}
	r := newRoom(10, "@ann:a")
	r.add("ann", "m.room.member", "@ann:a", "@ann:a", `{"membership":"join"}`)
	r.add("asked", "m.room.third_party_invite", "@ann:a", "t", `{"public_key":"`+strings.Repeat("A", 43)+`"}`, "ann")
	r.add("bob", "m.room.member", "@ann:a", "@bob:b", `{"membership":"invite","third_party_invite":{"signed":{"mxid":"@bob:b","token":"t",
		"signatures":{"id":{`+strings.Join(signatures, ",")+`}}}}}`, "ann", "asked")
	states := named(10, [][]string{{"create", "ann", "asked", "bob"}, {"create", "ann", "asked"}})
	if _, err := state.Resolve(10, r.events, states, nil); !errors.Is(err, state.ErrTooLarge) {
		t.Errorf("got %v, want %v", err, state.ErrTooLarge)
	}
}

func FuzzResolve(f *testing.F) {
	for _, v := range []event.Version{2, 12} {
		events, states := reset(v)
		var texts, lists []canonical.Value
		for _, e := range events {
			texts = append(texts, e.JSON)
		}
		for _, s := range named(v, states) {
			var list []canonical.Value
			for _, id := range s {
				list = append(list, canonical.OfString(id))
			}
			lists = append(lists, canonical.OfItems(list...))
		}
		seed, _ := canonical.OfMembers(canonical.Member{Name: "events", Value: canonical.OfItems(texts...)},
			canonical.Member{Name: "states", Value: canonical.OfItems(lists...)}).Append(nil, false)
		f.Add(byte(v), seed)
	}
	f.Fuzz(func(t *testing.T, version byte, text []byte) {
		v := event.Version(version)
		j, err := canonical.Parse(text)
		if err != nil || v < 1 || v > event.Latest {
			return
		}
		var events []*event.Event
		for _, item := range j.Get("events").Items() {
			id, _ := item.Get("event_id").Str()
			if e, err := event.Read(v, item, id); err == nil {
				events = append(events, e)
			}
		}
		var states [][]string
		for _, list := range j.Get("states").Items() {
			var s []string
			for _, item := range list.Items() {
				id, _ := item.Str()
				s = append(s, id)
			}
			states = append(states, s)
		}
		got, err := state.Resolve(v, events, states, nil)
		slices.Reverse(events)
		slices.Reverse(states)
		again, other := state.Resolve(v, events, states, nil)
		if (err == nil) != (other == nil) || !slices.Equal(got.State, again.State) || !slices.Equal(got.Trace, again.Trace) {
			t.Errorf("%v, %v; in another order %v, %v", got, err, again, other)
		}
	})
}
