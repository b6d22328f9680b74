package auth_test

import "testing"

func TestJoin(t *testing.T) {
	const invited = `member @eve:e @bob:b {"membership":"invite"}` + "\n"
	joins := `member @eve:e @eve:e {"membership":"join"}`
	for _, tt := range []row{
		{"a public room", joins, "", "1-5 +5.2.5, 6-7 +4.2.5, 8-11 +4.3.6, 12 +5.3.6"},
		{"the first of all", `member @ann:a @ann:a {"membership":"join"} | "prev_events":["$0"]`, `join_rules "" @ann:a {"join_rule":"invite"}`,
			"3-5 +5.2.1, 6-7 +4.2.1, 8-11 +4.3.1, 12 +5.3.1"},
		{"the first, but another", `member @eve:e @eve:e {"membership":"join"} | "prev_events":["$0"]`, `join_rules "" @ann:a {"join_rule":"invite"}`,
			"3-5 -5.2.6, 6-7 -4.2.6, 8-11 -4.3.7, 12 -5.3.7"},
		{"somebody else", `member @eve:e @bob:b {"membership":"join"}`, "",
			"1-5 -5.2.2, 6-7 -4.2.2, 8-11 -4.3.2, 12 -5.3.2"},
		{"the banned", `member @dan:d @dan:d {"membership":"join"}`, "", "1-5 -5.2.3, 6-7 -4.2.3, 8-11 -4.3.3, 12 -5.3.3"},
		{"uninvited", joins, `join_rules "" @ann:a {"join_rule":"invite"}`,
			"1-5 -5.2.6, 6-7 -4.2.6, 8-11 -4.3.7, 12 -5.3.7"},
		{"no join rules", joins, `join_rules "" @ann:a {}`, "1-5 -5.2.6, 12 -5.3.7"},
		{"invited", joins, invited + `join_rules "" @ann:a {"join_rule":"invite"}`,
			"1-5 +5.2.4, 6-7 +4.2.4, 8-11 +4.3.4, 12 +5.3.4"},
		{"invited where one knocks", joins, invited + `join_rules "" @ann:a {"join_rule":"knock"}`,
			"1-5 -5.2.6, 6 -4.2.6, 7 +4.2.4, 8-11 +4.3.4, 12 +5.3.4"},
		{"private", joins, invited + `join_rules "" @ann:a {"join_rule":"private"}`,
			"1-5 -5.2.6, 6-7 -4.2.6, 8-11 -4.3.7, 12 -5.3.7"},
		{"a word for no rule", joins, invited + `join_rules "" @ann:a {"join_rule":7}`,
			"1-5 -5.2.6, 6-7 -4.2.6, 8-11 -4.3.7, 12 -5.3.7"},
		{"restricted, nobody vouches", joins, `join_rules "" @ann:a {"join_rule":"restricted"}`,
			"5 -5.2.6, 7 -4.2.6, 8-11 -4.3.5.2, 12 -5.3.5.2"},
		{"restricted, invited", joins, invited + `join_rules "" @ann:a {"join_rule":"restricted"}`,
			"7 -4.2.6, 8-11 +4.3.5.1, 12 +5.3.5.1"},
		{"restricted, Cid vouches", `member @eve:e @eve:e {"membership":"join","join_authorised_via_users_server":"@cid:c"}`,
			`join_rules "" @ann:a {"join_rule":"restricted"}`, "7 -4.2.6, 8-11 +4.3.5.3, 12 +5.3.5.3"},
		{"restricted, Cid may not invite", `member @eve:e @eve:e {"membership":"join","join_authorised_via_users_server":"@cid:c"}`,
			`join_rules "" @ann:a {"join_rule":"restricted"}` + "\n" + `power_levels "" @ann:a {"invite":10}`,
			"8-11 -4.3.5.2, 12 -5.3.5.2"},
		{"restricted, who vouches is out", `member @eve:e @eve:e {"membership":"join","join_authorised_via_users_server":"@dan:d"}`,
			`join_rules "" @ann:a {"join_rule":"restricted"}`, "8-11 -4.3.5.2, 12 -5.3.5.2"},
		{"restricted, no user vouches", `member @eve:e @eve:e {"membership":"join","join_authorised_via_users_server":"c"}`,
			`join_rules "" @ann:a {"join_rule":"restricted"}`, "8-11 -4.2.1, 12 -5.2.1"},
		{"knock or vouch", `member @eve:e @eve:e {"membership":"join","join_authorised_via_users_server":"@cid:c"}`,
			`join_rules "" @ann:a {"join_rule":"knock_restricted"}`, "8-9 -4.3.7, 10-11 +4.3.5.3, 12 +5.3.5.3"},
	} {
		tt.run(t)
	}
}

