package server

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"barnraise"
	"barnraise/content"
	"barnraise/image"
	"barnraise/manifest"
	"barnraise/registry/evm"
	"barnraise/runtime"
)

// hold is a start that takes until it is released, or given up.
func hold(release chan struct{}) func(context.Context, runtime.Spec) error {
	return func(ctx context.Context, _ runtime.Spec) error {
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// addService registers another service, whose image is of that number.
func (r *running) addService(t *testing.T, id barnraise.ServiceID, image uint32) barnraise.Digest {
	revision := r.local.revision(t, image, 1)
	revision.Number = 1
	r.chain.services = append(r.chain.services, barnraise.Service{
		ID: id, Name: "other", Status: barnraise.StatusActive, Revisions: []barnraise.Revision{revision},
	})
	return revision.Image
}

func TestFollowsRevisions(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, r *running) {
		expect := func(want string) {
			t.Helper()
			pass(time.Second)
			if got := r.hosts(); got != want {
				t.Errorf("%s runs, want %s", got, want)
			}
		}
		revisions := &r.chain.services[0].Revisions
		expect("1@1")
		r.chain.change(func() { *revisions = append(*revisions, r.local.revision(t, 2, 30)) })
		expect("1@1 1@2") // prepared before it is active
		r.chain.change(func() { r.chain.block = 34 })
		expect("1@1 1@2") // the old one for one more grace
		r.chain.change(func() { r.chain.block = 35 })
		expect("1@2")
		if resp, _ := r.post(t, oracle, request); resp.StatusCode != http.StatusNotFound {
			t.Errorf("revision 1: %s", resp.Status)
		}
		r.chain.change(func() { (*revisions)[1].Revoked = true })
		expect("1@1") // the newest that is not revoked
		r.chain.change(func() { r.chain.services[0].Status = barnraise.StatusGone })
		expect("")
	})
}

// A service whose start takes for ever keeps no other from being started, followed, and revoked; and when it is revoked
// itself, its start is given up.
func TestSlowStartHoldsNothingUp(t *testing.T) {
	for name, ends := range map[string]func(context.Context) error{
		"given up":         func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"ready after that": func(ctx context.Context) error { <-ctx.Done(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			var starts, stops atomic.Int32
			inBubble(t, func(r *running, c *Config, _ *Dependencies) {
				slow := r.addService(t, 2, 9)
				c.Own = append(c.Own, 2)
				r.runtime.stop = func() { stops.Add(1) }
				r.runtime.start = func(ctx context.Context, spec runtime.Spec) error {
					if spec.Image != slow {
						return nil
					}
					starts.Add(1)
					return ends(ctx)
				}
			}, func(t *testing.T, r *running) {
				if r.hosts() != "1@1" || starts.Load() != 1 {
					t.Fatalf("%s runs, %d slow starts", r.hosts(), starts.Load())
				}
				r.chain.change(func() { r.chain.block = 21 })
				pass(time.Second)
				resp, _ := r.post(t, oracle, request)
				receipt, _, err := barnraise.ParseReceipt(resp.Header.Get("Barnraise-Receipt"))
				if err != nil || receipt.Block != 21 {
					t.Errorf("receipt is %+v, %v", receipt, err)
				}
				r.chain.change(func() { r.chain.services[0].Revisions[0].Revoked = true })
				pass(time.Second)
				if r.hosts() != "" || starts.Load() != 1 || stops.Load() != 1 {
					t.Errorf("after the revocation %q runs; %d slow starts, %d stops", r.hosts(), starts.Load(), stops.Load())
				}
				r.chain.change(func() { r.chain.services[1].Revisions[0].Revoked = true })
				pass(time.Second)
				want := int32(1)
				if name != "given up" {
					want++ // what was ready nevertheless
				}
				if underWay, failures := r.pending(hostKey{2, 1}); stops.Load() != want || underWay != 0 || failures != 0 || r.hosts() != "" {
					t.Errorf("%d stops; %d under way, %d failures, %q runs", stops.Load(), underWay, failures, r.hosts())
				}
			})
		})
	}
}

