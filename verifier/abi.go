package verifier

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"barnraise"
	"barnraise/jsonrpc"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The longest that is read of a verifier, in bytes.
const (
	MaxVerdict = 64 << 10
	MaxReason  = 256
)

// ErrMalformed is the error for a verdict that breaks a rule of [ParseVerdict].
var ErrMalformed = errors.New("malformed verdict")

// Input writes what a verifier is given (protocol 5.2), {"abi":1,"config":…,"requests":[…],"responses":[…]}, with config and
// bodies spliced in as they are. An empty config is null.
func Input(config []byte, requests, responses [][]byte) []byte {
	if len(config) == 0 {
		config = []byte("null")
	}
	b := make([]byte, 0, inputSize(config, requests, responses))
	b = append(append(b, `{"abi":1,"config":`...), config...)
	b = appendList(append(b, `,"requests":[`...), requests)
	b = appendList(append(b, `],"responses":[`...), responses)
	return append(b, `]}`...)
}

func appendList(b []byte, bodies [][]byte) []byte {
	for i, body := range bodies {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, body...)
	}
	return b
}

// inputSize is a little more than the length of the input.
func inputSize(config []byte, lists ...[][]byte) int {
	n := len(config) + 64
	for _, list := range lists {
		for _, body := range list {
			n += len(body) + 1
		}
	}
	return n
}

// check reports whether the answers can be put before the verifier, and whether anybody waits for what it says.
func (v *Verifier) check(ctx context.Context, config []byte, requests, responses [][]byte) error {
	size := inputSize(config, requests, responses)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case len(requests) != len(responses):
		return fmt.Errorf("%d requests with %d responses %w", len(requests), len(responses), ErrInput)
	case len(responses) == 0 || len(responses) > barnraise.MaxAnswers:
		return fmt.Errorf("%d responses %w, but 1 to %d", len(responses), ErrInput, barnraise.MaxAnswers)
	case uint64(size) > v.limits.Memory:
		return fmt.Errorf("%d bytes %w, whose memory has %d; let verifierLimits say more", size, ErrInput, v.limits.Memory)
	}
	return nil
}

// wireVerdict holds the members that a verdict has.
type wireVerdict struct {
	Status   jsontext.Value `json:"status"`
	Winner   jsontext.Value `json:"winner"`
	Culprits jsontext.Value `json:"culprits"`
	Need     jsontext.Value `json:"need"`
	Reason   jsontext.Value `json:"reason"`
}

// ParseVerdict reads a verdict on so many answers (protocol 5.3). It fails with [ErrMalformed] unless
//
//   - it is at most 64 KiB of strict JSON, an object with no members but these, none of them twice, none of them null;
//   - status is accepted, disagreement or undecided;
//   - winner is an index into the answers, and no culprit, where the status is accepted, and otherwise -1;
//   - culprits is an array of such indices, ascending, none of them twice, and empty where the status is undecided;
//   - need, which may be left out, is 0 to 64;
//   - reason, which may be left out, is a string of at most 256 bytes without control characters.
//
// Numbers are written as whole numbers: no fraction, no exponent, no -0.
func ParseVerdict(b []byte, answers int) (barnraise.Verdict, error) {
	v, err := parseVerdict(b, answers)
	if err != nil {
		return barnraise.Verdict{}, fmt.Errorf("read verdict: %w: %w", ErrMalformed, err)
	}
	return v, nil
}

func parseVerdict(b []byte, answers int) (v barnraise.Verdict, err error) {
	if len(b) > MaxVerdict {
		return v, fmt.Errorf("%d bytes, at most %d", len(b), MaxVerdict)
	}
	if err := jsonrpc.Strict(b); err != nil {
		return v, err
	}
	var w wireVerdict
	if err := json.Unmarshal(b, &w, json.RejectUnknownMembers(true)); err != nil {
		return v, err
	}
	if v.Status, err = status(w.Status); err != nil {
		return v, err
	}
	if v.Culprits, err = indices(w.Culprits, answers); err != nil {
		return v, fmt.Errorf("culprits: %w", err)
	}
	least, most := -1, -1
	if v.Status == barnraise.Accepted {
		least, most = 0, answers-1
	}
	if v.Winner, err = integer(w.Winner, least, most); err != nil {
		return v, fmt.Errorf("winner, where the status is %s: %w", v.Status, err)
	}
	if v.Status == barnraise.Undecided && len(v.Culprits) > 0 {
		return v, fmt.Errorf("culprits %v, though the status is undecided", v.Culprits)
	}
	if v.Blames(v.Winner) {
		return v, fmt.Errorf("winner %d is a culprit", v.Winner)
	}
	if len(w.Need) > 0 {
		if v.Need, err = integer(w.Need, 0, barnraise.MaxAnswers); err != nil {
			return v, fmt.Errorf("need: %w", err)
		}
	}
	if len(w.Reason) > 0 {
		v.Reason, err = reason(w.Reason)
	}
	return v, err
}

func status(v jsontext.Value) (barnraise.Outcome, error) {
	s, err := text(v)
	switch o := barnraise.Outcome(s); o {
	case barnraise.Accepted, barnraise.Disagreement, barnraise.Undecided:
		return o, err
	}
	return "", fmt.Errorf("status is %.40q, want accepted, disagreement or undecided", v)
}

func reason(v jsontext.Value) (string, error) {
	s, err := text(v)
	control := func(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }
	switch {
	case err != nil:
		return "", fmt.Errorf("reason is no string")
	case len(s) > MaxReason:
		return "", fmt.Errorf("reason of %d bytes, at most %d", len(s), MaxReason)
	case strings.ContainsFunc(s, control):
		return "", fmt.Errorf("reason with control characters")
	}
	return s, nil
}

func indices(v jsontext.Value, answers int) ([]int, error) {
	if v.Kind() != '[' {
		return nil, errors.New("want an array")
	}
	var values []jsontext.Value
	if err := json.Unmarshal(v, &values); err != nil {
		return nil, err
	}
	list, least := []int{}, 0
	for _, value := range values {
		i, err := integer(value, least, answers-1)
		if err != nil {
			return nil, fmt.Errorf("want them ascending: %w", err)
		}
		list, least = append(list, i), i+1
	}
	return slices.Clip(list), nil
}

func integer(v jsontext.Value, least, most int) (int, error) {
	n, err := strconv.Atoi(string(v))
	if err != nil || strconv.Itoa(n) != string(v) || n < least || n > most {
		return 0, fmt.Errorf("%.20q is no whole number from %d to %d", v, least, most)
	}
	return n, nil
}

func text(v jsontext.Value) (string, error) {
	if v.Kind() != '"' {
		return "", errors.New("no string")
	}
	b, err := jsontext.AppendUnquote(nil, v)
	return string(b), err
}
