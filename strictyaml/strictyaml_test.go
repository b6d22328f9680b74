package strictyaml

import (
	"strings"
	"testing"
	"time"
	"unicode"
)

type inner struct {
	Memory int `json:"memory"`
}
type config struct {
	Services string            `json:"services"`
	Names    map[string]uint32 `json:"names"`
	RPC      []string          `json:"rpc"`
	Limits   inner             `json:"limits"`
}

func TestDecode(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"bare address", "services: 0x5FbDB2315678afecb367f032d93F642f64180aa3\nnames: {search: 3}\nrpc: [\"http://127.0.0.1:1\"]\n", ""},
		{"empty", "", ""},
		{"comment only", "# nothing\n", ""},
		{"unknown", "servces: x\n", `unknown key "servces"; did you mean "services"?`},
		{"unknown below", "limits: {memry: 3}\n", `unknown key "memry"; did you mean "memory"?`},
		{"nothing near", "zzzzzz: 3\n", `known are limits, memory, names, rpc, services`},
		{"twice", "rpc: [a]\nrpc: [b]\n", `rpc`},
		{"wrong type", "limits: {memory: many}\n", `limits/memory`},
		{"alias", "rpc: &a [x]\nnames: *a\n", `line 1: anchors, aliases, tags and directives are not taken`},
		{"tag", "limits:\n  memory: !!int 0x5FbDB2315678afecb367f032d93F642f64180aa3\n", `line 2: anchors, aliases, tags and directives are not taken`},
		{"directive", "%YAML 1.2\n---\nservices: x\n", `line 1: anchors, aliases, tags and directives are not taken`},
		{"one document with its marks", "---\nservices: x\n...\n# end\n", ""},
		{"second document", "services: x\n---\nservices: y\n", `only one is taken`},
		{"second document after an end", "services: x\n...\nservices: y\n", `only one is taken`},
		{"second document, empty", "services: x\n---\n", `only one is taken`},
		{"second document after nothing", "---\n---\nservices: y\n", `only one is taken`},
		{"deep enough", "names: " + strings.Repeat("[", MaxDepth-1) + strings.Repeat("]", MaxDepth-1), "names"},
		{"too deep", "names: " + strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth), "line 1: lists and maps more than 64 deep"},
		{"no yaml", "rpc: [a\n", `read f.yaml`},
		{"too long", strings.Repeat("#", MaxSize+1), `at most`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got config
			err := Decode("f.yaml", []byte(c.yaml), &got)
			switch {
			case c.want == "" && err != nil:
				t.Fatal(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Fatalf("error is %v, want one with %q", err, c.want)
			}
		})
	}
}

// To YAML an address that begins with zeros is a small number.
func TestAddressesStandAsWritten(t *testing.T) {
	const address, zero = "0x5FbDB2315678afecb367f032d93F642f64180aa3", "0x0000000000000000000000000000000000000001"
	for text, want := range map[string]string{
		"services: " + address:                       address,
		"services: " + zero:                          zero,
		"services: " + zero + " # ours":              zero,
		"services: '" + zero + "'":                   zero,
		"{services: " + zero + "}":                   zero,
		"services:\n  " + zero:                       zero,
		"services: |\n  a: " + address + "\n":        "a: " + address + "\n",
		"services: >\n  a: " + zero + "\n  b: x\n":   "a: " + zero + " b: x\n",
		"services: \"x\n  a: " + address + "\"":      "x a: " + address,
		"services: x\n# services: " + address + "\n": "x",
	} {
		var got config
		if err := Decode("f.yaml", []byte(text), &got); err != nil || got.Services != want {
			t.Errorf("%q reads as %q, %v, want %q", text, got.Services, err, want)
		}
	}
	var short struct {
		Names map[string]uint32 `json:"names"`
	}
	if err := Decode("f.yaml", []byte("names: {a: 0x10}"), &short); err != nil || short.Names["a"] != 16 {
		t.Errorf("a short number reads as %v, %v", short.Names, err)
	}
}

// What keeps the parser busy with the square of its length is refused, and refused soon.
func TestDecodeIsBounded(t *testing.T) {
	fill := func(unit string) string { return strings.Repeat(unit, (MaxSize-100)/len(unit)) }
	indented := ""
	for depth := range MaxDepth + 1 {
		indented += strings.Repeat(" ", depth) + "a:\n"
	}
	for name, c := range map[string]struct{ yaml, want string }{
		"lists":              {fill("["), "keys, values and marks"},
		"maps":               {fill("{a: "), "keys, values and marks"},
		"lists within a map": {"a: " + strings.Repeat("[", 1000), "deep"},
		"maps within a map":  {"a: " + strings.Repeat("{a: ", 1000), "deep"},
		"dashes":             {strings.Repeat("- ", 1000), "deep"},
		"dashes by lines":    {fill("-\n"), "keys, values and marks"},
		"questions":          {strings.Repeat("? ", 1000), "deep"},
		"mixed":              {"- ? " + strings.Repeat("- ? [", 100), "deep"},
		"indented":           {indented, "deep"},
		"keys":               {fill("a: b\n"), "keys, values and marks"},
		"brackets closed":    {fill("]"), "keys, values and marks"},
		"blank lines":        {"a: |\n" + fill("\n"), "blank lines"},
		"blank lines, CR":    {"a: >\n x" + fill(" \r"), "blank lines"},
		"tabs in quotes":     {"a: \"" + fill("]\t"), "tabs"},
		"anchors":            {strings.Repeat("&a ", 1000), "anchors"},
		"aliases":            {strings.Repeat("*a ", 1000), "aliases"},
	} {
		start := time.Now()
		err := Decode("f.yaml", []byte(c.yaml), new(config))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %.200v, want one with %q", name, err, c.want)
		}
		if took := time.Since(start); took > 20*time.Second { // without bounds some take hours
			t.Errorf("%s took %s", name, took)
		}
	}
}

func TestErrorsDoNothingToATerminal(t *testing.T) {
	for _, text := range []string{"a: \x1b]0;pwned\a\nservices: [", "\x1b[2J: 1", "services: \"\\e\"", "services: {\x1b: \u202e", "names: {\"\x1b\": x}", "names: {\"\x1b\": -1}", "names: {\u202e: [x]}"} {
		err := Decode("f.yaml", []byte(text), new(config))
		if err == nil || strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' }) {
			t.Errorf("%q: error is %q", text, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("services: x\nlimits: {memory: 3}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c config
		_ = Decode("f.yaml", data, &c) // must neither panic nor hang
	})
}
