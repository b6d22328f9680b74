package registry_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"barnraise"
	"barnraise/registry"
)

// few is a small registry at a block, after changes to it.
func few(block uint64, change func(services []barnraise.Service, servers []barnraise.Server)) *barnraise.Snapshot {
	services := []barnraise.Service{
		{ID: 1, Owner: barnraise.Address{1}, Name: "search", Status: barnraise.StatusActive, Revisions: []barnraise.Revision{
			{Number: 1, Verifier: "v1", Manifest: "m1", Home: 7, Image: barnraise.Sum([]byte("1"))},
		}},
		{ID: 3, Owner: barnraise.Address{3}, Name: "resolve", Status: barnraise.StatusActive, Revisions: []barnraise.Revision{
			{Number: 1, Verifier: "v3", Manifest: "m3", Home: 7, Image: barnraise.Sum([]byte("3"))},
		}},
	}
	servers := []barnraise.Server{
		{ID: 7, Operator: barnraise.Address{7}, URL: "https://seven.example", Offers: []barnraise.ServiceID{1}, Status: barnraise.StatusActive,
			Keys: []barnraise.Key{{Key: barnraise.PublicKey{1}, From: 2}}},
		{ID: 8, Operator: barnraise.Address{8}, URL: "https://eight.example", Status: barnraise.StatusActive, Capacity: 4},
	}
	if change != nil {
		change(services, servers)
	}
	return barnraise.NewSnapshot(barnraise.Registry{}, block, [32]byte{byte(block)}, 5, services, servers)
}

// TestDiff: each difference is told once, in words, by what it is of.
func TestDiff(t *testing.T) {
	type services = []barnraise.Service
	type servers = []barnraise.Server
	second := barnraise.Revision{Number: 2, Verifier: "v2", Manifest: "m1", Home: 8, ActiveFrom: 30, Image: barnraise.Sum([]byte("2"))}
	publish := func(v services, _ servers) { v[0].Revisions = append(v[0].Revisions, second) }
	for _, c := range []struct {
		name     string
		old, new func(services, servers)
		at       uint64 // the newer block
		want     []string
	}{
		{name: "nothing"},
		{name: "an offer", new: func(_ services, s servers) { s[0].Offers = []barnraise.ServiceID{1, 3} }, want: []string{"server 7: +offer 3"}},
		{name: "another offer", new: func(_ services, s servers) { s[0].Offers = []barnraise.ServiceID{3} },
			want: []string{"server 7: +offer 3", "server 7: -offer 1"}},
		{name: "a reward", old: func(_ services, s servers) { s[1].Rewards = []barnraise.ServiceID{1} },
			new:  func(_ services, s servers) { s[1].Rewards = []barnraise.ServiceID{3}; s[1].Capacity = 9 },
			want: []string{"server 8: capacity is 9, was 4", "server 8: +reward 3", "server 8: -reward 1"}},
		{name: "a revision", new: publish, want: []string{
			"service 1: revision 2 published, active from block 30",
			"service 1: revision 2 has another verifier than revision 1: v2, was v1",
			"service 1: revision 2 has another home than revision 1: server 8, was 7",
		}},
		{name: "it becomes active", old: publish, new: publish, at: 30, want: []string{"service 1: revision 2 is active, revision 1 was"}},
		{name: "a revocation", old: publish, new: func(v services, s servers) {
			publish(v, s)
			v[0].Revisions[1].Revoked, v[0].Revisions[1].Reason = true, "stolen \x1b[31m"
		}, want: []string{"service 1: revision 2 revoked: stolen \uFFFD[31m"}},
		{name: "of the only one", new: func(v services, _ servers) { v[1].Revisions[0].Revoked = true },
			want: []string{"service 3: revision 1 revoked: no reason given", "service 3: no revision is active, revision 1 was"}},
		{name: "of the active one", old: func(v services, s servers) { publish(v, s); v[0].Revisions[1].ActiveFrom = 0 },
			new: func(v services, s servers) {
				publish(v, s)
				v[0].Revisions[1].ActiveFrom, v[0].Revisions[1].Revoked = 0, true
			}, want: []string{"service 1: revision 2 revoked: no reason given", "service 1: revision 1 is active, revision 2 was"}},
		{name: "a revision of another branch", old: publish, new: func(v services, s servers) {
			publish(v, s)
			v[0].Revisions[1].Manifest = "other"
		}, want: []string{"service 1: revision 2 is another one now: the chain reorganised"}},
		{name: "owner and delegate", new: func(v services, _ servers) { v[0].Owner, v[0].Delegate = barnraise.Address{2}, barnraise.Address{9} },
			want: []string{
				"service 1: owner is 0x0200000000000000000000000000000000000000, was 0x0100000000000000000000000000000000000000",
				"service 1: delegate is 0x0900000000000000000000000000000000000000, was nobody",
			}},
		{name: "leaving", new: func(_ services, s servers) { s[0].Status = barnraise.StatusLeaving }, want: []string{"server 7: is leaving, was active"}},
		{name: "moving", new: func(_ services, s servers) { s[1].URL = "https://8.example" },
			want: []string{"server 8: URL is https://8.example, was https://eight.example"}},
		{name: "keys", new: func(_ services, s servers) {
			s[0].Keys = []barnraise.Key{{Key: barnraise.PublicKey{1}, From: 2, To: 20}}
			s[1].Keys = []barnraise.Key{{Key: barnraise.PublicKey{2}, From: 20}}
		}, want: []string{
			"server 7: has no usable key, was " + barnraise.PublicKey{1}.String(), "server 8: key is " + barnraise.PublicKey{2}.String() + " from block 20",
		}},
	} {
		got := registry.Diff(few(10, c.old), few(max(c.at, 20), c.new))
		var words []string
		for _, change := range got {
			words = append(words, change.String())
			if change.Block != max(c.at, 20) || change.Kind == "" {
				t.Errorf("%s: %+v has another block, or no kind", c.name, change)
			}
		}
		if !slices.Equal(words, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.name, words, c.want)
		}
	}
}

