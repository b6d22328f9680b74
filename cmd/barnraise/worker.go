package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"barnraise/image"
	"barnraise/manifest"
	"barnraise/runtime"
	"barnraise/runtime/docker"
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
