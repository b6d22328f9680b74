package budget

import (
	"math"
	"testing"

	"barnraise/conformance"
	"barnraise/manifest"
)

func TestCost(t *testing.T) {
	const mib = 1 << 20
	measured := func(memory manifest.Bytes, cpu float64) conformance.Report {
		return conformance.Report{Methods: []conformance.Method{{Memory: memory}, {CPU: cpu}, {Memory: 1, CPU: 0.1}}}
	}
	for name, c := range map[string]struct {
		report conformance.Report
		limit  manifest.Bytes
		says   uint32
		load   float64
		want   uint32
	}{
		"nothing known":                     {},
		"nothing measured, by its limit":    {limit: 600 * mib, want: 3},
		"a unit of memory":                  {report: measured(256*mib, 1), limit: 2048 * mib, want: 1},
		"a byte more":                       {report: measured(256*mib+1, 1), limit: 2048 * mib, want: 2},
		"a unit of processor":               {report: measured(20*mib, 250), want: 1},
		"a little more":                     {report: measured(20*mib, 251), want: 2},
		"the larger of both":                {report: measured(700*mib, 600), want: 3},
		"its author says more":              {report: measured(20*mib, 1), says: 5, want: 5},
		"its author says less":              {report: measured(1024*mib, 1), says: 1, want: 4},
		"asked for much":                    {report: measured(20*mib, 1), load: 1.1, want: 5},
		"asked for little, as the gate saw": {report: measured(20*mib, 900), load: 0.1, want: 4},
		"a report of nonsense":              {report: measured(math.MaxUint64, math.MaxFloat64), want: mostUnits},
		"a load of nonsense":                {report: measured(20*mib, 1), load: math.NaN(), want: mostUnits},
		"an author's nonsense":              {says: math.MaxUint32, want: mostUnits},
	} {
		m := manifest.Manifest{Cost: c.says, Limits: manifest.Limits{Memory: c.limit}}
		if got := Cost(c.report, m, c.load); got != max(c.want, 1) {
			t.Errorf("%s: %d units, want %d", name, got, max(c.want, 1))
		}
	}
}
