package state_test

import (
	"slices"
	"testing"

	"barnraise/services/matrix/event"
)

// The two rooms of this file are made after the problems that MSC4297 tells of: what version 2 gets wrong, and version 2.1 not.

// forgotten is a room whose join rules became invite-only. Ann, who did that, has left; all agree on that. One server forgot
// the new join rules altogether, the other one still has the old ones.
func forgotten(v event.Version) ([]*event.Event, [][]string) {
	r := newRoom(v, "@ann:a")
	r.add("ann", "m.room.member", "@ann:a", "@ann:a", `{"membership":"join"}`)
	r.add("power", "m.room.power_levels", "@ann:a", "", r.power(`"@ann:a":100`), "ann")
	r.add("public", "m.room.join_rules", "@ann:a", "", `{"join_rule":"public"}`, "ann", "power")
	r.add("bob", "m.room.member", "@bob:b", "@bob:b", `{"membership":"join"}`, "power", "public")
	r.add("cid", "m.room.member", "@cid:c", "@cid:c", `{"membership":"join"}`, "power", "public")
	r.add("closed", "m.room.join_rules", "@ann:a", "", `{"join_rule":"invite"}`, "ann", "power")
	r.add("gone", "m.room.member", "@ann:a", "@ann:a", `{"membership":"leave"}`, "ann", "power")
	r.add("bob2", "m.room.member", "@bob:b", "@bob:b", `{"membership":"join","displayname":"Bob"}`, "bob", "power", "closed")
	r.add("cid2", "m.room.member", "@cid:c", "@cid:c", `{"membership":"join","displayname":"Cid"}`, "cid", "power", "closed")
	return r.events, [][]string{
		{"create", "power", "gone", "closed", "bob2", "cid"},
		{"create", "power", "gone", "public", "bob", "cid2"},
	}
}

// reset is a room in which Bob became moderator and made Cid one. One server has the first power levels instead of the last:
// the step between is in neither state.
func reset(v event.Version) ([]*event.Event, [][]string) {
	r := newRoom(v, "@ann:a")
	r.add("ann", "m.room.member", "@ann:a", "@ann:a", `{"membership":"join"}`)
	r.add("power", "m.room.power_levels", "@ann:a", "", r.power(`"@ann:a":100`), "ann")
	r.add("public", "m.room.join_rules", "@ann:a", "", `{"join_rule":"public"}`, "ann", "power")
	r.add("bob", "m.room.member", "@bob:b", "@bob:b", `{"membership":"join"}`, "power", "public")
	r.add("power2", "m.room.power_levels", "@ann:a", "", r.power(`"@ann:a":100`, `"@bob:b":50`), "ann", "power")
	r.add("power3", "m.room.power_levels", "@bob:b", "", r.power(`"@ann:a":100`, `"@bob:b":50`, `"@cid:c":50`), "bob", "power2")
	r.add("dan", "m.room.member", "@dan:d", "@dan:d", `{"membership":"join"}`, "power3", "public")
	r.add("eve", "m.room.member", "@eve:e", "@eve:e", `{"membership":"join"}`, "power3", "public")
	return r.events, [][]string{
		{"create", "ann", "public", "bob", "power", "eve"},
		{"create", "ann", "public", "bob", "power3", "dan"},
	}
}

func TestWhatVersion21Mends(t *testing.T) {
	for _, tt := range []struct {
		name     string
		make     func(event.Version) ([]*event.Event, [][]string)
		kind     string
		old, now string // which event holds the place of that type; empty is none
	}{
		{"it starts from the empty state", forgotten, "m.room.join_rules", "", "$closed"},
		{"it looks at the conflicted state subgraph", reset, "m.room.power_levels", "$power", "$power3"},
	} {
		for v, want := range map[event.Version]string{2: tt.old, 6: tt.old, 11: tt.old, 12: tt.now} {
			events, states := tt.make(v)
			got := ""
			for _, e := range resolve(t, v, events, named(v, states)).State {
				if e.Type == tt.kind {
					got = e.ID
				}
			}
			if got != want {
				t.Errorf("%s, room version %d: %q holds the place, want %q", tt.name, v, got, want)
			}
		}
	}
}

func TestUnconflictedStateStays(t *testing.T) {
	for _, v := range []event.Version{2, 11, 12} {
		events, states := forgotten(v)
		states = named(v, states)
		got := ids(resolve(t, v, events, states).State)
		for _, id := range states[0] {
			if slices.Contains(states[1], id) && !slices.Contains(got, id) {
				t.Errorf("room version %d: all have %s, the resolved state %v has not", v, id, got)
			}
		}
	}
}
