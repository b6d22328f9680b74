package push

import (
	"encoding/base64"
	"errors"
	"fmt"
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

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func packed(t *testing.T) (*image.Store, barnraise.Digest) {
	t.Helper()
	s := open(t)
	built, err := image.Pack(s, "packed", map[string][]byte{
		image.LinuxAMD64: []byte("\x7fELF amd64"), image.LinuxARM64: []byte("\x7fELF arm64"), image.Wasm: []byte("\x00asm module"),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, d, err := image.ParseReference(built.Image)
	if err != nil {
		t.Fatal(err)
	}
	return s, d
}

func open(t *testing.T) *image.Store {
	t.Helper()
	s, err := image.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func serve(t *testing.T, h http.Handler) (host string) {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir()) // nobody's credentials
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func theirs() http.Handler { return registry.New(registry.Logger(log.New(io.Discard, "", 0))) }

// What is pushed is pulled again by our own client, under the same digest; and by the tag, by others.
func TestRoundTrip(t *testing.T) {
	from, d := packed(t)
	host := serve(t, theirs())
	for range 2 { // the second time all is there
		p, err := Index(t.Context(), from, d, host+"/alice/search:v1")
		if want := (Pushed{host + "/alice/search@" + d.String(), host + "/alice/search:v1"}); err != nil || p != want {
			t.Fatalf("pushed to %+v, %v, want %+v", p, err, want)
		}
	}
	into := open(t)
	puller := image.Puller{Client: dial.Client(true, 0), Store: into}
	if v, err := puller.Pull(t.Context(), d, []string{host + "/alice/search@" + d.String()}); err != nil || len(v) != 3 {
		t.Errorf("pulled %v, %v", v, err)
	}
	if want, err := from.Blobs(d); err != nil || len(want) != 10 {
		t.Errorf("%d blobs, %v", len(want), err)
	} else {
		for _, b := range want {
			if err := into.Check(b); err != nil {
				t.Error(err)
			}
		}
	}
	tag, err := name.NewTag(host + "/alice/search:v1")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := remote.Head(tag); err != nil || got.Digest.String() != d.String() {
		t.Errorf("the tag is %v, %v", got, err)
	}
}

func TestPushedWithoutTag(t *testing.T) {
	from, d := packed(t)
	host := serve(t, theirs())
	if p, err := Index(t.Context(), from, d, host+"/search"); err != nil || p != (Pushed{Image: host + "/search@" + d.String()}) {
		t.Errorf("pushed to %+v, %v", p, err)
	}
}

// A registry gets the credentials that docker login left for it.
func TestCredentials(t *testing.T) {
	from, d := packed(t)
	inner := theirs()
	host := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "alice" || password != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	if _, err := Index(t.Context(), from, d, host+"/search"); !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "docker login "+host) {
		t.Errorf("without credentials: %v", err)
	}
	auth := base64.StdEncoding.EncodeToString([]byte("alice:secret"))
	config := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, auth)
	if err := os.WriteFile(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Index(t.Context(), from, d, host+"/search"); err != nil {
		t.Errorf("with credentials: %v", err)
	}
}

func TestPushThatCannotBe(t *testing.T) {
	from, d := packed(t)
	empty := open(t)
	readOnly := serve(t, image.Handler(from, func(barnraise.Digest) bool { return false }))
	registry := serve(t, theirs())
	half := open(t)
	if b, err := from.Get(d, image.MaxDocument); err != nil {
		t.Fatal(err)
	} else if _, err := half.Put(b); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from *image.Store
		to   string
		want error
	}{
		{from, readOnly + "/search", ErrReadOnly},
		{empty, registry + "/search", image.ErrNotFound},
		{half, registry + "/search", image.ErrNotFound},
		{from, "search", ErrDestination},
		{from, registry + "/Search", ErrDestination},
		{from, registry + "/search:a b", ErrDestination},
		{from, registry + "/search@" + d.String(), ErrDestination},
		{from, "", ErrDestination},
	} {
		if p, err := Index(t.Context(), c.from, d, c.to); !errors.Is(err, c.want) {
			t.Errorf("to %s: %+v, %v, want %v", c.to, p, err, c.want)
		}
	}
}

func TestDestination(t *testing.T) {
	for to, want := range map[string]string{
		"alice/search":               "index.docker.io/alice/search ",
		"docker.io/alice/search:v1":  "index.docker.io/alice/search v1",
		"ghcr.io/alice/search:v1":    "ghcr.io/alice/search v1",
		"registry.example:5000/a/b":  "registry.example:5000/a/b ",
		"registry.example:5000/a:v1": "registry.example:5000/a v1",
	} {
		if r, tag, err := destination(to); err != nil || r.Name()+" "+tag != want {
			t.Errorf("%s is %s %s, %v, want %s", to, r.Name(), tag, err, want)
		}
	}
}
