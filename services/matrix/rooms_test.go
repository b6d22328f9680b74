package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barnraise/services/matrix/canonical"
	"barnraise/services/matrix/event"
)

// caller calls the program and keeps what it asked, for both variants to be asked again.
type caller struct {
	asked []string
	seen  map[string]bool
}

// entry is one of a resolved state: type, state key and event.
type entry [3]string

type resolved struct {
	State []entry `json:"state"`
	Trace []struct {
		EventID, Phase, Rule string
		Allowed              bool
	} `json:"trace"`
	Conflicted, AuthDifference int
}

// resolve calls matrix_resolveState.
func (c *caller) resolve(t *testing.T, version, events string, sets [][]string, ids string) (r resolved) {
	t.Helper()
	list, err := json.Marshal(append([][]string{}, sets...))
	if err != nil {
		t.Fatal(err)
	}
	b := request(t, "matrix_resolveState", fmt.Sprintf(`[%q,%s,%s,%q]`, version, events, list, ids))
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	if !c.seen[string(b)] {
		c.seen[string(b)] = true
		c.asked = append(c.asked, string(b))
	}
	answer := struct{ Result *resolved }{}
	if got := program.Handle(b); json.Unmarshal(got, &answer) != nil || answer.Result == nil {
		t.Fatalf("%.300s", got)
	}
	return *answer.Result
}

// pdu is what a walk wants to know of an event.
type pdu struct {
	ID       string   `json:"event_id"`
	Type     string   `json:"type"`
	StateKey string   `json:"state_key"`
	Prev     []string `json:"prev_events"`
}

// walk is a server that gets the events one by one, and has the program resolve where branches meet: the state behind all.
func (c *caller) walk(t *testing.T, version, events string) []entry {
	t.Helper()
	var list []pdu
	if err := json.Unmarshal([]byte(events), &list); err != nil {
		t.Fatal(err)
	}
	after, followed := map[string][]entry{}, map[string]bool{}
	for _, e := range list {
		var before [][]string
		for _, p := range e.Prev {
			before, followed[p] = append(before, named(after[p])), true
		}
		old := c.resolve(t, version, events, before, "given").State
		now := slices.DeleteFunc(slices.Clone(old), func(s entry) bool { return s[0] == e.Type && s[1] == e.StateKey })
		now = append(now, entry{e.Type, e.StateKey, e.ID})
		after[e.ID] = c.resolve(t, version, events, [][]string{named(old), named(now)}, "given").State
	}
	var leaves [][]string
	for _, e := range list {
		if !followed[e.ID] {
			leaves = append(leaves, named(after[e.ID]))
		}
	}
	return c.resolve(t, version, events, leaves, "given").State
}

func named(state []entry) []string {
	ids := []string{}
	for _, s := range state {
		ids = append(ids, s[2])
	}
	return ids
}

// rumas is the folder of Ruma's cases, which are not part of the repository.
func rumas(t *testing.T) string {
	for _, up := range []string{"../../..", "../../../..", "../../../../.."} { // a worktree lies deeper
		folder := filepath.Join(up, "shared/vectors/matrix-state-res")
		if _, err := os.Stat(folder); err == nil {
			return folder
		}
	}
	t.Skip("../shared/vectors/matrix-state-res is not there")
	return ""
}

// rooms resolves the cases of Ruma, and rooms made after the problems that MSC4297 tells of.
func (c *caller) rooms(t *testing.T) {
	t.Run("Ruma", func(t *testing.T) { c.rumas(t, rumas(t)) })
	t.Run("MSC4297", c.problems)
}

func (c *caller) rumas(t *testing.T, folder string) {
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, files := range map[string][]string{
		"minimal_private_chat":  {"bootstrap-private-chat"},
		"minimal_public_chat":   {"bootstrap-public-chat"},
		"ban_vs_power_levels":   {"bootstrap-public-chat", "ban-vs-power-levels-alice", "ban-vs-power-levels-bob"},
		"topic_vs_power_levels": {"bootstrap-public-chat", "topic-vs-power-levels-alice", "topic-vs-power-levels-bob"},
		"concurrent_joins":      {"bootstrap-public-chat", "concurrent-joins-charlie", "concurrent-joins-ella"},
	} {
		var events []string
		for _, f := range files {
			events = append(events, strings.Trim(strings.TrimSpace(read(f+".json")), "[]"))
		}
		all := "[" + strings.Join(events, ",") + "]"
		_, snapshot, _ := strings.Cut(strings.TrimPrefix(read(name+".expected.snap"), "---\n"), "\n---\n")
		var list []pdu
		if err := json.Unmarshal([]byte(snapshot), &list); err != nil {
			t.Fatal(err)
		}
		var want []entry
		for _, e := range list {
			want = append(want, entry{e.Type, e.StateKey, e.ID})
		}
		if got := c.walk(t, "10", all); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		if err := json.Unmarshal([]byte(all), &list); err != nil {
			t.Fatal(err)
		}
		var apart [][]string
		for _, e := range list {
			apart = append(apart, []string{e.ID})
		}
		if got := c.resolve(t, "10", all, apart, "given").State; !slices.Equal(got, want) {
			t.Errorf("%s, each event a state: %v, want %v", name, got, want)
		}
	}
}

