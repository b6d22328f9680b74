package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
	"barnraise/dial"

	"github.com/google/go-containerregistry/pkg/name"
	theirs "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func TestParseRepository(t *testing.T) {
	for _, c := range []struct{ reference, base, path string }{
		{"ghcr.io/alice/search", "https://ghcr.io", "alice/search"},
		{"ghcr.io/alice/search:v1@sha256:00", "https://ghcr.io", "alice/search"},
		{"registry.example:5000/search", "https://registry.example:5000", "search"},
		{"alice/search", "https://registry-1.docker.io", "alice/search"},
		{"docker.io/search", "https://registry-1.docker.io", "library/search"},
		{"index.docker.io/alice/search:latest", "https://registry-1.docker.io", "alice/search"},
		{"localhost/search", "http://localhost", "search"},
		{"127.0.0.1:5000/a/b", "http://127.0.0.1:5000", "a/b"},
		{"[::1]:5000/a", "http://[::1]:5000", "a"},
		{"127.0.0.1.example/a", "https://127.0.0.1.example", "a"},
		{"192.168.1.1:5000/a", "https://192.168.1.1:5000", "a"},
		{"search", "", ""},
		{"search@sha256:00", "", ""},
		{"", "", ""},
		{"ghcr.io/", "", ""},
		{"ghcr.io/Alice", "", ""},
		{"ghcr.io/a/../b", "", ""},
		{"ghcr.io/a?b", "", ""},
		{"u:p@ghcr.io/a", "", ""},
		{"ghcr.io:/a", "", ""},
		{"gh cr.io/a", "", ""},
		{"[fe80::1%25eth0]/a", "", ""},
		{"./a", "", ""},
		{"../b/a", "", ""},
	} {
		r, err := parseRepository(c.reference)
		if (err == nil) != (c.base != "") || err == nil && r != (repository{c.base, c.path}) {
			t.Errorf("%q is %+v, %v, want %s and %s", c.reference, r, err, c.base, c.path)
		}
	}
}

// Protocol 2.8: a puller tries hosts of the service, then the reference, then the home.
func TestSources(t *testing.T) {
	const ref = "ghcr.io/a/b@sha256:00"
	for _, c := range []struct {
		servers, home, reference, want string
	}{
		{"h1 h2 home", "home", ref, "h1 h2 " + ref + " home"},
		{"h1 h2", "home", ref, "h1 h2 " + ref},
		{"home", "home", ref, ref + " home"},
		{"", "", ref, ref},
		{"h1 home", "home", "search@sha256:00", "h1 home"},
		{"h1 home", "home", "", "h1 home"},
	} {
		if got := strings.Join(Sources(strings.Fields(c.servers), c.home, c.reference), " "); got != c.want {
			t.Errorf("Sources(%s, %s, %s) = %s, want %s", c.servers, c.home, c.reference, got, c.want)
		}
	}
}

