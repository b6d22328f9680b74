// Package docker runs the linux variants of services (protocol 2.2) in containers of a Docker engine, each a small HTTP server
// that knows nobody.
//
// A container has no network at all: an internal bridge would let it reach whatever the machine itself listens on. It is
// dialled within its network namespace, where this process may enter that (it needs CAP_SYS_ADMIN), and else through a holder:
// a second container with no network, in which this program forwards a unix socket to the service's port. Its root is
// read-only, it has no capabilities and cannot get any, runs as user 65534 under the engine's seccomp profile, and may use as
// much memory and processor as the service's limits say, no swap, few processes and files, and a small /tmp.
//
// Every service has two containers or more, and each call goes to one of them by chance, so that what a service remembers
// shows as a difference. They are replaced after some answers and some minutes, and when they break. One that is replaced is
// killed when the last call in it has ended: a service that keeps nothing has nothing to put away. The image is loaded from
// the store of images, checked byte by byte; the engine never pulls.
//
// Rootless engines work through the holder. They bound memory, processor and processes only where the user's cgroups are
// delegated; Start fails with a hint where they are not.
package docker

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"barnraise"
	"barnraise/image"
	"barnraise/runtime"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"
)

// Config is what a runtime runs services with. Images and Dir are required.
type Config struct {
	Images *image.Store // where the images are
	// Dir is where sockets and the forwarder's image are kept. It belongs to one runtime at a time: containers that earlier
	// ones left are known by it, and removed.
	Dir string
	// Host is the engine, such as unix:///var/run/docker.sock; empty means what DOCKER_HOST says, and else the default.
	Host    string
	Runtime string // the engine's name of an OCI runtime, such as runsc; empty means its default
	Dial    Way    // how containers are dialled; empty means Namespace where this process may, else Holder
	// Forwarder is what runs in a holder: a static executable for Linux, and its arguments, to which a socket and an address
	// are added. It is to call [Forward]. Without it there are no holders.
	Forwarder []string

	Warm        int           // containers of a service, ready for calls; zero means 2
	Concurrency int           // calls of one service at once; zero means four for each core
	Answers     int           // calls after which a container is replaced, give or take a quarter; zero means 1000
	Age         time.Duration // and after which time; zero means ten minutes
	Patience    time.Duration // within which a service must be ready; zero means a minute
}

// Way is how a container is dialled.
type Way string

// The ways.
const (
	Namespace Way = "namespace" // within its network namespace
	Holder    Way = "holder"    // through a unix socket
)

// asking is how long an engine has to say what it is. A busy one takes more than a second.
const asking = 5 * time.Second

// Runtime is a runtime.Runtime. It holds nothing of its own: what was started is stopped one by one.
type Runtime struct {
	Config
	engine *client.Client
	owner  string // of all containers with the same Dir
	run    string // of those of this process
	made   atomic.Uint64

	first    sync.Mutex
	prepared bool
	rootless atomic.Bool
	memory   atomic.Int64 // of the engine's machine

	mu    sync.Mutex
	users map[barnraise.Digest]int     // of images, by what they were started for
	sizes map[barnraise.Digest][]int64 // of the layers of variants that were measured

	forwarding sync.Mutex
	forward    *source // of holders, once it was made
}

// New makes a runtime. The engine need not answer yet. It fails where the configuration is wrong.
func New(c Config) (*Runtime, error) {
	if c.Images == nil || c.Dir == "" {
		return nil, errors.New("make Docker runtime: no images or no directory")
	}
	dir, err := filepath.Abs(c.Dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return nil, fmt.Errorf("make Docker runtime: %w", err)
	}
	c.Dir = dir
	defaults(&c)
	from := []client.Opt{client.FromEnv}
	if c.Host != "" {
		from = append(from, client.WithHost(c.Host))
	}
	engine, err := client.New(from...)
	if err != nil {
		return nil, fmt.Errorf("make Docker runtime: %w; set DOCKER_HOST to where the engine listens", err)
	}
	owner := sha256.Sum256([]byte(dir))
	return &Runtime{
		Config: c, engine: engine, owner: hex.EncodeToString(owner[:8]), run: rand.Text()[:12],
		users: map[barnraise.Digest]int{}, sizes: map[barnraise.Digest][]int64{},
	}, nil
}

func defaults(c *Config) {
	if c.Warm <= 0 {
		c.Warm = 2
	}
	if c.Concurrency <= 0 {
		c.Concurrency = 4 * goruntime.GOMAXPROCS(0)
	}
	if c.Answers <= 0 {
		c.Answers = 1000
	}
	if c.Age <= 0 {
		c.Age = 10 * time.Minute
	}
	if c.Patience <= 0 {
		c.Patience = time.Minute
	}
	if c.Dial == "" {
		c.Dial = Holder
		if mayEnter() {
			c.Dial = Namespace
		}
	}
}

// chance is a number from 0 to 1, for what must not be foreseen by those who call.
func chance() float64 { return mathrand.Float64() }

// Platforms is Linux on this machine's processor while an engine answers that can keep services within their limits, which it
// is asked for a few seconds at most.
func (r *Runtime) Platforms(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	v, err := r.engine.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil || v.Os != "linux" || v.Arch != goruntime.GOARCH {
		return nil
	}
	if info, err := r.info(ctx); err != nil || unfit(info, r.Runtime) != nil {
		return nil
	}
	return []string{platform()}
}

