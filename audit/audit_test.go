package audit

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"barnraise"
	"barnraise/client"
	"barnraise/dial"
	"barnraise/image"
	"barnraise/jsonrpc"
	"barnraise/manifest"
)

// published is an image of the search service with its sample of texts, served by a host.
type published struct {
	revision barnraise.Revision
	platform barnraise.Digest
	url      string
	served   *atomic.Int64 // requests
}

func publish(t *testing.T) published {
	t.Helper()
	store, err := image.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	built, err := image.Build(t.Context(), store, image.Options{Dir: "../services/search", Platforms: []string{image.Wasm, image.LinuxAMD64}})
	if err != nil {
		t.Fatal(err)
	}
	_, index, err := image.ParseReference(built.Image)
	if err != nil {
		t.Fatal(err)
	}
	v, err := store.Variant(index, image.Wasm)
	if err != nil {
		t.Fatal(err)
	}
	p := published{revision: barnraise.Revision{Number: 1, Image: index}, platform: v.Manifest, served: new(atomic.Int64)}
	handler := image.Handler(store, nil)
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.served.Add(1)
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(host.Close)
	p.url = host.URL
	return p
}

func (p published) job(t *testing.T, platforms ...barnraise.Digest) client.Job {
	t.Helper()
	request, err := jsonrpc.NewRequest("search_query", []byte(`{"q":"barn"}`))
	if err != nil {
		t.Fatal(err)
	}
	return client.Job{
		Service: 1, Revision: p.revision, Limits: manifest.DefaultLimits, Platforms: platforms, Sources: []string{p.url}, Request: request,
	}
}

func TestRerun(t *testing.T) {
	p := publish(t)
	m, err := Open(t.TempDir(), dial.Client(true, 0))
	if err != nil {
		t.Fatal(err)
	}
	invented := barnraise.Sum([]byte("invented"))
	r, err := m.Rerun(t.Context(), p.job(t, p.platform, invented))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Runs) != 1 || !r.Runs[0].Alike() || !r.Runs[0].Wasm || r.Runs[0].Platform != p.platform || !strings.Contains(string(r.Runs[0].Bodies[0]), `"hits"`) {
		t.Errorf("runs %+v", r.Runs)
	}
	if len(r.Foreign) != 1 || r.Foreign[0] != invented {
		t.Errorf("foreign %v, want the platform that is none of the image's", r.Foreign)
	}
	before := p.served.Load()
	if again, err := m.Rerun(t.Context(), p.job(t, p.platform)); err != nil || string(again.Runs[0].Bodies[1]) != string(r.Runs[0].Bodies[0]) {
		t.Errorf("again: %+v, %v", again, err)
	}
	if p.served.Load() != before {
		t.Error("the image was fetched a second time")
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

// Where no server has the image any more, the registry has it that the author pushed it to (protocol 2.8).
func TestRerunFromRegistry(t *testing.T) {
	p := publish(t)
	p.revision.Reference = strings.TrimPrefix(p.url, "http://") + "/alice/search@" + p.revision.Image.String()
	m, err := Open(t.TempDir(), dial.Client(true, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	job := p.job(t, p.platform)
	job.Sources = nil
	if r, err := m.Rerun(t.Context(), job); err != nil || len(r.Runs) != 1 {
		t.Errorf("runs %+v, %v", r.Runs, err)
	}
}

func TestRerunThatCannotBe(t *testing.T) {
	p := publish(t)
	m, err := Open(t.TempDir(), dial.Client(true, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	linux, err := func() (image.Variant, error) {
		if _, err := m.puller.Pull(t.Context(), p.revision.Image, []string{p.url}, image.Wasm); err != nil {
			return image.Variant{}, err
		}
		return m.images.Variant(p.revision.Image, image.LinuxAMD64)
	}()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Rerun(t.Context(), p.job(t, linux.Manifest)); !errors.Is(err, ErrNoRuntime) {
		t.Errorf("linux alone: %v, want ErrNoRuntime", err)
	}
	lost := p.job(t, p.platform)
	lost.Revision.Image = barnraise.Sum([]byte("nobody has it"))
	if _, err := m.Rerun(t.Context(), lost); !errors.Is(err, image.ErrNotFound) || !strings.Contains(err.Error(), p.url) {
		t.Errorf("an image that nobody has: %v, want ErrNotFound that names who was asked", err)
	}
	starved := p.job(t, p.platform)
	starved.Limits.Fuel = 1000
	if _, err := m.Rerun(t.Context(), starved); err == nil {
		t.Error("it ran without fuel")
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Rerun(gone, p.job(t, p.platform)); !errors.Is(err, context.Canceled) {
		t.Error("it ran for nobody")
	}
}