// pushed puts an image into a registry that is not ours and returns the registry's handler.
func pushed(t *testing.T, s *Store, d barnraise.Digest, repository string) http.Handler {
	t.Helper()
	h := theirs.New(theirs.Logger(log.New(io.Discard, "", 0)))
	host := strings.TrimPrefix(serve(t, h), "http://")
	all, err := layout.ImageIndexFromPath(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	x, err := all.ImageIndex(v1.Hash{Algorithm: "sha256", Hex: d.Hex()})
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(host + "/" + repository + ":v1")
	if err == nil {
		err = remote.WriteIndex(tag, x)
	}
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// guarded puts a registry behind tokens that a realm gives to everybody.
func guarded(h http.Handler, realm *string, token string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			w.Header().Set("WWW-Authenticate", `Bearer realm="`+*realm+`",service="the \"registry\"",scope="repository:a/b:pull"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func hostOf(url string) string { return strings.TrimPrefix(url, "http://") }

func TestPullFromRegistry(t *testing.T) {
	from, d := packed(t)
	source := serve(t, pushed(t, from, d, "a/b"))
	p := &Puller{Client: http.DefaultClient, Store: openStore(t)}
	for _, reference := range []string{"/a/b@" + d.String(), "/a/b:v1", "/a/b:other@" + barnraise.Sum(nil).String()} {
		p.Store = openStore(t)
		if v, err := p.Pull(t.Context(), d, []string{hostOf(source) + reference}); err != nil || len(v) != 3 {
			t.Errorf("%s: pulled %v, %v", reference, v, err)
		}
	}
	p.Store = openStore(t)
	if _, err := p.Pull(t.Context(), d, []string{hostOf(source) + "/a/c", "search"}); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "names no registry") {
		t.Errorf("another repository: %v", err)
	}
	if _, err := p.Pull(t.Context(), d, []string{source}); err == nil {
		t.Errorf("a registry asked as a server has the image: %v", err)
	}
}

// One token does for all blobs, goes to the registry alone, and the realm is told what it is for.
func TestPullWithToken(t *testing.T) {
	from, d := packed(t)
	var tokens int
	elsewhere := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "" {
			t.Errorf("another host gets %v", r.Header)
		}
		r.URL.Path = strings.TrimPrefix(r.URL.Path, "/moved")
		Handler(from, nil).ServeHTTP(w, r)
	}))
	realm := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokens++
		if q := r.URL.Query(); q.Get("service") != `the "registry"` || q.Get("scope") != "repository:a/b:pull" || q.Get("x") != "1" {
			t.Errorf("asked for a token with %v", q)
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"access_token": "s3cret"})
	})) + "/token?x=1"
	inner := pushed(t, from, d, "a/b")
	source := serve(t, guarded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "c", Value: "1"})
		if strings.Contains(r.URL.Path, "/blobs/") {
			http.Redirect(w, r, elsewhere+"/moved"+r.URL.Path+"?signature=x", http.StatusTemporaryRedirect)
			return
		}
		inner.ServeHTTP(w, r)
	}), &realm, "s3cret"))
	p := &Puller{Client: http.DefaultClient, Store: openStore(t)}
	if v, err := p.Pull(t.Context(), d, []string{hostOf(source) + "/a/b"}); err != nil || len(v) != 3 || tokens != 1 {
		t.Errorf("pulled %v with %d tokens, %v", v, tokens, err)
	}
}

// only reaches one registry as it is and all else by the rule for public networks.
type only struct {
	hosts []string
	rule  http.RoundTripper
}

func (o only) RoundTrip(r *http.Request) (*http.Response, error) {
	if slices.Contains(o.hosts, r.URL.Host) {
		return http.DefaultTransport.RoundTrip(r)
	}
	return o.rule.RoundTrip(r)
}

// Protocol 2.8: the dial rule of 10.2 on every connection, redirect and token realm, anonymous.
func TestRegistryCannotChooseOurAddresses(t *testing.T) {
	from, d := packed(t)
	reached := false
	admin := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	inner := pushed(t, from, d, "a/b")
	for _, c := range []struct {
		place string
		want  error
	}{
		{admin + "/admin", dial.ErrAddress},
		{strings.Replace(admin, "127.0.0.1", "localhost", 1), dial.ErrAddress},
		{"https://169.254.169.254/latest/meta-data", dial.ErrAddress},
		{"https://[::ffff:169.254.169.254]/", dial.ErrAddress},
		{"https://10.0.0.1/", dial.ErrAddress},
		{"http://169.254.169.254/latest/meta-data", dial.ErrURL},
		{"http://registry.example/", dial.ErrURL},
		{"https://user:password@registry.example/", dial.ErrURL},
		{"file:///etc/passwd", dial.ErrURL},
		{"https:registry.example", nil},
		{"gopher://registry.example/", dial.ErrURL},
	} {
		moved := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/blobs/") {
				w.Header().Set("Location", c.place)
				w.WriteHeader(http.StatusFound)
				return
			}
			inner.ServeHTTP(w, r)
		}))
		locked := serve(t, guarded(inner, &c.place, "never given"))
		for what, source := range map[string]string{"redirect": moved, "realm": locked} {
			p := &Puller{Store: openStore(t), Client: &http.Client{Transport: only{[]string{hostOf(moved), hostOf(locked)}, dial.Transport(false)}}}
			_, err := p.Pull(t.Context(), d, []string{hostOf(source) + "/a/b"}, Wasm)
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%s to %s: %v, want %v", what, c.place, err, c.want)
			}
		}
	}
	if reached {
		t.Error("a request arrived on loopback")
	}
	source := serve(t, inner)
	p := &Puller{Store: openStore(t), Client: dial.Client(false, 0)}
	if _, err := p.Pull(t.Context(), d, []string{hostOf(source) + "/a/b"}); !errors.Is(err, dial.ErrAddress) {
		t.Errorf("a registry on loopback, outside private networks: %v", err)
	}
}

// Each way in which a registry may fail a puller is an error that says which, within bounds of time and size.
func TestHostileRegistry(t *testing.T) {
	from, d := packed(t)
	inner := pushed(t, from, d, "a/b")
	v, err := from.Variant(d, Wasm)
	if err != nil {
		t.Fatal(err)
	}
	m, err := from.manifest(v.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	layer := m.Layers[0].Digest.String()
	huge := fmt.Sprintf(`{"schemaVersion":2,"config":{"digest":%q,"size":10},"layers":[{"mediaType":%q,"digest":%q,"size":20000000000}]}`,
		barnraise.Sum(nil), typeTar, barnraise.Sum(nil))
	into := func(f http.HandlerFunc, part string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, part) {
				f(w, r)
				return
			}
			inner.ServeHTTP(w, r)
		}
	}
	endless := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = w.Write(make([]byte, 1<<16))
		}
	}
	loop := func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }
	nothing := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for name, c := range map[string]struct {
		h    http.Handler
		want error
		says string
	}{
		"index of another digest":  {into(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }, d.String()), ErrMismatch, ""},
		"tampered layer":           {into(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 100)) }, layer), ErrMismatch, ""},
		"layer without end":        {into(endless, layer), ErrImage, ""},
		"index without end":        {into(endless, d.String()), ErrImage, ""},
		"layer that never comes":   {into(nothing, layer), context.DeadlineExceeded, "too slow"},
		"redirects without end":    {into(loop, layer), nil, "more than 5 redirects"},
		"redirect to nowhere":      {into(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(302) }, layer), nil, "no Location"},
		"realm without end":        {challenge(endless), ErrImage, "get token"},
		"realm that never answers": {challenge(nothing), context.DeadlineExceeded, ""},
		"realm that redirects":     {challenge(loop), nil, "answers \"302"},
		"realm that refuses":       {challenge(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }), errCredentials, ""},
		"no token":                 {challenge(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }), nil, "has none"},
		"no JSON":                  {challenge(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "token") }), nil, "get token"},
		"two headers in a token":   {challenge(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"token":"a\r\nX: b"}`) }), nil, "has none"},
		"token of no use":          {challenge(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"token":"a"}`) }), errCredentials, ""},
		"password wanted": {http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.WriteHeader(http.StatusUnauthorized)
		}), errCredentials, ""},
		"a variant of 20 GB": {into(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, huge) }, v.Manifest.String()), ErrMismatch, ""},
	} {
		source := serve(t, c.h)
		p := &Puller{Client: dial.Client(true, 0), Store: openStore(t), Timeout: 300 * time.Millisecond}
		_, err := p.Pull(t.Context(), d, []string{hostOf(source) + "/a/b"}, Wasm)
		if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v with %q", name, err, c.want, c.says)
		}
	}
}

// challenge is a registry that wants tokens from a realm of its own.
func challenge(realm http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			realm(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/token"`)
		w.WriteHeader(http.StatusUnauthorized)
	})
}

