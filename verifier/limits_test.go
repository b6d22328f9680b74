package verifier

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"barnraise"
	"barnraise/manifest"
	"barnraise/verifiers"
	"barnraise/verifiers/templates"
	"barnraise/wasm"
)

// TestManifestLimits holds that five answers are judged, as long as a manifest lets them and their requests be, with the longest
// configuration, whichever of request and response is the longer; and that a manifest can ask for what a verifier is granted.
func TestManifestLimits(t *testing.T) {
	compare, _ := verifiers.Module("compare")
	config := `"` + strings.Repeat("c", manifest.MaxSize-2) + `"`
	for _, limits := range []manifest.VerifierLimits{manifest.DefaultVerifierLimits, {Memory: 31 << 20}, manifest.MaxVerifierLimits} {
		v, err := host(t).Load(context.Background(), compare, Limits{Module: uint64(limits.Module), Memory: uint64(limits.Memory), Fuel: limits.Fuel})
		if err != nil {
			t.Fatal(err)
		}
		most := limits.MaxExchange()
		for _, request := range []manifest.Bytes{1, manifest.DefaultLimits.Request, most - 1} {
			response := strings.Repeat("1", int(most-request))
			requests, responses := bodies(repeated(strings.Repeat("1", int(request)), 5)...), bodies(repeated(response, 5)...)
			responses[4][0] = '2'
			if r := v.Run(context.Background(), []byte(config), requests, responses); r.Problem != nil || r.Verdict.Status != barnraise.Disagreement {
				t.Errorf("five responses of %d bytes: %+v", len(response), r)
			}
		}
	}
	if d := manifest.DefaultLimits; d.Request+d.Response > manifest.DefaultVerifierLimits.MaxExchange() {
		t.Errorf("by default an exchange may have %d bytes", d.Request+d.Response)
	}
	for what, pair := range map[string][2]manifest.VerifierLimits{
		"default": {manifest.DefaultVerifierLimits, {Module: manifest.Bytes(Module), Memory: manifest.Bytes(Memory), Fuel: Fuel}},
		"most":    {manifest.MaxVerifierLimits, {Module: manifest.Bytes(MaxLimits.Module), Memory: manifest.Bytes(MaxLimits.Memory), Fuel: MaxLimits.Fuel}},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: a manifest has %+v, a verifier %+v", what, pair[0], pair[1])
		}
	}
}

// TestLimits holds that the figures of a manifest are what a verifier is granted: fuel, memory and size, and what is beyond the
// hard caps to nobody.
func TestLimits(t *testing.T) {
	h, ctx := host(t), context.Background()
	endless := module{verify: forever + "\x00"}.encode()
	for _, fuel := range []uint64{1000, 5e9} {
		v, err := h.Load(ctx, endless, Limits{Fuel: fuel})
		if err != nil {
			t.Fatal(err)
		}
		if r := v.Verify(ctx, nil, bodies("1"), bodies("1")); !errors.Is(r.Problem, wasm.ErrFuel) || r.Fuel != fuel {
			t.Errorf("with %d units: %+v", fuel, r)
		}
	}
	large := append(module{}.encode(), append([]byte("\x00\x80\x80\x10\x01x"), make([]byte, 256<<10-2)...)...) // a custom section
	for size, want := range map[int]error{len(large): nil, len(large) - 1: wasm.ErrRefused} {
		if _, err := h.Load(ctx, large, Limits{Module: uint64(size)}); !errors.Is(err, want) {
			t.Errorf("a module of %d bytes where it may have %d: %v, want %v", len(large), size, err, want)
		}
	}
	for _, l := range []Limits{{Module: MaxLimits.Module + 1}, {Memory: MaxLimits.Memory + 1}, {Fuel: MaxLimits.Fuel + 1}} {
		if _, err := h.Load(ctx, endless, l); !errors.Is(err, wasm.ErrLimits) || errors.Is(err, wasm.ErrRefused) {
			t.Errorf("%+v: %v, want ErrLimits", l, err)
		}
	}
	wide := module{pages: "\x00" + leb(2048)}.encode()
	if _, err := h.Load(ctx, wide, MaxLimits); err != nil {
		t.Errorf("128 MiB of memory: %v", err)
	}
}

// TestGo holds that a verifier in Go judges where four megabytes are granted.
func TestGo(t *testing.T) {
	project, err := templates.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "project")
	if err := os.CopyFS(dir, project); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-buildmode=c-shared", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", "verifier.wasm", ".")
	build.Dir, build.Env = dir, append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	module, err := os.ReadFile(filepath.Join(dir, "verifier.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	h, ctx := host(t), context.Background()
	v, err := h.Load(ctx, module, Limits{Module: 4 << 20})
	if err != nil || v.MinRequests() != 2 {
		t.Fatal(v, err)
	}
	for response, want := range map[string]barnraise.Outcome{"1": barnraise.Accepted, "2": barnraise.Disagreement} {
		if r := v.Verify(ctx, nil, bodies("[]", "[]"), bodies("1", response)); r.Problem != nil || r.Verdict.Status != want {
			t.Errorf("1 and %s: %+v", response, r)
		}
	}
	if _, err := h.Load(ctx, module, Limits{}); !errors.Is(err, wasm.ErrRefused) || !strings.Contains(err.Error(), "at most 262144") {
		t.Errorf("by default: %v, want ErrRefused", err)
	}
}

// TestMemory holds that a verifier gets its sixteen megabytes and no more: its verdict is as long as it then has pages, 256.
func TestMemory(t *testing.T) {
	grow := "\x03\x40\x41\x01\x40\x00\x41\x00\x4e\x0d\x00\x0b" + "\x3f\x00\xad"
	verdict := `{"status":"accepted","winner":0,"culprits":[]`
	verdict += strings.Repeat(" ", 255-len(verdict)) + "}x"
	v, err := host(t).Load(context.Background(), module{verify: grow, data: verdict}.encode(), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if r := v.Verify(context.Background(), nil, bodies("1"), bodies("1")); r.Problem != nil {
		t.Error(r.Problem)
	}
}

// TestFiguresAreWrittenDown holds docs/verifier-abi.md to the figures of this package.
func TestFiguresAreWrittenDown(t *testing.T) {
	page, err := os.ReadFile("../docs/verifier-abi.md")
	if err != nil {
		t.Fatal(err)
	}
	number := func(n uint64) string {
		s := fmt.Sprint(n)
		for i := len(s) - 3; i > 0; i -= 3 {
			s = s[:i] + "," + s[i:]
		}
		return s
	}
	for _, row := range []string{
		fmt.Sprintf("| `module` | bytes of the file | %s | %s |", number(Module), number(MaxLimits.Module)),
		fmt.Sprintf("| `memory` | bytes for each verdict | %s | %s |", number(Memory), number(MaxLimits.Memory)),
		fmt.Sprintf("| `fuel` | units for each verdict | %s | %s |", number(Fuel), number(MaxLimits.Fuel)),
		fmt.Sprintf("The stack is %s slots for everybody.", number(wasm.VerifierStack)),
		fmt.Sprintf("More than %s bytes, or bytes outside the memory: undecided.", number(MaxVerdict)),
		fmt.Sprintf("of at most %d bytes of UTF-8", MaxReason), fmt.Sprintf("between 1 and %d responses", barnraise.MaxAnswers),
	} {
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/verifier-abi.md does not say: %s", row)
		}
	}
}
