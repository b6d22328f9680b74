package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
)

const wellKnown = "/.well-known/barnraise"

// listening remembers what it is to execute.
type listening struct {
	machine
	jobs []Job
}

func (l *listening) Rerun(ctx context.Context, job Job) (Rerun, error) {
	l.jobs = append(l.jobs, job)
	return l.machine.Rerun(ctx, job)
}

// Protocol 10.1: until the URL shows that it is the server's, nobody sends it anything else.
func TestProtocol10_1NothingIsSentWithoutAnIntroduction(t *testing.T) {
	for name, bad := range map[string]func(*member){
		"other server":  func(m *member) { m.introduce = func(i *barnraise.Introduction) { i.Server = 1 } },
		"other URL":     func(m *member) { m.introduce = func(i *barnraise.Introduction) { i.URL = "http://s1.test" } },
		"over an hour":  func(m *member) { m.introduce = func(i *barnraise.Introduction) { i.IssuedAt -= 3601 } },
		"no signature":  func(m *member) { m.serve = page("/.well-known/barnraise", http.StatusOK, "{}") },
		"not found":     func(m *member) { m.serve = page("/.well-known/barnraise", http.StatusNotFound, "") },
		"endless":       func(m *member) { m.serve = page("/.well-known/barnraise", http.StatusOK, strings.Repeat("x", 1<<20)) },
		"somebody's":    func(m *member) { m.serve = page("/.well-known/barnraise", http.StatusOK, strangers()) },
		"redirect away": func(m *member) { m.serve = page("/.well-known/barnraise", http.StatusFound, "") },
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t, 4, "compare")
			bad(n.members[3])
			n.members[2].answer = func([]byte) []byte { return lie }
			rerunner := &listening{machine: honestMachine}
			c, kept := n.client(1, WithRerunner(rerunner))
			for len(kept.kept) == 0 {
				call(t, c)
			}
			for range 8 {
				call(t, c)
			}
			if _, err := c.Recheck(t.Context(), kept.kept[0], true); err != nil {
				t.Error(err)
			}
			for _, v := range n.captured {
				if v.server == 4 && v.path != wellKnown {
					t.Fatalf("it was sent %s %s", v.method, v.path)
				}
			}
			if asked := n.seen(4, wellKnown); asked != 1 {
				t.Errorf("its introduction was asked for %d times within a minute, want once", asked)
			}
			for _, j := range rerunner.jobs {
				if slices.Contains(j.Sources, n.members[3].url()) || len(j.Sources) == 0 {
					t.Errorf("the image is to come from %v", j.Sources)
				}
			}
		})
	}
}

func page(path string, status int, text string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path {
			return false
		}
		w.WriteHeader(status)
		io.WriteString(w, text)
		return true
	}
}

func strangers() string {
	return barnraise.Sign(barnraise.TypeServer, barnraise.Introduction{Server: 4}.Payload(), strangersKey)
}

func TestProtocol10_1IntroductionIsBelievedForAnHour(t *testing.T) {
	n := newNetwork(t, 2, "compare")
	forward := n.clock()
	c, _ := n.client(1)
	for _, v := range []struct {
		later time.Duration
		asked int
	}{{0, 1}, {59 * time.Minute, 1}, {2 * time.Minute, 2}, {59 * time.Minute, 2}} {
		forward(v.later)
		call(t, c)
		if asked := n.seen(2, wellKnown); asked != v.asked {
			t.Errorf("%v later its introduction was asked for %d times in all, want %d", v.later, asked, v.asked)
		}
	}
	forward(2 * time.Minute)
	n.members[1].introduce = func(i *barnraise.Introduction) { i.Server = 1 }
	if _, err := c.Call(t.Context(), "oracle", "ask", nil); !errors.Is(err, ErrTooFew) {
		t.Errorf("somebody else is at its URL by now: %v", err)
	}
}

// Protocol 10.1: with back-off.
func TestProtocol10_1IntroductionThatFailsIsAskedForMoreAndMoreSeldom(t *testing.T) {
	n := newNetwork(t, 1, "spot")
	forward := n.clock()
	c, _ := n.client(1)
	n.members[0].serve = page(wellKnown, http.StatusNotFound, "")
	s, _ := n.Snapshot(t.Context())
	v, _ := s.Server(1)
	for i, minutes := range []time.Duration{0, 1, 2, 4, 8, 16, 32, 60, 60} {
		if i > 0 {
			forward(minutes*time.Minute - time.Second)
			if err := c.introduce(t.Context(), s, v); err == nil || n.seen(1, wellKnown) != i {
				t.Fatalf("after %d failures it is asked again before %d minutes are over: %v", i, minutes, err)
			}
			forward(time.Second)
		}
		if err := c.introduce(t.Context(), s, v); err == nil || n.seen(1, wellKnown) != i+1 {
			t.Fatalf("after %d failures it is not asked again when %d minutes are over: %v", i, minutes, err)
		}
	}
	forward(3 * time.Hour)
	c.introduce(t.Context(), s, v)
	forward(time.Minute)
	before := n.seen(1, wellKnown)
	c.introduce(t.Context(), s, v)
	if n.seen(1, wellKnown) != before+1 {
		t.Error("a failure of long ago still counts")
	}
	forward(2 * time.Minute)
	n.members[0].serve = nil
	if err := c.introduce(t.Context(), s, v); err != nil {
		t.Error(err)
	}
}

