package event_test

import (
	"errors"
	"testing"

	"barnraise/services/matrix/canonical"
	"barnraise/services/matrix/event"
)

// Every member that any version keeps, and one that none does.
const everyMember = `{"auth_events":[],"content":{},"depth":1,"event_id":"$e:s","extra":1,"hashes":{},"membership":"join","origin":"s",` +
	`"origin_server_ts":1,"prev_events":[],"prev_state":[],"room_id":"!r:s","sender":"@u:s","signatures":{},"state_key":"","type":"X","unsigned":{}}`

// Sections "Redactions" of rooms/v1, v6, v8, v9 and v11, and of those that refer to them.
func TestRedactionOfMembers(t *testing.T) {
	for v := event.Version(1); v <= event.Latest; v++ {
		want := `{"auth_events":[],"content":{},"depth":1,"event_id":"$e:s","hashes":{},"membership":"join","origin":"s","origin_server_ts":1,` +
			`"prev_events":[],"prev_state":[],"room_id":"!r:s","sender":"@u:s","signatures":{},"state_key":"","type":"X"}`
		if v >= 11 {
			want = `{"auth_events":[],"content":{},"depth":1,"event_id":"$e:s","hashes":{},"origin_server_ts":1,` +
				`"prev_events":[],"room_id":"!r:s","sender":"@u:s","signatures":{},"state_key":"","type":"X"}`
		}
		redacted, err := v.Redact(parse(t, everyMember))
		if got := text(t, redacted); err != nil || got != want {
			t.Errorf("version %v\n got %s, %v\nwant %s", v, got, err, want)
		}
	}
}

var redactions = []struct {
	kind, content string
	want          map[event.Version]string // from that version on
}{
	{"m.room.member", `{"displayname":"A","join_authorised_via_users_server":"@b:s","membership":"join","reason":"x"}`, map[event.Version]string{
		1: `{"membership":"join"}`, 9: `{"join_authorised_via_users_server":"@b:s","membership":"join"}`}},
	{"m.room.member", `{"membership":"invite","third_party_invite":{"display_name":"A","signed":{"mxid":"@b:s","signatures":{},"token":"t"}}}`,
		map[event.Version]string{1: `{"membership":"invite"}`,
			11: `{"membership":"invite","third_party_invite":{"signed":{"mxid":"@b:s","signatures":{},"token":"t"}}}`}},
	{"m.room.member", `{"third_party_invite":{"display_name":"A"}}`, map[event.Version]string{1: `{}`, 11: `{"third_party_invite":{}}`}},
	{"m.room.member", `{"third_party_invite":"A"}`, map[event.Version]string{1: `{}`}},
	{"m.room.create", `{"creator":"@a:s","m.federate":true,"room_version":"1"}`, map[event.Version]string{
		1: `{"creator":"@a:s"}`, 11: `{"creator":"@a:s","m.federate":true,"room_version":"1"}`}},
	{"m.room.join_rules", `{"allow":[{}],"join_rule":"restricted","x":1}`, map[event.Version]string{
		1: `{"join_rule":"restricted"}`, 8: `{"allow":[{}],"join_rule":"restricted"}`}},
	{"m.room.power_levels", `{"ban":1,"events":{"a":1},"events_default":2,"invite":3,"kick":4,"notifications":{},"redact":5,"state_default":6,` +
		`"users":{"@a:s":7},"users_default":8}`, map[event.Version]string{
		1:  `{"ban":1,"events":{"a":1},"events_default":2,"kick":4,"redact":5,"state_default":6,"users":{"@a:s":7},"users_default":8}`,
		11: `{"ban":1,"events":{"a":1},"events_default":2,"invite":3,"kick":4,"redact":5,"state_default":6,"users":{"@a:s":7},"users_default":8}`}},
	{"m.room.aliases", `{"aliases":["#a:s"],"x":1}`, map[event.Version]string{1: `{"aliases":["#a:s"]}`, 6: `{}`}},
	{"m.room.history_visibility", `{"history_visibility":"shared","x":1}`, map[event.Version]string{1: `{"history_visibility":"shared"}`}},
	{"m.room.redaction", `{"reason":"x","redacts":"$e"}`, map[event.Version]string{1: `{}`, 11: `{"redacts":"$e"}`}},
	{"m.room.message", `{"body":"x","membership":"join","creator":"c","redacts":"r"}`, map[event.Version]string{1: `{}`}},
	{"m.room.third_party_invite", `{"public_key":"x"}`, map[event.Version]string{1: `{}`}},
}

