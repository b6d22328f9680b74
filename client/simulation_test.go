package client

import (
	"fmt"
	"testing"

	"barnraise/score"
)

// world20 is the world of the study.
var world20 = setting{hosts: 50, clients: 20, requests: 8000, churn: 1e-4, delay: 200, trusting: true, seed: 1}

// like is the world with another preset and share of liars. Under paranoid the hosts look at each other, as in the study.
func (s setting) like(p score.Policy, liars float64) setting {
	s.policy, s.liars = p, liars
	if p.Name == score.Paranoid.Name {
		s.fellow = 0.02
	}
	return s
}

// The small worlds that each run plays.
func TestSimulation(t *testing.T) {
	u := newTools(t)
	t.Run("as in the study", func(t *testing.T) { simulateAsStudied(t, u) })
	t.Run("can fail", func(t *testing.T) { simulateFools(t, u) })
	t.Run("repeats", func(t *testing.T) { simulateTwice(t, u) })
	t.Run("honest faults", func(t *testing.T) {
		if raced {
			t.Skip("the race detector makes this too slow")
		}
		s := world20
		s.clients, s.requests = 5, 500
		simulateFaults(t, u, s, 2.6)
	})
}

// Five clients make a thousand calls each among fifty hosts, a fifth of whom lie. The study's program gives in a hundred runs: cost
// 2.27 to 2.41, and at most two wrong answers in five thousand (col1); 2.01 to 2.23 and nine (d300).
func simulateAsStudied(t *testing.T, u *tools) {
	small := world20.like(asInTheStudy(score.Default), 0.2)
	small.clients, small.requests = 5, 1000
	dear := 0.0
	if raced {
		small.clients, small.requests = 3, 100
		dear = 2 // newcomers ask two auditors for each of their first answers, and the home about the first lies
	}
	for _, c := range []struct {
		strategy string
		most     int // wrong answers
		cost     float64
	}{{"col1", 4, 2.5}, {"d300", 10, 2.3}} {
		r := simulate(t, u, small, lies(c.strategy))
		if wrong := r.wrong * float64(r.answers); wrong > float64(c.most)+0.5 || r.cost > c.cost+dear || r.failed > 0 {
			t.Errorf("%s: %.0f wrong answers of %d at a cost of %.2f, %g failed; want at most %d, %.1f, none",
				c.strategy, wrong, r.answers, r.cost, r.failed, c.most, c.cost)
		}
	}
}

// What the simulation can tell: a client that looks at nothing is lied to as often as there are liars, and clients that ask
// everybody at once are lied to by those who see that all are theirs.
func simulateFools(t *testing.T, u *tools) {
	small := world20
	small.clients, small.requests = 4, 100
	if r := simulate(t, u, small.like(asInTheStudy(score.One), 0.4), lies("col1")); r.wrong < 0.05 || r.cost > 1.01 {
		t.Errorf("who checks nothing pays %.2f for %.1e wrong answers; want 1 and four tenths or so", r.cost, r.wrong)
	}
	if r := simulate(t, u, small.like(asInTheStudy(score.Fast), 0.4), lies("smart")); r.wrong < 0.01 {
		t.Errorf("who asks all at once gets %.1e wrong answers; want a tenth or so", r.wrong)
	}
}

// The whole world, signatures and all, is the same for the same seed.
func simulateTwice(t *testing.T, u *tools) {
	s := world20.like(score.Default, 0.2)
	s.clients, s.requests, s.trusting, s.strategy, s.eta, s.fellow = 3, 60, false, lies("col.05")[0], 0.01, 0.05
	a, b := s.run(t, u), s.run(t, u)
	if a != b || a.accepted == 0 {
		t.Errorf("first %+v, then %+v", a, b)
	}
	s.seed++
	if c := s.run(t, u); c == a {
		t.Errorf("another seed makes no difference: %+v", c)
	}
}

// Honest hosts err in one of a thousand answers. They are not suspended for it, and it does not cost much.
func simulateFaults(t *testing.T, u *tools, s setting, most float64) {
	s = s.like(asInTheStudy(score.Default), 0.05)
	s.eta = 1e-3
	r := simulate(t, u, s, lies("ind.1"))
	t.Logf("%+v", r)
	if r.cost > most || r.honest > 0.1 || r.failed > 0 {
		t.Errorf("cost is %.2f, want at most %.1f; a share of %.3f is suspended, want at most 0.1; %g fail", r.cost, most, r.honest, r.failed)
	}
}

// TestSimulationAcceptance is what the facts ask for: twenty clients of four thousand calls each, a fifth of the hosts lie; and honest
// faults.
func TestSimulationAcceptance(t *testing.T) {
	if !*long {
		t.Skip("takes minutes; -long runs it")
	}
	u := newTools(t)
	s := world20.like(asInTheStudy(score.Default), 0.2)
	s.requests = 4000
	for strategy, most := range map[string]float64{"col1": 1e-4, "col.05": 1e-4, "d1000": 1e-3} {
		if r := simulate(t, u, s, lies(strategy)); r.wrong > most || r.cost > 1.9 || r.failed > 0 {
			t.Errorf("%s: %+v; want at most %.0e wrong at a cost of 1.9", strategy, r, most)
		}
	}
	simulateFaults(t, u, s, 2.2)
}

// TestSimulationTable prints the table of docs/policies.md and compares it with the study, in worlds of 2,000 and of 8,000 calls of
// each client. The second take four times as long: /8000/ in -run plays them alone.
//
//	GOGC=400 go test ./client -run TestSimulationTable -long -timeout 0
func TestSimulationTable(t *testing.T) {
	if !*long {
		t.Skip("takes an hour or two; -long runs it")
	}
	u := newTools(t)
	for _, calls := range []int{2000, 8000} {
		out := newTable(fmt.Sprintf("%d calls", calls))
		for _, p := range []score.Policy{score.Cheap, score.Default, score.Paranoid} {
			for _, liars := range []float64{0.05, 0.2, 0.4} {
				t.Run(fmt.Sprintf("%d/%s/%.2f", calls, p.Name, liars), func(t *testing.T) {
					world := world20.like(asInTheStudy(p), liars)
					world.requests = calls
					r, yardstick := simulate(t, u, world, strategies), study[calls][p.Name][liars]
					out.add(p.Name, liars, r)
					out.addStudied(liars, yardstick)
					for _, off := range r.compare(yardstick, len(strategies)) {
						t.Error(off)
					}
				})
			}
		}
		fmt.Print(out)
	}
}
