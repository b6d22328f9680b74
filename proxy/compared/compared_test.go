// Package compared holds nothing but tests: a verified call through the proxy beside a plain one, beside what passes on without a
// look, and beside a comparison by hand. What comes of it stands in docs/performance.md.
package compared

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"barnraise/proxy"
)

// role, in the environment, makes this program one of the processes that are compared.
const role = "BARNRAISE_COMPARED"

// setup is what such a process gets on its standard input.
type setup struct {
	Stub      int      // a stub's number, 1 for the first
	Upstreams []string // URLs of the stubs
	Signed    bool     // receipts are signed, and checked
	Policy    string
	Service   string // "#1" under compare, "#2" under spot
	Fresh     bool   // the servers are strangers; else they are known
	Cache     string // directory
	GC        int    // per cent; Go's own without it
	Standard  bool   // requests go through net/http's transport
}

func TestMain(m *testing.M) {
	if r := os.Getenv(role); r != "" {
		in := bufio.NewReader(os.Stdin)
		line, err := in.ReadBytes('\n')
		var s setup
		if err == nil {
			err = json.Unmarshal(line, &s)
		}
		if err == nil {
			go func() {
				_, _ = io.Copy(io.Discard, in)
				os.Exit(0) // whoever began this is gone
			}()
			err = play(r, s)
		}
		fmt.Fprintln(os.Stderr, r, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// play is the life of a process that is compared.
func play(r string, s setup) error {
	var h http.Handler
	var err error
	if s.GC > 0 {
		debug.SetGCPercent(s.GC)
	}
	switch r {
	case "stub":
		h = newStub(s)
	case "reverse":
		h, err = reverse(s)
	case "twice":
		h = newTwice(s)
	case "floor", "bare floor":
		h, err = newFloor(s)
	case "call":
		h, err = newCall(s)
	case "proxy":
		h, err = newProxy(s)
	default:
		return fmt.Errorf("no such role")
	}
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if stub, ok := h.(*stub); ok {
		stub.url = "http://" + l.Addr().String()
	}
	fmt.Println(l.Addr())
	if r == "bare floor" {
		return h.(*floor).serve(l)
	}
	if p, ok := h.(*proxy.Proxy); ok {
		return p.Run(context.Background(), l, nil)
	}
	return http.Serve(l, h)
}

// process is one that is compared.
type process struct {
	address string
	command *exec.Cmd
	in      io.Closer
	pid     int // that does the work
}

// start starts one and returns once it listens.
func start(t testing.TB, r string, s setup) *process {
	t.Helper()
	p := &process{command: exec.Command(os.Args[0])}
	p.command.Env = append(os.Environ(), role+"="+r)
	p.command.Stderr = os.Stderr
	in, err := p.command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	p.in, p.pid = in, p.command.Process.Pid
	t.Cleanup(p.stop)
	line, _ := json.Marshal(s)
	if _, err := in.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s does not begin: %v", r, err)
	}
	p.address = strings.TrimSpace(address)
	return p
}

func (p *process) stop() {
	p.in.Close()
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
}

// ticks is the processor time that a process has taken, in hundredths of a second.
func ticks(t testing.TB, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return user + system
}

// resident is how much memory a process has, in MB.
func resident(t testing.TB, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	pages, _ := strconv.Atoi(strings.Fields(string(b))[1])
	return pages * os.Getpagesize() >> 20
}

// answering waits until a server takes connections.
func answering(t testing.TB, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			c.Close()
			return
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