// A source that never answers holds nothing up either.
func TestSlowPullHoldsNothingUp(t *testing.T) {
	inBubble(t, func(r *running, c *Config, _ *Dependencies) {
		r.addService(t, 2, 9)
		c.Own = append(c.Own, 2)
		r.chain.services[1].Revisions[0].Image = barnraise.Sum([]byte("what only the slow one has"))
		r.chain.servers = append(r.chain.servers, barnraise.Server{ID: 8, URL: "http://127.0.0.1:9", Status: barnraise.StatusActive, Offers: []barnraise.ServiceID{2}})
	}, func(t *testing.T, r *running) {
		if underWay, _ := r.pending(hostKey{2, 1}); r.hosts() != "1@1" || underWay != 1 {
			t.Errorf("%s runs, %d under way", r.hosts(), underWay)
		}
		pass(time.Minute)
		if _, failures := r.pending(hostKey{2, 1}); failures == 0 {
			t.Error("the silent source is waited for without end")
		}
	})
}

func TestSlowStopHoldsNothingUp(t *testing.T) {
	release := make(chan struct{})
	inBubble(t, func(r *running, c *Config, _ *Dependencies) {
		release = make(chan struct{})
		c.Own = nil
		r.chain.servers[0].Offers = []barnraise.ServiceID{1}
		r.runtime.stop = func() { <-release }
	}, func(t *testing.T, r *running) {
		offer := func(ids ...barnraise.ServiceID) {
			r.chain.change(func() { r.chain.servers[0].Offers = ids })
			pass(time.Second)
		}
		offer()
		if resp, _ := r.post(t, oracle, request); resp.StatusCode != http.StatusNotFound {
			t.Errorf("while it stops: %s", resp.Status)
		}
		looks := r.chain.looks()
		offer(1)
		if r.hosts() != "" || r.chain.looks() == looks {
			t.Errorf("%q runs beside the one that stops; looks at the registry: %d", r.hosts(), r.chain.looks()-looks)
		}
		close(release)
		pass(time.Second)
		if r.hosts() != "1@1" {
			t.Errorf("%q runs", r.hosts())
		}
	})
}

func TestStartThatFailsIsTriedAgain(t *testing.T) {
	var begun []time.Duration
	inBubble(t, func(r *running, _ *Config, _ *Dependencies) {
		from := time.Now()
		r.runtime.start = func(context.Context, runtime.Spec) error {
			begun = append(begun, time.Since(from))
			if len(begun) < 5 {
				return runtime.ErrBroke
			}
			return nil
		}
	}, func(t *testing.T, r *running) {
		pass(10 * time.Second)
		if resp, body := r.post(t, oracle, request); resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("between trials: %s %s", resp.Status, body)
		}
		pass(time.Minute)
		if want := []time.Duration{0, 1 * time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second}; !slices.Equal(begun, want) {
			t.Errorf("tried after %v, want %v", begun, want)
		}
		if _, failures := r.pending(hostKey{1, 1}); r.hosts() != "1@1" || failures != 0 {
			t.Errorf("%q runs, %d failures are remembered", r.hosts(), failures)
		}
	})
	for failures, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 9: 256 * time.Second, 10: 5 * time.Minute, 1000: 5 * time.Minute} {
		if got := backoff(failures); got != want {
			t.Errorf("after %d failures: %v, want %v", failures, got, want)
		}
	}
}

func TestImageThatNobodyHas(t *testing.T) {
	inBubble(t, func(r *running, _ *Config, _ *Dependencies) {
		r.chain.services[0].Revisions[0].Image = barnraise.Sum([]byte("an image that nobody has"))
	}, func(t *testing.T, r *running) {
		pass(10 * time.Second)
		if _, failures := r.pending(hostKey{1, 1}); r.hosts() != "" || failures != 4 || len(r.chain.offers()) != 0 {
			t.Errorf("%q runs after %d trials, %v is offered", r.hosts(), failures, r.chain.offers())
		}
	})
}

