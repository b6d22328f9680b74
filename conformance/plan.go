package conformance

import (
	"math/rand/v2"
	"slices"
	"time"

	"barnraise/image"
	"barnraise/runtime"
)

// Step is one run of a variant: in which surroundings, and in which order it is asked.
type Step struct {
	Name      string
	Around    runtime.Surroundings
	Order     Order
	Instances int           // started at once, and asked in turn
	Pause     time.Duration // between the run before and its own, and the starts of both
	Idle      time.Duration // between its first requests and the others
	Measured  bool          // each method in an instance of its own, where that costs little
	Cause     Cause         // of the differences it shows, where it varies one thing alone; else they have to be looked at
	Planted   []string      // words that an answer has only from these surroundings
}

// Order is how the requests of a run follow one another.
type Order int

// The orders.
const (
	InOrder Order = iota
	Reversed
	Shuffled
	Repeated    // each many times
	Concurrent  // the same at once, and different ones at once
	Interleaved // other callers' in between
	Crashed     // after a crash
	Idled       // after a pause
	AnyOrder    // none is asked: what was answered elsewhere is compared
)

// The names of perturbations, as reports have them.
const (
	plain   = "plain"
	again   = "same again"
	signed  = "signed"
	variant = "variant"
)

// What surroundings are given.
const (
	plantedHost  = "barnraise-gate-host"
	plantedValue = "barnraise-gate"
	otherHost    = "zz-9"
)

// environment is what programs like to look at. Left out is what decides whether they start, such as PATH, or where they listen.
const environment = "BARNRAISE_GATE=" + plantedValue + "\nHOME=/" + plantedValue + "\nUSER=" + plantedValue + "\nLOGNAME=" + plantedValue +
	"\nSHELL=/bin/" + plantedValue + "\nPWD=/" + plantedValue + "\nTMPDIR=/tmp\nHOSTNAME=" + plantedValue +
	"\nDEBUG=1\nVERBOSE=1\nLOG_LEVEL=debug\nAPP_ENV=production\nGO_ENV=production\nNODE_ENV=production\nENVIRONMENT=production" +
	"\nMODE=production\nREGION=" + plantedValue + "\nNAME=" + plantedValue + "\nVERSION=" + plantedValue +
	"\nSEED=424242\nOMP_NUM_THREADS=3\nSOURCE_DATE_EPOCH=86400\nTERM=" + plantedValue + "\nEDITOR=" + plantedValue +
	"\nPYTHONHASHSEED=42"

const day = 24 * time.Hour

// more is by how much memory is varied, and what room there is where much of it is set aside.
const more = 64 << 20

// plan says how a variant is run, in which order: first plainly, then again, then with one thing varied at a time, then with
// its calls in other orders. It is a function of its arguments.
func plan(platform string, o Options) []Step {
	apart := o.Pause
	if platform == image.Wasm { // whose clock shows nothing of it
		apart = 0
	}
	steps := []Step{{Name: plain, Instances: 1}, {Name: again, Instances: 1, Pause: apart, Measured: true}}
	add := func(name string, cause Cause, planted []string, all ...runtime.Surroundings) {
		for _, around := range all {
			steps = append(steps, Step{Name: name, Around: around, Instances: 1, Cause: cause, Planted: planted})
		}
	}
	type s = runtime.Surroundings
	add("environment", CauseEnvironment, []string{plantedValue}, s{Env: environment})
	add("host name", CauseHostname, []string{plantedHost}, s{Hostname: plantedHost}, s{Hostname: otherHost})
	add("time zone", CauseZone, []string{"Kathmandu", "+0545", "+05:45", "QQQ"}, s{Env: "TZ=Asia/Kathmandu"}, s{Env: "TZ=QQQ-13:45"})
	add("locale", CauseLocale, []string{"tr_TR", "tr-TR", "ja_JP"},
		s{Env: "LANG=tr_TR.UTF-8\nLC_ALL=tr_TR.UTF-8\nLANGUAGE=tr"}, s{Env: "LANG=ja_JP.EUC-JP\nLC_ALL=ja_JP.EUC-JP\nLANGUAGE=ja"})
	add("cpu count", CauseCPU, nil, s{CPU: 1}, s{CPU: 2})
	add("process id", CauseProcess, nil, s{First: true})
	add("clock", CauseClock, nil, s{Clock: 25*time.Hour + time.Minute + time.Second}, s{Clock: 183*day + 13*time.Hour},
		s{Clock: 3*366*day + 20*time.Hour}, s{Tick: 1500 * time.Millisecond})
	add("chance", CauseChance, nil, s{Chance: 1}, s{Chance: 2}, s{Chance: o.Seed | 1<<20}, s{Chance: o.Seed>>7 | 1<<40})
	add("memory", CauseMemory, nil, s{Memory: more})
	add("addresses", CauseAddress, nil, s{Shift: 48}, s{Shift: 200 << 10}, s{Shift: 5 << 20, Memory: more})
	return append(steps, orders(platform, o)...)
}

