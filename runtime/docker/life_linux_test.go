package docker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"barnraise/runtime"
	"barnraise/runtime/suite"

	"github.com/moby/moby/client"
)

// No call fails and none is slow while containers are replaced under load.
func TestRecycling(t *testing.T) {
	r := newRuntime(t, Config{Answers: 400})
	i := start(t, r, hostile(t, r.Images, oddity{}))
	first := names(i)
	var all sync.WaitGroup
	var took [4][]time.Duration
	begun := time.Now()
	for n := range took {
		all.Go(func() {
			for time.Since(begun) < 8*time.Second {
				at := time.Now()
				if got, err := call(i, "echo", "x"); got != `"x"` || err != nil {
					t.Errorf("%s, %v", got, err)
					return
				}
				took[n] = append(took[n], time.Since(at))
				time.Sleep(time.Millisecond)
			}
		})
	}
	all.Wait()
	sorted := slices.Sorted(slices.Values(slices.Concat(took[:]...)))
	at := func(p float64) time.Duration { return sorted[int(p*float64(len(sorted)-1))] }
	t.Logf("%d calls, median %s, p99 %s, slowest %s", len(sorted), at(0.5), at(0.99), at(1))
	if at(1) > time.Second {
		t.Errorf("the slowest call took %s", at(1)) // a new container takes as long; the machine may be busy with others
	}
	for _, name := range names(i) {
		if slices.Contains(first, name) {
			t.Errorf("%s was never replaced", name)
		}
	}
	if s := i.Stats(); s.Restarts != 0 || s.Answers != uint64(len(sorted)) {
		t.Errorf("stats %+v", s)
	}
}

func names(i *instance) (all []string) {
	for _, w := range i.pool.workers() {
		all = append(all, w.(*container).name)
	}
	return all
}

// Killed as a whole or one by one, the service comes back, and says meanwhile what is the matter.
func TestCrash(t *testing.T) {
	r := newRuntime(t, Config{})
	i := start(t, r, hostile(t, r.Images, oddity{}))
	for round := range uint64(3) {
		eventually(t, 10*time.Second, "two are ready", func() bool { return len(i.pool.workers()) == 2 })
		if err := i.Crash(t.Context()); err != nil {
			t.Fatal(err)
		}
		eventually(t, 10*time.Second, "both have ended", func() bool { return i.pool.restarted() == 2*(round+1) })
		eventually(t, 10*time.Second, "an answer", func() bool {
			got, err := call(i, "echo", "x")
			return got == `"x"` && err == nil
		})
		if err := i.Health(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// A service that ends again and again is made to run again ever more rarely, and its health says why it does not.
func TestCrashLoop(t *testing.T) {
	r := newRuntime(t, Config{Warm: 1})
	i := start(t, r, hostile(t, r.Images, oddity{command: []string{"die"}}))
	eventually(t, 20*time.Second, "three restarts", func() bool { return i.pool.restarted() >= 3 })
	eventually(t, 20*time.Second, "bad health", func() bool {
		err := i.Health(t.Context())
		return errors.Is(err, runtime.ErrBroke) && strings.Contains(err.Error(), "status 4")
	})
	if _, err := call(i, "echo", "x"); err != nil && !errors.Is(err, runtime.ErrNotReady) && !errors.Is(err, runtime.ErrBroke) {
		t.Errorf("call: %v", err)
	}
}

// What a run that was killed has left is removed by the next one with the same directory, and by no other.
func TestOrphans(t *testing.T) {
	for _, way := range []Way{Namespace, Holder} {
		killed := newRuntime(t, Config{Dial: way, Forwarder: forwarder(t)})
		left := &service{runtime: killed, limits: suite.Limits, spent: &spent{}}
		left.source = sourceOf(t, killed, hostile(t, killed.Images, oddity{}))
		if err := left.hold(t.Context()); err != nil {
			t.Fatal(err)
		}
		orphan, err := left.make(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		stranger, heir := newRuntime(t, Config{Dial: way}), newRuntime(t, Config{Dial: way, Dir: killed.Dir})
		if err := stranger.Clean(t.Context()); err != nil {
			t.Fatal(err)
		}
		request, soon := []byte(`{"jsonrpc":"2.0","id":1,"method":"echo"}`), time.Now().Add(5*time.Second)
		if o, err := orphan.exchange(t.Context(), soon, request, 1000); !o.fit || err != nil {
			t.Errorf("after a stranger's cleaning: %v", err)
		}
		if err := heir.Clean(t.Context()); err != nil {
			t.Fatal(err)
		}
		nothingLeft(t, heir)
		for _, id := range left.source.ids {
			if _, err := heir.engine.ImageInspect(t.Context(), id); err == nil {
				t.Errorf("image %s is left", id)
			}
		}
		if err := orphan.remove(t.Context()); err != nil {
			t.Error(err)
		}
		_ = stranger.engine.Close()
	}
}

// An engine, or somebody before it, that makes the container of another image under the same ID.
func TestSwappedImage(t *testing.T) {
	r := newRuntime(t, Config{})
	genuine, other := hostile(t, r.Images, oddity{}), hostile(t, r.Images, oddity{command: []string{"other"}})
	hold, err := r.find(r.Images, other.Platform)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.hold(t.Context(), hold); err != nil {
		t.Fatal(err)
	}
	defer r.release(context.Background(), hold)
	id, err := r.load(t.Context(), hold)
	if err != nil {
		t.Fatal(err)
	}
	swaps := atomic.Int32{}
	proxy := between(t, r, func(q *http.Request) {
		if strings.HasSuffix(q.URL.Path, "/containers/create") {
			b, _ := io.ReadAll(q.Body)
			_, rest, _ := bytes.Cut(b, []byte(`"Image":"`))
			b = bytes.Replace(b, rest[:bytes.IndexByte(rest, '"')], []byte(id), 1)
			q.Body, q.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
			swaps.Add(1)
		}
	})
	deceived := newRuntime(t, Config{Images: r.Images, Host: proxy})
	i, err := deceived.Start(t.Context(), genuine)
	want := "not of " + sourceOf(t, r, genuine).Config.String()
	if !errors.Is(err, runtime.ErrCannot) || !strings.Contains(err.Error(), want) {
		t.Errorf("started with %v", err)
	}
	if swaps.Load() != 1 || i != nil {
		t.Errorf("%d swaps, started %t", swaps.Load(), i != nil)
	}
}

func sourceOf(t *testing.T, r *Runtime, spec runtime.Spec) source {
	t.Helper()
	s, err := r.find(r.Images, spec.Platform)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// between is an engine that is the runtime's own, but for what is done to requests on the way.
func between(t *testing.T, r *Runtime, do func(*http.Request)) (host string) {
	t.Helper()
	over := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return r.engine.Dialer()(context.Background())
	}}
	proxy := &httputil.ReverseProxy{Transport: over, FlushInterval: -1, Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(&url.URL{Scheme: "http", Host: "engine"})
		do(p.Out)
	}}
	server := httptest.NewServer(proxy)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		over.CloseIdleConnections()
	})
	return "tcp://" + server.Listener.Addr().String()
}

