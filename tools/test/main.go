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
	if !slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, ".") || strings.HasPrefix(a, "barnraise") }) {
		args = append(args, "./...")
	}
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	stream, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start go: %w; is Go installed and on PATH?", err)
	}
	r := report{output: make(map[string][]string), out: out}
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(out, lines.Text())
			continue
		}
		r.take(e)
	}
	failed := cmd.Wait()
	r.close(time.Since(start))
	if failed != nil {
		return fmt.Errorf("%d of %d packages fail", max(r.failed, 1), r.packages)
	}
	return lines.Err()
}

// report collects what go test says.
type report struct {
	out              io.Writer
	output           map[string][]string // of tests under way, by package and test
	skipped          []string
	packages, failed int
}

func (r *report) take(e event) {
	name := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		r.output[name] = append(r.output[name], e.Output)
		return
	case "build-output":
		fmt.Fprint(r.out, e.Output)
		return
	case "pass", "skip", "fail":
	default:
		return
	}
	text := strings.Join(r.output[name], "")
	delete(r.output, name)
	switch {
	case e.Action == "skip" && e.Test != "":
		r.skipped = append(r.skipped, fmt.Sprintf("%s %s: %s", e.Package, e.Test, reason(text)))
	case e.Action == "fail" && e.Test != "":
		fmt.Fprint(r.out, text)
	case e.Test == "" && e.Action != "skip":
		r.packages++
		if e.Action == "fail" {
			r.failed++
			fmt.Fprint(r.out, text)
		}
		fmt.Fprintf(r.out, "%-5s %s  %.1f s\n", map[string]string{"pass": "ok", "fail": "FAIL"}[e.Action], e.Package, e.Elapsed)
	}
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
