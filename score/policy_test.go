package score

import (
	"errors"
	"strings"
	"testing"
)

// The golden numbers of the study, default: m = 0 to 29: 2; 30: 1.357; 300: 0.746; 3,000: 0.1357; 29,700: 0.01493; a million: 0.01.
func TestAudits(t *testing.T) {
	exact, err := Exact(1e-6)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		policy  Policy
		m, want float64
	}{
		{Default, 0, 2}, {Default, 29, 2}, {Default, 30, 1.3568521031207599}, {Default, 300, 0.7462686567164178},
		{Default, 3000, 0.13568521031207598}, {Default, 29_700, 0.014925373134328358}, {Default, 1e6, 0.01},
		{Cheap, 9, 2}, {Cheap, 30, 0.7462686567164178}, {Cheap, 1e6, 0.003},
		{Paranoid, 0, 2}, {Paranoid, 3000, 1}, {Paranoid, 1e9, 1},
		{Fast, 1e9, 1}, {One, 0, 0}, {One, 1e9, 0}, {exact, 0, 8}, {exact, 1e9, 8},
	} {
		if got := c.policy.Audits(c.m); !near(got, c.want) {
			t.Errorf("%s with a history of %v: %v auditors, want %v", c.policy.Name, c.m, got, c.want)
		}
	}
}

// ceil(ln eps / ln f) equal answers at f = 0.2, and the lead of a dispute that nobody settles.
func TestExact(t *testing.T) {
	for _, c := range []struct {
		eps         float64
		equal, lead int
	}{{1e-1, 2, 2}, {1e-2, 3, 4}, {1e-3, 5, 5}, {1e-6, 9, 10}, {0.2, 1, 2}, {1e-20, 29, 34}} {
		if p, err := Exact(c.eps); err != nil || p.Equal != c.equal || p.Least != c.equal-1 || p.Lead != c.lead {
			t.Errorf("exact=%g: %d equal, %d auditors, lead %d, %v; want %d and %d", c.eps, p.Equal, p.Least, p.Lead, err, c.equal, c.lead)
		}
	}
}

func TestParsePolicy(t *testing.T) {
	for s, want := range map[string]string{
		"fast": "fast", "cheap": "cheap", "default": "default", "paranoid": "paranoid", "one": "one", "exact": "exact=0.001",
		"exact=1e-6": "exact=1e-06", "exact=.05": "exact=0.05",
	} {
		if p, err := ParsePolicy(s); err != nil || p.Name != want {
			t.Errorf("%s: %q, %v; want %q", s, p.Name, err, want)
		}
	}
	for s, says := range map[string]string{
		"": "there are fast", "Fast": "there are fast", "default=1": "there are fast", "exact=": "want a number", "exact=0": "above 0 and below 1",
		"exact=1": "above 0 and below 1", "exact=NaN": "above 0 and below 1", "exact=-1": "above 0 and below 1", "exact=x": "want a number",
		"exact=1e-300": "would take 430 operators, a call asks at most 32",
	} {
		if p, err := ParsePolicy(s); !errors.Is(err, ErrPolicy) || !strings.Contains(err.Error(), says) || p != (Policy{}) {
			t.Errorf("%q: %+v, %v; want %q", s, p, err, says)
		}
	}
}

// Who asks on behalf of others may ask for more than they did, and never for less.
func TestStronger(t *testing.T) {
	exact, _ := Exact(1e-3)
	one, _ := Exact(0.5)
	two, _ := Exact(0.1)
	presets := []Policy{One, Cheap, Default, Fast, Paranoid, exact, one, two}
	for _, p := range presets {
		for _, q := range presets {
			s := p.Stronger(q)
			for m := 0.0; m < 1e7; m = m*2 + 1 {
				if s.Audits(m) < max(p.Audits(m), q.Audits(m)) {
					t.Errorf("%s and %s with a history of %v: %v auditors", p.Name, q.Name, m, s.Audits(m))
				}
			}
			if s.Together && !(p.Together && q.Together) || s.Equal < max(p.Equal, q.Equal) || s.Lead < max(p.Lead, q.Lead) || s.Least < max(p.Least, q.Least) {
				t.Errorf("%s and %s: %+v", p.Name, q.Name, s)
			}
			if r := q.Stronger(p); r.Name != s.Name && r.Name != q.Name+"+"+p.Name {
				t.Errorf("%s and %s are %s, the other way round %s", p.Name, q.Name, s.Name, r.Name)
			}
		}
	}
	for _, c := range []struct {
		p, q Policy
		want string
	}{{Cheap, Default, "default"}, {Default, Paranoid, "paranoid"}, {Paranoid, Cheap, "paranoid"}, {Default, exact, "exact=0.001"}, {Default, One, "default"}} {
		if got := c.p.Stronger(c.q).Name; got != c.want {
			t.Errorf("%s and %s: %s, want %s", c.p.Name, c.q.Name, got, c.want)
		}
	}
}