func TestInvite(t *testing.T) {
	for _, tt := range []row{
		{"by a member", `member @eve:e @cid:c {"membership":"invite"}`, "",
			"1-5 +5.3.4, 6-7 +4.3.4, 8-11 +4.4.4, 12 +5.4.4"},
		{"by a stranger", `member @eve:e @fay:f {"membership":"invite"}`, "",
			"1-5 -5.3.2, 6-7 -4.3.2, 8-11 -4.4.2, 12 -5.4.2"},
		{"of a member", `member @cid:c @bob:b {"membership":"invite"}`, "",
			"1-5 -5.3.3, 6-7 -4.3.3, 8-11 -4.4.3, 12 -5.4.3"},
		{"of the banned", `member @dan:d @bob:b {"membership":"invite"}`, "",
			"1-5 -5.3.3, 6-7 -4.3.3, 8-11 -4.4.3, 12 -5.4.3"},
		{"without the power", `member @eve:e @cid:c {"membership":"invite"}`, `power_levels "" @ann:a {"invite":1}`,
			"1-5 -5.3.5, 6-7 -4.3.5, 8-11 -4.4.5, 12 -5.4.5"},
	} {
		tt.run(t)
	}
}

func TestLeaveAndBan(t *testing.T) {
	const levels = `power_levels "" @ann:a {"users":{"@bob:b":50,"@cid:c":50,"@eve:e":40},"ban":45,"kick":30}`
	for _, tt := range []row{
		{"oneself", `member @cid:c @cid:c {"membership":"leave"}`, "", "1-5 +5.4.1, 6-7 +4.4.1, 8-11 +4.5.1, 12 +5.5.1"},
		{"who is not there", `member @eve:e @eve:e {"membership":"leave"}`, "",
			"1-5 -5.4.1, 6-7 -4.4.1, 8-11 -4.5.1, 12 -5.5.1"},
		{"the banned", `member @dan:d @dan:d {"membership":"leave"}`, "", "1-5 -5.4.1, 6-7 -4.4.1, 8-11 -4.5.1, 12 -5.5.1"},
		{"who knocked", `member @eve:e @eve:e {"membership":"leave"}`, `member @eve:e @eve:e {"membership":"knock"}`,
			"5 -5.4.1, 6 -4.4.1, 7 +4.4.1, 8-11 +4.5.1, 12 +5.5.1"},
		{"kicked", `member @cid:c @bob:b {"membership":"leave"}`, "", "1-5 +5.4.4, 6-7 +4.4.4, 8-11 +4.5.4, 12 +5.5.4"},
		{"kicked by a stranger", `member @cid:c @fay:f {"membership":"leave"}`, "",
			"1-5 -5.4.2, 6-7 -4.4.2, 8-11 -4.5.2, 12 -5.5.2"},
		{"kicked by an equal", `member @cid:c @bob:b {"membership":"leave"}`, levels,
			"1-5 -5.4.5, 6-7 -4.4.5, 8-11 -4.5.5, 12 -5.5.5"},
		{"kicked without the power", `member @bob:b @cid:c {"membership":"leave"}`, "",
			"1-5 -5.4.5, 6-7 -4.4.5, 8-11 -4.5.5, 12 -5.5.5"},
		{"unbanned", `member @dan:d @bob:b {"membership":"leave"}`, "", "1-5 +5.4.4, 6-7 +4.4.4, 8-11 +4.5.4, 12 +5.5.4"},
		{"unbanned without the power", `member @dan:d @eve:e {"membership":"leave"}`, levels + "\n" + `member @eve:e @eve:e {"membership":"join"}`,
			"1-5 -5.4.3, 6-7 -4.4.3, 8-11 -4.5.3, 12 -5.5.3"},
		{"the creator", `member @ann:a @bob:b {"membership":"leave"}`, "", "1-5 +5.4.4, 6-7 +4.4.4, 8-11 +4.5.4, 12 -5.5.5"},
		{"banned", `member @cid:c @bob:b {"membership":"ban"}`, "", "1-5 +5.5.2, 6-7 +4.5.2, 8-11 +4.6.2, 12 +5.6.2"},
		{"banned before he came", `member @fay:f @bob:b {"membership":"ban"}`, "",
			"1-5 +5.5.2, 6-7 +4.5.2, 8-11 +4.6.2, 12 +5.6.2"},
		{"banned by a stranger", `member @cid:c @fay:f {"membership":"ban"}`, "",
			"1-5 -5.5.1, 6-7 -4.5.1, 8-11 -4.6.1, 12 -5.6.1"},
		{"banned without the power", `member @bob:b @cid:c {"membership":"ban"}`, "",
			"1-5 -5.5.3, 6-7 -4.5.3, 8-11 -4.6.3, 12 -5.6.3"},
		{"banned by an equal", `member @cid:c @bob:b {"membership":"ban"}`, levels,
			"1-5 -5.5.3, 6-7 -4.5.3, 8-11 -4.6.3, 12 -5.6.3"},
	} {
		tt.run(t)
	}
}