func TestProtocol9_3OffersWhatRuns(t *testing.T) {
	inBubble(t, func(r *running, c *Config, _ *Dependencies) {
		c.Rewards = []barnraise.ServiceID{5}
		c.Capacity = 0
		r.runtime.start = hold(r.runtime.release)
	}, func(t *testing.T, r *running) {
		pass(10 * time.Second)
		if len(r.chain.offers()) != 0 {
			t.Fatal("offered before it runs")
		}
		close(r.runtime.release)
		pass(10 * time.Second)
		me, sets, _ := r.chain.me()
		if !slices.Equal(me.Offers, []barnraise.ServiceID{1}) || !slices.Equal(me.Rewards, []barnraise.ServiceID{5}) {
			t.Errorf("on chain stand offers %v, rewards %v", me.Offers, me.Rewards)
		}
		if sets != 2 { // the rewards, and then the offer
			t.Errorf("%d writes, want two", sets)
		}
	})
}

// What does not answer the server's own example is neither let in nor offered.
func TestProtocol9_3OwnProbe(t *testing.T) {
	stopped := 0
	inBubble(t, func(r *running, _ *Config, _ *Dependencies) {
		r.publish(t, manifest.Manifest{Name: "oracle", OpenRPC: []byte(`{"methods":[{"name":"break","examples":[{"params":[]}]}]}`)})
		r.runtime.stop = func() { stopped++ }
	}, func(t *testing.T, r *running) {
		pass(2 * time.Second)
		if r.hosts() != "" || len(r.chain.offers()) != 0 || stopped != 2 {
			t.Errorf("%q runs, %v is offered, %d were stopped again", r.hosts(), r.chain.offers(), stopped)
		}
	})
}

// Where the contract does not take other rewards yet, the offers go without them, and the rewards follow when it does.
func TestRewardsThatHaveToWait(t *testing.T) {
	const earliest = 40
	inBubble(t, func(r *running, c *Config, _ *Dependencies) {
		c.Rewards = []barnraise.ServiceID{5}
		r.chain.servers[0].Rewards = []barnraise.ServiceID{3}
		r.chain.refuse = func(rewards []barnraise.ServiceID) error {
			if r.chain.block+1 < earliest && !slices.Equal(rewards, r.chain.servers[0].Rewards) {
				return fmt.Errorf("set lists: %w", &evm.Revert{Name: "RewardsTooSoon", Fields: map[string]any{"earliest": uint64(earliest)}})
			}
			return nil
		}
	}, func(t *testing.T, r *running) {
		pass(time.Minute)
		me, _, asked := r.chain.me()
		if !slices.Equal(me.Offers, []barnraise.ServiceID{1}) || !slices.Equal(me.Rewards, []barnraise.ServiceID{3}) || asked > 3 {
			t.Errorf("offers %v, rewards %v after %d writes", me.Offers, me.Rewards, asked)
		}
		r.chain.change(func() { r.chain.block = earliest - 1 })
		pass(time.Minute)
		if me, sets, _ := r.chain.me(); !slices.Equal(me.Rewards, []barnraise.ServiceID{5}) || sets > 3 {
			t.Errorf("rewards %v after %d writes", me.Rewards, sets)
		}
	})
}

// A transaction that nobody takes up holds nothing up, and is sent once.
func TestSlowTransactionHoldsNothingUp(t *testing.T) {
	var chain *slowWriter
	inBubble(t, func(r *running, _ *Config, d *Dependencies) {
		chain = &slowWriter{chainOf: r.chain}
		d.Registry = chain
	}, func(t *testing.T, r *running) {
		pass(time.Minute)
		if chain.writes.Load() != 1 || r.hosts() != "1@1" {
			t.Errorf("%d writes; %q runs", chain.writes.Load(), r.hosts())
		}
		r.chain.change(func() { r.chain.services[0].Revisions[0].Revoked = true })
		pass(time.Second)
		if r.hosts() != "" {
			t.Errorf("after the revocation %q runs", r.hosts())
		}
		pass(10 * time.Minute)
		if _, sets, _ := r.chain.me(); chain.writes.Load() != 1 || sets != 1 {
			t.Errorf("%d writes, %d taken", chain.writes.Load(), sets)
		}
	})
}

