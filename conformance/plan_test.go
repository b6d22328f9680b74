package conformance

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"barnraise/image"
	"barnraise/jsonrpc"
	"barnraise/manifest"
)

// The plan begins plainly, names everything once in a row, and varies one thing at a time.
func TestPlan(t *testing.T) {
	for _, platform := range []string{image.Wasm, image.LinuxAMD64} {
		steps := plan(platform, Options{}.complete())
		if steps[0].Name != plain || steps[1].Name != again || !steps[1].Measured {
			t.Errorf("%s begins with %+v", platform, steps[:2])
		}
		var names []string
		for _, s := range steps {
			names = append(names, s.Name)
			varied := 0
			for _, f := range reflect.ValueOf(s.Around).Fields() {
				if !f.IsZero() {
					varied++
				}
			}
			if varied > 1 && s.Around.Shift == 0 {
				t.Errorf("%s varies %d things: %+v", s.Name, varied, s.Around)
			}
			if (s.Cause != "") != (varied > 0 && !s.Around.Reused) {
				t.Errorf("%s has the cause %q and the surroundings %+v", s.Name, s.Cause, s.Around)
			}
		}
		names = slices.Compact(names)
		if want := len(slices.Compact(slices.Sorted(slices.Values(names)))); want != len(names) {
			t.Errorf("%s: names come in pieces: %q", platform, names)
		}
	}
}

func TestSchedule(t *testing.T) {
	for _, c := range []struct {
		order  Order
		n      int
		others int
		want   string
	}{
		{InOrder, 3, 0, "[[0] [1] [2]]"},
		{Reversed, 3, 0, "[[2] [1] [0]]"},
		{AnyOrder, 3, 0, "[]"},
		{InOrder, 0, 0, "[]"},
		{Repeated, 0, 0, "[]"},
		{Crashed, 2, 0, "[[0] [1]]"},
	} {
		if got := fmt.Sprint(schedule(c.order, c.n, c.others, 1)); got != c.want {
			t.Errorf("order %d of %d is %s, want %s", c.order, c.n, got, c.want)
		}
	}
	counts := func(rounds [][]int) map[int]int {
		m := map[int]int{}
		for _, i := range slices.Concat(rounds...) {
			m[i]++
		}
		return m
	}
	for order, want := range map[Order]int{Shuffled: 1, Interleaved: 1, Repeated: 131, Concurrent: atOnce/2 + mixed/10} {
		a, b := schedule(order, 10, 3, 7), schedule(order, 10, 3, 7)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("order %d is not a function of the seed", order)
		}
		for i := range 10 {
			if got := counts(a)[i]; got != want {
				t.Errorf("order %d asks request %d %d times, want %d", order, i, got, want)
			}
		}
	}
	if m := counts(schedule(Interleaved, 10, 3, 7)); m[-1] != 4 || m[-2] != 3 || m[-3] != 3 {
		t.Errorf("others' requests in between: %v", m)
	}
}

const openrpc = `{"methods":[
	{"name":"find","params":[{"name":"q","required":true,"schema":{"type":"string","minLength":1,"maxLength":12}},
		{"$ref":"#/components/contentDescriptors/K"}],"examples":[{"params":[{"name":"q","value":"barn"},{"name":"k","value":3}]}]},
	{"name":"shape","paramStructure":"by-position","params":[{"name":"s","required":true,"schema":{"oneOf":[
		{"type":"object","required":["r"],"properties":{"r":{"type":"number","minimum":0,"maximum":1},"more":{"$ref":"#/components/schemas/List"}}},
		{"enum":["unit","empty"]},{"const":null}]}}]},
	{"name":"odd","params":[{"name":"x","schema":{"type":7}},{"name":"y","schema":true},{"name":"z","schema":{"$ref":"#/nowhere"}},
		{"name":"self","schema":{"$ref":"#/components/schemas/Self"}}]},
	{"name":"none","params":[]}, {"name":"not a name","params":[]}],
	"components":{"contentDescriptors":{"K":{"name":"k","schema":{"type":"integer","minimum":1,"maximum":9}}},
		"schemas":{"List":{"type":"array","minItems":1,"maxItems":3,"items":{"type":["integer","null"]}},"Self":{"type":"array","items":{"$ref":"#/components/schemas/Self"}}}}}`

