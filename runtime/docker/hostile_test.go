package docker

import (
	"bytes"
	"compress/gzip"
	"errors"
	"strings"
	"testing"
	"time"

	"barnraise"
	"barnraise/manifest"
	"barnraise/runtime"
	"barnraise/runtime/suite"

	"github.com/moby/moby/api/types/system"
)

func zipped(b []byte) []byte {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write(b)
	_ = w.Close()
	return z.Bytes()
}

func instead(old, now string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, now, 1) }
}

// Images that are refused, and what the operator reads; nothing is left of any.
func TestOddImages(t *testing.T) {
	r := newRuntime(t, Config{Patience: 2 * time.Second})
	other := barnraise.Sum([]byte("other"))
	for _, c := range []struct {
		name string
		odd  oddity
		want error
		says string
	}{
		{"plain", oddity{}, nil, ""},
		{"gzip", oddity{mediaType: ociType + "layer.v1.tar+gzip", layer: zipped}, nil, ""},
		{"zstd", oddity{mediaType: ociType + "layer.v1.tar+zstd"}, runtime.ErrCannot, "tar+zstd"},
		{"not the content its configuration says", oddity{content: &other}, runtime.ErrCannot, "its content is not"},
		{"no gzip", oddity{mediaType: ociType + "layer.v1.tar+gzip"}, runtime.ErrCannot, "gzip"},
		{"cut", oddity{layer: func(b []byte) []byte { return b[:len(b)/2] }}, runtime.ErrCannot, "layer"},
		{"another processor", oddity{arch: "s390x"}, runtime.ErrCannot, "s390x"},
		{"another system", oddity{os: "plan9"}, runtime.ErrCannot, "plan9"},
		{"volume", oddity{volume: "/data"}, runtime.ErrCannot, "volume"},
		{"nothing to run", oddity{document: instead(`"/svc"`, ``)}, runtime.ErrCannot, "command"},
		{"no such program", oddity{document: instead(`/svc`, `/cvs`)}, runtime.ErrBroke, "exec"},
		{"exits at once", oddity{command: []string{"exit"}}, runtime.ErrBroke, "cannot begin"},
		{"never ready", oddity{command: []string{"never"}}, runtime.ErrBroke, "status 503"},
		{"never listens", oddity{command: []string{"sleep"}}, runtime.ErrBroke, "refused"},
	} {
		i, err := r.Start(t.Context(), hostile(t, r.Images, c.odd))
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v with %q", c.name, err, c.want, c.says)
		}
		if i != nil {
			if got, err := call(i, "echo", "x"); got != `"x"` || err != nil {
				t.Errorf("%s: %s, %v", c.name, got, err)
			}
			if who, err := call(i, "who", ""); !strings.HasPrefix(who, `"Uid 65534 65534 65534 65534; Gid 65534`) {
				t.Errorf("%s: runs as %s, %v", c.name, who, err) // its image says that it would like to be root
			}
			stop(t, i)
		}
		nothingLeft(t, r)
	}
}

// What breaks HTTP, what the caller is told, and what becomes of the container.
func TestOddAnswers(t *testing.T) {
	r := newRuntime(t, Config{})
	spec := hostile(t, r.Images, oddity{})
	spec.Limits.Timeout = manifest.Duration(2 * time.Second)
	i := start(t, r, spec)
	for _, c := range []struct {
		method, param string
		want          error
		says          string
		replaced      uint64
	}{
		{"status", "404", runtime.ErrBroke, "status 404", 0},
		{"status", "500", runtime.ErrBroke, "status 500", 0},
		{"status", "302", runtime.ErrBroke, "status 302", 0},
		{"status", "204", runtime.ErrBroke, "status 204", 0},
		{"header", "", runtime.ErrBroke, "header", 0},
		{"close", "", runtime.ErrBroke, "EOF", 0},
		{"half", "", runtime.ErrBroke, "EOF", 0},
		{"huge", "", runtime.ErrBroke, "more than", 0},
		{"long", "20000", runtime.ErrBroke, "more than 16384 bytes", 0},
		{"exit", "", runtime.ErrBroke, "status 3", 1},
		{"grow", "", runtime.ErrBroke, "killed for more memory", 2},
		{"drip", "", runtime.ErrTimeout, "", 3},
		{"loop", "", runtime.ErrTimeout, "", 4},
	} {
		eventually(t, 10*time.Second, "two are ready", func() bool { return len(i.pool.workers()) == 2 })
		got, err := call(i, c.method, c.param)
		if !errors.Is(err, c.want) || got != "" || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s(%s): %.80q, %v, want %v with %q", c.method, c.param, got, err, c.want, c.says)
		}
		eventually(t, 10*time.Second, c.method, func() bool { return i.pool.restarted() == c.replaced })
		if got, err := call(i, "echo", "x"); got != `"x"` || err != nil {
			t.Errorf("after %s: %s, %v", c.method, got, err)
		}
	}
	if s := i.Stats(); s.Restarts != 4 || s.CPU <= 0 || s.Memory < 1<<20 || s.Memory > suite.Limits.Memory {
		t.Errorf("stats %+v", s)
	}
}

