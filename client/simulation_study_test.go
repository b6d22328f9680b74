package client

import (
	"fmt"

	"barnraise/score"
)

// asInTheStudy is a preset without what the study had not: an anchor, and a cap on young servers.
func asInTheStudy(p score.Policy) score.Policy {
	p.Anchor, p.Young = false, 1
	return p
}

// studied is what the study's own program finds for a preset and share of liars, in twenty runs with other seeds.
type studied struct {
	cost, wrong, worst   float64 // the median run
	wrongMost, worstMost float64 // the run with the most
	home                 float64
}

// study is the yardstick, by calls of each client, preset, and share of liars. Where few answers are wrong they come in bursts, those
// of one sleeper to several clients, and so one run says little: the table of the facts is such a run, of 8,000 calls.
var study = map[int]map[string]map[float64]studied{
	2000: {
		"cheap": {
			0.05: {1.25, 3.5e-5, 2.9e-4, 8.7e-5, 8.8e-4, 0.0033},
			0.20: {1.28, 2.0e-4, 1.7e-3, 3.3e-4, 2.7e-3, 0.0059},
			0.40: {1.33, 6.9e-4, 5.1e-3, 9.3e-4, 8.8e-3, 0.0097},
		},
		"default": {
			0.05: {1.82, 9.0e-7, 1.3e-5, 8.9e-6, 1.0e-4, 0.0088},
			0.20: {1.86, 1.5e-5, 1.0e-4, 3.0e-5, 2.5e-4, 0.0122},
			0.40: {1.92, 1.1e-4, 5.0e-4, 1.4e-4, 1.0e-3, 0.0170},
		},
		"paranoid": {
			0.05: {3.03, 0, 0, 1.8e-6, 2.5e-5, 0.0698},
			0.20: {3.07, 5.4e-6, 3.8e-5, 2.0e-5, 1.5e-4, 0.0735},
			0.40: {3.12, 8.2e-5, 2.9e-4, 1.6e-4, 1.1e-3, 0.0789},
		},
	},
	8000: {
		"cheap": {
			0.05: {1.11, 4.7e-5, 4.6e-4, 1.1e-4, 1.3e-3, 0.0013},
			0.20: {1.13, 1.9e-4, 1.5e-3, 2.7e-4, 2.7e-3, 0.0022},
			0.40: {1.14, 5.8e-4, 4.0e-3, 7.2e-4, 6.0e-3, 0.0033},
		},
		"default": {
			0.05: {1.47, 4.7e-6, 3.7e-5, 8.9e-6, 6.3e-5, 0.0047},
			0.20: {1.48, 2.8e-5, 1.7e-4, 3.9e-5, 3.6e-4, 0.0058},
			0.40: {1.51, 9.4e-5, 5.3e-4, 1.2e-4, 9.1e-4, 0.0075},
		},
		"paranoid": {
			0.05: {2.70, 0, 0, 1.8e-6, 2.5e-5, 0.0576},
			0.20: {2.71, 2.9e-6, 1.3e-5, 8.0e-6, 8.7e-5, 0.0590},
			0.40: {2.73, 3.5e-5, 1.5e-4, 5.9e-5, 3.7e-4, 0.0611},
		},
	},
}

// What differs by less is noise: a twelfth of the cost; of the wrong answers half as many as in the study's worst run of twenty, and
// three answers.
const (
	noiseOfCost  = 0.08
	noiseOfWrong = 1.5
	fewAnswers   = 3
)

// compare tells where a row is not within noise of the study. Fewer wrong answers than there are no noise, and nothing to complain of.
func (r row) compare(s studied, strategies int) (off []string) {
	if r.cost < s.cost*(1-noiseOfCost) || r.cost > s.cost*(1+noiseOfCost) {
		off = append(off, fmt.Sprintf("cost is %.2f, in the study %.2f", r.cost, s.cost))
	}
	few := fewAnswers / float64(r.answers)
	if most := noiseOfWrong*s.wrongMost + few/float64(strategies); r.wrong > most {
		off = append(off, fmt.Sprintf("%.1e are wrong, in the study up to %.1e", r.wrong, s.wrongMost))
	}
	if most := noiseOfWrong*s.worstMost + few; r.worst > most {
		off = append(off, fmt.Sprintf("%.1e are wrong under %s, in the study up to %.1e", r.worst, r.worstBy, s.worstMost))
	}
	if r.failed > 0 {
		off = append(off, fmt.Sprintf("a share of %.1e of the calls fails", r.failed))
	}
	return off
}
