// Command test runs the tests of the house and says plainly what could not be tested here, and what is missing for it.
//
//	go run ./tools/test [flags of go test] [packages]
//
// Without packages it tests all of them. It exits 1 where a test fails.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// event is a line of go test -json (go doc test2json).
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "test:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	cmd := exec.Command("go", command(args)...)
	cmd.Stderr = os.Stderr
	stream, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start go: %w; is Go installed and on PATH?", err)
	}
	r := newReport(out)
	unread := r.read(stream)
	failed := cmd.Wait()
	r.close(time.Since(start))
	if failed != nil {
		return fmt.Errorf("%d of %d packages fail", max(r.failed, 1), r.packages)
	}
	return unread
}

// command is what go is called with.
func command(args []string) []string {
	all := []string{"test", "-json", "-timeout=20m"} // on a busy machine ten are not enough for what builds images and networks
	if !namesPackage(args) {
		all = append(all, "./...")
	}
	return append(all, args...)
}

// takeValue lists the flags of go test and go build that people use and that take the next argument where no = follows them.
var takeValue = strings.Fields(`bench benchtime blockprofile blockprofilerate count coverpkg covermode coverprofile cpu cpuprofile
	exec fuzz fuzzminimizetime fuzztime gcflags ldflags list memprofile memprofilerate mod modfile mutexprofile
	mutexprofilefraction o outputdir overlay p parallel run shuffle skip tags timeout trace vet`)

// namesPackage reports whether a package is among the arguments of go test.
func namesPackage(args []string) bool {
	value := false // of the flag before
	for _, a := range args {
		name := strings.TrimLeft(a, "-")
		switch {
		case value:
			value = false
		case name == "args" && name != a:
			return false
		case name != a:
			value = slices.Contains(takeValue, name)
		case strings.HasPrefix(a, "."), strings.HasPrefix(a, "barnraise"):
			return true
		}
	}
	return false
}

// test names a test of a package, or with no name the package itself.
type test struct{ pkg, name string }

// report collects what go test says.
type report struct {
	out              io.Writer
	output           map[test][]string // of what is under way
	skipped          []string
	packages, failed int
}

func newReport(out io.Writer) *report { return &report{output: make(map[test][]string), out: out} }

// read takes the events of a stream, and passes on what is none.
func (r *report) read(stream io.Reader) error {
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(r.out, lines.Text())
			continue
		}
		r.take(e)
	}
	return lines.Err()
}

func (r *report) take(e event) {
	key := test{e.Package, e.Test}
	switch e.Action {
	case "output":
		r.output[key] = append(r.output[key], e.Output)
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "pass", "skip", "fail":
		if e.Test == "" {
			r.ended(e)
			return
		}
		text := strings.Join(r.output[key], "")
		delete(r.output, key)
		switch e.Action {
		case "skip":
			r.skipped = append(r.skipped, fmt.Sprintf("%s %s: %s", e.Package, e.Test, reason(text)))
		case "fail":
			fmt.Fprint(r.out, text)
		}
	}
}

// ended closes a package. A test that takes the whole program with it never fails itself: why the package did then stands in
// what that test left behind.
func (r *report) ended(e event) {
	own := test{pkg: e.Package}
	var left []test
	for key := range r.output {
		if key.pkg == e.Package && key != own {
			left = append(left, key)
		}
	}
	slices.SortFunc(left, func(a, b test) int { return strings.Compare(a.name, b.name) })
	for _, key := range append(left, own) {
		if e.Action == "fail" {
			fmt.Fprint(r.out, strings.Join(r.output[key], ""))
		}
		delete(r.output, key)
	}
	if e.Action == "skip" { // it has no tests
		return
	}
	r.packages++
	if e.Action == "fail" {
		r.failed++
	}
	fmt.Fprintf(r.out, "%-5s %s  %.1f s\n", map[string]string{"pass": "ok", "fail": "FAIL"}[e.Action], e.Package, e.Elapsed)
}

// reason is what a test said when it skipped itself.
func reason(text string) string {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "---") && !strings.HasPrefix(line, "===") {
			_, said, ok := strings.Cut(line, ": ")
			if ok && strings.Contains(line, ".go:") {
				return said
			}
			return line
		}
	}
	return "gives no reason"
}

func (r *report) close(took time.Duration) {
	fmt.Fprintf(r.out, "\n%d packages in %s\n", r.packages, took.Round(time.Second))
	if len(r.skipped) == 0 {
		fmt.Fprintln(r.out, "nothing was left out")
		return
	}
	fmt.Fprintln(r.out, "left out, and what is missing for it:")
	for _, s := range r.skipped {
		fmt.Fprintln(r.out, "  "+s)
	}
}
