package main

import (
	"encoding/json"
	"testing"
)

// A lie is as strict as the truth, and says another thing.
func TestLiesOfTheDemo(t *testing.T) {
	for _, c := range []struct {
		lie         func([]byte) []byte
		truth, want string
	}{
		{without("hits"), `{"result":{"hits":[{"doc":"a"},{"doc":"b"}],"proof":"x"}}`, `{"result":{"hits":[{"doc":"b"}],"proof":"x"}}`},
		{without("hits"), `{"result":{"hits":["a"]}}`, `{"result":{"hits":[]}}`},
		{without("hits"), `{"result":{"hits":[]}}`, `{"result":{"hits":[]}}`},
		{without("hits"), `{"result":{"docs":8}}`, `{"result":{"docs":8}}`},
		{instead(`"$ban"`, `"$bob"`), `{"result":["$ban","$ban"]}`, `{"result":["$bob","$ban"]}`},
		{instead(`"$ban"`, `"$bob"`), `{"result":[]}`, `{"result":[]}`},
	} {
		if got := string(c.lie([]byte(c.truth))); got != c.want {
			t.Errorf("%s becomes %s, want %s", c.truth, got, c.want)
		}
	}
}

// What is told of an answer follows from it, and what is no answer is not told.
func TestAnswersAreRead(t *testing.T) {
	for _, c := range []struct {
		read         func(json.RawMessage) (string, error)
		result, want string
	}{
		{readRoom, `{"state":[["m.room.member","@bob:b.example","$ban"]],"trace":[{"eventId":"$topic","allowed":false,"rule":"5"}]}`,
			"Bob is banned, and his topic falls by rule 5 of room version 10"},
		{readRoom, `{"state":[["m.room.member","@bob:b.example","$bob"],["m.room.topic","","$topic"]],"trace":[]}`,
			"Bob is a member, and his topic stands"},
		{readMail, `{"envelopes":["0x01","0x02"],"next":null,"proof":"0x010203"}`, "2 letters; 3 bytes prove that none was withheld"},
		{readHits, `{"total":7,"hits":[{"doc":"b"},{"doc":"a"}],"proof":"AAAA"}`, "b, a, the best of 7; 3 bytes prove that no better one was left out"},
		{readRoom, `null1`, ""}, {readMail, `[]`, ""}, {readHits, `{"proof":1}`, ""},
	} {
		if got, err := c.read(json.RawMessage(c.result)); got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s is told as %q, %v; want %q", c.result, got, err, c.want)
		}
	}
}