// TestDiffWhole: what comes and goes as a whole is told as that.
func TestDiffWhole(t *testing.T) {
	words := func(changes []registry.Change) (list []string) {
		for _, c := range changes {
			list = append(list, string(c.Kind))
		}
		return list
	}
	whole := few(10, nil)
	if got, want := words(registry.Diff(nil, whole)), "registered published registered published registered +offer registered"; strings.Join(got, " ") != want {
		t.Errorf("from nothing: %q, want %q", got, want)
	}
	if got, want := words(registry.Diff(whole, nil)), "vanished vanished vanished vanished"; strings.Join(got, " ") != want {
		t.Errorf("to nothing: %q, want %q", got, want)
	}
}

// TestConcerns: a server hears of itself, of services that it has to do with, and of who else offers these.
func TestConcerns(t *testing.T) {
	mine := []barnraise.ServiceID{1}
	for text, c := range map[string]struct {
		change registry.Change
		want   bool
	}{
		"itself":          {registry.Change{Server: 7, Kind: registry.Moved}, true},
		"another":         {registry.Change{Server: 8, Kind: registry.Moved}, false},
		"its service":     {registry.Change{Service: 1, Kind: registry.Published}, true},
		"another service": {registry.Change{Service: 3, Kind: registry.Published}, false},
		"a fellow host":   {registry.Change{Server: 8, Service: 1, Kind: registry.Offered}, true},
		"another's host":  {registry.Change{Server: 8, Service: 3, Kind: registry.Offered}, false},
	} {
		if got := c.change.Concerns(7, mine); got != c.want {
			t.Errorf("%s: %t, want %t", text, got, c.want)
		}
	}
}

// script is a registry that shows one snapshot after the other, and an error for nil.
type script []*barnraise.Snapshot

func (s *script) Snapshot(context.Context) (*barnraise.Snapshot, error) {
	next := (*s)[0]
	*s = (*s)[1:]
	if next == nil {
		return nil, errors.New("no endpoint")
	}
	return next, nil
}

// TestWatch: who watches hears of each change once, of failures, and of nothing while nothing changes.
func TestWatch(t *testing.T) {
	moved := few(12, func(_ []barnraise.Service, s []barnraise.Server) { s[1].URL = "https://8.example" })
	r := script{few(10, nil), few(10, nil), nil, few(11, nil), moved}
	ticks := make(chan time.Time, len(r)-1)
	for range cap(ticks) {
		ticks <- time.Time{}
	}
	close(ticks)
	var heard []string
	err := registry.Watch(t.Context(), &r, ticks, func(s *barnraise.Snapshot, changes []registry.Change, err error) {
		if err != nil {
			heard = append(heard, err.Error())
			return
		}
		heard = append(heard, "block")
		for _, c := range changes {
			heard = append(heard, c.String())
		}
	})
	want := []string{"block", "no endpoint", "block", "block", "server 8: URL is https://8.example, was https://eight.example"}
	if err != nil || !slices.Equal(heard, want) {
		t.Errorf("heard %q, %v; want %q", heard, err, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := registry.Watch(ctx, &script{nil}, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("of an ended context: %v", err)
	}
}
