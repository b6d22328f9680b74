package compared

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"barnraise/image"
	"barnraise/manifest"
	"barnraise/runtime"
	"barnraise/runtime/docker"
)

type caller interface {
	Call(ctx context.Context, request []byte) ([]byte, error)
}

// contestant is a way to run a service.
type contestant struct {
	name string
	caller
	pause time.Duration // before a call whose time is taken, for what a server does between calls
	one   []time.Duration
	eight []float64 // calls in a second
}

// BenchmarkCall compares all ways to run a service, with an echo and with search: a process of this machine, called by net/http as
// anybody would; containers, dialled in their namespace, through a holder, and under gVisor where BARNRAISE_RUNSC names it as a
// runtime of the engine; wasm in an instance that is made for the call, one that was made ahead, one brought back to a snapshot,
// and one used again as it is, which no service may be. They are measured in turns. Run it with -benchtime 1x.
func BenchmarkCall(b *testing.B) {
	w := newWorkshop(b)
	echo := w.build(b, "../../service/testdata/echo", searchLimits(b), nil)
	search, _ := w.search(b)
	for _, s := range []struct {
		name string
		service
		request string
	}{
		{"echo", echo, request("echo", []string{"hello"})},
		{"search", search, request("search_query", []any{"copy until end of file", 10})},
	} {
		b.Run(s.name, func(b *testing.B) {
			all := w.contestants(b, s.service)
			for range 5 {
				for _, c := range all {
					c.round(b, []byte(s.request))
				}
			}
			report(b, all)
		})
	}
}

// contestants starts the service in all ways.
func (w *workshop) contestants(b *testing.B, s service) []*contestant {
	cold := w.cold(b, s)
	reused := s.spec(image.Wasm)
	reused.Around.Reused = true
	all := []*contestant{
		{name: "direct", caller: w.direct(b, s)},
		{name: "docker", caller: w.container(b, s, docker.Config{Dial: docker.Namespace})},
		{name: "holder", caller: w.container(b, s, docker.Config{Dial: docker.Holder, Forwarder: forwarder(b)})},
		{name: "wasm-fresh", caller: start(b, w.wasm(-1), cold.spec(image.Wasm))},
		{name: "wasm-spare", caller: start(b, w.wasm(1), cold.spec(image.Wasm)), pause: 20 * time.Millisecond},
		{name: "wasm-snapshot", caller: start(b, w.wasm(1), s.spec(image.Wasm))},
		{name: "wasm-reused", caller: start(b, w.wasm(1), reused)},
	}
	if runsc := os.Getenv("BARNRAISE_RUNSC"); runsc != "" {
		all = append(all, &contestant{name: "runsc", caller: w.container(b, s, docker.Config{Runtime: runsc})})
	}
	return all
}

// container starts the service in containers that are not replaced.
func (w *workshop) container(b *testing.B, s service, c docker.Config) runtime.Instance {
	c.Answers, c.Age = seldom, 24*time.Hour
	i := ready(b, w.docker(b, c), s.spec(linux))
	b.Cleanup(func() { stop(b, i) })
	return i
}

// ready starts a service in containers and returns when there are two of them, or would be by then.
func ready(b *testing.B, r runtime.Runtime, spec runtime.Spec) runtime.Instance {
	b.Helper()
	i, err := r.Start(b.Context(), spec)
	if err != nil {
		b.Fatal(err)
	}
	time.Sleep(1500 * time.Millisecond)
	return i
}

// cold is the service without the export warm, so that instances are made anew or ahead rather than of a snapshot.
func (w *workshop) cold(b *testing.B, s service) service {
	module, err := w.images.Module(s.variants[image.Wasm])
	if err != nil {
		b.Fatal(err)
	}
	name, other := []byte("\x04warm\x00"), []byte("\x04cold\x00")
	if !bytes.Contains(module, name) {
		b.Fatal("the module does not export warm")
	}
	built, err := image.Pack(w.images, "cold", map[string][]byte{image.Wasm: bytes.Replace(module, name, other, 1)})
	if err != nil {
		b.Fatal(err)
	}
	return w.service(b, built, s.limits)
}