// slowWriter takes ten minutes for a transaction.
type slowWriter struct {
	*chainOf
	writes atomic.Int32
}

func (s *slowWriter) SetLists(ctx context.Context, id barnraise.ServerID, offers, rewards []barnraise.ServiceID, capacity uint32) error {
	s.writes.Add(1)
	select {
	case <-time.After(10 * time.Minute):
		return s.chainOf.SetLists(ctx, id, offers, rewards, capacity)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Hosting goes by what is confirmed; what stands at the head already is not written again, and revocation does not wait.
func TestProtocol1_9HostingUsesConfirmedRecords(t *testing.T) {
	inBubble(t, func(r *running, c *Config, _ *Dependencies) {
		c.Capacity = 0
		r.chain.confirmed = r.chain.snapshot()
		r.addService(t, 2, 9)
		c.Own = append(c.Own, 2)
		r.chain.block = 25
	}, func(t *testing.T, r *running) {
		pass(time.Minute)
		if _, sets, _ := r.chain.me(); r.hosts() != "1@1" || sets != 1 || r.block.Load() != 25 {
			t.Errorf("%q runs, %d writes, block %d", r.hosts(), sets, r.block.Load())
		}
		r.chain.change(func() {
			r.chain.services[0].Revisions[0].Revoked, r.chain.broken = true, errors.New("there is no finalized block")
		})
		pass(time.Second)
		if r.hosts() != "" {
			t.Errorf("%q runs after its revocation", r.hosts())
		}
		r.chain.change(func() { r.chain.confirmed, r.chain.broken = nil, nil })
		pass(time.Second)
		if r.hosts() != "2@1" {
			t.Errorf("%q runs once the other is confirmed", r.hosts())
		}
	})
}

// What no server has comes from the registry that it was pushed to (protocol 2.8).
func TestImageFromRegistry(t *testing.T) {
	elsewhere := newLocal(t)
	pushed := image.Handler(elsewhere.images, nil)
	var asked []string
	inBubble(t, func(r *running, _ *Config, _ *Dependencies) {
		elsewhere.content = r.local.content
		revision := elsewhere.revision(t, 3, 1)
		revision.Number, revision.Reference = 1, "registry.example/alice/oracle@"+revision.Image.String()
		r.chain.services[0].Revisions[0] = revision
		r.others = roundTrip(func(req *http.Request) *http.Response {
			asked = append(asked, req.URL.Scheme+"://"+req.URL.Host)
			w := httptest.NewRecorder()
			pushed.ServeHTTP(w, req)
			return w.Result()
		})
	}, func(t *testing.T, r *running) {
		pass(time.Minute)
		if r.hosts() != "1@1" || len(asked) == 0 || asked[0] != "https://registry.example" {
			t.Errorf("%q runs, %v were asked", r.hosts(), asked)
		}
	})
}

type roundTrip func(*http.Request) *http.Response

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

// Protocol 10.1: nobody is asked for what belongs to a revision before he has introduced himself: not a host, not the home.
func TestProtocol10_1NothingIsPulledWithoutAnIntroduction(t *testing.T) {
	for name, introduces := range map[string]bool{"introduces itself": true, "does not": false} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			asked := make(map[string]int)
			inBubble(t, func(r *running, c *Config, _ *Dependencies) {
				r.addService(t, 2, 9)
				c.Own = append(c.Own, 2)
				r.chain.services[1].Revisions[0].Manifest = content.Sum([]byte("what only the other has"))
				r.chain.services[1].Revisions[0].Home = 8
				other := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
				r.chain.servers = append(r.chain.servers, barnraise.Server{
					ID: 8, URL: "http://other", Status: barnraise.StatusActive, Offers: []barnraise.ServiceID{2},
					Keys: []barnraise.Key{{Key: barnraise.PublicKey(other.Public().(ed25519.PublicKey)), From: 1}},
				})
				r.others = roundTrip(func(req *http.Request) *http.Response {
					mu.Lock()
					defer mu.Unlock()
					asked[req.URL.Path[:min(len(req.URL.Path), 6)]]++
					w := httptest.NewRecorder()
					if i := (barnraise.Introduction{
						Server: 8, URL: "http://other", Chain: testNetwork.Chain, Services: testNetwork.Services, Servers: testNetwork.Servers, IssuedAt: time.Now().Unix(),
					}); introduces && strings.HasPrefix(req.URL.Path, "/.well") {
						w.WriteString(barnraise.Sign(barnraise.TypeServer, i.Payload(), other))
						return w.Result()
					}
					http.NotFound(w, req)
					return w.Result()
				})
			}, func(t *testing.T, r *running) {
				pass(time.Minute)
				mu.Lock()
				defer mu.Unlock()
				if asked["/.well"] == 0 || asked["/ipfs/"] > 0 != introduces || introduces && asked["/.well"] != 1 {
					t.Errorf("it was asked for %v", asked)
				}
			})
		})
	}
}

