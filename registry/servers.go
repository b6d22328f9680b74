package registry

import (
	"fmt"
	"slices"

	"barnraise"
)

// Servers is the registry of servers as its events up to some block made it. The zero value is an empty one. It is not safe
// for concurrent use.
//
// What [Servers.List] gives leaves out what only a commitment needs: keys under which a signature proves nothing, the block
// of the last change of rewards, and the exact bytes of the URL. Whoever shows a server against its commitment does so from
// the events.
type Servers struct {
	ledger
	records []serverRecord
}

type serverRecord struct {
	server    barnraise.Server
	shared    bool // a list has the keys too: they may grow, but those there are may not change
	url       [32]byte
	keys      [32]byte
	offers    [32]byte
	rewards   [32]byte
	rewardsAt uint64
}

// Apply takes the next event. It fails with [ErrEvents] for one that no such contract would have written after those before,
// and then changes nothing. What rests on the constants of a deployment, on the time or on the caller is not checked: the
// least deposit, the unlock delay, how often rewards may change, that URL, key and lists follow a registration at once. For
// those the hash stands that the contract keeps, and that [Servers.Log] must come to.
func (s *Servers) Apply(at Block, e Event) error {
	h, err := s.begin(at, e)
	if err != nil {
		return fmt.Errorf("read servers: block %d: %w", at.Number, err)
	}
	switch e := e.(type) {
	case ServerRegistered:
		err = s.register(at, e)
	case URLSet:
		err = s.setURL(h, e)
	case KeyRotated:
		err = s.rotateKey(at, h, e)
	case ListsSet:
		err = s.setLists(at, h, e)
	default:
		err = s.apply(h, e)
	}
	if err != nil {
		return fmt.Errorf("read servers: block %d: %w", at.Number, err)
	}
	_, id := e.step()
	s.end(at, e, s.commitment(id))
	return nil
}

// NeedsTime reports whether the time of the event's block matters: it is when a key was replaced (protocol 4.2).
func (s *Servers) NeedsTime(e Event) bool {
	k, ok := e.(KeyRotated)
	return ok && s.head(k.ID) != nil && len(s.records[k.ID-1].server.Keys) > 0
}

// List is all servers by id. It is the caller's; what the items hold is shared and not to be changed.
func (s *Servers) List() []barnraise.Server {
	list := make([]barnraise.Server, len(s.records))
	for i := range s.records {
		h := s.heads[i]
		s.records[i].shared = true
		list[i] = s.records[i].server
		list[i].Operator, list[i].Delegate, list[i].Status = h.Owner, h.Delegate, h.Status
	}
	return list
}

func (s *Servers) register(at Block, e ServerRegistered) error {
	if err := s.open(at, e.ID, e.Owner, e.Deposit); err != nil {
		return err
	}
	s.records = append(s.records, serverRecord{server: barnraise.Server{ID: barnraise.ServerID(e.ID), Since: at.Number}})
	return nil
}

func (s *Servers) setURL(h *Head, e URLSet) error {
	if outside(len(e.URL), minServerURL, maxServerURL) {
		return wrong("URL of server %d has %d bytes", e.ID, len(e.URL))
	}
	r := &s.records[e.ID-1]
	r.server.URL, r.url = Printable(e.URL), keccak([]byte(e.URL))
	h.Edits++
	return nil
}

// rotateKey replaces the current key, if there is one. A key under which a signature proves nothing is not listed, so that
// the server then has no current one (protocol 1.6); the commitment has it all the same.
func (s *Servers) rotateKey(at Block, h *Head, e KeyRotated) error {
	if e.Key == [32]byte{} {
		return wrong("server %d has a key of zeros", e.ID)
	}
	if err := s.remember(); err != nil {
		return err
	}
	r := &s.records[e.ID-1]
	if r.shared {
		r.server.Keys, r.shared = slices.Clone(r.server.Keys), false
	}
	if last := len(r.server.Keys) - 1; last >= 0 && r.server.Keys[last].To == 0 {
		r.server.Keys[last].To, r.server.Keys[last].ReplacedAt = at.Number, at.Time
	}
	if key, err := barnraise.NewPublicKey(e.Key); err == nil {
		r.server.Keys = append(r.server.Keys, barnraise.Key{Key: key, From: at.Number})
	}
	r.keys = words(nil).hash(r.keys).hash(e.Key).uint(at.Number).keccak()
	h.Edits++
	return nil
}

func (s *Servers) setLists(at Block, h *Head, e ListsSet) error {
	if !barnraise.ValidList(e.Offers, barnraise.MaxOffers) || !barnraise.ValidList(e.Rewards, barnraise.MaxRewards) {
		return wrong("lists of server %d are too long or do not ascend", e.ID)
	}
	r := &s.records[e.ID-1]
	r.server.Offers, r.server.Rewards, r.server.Capacity = slices.Clone(e.Offers), slices.Clone(e.Rewards), e.Capacity
	r.offers = words(nil).uint(2 * 32).uint(uint64(e.Capacity)).ids(e.Offers).keccak()
	if rewards := words(nil).uint(32).ids(e.Rewards).keccak(); rewards != r.rewards {
		r.rewards, r.rewardsAt = rewards, at.Number
	}
	h.Edits++
	return nil
}

func (s *Servers) commitment(id uint32) [32]byte {
	r := &s.records[id-1]
	return s.heads[id-1].words(id).hash(r.url).hash(r.keys).hash(r.offers).hash(r.rewards).uint(r.rewardsAt).keccak()
}
