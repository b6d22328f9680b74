package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"barnraise/runtime/worker"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"barnraise": main})
}

// TestScripts drives the real program by the stories in testdata.
func TestScripts(t *testing.T) {
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	goEnv, err := exec.Command("go", "env", "-json", "GOCACHE", "GOMODCACHE", "GOPATH", "GOPROXY", "GOFLAGS", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	var settings map[string]string
	if err := json.Unmarshal(goEnv, &settings); err != nil {
		t.Fatal(err)
	}
	tree, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			// What is built once is used by all; what a user keeps is each story's own.
			e.Setenv("CACHE", filepath.Join(cache, "barnraise"))
			e.Setenv("XDG_CACHE_HOME", filepath.Join(e.WorkDir, "cache"))
			e.Setenv("XDG_DATA_HOME", filepath.Join(e.WorkDir, "data"))
			e.Setenv("TREE", tree)
			e.Setenv("REALHOME", os.Getenv("HOME")) // where npm keeps what it has fetched
			e.Setenv("PORT", freePort(t))
			e.Setenv("PORT2", freePort(t))
			e.Setenv("USERCACHE", cache)
			for name, value := range settings {
				e.Setenv(name, value)
			}
			e.Defer(func() { endAll(e.WorkDir) })
			return nil
		},
		Condition: lacks,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "flip": flip, "kill9": kill9, "field": field, "member": wantMember, "stalepid": stalePID,
			"commands": commands, "aged": aged, "ports": ports, "awaits": awaits, "child": child,
		},
	})
}

// lacks is the condition lacks:PROGRAM, under which a story is left out; where everything has to be tested it is an error.
func lacks(condition string) (bool, error) {
	name, ok := strings.CutPrefix(condition, "lacks:")
	if !ok {
		return false, fmt.Errorf("no condition %q", condition)
	}
	_, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") != "" {
		return false, fmt.Errorf("%w: install %s", err, name)
	}
	return err != nil, nil
}

// endAll ends the networks that a story which failed left running below its directory.
func endAll(dir string) {
	filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Base(path) == lockFile {
			_ = endHolder(context.Background(), filepath.Dir(path))
		}
		return nil
	})
}

func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// exits CODE PROGRAM ARGS… runs a program and wants an exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("run %v: %v", args[1:], err)
	}
	if want, _ := strconv.Atoi(args[0]); code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// flip FILE FRACTION alters one byte of a file, in hundredths of its length.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	b, err := os.ReadFile(path)
	ts.Check(err)
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	b[(len(b)-1)*at/100] ^= 1
	ts.Check(os.WriteFile(path, b, 0o600))
}

