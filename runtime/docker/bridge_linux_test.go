package docker

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	goruntime "runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"barnraise/runtime/suite"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"
)

// Why there is no network at all rather than an internal one: on a bridge that docker calls internal, a service that is
// hardened in every other way reaches whatever the machine listens on.
func TestInternalBridgeReachesTheHost(t *testing.T) {
	if _, err := exec.LookPath("iptables"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("this test needs iptables, as Docker's bridges do: install it")
		}
		t.Skip("this test needs iptables, as Docker's bridges do")
	}
	// The engine is in a network namespace of its own, which is the machine here, and takes its rules with it when it ends.
	d := newDockerd(t, "{}", []string{"unshare", "--net", "sh", "-c", `ip link set lo up; exec "$@"`, "sh"})
	r := newRuntime(t, Config{Host: d.host})
	spec := hostile(t, r.Images, oddity{})
	source := sourceOf(t, r, spec)
	if err := r.hold(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	defer r.release(context.Background(), source)
	_, err := r.engine.NetworkCreate(t.Context(), "inside", client.NetworkCreateOptions{Driver: "bridge", Internal: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.engine.NetworkRemove(context.Background(), "inside", client.NetworkRemoveOptions{}) }()
	made, err := r.engine.NetworkInspect(t.Context(), "inside", client.NetworkInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	host := gateway(t, made.Network)
	port, came := listen(t, d.process.Process.Pid)
	for name, reaches := range map[string]bool{"inside": true, "none": false} {
		c := boot(t, r, source, name)
		param := fmt.Sprintf("tcp %s:%d", host, port)
		request := []byte(`{"jsonrpc":"2.0","id":1,"method":"try","params":["` + param + `"]}`)
		answer, _, _, err := c.line.call(t.Context(), time.Now().Add(10*time.Second), request, 1000)
		if err != nil || strings.Contains(string(answer), "done") != reaches {
			t.Errorf("on network %s, %s: %s, %v", name, param, answer, err)
		}
		select {
		case <-came:
			if !reaches {
				t.Errorf("on network %s it came to the host", name)
			}
		case <-time.After(100 * time.Millisecond):
			if reaches {
				t.Errorf("on network %s it did not come to the host", name)
			}
		}
	}
}

func gateway(t *testing.T, n network.Inspect) string {
	t.Helper()
	for _, c := range n.IPAM.Config {
		if c.Gateway.IsValid() {
			return c.Gateway.String()
		}
	}
	t.Fatalf("network without a gateway: %+v", n.IPAM)
	return ""
}

// boot runs the service on a network as no service ever is.
func boot(t *testing.T, r *Runtime, s source, network string) *container {
	t.Helper()
	c := &container{service: &service{runtime: r, source: s, limits: suite.Limits, spent: &spent{}}, name: r.name(), line: &line{}}
	c.over, c.ends = make(chan struct{}), make(chan error, 1)
	t.Cleanup(func() {
		if err := c.remove(context.Background()); err != nil {
			t.Error(err)
		}
	})
	err := c.create(t.Context(), network)
	if err == nil {
		err = r.start(t.Context(), c.name)
	}
	if err == nil {
		c.watch()
		err = c.enter(t.Context())
	}
	if err == nil {
		err = c.await(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// listen listens on every address of the namespace that the process is in, and says when somebody comes.
func listen(t *testing.T, pid int) (port int, came chan struct{}) {
	t.Helper()
	space, err := os.Open("/proc/" + strconv.Itoa(pid) + "/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer space.Close()
	var listener net.Listener
	done := make(chan struct{})
	go func() {
		defer close(done)
		goruntime.LockOSThread()
		if err = unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); err == nil {
			listener, err = net.Listen("tcp4", "0.0.0.0:0")
		}
	}()
	if <-done; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	came = make(chan struct{}, 10)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			c.Close()
			came <- struct{}{}
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port, came
}
