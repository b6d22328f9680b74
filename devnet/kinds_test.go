package devnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"barnraise"
	"barnraise/adversary"
	"barnraise/client"
	"barnraise/judge"
	"barnraise/manifest"
	"barnraise/score"
	"barnraise/store"
)

// A home that is dead or lies changes who is asked, not what is true: no answer is wrong, no call fails.
func TestHomes(t *testing.T) {
	for name, is := range map[string]int{"deadhome": failing, "lyinghome": guilty} {
		t.Run(name, func(t *testing.T) {
			a := newArena(t, Options{Servers: 7, With: []string{name}, Services: echoes("compare", "spot")})
			if a.Home != 7 {
				t.Fatalf("home is server %d", a.Home)
			}
			for k, p := range policies(t, presets()...) {
				for _, service := range []string{"echo-compare", "echo-spot"} {
					c := a.caller(t, byte(k), slices.Concat(a.honest(6), a.called(name)))
					r := play(t, load{service: service, policy: p, calls: share(1000), atOnce: 4}, c)
					proved := convicted(t, c)
					t.Logf("%s by %-10s %s; convicted %v", service, p.Name, r, proved)
					r.judge(t, is, p, a.called(name), proved)
				}
			}
		})
	}
}

// One name stands for eight servers of different operators, beside as many others as were asked for. They are found out, one after
// the other, and where they are more than the honest, too.
func TestSybils(t *testing.T) {
	a := newArena(t, Options{Servers: 6, With: []string{"sybil"}, Services: echoes("compare")})
	sybils := a.called("sybil")
	if len(a.Servers) != 13 || len(sybils) != 8 || sybils[0] != 6 {
		t.Fatalf("%d servers, of which sybils are %v", len(a.Servers), sybils)
	}
	for k, p := range policies(t, presets()...) {
		c := a.caller(t, byte(k), slices.Concat(a.honest(5), sybils))
		r := play(t, load{service: "echo-compare", policy: p, calls: share(2000)}, c)
		proved := convicted(t, c)
		t.Logf("%-10s %s; convicted %v", p.Name, r, proved)
		r.judge(t, guilty, p, sybils, proved)
		if len(proved) == 0 {
			t.Errorf("%s: no sybil is convicted", p.Name)
		}
	}
}

// Who says under a new revision what the old one answered, lies about the new one, and is convicted.
func TestStale(t *testing.T) {
	a := newArena(t, Options{Servers: 4, With: []string{"stale"}, Services: echoes("compare")})
	everybody := slices.Concat(a.honest(3), a.called("stale"))
	exact := policies(t, "exact=0.01")[0]
	l := load{service: "echo-compare", policy: exact, calls: 10}
	play(t, l, a.caller(t, 1, everybody)).judge(t, harmless, exact, nil, nil)
	a.upgrade(t, "echo-compare", "devnet/testdata/shout")
	l.truth = func(said string) string { return `{"loud":` + said + `}` }
	l.policy = policies(t, "paranoid")[0]
	c := a.caller(t, 2, everybody)
	r := play(t, l, c)
	proved := convicted(t, c)
	t.Logf("%s; convicted %v", r, proved)
	r.judge(t, guilty, l.policy, a.called("stale"), proved)
	if len(proved) == 0 {
		t.Error("the stale server is not convicted")
	}
}

