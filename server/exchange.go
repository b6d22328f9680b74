package server

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"barnraise"
	"barnraise/client"
	"barnraise/evidence"
	"barnraise/store"
)

// openExchange makes the exchange of evidence, where there is a place to keep it and a client to recheck it.
func (s *Server) openExchange(d Dependencies, asks *client.Client) {
	if d.Evidence == nil || asks == nil {
		return
	}
	tell := d.Happened
	if tell == nil {
		tell = func(store.Event) {}
	}
	s.exchange = evidence.New(evidence.Dependencies{
		Registry: s.registry, Key: s.signing, URL: s.url, Self: func() barnraise.ServerID { return barnraise.ServerID(s.id.Load()) },
		Store: d.Evidence, Judge: asks, Book: asks.Book, Epoch: asks.Epoch, HTTP: s.http, Serves: s.cares, Uses: s.broker.uses,
		Hosted: s.services, Random: rand.IntN, Known: s.knows, Log: s.log, Now: s.now, Tell: tell, Doubted: s.doubt,
	})
}

// deliverWithin is how long after a lie was found its evidence is handed to others, at most: at once would tell who found it.
const deliverWithin = 10 * time.Minute

// keeper keeps the evidence that the server's own client finds: with the exchange, once that is open, so that others get it.
type keeper struct {
	server *Server
	store  evidence.Store
}

// Keep returns once the evidence is on disk.
func (k keeper) Keep(e barnraise.Evidence) (string, error) {
	if k.server.exchange != nil {
		return k.server.exchange.Keep(e)
	}
	item, _, err := k.store.Add(context.Background(), e, 0)
	return item.Digest.String(), err
}

// services are those that run here.
func (s *Server) services() (ids []barnraise.ServiceID) {
	for _, h := range s.Hosts() {
		ids = append(ids, h.Service)
	}
	return union(ids, nil)
}

// cares reports whether evidence about a service is looked at here: this server runs it, or would like to see it run.
func (s *Server) cares(id barnraise.ServiceID) bool {
	return slices.Contains(s.services(), id) || s.broker.rewards(id)
}

// doubt has the gate try a revision again that contradicted itself here. Where its own examples do so, it is dropped (protocol
// 7.4). Any goroutine may call it.
func (s *Server) doubt(id barnraise.ServiceID, revision uint32) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if h := s.hosted[id][revision]; h != nil {
		h.doubted.CompareAndSwap(certain, doubted)
	}
}

// How sure this server is that a revision does not contradict itself.
const (
	certain int32 = iota
	doubted
	trying
)

// reassure has the gate try what is doubted, beside everything else: that may take many minutes.
func (s *Server) reassure(ctx context.Context) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, revisions := range s.hosted {
		for _, h := range revisions {
			if h.doubted.CompareAndSwap(doubted, trying) {
				s.work.Go(func() {
					s.rechecked(ctx, h, s.gate.again(ctx, s.runtime, h))
					h.doubted.Store(certain)
				})
			}
		}
	}
}

// uses reports whether this server relies on another: it offers what this one rewards.
func (b *broker) uses(id barnraise.ServerID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last == nil {
		return false
	}
	v, _ := b.last.Server(id)
	return slices.ContainsFunc(b.wishes, v.OffersService)
}

// rewards reports whether this server would like to see a service run.
func (b *broker) rewards(id barnraise.ServiceID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Contains(b.wishes, id)
}

// knows reports whether an owner of services counts for a suspension in all services: this server runs a service of his, or
// would like to see it run, and has known it for twelve epochs (protocol 7.5). Whoever asks may hold any lock.
func (s *Server) knows(owner barnraise.Address) bool {
	known := s.owners.Load()
	return known != nil && slices.Contains(*known, owner)
}

// established is after how many epochs somebody counts who was seen first then (protocol 7).
const established = 12

// getToKnow notes the owners of the services that this server has to do with, and since when. It returns those that count.
func (b *broker) getToKnow(s sight) (known []barnraise.Address) {
	for _, id := range union(b.mine, b.wishes) {
		v, ok := s.confirmed.Service(id)
		if !ok {
			continue
		}
		since, before := b.book.Owners[v.Owner]
		if !before {
			since, b.book.Owners[v.Owner] = b.book.Epoch, b.book.Epoch
		}
		if since+established <= b.book.Epoch {
			known = append(known, v.Owner)
		}
	}
	return known
}
