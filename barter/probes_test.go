package barter

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"barnraise"
)

// asks is a line of the ledger's life: epoch, server, service and what came of it; or the end of the epoch.
type asks struct {
	server  barnraise.ServerID
	service barnraise.ServiceID
	ok      bool
}

func TestProbesConfirmAndRefute(t *testing.T) {
	p := NewProbes(Default)
	want := func(epoch uint64, s Standing) {
		t.Helper()
		if got := p.Standing(epoch, 2, 3); got != s {
			t.Errorf("epoch %d: standing %d, want %d", epoch, got, s)
		}
	}
	want(5, Unknown)
	p.Record(5, 2, 3, true)
	want(5, Confirmed)
	want(14, Confirmed)
	want(15, Unknown)
	p.Record(6, 2, 3, false)
	want(6, Refuted)
	want(16, Refuted)
	want(17, Unknown)
	if epoch, ok := p.Probed(2, 3); !ok || epoch != 6 {
		t.Errorf("probed in %d, %v", epoch, ok)
	}
	if _, ok := p.Probed(2, 4); ok {
		t.Error("probed what it never asked")
	}
	p.Forget(2)
	want(6, Unknown)
}

func TestAnEpochCounts(t *testing.T) {
	for _, c := range []struct {
		name string
		asks []asks
		next uint64
		want string // standings of server 1 to 4, service 1
	}{
		{"nobody was asked", nil, 8, "1010"},
		{"half of them answer", []asks{{1, 1, true}, {2, 1, false}, {3, 1, false}, {4, 1, true}}, 8, "1221"},
		{"fewer do", []asks{{1, 1, true}, {2, 1, true}, {3, 1, false}, {5, 1, false}, {6, 1, false}}, 7, "1110"},
		{"who never answered says nothing", []asks{{1, 1, true}, {2, 1, false}, {4, 1, false}, {4, 2, false}, {7, 1, false}}, 8, "1212"},
		{"not even where nobody else was asked", []asks{{2, 1, false}, {4, 1, false}}, 8, "1212"},
		{"one that fails is no witness", []asks{{1, 1, false}}, 7, "1010"},
		{"a server that claims much counts once", []asks{{4, 1, false}, {4, 2, false}, {4, 3, false}, {1, 1, true}}, 8, "1012"},
		{"a right answer is one, whatever else fails", []asks{{1, 2, true}, {1, 1, false}, {2, 1, true}}, 8, "2110"},
		{"the last of an epoch counts", []asks{{1, 1, false}, {1, 1, true}, {2, 1, true}, {2, 1, false}}, 8, "1210"},
		{"and what was before comes back", []asks{{1, 1, true}, {1, 1, false}, {3, 1, false}, {5, 1, false}, {6, 1, false}}, 7, "1010"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := NewProbes(Default)
			p.Record(6, 1, 1, true)
			p.Record(6, 3, 1, true)
			p.Record(6, 5, 1, true)
			p.Record(6, 6, 1, true)
			p.Close(6)
			for _, a := range c.asks {
				p.Record(7, a.server, a.service, a.ok)
				p = reread(t, p)
			}
			next := p.Close(7)
			got := ""
			for server := barnraise.ServerID(1); server <= 4; server++ {
				got += fmt.Sprint(p.Standing(next, server, 1))
			}
			if next != c.next || got != c.want {
				t.Errorf("epoch 7 is followed by %d with %s, want %d with %s", next, got, c.next, c.want)
			}
		})
	}
}

// reread writes a ledger and reads it again.
func reread(t testing.TB, p *Probes) *Probes {
	t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	q := NewProbes(Default)
	if err := json.Unmarshal(b, q); err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(q); err != nil || string(again) != string(b) {
		t.Fatalf("writes\n%s\nand then\n%s %v", b, again, err)
	}
	return q
}

func TestPausesGrow(t *testing.T) {
	p := NewProbes(Default)
	in := example{self: serverS, servers: newcomers(30), homes: homes, epoch: 1}
	in.servers[1].offers = ids(s1)
	var asked []uint64
	for epoch := uint64(1); epoch < 120; epoch++ {
		p.Record(epoch, 9, 9, true) // the network is there
		in.epoch = epoch
		if list := p.Due(in.input(), 10, rand.New(rand.NewPCG(1, 1)).Float64); len(list) > 0 {
			asked = append(asked, epoch)
			p.Record(epoch, serverX, s1, false)
		}
		p.Close(epoch)
	}
	if want := []uint64{1, 2, 4, 8, 16, 32, 64, 96}; !slices.Equal(asked, want) {
		t.Errorf("asked in %d, want %d", asked, want)
	}
}