// direct runs the linux variant as a process of this machine.
func (w *workshop) direct(b *testing.B, s service) direct {
	program := filepath.Join(b.TempDir(), "svc")
	if err := os.WriteFile(program, w.program(b, s), 0o700); err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := l.Addr().(*net.TCPAddr)
	l.Close()
	p := exec.Command(program)
	p.Env = []string{fmt.Sprintf("PORT=%d", address.Port)}
	if err := p.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = p.Process.Kill()
		_ = p.Wait()
	})
	d := direct{"http://" + address.String(), s.limits}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		a, err := http.Get(d.url + "/readyz")
		if err == nil {
			a.Body.Close()
			return d
		}
		if time.Now().After(deadline) {
			b.Fatal(err)
		}
	}
}

// program is what is in the linux variant's one layer.
func (w *workshop) program(b *testing.B, s service) []byte {
	l, err := w.images.Linux(s.variants[linux])
	if err != nil {
		b.Fatal(err)
	}
	r, err := w.images.Unpack(l.Layers[0], 64<<20)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	archive := tar.NewReader(r)
	if _, err := archive.Next(); err != nil {
		b.Fatal(err)
	}
	program, err := io.ReadAll(archive)
	if err != nil {
		b.Fatal(err)
	}
	return program
}

// direct is a service without isolation. A call of it is checked as those of instances are.
type direct struct {
	url    string
	limits manifest.Limits
}

func (d direct) Call(ctx context.Context, request []byte) ([]byte, error) {
	id, err := runtime.CheckRequest(d.limits, request)
	if err != nil {
		return nil, err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		return nil, err
	}
	defer a.Body.Close()
	answer, err := io.ReadAll(a.Body)
	if err != nil {
		return nil, err
	}
	return answer, runtime.CheckResponse(d.limits, id, answer)
}

// forwarder builds the program that runs in holders.
func forwarder(b *testing.B) []string {
	out := filepath.Join(b.TempDir(), "forwarder")
	c := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", out, "../docker/testdata/forwarder")
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if said, err := c.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, said)
	}
	return []string{out, "forward"}
}

const seldom = 1 << 30 // calls after which a container is replaced: never in a test

func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[int(q*float64(len(sorted)-1))]
}

// round calls for a while, first one call at a time and then eight.
func (c *contestant) round(b *testing.B, request []byte) {
	goruntime.GC()     // what others have left
	c.call(b, request) // what it takes to begin again
	for begun := time.Now(); time.Since(begun) < 600*time.Millisecond; {
		time.Sleep(c.pause)
		c.one = append(c.one, c.call(b, request))
	}
	var all sync.WaitGroup
	counts, begun := make([]int, 8), time.Now()
	for n := range counts {
		all.Go(func() {
			for time.Since(begun) < 600*time.Millisecond {
				c.call(b, request)
				counts[n]++
			}
		})
	}
	all.Wait()
	calls := 0
	for _, n := range counts {
		calls += n
	}
	c.eight = append(c.eight, float64(calls)/time.Since(begun).Seconds())
}

func (c *contestant) call(b *testing.B, request []byte) time.Duration {
	begun := time.Now()
	if _, err := c.Call(b.Context(), request); err != nil {
		b.Errorf("%s: %v", c.name, err)
	}
	return time.Since(begun)
}

// report says of each how long a call takes, how many there are in a second with eight callers, and how its median compares: with
// the process, and that of wasm with the instance that is used again.
func report(b *testing.B, all []*contestant) {
	medians := map[string]time.Duration{}
	for _, c := range all {
		slices.Sort(c.one)
		slices.Sort(c.eight)
		medians[c.name] = quantile(c.one, 0.5)
	}
	for _, c := range all {
		b.Run(c.name, func(b *testing.B) {
			bound, unit := medians["direct"], "×direct"
			if strings.HasPrefix(c.name, "wasm") {
				bound, unit = medians["wasm-reused"], "×reused"
			}
			b.ReportMetric(float64(medians[c.name])/float64(bound), unit)
			b.ReportMetric(float64(medians[c.name].Nanoseconds())/1e3, "p50-µs")
			b.ReportMetric(float64(quantile(c.one, 0.99).Nanoseconds())/1e3, "p99-µs")
			b.ReportMetric(c.eight[len(c.eight)/2], "rps")
			b.ReportMetric(0, "ns/op")
		})
	}
}
