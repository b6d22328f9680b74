package devnet

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/score"
)

// share is of so many calls those that are made: all with -long, else a fiftieth.
func share(calls int) int {
	if *long {
		return calls
	}
	return max(1, calls/50)
}

// policies are the presets by which an answer is compared.
func policies(t *testing.T, names ...string) (list []score.Policy) {
	t.Helper()
	for _, name := range names {
		p, err := score.ParsePolicy(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

// What an adversary comes to.
const (
	harmless   = iota // its answers are true
	failing           // it gives no answer that it could be held to
	late2s            // as harmless, but each question to it takes long
	failing2s         // as failing, but each question to it takes long
	guilty            // it lies, and its own signature convicts it
	sometimes         // the same, where it comes to lie: so few calls need not see it
	convincing        // as sometimes, but fast believes it where it owns the vote, as fast says
)

// TestLive has clients call services among whose servers there is an adversary, and counts lies, strikes and errors.
//
// It is one network, of which clients meet a part each.
func TestLive(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute")
	}
	a := newArena(t, Options{Servers: 9 + 21, Services: echoes("compare", "spot"), With: []string{
		"copier", "liar", "copier", "badreceipt", "fastliar", "flaky", "hotliar", "newliar", "nondeterministic", "rareliar", "replayer",
		"silent", "slanderer", "sleeper", "slow", "stale", "truncating", "freerider", "coalition", "coalition", "coalition"}})
	t.Run("one by one", func(t *testing.T) { oneByOne(t, a) })
	t.Run("one of ten", func(t *testing.T) { oneOfTen(t, a) })
	t.Run("contradictory", func(t *testing.T) { contradictory(t, a) })
	t.Run("without a machine", func(t *testing.T) { withoutMachine(t, a) })
	t.Run("saturated", func(t *testing.T) { saturated(t, a) })
}

// oneByOne has every adversary among six honest servers, under every policy.
func oneByOne(t *testing.T, a *arena) {
	for name, is := range map[string]int{
		"liar": guilty, "fastliar": guilty, "newliar": guilty, "nondeterministic": guilty, "hotliar": sometimes, "rareliar": sometimes,
		"sleeper": sometimes, "flaky": sometimes, "coalition": convincing, "copier": harmless, "accomplice": guilty, "slow": late2s, "slanderer": harmless,
		"stale": harmless, "badreceipt": failing, "truncating": failing, "replayer": failing, "freerider": failing, "silent": failing2s,
	} {
		t.Run(name, func(t *testing.T) {
			bad := a.called(name)
			switch copiers := a.called("copier"); name {
			case "copier":
				bad = copiers[:1] // who copies an honest server
			case "accomplice":
				bad = copiers[1:] // who copies the liar
			}
			meets := slices.Concat(a.honest(6), bad)
			l := load{service: "echo-compare", calls: share(400), atOnce: 4}
			switch {
			case is == late2s || is == failing2s:
				l.calls = share(100)
			case name == "sleeper" && *long:
				l.calls, l.atOnce = 2000, 1 // it counts what it answers on a connection
			}
			if name == "fastliar" {
				a.late.Store(int64(20 * time.Millisecond))
				defer a.late.Store(0)
			}
			caught := false
			for k, p := range policies(t, presets()...) {
				l.policy = p
				one, two := a.caller(t, byte(k), meets), a.caller(t, byte(100+k), meets)
				r := play(t, l, one, two)
				proved := convicted(t, one, two)
				t.Logf("%-10s %s; convicted %v", p.Name, r, proved)
				r.judge(t, is, p, bad, proved)
				caught = caught || len(proved) > 0
				if name == "flaky" && (one.suspended("echo-compare", bad[0]) || two.suspended("echo-compare", bad[0])) {
					t.Errorf("%s: who fails one in 1,000 times is suspended", p.Name)
				}
			}
			if sure := is == guilty || *long && is >= sometimes && name != "flaky"; sure && !caught {
				t.Error("nobody has convicted it")
			}
		})
	}
}

// presets are the policies that each adversary meets.
func presets() []string {
	if *long {
		return []string{"cheap", "default", "fast", "paranoid", "exact"}
	}
	return []string{"default", "exact"}
}

// judge compares what came with what has to come.
func (r *result) judge(t *testing.T, is int, p score.Policy, bad, proved []barnraise.ServerID) {
	t.Helper()
	if r.failed > 0 || r.wrong > 0 && !(is == convincing && p.Together) {
		t.Errorf("%s: %d wrong, %d errors: %v", p.Name, r.wrong, r.failed, r.why)
	}
	for id := range r.struck {
		if !slices.Contains(bad, id) || is < guilty {
			t.Errorf("%s: server %d is struck", p.Name, id)
		}
	}
	for _, id := range bad {
		switch {
		case r.asked[id] == 0:
		case r.struck[id] > 0 && !slices.Contains(proved, id):
			t.Errorf("%s: server %d is struck, and its signature does not prove it", p.Name, id)
		case (is == failing || is == failing2s) && r.agreed[id] > 1: // a replayer's first has nothing before it
			t.Errorf("%s: %d answers of server %d were taken", p.Name, r.agreed[id], id)
		}
	}
	for _, id := range proved {
		if !slices.Contains(bad, id) {
			t.Errorf("%s: server %d is proved guilty", p.Name, id)
		}
	}
}

// oneOfTen has one liar among ten servers answer at once, while the others take their time: 10,000 calls each way with -long.
func oneOfTen(t *testing.T, a *arena) {
	lates := []int{0, 20, 100, 5}
	if !*long {
		lates = lates[:2]
	}
	for i, late := range lates {
		t.Run(fmt.Sprintf("%d ms late", late), func(t *testing.T) { oneLies(t, a, byte(10*i), late) })
	}
}

// withoutMachine is the same for callers that can execute nothing: a lead ends what only execution would settle for sure, and what
// they keep proves the liar guilty to others who can.
func withoutMachine(t *testing.T, a *arena) {
	oneLies(t, a, 40, 0, client.WithRerunner(nil))
}

// oneLies has nine honest servers that take so many milliseconds longer than a liar.
func oneLies(t *testing.T, a *arena, seed byte, late int, options ...client.Option) {
	meets := slices.Concat(a.honest(9), a.called("liar"))
	a.late.Store(int64(late) * int64(time.Millisecond))
	defer a.late.Store(0)
	for k, c := range []struct {
		service, policy string
		most            float64 // wrong answers of one (facts, part 2: the worst at one liar in five)
	}{
		{"echo-compare", "default", 0}, {"echo-spot", "paranoid", 0}, {"echo-spot", "exact", 0},
		{"echo-spot", "default", 3e-4}, {"echo-spot", "cheap", 1.1e-3}, {"echo-spot", "fast", 0},
	} {
		t.Run(c.service+" by "+c.policy, func(t *testing.T) {
			p := policies(t, c.policy)[0]
			one, other := a.caller(t, seed+byte(k), meets, options...), a.caller(t, seed+byte(k), meets)
			r := play(t, load{service: c.service, policy: p, calls: share(10_000), atOnce: 64}, one)
			other.kept = one.kept
			proved := convicted(t, other)
			t.Logf("%s; convicted %v", r, proved)
			if allowed := 3 * c.most * float64(r.calls); float64(r.wrong) > allowed {
				t.Errorf("%d wrong, want at most %.1f", r.wrong, allowed)
			}
			r.wrong = 0 // that has been judged
			r.judge(t, sometimes, p, a.called("liar"), proved)
			if len(proved) == 0 {
				t.Error("the liar is not convicted")
			}
		})
	}
}

// saturated has honest servers alone answer 64 calls at a time: no error, no strike, no answer that differs.
func saturated(t *testing.T, a *arena) {
	for _, service := range []string{"echo-compare", "echo-spot"} {
		for k, p := range policies(t, presets()...) {
			t.Run(service+" by "+p.Name, func(t *testing.T) {
				c := a.caller(t, byte(k), a.honest(9))
				r := play(t, load{service: service, policy: p, calls: share(10_000), atOnce: 64}, c)
				t.Log(r)
				if r.failed+r.wrong+len(r.struck)+len(r.silent)+len(r.differ)+len(c.kept) > 0 {
					t.Errorf("%d pieces of evidence; %s", len(c.kept), r)
				}
			})
		}
	}
}