// kill9 DIR kills the network of a directory.
func kill9(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(filepath.Join(ts.MkAbs(args[0]), pidFile))
	ts.Check(err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	ts.Check(err)
	process, err := os.FindProcess(pid)
	ts.Check(err)
	ts.Check(process.Kill())
	for range 1000 { // until it is dead, be it that nobody waits for it
		state, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || bytes.Contains(state, []byte(") Z ")) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// member finds what stands at a path such as servers.0.url in the JSON on standard output.
func member(ts *testscript.TestScript, path string) any {
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	for _, step := range strings.Split(path, ".") {
		found := false
		switch in := v.(type) {
		case map[string]any:
			v, found = in[step]
		case []any:
			i, err := strconv.Atoi(step)
			if found = err == nil && i < len(in); found {
				v = in[i]
			}
		}
		if !found {
			ts.Fatalf("no member %s of %s", step, path)
		}
	}
	return v
}

// memberText is the member as JSON writes it, a string without its quotes.
func memberText(ts *testscript.TestScript, path string) string {
	v := member(ts, path)
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	ts.Check(err)
	return string(b)
}

// field VARIABLE PATH sets a variable to a member of the JSON on standard output.
func field(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], memberText(ts, args[1]))
}

// member PATH VALUE wants a member of the JSON on standard output to be that.
func wantMember(ts *testscript.TestScript, _ bool, args []string) {
	if got := memberText(ts, args[0]); got != args[1] {
		ts.Fatalf("%s is %s, want %s", args[0], got, args[1])
	}
}

// stalepid DIR PID makes the directory look as if a process of that number, or this one's where it is "own", had been killed
// while it ran the network.
func stalePID(ts *testscript.TestScript, _ bool, args []string) {
	pid := args[1]
	if pid == "own" {
		pid = strconv.Itoa(os.Getpid())
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	ts.Check(os.WriteFile(filepath.Join(dir, lockFile), nil, 0o600))
	ts.Check(os.WriteFile(filepath.Join(dir, pidFile), []byte(pid), 0o600))
}

// commands FILE SCRIPT [OLD=NEW…] makes a script of the commands in a document: its blocks marked sh, as they stand there but
// for ports that somebody else may use.
func commands(ts *testscript.TestScript, _ bool, args []string) {
	script := "set -euo pipefail\ntrap 'kill $(jobs -p)' ERR\n"
	within := false
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		switch {
		case strings.HasPrefix(line, "```"):
			within = strings.TrimSpace(line) == "```sh"
		case within:
			script += line
		}
	}
	for _, pair := range args[2:] {
		old, by, _ := strings.Cut(pair, "=")
		if !strings.Contains(script, old) {
			ts.Fatalf("no command of %s has %s in it", args[0], old)
		}
		script = strings.ReplaceAll(script, old, by)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(script), 0o600))
}

// aged DIR makes every file below a directory look as if it had been written two hours ago.
func aged(ts *testscript.TestScript, _ bool, args []string) {
	then := time.Now().Add(-2 * time.Hour)
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chtimes(path, then, then)
	}))
}

// ports FILE puts the story's free port where PORT stands.
func ports(ts *testscript.TestScript, _ bool, args []string) {
	text := strings.ReplaceAll(ts.ReadFile(args[0]), "PORT", ts.Getenv("PORT"))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// awaits PATTERN [TEXT] waits until there is such a file with that text in it, two minutes at most.
func awaits(ts *testscript.TestScript, _ bool, args []string) {
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		found, err := filepath.Glob(ts.MkAbs(args[0]))
		ts.Check(err)
		for _, file := range found {
			if len(args) == 1 {
				return
			}
			if b, err := os.ReadFile(file); err == nil && strings.Contains(string(b), args[1]) {
				return
			}
		}
	}
	ts.Fatalf("there is no %v", args)
}

// child DIR wants one process that runs services with its socket in the directory, without an environment, and where the
// kernel can do that, confined.
func child(ts *testscript.TestScript, _ bool, args []string) {
	socket := filepath.Join(ts.MkAbs(args[0]), "socket")
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	ts.Check(err)
	found := 0
	for _, file := range all {
		b, err := os.ReadFile(file)
		line := strings.Split(strings.TrimRight(string(b), "\x00"), "\x00")
		if err != nil || len(line) < 2 || line[1] != "worker" || line[len(line)-1] != socket {
			continue
		}
		found++
		env, err := os.ReadFile(filepath.Join(filepath.Dir(file), "environ"))
		ts.Check(err)
		for _, v := range strings.Split(string(env), "\x00") {
			if v != "" && !strings.HasPrefix(v, "DOCKER_") {
				ts.Fatalf("its environment has %q", v)
			}
		}
		status, err := os.ReadFile(filepath.Join(filepath.Dir(file), "status"))
		ts.Check(err)
		if confined := strings.Contains(string(status), "NoNewPrivs:\t1\n"); confined != worker.Confines() { // a step of Landlock's
			ts.Fatalf("confined: %t, and the kernel can: %t", confined, worker.Confines())
		}
	}
	if found != 1 {
		ts.Fatalf("%d processes run services for %s", found, args[0])
	}
}
