package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"barnraise"
	"barnraise/image"
	"barnraise/registry/evm/signer"
	"barnraise/runtime/worker"
	"barnraise/server"

	"github.com/spf13/cobra"
)

// A symptom is what doctor has seen of one thing.
type symptom struct {
	Name   string `json:"name"`
	Status string `json:"status"` // ok, note where something is worth knowing, or bad where a server cannot do without
	Detail string `json:"detail"`
}

// The states of a symptom.
const (
	fine = "ok"
	note = "note"
	bad  = "bad"
)

// diagnosis is what doctor prints.
type diagnosis struct {
	OK       bool      `json:"ok"` // nothing is bad
	Findings []symptom `json:"findings"`
}

func (d *diagnosis) add(name, status, format string, args ...any) {
	d.Findings = append(d.Findings, symptom{name, status, fmt.Sprintf(format, args...)})
}

// found adds a symptom that is bad where there is an error.
func (d *diagnosis) found(name string, err error, format string, args ...any) {
	if err != nil {
		d.add(name, bad, "%v", err)
		return
	}
	d.add(name, fine, format, args...)
}

func (d *diagnosis) text(w io.Writer) {
	for _, f := range d.Findings {
		fmt.Fprintf(w, "%-4s  %-10s %s\n", f.Status, f.Name, strings.ReplaceAll(f.Detail, "\n", "; "))
	}
}

var errUnwell = errors.New("something is missing: see what is marked bad")

func (a *app) doctor() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine can run services with, and what is wrong",
		Long: `Doctor looks at what runs services on this machine, Docker and wasm, says which of them a server takes for what, and how they
are confined. With --config it looks at everything that a server needs besides: its files, its directory, its network, and its
entry in the registry. It changes nothing, and exits 1 where a server could not run.`,
		RunE: func(c *cobra.Command, _ []string) error {
			config := server.Config{Runtime: server.RuntimeAuto}
			var d diagnosis
			if file != "" {
				read, err := server.ReadConfig(file)
				if d.found("config", err, "%s", file); err != nil {
					return a.diagnosed(d)
				}
				config = read
			}
			a.examineRuntimes(c.Context(), &d, config)
			if file != "" {
				a.examineServer(c.Context(), &d, config)
			}
			return a.diagnosed(d)
		},
	}
	c.Flags().StringVar(&file, "config", "", "a server's configuration")
	return c
}

func (a *app) diagnosed(d diagnosis) error {
	d.OK = !slices.ContainsFunc(d.Findings, func(f symptom) bool { return f.Status == bad })
	if err := a.print(d, d.text); err != nil || d.OK {
		return err
	}
	return errUnwell
}

// examineRuntimes says what services can be run with.
func (a *app) examineRuntimes(ctx context.Context, d *diagnosis, c server.Config) {
	linux := a.examineDocker(ctx, d, c)
	if c.Runtime != server.RuntimeDocker {
		_, err := a.engine()
		d.found("wasm", err, "runs %s variants; needs nothing else", image.Wasm)
	}
	switch {
	case c.Runtime == server.RuntimeAuto && linux != "":
		d.add("runtime", fine, "auto: an image's %s variant in Docker where it has one, else its %s variant", linux, image.Wasm)
	case c.Runtime == server.RuntimeAuto:
		d.add("runtime", fine, "auto: an image's %s variant, since there is no Docker to use; images without one are not run", image.Wasm)
	default:
		d.add("runtime", fine, "%s, as configured", c.Runtime)
	}
	switch {
	case !worker.Confines():
		d.add("confined", note, "this kernel has no Landlock: the process that runs services can read this user's files")
	case linux != "":
		d.add("confined", note, "the process that runs services speaks to Docker, so the kernel does not confine it to its own files")
	default:
		d.add("confined", fine, "by Landlock: the process that runs services sees no files but its own")
	}
}

// examineDocker returns the platform that containers run, empty where none do.
func (a *app) examineDocker(ctx context.Context, d *diagnosis, c server.Config) string {
	if c.Runtime == server.RuntimeWasm {
		return ""
	}
	missing := note
	if c.Runtime == server.RuntimeDocker {
		missing = bad
	}
	dir, err := os.MkdirTemp("", "barnraise-doctor")
	if err != nil {
		d.add("docker", missing, "%v", err)
		return ""
	}
	defer os.RemoveAll(dir)
	images, err := image.Open(filepath.Join(dir, "images"))
	if err != nil {
		d.add("docker", missing, "%v", err)
		return ""
	}
	r, err := dockerRuntime(c.Docker, images, dir)
	if err != nil {
		d.add("docker", missing, "%v", err)
		return ""
	}
	x, err := r.Explain(ctx)
	if err != nil {
		d.add("docker", missing, "%v", err)
		return ""
	}
	rootless := ""
	if x.Rootless {
		rootless = ", rootless"
	}
	d.add("docker", fine, "%s%s, API %s, %s, cgroup v%s, runtimes %s; services are dialled by way of: %s",
		x.Engine, rootless, x.API, x.Storage, x.Cgroup, strings.Join(x.Runtimes, " "), x.Dial)
	for _, platform := range r.Platforms(ctx) {
		return platform
	}
	return ""
}

// examineServer looks at what a server needs besides.
func (a *app) examineServer(ctx context.Context, d *diagnosis, c server.Config) {
	key, err := server.ReadKey(c.Key)
	if errors.Is(err, os.ErrNotExist) {
		d.add("key", note, "%s is not there: serve and servers register make it", c.Key)
	} else {
		d.found("key", err, "%s", c.Key)
	}
	if c.Next.Key != "" {
		if _, err := server.ReadKey(c.Next.Key); err != nil {
			d.add("next", note, "%v: the key that is to come is not taken up like that", err)
		} else {
			d.add("next", fine, "%s, once the registry shows it", c.Next.Key)
		}
	}
	if c.Account == "" {
		d.add("account", note, "none: what runs here is not announced on chain; do it with: barnraise servers set")
	} else {
		account, err := signer.Address(c.Account, a.password(c.Password))
		if err != nil {
			d.add("account", bad, "%v", err)
		} else {
			d.add("account", fine, "%s", account)
		}
	}
	d.found("data", writable(c.Data), "%s", c.Data)
	if c.Network != "" && a.network == "" {
		a.network = c.Network
	}
	network, err := a.readNetwork()
	if err != nil {
		d.add("network", bad, "%v", err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	reader, err := a.dial(ctx, network)
	if err != nil {
		d.add("network", bad, "%v", err)
		return
	}
	defer reader.Close()
	snapshot, err := reader.Snapshot(ctx)
	if d.found("network", err, "%s answers", network.Chain); err != nil {
		return
	}
	d.add("block", fine, "%d, with %d services and %d servers", snapshot.Block, len(snapshot.Services()), len(snapshot.Servers()))
	if key != nil {
		id, err := registered(snapshot, c)
		d.found("registry", err, "server %d is this one", id)
	}
}

// registered finds the entry of a server.
func registered(s *barnraise.Snapshot, c server.Config) (barnraise.ServerID, error) {
	if v, ok := c.Find(s); ok {
		return v.ID, nil
	}
	return 0, fmt.Errorf("no server is registered with URL %s and this key: register it with: barnraise servers register", c.URL)
}

// writable tries to write into a directory, or where it is to be made, and leaves nothing behind.
func writable(dir string) error {
	for {
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) || filepath.Dir(dir) == dir {
			break
		}
		dir = filepath.Dir(dir)
	}
	f, err := os.CreateTemp(dir, ".doctor")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
