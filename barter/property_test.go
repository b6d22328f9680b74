package barter

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"barnraise"
)

// properties are what every plan holds, in any world.
var properties = []struct {
	name  string
	holds func(t *testing.T, seed uint64)
}{
	{"it is the twin's", comparePlans},
	{"it is pure", purePlan},
	{"it keeps to what it may", lawfulPlan},
	{"again it starts nothing for a debt that it paid", idempotentPlan},
	{"less capacity starts no more", monotonePlan},
	{"a view that followed is one built afresh", followingView},
}

func TestProperties(t *testing.T) {
	for _, p := range properties {
		t.Run(p.name, func(t *testing.T) {
			for seed := range uint64(400) {
				p.holds(t, seed)
			}
		})
	}
}

func FuzzPlan(f *testing.F) {
	f.Add(uint64(77))
	f.Fuzz(func(t *testing.T, seed uint64) {
		for _, p := range properties {
			p.holds(t, seed)
		}
	})
}

// purePlan: the same bytes whatever the order of the registry, of maps and of calls, and however refuted offers are learned;
// explained or not; and the input is as it was.
func purePlan(t *testing.T, seed uint64) {
	t.Helper()
	w := draw(seed)
	before := encoded(t, Decision{Next: w.in.State})
	want := encoded(t, Plan(w.input()))
	r := rand.New(rand.NewPCG(seed, 2))
	for range 3 {
		in := w.in
		in.View, in.Refuted = w.view(r), w.refuted
		if got := encoded(t, Plan(in)); got != want {
			t.Fatalf("seed %d: one order gives\n%s\nanother\n%s", seed, want, got)
		}
	}
	if got := encoded(t, Explain(w.input()).Decision); got != want {
		t.Fatalf("seed %d: planned\n%s\nexplained\n%s", seed, want, got)
	}
	if encoded(t, Decision{Next: w.in.State}) != before {
		t.Fatalf("seed %d: the state given was changed", seed)
	}
}

func lawfulPlan(t *testing.T, seed uint64) {
	t.Helper()
	w := draw(seed)
	d := Plan(w.input())
	units := uint32(0)
	for _, h := range d.Next.Hosted {
		units += max(1, w.facts[h.Service].Cost)
		if f := w.facts[h.Service]; f.Refused != "" || slices.Contains(w.in.Own, h.Service) {
			t.Errorf("seed %d: hosts %d, which is its own or refused %q", seed, h.Service, f.Refused)
		}
	}
	if units > w.in.Capacity {
		t.Errorf("seed %d: %d units of %d", seed, units, w.in.Capacity)
	}
	for _, a := range d.Actions {
		if a.Reason == "" || a.For == nil || a.Verb == Start && (len(a.For) == 0 || w.in.Idle != "") || !slices.IsSorted(a.For) {
			t.Errorf("seed %d: %+v", seed, a)
		}
		if slices.Contains(w.in.Own, a.Service) {
			t.Errorf("seed %d: %s its own service %d", seed, a.Verb, a.Service)
		}
	}
	if got := following(w.in, d); !slices.Equal(got, hostedServices(d.Next)) {
		t.Errorf("seed %d: the actions leave %d, the state says %d", seed, got, hostedServices(d.Next))
	}
}

// following is what is hosted after the actions.
func following(in Input, d Decision) []barnraise.ServiceID {
	list := hostedServices(in.State)
	list = slices.DeleteFunc(list, func(id barnraise.ServiceID) bool { return slices.Contains(in.Own, id) })
	for _, a := range d.Actions {
		switch a.Verb {
		case Start:
			list = append(list, a.Service)
		case Stop:
			list = slices.DeleteFunc(list, func(id barnraise.ServiceID) bool { return id == a.Service })
		}
	}
	slices.Sort(list)
	return list
}

func hostedServices(s State) (list []barnraise.ServiceID) {
	for _, h := range s.Hosted {
		list = append(list, h.Service)
	}
	return list
}

// idempotentPlan: what was paid is not paid again, nothing that was started is stopped.
func idempotentPlan(t *testing.T, seed uint64) {
	t.Helper()
	w := draw(seed)
	first := Plan(w.input())
	w.apply(first)
	second := Plan(w.input())
	var paid, left []barnraise.ServerID // left with a debt, or with one that came up as something was stopped
	for _, a := range first.Actions {
		switch a.Verb {
		case Start:
			paid = append(paid, a.For...)
		case Stop, Unpaid:
			left = append(left, a.For...)
		}
	}
	paid = slices.DeleteFunc(paid, func(x barnraise.ServerID) bool { return slices.Contains(left, x) })
	for _, a := range second.Actions {
		started := slices.ContainsFunc(first.Actions, func(b Action) bool { return b.Verb == Start && b.Service == a.Service })
		debt := !strings.HasPrefix(a.Reason, "advance: ") // as those are to whoever is next, paid or not
		again := a.Verb == Start && debt && slices.ContainsFunc(a.For, func(x barnraise.ServerID) bool { return slices.Contains(paid, x) })
		if started && a.Verb != Keep || again {
			t.Fatalf("seed %d: first\n%sagain\n%s", seed, written(first.Actions), written(second.Actions))
		}
	}
}

