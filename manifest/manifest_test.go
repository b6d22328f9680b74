package manifest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
	if m, err := Parse([]byte(`{"name":"search"}`)); err != nil || string(m.VerifierConfig()) != "null" || m.Limits != DefaultLimits {
		t.Errorf("smallest manifest reads as %+v, %v", m, err)
	}
}

func TestBadManifests(t *testing.T) {
	for name, body := range map[string]string{
		"empty":             ``,
		"array":             `[]`,
		"no name":           `{}`,
		"bad name":          `{"name":"Search"}`,
		"names twice":       `{"name":"search","name":"search"}`,
		"memory beyond cap": `{"name":"search","limits":{"memory":"3GiB"}}`,
		"negative cpu":      `{"name":"search","limits":{"cpu":-1}}`,
		"negative memory":   `{"name":"search","limits":{"memory":-1}}`,
		"timeout too long":  `{"name":"search","limits":{"timeout":"2m"}}`,
		"fuel beyond cap":   `{"name":"search","limits":{"fuel":40000000001}}`,
		"evidence policy":   `{"name":"search","evidence":"secret"}`,
		"external schema":   `{"name":"search","openrpc":{"$ref":"http://example.org"}}`,
		"too long":          `{"name":"search","description":"` + strings.Repeat("x", MaxSize) + `"}`,
		"too deep":          `{"name":"search","config":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`,
	} {
		if m, err := Parse([]byte(body)); !errors.Is(err, ErrManifest) {
			t.Errorf("%s: error is %v (read as %+v), want ErrManifest", name, err, m)
		}
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
	s, err := ReadSource(write("service.yaml", "name: search\nverifier: compare\nopenrpc: openrpc.json\nlimits:\n  memory: 64MiB\n  fuel: 1000000\nhome: 3\n"))
	if err != nil {
		t.Fatal(err)
	}
	if s.Verifier != "compare" || string(s.Manifest.OpenRPC) != `{"methods":[]}` || s.Limits.Memory != 64<<20 || s.Limits.Fuel != 1e6 || s.Home != 3 {
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
		if l := m.Limits; l.Memory == 0 || l.Memory > MaxLimits.Memory || l.Timeout <= 0 || l.Timeout > MaxLimits.Timeout || l.Fuel > MaxLimits.Fuel {
			t.Errorf("%q reads with limits %+v", b, l)
		}
		_, _ = m.Examples()
	})
}