// An image may say truly that it has 20 GB: then nothing of them is asked for. Or that it is for nobody.
func TestUnusableImages(t *testing.T) {
	full := openStore(t)
	c, err1 := put(full, typeConfig, []byte(`{}`))
	big, err2 := put(full, typeManifest, encode(manifest{MediaType: typeManifest, Config: c, Layers: []descriptor{
		{MediaType: typeTar, Digest: barnraise.Sum([]byte("big")), Size: 20e9},
	}}))
	big.Platform = &platform{OS: "linux", Architecture: "amd64"}
	x, err3 := put(full, typeIndex, encode(index{MediaType: typeIndex, Manifests: []descriptor{big}}))
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	var asked []string
	source := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		Handler(full, nil).ServeHTTP(w, r)
		if strings.HasSuffix(r.URL.Path, big.Digest.String()) { // which the handler does not take for a manifest
			b, _ := full.Get(big.Digest, MaxDocument)
			_, _ = w.Write(b)
		}
	}))
	p := &Puller{Client: http.DefaultClient, Store: openStore(t)}
	if _, err := p.Pull(t.Context(), x.Digest, []string{hostOf(source) + "/a"}, LinuxAMD64); err == nil || len(asked) > 2 {
		t.Errorf("20 GB: %v, asked %v", err, asked)
	}
	if _, err := p.Pull(t.Context(), x.Digest, []string{hostOf(source) + "/a"}, Wasm); !errors.Is(err, ErrNoVariant) {
		t.Errorf("no variant: %v", err)
	}
}