// orders are the runs that differ by what is asked when. One instance answers all: then what it keeps from call to call shows.
func orders(platform string, o Options) []Step {
	one := runtime.Surroundings{Reused: true}
	together := one
	if platform == image.Wasm { // where one instance takes one call at a time
		together.Reused = false
	}
	return []Step{
		{Name: "start order", Instances: 3, Order: Reversed},
		{Name: "repeated", Around: one, Instances: 1, Order: Repeated},
		{Name: "reversed", Around: one, Instances: 1, Order: Reversed},
		{Name: "shuffled", Around: one, Instances: 1, Order: Shuffled},
		{Name: "interleaved", Around: one, Instances: 1, Order: Interleaved},
		{Name: "concurrent", Around: together, Instances: 1, Order: Concurrent},
		{Name: "after a crash", Around: one, Instances: 1, Order: Crashed},
		{Name: "after idling", Around: one, Instances: 1, Order: Idled, Idle: o.Pause},
	}
}

// calls is how many calls a repeated run makes at least, so that what shows late shows: no container of a host's answers more
// before it is replaced.
const calls = 1300

// schedule is in which rounds n requests are asked; those of a round are under way at once. Negative numbers are other
// callers' requests: -1 the first of them.
func schedule(order Order, n, others int, seed uint64) (rounds [][]int) {
	rng := rand.New(rand.NewPCG(seed, uint64(order)))
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	switch order {
	case Reversed:
		slices.Reverse(all)
	case Shuffled, Interleaved:
		rng.Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
	case Repeated:
		return repeated(all)
	case Concurrent:
		return concurrent(all, rng)
	case AnyOrder:
		return nil
	}
	for k, i := range all {
		if order == Interleaved && others > 0 {
			rounds = append(rounds, []int{-1 - k%others})
		}
		rounds = append(rounds, []int{i})
	}
	return rounds
}

// repeated asks each many times in a row, and at last each once more.
func repeated(all []int) (rounds [][]int) {
	times := max(4, calls/max(len(all), 1))
	for _, i := range all {
		for range times {
			rounds = append(rounds, []int{i})
		}
	}
	for _, i := range all {
		rounds = append(rounds, []int{i})
	}
	return rounds
}

// atOnce is how many calls are under way at the same time in a concurrent run.
const atOnce = 8

// mixed is how many calls a concurrent run makes at least with different ones under way: a race shows by chance.
const mixed = 500

// concurrent asks each several times at once, and then different ones at once, in many ways.
func concurrent(all []int, rng *rand.Rand) (rounds [][]int) {
	for _, i := range all {
		rounds = append(rounds, slices.Repeat([]int{i}, atOnce/2))
	}
	for range max(3, mixed/max(len(all), 1)) {
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		rounds = append(rounds, slices.Collect(slices.Chunk(slices.Clone(all), atOnce))...)
	}
	return rounds
}

// brief is the plan of a recheck.
func brief(platform string, o Options) []Step {
	wanted := []string{plain, again, "environment", "clock", "chance", "addresses", "repeated"}
	var steps []Step
	for _, s := range plan(platform, o) {
		if k := slices.Index(wanted, s.Name); k >= 0 {
			wanted[k] = ""
			steps = append(steps, s)
		}
	}
	return steps
}