// What the gate varies shows, and the rest is refused.
func TestSurroundings(t *testing.T) {
	r := newRuntime(t, Config{})
	spec := hostile(t, r.Images, oddity{})
	const fixed = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOSTNAME=service PORT=8080 HOME=/"
	limit := "/sys/fs/cgroup/memory.max"
	if x, err := r.Explain(t.Context()); err != nil || x.Cgroup == "1" {
		limit = "/sys/fs/cgroup/memory/memory.limit_in_bytes"
	}
	for _, c := range []struct {
		around              runtime.Surroundings
		method, param, want string
	}{
		{runtime.Surroundings{}, "getenv", "PORT", `"8080"`},
		{runtime.Surroundings{}, "hostname", "", `"service"`},
		{runtime.Surroundings{}, "file", "/etc/resolv.conf", `"nameserver 127.0.0.1"`},
		{runtime.Surroundings{}, "environ", "", `"` + fixed + `"`},
		{runtime.Surroundings{Env: "TZ=Asia/Tokyo\nLANG=de_DE\n"}, "getenv", "TZ", `"Asia/Tokyo"`},
		{runtime.Surroundings{Hostname: "elsewhere"}, "hostname", "", `"elsewhere"`},
		{runtime.Surroundings{First: true}, "pid", "", `"1"`},
		{runtime.Surroundings{CPU: 0.5}, "cores", "", `"1"`},
		{runtime.Surroundings{Memory: 64 << 20}, "file", limit, `"134217728"`},
		{runtime.Surroundings{Reused: true}, "count", "", `1`},
	} {
		i := start(t, r, runtime.Spec{Image: spec.Image, Platform: spec.Platform, Limits: spec.Limits, Around: c.around})
		if got, err := call(i, c.method, c.param); got != c.want || err != nil {
			t.Errorf("%+v: %s is %s, %v, want %s", c.around, c.method, got, err, c.want)
		}
		stop(t, i)
	}
	for _, around := range []runtime.Surroundings{
		{Clock: 1}, {Tick: 1}, {Chance: 1}, {Shift: 1}, {CPU: 1000}, {CPU: -1}, {Memory: 1 << 50}, {Env: "X"}, {Env: "PORT=1"},
		{Env: "=1"}, {Env: "A=\x00"}, {Hostname: "not a name"},
	} {
		spec.Around = around
		if i, err := r.Start(t.Context(), spec); !errors.Is(err, runtime.ErrCannot) {
			t.Errorf("%+v: %v, want ErrCannot", around, err)
			if i != nil {
				stop(t, i)
			}
		}
	}
}

func TestExplain(t *testing.T) {
	r := newRuntime(t, Config{})
	x, err := r.Explain(t.Context())
	known := x.Engine != "" && x.API != "" && x.Storage != "" && x.Cgroup != "" && x.Seccomp && len(x.Runtimes) > 0
	if err != nil || !known || x.Dial != r.Dial {
		t.Errorf("%+v, %v", x, err)
	}
	t.Logf("%+v", x)
	for name, c := range map[string]struct {
		config Config
		says   string
	}{
		"no such runtime": {Config{Runtime: "none"}, "daemon.json"},
		"no forwarder":    {Config{Dial: Holder}, "none is configured"},
	} {
		r := newRuntime(t, c.config)
		if _, err := r.Explain(t.Context()); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if i, err := r.Start(t.Context(), hostile(t, r.Images, oddity{})); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: started %t, %v", name, i != nil, err)
		}
	}
}

