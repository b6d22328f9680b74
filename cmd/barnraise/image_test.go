package main

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"barnraise/image"

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
