package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"barnraise"
	"barnraise/endpoint"
)

func problemIn(t *testing.T, body string) (p endpoint.Problem) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return p
}

func detail(t *testing.T, body string) string { t.Helper(); return problemIn(t, body).Detail }

// deaf is a registry of which the confirmed part is not heard at first.
type deaf struct {
	*chainOf
	hear chan struct{}
}

func (d *deaf) Confirmed(ctx context.Context) (*barnraise.Snapshot, error) {
	select {
	case <-d.hear:
		return d.chainOf.Confirmed(ctx)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Until its calls are done a server listens, and says that it is draining.
func TestDrain(t *testing.T) {
	r := run(t, nil)
	r.awaitHosting(t, 1)
	answered := make(chan int, 1)
	go func() {
		resp, _ := r.post(t, oracle, waiting)
		answered <- resp.StatusCode
	}()
	awaitThat(t, "under way", func() bool {
		r.mu.RLock()
		defer r.mu.RUnlock()
		return len(r.hosted[1][1].places) == 1
	})
	stopped := make(chan error, 1)
	go func() { stopped <- r.stop() }()
	awaitThat(t, "draining", func() bool {
		status, body := r.get(t, "/readyz")
		return status == http.StatusServiceUnavailable && detail(t, body) == "draining"
	})
	resp, body := r.post(t, oracle, request)
	if resp.StatusCode != http.StatusServiceUnavailable || detail(t, body) != "draining" {
		t.Errorf("another call: %s %s", resp.Status, body)
	}
	if status, _ := r.get(t, "/livez"); status != http.StatusOK {
		t.Errorf("livez: %d", status)
	}
	close(r.runtime.release)
	if status := <-answered; status != http.StatusOK {
		t.Errorf("the call under way got %d", status)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if _, err := r.client.Get(r.url + "/livez"); err == nil {
		t.Error("it still listens")
	}
}

// What does not end in time is broken off.
func TestDrainIsBounded(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *running) {
		broken := make(chan error, 1)
		go func() {
			_, err := r.client.Post(r.url+oracle, "application/json", strings.NewReader(waiting))
			broken <- err
		}()
		pass(0)
		begun := time.Now()
		if err := r.stop(); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != Drain {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
		if err := <-broken; err == nil {
			t.Error("the call that did not end got an answer")
		}
	})
}

func TestStarting(t *testing.T) {
	inBubble(t, func(r *running, _ *Config, _ *Dependencies) {
		r.runtime.start = hold(r.runtime.release)
	}, func(t *testing.T, r *running) {
		for path, want := range map[string]struct {
			status int
			says   string
		}{
			oracle:             {503, "starting"},
			"/v1/services/1/2": {404, unknownRevision},
			"/v1/services/1/x": {404, unknownRevision},
			"/v1/services/2/1": {404, unknownService},
		} {
			resp, body := r.post(t, path, request)
			if p := problemIn(t, body); resp.StatusCode != want.status || p.Detail != want.says && p.Type != want.says {
				t.Errorf("%s: %s %s, want %v", path, resp.Status, body, want)
			}
			if (resp.Header.Get("Retry-After") != "") != (want.status == 503) {
				t.Errorf("%s: Retry-After %q", path, resp.Header.Get("Retry-After"))
			}
		}
		if status, body := r.get(t, "/readyz"); status != http.StatusOK {
			t.Errorf("ready while one service starts: %d %s", status, body)
		}
		close(r.runtime.release)
		pass(0)
		if resp, _ := r.post(t, oracle, request); resp.StatusCode != http.StatusOK {
			t.Errorf("started: %s", resp.Status)
		}
	})
}

// Before it has looked at the registry a server knows of no service that it is unknown.
func TestStartingBeforeTheFirstLook(t *testing.T) {
	var chain *deaf
	inBubble(t, func(r *running, _ *Config, d *Dependencies) {
		chain = &deaf{r.chain, make(chan struct{})}
		d.Registry = chain
	}, func(t *testing.T, r *running) {
		if status, body := r.get(t, "/readyz"); status != http.StatusServiceUnavailable || detail(t, body) != "starting" {
			t.Errorf("readyz: %d %s", status, body)
		}
		if resp, body := r.post(t, oracle, request); resp.StatusCode != http.StatusServiceUnavailable || detail(t, body) != "starting" {
			t.Errorf("call: %s %s", resp.Status, body)
		}
		close(chain.hear)
		pass(0)
		if status, body := r.get(t, "/readyz"); status != http.StatusOK {
			t.Errorf("readyz: %d %s", status, body)
		}
	})
}

func TestServerThatIsNotRegistered(t *testing.T) {
	r := run(t, func(r *running, _ *Config, _ *Dependencies) { r.chain.servers[0].URL = "http://127.0.0.1:2" })
	if err := r.sync(t.Context()); err == nil || !strings.Contains(err.Error(), "barnraise servers register") {
		t.Errorf("error is %v, want a hint", err)
	}
	for _, path := range []string{"/readyz", "/.well-known/barnraise"} {
		if status, body := r.get(t, path); status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}
