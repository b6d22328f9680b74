package image

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func remove(t *testing.T, s *Store, d barnraise.Digest) {
	t.Helper()
	if err := os.Remove(s.path(d)); err != nil {
		t.Fatal(err)
	}
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func packed(t *testing.T) (*Store, barnraise.Digest) {
	t.Helper()
	s := openStore(t)
	built, err := Pack(s, "packed", programs)
	if err != nil {
		t.Fatal(err)
	}
	return s, indexOf(t, built)
}

// A client of registries that is not ours pulls from the handler.
func TestHandlerForOthers(t *testing.T) {
	s, d := packed(t)
	host := strings.TrimPrefix(serve(t, Handler(s, nil)), "http://")
	ref, err := name.NewDigest(host + "/any/name@" + d.String())
	if err != nil {
		t.Fatal(err)
	}
	x, err := remote.Index(ref, remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(x, validate.Fast); err != nil {
		t.Error(err)
	}
	img, err := remote.Image(ref, remote.WithPlatform(v1.Platform{OS: "wasip1", Architecture: "wasm"}))
	if err != nil {
		t.Fatal(err)
	}
	layers, err := img.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	r, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := extract(r, "svc.wasm"); err != nil || string(got) != string(programs[Wasm]) {
		t.Errorf("module %q, %v", got, err)
	}
}

// The OCI distribution specification, pull.
func TestHandler(t *testing.T) {
	s, d := packed(t)
	secret, err := s.Put([]byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Variant(d, Wasm)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.manifest(v.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	layer := m.Layers[0].Digest
	h := Handler(s, func(d barnraise.Digest) bool { return d != secret })
	for _, c := range []struct {
		method, path string
		status       int
		want         string // media type, or error code
	}{
		{"GET", "/v2/", 200, "application/json"},
		{"GET", "/v2", 200, "application/json"},
		{"GET", "/v2/a/manifests/" + d.String(), 200, typeIndex},
		{"HEAD", "/v2/a/manifests/" + d.String(), 200, typeIndex},
		{"GET", "/v2/a/b/c/manifests/" + v.Manifest.String(), 200, typeManifest},
		{"GET", "/v2/a/blobs/" + layer.String(), 200, "application/octet-stream"},
		{"HEAD", "/v2/a/blobs/" + layer.String(), 200, "application/octet-stream"},
		{"GET", "/v2/manifests/blobs/blobs/" + layer.String(), 200, "application/octet-stream"},
		{"GET", "/v2/a/manifests/" + layer.String(), 404, "MANIFEST_UNKNOWN"},
		{"GET", "/v2/a/blobs/" + barnraise.Sum(nil).String(), 404, "BLOB_UNKNOWN"},
		{"HEAD", "/v2/a/blobs/" + barnraise.Sum(nil).String(), 404, ""},
		{"GET", "/v2/a/manifests/" + barnraise.Sum(nil).String(), 404, "MANIFEST_UNKNOWN"},
		{"GET", "/v2/a/blobs/" + secret.String(), 404, "BLOB_UNKNOWN"},
		{"GET", "/v2/a/manifests/" + secret.String(), 404, "MANIFEST_UNKNOWN"},
		{"GET", "/v2/a/manifests/latest", 404, "MANIFEST_UNKNOWN"},
		{"GET", "/v2/a/manifests/sha256:00", 400, "DIGEST_INVALID"},
		{"GET", "/v2/a/blobs/latest", 400, "DIGEST_INVALID"},
		{"GET", "/v2/a/blobs/../../../oci-layout", 404, "UNSUPPORTED"},
		{"GET", "/v2/A/blobs/" + layer.String(), 400, "NAME_INVALID"},
		{"GET", "/v2/blobs/" + layer.String(), 400, "NAME_INVALID"},
		{"GET", "/v2/a/tags/list", 404, "UNSUPPORTED"},
		{"GET", "/v2/_catalog", 404, "UNSUPPORTED"},
		{"GET", "/v3/", 404, "UNSUPPORTED"},
		{"GET", "/v2x", 404, "UNSUPPORTED"},
		{"POST", "/v2/a/blobs/uploads/", 405, "UNSUPPORTED"},
		{"PUT", "/v2/a/manifests/x", 405, "UNSUPPORTED"},
		{"DELETE", "/v2/a/manifests/" + d.String(), 405, "UNSUPPORTED"},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		body := w.Body.String()
		refused := strings.HasPrefix(body, `{"errors":[{"code":"`+c.want+`","message":`)
		if w.Code != c.status || c.status >= 400 && c.want != "" && !refused {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, w.Code, body, c.status, c.want)
		}
		if got := w.Header().Get("Content-Type"); c.status < 400 && got != c.want {
			t.Errorf("%s %s: type %s, want %s", c.method, c.path, got, c.want)
		}
		if c.method == "HEAD" && body != "" {
			t.Errorf("HEAD %s has a body", c.path)
		}
		if got := w.Header().Get("Docker-Content-Digest"); c.status == 200 && len(c.path) > 5 && !strings.HasSuffix(c.path, got) {
			t.Errorf("%s %s: digest %s", c.method, c.path, got)
		}
		if c.status >= 400 && w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: a failure may be cached", c.method, c.path)
		}
	}
}

func TestHandlerDamaged(t *testing.T) {
	s, d := packed(t)
	blob, err := s.Put([]byte(strings.Repeat("blob", 100_000)))
	if err != nil {
		t.Fatal(err)
	}
	write(t, s.path(blob), strings.Repeat("blob", 99_999)+"blub")
	write(t, s.path(d), "{}")
	base := serve(t, Handler(s, nil))
	resp, err := http.Get(base + "/v2/a/blobs/" + blob.String())
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(resp.Body); err == nil || len(b) >= 400_000 {
		t.Errorf("a damaged blob came whole: %d bytes, %v", len(b), err)
	}
	resp, err = http.Get(base + "/v2/a/manifests/" + d.String())
	if err != nil || resp.StatusCode != 500 {
		t.Errorf("a damaged manifest: %v, %v", resp.Status, err)
	}
}

func FuzzHandler(f *testing.F) {
	s, err := Open(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	d, err := s.Put([]byte("blob"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add("GET", "/v2/a/b/blobs/"+d.String())
	f.Add("HEAD", "/v2/a/manifests/latest")
	h := Handler(s, nil)
	f.Fuzz(func(t *testing.T, method, path string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Method, r.URL.Path = method, path
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code == 200 && strings.Trim(path, "/") != "v2" && !strings.HasSuffix(path, "/blobs/"+d.String()) {
			t.Errorf("%s %q: 200 %s", method, path, w.Body)
		}
	})
}

func TestPull(t *testing.T) {
	from, d := packed(t)
	source := serve(t, Handler(from, nil))
	into := openStore(t)
	p := &Puller{Client: http.DefaultClient, Store: into}
	variants, err := p.Pull(t.Context(), d, []string{source + "/"}, Wasm)
	if err != nil || len(variants) != 1 || variants[0].Platform != Wasm {
		t.Fatalf("pulled %v, %v", variants, err)
	}
	if module, err := into.Module(variants[0].Manifest); err != nil || string(module) != string(programs[Wasm]) {
		t.Errorf("module %q, %v", module, err)
	}
	if all, err := into.Blobs(d); err != nil || len(all) != 4 {
		t.Errorf("%d blobs are there, %v, want those of one variant", len(all), err)
	}
	if variants, err := p.Pull(t.Context(), d, nil, Wasm); err != nil || len(variants) != 1 {
		t.Errorf("what is there needs no source: %v, %v", variants, err)
	}
	if _, err := p.Pull(t.Context(), d, nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("what is not there needs one: %v", err)
	}
	if _, err := p.Pull(t.Context(), d, []string{source}, "linux/riscv64"); !errors.Is(err, ErrNoVariant) {
		t.Errorf("other platform: %v", err)
	}
	if variants, err := p.Pull(t.Context(), d, []string{source}); err != nil || len(variants) != 3 {
		t.Errorf("all: %v, %v", variants, err)
	}
	all, err := into.Blobs(d)
	if err != nil || len(all) != 10 {
		t.Errorf("%d blobs are there, %v", len(all), err)
	}
	if named, err := into.Images(); err != nil || len(named) != 0 {
		t.Errorf("a pulled image is listed: %v, %v", named, err)
	}
}

// A blob that fails at one source is asked of the next, and the error says of each source why.
func TestPullAcrossSources(t *testing.T) {
	full, d := packed(t)
	all, err := full.Blobs(d)
	if err != nil {
		t.Fatal(err)
	}
	half := func(odd int) string { // each of the two holds every second blob
		return serve(t, Handler(full, func(b barnraise.Digest) bool { return slices.Index(all, b)%2 == odd }))
	}
	liar := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	endless := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = w.Write(make([]byte, 1<<16))
		}
	}))
	huge := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000000000000")
	}))
	silent := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	broken := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) }))
	bad := []string{liar, endless, huge, silent, broken, "http://127.0.0.1:1", ":"}

	into := openStore(t)
	p := &Puller{Client: http.DefaultClient, Store: into, Timeout: 100 * time.Millisecond}
	_, err = p.Pull(t.Context(), d, bad)
	if !errors.Is(err, ErrMismatch) || !errors.Is(err, ErrImage) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("from bad sources: %v", err)
	}
	for _, source := range bad {
		if !strings.Contains(err.Error(), "\n"+source+": ") && !strings.Contains(err.Error(), ": "+source+": ") {
			t.Errorf("the error does not name %s:\n%v", source, err)
		}
	}
	variants, err := p.Pull(t.Context(), d, append(bad, half(0), half(1)))
	if err != nil || len(variants) != 3 {
		t.Fatalf("from good ones among bad: %v, %v", variants, err)
	}
	for _, b := range all {
		if err := into.Check(b); err != nil {
			t.Error(err)
		}
	}
}

