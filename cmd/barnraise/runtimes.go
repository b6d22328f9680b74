package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"

	"barnraise/image"
	"barnraise/runtime"
	"barnraise/runtime/docker"
	runwasm "barnraise/runtime/wasm"
	"barnraise/server"
)

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
			if err := d.Clean(ctx); err != nil { // it may be long until somebody starts anything there
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
		if !errors.Is(err, errHeld) {
			return nil, nil, err
		}
		if n == maxLabs {
			return nil, nil, fmt.Errorf("find a place to run services in: %d commands do so already; wait until one has ended", n)
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
