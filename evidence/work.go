package evidence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/manifest"
	"barnraise/score"
	"barnraise/store"
)

// forged makes what cannot have been signed so cost its sender: his turn, and where he signed for it, as one who failed.
func (x *Exchange) forged(s sender, why error) {
	x.distrust(s)
	x.Log.Debug("evidence does not hold", "from", s.server, "network", s.name, "err", why)
	if s.server != 0 {
		x.Book(func(b *score.Book) { b.Failed(s.server, x.Now()) })
	}
}

// distrust puts what a sender sends from now on behind everything else, for a day. It costs him nothing else: what does not hold
// here may have held for him, where the image contradicts itself.
func (x *Exchange) distrust(s sender) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.discredited.add(s.name, x.Now())
}

// work looks at what waits, one piece after the other, and rests so long after each that it takes its share of the time.
func (x *Exchange) work(ctx context.Context) {
	for ctx.Err() == nil {
		x.mu.Lock()
		o := x.waiting.next()
		x.mu.Unlock()
		if o == nil {
			select {
			case <-x.more:
			case <-ctx.Done():
			}
			continue
		}
		began := x.Now()
		x.look(ctx, o)
		took := x.Now().Sub(began)
		rest(ctx, max(x.Budget.Pause, min(longestRest, time.Duration(float64(took)*(1/x.Budget.Share-1)))))
	}
}

// longestRest is what even the longest look is followed by at most: better more than the share than nothing for hours.
const longestRest = 10 * time.Minute

func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// look finds out what evidence shows, and acts upon it.
func (x *Exchange) look(ctx context.Context, o *offer) {
	looking, cancel := context.WithTimeout(ctx, x.Budget.Longest)
	defer cancel()
	e := o.evidence
	r, err := x.recheck(looking, e)
	if ctx.Err() != nil {
		return // it was not looked at: it may come again
	}
	if r.Policy != "" {
		x.policies.Store(revisionKey{e.Service, e.Revision}, r.Policy)
	}
	switch {
	case errors.Is(err, barnraise.ErrEvidence):
		x.Log.Debug("evidence does not hold", "evidence", o.name, "from", o.sender.server, "err", err)
		x.refuse(ctx, o)
		if !o.own {
			x.distrust(o.sender)
		}
	case err != nil:
		x.Log.Debug("whether evidence holds could not be told", "evidence", o.name, "err", err)
	case r.Quarantine:
		x.refuse(ctx, o)
		x.doubt(o)
	default:
		x.believe(ctx, o, r)
	}
}

// recheck executes the image where it can. Where it cannot, what the verifier alone says counts, if it says anything.
func (x *Exchange) recheck(ctx context.Context, e barnraise.Evidence) (client.Recheck, error) {
	r, err := x.Judge.Recheck(ctx, e, true)
	if err == nil || errors.Is(err, barnraise.ErrEvidence) || ctx.Err() != nil {
		return r, err
	}
	r, without := x.Judge.Recheck(ctx, e, false)
	if errors.Is(without, barnraise.ErrEvidence) {
		return r, fmt.Errorf("only execution could tell: %w", err)
	}
	return r, without
}

// refuse remembers that a piece of evidence is not to be looked at again.
func (x *Exchange) refuse(ctx context.Context, o *offer) {
	x.mu.Lock()
	x.refused.add(o.name, x.Now())
	x.mu.Unlock()
	if !o.own {
		return
	}
	if err := x.Store.Judge(ctx, o.name, store.Refuted, nil); err != nil {
		x.Log.Warn("keep what evidence showed", "evidence", o.name, "err", err)
	}
}

// doubt tells whom it concerns that an image contradicts itself, once a day. Nobody is struck (protocol 7.4).
func (x *Exchange) doubt(o *offer) {
	e := o.evidence
	k := revisionKey{e.Service, e.Revision}
	x.mu.Lock()
	told := x.doubtful.has(k, x.Now())
	if !told {
		x.doubtful.add(k, x.Now())
	}
	x.mu.Unlock()
	if told {
		return
	}
	x.Log.Warn("an image contradicts itself", "service", e.Service, "revision", e.Revision, "evidence", o.name)
	x.tell(store.Event{
		Kind: EventDoubted, Service: e.Service, Revision: e.Revision, Evidence: o.name.String(),
		Text: "the image gave two answers to one request here; nobody is struck for it",
	})
	if x.Doubted != nil {
		x.Doubted(e.Service, e.Revision)
	}
}

// believe keeps what holds, so that it is served on, and lets scores fall.
func (x *Exchange) believe(ctx context.Context, o *offer, r client.Recheck) {
	if o.own || r.Policy != manifest.EvidenceLocal && !x.plenty(ctx, o.evidence, r) {
		if err := x.keep(ctx, o, r); err != nil {
			x.Log.Warn("keep evidence", "evidence", o.name, "err", err)
			return
		}
	}
	x.mu.Lock()
	x.held.add(o.name, x.Now())
	x.mu.Unlock()
	if !o.own {
		x.count(ctx, o, r)
	}
	x.report(o, r)
}

