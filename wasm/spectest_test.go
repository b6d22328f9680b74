package wasm

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/api"
)

// script is one file of the specification's own tests, as wast2json writes it.
type script struct {
	Commands []command `json:"commands"`
}

type command struct {
	Type, Name, Filename string
	Line                 int
	ModuleType           string `json:"module_type"`
	Action               struct {
		Type, Field, Module string
		Args                []value
	}
	Expected []value
}

type value struct{ Type, Value string }

// specification is the directory of the tests of WebAssembly 2.0 in the engine's own sources.
func specification(t *testing.T) []string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	var files []string
	if err == nil {
		files, err = filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "internal/integration_test/spectest/v2/testdata/*.json"))
	}
	if err == nil && len(files) > 0 {
		return files
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("the specification's tests are not among the engine's sources: %v", err)
	}
	t.Skip("the specification's tests are not among the engine's sources")
	return nil
}

// TestSpecification holds that what the specification says of a module still holds of it with everything that is added, as long
// as it has fuel: whatever its tests run of modules that are taken, and that what they call malformed or invalid is refused.
func TestSpecification(t *testing.T) {
	total := map[string]int{}
	for _, path := range specification(t) {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		if strings.HasPrefix(name, "simd") {
			continue
		}
		var s script
		if err := json.Unmarshal(file(t, path), &s); err != nil {
			t.Fatal(err)
		}
		for engine, e := range engines(t) {
			r := &speaker{t: t, where: engine + ": " + name, dir: filepath.Dir(path), engine: e, named: map[string]*Instance{}, lost: map[*Instance]bool{}, done: total}
			for _, c := range s.Commands {
				r.run(c)
			}
		}
	}
	t.Logf("%v", total)
	for what, least := range map[string]int{"modules": 1800, "results": 40_000, "traps": 2500, "exhausted": 20, "refused": 4000} {
		if total[what] < least {
			t.Errorf("%d %s, want %d at least", total[what], what, least)
		}
	}
}

// speaker runs a script with one engine.
type speaker struct {
	t          *testing.T
	where, dir string
	engine     *Engine
	current    *Instance // nil where the module is not taken
	named      map[string]*Instance
	shared     []*Instance        // whose memory and table later modules may import
	lost       map[*Instance]bool // what ran with them was left out
	done       map[string]int
}

func (r *speaker) run(c command) {
	r.t.Helper()
	switch c.Type {
	case "module":
		r.module(c)
	case "register":
		r.shared = append(r.shared, r.current, r.named[c.Name])
	case "assert_unlinkable", "assert_uninstantiable":
		r.lose(r.shared...)
	case "assert_malformed", "assert_invalid":
		if c.ModuleType == "binary" {
			r.refused(c)
		}
	case "action", "assert_return", "assert_trap", "assert_exhaustion":
		r.act(c)
	}
}

func (r *speaker) module(c command) {
	module := file(r.t, filepath.Join(r.dir, c.Filename))
	r.current = nil
	if _, err := Check(module, ServiceCaps()); err != nil {
		r.done["not taken"]++
		r.lose(r.shared...)
	} else if m, err := r.engine.Compile(context.Background(), module, ServiceCaps(), Limits{Fuel: MaxFuel, Memory: MaxMemory}); err != nil {
		r.t.Errorf("%s: line %d: a valid module: %v", r.where, c.Line, err)
	} else if r.current, err = m.Instantiate(context.Background(), IO{}); err != nil {
		r.t.Errorf("%s: line %d: instantiate: %v", r.where, c.Line, err)
		r.current = nil
	} else {
		r.done["modules"]++
	}
	r.named[c.Name] = r.current
}

func (r *speaker) lose(instances ...*Instance) {
	for _, i := range instances {
		r.lost[i] = true
	}
}

func (r *speaker) refused(c command) {
	module := file(r.t, filepath.Join(r.dir, c.Filename))
	if _, err := r.engine.Compile(context.Background(), module, ServiceCaps(), Limits{Fuel: MaxFuel, Memory: MaxMemory}); !errors.Is(err, ErrRefused) {
		r.t.Errorf("%s: line %d: %s is taken: %v", r.where, c.Line, c.Filename, err)
	}
	r.done["refused"]++
}

func (r *speaker) act(c command) {
	i := r.current
	if c.Action.Module != "" {
		i = r.named[c.Action.Module]
	}
	params, ok := numbers(c.Action.Args)
	if i == nil || r.lost[i] || c.Action.Type != "invoke" || !ok {
		r.done["left out"]++
		r.lose(i)
		return
	}
	got, err := i.Call(context.Background(), c.Action.Field, params...)
	defer i.guest.ExportedGlobal(exportStack).(api.MutableGlobal).Set(VerifierStack) // the instance is used on, whatever happened
	switch c.Type {
	case "assert_trap":
		if !errors.Is(err, ErrTrap) || errors.Is(err, ErrStack) {
			r.t.Errorf("%s: line %d: %v, %v, want a trap", r.where, c.Line, got, err)
		}
		r.done["traps"]++
	case "assert_exhaustion":
		if !errors.Is(err, ErrStack) {
			r.t.Errorf("%s: line %d: %v, %v, want ErrStack", r.where, c.Line, got, err)
		}
		r.done["exhausted"]++
	default:
		if err != nil || !agree(got, c.Expected) && c.Type == "assert_return" {
			r.t.Errorf("%s: line %d: %s: %v, %v, want %v", r.where, c.Line, c.Action.Field, got, err, c.Expected)
		}
		r.done["results"]++
	}
}

// numbers are the values as the engine takes them, and false where one is a reference to something.
func numbers(values []value) (list []uint64, ok bool) {
	for _, v := range values {
		n, err := strconv.ParseUint(strings.Replace(v.Value, "null", "0", 1), 10, 64)
		if err != nil || strings.HasSuffix(v.Type, "ref") && v.Value != "null" {
			return nil, false
		}
		list = append(list, n)
	}
	return list, true
}

// agree compares results with those expected; of those that may be any NaN there is one.
func agree(got []uint64, want []value) bool {
	for i, w := range want {
		n, ok := numbers([]value{w})
		switch {
		case strings.HasPrefix(w.Value, "nan:") && w.Type == "f32":
			n, ok = []uint64{canonical32}, true
		case strings.HasPrefix(w.Value, "nan:"):
			n, ok = []uint64{canonical64}, true
		}
		if i < len(got) && strings.HasSuffix(w.Type, "32") { // the rest of the register may hold anything
			got[i] &= math.MaxUint32
		}
		if ok && (i >= len(got) || got[i] != n[0]) {
			return false
		}
	}
	return len(got) == len(want)
}