// Who delivers a byte now and then is given up when he has fallen behind, long before all of it could have come.
func TestPullFromSlowSource(t *testing.T) {
	blob := make([]byte, 64<<20)
	d := barnraise.Sum(blob)
	store := openStore(t)
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		client := &http.Client{Transport: answering(func() *http.Response { return &http.Response{StatusCode: 200, Body: dripping{}} })}
		p := &transfer{Puller: &Puller{Store: store}, client: client}
		err := p.ask(t.Context(), newSource("http://slow"), "blobs", d, int64(len(blob)))
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > 20*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

type answering func() *http.Response

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	resp := a()
	resp.Body = bound{resp.Body, r.Context()}
	return resp, nil
}

// bound is a body that ends with its request.
type bound struct {
	io.ReadCloser
	ctx context.Context
}

func (b bound) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.ReadCloser.Read(p)
}

// dripping gives a byte a second.
type dripping struct{}

func (dripping) Read(p []byte) (int, error) { time.Sleep(time.Second); return 1, nil }
func (dripping) Close() error               { return nil }

func TestParseChallenge(t *testing.T) {
	for header, want := range map[string]string{
		`Bearer realm="https://a/t",service="s",scope="repository:a/b:pull"`: "map[realm:https://a/t scope:repository:a/b:pull service:s]",
		`bearer Realm=https://a , service = "x,\"y\""`:                       `map[realm:https://a service:x,"y"]`,
		`Bearer`:           "map[]",
		`Basic realm="x"`:  "",
		`Bearer realm="x`:  "",
		`Bearer realm="x\`: "",
		`Bearer realm`:     "",
		``:                 "",
		`Bearer a="` + strings.Repeat("x", maxChallenge) + `"`: "",
	} {
		got, ok := parseChallenge(header)
		if ok != (want != "") || ok && fmt.Sprint(got) != want {
			t.Errorf("%.80q reads as %v, %t, want %s", header, got, ok, want)
		}
	}
}

func FuzzRegistrySays(f *testing.F) {
	f.Add(`Bearer realm="https://a/t?x",service="s"`, []byte(`{"token":"t"}`), "https://a/b?c")
	f.Fuzz(func(t *testing.T, header string, answer []byte, location string) {
		s := newSource("registry.example/a/b")
		if address, err := s.realm([]string{header}); err == nil {
			r, err := http.NewRequest("GET", address, nil)
			if err != nil || r.URL.User != nil || r.URL.Scheme != "https" && !loopback(r.URL.Hostname()) {
				t.Errorf("%q leads to %q, %v", header, address, err)
			}
		}
		if token, err := parseToken(answer); err == nil && strings.ContainsAny(token, " \r\n") {
			t.Errorf("token %q", token)
		}
		if r, err := parseRepository(location); err == nil {
			w := httptest.NewRequest("GET", r.base+"/v2/"+r.path+"/x", nil)
			if w.URL.User != nil || w.URL.RawQuery != "" || w.URL.Path != "/v2/"+r.path+"/x" {
				t.Errorf("%q leads to %v", location, w.URL)
			}
		}
	})
}
