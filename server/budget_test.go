package server

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"barnraise"
	"barnraise/budget"
	"barnraise/conformance"
	"barnraise/content"
	"barnraise/image"
	"barnraise/manifest"
	"barnraise/verifiers"
)

// scarce gives a server budgets that a test can use up.
func scarce(set func(*budget.Limits)) change {
	return func(_ *running, c *Config, _ *Dependencies) {
		c.Budgets = budget.Default()
		set(&c.Budgets)
	}
}

// refused wants 429 with a problem document, and returns when to come again.
func (r *running) refused(t *testing.T) time.Duration {
	t.Helper()
	resp, body := r.post(t, oracle, request)
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if resp.StatusCode != http.StatusTooManyRequests || err != nil || resp.Header.Get("Content-Type") != "application/problem+json" ||
		resp.Header.Get("Barnraise-Receipt") != "" || !strings.Contains(body, `"status":429`) || !strings.Contains(body, "budget") {
		t.Fatalf("%s %s, Retry-After %q, want a refusal", resp.Status, body, resp.Header.Get("Retry-After"))
	}
	return time.Duration(seconds) * time.Second
}

func TestOverBudget(t *testing.T) {
	inBubble(t, scarce(func(l *budget.Limits) { l.Each.Requests, l.Each.Burst = 0.2, 2 }), func(t *testing.T, r *running) {
		r.atOnce(t, "within its burst")
		r.atOnce(t, "at its end")
		wait := r.refused(t)
		if wait != 5*time.Second {
			t.Errorf("come again in %s, want 5s", wait)
		}
		pass(wait - time.Second)
		if sooner := r.refused(t); sooner != time.Second {
			t.Errorf("four seconds later: in %s, want 1s", sooner)
		}
		pass(time.Second)
		r.atOnce(t, "as it was told")
		if u := r.Usage(); u.Services[1].Requests != 3 || u.Services[1].Refused != 2 || u.All.Requests != 3 || u.Idle != "" {
			t.Errorf("counted %+v", u)
		}
	})
}

// A real client over a real connection.
func TestOverBudgetOnTheWire(t *testing.T) {
	r := run(t, scarce(func(l *budget.Limits) { l.Each.Requests, l.Each.Burst = 0.01, 1 }))
	r.awaitHosting(t, 1)
	if resp, body := r.post(t, oracle, request); resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s", resp.Status, body)
	}
	if wait := r.refused(t); wait < 90*time.Second || wait > 100*time.Second {
		t.Errorf("come again in %s, want about 100s", wait)
	}
}

