package score

import (
	"fmt"
	"slices"

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
		kid = b.keyID(v.ID, k.Key)
	}
	url := v.URL[:min(len(v.URL), maxURL)]
	r := b.servers[v.ID]
	if r == nil || r.Owner.IsZero() {
		b.identified(v, epoch, known)
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
	b.identified(v, epoch, known)
	if r = b.row(v.ID); kid != "" {
		r.Key = kid
	}
	r.Owner, r.URL = v.Operator, url
	if what != "" {
		b.cap(r, epoch, known, what)
	}
}

// keyID is the id of a server's key, which takes a hash to find out and is nearly always the one it was.
func (b *Book) keyID(server barnraise.ServerID, key barnraise.PublicKey) string {
	k, ok := b.keys[server]
	if !ok || k.key != key {
		if b.keys == nil {
			b.keys = make(map[barnraise.ServerID]namedKey)
		}
		k = namedKey{key, key.ID()}
		b.keys[server] = k
	}
	return k.id
}

// identified records an identity that changes something. Of most calls it is known.
func (b *Book) identified(v barnraise.Server, epoch uint64, known float64) {
	if b.recording {
		b.record(true, func(b *Book) { b.Identify(v, epoch, known) })
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
	if b.recording {
		b.record(true, func(b *Book) { b.Forget(server) })
	}
	b.row(server)
	delete(b.servers, server)
	delete(b.keys, server)
}
