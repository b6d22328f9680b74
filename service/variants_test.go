package service_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"barnraise/service"
	"barnraise/service/servicetest"
	"barnraise/wasm"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// Protocol 2.1: all variants answer every request with the same bytes.
func TestVariantsAgree(t *testing.T) {
	p := servicetest.Start(t, "testdata/echo")
	requests := []string{
		wire("echo", `{"value":{"b":1,"a":[1.50,"<\u0041>","é"]}}`), wire("echo", `[null]`), wire("echo", `[1,2]`),
		wire("echo", `["`+strings.Repeat("x", 1<<20)+`"]`), wire("echo", `{"value":1,"value":2}`), wire("echo", `{"valeu":"\u2028\ud83d\ude00"}`),
		wire("repeat", `["ab",3]`), wire("repeat", `{"text":"ab"}`), wire("repeat", `["abcdefgh",262144]`), wire("repeat", `["a",-1]`),
		wire("repeat", `{"text":3}`), wire("repeat", `{"text":"a","times":1.5}`), wire("repeat", `{"text":null}`), wire("repeat", `{}`),
		wire("count", `["the quick brown fox jumps over the lazy dog, ünïcödé and 日本語"]`), wire("refuse", `[]`), wire("crash", `[]`),
		wire("rpc.discover", `{}`), wire("nothing", `[]`), ``, `{`, `[]`, `{"jsonrpc":"2.0","method":"echo"}`, "\xff",
		`{"jsonrpc":"2.0","id":{},"method":"echo"}`, `{"method":"repeat","params":["é"],"id":"\u00e9","jsonrpc":"2.0"}`,
	}
	p.Agree(t, requests)
	for _, e := range p.Reactor.Info().Exports {
		if !slices.Contains([]string{"memory", "alloc", "handle", "warm", "_initialize"}, e.Name) {
			t.Errorf("the reactor exports %s, which no host asks for", e.Name)
		}
	}
	t.Run("command", func(t *testing.T) { checkCommand(t, p, requests) })
	t.Run("memory", func(t *testing.T) { checkMemory(t) })
	t.Run("SIGTERM", func(t *testing.T) { checkDrain(t, p) })
}

func wire(method, params string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"%s","params":%s}`, method, params)
}

// checkCommand: protocol 2.3, or a command that reads one request on stdin and writes one response on stdout.
func checkCommand(t *testing.T, p *servicetest.Program, requests []string) {
	code := servicetest.Compile(t, servicetest.Build(t, "testdata/echo", "wasip1"))
	run := func(request string) (string, error) {
		m, err := code.Instantiate(t.Context(), wasm.IO{Stdin: []byte(request), MaxStdout: 4 << 20})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = m.Close(t.Context()) }()
		out, err := m.Run(t.Context())
		return string(out), err
	}
	for _, request := range requests {
		if out, err := run(request); err != nil || out != string(p.Post(t, request)) {
			t.Errorf("%.200q\nas a command wasip1 answers %.200q, %v", request, out, err)
		}
	}
	if out, err := run(strings.Repeat(" ", service.MaxRequest+1)); out != "" || !errors.Is(err, wasm.ErrExit) {
		t.Errorf("a request too long is answered %.200q, %v", out, err)
	}
}

// checkMemory holds the reactor to its own memory: what it did not give out it does not read, and requests stay what they
// were while others are handled and garbage is collected. It looks into the memory, so it needs an engine that lets it.
func checkMemory(t *testing.T) {
	code, err := os.ReadFile(servicetest.Build(t, "testdata/echo", "wasip1", "-buildmode=c-shared"))
	if err != nil {
		t.Fatal(err)
	}
	engine := wazero.NewRuntime(t.Context())
	defer func() { _ = engine.Close(t.Context()) }()
	wasi_snapshot_preview1.MustInstantiate(t.Context(), engine)
	m, err := engine.InstantiateWithConfig(t.Context(), code, wazero.NewModuleConfig().WithStartFunctions("_initialize"))
	if err != nil {
		t.Fatal(err)
	}
	call := func(name string, args ...uint64) uint64 {
		got, err := m.ExportedFunction(name).Call(t.Context(), args...)
		if err != nil {
			t.Fatalf("%s%v: %v", name, args, err)
		}
		return got[0]
	}
	put := func(request string) uint64 {
		at := call("alloc", uint64(len(request)))
		if at == 0 || !m.Memory().Write(uint32(at), []byte(request)) {
			t.Fatalf("alloc(%d) gives %#x", len(request), at)
		}
		return at
	}
	if at := call("alloc", service.MaxRequest+1); at != 0 {
		t.Errorf("alloc of more than a request gives %#x", at)
	}
	given := call("alloc", 10)
	for _, args := range [][2]uint64{{0, 0}, {given + 1, 1}, {given, 11}, {1 << 31, 10}, {given, 1<<32 - 1}} {
		if got := call("handle", args[0], args[1]); got != 0 {
			t.Errorf("handle%v gives %#x, want 0", args, got)
		}
	}
	kept := wire("repeat", `["kept",1]`)
	at := put(kept)
	for range 20 {
		other := wire("repeat", `["abcdefgh",65536]`)
		if got := call("handle", put(other), uint64(len(other))); uint32(got) < 1<<19 {
			t.Fatalf("handle gives %#x", got)
		}
	}
	if still, ok := m.Memory().Read(uint32(at), uint32(len(kept))); !ok || string(still) != kept {
		t.Errorf("a request became %q before it was handled", still)
	}
	got := call("handle", at, uint64(len(kept)))
	answer, _ := m.Memory().Read(uint32(got>>32), uint32(got))
	if want := `{"jsonrpc":"2.0","id":1,"result":"kept"}`; string(answer) != want {
		t.Errorf("answered %q, want %q", answer, want)
	}
	if got := call("handle", at, uint64(len(kept))); got != 0 {
		t.Errorf("handle reads memory it gave back: %#x", got)
	}
}

// checkDrain: protocol 2.2, leaves on SIGTERM; calls in flight are finished first. A call is in flight for certain once the
// server asks for its body.
func checkDrain(t *testing.T, p *servicetest.Program) {
	address := strings.TrimPrefix(p.URL, "http://")
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	request := wire("repeat", `["slow",2]`)
	_, err = fmt.Fprintf(connection, "POST / HTTP/1.1\r\nHost: echo\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(request))
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(connection)
	if line, err := lines.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("answered %q, %v", line, err)
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	awaitRefusal(t, address)
	if _, err := io.WriteString(connection, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(lines)
	if want := `{"jsonrpc":"2.0","id":1,"result":"slowslow"}`; err != nil || !bytes.HasSuffix(answer, []byte(want)) {
		t.Errorf("the call in flight was answered %q, %v, want %q", answer, err, want)
	}
	select {
	case err := <-p.Exited:
		if err != nil {
			t.Errorf("left with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("did not leave within 20 s after SIGTERM")
	}
}

func awaitRefusal(t *testing.T, address string) {
	for deadline := time.Now().Add(20 * time.Second); ; {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		_ = connection.Close()
		if time.Now().After(deadline) {
			t.Fatal("still takes connections 20 s after SIGTERM")
		}
	}
}
