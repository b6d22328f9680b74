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
	"strings"
	"syscall"

	"barnraise/image"
	"barnraise/manifest"
	"barnraise/runtime"
	runwasm "barnraise/runtime/wasm"
	"barnraise/runtime/worker"
	"barnraise/server"

	"github.com/spf13/cobra"
)

// worker is the child that serve runs services in. It is not for people.
func (a *app) worker() *cobra.Command {
	var images, kind string
	var memory uint64
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
			r, err := a.runtimes(kind, store)
			if err != nil {
				return err
			}
			if err := confine(images, filepath.Dir(args[0])); err != nil {
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
	c.Flags().StringVar(&kind, "runtime", server.RuntimeAuto, "auto, wasm or docker")
	c.Flags().Uint64Var(&memory, "memory", worker.Share(), "bytes of memory that it may use")
	return c
}

// confine leaves the child the images, the place where it has its socket and keeps compiled code, and what it takes to speak
// to Docker: the kernel's view of processes, and the certificates of an engine elsewhere.
func confine(images, place string) error {
	read := []string{images, "/proc", "/sys/fs/cgroup"}
	if certificates := os.Getenv("DOCKER_CERT_PATH"); certificates != "" {
		read = append(read, certificates)
	}
	return worker.Confine(read, []string{place})
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
			os.Args[0], "worker", "--cache", place, "--images", filepath.Join(data, "images"), "--runtime", c.Runtime, "--memory", fmt.Sprint(uint64(memory)),
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

// runtimes are what this machine can run services with.
func (a *app) runtimes(kind string, images *image.Store) (runtime.Runtime, error) {
	var all runtime.Any
	if kind != server.RuntimeDocker {
		engine, err := a.engine()
		if err != nil {
			return nil, err
		}
		all = append(all, runwasm.New(runwasm.Config{Engine: engine, Images: images}))
	}
	return all, nil
}
