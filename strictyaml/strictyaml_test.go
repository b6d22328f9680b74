package strictyaml

import (
	"strings"
	"testing"
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
		{"alias", "rpc: &a [x]\nnames: *a\n", `anchors and aliases are not taken`},
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
			if c.name == "bare address" && got.Services != "0x5FbDB2315678afecb367f032d93F642f64180aa3" {
				t.Fatalf("address read as %q", got.Services)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("services: x\nlimits: {memory: 3}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c config
		_ = Decode("f.yaml", data, &c) // must neither panic nor hang
	})
}
