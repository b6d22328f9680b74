package manifest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"barnraise"
)

func TestParse(t *testing.T) {
	m, err := Parse([]byte(`{"name":"search","limits":{"memory":"64MiB","timeout":"2s"},"future":{"x":1},"config":{"a":[1.50]}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultLimits
	want.Memory, want.Timeout = 64<<20, Duration(2*time.Second)
	if m.Limits != want || m.Evidence != EvidenceHosts || m.Cost != 1 || string(m.VerifierConfig()) != `{"a":[1.50]}` {
		t.Errorf("reads as %+v", m)
	}
	if m, err := Parse([]byte(`{"name":"search","limits":{"request":"2.5MiB","response":"512KiB"}}`)); err != nil || m.Limits.Request+m.Limits.Response != DefaultVerifierLimits.MaxExchange() {
		t.Errorf("the longest exchange reads as %+v, %v", m.Limits, err)
	}
	m, err = Parse([]byte(`{"name":"search","limits":{"request":"4MiB","response":"4MiB"},"verifierLimits":{"module":"4MiB","memory":"64MiB"}}`))
	if want := (VerifierLimits{4 << 20, 64 << 20, DefaultVerifierLimits.Fuel}); err != nil || m.VerifierLimits != want {
		t.Errorf("a large verifier reads as %+v, %v", m.VerifierLimits, err)
	}
	if m, err := Parse([]byte(`{"name":"search"}`)); err != nil || string(m.VerifierConfig()) != "null" || m.Limits != DefaultLimits || m.VerifierLimits != DefaultVerifierLimits {
		t.Errorf("smallest manifest reads as %+v, %v", m, err)
	}
}

func TestBadManifests(t *testing.T) {
	for name, body := range map[string]string{
		"empty":                        ``,
		"array":                        `[]`,
		"no name":                      `{}`,
		"bad name":                     `{"name":"Search"}`,
		"names twice":                  `{"name":"search","name":"search"}`,
		"memory beyond cap":            `{"name":"search","limits":{"memory":"3GiB"}}`,
		"negative cpu":                 `{"name":"search","limits":{"cpu":-1}}`,
		"negative memory":              `{"name":"search","limits":{"memory":-1}}`,
		"timeout too long":             `{"name":"search","limits":{"timeout":"2m"}}`,
		"fuel beyond cap":              `{"name":"search","limits":{"fuel":40000000001}}`,
		"verifier's module beyond cap": `{"name":"search","verifierLimits":{"module":8388609}}`,
		"verifier's memory beyond cap": `{"name":"search","verifierLimits":{"memory":"129MiB"}}`,
		"verifier's fuel beyond cap":   `{"name":"search","verifierLimits":{"fuel":40000000001}}`,
		"verifier's memory too small":  `{"name":"search","verifierLimits":{"memory":"15MiB"}}`,
		"verifier's memory tiny":       `{"name":"search","verifierLimits":{"memory":1},"limits":{"request":1,"response":1}}`,
		"exchange too long for any":    `{"name":"search","verifierLimits":{"memory":"128MiB"},"limits":{"request":1,"response":"8MiB"}}`,
		"request too long":             `{"name":"search","limits":{"request":3145729,"response":1}}`,
		"response too long":            `{"name":"search","limits":{"response":"32MiB"}}`,
		"exchange too long":            `{"name":"search","limits":{"request":"1MiB","response":2097153}}`,
		"response too long beside the default request": `{"name":"search","limits":{"response":"3MiB"}}`,
		"evidence policy": `{"name":"search","evidence":"secret"}`,
		"external schema": `{"name":"search","openrpc":{"$ref":"http://example.org"}}`,
		"too long":        `{"name":"search","description":"` + strings.Repeat("x", MaxSize) + `"}`,
		"too deep":        `{"name":"search","config":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`,
	} {
		if m, err := Parse([]byte(body)); !errors.Is(err, ErrManifest) {
			t.Errorf("%s: error is %v (read as %+v), want ErrManifest", name, err, m)
		}
	}
}

func TestProtocol2_5NoExternalReferences(t *testing.T) {
	parse := func(openrpc string) error {
		_, err := Parse([]byte(`{"name":"search","openrpc":` + openrpc + `}`))
		return err
	}
	for _, external := range []string{
		`{"$ref":"http://example.org"}`, `{"$ref": "http://example.org"}`, `{"$ref":"HTTPS://example.org"}`, `{"$ref":"other.json"}`,
		`{"$ref":"//evil/x"}`, `{"$ref":""}`, `{"$ref":" #/a"}`, `{"\u0024ref":"x"}`, `{"$ref":"\u0068ttp://x"}`, `{"$ref"` + "\n:\t" + `"x"}`,
		`{"$dynamicRef":"x"}`, `[[{"a":1,"b":[{"$ref":"x"}]}]]`, `{"a":{"$ref":"#/a"},"$ref":"x"}`, `{"a":[],"$ref":"x"}`, `{"a":{},"$ref":"x"}`,
	} {
		if err := parse(external); !errors.Is(err, ErrManifest) {
			t.Errorf("%s: error is %v, want ErrManifest", external, err)
		}
	}
	for _, internal := range []string{
		`{"$ref":"#/components/schemas/a"}`, `{"$ref":"\u0023/a"}`, `{"properties":{"$ref":{"type":"string"}}}`, `["$ref","x"]`,
		`{"a":"$ref","b":"http://example.org"}`, `{"a":["$ref"],"b":"x"}`, `{"$schema":"http://example.org"}`, `{}`, `"$ref"`,
	} {
		if err := parse(internal); err != nil {
			t.Errorf("%s: %v", internal, err)
		}
	}
}

func TestUnits(t *testing.T) {
	for text, want := range map[string]Bytes{
		`5`: 5, `"5"`: 5, `1e3`: 1000, `"64MiB"`: 64 << 20, `"1.5 kB"`: 1500, `"0.5KiB"`: 512, `"1.1GB"`: 1_100_000_000, `"0.0000001 GB"`: 100,
		`5.5`: 0, `"0.1KiB"`: 0, `"NaN"`: 0, `"NaNMiB"`: 0, `"Inf"`: 0, `-1`: 0, `"0x10"`: 0, `"1/2KiB"`: 0, `"1e99"`: 0, `"1_000"`: 0, `""`: 0,
		`"MiB"`: 0, `"5TiB"`: 0, `true`: 0, `1125899906842625`: 0, `"99999999999999999999999"`: 0,
	} {
		var got Bytes
		if err := got.UnmarshalJSON([]byte(text)); got != want || (err == nil) != (want > 0) {
			t.Errorf("size %s reads as %d, %v", text, got, err)
		}
	}
	for text, want := range map[string]time.Duration{
		`5`: 5 * time.Millisecond, `"2s"`: 2 * time.Second, `"1.5s"`: 1500 * time.Millisecond, `"1000us"`: time.Millisecond,
		`"500us"`: 0, `"1.0005s"`: 0, `"1ns"`: 0, `1.5`: 0, `"-1s"`: 0, `-1`: 0, `"NaN"`: 0, `"1e3s"`: 0, `9999999999999999`: 0,
	} {
		var got Duration
		if err := got.UnmarshalJSON([]byte(text)); time.Duration(got) != want || (err == nil) != (want > 0) {
			t.Errorf("duration %s reads as %s, %v", text, got, err)
		}
	}
	if b, err := (Manifest{Name: "search", Limits: Limits{Timeout: Duration(500 * time.Microsecond)}}).Encode(); err == nil {
		t.Errorf("half a millisecond is published as %s", b)
	}
}

// A dispute of several of the longest answers can be shown to others (protocol 8.1).
func TestEvidenceHasRoomForTheLongestAnswers(t *testing.T) {
	const few, base64, receipt = 5, 4.0 / 3, 2 << 10
	size := few*(base64*float64(MaxVerifierLimits.MaxExchange())+receipt) + 4<<10 // however they share it
	if size > barnraise.MaxEvidence {
		t.Errorf("a request and %d answers as long as limits allow take %.0f bytes, evidence has at most %d", few, size, barnraise.MaxEvidence)
	}
}

func TestEncodeReadsBack(t *testing.T) {
	m, err := Parse([]byte(`{"name":"search","verifier":"bafk","config":{"b":1,"a":2},"openrpc":{"methods":[]},"limits":{"cpu":0.5}}`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(b)
	if err != nil || again.Limits != m.Limits || string(again.Config) != string(m.Config) || again.Verifier != m.Verifier {
		t.Errorf("written %s\nreads as %+v, %v", b, again, err)
	}
	if twice, _ := again.Encode(); string(twice) != string(b) {
		t.Errorf("written twice:\n%s\n%s", b, twice)
	}
}

func TestExamples(t *testing.T) {
	m := Manifest{OpenRPC: []byte(`{"methods":[
		{"name":"a","examples":[{"params":[{"name":"q","value":"x\u0041"},{"name":"k","value":1.0}]},{"params":[]}]},
		{"name":"b","paramStructure":"by-position","examples":[{"params":[{"name":"q","value":[1]}]}]},
		{"name":"c"}]}`)}
	got, err := m.Examples()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"jsonrpc":"2.0","id":1,"method":"a","params":{"q":"x\u0041","k":1.0}}`,
		`{"jsonrpc":"2.0","id":1,"method":"a","params":{}}`,
		`{"jsonrpc":"2.0","id":1,"method":"b","params":[[1]]}`,
	}
	if len(got) != len(want) {
		t.Fatalf("%d examples: %s", len(got), got)
	}
	for i := range want {
		if string(got[i]) != want[i] {
			t.Errorf("example %d is %s, want %s", i, got[i], want[i])
		}
	}
	for name, doc := range map[string]string{
		"no object":    `[]`,
		"bad method":   `{"methods":[{"name":"a b","examples":[{"params":[]}]}]}`,
		"param twice":  `{"methods":[{"name":"a","examples":[{"params":[{"name":"q","value":1},{"name":"q","value":2}]}]}]}`,
		"no value":     `{"methods":[{"name":"a","examples":[{"params":[{"name":"q"}]}]}]}`,
		"methods wild": `{"methods":7}`,
	} {
		if _, err := (Manifest{OpenRPC: []byte(doc)}).Examples(); !errors.Is(err, ErrManifest) {
			t.Errorf("%s: error is %v, want ErrManifest", name, err)
		}
	}
}

func TestReadSource(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("openrpc.json", "{ \"methods\": [] }")
	s, err := ReadSource(write("service.yaml", "name: search\nverifier: compare\nopenrpc: openrpc.json\nlimits:\n  memory: 64MiB\n  fuel: 1000000\nhome: 3\nverifierLimits: {module: 4MiB}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if s.Verifier != "compare" || string(s.Manifest.OpenRPC) != `{"methods":[]}` || s.Limits.Memory != 64<<20 || s.Limits.Fuel != 1e6 || s.Home != 3 || s.VerifierLimits.Module != 4<<20 {
		t.Errorf("reads as %+v", s)
	}
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":    {"name: search\nverifyer: compare\n", `did you mean "verifier"?`},
		"missing file":   {"name: search\nopenrpc: none.json\n", "none.json"},
		"bad size":       {"name: search\nlimits: {memory: lots}\n", "64MiB"},
		"bad name":       {"name: S\n", "name"},
		"openrpc broken": {"name: search\nopenrpc: service.yaml\n", "openrpc"},
	} {
		if _, err := ReadSource(write("service.yaml", c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want one with %q", name, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"name":"search","limits":{"memory":"64MiB"},"openrpc":{"methods":[{"name":"a","examples":[{"params":[]}]}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		if l := m.Limits; l.Memory == 0 || l.Memory > MaxLimits.Memory || l.Timeout <= 0 || l.Timeout > MaxLimits.Timeout || l.Fuel > MaxLimits.Fuel || l.Request+l.Response > m.VerifierLimits.MaxExchange() {
			t.Errorf("%q reads with limits %+v", b, l)
		}
		if v, top := m.VerifierLimits, MaxVerifierLimits; v.Module == 0 || v.Module > top.Module || v.Memory == 0 || v.Memory > top.Memory || v.Fuel == 0 || v.Fuel > top.Fuel {
			t.Errorf("%q reads with a verifier's limits %+v", b, v)
		}
		_, _ = m.Examples()
	})
}
