package conformance_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"barnraise"
	. "barnraise/conformance"
	"barnraise/image"
	"barnraise/manifest"
	"barnraise/runtime"
	runwasm "barnraise/runtime/wasm"
	"barnraise/wasm"
)

var long = flag.Bool("long", false, "also run what takes minutes")

// workshop builds images and runs them.
type workshop struct {
	images  *image.Store
	runtime runtime.Runtime
}

func newWorkshop(t testing.TB) *workshop {
	t.Helper()
	images, err := image.Open(filepath.Join(t.TempDir(), "images"))
	if err != nil {
		t.Fatal(err)
	}
	engine, err := wasm.NewEngine("")
	if err != nil {
		t.Fatal(err)
	}
	return &workshop{images, runwasm.New(runwasm.Config{Engine: engine, Images: images})}
}

// build makes an image of the program in the directory.
func (w *workshop) build(t testing.TB, dir string, platforms ...string) Subject {
	t.Helper()
	o := image.Options{Dir: dir, Platforms: platforms}
	built, err := image.Build(t.Context(), w.images, o)
	if err != nil {
		t.Fatal(err)
	}
	_, index, err := image.ParseReference(built.Image)
	if err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile(filepath.Join(dir, "openrpc.json"))
	if err != nil {
		t.Fatal(err)
	}
	s := Subject{Image: index, Variants: map[string]barnraise.Digest{}, Manifest: manifest.Manifest{OpenRPC: document, Limits: limits}}
	variants, err := w.images.Variants(index)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range variants {
		s.Variants[v.Platform] = v.Manifest
	}
	return s
}

// with makes the bad service show that fault: requests name it, so that all faults are in one image.
func with(bad Subject, fault string) Subject {
	value := fmt.Sprintf(`{"name":"fault","value":%q}`, fault)
	param := fmt.Sprintf(`{"name":"fault","required":true,"schema":{"const":%q}}`, fault)
	document := strings.NewReplacer(`"params": [{"name": "q", "required"`, `"params": [`+param+`,{"name": "q", "required"`,
		`"params": [{"name": "q", "value"`, `"params": [`+value+`,{"name": "q", "value"`).Replace(string(bad.Manifest.OpenRPC))
	bad.Manifest.OpenRPC = []byte(document)
	return bad
}

// atOnce is how many images are tried at the same time: an engine has them wait more than work.
const atOnce = 4

// catch tries the bad service with each of the faults, which the gate has to find and name. With the race detector some do: what
// it looks at is the gate.
func (w *workshop) catch(t *testing.T, bad Subject, faults map[string]Cause, o Options) {
	t.Helper()
	if racing && !*long {
		maps.DeleteFunc(faults, func(fault string, _ Cause) bool { return fault != "counter" && fault != "race" })
	}
	turns := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for fault, want := range faults {
		all.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			t.Run(fault, func(t *testing.T) { w.catchOne(t, with(bad, fault), want, o) })
		})
	}
	all.Wait()
}

func (w *workshop) catchOne(t *testing.T, bad Subject, want Cause, o Options) {
	r, err := Check(t.Context(), w.runtime, bad, o)
	if err != nil {
		t.Fatal(err)
	}
	found := slices.IndexFunc(r.Differences, func(d Difference) bool { return d.Method == "ask" && d.Cause == want })
	if want == "" && r.Passed {
		return
	}
	if r.Passed || found < 0 {
		t.Fatalf("want %q, got %s", want, findings(r))
	}
	d := r.Differences[found]
	t.Logf("%s: %s with %s on %s, at %s: %.60s, %.60s; %d findings", t.Name(), d.Cause, d.Perturbation, d.Platform, d.Pointer, d.PartA,
		d.PartB, len(r.Differences))
}

var limits = manifest.Limits{
	Memory: 64 << 20, CPU: 1, Timeout: manifest.Duration(20 * time.Second), Request: 64 << 10, Response: 256 << 10, Fuel: 1e9,
}

var quick = Options{Requests: 5, Pause: time.Millisecond, Now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}

// Each of these services has one fault, and the gate says which.
func TestBadImagesOnWasm(t *testing.T) {
	w := newWorkshop(t)
	faults := map[string]Cause{
		"clock": CauseClock, "random": CauseChance, "map order": CauseMapOrder, "counter": CauseCounter, "request order": CauseOrder,
		"environment": CauseEnvironment, "time zone": CauseZone, "address": CauseAddress,
	}
	if *long {
		maps.Copy(faults, map[string]Cause{
			"day": CauseClock, "day seed": CauseClock, "uptime": CauseClock, "deadline": CauseClock, "select": CauseChance,
			"map of two": CauseMapOrder, "map sum": CauseMapOrder, "late": CauseState, "cache": CauseState, "previous": CauseOrder,
			"growth": CauseState, "locale": CauseLocale,
			"hash": CauseChance, "recycled": CauseState, "seldom": CauseState, "old": CauseClock, "hourly": CauseClock,
		})
	}
	w.catch(t, w.build(t, "testdata/bad", image.Wasm), faults, quick)
}

// findings are what is wrong, for people who read tests.
func findings(r Report) string {
	var s strings.Builder
	for _, d := range r.Differences {
		fmt.Fprintf(&s, "\n%s: %s with %s at %q, %d times: %s, %s", d.Method, d.Cause, d.Perturbation, d.Pointer, d.Count, d.PartA, d.PartB)
	}
	for _, f := range r.Failures {
		if f.Fatal {
			fmt.Fprintf(&s, "\n%s: %s with %s: %s: %s", f.Method, f.Class, f.Perturbation, f.Reason, f.Request)
		}
	}
	return s.String()
}

// Good services pass, however often they are tried and with whatever requests.
func TestGoodImagesOnWasm(t *testing.T) {
	newWorkshop(t).pass(t, 5, []string{"testdata/good", "../services/search"}, image.Wasm)
}

var runs = flag.Int("runs", 50, "how often good images are tried with -long")

// pass tries the good services so many times, or more often, with other requests each time.
func (w *workshop) pass(t *testing.T, times int, dirs []string, platforms ...string) {
	t.Helper()
	if racing {
		t.Skip("with the race detector bad images alone: to compile wasm takes a minute")
	}
	if *long {
		times = *runs
	}
	var all sync.WaitGroup
	for _, dir := range dirs {
		s := w.build(t, dir, platforms...)
		if source, err := manifest.ReadSource(filepath.Join(dir, "service.yaml")); err == nil {
			s.Manifest.Limits = source.Limits
		} else if !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		all.Go(func() {
			t.Run(filepath.Base(dir), func(t *testing.T) {
				for n := range times {
					o := quick
					o.Seed = uint64(n)
					r, err := Check(t.Context(), w.runtime, s, o)
					if err != nil {
						t.Fatal(err)
					}
					if !r.Passed || len(r.Platforms) != len(platforms) {
						t.Errorf("seed %d: false alarm: %s", n, findings(r))
					}
				}
			})
		})
	}
	all.Wait()
}
