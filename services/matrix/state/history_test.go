package state_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"barnraise/services/matrix/auth"
	"barnraise/services/matrix/event"
)

// history is a room that servers have written to on several branches, and the states at their ends.
func history(v event.Version, random *rand.Rand) ([]*event.Event, [][]string) {
	r := newRoom(v, "@a:a")
	rules := auth.New(v, 0)
	branches := []map[event.Key]string{{{Type: auth.Create}: "$create"}}
	write := func(b int, kind, sender, key, content string) {
		id := fmt.Sprintf("%02d%c", random.IntN(90), 'a'+rune(len(r.events)%26)) + fmt.Sprint(len(r.events))
		e := r.at(random.IntN(8), id, kind, sender, key, content)
		e.AuthEvents = e.AuthEvents[:0]
		view := func(k event.Key) *event.Event { return find(r.events, branches[b][k]) }
		for _, k := range rules.Selection(e) {
			if held, ok := branches[b][k]; ok {
				e.AuthEvents = append(e.AuthEvents, held)
			}
		}
		if random.IntN(8) > 0 && !rules.Check(e, view).Allowed {
			r.events = r.events[:len(r.events)-1]
			return
		}
		k, _ := e.Key()
		branches[b][k] = e.ID
	}
	users := []string{"@a:a", "@b:b", "@c:c", "@d:d"}
	write(0, auth.Member, "@a:a", "@a:a", `{"membership":"join"}`)
	write(0, auth.PowerLevels, "@a:a", "", r.power(`"@a:a":100`, `"@b:b":60`))
	write(0, auth.JoinRules, "@a:a", "", `{"join_rule":"public"}`)
	write(0, auth.Member, "@b:b", "@b:b", `{"membership":"join"}`)
	for range 4 + random.IntN(30) {
		if len(branches) < 4 && random.IntN(5) == 0 {
			branches = append(branches, maps.Clone(branches[random.IntN(len(branches))]))
		}
		b, sender, other := random.IntN(len(branches)), users[random.IntN(4)], users[random.IntN(4)]
		switch random.IntN(6) {
		case 0:
			levels := []string{`"@a:a":100`}
			for _, u := range users[1:] {
				levels = append(levels, fmt.Sprintf("%q:%d", u, 10*random.IntN(9)))
			}
			write(b, auth.PowerLevels, sender, "", r.power(levels...))
		case 1:
			write(b, auth.JoinRules, sender, "", []string{`{"join_rule":"public"}`, `{"join_rule":"invite"}`}[random.IntN(2)])
		case 2:
			write(b, auth.Member, sender, other, []string{`{"membership":"ban"}`, `{"membership":"leave"}`}[random.IntN(2)])
		case 3:
			write(b, "m.room.topic", sender, "", `{"topic":"t"}`)
		default:
			write(b, auth.Member, sender, sender, `{"membership":"join"}`)
		}
	}
	return r.events, ends(branches, r.events, random)
}

// ends is the states of the branches. Now and then a server has got one wrong: it lacks an event or has an older one.
func ends(branches []map[event.Key]string, events []*event.Event, random *rand.Rand) (states [][]string) {
	for _, b := range branches {
		var list []string
		for _, id := range slices.Sorted(maps.Values(b)) {
			if random.IntN(12) == 0 && id != "$create" {
				k, _ := find(events, id).Key()
				id = ""
				for _, e := range events {
					if other, _ := e.Key(); other == k && random.IntN(2) == 0 {
						id = e.ID
					}
				}
			}
			if id != "" {
				list = append(list, id)
			}
		}
		states = append(states, list)
	}
	return states
}

func find(events []*event.Event, id string) *event.Event {
	for _, e := range events {
		if e.ID == id {
			return e
		}
	}
	return nil
}
