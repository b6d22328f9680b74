package auth_test

import (
	"testing"

	"barnraise/services/matrix/auth"
	"barnraise/services/matrix/event"
)

func TestPowerLevels(t *testing.T) {
	const (
		users  = `"users":{"@bob:b":50,"@cid:c":20},`
		rest   = `"users_default":5,"ban":60,"kick":40`
		maps   = `,"events":{"x.low":10,"x.high":70},"notifications":{"room":60}`
		old    = `power_levels "" @ann:a {` + users + rest + maps + `}`
		equals = `power_levels "" @ann:a {"users":{"@bob:b":50,"@cid:c":20,"@eve:e":50},` + rest + maps + `}`
	)
	by := func(sender, content string) string { return `power_levels "" ` + sender + ` ` + content }
	for _, tt := range []row{
		{"no change", by("@bob:b", `{`+users+rest+maps+`}`), old,
			"1-5 +10.8, 6-9 +9.8, 10-11 +9.10, 12 +10.11"},
		{"by a member", by("@cid:c", `{`+users+rest+maps+`}`), old, "1-5 -8, 6-11 -7, 12 -8"},
		{"nothing in it", by("@bob:b", `{}`), `power_levels "" @ann:a {"users":{"@bob:b":60}}`,
			"1-5 +10.8, 6-9 +9.8, 10-11 +9.10, 12 +10.11"},
		{"users that are a list", by("@bob:b", `{"users":[]}`), old, "1-5 -10.1, 6-9 -9.1, 10-11 -9.3, 12 -10.3"},
		{"a user who is none", by("@bob:b", `{"users":{"bob":1}}`), old, "1-5 -10.1, 6-9 -9.1, 10-11 -9.3, 12 -10.3"},
		{"a user without server", by("@bob:b", `{"users":{"@bob:":1}}`), old, "1-5 -10.1, 6-9 -9.1, 10-11 -9.3, 12 -10.3"},
		{"a level that is a word", by("@bob:b", `{"users":{"@bob:b":"x"}}`), old,
			"1-5 -10.1, 6-9 -9.1, 10-11 -9.3, 12 -10.3"},
		{"a level that is a string", by("@bob:b", `{"users":{"@bob:b":" +050","@cid:c":20},`+rest+maps+`}`), old,
			"1-5 +10.8, 6-9 +9.8, 10-11 -9.3, 12 -10.3"},
		{"a level with a fraction", by("@bob:b", `{"users":{"@bob:b":5.09E1,"@cid:c":20},`+rest+maps+`}`), old, "1-5 +10.8"},
		{"a property that is a string", by("@bob:b", `{`+users+`"kick":"40","users_default":5,"ban":60`+maps+`}`), old,
			"1-5 +10.8, 6-9 +9.8, 10-11 -9.1, 12 -10.1"},
		{"a property that is null", by("@bob:b", `{`+users+`"redact":null,`+rest+maps+`}`), old,
			"1-5 -10.3.2, 6-9 -9.3.2, 10-11 -9.1, 12 -10.1"},
		{"an event's level that is a string", by("@bob:b", `{`+users+rest+`,"events":{"x.low":"10","x.high":70},"notifications":{"room":60}}`), old,
			"1-5 +10.8, 6-9 +9.8, 10-11 -9.2, 12 -10.2"},
		{"a property that is a word", by("@bob:b", `{`+users+`"redact":"x",`+rest+maps+`}`), old,
			"1-5 -10.3.2, 6-9 -9.3.2, 10-11 -9.1, 12 -10.1"},
		{"an event's level that is a word", by("@bob:b", `{`+users+rest+`,"events":{"x":"x","x.low":10,"x.high":70},"notifications":{"room":60}}`), old,
			"1-5 -10.5.1, 6-9 -9.5.1, 10-11 -9.2, 12 -10.2"},
		{"notifications that are a list", by("@bob:b", `{"notifications":[]}`), old, "10-11 -9.2, 12 -10.2"},
		{"a creator in it", by("@ann:a", `{"users":{"@ann:a":100}}`), old, "12 -10.4"},
		{"another creator in it", by("@ann:a", `{"users":{"@eve:e":100}}`), `create "" @ann:a {"creator":"@ann:a","additional_creators":["@eve:e"]}`,
			"12 -10.4"},
		{"a property above him", by("@bob:b", `{`+users+`"users_default":5,"ban":40,"kick":40`+maps+`}`), old,
			"1-5 -10.3.1, 6-9 -9.3.1, 10-11 -9.5.1, 12 -10.6.1"},
		{"a property above him goes", by("@bob:b", `{`+users+`"users_default":5,"kick":40`+maps+`}`), old,
			"1-5 -10.3.1, 6-9 -9.3.1, 10-11 -9.5.1, 12 -10.6.1"},
		{"a property gets above him", by("@bob:b", `{`+users+`"users_default":5,"ban":60,"kick":51`+maps+`}`), old,
			"1-5 -10.3.2, 6-9 -9.3.2, 10-11 -9.5.2, 12 -10.6.2"},
		{"a new property above him", by("@bob:b", `{`+users+`"invite":51,`+rest+maps+`}`), old,
			"1-5 -10.3.2, 6-9 -9.3.2, 10-11 -9.5.2, 12 -10.6.2"},
		{"an event above him", by("@bob:b", `{`+users+rest+`,"events":{"x.low":10},"notifications":{"room":60}}`), old,
			"1-5 -10.4.1, 6-9 -9.4.1, 10-11 -9.6.1, 12 -10.7.1"},
		{"a notification above him", by("@bob:b", `{`+users+rest+`,"events":{"x.low":10,"x.high":70}}`), old,
			"1-5 +10.8, 6-9 -9.4.1, 10-11 -9.6.1, 12 -10.7.1"},
		{"an event gets above him", by("@bob:b", `{`+users+rest+`,"events":{"x.low":51,"x.high":70},"notifications":{"room":60}}`), old,
			"1-5 -10.5.1, 6-9 -9.5.1, 10-11 -9.7.1, 12 -10.8.1"},
		{"a new notification above him", by("@bob:b", `{`+users+rest+`,"events":{"x.low":10,"x.high":70},"notifications":{"room":60,"x":51}}`), old,
			"1-5 +10.8, 6-9 -9.5.1, 10-11 -9.7.1, 12 -10.8.1"},
		{"an equal", by("@bob:b", `{"users":{"@bob:b":50,"@cid:c":20,"@eve:e":49},`+rest+maps+`}`), equals,
			"1-5 -10.6.1, 6-9 -9.6.1, 10-11 -9.8.1, 12 -10.9.1"},
		{"an equal goes", by("@bob:b", `{`+users+rest+maps+`}`), equals,
			"1-5 -10.6.1, 6-9 -9.6.1, 10-11 -9.8.1, 12 -10.9.1"},
		{"himself down", by("@bob:b", `{"users":{"@bob:b":49,"@cid:c":20},`+rest+maps+`}`), old,
			"1-5 +10.8, 6-9 +9.8, 10-11 +9.10, 12 +10.11"},
		{"himself up", by("@bob:b", `{"users":{"@bob:b":51,"@cid:c":20},`+rest+maps+`}`), old,
			"1-5 -10.7.1, 6-9 -9.7.1, 10-11 -9.9.1, 12 -10.10.1"},
		{"a member to his own", by("@bob:b", `{"users":{"@bob:b":50,"@cid:c":50},`+rest+maps+`}`), old,
			"1-5 +10.8, 6-9 +9.8, 10-11 +9.10, 12 +10.11"},
		{"a new one above him", by("@bob:b", `{"users":{"@bob:b":50,"@cid:c":20,"@eve:e":51},`+rest+maps+`}`), old,
			"1-5 -10.7.1, 6-9 -9.7.1, 10-11 -9.9.1, 12 -10.10.1"},
		{"a creator may all", by("@ann:a", `{"users":{"@bob:b":9007199254740991},"ban":9007199254740991}`), old,
			"12 +10.11"},
	} {
		tt.run(t)
	}
}

