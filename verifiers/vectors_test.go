package verifiers_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"barnraise"
	"barnraise/jsonrpc"
	"barnraise/verifiers"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// vectors are those of testdata/vectors.json, as the vectors of that verifier.
func vectors(t testing.TB, name string) []verifiers.Vector {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	list, err := verifiers.ParseVectors(b, name)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func check(t testing.TB, v verifiers.Vector, got outcome) {
	t.Helper()
	if err := v.Want.Check(got.verdict); err != nil || got.problem != v.Want.Problem {
		t.Errorf("%s: %v, problem %q, want %q: %v", v.Name, err, got.problem, v.Want.Problem, got.err)
	}
}

// TestVectors holds the standard verifiers to their vectors. What it logs is the same wherever it runs (protocol 5.7).
func TestVectors(t *testing.T) {
	e := engine(t)
	for _, name := range verifiers.Names() {
		list, judge, sum := vectors(t, name), standard(t, e, name), sha256.New()
		if len(list) < 60 {
			t.Errorf("%d vectors, want 60 at least", len(list))
		}
		var most uint64
		for _, v := range list {
			got := judge(t, v)
			check(t, v, got)
			most = max(most, got.fuel)
			fmt.Fprintln(sum, v.Name, got)
		}
		t.Logf("%s: %d vectors, %d units at most, %x", name, len(list), most, sum.Sum(nil))
	}
}

// TestTwin holds the twin to the vectors of json, so that it is not wrong where the module is.
func TestTwin(t *testing.T) {
	for _, v := range vectors(t, "json") {
		strict := !slices.ContainsFunc(v.Responses, func(b []byte) bool { return jsonrpc.Strict(b) != nil || len(b) > 1<<16 })
		if strict && v.Want.Status != barnraise.Undecided {
			if got := twin(t, v); got != (v.Want.Status == barnraise.Accepted) {
				t.Errorf("%s: the twin says %v, want %s", v.Name, got, v.Want.Status)
			}
		}
	}
}

// TestVectorsSpeakOfEveryVerifier holds that each vector says what each of the verifiers is to say, and speaks of no other.
func TestVectorsSpeakOfEveryVerifier(t *testing.T) {
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var entries []struct {
		Name string                    `json:"name"`
		Want map[string]jsontext.Value `json:"want"`
	}
	if err := json.Unmarshal(b, &entries); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if names := slices.Sorted(maps.Keys(e.Want)); !slices.Equal(names, verifiers.Names()) {
			t.Errorf("%s: has verdicts of %q, want %q", e.Name, names, verifiers.Names())
		}
	}
}

// TestVectorsAreStrict holds that all but one vector are what a host lets through (protocol 3.3).
func TestVectorsAreStrict(t *testing.T) {
	for _, v := range vectors(t, "json") {
		for i, body := range v.Responses {
			_, err := jsonrpc.ParseResponse(body, jsonrpc.WireID)
			if (err == nil) == strings.Contains(v.Name, "which no host lets through") {
				t.Errorf("%s: response %d: %v", v.Name, i, err)
			}
			if !jsonrpc.IsWire(v.Requests[i]) && !strings.Contains(v.Name, "differ in a space") {
				t.Errorf("%s: request %d: %.100s", v.Name, i, v.Requests[i])
			}
		}
	}
}

// projectVectors reads the vectors of a project.
func projectVectors(t testing.TB, project fs.FS) (list []verifiers.Vector) {
	t.Helper()
	files, err := fs.Glob(project, "vectors/*.json")
	if err != nil || len(files) < 3 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		b, err := fs.ReadFile(project, file)
		if err != nil {
			t.Fatal(err)
		}
		v, err := verifiers.ParseVector(b)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		v.Name = path.Base(file) + ": " + v.Name
		list = append(list, v)
	}
	return list
}