// upgrade publishes a revision of another program and waits until every server runs it, and callers take it.
func (a *arena) upgrade(t *testing.T, service, program string) {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	source, err := manifest.ReadSource(filepath.Join(root, program, "service.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	built, err := a.build(t.Context(), root, shipped{dir: program})
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := a.publish(Service{Name: service, Program: program}, source, built)
	if err != nil {
		t.Fatal(err)
	}
	id := a.Network.Names[service]
	number, _, err := a.registry.Publish(t.Context(), a.accounts.author, id, r)
	if err != nil {
		t.Fatal(err)
	}
	await(t, a.Net, func(s *barnraise.Snapshot) bool {
		_, active, _ := s.Active(id)
		return active.Number == number && !slices.ContainsFunc(a.Servers, func(m Member) bool {
			return !slices.ContainsFunc(m.server.Hosts(), func(h barnraise.Hosted) bool { return h.Service == id && h.Revision == number })
		})
	})
}

// rumours counts what servers say about evidence that does not hold.
type rumours struct {
	slog.Handler
	refused atomic.Int64
}

func (r *rumours) Enabled(context.Context, slog.Level) bool { return true }
func (r *rumours) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *rumours) Handle(_ context.Context, e slog.Record) error {
	if e.Message == "evidence does not hold" {
		r.refused.Add(1)
	}
	return nil
}

// What a slanderer brings holds before nobody: whoever is brought it looks at it himself, nobody is struck or thought less of, and
// nobody keeps it.
func TestSlander(t *testing.T) {
	b := &Barter{Services: echoes("compare")}
	for range 4 {
		b.Parties = append(b.Parties, Party{Own: []string{"echo-compare"}, Rewards: []string{"echo-compare"}})
	}
	heard := &rumours{Handler: slog.DiscardHandler}
	a := newArena(t, Options{Barter: b, With: []string{"slanderer"}, Log: slog.New(heard)})
	exact := policies(t, "exact=0.01")[0]
	c := a.caller(t, 1, slices.Concat(a.honest(3), a.called("slanderer")))
	for end := time.Now().Add(time.Minute); heard.refused.Load() < 6; {
		r := play(t, load{service: "echo-compare", policy: exact, calls: 5}, c)
		r.judge(t, harmless, exact, nil, nil)
		if time.Now().After(end) {
			t.Fatalf("servers have refused %d pieces of evidence", heard.refused.Load())
		}
	}
	t.Logf("servers have refused %d pieces of evidence", heard.refused.Load())
	if err := a.Net.Close(); err != nil {
		t.Fatal(err)
	}
	for _, m := range a.Servers {
		s, err := store.Open(context.Background(), filepath.Join(m.Data, "barnraise.db"), store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		events, err := s.Events(context.Background(), store.EventFilter{Limit: 1000})
		if err != nil {
			t.Error(err)
		}
		for _, e := range events {
			if slices.Contains([]string{string(score.Struck), string(score.Foreign), string(score.Suspended)}, e.Kind) {
				t.Errorf("server %d: %+v", m.ID, e)
			}
		}
		if kept, err := s.List(context.Background(), store.EvidenceFilter{Limit: 10}); err != nil || len(kept) > 0 {
			t.Errorf("server %d keeps %v, %v", m.ID, kept, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// unsure is a machine on which an image contradicts itself: of two executions one has noise.
type unsure struct{ client.Rerunner }

func (u unsure) Rerun(ctx context.Context, job client.Job) (client.Rerun, error) {
	r, err := u.Rerunner.Rerun(ctx, job)
	for i := range r.Runs {
		r.Runs[i] = judge.Rerun{Platform: r.Runs[i].Platform, Wasm: r.Runs[i].Wasm, Bodies: [2][]byte{
			r.Runs[i].Bodies[0], adversary.Falsify(r.Runs[i].Bodies[0]),
		}}
	}
	return r, err
}

// contradictory has answers differ where the image contradicts itself before the caller's eyes: nobody is struck, and the request is
// never accepted (protocol 7.4).
func contradictory(t *testing.T, a *arena) {
	meets := slices.Concat(a.honest(3), a.called("nondeterministic"))
	c := a.caller(t, 1, meets, client.WithRerunner(unsure{a.machine}))
	everybody := policies(t, "exact=0.01")[0]
	refused := 0
	for i := range 40 {
		params := fmt.Appendf(nil, `{"value":"noise %d"}`, i)
		for range 2 {
			a, err := c.Call(t.Context(), "echo-compare", "echo", params, client.Under(everybody))
			var undecided *client.UndecidedError
			switch {
			case err == nil && (len(a.Struck) > 0 || !strings.Contains(string(a.Result), "noise")):
				t.Errorf("%s: struck %v", a.Result, a.Struck)
			case err != nil && !errors.As(err, &undecided):
				t.Error(err)
			case err != nil:
				refused++
			}
		}
	}
	if refused == 0 {
		t.Error("no call was refused: did the noise stop?")
	}
	c.Book(func(b *score.Book) {
		for _, id := range meets {
			if !b.Clean(id, c.Epoch()) {
				t.Errorf("server %d is struck", id)
			}
		}
	})
}
