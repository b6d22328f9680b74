package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"barnraise/adversary"
)

// chapter is what the demo tells of one service: a question, and a server that comes to lie about it.
type chapter struct {
	service, method string
	params          func(context.Context) (json.RawMessage, error)
	asks            string                                       // the question, in words
	read            func(result json.RawMessage) (string, error) // what an answer says, in words
	truth           string                                       // stands in those of the truth
	liar            int                                          // place of the server
	lies            string                                       // what it does, in words
	lie             adversary.Lie
}

// chapters are what the demo tells of the three services. Each has a liar of its own, which is the service's home only where nobody
// else runs it: the home is not asked first where others are.
func (s *story) chapters() []chapter {
	return []chapter{roomChapter(), s.mailChapter(), searchChapter()}
}

// asking gives params that are known beforehand.
func asking(params []byte) func(context.Context) (json.RawMessage, error) {
	return func(context.Context) (json.RawMessage, error) { return params, nil }
}

// room is a Matrix room on two homeservers that have not heard of each other for a while: on one of them Alice has banned Bob, on
// the other Bob has set the topic.
//
//go:embed demoroom.json
var room []byte

func roomChapter() chapter {
	return chapter{
		service: "matrix", method: "matrix_resolveState", params: asking(room), liar: 2,
		asks:  "matrix: one homeserver says that Alice banned Bob, another that Bob set the topic; what does the room come to?",
		truth: "Bob is banned", read: readRoom,
		lies: "lets Bob stay", lie: instead(
			`"$ban"],["m.room.power_levels","","$power"]`, `"$bob"],["m.room.power_levels","","$power"],["m.room.topic","","$topic"]`),
	}
}

// readRoom says what became of Bob and of his topic.
func readRoom(result json.RawMessage) (string, error) {
	var r struct {
		State [][3]string
		Trace []struct {
			EventID string `json:"eventId"`
			Allowed bool
			Rule    string
		}
	}
	if err := json.Unmarshal(result, &r); err != nil {
		return "", err
	}
	words := "Bob is a member"
	if slices.Contains(r.State, [3]string{"m.room.member", "@bob:b.example", "$ban"}) {
		words = "Bob is banned"
	}
	if slices.Contains(r.State, [3]string{"m.room.topic", "", "$topic"}) {
		return words + ", and his topic stands", nil
	}
	for _, step := range r.Trace {
		if step.EventID == "$topic" && !step.Allowed {
			words += fmt.Sprintf(", and his topic falls by rule %s of room version 10", step.Rule)
		}
	}
	return words, nil
}

// mailChapter asks for what lies in the archive that the service's manifest names.
func (s *story) mailChapter() chapter {
	return chapter{
		service: "whisper", method: "whisper_mail", params: s.mailParams, liar: 1,
		asks:  "whisper: all mail to the topic barn",
		truth: "12 letters", read: readMail,
		lies: "withholds a letter", lie: without("envelopes"),
	}
}

func (s *story) mailParams(ctx context.Context) (json.RawMessage, error) {
	d, err := s.client.Describe(ctx, "whisper")
	if err != nil {
		return nil, err
	}
	var config struct{ Archive string }
	if err := json.Unmarshal(d.Manifest.VerifierConfig(), &config); err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{
		"profile": "eip627", "archive": config.Archive, "topics": []string{mailTopic}, "from": 0, "to": math.MaxUint32, "limit": 100,
	})
}

const mailTopic = "0x6261726e" // barn

// readMail says how much mail there is.
func readMail(result json.RawMessage) (string, error) {
	var r struct {
		Envelopes []string
		Proof     string
	}
	if err := json.Unmarshal(result, &r); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d letters; %d bytes prove that none was withheld", len(r.Envelopes), max(0, len(r.Proof)-len("0x"))/2), nil
}

func searchChapter() chapter {
	const params = `{"q":"parse a date","k":3,"proof":true}`
	return chapter{
		service: "search", method: "search_query", params: asking([]byte(params)), liar: 0,
		asks: "search: " + params, truth: "net/mail.ParseDate", read: readHits,
		lies: "leaves out the best hit", lie: without("hits"),
	}
}

// readHits says what was found.
func readHits(result json.RawMessage) (string, error) {
	var r struct {
		Total int
		Hits  []struct{ Doc string }
		Proof []byte
	}
	if err := json.Unmarshal(result, &r); err != nil {
		return "", err
	}
	var names []string
	for _, h := range r.Hits {
		names = append(names, h.Doc)
	}
	return fmt.Sprintf("%s, the best of %d; %d bytes prove that no better one was left out", strings.Join(names, ", "), r.Total, len(r.Proof)), nil
}

// instead is a lie that puts other bytes where some stand first.
func instead(old, with string) adversary.Lie {
	return func(response []byte) []byte { return bytes.Replace(response, []byte(old), []byte(with), 1) }
}

// without is a lie that leaves out the first item of a list, where there is such a list.
func without(list string) adversary.Lie {
	return func(response []byte) []byte {
		_, items, _ := bytes.Cut(response, []byte(`"`+list+`":[`))
		var first json.RawMessage
		if err := json.NewDecoder(bytes.NewReader(items)).Decode(&first); err != nil {
			return response
		}
		return slices.Concat(response[:len(response)-len(items)], bytes.TrimPrefix(items[len(first):], []byte(",")))
	}
}