// What an engine must be able to do, or nothing is started on it.
func TestFitting(t *testing.T) {
	sound := func() system.Info {
		return system.Info{OSType: "linux", MemoryLimit: true, PidsLimit: true, CPUCfsQuota: true,
			SecurityOptions: []string{"name=seccomp,profile=default"}, Runtimes: map[string]system.RuntimeWithStatus{"runsc": {}}}
	}
	for name, c := range map[string]struct {
		spoil func(*system.Info)
		oci   string
		says  string
	}{
		"sound":      {func(*system.Info) {}, "", ""},
		"gVisor":     {func(i *system.Info) { i.SecurityOptions = nil }, "runsc", ""},
		"no gVisor":  {func(*system.Info) {}, "kata", "no runtime"},
		"Windows":    {func(i *system.Info) { i.OSType = "windows" }, "", "no Linux"},
		"memory":     {func(i *system.Info) { i.MemoryLimit = false }, "", "cgroup"},
		"processes":  {func(i *system.Info) { i.PidsLimit = false }, "", "cgroup"},
		"cores":      {func(i *system.Info) { i.CPUCfsQuota = false }, "", "delegate"},
		"no seccomp": {func(i *system.Info) { i.SecurityOptions = []string{"name=apparmor"} }, "", "seccomp"},
		"unconfined": {func(i *system.Info) { i.SecurityOptions = []string{"name=seccomp,profile=unconfined"} }, "", "seccomp"},
	} {
		info := sound()
		c.spoil(&info)
		err := unfit(info, c.oci)
		if c.says == "" && err == nil {
			continue
		}
		if err == nil || c.says == "" || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// Limits are granted in full or not at all.
func TestLargerThanTheMachine(t *testing.T) {
	r := newRuntime(t, Config{})
	for what, grow := range map[string]func(*manifest.Limits){
		"memory": func(l *manifest.Limits) { l.Memory = 1 << 40 }, "processors": func(l *manifest.Limits) { l.CPU = 1 << 10 },
	} {
		spec := hostile(t, r.Images, oddity{})
		grow(&spec.Limits)
		if i, err := r.Start(t.Context(), spec); !errors.Is(err, runtime.ErrCannot) || i != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// What an image would like its container to be is not what it becomes.
func TestWishes(t *testing.T) {
	r := newRuntime(t, Config{})
	for name, wish := range map[string]string{
		"labels":      `"Labels":{"traefik.enable":"true","barnraise":"0","barnraise.owner":"x","com.example":"y"}`,
		"ports":       `"ExposedPorts":{"8080/tcp":{},"22/tcp":{}}`,
		"signals":     `"StopSignal":"SIGCONT","Healthcheck":{"Test":["CMD","/svc"],"Interval":1000000000}`,
		"steps":       `"OnBuild":["RUN /svc"],"Shell":["/svc"],"ArgsEscaped":true`,
		"a directory": `"WorkingDir":"/not/there"`,
		"names":       `"Hostname":"other","Domainname":"example.com","NetworkDisabled":false,"MacAddress":"02:42:ac:11:00:02"`,
		"a terminal":  `"Tty":true,"OpenStdin":true,"AttachStdin":true`,
		"rights":      `"HostConfig":{"Privileged":true,"NetworkMode":"host"}`,
	} {
		t.Run(name, func(t *testing.T) {
			i := start(t, r, hostile(t, r.Images, oddity{document: instead(`"User":`, wish+`,"User":`)}))
			if got, err := call(i, "echo", "x"); got != `"x"` || err != nil {
				t.Errorf("%s, %v", got, err)
			}
			for _, w := range i.pool.workers() {
				c, err := r.inspect(t.Context(), w.(*container).name)
				if err != nil {
					t.Fatal(err)
				}
				for label, value := range c.Config.Labels {
					if of := map[string]string{labelAll: "1", labelOwner: r.owner, labelRun: r.run}[label]; value != of {
						t.Errorf("it has the label %s=%s", label, value)
					}
				}
				if c.HostConfig.NetworkMode != "none" || c.HostConfig.Privileged || c.Config.Hostname != hostname || len(c.NetworkSettings.Ports) > 0 ||
					c.Config.User != nobody || c.Config.StopSignal != "SIGTERM" || c.Config.Tty || c.Config.Healthcheck.Test[0] != "NONE" {
					t.Errorf("it is %+v, %+v", c.Config, c.HostConfig)
				}
			}
		})
	}
}