func TestRedactionOfContent(t *testing.T) {
	for _, c := range redactions {
		want := ""
		for v := event.Version(1); v <= event.Latest; v++ {
			if next, ok := c.want[v]; ok {
				want = next
			}
			e := parse(t, `{"type":"`+c.kind+`","content":`+c.content+`}`)
			redacted, err := v.Redact(e)
			if got := text(t, redacted.Get("content")); err != nil || got != want {
				t.Errorf("version %v, %s\n got %s, %v\nwant %s", v, c.kind, got, err, want)
			}
			if again, err := v.Redact(redacted); err != nil || text(t, again) != text(t, redacted) {
				t.Errorf("version %v, %s: redacted twice is %s, %v", v, c.kind, text(t, again), err)
			}
		}
	}
}

func TestRedactionOfLittle(t *testing.T) {
	for given, want := range map[string]string{`{}`: `{"content":{}}`, `{"content":{"a":1}}`: `{"content":{}}`, `{"type":7,"content":{}}`: `{"content":{},"type":7}`} {
		redacted, err := event.Latest.Redact(parse(t, given))
		if got := text(t, redacted); err != nil || got != want {
			t.Errorf("%s is redacted to %s, %v, want %s", given, got, err, want)
		}
	}
	var format *event.FormatError
	for _, given := range []string{`[]`, `{"content":[]}`, `{"content":null}`} {
		if _, err := event.Latest.Redact(parse(t, given)); !errors.As(err, &format) {
			t.Errorf("%s: %v", given, err)
		}
	}
}

// The events and ids are those of gomatrixserverlib's eventversion_test.go.
func TestIDs(t *testing.T) {
	const create = `{"auth_events": [], "prev_events": [], "type": "m.room.create", "room_id": "!uXDCzlYgCTHtiWCkEx:jki.re", "sender": "@erikj:jki.re",
		"content": {"room_version": "5", "predecessor": {"room_id": "!gdRMqOrTFdOCYHNwOo:half-shot.uk",
		"event_id": "$LP7ROBc4b+cMc1UE9haIz8q5AK2AIW4eJ90FfKLvyZI"}, "creator": "@erikj:jki.re"}, "depth": 1, "prev_state": [], "state_key": "",
		"origin": "jki.re", "origin_server_ts": 1560284621137, "hashes": {"sha256": "IX6zuNiJpJPNf70BLleL3HSCpjKeq9Uhu7uUpyDjBmc"},
		"signatures": {"jki.re": {"ed25519:auto": "O4IyFfF2PPtGp5uaDm8t57dZbdh8vc8Q64LgCwvzYRVItAMI0uisfiAFaxkVT7MRpzh6N2QNN5NMRXZKmgPYDA"}},
		"unsigned": {"age": 1321650}}`
	for _, c := range []struct {
		v           event.Version
		event, want string
	}{
		{1, `{"event_id":"$yvN1b43rlmcOs5fY:localhost","type":"m.room.name","content":{}}`, "$yvN1b43rlmcOs5fY:localhost"},
		{2, `{"type":"m.room.name","content":{}}`, ""},
		{3, create, "$RrGxF28UrHLmoASHndYb9Jb/1SFww2ptmtur9INS438"},
		{4, create, "$RrGxF28UrHLmoASHndYb9Jb_1SFww2ptmtur9INS438"},
		{10, create, "$RrGxF28UrHLmoASHndYb9Jb_1SFww2ptmtur9INS438"},
	} {
		e := parse(t, c.event)
		hash, err := c.v.ReferenceHash(e)
		if got := c.v.ID(e, hash); err != nil || got != c.want {
			t.Errorf("version %v: %s, %v, want %s", c.v, got, err, c.want)
		}
	}
	e := parse(t, create)
	if hash, err := event.Version(5).ContentHash(e); err != nil || !event.HasContentHash(e, hash) {
		t.Errorf("content hash %s, %v", event.Encode64(hash[:]), err)
	}
}