// Protocol 10.1: once per registrable domain, so that registering many of somebody's URLs does not send him every client.
func TestProtocol10_1OneIntroductionAtADomain(t *testing.T) {
	n := newNetwork(t, 5, "spot")
	n.public("true.victim.org", "a.victim.org", "b.victim.org", "c.victim.org:8443", "elsewhere.net")
	for _, m := range n.members[1:4] {
		m.serve = page(wellKnown, http.StatusNotFound, "")
	}
	forward := n.clock()
	c, _ := n.client(1)
	s, _ := n.Snapshot(t.Context())
	meet := func(id barnraise.ServerID) error {
		v, _ := s.Server(id)
		return c.introduce(t.Context(), s, v)
	}
	if err := meet(1); err != nil {
		t.Fatal(err)
	}
	for _, id := range []barnraise.ServerID{2, 3, 4} {
		if err := meet(id); err == nil || !strings.Contains(err.Error(), "a.victim.org") {
			t.Errorf("server %d: %v, want what a.victim.org did", id, err)
		}
	}
	if got := n.seen(2, "") + n.seen(3, "") + n.seen(4, ""); got != 1 {
		t.Errorf("%d visits to one domain within a minute, want 1", got)
	}
	if err := meet(5); err != nil {
		t.Errorf("another domain: %v", err)
	}
	forward(61 * time.Minute)
	meet(3)
	if err := meet(1); err != nil || n.seen(1, wellKnown) != 2 {
		t.Errorf("who has introduced himself before suffers for others under his domain: %v", err)
	}
}

// Six hosts that introduce themselves and then hang hold nobody up for long, whatever their ids.
func TestSourcesThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, 8, "compare")
		for _, m := range n.members[:6] {
			m.serve = silent(http.MethodGet, "/ipfs/")
		}
		for seed := range byte(5) {
			c, _ := n.client(seed)
			start := time.Now()
			call(t, c)
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("the first call took %v", took)
			}
		}
	})
}

// What is looked for reaches a bounded number of servers, in an order of chance.
func TestSourcesAreFewAndByChance(t *testing.T) {
	n := newNetwork(t, 60, "compare")
	for _, m := range n.members {
		m.serve = page("/ipfs/"+string(n.services[0].Revisions[0].Manifest), http.StatusNotFound, "")
	}
	first := make(map[barnraise.ServerID]bool)
	for seed := range byte(5) {
		n.captured = nil
		c, _ := n.client(seed)
		if _, err := c.Call(t.Context(), "oracle", "ask", nil); !errors.Is(err, ErrUnavailable) {
			t.Fatal(err)
		}
		asked := make(map[barnraise.ServerID]bool)
		for _, v := range n.captured {
			asked[v.server] = true
		}
		if len(asked) != maxSources {
			t.Errorf("%d servers were asked, want %d", len(asked), maxSources)
		}
		first[n.captured[0].server] = true
	}
	if len(first) == 1 {
		t.Error("the same server is asked first every time")
	}
}

// The network file's gateways are asked where no server delivers, without an introduction.
func TestGateways(t *testing.T) {
	n := newNetwork(t, 3, "compare")
	gateway := n.members[2]
	gateway.base, n.config.Gateways = "http://gateway.test", []string{"http://gateway.test/"}
	gateway.serve = page(wellKnown, http.StatusNotFound, "")
	for _, m := range n.members[:2] {
		m.serve = func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasPrefix(r.URL.Path, "/ipfs/") {
				http.NotFound(w, r)
			}
			return strings.HasPrefix(r.URL.Path, "/ipfs/")
		}
	}
	c, _ := n.client(1)
	call(t, c)
	if n.seen(3, "/ipfs/") == 0 {
		t.Error("the gateway was not asked")
	}
}

func TestRace(t *testing.T) {
	fail := errors.New("no")
	synctest.Test(t, func(t *testing.T) {
		for _, v := range []struct {
			name   string
			delays string // in half seconds; a minus says that it fails then
			want   int
			good   string
			took   time.Duration
		}{
			{"the first is quick", "0 0 0", 1, "[0]", 0},
			{"the first fails", "-0 0 0", 1, "[1]", 0},
			{"the first is slow", "9 0 0", 1, "[1]", hedge},
			{"all are slow", "4 4 4", 1, "[0]", 4 * hedge},
			{"as many as wanted", "0 0 0 0", 2, "[0 1]", 0},
			{"fewer than wanted", "0 -0 0", 4, "[0 2]", 0},
			{"one is not waited for", "0 9 0", 3, "[0 2]", 2 * hedge},
			{"nobody", "-1 -0 -2", 2, "[]", 3 * hedge},
			{"none", "", 1, "[]", 0},
		} {
			delays := strings.Fields(v.delays)
			var items []int
			for i := range delays {
				items = append(items, i)
			}
			start := time.Now()
			good, err := race(t.Context(), items, v.want, func(ctx context.Context, i int) error {
				var halves time.Duration
				fmt.Sscan(strings.TrimPrefix(delays[i], "-"), &halves)
				select {
				case <-time.After(halves * hedge):
				case <-ctx.Done():
					return ctx.Err()
				}
				if delays[i][0] == '-' {
					return fail
				}
				return nil
			})
			if fmt.Sprint(good) != v.good || time.Since(start) != v.took || (err == nil) == strings.Contains(v.delays, "-") {
				t.Errorf("%s: %v after %v, %v; want %s after %v", v.name, good, time.Since(start), err, v.good, v.took)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := race(ctx, make([]int, 100), 1, func(ctx context.Context, _ int) error { <-ctx.Done(); return fail })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("out of time: %v", err)
		}
	})
}
