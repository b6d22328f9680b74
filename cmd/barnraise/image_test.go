package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barnraise"
	"barnraise/dial"
	"barnraise/image"
	"barnraise/manifest"

	"github.com/google/go-containerregistry/pkg/registry"
)

// program runs the program as a whole.
func program(t *testing.T, args ...string) (out, talk string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, &o, &e)
	return o.String(), e.String(), code
}

func TestImagePush(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	dir := t.TempDir()
	store, err := image.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	built, err := image.Pack(store, "packed", map[string][]byte{image.Wasm: []byte("\x00asm module")})
	if err != nil {
		t.Fatal(err)
	}
	host := func(h http.Handler) string {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return strings.TrimPrefix(s.URL, "http://")
	}
	theirs := host(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	_, digest, _ := strings.Cut(built.Image, "@")
	want := theirs + "/alice/packed@" + digest
	if out, talk, code := program(t, "image", "push", dir, theirs+"/alice/packed:v1"); code != 0 || out != want+"\n" {
		t.Errorf("exit %d, %s%s", code, out, talk)
	}
	out, talk, code := program(t, "image", "push", dir+"@"+digest, theirs+"/alice/packed:v1", "--json")
	if code != 0 || out != `{"image":"`+want+`","tag":"`+theirs+`/alice/packed:v1"}`+"\n" {
		t.Errorf("exit %d, %s%s", code, out, talk)
	}
	if _, talk, code := program(t, "image", "push", dir, host(image.Handler(store, nil))+"/packed:v1"); code != exitFailed || !strings.Contains(talk, "push to a registry") {
		t.Errorf("to a server: exit %d, %s", code, talk)
	}
	if _, talk, code := program(t, "image", "push", dir); code != exitUsage || !strings.Contains(talk, "HOST/REPOSITORY") {
		t.Errorf("to nowhere: exit %d, %s", code, talk)
	}
}

// A layout as an archive is what buildx and docker save write; imported it is the same image.
func TestImageImport(t *testing.T) {
	store, err := image.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	built, err := image.Pack(store, "packed", map[string][]byte{image.LinuxAMD64: []byte("\x7fELF"), image.Wasm: []byte("\x00asm module")})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "saved.tar")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(f)
	if err := errors.Join(w.AddFS(os.DirFS(store.Dir())), w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	if said, talk, code := program(t, "image", "import", file, "--out", out); code != 0 || said != built.Image+"\n" {
		t.Errorf("exit %d, %s%s", code, said, talk)
	}
	_, digest, _ := strings.Cut(built.Image, "@")
	said, talk, code := program(t, "image", "import", file, file, "--name", "other", "--out", out, "--json")
	want := `{"image":"other@` + digest + `","platforms":["linux/amd64","wasip1/wasm"],"path":"` + out + "@" + digest + `"}` + "\n"
	if code != 0 || said != want {
		t.Errorf("exit %d, %s%s, want %s", code, said, talk, want)
	}
	for _, c := range []struct {
		args string
		code int
	}{
		{"image import", exitUsage},
		{"image import - -", exitUsage},
		{"image import " + file + " --name A", exitUsage},
		{"image import nosuch.tar", exitFailed},
		{"image import image_test.go --out " + out, exitFailed},
	} {
		if _, talk, code := program(t, strings.Fields(c.args)...); code != c.code {
			t.Errorf("%s: exit %d, %s", c.args, code, talk)
		}
	}
}

// Who publishes an image that is in a registry and not on this machine has it fetched, by the rules for strangers' addresses.
func TestPublishedFromRegistry(t *testing.T) {
	store, err := image.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	built, err := image.Pack(store, "packed", map[string][]byte{image.Wasm: []byte("\x00asm module")})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(image.Handler(store, nil))
	defer s.Close()
	_, digest, _ := strings.Cut(built.Image, "@")
	reference := strings.TrimPrefix(s.URL, "http://") + "/alice/packed@" + digest
	publish := func(private bool) (*draft, error) {
		d := &draft{app: &app{cache: t.TempDir()}, Manifest: manifest.Manifest{Name: "packed", Image: reference}}
		_, err := d.adoptImage(t.Context(), private)
		return d, err
	}
	if _, err := publish(false); !errors.Is(err, dial.ErrAddress) {
		t.Errorf("on a public network: %v", err)
	}
	d, err := publish(true)
	if err != nil || d.Image != reference {
		t.Fatalf("published is %s, %v, want %s", d.Image, err, reference)
	}
	if here, err := d.images(); err != nil || here.Check(barnraise.Sum(get(t, store, digest))) != nil {
		t.Errorf("servers of this machine do not find it: %v", err)
	}
}

func get(t *testing.T, s *image.Store, digest string) []byte {
	t.Helper()
	d, err := barnraise.ParseDigest(digest)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Get(d, image.MaxDocument)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