func TestParseVector(t *testing.T) {
	v, err := verifiers.ParseVector([]byte(` {"name":"n","config":{"a": 1.50},"requests":[{"b": 1},"{\"c\":\u00322}",{"$parts":["x",["ab",3],["z",0],"y"]}],
		"responses":[[1, 2],{"$parts":"no recipe"},{"$parts":[]}],"want":{"status":"accepted","winner":2,"culprits":[0,1]},"minRequests":2,"fuel":7}`))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%s %s %s %s %+v %d %d", v.Name, v.Config, bytes.Join(v.Requests, []byte("|")), bytes.Join(v.Responses, []byte("|")), v.Want, v.MinRequests, v.Fuel)
	if want := `n {"a": 1.50} {"b": 1}|{"c":22}|xabababy [1, 2]|{"$parts":"no recipe"}| {Status:accepted Winner:2 Culprits:[0 1] Problem:} 2 7`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	v, err = verifiers.ParseVector([]byte(`{"name":"n","requests":[1],"responses":[2],"want":{"status":"undecided","problem":"trap"}}`))
	if err != nil || string(v.Config) != "null" || v.Want.Winner != -1 || v.Want.Culprits == nil || v.MinRequests != 0 {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestParseVectors(t *testing.T) {
	const file = `[{"name":"n","requests":[1],"responses":[2],"want":{"a":{"status":"accepted","winner":0},"b":{"status":"undecided"}}}]`
	for name, want := range map[string]barnraise.Outcome{"a": barnraise.Accepted, "b": barnraise.Undecided} {
		list, err := verifiers.ParseVectors([]byte(file), name)
		if err != nil || len(list) != 1 || list[0].Want.Status != want {
			t.Errorf("of %s: %+v, %v", name, list, err)
		}
	}
	for _, bad := range []string{``, `{}`, `[1]`, `[{}]`, strings.Replace(file, `"a"`, `"c"`, 1), strings.Replace(file, `"n"`, `""`, 1)} {
		if list, err := verifiers.ParseVectors([]byte(bad), "a"); !errors.Is(err, verifiers.ErrVector) {
			t.Errorf("%s: %+v, %v, want ErrVector", bad, list, err)
		}
	}
}

func TestParseVectorRefuses(t *testing.T) {
	good := `{"name":"n","requests":[1,1],"responses":[2,2],"want":{"status":"accepted","winner":0}}`
	for _, c := range [][2]string{
		{`"name":"n"`, `"name":""`}, {`"name":"n",`, ``}, {`"name"`, `"Name"`}, {`"name":"n"`, `"name":"n","name":"n"`},
		{`[1,1]`, `[1]`}, {`[1,1]`, `1`}, {`[2,2]`, `[2,2,2]`},
		{`"accepted"`, `"right"`}, {`"accepted"`, `""`}, {`"winner":0`, `"winner":2`}, {`,"winner":0`, ``}, {`"winner":0`, `"winner":0,"culprits":[0]`},
		{`"winner":0`, `"winner":0,"culprits":[2]`}, {`"winner":0`, `"winner":0,"culprits":[1,1]`}, {`"winner":0`, `"winner":0,"problem":"trap"`},
		{`"status":"accepted","winner":0`, `"status":"undecided","winner":0`}, {`"status":"accepted","winner":0`, `"status":"undecided","problem":"bad"`},
		{`"name"`, `"minRequests":65,"name"`}, {`"name"`, `"minRequests":-1,"name"`}, {`"name"`, `"extra":1,"name"`},
		{`[2,2]`, `[2,{"$parts":[1]}]`}, {`[2,2]`, `[2,{"$parts":[["a"]]}]`}, {`[2,2]`, `[2,{"$parts":[["a",-1]]}]`}, {`[2,2]`, `[2,{"$parts":[["a",1.5]]}]`},
		{`[2,2]`, `[2,{"$parts":[["a",16777216]]}]`}, {`[2,2]`, `[2,{"$parts":[["aa",9223372036854775807]]}]`}, {`[2,2]`, `[{"$parts":[["a",9000000]]},{"$parts":[["a",9000000]]}]`},
	} {
		bad := strings.Replace(good, c[0], c[1], 1)
		if v, err := verifiers.ParseVector([]byte(bad)); err == nil || bad == good {
			t.Errorf("%s: %+v", bad, v)
		}
	}
	many := strings.TrimSuffix(strings.Repeat("1,", 65), ",")
	if _, err := verifiers.ParseVector([]byte(strings.NewReplacer("1,1", many, "2,2", many).Replace(good))); err == nil {
		t.Error("sixty-five answers")
	}
}

// FuzzParseVector holds that whatever is read keeps its bounds.
func FuzzParseVector(f *testing.F) {
	for _, s := range []string{`{"name":"n","requests":[1,"x"],"responses":[2,{"$parts":["a",["b",3]]}],"want":{"status":"accepted","winner":0}}`,
		`{"name":"n","config":{"$parts":[["[",9]]},"requests":[1],"responses":[2],"want":{"status":"disagreement","culprits":[0]},"fuel":1,"minRequests":64}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := verifiers.ParseVector(b)
		if err != nil {
			return
		}
		size := len(v.Config)
		for i := range v.Responses {
			size += len(v.Requests[i]) + len(v.Responses[i])
		}
		if n := len(v.Responses); size > verifiers.MaxVector || n < 1 || n > barnraise.MaxAnswers || v.Want.Winner < -1 || v.Want.Winner >= n {
			t.Errorf("%d bytes, %d answers, %+v", size, len(v.Responses), v.Want)
		}
	})
}
