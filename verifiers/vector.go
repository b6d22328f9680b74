package verifiers

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"barnraise"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of a vector, in bytes.
const (
	MaxVectorFile = 16 << 20 // as it is written
	MaxVector     = 16 << 20 // its configuration and bodies together, recipes worked out
)

// ErrVector is the error for a vector that is malformed or beyond the bounds.
var ErrVector = errors.New("bad vector")

// A Vector is one test of a verifier: what it is asked and what it is to say. Its file is a JSON object:
//
//	{"name":"two that agree", "config":null, "requests":[…], "responses":[…],
//	 "want":{"status":"accepted", "winner":0, "culprits":[]}, "minRequests":2}
//
// A body is written as it is, or as a string that holds its exact text, or as a recipe, {"$parts":["{\"a\":", ["x",1000000],
// "}"]}: pieces in a row, those in brackets so many times. The configuration is written in the same three ways. Of want,
// winner is −1 and culprits are none where they are left out; problem says that there is to be no verdict of the verifier's,
// and why (protocol 5.5). Members minRequests and fuel may be left out.
type Vector struct {
	Name                string
	Config              []byte // null where it is left out
	Requests, Responses [][]byte
	Want                Want
	MinRequests         int    // what the verifier is to ask for; 0 where the vector does not say
	Fuel                uint64 // what it is granted; 0 for what it always is
}

// Want is what a verifier is to say.
type Want struct {
	Status   barnraise.Outcome `json:"status"`
	Winner   int               `json:"winner"`
	Culprits []int             `json:"culprits"`
	Problem  Problem           `json:"problem"`
}

// Problem is why a verifier gives no verdict.
type Problem string

// The problems that a vector can name. With one of them the verdict is undecided.
const (
	NoProblem  Problem = ""
	OutOfFuel  Problem = "fuel"
	Trap       Problem = "trap"
	BadVerdict Problem = "malformed"
)

// unspecified is a winner that is left out.
const unspecified = -2

// ParseVector reads a vector. It fails with [ErrVector].
func ParseVector(b []byte) (Vector, error) {
	v, err := parseVector(b)
	if err != nil {
		return Vector{}, fmt.Errorf("read vector: %w: %w", ErrVector, err)
	}
	return v, nil
}

func parseVector(b []byte) (Vector, error) {
	if len(b) > MaxVectorFile {
		return Vector{}, fmt.Errorf("%d bytes, at most %d", len(b), MaxVectorFile)
	}
	file := struct {
		Name        string           `json:"name"`
		Config      jsontext.Value   `json:"config"`
		Requests    []jsontext.Value `json:"requests"`
		Responses   []jsontext.Value `json:"responses"`
		Want        Want             `json:"want"`
		MinRequests int              `json:"minRequests"`
		Fuel        uint64           `json:"fuel"`
	}{Config: jsontext.Value("null"), Want: Want{Winner: unspecified}}
	if err := json.Unmarshal(b, &file, json.RejectUnknownMembers(true)); err != nil {
		return Vector{}, err
	}
	v := Vector{Name: file.Name, Want: file.Want, MinRequests: file.MinRequests, Fuel: file.Fuel}
	r := reader{left: MaxVector}
	v.Config = r.body(file.Config)
	v.Requests = r.list(file.Requests)
	v.Responses = r.list(file.Responses)
	if r.err != nil {
		return v, r.err
	}
	return v, v.complete()
}

