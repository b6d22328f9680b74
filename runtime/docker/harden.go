package docker

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strings"

	"barnraise/manifest"
	"barnraise/runtime"

	engine "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
)

// What every container gets, whatever its service asks for.
const (
	port      = "8080"
	address   = "127.0.0.1:" + port
	nobody    = "65534:65534"
	hostname  = "service"
	processes = 64
	sentry    = 256 // processes under runsc, which counts its own threads
	files     = 1024
	scratch   = 16 << 20 // bytes of /tmp, and of any one file
)

// profile is one container to be made.
type profile struct {
	name    string
	image   string
	command []string // added to the image's entrypoint; nil for the image's own
	user    string
	runtime string
	network string // none, or container:<name> of whoever has the network namespace
	sockets string // the directory of a holder's socket
	limits  manifest.Limits
	around  runtime.Surroundings
	labels  map[string]string
	unsaid  []string // names of labels that the image would add
}

// hardened is what keeps a container from doing harm. There is no container without it.
func (p profile) hardened() (*engine.Config, *engine.HostConfig) {
	init, most := !p.around.First, int64(processes)
	if p.runtime != "" {
		most = sentry
	}
	memory, cores := int64(p.limits.Memory+p.around.Memory), p.limits.CPU
	cpuset := ""
	if p.around.CPU > 0 {
		cores = p.around.CPU
		cpuset = fmt.Sprintf("0-%d", int(math.Ceil(cores))-1)
	}
	labels := map[string]string{} // other tools do what they read there, such as route the public to what a label names
	for _, name := range p.unsaid {
		labels[name] = ""
	}
	maps.Copy(labels, p.labels)
	config := &engine.Config{
		Image: p.image, Cmd: p.command, User: p.user, Labels: labels,
		Env:         append([]string{"PORT=" + port}, environment(p.around)...),
		Healthcheck: &engine.HealthConfig{Test: []string{"NONE"}},
		StopSignal:  "SIGTERM",
	}
	host := &engine.HostConfig{
		NetworkMode: engine.NetworkMode(p.network), ReadonlyRootfs: true, CapDrop: []string{"ALL"},
		SecurityOpt:   []string{"no-new-privileges:true"}, // and no other seccomp than the engine's own
		Tmpfs:         map[string]string{"/tmp": fmt.Sprintf("rw,noexec,nosuid,nodev,size=%d,nr_inodes=4096,mode=1777", scratch)},
		IpcMode:       "none", // a private one has a /dev/shm of 64 MB to write to
		CgroupnsMode:  "private",
		Init:          &init,
		RestartPolicy: engine.RestartPolicy{Name: "no"},
		LogConfig: engine.LogConfig{Type: "local", Config: map[string]string{
			"max-size": "1m", "max-file": "1", "compress": "false",
		}},
		Runtime: p.runtime,
		Resources: engine.Resources{
			Memory: memory, MemorySwap: memory, NanoCPUs: int64(cores * 1e9), CpusetCpus: cpuset, PidsLimit: &most,
			Ulimits: []*engine.Ulimit{
				{Name: "nofile", Soft: files, Hard: files}, {Name: "core"}, {Name: "fsize", Soft: scratch, Hard: scratch},
			},
		},
	}
	if p.sockets != "" {
		host.Mounts = []mount.Mount{{Type: mount.TypeBind, Source: p.sockets, Target: socketDir}}
	}
	if p.network == "none" { // who joins another's namespace has that one's name, and its files about names
		config.Hostname = hostname
		host.DNS, host.DNSSearch = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, []string{"."}
		if p.around.Hostname != "" {
			config.Hostname = p.around.Hostname
		}
	}
	return config, host
}

// grantable fails with ErrCannot where a container cannot have such limits or surroundings.
func grantable(l manifest.Limits, s runtime.Surroundings) error {
	if l.Memory == 0 || l.CPU <= 0 || l.Timeout <= 0 || l.Request == 0 || l.Response == 0 {
		return fmt.Errorf("%w: limits are missing: take them from a manifest that was read", runtime.ErrCannot)
	}
	if l.Memory > 1<<40 || s.Memory > 1<<40 || l.CPU > 1<<10 || s.CPU > 1<<10 || s.CPU < 0 {
		return fmt.Errorf("%w: no machine has that much", runtime.ErrCannot)
	}
	var reason error
	switch {
	case s.Clock != 0 || s.Tick != 0:
		reason = errors.New("a container has the machine's clock")
	case s.Chance != 0:
		reason = errors.New("a container has the machine's random numbers, which differ in every run")
	case s.Shift != 0:
		reason = errors.New("where a request lies in memory is the service's own affair in a container")
	case strings.ContainsRune(s.Env, 0):
		reason = errors.New("a variable with a zero byte")
	case len(s.Hostname) > 63 || strings.Trim(s.Hostname, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
		reason = fmt.Errorf("%.80q is no name for a machine", s.Hostname)
	}
	for _, line := range environment(s) {
		if name, _, ok := strings.Cut(line, "="); !ok || name == "" || name == "PORT" {
			reason = fmt.Errorf("%.80q is no variable, NAME=value, that may be set", line)
		}
	}
	if reason != nil {
		return fmt.Errorf("%w: %w", runtime.ErrCannot, reason)
	}
	return nil
}

// environment is one variable for each line.
func environment(s runtime.Surroundings) []string {
	if s.Env == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s.Env, "\n"), "\n")
}

// wishes are those of an image that are told apart here. The engine reads its document likewise, and will not take what cannot be
// read.
func (s source) wishes() (w struct {
	Config struct {
		Env    []string
		Labels map[string]string
	}
}) {
	_ = json.Unmarshal(s.Document, &w)
	return w
}

// labels are the names of those that the image has.
func (s source) labels() []string { return slices.Sorted(maps.Keys(s.wishes().Config.Labels)) }

// beside is what the surroundings say of variables, without those that the image sets, and without the one by which its program
// is found: these are the same wherever it runs.
func (s source) beside(around runtime.Surroundings) string {
	set := map[string]bool{"PATH": true}
	for _, line := range s.wishes().Config.Env {
		name, _, _ := strings.Cut(line, "=")
		set[name] = true
	}
	return strings.Join(slices.DeleteFunc(environment(around), func(line string) bool {
		name, _, _ := strings.Cut(line, "=")
		return set[name]
	}), "\n")
}