func platform() string { return "linux/" + goruntime.GOARCH }

// The labels of all containers.
const (
	labelAll   = "barnraise"
	labelOwner = "barnraise.owner" // by Dir
	labelRun   = "barnraise.run"   // of one process
)

// Explanation is what an operator wants to know of an engine.
type Explanation struct {
	Engine   string // its version
	API      string // the version spoken
	Storage  string // where it keeps images
	Cgroup   string // version
	Rootless bool
	Seccomp  bool
	Runtimes []string // its OCI runtimes, ascending
	Runsc    bool     // one of them is gVisor
	Dial     Way      // how containers are dialled
}

// Explain asks the engine what it is. It fails where the engine does not answer, and where services cannot run on it, saying
// what to do about it; then what is known stands in the explanation nevertheless.
func (r *Runtime) Explain(ctx context.Context) (Explanation, error) {
	x := Explanation{Dial: r.Dial}
	info, err := r.info(ctx)
	if err != nil {
		return x, err
	}
	x.Engine, x.API, x.Storage, x.Cgroup = info.ServerVersion, r.engine.ClientVersion(), info.Driver, info.CgroupVersion
	x.Rootless, x.Seccomp = has(info, "name=rootless"), confined(info)
	for name := range info.Runtimes {
		x.Runtimes = append(x.Runtimes, name)
		x.Runsc = x.Runsc || strings.Contains(name, "runsc")
	}
	slices.Sort(x.Runtimes)
	err = unfit(info, r.Runtime)
	if r.Dial == Holder {
		err = errors.Join(err, checkForwarder(r.Forwarder))
	}
	return x, err
}

func (r *Runtime) info(ctx context.Context) (system.Info, error) {
	ctx, cancel := context.WithTimeout(ctx, brief)
	defer cancel()
	info, err := r.engine.Info(ctx, client.InfoOptions{})
	if err != nil {
		err = fmt.Errorf("ask engine at %s: %w; is Docker running, and may this user speak to it? "+
			"Set DOCKER_HOST if it listens elsewhere", r.engine.DaemonHost(), err)
	}
	return info.Info, err
}

func has(info system.Info, option string) bool {
	return slices.ContainsFunc(info.SecurityOptions, func(o string) bool { return strings.HasPrefix(o, option) })
}

// confined reports whether containers are under seccomp if nobody says otherwise.
func confined(info system.Info) bool {
	return has(info, "name=seccomp") && !has(info, "name=seccomp,profile=unconfined")
}

// unfit says why the engine cannot keep a service within its limits, if it cannot.
func unfit(info system.Info, ociRuntime string) error {
	var reason string
	switch {
	case info.OSType != "linux":
		reason = "it runs no Linux containers"
	case !info.MemoryLimit || !info.PidsLimit || !info.CPUCfsQuota:
		reason = "it cannot bound memory, processes and processor time; enable these cgroup controllers, " +
			"and delegate them to the user of a rootless engine"
	case !confined(info) && ociRuntime == "":
		reason = "it has no seccomp; use an engine with it, or runsc"
	case ociRuntime != "":
		if _, ok := info.Runtimes[ociRuntime]; !ok {
			reason = fmt.Sprintf("it has no runtime %.40q; add it to the engine's daemon.json", ociRuntime)
		}
	}
	if reason == "" {
		return nil
	}
	return fmt.Errorf("engine %s: %s", info.ServerVersion, reason)
}

// prepare is done before the first start: it looks at the engine, and removes what earlier runs left.
func (r *Runtime) prepare(ctx context.Context) error {
	r.first.Lock()
	defer r.first.Unlock()
	if r.prepared {
		return nil
	}
	info, err := r.info(ctx)
	if err != nil {
		return err
	}
	if err := unfit(info, r.Runtime); err != nil {
		return fmt.Errorf("%w: %w", runtime.ErrCannot, err)
	}
	r.rootless.Store(has(info, "name=rootless"))
	r.memory.Store(info.MemTotal)
	if err := r.Clean(ctx); err != nil {
		return err
	}
	r.prepared = true
	return nil
}

// Clean removes what other runs with the same Dir left: containers, the images that only they used, and sockets. It is done
// before the first Start as well.
func (r *Runtime) Clean(ctx context.Context) error {
	labels := client.Filters{}.Add("label", labelAll+"=1", labelOwner+"="+r.owner)
	list, err := r.engine.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: labels})
	if err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	for _, c := range list.Items {
		if c.Labels[labelRun] == r.run {
			continue
		}
		if err := r.removeContainer(ctx, c.ID); err != nil {
			return fmt.Errorf("clean up: %w", err)
		}
		r.removeImage(ctx, c.ImageID)
	}
	sockets := filepath.Join(r.Dir, "sockets")
	left, _ := os.ReadDir(sockets)
	for _, d := range left {
		if !strings.HasPrefix(d.Name(), r.run+"-") {
			err = errors.Join(err, os.RemoveAll(filepath.Join(sockets, d.Name())))
		}
	}
	if err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	return nil
}