// The ledger forgets what lapsed: it does not grow with time.
func TestProbesDoNotGrow(t *testing.T) {
	p := NewProbes(Default)
	for epoch := uint64(1); epoch < 200; epoch++ {
		for i := range barnraise.ServiceID(5) {
			p.Record(epoch, barnraise.ServerID(epoch*2), i+1, true)
			p.Record(epoch, barnraise.ServerID(epoch*2+1), i+1, i != 0)
		}
		p.Close(epoch)
	}
	if len(p.pairs) > 120 {
		t.Errorf("%d pairs of 10 a epoch", len(p.pairs))
	}
	var refuted []Offer
	for server, service := range p.Refuted(199) {
		refuted = append(refuted, Offer{server, service})
	}
	if len(refuted) != 10 {
		t.Errorf("refuted: %v", refuted)
	}
}

// due is what S asks in an epoch in which it knows nothing, or everything.
func TestDue(t *testing.T) {
	e := example{self: serverS, servers: []host{
		{id: serverS, offers: ids(s1), rewards: ids(s1, z1), weight: 1},
		{id: serverX, offers: ids(x1, s1), rewards: ids(x1), age: 50, weight: 1},
		{id: serverY, offers: ids(y1, x1), rewards: ids(y1), age: 50, weight: 1},
		{id: serverZ, offers: ids(z1, s1), rewards: ids(z1), age: 50, weight: 0},
		{id: serverP, offers: ids(p1, x2), rewards: ids(p1), age: 3, weight: 1},
	}, homes: homes, own: ids(s1), capacity: 4, epoch: 50}
	wish, gift := Offer{serverX, s1}, Offer{serverY, x1}
	for _, c := range []struct {
		name  string
		known func(p *Probes)
		limit int
		want  []Offer
	}{
		{"offers of what it rewards, and gifts of those it may give to; not of the convicted, not of newcomers",
			func(*Probes) {}, 10, []Offer{wish, gift}},
		{"its wishes first", func(*Probes) {}, 1, []Offer{wish}},
		{"nothing", func(*Probes) {}, 0, nil},
		{"not twice in an epoch", func(p *Probes) { p.Record(50, serverX, s1, true) }, 10, []Offer{gift}},
		{"a confirmed one before it lapses", func(p *Probes) { p.Record(41, serverX, s1, true); p.Close(41) }, 10, []Offer{wish, gift}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := NewProbes(Default)
			c.known(p)
			list := p.Due(e.input(), c.limit, rand.New(rand.NewPCG(1, 1)).Float64)
			var got []Offer
			for i, a := range list {
				got = append(got, a.Offer)
				if a.At < 0 || a.At >= 1 || i > 0 && list[i-1].At > a.At {
					t.Errorf("asks %v at %v", a.Offer, a.At)
				}
			}
			slices.SortFunc(got, compareOffers)
			if !slices.Equal(got, c.want) {
				t.Errorf("asks %v, want %v", got, c.want)
			}
		})
	}
}

// Whoever claims much keeps nobody from asking those again that are known to run what it rewards, nor from asking anybody else.
func TestClaimsCrowdNobodyOut(t *testing.T) {
	const limit, crowd = 64, 2000
	servers := []host{{id: 1, rewards: ids(s1), weight: 1}}
	for i := range crowd {
		servers = append(servers, host{id: barnraise.ServerID(i + 2), offers: ids(s1), age: 50, weight: 1})
	}
	e := example{self: 1, servers: servers, capacity: 4, epoch: 50}
	for known, want := range map[int]int{20: 20, 200: limit * 3 / 4, crowd: limit * 3 / 4} {
		p := NewProbes(Default)
		for i := range known {
			p.Record(41, barnraise.ServerID(i+2), s1, true)
		}
		p.Close(41)
		again := 0
		list := p.Due(e.input(), limit, rand.New(rand.NewPCG(1, 1)).Float64)
		for _, a := range list {
			if int(a.Server) < known+2 {
				again++
			}
		}
		if again < want || again > want+limit/4 || len(list) != limit {
			t.Errorf("of %d that lapse %d are asked again, want %d; %d in all", known, again, want, len(list))
		}
	}
}

