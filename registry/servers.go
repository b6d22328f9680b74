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
// of the last change of rewards, and the exact bytes of the URL. [WriteState] writes all of it.
type Servers struct {
	ledger
	records []serverRecord
}

type serverRecord struct {
	server    barnraise.Server
	shared    bool      // a list has the keys too: they may grow, but those there are may not change
	exactURL  string    // where what is listed is not what is registered, byte for byte
	weak      []weakKey // the keys that are not listed
	url       [32]byte
	keys      [32]byte
	offers    [32]byte
	rewards   [32]byte
	rewardsAt uint64
}

// weakKey is a key under which a signature proves nothing, and its place in the row of all keys of its server.
type weakKey struct {
	at   int
	key  [32]byte
	from uint64
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
	s.end(at, e, s.records[id-1].commitment(s.head(id)))
	return nil
}

// NeedsTime reports whether the time of the event's block matters: it is when a key was replaced (protocol 4.2).
func (s *Servers) NeedsTime(e Event) bool {
	k, ok := e.(KeyRotated)
	return ok && s.head(k.ID) != nil && len(s.records[k.ID-1].server.Keys) > 0
}

// Clone is a copy that goes its own way. It shares what neither changes any more, so it costs little.
func (s *Servers) Clone() *Servers {
	c := &Servers{ledger: s.ledger.clone(), records: slices.Clone(s.records)}
	for i := range s.records {
		s.records[i].shared = true
		r := &c.records[i]
		r.shared, r.server.Keys, r.weak = true, slices.Clip(r.server.Keys), slices.Clip(r.weak)
	}
	return c
}

// List is all servers by id. It is the caller's; what the items hold is shared and not to be changed.
func (s *Servers) List() []barnraise.Server {
	list := make([]barnraise.Server, len(s.records))
	for i := range s.records {
		s.records[i].shared = true
		list[i] = s.records[i].listed(&s.heads[i])
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
	s.records[e.ID-1].setURL(e.URL)
	h.Edits++
	return nil
}

func (r *serverRecord) setURL(url string) {
	r.server.URL, r.url, r.exactURL = Printable(url), keccak([]byte(url)), ""
	if r.server.URL != url {
		r.exactURL = url
	}
}

func (s *Servers) rotateKey(at Block, h *Head, e KeyRotated) error {
	if e.Key == [32]byte{} {
		return wrong("server %d has a key of zeros", e.ID)
	}
	if err := s.remember(); err != nil {
		return err
	}
	s.records[e.ID-1].addKey(at, e.Key)
	h.Edits++
	return nil
}

// addKey replaces the current key, if there is one. A key under which a signature proves nothing is not listed, so that the
// server then has no current one (protocol 1.6); the commitment has it all the same.
func (r *serverRecord) addKey(at Block, raw [32]byte) {
	if r.shared {
		r.server.Keys, r.shared = slices.Clone(r.server.Keys), false
	}
	if last := len(r.server.Keys) - 1; last >= 0 && r.server.Keys[last].To == 0 {
		r.server.Keys[last].To, r.server.Keys[last].ReplacedAt = at.Number, at.Time
	}
	if key, err := barnraise.NewPublicKey(raw); err == nil {
		r.server.Keys = append(r.server.Keys, barnraise.Key{Key: key, From: at.Number})
	} else {
		r.weak = append(r.weak, weakKey{len(r.server.Keys) + len(r.weak), raw, at.Number})
	}
	r.keys = words(nil).hash(r.keys).hash(raw).uint(at.Number).keccak()
}

func (s *Servers) setLists(at Block, h *Head, e ListsSet) error {
	if !barnraise.ValidList(e.Offers, barnraise.MaxOffers) || !barnraise.ValidList(e.Rewards, barnraise.MaxRewards) {
		return wrong("lists of server %d are too long or do not ascend", e.ID)
	}
	r := &s.records[e.ID-1]
	before := r.rewards
	r.setLists(e)
	if r.rewards != before {
		r.rewardsAt = at.Number
	}
	h.Edits++
	return nil
}

func (r *serverRecord) setLists(e ListsSet) {
	r.server.Offers, r.server.Rewards, r.server.Capacity = slices.Clone(e.Offers), slices.Clone(e.Rewards), e.Capacity
	r.offers = words(nil).uint(2 * 32).uint(uint64(e.Capacity)).ids(e.Offers).keccak()
	r.rewards = words(nil).uint(32).ids(e.Rewards).keccak()
}

// listed is the server with what its head says of it.
func (r *serverRecord) listed(h *Head) barnraise.Server {
	v := r.server
	v.Operator, v.Delegate, v.Status = h.Owner, h.Delegate, h.Status
	return v
}

func (r *serverRecord) commitment(h *Head) [32]byte {
	return h.words(uint32(r.server.ID)).hash(r.url).hash(r.keys).hash(r.offers).hash(r.rewards).uint(r.rewardsAt).keccak()
}
