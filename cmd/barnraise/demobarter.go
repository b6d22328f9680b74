package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"barnraise"
	"barnraise/devnet"
	"barnraise/hosting"
	"barnraise/server"
	"barnraise/verifiers"
)

// The first chapter of the demo: three servers, what they bring along, and what they host for each other.

func (s *story) startNetwork(ctx context.Context) (string, error) {
	began := time.Now()
	n, err := devnet.Up(ctx, devnet.Options{
		Dir: s.dir, Cache: s.cache, Barter: devnet.Founding(), Turncoats: true,
		Progress: func(line string) { s.say("  %s", line) }, Tell: s.note,
	})
	if err != nil {
		return "", err
	}
	s.net = n
	s.network = n.File
	if s.lock == "" {
		s.lock = lockBeside(n.File) // whatever lock file there is here is another network's
	}
	return fmt.Sprintf("three servers of three operators are up: A, B and C, number 1, 2 and 3, on a chain of their own (%.1f s)",
		time.Since(began).Seconds()), nil
}

// readRegistry shows what everybody can read: who is the home of what, and who would like to see it run.
func (s *story) readRegistry(ctx context.Context) (string, error) {
	list, err := s.net.Snapshot(ctx)
	if err != nil {
		return "", err
	}
	lines := []string{fmt.Sprintf("%d services are registered; who rewards one would like to see it run:", len(list.Services()))}
	for _, v := range list.Services() {
		_, r, ok := list.Active(v.ID)
		if !ok {
			return "", fmt.Errorf("service %s has no active revision", v.ID)
		}
		lines = append(lines, fmt.Sprintf("service %s %-8s  home %s, rewarded by %s; verifier %s, image %.19s…",
			v.ID, v.Name, s.letter(r.Home), s.letters(rewarders(list, v.ID)), verifierOf(r), r.Image))
	}
	return strings.Join(lines, "\n"), nil
}

// verifierOf is the name of a revision's verifier, or that it has one of its own.
func verifierOf(r barnraise.Revision) string {
	for name, id := range verifiers.CIDs() {
		if id == r.Verifier {
			return name
		}
	}
	return "of its own"
}

func rewarders(list *barnraise.Snapshot, id barnraise.ServiceID) (ids []barnraise.ServerID) {
	for _, v := range list.Servers() {
		if slices.Contains(v.Rewards, id) {
			ids = append(ids, v.ID)
		}
	}
	return ids
}

// fixedPoint is how many servers offer each service once nobody has a reason to change anything.
var fixedPoint = map[string]int{"matrix": 3, "whisper": 3, "search": 1}

// patienceWithBarter is how long the servers may take to get there, on a busy machine.
const patienceWithBarter = 3 * time.Minute

// watchBarter waits until the servers host for each other what they will.
func (s *story) watchBarter(ctx context.Context) (string, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, patienceWithBarter)
	defer cancel()
	for {
		list, err := s.net.Snapshot(ctx)
		if err != nil {
			return "", err
		}
		if s.reached(list) {
			return s.tellBarter(list, time.Since(began)), nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("the servers do not come to host what they should: %s: %w", s.offers(list), ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (s *story) reached(list *barnraise.Snapshot) bool {
	for name, hosts := range fixedPoint {
		if len(list.Hosts(s.net.Network.Names[name])) != hosts {
			return false
		}
	}
	return true
}

// offers says who offers what.
func (s *story) offers(list *barnraise.Snapshot) string {
	var words []string
	for _, v := range list.Services() {
		words = append(words, fmt.Sprintf("%s on %s", v.Name, s.letters(list.Hosts(v.ID))))
	}
	return strings.Join(words, ", ")
}

// tellBarter tells who hosts what for whom, and why.
func (s *story) tellBarter(list *barnraise.Snapshot, took time.Duration) string {
	lines := []string{fmt.Sprintf("by themselves the servers came to run %s (%.1f s)", s.offers(list), took.Seconds())}
	decided := s.barter.last()
	if len(decided) == 0 {
		lines = append(lines, "they go on with what they hosted when this network ran before")
	}
	for _, d := range decided {
		v, _ := list.Service(d.step.Service)
		if slices.Contains(list.Hosts(v.ID), d.server) {
			lines = append(lines, fmt.Sprintf("%s hosts %s for %s: %s", s.letter(d.server), v.Name, s.letters(d.step.For), d.step.Reason))
		}
	}
	lines = append(lines, "nobody rewards search, so only its home runs it: enough, since its answers prove themselves")
	return strings.Join(lines, "\n")
}

func (s *story) letters(ids []barnraise.ServerID) string {
	if len(ids) == 0 {
		return "nobody"
	}
	var words []string
	for _, id := range ids {
		words = append(words, s.letter(id))
	}
	return strings.Join(words, " ")
}

// chronicle remembers what servers decided to host, the last word on each service.
type chronicle struct {
	mu   sync.Mutex
	list []decision
	done bool // the servers have come to where they stay
}

type decision struct {
	server barnraise.ServerID
	step   server.Step
}

// note tells what a server does at once, and remembers what it decided. Once there is nothing to wait for, probes go without
// saying.
func (s *story) note(id barnraise.ServerID, step server.Step) {
	s.barter.mu.Lock()
	defer s.barter.mu.Unlock()
	if step.Verb == server.Probed && s.barter.done {
		return
	}
	what := fmt.Sprintf("server %d: %s", id, step.Verb)
	if step.Service != 0 {
		what += fmt.Sprintf(" service %s", step.Service)
	}
	if step.Server != 0 {
		what += fmt.Sprintf(" on server %d", step.Server)
	}
	fmt.Fprintf(harmless{s.talk}, "  %s: %s\n", what, step.Text())
	if step.Verb == hosting.Host {
		s.barter.list = append(slices.DeleteFunc(s.barter.list, func(d decision) bool {
			return d.server == id && d.step.Service == step.Service
		}), decision{id, step})
	}
}

// last are the decisions that stand.
func (l *chronicle) last() []decision {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done = true
	return slices.Clone(l.list)
}