// engine is a dockerd of the test's own.
type dockerd struct {
	dir, host string
	args      []string
	process   *exec.Cmd
}

// newDockerd starts one, or skips the test where that cannot be. The command comes before it, for its surroundings.
func newDockerd(t testing.TB, config string, before []string, args ...string) *dockerd {
	t.Helper()
	if _, err := exec.LookPath("dockerd"); err != nil || os.Getuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("this test starts dockerd, as root: install docker.io")
		}
		t.Skip("this test starts dockerd, as root")
	}
	dir := short(t)
	d := &dockerd{dir: dir, host: "unix://" + dir + "/s"}
	if err := os.WriteFile(dir+"/daemon.json", []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	d.args = append(before, "dockerd", "--config-file", dir+"/daemon.json", "--host", d.host, "--data-root", dir+"/data",
		"--exec-root", dir+"/exec", "--pidfile", dir+"/pid", "--bridge=none")
	d.args = append(d.args, args...)
	d.start(t)
	t.Cleanup(func() { d.clean(t) })
	return d
}

func (d *dockerd) start(t testing.TB) {
	t.Helper()
	log, err := os.OpenFile(d.dir+"/log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	d.process = exec.Command(d.args[0], d.args[1:]...)
	d.process.Stdout, d.process.Stderr = log, log
	if err := d.process.Start(); err != nil {
		t.Fatal(err)
	}
	engine, err := client.New(client.WithHost(d.host))
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	eventually(t, time.Minute, "dockerd answers, see "+d.dir+"/log", func() bool {
		_, err := engine.Ping(t.Context(), client.PingOptions{})
		return err == nil
	})
}

// kill ends dockerd at once; its containers may live on.
func (d *dockerd) kill() {
	_ = d.process.Process.Kill()
	_ = d.process.Wait()
	// Its containerd dies with it, and where nobody reaps the dead, the next dockerd takes it for alive and waits for it.
	_ = os.Remove(d.dir + "/exec/containerd/containerd.pid")
}

func (d *dockerd) clean(t testing.TB) {
	_ = d.process.Process.Signal(syscall.SIGTERM)
	_ = d.process.Wait()
	mounts, _ := os.ReadFile("/proc/self/mounts")
	for _, line := range slices.Backward(strings.Split(string(mounts), "\n")) {
		if at := strings.Fields(line); len(at) > 1 && strings.HasPrefix(at[1], d.dir+"/") {
			_ = syscall.Unmount(at[1], syscall.MNT_DETACH)
		}
	}
	if t.Failed() {
		b, _ := os.ReadFile(d.dir + "/log")
		t.Logf("dockerd: %s", b[max(0, len(b)-3000):])
	}
}

// The engine is killed, calls fail or are answered, it comes back, with none of its images, and so does the service.
func TestEngineKilled(t *testing.T) {
	d := newDockerd(t, "{}", nil, "--iptables=false")
	r := newRuntime(t, Config{Host: d.host})
	i := start(t, r, hostile(t, r.Images, oddity{}))
	if got, err := call(i, "echo", "x"); got != `"x"` || err != nil {
		t.Fatalf("%s, %v", got, err)
	}
	eventually(t, 10*time.Second, "two are ready", func() bool { return len(i.pool.workers()) == 2 })
	d.kill()
	for range 20 {
		got, err := call(i, "echo", "x")
		if err != nil && !errors.Is(err, runtime.ErrBroke) && !errors.Is(err, runtime.ErrNotReady) || err == nil && got != `"x"` {
			t.Errorf("without an engine: %s, %v", got, err)
		}
	}
	if p := r.Platforms(t.Context()); p != nil {
		t.Errorf("platforms without an engine: %v", p)
	}
	if _, err := r.Explain(t.Context()); err == nil || !strings.Contains(err.Error(), "DOCKER_HOST") {
		t.Errorf("explanation without an engine: %v", err)
	}
	old := names(i)
	d.start(t)
	eventually(t, time.Minute, "new containers", func() bool {
		now := names(i)
		return len(now) == 2 && !slices.Contains(now, old[0]) && !slices.Contains(old, now[1])
	})
	if got, err := call(i, "echo", "x"); got != `"x"` || err != nil {
		t.Errorf("with the engine back: %s, %v", got, err)
	}
	if i.Stats().Restarts < 2 {
		t.Errorf("stats %+v", i.Stats())
	}
}

// An image that somebody has removed is loaded again when it is needed.
func TestImageRemoved(t *testing.T) {
	r := newRuntime(t, Config{Warm: 1})
	i := start(t, r, hostile(t, r.Images, oddity{}))
	if _, err := r.engine.ImageRemove(t.Context(), i.service.source.ids[0], client.ImageRemoveOptions{Force: true}); err == nil {
		t.Log("the engine removed an image in use")
	}
	w := i.pool.workers()[0].(*container)
	_ = r.removeContainer(t.Context(), w.name)
	_, _ = r.engine.ImageRemove(t.Context(), i.service.source.ids[0], client.ImageRemoveOptions{Force: true})
	eventually(t, 10*time.Second, "another container", func() bool {
		now := names(i)
		return len(now) == 1 && now[0] != w.name
	})
	if got, err := call(i, "echo", "x"); got != `"x"` || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

// withRunsc is an engine that has gVisor: of the network namespace the service has no more than runc would give it, and its
// sockets are those of the namespace, so that it can be dialled there.
func withRunsc(t testing.TB) (host string) {
	t.Helper()
	path := os.Getenv("BARNRAISE_RUNSC")
	if path == "" {
		t.Skip("BARNRAISE_RUNSC does not say where runsc is")
	}
	args := `["--platform=systrap", "--network=host"]`
	config := `{"runtimes": {"runsc": {"path": "` + path + `", "runtimeArgs": ` + args + `}}}`
	return newDockerd(t, config, nil, "--iptables=false").host
}

// gVisor in place of the machine's kernel: it answers, it is as nobody as elsewhere, and reaches nobody.
func TestRunsc(t *testing.T) {
	r := newRuntime(t, Config{Host: withRunsc(t), Runtime: "runsc"})
	i := start(t, r, hostile(t, r.Images, oddity{}))
	for _, c := range [][3]string{
		{"echo", "x", `"x"`}, {"try", "tcp 1.1.1.1:53", `"refused"`}, {"try", "write /x", `"refused"`}, {"try", "root", `"refused"`},
	} {
		if got, err := call(i, c[0], c[1]); got != c[2] || err != nil {
			t.Errorf("%v: %s, %v", c, got, err)
		}
	}
	if x, err := r.Explain(t.Context()); err != nil || !x.Runsc {
		t.Errorf("%+v, %v", x, err)
	}
}
