package conformance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	. "barnraise/conformance"
	"barnraise/image"
	"barnraise/manifest"
	"barnraise/runtime"
)

// script is a service as a function of what it can see: its surroundings, which call of its instance this is, what is asked,
// and how many calls are under way.
type script func(c call) (result string, err error)

type call struct {
	around   runtime.Surroundings
	platform string
	instance int // counted from 1
	number   int // of the call in it, from 1
	last     string
	params   string
	method   string
	under    int32
	now      time.Time
}

// fake is a runtime that plays a script. It starts whatever it can, on the platforms it is given.
type fake struct {
	script
	platforms       map[barnraise.Digest]string
	cannot          func(runtime.Surroundings) error
	crashes         bool // instances can be made to crash, which is noticed late
	stops           error
	mu              sync.Mutex
	started, active int
}

func (f *fake) Platforms(context.Context) (list []string) {
	for _, p := range f.platforms {
		list = append(list, p)
	}
	slices.Sort(list)
	return list
}

func (f *fake) Start(ctx context.Context, s runtime.Spec) (runtime.Instance, error) {
	if f.cannot != nil {
		if err := f.cannot(s.Around); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.started++
	f.active++
	p := &played{fake: f, spec: s, number: f.started}
	if f.crashes {
		return &crashing{played: p}, ctx.Err()
	}
	return p, ctx.Err()
}

// crashing is a service that answers a little longer when it has been killed, then breaks, and then runs again.
type crashing struct {
	*played
	killed time.Time
}

func (c *crashing) Crash(context.Context) error {
	c.killed = time.Now()
	return nil
}

func (c *crashing) Call(ctx context.Context, request []byte) ([]byte, error) {
	if gone := time.Since(c.killed); gone > 20*time.Millisecond && gone < 500*time.Millisecond {
		return nil, runtime.ErrBroke
	}
	return c.played.Call(ctx, request)
}

func (c *crashing) Stats() runtime.Stats {
	s := c.played.Stats()
	if !c.killed.IsZero() && time.Since(c.killed) >= 500*time.Millisecond {
		s.Restarts = 1
	}
	return s
}

type played struct {
	*fake
	runtime.Instance
	spec   runtime.Spec
	number int
	mu     sync.Mutex
	calls  int
	last   string
	under  atomic.Int32
}

func (p *played) Call(ctx context.Context, request []byte) ([]byte, error) {
	if _, err := runtime.CheckRequest(p.spec.Limits, request); err != nil {
		return nil, err
	}
	var r struct {
		Method string
		Params json.RawMessage
	}
	_ = json.Unmarshal(request, &r)
	under := p.under.Add(1)
	defer p.under.Add(-1)
	time.Sleep(time.Millisecond)
	under = max(under, p.under.Load())
	p.mu.Lock()
	p.calls++
	c := call{p.spec.Around, p.platforms[p.spec.Platform], p.number, p.calls, p.last, string(r.Params), r.Method, under, time.Now()}
	p.last = c.params
	p.mu.Unlock()
	result, err := p.script(c)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"result":%s}`, result), nil
}

func (p *played) Health(ctx context.Context) error { return ctx.Err() }
func (p *played) Stats() runtime.Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return runtime.Stats{Calls: uint64(p.calls), Fuel: 1000, CPU: time.Duration(p.calls) * time.Millisecond, Memory: 5 << 20}
}

func (p *played) Stop(context.Context) error {
	p.fake.mu.Lock()
	defer p.fake.mu.Unlock()
	p.active--
	return p.stops
}

var (
	wasmDigest  = barnraise.Sum([]byte("wasm"))
	linuxDigest = barnraise.Sum([]byte("linux"))
)

// newFake runs on both platforms.
func newFake(s script) *fake {
	return &fake{script: s, platforms: map[barnraise.Digest]string{wasmDigest: image.Wasm, linuxDigest: image.LinuxAMD64}}
}

func fakeSubject() Subject {
	return Subject{
		Image:    barnraise.Sum([]byte("image")),
		Variants: map[string]barnraise.Digest{image.Wasm: wasmDigest, image.LinuxAMD64: linuxDigest},
		Manifest: manifest.Manifest{Limits: limits, OpenRPC: []byte(`{"methods":[{"name":"m","params":[{"name":"q","required":true,
			"schema":{"type":"string"}}],"examples":[{"params":[{"name":"q","value":"x"}]},{"params":[{"name":"q","value":"y"}]}]}]}`)},
	}
}

// checkScript checks a script in a bubble, where nothing takes time.
func checkScript(t *testing.T, f *fake, s Subject, o Options) (r Report, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Now = time.Now()
		r, err = Check(t.Context(), f, s, o)
	})
	if f.active != 0 {
		t.Errorf("%d instances are left running", f.active)
	}
	return r, err
}

func TestCauses(t *testing.T) {
	for _, c := range []struct {
		name   string
		want   Cause
		at     string // pointer
		script script
	}{
		{"good", "", "", func(c call) (string, error) { return c.params, nil }},
		{"clock ahead", CauseClock, "/result", func(c call) (string, error) { return fmt.Sprint(c.around.Clock > time.Hour), nil }},
		{"seconds", CauseClock, "/result/at", func(c call) (string, error) { return fmt.Sprintf(`{"at":%d}`, c.now.Unix()), nil }},
		{"time of day", CauseClock, "/result", func(c call) (string, error) { return c.now.Format(`"15:04:05"`), nil }},
		{"environment", CauseEnvironment, "/result", func(c call) (string, error) { return fmt.Sprint(strings.Contains(c.around.Env, "HOME")), nil }},
		{"all of the environment", CauseEnvironment, "/result", func(c call) (string, error) { return fmt.Sprint(len(c.around.Env)), nil }},
		{"time zone", CauseZone, "/result", func(c call) (string, error) { return fmt.Sprint(strings.HasPrefix(c.around.Env, "TZ=")), nil }},
		{"locale", CauseLocale, "/result", func(c call) (string, error) { return fmt.Sprint(strings.Contains(c.around.Env, "LC_ALL")), nil }},
		{"host name", CauseHostname, "/result", func(c call) (string, error) { return fmt.Sprintf("%q", c.around.Hostname), nil }},
		{"random host name", CauseHostname, "/result", func(c call) (string, error) {
			if c.around.Hostname != "" {
				return fmt.Sprintf("%q", c.around.Hostname), nil
			}
			return fmt.Sprintf("%q", fmt.Sprintf("container-%d", c.instance*7919%1000)), nil
		}},
		{"processors", CauseCPU, "/result", func(c call) (string, error) { return fmt.Sprint(c.around.CPU == 2), nil }},
		{"process id", CauseProcess, "/result", func(c call) (string, error) { return fmt.Sprint(c.around.First), nil }},
		{"memory", CauseMemory, "/result", func(c call) (string, error) { return fmt.Sprint(c.around.Memory), nil }},
		{"address", CauseAddress, "/result", func(c call) (string, error) { return fmt.Sprintf(`"0xc%09x"`, c.around.Shift), nil }},
		{"chance", CauseChance, "/result", func(c call) (string, error) { return fmt.Sprint(c.around.Chance * 77), nil }},
		{"map order", CauseMapOrder, "/result/0", func(c call) (string, error) {
			if c.around.Chance%2 == 1 {
				return `["b","a"]`, nil
			}
			return `["a","b"]`, nil
		}},
		{"random everywhere", CauseChance, "/result", func(c call) (string, error) {
			return fmt.Sprint(barnraise.Sum(fmt.Append(nil, c.instance, c.number))[0]), nil
		}},
		{"counter", CauseCounter, "/result", func(c call) (string, error) { return fmt.Sprint(c.number), nil }},
		{"cache", CauseState, "/result", func(c call) (string, error) { return fmt.Sprint(c.number > 1), nil }},
		{"late", CauseState, "/result", func(c call) (string, error) { return fmt.Sprint(c.number > 100), nil }},
		{"previous", CauseOrder, "/result", func(c call) (string, error) { return fmt.Sprintf("%q", c.last), nil }},
		{"race", CauseRace, "/result", func(c call) (string, error) { return fmt.Sprint(c.under > 1), nil }},
		{"growth", CauseState, "", func(c call) (string, error) {
			if c.number > 90 {
				return "", runtime.ErrBroke
			}
			return "1", nil
		}},
		{"concurrent writes", CauseRace, "", func(c call) (string, error) {
			if c.under > 1 {
				return "", runtime.ErrBroke
			}
			return "1", nil
		}},
		{"breaks now and then", CauseBroke, "", func(c call) (string, error) {
			if c.instance%3 == 2 && c.number == 3 {
				return "", runtime.ErrBroke
			}
			return "1", nil
		}},
		{"floating point", CauseFloat, "/result", func(c call) (string, error) {
			return map[string]string{image.Wasm: "0.30000000000000004", image.LinuxAMD64: "0.3"}[c.platform], nil
		}},
		{"variants", CauseVariant, "/result", func(c call) (string, error) { return fmt.Sprintf("%q", c.platform), nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := checkScript(t, newFake(c.script), fakeSubject(), Options{Requests: 4})
			if err != nil {
				t.Fatal(err)
			}
			if c.want == "" {
				if !r.Passed || r.Err() != nil || !r.Deterministic() || !r.Stateless() {
					t.Errorf("want a pass, got %s", findings(r))
				}
				return
			}
			found := slices.IndexFunc(r.Differences, func(d Difference) bool { return d.Cause == c.want && d.Method == "m" })
			if found < 0 || r.Differences[found].Pointer != c.at || r.Differences[found].A == r.Differences[found].B {
				t.Errorf("want %s at %q, got %s", c.want, c.at, findings(r))
			}
			if r.Passed || !errors.Is(r.Err(), ErrFailed) || (r.Deterministic() && r.Stateless()) {
				t.Errorf("passed %t, %v", r.Passed, r.Err())
			}
		})
	}
}

// Requests that get no answer: an example's fails the gate, another's does not as long as it always is so, and running out of
// time now and then contradicts nothing.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name   string
		passes bool
		class  string
		script script
	}{
		{"an example breaks", false, ClassBroke, func(c call) (string, error) {
			if c.params == `{"q":"x"}` {
				return "", runtime.ErrBroke
			}
			return "1", nil
		}},
		{"an example is out of fuel", false, ClassFuel, func(c call) (string, error) {
			if c.params == `{"q":"x"}` {
				return "", runtime.ErrFuel
			}
			return "1", nil
		}},
		{"odd requests break", true, ClassBroke, func(c call) (string, error) {
			if c.params != `{"q":"x"}` && c.params != `{"q":"y"}` {
				return "", runtime.ErrBroke
			}
			return "1", nil
		}},
		{"late now and then", true, ClassTimeout, func(c call) (string, error) {
			if c.number%5 == 4 && c.around.Reused {
				return "", runtime.ErrTimeout
			}
			return "1", nil
		}},
	} {
		r, err := checkScript(t, newFake(c.script), fakeSubject(), Options{Requests: 4})
		if err != nil {
			t.Fatal(err)
		}
		named := slices.ContainsFunc(r.Failures, func(f Failure) bool { return f.Class == c.class && f.Method == "m" && f.Fatal == !c.passes })
		if r.Passed != c.passes || !named || (r.Err() == nil) != c.passes {
			t.Errorf("%s: passed %t, %v; failures %+v; %s", c.name, r.Passed, r.Err(), r.Failures, findings(r))
		}
	}
}

// What the gate or the machine does to a service is never held against it.
func TestMachine(t *testing.T) {
	var broke atomic.Bool
	for _, c := range []struct {
		name   string
		script script
	}{
		{"killed by the gate", func(call) (string, error) { return "1", nil }},
		{"broke once", func(c call) (string, error) {
			if c.instance == 4 && c.number == 3 {
				return "", runtime.ErrBroke
			}
			return "1", nil
		}},
		{"several broke at once", func(c call) (string, error) {
			if c.under > 1 && !broke.Swap(true) {
				return "", runtime.ErrBroke
			}
			return "1", nil
		}},
		{"does not run for a moment", func(c call) (string, error) {
			if c.instance%3 == 0 && c.number == 2 {
				return "", runtime.ErrNotReady
			}
			return "1", nil
		}},
		{"engine in trouble", func(c call) (string, error) {
			if c.instance > 1 && c.number%5 == 2 {
				return "", errors.New("engine is sick")
			}
			return "1", nil
		}},
		{"examples are late at first", func(c call) (string, error) {
			if c.instance == 1 && c.number == 1 {
				return "", runtime.ErrTimeout
			}
			return "1", nil
		}},
		{"examples break at first", func(c call) (string, error) {
			if c.instance == 1 && c.number < 3 {
				return "", runtime.ErrBroke
			}
			return "1", nil
		}},
	} {
		f := newFake(c.script)
		f.crashes = true
		if r, err := checkScript(t, f, fakeSubject(), Options{Requests: 4}); err != nil || !r.Passed || len(r.Skipped) > 0 {
			t.Errorf("%s: %v; %s; skipped %+v", c.name, err, findings(r), r.Skipped)
		}
	}
	f := newFake(func(call) (string, error) { return "1", nil })
	f.stops = errors.New("engine is sick")
	if _, err := checkScript(t, f, fakeSubject(), Options{Requests: 4}); !errors.Is(err, f.stops) {
		t.Errorf("nothing can be stopped: %v", err)
	}
}

// What a machine cannot do is listed, and fails nothing.
func TestSkips(t *testing.T) {
	f := newFake(func(c call) (string, error) { return c.params, nil })
	delete(f.platforms, linuxDigest)
	f.cannot = func(s runtime.Surroundings) error {
		if s.Hostname != "" {
			return fmt.Errorf("start: %w: no host name here", runtime.ErrCannot)
		}
		return nil
	}
	r, err := checkScript(t, f, fakeSubject(), Options{Requests: 2})
	if err != nil || !r.Passed {
		t.Fatalf("%v, %s", err, findings(r))
	}
	want := []Skip{
		{Platform: image.LinuxAMD64, Reason: "no runtime for it on this machine"},
		{Perturbation: "host name", Platform: image.Wasm, Reason: "no host name here"},
		{Perturbation: "variant", Reason: "fewer than two variants run on this machine"},
	}
	if !slices.Equal(r.Skipped, want) {
		t.Errorf("skipped %+v", r.Skipped)
	}
	f.cannot = func(runtime.Surroundings) error { return runtime.ErrCannot }
	if r, err := checkScript(t, f, fakeSubject(), Options{}); err != nil || r.Passed || r.Failures[0].Class != ClassStart || r.Err() == nil {
		t.Errorf("a variant that starts nowhere: %v, %+v", err, r.Failures)
	}
	sick := errors.New("engine is sick")
	f.cannot = func(runtime.Surroundings) error { return sick }
	if _, err := checkScript(t, f, fakeSubject(), Options{}); !errors.Is(err, sick) {
		t.Errorf("a machine that fails: %v", err)
	}
	f.platforms = nil
	if _, err := checkScript(t, f, fakeSubject(), Options{}); !errors.Is(err, ErrCannot) {
		t.Errorf("no platform: %v", err)
	}
	f.cannot = func(s runtime.Surroundings) error {
		if s.Env != "" {
			return runtime.ErrBroke
		}
		return nil
	}
	f.platforms = map[barnraise.Digest]string{wasmDigest: image.Wasm}
	if r, err := checkScript(t, f, fakeSubject(), Options{}); err != nil || r.Passed || r.Differences[0].Cause != CauseEnvironment {
		t.Errorf("a variant that breaks by an environment: %v, %s", err, findings(r))
	}
}

// A service that takes its time bounds what is asked, not how long it is waited for.
func TestPatience(t *testing.T) {
	f := newFake(func(c call) (string, error) {
		time.Sleep(5 * time.Second)
		return "1", nil
	})
	begun, took := time.Time{}, time.Duration(0)
	var r Report
	synctest.Test(t, func(t *testing.T) {
		begun = time.Now()
		var err error
		if r, err = Check(t.Context(), f, fakeSubject(), Options{Requests: 20, Patience: 20 * time.Second}); err != nil {
			t.Error(err)
		}
		took = time.Since(begun)
	})
	if took > time.Hour || !r.Passed || len(r.Skipped) < 10 {
		t.Errorf("took %s, passed %t, skipped %+v", took, r.Passed, r.Skipped)
	}
	ctx, cancel := context.WithCancel(t.Context())
	f.script = func(call) (string, error) { cancel(); return "1", nil }
	if _, err := Check(ctx, f, fakeSubject(), Options{}); !errors.Is(err, context.Canceled) || f.active != 0 {
		t.Errorf("given up: %v, %d left running", err, f.active)
	}
}

func TestRecheck(t *testing.T) {
	f := newFake(func(c call) (string, error) { return c.params, nil })
	request := func(q string) []byte {
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":"m","params":[%q]}`, q)
	}
	response := func(q string) []byte { return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"result":[%q]}`, q) }
	real := []Answered{{request("a"), response("a")}, {request("b"), response("b")}, {[]byte("x"), nil}}
	synctest.Test(t, func(t *testing.T) {
		r, err := Recheck(t.Context(), f, fakeSubject(), Options{}, real)
		if err != nil || !r.Passed {
			t.Errorf("good: %v, %s", err, findings(r))
		}
		r, err = Recheck(t.Context(), f, fakeSubject(), Options{}, append(real, Answered{request("c"), response("z")}))
		if err != nil || r.Passed || r.Differences[0].Cause != CauseSigned || r.Differences[0].Pointer != "/result/0" {
			t.Errorf("signed otherwise: %v, %s", err, findings(r))
		}
		f.script = func(c call) (string, error) { return fmt.Sprint(c.number), nil }
		r, err = Recheck(t.Context(), f, fakeSubject(), Options{}, real)
		if err != nil || r.Passed || r.Differences[0].Cause != CauseCounter {
			t.Errorf("counter: %v, %s", err, findings(r))
		}
		if _, err := Recheck(t.Context(), f, fakeSubject(), Options{}, nil); !errors.Is(err, ErrCannot) {
			t.Errorf("nothing to ask: %v", err)
		}
	})
}

func TestDiscover(t *testing.T) {
	f := newFake(func(c call) (string, error) { return `{"methods":[]}`, nil })
	if got, err := Discover(t.Context(), f, fakeSubject()); err != nil || string(got) != `{"methods":[]}` || f.active != 0 {
		t.Errorf("%s, %v", got, err)
	}
	f.script = func(c call) (string, error) { return "", runtime.ErrBroke }
	if _, err := Discover(t.Context(), f, fakeSubject()); !errors.Is(err, runtime.ErrBroke) || f.active != 0 {
		t.Errorf("broke: %v", err)
	}
	f.platforms = nil
	if _, err := Discover(t.Context(), f, fakeSubject()); !errors.Is(err, ErrCannot) {
		t.Errorf("no platform: %v", err)
	}
}

func TestReportReadsBack(t *testing.T) {
	for _, s := range []script{
		func(c call) (string, error) { return c.params, nil },
		func(c call) (string, error) {
			return fmt.Sprintf(`["%s",%d]`, strings.Repeat("ü", 1<<14), c.number), nil
		},
	} {
		r, err := checkScript(t, newFake(s), fakeSubject(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := r.Encode()
		if err != nil || len(b) > MaxReport {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
		again, err := ParseReport(b)
		if err != nil {
			t.Fatal(err)
		}
		if twice, _ := again.Encode(); !bytes.Equal(twice, b) || again.Passed != r.Passed {
			t.Errorf("written twice:\n%s\n%s", b, twice)
		}
	}
}

func TestParseReportRefuses(t *testing.T) {
	const good = `{"v":1,"image":"sha256:b860abf60e831215ceed5aae77afa0f3b841e5834b96bef9ef02875f091fc6f4","passed":true,"platforms":[{}],"later":1}`
	if _, err := ParseReport([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"version":       {`"v":1`, `"v":2`},
		"contradiction": {`"passed":true`, `"passed":false`},
		"difference":    {`"later":1`, `"differences":[{}]`},
		"failure":       {`"later":1`, `"failures":[{"fatal":true}]`},
		"no platform":   {`[{}]`, `[]`},
		"twice":         {`"later":1`, `"v":1`},
		"seed":          {`"later":1`, `"seed":9007199254740992`},
		"type":          {`"later":1`, `"hints":"x"`},
		"too many":      {`"later":1`, `"hints":[""` + strings.Repeat(`,""`, 4096) + `]`},
		"too long":      {`"later":1`, `"hints":["` + strings.Repeat("x", MaxReport) + `"]`},
		"digest":        {"sha256:", "md5:"},
		"cut":           {`}],"later":1}`, `}]`},
	} {
		if _, err := ParseReport([]byte(strings.Replace(good, change[0], change[1], 1))); !errors.Is(err, ErrReport) {
			t.Errorf("%s: %v, want ErrReport", name, err)
		}
	}
}

func FuzzParseReport(f *testing.F) {
	f.Add([]byte(`{"v":1,"passed":true,"platforms":[{"platform":"x"}],"proposed":{"limits":{"memory":"1MiB"},"cost":1},"methods":[{"p50_ms":1.5}]}`))
	f.Add([]byte(`{"v":1,"passed":false,"differences":[{"cause":"clock"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseReport(b)
		if err != nil {
			if !errors.Is(err, ErrReport) {
				t.Errorf("%q: %v", b, err)
			}
			return
		}
		out, err := r.Encode()
		if err != nil {
			return // half a millisecond cannot be written
		}
		if _, err := ParseReport(out); err != nil && len(out) <= MaxReport {
			t.Errorf("%q reads, and written it is %q: %v", b, out, err)
		}
		_ = r.Err()
	})
}