func (c *caller) problems(t *testing.T) {
	for _, tt := range []struct {
		name     string
		make     func(*timeline) [][]string
		kind     string
		old, now string // which event holds the place of that type in versions 11 and 12
	}{
		{"join rules that all forgot", forgotten, "m.room.join_rules", "", "closed"},
		{"power levels from between", reset, "m.room.power_levels", "power", "power3"},
	} {
		for v, want := range map[event.Version]string{11: tt.old, 12: tt.now} {
			for _, ids := range []string{"given", "derive"} {
				l := newTimeline(v, ids)
				sets := l.sets(tt.make(l)...)
				got := ""
				for _, s := range c.resolve(t, v.String(), l.array(), sets, ids).State {
					if s[0] == tt.kind {
						got = l.names[s[2]]
					}
				}
				if got != want {
					t.Errorf("%s, version %d, ids %s: %q holds the place, want %q", tt.name, v, ids, got, want)
				}
			}
		}
	}
}

// forgotten is a room that became invite-only, by one who left. One server forgot that, another the rules before.
func forgotten(l *timeline) [][]string {
	l.begin()
	l.add("cid", "m.room.member", "@cid:c", "@cid:c", joins, "power", "public")
	l.add("closed", "m.room.join_rules", "@ann:a", "", `{"join_rule":"invite"}`, "ann", "power")
	l.add("gone", "m.room.member", "@ann:a", "@ann:a", `{"membership":"leave"}`, "ann", "power")
	l.add("bob2", "m.room.member", "@bob:b", "@bob:b", `{"membership":"join","displayname":"Bob"}`, "bob", "power", "closed")
	l.add("cid2", "m.room.member", "@cid:c", "@cid:c", `{"membership":"join","displayname":"Cid"}`, "cid", "power", "closed")
	return [][]string{{"create", "power", "gone", "closed", "bob2", "cid"}, {"create", "power", "gone", "public", "bob", "cid2"}}
}

// reset is a room in which a moderator made another. One server has the first power levels, the other one the last.
func reset(l *timeline) [][]string {
	l.begin()
	l.add("power2", "m.room.power_levels", "@ann:a", "", l.power(`"@bob:b":50`), "ann", "power")
	l.add("power3", "m.room.power_levels", "@bob:b", "", l.power(`"@bob:b":50`, `"@cid:c":50`), "bob", "power2")
	l.add("dan", "m.room.member", "@dan:d", "@dan:d", joins, "power3", "public")
	l.add("eve", "m.room.member", "@eve:e", "@eve:e", joins, "power3", "public")
	return [][]string{{"create", "ann", "public", "bob", "power", "eve"}, {"create", "ann", "public", "bob", "power3", "dan"}}
}

const joins = `{"membership":"join"}`

// timeline is a room that a test makes, of events that it names.
type timeline struct {
	version event.Version
	ids     string            // "given" or "derive"
	events  []string          // as JSON
	id      map[string]string // by name
	names   map[string]string // by ID
}

func newTimeline(v event.Version, ids string) *timeline {
	return &timeline{version: v, ids: ids, id: map[string]string{}, names: map[string]string{}}
}

// begin adds what there is in every room: Ann made it, Bob joined.
func (l *timeline) begin() {
	l.add("create", "m.room.create", "@ann:a", "", `{"creator":"@ann:a","room_version":"`+l.version.String()+`"}`)
	l.add("ann", "m.room.member", "@ann:a", "@ann:a", joins)
	l.add("power", "m.room.power_levels", "@ann:a", "", l.power(), "ann")
	l.add("public", "m.room.join_rules", "@ann:a", "", `{"join_rule":"public"}`, "ann", "power")
	l.add("bob", "m.room.member", "@bob:b", "@bob:b", joins, "power", "public")
}

// power is the content of power levels. Ann needs none in version 12, where she made the room.
func (l *timeline) power(users ...string) string {
	if l.version < 12 {
		users = append([]string{`"@ann:a":100`}, users...)
	}
	return `{"users":{` + strings.Join(users, ",") + `}}`
}

// add adds an event that names those as its auth events, and before version 12 the create event.
func (l *timeline) add(name, kind, sender, key, content string, auth ...string) {
	named, room := []string{}, `"room_id":"!room:a",`
	if kind != "m.room.create" && l.version < 12 {
		auth = append([]string{"create"}, auth...)
	}
	for _, a := range auth {
		named = append(named, quoted(l.id[a]))
	}
	if l.version >= 12 {
		room = ""
		if kind != "m.room.create" {
			room = `"room_id":"!` + l.id["create"][1:] + `",`
		}
	}
	id := "$" + name
	if l.ids == "given" {
		room += `"event_id":"` + id + `",`
	}
	text := fmt.Sprintf(`{%s"type":%q,"sender":%q,"state_key":%q,"content":%s,"origin_server_ts":%d,"auth_events":[%s]}`,
		room, kind, sender, key, content, len(l.events)+1, strings.Join(named, ","))
	if l.ids == "derive" {
		id = idOf(l.version, text)
	}
	l.events, l.id[name], l.names[id] = append(l.events, text), id, name
}

// idOf is the ID that an event has by its hash.
func idOf(v event.Version, text string) string {
	j, err := canonical.ParseString(text)
	if err != nil {
		panic(err)
	}
	e, err := event.Read(v, j, "")
	if err != nil {
		panic(err)
	}
	return e.ID
}

func (l *timeline) array() string { return "[" + strings.Join(l.events, ",") + "]" }

// sets turns names into IDs.
func (l *timeline) sets(names ...[]string) [][]string {
	sets := make([][]string, len(names))
	for i, list := range names {
		for _, n := range list {
			sets[i] = append(sets[i], l.id[n])
		}
	}
	return sets
}