// monotonePlan: it holds where all services cost the same and what runs fits; see [TestMoreCapacityMayStartFewer] for the rest.
func monotonePlan(t *testing.T, seed uint64) {
	t.Helper()
	w := draw(seed)
	for id, f := range w.facts {
		w.facts[id] = Service{Cost: 1, MinRequests: f.MinRequests, Refused: f.Refused}
	}
	w.in.Capacity = uint32(len(w.in.State.Hosted))
	last := 0
	for range 12 {
		d := Plan(w.input())
		starts := 0
		for _, a := range d.Actions {
			if a.Verb == Start {
				starts++
			}
		}
		if starts < last {
			t.Fatalf("seed %d: capacity %d starts %d, one less %d", seed, w.in.Capacity, starts, last)
		}
		last = starts
		w.in.Capacity++
	}
}

// followingView: a view that saw another world before and was told what became of it.
func followingView(t *testing.T, seed uint64) {
	t.Helper()
	w, before := draw(seed), draw(seed+1)
	r := rand.New(rand.NewPCG(seed, 3))
	v := before.view(r)
	for _, s := range before.servers {
		v.SetServer(barnraise.Server{ID: s.ID})
	}
	for _, s := range before.services {
		v.SetService(barnraise.Service{ID: s.ID}, 10)
	}
	for _, s := range w.services {
		v.SetService(s, w.block)
	}
	for _, s := range w.servers {
		v.SetServer(s)
	}
	if got, want := contents(v), contents(w.view(r)); !reflect.DeepEqual(got, want) {
		t.Fatalf("seed %d: followed\n%v\nafresh\n%v", seed, got, want)
	}
	in := w.in
	in.View = v
	if got, want := encoded(t, Plan(in)), encoded(t, Plan(w.input())); got != want {
		t.Fatalf("seed %d: followed\n%s\nafresh\n%s", seed, got, want)
	}
}

// content is what a view holds of a service.
type content struct {
	home           barnraise.ServerID
	hosts, wishers []barnraise.ServerID
}

// contents is what a view holds, without where; it panics where an index is not what it should be.
func contents(v *View) map[barnraise.ServiceID]content {
	m := map[barnraise.ServiceID]content{}
	for at, s := range v.services {
		if v.claimed[len(s.hosts)][s.slot] != int32(at) {
			panic("a service is filed wrongly")
		}
		c := content{hosts: serverIDs(s.hosts), wishers: serverIDs(s.wishers)}
		if s.home != none {
			c.home = v.servers[s.home].id
		}
		if s.active || len(c.hosts)+len(c.wishers) > 0 {
			m[s.id] = c
		}
	}
	return m
}

func serverIDs(refs []serverRef) (ids []barnraise.ServerID) {
	for _, r := range refs {
		ids = append(ids, r.id)
	}
	return ids
}

// The worlds drawn are of all kinds: each of these is said in some of them.
func TestWorldsTellEverything(t *testing.T) {
	all := ""
	for seed := range uint64(1000) {
		all += written(Plan(draw(seed).input()).Actions)
	}
	for _, words := range []string{
		"owed to ", "advance: 0 of 4", "makes room for", "too expensive", "may not run here: denied", "no capacity for", "to displace",
		"has not been here for", "it costs", "gone from the registry", "over the capacity", "an advance that nobody answered",
		"nobody who wants it serves us", "waits for an answer", "grace: ", "given to ", "a budget is used up", "stop 3 [] denied",
		"it rewards nothing that could run here",
	} {
		if !strings.Contains(all, words) {
			t.Errorf("no world says %q", words)
		}
	}
}

// debtors is S with as many units, which owes one service to each of those that reward the services given; 9 costs 4.
func debtors(capacity uint32, rewards ...sv) string {
	servers := []host{{id: serverS, offers: ids(s1), rewards: ids(s1), weight: 1}}
	for i, reward := range rewards {
		servers = append(servers, host{id: hs(i + 2), offers: ids(s1), rewards: ids(reward), age: 50, weight: 1})
	}
	in := example{
		self: serverS, servers: servers, homes: map[sv]hs{s1: serverS, 2: 2, 3: 3, 4: 4, 9: 9}, own: ids(s1), capacity: capacity, epoch: 50,
	}.input()
	in.Service = func(id barnraise.ServiceID) Service { return Service{Cost: map[sv]uint32{9: 4}[id]} }
	return written(slices.DeleteFunc(Plan(in).Actions, func(a Action) bool { return a.Verb != Start }))
}

// With one unit more the dear service is started that pays six, and none of the cheap ones that pay one each.
func TestMoreCapacityMayStartFewer(t *testing.T) {
	rewards := ids[sv](2, 3, 4, 9, 9, 9, 9, 9, 9)
	if got, want := debtors(3, rewards...), "start 2 [2] owed to 2\nstart 3 [3] owed to 3\nstart 4 [4] owed to 4\n"; got != want {
		t.Errorf("with 3 units\n%swant\n%s", got, want)
	}
	if got, want := debtors(4, rewards...), "start 9 [5 6 7 8 9 10] owed to 5, 6, 7, 8, 9, 10\n"; got != want {
		t.Errorf("with 4 units\n%swant\n%s", got, want)
	}
}

// For its cost service 2 is worth more, but then there is no room for the one that is worth more than all that fits beside it.
func TestTheBetterOfTwo(t *testing.T) {
	if got, want := debtors(4, 2, 9, 9, 9, 9, 9), "start 9 [3 4 5 6 7] owed to 3, 4, 5, 6, 7\n"; got != want {
		t.Errorf("with 4 units\n%swant\n%s", got, want)
	}
	if got, want := debtors(5, 2, 9, 9, 9, 9, 9), "start 2 [2] owed to 2\nstart 9 [3 4 5 6 7] owed to 3, 4, 5, 6, 7\n"; got != want {
		t.Errorf("with 5 units\n%swant\n%s", got, want)
	}
}
