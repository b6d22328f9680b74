package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"barnraise"
	"barnraise/client"
	"barnraise/jsonrpc"
	"barnraise/registry"
)

// steering is what a stranger would write to move a terminal: the clipboard, the cursor, C1's own sequence, the direction.
const steering = "a\x1b]52;c;YQ==\x07b\rc\u009b2Jd\x7fe\u202ef\u2028g"

func TestStrangersTextCannotSteerATerminal(t *testing.T) {
	want := strings.NewReplacer("\x1b", "�", "\x07", "�", "\r", "�", "\u009b", "�", "\x7f", "�", "\u202e", "�", "\u2028", "�").Replace(steering)
	if got := registry.Printable(steering); got != want {
		t.Errorf("printable: %q, want %q", got, want)
	}
	if got := registry.Printable("one\ntwo\tß 漢 🎈"); got != "one�two�ß 漢 🎈" {
		t.Errorf("printable: %q", got)
	}
	var b strings.Builder
	text := "line\n\t" + steering + "\xff\n"
	if n, err := fmt.Fprint(harmless{&b}, text); err != nil || n != len(text) || b.String() != "line\n\t"+want+"�\n" {
		t.Errorf("harmless: %q, %d, %v", b.String(), n, err)
	}
}

func TestPrintableJSONMeansTheSame(t *testing.T) {
	for value, want := range map[string]string{
		`{"a":"b c"}`:                    `{"a":"b c"}`,
		"{\r\n\t\"a\":\"\u009b2J\"}":     "{ \n\t\"a\":\"\\u009b2J\"}",
		"\"\x7f\u202e\U000e0001\u00e9\"": `"\u007f\u202e\udb40\udc01é"`,
	} {
		got := printableJSON([]byte(value))
		if got != want {
			t.Errorf("%q becomes %q, want %q", value, got, want)
		}
		var before, after any
		if json.Unmarshal([]byte(value), &before) != nil || json.Unmarshal([]byte(got), &after) != nil || fmt.Sprint(before) != fmt.Sprint(after) {
			t.Errorf("%q means %v, %q means %v", value, before, got, after)
		}
	}
}

// Results, errors and what is said of servers: each way to a terminal.
func TestEveryWayToATerminalIsClean(t *testing.T) {
	var out, talk strings.Builder
	if code := run(t.Context(), []string{"call", steering}, &out, &talk); code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	if code := run(t.Context(), []string{steering}, &out, &talk); code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	a := &app{out: &out, talk: harmless{&talk}}
	lines := steering + "\nbarnraise: all is well"
	for _, answer := range []*client.Answer{
		{Verdict: barnraise.Accepted, Error: &jsonrpc.Error{Code: 1, Message: lines}, Asked: []client.Asked{{Role: client.RolePrimary, Outcome: client.OutcomeFailed, Why: lines}}},
		{Verdict: barnraise.Accepted, Result: json.RawMessage("\"\u009b2J\x7f\u202e\"")},
	} {
		if err := a.printAnswer(answer, registry.Network{}, len(answer.Result) == 0); err != nil {
			t.Error(err)
		}
	}
	for _, text := range []string{out.String(), talk.String()} {
		if i := strings.IndexFunc(text, func(r rune) bool {
			return r != '\n' && r != '\t' && strings.ContainsRune("\x1b\x07\r\u009b\x7f\u202e\u2028", r)
		}); i >= 0 || text == "" {
			t.Errorf("%q", text)
		}
	}
	if strings.Contains(talk.String()+out.String(), "\nbarnraise: all is well") {
		t.Error("a server wrote a line of this program's")
	}
}
