package image

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"barnraise"
	"barnraise/dial"
)

const taggedIndex = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[` +
	`{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:0000000000000000000000000000000000000000000000000000000000000001","size":9}]}`

// A tag is what the registry sends at the moment, by the digest of the bytes and not by what it says of them.
func TestResolve(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Docker-Content-Digest", "sha256:00000000000000000000000000000000000000000000000000000000000000ff")
		switch tag := strings.TrimPrefix(r.URL.Path, "/v2/mine/thing/manifests/"); tag {
		case "1.0":
			_, _ = w.Write([]byte(taggedIndex))
		case "manifest":
			_, _ = w.Write([]byte(strings.Replace(taggedIndex, "image.index", "image.manifest", 1)))
		case "garbage":
			_, _ = w.Write([]byte("garbage"))
		case "endless":
			_, _ = w.Write([]byte(`{"x":"` + strings.Repeat("x", MaxDocument) + `"}`))
		case "private":
			w.WriteHeader(http.StatusUnauthorized)
		case "broken":
			w.WriteHeader(http.StatusBadGateway)
		default:
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	at := strings.TrimPrefix(s.URL, "http://") + "/mine/thing"
	want := at + "@" + barnraise.Sum([]byte(taggedIndex)).String()
	if got, err := Resolve(t.Context(), dial.Client(true, 0), at+":1.0"); err != nil || got != want {
		t.Errorf("it is %s, %v; want %s", got, err, want)
	}
	for tag, want := range map[string]error{"manifest": ErrImage, "garbage": ErrImage, "endless": ErrImage, "none": ErrNotFound, "private": nil, "broken": nil} {
		got, err := Resolve(t.Context(), dial.Client(true, 0), at+":"+tag)
		if err == nil || got != "" || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), tag) {
			t.Errorf("%s is %s, %v; want %v", tag, got, err, want)
		}
	}
	if _, err := Resolve(t.Context(), dial.Client(false, 0), at+":1.0"); err == nil {
		t.Error("a registry on this machine is asked outside of a private network")
	}
}

func TestTags(t *testing.T) {
	for reference, want := range map[string]bool{
		"ghcr.io/a/b:1.0": true, "a/b:latest": true, "127.0.0.1:5000/a:v1": true, "localhost:5000/a/b:1": true,
		"127.0.0.1:5000/a": false, "search:latest": false, "ghcr.io/a/b": false, "ghcr.io/a/b:": false, "ghcr.io/a/b:x y": false, "": false, ":": false,
		"ghcr.io/a:1@sha256:" + strings.Repeat("0", 64): false, "ghcr.io/a/b:../c": false, "ghcr.io/a/b:" + strings.Repeat("x", 129): false,
	} {
		if got := IsTagged(reference); got != want {
			t.Errorf("%q is tagged: %v, want %v", reference, got, want)
		}
		if want {
			continue
		}
		if _, err := Resolve(t.Context(), nil, reference); err == nil {
			t.Errorf("%q is resolved", reference)
		}
	}
}
