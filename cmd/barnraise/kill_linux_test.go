package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestKilled kills, one after the other, containers, the process that runs services, the server and the engine, as kill -9 does.
// After each, what ran before runs again, by itself but for a supervisor that starts server and engine, and nothing is left of
// what was killed.
func TestKilled(t *testing.T) {
	if _, err := exec.LookPath("dockerd"); err != nil || os.Getuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("this test starts dockerd, as root: install docker.io")
		}
		t.Skip("this test starts dockerd, as root")
	}
	if testing.Short() {
		t.Skip("the gate alone takes a minute")
	}
	t.Parallel() // it waits most of the time
	h := newHouse(t)
	h.hosts(t)
	h.planned(t, "from nothing", 5*time.Minute)
	for _, c := range []struct {
		what   string
		kill   func(*testing.T)
		within time.Duration
	}{
		{"a container", func(t *testing.T) { kill(t, h.engine.pids(t)[0]) }, 30 * time.Second},
		{"both containers", func(t *testing.T) { kill(t, h.engine.pids(t)...) }, 30 * time.Second},
		{"the process that runs services", func(t *testing.T) { kill(t, h.workers()...) }, time.Minute},
		{"the server", func(t *testing.T) { h.server.kill(t); h.server.start(t) }, time.Minute},
		{"server and containers", func(t *testing.T) { h.server.kill(t); kill(t, h.engine.pids(t)...); h.server.start(t) }, time.Minute},
		{"the engine", func(t *testing.T) { h.engine.kill(t); h.withoutEngine(t); h.engine.start(t) }, 90 * time.Second},
		{"engine and server", func(t *testing.T) { h.engine.kill(t); h.server.kill(t); h.engine.start(t); h.server.start(t) }, 90 * time.Second},
	} {
		was := h.engine.containers(t)
		c.kill(t)
		h.planned(t, "without "+c.what, c.within)
		if now := h.engine.containers(t); slices.Equal(was, now) {
			t.Errorf("after the end of %s: the same containers %v", c.what, now)
		}
	}
	h.server.leave(t)
	if left := h.look(t); left != (inventory{}) {
		t.Errorf("after the server left there is %+v", left)
	}
}

// house is a server with an engine of its own and two services, in a network.
type house struct {
	dir    string
	url    string
	env    []string
	engine *engine
	server *process
}

func newHouse(t *testing.T) *house {
	t.Helper()
	dir, err := os.MkdirTemp("", "bk") // short enough for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	h := &house{dir: dir, url: "http://127.0.0.1:" + freePort(t)}
	h.engine = newEngine(t, filepath.Join(dir, "e"))
	h.env = append(os.Environ(), "XDG_CACHE_HOME="+dir+"/cache", "XDG_DATA_HOME="+dir+"/data", "DOCKER_HOST=unix://"+h.engine.dir+"/s",
		"BARNRAISE_NETWORK="+dir+"/net/network.yaml")
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	h.run(t, "devnet", "up", "--detach", "--dir", "net", "--servers", "2", "--cache", filepath.Join(cache, "barnraise"))
	t.Cleanup(func() { h.run(t, "devnet", "down", "--dir", "net") })
	return h
}

// run runs a command of the program and returns what it prints.
func (h *house) run(t *testing.T, args ...string) string {
	t.Helper()
	c := exec.Command("barnraise", args...)
	c.Dir, c.Env = h.dir, h.env
	var talk bytes.Buffer
	c.Stderr = &talk
	out, err := c.Output()
	if err != nil {
		t.Fatalf("barnraise %v: %v\n%s", args, err, &talk)
	}
	return strings.TrimSpace(string(out))
}

const (
	theService = `{name: %s, description: Says it again, verifier: compare, openrpc: openrpc.json, licence: Apache-2.0,
 limits: {memory: 64MiB, timeout: 5s}}`
	theDocument = `{"openrpc":"1.3.2","info":{"title":"echo","version":"1.0.0"},"methods":[{"name":"echo",
 "params":[{"name":"value","required":true,"schema":{"type":"string","maxLength":20}}],"result":{"name":"value","schema":{}},
 "examples":[{"name":"one","params":[{"name":"value","value":"a"}],"result":{"name":"value","value":"a"}}]}]}`
	theServer = "{network: net/network.yaml, server: 3, listen: %q, url: %q, key: key.pem, account: net/accounts/author, data: d, own: [4, 5]}"
)