func TestRequests(t *testing.T) {
	m := manifest.Manifest{OpenRPC: []byte(openrpc), Limits: manifest.Limits{Request: 2 << 10}}
	o := Options{Requests: 20, Seed: 3}
	got, err := requests(m, o)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := requests(m, o)
	if !reflect.DeepEqual(got, again) {
		t.Error("equal seeds make other requests")
	}
	if other, _ := requests(m, Options{Requests: 20, Seed: 4}); reflect.DeepEqual(got, other) {
		t.Error("other seeds make the same requests")
	}
	seen, count := map[string]bool{}, map[string]int{}
	for _, r := range got {
		if seen[string(r.Body)] || !jsonrpc.IsWire(r.Body) || len(r.Body) > 2<<10 {
			t.Errorf("request %s: twice %t, or malformed, or too long", r.Body, seen[string(r.Body)])
		}
		seen[string(r.Body)] = true
		count[r.Method]++
	}
	if !got[0].Example || got[1].Example {
		t.Errorf("examples come first: %s, %s", got[0].Body, got[1].Body)
	}
	if count["find"] != 21 || count["shape"] < 15 || count["odd"] < 10 || count["none"] < 3 || count["not a name"] != 0 || count["rpc.discover"] != 1 {
		t.Errorf("requests by method: %v", count)
	}
	if _, err := requests(manifest.Manifest{OpenRPC: []byte(`{"methods":7}`)}, o); !errors.Is(err, manifest.ErrManifest) {
		t.Errorf("malformed document: %v", err)
	}
}

// Of the values that are made up for a schema most fit it: else a service would see nothing but its own errors.
func TestValuesFit(t *testing.T) {
	got, err := requests(manifest.Manifest{OpenRPC: []byte(openrpc), Limits: manifest.DefaultLimits}, Options{Requests: 200})
	if err != nil {
		t.Fatal(err)
	}
	fit, all := 0, 0
	for _, r := range got {
		parsed, _ := jsonrpc.ParseRequest(r.Body)
		if r.Method != "find" || parsed.Params.Kind() != '{' {
			continue
		}
		all++
		q, k := at(parsed.Params, "/q"), number(at(parsed.Params, "/k"))
		if n := len(letters(q)); n <= 12 && q.Kind() == '"' && (k >= 1 && k <= 9 || at(parsed.Params, "/k") == nil) {
			fit++
		}
	}
	if fit*3 < all {
		t.Errorf("%d of %d fit", fit, all)
	}
}

func FuzzRequests(f *testing.F) {
	f.Add([]byte(openrpc), uint64(1))
	f.Add([]byte(`{"methods":[{"name":"a","params":[{"name":"x","schema":{"minimum":1e300,"maximum":-1e300,"minItems":-5,"maxItems":-1}}]}]}`), uint64(2))
	f.Add([]byte(`{"methods":[{"name":"a","params":[{"name":"x","schema":{"type":"string","minLength":99999999999,"maxLength":-3}}]}]}`), uint64(2))
	f.Add([]byte(`{"methods":[{"name":"a","params":[{"name":"x","schema":{"type":"array","minItems":9e8}}]}]}`), uint64(2))
	f.Fuzz(func(t *testing.T, document []byte, seed uint64) {
		got, err := requests(manifest.Manifest{OpenRPC: document, Limits: manifest.DefaultLimits}, Options{Requests: 10, Seed: seed})
		if err != nil {
			return
		}
		for _, r := range got {
			if !jsonrpc.IsWire(r.Body) || !r.Example && len(r.Body) > maxBody {
				t.Errorf("%q makes %.200q of %d bytes", document, r.Body, len(r.Body))
			}
		}
	})
}

func TestProposals(t *testing.T) {
	l := manifest.Limits{Memory: 1 << 30, CPU: 1, Timeout: manifest.MaxLimits.Timeout, Request: 1 << 20, Response: 1 << 20, Fuel: 1e9}
	small := propose([]Method{{Memory: 5 << 20, Response: 100, Fuel: 3e6, Max: 7, CPU: 2}}, l)
	if l := small.Limits; l.Memory != 16<<20 || l.Response != 64<<10 || l.Fuel != 2e7 || l.Timeout.String() != "1s" || small.Cost != 1 {
		t.Errorf("small: %+v", small)
	}
	large := propose([]Method{{Memory: 3 << 30, Response: 8 << 20, Fuel: 3e10, Max: 50e3, CPU: 900}}, l)
	top := manifest.MaxLimits
	if l := large.Limits; l.Memory != top.Memory || l.Response+l.Request != top.Response || l.Fuel != top.Fuel || l.Timeout != top.Timeout || large.Cost != 18 {
		t.Errorf("large: %+v", large)
	}
	if p := propose(nil, l); p.Limits != l || p.Cost != 8 {
		t.Errorf("nothing measured: %+v", p)
	}
}