// plenty reports whether there is as much evidence about each of those that it convicts, or else accuses, as counts for a score.
func (x *Exchange) plenty(ctx context.Context, e barnraise.Evidence, r client.Recheck) bool {
	about := slices.Concat(r.Culprits, r.Doubtful)
	if len(about) == 0 {
		for _, a := range e.Answers {
			about = append(about, a.Server)
		}
	}
	for _, server := range about {
		list, err := x.Store.List(ctx, store.EvidenceFilter{State: store.Held, Service: e.Service, Server: server, Limit: fromOne})
		if err != nil || len(list) < fromOne {
			return false
		}
	}
	return true
}

func (x *Exchange) keep(ctx context.Context, o *offer, r client.Recheck) error {
	if !o.own {
		if _, _, err := x.Store.Add(ctx, o.evidence, o.sender.server); err != nil {
			return err
		}
	}
	return x.Store.Judge(ctx, o.name, store.Held, r.Culprits)
}

// count lets the score of each fall whom this machine found to be wrong by its own doing, once for each request: whom own execution
// convicts is struck, as if this server had asked; of the others the history is halved (protocol 7.3, 8.2). Nobody else's score
// changes.
func (x *Exchange) count(ctx context.Context, o *offer, r client.Recheck) {
	e, request, self := o.evidence, barnraise.Sum(o.evidence.Request), x.Self()
	s, err := x.Registry.Confirmed(ctx)
	if err != nil {
		return
	}
	service, _ := s.Service(e.Service)
	name, epoch := o.name.String(), x.Epoch()
	known := x.Known != nil && x.Known(service.Owner)
	x.Book(func(b *score.Book) {
		b.Advance(x.Now())
		for _, server := range slices.Concat(r.Culprits, r.Doubtful) {
			if server == self || heard(b, server, e.Service, request) {
				continue
			}
			b.Foreign(server, e.Service, request, epoch, name)
			if slices.Contains(r.Culprits, server) {
				b.Strike(score.Strike{
					Server: server, Service: e.Service, Revision: e.Revision, Epoch: epoch, Conclusive: true, Owner: service.Owner,
					Evidence: name, Known: known,
				})
			}
		}
	})
}

// heard reports whether evidence from others about an answer of the server to the request has counted already, or as much as
// counts in thirty days.
func heard(b *score.Book, server barnraise.ServerID, service barnraise.ServiceID, request barnraise.Digest) bool {
	row, _ := b.Row(server)
	for _, s := range row.Services {
		if s.Service == service {
			return len(s.Foreign) >= fromOne || slices.ContainsFunc(s.Foreign, func(f score.ForeignRow) bool { return f.Request == request })
		}
	}
	return false
}

// report tells the operator whom evidence convicts, and above all what is held against this server itself (protocol 8.7).
func (x *Exchange) report(o *offer, r client.Recheck) {
	e, self := o.evidence, x.Self()
	if slices.ContainsFunc(e.Answers, func(a barnraise.Answer) bool { return a.Server == self }) {
		x.aboutSelf(o, r)
	}
	for _, server := range r.Culprits {
		if server == self {
			continue
		}
		x.Log.Warn("evidence convicts a server", "server", server, "service", e.Service, "revision", e.Revision, "evidence", o.name)
		x.tell(store.Event{
			Kind: EventConvicted, Server: server, Service: e.Service, Revision: e.Revision, Evidence: o.name.String(),
			Text: "running the image here gives another answer than the one it signed",
		})
	}
}

// aboutSelf tells of an answer of this server that contradicts another's. Where running the image here shows that it was right, as
// anybody can bring about who lies beside it, that is no news.
func (x *Exchange) aboutSelf(o *offer, r client.Recheck) {
	e, finding := o.evidence, ""
	switch {
	case slices.Contains(slices.Concat(r.Culprits, r.Doubtful), x.Self()):
		finding = "an answer that this server signed is wrong, as running the image here shows"
	case len(r.Reruns) == 0:
		finding = "an answer that this server signed contradicts another; the image cannot be run here now to see which is right"
	default:
		x.Log.Info("evidence against this server shows that it was right", "service", e.Service, "revision", e.Revision, "evidence", o.name)
		return
	}
	x.Log.Error("evidence about this server", "service", e.Service, "revision", e.Revision, "evidence", o.name, "finding", finding)
	x.tell(store.Event{
		Kind: EventAboutSelf, Server: x.Self(), Service: e.Service, Revision: e.Revision, Evidence: o.name.String(), Text: finding,
	})
}
