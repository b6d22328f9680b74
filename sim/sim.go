// Package sim plays a barter of thousands of servers, each with the planner, the probes and the scores that a real server has,
// on a registry in memory.
//
// What it leaves out is the network between them: a server that runs a service answers a probe of it, one that does not fails
// it. The same options give the same figures, however many processors there are.
package sim

import (
	"context"
	"errors"
	"fmt"

	"barnraise/barter"
)

// ErrOptions is the error for options that no world can be made of.
var ErrOptions = errors.New("bad options")

// The largest world that is played.
const (
	MaxServers  = 100_000
	MaxServices = 100_000
	MaxEpochs   = 10_000
)

// Options say what world is played, and how long.
type Options struct {
	Servers, Services, Epochs int

	FreeRiders   float64 // share of the servers that claim whatever pays best and run only what is their own
	Whitewashers float64 // share of those that do the same, and come back under another id when nobody advances them anything more
	Liars        float64 // share of those that run what they offer, and answer wrongly now and then
	LieRate      float64 // how often a liar does
	Churn        float64 // share of the servers that are replaced by newcomers in an epoch, their services at home there
	Capacity     float64 // mean units that a server has for services of others
	Rewards      float64 // mean number of services of others that a server would like to see run

	Moments int // of an epoch; each server plans once an epoch, at one of them
	Seed    uint64
	Policy  barter.Policy
}

// Default is the world of docs/barter.md, without anybody who cheats.
func Default() Options {
	return Options{
		Servers: 2000, Services: 1000, Epochs: 60, LieRate: 0.1, Moments: 8, Capacity: 6, Rewards: 1.5, Seed: 1, Policy: barter.Default,
	}
}

// Check fails with [ErrOptions] where no world can be made of the options.
func (o Options) Check() error {
	for _, n := range []struct {
		what       string
		value, max int
	}{{"servers", o.Servers, MaxServers}, {"services", o.Services, MaxServices}, {"epochs", o.Epochs, MaxEpochs}} {
		if n.value < 1 || n.value > n.max {
			return fmt.Errorf("%w: %s: %d, want 1 to %d", ErrOptions, n.what, n.value, n.max)
		}
	}
	for _, s := range []struct {
		what  string
		value float64
	}{
		{"free-riders", o.FreeRiders}, {"whitewashers", o.Whitewashers}, {"liars", o.Liars}, {"lie-rate", o.LieRate},
		{"churn", o.Churn}, {"free-riders, whitewashers and liars together", o.FreeRiders + o.Whitewashers + o.Liars},
	} {
		if !(s.value >= 0 && s.value <= 1) {
			return fmt.Errorf("%w: %s: %g, want a share from 0 to 1, such as 0.2", ErrOptions, s.what, s.value)
		}
	}
	if o.Moments < 1 || o.Moments > 1000 {
		return fmt.Errorf("%w: moments: %d, want 1 to 1000", ErrOptions, o.Moments)
	}
	if !(o.Capacity > 0 && o.Capacity <= 32) || !(o.Rewards >= 0 && o.Rewards <= 32) {
		return fmt.Errorf("%w: capacity: %g, want more than 0, at most 32; rewards: %g, want 0 to 32", ErrOptions, o.Capacity, o.Rewards)
	}
	return nil
}

// Run plays the world and hands each epoch to each as it ends; each may be nil. It fails with [ErrOptions], with what each
// fails with, or with ctx's error where that ends first.
func Run(ctx context.Context, o Options, each func(Epoch) error) (Summary, error) {
	if err := o.Check(); err != nil {
		return Summary{}, err
	}
	w := newWorld(o)
	sum := tally{options: o}
	for range o.Epochs {
		if err := w.step(ctx); err != nil {
			return Summary{}, err
		}
		e := w.measure()
		sum.add(e)
		if each == nil {
			continue
		}
		if err := each(e); err != nil {
			return Summary{}, err
		}
	}
	return sum.summary(w.replicas()), nil
}