// What is answered on a day counts, also after a restart, and a new day begins at midnight.
func TestBytesOutOfADay(t *testing.T) {
	var data string
	long := strings.Replace(request, "ask", "long", 1) // 60 kB
	inBubble(t, func(r *running, c *Config, d *Dependencies) {
		scarce(func(l *budget.Limits) { l.Each.Egress = 1 << 20 })(r, c, d)
		data = c.Data
	}, func(t *testing.T, r *running) {
		for range 18 {
			if resp, body := r.post(t, oracle, long); resp.StatusCode != http.StatusOK {
				t.Fatalf("%s %.100s", resp.Status, body)
			}
		}
		if wait, day := r.refused(t), 24*time.Hour; wait != day {
			t.Errorf("come again in %s, want %s", wait, day)
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		record, err := budget.File(filepath.Join(data, "budgets.json")).Load()
		if err != nil || record.Out[1] < 1<<20 || record.Others != 0 {
			t.Errorf("saved %+v, %v", record, err)
		}
		s := &Server{config: r.config, now: time.Now, log: r.log}
		s.openBudgets(Dependencies{})
		if over := s.meter.Admit(1, true); over == nil || over.Resource != budget.Egress {
			t.Errorf("after a restart: %v", over)
		}
		pass(24 * time.Hour)
		if over := s.meter.Admit(1, true); over != nil {
			t.Errorf("the next day: %v", over)
		}
	})
}

func TestRecordThatCannotBeRead(t *testing.T) {
	inBubble(t, func(_ *running, c *Config, _ *Dependencies) {
		if err := os.WriteFile(filepath.Join(c.Data, "budgets.json"), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}, func(t *testing.T, r *running) { r.atOnce(t, "with counters that begin anew") })
}

// Images and content that others fetch are bytes out, and leave own services their share.
func TestGivenAwayCounts(t *testing.T) {
	inBubble(t, scarce(func(l *budget.Limits) { l.Egress = 1 << 20 }), func(t *testing.T, r *running) {
		index := r.chain.services[0].Revisions[0].Image
		fetch := func() int {
			status, _ := r.get(t, "/v2/image/manifests/"+index.String())
			return status
		}
		if status := fetch(); status != http.StatusOK || r.Usage().Others.Egress == 0 {
			t.Fatalf("%d, counted %+v", status, r.Usage().Others)
		}
		r.meter.Gave(1 << 20)
		if status := fetch(); status != http.StatusTooManyRequests {
			t.Errorf("an image over budget: %d", status)
		}
		module, _ := verifiers.Module("compare")
		if status, _ := r.get(t, "/ipfs/"+string(content.Sum(module))); status != http.StatusTooManyRequests {
			t.Errorf("content over budget: %d", status)
		}
		if r.refused(t) == 0 {
			t.Error("all is used up, and a call is told to come again at once")
		}
	})
}

// Processor time is looked at every half minute; one that goes back is not counted twice.
func TestProcessorTimeIsCounted(t *testing.T) {
	inBubble(t, func(r *running, c *Config, d *Dependencies) {
		scarce(func(l *budget.Limits) { l.Each.CPU = 1 })(r, c, d)
		d.Poll = weighEvery
	}, func(t *testing.T, r *running) {
		for _, c := range []struct{ says, counted time.Duration }{
			{10 * time.Second, 10 * time.Second}, {0, 10 * time.Second}, {40 * time.Second, 40 * time.Second},
		} {
			r.runtime.uses(c.says)
			pass(2 * weighEvery)
			if got := r.Usage().Services[1].CPU; got != c.counted.Seconds() {
				t.Errorf("says %s: counted %v seconds, want %s", c.says, got, c.counted)
			}
		}
		r.atOnce(t, "within a minute's")
		r.runtime.uses(10 * time.Minute)
		pass(2 * weighEvery)
		if wait := r.refused(t); wait < 5*time.Minute || wait > 10*time.Minute {
			t.Errorf("come again in %s", wait)
		}
		cost := r.cost(1, conformance.Subject{Manifest: manifest.Manifest{Cost: 1}})
		pass(12 * time.Hour)
		r.runtime.uses(10*time.Minute + 12*time.Hour)
		pass(12 * time.Hour)
		if dear := r.cost(1, conformance.Subject{Manifest: manifest.Manifest{Cost: 1}}); cost != 1 || dear <= 1 {
			t.Errorf("it costs %d, and once it is asked for much %d", cost, dear)
		}
	})
}

// A full disk keeps an image out, and says what to do; what is there runs all the same.
func TestNoRoomForAnImage(t *testing.T) {
	full := func(string) (budget.Space, error) { return budget.Space{Free: 9, Total: 100}, nil }
	tenth := func(c *Config, d *Dependencies) { d.Space, c.Budgets.Reserve = full, 0.1 }
	inBubble(t, func(_ *running, c *Config, d *Dependencies) { tenth(c, d) }, func(t *testing.T, r *running) {
		pass(time.Minute)
		if _, failures := r.pending(hostKey{1, 1}); failures == 0 || r.hosts() != "" {
			t.Errorf("%d failures, runs %s", failures, r.hosts())
		}
		if idle := r.Usage().Idle; !strings.Contains(idle, "not touched") {
			t.Errorf("idle: %q", idle)
		}
		if _, err := r.room(1, 1); !errors.Is(err, budget.ErrDisk) {
			t.Errorf("error is %v", err)
		}
	})
	inBubble(t, func(r *running, c *Config, d *Dependencies) {
		tenth(c, d)
		filled(t, r, c)
	}, func(t *testing.T, r *running) {
		pass(time.Minute)
		if r.hosts() != "1@1" {
			t.Errorf("what is there already does not run: %q", r.hosts())
		}
	})
}

// filled puts everything into a server's directory that its service needs.
func filled(t *testing.T, r *running, c *Config) {
	t.Helper()
	images, err := image.Open(filepath.Join(c.Data, "images"))
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := content.Open(filepath.Join(c.Data, "content"))
	if err != nil {
		t.Fatal(err)
	}
	revision := r.chain.services[0].Revisions[0]
	if err := images.Adopt(r.local.images, revision.Image); err != nil {
		t.Fatal(err)
	}
	document, err := r.local.content.File(revision.Manifest, manifest.MaxSize)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blocks.Put(document); err != nil {
		t.Fatal(err)
	}
}

// seldom makes a server look at the registry so seldom that days pass soon.
func seldom(_ *running, _ *Config, d *Dependencies) { d.Poll = 10 * time.Minute }

// Images that nobody wants any more go, at the latest where another one needs their room.
func TestImagesAreCollected(t *testing.T) {
	inBubble(t, seldom, func(t *testing.T, r *running) {
		old := r.chain.services[0].Revisions[0].Image
		size, err := r.images.Size(old)
		if err != nil || r.Usage().Services[1].Images != uint64(size) {
			t.Fatalf("%d bytes, %v, counted %+v", size, err, r.Usage().Services[1])
		}
		pass(5 * 24 * time.Hour)
		if _, err := r.images.Blobs(old); err != nil {
			t.Fatalf("what runs was collected: %v", err)
		}
		r.chain.change(func() { r.chain.services[0].Revisions[0].Revoked = true })
		pass(time.Hour)
		if _, err := r.images.Blobs(old); err != nil {
			t.Errorf("it is gone at once: %v", err)
		}
		pass(3 * 24 * time.Hour)
		if _, err := r.images.Blobs(old); err == nil {
			t.Error("it stays for ever")
		}
	})
}

func TestRoomIsMade(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *running) {
		junk, err := r.images.Put(make([]byte, 3<<20))
		if err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(-2 * time.Hour)
		if err := os.Chtimes(filepath.Join(r.images.Dir(), "blobs", "sha256", junk.Hex()), old, old); err != nil {
			t.Fatal(err)
		}
		limits := budget.Default()
		limits.Images = 4 << 20
		r.disk = budget.NewDisk(r.config.Data, limits, budget.SpaceOf, time.Now)
		release, err := r.room(2, 3<<20)
		if err != nil {
			t.Fatal(err)
		}
		release()
		if r.images.Check(junk) == nil {
			t.Error("what nobody wants is still there")
		}
		if r.hosts() != "1@1" || r.images.Check(r.chain.services[0].Revisions[0].Image) != nil {
			t.Error("what runs lost its image")
		}
	})
}

// Whoever names this server as home does not get what is kept for its operator's own services.
func TestOwns(t *testing.T) {
	mine, theirs := barnraise.Address{1}, barnraise.Address{2}
	s := &Server{config: Config{Own: []barnraise.ServiceID{3}}}
	w := world{servers: []barnraise.Server{{ID: 7, Operator: mine}, {ID: 8, Operator: mine}}}
	for _, c := range []struct {
		id    barnraise.ServiceID
		owner barnraise.Address
		home  barnraise.ServerID
		self  uint32
		want  bool
	}{
		{3, theirs, 8, 7, true}, {4, mine, 7, 7, true}, {4, theirs, 7, 7, false}, {4, mine, 8, 7, false}, {4, mine, 0, 7, false},
		{4, barnraise.Address{}, 0, 0, false},
	} {
		s.id.Store(c.self)
		if got := s.owns(w.snapshot(), barnraise.Service{ID: c.id, Owner: c.owner}, barnraise.Revision{Home: c.home}); got != c.want {
			t.Errorf("service %s of %s with home %d: %t", c.id, c.owner, c.home, got)
		}
	}
}