func TestRead(t *testing.T) {
	const whole = `{"type":"m.room.member","sender":"@a:s","state_key":"@b:s","room_id":"!r","content":{"membership":"join"},` +
		`"auth_events":["$1","$2"],"prev_events":["$3"],"depth":7,"origin_server_ts":8}`
	e, err := event.Read(10, parse(t, whole), "$given")
	if err != nil {
		t.Fatal(err)
	}
	key, ok := e.Key()
	if e.ID != "$given" || e.Room != "!r" || e.Sender != "@a:s" || !ok || key != (event.Key{Type: "m.room.member", StateKey: "@b:s"}) ||
		len(e.AuthEvents) != 2 || e.PrevEvents[0] != "$3" || e.Depth != 7 || e.OriginServerTS != 8 || !e.Content.Get("membership").Exists() {
		t.Errorf("read %+v", e)
	}
	if e, err = event.Read(10, parse(t, whole).Without("state_key"), ""); err != nil || len(e.ID) != 44 {
		t.Errorf("read %+v, %v", e, err)
	}
	if _, ok := e.Key(); ok {
		t.Error("a message sets state")
	}
	create := parse(t, `{"type":"m.room.create","state_key":"","sender":"@a:s","content":{},"origin_server_ts":1}`)
	if e, err = event.Read(12, create, ""); err != nil || e.Room != "!"+e.ID[1:] {
		t.Errorf("read %+v, %v", e, err)
	}
	for given, want := range map[string]string{"$x": "!x", "x": "", "é": "", "$é": "!é"} {
		if e, err = event.Read(12, create, given); err != nil || e.Room != want {
			t.Errorf("the room of %q is %q, %v, want %q", given, e.Room, err, want)
		}
	}
	if e, err = event.Read(12, create.Without("origin_server_ts"), "$x"); err != nil || e.OriginServerTS != 0 {
		t.Errorf("read %+v, %v", e, err)
	}
	pairs := parse(t, `{"event_id":"$e:s","type":"X","sender":"@a:s","content":{},"origin_server_ts":1,"auth_events":[["$1",{"sha256":""}],"$2"],
		"depth":92233720368547758070}`)
	if e, err = event.Read(1, pairs, ""); err != nil || e.ID != "$e:s" || e.AuthEvents[0] != "$1" || e.AuthEvents[1] != "$2" {
		t.Errorf("read %+v, %v", e, err)
	}
}

func TestReadRefuses(t *testing.T) {
	whole := parse(t, `{"type":"X","sender":"@a:s","content":{},"origin_server_ts":1}`)
	for _, c := range []struct{ member, value, want string }{
		{"type", `7`, `want a string as "type"`}, {"sender", `null`, `want a string as "sender"`}, {"content", `[]`, `want an object as "content"`},
		{"origin_server_ts", `"1"`, `want an integer as "origin_server_ts"`}, {"depth", `"1"`, `want an integer as "depth"`},
		{"state_key", `null`, `want a string as "state_key"`}, {"room_id", `1`, `want a string as "room_id"`},
		{"auth_events", `{}`, `want an array as "auth_events"`}, {"prev_events", `[["$1",{}]]`, `want event ids as "prev_events"`},
		{"depth", `1.5`, `bad JSON at byte 0`},
	} {
		if _, err := event.Read(10, whole.With(c.member, parse(t, c.value)), ""); err == nil || err.Error() != c.want {
			t.Errorf("%s %s: %v, want %s", c.member, c.value, err, c.want)
		}
	}
	if _, err := event.Read(2, whole, ""); err == nil || err.Error() != `want a string as "event_id"` {
		t.Error(err)
	}
	if _, err := event.Read(10, canonical.OfInt(1), ""); err == nil || err.Error() != "want an object" {
		t.Error(err)
	}
}