// ParseVectors reads the vectors of one verifier from a file that has them for several: an array, in which want has a member
// for each verifier by its name. It fails with [ErrVector], also where one says nothing of that verifier.
func ParseVectors(b []byte, verifier string) ([]Vector, error) {
	var entries []map[string]jsontext.Value
	if err := json.Unmarshal(b, &entries); err != nil {
		return nil, fmt.Errorf("read vectors: %w: %w", ErrVector, err)
	}
	list := make([]Vector, len(entries))
	for i, e := range entries {
		var want map[string]jsontext.Value
		err := json.Unmarshal(e["want"], &want)
		if err == nil && want[verifier] == nil {
			err = errors.New("want says nothing of it")
		}
		if err != nil {
			return nil, fmt.Errorf("read vector %s of %s: %w: %w", e["name"], verifier, ErrVector, err)
		}
		e["want"] = want[verifier]
		one, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("read vector %s of %s: %w: %w", e["name"], verifier, ErrVector, err)
		}
		if list[i], err = ParseVector(one); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// complete fills in what may be left out, and checks the rest.
func (v *Vector) complete() error {
	w := &v.Want
	if w.Winner == unspecified {
		w.Winner = -1
	}
	if w.Culprits == nil {
		w.Culprits = []int{}
	}
	n := len(v.Responses)
	switch {
	case v.Name == "":
		return errors.New("it has no name")
	case n == 0 || n > barnraise.MaxAnswers || n != len(v.Requests):
		return fmt.Errorf("%d responses to %d requests, want 1 to %d, one to each", n, len(v.Requests), barnraise.MaxAnswers)
	case v.MinRequests < 0 || v.MinRequests > barnraise.MaxAnswers:
		return fmt.Errorf("minRequests is %d, want 1 to %d", v.MinRequests, barnraise.MaxAnswers)
	}
	return w.check(n)
}

// check holds what is wanted against protocol 5.3.
func (w *Want) check(answers int) error {
	accepted := w.Status == barnraise.Accepted
	switch {
	case !accepted && w.Status != barnraise.Disagreement && w.Status != barnraise.Undecided:
		return fmt.Errorf("status is %.40q, want accepted, disagreement or undecided", string(w.Status))
	case accepted && (w.Winner < 0 || w.Winner >= answers || slices.Contains(w.Culprits, w.Winner)) || !accepted && w.Winner != -1:
		return fmt.Errorf("winner is %d, where the status is %s and the culprits are %v", w.Winner, w.Status, w.Culprits)
	case !slices.Contains([]Problem{NoProblem, OutOfFuel, Trap, BadVerdict}, w.Problem):
		return fmt.Errorf("problem is %.40q, want fuel, trap or malformed", string(w.Problem))
	case w.Problem != NoProblem && (w.Status != barnraise.Undecided || len(w.Culprits) > 0):
		return fmt.Errorf("with problem %s the status is undecided and there are no culprits", w.Problem)
	}
	least := 0
	for _, c := range w.Culprits {
		if c < least || c >= answers {
			return fmt.Errorf("culprits are %v, want them ascending and below %d", w.Culprits, answers)
		}
		least = c + 1
	}
	return nil
}

// Check holds a verdict against the vector: nil where status, winner and culprits are as wanted. With a problem it does not
// look further; that there is one, and which, is for the caller to see.
func (w Want) Check(got barnraise.Verdict) error {
	if got.Status != w.Status || got.Winner != w.Winner || !slices.Equal(got.Culprits, w.Culprits) {
		return fmt.Errorf("compare verdicts: got %s, winner %d, culprits %v (%s); want %s, winner %d, culprits %v",
			got.Status, got.Winner, got.Culprits, got.Reason, w.Status, w.Winner, w.Culprits)
	}
	return nil
}

// A reader works bodies out as long as there is room left.
type reader struct {
	left int
	err  error
}

func (r *reader) list(values []jsontext.Value) (bodies [][]byte) {
	if len(values) > barnraise.MaxAnswers {
		r.err = fmt.Errorf("%d bodies, at most %d", len(values), barnraise.MaxAnswers)
		return nil
	}
	for _, v := range values {
		bodies = append(bodies, r.body(v))
	}
	return bodies
}

// body is what a value of the file stands for.
func (r *reader) body(v jsontext.Value) []byte {
	var recipe struct {
		Parts []jsontext.Value `json:"$parts"`
	}
	switch {
	case r.err != nil:
		return nil
	case v.Kind() == '"':
		return []byte(r.piece(v, 1))
	case v.Kind() == '{' && json.Unmarshal(v, &recipe, json.RejectUnknownMembers(true)) == nil && recipe.Parts != nil:
		return r.cook(recipe.Parts)
	}
	r.take(len(v))
	return slices.Clone(v)
}

// cook puts the pieces of a recipe together.
func (r *reader) cook(parts []jsontext.Value) (body []byte) {
	for _, part := range parts {
		var pair []jsontext.Value
		times := 1
		if part.Kind() == '[' {
			err := json.Unmarshal(part, &pair)
			if err != nil || len(pair) != 2 || json.Unmarshal(pair[1], &times) != nil || times < 0 {
				r.err = fmt.Errorf("piece %.80q, want a string, or an array of a string and how many times", part)
				return nil
			}
			part = pair[0]
		}
		body = append(body, r.piece(part, times)...)
		if r.err != nil {
			return nil
		}
	}
	return body
}

// piece is a string so many times.
func (r *reader) piece(v jsontext.Value, times int) string {
	var text string
	if err := json.Unmarshal(v, &text); err != nil {
		r.err = err
		return ""
	}
	if times > 0 && len(text) > r.left/times {
		r.take(r.left + 1)
		return ""
	}
	r.take(len(text) * times)
	return strings.Repeat(text, times)
}

func (r *reader) take(n int) {
	if r.left -= n; r.left < 0 && r.err == nil {
		r.err = fmt.Errorf("it is more than %d bytes", MaxVector)
	}
}
