package score

import (
	"fmt"
	"slices"
	"time"

	"barnraise"
)

// Suspended reports whether the server is not to be asked for the service: three strikes close together in it, or, for all
// services, also strikes in services of two owners (protocol 7.5). It ends by itself after so many own requests; one
// more pair of strikes close together suspends it again, four times longer.
func (b *Book) Suspended(server barnraise.ServerID, service barnraise.ServiceID) bool {
	r := b.servers[server]
	if r == nil {
		return false
	}
	i, ok := r.find(service)
	return r.Until > b.requests || ok && r.Services[i].Until > b.requests
}

// Rests reports whether the server was struck in the service within the last thousand own requests: then it is better asked only
// where nobody else is left.
func (b *Book) Rests(server barnraise.ServerID, service barnraise.ServiceID) bool {
	return b.look(server, service).Rests > b.requests
}

// Meet records that a server stands in the registry, which makes it older from now on.
func (b *Book) Meet(server barnraise.ServerID, now time.Time) {
	if r := b.servers[server]; r != nil && !r.First.IsZero() {
		return
	}
	b.Advance(now)
	b.row(server).First = now
}

// Age is for how long a server has been known here; zero for one that this book never met.
func (b *Book) Age(server barnraise.ServerID, now time.Time) time.Duration {
	if r := b.servers[server]; r != nil && !r.First.IsZero() {
		return max(0, now.Sub(r.First))
	}
	return 0
}

// Requests is how many own requests the book has counted.
func (b *Book) Requests() uint64 { return b.requests }

// everywhere suspends a server in all services once that is due.
func (b *Book) everywhere(r *Row, epoch uint64) {
	if r.Until > b.requests || !r.everywhere(b.requests, epoch) {
		return
	}
	for _, h := range r.Services {
		r.Until = max(r.Until, h.Until)
	}
	b.tell(Event{Kind: Suspended, Epoch: epoch, Server: r.Server,
		Why: "struck in services of two owners, for all services " + b.left(r.Until)})
}

// everywhere reports whether strikes stand in services of two known owners, and one of these services suspends the server. One
// fault here and one there, as happens to the honest, suspends nobody.
func (r *Row) everywhere(requests, epoch uint64) bool {
	var owners []barnraise.Address
	suspended := false
	for _, s := range r.Strikes {
		if !s.Known || !standing(s.Strike, epoch) {
			continue
		}
		if !slices.Contains(owners, s.Owner) {
			owners = append(owners, s.Owner)
		}
		i, ok := r.find(s.Service)
		suspended = suspended || ok && r.Services[i].Until > requests
	}
	return suspended && len(owners) >= 2
}

// left says how long a suspension lasts.
func (b *Book) left(until uint64) string { return fmt.Sprintf("for %d own requests", until-b.requests) }

// Identify tells the book who a server is by the registry. Where its operator, its key or its URL is another than before, it may
// be somebody else, and its history in every service is capped at known, which is [Policy.Known]: it remains a known server, and
// is audited like one that has just become so. A server without a key is never another for that alone.
func (b *Book) Identify(v barnraise.Server, epoch uint64, known float64) {
	kid := ""
	if k, ok := v.Key(); ok {
		kid = k.Key.ID()
	}
	url := v.URL[:min(len(v.URL), maxURL)]
	r := b.servers[v.ID]
	if r == nil || r.Owner.IsZero() {
		r = b.row(v.ID)
		r.Owner, r.Key, r.URL = v.Operator, kid, url
		return
	}
	var what string
	switch {
	case r.Owner != v.Operator:
		what = "its operator changed"
	case kid != "" && r.Key != "" && r.Key != kid:
		what = "its key changed"
	case r.URL != url:
		what = "its URL changed"
	case kid == "" || r.Key == kid:
		return
	}
	if r = b.row(v.ID); kid != "" {
		r.Key = kid
	}
	r.Owner, r.URL = v.Operator, url
	if what != "" {
		b.cap(r, epoch, known, what)
	}
}

func (b *Book) cap(r *Row, epoch uint64, known float64, what string) {
	for i := range r.Services {
		h := &r.Services[i]
		h.settle(b.now)
		h.M = min(h.M, known)
	}
	b.tell(Event{Kind: Capped, Epoch: epoch, Server: r.Server,
		Why: fmt.Sprintf("%s; no history counts more than %g answers", what, known)})
}

// Forget empties the score of an id that a reorganisation of the chain gave to somebody else (protocol 1.9). The next
// [Book.Delta] names it as gone.
func (b *Book) Forget(server barnraise.ServerID) {
	b.row(server)
	delete(b.servers, server)
}
