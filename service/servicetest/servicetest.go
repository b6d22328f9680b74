// Package servicetest runs a service program the way hosts do, for the tests of its author: the linux variant as a process
// that is called over HTTP, and the wasip1 variant as a reactor with fuel and the pinned system interface. The variants of an
// image are meant to answer every request with the same bytes (protocol 2.1); [Program.Agree] holds them to it.
package servicetest

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"barnraise/wasm"
)

// limits are wide enough for an instance that answers a few thousand calls, and narrow enough that none runs forever.
var limits = wasm.Limits{Fuel: 1e12, Memory: 2 << 30, Stack: wasm.ServiceStack, Snapshots: true}

// Program is a service program in both its variants. It ends with the test.
type Program struct {
	URL     string       // of the linux variant
	Process *os.Process  // the linux variant
	Exited  <-chan error // gets what the process left with, once
	Reactor *wasm.Module
}

// Start builds the main package in dir with the toolchain that runs the test, as it is built for an image, and starts it.
// Further flags of go build, such as an overlay, go to both variants. The test fails where any of this does.
func Start(t testing.TB, dir string, flags ...string) *Program {
	t.Helper()
	exited := make(chan error, 1)
	p := &Program{Exited: exited}
	p.Reactor = Compile(t, Build(t, dir, "wasip1", append([]string{"-buildmode=c-shared"}, flags...)...))

	command := exec.Command(Build(t, dir, "linux", flags...))
	command.Env = []string{"PORT=0"}
	talk, err := command.StderrPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	p.Process = command.Process
	t.Cleanup(func() { _ = p.Process.Kill() })
	lines := bufio.NewReader(talk)
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("the program said %q and no more: %v", line, err)
	}
	_, p.URL, _ = strings.Cut(strings.TrimSpace(line), "listening on ")
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		exited <- command.Wait()
	}()
	return p
}

// Build compiles the main package in dir, with the flags for images and further ones. The target is wasip1, or else this
// machine.
func Build(t testing.TB, dir, target string, flags ...string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "program")
	args := append([]string{"build", "-trimpath", "-ldflags=-s -w -buildid=", "-o", file}, flags...)
	command := exec.Command("go", append(args, ".")...)
	command.Dir = dir
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if target == "wasip1" {
		command.Env = append(command.Env, "GOOS=wasip1", "GOARCH=wasm")
	}
	if said, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go %s in %s: %v\n%s", strings.Join(args, " "), dir, err, said)
	}
	return file
}

// Compile makes a module ready to run. The test fails where no host would take it.
func Compile(t testing.TB, file string) *wasm.Module {
	t.Helper()
	code, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := wasm.NewEngine("")
	if err != nil {
		t.Fatal(err)
	}
	module, err := engine.Compile(t.Context(), code, wasm.ServiceCaps(), limits)
	if err != nil {
		t.Fatal(err)
	}
	return module
}

// Post asks the linux variant.
func (p *Program) Post(t testing.TB, request string) []byte {
	t.Helper()
	response, err := http.Post(p.URL, "application/json", strings.NewReader(request))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("POST %.100s: %d %s, %v", request, response.StatusCode, body, err)
	}
	return body
}

// Instance is one instance of the reactor.
type Instance struct{ instance *wasm.Instance }

// Instance makes a fresh one, as a host does for every request.
func (p *Program) Instance(t testing.TB) Instance {
	t.Helper()
	instance, err := p.Reactor.Instantiate(t.Context(), wasm.IO{})
	if err != nil {
		t.Fatal(err)
	}
	return Instance{instance}
}

// Call asks the instance.
func (i Instance) Call(t testing.TB, request string) []byte {
	t.Helper()
	response, err := i.instance.Exchange(t.Context(), "handle", []byte(request), 32<<20)
	if err != nil {
		t.Fatalf("handle %.100s: %v", request, err)
	}
	return response
}

// Fuel is what the instance has used so far.
func (i Instance) Fuel() uint64 { return i.instance.FuelUsed() }

// Close frees the instance.
func (i Instance) Close(t testing.TB) { _ = i.instance.Close(t.Context()) }

// Agree asks the process, a fresh instance, one that was kept when it had been warmed, and one instance that answers all requests
// one after the other. The test goes on and fails where their answers differ in a byte.
func (p *Program) Agree(t testing.TB, requests []string) {
	t.Helper()
	kept := p.Instance(t)
	defer kept.Close(t)
	warm := p.Warm(t)
	for _, request := range requests {
		want := p.Post(t, request)
		fresh := p.Instance(t)
		if got := fresh.Call(t, request); !bytes.Equal(got, want) {
			t.Errorf("%.200q\n linux answers %.200q\nwasip1 answers %.200q", request, want, got)
		}
		fresh.Close(t)
		if got := warm.Call(t, request); !bytes.Equal(got, want) {
			t.Errorf("%.200q\n linux answers %.200q\nwasip1, once warm, answers %.200q", request, want, got)
		}
		if got := kept.Call(t, request); !bytes.Equal(got, want) {
			t.Errorf("%.200q\n linux answers %.200q\nwasip1, not for the first time, answers %.200q", request, want, got)
		}
	}
}
