package verifier

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"barnraise"
)

// TestInput holds protocol 5.2.
func TestInput(t *testing.T) {
	got := Input(nil, bodies(`{"b": 1}`, ` 2`), bodies("3\n", `{"a":"\u00e9"}`))
	if want := `{"abi":1,"config":null,"requests":[{"b": 1}, 2],"responses":[3` + "\n" + `,{"a":"\u00e9"}]}`; string(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := Input([]byte(`{"x": 1}`), nil, nil); string(got) != `{"abi":1,"config":{"x": 1},"requests":[],"responses":[]}` {
		t.Errorf("%s", got)
	}
}

// TestParseVerdict holds protocol 5.3 and the comment of ParseVerdict.
func TestParseVerdict(t *testing.T) {
	for _, c := range []struct {
		json string
		want string // as %v of the verdict; "" where it is malformed
	}{
		{`{"status":"accepted","winner":0,"culprits":[]}`, "{accepted 0 [] 0 }"},
		{`{"status":"accepted","winner":1,"culprits":[0,2]}`, "{accepted 1 [0 2] 0 }"},
		{` {"reason" : "so","need":0 ,"culprits":[],"winner":2, "status":"accepted"} ` + "\n", "{accepted 2 [] 0 so}"},
		{`{"status":"disagreement","winner":-1,"culprits":[0,1,2]}`, "{disagreement -1 [0 1 2] 0 }"},
		{`{"status":"disagreement","winner":-1,"culprits":[]}`, "{disagreement -1 [] 0 }"},
		{`{"status":"undecided","winner":-1,"culprits":[],"need":64}`, "{undecided -1 [] 64 }"},
		{`{"status":"undecided","winner":-1,"culprits":[],"need":0,"reason":""}`, "{undecided -1 [] 0 }"},
		{`{"status":"accept\u0065d","winner":0,"culprits":[],"reason":"\u00e9\"\\\/"}`, `{accepted 0 [] 0 é"\/}`},
		{`{"status":"undecided","winner":-1,"culprits":[],"reason":"` + strings.Repeat("é", 128) + `"}`, "{undecided -1 [] 0 " + strings.Repeat("é", 128) + "}"},

		{``, ""}, {`null`, ""}, {`[]`, ""}, {`"accepted"`, ""}, {`{}`, ""}, {`{"status":"accepted","winner":0,"culprits":[]} x`, ""},
		{`{"status":"accepted","winner":0}`, ""},
		{`{"status":"accepted","culprits":[]}`, ""},
		{`{"winner":0,"culprits":[]}`, ""},
		{`{"status":"accepted","winner":0,"culprits":null}`, ""},
		{`{"status":"accepted","winner":null,"culprits":[]}`, ""},
		{`{"status":null,"winner":0,"culprits":[]}`, ""},
		{`{"status":"undecided","winner":-1,"culprits":[],"need":null}`, ""},
		{`{"status":"undecided","winner":-1,"culprits":[],"reason":null}`, ""},
		{`{"status":"Accepted","winner":0,"culprits":[]}`, ""},
		{`{"Status":"accepted","winner":0,"culprits":[]}`, ""},
		{`{"status":"accepted","winner":0,"culprits":[],"confidence":1}`, ""},
		{`{"status":"accepted","status":"accepted","winner":0,"culprits":[]}`, ""},
		{`{"status":"accepted","winner":0,"winner":1,"culprits":[]}`, ""},
		{`{"status":"accepted","winner":-1,"culprits":[]}`, ""},
		{`{"status":"accepted","winner":3,"culprits":[]}`, ""},
		{`{"status":"accepted","winner":0.0,"culprits":[]}`, ""},
		{`{"status":"accepted","winner":1e0,"culprits":[]}`, ""},
		{`{"status":"accepted","winner":-0,"culprits":[]}`, ""},
		{`{"status":"accepted","winner":"0","culprits":[]}`, ""},
		{`{"status":"accepted","winner":18446744073709551616,"culprits":[]}`, ""},
		{`{"status":"accepted","winner":0,"culprits":[0]}`, ""},
		{`{"status":"disagreement","winner":0,"culprits":[1]}`, ""},
		{`{"status":"undecided","winner":-1,"culprits":[0]}`, ""},
		{`{"status":"undecided","winner":-1,"culprits":[0,1,2],"need":64}`, ""},
		{`{"status":"undecided","winner":0,"culprits":[]}`, ""},
		{`{"status":"disagreement","winner":-2,"culprits":[]}`, ""},
		{`{"status":"disagreement","winner":-1,"culprits":[3]}`, ""},
		{`{"status":"disagreement","winner":-1,"culprits":[-1]}`, ""},
		{`{"status":"disagreement","winner":-1,"culprits":[1,0]}`, ""},
		{`{"status":"disagreement","winner":-1,"culprits":[1,1]}`, ""},
		{`{"status":"disagreement","winner":-1,"culprits":[1.0]}`, ""},
		{`{"status":"disagreement","winner":-1,"culprits":["1"]}`, ""},
		{`{"status":"disagreement","winner":-1,"culprits":{}}`, ""},
		{`{"status":"disagreement","winner":-1,"culprits":"1"}`, ""},
		{`{"status":"undecided","winner":-1,"culprits":[],"need":-1}`, ""},
		{`{"status":"undecided","winner":-1,"culprits":[],"need":65}`, ""},
		{`{"status":"undecided","winner":-1,"culprits":[],"need":1.5}`, ""},
		{`{"status":"undecided","winner":-1,"culprits":[],"reason":5}`, ""},
		{`{"status":"undecided","winner":-1,"culprits":[],"reason":"\u001b[2J"}`, ""},
		{`{"status":"undecided","winner":-1,"culprits":[],"reason":"` + "\xff" + `"}`, ""},
		{`{"status":"undecided","winner":-1,"culprits":[],"reason":"\ud800"}`, ""},
		{`{"status":"undecided","winner":-1,"culprits":[],"reason":"` + strings.Repeat("é", 128) + `x"}`, ""},
		{`{"status":"undecided","winner":-1,"culprits":[]}` + strings.Repeat(" ", MaxVerdict), ""},
		{strings.Repeat(`[`, 100), ""},
	} {
		v, err := ParseVerdict([]byte(c.json), 3)
		switch {
		case c.want == "" && !errors.Is(err, ErrMalformed):
			t.Errorf("%.90s: %v, %v, want ErrMalformed", c.json, v, err)
		case c.want != "" && (err != nil || fmt.Sprint(v) != c.want || v.Culprits == nil):
			t.Errorf("%.90s: %v, %v, want %s", c.json, v, err, c.want)
		}
	}
}

// FuzzParseVerdict holds that a verdict that is read keeps every rule.
func FuzzParseVerdict(f *testing.F) {
	f.Add([]byte(`{"status":"accepted","winner":1,"culprits":[0,2],"need":3,"reason":"x"}`), 3)
	f.Add([]byte(`{"status":"undecided","winner":-1,"culprits":[],"need":64}`), 1)
	f.Add([]byte(`{"status":"disagreement","winner":-1,"culprits":[0],"reason":"\n"}`), 64)
	f.Fuzz(func(t *testing.T, b []byte, answers int) {
		v, err := ParseVerdict(b, answers)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("%v", err)
			}
			return
		}
		last := -1
		for _, c := range v.Culprits {
			if c <= last || c >= answers {
				t.Errorf("culprits %v of %d", v.Culprits, answers)
			}
			last = c
		}
		winner := v.Status == barnraise.Accepted
		if winner != (v.Winner >= 0) || v.Winner >= max(answers, 0) || v.Blames(v.Winner) || v.Need < 0 || v.Need > 64 || len(v.Reason) > MaxReason {
			t.Errorf("%+v of %d", v, answers)
		}
		if v.Status == barnraise.Undecided && len(v.Culprits) > 0 {
			t.Errorf("%+v blames somebody", v)
		}
	})
}