// Whoever offers a service is asked for it only by chance, and the home always, after them (protocol 2.8).
func TestSourcesAreDrawn(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := &Server{config: Config{URL: "http://me"}, now: func() time.Time { now = now.Add(time.Minute); return now }}
	const home = 3
	servers := []barnraise.Server{{ID: home, URL: "http://home", Status: barnraise.StatusActive}, {ID: 1, URL: "http://me", Status: barnraise.StatusActive, Offers: []barnraise.ServiceID{1}}}
	for i := range 50 {
		servers = append(servers, barnraise.Server{
			ID: barnraise.ServerID(10 + i), URL: fmt.Sprint("http://", i), Status: barnraise.StatusActive, Offers: []barnraise.ServiceID{1},
		}, barnraise.Server{ID: barnraise.ServerID(100 + i), URL: "http://same", Status: barnraise.StatusActive, Offers: []barnraise.ServiceID{1}})
	}
	snapshot := barnraise.NewSnapshot(testNetwork.Registry(), 1, [32]byte{}, 5, nil, servers)
	drawn, first := map[string]int{}, map[string]int{}
	for range 2000 {
		urls := urlsOf(s.holders(snapshot, 1, barnraise.Revision{Home: home}))
		if len(urls) != maxSources || urls[len(urls)-1] != "http://home" {
			t.Fatalf("drawn are %v", urls)
		}
		first[urls[0]]++
		for _, url := range urls {
			drawn[url]++
		}
	}
	if len(drawn) != 52 || drawn["http://me"] != 0 || drawn["http://same"] > 500 || len(first) < 40 {
		t.Errorf("%d different ones, %d of them first; same %d times", len(drawn), len(first), drawn["http://same"])
	}
	if urls := s.holders(snapshot, 2, barnraise.Revision{Home: 99}); len(urls) != 0 {
		t.Errorf("of nobody: %v", urls)
	}
}

func urlsOf(list []holder) (urls []string) {
	for _, h := range list {
		urls = append(urls, h.url)
	}
	return urls
}

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// An operator reads when something falls ill, why, and when it is well again: once each.
func TestHealth(t *testing.T) {
	var log lockedBuffer
	inBubble(t, func(_ *running, _ *Config, d *Dependencies) { d.Log = slog.New(slog.NewTextHandler(&log, nil)) }, func(t *testing.T, r *running) {
		pass(time.Minute)
		said := func() [2]int {
			return [2]int{strings.Count(log.String(), "msg=unwell service=#1 revision=1"), strings.Count(log.String(), `msg="well again" service=#1`)}
		}
		if got := said(); got != [2]int{} {
			t.Errorf("it was well: %v", got)
		}
		r.runtime.falls(fmt.Errorf("%w: it dies of it", runtime.ErrBroke))
		pass(time.Minute)
		r.runtime.falls(context.DeadlineExceeded)
		pass(time.Minute)
		if got := said(); got != [2]int{1, 0} || !strings.Contains(log.String(), "dies of it") {
			t.Errorf("it was ill: %v", got)
		}
		r.runtime.falls(nil)
		pass(time.Minute)
		r.runtime.falls(runtime.ErrNotReady)
		pass(time.Minute)
		if got := said(); got != [2]int{2, 1} {
			t.Errorf("it was ill, well and ill: %v", got)
		}
	})
}
