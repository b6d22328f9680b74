package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"barnraise/runtime"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"
)

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
	x.Rootless, x.Seccomp = has(info, "rootless"), has(info, "seccomp")
	for name := range info.Runtimes {
		x.Runtimes = append(x.Runtimes, name)
		x.Runsc = x.Runsc || strings.Contains(name, "runsc")
	}
	slices.Sort(x.Runtimes)
	err = fitting(info, r.Runtime)
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
	return slices.ContainsFunc(info.SecurityOptions, func(o string) bool { return strings.HasPrefix(o, "name="+option) })
}

// fitting fails with ErrCannot where the engine cannot keep a service within its limits.
func fitting(info system.Info, ociRuntime string) error {
	var reason string
	switch {
	case info.OSType != "linux":
		reason = "it runs no Linux containers"
	case !info.MemoryLimit || !info.PidsLimit || !info.CPUCfsQuota:
		reason = "it cannot bound memory, processes and processor time; enable these cgroup controllers, " +
			"and delegate them to the user of a rootless engine"
	case !has(info, "seccomp") && ociRuntime == "":
		reason = "it has no seccomp; use an engine with it, or runsc"
	case ociRuntime != "":
		if _, ok := info.Runtimes[ociRuntime]; !ok {
			reason = fmt.Sprintf("it has no runtime %.40q; add it to the engine's daemon.json", ociRuntime)
		}
	}
	if reason == "" {
		return nil
	}
	return fmt.Errorf("%w: engine %s: %s", runtime.ErrCannot, info.ServerVersion, reason)
}

// prepare is done before the first start: it looks at the engine, and removes what earlier runs left.
func (r *Runtime) prepare(ctx context.Context) error {
	r.first.Lock()
	defer r.first.Unlock()
	if r.prepared {
		return nil
	}
	info, err := r.info(ctx)
	if err == nil {
		err = fitting(info, r.Runtime)
	}
	if err != nil {
		return err
	}
	r.rootless.Store(has(info, "rootless"))
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
