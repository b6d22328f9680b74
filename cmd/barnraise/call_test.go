package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/registry"
)

// What nobody vouches for is a member of the JSON, and one line beside the answer in text.
func TestUnverified(t *testing.T) {
	some := &client.Answer{Verdict: barnraise.Accepted, Result: []byte(`{"took":1}`), Unverified: []string{"/result/took"}}
	for _, c := range []struct {
		answer    *client.Answer
		json      bool
		out, talk string // what is in it; nothing where it begins with a minus
	}{
		{some, true, `"unverified":["/result/took"]`, "-unverified"},
		{some, false, `{"took":1}`, "unverified, chosen by the server that answered: /result/took\n"},
		{&client.Answer{Verdict: barnraise.Accepted, Result: []byte(`1`)}, true, "-unverified", "-unverified"},
		{&client.Answer{Verdict: barnraise.Accepted, Result: []byte(`1`)}, false, "-unverified", "-unverified"},
	} {
		var out, talk bytes.Buffer
		a := &app{out: &out, talk: &talk, json: c.json}
		if err := a.printAnswer(c.answer, registry.Network{}, false); err != nil {
			t.Fatal(err)
		}
		for text, want := range map[string]string{strings.ReplaceAll(out.String(), ": ", ":"): c.out, talk.String(): c.talk} {
			name, absent := strings.CutPrefix(want, "-")
			if strings.Contains(text, name) == absent {
				t.Errorf("%+v, json %v: %q, want %q", c.answer, c.json, text, want)
			}
		}
	}
}

func TestOpenTo(t *testing.T) {
	for _, c := range []struct {
		pointers []string
		want     string
	}{
		{[]string{"/result/took"}, ": /result/took"},
		{[]string{""}, ": all of it"},
		{[]string{"/a\x1b[2J\n"}, ": /a\ufffd[2J\ufffd"},
		{[]string{"/1", "/2", "/3", "/4", "/5", "/6", "/7"}, ": /1, /2, /3, /4, /5 and 2 more, see --json"},
		{[]string{"/" + strings.Repeat("é", 100)}, ": /" + strings.Repeat("é", 79) + "…"},
	} {
		if got := openTo(c.pointers); !strings.HasSuffix(got, c.want) || strings.Contains(got, "\n") {
			t.Errorf("%q: %q, want it to end in %q", c.pointers, got, c.want)
		}
	}
}

// What the home alone says is printed, said to be unverified in a line of its own, and is a failure of its own exit code.
func TestHomesWordIsNoAnswer(t *testing.T) {
	for _, json := range []bool{true, false} {
		var out, talk bytes.Buffer
		a := &app{out: &out, talk: &talk, json: json}
		err := a.printAnswer(&client.Answer{Verdict: client.Unverified, Result: []byte(`"maybe"`)}, registry.Network{}, false)
		if exitCode(err) != exitNotVerified || !strings.Contains(err.Error(), "NOT VERIFIED") {
			t.Errorf("exit code %d: %v", exitCode(err), err)
		}
		if got := out.String(); !strings.Contains(got, `"maybe"`) || json && !strings.Contains(got, `"verdict":{"status":"unverified"}`) {
			t.Errorf("prints %q", got)
		}
	}
}

// Each candidate has its line: asked or not, and why.
func TestExplained(t *testing.T) {
	var out, talk bytes.Buffer
	a := &app{out: &out, talk: &talk}
	answer := &client.Answer{
		Verdict: barnraise.Accepted, Result: []byte(`1`),
		Asked: []client.Asked{
			{Server: 4, URL: "u4", Role: client.RolePrimary, Outcome: client.OutcomeStruck, Why: "a\tb", Effect: "doubt 0 → 3.9 of 8", Took: 5 * time.Millisecond},
			{Server: 2, URL: "u2", Role: client.RoleWitness, Outcome: client.OutcomeAgreed},
		},
		Passed: []client.Candidate{{Server: 3, URL: "u3", Why: "it was not drawn"}},
	}
	if err := a.printAnswer(answer, registry.Network{}, true); err != nil {
		t.Fatal(err)
	}
	want := `SERVER  ASKED                            ANSWER  TOOK    ITS SCORE           WHY               URL
4       primary, to answer first         struck  5.0 ms  doubt 0 → 3.9 of 8  a�b               u4
2       witness, after answers differed  agreed  0.0 ms  -                   -                 u2
3       no                               -       -       -                   it was not drawn  u3
`
	if got := talk.String(); got != want {
		t.Errorf("it says\n%s\nwant\n%s", got, want)
	}
	if out.String() != "1\n" {
		t.Errorf("the answer is %q", out.String())
	}
}
