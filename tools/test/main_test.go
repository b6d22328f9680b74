package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What go test -json says of a package whose tests end in each of these ways, as recorded, and what people are to read of it.
func TestReport(t *testing.T) {
	for _, c := range []struct {
		recorded      string
		want, without []string
		failed        int
	}{
		{"panic", []string{"panic: boom\n", "x_test.go:4 +0x25", "FAIL\tbarnraise/panics", "FAIL  barnraise/panics"}, []string{"TestFine"}, 1},
		{"fatal", []string{"=== RUN   TestVictim/sub\n2026/11/21 14:52:03 gone\n"}, nil, 1},
		{"timeout", []string{"panic: test timed out after 2s\n", "TestA (2s)", "a waits"}, nil, 1},
		{"build", []string{"broken/x_test.go:3:28: undefined: undefined\n", "[build failed]"}, nil, 1},
		{"skip", []string{"x_test.go:4: bad\n", "barnraise/skips TestX: curl is missing: install curl\n"}, []string{"RUN   TestX"}, 1},
	} {
		t.Run(c.recorded, func(t *testing.T) {
			stream, err := os.Open(filepath.Join("testdata", c.recorded+".json"))
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close()
			var out strings.Builder
			r := newReport(&out)
			if err := r.read(stream); err != nil {
				t.Fatal(err)
			}
			r.close(0)
			for _, want := range c.want {
				if strings.Count(out.String(), want) != 1 {
					t.Errorf("%q does not stand once in\n%s", want, &out)
				}
			}
			for _, text := range c.without {
				if strings.Contains(out.String(), text) {
					t.Errorf("%q stands in\n%s", text, &out)
				}
			}
			if r.failed != c.failed || len(r.output) != 0 {
				t.Errorf("%d packages failed, want %d; %d outputs are kept", r.failed, c.failed, len(r.output))
			}
		})
	}
}

func TestReportPassesOnWhatIsNoEvent(t *testing.T) {
	var out strings.Builder
	if err := newReport(&out).read(strings.NewReader("go: something to say\n")); err != nil || out.String() != "go: something to say\n" {
		t.Errorf("%q, %v", &out, err)
	}
}

func TestNamesPackage(t *testing.T) {
	for args, want := range map[string]bool{
		"": false, "-race -timeout=20m": false, "-run .": false, "-run ./x -count 1": false, "--run .": false, "-bench . -benchtime 1x": false,
		"-run=X .": true, "-run X ./server": true, "-race .": true, "-v barnraise/wasm/...": true, "./a ./b -run .": true,
		"-run . .": true, "-short -args ./x": false,
	} {
		if got := namesPackage(strings.Fields(args)); got != want {
			t.Errorf("go test %s: %t, want %t", args, got, want)
		}
	}
	if got := command(strings.Fields("-run . -args x")); !slices.Equal(got, strings.Fields("test -json -timeout=20m ./... -run . -args x")) {
		t.Errorf("command is %q", got)
	}
}
