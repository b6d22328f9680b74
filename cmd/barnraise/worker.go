package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"syscall"

	"barnraise/image"
	"barnraise/manifest"
	"barnraise/runtime"
	"barnraise/runtime/docker"
	runwasm "barnraise/runtime/wasm"
	"barnraise/runtime/worker"
	"barnraise/server"

	"github.com/spf13/cobra"
)

// worker is the child that serve runs services in. It is not for people.
func (a *app) worker() *cobra.Command {
	var images string
	var memory uint64
	var config server.Config
	c := &cobra.Command{
		Use: "worker SOCKET", Short: "Run services for a server: what serve starts for itself", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			signal.Ignore(os.Interrupt, syscall.SIGTERM) // the parent says when, also where a terminal tells both of us
			if err := worker.Limit(memory); err != nil {
				return err
			}
			store, err := image.Open(images)
			if err != nil {
				return err
			}
			place := filepath.Dir(args[0])
			config.Budgets.Memory = manifest.Bytes(memory)
			r, err := a.runtimes(c.Context(), config, store, place)
			if err != nil {
				return err
			}
			if err := confine(c.Context(), r, images, place); err != nil {
				return err
			}
			l, err := net.Listen("unix", args[0])
			if err != nil {
				return err
			}
			fmt.Fprintln(a.out, "ready")
			return worker.Serve(context.Background(), l, os.Stdin, r)
		},
	}
	c.Flags().StringVar(&images, "images", "", "the directory of the images")
	c.Flags().StringVar(&config.Runtime, "runtime", server.RuntimeAuto, "auto, wasm or docker")
	c.Flags().StringVar(&config.Docker.Host, "docker-host", "", "the engine")
	c.Flags().StringVar(&config.Docker.Runtime, "docker-runtime", "", "the engine's runtime")
	c.Flags().Uint64Var(&memory, "memory", worker.Share(), "bytes of memory that it may use")
	return c
}

// confine leaves the child the images, the place where it has its socket and keeps compiled code, and what it takes to speak
// to an engine that may come later, whose containers it then reaches by way of holders: the kernel does not let what is confined
// enter their network. Where one answers already it takes nothing away: whoever may speak to an engine gets of it what he wants.
func confine(ctx context.Context, r runtime.Any, images, place string) error {
	if slices.ContainsFunc(r.Platforms(ctx), func(p string) bool { return p != image.Wasm }) {
		return nil
	}
	if worker.Confines() {
		holdAll(r)
	}
	return worker.Confine([]string{images, "/proc", "/sys/fs/cgroup", os.Getenv("DOCKER_CERT_PATH")}, []string{place})
}

// holdAll has containers dialled by way of a holder, by which one who is confined can.
func holdAll(all runtime.Any) {
	for _, r := range all {
		if d, ok := r.(*docker.Runtime); ok {
			d.Dial = docker.Holder
		}
	}
}

// openWorker starts the child. It takes of the environment what says where Docker's engine is, and nothing else.
func (a *app) openWorker(ctx context.Context, c server.Config, log *slog.Logger) (*worker.Runtime, error) {
	self, err := executable()
	if err != nil {
		return nil, err
	}
	memory := c.Budgets.Memory
	if memory == 0 {
		memory = manifest.Bytes(worker.Share())
	}
	data, err := filepath.Abs(c.Data)
	if err != nil {
		return nil, err
	}
	place := filepath.Join(data, "worker") // with a cache of its own: what lies there is machine code that others would run
	var env []string
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "DOCKER_") {
			env = append(env, v)
		}
	}
	return worker.Open(ctx, worker.Config{
		Program: self,
		Command: []string{
			os.Args[0], "worker", "--cache", place, "--images", filepath.Join(data, "images"), "--memory", fmt.Sprint(uint64(memory)),
			"--runtime", c.Runtime, "--docker-host", c.Docker.Host, "--docker-runtime", c.Docker.Runtime,
		},
		Env: env, Dir: place, Log: log,
	})
}

// executable is this program, also after its file was replaced by a newer one.
func executable() (string, error) {
	if goruntime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// runtimes are what this machine can run services with, the best first. What they keep lies below dir; what an earlier process
// left there is removed.
func (a *app) runtimes(ctx context.Context, c server.Config, images *image.Store, dir string) (runtime.Any, error) {
	var all runtime.Any
	if c.Runtime != server.RuntimeWasm {
		d, err := dockerRuntime(c.Docker, images, dir)
		if err != nil {
			return nil, err
		}
		if len(d.Platforms(ctx)) > 0 {
			if err := d.Clean(ctx); err != nil { // nobody may start anything in Docker for long
				a.say("%v", err)
			}
		}
		all = append(all, d)
	}
	if c.Runtime != server.RuntimeDocker {
		engine, err := a.engine()
		if err != nil {
			return nil, err
		}
		half := uint64(c.Budgets.Memory) / 2 // for one service; a memory that grows is there twice for a moment
		all = append(all, runwasm.New(runwasm.Config{Engine: engine, Images: images, Memory: half}))
	}
	return all, nil
}

// lab is what this machine can run services with for one command, which is to call done at its end. The engine's containers
// are known by their directory: of those that commands use at the same time each gets one of its own.
func (a *app) lab(ctx context.Context, images *image.Store) (r runtime.Runtime, done func(), err error) {
	cache, err := a.cacheDir()
	if err != nil {
		return nil, nil, err
	}
	var dir string
	for n := 0; ; n++ {
		dir = filepath.Join(cache, "lab", fmt.Sprint(n))
		if done, err = hold(ctx, dir); err == nil {
			break
		}
		if n == maxLabs {
			return nil, nil, fmt.Errorf("find a place to run services in: %w", err)
		}
	}
	if r, err = a.runtimes(ctx, server.Config{Runtime: server.RuntimeAuto}, images, dir); err != nil {
		done()
	}
	return r, done, err
}

// maxLabs is how many commands may run services at a time.
const maxLabs = 16

func dockerRuntime(c server.Docker, images *image.Store, dir string) (*docker.Runtime, error) {
	self, err := executable()
	if err != nil {
		return nil, err
	}
	return docker.New(docker.Config{
		Images: images, Dir: filepath.Join(dir, "docker"), Host: c.Host, Runtime: c.Runtime, Forwarder: []string{self, "forward"},
	})
}

// forward is what this program does in a container that holds a network namespace. It is not for people.
func (a *app) forward() *cobra.Command {
	return &cobra.Command{
		Use: "forward SOCKET ADDRESS", Short: "Connect a socket with an address: what runs beside a service's container", Hidden: true,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error { return docker.Forward(c.Context(), args[0], args[1]) },
	}
}
