package auth_test

import (
	"fmt"
	"strings"
	"testing"

	"barnraise/services/matrix/auth"
	"barnraise/services/matrix/canonical"
	"barnraise/services/matrix/event"
)

// line reads an event from its test notation: "type state_key sender content", where the state key - is none and an empty one
// is "". Behind a | there may be members of the event, as JSON.
func line(t testing.TB, v event.Version, id, text string) *event.Event {
	t.Helper()
	text, extra, _ := strings.Cut(text, "|")
	f := strings.SplitN(strings.TrimSpace(text), " ", 4)
	kind, key, sender, content := f[0], f[1], f[2], f[3]
	if !strings.Contains(kind, ".") {
		kind = "m.room." + kind
	}
	members := []string{fmt.Sprintf(`"type":%q,"sender":%q,"content":%s,"origin_server_ts":1`, kind, sender, content)}
	if key != "-" {
		members = append(members, fmt.Sprintf(`"state_key":%q`, strings.Trim(key, `"`)))
	}
	if !strings.Contains(extra, "prev_events") {
		members = append(members, `"prev_events":[]`)
	}
	if !strings.Contains(extra, "room_id") && (v < 12 || kind != auth.Create) {
		members = append(members, fmt.Sprintf(`"room_id":%q`, roomOf(v)))
	}
	if extra != "" {
		members = append(members, extra)
	}
	j, err := canonical.ParseString("{" + strings.Join(members, ",") + "}")
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	e, err := event.Read(v, j, id)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e
}

func roomOf(v event.Version) string {
	if v >= 12 {
		return "!0"
	}
	return "!room:a"
}

// room reads a state: one event in each line, the create event first, whose ID is $0. Lines in the base that the text has
// another event for give way to that.
func room(t testing.TB, v event.Version, text string) (events []*event.Event) {
	t.Helper()
	places := map[event.Key]bool{}
	for i, l := range strings.Split(text+"\n"+base, "\n") {
		if l = strings.TrimSpace(l); l == "" {
			continue
		}
		id := fmt.Sprintf("$%d", i+1)
		if strings.HasPrefix(l, "create") {
			id = "$0"
		}
		e := line(t, v, id, strings.ReplaceAll(l, "VERSION", v.String()))
		if k, _ := e.Key(); !places[k] {
			places[k] = true
			events = append(events, e)
		}
	}
	return events
}

// base is what a room has that a test says nothing of: Ann made it, Bob is a moderator, Cid a member, Dan is banned.
const base = `
create "" @ann:a {"creator":"@ann:a","room_version":"VERSION"}
member @ann:a @ann:a {"membership":"join"}
member @bob:b @bob:b {"membership":"join"}
member @cid:c @cid:c {"membership":"join"}
member @dan:d @bob:b {"membership":"ban"}
power_levels "" @ann:a {"users":{"@bob:b":50},"events":{"x.high":70},"redact":50,"notifications":{"room":60}}
join_rules "" @ann:a {"join_rule":"public"}
`

// selected is what an event should name of a state as its auth events.
func selected(v event.Version, e *event.Event, state []*event.Event) (named []*event.Event) {
	wanted := map[event.Key]bool{}
	for _, k := range auth.New(v, 0).Selection(e) {
		wanted[k] = true
	}
	for _, s := range state {
		if k, ok := s.Key(); ok && wanted[k] {
			named = append(named, s)
		}
	}
	return named
}

// verdicts reads what is wanted by version: "1-5 +5.2.1, 6-12 -4.2.1", + for allowed.
func verdicts(t testing.TB, text string) map[event.Version]string {
	t.Helper()
	m := map[event.Version]string{}
	for part := range strings.SplitSeq(text, ",") {
		versions, want, ok := strings.Cut(strings.TrimSpace(part), " ")
		first, last := 0, 0
		if n, _ := fmt.Sscanf(versions, "%d-%d", &first, &last); n == 1 {
			last = first
		}
		if !ok || first < 1 || last < first || last > 12 {
			t.Fatalf("%q is no verdict", part)
		}
		for v := first; v <= last; v++ {
			m[event.Version(v)] = want
		}
	}
	return m
}

func verdict(d auth.Decision) string {
	if d.Allowed {
		return "+" + d.Rule
	}
	return "-" + d.Rule
}