// hosts starts the server with a service that runs in containers, number 4, and one that only has a variant for wasm, number 5.
func (h *house) hosts(t *testing.T) {
	t.Helper()
	address := strings.TrimPrefix(h.url, "http://")
	h.run(t, "servers", "register", "--account", "net/accounts/author", "--url", h.url, "--key", "key.pem")
	write(t, filepath.Join(h.dir, "openrpc.json"), theDocument)
	source, err := filepath.Abs("../../service/testdata/echo")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []struct{ name, platforms string }{{"both", "linux/" + runtime.GOARCH + ",wasip1/wasm"}, {"wasm", "wasip1/wasm"}} {
		write(t, filepath.Join(h.dir, s.name+".yaml"), fmt.Sprintf(theService, s.name))
		image := h.run(t, "image", "build", source, "--name", s.name, "--platform", s.platforms)
		h.run(t, "services", "register", s.name+".yaml", "--image", image, "--home", "3", "--account", "net/accounts/author")
	}
	write(t, filepath.Join(h.dir, "server.yaml"), fmt.Sprintf(theServer, address, h.url))
	h.server = &process{args: []string{"barnraise", "serve", "--config", "server.yaml"}, dir: h.dir, env: h.env, log: h.dir + "/log"}
	h.server.start(t)
	t.Cleanup(func() { h.server.end(t) })
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// call asks a service once and returns its answer.
func (h *house) call(service int) (string, error) {
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	body := strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"echo","params":["x"]}`)
	a, err := client.Post(h.url+"/v1/services/"+strconv.Itoa(service)+"/1", "application/json", body)
	if err != nil {
		return "", err
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if a.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", a.Status, b)
	}
	return string(b), err
}

// withoutEngine wants what needs no engine to go on.
func (h *house) withoutEngine(t *testing.T) {
	t.Helper()
	for range 5 {
		if got, err := h.call(5); err != nil {
			t.Errorf("without an engine the service on wasm answers %s, %v", got, err)
		}
	}
}

// inventory is what there is of a server.
type inventory struct{ workers, sockets, containers, images, shims, inside, mounts int }

func (h *house) look(t *testing.T) inventory {
	t.Helper()
	sockets, _ := filepath.Glob(h.dir + "/d/worker/socket")
	held, _ := filepath.Glob(h.dir + "/d/worker/docker/sockets/*")
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	var images []any
	h.engine.get(t, "/images/json?all=1", &images)
	shims, inside := h.engine.processes()
	return inventory{
		len(h.workers()), len(sockets) + len(held), len(h.engine.containers(t)), len(images), shims, inside,
		strings.Count(string(mounts), " "+h.engine.dir+"/data/overlay2/") + strings.Count(string(mounts), " "+h.engine.dir+"/exec/netns/"),
	}
}

// calm is how long all has to be as planned.
const calm = time.Second

// planned waits until both services answer and there is one process that runs services and two containers, and it stays so: a
// dockerd that is killed in the moment when it starts a container leaves the process that was to hold that one, and nobody who
// speaks to dockerd can see it.
func (h *house) planned(t *testing.T, what string, within time.Duration) {
	t.Helper()
	want := inventory{workers: 1, sockets: 1, containers: 2, images: 1, shims: 2, inside: 4, mounts: 4}
	var there inventory
	var since time.Time
	answers, begun := &answers{}, time.Now()
	for time.Since(begun) < within {
		answers.ask(h, begun)
		if there = h.look(t); there != want || !answers.both() {
			since = time.Time{}
		} else if since.IsZero() {
			since = time.Now()
		} else if time.Since(since) > calm {
			t.Logf("%s: in containers an answer after %s, on wasm after %s, all as planned after %s", what,
				answers.after[0], answers.after[1], since.Sub(begun).Round(time.Millisecond))
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%s: after %s there is %+v, want %+v; answers after %s, %v", what, within, there, want, answers.after, answers.err)
}

// answers are those of the two services since something happened: when the first came, and the last error before.
type answers struct {
	came  [2]bool
	after [2]time.Duration
	err   [2]error
}

func (a *answers) ask(h *house, begun time.Time) {
	for n := range a.after {
		if a.came[n] {
			continue
		}
		_, a.err[n] = h.call(4 + n)
		a.came[n], a.after[n] = a.err[n] == nil, time.Since(begun).Round(time.Millisecond)
	}
}

func (a *answers) both() bool { return a.came[0] && a.came[1] }

// workers are the processes that run services.
func (h *house) workers() (pids []int) {
	return find(func(args []string) bool {
		return len(args) > 1 && args[1] == "worker" && slices.Contains(args, h.dir+"/d/worker")
	})
}

// find lists the processes whose command line is as wanted.
func find(wanted func(args []string) bool) (pids []int) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, d := range dirs {
		b, err := os.ReadFile(d + "/cmdline")
		if err == nil && wanted(strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")) {
			pid, _ := strconv.Atoi(filepath.Base(d))
			pids = append(pids, pid)
		}
	}
	return pids
}

func kill(t *testing.T, pids ...int) {
	t.Helper()
	if len(pids) == 0 {
		t.Error("there is nothing to kill")
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) { // it has ended by itself
			t.Errorf("kill %d: %v", pid, err)
		}
	}
}

// process is one that a supervisor would start.
type process struct {
	args     []string
	dir, log string
	env      []string
	running  *exec.Cmd
}

func (p *process) start(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p.running = exec.Command(p.args[0], p.args[1:]...)
	p.running.Dir, p.running.Env, p.running.Stdout, p.running.Stderr = p.dir, p.env, log, log
	if err := p.running.Start(); err != nil {
		t.Fatal(err)
	}
}

func (p *process) kill(t *testing.T) {
	t.Helper()
	kill(t, p.running.Process.Pid)
	_ = p.running.Wait()
}

// leave asks it to end and waits until it has.
func (p *process) leave(t *testing.T) {
	t.Helper()
	if err := p.running.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := p.running.Wait(); err != nil {
		t.Errorf("%v left with %v", p.args, err)
	}
}

// end ends it where it still runs, and shows what it said where the test failed.
func (p *process) end(t *testing.T) {
	if p.running != nil && p.running.ProcessState == nil {
		_ = p.running.Process.Signal(syscall.SIGTERM)
		_ = p.running.Wait()
	}
	if b, err := os.ReadFile(p.log); err == nil && t.Failed() {
		t.Logf("%v said: %s", p.args, b[max(0, len(b)-4000):])
	}
}

// engine is a dockerd of the test's own, with nothing on it.
type engine struct {
	process
	http http.Client
}

func newEngine(t *testing.T, dir string) *engine {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/daemon.json", "{}")
	e := &engine{process: process{dir: dir, log: dir + "/log", args: []string{
		"dockerd", "--config-file", dir + "/daemon.json", "--host", "unix://" + dir + "/s", "--data-root", dir + "/data",
		"--exec-root", dir + "/exec", "--pidfile", dir + "/pid", "--bridge=none", "--iptables=false",
	}}}
	e.http = http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", dir+"/s")
		},
	}}
	e.start(t)
	t.Cleanup(func() { e.clean(t) })
	return e
}

func (e *engine) start(t *testing.T) {
	t.Helper()
	e.process.start(t)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		a, err := e.http.Get("http://engine/_ping")
		if err == nil {
			a.Body.Close()
			if a.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("dockerd does not answer: %v, see %s", err, e.log)
		}
	}
}

// kill ends dockerd, and containerd with it; what runs in containers lives on.
func (e *engine) kill(t *testing.T) {
	t.Helper()
	e.process.kill(t)
	_ = os.Remove(e.dir + "/exec/containerd/containerd.pid") // where nobody reaps the dead, the next dockerd waits for that one
}

// clean ends dockerd and unmounts what it leaves.
func (e *engine) clean(t *testing.T) {
	e.end(t)
	mounts, _ := os.ReadFile("/proc/self/mounts")
	for _, line := range slices.Backward(strings.Split(string(mounts), "\n")) {
		if at := strings.Fields(line); len(at) > 1 && strings.HasPrefix(at[1], e.dir+"/") {
			_ = syscall.Unmount(at[1], syscall.MNT_DETACH)
		}
	}
}

func (e *engine) get(t *testing.T, path string, into any) {
	t.Helper()
	a, err := e.http.Get("http://engine" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if err := json.NewDecoder(a.Body).Decode(into); err != nil {
		t.Fatalf("%s: %s, %v", path, a.Status, err)
	}
}

// containers are the ids of all, whatever state they are in.
func (e *engine) containers(t *testing.T) (ids []string) {
	t.Helper()
	var all []struct{ ID string }
	e.get(t, "/containers/json?all=1", &all)
	for _, c := range all {
		ids = append(ids, c.ID)
	}
	slices.Sort(ids)
	return ids
}

// pids are the first processes of the containers that run.
func (e *engine) pids(t *testing.T) (pids []int) {
	t.Helper()
	for _, id := range e.containers(t) {
		var c struct{ State struct{ Pid int } }
		if e.get(t, "/containers/"+id+"/json", &c); c.State.Pid > 0 {
			pids = append(pids, c.State.Pid)
		}
	}
	return pids
}

// processes counts those that hold containers for the engine, and those within.
func (e *engine) processes() (shims, inside int) {
	holders := find(func(args []string) bool {
		return strings.Contains(args[0], "containerd-shim") && slices.Contains(args, e.dir+"/exec/containerd/containerd.sock")
	})
	dirs, _ := filepath.Glob("/proc/[0-9]*/stat")
	for level := holders; len(level) > 0; {
		var next []int
		for _, d := range dirs {
			b, _ := os.ReadFile(d)
			_, rest, _ := bytes.Cut(b, []byte(") "))
			if at := bytes.Fields(rest); len(at) > 1 {
				parent, _ := strconv.Atoi(string(at[1]))
				pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(d)))
				if slices.Contains(level, parent) {
					next = append(next, pid)
				}
			}
		}
		inside += len(next)
		level = next
	}
	return len(holders), inside
}
