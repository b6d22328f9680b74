package sim

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"math"
	"runtime"
	"slices"
	"testing"
	"time"

	"barnraise"
	"barnraise/barter"
)

var long = flag.Bool("long", false, "also run what takes minutes")

// small is a world that is played in a second.
func small(seed uint64) Options {
	o := Default()
	o.Servers, o.Services, o.Epochs, o.Seed = 300, 150, 40, seed
	return o
}

// play runs a world and keeps its epochs.
func play(t *testing.T, o Options) ([]Epoch, Summary) {
	t.Helper()
	var list []Epoch
	sum, err := Run(t.Context(), o, func(e Epoch) error {
		list = append(list, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list, sum
}

// TestFreeRidersGetNothing: what the barter promises of a network of 300 servers, a fifth of them free riders.
func TestFreeRidersGetNothing(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		o := small(seed)
		o.FreeRiders = 0.2
		list, sum := play(t, o)
		end := list[len(list)-1]
		t.Logf("seed %d: cov3 %.3f, changed %.1f %%, free riders' %.2f, honest %.2f", seed, end.Cov3, 100*sum.Changed, end.ExclusiveFree, end.ExclusiveHonest)
		if end.Cov3 < 0.85 {
			t.Errorf("seed %d: %.3f of the services run on three servers, want 0.85", seed, end.Cov3)
		}
		for _, e := range list[len(list)-5:] {
			if e.Changed > 0.05 {
				t.Errorf("seed %d: in epoch %d %.3f of the servers change their lists, want 0.05 at most", seed, e.Epoch, e.Changed)
			}
		}
		if end.ExclusiveFree > 0.5 {
			t.Errorf("seed %d: %.2f others run a free rider's service, want 0.5 at most", seed, end.ExclusiveFree)
		}
	}
}

// TestSameSeedSameBytes: whatever the number of processors.
func TestSameSeedSameBytes(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	run := func(processors int, seed uint64) string {
		runtime.GOMAXPROCS(processors)
		o := small(seed)
		o.Epochs, o.FreeRiders, o.Whitewashers, o.Liars, o.Churn = 15, 0.1, 0.1, 0.1, 0.02
		var b bytes.Buffer
		p := JSON(&b)
		sum, err := Run(t.Context(), o, p.Epoch)
		if err := errors.Join(err, p.Summary(sum)); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	want := run(1, 7)
	for _, processors := range []int{1, 2, 5} {
		if got := run(processors, 7); got != want {
			t.Errorf("%d processors: got\n%s\nwant\n%s", processors, got, want)
		}
	}
	if run(1, 8) == want {
		t.Error("another seed gives the same")
	}
}

func TestOptionsNoWorldIsMadeOf(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"no servers":         func(o *Options) { o.Servers = 0 },
		"too many servers":   func(o *Options) { o.Servers = MaxServers + 1 },
		"no services":        func(o *Options) { o.Services = 0 },
		"negative epochs":    func(o *Options) { o.Epochs = -1 },
		"too many epochs":    func(o *Options) { o.Epochs = MaxEpochs + 1 },
		"share above one":    func(o *Options) { o.FreeRiders = 1.1 },
		"negative share":     func(o *Options) { o.Churn = -0.1 },
		"no number":          func(o *Options) { o.Liars = math.NaN() },
		"shares of too many": func(o *Options) { o.FreeRiders, o.Liars = 0.6, 0.6 },
		"no capacity":        func(o *Options) { o.Capacity = 0 },
		"absurd capacity":    func(o *Options) { o.Capacity = math.Inf(1) },
		"negative rewards":   func(o *Options) { o.Rewards = -1 },
	} {
		o := small(1)
		change(&o)
		if _, err := Run(t.Context(), o, nil); !errors.Is(err, ErrOptions) {
			t.Errorf("%s: %v, want ErrOptions", name, err)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	_, err := Run(ctx, small(1), func(Epoch) error {
		if n++; n == 2 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || n != 2 {
		t.Errorf("after %d epochs: %v, want context.Canceled after 2", n, err)
	}
	full := errors.New("full")
	if _, err := Run(t.Context(), small(1), func(Epoch) error { return full }); !errors.Is(err, full) {
		t.Errorf("each fails: %v, want its error", err)
	}
}

func TestWorldIsAsDescribed(t *testing.T) {
	o := Default()
	o.Servers, o.Services, o.FreeRiders, o.Whitewashers, o.Liars = 4000, 2000, 0.2, 0.1, 0.05
	w := newWorld(o)
	kinds, capacity, rewards := map[kind]float64{}, mean{}, mean{}
	for _, s := range w.servers {
		kinds[s.kind] += 1 / float64(o.Servers)
		capacity.add(float64(s.capacity))
		rewards.add(float64(len(s.rewards) - len(s.own)))
		if !barnraise.ValidList(s.rewards, barnraise.MaxRewards) || !slices.IsSorted(s.own) {
			t.Fatalf("server %d rewards %v, owns %v", s.id, s.rewards, s.own)
		}
		for _, id := range s.own {
			if !has(s.rewards, id) {
				t.Fatalf("server %d does not reward its own %d", s.id, id)
			}
		}
	}
	var cost mean
	for _, s := range w.services {
		cost.add(float64(s.cost))
	}
	for what, c := range map[string][3]float64{ // got, want, off by
		"honest":       {kinds[honest], 0.65, 0.03},
		"free riders":  {kinds[freeRider], 0.2, 0.03},
		"whitewashers": {kinds[whitewasher], 0.1, 0.02},
		"liars":        {kinds[liar], 0.05, 0.02},
		"capacity":     {capacity.value(), 6, 0.3},
		"rewards":      {rewards.value(), 1.5, 0.1},
		"cost":         {cost.value(), 12.0 / 7, 0.1},
		"popular":      {float64(w.services[0].rewardedBy), 4000 * 1.5 / 18.4, 60},
	} {
		if math.Abs(c[0]-c[1]) > c[2] {
			t.Errorf("%s: %.3f, want %.3f", what, c[0], c[1])
		}
	}
}

// TestMeasure looks at a world small enough to count by hand: honest 1 is home of service 1, free rider 2 of service 2, liar 3 of
// service 3; all claim to run all, and 1 and 3 do.
func TestMeasure(t *testing.T) {
	o := Default()
	o.Servers, o.Services = 3, 3
	w := &world{options: o, epoch: 5, view: barter.NewView(), byID: []int32{gone}, changed: 1, entered: 1}
	for i, k := range []kind{honest, freeRider, liar} {
		s := &server{kind: k, own: []barnraise.ServiceID{serviceID(i)}, rewards: []barnraise.ServiceID{serviceID(i)}, asked: 4, refuted: 1}
		w.servers, w.services = append(w.servers, s), append(w.services, served{home: i, cost: uint32(i + 1), rewardedBy: 1})
		w.register(i)
	}
	for i, s := range w.servers {
		for j := range w.services {
			if i != j {
				s.state.Hosted = append(s.state.Hosted, barter.Hosting{Service: serviceID(j)})
			}
		}
		s.publish()
	}
	want := Epoch{
		Epoch: 5, Cov2: 0, Cov3: 0, Changed: 0.333333, ExclusiveHonest: 0, ExclusiveFree: 1, ExclusiveLiars: 1, Tx: 0.666667, Replicas: 1,
		Least: 1, Given: 5, ReceivedHonest: 0, ReceivedFree: 1, Probes: 4, Refuted: 1,
	}
	if got := w.measure(); got != want {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if got := w.replicas(); !slices.Equal(got, []int{1, 2, 2}) {
		t.Errorf("replicas %v, want 1, 2, 2", got)
	}
}

func TestGini(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{0, 0}, 0}, {[]float64{3, 3, 3}, 0}, {[]float64{4, 0, 0, 0}, 0.75}, {[]float64{1, 3}, 0.25}} {
		if got := gini(slices.Clone(c.values)); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("of %v: %v, want %v", c.values, got, c.want)
		}
	}
}

func TestSummaryIsOfTheLastTwenty(t *testing.T) {
	var s tally
	for n := 1; n <= 30; n++ {
		s.add(Epoch{Epoch: n, Cov3: float64(n), Changed: 0.1 * truth(n < 12)})
	}
	got := s.summary([]int{1, 3, 3, 99})
	if got.Epoch.Epoch != 30 || got.Cov3 != 20.5 || got.Converged != 12 || math.Abs(got.Changed-0.005) > 1e-6 {
		t.Errorf("got %+v", got)
	}
	if h := got.Histogram; len(h) != most+1 || h[0] != 1 || h[2] != 2 || h[most] != 1 {
		t.Errorf("histogram %v", h)
	}
}

// TestCheats: what each kind of cheat gets for what is its own, beside what the honest get. A liar that is caught now and then
// only loses little: what stops it are the audits of calls (protocol 6).
func TestCheats(t *testing.T) {
	o := small(1)
	o.FreeRiders, o.Whitewashers, o.Liars, o.LieRate = 0.1, 0.1, 0.1, 1
	_, sum := play(t, o)
	t.Logf("%+v", sum)
	if sum.Cov3 < 0.85 {
		t.Errorf("%.3f of the services run on three servers, want 0.85", sum.Cov3)
	}
	for who, got := range map[string]float64{"free riders": sum.ExclusiveFree, "liars": sum.ExclusiveLiars} {
		if got > 0.2*sum.ExclusiveHonest {
			t.Errorf("%s: %.2f others run what is theirs, beside %.2f with the honest", who, got, sum.ExclusiveHonest)
		}
	}
	if sum.ExclusiveWashed >= sum.ExclusiveHonest {
		t.Errorf("whitewashers: %.2f others run what is theirs, beside %.2f with the honest", sum.ExclusiveWashed, sum.ExclusiveHonest)
	}
}

// TestStudy holds the figures of docs/barter.md to those of the study that the rule comes from.
func TestStudy(t *testing.T) {
	if !*long {
		t.Skip("takes minutes; -long runs it")
	}
	for _, c := range []struct{ free, cov2, cov3, honest, changed float64 }{
		{0, .989, .972, 4.59, .0115}, {.05, .990, .966, 4.54, .011}, {.2, .981, .959, 4.27, .011}, {.4, .965, .922, 4.29, .011},
	} {
		o := Default()
		o.FreeRiders = c.free
		_, s := play(t, o)
		t.Logf("%.0f %% free riders: %+v", 100*c.free, s)
		for what, v := range map[string][3]float64{ // got, want, off by; less change is no fault
			"on two": {s.Cov2, c.cov2, 0.012}, "on three": {s.Cov3, c.cov3, 0.025}, "copies of the honest": {s.ExclusiveHonest, c.honest, 0.6},
			"copies of free riders": {s.ExclusiveFree, 0, 0.1}, "changed": {s.Changed, c.changed / 2, 0.75 * c.changed},
		} {
			if math.Abs(v[0]-v[1]) > v[2] {
				t.Errorf("%.0f %% free riders: %s: %.3f, want %.3f within %.3f", 100*c.free, what, v[0], v[1], v[2])
			}
		}
	}
}

// TestTenThousandServers: the largest network that is promised, within the time that is.
func TestTenThousandServers(t *testing.T) {
	if !*long {
		t.Skip("takes minutes; -long runs it")
	}
	o := Default()
	o.Servers, o.Services, o.Epochs, o.FreeRiders = 10_000, 5_000, 50, 0.1
	start := time.Now()
	_, s := play(t, o)
	t.Logf("%s: %+v", time.Since(start).Round(time.Second), s)
	if s.Cov3 < 0.93 {
		t.Errorf("%.3f of the services run on three servers, want 0.93", s.Cov3)
	}
	if took := time.Since(start); took > 10*time.Minute {
		t.Errorf("it took %s, want ten minutes at most", took)
	}
}
