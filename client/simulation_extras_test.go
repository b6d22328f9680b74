package client

import (
	"fmt"
	"testing"

	"barnraise/score"
)

// extra is a row that the study has not.
type extra struct {
	name   string
	world  setting
	policy score.Policy
	liars  []float64
	lies   []strategy
}

// TestSimulationExtras prints what the study has not: presets with the anchor and the cap on young servers, the two presets that
// are not in its table, clients that cannot run the image, and majorities of Sybils.
//
//	GOGC=400 go test ./client -run TestSimulationExtras -long -timeout 0
func TestSimulationExtras(t *testing.T) {
	if !*long {
		t.Skip("takes half an hour; -long runs it")
	}
	u := newTools(t)
	out := newTable("world")
	for _, e := range append(sybils(), others(t)...) {
		for _, liars := range e.liars {
			t.Run(fmt.Sprintf("%s/%.2f", e.name, liars), func(t *testing.T) {
				out.add(e.name, liars, simulate(t, u, e.world.like(e.policy, liars), e.lies))
			})
		}
	}
	fmt.Print(out)
}

// sybils are worlds in which most hosts lie: to clients that live for a hundred calls, and to those who were there before them.
func sybils() []extra {
	fresh := world20
	fresh.clients, fresh.delay, fresh.requests, fresh.churn = 10, 100, 500, 0.01
	pinned, helpless, late, uncapped := fresh, fresh, world20, score.Default
	pinned.pinned, helpless.helpless, uncapped.Young = 3, true, 1
	late.clients, late.delay, late.requests, late.late, late.churn = 10, 100, 2000, 1000, 0
	quick, most := lies("ind1", "col1", "col.05", "smart", "new100", "d30", "d100"), []float64{0.6, 0.9}
	return []extra{
		{"fresh clients, no anchor", fresh, asInTheStudy(score.Default), most, quick},
		{"fresh clients, the home as anchor", fresh, score.Default, most, quick},
		{"fresh clients, three pinned", pinned, score.Default, most, quick},
		{"fresh clients, the home as anchor, paranoid", fresh, score.Paranoid, most, quick},
		{"fresh clients that cannot run the image, the home as anchor", helpless, score.Default, most, quick},
		{"established clients, Sybils come, no cap", late, uncapped, most, quick},
		{"established clients, Sybils come, cap", late, score.Default, most, quick},
	}
}

// others are presets that the study has not, or not like that.
func others(t *testing.T) []extra {
	exact, err := score.Exact(1e-3)
	if err != nil {
		t.Fatal(err)
	}
	short := world20
	short.clients, short.delay, short.requests = 10, 100, 2000
	few, helpless, bare := short, short, short
	few.clients, helpless.helpless, bare.helpless, bare.bare = 3, true, true, true
	all, main := []float64{0.05, 0.2, 0.4}, lies("ind1", "col1", "col.05", "d100", "d300", "d1000")
	plain := asInTheStudy(score.Default)
	return []extra{
		{"exact=0.001", few, exact, all, main},
		{"fast", short, score.Fast, all, lies("ind1", "col1", "smart", "d300")},
		{"default, cannot run the image, which has a report", helpless, plain, all, main},
		{"default, cannot run the image, no report", bare, plain, all, main},
		{"cheap, anchor and cap", short, score.Cheap, all, main},
		{"default, anchor and cap", short, score.Default, all, main},
		{"paranoid, anchor and cap", short, score.Paranoid, all, main},
	}
}