// What a damaged store lacks is pulled again, and only that.
func TestPullHeals(t *testing.T) {
	full, d := packed(t)
	asked := 0
	source := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		Handler(full, nil).ServeHTTP(w, r)
	}))
	p := &Puller{Client: http.DefaultClient, Store: openStore(t)}
	if _, err := p.Pull(t.Context(), d, []string{source}); err != nil || asked != 10 {
		t.Fatalf("asked %d times, %v, want 10", asked, err)
	}
	v, err := p.Store.Variant(d, LinuxAMD64)
	if err != nil {
		t.Fatal(err)
	}
	write(t, p.Store.path(v.Manifest), "damage")
	if _, err := p.Pull(t.Context(), d, []string{source}); err != nil || asked != 11 {
		t.Errorf("asked %d times, %v, want once more", asked, err)
	}
}

func TestPullGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	source := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() }))
	p := &Puller{Client: http.DefaultClient, Store: openStore(t)}
	_, err := p.Pull(ctx, barnraise.Sum(nil), []string{source, "http://second.invalid"})
	if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "second") {
		t.Errorf("given up: %v", err)
	}
}

// An index may hold what nobody serves and what is for nobody; a wasm artifact without a platform is found all the same.
func TestPullUndeclared(t *testing.T) {
	full := openStore(t)
	layer, err1 := put(full, typeWasm, module)
	c, err2 := put(full, typeWasmConfig, []byte(`{"os":"wasip1","architecture":"wasm"}`))
	artifact, err3 := put(full, typeManifest, encode(manifest{MediaType: typeManifest, Config: c, Layers: []descriptor{layer}}))
	gone := descriptor{MediaType: typeManifest, Digest: barnraise.Sum([]byte("gone")), Size: 4}
	x, err4 := put(full, typeIndex, encode(index{MediaType: typeIndex, Manifests: []descriptor{gone, artifact}}))
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	source := serve(t, Handler(full, nil))
	for _, platforms := range [][]string{nil, {Wasm}, {Wasm, LinuxAMD64}} {
		p := &Puller{Client: http.DefaultClient, Store: openStore(t)}
		v, err := p.Pull(t.Context(), x.Digest, []string{source}, platforms...)
		if err != nil || len(v) != 1 || v[0] != (Variant{Wasm, artifact.Digest}) {
			t.Fatalf("pulled %v, %v", v, err)
		}
		if got, err := moduleOf(p.Store, x.Digest); err != nil || string(got) != string(module) {
			t.Errorf("module %q, %v", got, err)
		}
	}
	p := &Puller{Client: http.DefaultClient, Store: openStore(t)}
	if _, err := p.Pull(t.Context(), x.Digest, []string{source}, LinuxAMD64); !errors.Is(err, ErrNoVariant) {
		t.Errorf("linux: %v", err)
	}
}

