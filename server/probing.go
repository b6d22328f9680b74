package server

import (
	"context"
	"fmt"
	"slices"
	"time"

	"barnraise"
	"barnraise/barter"
	"barnraise/client"
	"barnraise/conformance"
)

// Bounds of asking others.
const (
	probesAtOnce  = 4
	probesInEpoch = 256
	perMethod     = 4  // requests that are made up for each method, of which one is drawn
	studyAtOnce   = 16 // services that are looked up before a plan
	// probesWithin is the time over which the probes of one look are spread, less in short epochs: requests of callers do not come
	// at the same moment.
	probesWithin = time.Second
)

// probe asks whom it is time to ask, beside everything else. The lock is held.
func (b *broker) probe(ctx context.Context, s sight) {
	if !b.drawn && b.client != nil && b.ready(s) {
		b.drawn = true
		b.agenda = slices.DeleteFunc(b.book.Probes.Due(b.input(s), probesInEpoch, b.random.Float64), func(p barter.Probe) bool { return b.asking[p.Offer] })
		if b.book.Planned == 0 {
			for i := range b.agenda {
				b.agenda[i].At = 0 // who is new looks around first
			}
		}
	}
	into := float64(s.now.UnixNano()%int64(b.length)) / float64(b.length)
	for len(b.agenda) > 0 && len(b.asking) < probesAtOnce && b.agenda[0].At <= into {
		p := b.agenda[0]
		b.agenda = b.agenda[1:]
		b.asking[p.Offer] = true
		seed := b.random.Uint64()
		b.work.Go(func() { b.ask(ctx, p, seed) })
	}
}

// ready reports whether it is time to look around: for who is new, once he runs what is his own, since it is with that that he
// comes.
func (b *broker) ready(s sight) bool {
	return b.book.Planned != 0 || !slices.ContainsFunc(b.mine, func(id barnraise.ServiceID) bool { return !s.runs(id) && !b.bars[id] })
}

// ask probes one offer and notes what comes of it. What was cut off, or could not be judged, is not held against anybody.
func (b *broker) ask(ctx context.Context, p barter.Probe, seed uint64) {
	select {
	case <-time.After(time.Duration(seed % uint64(max(1, min(probesWithin, b.length/60))))):
	case <-ctx.Done():
	}
	found, err := b.question(ctx, p, seed)
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.asking, p.Offer)
	if ctx.Err() != nil || err != nil {
		b.log.Debug("probe", "server", p.Server, "service", p.Service, "err", err)
		return
	}
	step := Step{Verb: Probed, Service: p.Service, Server: p.Server, Reason: "it answers rightly"}
	if found.Contradicts {
		b.doubt(p.Service, found.Revision)
	}
	switch found.Outcome {
	case client.ProbeUndecided:
		step.Reason = "nobody can tell: " + found.Why
		b.say(step)
		return
	case client.ProbeStruck:
		step.Reason = "it lied; the evidence is " + found.Evidence
	case client.ProbeFailed:
		step.Reason = "it does not answer: " + found.Why
	}
	b.book.Probes.Record(b.book.Epoch, p.Server, p.Service, found.Outcome == client.ProbeConfirmed)
	if err := b.save(); err != nil {
		b.log.Warn("keep what a probe found", "err", err)
	}
	b.say(step)
}

// question draws a request that anybody might send, and sends it.
func (b *broker) question(ctx context.Context, p barter.Probe, seed uint64) (client.Probe, error) {
	d, err := b.client.Describe(ctx, p.Service.String())
	if err != nil {
		return client.Probe{}, err
	}
	requests, err := conformance.Requests(d.Manifest, seed, perMethod)
	if err != nil {
		return client.Probe{}, err
	}
	return b.client.Probe(ctx, p.Server, p.Service, requests[seed%uint64(len(requests))].Body)
}

// unknown lists the services that a decision starts or keeps whose manifest was not looked at yet, or could not be had a while
// ago, or is of another revision by now.
func (b *broker) unknown(d barter.Decision, s *barnraise.Snapshot) (ids []barnraise.ServiceID) {
	for _, a := range d.Actions {
		_, r, _ := s.Active(a.Service)
		d := b.book.Dossiers[a.Service]
		unknown := d.Revision != r.Number || d.Missing != "" && b.book.Epoch >= d.Until
		if (a.Verb == barter.Start || a.Verb == barter.Keep) && unknown && len(ids) < studyAtOnce {
			ids = append(ids, a.Service)
		}
	}
	return ids
}

// study looks services up, beside everything else. The lock is held.
func (b *broker) study(ctx context.Context, ids []barnraise.ServiceID) {
	b.studying = true
	b.work.Go(func() {
		found := make(map[barnraise.ServiceID]dossier)
		for _, id := range ids {
			d, err := b.client.Describe(ctx, id.String())
			if err != nil {
				b.log.Info("look up a service", "service", id, "err", err)
			}
			found[id] = b.dossier(d, err)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.studying = false
		if ctx.Err() != nil {
			return
		}
		for id, d := range found {
			if d.Revision == 0 {
				_, r, _ := b.last.Active(id)
				d.Revision = r.Number
			}
			b.book.Dossiers[id] = d
		}
	})
}

// dossier is what is to be remembered of a description.
func (b *broker) dossier(d client.Description, err error) dossier {
	if err != nil {
		return dossier{Missing: fmt.Sprintf("its manifest or verifier cannot be had: %.200s", err), Until: b.book.Epoch + b.policy.Patience}
	}
	return dossier{Revision: d.Revision.Number, Cost: d.Manifest.Cost, MinRequests: d.MinRequests, Licence: d.Manifest.Licence}
}

// announced tells what was written to the registry.
func (b *broker) announced(before, now []barnraise.ServiceID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range now {
		if !slices.Contains(before, id) {
			b.say(Step{Verb: Offered, Service: id, Reason: "it has passed the gate here and answered its own probe"})
		}
	}
	for _, id := range before {
		if !slices.Contains(now, id) {
			b.say(Step{Verb: Withdrawn, Service: id, Reason: "it is not to run here any more, or does not"})
		}
	}
}

// note tells of a step. It waits for nobody, so that whoever holds the server's lock may call it.
func (b *broker) note(step Step) {
	b.work.Go(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.say(step)
	})
}

// say tells of a step.
func (b *broker) say(step Step) {
	step.Time, step.Epoch = b.now(), b.book.Epoch
	b.log.Info(string(step.Verb), "service", step.Service, "server", step.Server, "for", step.For, "reason", step.Reason)
	if b.tell != nil {
		b.tell(step)
	}
}
