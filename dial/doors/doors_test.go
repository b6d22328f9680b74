package doors

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"barnraise"
)

// town is a registry and what answers at its URLs.
type town struct {
	t       *testing.T
	servers []barnraise.Server
	behind  map[string]barnraise.ServerID // who answers at a URL, as it is registered; nobody where it is none
	now     time.Time
	hang    bool

	mu     sync.Mutex
	visits []string // URLs that were asked
	*Doors
}

var registry = barnraise.Registry{Chain: "eip155:1", Services: barnraise.Address{1}, Servers: barnraise.Address{2}}

func key(id barnraise.ServerID) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0], seed[1] = byte(id), byte(id>>8)
	return ed25519.NewKeyFromSeed(seed)
}

// newTown has a server at each URL, which answers there itself where the URL begins with "https://true."
func newTown(t *testing.T, urls ...string) *town {
	w := &town{t: t, behind: make(map[string]barnraise.ServerID), now: time.Unix(1_800_000_000, 0)}
	for i, url := range urls {
		id := barnraise.ServerID(i + 1)
		w.servers = append(w.servers, barnraise.Server{
			ID: id, Operator: barnraise.Address{byte(i)}, URL: url, Status: barnraise.StatusActive,
			Keys: []barnraise.Key{{Key: barnraise.PublicKey(key(id).Public().(ed25519.PublicKey)), From: 1}},
		})
		if strings.HasPrefix(url, "https://true.") {
			w.behind[url] = id
		}
	}
	w.Doors = New(Config{HTTP: &http.Client{Transport: w}, Now: func() time.Time { return w.now }})
	return w
}

