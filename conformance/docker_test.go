package conformance_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	. "barnraise/conformance"
	"barnraise/image"
	"barnraise/runtime"
	"barnraise/runtime/docker"
)

// withDocker makes the workshop run linux variants as well, or skips the test where no engine answers.
func (w *workshop) withDocker(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("", "bc") // short enough for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	r, err := docker.New(docker.Config{Images: w.images, Dir: filepath.Join(dir, "d")})
	if err != nil {
		t.Fatal(err)
	}
	if r.Platforms(t.Context()) == nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no Docker engine answers: start one, and set DOCKER_HOST")
		}
		t.Skip("no Docker engine answers")
	}
	t.Cleanup(func() {
		if err := r.Clean(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	w.runtime = runtime.Any{r, w.runtime}
}

// Each of these services has one fault that shows in a container, and the gate says which.
func TestBadImagesInContainers(t *testing.T) {
	w := newWorkshop(t)
	w.withDocker(t)
	here := "linux/" + goruntime.GOARCH
	faults := map[string]Cause{
		"clock": CauseClock, "random": CauseChance, "map order": CauseMapOrder, "counter": CauseCounter, "disk": CauseState,
		"request order": CauseOrder, "race": CauseRace, "host name": CauseHostname, "environment": CauseEnvironment,
		"time zone": CauseZone, "address": CauseAddress,
	}
	if *long {
		maps.Copy(faults, map[string]Cause{
			"uptime": CauseClock, "select": CauseChance, "goroutines": CauseMapOrder, "late": CauseState, "cache": CauseState,
			"previous": CauseOrder, "locale": CauseLocale, "process": CauseProcess, "processors": CauseCPU, "file name": CauseChance,
			"hash": CauseChance, "slept": CauseChance, "recycled": CauseChance, "seldom": CauseState, "old": CauseIdle, "free memory": CauseChance,
			"collected": CauseState, "alive": CauseRace, "own file": CauseZone, "parent": CauseProcess,
			"/proc/uptime": CauseClock, "/proc/loadavg": CauseChance, "/proc/stat": CauseChance, "/proc/self/stat": CauseChance,
		})
	}
	o := quick
	o.Pause, o.Now = 1100*time.Millisecond, time.Now()
	w.catch(t, w.build(t, "testdata/bad", here), faults, o)
}

// What compilers for two platforms make of floating point differs.
func TestVariants(t *testing.T) {
	if racing {
		t.Skip("with the race detector bad images on one platform alone: to compile wasm takes a minute")
	}
	w := newWorkshop(t)
	w.withDocker(t)
	here := "linux/" + goruntime.GOARCH
	bad := with(w.build(t, "testdata/bad", here, image.Wasm), "float")
	r, err := Check(t.Context(), w.runtime, bad, quick)
	if err != nil {
		t.Fatal(err)
	}
	if r.Passed || len(r.Differences) != 1 || r.Differences[0].Cause != CauseFloat || !strings.HasPrefix(r.Differences[0].Pointer, "/result/found/") {
		t.Errorf("want %s, got %s", CauseFloat, findings(r))
	}
}

// Good services, those that the project ships among them, pass on both platforms, however often they are tried and with whatever
// requests.
func TestGoodImagesInContainers(t *testing.T) {
	w := newWorkshop(t)
	w.withDocker(t)
	shipped, err := filepath.Glob("../services/*")
	if err != nil || len(shipped) < 3 {
		t.Fatalf("the project ships %v, %v", shipped, err)
	}
	w.pass(t, 1, append(shipped, "testdata/good"), "linux/"+goruntime.GOARCH, image.Wasm)
}
