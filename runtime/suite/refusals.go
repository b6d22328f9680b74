package suite

import (
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"barnraise/runtime"
)

// What a service may not, each of it asked for.
func testRefusals(t *testing.T, f *fixture) {
	all := append(outside(t), within()...)
	i := f.start(t, Limits)
	for _, what := range all {
		want(t, i, "try", what, `"refused"`)
	}
	f.asNew(t, i)
}

// outside is whom it may not reach: this machine under each of its addresses, on a listener that all may reach, the bridge of
// a container engine, others in the world, and a socket of another service.
func outside(t *testing.T) (all []string) {
	reached := func(l net.Listener, err error) net.Listener {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				t.Errorf("somebody came to %s", l.Addr())
				c.Close()
			}
		}()
		return l
	}
	listener := reached(net.Listen("tcp4", "0.0.0.0:0"))
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	hosts := []string{"127.0.0.1", "172.17.0.1", "host.docker.internal", "192.0.2.1", "1.1.1.1"}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
			hosts = append(hosts, n.IP.String())
		}
	}
	for _, host := range hosts {
		all = append(all, "tcp "+net.JoinHostPort(host, port))
	}
	socket := filepath.Join(t.TempDir(), "s")
	reached(net.Listen("unix", socket))
	return append(all, "udp 1.1.1.1:53", "resolve example.com", "resolve host.docker.internal", "unix "+socket,
		"unix /var/run/docker.sock", "unix /run/docker.sock", "unix /run/containerd/containerd.sock")
}

// within is what it may not change, see or become.
func within() []string {
	return []string{
		"write /x", "write /svc", "write /etc/passwd", "write /etc/hosts", "write /etc/resolv.conf", "write /etc/hostname",
		"write /var/tmp/x", "write /run/x", "write /dev/x", "write /dev/shm/x", "write /dev/mqueue/x", "make /x", "remove /svc",
		"write /proc/sysrq-trigger", "write /proc/sys/kernel/core_pattern", "write /proc/sys/kernel/hostname",
		"write /proc/sys/net/ipv4/ip_forward", "write /proc/self/uid_map",
		"write /sys/kernel/mm/transparent_hugepage/enabled", "write /sys/fs/cgroup/x", "make /sys/fs/cgroup/x",
		"make /sys/fs/cgroup/memory/x", "write /sys/fs/cgroup/memory/memory.limit_in_bytes", "read /proc/kcore",
		"read /dev/mem", "read /etc/shadow", "mount /tmp", "unshare", "root", "raw", "execute",
	}
}

// How much it may take, where it may take any.
func testBounds(t *testing.T, f *fixture) {
	i := f.start(t, Limits)
	for method, most := range map[string]int{"fill": 16 << 20, "fork": 100} {
		if n := number(t, i, method); n > most {
			t.Errorf("%s came to %d, at most %d", method, n, most)
		}
		f.asNew(t, i)
	}
	want(t, i, "shout", "", "true")
	f.asNew(t, i)
}

func number(t *testing.T, i runtime.Instance, method string) int {
	t.Helper()
	got, err := i.Call(t.Context(), request("1", method, ""))
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	_, rest, _ := strings.Cut(string(got), `"result":`)
	n, err := strconv.Atoi(strings.TrimSuffix(rest, "}"))
	if err != nil {
		t.Fatalf("%s answers %s", method, got)
	}
	return n
}

// Where there are users and rights, it is nobody and has none.
func testWho(t *testing.T, f *fixture) {
	i := f.start(t, Limits)
	who := `""`
	if strings.HasPrefix(f.subject.Platform, "linux/") {
		const none = " 0000000000000000; "
		who = `"Uid 65534 65534 65534 65534; Gid 65534 65534 65534 65534; CapInh` + none + "CapPrm" + none + "CapEff" + none +
			"CapBnd" + none + "CapAmb" + none + `NoNewPrivs 1; Seccomp 2"`
	}
	want(t, i, "who", "", who)
}