func (w *town) RoundTrip(r *http.Request) (*http.Response, error) {
	base, ok := strings.CutSuffix(r.URL.String(), "/.well-known/barnraise")
	if !ok || r.Method != http.MethodGet {
		w.t.Errorf("sent %s %s", r.Method, r.URL)
	}
	w.mu.Lock()
	w.visits = append(w.visits, base)
	id := w.behind[base]
	w.mu.Unlock()
	if w.hang {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	if id == 0 {
		return nil, errors.New("nobody there")
	}
	v := w.servers[id-1]
	i := barnraise.Introduction{Server: id, URL: v.URL, Chain: registry.Chain, Services: registry.Services, Servers: registry.Servers, IssuedAt: w.now.Unix()}
	body := barnraise.Sign(barnraise.TypeServer, i.Payload(), key(id))
	return &http.Response{Status: "200 OK", StatusCode: 200, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func (w *town) meet(id barnraise.ServerID) error {
	s := barnraise.NewSnapshot(registry, 10, [32]byte{}, 5, nil, append([]barnraise.Server{}, w.servers...))
	v, _ := s.Server(id)
	return w.Meet(context.Background(), s, v)
}

// seen counts the visits at a URL, or at all where it is empty.
func (w *town) seen(url string) (count int) {
	for _, v := range w.visits {
		if url == "" || v == url {
			count++
		}
	}
	return count
}

// Protocol 10.1: checked once for a URL and hour: whoever copies an honest operator's URL makes him known.
func TestProtocol10_1CopiesOfAURLIntroduceItsOwner(t *testing.T) {
	const owner = 25
	urls := make([]string, 50)
	for i := range urls {
		urls[i] = "https://true.org"
	}
	w := newTown(t, urls...)
	w.behind["https://true.org"] = owner
	for id := range barnraise.ServerID(len(urls)) {
		if id++; id == owner {
			continue
		}
		if err := w.meet(id); !errors.Is(err, ErrStranger) {
			t.Fatalf("a ghost at the owner's URL: %v, want ErrStranger", err)
		}
	}
	if !w.Met(w.servers[owner-1]) || w.meet(owner) != nil || w.seen("") != 1 {
		t.Errorf("after 49 ghosts the owner is known: %t; he was visited %d times, want once", w.Met(w.servers[owner-1]), w.seen(""))
	}
	w.now = w.now.Add(61 * time.Minute)
	if err := w.meet(owner); err != nil || w.seen("") != 2 {
		t.Errorf("an hour later: %v, %d visits", err, w.seen(""))
	}
}

// However a URL is spelled that somebody is known to be behind, nobody else is asked for there.
func TestOneIsBehindAURLHoweverItIsSpelled(t *testing.T) {
	spellings := []string{
		"https://true.org/a", "https://true.org/a/", "https://TRUE.org/a", "https://true.org:443/a", "https://true.org./a", "HTTPS://true.org/a", "https://true.org/a",
	}
	w := newTown(t, spellings...)
	w.behind["https://true.org/a"] = 1
	if err := w.meet(1); err != nil {
		t.Fatal(err)
	}
	for id := range spellings[1:] {
		if err := w.meet(barnraise.ServerID(id + 2)); !errors.Is(err, ErrStranger) || w.seen("") != 1 {
			t.Errorf("%s: %v, %d visits", spellings[id+1], err, w.seen(""))
		}
	}
	w.servers[0].URL = "https://true.org/moved"
	w.now = w.now.Add(time.Minute)
	w.behind["https://true.org/a"] = 7
	if err := w.meet(7); err != nil {
		t.Errorf("whoever comes where another has moved out: %v", err)
	}
}

// Whoever gives out another's introduction at a URL of his own makes nobody known: the other may be gone.
func TestProtocol10_1ReplayedIntroductionProvesNothing(t *testing.T) {
	w := newTown(t, "https://true.org", "https://elsewhere.net")
	w.behind["https://elsewhere.net"] = 1
	if err := w.meet(2); !errors.Is(err, ErrStranger) || w.Met(w.servers[0]) || w.Met(w.servers[1]) {
		t.Errorf("%v; known: %t, %t", err, w.Met(w.servers[0]), w.Met(w.servers[1]))
	}
}

// Protocol 10.1: what fails is held against who failed. Three squatters under a domain do not delay its owner at all; many, who are
// all drawn before he is, each and every time, keep him out no longer than a minute each, and send him few visitors.
func TestProtocol10_1SquattersKeepNoOwnerOut(t *testing.T) {
	for _, ghosts := range []int{0, 1, 3, 4, 20, 100} {
		var urls []string
		for i := range ghosts {
			urls = append(urls, fmt.Sprintf("https://g%d.victim.org", i))
		}
		w := newTown(t, append(urls, "https://true.victim.org")...)
		owner, minutes := barnraise.ServerID(ghosts+1), 0
		for ; minutes < 1000; minutes++ {
			for id := range barnraise.ServerID(ghosts) {
				if err := w.meet(id + 1); err == nil {
					t.Fatal("a ghost has introduced itself")
				}
			}
			err := w.meet(owner)
			if err == nil {
				break
			}
			if !errors.Is(err, ErrCrowded) || errors.Is(err, ErrStranger) {
				t.Fatalf("the owner is told %v, want ErrCrowded", err)
			}
			w.now = w.now.Add(time.Minute)
		}
		if most := max(0, ghosts-visitsAtOnce+1); minutes > most {
			t.Errorf("%d ghosts keep the owner out for %d minutes, want at most %d", ghosts, minutes, most)
		}
		if most := visitsAtOnce + minutes; w.seen("") > most {
			t.Errorf("%d ghosts send %d visitors in %d minutes, want at most %d", ghosts, w.seen(""), minutes, most)
		}
	}
}

// Whoever has introduced himself is asked again however crowded his street is, and where that fails he is the only one to blame.
func TestProtocol10_1WhoIsKnownIsNotCrowdedOut(t *testing.T) {
	var urls []string
	for i := range 99 {
		urls = append(urls, fmt.Sprintf("https://g%d.victim.org", i))
	}
	w := newTown(t, append(urls, "https://true.victim.org")...)
	if err := w.meet(100); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	w.behind["https://true.victim.org"] = 0 // it is down for a moment
	crowd := func() {
		for id := range barnraise.ServerID(99) {
			w.meet(id + 1)
		}
	}
	crowd()
	if err := w.meet(100); !errors.Is(err, ErrStranger) {
		t.Fatalf("down: %v", err)
	}
	w.behind["https://true.victim.org"] = 100
	if err := w.meet(100); err == nil {
		t.Error("it was asked again at once")
	}
	w.now = w.now.Add(Avoided)
	crowd()
	if err := w.meet(100); err != nil {
		t.Errorf("it is back: %v", err)
	}
}

// Protocol 10.1: with back-off, for each server alone, and once an hour in the end.
func TestProtocol10_1BackOff(t *testing.T) {
	for first, waits := range map[time.Duration][]time.Duration{
		0:           {time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute, time.Hour, time.Hour, time.Hour},
		time.Second: {time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, 64 * time.Second},
	} {
		w := newTown(t, "https://down.org", "https://true.org")
		w.Doors = New(Config{HTTP: &http.Client{Transport: w}, Private: true, Now: func() time.Time { return w.now }, Avoid: first})
		for i, wait := range waits {
			if err := w.meet(1); !errors.Is(err, ErrStranger) || w.seen("") != i+1 {
				t.Fatalf("failure %d: %v after %d visits", i, err, w.seen(""))
			}
			w.now = w.now.Add(wait - 1)
			if err := w.meet(1); !errors.Is(err, ErrStranger) || w.seen("") != i+1 {
				t.Fatalf("%v after failure %d it was asked again", wait-1, i)
			}
			w.now = w.now.Add(1)
		}
		if err := w.meet(2); err != nil {
			t.Errorf("another: %v", err)
		}
	}
}

// A clock that is set back by a day closes no street for a day.
func TestClockSetBack(t *testing.T) {
	w := newTown(t, "https://a.victim.org", "https://b.victim.org", "https://c.victim.org", "https://d.victim.org", "https://e.victim.org", "https://true.victim.org")
	for id := range barnraise.ServerID(5) {
		w.meet(id + 1)
	}
	w.now = w.now.Add(-24 * time.Hour)
	if err := w.meet(6); !errors.Is(err, ErrCrowded) {
		t.Fatalf("%v, want ErrCrowded", err)
	}
	w.now = w.now.Add(time.Minute)
	if err := w.meet(6); err != nil {
		t.Error(err)
	}
}

// Many who want to meet one server at once ask it once, and one that hangs holds up nobody else, for five seconds at most.
func TestOneVisitAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, "https://true.org", "https://hangs.true.org")
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if err := w.meet(1); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if w.seen("") != 1 {
			t.Errorf("%d visits, want one", w.seen(""))
		}
		w.hang = true
		start := time.Now()
		if err := w.meet(2); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != Within {
			t.Errorf("one that hangs took %v: %v", time.Since(start), err)
		}
	})
}

// What failed because the caller had no time is remembered of nobody.
func TestCallersImpatience(t *testing.T) {
	w := newTown(t, "https://true.org")
	w.hang = true
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := barnraise.NewSnapshot(registry, 10, [32]byte{}, 5, nil, append([]barnraise.Server{}, w.servers...))
	if err := w.Meet(ctx, s, w.servers[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	w.hang = false
	if err := w.meet(1); err != nil {
		t.Error(err)
	}
}

func TestForget(t *testing.T) {
	w := newTown(t, "https://true.org", "https://down.org")
	for range 2 {
		if err := w.meet(1); err != nil {
			t.Error(err)
		}
		if err := w.meet(2); err == nil {
			t.Error("nobody is there")
		}
		w.Forget()
	}
	if w.Met(w.servers[0]) || w.seen("") != 4 {
		t.Errorf("%d visits, want 4; known: %t", w.seen(""), w.Met(w.servers[0]))
	}
}