func TestKnock(t *testing.T) {
	const knocks = `member @eve:e @eve:e {"membership":"knock"}`
	for _, tt := range []row{
		{"where one may", knocks, `join_rules "" @ann:a {"join_rule":"knock"}`,
			"1-5 -5.6, 6 -4.6, 7 +4.6.3, 8-11 +4.7.3, 12 +5.7.3"},
		{"where one may be vouched for too", knocks, `join_rules "" @ann:a {"join_rule":"knock_restricted"}`,
			"7 -4.6.1, 8-9 -4.7.1, 10-11 +4.7.3, 12 +5.7.3"},
		{"where the door is open", knocks, "", "7 -4.6.1, 8-11 -4.7.1, 12 -5.7.1"},
		{"for somebody else", `member @eve:e @fay:f {"membership":"knock"}`, `join_rules "" @ann:a {"join_rule":"knock"}`,
			"7 -4.6.2, 8-11 -4.7.2, 12 -5.7.2"},
		{"from inside", `member @cid:c @cid:c {"membership":"knock"}`, `join_rules "" @ann:a {"join_rule":"knock"}`,
			"7 -4.6.4, 8-11 -4.7.4, 12 -5.7.4"},
		{"from banishment", `member @dan:d @dan:d {"membership":"knock"}`, `join_rules "" @ann:a {"join_rule":"knock"}`,
			"7 -4.6.4, 8-11 -4.7.4, 12 -5.7.4"},
		{"again", knocks, knocks + "\n" + `join_rules "" @ann:a {"join_rule":"knock"}`, "7 +4.6.3, 8-11 +4.7.3, 12 +5.7.3"},
	} {
		tt.run(t)
	}
}

func TestOtherMembers(t *testing.T) {
	for _, tt := range []row{
		{"no state key", `member - @cid:c {"membership":"join"}`, "", "1-5 -5.1, 6-11 -4.1, 12 -5.1"},
		{"no membership", `member @cid:c @cid:c {}`, "", "1-5 -5.1, 6-11 -4.1, 12 -5.1"},
		{"an unknown one", `member @cid:c @cid:c {"membership":"guest"}`, "",
			"1-5 -5.6, 6 -4.6, 7 -4.7, 8-11 -4.8, 12 -5.8"},
		{"one that is a number", `member @cid:c @cid:c {"membership":1}`, "",
			"1-5 -5.6, 6 -4.6, 7 -4.7, 8-11 -4.8, 12 -5.8"},
	} {
		tt.run(t)
	}
}
