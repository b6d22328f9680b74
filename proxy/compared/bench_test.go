package compared

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	rounds = flag.Int("rounds", 3, "how often each row is measured")
	window = flag.Duration("window", 1400*time.Millisecond, "how long each time")
	only   = flag.String("rows", "", "names of the rows that are measured, with commas between; all without")
	delay  = flag.Duration("delay", 0, "how long a stub takes to answer")
	answer = flag.String("answers", "", "small or large; both without")
)

// The levels at which each row is measured.
var (
	callers = []int{1, 8, 64}
	methods = []string{"small", "large"}
)

// row is a way from a caller to the stubs.
type row struct {
	name string
	target
	loads map[level][]load
	rss   int // after the most callers
}

type level struct {
	method  string
	callers int
}

// BenchmarkRows compares all ways, in turns, in one run: directly to one of the stubs, through Go's reverse proxy and nginx to one,
// through a comparison of two by hand, and through verified calls, without and with signatures. Run it with -benchtime 1x. The
// rows without signatures need the build tag unsigned.
func BenchmarkRows(b *testing.B) {
	stubs := startStubs(b, 2, behaviour{Delay: *delay})
	rows := rowsBefore(b, stubs)
	if *answer != "" {
		methods = []string{*answer}
	}
	for range *rounds {
		for _, n := range callers {
			for _, m := range methods {
				for _, r := range rows {
					l := press(b, r.target, n, m, 300*time.Millisecond, *window)
					r.loads[level{m, n}] = append(r.loads[level{m, n}], l)
					r.rss = resident(b, r.pid)
				}
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	for _, m := range methods {
		fmt.Println("\n" + table(rows, m)) // a benchmark's log is cut short
	}
}

// startStubs starts so many.
func startStubs(t testing.TB, count int, with behaviour) (stubs []*process) {
	t.Helper()
	for i := range count {
		stubs = append(stubs, start(t, "stub", setup{Stub: i + 1}))
		behave(t, stubs[i], with)
	}
	return stubs
}

func urls(stubs []*process, base string) (list []string) {
	for _, s := range stubs {
		list = append(list, "http://"+s.address+"/"+base)
	}
	return list
}

// rowsBefore starts the rows.
func rowsBefore(t testing.TB, stubs []*process) (rows []*row) {
	t.Helper()
	plain, signed := urls(stubs, "plain"), urls(stubs, "signed")
	add := func(name, path string, begin func() *process) {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), name) {
			return
		}
		if p := begin(); p != nil {
			rows = append(rows, &row{name: name, target: target{p.address, path, p.pid}, loads: make(map[level][]load)})
		}
	}
	begin := func(role string, s setup) func() *process {
		s.Cache = t.TempDir()
		return func() *process { return start(t, role, s) }
	}
	const path = "/v1/services/1/1"
	add("direct", "/plain"+path, func() *process { return stubs[0] })
	add("reverse", path, begin("reverse", setup{Upstreams: plain}))
	add("nginx", "/plain"+path, func() *process { return nginx(t, stubs[0].address) })
	add("twice", path, begin("twice", setup{Upstreams: plain}))
	add("floor", path, begin("floor", setup{Upstreams: plain}))
	add("bare floor", path, begin("bare floor", setup{Upstreams: plain}))
	if unsigned != nil {
		add("proxy unsigned", "/1", begin("proxy", setup{Upstreams: plain, Policy: "default"}))
		add("proxy fast unsigned", "/1", begin("proxy", setup{Upstreams: plain, Policy: "fast"}))
		add("proxy spot unsigned", "/2", begin("proxy", setup{Upstreams: plain, Policy: "default"}))
		add("proxy unsigned net/http", "/1", begin("proxy", setup{Upstreams: plain, Policy: "default", Standard: true}))
		add("proxy unsigned GC 400", "/1", begin("proxy", setup{Upstreams: plain, Policy: "default", GC: 400}))
	}
	add("twice signed", path, begin("twice", setup{Upstreams: signed, Signed: true}))
	add("proxy", "/1", begin("proxy", setup{Upstreams: signed, Signed: true, Policy: "default"}))
	add("proxy GC 400", "/1", begin("proxy", setup{Upstreams: signed, Signed: true, Policy: "default", GC: 400}))
	add("proxy fast", "/1", begin("proxy", setup{Upstreams: signed, Signed: true, Policy: "fast"}))
	add("proxy spot", "/2", begin("proxy", setup{Upstreams: signed, Signed: true, Policy: "default"}))
	return rows
}

// median of some loads by a figure.
func median(loads []load, figure func(*load) float64) float64 {
	var all []float64
	for i := range loads {
		all = append(all, figure(&loads[i]))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func rate(l *load) float64 { return l.perSecond() }
func cpu(l *load) float64  { return l.cpu() }

func ms(q float64) func(*load) float64 {
	return func(l *load) float64 { return float64(l.quantile(q)) / 1e6 }
}

// table says what came of all rows with answers of one size, as docs/performance.md has it.
func table(rows []*row, method string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s answers\n\n| row | c=1 rps | p50/p99 ms | c=8 rps | p50/p99 ms | c=64 rps | p50/p99 ms | CPU s/10k, c=1/8/64 | RSS MB | failed | wrong |\n"+
		"|---|---|---|---|---|---|---|---|---|---|---|\n", method)
	problems := ""
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s |", r.name)
		var used []string
		failed, wrong := 0, 0
		for _, n := range callers {
			all := r.loads[level{method, n}]
			fmt.Fprintf(&b, " %.0f | %.2f/%.2f |", median(all, rate), median(all, ms(0.5)), median(all, ms(0.99)))
			used = append(used, fmt.Sprintf("%.2f", median(all, cpu)))
			for _, l := range all {
				failed, wrong = failed+l.failed, wrong+l.wrong
				if l.problem != "" {
					problems += r.name + ": " + l.problem + "\n"
				}
			}
		}
		fmt.Fprintf(&b, " %s | %d | %d | %d |\n", strings.Join(used, "/"), r.rss, failed, wrong)
	}
	return b.String() + problems
}
