package main

import (
	"bytes"
	"strings"
	"testing"

	"barnraise/client"
	"barnraise/registry"
)

// What nobody vouches for is a member of the JSON, and one line beside the answer in text.
func TestUnverified(t *testing.T) {
	some := &client.Answer{Result: []byte(`{"took":1}`), Unverified: []string{"/result/took"}}
	for _, c := range []struct {
		answer    *client.Answer
		json      bool
		out, talk string // what is in it; nothing where it begins with a minus
	}{
		{some, true, `"unverified":["/result/took"]`, "-unverified"},
		{some, false, `{"took":1}`, "unverified, chosen by the server that answered: /result/took\n"},
		{&client.Answer{Result: []byte(`1`)}, true, "-unverified", "-unverified"},
		{&client.Answer{Result: []byte(`1`)}, false, "-unverified", "-unverified"},
	} {
		var out, talk bytes.Buffer
		a := &app{out: &out, talk: &talk, json: c.json}
		if err := a.printAnswer(c.answer, registry.Network{}); err != nil {
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
