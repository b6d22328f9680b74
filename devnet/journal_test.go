package devnet

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"barnraise"
	"barnraise/hosting"
	"barnraise/server"
)

// journal is what servers say that they do, and why.
type journal struct {
	mu    sync.Mutex
	steps map[barnraise.ServerID][]server.Step
}

func (j *journal) note(id barnraise.ServerID, s server.Step) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.steps == nil {
		j.steps = make(map[barnraise.ServerID][]server.Step)
	}
	j.steps[id] = append(j.steps[id], s)
}

func (j *journal) of(id barnraise.ServerID) []server.Step {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.steps[id])
}

// differs says what a server runs and offers that is not what it said, or the other way round. Empty where it is the same.
func (j *journal) differs(id barnraise.ServerID, s *barnraise.Snapshot, runs []barnraise.Hosted) string {
	started, offered := make(map[barnraise.ServiceID]bool), make(map[barnraise.ServiceID]bool)
	for _, step := range j.of(id) {
		switch step.Verb {
		case server.Started:
			started[step.Service] = true
		case server.Stopped:
			delete(started, step.Service)
		case server.Offered:
			offered[step.Service] = true
		case server.Withdrawn:
			delete(offered, step.Service)
		}
	}
	var running []barnraise.ServiceID
	for _, h := range runs {
		running = append(running, h.Service)
	}
	v, _ := s.Server(id)
	if said := slices.Sorted(maps.Keys(started)); !slices.Equal(said, running) {
		return fmt.Sprintf("runs %v, and has said %v", running, said)
	}
	if said := slices.Sorted(maps.Keys(offered)); !slices.Equal(said, v.Offers) {
		return fmt.Sprintf("offers %v, and has said %v", v.Offers, said)
	}
	return ""
}

// unexplained lists the steps of a server that nothing accounts for: each needs a reason, what is started and offered a decision to
// host it, what is withdrawn and stopped one that it leaves, and a debt to somebody a right answer of his.
func (j *journal) unexplained(id barnraise.ServerID, own []barnraise.ServiceID) (wrong []string) {
	wanted, unwanted := make(map[barnraise.ServiceID]bool), make(map[barnraise.ServiceID]bool)
	answered := make(map[barnraise.ServerID]bool)
	for i, s := range j.of(id) {
		ok := s.Reason != ""
		switch s.Verb {
		case server.Probed:
			ok = ok && s.Service != 0 && s.Server != 0 && s.Server != id
			answered[s.Server] = answered[s.Server] || s.Reason == "it answers rightly"
		case hosting.Host:
			wanted[s.Service] = true
			owed := strings.HasPrefix(s.Reason, "owed to")
			unknown := func(x barnraise.ServerID) bool { return !answered[x] }
			ok = ok && len(s.For) > 0 && !(owed && slices.ContainsFunc(s.For, unknown))
		case hosting.Leave, hosting.Drop:
			ok = ok && wanted[s.Service]
			unwanted[s.Service] = true
		case server.Started, server.Offered:
			ok = ok && (wanted[s.Service] || slices.Contains(own, s.Service))
		case server.Withdrawn:
			ok = ok && unwanted[s.Service]
		case server.Stopped:
			ok = ok && unwanted[s.Service]
			delete(unwanted, s.Service)
		}
		if !ok {
			wrong = append(wrong, fmt.Sprintf("step %d is not explained: %+v", i, s))
		}
	}
	return wrong
}