func TestTheFirstPowerLevels(t *testing.T) {
	for v, want := range verdicts(t, "1-5 +10.2, 6-9 +9.2, 10-11 +9.4, 12 +10.5") {
		state := room(t, v, "")[:2] // the room and who made it
		e := line(t, v, "$event", `power_levels "" @ann:a {"users":{"@bob:b":100}}`)
		d, err := auth.Check(v, e, selected(v, e, state), state, nil)
		if got := verdict(d); err != nil || got != want {
			t.Errorf("version %d: %s, %v, want %s", v, got, err, want)
		}
	}
}

func TestLevel(t *testing.T) {
	const most = 9007199254740991
	for _, tt := range []struct {
		content string
		user    string
		from    event.Version
		to      event.Version
		want    int64
	}{
		{``, "@ann:a", 1, 11, 100},
		{``, "@ann:a", 12, 12, auth.Infinite},
		{``, "@bob:b", 1, 12, 0},
		{``, "@add:a", 11, 11, 0},
		{``, "@add:a", 12, 12, auth.Infinite},
		{`{}`, "@ann:a", 1, 11, 0},
		{`{"users_default":7}`, "@bob:b", 1, 12, 7},
		{`{"users":{"@bob:b":-3},"users_default":7}`, "@bob:b", 1, 12, -3},
		{`{"users":{"@bob:b":9007199254740991}}`, "@bob:b", 1, 12, most},
		{`{"users":{"@bob:b":"9"},"users_default":7}`, "@bob:b", 1, 9, 9},
		{`{"users":{"@bob:b":"9"},"users_default":7}`, "@bob:b", 10, 12, 7},
		{`{"users":{"@bob:b":"\t-009\n"}}`, "@bob:b", 1, 9, -9},
		{`{"users":{"@bob:b":"+-9"},"users_default":7}`, "@bob:b", 1, 9, 7},
		{`{"users":{"@bob:b":"9.5"},"users_default":7}`, "@bob:b", 1, 9, 7},
		{`{"users":{"@bob:b":"1_0"},"users_default":7}`, "@bob:b", 1, 9, 7},
		{`{"users":{"@bob:b":""},"users_default":7}`, "@bob:b", 1, 9, 7},
		{`{"users":{"@bob:b":true},"users_default":7}`, "@bob:b", 1, 12, 7},
		{`{"users":{"@bob:b":50.57}}`, "@bob:b", 1, 5, 50},
		{`{"users":{"@bob:b":-50.57}}`, "@bob:b", 1, 5, -50},
		{`{"users":{"@bob:b":5.114698E4}}`, "@bob:b", 1, 5, 51146},
		{`{"users":{"@bob:b":1e300}}`, "@bob:b", 1, 5, auth.Infinite - 1},
		{`{"users":{"@bob:b":1e400},"users_default":7}`, "@bob:b", 1, 5, 7},
		{`{"users":{"@bob:b":99999999999999999999}}`, "@bob:b", 1, 5, auth.Infinite - 1},
		{`{"users":{"@bob:b":"99999999999999999999"}}`, "@bob:b", 1, 9, auth.Infinite - 1},
	} {
		for v := tt.from; v <= tt.to; v++ {
			create := line(t, v, "$0", `create "" @ann:a {"creator":"@ann:a","additional_creators":["@add:a"]}`)
			var power *event.Event
			if tt.content != "" {
				power = line(t, v, "$1", `power_levels "" @ann:a `+tt.content)
			}
			if got := auth.New(v, 0).Level(tt.user, create, power); got != tt.want {
				t.Errorf("version %d: %s has %d where %s holds, want %d", v, tt.user, got, tt.content, tt.want)
			}
		}
	}
}

func TestWhoMadeTheRoom(t *testing.T) {
	for v, want := range map[event.Version]int64{1: 0, 10: 0, 11: 100} {
		create := line(t, v, "$0", `create "" @ann:a {"creator":"@bob:a"}`)
		if got := auth.New(v, 0).Level("@ann:a", create, nil); got != want {
			t.Errorf("version %d: who sent the create event has %d, want %d", v, got, want)
		}
	}
}
