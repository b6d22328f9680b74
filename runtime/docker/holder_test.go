package docker

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"barnraise/image"
	"barnraise/runtime"
	"barnraise/runtime/suite"
)

// forwarder builds the program that runs in holders, static as it must be.
func forwarder(t testing.TB) []string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "forwarder")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, "./testdata/forwarder")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if b, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return []string{out, "forward"}
}

func TestSuiteThroughHolder(t *testing.T) {
	if testing.Short() {
		t.Skip("the suite runs in namespaces too")
	}
	command := forwarder(t)
	suite.Run(t, suite.Subject{
		Platform: platform(), Keeps: true,
		New: func(t testing.TB, images *image.Store) runtime.Runtime {
			return newRuntime(t, Config{Images: images, Dial: Holder, Forwarder: command})
		},
	})
}

// A service that joins its holder's namespace sees what it would see in one of its own.
func TestSurroundingsThroughHolder(t *testing.T) {
	r := newRuntime(t, Config{Dial: Holder, Forwarder: forwarder(t), Warm: 1})
	spec := hostile(t, r.Images, oddity{})
	for _, name := range []string{"service", "elsewhere"} {
		if name != "service" {
			spec.Around.Hostname = name
		}
		i := start(t, r, spec)
		for _, c := range [][3]string{
			{"hostname", "", `"` + name + `"`}, {"getenv", "HOSTNAME", `"` + name + `"`},
			{"file", "/etc/resolv.conf", `"nameserver 127.0.0.1"`}, {"file", "/socket/s", `""`},
		} {
			if got, err := call(i, c[0], c[1]); got != c[2] || err != nil {
				t.Errorf("%v: %s, %v", c, got, err)
			}
		}
		stop(t, i)
	}
}

func TestForward(t *testing.T) {
	target, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	go func() { // says back what it heard, when all is said
		for {
			c, err := target.Accept()
			if err != nil {
				return
			}
			b, _ := io.ReadAll(c)
			_, _ = c.Write(b)
			c.Close()
		}
	}()
	socket := filepath.Join(short(t), "s")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- Forward(ctx, socket, target.Addr().String()) }()
	for range maxForward + 10 { // more than there may be at once
		c, err := dialEventually(t, socket)
		if err == nil {
			_, err = c.Write([]byte("hello"))
		}
		if err == nil {
			err = c.CloseWrite()
		}
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(c); string(b) != "hello" || err != nil {
			t.Errorf("%q, %v", b, err)
		}
		c.Close()
	}
	open, err := dialEventually(t, socket)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if b, err := io.ReadAll(open); len(b) > 0 || err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("%q, %v", b, err)
	}
	if err := Forward(t.Context(), filepath.Join(t.TempDir(), "no", "s"), "127.0.0.1:1"); err == nil {
		t.Error("forwards from where nothing can be")
	}
}

func dialEventually(t *testing.T, socket string) (c *net.UnixConn, err error) {
	t.Helper()
	eventually(t, 5e9, "a connection", func() bool {
		var any net.Conn
		if any, err = net.Dial("unix", socket); err == nil {
			c = any.(*net.UnixConn)
		}
		return err == nil
	})
	return c, err
}

func TestCheckForwarder(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		command []string
		says    string
	}{
		{forwarder(t), ""}, {nil, "none is configured"}, {[]string{text}, "program for Linux"}, {[]string{"/bin/sh"}, "CGO_ENABLED=0"},
		{[]string{filepath.Join(t.TempDir(), "none")}, "no such file"},
	} {
		err := checkForwarder(c.command)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v, want %q", c.command, err, c.says)
		}
	}
}

// Where there can be no holder, another runtime may have a variant that runs.
func TestHolders(t *testing.T) {
	for name, c := range map[string]struct {
		forwarder []string
		dir, says string
	}{
		"spaces and colons": {forwarder(t), "a b:c", ""}, "a long name": {forwarder(t), strings.Repeat("x", 100), "shorter"},
		"no forwarder": {nil, "", "none is configured"},
	} {
		r := newRuntime(t, Config{Dial: Holder, Forwarder: c.forwarder, Dir: filepath.Join(short(t), c.dir)})
		i, err := r.Start(t.Context(), hostile(t, r.Images, oddity{}))
		if i != nil {
			stop(t, i)
		}
		if (err == nil) != (c.says == "") || err != nil && (!errors.Is(err, runtime.ErrCannot) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}