// Hostile indexes do not make a puller ask for more than their bounds.
func TestPullBounds(t *testing.T) {
	full := openStore(t)
	big := descriptor{MediaType: typeTar, Digest: barnraise.Sum([]byte("big")), Size: MaxSize + 1}
	c := descriptor{MediaType: typeConfig, Digest: barnraise.Sum([]byte("c")), Size: 1}
	m, err1 := put(full, typeManifest, encode(manifest{MediaType: typeManifest, Config: c, Layers: []descriptor{big}}))
	m.Platform = &platform{OS: "wasip1", Architecture: "wasm"}
	x, err2 := put(full, typeIndex, encode(index{MediaType: typeIndex, Manifests: []descriptor{m}}))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	var asked []string
	source := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		r.URL.Path = strings.Replace(r.URL.Path, "manifests", "blobs", 1)
		Handler(full, nil).ServeHTTP(w, r)
	}))
	p := &Puller{Client: http.DefaultClient, Store: openStore(t)}
	if _, err := p.Pull(t.Context(), x.Digest, []string{source}); !errors.Is(err, ErrImage) || len(asked) != 2 {
		t.Errorf("%v, asked %v", err, asked)
	}
	if _, err := p.Pull(t.Context(), m.Digest, []string{source}); !errors.Is(err, ErrImage) {
		t.Errorf("a manifest pulled as an index: %v", err)
	}
}

