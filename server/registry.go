package server

import (
	"context"
	"errors"
	"slices"

	"barnraise"
	"barnraise/registry"
	"barnraise/registry/evm"
)

// Registry is what a server needs of the registry: to read it and, with an account, to say what it offers.
type Registry interface {
	// Snapshot is the registry at the head of the chain.
	Snapshot(ctx context.Context) (*barnraise.Snapshot, error)
	// Confirmed is the registry that hosting goes by, some blocks behind the head (protocol 1.9).
	Confirmed(ctx context.Context) (*barnraise.Snapshot, error)
	// SetLists replaces the lists of a server. It fails with [ErrReadOnly] where this server has no account to do it with,
	// and with an [evm.Revert] where the contract refuses.
	SetLists(ctx context.Context, id barnraise.ServerID, offers, rewards []barnraise.ServiceID, capacity uint32) error
}

// ErrReadOnly is the error for a write by a server that has no account.
var ErrReadOnly = errors.New("this server has no account to write to the registry with")

// chain is the registry through an EVM endpoint.
type chain struct {
	*evm.Registry
	account *evm.Account
}

// OnChain reads the registry through r and sets lists by the account, which may be nil. The registry stays the caller's to
// close.
func OnChain(r *evm.Registry, account *evm.Account) Registry { return chain{r, account} }

func (c chain) SetLists(ctx context.Context, id barnraise.ServerID, offers, rewards []barnraise.ServiceID, capacity uint32) error {
	if c.account == nil {
		return ErrReadOnly
	}
	_, err := c.Registry.SetLists(ctx, c.account, id, offers, rewards, capacity)
	return err
}

// notice logs what changed in the registry, since it was read before, of this server and of the services that it has to do with.
func (s *Server) notice(head *barnraise.Snapshot, me barnraise.Server) {
	before := s.head
	if s.head = head; before == nil || before.Hash == head.Hash {
		return
	}
	services := union(s.config.Own, me.Offers)
	for _, c := range registry.Diff(before, head) {
		if c.Concerns(me.ID, services) {
			s.log.Info("registry", "block", c.Block, "change", c.String())
		}
	}
}

// lists are what a server says of itself on chain.
type lists struct {
	offers, rewards []barnraise.ServiceID
	capacity        uint32
}

func listsOf(v barnraise.Server) lists { return lists{v.Offers, v.Rewards, v.Capacity} }

func (l lists) equal(o lists) bool {
	return slices.Equal(l.offers, o.offers) && slices.Equal(l.rewards, o.rewards) && l.capacity == o.capacity
}

// lists are what is to stand on chain: what this server runs of its own, once it runs (protocol 9.3), and what its broker
// orders. What the broker has planned is written once in an epoch, or with something that cannot wait: what did not pass the gate
// or was denied, what does not run any more, what the configuration says of rewards and capacity. Rewards are written only from
// the block on from which the contract takes them.
func (s *Server) lists(me barnraise.Server) lists {
	l, orders := listsOf(me), s.broker.standing()
	s.mu.RLock()
	runs := func(id barnraise.ServiceID) bool { return len(s.hosted[id]) > 0 }
	at := slices.DeleteFunc(slices.Clone(l.offers), func(id barnraise.ServiceID) bool {
		return slices.Contains(orders.Urgent, id) || !runs(id) && s.refuses(id)
	})
	own := slices.DeleteFunc(slices.Clone(s.config.Own), func(id barnraise.ServiceID) bool { return !runs(id) })
	s.mu.RUnlock()
	l.offers = slices.DeleteFunc(union(at, own), func(id barnraise.ServiceID) bool { return orders.Forbidden[id] })
	if s.config.Rewards != nil && s.block.Load()+1 >= s.rewardsFrom.Load() {
		l.rewards = s.config.Rewards
	}
	if s.config.Capacity != 0 {
		l.capacity = s.config.Capacity
	}
	if orders.Settled || !l.equal(listsOf(me)) {
		l.offers = slices.DeleteFunc(l.offers, func(id barnraise.ServiceID) bool { return slices.Contains(orders.Leave, id) })
		l.offers = union(l.offers, orders.Offer)
	}
	return l
}

// union is what is in one of the lists, ascending.
func union(a, b []barnraise.ServiceID) []barnraise.ServiceID {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// refuses reports whether a revision of the service did not pass the gate. The lock is held.
func (s *Server) refuses(id barnraise.ServiceID) bool {
	for k := range s.refused {
		if k.service == id {
			return true
		}
	}
	return false
}

// announce writes the lists that do not stand on chain yet, beside everything else: until a transaction is in a block, minutes
// may pass. It is called by one goroutine at a time.
func (s *Server) announce(ctx context.Context, me barnraise.Server) {
	l := s.lists(me)
	if !s.writes || l.equal(listsOf(me)) {
		return
	}
	if err := s.broker.writing(); err != nil {
		s.log.Warn("announce offers", "err", err)
		return
	}
	s.announcing.Store(true)
	s.work.Go(func() {
		defer s.announcing.Store(false)
		if err := s.write(ctx, me, l); err != nil && ctx.Err() == nil {
			s.log.Warn("announce offers", "err", err)
		}
	})
}

// write sends the lists, and where it is too soon for other rewards, the rest of them.
func (s *Server) write(ctx context.Context, me barnraise.Server, l lists) error {
	err := s.registry.SetLists(ctx, me.ID, l.offers, l.rewards, l.capacity)
	if earliest, soon := tooSoon(err); soon {
		s.log.Info("rewards have to wait", "until block", earliest)
		s.rewardsFrom.Store(earliest)
		if l.rewards = me.Rewards; l.equal(listsOf(me)) {
			return nil
		}
		err = s.registry.SetLists(ctx, me.ID, l.offers, l.rewards, l.capacity)
	}
	if err != nil {
		return err
	}
	s.log.Info("announced", "offers", l.offers, "rewards", l.rewards)
	s.broker.announced(me.Offers, l.offers)
	return nil
}

// tooSoon reports whether the contract refuses because rewards changed too lately, and from which block on it will not.
func tooSoon(err error) (earliest uint64, soon bool) {
	var refused *evm.Revert
	if !errors.As(err, &refused) || refused.Name != "RewardsTooSoon" {
		return 0, false
	}
	earliest, soon = refused.Fields["earliest"].(uint64)
	return earliest, soon
}
