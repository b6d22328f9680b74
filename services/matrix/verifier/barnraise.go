package main

import (
	"bytes"
	"strconv"
)

// What a verifier is written against, ABI 1. There is nothing to change here.

// Input is what the host hands over. Each body is as it was written, and is strict JSON; Responses[i] answers Requests[i].
type Input struct {
	Config              []byte // from the service's manifest, JSON; null where it has none
	Requests, Responses [][]byte
}

// Incomparable says why these are not answers to one request, in words for a verdict; it is empty where they are.
func (in Input) Incomparable() string {
	if len(in.Responses) == 0 || len(in.Requests) != len(in.Responses) {
		return "want one response to each request, and at least one"
	}
	for _, r := range in.Requests {
		if !bytes.Equal(in.Requests[0], r) {
			return "the requests differ"
		}
	}
	return ""
}

// Verdict is what a verifier says of some answers.
type Verdict []byte

// Accepted says that the answer of that index is right.
func Accepted(winner int) Verdict { return verdict("accepted", winner, nil, 0, "") }

// AcceptedAgainst says that the answer of that index is right, and those of the culprits, ascending, are known to be wrong.
func AcceptedAgainst(winner int, culprits []int) Verdict {
	return verdict("accepted", winner, culprits, 0, "")
}

// Disagreement says that they cannot all be right. Culprits, ascending, are those known to be wrong; often that cannot be said.
// The reason is for people: short, in ASCII.
func Disagreement(culprits []int, reason string) Verdict {
	return verdict("disagreement", -1, culprits, 0, reason)
}

// Undecided says that it cannot tell.
func Undecided(reason string) Verdict { return verdict("undecided", -1, nil, 0, reason) }

// Needing says that it cannot tell, but could with so many answers in all, 1 to 64.
func Needing(answers int, reason string) Verdict {
	return verdict("undecided", -1, nil, answers, reason)
}

func verdict(status string, winner int, culprits []int, need int, reason string) Verdict {
	b := append([]byte(`{"status":"`+status+`","winner":`), strconv.Itoa(winner)...)
	b = append(b, `,"culprits":[`...)
	for i, c := range culprits {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(c), 10)
	}
	b = strconv.AppendInt(append(b, `],"need":`...), int64(need), 10)
	b = append(b, `,"reason":"`...)
	for _, c := range []byte(reason[:min(len(reason), 256)]) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			c = '?'
		}
		b = append(b, c)
	}
	return append(b, `"}`...)
}

// judge reads the input and puts it before the verifier.
func judge(text []byte) Verdict {
	in, ok := read(text)
	if !ok {
		return Undecided("the input is not of ABI 1")
	}
	return verify(in)
}

func read(text []byte) (in Input, ok bool) {
	c := cursor{text: text}
	if !c.take('{') {
		return in, false
	}
	for more := true; more; more = c.take(',') {
		name := string(c.value(':'))
		ok = c.take(':')
		switch {
		case !ok:
		case name == `"requests"`:
			in.Requests, ok = c.list()
		case name == `"responses"`:
			in.Responses, ok = c.list()
		case name == `"config"`:
			in.Config = c.value('}')
		default:
			c.value('}')
		}
		if !ok {
			return in, false
		}
	}
	return in, c.take('}') && c.at == len(text)
}

// A cursor goes through JSON text. Values are views with the white space around them, as the bodies were written.
type cursor struct {
	text []byte
	at   int
}

// take passes one character, if that is what comes next.
func (c *cursor) take(want byte) bool {
	if c.at >= len(c.text) || c.text[c.at] != want {
		return false
	}
	c.at++
	return true
}

// list passes an array and gives its values.
func (c *cursor) list() (values [][]byte, ok bool) {
	if !c.take('[') {
		return nil, false
	}
	if c.take(']') {
		return nil, true
	}
	for more := true; more; more = c.take(',') {
		values = append(values, c.value(']'))
	}
	return values, c.take(']')
}

// value passes one value, up to a comma or the character that closes what it stands in.
func (c *cursor) value(end byte) []byte {
	start, depth := c.at, 0
	for ; c.at < len(c.text); c.at++ {
		switch b := c.text[c.at]; {
		case b == '"':
			c.quoted()
		case depth == 0 && (b == ',' || b == end):
			return c.text[start:c.at]
		case b == '{' || b == '[':
			depth++
		case b == '}' || b == ']':
			depth--
		}
	}
	c.at = len(c.text)
	return c.text[start:]
}

// quoted goes to the quote that ends a string, from the one that begins it.
func (c *cursor) quoted() {
	for c.at++; c.at < len(c.text) && c.text[c.at] != '"'; c.at++ {
		if c.text[c.at] == '\\' {
			c.at++
		}
	}
}
