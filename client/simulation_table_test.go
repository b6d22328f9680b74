package client

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

// row is what a preset comes to against several strategies.
type row struct {
	cost    float64 // requests per answer, those to the home by their weight; mean over the strategies
	wrong   float64 // share of wrong answers, mean over the strategies
	worst   float64 // that of the worst strategy
	worstBy string
	home    float64 // requests to the home per answer
	failed  float64 // share of calls that ended without an answer
	honest  float64 // largest share of clients that suspend one honest host
	answers int     // accepted under each strategy
}

// simulate runs one world for each strategy.
func simulate(t *testing.T, u *tools, s setting, list []strategy) (r row) {
	t.Helper()
	results := make([]result, len(list))
	t.Run("against", func(t *testing.T) {
		for i, one := range list {
			t.Run(one.name, func(t *testing.T) {
				t.Parallel()
				w := s
				w.strategy, w.seed = one, s.seed*1000+uint64(i)
				results[i] = w.run(t, u)
				t.Logf("%+v", results[i])
			})
		}
	})
	for i, o := range results {
		if o.accepted == 0 {
			continue // then nobody gets a wrong answer either
		}
		n, all := float64(o.accepted), float64(len(list))
		wrong := float64(o.wrong) / n
		r.cost += float64(o.cost) / n / all
		r.wrong += wrong / all
		r.home += float64(o.home) / n / all
		r.failed += float64(o.failed) / float64(o.accepted+o.failed) / all
		r.honest = max(r.honest, o.suspended)
		r.answers = o.accepted
		if wrong > r.worst {
			r.worst, r.worstBy = wrong, list[i].name
		}
	}
	return r
}

// run plays one world in a bubble: nothing in it depends on how fast this machine is, and waiting costs no time.
func (s setting) run(t *testing.T, u *tools) (r result) {
	synctest.Test(t, func(t *testing.T) { r = newWorld(t, u, s).run() })
	return r
}

// table collects lines in Markdown.
type table struct{ strings.Builder }

func newTable(first string) *table {
	t := new(table)
	fmt.Fprintf(t, "| %s | liars | cost | wrong, mean | wrong, worst | home per answer | no answer |\n|---|---|---|---|---|---|---|\n", first)
	return t
}

func (t *table) add(name string, liars float64, r row) {
	worst := exponent(r.worst)
	if r.worst > 0 {
		worst += " (" + r.worstBy + ")"
	}
	fmt.Fprintf(t, "| %s | %.0f %% | %.2f | %s | %s | %.4f | %s |\n",
		name, 100*liars, r.cost, exponent(r.wrong), worst, r.home, exponent(r.failed))
}

func (t *table) addStudied(liars float64, s studied) {
	fmt.Fprintf(t, "| … in the study | %.0f %% | %.2f | %s | %s, up to %s | %.4f | |\n",
		100*liars, s.cost, exponent(s.wrong), exponent(s.worst), exponent(s.worstMost), s.home)
}

func exponent(x float64) string {
	if x == 0 {
		return "0"
	}
	return fmt.Sprintf("%.1e", x)
}
