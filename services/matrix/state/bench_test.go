package state_test

import (
	"fmt"
	"testing"

	"barnraise/services/matrix/event"
	"barnraise/services/matrix/state"
)

// crowd is a room of that many events: on one branch as many users as that takes join, on the other all of them are banned.
func crowd(v event.Version, events int) ([]*event.Event, [][]string) {
	r := newRoom(v, "@ann:a")
	r.add("ann", "m.room.member", "@ann:a", "@ann:a", `{"membership":"join"}`)
	r.add("power", "m.room.power_levels", "@ann:a", "", r.power(`"@ann:a":100`), "ann")
	r.add("public", "m.room.join_rules", "@ann:a", "", `{"join_rule":"public"}`, "ann", "power")
	in := []string{"create", "ann", "power", "public"}
	out := in[:4:4]
	for i := 0; len(r.events)+2 <= events; i++ {
		user := fmt.Sprintf("@user%d:b", i)
		r.add(fmt.Sprintf("join%d", i), "m.room.member", user, user, `{"membership":"join"}`, "power", "public")
		r.add(fmt.Sprintf("ban%d", i), "m.room.member", "@ann:a", user, `{"membership":"ban"}`, "power", "ann")
		in, out = append(in, fmt.Sprintf("join%d", i)), append(out, fmt.Sprintf("ban%d", i))
	}
	return r.events, named(v, [][]string{in, out})
}

// quarrel is a room of that many events in which each answers to the one before it: moderators join and give each other the
// power to do so, on two branches, and the auth chains are as long as the room is.
func quarrel(v event.Version, events int) ([]*event.Event, [][]string) {
	r := newRoom(v, "@ann:a")
	r.add("ann", "m.room.member", "@ann:a", "@ann:a", `{"membership":"join"}`)
	r.add("power", "m.room.power_levels", "@ann:a", "", r.power(`"@ann:a":100`), "ann")
	r.add("public", "m.room.join_rules", "@ann:a", "", `{"join_rule":"public"}`, "ann", "power")
	var states [][]string
	for branch := range 2 {
		me, power := "ann", "power"
		for i := 0; len(r.events) < events*(branch+1)/2; i++ {
			id := fmt.Sprintf("%d-%d", branch, i)
			switch i % 3 {
			case 0:
				r.add(id, "m.room.member", "@ann:a", "@ann:a", fmt.Sprintf(`{"membership":"join","displayname":"%d"}`, i), me, power, "public")
				me = id
			case 1:
				r.add(id, "m.room.power_levels", "@ann:a", "", r.power(`"@ann:a":100`, fmt.Sprintf(`"@bob%d:b":50`, i)), me, power)
				power = id
			case 2:
				user := fmt.Sprintf("@user%d:b", i)
				r.add(id, "m.room.member", "@ann:a", user, `{"membership":"ban"}`, me, power)
			}
		}
		states = append(states, []string{"create", me, power, "public"})
	}
	return r.events, named(v, states)
}

func TestAFullRoomIsResolved(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	for _, v := range []event.Version{2, 12} {
		events, states := crowd(v, state.MaxEvents)
		r := resolve(t, v, events, states)
		if r.Conflicted < 4900 || len(r.State) != (state.MaxEvents-4)/2+4 {
			t.Errorf("version %d: %d conflicted, %d in the state", v, r.Conflicted, len(r.State))
		}
		for _, e := range r.State {
			if e.Key != "" && e.Key != "@ann:a" && e.ID[:4] != "$ban" {
				t.Fatalf("version %d: %v, who was banned", v, e)
			}
		}
	}
}

func BenchmarkResolve(b *testing.B) {
	for name, room := range map[string]func(event.Version, int) ([]*event.Event, [][]string){"crowd": crowd, "quarrel": quarrel} {
		for _, v := range []event.Version{11, 12} {
			b.Run(fmt.Sprintf("%s/v%d", name, v), func(b *testing.B) {
				events, states := room(v, state.MaxEvents)
				for b.Loop() {
					resolve(b, v, events, states)
				}
			})
		}
	}
}
