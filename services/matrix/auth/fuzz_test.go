package auth_test

import (
	"testing"

	"barnraise/services/matrix/auth"
	"barnraise/services/matrix/canonical"
	"barnraise/services/matrix/event"
)

func FuzzCheck(f *testing.F) {
	f.Add(byte(6), `{"type":"m.room.member","sender":"@eve:e","state_key":"@eve:e","content":{"membership":"join"},"origin_server_ts":1,"room_id":"!room:a"}`, `{"join_rule":"invite"}`, `{"users":{"@bob:b":"50"}}`)
	f.Add(byte(12), `{"type":"m.room.power_levels","sender":"@ann:a","state_key":"","content":{"users":{"@bob:b":1}},"origin_server_ts":1,"room_id":"!0"}`, `{}`, `{"users":{},"events":{"x":9}}`)
	f.Add(byte(2), `{"type":"m.room.redaction","sender":"@cid:c","content":{},"origin_server_ts":1,"room_id":"!room:a","event_id":"$1:c","redacts":"$2:d"}`, `{}`, `{"redact":5e1}`)
	f.Fuzz(func(t *testing.T, version byte, text, joinRules, power string) {
		v := event.Version(version)
		j, err := canonical.ParseString(text)
		if err != nil || v < 1 || v > event.Latest {
			return
		}
		e, err := event.Read(v, j, "$event")
		if err != nil {
			return
		}
		state := room(t, v, "")
		for i, s := range state {
			for kind, content := range map[string]string{auth.JoinRules: joinRules, auth.PowerLevels: power} {
				if c, err := canonical.ParseString(content); err == nil && s.Type == kind {
					changed := *s
					changed.Content = c
					state[i] = &changed
				}
			}
		}
		named := selected(v, e, state)
		d, err := auth.Check(v, e, named, state, nil)
		if err == nil && d.Rule == "" {
			t.Errorf("no rule says %v", d)
		}
		if again, _ := auth.Check(v, e, named, state, nil); again != d {
			t.Errorf("%v, and once more %v", d, again)
		}
	})
}
