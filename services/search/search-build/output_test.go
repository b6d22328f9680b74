package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"barnraise/manifest"
	"barnraise/services/search/index"

	"github.com/go-json-experiment/json"
)

// carriedOut runs the program and returns the line that it prints.
func carriedOut(t *testing.T, args ...string) (s summary) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(args, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	if err := json.Unmarshal(stdout.Bytes(), &s); err != nil {
		t.Fatalf("%s: %v", stdout.String(), err)
	}
	return s
}

// What is written is a service that can be registered from where it lies.
func TestManifest(t *testing.T) {
	folder, dir := t.TempDir(), t.TempDir()
	write(t, folder, map[string]string{"one.md": "# One\nthe first", "two/\"2\".md": strings.Repeat("\x01", 600_000)})
	s := carriedOut(t, "-md", folder, "-out", dir, "-name", "Ünsere \"Texte\"", "-corpus", "of\ntoday", "-licence", "CC0-1.0")
	got, err := manifest.ReadSource(filepath.Join(dir, "service.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	own, err := manifest.ReadSource("../service.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "nsere-texte" || got.Description != `Full text search over Ünsere "Texte"` || got.Licence != "CC0-1.0" ||
		string(got.Config) != `{"root": "`+s.Root+`"}` || got.Verifier != own.Verifier {
		t.Errorf("%+v", got)
	}
	if got.VerifierLimits.Memory != 128<<20 || got.VerifierLimits.Fuel != 10_000_000_000 {
		t.Errorf("limits of the verifier are %+v", got.VerifierLimits)
	}
	want := own.Limits
	want.Response, want.Fuel = 4<<20, 3_086_625_600
	if got.Limits != want {
		t.Errorf("limits are %+v, want %+v", got.Limits, want)
	}
	for _, id := range []string{`"one.md"`, `"two/\"2\".md"`} {
		if !strings.Contains(string(got.OpenRPC), `"name":"doc","value":`+id) {
			t.Errorf("no example asks for %s", id)
		}
	}
	if strings.HasSuffix(own.Verifier, ".wasm") {
		ours, err := os.ReadFile(filepath.Join("..", own.Verifier))
		if copied, e := os.ReadFile(filepath.Join(dir, own.Verifier)); err != nil || e != nil || !bytes.Equal(ours, copied) {
			t.Errorf("the verifier is not copied: %v, %v", err, e)
		}
	}
}

// The repository's manifest is that of its sample, whose documents the examples ask for.
func TestOwnManifest(t *testing.T) {
	dir := t.TempDir()
	s := carriedOut(t, "-tsv", "../sample.tsv", "-out", dir, "-name", "sample", "-corpus", "eight texts that come with the source",
		"-licence", "that of the source")
	own, err := manifest.ReadSource("../service.yaml")
	if err != nil || string(own.Config) != `{"root": "`+s.Root+`"}` {
		t.Errorf("services/search/service.yaml has config %s, want the root %s (%v)", own.Config, s.Root, err)
	}
	openrpc, err := os.ReadFile("../openrpc.json")
	if copied, e := os.ReadFile(filepath.Join(dir, "openrpc.json")); err != nil || e != nil || !bytes.Equal(openrpc, copied) {
		t.Errorf("the examples fit the sample, but were changed: %v, %v", err, e)
	}
}

// The same texts make the same image, wherever it is made.
func TestImage(t *testing.T) {
	if testing.Short() {
		t.Skip("builds an image")
	}
	folder := t.TempDir()
	write(t, folder, map[string]string{"one.md": "# One\nthe first", "two.md": "# Two\nthe second"})
	var made []summary
	for range 2 {
		dir := t.TempDir()
		layout := filepath.Join(dir, "layout")
		s := carriedOut(t, "-md", folder, "-out", dir, "-name", "mine", "-image", layout, "-platforms", "wasip1/wasm")
		at, digest, _ := strings.Cut(s.Path, "@")
		if at != layout || s.Image != "mine@"+digest {
			t.Errorf("image %s lies at %s, want it in %s", s.Image, s.Path, layout)
		}
		s.Path = ""
		made = append(made, s)
	}
	if !reflect.DeepEqual(made[0], made[1]) {
		t.Errorf("made %+v, and then %+v", made[0], made[1])
	}
}

func TestServiceName(t *testing.T) {
	for collection, want := range map[string]string{
		"": "search", "Go standard library": "go-standard-library", "X": "search", "--a  b--": "a-b", "日本": "search",
		strings.Repeat("ab ", 30): strings.Repeat("ab-", 15) + "ab",
	} {
		if got := serviceName(collection); got != want {
			t.Errorf("%q is called %q, want %q", collection, got, want)
		}
	}
}

func TestNeeds(t *testing.T) {
	documents := make([]index.Document, 1<<20)
	for i := range documents {
		documents[i].Title = "\x01\x02\x03"
	}
	if got, want := needs(100<<20, 9<<20, documents), (need{memory: 156, response: 1, fuel: 400*(5<<20) + 800*94_192 + 200_000_000, scores: 4}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	documents[7].Text = strings.Repeat("x", 1<<20)
	documents = documents[:8]
	if got, want := needs(1, 1, documents), (need{memory: 33, response: 2, fuel: 800*1_056_856 + 200_003_600, scores: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