// A wasm variant that can never run costs the puller its manifest and nothing more.
func TestPullAsksForNoLayersInVain(t *testing.T) {
	layer := func(mediaType string, size int64) descriptor {
		return descriptor{MediaType: mediaType, Digest: barnraise.Sum([]byte(mediaType)), Size: size}
	}
	for name, layers := range map[string][]descriptor{
		"twelve layers":      slices.Repeat([]descriptor{layer(typeTar, 80<<20)}, 12),
		"too large a layer":  {layer(typeTarGzip, maxTar+1)},
		"too large a module": {layer(typeWasm, MaxModule+1)},
		"unknown form":       {layer("application/zip", 1)},
	} {
		full := openStore(t)
		c, err1 := put(full, typeWasmConfig, []byte(`{"os":"wasip1","architecture":"wasm"}`))
		m, err2 := put(full, typeManifest, encode(manifest{MediaType: typeManifest, Config: c, Layers: layers}))
		m.Platform = &platform{OS: "wasip1", Architecture: "wasm"}
		x, err3 := put(full, typeIndex, encode(index{MediaType: typeIndex, Manifests: []descriptor{m}}))
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		asked := 0
		source := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked++
			Handler(full, nil).ServeHTTP(w, r)
		}))
		p := &Puller{Client: http.DefaultClient, Store: openStore(t)}
		if _, err := p.Pull(t.Context(), x.Digest, []string{source}, Wasm); !errors.Is(err, ErrImage) || asked != 2 {
			t.Errorf("%s: %v, asked %d times, want index and manifest", name, err, asked)
		}
	}
}

// Who takes a blob at the rate that pullers ask for gets all of it, from a server with a short limit for everything else.
func TestHandlerGivesPullersTheirTime(t *testing.T) {
	s := openStore(t)
	d, err := s.Put(make([]byte, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		server := &http.Server{Handler: Handler(s, nil), WriteTimeout: time.Second}
		go server.Serve(&once{near, make(chan struct{}, 1)})
		if _, err := io.WriteString(far, "GET /v2/a/blobs/"+d.String()+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		total := 0
		for b := make([]byte, MinRate/4); err == nil; time.Sleep(time.Second / 4) {
			var n int
			n, err = io.ReadFull(far, b)
			total += n
		}
		if total <= 1<<20 {
			t.Errorf("%d bytes of head and blob came: %v", total, err)
		}
		server.Close()
		far.Close()
	})
}

// once accepts one connection, and then waits to be closed.
type once struct {
	conn net.Conn
	open chan struct{}
}

func (o *once) Accept() (net.Conn, error) {
	if c := o.conn; c != nil {
		o.conn = nil
		return c, nil
	}
	<-o.open
	return nil, net.ErrClosed
}

func (o *once) Close() error   { close(o.open); return nil }
func (o *once) Addr() net.Addr { return &net.TCPAddr{} }