// Claims that are known to be false hide nobody: a service that many claim and few run is one that few run, and whoever rewards it
// is asked for what it gives.
func TestFalseClaimsHideNobody(t *testing.T) {
	e := example{self: serverS, servers: []host{
		{id: serverS, rewards: ids(s1), weight: 1},
		{id: serverX, offers: ids(x1, y1), rewards: ids(x1), age: 50, weight: 1},
		{id: serverY, offers: ids(x1), age: 50, weight: 1},
		{id: serverZ, offers: ids(x1), age: 50, weight: 1},
		{id: serverP, offers: ids(x1), age: 50, weight: 1},
	}, homes: homes, capacity: 4, epoch: 50}
	gift := Offer{serverX, y1}
	for refuted, want := range []bool{false, true, true} {
		p := NewProbes(Default)
		for _, claims := range []barnraise.ServerID{serverY, serverZ}[:refuted] {
			p.Record(49, claims, x1, false)
		}
		p.Close(49)
		list := p.Due(e.input(), 10, rand.New(rand.NewPCG(1, 1)).Float64)
		asked := slices.ContainsFunc(list, func(a Probe) bool { return a.Offer == gift })
		if asked != want {
			t.Errorf("of 4 claims %d are false, and it asks %v", refuted, list)
		}
	}
}

func TestATenthIsAskedAgain(t *testing.T) {
	v, list := crowd(200, 20, 10, 5)
	in := busy(v, list[0], 100)
	p := NewProbes(Default)
	r := rand.New(rand.NewPCG(1, 1))
	first := p.Due(in, 10_000, r.Float64)
	for _, a := range first {
		p.Record(100, a.Server, a.Service, true)
	}
	p.Close(100)
	in.Epoch = 103
	again := p.Due(in, 10_000, r.Float64)
	if share := float64(len(again)) / float64(len(first)); share < .05 || share > .2 {
		t.Errorf("%d of %d are asked again", len(again), len(first))
	}
}

// FuzzProbes reads a ledger as it lies in a database.
func FuzzProbes(f *testing.F) {
	f.Add([]byte(`[{"server":1,"service":2,"epoch":7,"ok":false,"failed":1,"open":true,"before":{"epoch":6,"ok":true}}]`))
	f.Add([]byte(`[{"server":1,"service":2,"epoch":18446744073709551615,"ok":true}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := NewProbes(Default)
		if json.Unmarshal(b, p) != nil {
			return
		}
		reread(t, p)
		p.Close(7)
		reread(t, p)
	})
}

// TestDueInAnyWorld: chance that repeats asks the same, at most the limit, nothing twice, and only others what they offer.
func TestDueInAnyWorld(t *testing.T) {
	for seed := range uint64(300) {
		w := draw(seed)
		p := NewProbes(Default)
		for o, s := range w.standing {
			if s != Unknown {
				p.Record(95+seed%5, o.server, o.service, s == Confirmed)
			}
		}
		p.Close(95 + seed%5)
		in := w.input()
		due := func() []Probe { return p.Due(in, 20, rand.New(rand.NewPCG(seed, 9)).Float64) }
		list := due()
		if again := due(); !slices.Equal(list, again) || len(list) > 20 {
			t.Fatalf("seed %d: asks %v and then %v", seed, list, again)
		}
		seen := map[Offer]bool{}
		for _, a := range list {
			if a.Server == in.Self || seen[a.Offer] || !slices.Contains(w.server(a.Server).Offers, a.Service) || w.weight[a.Server] == 0 {
				t.Fatalf("seed %d: asks %v", seed, a)
			}
			seen[a.Offer] = true
		}
		for _, id := range w.server(in.Self).Rewards {
			for _, s := range w.servers {
				o := Offer{s.ID, id}
				wanted := s.ID != in.Self && slices.Contains(w.server(s.ID).Offers, id) && w.weight[s.ID] > 0
				if wanted && p.Standing(in.Epoch, o.Server, o.Service) == Unknown && !seen[o] && len(list) < 20 {
					t.Fatalf("seed %d: %v is unknown and not asked", seed, o)
				}
			}
		}
	}
}
